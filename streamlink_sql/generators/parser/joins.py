"""What FROM says by default: which tables a core reads and how they join. Knows the schema, no SQL."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.generators.parser.tokens import NotCovered
from streamlink_sql.generators.parser.tree import (
    Aggregate,
    Arithmetic,
    Best,
    Call,
    Condition,
    Core,
    Expr,
    Filtered,
    Junction,
    Ordered,
    Percent,
    Predicate,
    Query,
    Ref,
    Share,
    Source,
    Star,
    clauses,
    walk,
)

ANY = -1
"""The table of a `count(*)` that is still to be chosen."""

H = TypeVar("H", bound=Hashable)


@dataclass(frozen=True, slots=True)
class From:
    """The tables of a core and the pairs of columns that join them."""

    sources: tuple[Source, ...]
    on: tuple[tuple[Ref, Ref], ...]


def partition(pairs: Iterable[tuple[H, H]]) -> frozenset[frozenset[H]]:
    """The groups of what the pairs connect."""
    groups: list[set[H]] = []
    for pair in pairs:
        touched = [group for group in groups if not group.isdisjoint(pair)]
        groups = [group for group in groups if group.isdisjoint(pair)]
        groups.append(set(pair).union(*touched))
    return frozenset(map(frozenset, groups))


def pointed(core: Core, schema: Schema) -> tuple[tuple[int, str], ...]:
    """The tables that a core's own pointers name, in their order."""
    found: dict[tuple[int, str], None] = {}
    for clause in clauses(core):
        for node in walk(clause):
            if isinstance(node, Ref) and node.where != "OUTER":
                found[schema.table_of(node.column), node.where] = None
            elif isinstance(node, Star) and node.table != ANY:
                found[node.table, ""] = None
    return tuple(found)


def complete(core: Core, schema: Schema) -> From:
    """The FROM clause of a core: what it states, and the default for what it does not."""
    named = [(source.table, source.where) for source in core.sources]
    instances = tuple(dict.fromkeys((*named, *pointed(core, schema))))
    if core.on or any(source.left for source in core.sources):
        return _extended(From(core.sources, core.on), instances[len(named) :], schema)
    seconds = [Source(table, "SECOND") for table, where in instances if where]
    tables = list(dict.fromkeys(table for table, _ in instances))
    if len(tables) < 2:
        return From((*map(Source, tables), *seconds), ())
    edges = schema.join_tree(tables)
    if edges is None:
        return From((*map(Source, tables), *seconds), ())
    ordered = tables[:1]
    while len(ordered) < len(edges) + 1:
        ordered.append(next(end for edge in edges for end in (edge.left, edge.right) if end not in ordered and edge.other(end) in ordered))
    pairs = tuple((Ref(a), Ref(b)) for edge in edges for a, b in edge.pairs)
    return From((*map(Source, ordered), *seconds), pairs)


def _extended(stated: From, missing: Iterable[tuple[int, str]], schema: Schema) -> From:
    """A stated FROM with the tables that it forgot."""
    sources, on = list(stated.sources), list(stated.on)
    for table, where in missing:
        tables = {source.table for source in sources}
        if (table, where) not in ((source.table, source.where) for source in sources):
            sources.append(Source(table, where))
        if where or table in tables:
            continue
        for edge in schema.join_tree({*tables, table}) or ():
            new = {edge.left, edge.right} - tables
            if new:
                present = {source.table for source in sources}
                sources.extend(Source(end) for end in sorted(new - present))
                on.extend((Ref(a), Ref(b)) for a, b in edge.pairs)
    return From(tuple(sources), tuple(on))


def shortest(core: Core, schema: Schema) -> Core:
    """The same core in its canonical form.

    FROM and ON are left out where the default gives the same, `count(*)` gets its table, and of columns that the joins make equal
    the key that the others refer to is named, unless FROM would be needed for that.
    """
    if not core.sources:
        return core
    plain = _without_from(core, schema)
    if not core.on or any(source.where or source.left for source in core.sources):
        return plain
    unified = _without_from(_unified(core, schema), schema)
    return unified if _spelled(unified) <= _spelled(plain) else plain


def _spelled(core: Core) -> int:
    return len(core.sources) + 2 * len(core.on)


def _without_from(core: Core, schema: Schema) -> Core:
    wanted = From(core.sources, core.on)
    named: Core | None = None
    candidates = [_with_counted(core, table) for table in _counted(core, schema)]
    for counted in candidates:
        for short in (replace(counted, sources=(), on=()), replace(counted, sources=_sorted(core.sources), on=())):
            if _same(complete(short, schema), wanted):
                if not short.sources:
                    return short
                named = named or short
    if named is not None:
        return named
    if len(core.sources) > 1 and not core.on:
        raise NotCovered("cross join")
    lefts = any(source.left for source in core.sources)
    return replace(candidates[0], sources=core.sources if lefts else _sorted(core.sources), on=_sorted_pairs(core.on))


def _unified(core: Core, schema: Schema) -> Core:
    """The core with every column that refers to a key, and is joined with it, replaced by that key."""
    references = schema.references

    def place(column: int) -> tuple[bool, bool, int]:
        table, found = schema.columns[column]
        return schema.tables[table].primary_key != (found.name,), any(column == pair[0] for pair in references), column

    joined = {pair for left, right in core.on for pair in ((left.column, right.column), (right.column, left.column))}
    groups = partition(pair for pair in joined & references if schema.columns[pair[0]][1].kind == schema.columns[pair[1]][1].kind)
    keys = {column: min(group, key=place) for group in groups for column in group}

    def choose(node: Star | Ref) -> Star | Ref:
        return Ref(keys.get(node.column, node.column)) if isinstance(node, Ref) and not node.where else node

    return _rewritten(core, choose)


def correlated(core: Core) -> bool:
    """Whether a core names columns of the query around it, or a query inside names its."""
    nodes = [node for clause in clauses(core) for node in walk(clause)]
    inner = (
        node for found in nodes if isinstance(found, Query) for part in found.cores for clause in clauses(part) for node in walk(clause)
    )
    return any(isinstance(node, Ref) and node.where == "OUTER" for node in (*nodes, *inner))


def spelled_out(chosen: Core, core: Core, schema: Schema) -> Core:
    """`chosen` with the FROM clause that `core` has."""
    whole = complete(core, schema)
    return replace(chosen, sources=whole.sources, on=whole.on)


def _sorted(sources: Iterable[Source]) -> tuple[Source, ...]:
    return tuple(sorted(sources, key=lambda source: (source.where, source.table)))


def _sorted_pairs(pairs: Iterable[tuple[Ref, Ref]]) -> tuple[tuple[Ref, Ref], ...]:
    def place(ref: Ref) -> tuple[str, int]:
        return ref.where, ref.column

    ordered = (tuple(sorted(pair, key=place)) for pair in pairs)
    return tuple(sorted(((a, b) for a, b in ordered), key=lambda pair: (place(pair[0]), place(pair[1]))))


def _same(one: From, other: From) -> bool:
    def tables(found: From) -> list[tuple[int, str, bool]]:
        return sorted((source.table, source.where, source.left) for source in found.sources)

    return tables(one) == tables(other) and partition(one.on) == partition(other.on)


def _counted(core: Core, schema: Schema) -> list[int]:
    """Tables that `count(*)` may point to, best first: unnamed ones, then those that refer to others and are not referred to."""
    named = {table for table, _ in pointed(core, schema)}
    tables = sorted({source.table for source in core.sources})
    joined = {ref.column for pair in core.on for ref in pair}

    def referred(table: int) -> bool:
        """Whether the table is joined by its key."""
        key = schema.tables[table].primary_key
        return len(key) == 1 and schema.column_index(table, key[0]) in joined

    return sorted(tables, key=lambda table: (table in named, referred(table)))


def _with_counted(core: Core, table: int) -> Core:
    return _rewritten(core, lambda node: Star(table) if isinstance(node, Star) and node.table == ANY else node)


_Change = Callable[[Star | Ref], Star | Ref]


def _rewritten(core: Core, change: _Change) -> Core:
    return replace(
        core,
        items=tuple(_changed(item, change) for item in core.items),
        condition=core.condition and _changed_condition(core.condition, change),
        group=tuple(_changed(key, change) for key in core.group),
        having=core.having and _changed_condition(core.having, change),
        best=core.best and Best(_changed(core.best.key, change), _changed(core.best.by, change), core.best.direction, core.best.count),
        order=tuple((_changed(key, change), direction) for key, direction in core.order),
    )


def _changed(node: Expr, change: _Change) -> Expr:
    match node:
        case Star() | Ref():
            return change(node)
        case Call(name, ref):
            changed = change(ref)
            return Call(name, changed) if isinstance(changed, Ref) else node
        case Aggregate():
            return _changed_aggregate(node, change)
        case Filtered(of, condition):
            return Filtered(_changed_aggregate(of, change), _changed_condition(condition, change))
        case Ordered(name, of):
            return Ordered(name, _changed(of, change))
        case Arithmetic(name, left, right):
            return Arithmetic(name, _changed(left, change), _changed(right, change))
        case Share(of):
            return Share(_changed(of, change))
        case Percent(condition, amount):
            return Percent(_changed_condition(condition, change), None if amount is None else _changed(amount, change))
        case _:
            return node


def _changed_aggregate(node: Aggregate, change: _Change) -> Aggregate:
    return Aggregate(node.name, _changed(node.of, change))


def _changed_condition(node: Condition, change: _Change) -> Condition:
    if isinstance(node, Junction):
        return Junction(node.name, tuple(_changed_condition(part, change) for part in node.parts))
    left = None if node.left is None else _changed(node.left, change)
    return Predicate(node.name, left, tuple(_changed(operand, change) for operand in node.right))
