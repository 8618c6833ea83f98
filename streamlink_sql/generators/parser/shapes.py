"""Shapes in sqlglot's tree, whatever their spelling. Knows neither a schema nor the representation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from streamlink_sql.generators.parser.tokens import NotCovered

_PARTS = {
    "year": "YEAR",
    "quarter": "QUARTER",
    "month": "MONTH",
    "day": "DAY",
    "dayofmonth": "DAY",
    "dow": "WEEKDAY",
    "dayofweek": "WEEKDAY",
    "weekday": "WEEKDAY",
}
_CALLS: dict[type[exp.Expr], str] = {
    exp.Year: "YEAR",
    exp.Quarter: "QUARTER",
    exp.Month: "MONTH",
    exp.Day: "DAY",
    exp.DayOfMonth: "DAY",
    exp.DayOfWeek: "WEEKDAY",
    exp.Length: "LENGTH",
}
_FORMATS = {"%Y": "YEAR", "%m": "MONTH", "%d": "DAY", "%w": "WEEKDAY", "%Y-%m": "YEAR_MONTH"}
_WRAPPERS = (exp.Paren, exp.Alias, exp.Cast, exp.TryCast, exp.Round, exp.TsOrDsToDate, exp.TsOrDsToTimestamp, exp.Date, exp.Timestamp)


def bare(node: exp.Expr) -> exp.Expr:
    """A node without parentheses, alias and casts."""
    while isinstance(node, _WRAPPERS):
        node = node.this
    return node


def unparen(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def number_of(node: exp.Expr) -> int | float | None:
    node = bare(node)
    if isinstance(node, exp.Neg):
        inner = number_of(node.this)
        return None if inner is None else -inner
    if isinstance(node, exp.Literal) and not node.is_string:
        try:
            return int(node.name)
        except ValueError:
            return float(node.name)
    return None


def conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    node = unparen(node)
    if isinstance(node, exp.And):
        yield from conjuncts(node.left)
        yield from conjuncts(node.right)
    elif not (isinstance(node, exp.Boolean) and node.this):
        yield node


def select_of(node: exp.Expr) -> exp.Expr:
    """The query within parentheses; with clauses of their own they stay."""
    while isinstance(node, (exp.Subquery, exp.Paren)):
        node = node.this
    return node


def clauses(node: exp.Expr) -> Iterator[str]:
    return (name for name, value in node.args.items() if value)


def tidy(number: float) -> int | float:
    return int(number) if number == int(number) else number


def factors(node: exp.Expr) -> tuple[float, list[exp.Expr], list[exp.Expr]]:
    """A product or quotient as its constant, the other factors above the line, and all below it."""
    node = bare(node)
    number = number_of(node)
    if number is not None:
        return float(number), [], []
    if isinstance(node, exp.Mul):
        left, right = factors(node.this), factors(node.expression)
        return left[0] * right[0], left[1] + right[1], left[2] + right[2]
    if isinstance(node, exp.Div):
        constant, above, below = factors(node.this)
        divisor = bare(node.expression)
        if isinstance(divisor, exp.Nullif) and number_of(divisor.expression) == 0:
            divisor = bare(divisor.this)
        return constant, above, [*below, divisor]
    return 1.0, [node], []


def case_of(node: exp.Expr) -> tuple[exp.Expr, exp.Expr] | None:
    """The condition of `CASE WHEN condition THEN amount ELSE 0 END`, and the amount."""
    if isinstance(node, exp.If):
        branches, rest = [node], node.args.get("false")
    elif isinstance(node, exp.Case) and not node.this:
        branches, rest = node.args["ifs"], node.args.get("default")
    else:
        return None
    if len(branches) != 1 or not (rest is None or isinstance(rest, exp.Null) or number_of(rest) == 0):
        return None
    return branches[0].this, bare(branches[0].args["true"])


def summed(node: exp.Expr) -> tuple[exp.Expr, exp.Expr] | None:
    """The condition of a conditional sum, and the amount that is summed."""
    if isinstance(node, exp.Filter) and isinstance(node.this, exp.Sum):
        return node.expression.this, bare(node.this.this)
    return case_of(bare(node.this)) if isinstance(node, exp.Sum) else None


def counted(node: exp.Expr) -> exp.Expr | None:
    """The condition of a conditional count."""
    if isinstance(node, exp.Filter) and isinstance(node.this, exp.Count) and isinstance(node.this.this, exp.Star):
        found = node.expression.this
        return found if isinstance(found, exp.Expression) else None
    if isinstance(node, exp.CountIf):
        return bare(node.this)
    if isinstance(node, (exp.Sum, exp.Count)):
        found = case_of(bare(node.this))
        return found[0] if found is not None and number_of(found[1]) == 1 else None
    return None


def called(node: exp.Expr) -> tuple[str, exp.Expr | None]:
    """The function and its argument, whatever the spelling."""
    if type(node) in _CALLS:
        return _CALLS[type(node)], node.this
    if isinstance(node, exp.Extract):
        return _PARTS.get(node.this.name.lower(), ""), node.expression
    if isinstance(node, exp.Anonymous) and node.name.lower() in ("date_part", "datepart") and len(node.expressions) == 2:
        return _PARTS.get(node.expressions[0].name.lower(), ""), node.expressions[1]
    if isinstance(node, exp.Anonymous) and len(node.expressions) == 1:
        return _PARTS.get(node.name.lower(), ""), node.expressions[0]
    if isinstance(node, exp.TimeToStr):
        return _FORMATS.get(node.args["format"].name, ""), node.this
    if isinstance(node, (exp.TimestampTrunc, exp.DateTrunc)):
        return {"YEAR": "YEAR", "MONTH": "YEAR_MONTH"}.get(node.args["unit"].name.upper(), ""), node.this
    if isinstance(node, exp.Substring):
        start, length = (number_of(node.args[name]) if node.args.get(name) else None for name in ("start", "length"))
        return {(1, 4): "YEAR", (1, 7): "YEAR_MONTH"}.get((int(start or 0), int(length or 0)), ""), node.this
    return "", None


def pattern_of(text: str, escape: str) -> tuple[str, str]:
    """LIKE's pattern as CONTAINS, STARTS, ENDS or, with other wildcards, LIKE."""
    found = re.fullmatch(r"(%*)(.*?)(%*)", text, re.DOTALL)
    if found is None or escape:
        if not escape:
            return "LIKE", text
        raise NotCovered("LIKE with ESCAPE")
    before, inner, after = found.groups()
    if not inner or "%" in inner or "_" in inner:
        return "LIKE", text
    if before and after:
        return "CONTAINS", inner
    if before or after:
        return ("STARTS" if after else "ENDS"), inner
    return "LIKE", text
