"""What a query may ask for in size: generated rows, limits, lengths of text, recursion. Reads constants from the tree and runs nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from sqlglot import exp

from streamlink_sql.checks.tree import span_of
from streamlink_sql.errors import PolicyRefused

_SIZED = {"repeat": 1, "lpad": 1, "rpad": 1, "bar": 3, "space": 0}
_TOLD_WIDTH = re.compile(r"\*|\{[^{}]+\{")
"""A width that comes with the values, as in `%*d` and `{:>{}}`."""
_DIRECTIVE = re.compile(r"%[-+ #0-9,.'$]*|\{[^{}]*\}")
"""Where a format tells a width: behind % and in braces, not in the words around."""
_MULTIPLIES = {"repeat", "replace", "regexpreplace", "arraytostring", "groupconcat", "regexp_replace", "array_to_string", "array_join"}
_MULTIPLIED_SIZE = 100
"""How long a text of a told length may be inside a function that repeats it."""
MOST_CUBED = 8
"""CUBE groups by every subset of its columns."""


def check_series(node: exp.Expr, most: int) -> float:
    """range and generate_series take constants, and not too many rows; returns how many."""
    start, end, step = (node.args.get(name) for name in ("start", "end", "step"))
    first, last = _constant(start), _constant(end)
    width = _constant(step) if step is not None else 1.0
    if first is None or last is None or width is None:
        raise PolicyRefused("A series needs constant bounds.", rule="function.series_not_constant", span=span_of(node))
    rows = abs(last - first) / abs(width) if width else 1.0
    if rows > most:
        raise PolicyRefused(f"A series may have at most {most:,} rows.", rule="function.series_too_long", span=span_of(node))
    return max(rows, 1.0)


_UNIT_DAYS = {
    "SECOND": 1 / 86400,
    "MINUTE": 1 / 1440,
    "HOUR": 1 / 24,
    "DAY": 1.0,
    "WEEK": 7.0,
    "MONTH": 28.0,
    "QUARTER": 90.0,
    "YEAR": 365.0,
}


def _constant(node: exp.Expr | None) -> float | None:
    """A constant bound as a number: numbers as they are, dates and intervals in days; None when it is not constant."""
    if isinstance(node, exp.Paren):
        return _constant(node.this)
    if isinstance(node, exp.Neg):
        inner = _constant(node.this)
        return None if inner is None else -inner
    if isinstance(node, exp.Literal):
        return _number(node.name) if not node.is_string else _days(node.name)
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal):
        return _days(node.this.name) if node.this.is_string else _constant(node.this)
    if isinstance(node, exp.TsOrDsToDate):
        return _days(node.name)
    if isinstance(node, exp.Interval):
        unit = str(node.args.get("unit") or "").upper().rstrip("S")
        amount = _number(node.name)
        return None if amount is None or unit not in _UNIT_DAYS else amount * _UNIT_DAYS[unit]
    if isinstance(node, exp.CurrentDate):
        return _days("2026-01-01")
    return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _days(text: str) -> float | None:
    match = re.match(r"\s*(\d{1,4})-(\d{1,2})-(\d{1,2})", text)
    return int(match[1]) * 365.25 + int(match[2]) * 30.44 + int(match[3]) if match else None


def check_limit(node: exp.Expr) -> None:
    value = node.args.get("expression") if not isinstance(node, exp.Fetch) else node.args.get("count")
    if (isinstance(value, exp.Var) and value.name.upper() == "ALL") or _constant(value) is not None or value is None:
        return
    raise PolicyRefused("LIMIT and OFFSET take constants.", rule="limit.not_constant", span=span_of(node))


def check_size(node: exp.Expr, most: int) -> None:
    """Functions that make text of a length that they are told: the length is a constant, or capped by least()."""
    if _is_multiplied(node):
        most = min(most, _MULTIPLIED_SIZE)
    if isinstance(node, exp.Format) or (isinstance(node, exp.Anonymous) and str(node.this).lower() in ("printf", "format")):
        _check_format(node, most)
        return
    name = str(node.this).lower() if isinstance(node, exp.Anonymous) else type(node).__name__.lower()
    if name == "pad":
        size = node.args.get("expression")
    elif name == "repeat" and not isinstance(node, exp.Anonymous):
        size = node.args.get("times")
    elif name == "space" and not isinstance(node, exp.Anonymous):
        size = node.this
    elif name in _SIZED:
        size = next(iter(node.expressions[_SIZED[name] :]), None)
    else:
        return
    if size is not None and not _is_small(size, most):
        raise PolicyRefused(
            f"The length of a text must be a number up to {most:,}, or least(..., {most}).",
            rule="function.size",
            span=span_of(node),
        )


def _is_small(node: exp.Expr, most: int) -> bool:
    number = _constant(node)
    if number is not None:
        return abs(number) <= most
    capped = [*node.expressions, node.this] if isinstance(node, exp.Least) else []
    return any(0 <= (_constant(part) or 0) <= most and _constant(part) is not None for part in capped if isinstance(part, exp.Expr))


def _is_multiplied(node: exp.Expr) -> bool:
    """Whether the text goes into a function that may write it many times, such as repeat(repeat('x', 9), 9)."""
    above = node.parent
    while isinstance(above, exp.Expr) and not isinstance(above, exp.Query):
        if (str(above.this) if isinstance(above, exp.Anonymous) else type(above).__name__).lower() in _MULTIPLIES:
            return True
        above = above.parent
    return False


def _check_format(node: exp.Expr, most: int) -> None:
    """A width in a format string is a length as well."""
    form = node.this if isinstance(node.this, exp.Expr) else next(iter(node.expressions), None)
    if isinstance(form, exp.Literal) and not _TOLD_WIDTH.search(form.name):
        widths = re.findall(r"\d+", " ".join(_DIRECTIVE.findall(form.name)))
        if all(float(width) <= most for width in widths):
            return
    raise PolicyRefused("A format must be a constant text with small widths.", rule="function.size", span=span_of(node))


def check_cube(node: exp.Expr) -> None:
    """Not too many columns under the CUBEs of one GROUP BY, nor too many groupings by all those of a query."""
    own = sum(_cubed(node))
    if not own:
        return
    others = (sum(_cubed(group)) for group in node.root().find_all(exp.Group))
    if own > MOST_CUBED or sum(2**columns for columns in others if columns) > 2**MOST_CUBED:
        raise PolicyRefused(
            f"The CUBEs of a query make at most {2**MOST_CUBED} groupings, which {MOST_CUBED} columns do.",
            rule="query.cube",
            span=span_of(node),
        )


def _cubed(group: exp.Expr) -> Iterator[int]:
    return (len(cube.expressions or group.expressions) for cube in group.find_all(exp.Cube))


def check_called_by_name(node: exp.Anonymous, allowed: frozenset[str]) -> None:
    """list_aggregate and the like call the function that a text names: it is a constant, and allowed."""
    at = 0 if isinstance(node.parent, exp.Dot) else 1
    called = node.expressions[at] if len(node.expressions) > at else None
    if not (isinstance(called, exp.Literal) and called.is_string and called.name.lower() in allowed):
        raise PolicyRefused(f"{str(node.this).lower()} takes the name of an allowed function as a constant.", rule="function.by_name")


def check_type(node: exp.Expr) -> None:
    """Types of the engine, and those that lie where the tables lie: none of another schema."""
    if node.this == exp.DataType.Type.USERDEFINED and "." in str(node.args.get("kind") or ""):
        raise PolicyRefused("Types of other schemas cannot be used.", rule="type.schema", span=span_of(node))


def check_recursion(node: exp.Expr) -> None:
    """A recursive part needs something that can end it."""
    if not node.args.get("recursive"):
        return
    for cte in node.expressions:
        name = cte.alias.lower()
        if cte.this.args.get("limit"):
            continue
        for part in _parts(cte.this):
            refers = any(table.name.lower() == name for table in part.find_all(exp.Table))
            if refers and not _can_end(part):
                raise PolicyRefused(
                    "A recursive query needs a condition that ends it.", rule="query.endless", span=span_of(cte.args["alias"])
                )


def _parts(node: exp.Expr) -> Iterator[exp.Expr]:
    while isinstance(node, exp.SetOperation):
        yield node.expression
        node = node.this
    yield node


def _can_end(part: exp.Expr) -> bool:
    """Whether a recursive part has a limit, or a condition that looks at a column: `WHERE true` ends nothing."""
    if part.find(exp.Limit):
        return True
    conditions = [
        *part.find_all(exp.Where, exp.Having, exp.Qualify),
        *(join.args["on"] for join in part.find_all(exp.Join) if join.args.get("on")),
    ]
    if any(condition.find(exp.Column) for condition in conditions):
        return True
    return any(join.args.get("using") or str(join.args.get("method") or "").upper() == "NATURAL" for join in part.find_all(exp.Join))
