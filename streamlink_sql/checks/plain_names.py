"""Names as a reader needs them: aliases that say nothing go, a table keeps its schema, a column its table only where two could be meant.

Works on a copy of a checked tree; the copy is for words only and never runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from streamlink_sql.types import Table

KIND, CALLED, COMMENT = "streamlink_kind", "streamlink_called", "streamlink_comment"
"""What a node of the copy carries: the kind of a column, how a table is called, what it holds."""


@dataclass(slots=True)
class _Source:
    """Something in a FROM; `columns` is None where they cannot be known."""

    node: exp.Expr
    alias: str
    table: Table | None
    columns: frozenset[str] | None
    correlated: bool = False
    renamed: bool = False


_Scope = dict[str, _Source | None]


def with_plain_names(tree: exp.Query, tables: tuple[Table, ...]) -> exp.Query:
    """A copy of the tree whose tables and columns are called as people would."""
    copy = tree.copy()
    known = {table.name.casefold(): table for table in tables}
    made = {cte.alias.casefold(): _outputs(cte.this) for cte in copy.find_all(exp.CTE)}
    scopes = {id(select): _scope(select, known, made) for select in copy.find_all(exp.Select)}
    owned = [(column, *found) for column in copy.find_all(exp.Column) if (found := _owner(column, scopes))]
    for _, source, _, own in owned:
        source.correlated |= not own
    _rename(scopes)
    outside = {(id(column.find_ancestor(exp.Select)), column.name.casefold()) for column, _, _, own in owned if not own}
    for column, source, scope, own in owned:
        _call(column, source, scope, bare=own and (id(column.find_ancestor(exp.Select)), column.name.casefold()) not in outside)
    return copy


def called(node: exp.Expr) -> str:
    """What a table is called: by its schema, too, where it is not in the main one."""
    return str(node.meta.get(CALLED) or ".".join(part.name for part in node.parts)) if isinstance(node, exp.Table) else node.alias_or_name


def sources_of(select: exp.Expr) -> Iterator[exp.Expr]:
    """What stands in the FROM of a SELECT, with what is joined to it."""
    pending = [select.args["from_"].this] if select.args.get("from_") else []
    pending += [join.this for join in select.args.get("joins") or ()]
    pending += list(select.args.get("laterals") or ())
    while pending:
        node = pending.pop(0)
        pending += [join.this for join in node.args.get("joins") or ()]
        if isinstance(node, exp.Subquery) and not isinstance(node.this, exp.Query):
            pending.insert(0, node.this)
        else:
            yield node


def _outputs(query: exp.Expr) -> frozenset[str] | None:
    if not isinstance(query, exp.Query) or query.is_star:
        return None
    names = [name.casefold() for name in query.named_selects]
    return frozenset(names) if all(names) else None


def _scope(select: exp.Select, known: dict[str, Table], made: dict[str, frozenset[str] | None]) -> _Scope:
    scope: _Scope = {}
    for node in sources_of(select):
        source = _source(node, known, made)
        key = source.alias.casefold()
        scope[key] = None if key in scope else source
    return scope


def _source(node: exp.Expr, known: dict[str, Table], made: dict[str, frozenset[str] | None]) -> _Source:
    if node.alias_column_names:
        return _Source(node, node.alias_or_name, None, None)
    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
        return _Source(node, node.alias_or_name, None, _outputs(node.this) if isinstance(node, exp.Subquery) else None)
    name = node.name.casefold()
    if not node.db and name in made:
        return _Source(node, node.alias_or_name, None, made[name])
    table = known.get(f"{node.db}.{name}".casefold() if node.db else name) or known.get(name)
    if table is None:
        return _Source(node, node.alias_or_name, None, None)
    node.meta[CALLED], node.meta[COMMENT] = table.name, table.comment.strip().rstrip(".")
    return _Source(node, node.alias_or_name, table, frozenset(column.name.casefold() for column in table.columns))


def _owner(column: exp.Column, scopes: dict[int, _Scope]) -> tuple[_Source, _Scope, bool] | None:
    """Whose column it is, among whom, and whether of its own SELECT; None where that is not sure."""
    qualifier, name, own = column.text("table").casefold(), column.name.casefold(), True
    select = column.find_ancestor(exp.Select)
    while select is not None:
        scope = scopes[id(select)]
        if qualifier:
            found = [scope[qualifier]] if qualifier in scope else []
        else:
            found = [source for source in scope.values() if source and source.columns and name in source.columns]
        if found:
            return (found[0], scope, own) if len(found) == 1 and found[0] else None
        select, own = select.find_ancestor(exp.Select), False
    return None


def _rename(scopes: dict[int, _Scope]) -> None:
    """Drops the aliases of tables that cannot be taken for another one."""
    sources = [source for scope in scopes.values() for source in scope.values() if source and source.table]
    read = Counter(source.table.name for source in sources if source.table)
    looked_at = {source.table.name for source in sources if source.table and source.correlated and read[source.table.name] > 1}
    for scope in scopes.values():
        here = Counter(source.table.name for source in scope.values() if source and source.table)
        for source in scope.values():
            if (
                source
                and source.table
                and source.table.name not in looked_at
                and here[source.table.name] == 1
                and None not in scope.values()
            ):
                source.renamed = True
                source.node.set("alias", None)


def _call(column: exp.Column, source: _Source, scope: _Scope, *, bare: bool) -> None:
    """Gives a column its kind and the name that a reader needs; `bare` where nothing outside its SELECT is called so."""
    name = column.name.casefold()
    if source.table is not None:
        kinds = [one.kind for one in source.table.columns if one.name.casefold() == name]
        column.meta[KIND] = kinds[0] if kinds else ""
    if not column.text("table") and bare:
        return
    others = [other for other in scope.values() if other is not source]
    clear = all(other is not None and other.columns is not None and name not in other.columns for other in others)
    if bare and clear and not isinstance(column.this, exp.Star):
        column.set("table", None)
    elif source.renamed and source.table is not None:
        column.set("table", exp.to_identifier(source.table.name, quoted=True))
    for part in ("db", "catalog"):
        column.set(part, None)
