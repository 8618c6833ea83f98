"""Which words people use for codes that everybody reads as words: DE is Germany, TX is Texas, Y in `framework_yn` is "framework".
Looks at values, keys and names of columns only.

A glossary of the user's own goes before these, and so do cells: where a key leads from the codes to their names, those are the way to them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from streamlink_sql.catalog.demonyms import DEMONYMS
from streamlink_sql.catalog.names import spoken_words
from streamlink_sql.catalog.values import STOP_WORDS, Place, normalise
from streamlink_sql.types import Table

_KNOWN_PART = 0.8
"""Of the values of a column whose name says what they are, those that must be in the list: others (`EP`, `XX`) may stand among them."""
_YES_AND_NO = (frozenset(("y", "n")), frozenset(("yes", "no")), frozenset(("t", "f")), frozenset(("true", "false")))
_YES = frozenset(("y", "yes", "t", "true"))
_MARKS_OF_FLAGS = frozenset("yn flag flg ind indicator is has have had was are can yes no status".split())


@dataclass(frozen=True, slots=True)
class _List:
    """Codes with their words, and what names a column that holds them."""

    words: Mapping[str, tuple[str, ...]]
    named: frozenset[str]


def with_codes(
    told: Mapping[Place, Mapping[str, str]], values: Mapping[Place, Sequence[str]], tables: Iterable[Table]
) -> dict[Place, dict[str, str]]:
    """What a glossary says for cells, and what everybody says for those that are codes, by (table, column)."""
    found = {place: dict(words) for place, words in told.items()}
    for place, words in (said_of_codes(values, tables) | said_of_flags(values)).items():
        own = {normalise(word) for word in found.setdefault(place, {})}
        found[place] |= {word: cell for word, cell in words.items() if normalise(word) not in own}
    return found


def said_of_codes(values: Mapping[Place, Sequence[str]], tables: Iterable[Table]) -> dict[Place, dict[str, str]]:
    """What people say for the codes in these columns: cells by words, by (table, column)."""
    named = _named_by(tables)
    spelt: dict[str, list[set[str]]] = {}
    for (table, _), column in values.items():
        spelt.setdefault(table, []).append({normalise(value) for value in column})
    found: dict[Place, dict[str, str]] = {}
    for place, column in values.items():
        known = _list_of(place[1], column)
        if known is None:
            continue
        codes = [value for value in column if value.upper() in known.words]
        names = [normalise(known.words[code.upper()][0]) for code in codes]
        beside = [cells for table in {place[0], *named.get(place, ())} for cells in spelt.get(table, ())]
        if names and not any(sum(name in cells for name in names) * 2 >= len(names) for cells in beside):
            found[place] = {word: code for code in codes for word in known.words[code.upper()]}
    return found


def said_of_flags(values: Mapping[Place, Sequence[str]]) -> dict[Place, dict[str, str]]:
    """What people say for the yes of columns that hold yes and no: the column's name."""
    found: dict[Place, dict[str, str]] = {}
    for place, column in values.items():
        if {value.lower() for value in column} not in _YES_AND_NO:
            continue
        words = [word for word in spoken_words(place[1]) if word not in _MARKS_OF_FLAGS]
        if words and not all(word in STOP_WORDS for word in words):
            found[place] = {" ".join(words): next(value for value in column if value.lower() in _YES)}
    return found


def _named_by(tables: Iterable[Table]) -> dict[Place, set[str]]:
    """The tables that keys lead to from each column."""
    found: dict[Place, set[str]] = {}
    for table in tables:
        for key in table.foreign_keys:
            for column in key.columns:
                found.setdefault((table.name, column), set()).add(key.to_table)
    return found


def _list_of(name: str, values: Sequence[str]) -> _List | None:
    """The list that the values are from and the column's name speaks of. Values alone tell nothing: MM, CM and KM are countries, too."""
    for known in _lists():
        if known.named & set(spoken_words(name)) and sum(value.upper() in known.words for value in values) >= _KNOWN_PART * len(values):
            return known
    return None


@cache
def _lists() -> tuple[_List, ...]:
    content = tomllib.loads(Path(__file__).with_name("codes.toml").read_text(encoding="utf-8"))
    adjectives: dict[str, list[str]] = {}
    for adjective, names in DEMONYMS.items():
        for name in names:
            adjectives.setdefault(name, []).append(adjective)
    lines = [line.partition(": ") for line in content["countries"].split("\n") if line]
    countries = [(codes.split(), _with(adjectives, names.split(", "))) for codes, _, names in lines]
    country = frozenset("country nation nationality cntry".split())
    return (
        *(_List({codes[at]: names for codes, names in countries}, country) for at in (0, 1)),
        _List(_read(content["states"]), frozenset("state province region".split())),
        _List(_read(content["sexes"]), frozenset("sex gender".split())),
    )


def _with(adjectives: Mapping[str, Iterable[str]], names: Sequence[str]) -> tuple[str, ...]:
    return (*names, *sorted({adjective for name in names for adjective in adjectives.get(normalise(name), ())}))


def _read(lines: str) -> dict[str, tuple[str, ...]]:
    parts = (line.partition(": ") for line in lines.split("\n") if line)
    return {code: tuple(words.split(", ")) for code, _, words in parts}
