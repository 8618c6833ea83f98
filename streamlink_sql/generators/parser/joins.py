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
    Call,
    Condition,
    Core,
    Expr,
    Junction,
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
    """The FROM clause of a core, the default where it has none or only a part."""
    if core.on or any(source.left for source in core.sources):
        return From(core.sources, core.on)
    instances = tuple((source.table, source.where) for source in core.sources) or pointed(core, schema)
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


def shortest(core: Core, schema: Schema) -> Core:
    """The same core with FROM and ON left out where the default gives the same, and the counted table chosen."""
    if not core.sources:
        return core
    wanted = From(core.sources, core.on)
    fallback: Core | None = None
    for table in _counted(core, schema):
        counted = _with_counted(core, table)
        for short in (replace(counted, sources=(), on=()), replace(counted, sources=_sorted(core.sources), on=())):
            if _same(complete(short, schema), wanted):
                if not short.sources:
                    return short
                fallback = fallback or short
    if fallback is not None:
        return fallback
    if len(core.sources) > 1 and not core.on:
        raise NotCovered("cross join")
    counted = _with_counted(core, next(iter(_counted(core, schema))))
    lefts = any(source.left for source in core.sources)
    return replace(counted, sources=core.sources if lefts else _sorted(core.sources), on=_sorted_pairs(core.on))


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
    tables = list(dict.fromkeys(source.table for source in core.sources))
    referred = {edge.right for edge in schema.edges if edge.left in tables and edge.right in tables}
    return sorted(tables, key=lambda table: (table in named, table in referred))


def _with_counted(core: Core, table: int) -> Core:
    def choose(node: Star) -> Star:
        return Star(table) if node.table == ANY else node

    return replace(
        core,
        items=tuple(_changed(item, choose) for item in core.items),
        condition=core.condition and _changed_condition(core.condition, choose),
        group=tuple(_changed(key, choose) for key in core.group),
        having=core.having and _changed_condition(core.having, choose),
        order=tuple((_changed(key, choose), direction) for key, direction in core.order),
    )


def _changed(node: Expr, change: Callable[[Star], Star]) -> Expr:
    match node:
        case Star():
            return change(node)
        case Aggregate(name, of):
            return Aggregate(name, _changed(of, change))
        case Arithmetic(name, left, right):
            return Arithmetic(name, _changed(left, change), _changed(right, change))
        case Share(of):
            return Share(_changed(of, change))
        case Percent(condition):
            return Percent(_changed_condition(condition, change))
        case Call() | Ref():
            return node
        case _:
            return node


def _changed_condition(node: Condition, change: Callable[[Star], Star]) -> Condition:
    if isinstance(node, Junction):
        return Junction(node.name, tuple(_changed_condition(part, change) for part in node.parts))
    left = None if node.left is None else _changed(node.left, change)
    return Predicate(node.name, left, tuple(_changed(operand, change) for operand in node.right))
