"""Reads an engine's tables and cells into one snapshot. Asks the engine's contract only and writes no SQL."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from streamlink_sql.catalog.codes import ambiguous_flags, said_of_flags, with_codes
from streamlink_sql.catalog.glossary import AliasIndex, Glossary
from streamlink_sql.catalog.keys import infer_keys, is_unique
from streamlink_sql.catalog.names import spoken_words, with_spoken_names
from streamlink_sql.catalog.relevance import Budget, Relevance
from streamlink_sql.catalog.values import Place, ValueIndex
from streamlink_sql.types import Column, Context, Dialect, Engine, Sample, Sought, Table, ValueMatch

_log = logging.getLogger("streamlink_sql.catalog")

_MOST_OF_A_COLUMN = 50_000
_MOST_VALUES = 400_000
_FREE_TEXT_WORDS = 6.0
_FEW_TEXTS = 2_000
_NAME_WORDS = 5.0
_SHOWN = 5
_SHOWN_LENGTH = 80
_FEW_COLUMNS = 400
_LOOKED_AT = 500
_FOR_KEYS = 0.4
_WHOLE_MATCH = 0.9
_WORTH_KEEPING_S = 0.25
_FEW_VALUES = 6
_ENOUGH_FLAGS = 8
_COUNTED = frozenset("number num no count total sum qty quantity amount id code level grade score rating points year month day".split())
"""What columns are called of which 0 and 1 are numbers."""
_ASSERTING = frozenset("is has have had was were can may does did allows accepts includes needs requires wants uses offers serves".split())
"""How the names of flags about several things begin."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is known of a source at one moment. `declared` is what the engine said, `tables` what the reader made of it."""

    stamp: str
    dialect: Dialect
    declared: tuple[Table, ...]
    tables: tuple[Table, ...]
    glossary: Glossary
    samples: Mapping[Place, tuple[str, ...]]
    values: ValueIndex
    aliases: AliasIndex
    flags: AliasIndex
    relevance: Relevance
    seconds: float
    unsampled: frozenset[Place]
    whole: Mapping[Place, tuple[str, ...]]
    """All values of each column of texts that was read to its end."""

    @property
    def is_partial(self) -> bool:
        """Whether columns are left that were not sampled for want of time."""
        return bool(self.unsampled)

    def told(self, words: Mapping[Place, Mapping[str, str]]) -> Snapshot:
        """The same with more words for values; where the glossary has a word already, it means what that says."""
        known = self.aliases.words
        return replace(self, aliases=AliasIndex({**known, **{place: {**more, **known.get(place, {})} for place, more in words.items()}}))

    def absence(self, sought: Sought) -> str:
        """A sentence where no row holds that text; none where some do, or where not all texts of the column are known."""
        values = self.whole.get((sought.table, sought.column), ())
        alike = [value for value in values if value.strip().casefold() == sought.value.strip().casefold()]
        if not values or sought.value in values or (alike and self.dialect == "sqlite"):
            return ""
        others = alike or (values if len(values) <= _FEW_VALUES else ())
        known = f": there is {', '.join(repr(_shortened(value)) for value in sorted(others))}" if others else ""
        return f"No row of {sought.table} has the {sought.column} {sought.value!r}{known}."

    def relevant(self, text: str) -> Context:
        """What a question needs of it."""
        matches = matched(text, self.aliases, self.flags, self.values)
        tables = self.relevance.choose(text, matches)
        places = {(table.name, column.name) for table in tables for column in table.columns} | {(table.name, "") for table in tables}
        return Context(
            self.dialect,
            tables,
            tuple(match for match in matches if (match.table, match.column) in places),
            {place: shown for place, shown in self.samples.items() if place in places},
            {place: words for place, words in self.glossary.synonyms.items() if place in places},
        )


def read_snapshot(
    engine: Engine,
    stamp: str,
    declared: tuple[Table, ...],
    glossary: Glossary,
    budget: Budget,
    time_limit_s: float,
    *,
    known: Mapping[Place, Sample] | None = None,
    keep: Callable[[Mapping[Place, Sample]], object] | None = None,
) -> Snapshot:
    """Samples the engine's columns, infers keys and indexes the values; past the time limit the rest goes in unsampled.

    `known` are samples of this very data that need not be taken again; `keep` gets them all where taking them took a while.
    """
    started = time.monotonic()
    reader = _Reader(engine, declared, known or {})
    reader.deadline = started + _FOR_KEYS * time_limit_s
    inferred = infer_keys(declared, reader.sample, loosely_typed=engine.dialect == "sqlite")
    tables = glossary.describe(inferred)
    glossary = replace(glossary, synonyms=with_spoken_names(glossary.synonyms, tables))
    reader.deadline = started + time_limit_s
    entries = reader.entries(declared)
    shown = reader.shown(declared)
    relevance = Relevance(tuple(_as_seen(table, reader.taken) for table in tables), glossary.synonyms, budget)
    if reader.skipped:
        _log.warning("%d columns were not sampled: reading them would have taken more than %.0f s", len(reader.skipped), time_limit_s)
    if keep is not None and reader.seconds > _WORTH_KEEPING_S:
        keep(reader.taken)
    values, aliases = ValueIndex(entries), AliasIndex(with_codes(glossary.aliases, entries, inferred))
    seconds = time.monotonic() - started
    texts = [(table.name, column.name) for table in declared for column in table.columns if column.kind == "text"]
    return Snapshot(
        stamp,
        engine.dialect,
        declared,
        tables,
        glossary,
        shown,
        values,
        aliases,
        flags_of(entries, tables),
        relevance,
        seconds,
        frozenset(reader.skipped),
        {place: reader.taken[place].values for place in texts if place in reader.taken and reader.taken[place].complete},
    )


def _as_seen(table: Table, taken: Mapping[Place, Sample]) -> Table:
    """The table, with what samples tell of its texts, whether each row has one of its own, and of integers that are flags."""

    def sample(table: str, column: str) -> Sample:
        return taken.get((table, column), Sample((), False))

    def seen(column: Column) -> Column:
        if column.kind == "text":
            return replace(column, unique=is_unique(table, column.name, sample))
        return replace(column, kind="boolean") if _is_flag(column, table, sample(table.name, column.name)) else column

    return replace(table, columns=tuple(map(seen, table.columns)))


def _is_flag(column: Column, table: Table, values: Sample) -> bool:
    """Whether integers are 0 and 1 and nothing else in rows enough, and called like no number of things and no key."""
    keys = {*table.primary_key, *(name for key in table.foreign_keys for name in key.columns)}
    return (
        column.kind == "integer"
        and values.complete
        and set(values.values) == {"0", "1"}
        and (table.rows is None or table.rows >= _ENOUGH_FLAGS)
        and column.name not in keys
        and not _counts(column.name)
    )


def _counts(name: str) -> bool:
    """Whether a column is called like a number of things: `goals`, `child_count`, not `has_pets`."""
    words = spoken_words(name)
    is_plural = bool(words) and not name.casefold().endswith(words[-1])
    return not _COUNTED.isdisjoint(words) or (is_plural and words[0] not in _ASSERTING)


def same_schema(one: Iterable[Table], other: Iterable[Table]) -> bool:
    """Whether tables, columns, types and keys are the same; rows do not count."""
    return [replace(table, rows=None) for table in one] == [replace(table, rows=None) for table in other]


class _Reader:
    """Samples of columns, each taken once, until the deadline."""

    deadline = 0.0

    def __init__(self, engine: Engine, tables: tuple[Table, ...], known: Mapping[Place, Sample]) -> None:
        self._engine = engine
        self.taken: dict[Place, Sample] = dict(known)
        self.seconds = 0.0
        """How long taking samples took."""
        self._rows = {table.name: table.rows for table in tables}
        self.skipped: set[Place] = set()

    def sample(self, table: str, column: str, limit: int = _MOST_OF_A_COLUMN) -> Sample:
        """Values of a column; none once the time is over."""
        place = (table, column)
        if place not in self.taken:
            if self._rows.get(table) == 0:
                self.taken[place] = Sample((), True)
            elif time.monotonic() > self.deadline:
                self.skipped.add(place)
                return Sample((), False)
            else:
                began = time.monotonic()
                self.taken[place] = self._engine.sample(table, column, limit=limit)
                self.seconds += time.monotonic() - began
                self.skipped.discard(place)
        return self.taken[place]

    def entries(self, tables: tuple[Table, ...]) -> dict[Place, tuple[str, ...]]:
        """The values of text columns that are worth finding in questions, the smallest columns first until there are enough."""
        found: dict[Place, tuple[str, ...]] = {}
        for table in tables:
            for column in table.columns:
                if column.kind == "text":
                    seen = self.sample(table.name, column.name)
                    if is_worth_indexing(seen):
                        found[table.name, column.name] = seen.values
        total = 0
        for place in sorted(found, key=lambda place: len(found[place])):
            total += len(found[place])
            if total > _MOST_VALUES:
                _log.info("The values of %s.%s are not indexed: there are too many in all", *place)
                del found[place]
        return found

    def shown(self, tables: tuple[Table, ...]) -> dict[Place, tuple[str, ...]]:
        """A few values of each column, as examples for a model; of a wide schema, only of columns sampled already."""
        few = sum(len(table.columns) for table in tables) <= _FEW_COLUMNS
        for table in tables:
            for column in table.columns:
                if few and column.kind not in ("binary", "other"):
                    self.sample(table.name, column.name, limit=_SHOWN)
        return {place: tuple(map(_shortened, seen.values[:_SHOWN])) for place, seen in self.taken.items() if seen.values}


def is_worth_indexing(seen: Sample) -> bool:
    """False for free text: a column of many sentences, or one of countless values that are not names."""
    if not seen.values:
        return False
    looked_at = seen.values[:: max(1, len(seen.values) // _LOOKED_AT)]
    words = sum(len(value.split()) for value in looked_at) / len(looked_at)
    if seen.complete or len(seen.values) < _MOST_OF_A_COLUMN:
        return words <= _FREE_TEXT_WORDS or len(seen.values) <= _FEW_TEXTS
    letters = sum(character.isalpha() for value in looked_at for character in value)
    characters = sum(not character.isspace() for value in looked_at for character in value)
    return words <= _NAME_WORDS and letters > 0.8 * characters and not seen.unique


def flags_of(values: Mapping[Place, Sequence[str]], tables: Iterable[Table]) -> AliasIndex:
    """The names of flags as words for their yes; those that share a word with another column weigh less."""
    said = said_of_flags(values)
    return AliasIndex(said, weak=ambiguous_flags(said, tables))


def matched(text: str, aliases: AliasIndex, flags: AliasIndex, values: ValueIndex) -> tuple[ValueMatch, ...]:
    """All that a question mentions of cells, in its order. A flag's word within a cell's name means the cell."""
    cells = values.match(text)
    named = [cell for cell in cells if cell.score >= _WHOLE_MATCH]
    said = (flag for flag in flags.match(text) if not any(cell.start <= flag.start and flag.end <= cell.end for cell in named))
    return merged(aliases.match(text), (*cells, *said))


def merged(aliases: tuple[ValueMatch, ...], cells: tuple[ValueMatch, ...]) -> tuple[ValueMatch, ...]:
    """Both, in the order of the question; a glossary's word goes before cells of its column, and before cells that only hold it."""
    kept = [cell for cell in cells if not any(_is_told(cell, alias) for alias in aliases)]
    unique = {(match.table, match.column, match.value, match.start, match.end): match for match in chain(reversed(kept), reversed(aliases))}
    return tuple(sorted(unique.values(), key=lambda m: (m.start, -(m.end - m.start), -m.score, m.source != "glossary", m.table, m.column)))


def _is_told(cell: ValueMatch, alias: ValueMatch) -> bool:
    """Whether a glossary's word says what this stretch of the question means, so that the cell does not."""
    is_inside = alias.start <= cell.start and cell.end <= alias.end
    return is_inside and (cell.score < _WHOLE_MATCH or (cell.table, cell.column) == (alias.table, alias.column))


def _shortened(value: str) -> str:
    return value if len(value) <= _SHOWN_LENGTH else value[: _SHOWN_LENGTH - 1] + "…"
