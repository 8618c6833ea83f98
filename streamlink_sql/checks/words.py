"""English for SQL expressions: a comparison, a total, a condition. What has no words here is shown as SQL."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from streamlink_sql.checks import idioms
from streamlink_sql.checks.nested_words import choices, existence, listed, nested, tables_of
from streamlink_sql.checks.time_words import Say, date_or, function_of_time, part_of, shifted, truncated, unit_of, written
from streamlink_sql.types import Dialect

_COMPARED: dict[type[exp.Expr], str] = {
    exp.EQ: "is", exp.NEQ: "is not", exp.GT: "is more than", exp.GTE: "is at least", exp.LT: "is less than", exp.LTE: "is at most",
    exp.NullSafeEQ: "is the same as", exp.NullSafeNEQ: "differs from",
    exp.Add: "plus", exp.Sub: "minus", exp.Mul: "times", exp.Div: "divided by", exp.IntDiv: "divided (without rest) by", exp.Mod: "modulo",
    exp.DPipe: "followed by", exp.And: "and", exp.Or: "or", exp.Glob: "matches the pattern", exp.SimilarTo: "matches the pattern",
}  # fmt: skip
_IN_TIME: dict[type[exp.Expr], str] = {
    exp.GT: "{} is after {}", exp.GTE: "{} is {} or later", exp.LT: "{} is before {}", exp.LTE: "{} is {} or earlier",
}  # fmt: skip
_TOTALS: dict[type[exp.Expr], str] = {
    exp.Sum: "the sum of", exp.Avg: "the average of", exp.Min: "the smallest", exp.Max: "the largest", exp.Median: "the median of",
    exp.Stddev: "the standard deviation of", exp.StddevSamp: "the standard deviation of", exp.StddevPop: "the standard deviation of",
    exp.Variance: "the variance of", exp.ApproxDistinct: "about the number of different", exp.Mode: "the most frequent",
    exp.ArrayAgg: "the list of", exp.GroupConcat: "the joined texts of", exp.First: "the first", exp.Last: "the last",
    exp.AnyValue: "any", exp.Lower: "the lower-case", exp.Upper: "the upper-case", exp.Length: "the length of", exp.Abs: "the size of",
    exp.Floor: "rounded-down", exp.Ceil: "rounded-up", exp.Year: "the year of", exp.Month: "the month number of",
    exp.Hour: "the hour of", exp.Day: "the day of the month of",
    exp.Quarter: "the quarter number of", exp.Week: "the week number of", exp.Trim: "the trimmed",
    exp.Dayname: "the weekday of", exp.Monthname: "the month name of", exp.DayOfWeek: "the weekday number of", exp.Date: "the date of",
    exp.CountIf: "the number of rows where",
    exp.Explode: "each element of", exp.FirstValue: "the first", exp.LastValue: "the last",
}  # fmt: skip
_RANKS: dict[type[exp.Expr], str] = {exp.RowNumber: "the position", exp.Rank: "the rank", exp.DenseRank: "the rank without gaps"}
_RUNNING_ON = (exp.Add, exp.Sub, exp.Div, exp.And, exp.Or)
_MOST = 400


def phrase(node: exp.Expr, dialect: Dialect) -> str:
    """An expression in words; long or unusual parts stay SQL."""
    if isinstance(node, (exp.And, exp.Or)):
        return _connected(node, dialect)
    since = idioms.years_since(node)
    if since is not None:
        return f"the full years since {phrase(since, dialect)}"
    share = idioms.percentile_of(node)
    if share is not None:
        return f"the {_ordinal(share[1].name)} percentile of {phrase(share[0], dialect)}"
    named = idioms.weekday_named(node)
    if named is not None:
        return f"the weekday of {phrase(named, dialect)}"
    between = idioms.time_between(node)
    if between is not None:
        unit, earlier, later = between
        return f"the number of {unit} from {phrase(earlier, dialect)} to {phrase(later, dialect)}"
    if node.args.get("negate"):
        opposite = node.copy()
        opposite.set("negate", False)
        return phrase(exp.Not(this=opposite), dialect)
    words = _WORDS.get(type(node))
    if words is not None:
        return words(node, dialect)
    if type(node) in _COMPARED:
        return _compared(node, dialect)
    if type(node) in _TOTALS and isinstance(node.this, exp.Expr):
        return _total(node, dialect)
    if type(node) in _RANKS:
        return _RANKS[type(node)]
    return _as_sql(node, dialect)


def _as_sql(node: exp.Expr, dialect: Dialect) -> str:
    text = node.sql(dialect=dialect, comments=False)
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"


def _connected(node: exp.Expr, dialect: Dialect) -> str:
    word = "and" if isinstance(node, exp.And) else "or"
    parts = [phrase(part, dialect) for part in node.flatten(unnest=False)]
    if len(parts) > 12:
        parts = [*parts[:10], f"{len(parts) - 10} more conditions"]
    return f" {word} ".join(parts)


def _compared(node: exp.Expr, dialect: Dialect) -> str:
    """A comparison: in words of time where it is about time, and of letters where case does not matter."""
    lasting = idioms.last_years(node)
    if lasting is not None:
        year, count, query = lasting
        latest = f"the latest in {tables_of(query)}"
        return f"{phrase(year, dialect)} is {latest if count == 1 else f'one of the {count} years up to {latest}'}"
    left, right, say = node.this, node.expression, in_words(dialect)
    if isinstance(left, exp.Lower) and isinstance(right, exp.Literal) and isinstance(node, (exp.EQ, exp.NEQ)):
        return f"{phrase(left.this, dialect)} {_COMPARED[type(node)]} {phrase(right, dialect)} (any case)"
    texts = date_or(left, say), date_or(right, say)
    if type(node) in _IN_TIME and any(idioms.is_moment(side) or idioms.is_year(side) for side in (left, right)):
        return _IN_TIME[type(node)].format(*texts)
    return f"{texts[0]} {_COMPARED[type(node)]} {texts[1]}"


def _sum(node: exp.Expr, dialect: Dialect) -> str:
    """A sum or difference; a stretch of time before or after a moment is called that."""
    return shifted(node, in_words(dialect)) or f"{_side(node.this, dialect)} {_COMPARED[type(node)]} {_side(node.expression, dialect)}"


def _side(node: exp.Expr, dialect: Dialect) -> str:
    """One side of an operation, in parentheses where its words would run on."""
    text = phrase(node, dialect)
    runs_on = isinstance(node, _RUNNING_ON) or (isinstance(node, exp.Mul) and "percentage" in text)
    return f"({text})" if runs_on or (" where " in text and not text.startswith("(")) else text


def _product(node: exp.Expr, dialect: Dialect) -> str:
    """A product or a ratio; one with 100 is a percentage, one with 1.0 is only there for the arithmetic."""
    parts = idioms.percentage(node, whole_division=dialect == "sqlite")
    if parts is not None:
        return f"{_side(parts[0], dialect)} as a percentage of {_side(parts[1], dialect)}"
    if isinstance(node, exp.Div):
        return f"{_side(idioms.bare(node.this), dialect)} divided by {_side(idioms.bare(node.expression), dialect)}"
    plain = idioms.bare(node)
    if plain is not node and not isinstance(plain, exp.Mul):
        return phrase(plain, dialect)
    return f"{_side(node.this, dialect)} {_COMPARED[type(node)]} {_side(node.expression, dialect)}"


def in_words(dialect: Dialect) -> Say:
    """`phrase` in one dialect, as the modules of words take it."""
    return lambda node: phrase(node, dialect)


def _conditional(found: idioms.Conditional, dialect: Dialect) -> str:
    condition = phrase(found.condition, dialect)
    if found.what in ("count", "share", "percent"):
        words = {"count": "the number of rows", "share": "the share of rows", "percent": "the percentage of rows"}[found.what]
        return f"{words} where {condition}"
    assert found.value is not None
    return f"the {found.what} of {phrase(found.value, dialect)} (only where {condition})"


def _total(node: exp.Expr, dialect: Dialect) -> str:
    inner = node.this
    found = idioms.conditional(node)
    if found is not None:
        return _conditional(found, dialect)
    words = _TOTALS[type(node)]
    if isinstance(inner, exp.Distinct):
        return f"{words} different {listed([phrase(part, dialect) for part in inner.expressions])}"
    if isinstance(node, (exp.Min, exp.Max)) and (idioms.is_moment(inner) or idioms.is_year(inner)):
        words = "the latest" if isinstance(node, exp.Max) else "the earliest"
        return f"{words} {phrase(inner, dialect).removeprefix('the ')}"
    if isinstance(inner, exp.Order):
        inner = inner.this
    text = phrase(inner, dialect)
    return f"{words} of {text}" if text.startswith("the ") and not words.endswith((" of", " where")) else f"{words} {text}"


def _count(node: exp.Expr, dialect: Dialect) -> str:
    inner = node.this
    found = idioms.conditional(node)
    if found is not None:
        return _conditional(found, dialect)
    if isinstance(inner, exp.Distinct):
        return f"the number of different values of {listed([phrase(part, dialect) for part in inner.expressions])}"
    if inner is None or isinstance(inner, (exp.Star, exp.Literal)):
        return "the number of rows"
    return f"the number of rows with {phrase(inner, dialect)}"


def _column(node: exp.Expr, _dialect: Dialect) -> str:
    if isinstance(node.this, exp.Star):
        return f"all columns of {node.text('table')}"
    return ".".join(part.name for part in node.parts) if isinstance(node, exp.Column) else node.name


def _literal(node: exp.Expr, _dialect: Dialect) -> str:
    return f"'{node.name}'" if isinstance(node, exp.Literal) and node.is_string else node.name


def _is(node: exp.Expr, dialect: Dialect) -> str:
    subject = phrase(node.this, dialect)
    if isinstance(node.expression, exp.Null):
        return f"{subject} has no value"
    if isinstance(node.expression, exp.Not):
        return f"{subject} is not {phrase(node.expression.this, dialect)}"
    return f"{subject} is {phrase(node.expression, dialect)}"


def _not(node: exp.Expr, dialect: Dialect) -> str:
    inner = node.this.unnest()
    if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
        return f"{phrase(inner.this, dialect)} has a value"
    if isinstance(inner, exp.In):
        return _in(inner, dialect, "is not one of")
    if isinstance(inner, exp.Exists):
        return _exists(inner, dialect).replace("there is a row", "there is no row", 1)
    if isinstance(inner, exp.Between):
        return _between(inner, dialect).replace("is between", "is not between", 1)
    if isinstance(inner, (exp.Like, exp.ILike)):
        return _like(inner, dialect, negated=True)
    if type(inner) in _COMPARED and isinstance(inner, (exp.EQ, exp.NEQ)):
        opposite: exp.Expr = (exp.NEQ if isinstance(inner, exp.EQ) else exp.EQ)(this=inner.this.copy(), expression=inner.expression.copy())
        return phrase(opposite, dialect)
    return f"not ({phrase(inner, dialect)})"


def _in(node: exp.Expr, dialect: Dialect, words: str = "is one of") -> str:
    subject = phrase(node.this, dialect)
    query = node.args.get("query")
    if query is not None:
        return f"{subject} {words} {choices(query, in_words(dialect))}"
    if node.args.get("unnest") is not None or node.args.get("field") is not None:
        return _as_sql(node, dialect)
    values = [phrase(value, dialect) for value in node.expressions]
    shown = values if len(values) <= 12 else [*values[:10], f"{len(values) - 10} more"]
    return f"{subject} {words} {listed(shown)}"


def _exists(node: exp.Expr, dialect: Dialect) -> str:
    return existence(node, in_words(dialect)) or _as_sql(node, dialect)


def _between(node: exp.Expr, dialect: Dialect) -> str:
    low, high = (date_or(node.args[side], in_words(dialect)) for side in ("low", "high"))
    return f"{phrase(node.this, dialect)} is between {low} and {high}"


def _like(node: exp.Expr, dialect: Dialect, *, negated: bool = False) -> str:
    subject, pattern = phrase(node.this, dialect), node.expression
    case = " (any case)" if isinstance(node, exp.ILike) else ""
    if not isinstance(pattern, exp.Literal) or "_" in pattern.name or "%" in pattern.name.strip("%"):
        return f"{subject} {'does not look' if negated else 'looks'} like {phrase(pattern, dialect)}{case}"
    text = pattern.name.strip("%")
    starts, ends = not pattern.name.startswith("%"), not pattern.name.endswith("%")
    if starts and ends:
        return f"{subject} {'is not' if negated else 'is'} '{text}'{case}"
    verb, tail = ("start", " with") if starts else ("end", " with") if ends else ("contain", "")
    return f"{subject} {f'does not {verb}' if negated else f'{verb}s'}{tail} '{text}'{case}"


_AS_TYPE = {"varchar": "text", "text": "text", "int": "a whole number", "integer": "a whole number", "bigint": "a whole number"}
_KEPT_TYPES = ("double", "float", "real", "decimal", "numeric")
"""Types that a number is turned into for the arithmetic; nobody needs to read that."""


def _cast(node: exp.Expr, dialect: Dialect) -> str:
    target = node.args["to"].sql(dialect=dialect).lower()
    inner = phrase(node.this, dialect)
    if isinstance(node.this, exp.Literal) and target.startswith(("date", "time")):
        return node.this.name
    if target.startswith(_KEPT_TYPES) or idioms.is_year(node):
        return inner
    return f"the date of {inner}" if target == "date" else f"{inner} as {_AS_TYPE.get(target, target)}"


def _ordinal(number: str) -> str:
    ending = {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th")
    return f"{number}{'th' if number[-2:-1] == '1' else ending}"


def _rounded(node: exp.Expr, dialect: Dialect) -> str:
    places = node.args.get("decimals")
    number = "0" if places is None else phrase(places, dialect)
    said = "to whole numbers" if number == "0" else f"to {number} decimal{'s' * (number != '1')}"
    return f"{phrase(node.this, dialect)} (rounded {said})"


def _case(node: exp.Expr, dialect: Dialect) -> str:
    subject = f"{phrase(node.this, dialect)} is " if node.this is not None else ""
    parts = [f"{phrase(branch.args['true'], dialect)} if {subject}{phrase(branch.this, dialect)}" for branch in node.args["ifs"]]
    default = node.args.get("default")
    return "(" + ", ".join(parts) + (f", else {phrase(default, dialect)})" if default is not None else ")")


def _unknown_function(node: exp.Expr, dialect: Dialect) -> str:
    return function_of_time(node, in_words(dialect)) or _as_sql(node, dialect)


def _written(node: exp.Expr, dialect: Dialect) -> str:
    return written(node, in_words(dialect)) or _as_sql(node, dialect)


def _if(node: exp.Expr, dialect: Dialect) -> str:
    otherwise = node.args.get("false")
    tail = f", else {phrase(otherwise, dialect)}" if otherwise is not None else ""
    return f"({phrase(node.args['true'], dialect)} if {phrase(node.this, dialect)}{tail})"


def _window(node: exp.Expr, dialect: Dialect) -> str:
    text = phrase(node.this, dialect)
    if isinstance(node.this, exp.Sum) and isinstance(node.this.this, exp.Count):
        text = text.replace("the sum of the number", "the total number", 1)
        if not any(node.args.get(name) for name in ("partition_by", "order", "alias")):
            return text
    if isinstance(node.this, (exp.Sum, exp.Count, exp.Avg)) and node.args.get("order") and not node.args.get("spec"):
        text = text.replace("the ", "the running ", 1)
    if isinstance(node.this, (exp.Lag, exp.Lead)):
        text = f"{'the previous' if isinstance(node.this, exp.Lag) else 'the next'} {phrase(node.this.this, dialect)}"
    if node.args.get("partition_by"):
        text += f" within each {listed([phrase(key, dialect) for key in node.args['partition_by']])}"
    order = node.args.get("order")
    if order is not None:
        keys = [phrase(key.this, dialect) + (" from the highest" if key.args.get("desc") else "") for key in order.expressions]
        text += f" in the order of {listed(keys)}"
    elif not node.args.get("partition_by") and not node.args.get("alias"):
        text += " over all rows"
    if node.args.get("spec") is not None:
        text += f" ({node.args['spec'].sql(dialect=dialect).lower()})"
    return text


def _interval(node: exp.Expr, dialect: Dialect) -> str:
    unit = unit_of(node)
    amount = phrase(node.this, dialect).strip("'") if isinstance(node.this, exp.Expr) else ""
    return f"{amount} {unit if amount == '1' else unit + 's'}".strip()


def _difference(node: exp.Expr, dialect: Dialect) -> str:
    first, last = (side.this if isinstance(side, exp.TsOrDsToDate) else side for side in (node.expression, node.this))
    return f"the {unit_of(node) or 'day'}s from {phrase(first, dialect)} to {phrase(last, dialect)}"


def _coalesce(node: exp.Expr, dialect: Dialect) -> str:
    rest = [phrase(part, dialect) for part in node.expressions]
    return f"{phrase(node.this, dialect)} (or {' or '.join(rest)} where there is none)" if rest else phrase(node.this, dialect)


def _filter(node: exp.Expr, dialect: Dialect) -> str:
    found = idioms.conditional(node)
    return _conditional(found, dialect) if found else f"{phrase(node.this, dialect)} (only where {phrase(node.expression.this, dialect)})"


def _star(node: exp.Expr, dialect: Dialect) -> str:
    dropped = [phrase(column, dialect) for column in node.args.get("except_") or ()]
    return f"all columns but {listed(dropped)}" if dropped else "all columns"


_WORDS: dict[type[exp.Expr], Callable[[exp.Expr, Dialect], str]] = {
    exp.Column: _column,
    exp.Identifier: lambda node, _: node.name,
    exp.Literal: _literal,
    exp.Null: lambda *_: "no value",
    exp.Boolean: lambda node, _: "true" if node.this else "false",
    exp.Paren: lambda node, dialect: f"({phrase(node.this, dialect)})",
    exp.Neg: lambda node, dialect: f"-{phrase(node.this, dialect)}",
    exp.Star: _star,
    exp.Is: _is,
    exp.Not: _not,
    exp.In: _in,
    exp.Exists: _exists,
    exp.Between: _between,
    exp.Like: _like,
    exp.ILike: _like,
    exp.Count: _count,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Case: _case,
    exp.Window: _window,
    exp.Interval: _interval,
    exp.DateDiff: _difference,
    exp.TimestampTrunc: lambda node, dialect: truncated(node, in_words(dialect)),
    exp.DateTrunc: lambda node, dialect: truncated(node, in_words(dialect)),
    exp.Extract: lambda node, dialect: part_of(node.name.lower(), node.expression, in_words(dialect)),
    exp.Year: lambda node, dialect: part_of("year", node.this, in_words(dialect)),
    exp.TimeToStr: _written,
    exp.Anonymous: _unknown_function,
    exp.Round: _rounded,
    exp.Add: _sum,
    exp.Sub: _sum,
    exp.Mul: _product,
    exp.Div: _product,
    exp.ArgMax: lambda node, dialect: f"the {phrase(node.this, dialect)} with the largest {phrase(node.expression, dialect)}",
    exp.ArgMin: lambda node, dialect: f"the {phrase(node.this, dialect)} with the smallest {phrase(node.expression, dialect)}",
    exp.Nullif: lambda node, dialect: f"{phrase(node.this, dialect)} (no value where {phrase(node.expression, dialect)})",
    exp.CurrentDate: lambda *_: "today",
    exp.CurrentTimestamp: lambda *_: "now",
    exp.Coalesce: _coalesce,
    exp.If: _if,
    exp.Filter: _filter,
    exp.Subquery: lambda node, dialect: f"({nested(node, in_words(dialect))})",
    exp.Alias: lambda node, dialect: phrase(node.this, dialect),
}
