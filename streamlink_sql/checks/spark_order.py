"""Orders that Spark's servers cannot plan, written as some that they can. Judges nothing: the rows stay the same.

Sail orders by an aggregate only where it is shown, neither Sail nor Apache Spark by a window, and Apache Spark by nothing but names that
are shown where groups have a window. A key that is shown is called by its
position; for any other the query goes into FROM with the key beside its columns, and is ordered there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sqlglot import exp

_AGGREGATES = (exp.Window, exp.Filter, exp.WithinGroup, exp.AggFunc)
_OUTER = ("with_", "order", "limit", "offset")
"""What goes outwards with the order."""


def orderable(tree: exp.Query) -> exp.Query:
    """The tree with orders that can be planned; the very same where there is nothing to do."""
    if not any(map(_hard_keys, tree.find_all(exp.Select))):
        return tree
    tree = tree.copy()
    for select in reversed(list(tree.find_all(exp.Select))):  # the innermost first: what is moved is a copy
        _by_position(select)
        if _hard_keys(select) and _may_move(select):
            outer = _moved(select.copy())
            if select is tree:
                tree = outer
            else:
                select.replace(outer)
    return tree


def _hard_keys(select: exp.Select) -> list[exp.Ordered]:
    """The keys with an aggregate that is not shown, or with a window; beside a window over groups, all but names that are shown."""
    order = select.args.get("order")
    if order is None or select.args.get("distinct"):
        return []
    if select.args.get("group") and any(item.find(exp.Window) for item in select.expressions):
        names = {item.alias_or_name.casefold() for item in select.expressions}
        plain = (exp.Column, exp.Literal)
        return [
            key
            for key in order.expressions
            if not (isinstance(key.this, plain) and (key.this.is_number or key.this.name.casefold() in names))
        ]
    shown = {found for item in select.expressions for found in _aggregates(item)}
    return [key for key in order.expressions if any(isinstance(found, exp.Window) or found not in shown for found in _aggregates(key))]


def _aggregates(node: exp.Expr) -> Iterator[exp.Expr]:
    """The aggregates in an expression, each with its filter or window, without those of queries in it."""
    return (part for part in node.walk(prune=_is_whole) if isinstance(part, _AGGREGATES))


def _is_whole(node: exp.Expr) -> bool:
    return isinstance(node, (exp.Query, *_AGGREGATES))


def _by_position(select: exp.Select) -> None:
    """Calls hard keys that are shown by their position."""
    shown = [item.unalias() for item in select.expressions]
    for key in _hard_keys(select):
        if key.this in shown:
            key.set("this", exp.Literal.number(shown.index(key.this) + 1))


def _may_move(select: exp.Select) -> bool:
    """Whether the query can stand in FROM: all its columns are written down, it names none of a query around it, and no alias that it names
    is given twice, as such a one gets another name.
    """
    if select.is_star or select.find(exp.Columns, exp.Explode, exp.Aliases) or select.args["order"].find(exp.Query):
        return False
    aliases = Counter(item.alias.casefold() for item in select.expressions if isinstance(item, exp.Alias))
    if any(aliases[column.name.casefold()] > 1 for column in select.find_all(exp.Column) if not column.table):
        return False
    own = {source.alias_or_name.casefold() for source in select.find_all(exp.Table, exp.Subquery, exp.Lateral)}
    return select.parent is None or all(not column.table or column.table.casefold() in own for column in select.find_all(exp.Column))


def _moved(select: exp.Select) -> exp.Select:
    """The query in FROM of another one, which shows its columns under their names, and orders."""
    taken = {node.alias_or_name.casefold() for node in select.find_all(exp.Column, exp.Alias)}
    items, shown = select.expressions, [item.unalias() for item in select.expressions]
    names = [_name(item) for item in items]
    often = Counter(name.name.casefold() for name in names if name)
    heads = [name if name and often[name.name.casefold()] == 1 else _new("shown", taken) for name in names]
    outer = exp.Select(expressions=[_column(head, name) for head, name in zip(heads, names, strict=True)])
    for name in _OUTER:
        outer.set(name, select.args.pop(name, None))
    aliases = {item.alias.casefold(): item.this for item in items if isinstance(item, exp.Alias)}
    for key in outer.args["order"].expressions:
        if not isinstance(key.this, exp.Literal):
            wanted = _without_aliases(key.this, aliases)
            if wanted not in shown:
                shown.append(wanted)
                heads.append(_new("key", taken))
            key.set("this", _column(heads[shown.index(wanted)]))
    inner = [item if _name(item) == head else exp.alias_(item, head.copy()) for item, head in zip(shown, heads, strict=True)]
    select.set("expressions", inner)
    return outer.from_(exp.Subquery(this=select, alias=exp.TableAlias(this=exp.to_identifier("ordered"))), copy=False)


def _name(item: exp.Expr) -> exp.Identifier | None:
    """The name that a shown expression has of its own."""
    found = item.args["alias"] if isinstance(item, exp.Alias) else item.this if isinstance(item, exp.Column) else None
    return found if isinstance(found, exp.Identifier) else None


def _new(word: str, taken: set[str]) -> exp.Identifier:
    number = next(number for number in range(1, len(taken) + 2) if f"{word}_{number}" not in taken)
    taken.add(f"{word}_{number}")
    return exp.to_identifier(f"{word}_{number}")


def _column(head: exp.Identifier, name: exp.Identifier | None = None) -> exp.Expr:
    column = exp.column(head.copy())
    return column if name is None or name == head else exp.alias_(column, name.copy())


def _without_aliases(key: exp.Expr, aliases: dict[str, exp.Expr]) -> exp.Expr:
    """A key with what aliases of shown expressions mean; in an aggregate a name is a column's."""
    key = exp.paren(key)
    for node in key.walk(prune=_is_whole):
        meant = aliases.get(node.name.casefold()) if isinstance(node, exp.Column) and not node.table else None
        if meant is not None:
            node.replace(meant.copy() if node.parent is key else exp.paren(meant))
    found: exp.Expr = key.this
    return found
