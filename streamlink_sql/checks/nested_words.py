"""English for a query inside an expression, in short: what it takes, from where, and where. Expressions are put in words by `say`."""

from __future__ import annotations

from sqlglot import exp

from streamlink_sql.checks import idioms
from streamlink_sql.checks.plain_names import KIND, called, sources_of
from streamlink_sql.checks.time_words import Say

_LONG = ("where", "group", "having", "limit", "joins", "order")


def listed(items: list[str]) -> str:
    """`a, b and c`."""
    return ", ".join(items[:-1]) + " and " + items[-1] if len(items) > 1 else "".join(items)


def tables_of(query: exp.Expr) -> str:
    """The tables that a query reads itself."""
    return listed(list(dict.fromkeys(_known_as(source) for source in sources_of(query))))


def nested(node: exp.Expr, say: Say) -> str:
    """What a query takes, from where, and where."""
    query = node.unnest() if isinstance(node, exp.Subquery) else node
    if not isinstance(query, exp.Select):
        return say(query)
    taken = listed([say(item.unalias()) for item in query.expressions])
    tables = tables_of(query)
    text = f"{taken} in {tables}" if tables else taken
    where = query.args.get("where")
    if where is not None:
        text += f" where {say(where.this)}"
    group = query.args.get("group")
    if group is not None and group.expressions:
        text += f", by {listed([say(key) for key in group.expressions])}"
    having = query.args.get("having")
    if having is not None:
        text += f", if {say(having.this)}"
    return text + _first_of(query, say)


def choices(node: exp.Expr, say: Say) -> str:
    """What a value is looked up in."""
    query = node.unnest() if isinstance(node, exp.Subquery) else node
    column = idioms.single(query)
    if not isinstance(column, exp.Column) or isinstance(column.this, exp.Star):
        return f"the results of ({nested(query, say)})"
    text = f"the values of {nested(query, say)}"
    is_long = any(query.args.get(name) for name in _LONG)
    return text.replace(" in ", " in (", 1) + ")" if is_long else text


def existence(node: exp.Expr, say: Say) -> str:
    """That a query has a row; '' for what is no SELECT."""
    query = node.this.unnest() if isinstance(node.this, exp.Subquery) else node.this
    if not isinstance(query, exp.Select):
        return ""
    where = query.args.get("where")
    tables = tables_of(query) or "a query"
    return f"there is a row in ({tables} where {say(where.this)})" if where is not None else f"there is a row in {tables}"


def ordered(key: exp.Expr, say: Say, what: str = "") -> str:
    """One key of an order and, where it is not the usual one, its direction; `what` is said in place of the key."""
    text = what or say(key.this)
    if not key.args.get("desc"):
        return text
    if idioms.is_moment(key.this) or idioms.is_year(key.this):
        return f"{text}, latest first"
    return f"{text}, from Z to A" if key.this.meta.get(KIND) == "text" else f"{text}, highest first"


def _first_of(query: exp.Expr, say: Say) -> str:
    """The order and the limit of a nested query."""
    order, limit = query.args.get("order"), query.args.get("limit")
    count = limit.args.get("expression") if isinstance(limit, exp.Limit) else None
    if count is None:
        return ""
    first = "the first" if count.name == "1" else f"the first {say(count)}"
    return f", {first}" + (f" by {listed([ordered(key, say) for key in order.expressions])}" if order is not None else "")


def _known_as(source: exp.Expr) -> str:
    """A table of a nested query, with the alias that the words need."""
    name = called(source)
    aliased = isinstance(source, exp.Table) and source.alias and source.alias.casefold() != source.name.casefold()
    return f"{name} (as {source.alias})" if aliased else name or "a query"
