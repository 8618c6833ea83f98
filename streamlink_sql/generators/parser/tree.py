"""The representation as a tree, and the tokens of a tree. Knows neither SQL text nor a schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

from streamlink_sql.generators.parser.tokens import (
    Col,
    Tab,
    Token,
    Val,
)


@dataclass(frozen=True, slots=True)
class Ref:
    """A column of the core's own tables, of the second instance of its table, or of the query around this one."""

    column: int
    where: str = ""  # "", "SECOND" or "OUTER"


@dataclass(frozen=True, slots=True)
class Star:
    """All columns of a table, or its rows where they are counted."""

    table: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function of a column."""

    name: str
    ref: Ref


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate of an expression, of rows (COUNT of a Star) or of the only column of a query."""

    name: str
    of: Expr


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two operands."""

    name: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Share:
    """An aggregate as per cent of its total over all groups."""

    of: Expr


@dataclass(frozen=True, slots=True)
class Percent:
    """The rows that satisfy a condition, as per cent of all rows; with an amount, their part of its sum."""

    condition: Condition
    amount: Expr | None = None


@dataclass(frozen=True, slots=True)
class Filtered:
    """An aggregate of the rows that satisfy a condition."""

    of: Aggregate
    condition: Condition


@dataclass(frozen=True, slots=True)
class Ordered:
    """An aggregate over the groups in order of the last key, within the keys before it: RUNNING or CHANGE."""

    name: str
    of: Expr


@dataclass(frozen=True, slots=True)
class Best:
    """The first `count` rows, or groups, for each value of `key`; those that are equal share a place."""

    key: Expr
    by: Expr
    direction: str
    count: Val


@dataclass(frozen=True, slots=True)
class Predicate:
    """`left` is None only for EXISTS and NOT_EXISTS."""

    name: str
    left: Expr | None
    right: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Junction:
    """Parts joined by AND or by OR."""

    name: str
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A table as FROM names it."""

    table: int
    where: str = ""  # "" or "SECOND"
    left: bool = False


@dataclass(frozen=True, slots=True)
class Core:
    """One SELECT. `sources` and `on` are empty where the default joins serve."""

    items: tuple[Expr, ...]
    distinct: bool = False
    sources: tuple[Source, ...] = ()
    on: tuple[tuple[Ref, Ref], ...] = ()
    condition: Condition | None = None
    group: tuple[Expr, ...] = ()
    having: Condition | None = None
    best: Best | None = None
    order: tuple[tuple[Expr, str], ...] = ()
    limit: Val | None = None
    offset: Val | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """Cores joined by set operations, from left to right. ORDER and LIMIT of the last core hold for the whole."""

    cores: tuple[Core, ...]
    operations: tuple[str, ...] = ()


T = TypeVar("T")

Expr = Ref | Star | Call | Aggregate | Arithmetic | Share | Percent | Filtered | Ordered | Val | Query
Condition = Predicate | Junction
MEASURES = (Aggregate, Percent, Share, Filtered, Ordered)
"""What is calculated over many rows."""


def children(node: Expr | Condition) -> tuple[Expr | Condition, ...]:
    """What stands directly under a node."""
    match node:
        case Call(_, ref):
            return (ref,)
        case Aggregate(_, of) | Share(of) | Ordered(_, of):
            return (of,)
        case Arithmetic(_, left, right):
            return (left, right)
        case Filtered(aggregate, condition):
            return (aggregate, condition)
        case Percent(condition, amount):
            return (condition,) if amount is None else (amount, condition)
        case Predicate(_, None, right):
            return right
        case Predicate(_, lhs, right):
            return (lhs, *right) if lhs is not None else right
        case Junction(_, parts):
            return parts
        case _:
            return ()


def walk(node: Expr | Condition) -> Iterator[Expr | Condition]:
    """A node and all under it in token order; a nested query is yielded and not entered."""
    yield node
    for child in children(node):
        yield from walk(child)


def clauses(core: Core) -> Iterator[Expr | Condition]:
    """The expressions and conditions of a core in token order."""
    yield from core.items
    if core.condition is not None:
        yield core.condition
    yield from core.group
    if core.having is not None:
        yield core.having
    if core.best is not None:
        yield from (core.best.key, core.best.by)
    yield from (expression for expression, _ in core.order)


def rebuilt(node: T, change: Callable[[Any], Any]) -> T:
    """The node with all under it changed, parts before the whole."""
    if isinstance(node, tuple):
        return tuple(rebuilt(part, change) for part in node)  # type: ignore[return-value]
    if not is_dataclass(node) or isinstance(node, type):
        return node
    parts = {each.name: rebuilt(getattr(node, each.name), change) for each in fields(node)}
    return change(replace(node, **parts))  # type: ignore[no-any-return]


def with_conditions(query: Query, change: Callable[[Condition], Condition]) -> Query:
    """The same with every condition changed, of percentages and nested queries as well, parts before the whole."""
    return rebuilt(query, lambda node: change(node) if isinstance(node, (Predicate, Junction)) else node)


def emit(query: Query) -> tuple[Token, ...]:
    """The tokens of a query."""
    return tuple(_query(query))


def _query(query: Query) -> Iterator[Token]:
    for operation, core in zip(("", *query.operations), query.cores, strict=True):
        if operation:
            yield operation
        yield from _core(core)
    yield "END"


def _core(core: Core) -> Iterator[Token]:
    yield "SELECT_DISTINCT" if core.distinct else "SELECT"
    for item in core.items:
        yield from _expr(item)
    if core.sources:
        yield from _from(core)
    if core.condition is not None:
        yield "WHERE"
        yield from _condition(core.condition)
    if core.group:
        yield "GROUP"
        for key in core.group:
            yield from _expr(key)
    if core.having is not None:
        yield "HAVING"
        yield from _condition(core.having)
    if core.best is not None:
        yield "EACH"
        yield from _expr(core.best.key)
        yield from _expr(core.best.by)
        yield from (core.best.direction, core.best.count)
    if core.order:
        yield "ORDER"
        for expression, direction in core.order:
            yield from _expr(expression)
            yield direction
    if core.limit is not None:
        yield "LIMIT"
        yield core.limit
    if core.offset is not None:
        yield "OFFSET"
        yield core.offset


def _from(core: Core) -> Iterator[Token]:
    yield "FROM"
    for source in core.sources:
        if source.left:
            yield "LEFT"
        if source.where:
            yield source.where
        yield Tab(source.table)
    for left, right in core.on:
        yield "ON"
        yield from _expr(left)
        yield from _expr(right)


def _expr(node: Expr) -> Iterator[Token]:
    match node:
        case Ref(column, where):
            if where:
                yield where
            yield Col(column)
        case Star(table):
            yield Tab(table)
        case Call(name, ref):
            yield name
            yield from _expr(ref)
        case Aggregate(name, of):
            yield name
            yield from _expr(of)
        case Arithmetic(name, left, right):
            yield name
            yield from _expr(left)
            yield from _expr(right)
        case Share(of):
            yield "SHARE"
            yield from _expr(of)
        case Ordered(name, of):
            yield name
            yield from _expr(of)
        case Filtered(aggregate, condition):
            yield "FILTER"
            yield from _expr(aggregate)
            yield from _condition(condition)
            yield "CLOSE"
        case Percent(condition, amount):
            yield "PERCENT"
            if amount is not None:
                yield "SUM"
                yield from _expr(amount)
            yield from _condition(condition)
            yield "CLOSE"
        case Query():
            yield from _query(node)
        case _:
            yield node


def _condition(node: Condition, inside: str = "") -> Iterator[Token]:
    if isinstance(node, Predicate):
        yield from _predicate(node)
        return
    wrap = inside == "AND" and node.name == "OR"
    if wrap:
        yield "OPEN"
    for position, part in enumerate(node.parts):
        if position:
            yield node.name
        yield from _condition(part, node.name)
    if wrap:
        yield "CLOSE"


def _predicate(node: Predicate) -> Iterator[Token]:
    if node.left is None:
        yield node.name
    else:
        yield from _expr(node.left)
        yield node.name
    for operand in node.right:
        yield from _expr(operand)
    if node.name in ("IN", "NOT_IN") and not isinstance(node.right[0], Query):
        yield "CLOSE"


def join(name: str, parts: Sequence[Condition]) -> Condition:
    """The parts under one AND or OR, flat."""
    flat: list[Condition] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Junction) and part.name == name else [part])
    return flat[0] if len(flat) == 1 else Junction(name, tuple(flat))
