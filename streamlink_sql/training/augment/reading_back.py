"""Reads questions back: a model writes SQL for the question of a pair, which is right where that gives the same rows. Trains nothing."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from streamlink_sql.errors import Busy, Cancelled, EngineUnavailable, ModelUnavailable, StreamLinkError
from streamlink_sql.evaluate.execution import comparable_rows, execution_match, is_ordered
from streamlink_sql.training.augment.executing import Kept, key_of
from streamlink_sql.training.domain import Domain
from streamlink_sql.training.pairs import Pair
from streamlink_sql.types import Generator, Question

DRAFTS = 5
_ROWS = 20_000
_STOPS = (ModelUnavailable, EngineUnavailable, Busy, Cancelled)


class ReadingBack:
    """A reader over one source."""

    def __init__(self, reader: Generator, domain: Domain, kept: Kept) -> None:
        self._reader, self._domain, self._kept = reader, domain, kept

    def same(self, pairs: Sequence[Pair]) -> dict[Pair, bool]:
        """Whether one of the reader's first drafts gives the rows of the pair's own SQL, for each pair."""
        keys = {pair: key_of(f"read {self._reader.name}", pair.question, pair.query) for pair in pairs}
        waiting = [pair for pair, key in keys.items() if key not in self._kept]
        with ThreadPoolExecutor(2, thread_name_prefix="reading-back") as pool:
            self._kept.keep({keys[pair]: same for pair, same in zip(waiting, pool.map(self._is_same, waiting), strict=True)})
        return {pair: bool(self._kept[key]) for pair, key in keys.items()}

    def _is_same(self, pair: Pair) -> bool:
        try:
            drafts = self._reader.generate(Question(pair.question), self._domain.context(pair.question), DRAFTS)
            wanted = self._rows(pair.query)
        except _STOPS:
            raise
        except StreamLinkError:
            return False
        return any(draft.sql == pair.query or self._gives(draft.sql, wanted, pair.query) for draft in drafts)

    def _gives(self, sql: str, wanted: Sequence[tuple[object, ...]], gold: str) -> bool:
        try:
            return execution_match(self._rows(sql), wanted, is_ordered(gold))
        except _STOPS:
            raise
        except StreamLinkError:
            return False

    def _rows(self, sql: str) -> list[tuple[object, ...]]:
        return comparable_rows(self._domain.rows(sql, limit=_ROWS).as_python())
