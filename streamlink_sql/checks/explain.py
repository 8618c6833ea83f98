"""Says in plain words what a checked query does: reads, filters, groups, orders, returns. Made from the tree alone; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from streamlink_sql.checks.words import listed, phrase
from streamlink_sql.types import CheckedSQL, Dialect, Table


def explain(checked: CheckedSQL, tables: tuple[Table, ...]) -> str:
    """Sentences for an analyst; comments of `tables` say what a table holds."""
    comments = {table.name.lower(): table.comment.strip().rstrip(".") for table in tables if table.comment.strip()}
    return " ".join(_query(checked.tree, checked.dialect, comments))


def _query(node: exp.Expr, dialect: Dialect, comments: dict[str, str]) -> Iterator[str]:
    for cte in node.args["with_"].expressions if node.args.get("with_") else ():
        kind = "step by step" if node.args["with_"].args.get("recursive") and isinstance(cte.this, exp.SetOperation) else "first"
        yield f"Makes {kind} a table {cte.alias}: {_inline(cte.this, dialect, comments)}."
    if isinstance(node, exp.SetOperation):
        yield from _set_operation(node, dialect, comments)
    elif isinstance(node, exp.Subquery):
        yield from _query(node.this, dialect, comments)
        yield from _ending(node, dialect)
    elif isinstance(node, exp.Select):
        yield from _select(node, dialect, comments)


def _inline(node: exp.Expr, dialect: Dialect, comments: dict[str, str]) -> str:
    """A query inside a sentence: its sentences, joined by semicolons."""
    parts = [sentence.rstrip(".") for sentence in _query(node, dialect, comments)]
    return "; ".join(part[:1].lower() + part[1:] for part in parts)


_SET_WORDS = {"Union": "Adds the rows of", "Except": "Takes away the rows of", "Intersect": "Keeps only the rows that are also in"}


def _set_operation(node: exp.SetOperation, dialect: Dialect, comments: dict[str, str]) -> Iterator[str]:
    chain: list[exp.SetOperation] = []
    left: exp.Expr = node
    while isinstance(left, exp.SetOperation):
        chain.append(left)
        left = left.this
    yield from _query(left, dialect, comments)
    for operation in reversed(chain):
        once = " Equal rows are kept once." if operation.args.get("distinct") and isinstance(operation, exp.Union) else ""
        words = _SET_WORDS[type(operation).__name__]
        yield f"{words} a second query, which {_inline(operation.expression, dialect, comments)}.{once}"
        yield from _ending(operation, dialect)


def _select(node: exp.Select, dialect: Dialect, comments: dict[str, str]) -> Iterator[str]:
    sources = [node.args["from_"].this] if node.args.get("from_") else []
    joins = [*(node.args.get("joins") or ()), *(node.args.get("laterals") or ())]
    if sources:
        yield f"Reads {_source(sources[0], dialect, comments)}{_joins(joins, dialect, comments)}."
    where = node.args.get("where")
    if where is not None:
        yield f"Keeps the rows where {phrase(where.this, dialect)}."
    group = node.args.get("group")
    if group is not None:
        yield f"Groups by {_groups(group, node, dialect)}."
    having = node.args.get("having")
    if having is not None:
        yield f"Keeps the groups where {phrase(having.this, dialect)}."
    qualify = node.args.get("qualify")
    if qualify is not None:
        yield f"Then keeps the rows where {phrase(qualify.this, dialect)}."
    yield _returns(node, dialect)
    yield from _ending(node, dialect)


def _returns(node: exp.Select, dialect: Dialect) -> str:
    items = [_item(item, dialect) for item in node.expressions]
    distinct = node.args.get("distinct")
    if distinct is None:
        return f"Returns {listed(items)}."
    on = distinct.args.get("on")
    if on is None:
        return f"Returns each different {listed(items)}."
    keys = [phrase(key, dialect) for key in (on.expressions or [on])]
    return f"Returns {listed(items)}, one row for each {listed(keys)}."


def _item(item: exp.Expr, dialect: Dialect) -> str:
    if isinstance(item, exp.Alias):
        text = phrase(item.this, dialect)
        return text if text.lower().replace(" ", "_") == item.alias.lower() else f"{text} as {item.alias}"
    return phrase(item, dialect)


def _source(node: exp.Expr, dialect: Dialect, comments: dict[str, str]) -> str:
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        known_as = f" (as {node.alias})" if node.alias and node.alias.lower() != node.name.lower() else ""
        comment = f" ({comments[node.name.lower()]})" if node.name.lower() in comments else ""
        text = f"the table {node.name}{comment}{known_as}"
    elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query):
        known_as = f" {node.alias}," if node.alias else ""
        text = f"a query{known_as} which {_inline(node.this, dialect, comments)}"
    elif isinstance(node, exp.Subquery):
        text = _source(node.this, dialect, comments)
    elif isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
        text = f"for each row a query which {_inline(node.this.this, dialect, comments)}"
    elif isinstance(node, exp.Unnest):
        text = f"a row for each element of {listed([phrase(part, dialect) for part in node.expressions])}"
    elif isinstance(node, exp.Values):
        text = f"{len(node.expressions)} rows given in the query"
    else:
        text = phrase(node.this, dialect)
    sample = node.args.get("sample")
    if sample is not None:
        text = f"a sample of {text}"
    return text + _joins(node.args.get("joins") or [], dialect, comments)


def _joins(joins: list[exp.Expr], dialect: Dialect, comments: dict[str, str]) -> str:
    return "".join(_join(join, dialect, comments) for join in joins)


def _join(join: exp.Expr, dialect: Dialect, comments: dict[str, str]) -> str:
    """One join as a clause that goes on after a comma."""
    if isinstance(join, exp.Lateral):
        return f", and {_source(join, dialect, comments)}"
    side, kind, method = (str(join.args.get(name) or "").upper() for name in ("side", "kind", "method"))
    other = _source(join.this, dialect, comments)
    condition = _condition(join, method, dialect)
    if kind == "SEMI":
        return f", only where there is a match in {other}{condition}"
    if kind == "ANTI":
        return f", only where there is no match in {other}{condition}"
    if method == "ASOF":
        return f", each row with the nearest earlier row of {other}{condition}"
    if method == "POSITIONAL":
        return f", side by side with {other}"
    if side == "LEFT":
        return f", with {other}{condition} where there is one"
    if side in ("RIGHT", "FULL"):
        kept = "all rows of the latter kept" if side == "RIGHT" else "rows without a match kept on both sides"
        return f", joined with {other}{condition}, {kept}"
    if not condition:
        return f" and {other}" if kind != "CROSS" else f", every row with every row of {other}"
    return f", joined with {other}{condition}"


def _condition(join: exp.Expr, method: str, dialect: Dialect) -> str:
    if join.args.get("using"):
        return f" on equal {listed([column.name for column in join.args['using']])}"
    if method == "NATURAL":
        return " on the columns that they share"
    on = join.args.get("on")
    if on is None or isinstance(on, exp.Boolean):
        return ""
    return f" where {phrase(on, dialect)}"


def _groups(group: exp.Expr, select: exp.Select, dialect: Dialect) -> str:
    if group.args.get("all"):
        return "every column that is not a total"
    keys = [_reference(key, select, dialect) for key in group.expressions]
    for name, words in (("rollup", "with subtotals by"), ("cube", "with all subtotals of"), ("grouping_sets", "in several ways:")):
        keys += [f"{words} {listed([phrase(key, dialect) for key in part.expressions])}" for part in group.args.get(name) or ()]
    return listed(keys)


def _reference(key: exp.Expr, select: exp.Expr, dialect: Dialect) -> str:
    """A key, with a position such as 1 replaced by what it stands for."""
    while isinstance(select, (exp.SetOperation, exp.Subquery)):
        select = select.this
    items = select.expressions if isinstance(select, exp.Select) else []
    if isinstance(key, exp.Literal) and not key.is_string and key.name.isdigit() and 0 < int(key.name) <= len(items):
        item = items[int(key.name) - 1]
        if item.is_star:
            return f"column {key.name}"
        return item.alias if isinstance(item, exp.Alias) else phrase(item, dialect)
    return phrase(key, dialect)


def _ending(node: exp.Expr, dialect: Dialect) -> Iterator[str]:
    """Order, limit and offset of any query."""
    order = node.args.get("order")
    if order is not None:
        keys = []
        for key in order.expressions:
            what = "every column" if isinstance(key.this, exp.Var) else _reference(key.this, node, dialect)
            keys.append(f"{what}, highest first" if key.args.get("desc") else what)
        yield f"Orders by {'; then by '.join(keys)}."
    offset, limit = node.args.get("offset"), node.args.get("limit")
    if offset is not None:
        yield f"Leaves out the first {phrase(offset.expression, dialect)} rows."
    if limit is not None:
        count = limit.args.get("count") if isinstance(limit, exp.Fetch) else limit.args.get("expression")
        options = limit.args.get("limit_options")
        if count is not None and not isinstance(count, exp.Var):
            unit = "percent of the rows" if options is not None and options.args.get("percent") else "row" if count.name == "1" else "rows"
            yield f"Keeps at most {phrase(count, dialect)} {unit}."
