"""Days, hours and weekends, for which networks have no words: "readings per day", "the busiest hour", "on weekends", "after 6 pm"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from streamlink_sql.generators.parser.actions import Span
from streamlink_sql.generators.parser.linking import plain_name
from streamlink_sql.generators.parser.mends.stretches import the_date
from streamlink_sql.generators.parser.schema import TIMES, Schema
from streamlink_sql.generators.parser.tokens import COMPARISONS, Val
from streamlink_sql.generators.parser.tree import Aggregate, Call, Condition, Core, Expr, Junction, Predicate, Query, Ref, with_conditions

_DAILY = re.compile(r"\b(?:(?:per|by|each|every|which|what)(?: single)? day|daily|busiest day)\b(?! of)")
_HOURLY = re.compile(r"\b(?:(?:per|by|each|every|which|what) hour|hours? of (?:the )?day|hourly|busiest hour)\b")
_EACH = re.compile(r"\b(?:per|by|each|every|daily|hourly)\b")
_SOMETIMES = ("WEEKDAY", "DAY")
"""What networks say for days."""
_OF_THESE = {"DATE": frozenset(("day", "days", "daily")), "HOUR": frozenset(("hour", "hours", "hourly"))}
_WEEKEND = ("weekend", "weekends")
_CLOCK = re.compile(r"(\d\d?)(?: ?[:.] ?00)? ?([ap])?\.?(?: ?m)?\.?")
_HALVES = {"am": "a", "a.m": "a", "a.m.": "a", "pm": "p", "p.m": "p", "p.m.": "p", "o'clock": "", "o": ""}


def by_the_clock(query: Query, said: Mapping[str, Span], words: Sequence[str], schema: Schema) -> Query:
    """The same with groups by day or hour, weekends and times of day where the question says so. `said` are the words of the literals."""

    def meant(condition: Condition) -> Condition:
        match condition:
            case Predicate("EQ" | "NE" as name, Call(_, date), (Val(str() as value),)) if (
                value.split()[-1:] and value.split()[-1] in _WEEKEND
            ):
                return _on_weekends(date, name)
            case Predicate(name, Ref() | Call() as left, right) if name in (*COMPARISONS, "BETWEEN") and (when := _moment(left, schema)):
                return _by_hours(name, when, [_hour_of(side, said, words) for side in right]) or condition
        return condition

    whole = with_conditions(query, meant)
    literal = {place for first, last in said.values() for place in range(first, last + 1)}
    told = " ".join("" if place in literal else word for place, word in enumerate(words))
    part = "HOUR" if _HOURLY.search(told) else "DATE" if _DAILY.search(told) else ""
    if not part or len(whole.cores) > 1:
        return whole
    core = _regrouped(whole.cores[0], lambda each: _part(each, part, schema))
    return replace(whole, cores=(_grouped(core, part, words, schema) if _EACH.search(told) else core,))


def _on_weekends(date: Ref, name: str) -> Condition:
    days = tuple(Predicate(name, Call("WEEKDAY", date), (Val(day),)) for day in (0, 6))
    return Junction("OR" if name == "EQ" else "AND", days)


def _moment(left: Expr, schema: Schema) -> Ref | None:
    """The column with a time of day that is compared, itself or what the network took for its part."""
    ref = left.ref if isinstance(left, Call) and left.name in ("LENGTH", *_SOMETIMES) else left
    return ref if isinstance(ref, Ref) and schema.columns[ref.column][1].kind == "timestamp" else None


def _hour_of(value: Expr, said: Mapping[str, Span], words: Sequence[str]) -> tuple[int, str | None] | None:
    """The full hour that a literal means as it is written, and the half of the day that is said with it; None for anything else."""
    text = str(value.value).lower() if isinstance(value, Val) else ""
    clock = _CLOCK.fullmatch(text)
    if clock is None or int(clock[1]) > 23:
        return None
    span = said.get(str(value.value)) if isinstance(value, Val) else None
    behind = words[span[1] + 1 : span[1] + 2] if span else ()
    half = clock[2] or next((_HALVES[word] for word in behind if word in _HALVES), "" if ":" in text else None)
    return int(clock[1]), half


def _by_hours(name: str, when: Ref, told: Sequence[tuple[int, str | None] | None]) -> Condition | None:
    """The condition on the hours; None where no half of the day makes clear that hours are meant."""
    last = told[-1] if told else None
    if last is None or last[1] is None or any(each is None for each in told):
        return None
    hours = [_of_day(hour, last[1] if half is None else half) for hour, half in (each for each in told if each)]
    hour = Call("HOUR", when)
    if len(hours) == 2:
        return Junction("AND", (Predicate("GE", hour, (Val(hours[0]),)), Predicate("LT", hour, (Val(hours[1]),))))
    return Predicate({"GT": "GE", "LE": "LT"}.get(name, name), hour, (Val(hours[0]),))


def _of_day(hour: int, half: str) -> int:
    return hour if not half or hour > 12 else hour % 12 + 12 * (half == "p")


def _part(each: Expr, part: str, schema: Schema) -> Expr:
    ref = each.ref if isinstance(each, Call) and (part == "HOUR" or each.name in _SOMETIMES) else each
    kind = schema.columns[ref.column][1].kind if isinstance(ref, Ref) else ""
    if not isinstance(ref, Ref) or kind not in (TIMES if part == "DATE" else ("timestamp",)):
        return each
    return Call(part, ref) if kind == "timestamp" else ref


def _regrouped(core: Core, meant: Callable[[Expr], Expr]) -> Core:
    """The core with other groups; what it shows and orders by follows."""
    others = {part: meant(part) for part in core.group}
    return replace(
        core,
        items=tuple(others.get(item, item) for item in core.items),
        group=tuple(others[part] for part in core.group),
        order=tuple((others.get(by, by), direction) for by, direction in core.order),
    )


def _grouped(core: Core, part: str, words: Sequence[str], schema: Schema) -> Core:
    """Figures of all rows as figures by day or hour, where it is clear by which date and no name says as much (`daily_rate`)."""
    date = the_date(core, words, schema)
    names = [plain_name(own.name) for _, own in schema.columns if own.kind not in TIMES] + [plain_name(each.name) for each in schema.tables]
    if (
        any(not _OF_THESE[part].isdisjoint(name.split()) for name in names)
        or core.group
        or core.limit
        or date is None
        or not all(isinstance(item, Aggregate) for item in core.items)
    ):
        return core
    by = _part(date, part, schema)
    return core if part == "HOUR" and by == date else replace(core, items=(by, *core.items), group=(by,), order=((by, "ASC"),))
