"""Shapes in sqlglot's tree, whatever their spelling. Knows neither a schema nor the representation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

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


def _else_of(case: exp.Expr) -> exp.Expr | None:
    """What a CASE gives where its condition does not hold; None for NULL."""
    rest = case.args.get("default") or case.args.get("false")
    return rest if isinstance(rest, exp.Expr) and not isinstance(rest, exp.Null) else None


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
        case = bare(node.this)
        found = case_of(case) if isinstance(node, exp.Sum) or not _else_of(case) else None
        return found[0] if found is not None and number_of(found[1]) == 1 else None
    return None


def filtered(node: exp.Expr) -> tuple[exp.Expr, exp.Expr] | None:
    """An aggregate of the rows that satisfy a condition, as the aggregate and the condition."""
    if isinstance(node, exp.Filter):
        return node.this, node.expression.this
    hit = counted(node)
    if hit is not None:
        return exp.Count(this=exp.Star()), hit
    if not isinstance(node, (exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Median, exp.Count)):
        return None
    distinct = isinstance(node.this, exp.Distinct)
    case = bare(node.this.expressions[0] if distinct else node.this)
    found = case_of(case)
    if found is None or (isinstance(node, exp.Count) and not distinct):
        return None
    if not isinstance(node, exp.Sum) and _else_of(case):
        return None  # an ELSE 0 counts: only in a sum it does not
    condition, amount = found
    return type(node)(this=exp.Distinct(expressions=[amount]) if distinct else amount), condition


class SoFar(NamedTuple):
    """An aggregate over groups in their order: RUNNING or CHANGE."""

    name: str
    of: exp.Expr
    within: list[exp.Expr]
    by: exp.Expr


def so_far(node: exp.Expr) -> SoFar | None:
    """The running sum of an aggregate, or its difference from the group before."""
    name, window, of = "RUNNING", node, None
    if isinstance(node, exp.Sub):
        name, window, of = "CHANGE", bare(node.expression), bare(node.this)
    if not isinstance(window, exp.Window):
        return None
    call, order, spec = window.this, window.args.get("order"), window.args.get("spec")
    frame = {} if spec is None else spec.args
    whole = not frame.get("exclude") and (spec is None or (frame.get("start") == "UNBOUNDED" and frame.get("end") in ("CURRENT ROW", None)))
    if order is None or len(order.expressions) != 1 or order.expressions[0].args.get("desc") or not whole:
        return None
    if name == "CHANGE":
        step = number_of(call.args["offset"]) if isinstance(call, exp.Lag) and call.args.get("offset") else 1
        if not isinstance(call, exp.Lag) or step != 1 or call.args.get("default") or bare(call.this) != of:
            return None
    elif not isinstance(call, exp.Sum):
        return None
    return SoFar(name, bare(call.this), window.args.get("partition_by") or [], order.expressions[0].this)


class Place(NamedTuple):
    """`rank() OVER (PARTITION BY key ORDER BY by) <= most`."""

    key: exp.Expr
    by: exp.Expr
    direction: str
    most: int


def place_of(window: exp.Expr, condition: exp.Expr) -> Place:
    """What a window that counts places and the bound on it say; raises NotCovered."""
    if not isinstance(window, exp.Window) or not isinstance(window.this, (exp.Rank, exp.RowNumber, exp.DenseRank)):
        raise NotCovered("a window that counts no places")
    keys, order = window.args.get("partition_by") or [], window.args.get("order")
    if len(keys) != 1 or order is None or len(order.expressions) != 1:
        raise NotCovered("places by several keys")
    most = number_of(condition.expression) if isinstance(condition, (exp.EQ, exp.LTE, exp.LT)) else None
    if not isinstance(most, int):
        raise NotCovered("places without an upper bound")
    most -= isinstance(condition, exp.LT)
    if most < 1 or (most > 1 and (isinstance(condition, exp.EQ) or isinstance(window.this, exp.DenseRank))):
        raise NotCovered("places without an upper bound")
    term = order.expressions[0]
    return Place(keys[0], term.this, "DESC" if term.args.get("desc") else "ASC", most)


def with_qualify(node: exp.Select, inner: exp.Expr) -> exp.Select | None:
    """`SELECT a FROM (SELECT a, rank() OVER (...) AS place ...) WHERE place = 1 ORDER BY b` as one SELECT with QUALIFY."""
    where = node.args.get("where")
    bound = where.this if where else None
    if not isinstance(inner, exp.Select) or not isinstance(bound, (exp.EQ, exp.LTE, exp.LT)) or not isinstance(bound.this, exp.Column):
        return None
    names = {item.alias_or_name.casefold(): item.unalias() for item in inner.expressions}
    window = names.get(bound.this.name.casefold())
    if not isinstance(window, exp.Window) or set(clauses(node)) - {"expressions", "from_", "where", "order", "limit", "offset", "with_"}:
        return None
    if any(inner.args.get(name) for name in ("order", "limit", "offset", "qualify", "distinct")):
        return None
    whole = inner.copy()
    order = node.args.get("order")
    for outer in (*node.expressions, *(order.expressions if order else ())):
        if any(column.name.casefold() not in names for column in outer.find_all(exp.Column)):
            return None
        if outer.find(exp.Star, exp.AggFunc, exp.Window):
            return None

    def meant(outer: exp.Expr) -> exp.Expr:
        copy: exp.Expr = outer.copy()
        told: exp.Expr = copy.transform(lambda found: names[found.name.casefold()].copy() if isinstance(found, exp.Column) else found)
        return told

    whole.set("expressions", [meant(item) for item in node.expressions])
    whole.set("qualify", exp.Qualify(this=type(bound)(this=window.copy(), expression=bound.expression.copy())))
    for name in ("order", "limit", "offset"):
        if node.args.get(name):
            whole.set(name, meant(node.args[name]))
    return whole


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
