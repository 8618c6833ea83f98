"""SQL expressions to the representation. Reads no FROM and no clauses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from streamlink_sql.generators.parser import joins
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.generators.parser.shapes import bare, called, case_of, counted, factors, filtered, number_of, so_far, summed, tidy
from streamlink_sql.generators.parser.tokens import NotCovered, Val
from streamlink_sql.generators.parser.tree import (
    Aggregate,
    Arithmetic,
    Call,
    Condition,
    Expr,
    Filtered,
    Ordered,
    Percent,
    Query,
    Ref,
    Share,
    Source,
    Star,
)

AGGREGATES: dict[type[exp.Expr], str] = {
    exp.Count: "COUNT",
    exp.Sum: "SUM",
    exp.Avg: "AVG",
    exp.Min: "MIN",
    exp.Max: "MAX",
    exp.Median: "MEDIAN",
}
_ARITHMETIC: dict[type[exp.Expr], str] = {exp.Add: "ADD", exp.Sub: "SUB", exp.Mul: "MUL", exp.Div: "DIV"}


@dataclass
class Scope:
    """The names that one SELECT can see."""

    outer: Scope | None
    ctes: dict[str, exp.Expr] = field(default_factory=dict)
    names: dict[str, tuple[int, str]] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    aliases: dict[str, exp.Expr] = field(default_factory=dict)
    items: list[exp.Expr] = field(default_factory=list)
    pairs: list[tuple[Ref, Ref]] = field(default_factory=list)
    filters: list[exp.Expr] = field(default_factory=list)
    sequence: tuple[Expr, ...] = ()
    """The keys that groups are taken in the order of, the last of them one after another."""


def outward(scope: Scope) -> Iterator[Scope]:
    found: Scope | None = scope
    while found is not None:
        yield found
        found = found.outer


class ExpressionReader(ABC):
    """Turns sqlglot's expressions into ours."""

    def __init__(self, schema: Schema, dialect: str) -> None:
        self.schema = schema
        self.dialect = dialect

    @abstractmethod
    def query(self, node: exp.Expr, outer: Scope | None) -> Query:
        """A nested query."""

    @abstractmethod
    def condition(self, node: exp.Expr, scope: Scope) -> Condition:
        """A condition inside an expression."""

    def column(self, node: exp.Expr, scope: Scope) -> Expr:
        """A column, the item that its name stands for, or SQLite's double-quoted text."""
        name = node.name
        if node.args.get("table"):
            return self.qualified(node.args["table"].name, name, scope)
        for level, found in enumerate(outward(scope)):
            for source in found.sources:
                column = self.schema.column_index(source.table, name)
                if column is not None:
                    return Ref(column, self.seen_from(level, source.where))
            if name.casefold() in found.aliases and level == 0:
                alias = found.aliases.pop(name.casefold())
                try:
                    return self.expr(alias, scope)
                finally:
                    found.aliases[name.casefold()] = alias
        if node.this.quoted and self.dialect == "sqlite":
            return Val(name)
        if name.casefold() in ("true", "false"):
            return Val(int(name.casefold() == "true"))
        raise NotCovered("unknown column")

    def qualified(self, table: str, name: str, scope: Scope) -> Ref:
        for level, found in enumerate(outward(scope)):
            source = found.names.get(table.casefold())
            if source is not None:
                column = self.schema.column_index(source[0], name)
                if column is None:
                    raise NotCovered("unknown column")
                return Ref(column, self.seen_from(level, source[1]))
        raise NotCovered("unknown alias")

    def seen_from(self, level: int, where: str) -> str:
        if level > 1 or (level and where):
            raise NotCovered("column of a far query")
        return "OUTER" if level else where

    def expr(self, node: exp.Expr, scope: Scope) -> Expr:
        node = bare(node)
        if isinstance(node, exp.Column):
            return self.column(node, scope)
        literal = self.literal(node)
        if literal is not None:
            return literal
        if isinstance(node, exp.Subquery):
            return self.query(node, scope)
        special = self.percent(node, scope) or self.share(node, scope) or self.decade(node, scope) or self.over_groups(node, scope)
        if special is not None:
            return special
        part = filtered(node)
        if part is not None:
            aggregate, condition = part
            if type(aggregate) not in AGGREGATES:
                raise NotCovered(f"expression {aggregate.key} under FILTER")
            return Filtered(self.aggregate(aggregate, scope), self.condition(condition, scope))
        if type(node) in AGGREGATES:
            return self.aggregate(node, scope)
        if type(node) in _ARITHMETIC:
            return self.arithmetic(node, scope)
        called = self.call(node, scope)
        if called is not None:
            return called
        if isinstance(node, exp.Coalesce) and all(number_of(other) == 0 for other in node.expressions):
            return self.expr(node.this, scope)
        if isinstance(node, exp.Nullif) and number_of(node.expression) == 0:
            return self.expr(node.this, scope)
        if isinstance(node, (exp.Lower, exp.Upper)):
            raise NotCovered("LOWER or UPPER outside a comparison")
        raise NotCovered(f"expression {node.key}")

    def literal(self, node: exp.Expr) -> Val | None:
        number = number_of(node)
        if number is not None:
            return Val(number)
        if isinstance(node, exp.Literal):
            return Val(node.name)
        return Val(int(node.this)) if isinstance(node, exp.Boolean) else None

    def aggregate(self, node: exp.Expr, scope: Scope) -> Aggregate:
        name = AGGREGATES[type(node)]
        of = node.this
        if node.expressions:
            raise NotCovered(f"{name} of several arguments")
        if isinstance(of, exp.Distinct):
            if name in ("MIN", "MAX"):
                of = of.expressions[0]
            elif name != "COUNT" or len(of.expressions) != 1:
                raise NotCovered(f"{name} DISTINCT")
            else:
                name, of = "COUNT_DISTINCT", of.expressions[0]
        of = bare(of)
        starred = isinstance(of, exp.Star) or (isinstance(of, exp.Column) and isinstance(of.this, exp.Star)) or isinstance(of, exp.Literal)
        if name == "COUNT" and starred:
            return Aggregate("COUNT", Star(joins.ANY))
        inner = self.expr(of, scope)
        if isinstance(inner, (Val, Query, Star, Aggregate, Share, Percent, Filtered, Ordered)):
            raise NotCovered(f"{name} of {type(inner).__name__.lower()}")
        return Aggregate(name, inner)

    def arithmetic(self, node: exp.Expr, scope: Scope) -> Expr:
        if isinstance(node, (exp.Mul, exp.Div)):
            constant, above, below = factors(node)
            if below:
                return self.ratio(constant, above, below, scope)
        return Arithmetic(_ARITHMETIC[type(node)], self.expr(node.this, scope), self.expr(node.expression, scope))

    def ratio(self, constant: float, above: Sequence[exp.Expr], below: Sequence[exp.Expr], scope: Scope) -> Expr:
        top: Expr = self.product(above, scope) if above else Val(tidy(constant))
        quotient = Arithmetic("DIV", top, self.product(below, scope))
        return quotient if constant == 1 or not above else Arithmetic("MUL", Val(tidy(constant)), quotient)

    def product(self, factors: Sequence[exp.Expr], scope: Scope) -> Expr:
        found = self.expr(factors[0], scope)
        for factor in factors[1:]:
            found = Arithmetic("MUL", found, self.expr(factor, scope))
        return found

    def call(self, node: exp.Expr, scope: Scope) -> Call | None:
        """A function of one column."""
        name, of = called(node)
        if not name or of is None:
            return None
        ref = self.expr(of, scope)
        if not isinstance(ref, Ref):
            raise NotCovered(f"{name} of more than a column")
        return Call(name, ref)

    def decade(self, node: exp.Expr, scope: Scope) -> Call | None:
        """`year // 10 * 10` and its other spellings."""
        of: exp.Expr | None = None
        if isinstance(node, exp.Mul) and number_of(node.expression) == 10:
            floor = bare(node.this)
            floor = bare(floor.this) if isinstance(floor, exp.Floor) else floor
            if isinstance(floor, (exp.IntDiv, exp.Div)) and number_of(floor.expression) == 10:
                of = bare(floor.this)
        elif isinstance(node, exp.Sub):
            rest = bare(node.expression)
            if isinstance(rest, exp.Mod) and number_of(rest.expression) == 10 and bare(rest.this) == bare(node.this):
                of = bare(node.this)
        if of is None:
            return None
        year = self.expr(of, scope)
        if isinstance(year, Call) and year.name == "YEAR":
            return Call("DECADE", year.ref)
        return Call("DECADE", year) if isinstance(year, Ref) else None

    def percent(self, node: exp.Expr, scope: Scope) -> Percent | None:
        """`100 * (rows that satisfy a condition) / count(*)`, `100 * avg(CASE ...)` and `100 * (sum over such rows) / sum(amount)`."""
        if not isinstance(node, (exp.Mul, exp.Div, exp.Avg)):
            return None
        constant, above, below = factors(node)
        if len(above) != 1:
            return None
        one = bare(above[0])
        if isinstance(one, exp.Avg) and not below:
            found = case_of(bare(one.this))
            return Percent(self.condition(found[0], scope)) if found is not None and constant * (number_of(found[1]) or 0) == 100 else None
        if len(below) != 1 or constant != 100:
            return None
        whole = bare(below[0])
        if isinstance(whole, exp.Count):
            hit = counted(one)
            return Percent(self.condition(hit, scope)) if hit is not None else None
        part = summed(one) if isinstance(whole, exp.Sum) else None
        if part is None or part[1] != bare(whole.this) or number_of(part[1]) is not None:
            return None
        return Percent(self.condition(part[0], scope), self.expr(part[1], scope))

    def share(self, node: exp.Expr, scope: Scope) -> Share | None:
        """`100 * agg / sum(agg) OVER ()`."""
        if not isinstance(node, (exp.Mul, exp.Div)):
            return None
        constant, above, below = factors(node)
        if constant != 100 or len(above) != 1 or len(below) != 1:
            return None
        one, whole = bare(above[0]), bare(below[0])
        if not isinstance(whole, exp.Window) or whole.args.get("partition_by") or whole.args.get("order"):
            return None
        total = whole.this
        if not isinstance(total, exp.Sum) or bare(total.this) != one or type(one) not in AGGREGATES:
            return None
        return Share(self.aggregate(one, scope))

    def over_groups(self, node: exp.Expr, scope: Scope) -> Ordered | None:
        """`sum(agg) OVER (... ORDER BY key)` and `agg - lag(agg) OVER (... ORDER BY key)`."""
        found = so_far(node)
        if found is None or type(found.of) not in AGGREGATES:
            return None
        keys = tuple(self.expr(key, scope) for key in (*found.within, found.by))
        if scope.sequence not in ((), keys):
            raise NotCovered("groups in two orders")
        scope.sequence = keys
        return Ordered(found.name, self.aggregate(found.of, scope))
