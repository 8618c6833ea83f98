"""Which words people use for codes that everybody reads as words: DE is Germany, TX is Texas, Y in `framework_yn` is "framework".
Looks at values, keys and names of columns only.

A glossary of the user's own goes before these, and so do cells: where the names of codes stand in the same table, or a key leads to them,
those are the way to them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
_NOT = ("no", "not", "non", "number")
"""A flag `no_smoking` says what is not; `no` is read as number."""
_MARKS_OF_FLAGS = frozenset("yn flag flg ind indicator is has have had was are can yes status".split())


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
    for place, words in (said_of_countries(values) | said_of_codes(values, tables)).items():
        own = {normalise(word) for word in found.setdefault(place, {})}
        found[place] |= {word: cell for word, cell in words.items() if normalise(word) not in own}
    return found


def said_of_codes(values: Mapping[Place, Sequence[str]], tables: Iterable[Table]) -> dict[Place, dict[str, str]]:
    """What people say for the codes in these columns: cells by words, by (table, column)."""
    named = _named_by(tables)
    found: dict[Place, dict[str, str]] = {}
    for place, column in values.items():
        known = _list_of(place[1], column)
        if known is None:
            continue
        codes = [value for value in column if value.upper() in known.words]
        names = [normalise(known.words[code.upper()][0]) for code in codes]
        near = {place[0], *named.get(place, ())}
        beside = ({normalise(value) for value in others} for (table, _), others in values.items() if table in near)
        if names and not any(sum(name in cells for name in names) * 2 >= len(names) for cells in beside):
            found[place] = {word: code for code in codes for word in known.words[code.upper()]}
    return found


def said_of_flags(values: Mapping[Place, Sequence[str]]) -> dict[Place, dict[str, str]]:
    """What people say for the yes of columns that hold yes and no: the column's name."""
    found: dict[Place, dict[str, str]] = {}
    for place, column in values.items():
        if len(column) != 2 or {value.strip().lower() for value in column} not in _YES_AND_NO:
            continue
        words = [word for word in spoken_words(place[1]) if word not in _MARKS_OF_FLAGS]
        if words and words[0] not in _NOT and not all(word in STOP_WORDS for word in words):
            found[place] = {" ".join(words): next(value for value in column if value.strip().lower() in _YES)}
    return found


def ambiguous_flags(flags: Iterable[Place], tables: Iterable[Table]) -> frozenset[Place]:
    """Those whose name shares a word with another column of the table: "paid" may be `paid_yn` or `paid_on`."""
    by_name = {table.name: table for table in tables}

    def shares(table: str, flag: str) -> bool:
        own = set(spoken_words(flag)) - _MARKS_OF_FLAGS
        return any(not own.isdisjoint(spoken_words(other.name)) for other in by_name[table].columns if other.name != flag)

    return frozenset(flag for flag in flags if shares(*flag))


def said_of_countries(values: Mapping[Place, Sequence[str]]) -> dict[Place, dict[str, str]]:
    """What else people call the countries in columns that hold their names: United States and America for USA."""
    known, named = _names_of_countries(), _lists()[0].named
    found: dict[Place, dict[str, str]] = {}
    for (table, name), column in values.items():
        words = spoken_words(name)
        if named.isdisjoint(spoken_words(table) if words == ("name",) else words):
            continue
        cells = {normalise(value): value for value in column}
        if sum(cell in known for cell in cells) >= _KNOWN_PART * len(cells):
            others = {other: value for cell, value in cells.items() for other in known.get(cell, ())}
            found[table, name] = {other: value for other, value in others.items() if normalise(other) not in cells}
    return {place: words for place, words in found.items() if words}


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
    content = _content()
    adjectives: dict[str, list[str]] = {}
    for adjective, names in DEMONYMS.items():
        for name in names:
            adjectives.setdefault(name, []).append(adjective)
    countries = [(codes.split(), _with(adjectives, names)) for codes, names in _countries(content)]
    country = frozenset("country nation nationality cntry".split())
    return (
        *(_List({codes[at]: names for codes, names in countries}, country) for at in (0, 1)),
        _List(_read(content["states"]), frozenset("state province region".split())),
        _List(_read(content["sexes"]), frozenset("sex gender".split())),
    )


def _countries(content: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """The codes of each country, and its names."""
    for line in content["countries"].split("\n"):
        if line:
            codes, _, names = line.partition(": ")
            yield codes, names.split(", ")


@cache
def _names_of_countries() -> dict[str, list[str]]:
    """All names of a country by each of them."""
    return {normalise(name): names for _, names in _countries(_content()) for name in names}


@cache
def _content() -> dict[str, str]:
    return tomllib.loads(Path(__file__).with_name("codes.toml").read_text(encoding="utf-8"))


def _with(adjectives: Mapping[str, Iterable[str]], names: Sequence[str]) -> tuple[str, ...]:
    return (*names, *sorted({adjective for name in names for adjective in adjectives.get(normalise(name), ())}))


def _read(lines: str) -> dict[str, tuple[str, ...]]:
    parts = (line.partition(": ") for line in lines.split("\n") if line)
    return {code: tuple(words.split(", ")) for code, _, words in parts}
