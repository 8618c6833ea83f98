"""English for dates and times: a part of one, a stretch before one, the present. Other parts of an expression are put in words by `say`."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from streamlink_sql.checks import idioms

Say = Callable[[exp.Expr], str]
_PARTS = {"month": "month number", "quarter": "quarter number", "week": "week number", "day": "day of the month", "dow": "weekday number"}
_FORMATS = {
    "%Y": "year", "%Y-%m": "month", "%Y-%m-%d": "date", "%m": "month number", "%d": "day of the month", "%w": "weekday number",
    "%H": "hour",
}  # fmt: skip


def date_or(node: exp.Expr, say: Say) -> str:
    """One side of a comparison; a date that is written out needs no quotes."""
    is_date = isinstance(node, exp.Literal) and node.is_string and idioms.is_moment(node)
    return node.name if is_date else say(node)


def unit_of(node: exp.Expr) -> str:
    """The unit of an interval, a truncation or a difference."""
    unit = node.args.get("unit")
    return str(unit.name).lower() if isinstance(unit, exp.Expr) else ""


def shifted(node: exp.Expr, say: Say) -> str:
    """A moment or a year, so much earlier or later; '' where a sum is no such thing."""
    before = isinstance(node, exp.Sub)
    start, stretch = node.this, node.expression
    if isinstance(stretch, exp.Interval):
        if before and (idioms.is_today(start) or idioms.is_now(start)):
            return f"the {'day' if idioms.is_today(start) else 'moment'} {say(stretch)} ago"
        return f"{say(stretch)} {'before' if before else 'after'} {say(start)}"
    count = idioms.whole(stretch)
    if count is None or not idioms.is_year(start):
        return ""
    return f"{count} year{'s' * (count != 1)} {'before' if before else 'after'} {say(start.unnest())}"


def part_of(part: str, moment: exp.Expr, say: Say) -> str:
    """The year, month number, ... of a moment; of the present it is `this year`."""
    if part == "year" and (idioms.is_today(moment) or idioms.is_now(moment)):
        return "this year"
    return f"the {_PARTS.get(part, part)} of {say(moment)}"


def truncated(node: exp.Expr, say: Say) -> str:
    """A moment cut to its month, day, ..."""
    if idioms.is_today(node.this) or idioms.is_now(node.this):
        return f"this {unit_of(node)}" if unit_of(node) != "day" else "today"
    return f"the {unit_of(node)} of {say(node.this)}"


def written(node: exp.Expr, say: Say) -> str:
    """A date written in a format that tells one thing; '' for any other."""
    form = node.args.get("format")
    told = _FORMATS.get(form.name) if isinstance(form, exp.Literal) else None
    moment = node.this.this if isinstance(node.this, (exp.TsOrDsToTimestamp, exp.TsOrDsToDate)) else node.this
    return f"the {told} of {say(moment)}" if told else ""


def function_of_time(node: exp.Expr, say: Say) -> str:
    """What a function that sqlglot has no class for means, where it is about time; else ''."""
    name, parts = idioms.called_function(node), node.expressions
    if idioms.is_today(node) or idioms.is_now(node):
        return "today" if idioms.is_today(node) else "now"
    if name in ("date_part", "datepart") and len(parts) == 2 and isinstance(parts[0], exp.Literal):
        return part_of(parts[0].name.lower(), parts[1], say)
    if name == "date" and len(parts) == 2 and parts[0].name == "now" and parts[1].name.startswith("-"):
        return f"the day {parts[1].name[1:]} ago"
    return ""
