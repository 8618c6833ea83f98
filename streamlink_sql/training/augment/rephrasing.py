"""Says questions in other words by a chat model, and keeps what still says the same: its values, and the rows when it is read back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from random import Random

from streamlink_sql.errors import CannotAnswer
from streamlink_sql.prompt import Message
from streamlink_sql.training.augment.executing import Kept, key_of
from streamlink_sql.training.augment.reading_back import ReadingBack
from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic.sample import plain

Say = Callable[[Sequence[Message]], str]
"""What a chat model answers to messages."""
INSTRUCTIONS = (
    "You rephrase questions that people ask about a database. Answer with one question and nothing else. Ask for exactly the same, no more "
    "and no less. Keep every name, number, date and quoted text as it is."
)
_AT_ONCE = 4
_LONGEST = 3
"""An answer of so many times the words is no rephrasing."""


class Rephrasing:
    """A chat model at work beside the templates. All questions share the beginning of the prompt, which a server reads once."""

    def __init__(self, say: Say, reading_back: ReadingBack, kept: Kept, share: float, rng: Random) -> None:
        self._say, self._read, self._kept, self._share, self._rng = say, reading_back, kept, share, rng

    def others(self, pairs: Sequence[Pair]) -> Iterator[Pair]:
        """Pairs with another question each, for a share of these."""
        chosen = [pair for pair in pairs if self._rng.random() < self._share]
        keys = {pair: key_of("rephrased", pair.question) for pair in chosen}
        waiting = [pair for pair, key in keys.items() if key not in self._kept]
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="rephrasing") as pool:
            self._kept.keep({keys[pair]: said for pair, said in zip(waiting, pool.map(self._rephrased, waiting), strict=True)})
        found = [replace(pair, question=said) for pair, key in keys.items() if (said := str(self._kept[key])) and survives(pair, said)]
        same = self._read.same(found)
        yield from (pair for pair in found if same[pair])

    def _rephrased(self, pair: Pair) -> str:
        try:
            said = self._say([Message("system", INSTRUCTIONS), Message("user", pair.question)])
        except CannotAnswer:
            return ""
        return said.strip().splitlines()[0].strip().strip('"') if said.strip() else ""


def survives(pair: Pair, said: str) -> bool:
    """Whether what was said holds every number, quoted text and text of the SQL that the question holds, and is about as long."""
    texts = [text.replace("''", "'").strip("%") for text in re.findall(r"'((?:[^']|'')*)'", pair.query)]
    held = [text for text in (*texts, *re.findall(r"\d[\d.,]*\d|\d", pair.question)) if text.casefold() in pair.question.casefold()]
    if plain(said) == plain(pair.question) or len(said.split()) > _LONGEST * len(pair.question.split()) + 5:
        return False
    return all(text.casefold() in said.casefold() for text in held)
