"""Stretches of time up to the newest date: "the last 30 days", "past two weeks", "last month". Knows no model and no SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from streamlink_sql.catalog.values import stem
from streamlink_sql.generators.parser.joins import complete
from streamlink_sql.generators.parser.linking import plain_name
from streamlink_sql.generators.parser.numerals import read_number
from streamlink_sql.generators.parser.schema import TIMES, Schema
from streamlink_sql.generators.parser.tokens import LAST, Val
from streamlink_sql.generators.parser.tree import (
    Aggregate,
    Condition,
    Core,
    Junction,
    Predicate,
    Query,
    Ref,
    Star,
    clauses,
    walk,
    with_conditions,
)

_UNITS = {
    "day": ("LAST_DAYS", 1),
    "week": ("LAST_DAYS", 7),
    "fortnight": ("LAST_DAYS", 14),
    "month": ("LAST_MONTHS", 1),
    "quarter": ("LAST_MONTHS", 3),
    "year": ("LAST_YEARS", 1),
    "decade": ("LAST_YEARS", 10),
}
"""How a stretch is written, by the unit that the question says, and how many of that it is."""
_LATEST = frozenset(("last", "past", "latest", "previous", "preceding", "trailing", "this", "current"))
_OF_TIME = frozenset(map(stem, ("date", "day", "time", "at", "on", "in", "by", "month", "year", "week", "last", "first")))
_AFTERWARDS = frozenset(
    "ended end closed finished completed out returned delivered due expires expired expiry updated modified changed deleted cancelled "
    "resolved until to".split()
)
"""What dates are called that come after that by which things are counted."""
_WHOLE = frozenset(("calendar", "full", "whole", "complete"))


@dataclass(frozen=True, slots=True)
class Stretch:
    """So many units up to the newest date: `said` of them in words, and the same as the form writes it."""

    said: int
    name: str
    count: int

    def of(self, date: Ref) -> Predicate:
        """The condition that a date lies in it."""
        return Predicate(self.name, date, (Val(self.count),))


def stretches(words: Sequence[str], schema: Schema) -> list[Stretch]:
    """All that a question says; "last year" is one. None where a column is called so ("previous month sales")."""
    names = [frozenset(plain_name(column.name).split()) for _, column in schema.columns]
    found = []
    for at, word in enumerate(words):
        behind = words[at + 1 : at + 4] if word in _LATEST else ()
        said = read_number(behind[0]) if behind else None
        rest = [each for each in behind[said is not None :] if each not in _WHOLE][:1]
        unit = _UNITS.get(rest[0].removesuffix("s")) if rest else None
        if unit and isinstance(said, int | None) and not any({word, rest[0]} <= name for name in names):
            count = 1 if said is None else said
            found.append(Stretch(count, unit[0], count * unit[1]))
    return found


def in_their_units(query: Query, words: Sequence[str], schema: Schema) -> Query:
    """The same, and "the last 30 days" are days: networks say years and months alone. Where no date is bounded, the only one is meant."""
    said = stretches(words, schema)

    def in_its_unit(condition: Condition) -> Condition:
        match condition:
            case Predicate(name, Ref(column) as date, (Val(count),)) if name in LAST and schema.columns[column][1].kind in TIMES:
                meant = said if len(said) == 1 else [stretch for stretch in said if str(stretch.said) == str(count)]
                return meant[0].of(date) if meant else condition
        return condition

    whole = with_conditions(query, in_its_unit)
    if len(said) != 1 or len(whole.cores) > 1:
        return whole
    return replace(whole, cores=(_bounded(whole.cores[0], said[0], words, schema),))


def the_date(core: Core, words: Sequence[str], schema: Schema) -> Ref | None:
    """The date of the core's tables that the question means: the only one, the only one it says a word of ("shipped"), or the only one
    beside the figures that are asked for, at least of those by which something begins."""
    tables = {source.table for source in complete(core, schema).sources}
    dates = [column for table in tables for column in schema.columns_of(table) if schema.columns[column][1].kind in TIMES]
    said = set(map(stem, words)) - _OF_TIME
    named = [column for column in dates if not said.isdisjoint(map(stem, plain_name(schema.columns[column][1].name).split()))]
    figures = [item.of for item in core.items if isinstance(item, Aggregate)]
    beside = {schema.table_of(of.column) if isinstance(of, Ref) else of.table for of in figures if isinstance(of, (Ref, Star))}
    own = [column for column in dates if schema.table_of(column) in beside]
    begun = [column for column in own if _AFTERWARDS.isdisjoint(plain_name(schema.columns[column][1].name).split())]
    choices = (dates, named, own, begun if not named else ())
    return next((Ref(choice[0]) for choice in choices if len(choice) == 1), None)


def _bounded(core: Core, stretch: Stretch, words: Sequence[str], schema: Schema) -> Core:
    """The core within a stretch of the date that is meant, where nothing is said of it but that it is known, or the newest."""
    date = the_date(core, words, schema)
    if date is None:
        return core
    newest = core.order == ((date, "DESC"),) and str(core.limit and core.limit.value) == "1" and not core.group
    held = core.condition
    parts = held.parts if isinstance(held, Junction) and held.name == "AND" else (held,) if held else ()
    kept = tuple(part for part in parts if part != Predicate("NOT_NULL", date))
    bare = replace(core, order=(), limit=None) if newest else core
    rest = replace(bare, items=tuple(item for item in core.items if item != date), condition=_all(kept))
    if any(node in (date, Ref(date.column, "SECOND")) for clause in clauses(rest) for node in walk(clause)):
        return core
    return replace(bare, condition=_all((*kept, stretch.of(date))))


def _all(parts: tuple[Condition, ...]) -> Condition | None:
    return Junction("AND", parts) if len(parts) > 1 else parts[0] if parts else None
