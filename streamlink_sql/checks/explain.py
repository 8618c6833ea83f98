"""Says in plain words what a checked query does: reads, filters, groups, orders, returns. Made from the tree alone; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from streamlink_sql.checks.nested_words import listed, ordered
from streamlink_sql.checks.plain_names import COMMENT, KIND, called, with_plain_names
from streamlink_sql.checks.words import in_words, phrase
from streamlink_sql.types import CheckedSQL, Dialect, Table


def explain(checked: CheckedSQL, tables: tuple[Table, ...]) -> str:
    """Sentences for an analyst; comments of `tables` say what a table holds."""
    return " ".join(_query(with_plain_names(checked.tree, tables), checked.dialect, set()))


def _query(node: exp.Expr, dialect: Dialect, told: set[str]) -> Iterator[str]:
    for cte in node.args["with_"].expressions if node.args.get("with_") else ():
        recursive = node.args["with_"].args.get("recursive") and isinstance(cte.this, exp.SetOperation)
        yield f"First makes a table {cte.alias}{' step by step' if recursive else ''}, which {_inline(cte.this, dialect, told)}."
    if isinstance(node, exp.SetOperation):
        yield from _set_operation(node, dialect, told)
    elif isinstance(node, exp.Subquery):
        yield from _query(node.this, dialect, told)
        yield from _ending(node, dialect)
    elif isinstance(node, exp.Select):
        yield from _select(node, dialect, told)


def _inline(node: exp.Expr, dialect: Dialect, told: set[str]) -> str:
    """A query inside a sentence: its sentences, joined by semicolons."""
    parts = [sentence.rstrip(".") for sentence in _query(node, dialect, told)]
    return "; ".join(part[:1].lower() + part[1:] for part in parts)


_SET_WORDS = {"Union": "Adds the rows of", "Except": "Takes away the rows of", "Intersect": "Keeps only the rows that are also in"}


def _set_operation(node: exp.SetOperation, dialect: Dialect, told: set[str]) -> Iterator[str]:
    chain: list[exp.SetOperation] = []
    left: exp.Expr = node
    while isinstance(left, exp.SetOperation):
        chain.append(left)
        left = left.this
    yield from _query(left, dialect, told)
    for operation in reversed(chain):
        once = " Equal rows are kept once." if operation.args.get("distinct") and isinstance(operation, exp.Union) else ""
        words = _SET_WORDS[type(operation).__name__]
        yield f"{words} another query, which {_inline(operation.expression, dialect, told)}.{once}"
        yield from _ending(operation, dialect)


def _select(node: exp.Select, dialect: Dialect, told: set[str]) -> Iterator[str]:
    sources = [node.args["from_"].this] if node.args.get("from_") else []
    joins = [*(node.args.get("joins") or ()), *(node.args.get("laterals") or ())]
    if sources:
        yield f"Reads {_source(sources[0], dialect, told)}{_joins(joins, dialect, told)}."
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
        return f"Returns each different {'combination of ' * (len(items) > 1)}{listed(items)}."
    keys = [phrase(key, dialect) for key in (on.expressions or [on])]
    return f"Returns {listed(items)}, one row for each {listed(keys)}."


def _item(item: exp.Expr, dialect: Dialect) -> str:
    if isinstance(item, exp.Alias):
        text = phrase(item.this, dialect)
        return text if text.lower().replace(" ", "_") == item.alias.lower() else f"{text} (as {item.alias})"
    return phrase(item, dialect)


def _source(node: exp.Expr, dialect: Dialect, told: set[str]) -> str:
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        text = f"the table {called(node)}{_known_as(node, told)}"
    elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query):
        known_as = f" {node.alias}," if node.alias else ""
        text = f"a query{known_as} which {_inline(node.this, dialect, told)}"
    elif isinstance(node, exp.Subquery):
        text = _source(node.this, dialect, told)
    elif isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
        text = f"for each row a query which {_inline(node.this.this, dialect, told)}"
    elif isinstance(node, exp.Unnest):
        text = f"a row for each element of {listed([phrase(part, dialect) for part in node.expressions])}"
    elif isinstance(node, exp.Values):
        text = f"{len(node.expressions)} rows given in the query"
    else:
        text = phrase(node.this, dialect)
    sample = node.args.get("sample")
    if sample is not None:
        text = f"a sample of {text}"
    return text + _joins(node.args.get("joins") or [], dialect, told)


def _known_as(node: exp.Table, told: set[str]) -> str:
    """What a table holds, said once, and the alias that the rest of the sentences need."""
    comment = node.meta.get(COMMENT) if called(node) not in told else ""
    told.add(called(node))
    notes = [comment] if comment else []
    if node.alias and node.alias.casefold() != node.name.casefold():
        notes.append(f"as {node.alias}")
    return f" ({'; '.join(notes)})" if notes else ""


def _joins(joins: list[exp.Expr], dialect: Dialect, told: set[str]) -> str:
    return "".join(_join(join, dialect, told) for join in joins)


def _join(join: exp.Expr, dialect: Dialect, told: set[str]) -> str:
    """One join as a clause that goes on after a comma."""
    if isinstance(join, exp.Lateral):
        return f", and {_source(join, dialect, told)}"
    side, kind, method = (str(join.args.get(name) or "").upper() for name in ("side", "kind", "method"))
    other = _source(join.this, dialect, told)
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
        return f", with the rows of {other}{condition} where there are any"
    if side in ("RIGHT", "FULL"):
        kept = "all rows of the latter kept" if side == "RIGHT" else "rows without a match kept on both sides"
        return f", joined with {other}{condition}, {kept}"
    if not condition:
        return f" and {other}" if kind != "CROSS" else f", every row with every row of {other}"
    return f", joined with {other}{condition}"


def _condition(join: exp.Expr, method: str, dialect: Dialect) -> str:
    if join.args.get("using"):
        return f" by {listed([column.name for column in join.args['using']])}"
    if method == "NATURAL":
        return " on the columns that they share"
    on = join.args.get("on")
    if on is None or isinstance(on, exp.Boolean):
        return ""
    shared = _shared(on)
    return f" by {listed(shared)}" if shared else f" where {phrase(on, dialect)}"


def _shared(on: exp.Expr) -> list[str]:
    """The columns that two tables are joined by, where each has the same name in both and nothing else is asked."""
    parts = list(on.flatten()) if isinstance(on, exp.And) else [on.unnest()]
    names = []
    for part in parts:
        left, right = (part.this, part.expression) if isinstance(part, exp.EQ) else (None, None)
        if not isinstance(left, exp.Column) or not isinstance(right, exp.Column) or left.name.casefold() != right.name.casefold():
            return []
        names.append(left.name)
    return names


def _groups(group: exp.Expr, select: exp.Select, dialect: Dialect) -> str:
    if group.args.get("all"):
        return "every column that is not a total"
    return listed([_group_key(key, select, dialect) for key in _group_keys(group)])


_SUBTOTALS = {"Rollup": "with subtotals", "Cube": "with all subtotals", "GroupingSets": "in several ways"}


def _group_keys(group: exp.Expr) -> list[exp.Expr]:
    """All that is grouped by; the subtotals stand among the keys or beside them, as the dialect has it."""
    return [*group.expressions, *(part for name in ("rollup", "cube", "grouping_sets") for part in group.args.get(name) or ())]


def _group_key(key: exp.Expr, select: exp.Select, dialect: Dialect) -> str:
    words = _SUBTOTALS.get(type(key).__name__)
    if words is None:
        return _reference(key, select, dialect, grouped=True)
    return f"{listed([phrase(part, dialect) for part in key.expressions])} ({words})"


def _reference(key: exp.Expr, select: exp.Expr, dialect: Dialect, *, grouped: bool = False) -> str:
    """A key, with a position such as 1 replaced by what it stands for."""
    while isinstance(select, (exp.SetOperation, exp.Subquery)):
        select = select.this
    items = select.expressions if isinstance(select, exp.Select) else []
    named = {item.alias.casefold(): item for item in items if isinstance(item, exp.Alias)}
    if grouped and isinstance(key, exp.Column) and not key.table and KIND not in key.meta and key.name.casefold() in named:
        return phrase(named[key.name.casefold()].this, dialect)
    if isinstance(key, exp.Literal) and not key.is_string and key.name.isdigit() and 0 < int(key.name) <= len(items):
        item = items[int(key.name) - 1]
        if item.is_star:
            return f"column {key.name}"
        return item.alias if isinstance(item, exp.Alias) and not grouped else phrase(item.unalias(), dialect)
    return phrase(key, dialect)


def _ending(node: exp.Expr, dialect: Dialect) -> Iterator[str]:
    """Order, limit and offset of any query."""
    order = node.args.get("order")
    if order is not None:
        keys = []
        for key in order.expressions:
            what = "every column" if isinstance(key.this, exp.Var) else _reference(key.this, node, dialect)
            keys.append(ordered(key, in_words(dialect), what))
        yield f"Orders by {'; then by '.join(keys)}."
    offset, limit = node.args.get("offset"), node.args.get("limit")
    if offset is not None:
        yield f"Leaves out the first {phrase(offset.expression, dialect)} rows."
    if limit is not None:
        count = limit.args.get("count") if isinstance(limit, exp.Fetch) else limit.args.get("expression")
        options = limit.args.get("limit_options")
        if count is not None and not isinstance(count, exp.Var):
            percent = options is not None and options.args.get("percent")
            first = "the next" if offset is not None else "the first" if order is not None else "at most"
            rows = "percent of the rows" if percent else "row" if count.name == "1" else "rows"
            yield (
                f"Keeps {first} {rows}." if count.name == "1" and first != "at most" else f"Keeps {first} {phrase(count, dialect)} {rows}."
            )
