"""Tokens to the tree: the way back of `tree.emit`. Knows neither SQL text nor a schema."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from streamlink_sql.generators.parser.tokens import (
    AGGREGATES,
    ARITHMETIC,
    COMPARISONS,
    FUNCTIONS,
    LAST,
    LAST_DAYS,
    LENGTHS,
    PARTS_OF_TIMES,
    PATTERNS,
    ROUND,
    SEQUENCES,
    SET_OPERATIONS,
    STATISTICS,
    Col,
    NotCovered,
    Tab,
    Token,
    Val,
)
from streamlink_sql.generators.parser.tree import (
    Aggregate,
    Arithmetic,
    Best,
    Call,
    Condition,
    Core,
    Expr,
    Filtered,
    Ordered,
    Percent,
    Predicate,
    Query,
    Ref,
    Share,
    Source,
    Star,
    join,
)

T = TypeVar("T")
_SHARE, _PERCENT, _FILTER = ("SHARE",), ("PERCENT",), ("FILTER",)
_AFTER_GROUP = ("HAVING", "EACH", "ORDER", "LIMIT", "END", *SET_OPERATIONS)
_CLAUSES = ("WHERE", "GROUP", *_AFTER_GROUP)


def parse(tokens: Sequence[Token]) -> Query:
    """The tree of a whole, grammatical string; NotCovered where it is none."""
    reader = _Reader(tokens)
    query = reader.query()
    if reader.at != len(tokens):
        raise NotCovered("tokens after the end")
    return query


class _Reader:
    """Reads tokens by recursive descent."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self) -> Token:
        if self.at >= len(self.tokens):
            raise NotCovered("the tokens end too early")
        return self.tokens[self.at]

    def next(self) -> Token:
        token = self.peek()
        self.at += 1
        return token

    def take(self, *names: str) -> str:
        """The next token, when it is one of these keywords; otherwise nothing is read."""
        token = self.peek()
        if isinstance(token, str) and token in names:
            self.at += 1
            return token
        return ""

    def expect(self, *names: str) -> str:
        found = self.take(*names)
        if not found:
            raise NotCovered(f"{self.peek()!r} where {' or '.join(names)} belongs")
        return found

    def query(self) -> Query:
        cores, operations = [self.core()], []
        while operation := self.take(*SET_OPERATIONS):
            operations.append(operation)
            cores.append(self.core())
        self.expect("END")
        return Query(tuple(cores), tuple(operations))

    def core(self) -> Core:
        distinct = self.expect("SELECT", "SELECT_DISTINCT") == "SELECT_DISTINCT"
        items = self.many(self.expr, "FROM", *_CLAUSES)
        sources: tuple[Source, ...] = ()
        on: list[tuple[Ref, Ref]] = []
        if self.take("FROM"):
            sources = self.many(self.source, "ON", *_CLAUSES)
            while self.take("ON"):
                on.append((self.ref(), self.ref()))
        condition = self.condition() if self.take("WHERE") else None
        group = self.many(self.expr, *_AFTER_GROUP) if self.take("GROUP") else ()
        having = self.condition() if self.take("HAVING") else None
        best = Best(self.expr(), *self.ordering(), self.value()) if self.take("EACH") else None
        order = self.many(self.ordering, "LIMIT", "END", *SET_OPERATIONS) if self.take("ORDER") else ()
        limit = self.value() if self.take("LIMIT") else None
        offset = self.value() if self.take("OFFSET") else None
        return Core(items, distinct, sources, tuple(on), condition, group, having, best, order, limit, offset)

    def many(self, one: Callable[[], T], *ends: str) -> tuple[T, ...]:
        found = [one()]
        while self.peek() not in ends:
            found.append(one())
        return tuple(found)

    def source(self) -> Source:
        left = bool(self.take("LEFT"))
        where = self.take("SECOND")
        token = self.next()
        if not isinstance(token, Tab):
            raise NotCovered(f"{token!r} where a table belongs")
        return Source(token.index, where, left)

    def ref(self) -> Ref:
        where = self.take("SECOND", "OUTER")
        token = self.next()
        if not isinstance(token, Col):
            raise NotCovered(f"{token!r} where a column belongs")
        return Ref(token.index, where)

    def value(self) -> Val:
        token = self.next()
        if not isinstance(token, Val):
            raise NotCovered(f"{token!r} where a value belongs")
        return token

    def ordering(self) -> tuple[Expr, str]:
        return self.expr(), self.expect("ASC", "DESC")

    def expr(self) -> Expr:
        token = self.peek()
        if isinstance(token, (Val, Tab)):
            self.at += 1
            return token if isinstance(token, Val) else Star(token.index)
        if isinstance(token, Col) or token in ("SECOND", "OUTER"):
            return self.ref()
        if token in ("SELECT", "SELECT_DISTINCT"):
            return self.query()
        self.at += 1
        if token in (*AGGREGATES, *STATISTICS):
            return Aggregate(token, self.expr())
        if token in (*FUNCTIONS, *PARTS_OF_TIMES):
            return Call(token, self.ref())
        if token in (*ARITHMETIC, *LENGTHS, ROUND):
            return Arithmetic(token, self.expr(), self.expr())
        if token in _SHARE:
            return Share(self.expr())
        if token in SEQUENCES:
            return Ordered(token, self.expr())
        if token in _FILTER:
            of = self.expr()
            if not isinstance(of, Aggregate):
                raise NotCovered("FILTER without an aggregate")
            condition = self.condition()
            self.expect("CLOSE")
            return Filtered(of, condition)
        if token in _PERCENT:
            amount = self.expr() if self.take("SUM") else None
            condition = self.condition()
            self.expect("CLOSE")
            return Percent(condition, amount)
        raise NotCovered(f"{token!r} where an expression belongs")

    def condition(self) -> Condition:
        alternatives = [self.conjunction()]
        while self.take("OR"):
            alternatives.append(self.conjunction())
        return join("OR", alternatives)

    def conjunction(self) -> Condition:
        parts = [self.predicate()]
        while self.take("AND"):
            parts.append(self.predicate())
        return join("AND", parts)

    def predicate(self) -> Condition:
        if self.take("OPEN"):
            inner = self.condition()
            self.expect("CLOSE")
            return inner
        if name := self.take("EXISTS", "NOT_EXISTS"):
            return Predicate(name, None, (self.query(),))
        left = self.expr()
        name = self.expect(*COMPARISONS, "BETWEEN", *PATTERNS, "IN", "NOT_IN", "IS_NULL", "NOT_NULL", *LAST, LAST_DAYS)
        if name in ("IS_NULL", "NOT_NULL"):
            return Predicate(name, left)
        if name == "BETWEEN":
            return Predicate(name, left, (self.expr(), self.expr()))
        if name in ("IN", "NOT_IN"):
            return Predicate(name, left, self.members())
        return Predicate(name, left, (self.expr(),))

    def members(self) -> tuple[Expr, ...]:
        if self.peek() in ("SELECT", "SELECT_DISTINCT"):
            return (self.query(),)
        values = self.many(self.value, "CLOSE")
        self.expect("CLOSE")
        return values
