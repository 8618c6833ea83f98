"""Recognises what people say with SQL in a roundabout way: a percentage, a count of rows where, a moment, a year. Gives parts, no words."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from streamlink_sql.checks.plain_names import KIND

ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d.*)?")
NOW, TODAY = ("now", "current_timestamp", "localtimestamp", "get_current_timestamp"), ("today", "current_date")
_PASSING = (exp.Min, exp.Max, exp.First, exp.Last, exp.AnyValue, exp.Paren)
_SECONDS_OF = {"86400": "days", "3600": "hours", "60": "minutes"}
_LOSSLESS = ("double", "float", "real", "decimal", "numeric", "hugeint", "bigint")


@dataclass(frozen=True, slots=True)
class Conditional:
    """A total over some rows only: `what` of `value` where `condition` holds; no value where rows are counted."""

    what: Literal["count", "sum", "share", "percent", "average"]
    condition: exp.Expr
    value: exp.Expr | None = None


def called_function(node: exp.Expr) -> str:
    """The name of a function that sqlglot has no class for, else ''."""
    return node.name.lower() if isinstance(node, exp.Anonymous) else ""


def is_today(node: exp.Expr) -> bool:
    """True for the day on which the query runs."""
    return isinstance(node, exp.CurrentDate) or called_function(node) in TODAY or _of_now(node, "date")


def is_now(node: exp.Expr) -> bool:
    """True for the moment at which the query runs."""
    return isinstance(node, exp.CurrentTimestamp) or called_function(node) in NOW or _of_now(node, "datetime")


def _of_now(node: exp.Expr, function: str) -> bool:
    """SQLite's way: date('now')."""
    return called_function(node) == function and [part.name for part in node.expressions] == ["now"]


def is_moment(node: exp.Expr) -> bool:
    """True where a value is surely a date or a time."""
    node = _inside(node)
    if isinstance(node, exp.Column):
        return node.meta.get(KIND) in ("date", "timestamp")
    if isinstance(node, exp.Literal):
        return bool(node.is_string and ISO_DATE.fullmatch(node.name))
    if isinstance(node, (exp.Cast, exp.TryCast)):
        return str(node.args["to"].sql()).lower().startswith(("date", "timestamp"))
    if isinstance(node, (exp.Add, exp.Sub)):
        return isinstance(node.expression, exp.Interval) and is_moment(node.this)
    known = (exp.TimestampTrunc, exp.DateTrunc, exp.Date, exp.DateAdd, exp.DateSub)
    return isinstance(node, known) or is_today(node) or is_now(node) or called_function(node) in ("date", "datetime")


def is_year(node: exp.Expr) -> bool:
    """True where a value is surely the number of a year."""
    node = _inside(node)
    if isinstance(node, (exp.Cast, exp.TryCast)):
        return is_year(node.this)
    if isinstance(node, exp.Extract):
        return node.name.lower() == "year"
    if isinstance(node, exp.TimeToStr):
        return bool(node.args["format"].name == "%Y")
    return isinstance(node, exp.Year) or (
        isinstance(node, (exp.Add, exp.Sub)) and is_year(node.this) and whole(node.expression) is not None
    )


def whole(node: exp.Expr) -> int | None:
    """The value of a whole number that is written out."""
    return int(node.name) if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit() else None


def single(node: exp.Expr) -> exp.Expr | None:
    """What a query inside an expression returns, where it is one thing."""
    query = node.unnest() if isinstance(node, (exp.Subquery, exp.Paren)) else node
    return query.expressions[0].unalias() if isinstance(query, exp.Select) and len(query.expressions) == 1 else None


def _inside(node: exp.Expr) -> exp.Expr:
    """What a smallest, a largest or a nested query takes its value from."""
    while True:
        if isinstance(node, _PASSING) and isinstance(node.this, exp.Expr):
            node = node.this
        elif isinstance(node, exp.Subquery) and (inner := single(node)) is not None:
            node = inner
        else:
            return node


def last_years(node: exp.Expr) -> tuple[exp.Expr, int, exp.Expr] | None:
    """`year(d) > (SELECT max(year(d)) FROM t) - n`: the year, n, and the query; None for anything else."""
    right = node.expression.unnest()
    if not isinstance(node, (exp.GT, exp.GTE)) or not isinstance(right, exp.Sub) or not isinstance(right.this, exp.Subquery):
        return None
    count, latest, query = whole(right.expression), single(right.this), right.this.unnest()
    if count is None or not isinstance(latest, exp.Max) or not is_year(node.this) or query.args.get("where") or query.args.get("joins"):
        return None
    if latest.this.sql() != node.this.sql():
        return None
    return node.this, count + isinstance(node, exp.GTE), query


def percentage(node: exp.Expr, *, whole_division: bool) -> tuple[exp.Expr, exp.Expr] | None:
    """`100.0 * a / b` in any order, casts and guards left out: a and b. With `whole_division`, a / b of whole numbers has no fraction."""
    node = node.unnest()
    if isinstance(node, exp.Div):
        hundredfold = _without(node.this, 100)
        return None if hundredfold is None else (bare(hundredfold), bare(node.expression))
    ratio = _without(node, 100)
    ratio = ratio.unnest() if ratio is not None else None
    if not isinstance(ratio, exp.Div) or (whole_division and not _is_fractional(ratio)):
        return None
    return bare(ratio.this), bare(ratio.expression)


def _is_fractional(node: exp.Expr) -> bool:
    return any(isinstance(part, exp.Cast) or (isinstance(part, exp.Literal) and "." in part.name) for part in node.walk())


def _without(node: exp.Expr, factor: int) -> exp.Expr | None:
    """A product without one factor; None where it is no such product."""
    node = _uncast(node)
    if not isinstance(node, exp.Mul):
        return None
    for one, other in ((node.this, node.expression), (node.expression, node.this)):
        if _is(one, factor):
            return other if isinstance(other, exp.Expr) else None
    for side, other in (("this", node.expression), ("expression", node.this)):
        rest = _without(node.args[side], factor)
        if rest is not None and _is(other, 1):
            return rest
    return None


def _is(node: exp.Expr, number: int) -> bool:
    node = _uncast(node)
    return isinstance(node, exp.Literal) and not node.is_string and re.fullmatch(rf"{number}(\.0*)?", node.name) is not None


def _uncast(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Paren) or (
        isinstance(node, (exp.Cast, exp.TryCast)) and node.args["to"].sql(dialect="duckdb").lower().startswith(_LOSSLESS)
    ):
        node = node.this
    return node


def bare(node: exp.Expr) -> exp.Expr:
    """A number without what is only there for the arithmetic: casts, `* 1.0`, a guard against division by zero."""
    node = _uncast(node)
    if isinstance(node, exp.Nullif) and _is_zero(node.expression):
        return bare(node.this)
    rest = _without(node, 1) if isinstance(node, exp.Mul) else None
    return bare(rest) if rest is not None else node


def _is_zero(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and node.name.strip("0.") == ""


def conditional(node: exp.Expr) -> Conditional | None:
    """A total over CASE WHEN ... or with FILTER, where it means a total over some rows."""
    if isinstance(node, exp.Filter):
        return _filtered(node)
    if not isinstance(node, (exp.Sum, exp.Avg, exp.Count)) or not isinstance(node.this, exp.Expr):
        return None
    split = _split(_uncast(node.this))
    if split is None:
        return None
    condition, then, otherwise = split
    none = otherwise is None or isinstance(otherwise, exp.Null)
    if isinstance(node, exp.Count):
        return Conditional("count", condition) if none and isinstance(then, exp.Literal) else None
    zero = otherwise is not None and _is_zero(otherwise)
    if isinstance(node, exp.Avg):
        if zero and (_is(then, 1) or _is(then, 100)):
            return Conditional("percent" if _is(then, 100) else "share", condition)
        return Conditional("average", condition, then) if none else None
    if _is(then, 1):
        return Conditional("count", condition) if zero or none else None
    return Conditional("sum", condition, then) if zero or none else None


def _filtered(node: exp.Filter) -> Conditional | None:
    condition = node.expression.this
    if isinstance(node.this, exp.Count) and (node.this.this is None or isinstance(node.this.this, (exp.Star, exp.Literal))):
        return Conditional("count", condition)
    if isinstance(node.this, exp.Sum) and isinstance(node.this.this, exp.Expr) and not isinstance(node.this.this, exp.Distinct):
        return Conditional("sum", condition, node.this.this)
    return None


def _split(node: exp.Expr) -> tuple[exp.Expr, exp.Expr, exp.Expr | None] | None:
    """Condition, value and the other value of a CASE with one branch, or of an IF."""
    if isinstance(node, exp.Case) and node.this is None and len(node.args["ifs"]) == 1:
        branch = node.args["ifs"][0]
        return branch.this, branch.args["true"], node.args.get("default")
    return (node.this, node.args["true"], node.args.get("false")) if isinstance(node, exp.If) else None


def years_since(node: exp.Expr) -> exp.Expr | None:
    """The day from which the full years until today are counted, as each dialect counts them; None for anything else."""
    if called_function(node) in ("date_sub", "datesub"):
        parts = node.expressions
        return parts[1] if len(parts) == 3 and parts[0].name.lower() in ("year", "years") and is_today(parts[2]) else None
    if isinstance(node, exp.Floor) and isinstance(node.this, exp.Div) and whole(node.this.expression) == 12:
        months = node.this.this
        return months.expression if isinstance(months, exp.MonthsBetween) and is_today(months.this) else None
    if not isinstance(node, exp.Cast) or not isinstance(node.this, exp.Div) or whole(node.this.expression) != 10_000:
        return None
    days = _uncast(node.this.this)
    sides = [side for side in (days.this, days.expression) if isinstance(side, exp.TimeToStr)] if isinstance(days, exp.Sub) else []
    if len(sides) != 2 or any(side.args["format"].name != "%Y%m%d" for side in sides):
        return None
    now, day = (side.this.unnest() for side in sides)
    inner = day.this if isinstance(day, exp.TsOrDsToTimestamp) else day
    return inner if "now" in (now.name, getattr(now.this, "name", "")) else None


def time_between(node: exp.Expr) -> tuple[str, exp.Expr, exp.Expr] | None:
    """The unit, the earlier and the later moment where the time between them is a number; None for anything else."""
    seconds = node.this.unnest() if isinstance(node, exp.Div) else node
    unit = _SECONDS_OF.get(node.expression.name.removesuffix(".0"), "") if isinstance(node, exp.Div) else "days"
    inner = seconds.this.unnest() if isinstance(seconds, exp.TimeToUnix) else None
    if unit and isinstance(node, exp.Div) and isinstance(inner, exp.Sub):
        return unit, inner.expression, inner.this
    if not unit or not isinstance(seconds, exp.Sub):
        return None
    counted = ("unixepoch",) if isinstance(node, exp.Div) else ("julianday",)
    sides = [_counted(side, counted) for side in (seconds.expression, seconds.this)]
    return (unit, sides[0], sides[1]) if sides[0] is not None and sides[1] is not None else None


def percentile_of(node: exp.Expr) -> tuple[exp.Expr, exp.Expr] | None:
    """The values and the share, in per cent, where a node is a percentile; None for anything else."""
    share: exp.Expr | None = None
    if isinstance(node, (exp.PercentileCont, exp.PercentileDisc)):
        share = node.expression
    elif isinstance(node, exp.Quantile):
        share = node.args["quantile"]
    elif called_function(node) == "percentile" and len(node.expressions) == 2:
        return node.expressions[0], node.expressions[1]
    if not isinstance(share, exp.Literal) or share.is_string:
        return None
    return node.this, exp.Literal.number(f"{100 * float(share.name):g}")


def weekday_named(node: exp.Expr) -> exp.Expr | None:
    """The moment whose weekday a CASE gives the name of; None for anything else."""
    if not isinstance(node, exp.Case) or not isinstance(node.this, exp.TimeToStr) or node.this.args["format"].name != "%w":
        return None
    names = {int(each.this.name): each.args["true"].name for each in node.args["ifs"] if each.this.name.isdecimal()}
    return node.this.this if names == {day: calendar.day_name[(day - 1) % 7] for day in range(7)} else None


def _counted(node: exp.Expr, functions: tuple[str, ...]) -> exp.Expr | None:
    """The moment that a function turns into a number of seconds or days."""
    if isinstance(node, (exp.StrToUnix, exp.TimeToUnix)) and "unixepoch" in functions:
        return node.this if isinstance(node.this, exp.Expr) else None
    return node.expressions[0] if called_function(node) in functions and len(node.expressions) == 1 else None
