"""English for SQL expressions: a comparison, a total, a date part. What has no words here is shown as SQL."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from streamlink_sql.types import Dialect

_COMPARED: dict[type[exp.Expr], str] = {
    exp.EQ: "is", exp.NEQ: "is not", exp.GT: "is more than", exp.GTE: "is at least", exp.LT: "is less than", exp.LTE: "is at most",
    exp.NullSafeEQ: "is the same as", exp.NullSafeNEQ: "differs from",
    exp.Add: "plus", exp.Sub: "minus", exp.Mul: "times", exp.Div: "divided by", exp.IntDiv: "divided (without rest) by", exp.Mod: "modulo",
    exp.DPipe: "followed by", exp.And: "and", exp.Or: "or", exp.Glob: "matches the pattern", exp.SimilarTo: "matches the pattern",
}  # fmt: skip
_TOTALS: dict[type[exp.Expr], str] = {
    exp.Sum: "the sum of", exp.Avg: "the average of", exp.Min: "the smallest", exp.Max: "the largest", exp.Median: "the median of",
    exp.Stddev: "the standard deviation of", exp.StddevSamp: "the standard deviation of", exp.StddevPop: "the standard deviation of",
    exp.Variance: "the variance of", exp.ApproxDistinct: "about the number of different", exp.Mode: "the most frequent",
    exp.ArrayAgg: "the list of", exp.GroupConcat: "the joined texts of", exp.First: "the first", exp.Last: "the last",
    exp.AnyValue: "any", exp.Lower: "the lower-case", exp.Upper: "the upper-case", exp.Length: "the length of", exp.Abs: "the size of",
    exp.Round: "rounded", exp.Floor: "rounded-down", exp.Ceil: "rounded-up", exp.Year: "the year of", exp.Month: "the month of",
    exp.Day: "the day of", exp.Quarter: "the quarter of", exp.Week: "the week of", exp.Trim: "the trimmed",
    exp.CountIf: "the number of rows where",
    exp.Explode: "each element of", exp.FirstValue: "the first", exp.LastValue: "the last",
}  # fmt: skip
_RANKS: dict[type[exp.Expr], str] = {exp.RowNumber: "the position", exp.Rank: "the rank", exp.DenseRank: "the rank without gaps"}
_MOST = 400


def listed(items: list[str]) -> str:
    """`a, b and c`."""
    return ", ".join(items[:-1]) + " and " + items[-1] if len(items) > 1 else "".join(items)


def phrase(node: exp.Expr, dialect: Dialect) -> str:
    """An expression in words; long or unusual parts stay SQL."""
    if isinstance(node, (exp.And, exp.Or)):
        return _connected(node, dialect)
    if node.args.get("negate"):
        opposite = node.copy()
        opposite.set("negate", False)
        return f"not ({phrase(opposite, dialect)})"
    words = _WORDS.get(type(node))
    if words is not None:
        return words(node, dialect)
    if type(node) in _COMPARED:
        return f"{phrase(node.this, dialect)} {_COMPARED[type(node)]} {phrase(node.expression, dialect)}"
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


def _total(node: exp.Expr, dialect: Dialect) -> str:
    inner = node.this
    words = _TOTALS[type(node)]
    if isinstance(inner, exp.Distinct):
        return f"{words} different {listed([phrase(part, dialect) for part in inner.expressions])}"
    if isinstance(inner, exp.Order):
        inner = inner.this
    text = phrase(inner, dialect)
    return f"{words} of {text}" if text.startswith("the ") and not words.endswith((" of", " where")) else f"{words} {text}"


def _count(node: exp.Expr, dialect: Dialect) -> str:
    inner = node.this
    if isinstance(inner, exp.Distinct):
        return f"the number of different {listed([phrase(part, dialect) for part in inner.expressions])}"
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
        return f"{subject} is empty"
    if isinstance(node.expression, exp.Not):
        return f"{subject} is not {phrase(node.expression.this, dialect)}"
    return f"{subject} is {phrase(node.expression, dialect)}"


def _not(node: exp.Expr, dialect: Dialect) -> str:
    inner = node.this.unnest()
    if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
        return f"{phrase(inner.this, dialect)} is filled"
    if isinstance(inner, exp.In):
        return _in(inner, dialect, "is not one of")
    if isinstance(inner, exp.Exists):
        return _exists(inner, dialect).replace("there is", "there is no", 1)
    if isinstance(inner, exp.Between):
        return _between(inner, dialect).replace("is between", "is not between", 1)
    if isinstance(inner, (exp.Like, exp.ILike)):
        return "not (" + _like(inner, dialect) + ")"
    return f"not ({phrase(inner, dialect)})"


def _in(node: exp.Expr, dialect: Dialect, words: str = "is one of") -> str:
    subject = phrase(node.this, dialect)
    query = node.args.get("query")
    if query is not None:
        return f"{subject} {words} the results of ({_nested(query, dialect)})"
    if node.args.get("unnest") is not None or node.args.get("field") is not None:
        return _as_sql(node, dialect)
    values = [phrase(value, dialect) for value in node.expressions]
    shown = values if len(values) <= 12 else [*values[:10], f"{len(values) - 10} more"]
    return f"{subject} {words} {listed(shown)}"


def _nested(node: exp.Expr, dialect: Dialect) -> str:
    """A query inside an expression, in short: what it takes, from where, and where."""
    query = node.unnest() if isinstance(node, exp.Subquery) else node
    if not isinstance(query, exp.Select):
        return _as_sql(query, dialect)
    taken = listed([phrase(item.unalias(), dialect) for item in query.expressions])
    tables = listed(sorted({table.name for table in query.find_all(exp.Table) if table.name}))
    text = f"{taken} in {tables}" if tables else taken
    where = query.args.get("where")
    if where is not None:
        text += f" where {phrase(where.this, dialect)}"
    group = query.args.get("group")
    if group is not None and group.expressions:
        text += f", by {listed([phrase(key, dialect) for key in group.expressions])}"
    having = query.args.get("having")
    if having is not None:
        text += f", if {phrase(having.this, dialect)}"
    return text


def _exists(node: exp.Expr, dialect: Dialect) -> str:
    query = node.this.unnest() if isinstance(node.this, exp.Subquery) else node.this
    if not isinstance(query, exp.Select):
        return _as_sql(node, dialect)
    tables = listed(sorted({table.name for table in query.find_all(exp.Table) if table.name}))
    where = query.args.get("where")
    return f"there is a row in {tables or 'a query'}" + (f" where {phrase(where.this, dialect)}" if where is not None else "")


def _between(node: exp.Expr, dialect: Dialect) -> str:
    low, high = phrase(node.args["low"], dialect), phrase(node.args["high"], dialect)
    return f"{phrase(node.this, dialect)} is between {low} and {high}"


def _like(node: exp.Expr, dialect: Dialect) -> str:
    subject, pattern = phrase(node.this, dialect), node.expression
    if not isinstance(pattern, exp.Literal) or "_" in pattern.name or "%" in pattern.name.strip("%"):
        return f"{subject} looks like {phrase(pattern, dialect)}"
    text = pattern.name.strip("%")
    starts, ends = not pattern.name.startswith("%"), not pattern.name.endswith("%")
    verb = "is" if starts and ends else "starts with" if starts else "ends with" if ends else "contains"
    return f"{subject} {verb} '{text}'"


def _cast(node: exp.Expr, dialect: Dialect) -> str:
    target = node.args["to"].sql(dialect=dialect).lower()
    inner = phrase(node.this, dialect)
    if isinstance(node.this, exp.Literal) and target.startswith(("date", "time")):
        return node.this.name
    return f"{inner} as {target}"


def _case(node: exp.Expr, dialect: Dialect) -> str:
    subject = f"{phrase(node.this, dialect)} is " if node.this is not None else ""
    parts = [f"{phrase(branch.args['true'], dialect)} if {subject}{phrase(branch.this, dialect)}" for branch in node.args["ifs"]]
    default = node.args.get("default")
    return "(" + ", ".join(parts) + (f", else {phrase(default, dialect)})" if default is not None else ")")


def _if(node: exp.Expr, dialect: Dialect) -> str:
    otherwise = node.args.get("false")
    tail = f", else {phrase(otherwise, dialect)}" if otherwise is not None else ""
    return f"({phrase(node.args['true'], dialect)} if {phrase(node.this, dialect)}{tail})"


def _window(node: exp.Expr, dialect: Dialect) -> str:
    text = phrase(node.this, dialect)
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


def _unit(node: exp.Expr) -> str:
    unit = node.args.get("unit")
    return str(unit.name).lower() if isinstance(unit, exp.Expr) else ""


def _interval(node: exp.Expr, dialect: Dialect) -> str:
    unit = _unit(node)
    amount = phrase(node.this, dialect).strip("'") if isinstance(node.this, exp.Expr) else ""
    return f"{amount} {unit if amount == '1' else unit + 's'}".strip()


def _difference(node: exp.Expr, dialect: Dialect) -> str:
    return f"the {_unit(node) or 'day'}s from {phrase(node.expression, dialect)} to {phrase(node.this, dialect)}"


def _coalesce(node: exp.Expr, dialect: Dialect) -> str:
    rest = [phrase(part, dialect) for part in node.expressions]
    return f"{phrase(node.this, dialect)} (or {' or '.join(rest)} where empty)" if rest else phrase(node.this, dialect)


def _filter(node: exp.Expr, dialect: Dialect) -> str:
    return f"{phrase(node.this, dialect)} (only where {phrase(node.expression.this, dialect)})"


def _star(node: exp.Expr, dialect: Dialect) -> str:
    dropped = [phrase(column, dialect) for column in node.args.get("except_") or ()]
    return f"all columns but {listed(dropped)}" if dropped else "all columns"


def _subquery(node: exp.Expr, dialect: Dialect) -> str:
    return f"({_nested(node, dialect)})"


_WORDS: dict[type[exp.Expr], Callable[[exp.Expr, Dialect], str]] = {
    exp.Column: _column,
    exp.Identifier: lambda node, _: node.name,
    exp.Literal: _literal,
    exp.Null: lambda *_: "empty",
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
    exp.TimestampTrunc: lambda node, dialect: f"the {_unit(node)} of {phrase(node.this, dialect)}",
    exp.DateTrunc: lambda node, dialect: f"the {_unit(node)} of {phrase(node.this, dialect)}",
    exp.Extract: lambda node, dialect: f"the {node.name.lower()} of {phrase(node.expression, dialect)}",
    exp.CurrentDate: lambda *_: "today",
    exp.CurrentTimestamp: lambda *_: "now",
    exp.Coalesce: _coalesce,
    exp.If: _if,
    exp.Filter: _filter,
    exp.Subquery: _subquery,
    exp.Alias: lambda node, dialect: phrase(node.this, dialect),
}
