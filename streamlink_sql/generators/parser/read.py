"""SQL to the representation. Reads SQL with sqlglot; runs nothing.

What has several forms in SQL has one here: NOT goes into the comparison, `x LIKE '%a%'` and `contains` are CONTAINS, aliases and
positions become what they stand for, `1.0 * a / nullif(b, 0)` is DIV, and FROM is left out where the default joins give the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from streamlink_sql.generators.parser import joins
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.generators.parser.tokens import NotCovered, Token, Val
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
    emit,
    join,
)

_SETS: dict[type[exp.Expr], str] = {exp.Union: "UNION", exp.Intersect: "INTERSECT", exp.Except: "EXCEPT"}
_AGGREGATES: dict[type[exp.Expr], str] = {exp.Count: "COUNT", exp.Sum: "SUM", exp.Avg: "AVG", exp.Min: "MIN", exp.Max: "MAX"}
_ARITHMETIC: dict[type[exp.Expr], str] = {exp.Add: "ADD", exp.Sub: "SUB", exp.Mul: "MUL", exp.Div: "DIV"}
_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "EQ",
    exp.NEQ: "NE",
    exp.LT: "LT",
    exp.LTE: "LE",
    exp.GT: "GT",
    exp.GTE: "GE",
    exp.NullSafeEQ: "EQ",
    exp.NullSafeNEQ: "NE",
}
_FLIPPED = {"EQ": "EQ", "NE": "NE", "LT": "GT", "LE": "GE", "GT": "LT", "GE": "LE"}
_OPPOSITES = {"EQ": "NE", "LT": "GE", "LE": "GT", "IN": "NOT_IN", "IS_NULL": "NOT_NULL", "EXISTS": "NOT_EXISTS"}
_OPPOSITES |= {"CONTAINS": "NOT_CONTAINS", "LIKE": "NOT_LIKE"}
_OPPOSITES |= {negative: positive for positive, negative in _OPPOSITES.items()}
_PARTS = {
    "year": "YEAR",
    "quarter": "QUARTER",
    "month": "MONTH",
    "decade": "DECADE",
    "day": "DAY",
    "dayofmonth": "DAY",
    "dow": "WEEKDAY",
    "dayofweek": "WEEKDAY",
    "weekday": "WEEKDAY",
}
_CALLS: dict[type[exp.Expr], str] = {
    exp.Year: "YEAR",
    exp.Quarter: "QUARTER",
    exp.Month: "MONTH",
    exp.Day: "DAY",
    exp.DayOfMonth: "DAY",
    exp.DayOfWeek: "WEEKDAY",
    exp.Length: "LENGTH",
}
_FORMATS = {"%Y": "YEAR", "%m": "MONTH", "%d": "DAY", "%w": "WEEKDAY", "%Y-%m": "YEAR_MONTH"}
_WRAPPERS = (exp.Paren, exp.Alias, exp.Cast, exp.TryCast, exp.Round, exp.TsOrDsToDate, exp.TsOrDsToTimestamp, exp.Date, exp.Timestamp)
_PLAIN_CLAUSES = {"expressions", "from_", "joins", "where", "group", "having", "order", "limit", "distinct", "with_", "kind"}


def to_ir(sql: str, schema: Schema, dialect: Literal["sqlite", "duckdb"]) -> tuple[Token, ...]:
    """The tokens of a query. Raises NotCovered with the reason where the representation cannot say it."""
    try:
        tree = sqlglot.parse_one(sql.strip().rstrip(";"), read=dialect)
    except (SqlglotError, RecursionError) as error:
        raise NotCovered("does not parse") from error
    if not isinstance(tree, exp.Query) or (isinstance(tree, exp.Select) and not tree.expressions):
        raise NotCovered("not a query")
    return emit(_Reader(schema, dialect).query(tree, None))


@dataclass
class _Scope:
    """The names that one SELECT can see."""

    outer: _Scope | None
    ctes: dict[str, exp.Expr] = field(default_factory=dict)
    names: dict[str, tuple[int, str]] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    aliases: dict[str, exp.Expr] = field(default_factory=dict)
    items: list[exp.Expr] = field(default_factory=list)
    pairs: list[tuple[Ref, Ref]] = field(default_factory=list)
    filters: list[exp.Expr] = field(default_factory=list)


def _bare(node: exp.Expr) -> exp.Expr:
    """A node without parentheses, alias and casts."""
    while isinstance(node, _WRAPPERS):
        node = node.this
    return node


def _unparen(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def _number(node: exp.Expr) -> int | float | None:
    node = _bare(node)
    if isinstance(node, exp.Neg):
        inner = _number(node.this)
        return None if inner is None else -inner
    if isinstance(node, exp.Literal) and not node.is_string:
        try:
            return int(node.name)
        except ValueError:
            return float(node.name)
    return None


def _conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    node = _unparen(node)
    if isinstance(node, exp.And):
        yield from _conjuncts(node.left)
        yield from _conjuncts(node.right)
    elif not (isinstance(node, exp.Boolean) and node.this):
        yield node


class _Reader:
    """Turns sqlglot's tree into ours."""

    def __init__(self, schema: Schema, dialect: str) -> None:
        self.schema = schema
        self.dialect = dialect

    # Queries

    def query(self, node: exp.Expr, outer: _Scope | None, ctes: dict[str, exp.Expr] | None = None) -> Query:
        ctes = dict(ctes or (outer.ctes if outer else {}))
        while isinstance(node, (exp.Subquery, exp.Paren)):
            node = node.this
        for cte in node.args["with_"].expressions if node.args.get("with_") else ():
            ctes[cte.alias.casefold()] = cte.this
        if isinstance(node, exp.SetOperation):
            return self.compound(node, outer, ctes)
        if not isinstance(node, exp.Select):
            raise NotCovered(f"{node.key} as a query")
        passed = self.passed_through(node, ctes)
        return self.query(passed, outer, ctes) if passed is not None else Query((self.core(node, outer, ctes),))

    def compound(self, node: exp.SetOperation, outer: _Scope | None, ctes: dict[str, exp.Expr]) -> Query:
        name = next(found for kind, found in _SETS.items() if isinstance(node, kind))
        if not node.args.get("distinct", True):
            if name != "UNION":
                raise NotCovered(f"{name} ALL")
            name = "UNION_ALL"
        left, right = self.query(node.left, outer, ctes), self.query(node.right, outer, ctes)
        if len(right.cores) > 1 or any(core.order or core.limit for core in (*left.cores, *right.cores)):
            raise NotCovered("nested set operation")
        last = right.cores[0]
        order, limit = node.args.get("order"), node.args.get("limit")
        if order or limit:
            first = node
            while isinstance(first, exp.SetOperation):
                first = _select_of(first.left)
            last = replace(last, order=self.compound_order(order, first, last) if order else (), limit=self.limit(node))
        return Query((*left.cores, last), (*left.operations, name))

    def compound_order(self, order: exp.Expr, first: exp.Expr, last: Core) -> tuple[tuple[Expr, str], ...]:
        names = [item.alias_or_name.casefold() for item in first.expressions]
        found: list[tuple[Expr, str]] = []
        for term in order.expressions:
            key = _bare(term.this)
            number = _number(key)
            position = names.index(key.name.casefold()) if key.name.casefold() in names else (int(number) - 1 if number else None)
            if position is None or position >= len(last.items):
                raise NotCovered("order of a set operation")
            found.append((last.items[position], "DESC" if term.args.get("desc") else "ASC"))
        return tuple(found)

    def passed_through(self, node: exp.Select, ctes: dict[str, exp.Expr]) -> exp.Expr | None:
        """The query inside `SELECT * FROM (query)`."""
        inner = self.derived(node, ctes)
        if inner is None or set(_clauses(node)) - {"expressions", "from_", "with_"}:
            return None
        return inner if len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Star) else None

    def derived(self, node: exp.Select, ctes: dict[str, exp.Expr]) -> exp.Expr | None:
        """The query that stands alone in FROM."""
        source = node.args.get("from_")
        if source is None or node.args.get("joins"):
            return None
        inner = source.this
        if isinstance(inner, exp.Subquery):
            return _select_of(inner)
        return ctes.get(inner.name.casefold()) if isinstance(inner, exp.Table) and not inner.db else None

    def core(self, node: exp.Select, outer: _Scope | None, ctes: dict[str, exp.Expr]) -> Core:
        extra = set(_clauses(node)) - _PLAIN_CLAUSES
        if extra:
            raise NotCovered(f"clause {', '.join(sorted(extra)).strip('_')}")
        inner = self.derived(node, ctes)
        if inner is not None:
            return self.over_derived(node, inner, outer, ctes)
        scope = _Scope(outer, ctes)
        self.read_from(node, scope)
        self.read_aliases(node, scope)
        distinct = node.args.get("distinct")
        if distinct is not None and distinct.args.get("on"):
            raise NotCovered("DISTINCT ON")
        condition = self.where(node, scope)
        items = tuple(found for item in node.expressions for found in self.item(item, scope))
        core = Core(
            items,
            distinct is not None,
            tuple(scope.sources),
            tuple(scope.pairs),
            condition,
            self.group(node, scope),
            self.condition(node.args["having"].this, scope) if node.args.get("having") else None,
            self.order(node, scope),
            self.limit(node),
        )
        return joins.shortest(core, self.schema)

    def over_derived(self, node: exp.Select, inner: exp.Expr, outer: _Scope | None, ctes: dict[str, exp.Expr]) -> Core:
        """`SELECT agg(x) FROM (query)`."""
        if set(_clauses(node)) - {"expressions", "from_", "with_"} or len(node.expressions) != 1:
            raise NotCovered("derived table")
        call = _bare(node.expressions[0])
        name = _AGGREGATES.get(type(call))
        if name is None:
            raise NotCovered("derived table")
        query = self.query(inner, outer, ctes)
        if isinstance(call, exp.Count) and isinstance(call.this, (exp.Star, exp.Literal)):
            return Core((Aggregate("COUNT", query),))
        of = _bare(call.this)
        if not isinstance(of, exp.Column) or not isinstance(inner, exp.Select) or len(query.cores) != 1:
            raise NotCovered("derived table")
        names = [item.alias_or_name.casefold() for item in inner.expressions]
        if of.name.casefold() not in names or len(names) != len(query.cores[0].items):
            raise NotCovered("derived table")
        core = query.cores[0]
        if core.distinct and len(names) > 1:
            raise NotCovered("derived table")
        chosen = replace(core, items=(core.items[names.index(of.name.casefold())],))
        return Core((Aggregate(name, Query((joins.shortest(joins.spelled_out(chosen, core, self.schema), self.schema),))),))

    # FROM

    def read_from(self, node: exp.Select, scope: _Scope) -> None:
        source = node.args.get("from_")
        if source is None:
            return
        self.add_source(source.this, scope)
        for found in node.args.get("joins") or ():
            self.add_join(found, scope)

    def add_source(self, node: exp.Expr, scope: _Scope, *, left: bool = False) -> None:
        if not isinstance(node, exp.Table):
            raise NotCovered("derived table in a join" if isinstance(node, exp.Subquery) else f"{node.key} in FROM")
        if node.name.casefold() in scope.ctes and not node.db:
            raise NotCovered("WITH in a join")
        table = self.schema.table_index(node.name)
        if table is None:
            raise NotCovered(f"unknown table {node.name}")
        instances = sum(source.table == table for source in scope.sources)
        if instances > 1:
            raise NotCovered("third instance of a table")
        where = "SECOND" if instances else ""
        scope.sources.append(Source(table, where, left))
        scope.names[node.alias_or_name.casefold()] = (table, where)
        for found in node.args.get("joins") or ():
            self.add_join(found, scope)

    def add_join(self, node: exp.Join, scope: _Scope) -> None:
        if node.side in ("RIGHT", "FULL") or node.kind in ("SEMI", "ANTI") or node.method:
            raise NotCovered(f"{node.method or node.side or node.kind} join")
        left = node.side == "LEFT"
        self.add_source(node.this, scope, left=left)
        for name in node.args.get("using") or ():
            scope.pairs.append(self.using(name.name, scope))
        condition = node.args.get("on")
        for part in _conjuncts(condition) if condition is not None else ():
            pair = self.pair(part, scope)
            if pair is not None:
                scope.pairs.append(pair)
            elif left:
                raise NotCovered("condition of a left join")
            else:
                scope.filters.append(part)

    def using(self, name: str, scope: _Scope) -> tuple[Ref, Ref]:
        *before, last = scope.sources
        right = self.schema.column_index(last.table, name)
        for source in before:
            left = self.schema.column_index(source.table, name)
            if left is not None and right is not None:
                return Ref(left, source.where), Ref(right, last.where)
        raise NotCovered("USING an unknown column")

    def pair(self, node: exp.Expr, scope: _Scope) -> tuple[Ref, Ref] | None:
        """The two columns of different tables that an equality compares."""
        if not isinstance(node, exp.EQ):
            return None
        sides = [_unparen(side) for side in (node.left, node.right)]
        if not all(isinstance(side, exp.Column) for side in sides):
            return None
        left, right = (self.column(side, scope) for side in sides)
        if not isinstance(left, Ref) or not isinstance(right, Ref) or "OUTER" in (left.where, right.where):
            return None
        return (left, right) if self.instance(left) != self.instance(right) else None

    def instance(self, ref: Ref) -> tuple[int, str]:
        return self.schema.table_of(ref.column), ref.where

    def where(self, node: exp.Select, scope: _Scope) -> Condition | None:
        """The filters; equalities that connect tables still apart become joins."""
        where = node.args.get("where")
        parts = [*scope.filters, *(_conjuncts(where.this) if where else ())]
        if len(scope.sources) > 1:
            parts = [part for part in parts if not self.connects(part, scope)]
        conditions = [self.condition(part, scope) for part in parts]
        return join("AND", conditions) if conditions else None

    def connects(self, node: exp.Expr, scope: _Scope) -> bool:
        pair = self.pair(node, scope)
        if pair is None:
            return False
        groups = joins.partition((self.instance(a), self.instance(b)) for a, b in scope.pairs)
        left, right = (self.instance(ref) for ref in pair)
        if any(left in group and right in group for group in groups):
            return False
        scope.pairs.append(pair)
        return True

    # Other clauses

    def read_aliases(self, node: exp.Select, scope: _Scope) -> None:
        scope.items = list(node.expressions)
        for item in node.expressions:
            if isinstance(item, exp.Alias):
                scope.aliases.setdefault(item.alias.casefold(), item.this)

    def item(self, node: exp.Expr, scope: _Scope) -> tuple[Expr, ...]:
        if isinstance(node, exp.Star):
            if node.args.get("except_") or node.args.get("replace") or node.args.get("rename"):
                raise NotCovered("* with changes")
            if any(source.where for source in scope.sources):
                raise NotCovered("* of a self join")
            return tuple(Star(source.table) for source in scope.sources)
        if isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
            table, where = self.source(node.table, scope)
            if where:
                raise NotCovered("* of a self join")
            return (Star(table),)
        return (self.expr(node, scope),)

    def source(self, name: str, scope: _Scope) -> tuple[int, str]:
        if name.casefold() not in scope.names:
            raise NotCovered(f"unknown table {name}")
        return scope.names[name.casefold()]

    def group(self, node: exp.Select, scope: _Scope) -> tuple[Expr, ...]:
        group = node.args.get("group")
        if group is None:
            return ()
        if any(group.args.get(name) for name in ("cube", "rollup", "grouping_sets")):
            raise NotCovered("grouping sets")
        if group.args.get("all"):
            return tuple(self.expr(item, scope) for item in scope.items if not item.find(exp.AggFunc))
        return tuple(self.expr(self.meant(key, scope, first="column"), scope) for key in group.expressions)

    def order(self, node: exp.Select, scope: _Scope) -> tuple[tuple[Expr, str], ...]:
        order = node.args.get("order")
        if order is None:
            return ()
        return tuple(
            (self.expr(self.meant(term.this, scope, first="alias"), scope), "DESC" if term.args.get("desc") else "ASC")
            for term in order.expressions
        )

    def meant(self, node: exp.Expr, scope: _Scope, *, first: str) -> exp.Expr:
        """What a position or the name of an item stands for."""
        number = _number(node)
        if isinstance(number, int) and isinstance(node, exp.Literal):
            if not 1 <= number <= len(scope.items):
                raise NotCovered("position out of range")
            return scope.items[number - 1]
        name = node.name.casefold()
        if isinstance(node, exp.Column) and not node.table and name in scope.aliases:
            own = any(self.schema.column_index(source.table, name) is not None for source in scope.sources)
            if first == "alias" or not own:
                return scope.aliases[name]
        return node

    def limit(self, node: exp.Expr) -> Val | None:
        if node.args.get("offset"):
            raise NotCovered("OFFSET")
        limit = node.args.get("limit")
        if limit is None:
            return None
        number = _number(limit.args.get("expression") or limit.args.get("count"))
        if not isinstance(number, int):
            raise NotCovered("LIMIT that is no number")
        return Val(number)

    # Expressions

    def column(self, node: exp.Expr, scope: _Scope) -> Expr:
        """A column, the item that its name stands for, or SQLite's double-quoted text."""
        name = node.name
        if node.args.get("table"):
            return self.qualified(node.args["table"].name, name, scope)
        for level, found in enumerate(_outward(scope)):
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

    def qualified(self, table: str, name: str, scope: _Scope) -> Ref:
        for level, found in enumerate(_outward(scope)):
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

    def expr(self, node: exp.Expr, scope: _Scope) -> Expr:
        node = _bare(node)
        if isinstance(node, exp.Column):
            return self.column(node, scope)
        literal = self.literal(node)
        if literal is not None:
            return literal
        if isinstance(node, exp.Subquery):
            return self.query(node, scope)
        special = self.percent(node, scope) or self.share(node, scope) or self.decade(node, scope)
        if special is not None:
            return special
        if type(node) in _AGGREGATES:
            return self.aggregate(node, scope)
        if type(node) in _ARITHMETIC:
            return self.arithmetic(node, scope)
        called = self.call(node, scope)
        if called is not None:
            return called
        if isinstance(node, exp.Coalesce) and all(_number(other) == 0 for other in node.expressions):
            return self.expr(node.this, scope)
        if isinstance(node, exp.Nullif) and _number(node.expression) == 0:
            return self.expr(node.this, scope)
        if isinstance(node, (exp.Lower, exp.Upper)):
            raise NotCovered("LOWER or UPPER outside a comparison")
        raise NotCovered(f"expression {node.key}")

    def literal(self, node: exp.Expr) -> Val | None:
        number = _number(node)
        if number is not None:
            return Val(number)
        if isinstance(node, exp.Literal):
            return Val(node.name)
        return Val(int(node.this)) if isinstance(node, exp.Boolean) else None

    def aggregate(self, node: exp.Expr, scope: _Scope) -> Aggregate:
        name = _AGGREGATES[type(node)]
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
        of = _bare(of)
        starred = isinstance(of, exp.Star) or (isinstance(of, exp.Column) and isinstance(of.this, exp.Star)) or isinstance(of, exp.Literal)
        if name == "COUNT" and starred:
            return Aggregate("COUNT", Star(joins.ANY))
        inner = self.expr(of, scope)
        if isinstance(inner, (Val, Query, Star, Aggregate, Share, Percent)):
            raise NotCovered(f"{name} of {type(inner).__name__.lower()}")
        return Aggregate(name, inner)

    def arithmetic(self, node: exp.Expr, scope: _Scope) -> Expr:
        if isinstance(node, (exp.Mul, exp.Div)):
            constant, above, below = _factors(node)
            if below:
                return self.ratio(constant, above, below, scope)
        return Arithmetic(_ARITHMETIC[type(node)], self.expr(node.this, scope), self.expr(node.expression, scope))

    def ratio(self, constant: float, above: Sequence[exp.Expr], below: Sequence[exp.Expr], scope: _Scope) -> Expr:
        top: Expr = self.product(above, scope) if above else Val(_tidy(constant))
        quotient = Arithmetic("DIV", top, self.product(below, scope))
        return quotient if constant == 1 or not above else Arithmetic("MUL", Val(_tidy(constant)), quotient)

    def product(self, factors: Sequence[exp.Expr], scope: _Scope) -> Expr:
        found = self.expr(factors[0], scope)
        for factor in factors[1:]:
            found = Arithmetic("MUL", found, self.expr(factor, scope))
        return found

    def call(self, node: exp.Expr, scope: _Scope) -> Call | None:
        """A function of one column."""
        name, of = _called(node)
        if not name or of is None:
            return None
        ref = self.expr(of, scope)
        if not isinstance(ref, Ref):
            raise NotCovered(f"{name} of more than a column")
        return Call(name, ref)

    def decade(self, node: exp.Expr, scope: _Scope) -> Call | None:
        """`year // 10 * 10` and its other spellings."""
        of: exp.Expr | None = None
        if isinstance(node, exp.Mul) and _number(node.expression) == 10:
            floor = _bare(node.this)
            floor = _bare(floor.this) if isinstance(floor, exp.Floor) else floor
            if isinstance(floor, (exp.IntDiv, exp.Div)) and _number(floor.expression) == 10:
                of = _bare(floor.this)
        elif isinstance(node, exp.Sub):
            rest = _bare(node.expression)
            if isinstance(rest, exp.Mod) and _number(rest.expression) == 10 and _bare(rest.this) == _bare(node.this):
                of = _bare(node.this)
        if of is None:
            return None
        year = self.expr(of, scope)
        if isinstance(year, Call) and year.name == "YEAR":
            return Call("DECADE", year.ref)
        return Call("DECADE", year) if isinstance(year, Ref) else None

    def percent(self, node: exp.Expr, scope: _Scope) -> Percent | None:
        """`100 * (rows that satisfy a condition) / count(*)` and `100 * avg(CASE ...)`."""
        if not isinstance(node, (exp.Mul, exp.Div, exp.Avg)):
            return None
        constant, above, below = _factors(node)
        if len(above) != 1:
            return None
        one = _bare(above[0])
        if isinstance(one, exp.Avg) and not below:
            found, worth = _case(_bare(one.this))
            hit = found if found is not None and constant * worth == 100 else None
        elif len(below) == 1 and isinstance(_bare(below[0]), exp.Count) and constant == 100:
            hit = _counted(one)
        else:
            return None
        return Percent(self.condition(hit, scope)) if hit is not None else None

    def share(self, node: exp.Expr, scope: _Scope) -> Share | None:
        """`100 * agg / sum(agg) OVER ()`."""
        if not isinstance(node, (exp.Mul, exp.Div)):
            return None
        constant, above, below = _factors(node)
        if constant != 100 or len(above) != 1 or len(below) != 1:
            return None
        one, whole = _bare(above[0]), _bare(below[0])
        if not isinstance(whole, exp.Window) or whole.args.get("partition_by") or whole.args.get("order"):
            return None
        total = whole.this
        if not isinstance(total, exp.Sum) or _bare(total.this) != one or type(one) not in _AGGREGATES:
            return None
        return Share(self.aggregate(one, scope))

    # Conditions

    def condition(self, node: exp.Expr, scope: _Scope) -> Condition:
        node = _unparen(node)
        if isinstance(node, (exp.And, exp.Or)):
            return join("AND" if isinstance(node, exp.And) else "OR", [self.condition(part, scope) for part in (node.left, node.right)])
        if isinstance(node, exp.Not):
            return negated(self.condition(node.this, scope))
        if node.args.get("negate"):
            node = node.copy()
            node.set("negate", None)
            return negated(self.condition(node, scope))
        if type(node) in _COMPARISONS:
            return self.comparison(node, scope)
        if isinstance(node, exp.Between):
            bounds = tuple(self.expr(bound, scope) for bound in (node.args["low"], node.args["high"]))
            if not all(isinstance(bound, (Val, Query)) for bound in bounds):
                return join(
                    "AND",
                    [Predicate(name, self.left(node.this, scope), (bound,)) for name, bound in zip(("GE", "LE"), bounds, strict=True)],
                )
            return Predicate("BETWEEN", self.left(node.this, scope), bounds)
        if isinstance(node, exp.In):
            return self.member(node, scope)
        if isinstance(node, exp.Is):
            return self.null(node, scope)
        if isinstance(node, exp.Exists):
            return Predicate("EXISTS", None, (self.rows_of(node.this, scope),))
        if isinstance(node, exp.Column):
            return Predicate("EQ", self.left(node, scope), (Val(1),))
        return self.pattern(node, scope)

    def rows_of(self, node: exp.Expr, scope: _Scope) -> Query:
        """The query of an EXISTS; what it selects does not matter."""
        inner = _select_of(node)
        if isinstance(inner, exp.Select) and not inner.args.get("group"):
            inner = inner.copy()
            inner.set("expressions", [exp.Star()])
        query = self.query(inner, scope)
        return replace(query, cores=tuple(replace(core, items=core.items[:1]) for core in query.cores))

    def left(self, node: exp.Expr, scope: _Scope) -> Expr:
        found = self.expr(node, scope)
        if isinstance(found, (Val, Query)):
            raise NotCovered("comparison that starts with a value")
        return found

    def comparison(self, node: exp.Expr, scope: _Scope) -> Condition:
        name, left, right = _COMPARISONS[type(node)], _bare(node.this), _bare(node.expression)
        last = self.last(name, left, right, scope)
        if last is not None:
            return last
        folded = [side.this if isinstance(side, (exp.Lower, exp.Upper)) else side for side in (left, right)]
        first, second = (self.expr(side, scope) for side in folded)
        if isinstance(first, (Val, Query)):
            first, second, name = second, first, _FLIPPED[name]
        if isinstance(first, (Val, Query)):
            raise NotCovered("comparison of two values")
        if folded[0] is not left and name in ("EQ", "NE") and isinstance(second, Val) and isinstance(first, Ref):
            if not re.search(r"[%_]", str(second.value)):
                return Predicate("LIKE" if name == "EQ" else "NOT_LIKE", first, (second,))
        return Predicate(name, first, (second,))

    def last(self, name: str, left: exp.Expr, right: exp.Expr, scope: _Scope) -> Predicate | None:
        """`c > (SELECT max(c) FROM t) - n`, in years or months."""
        if name not in ("GT", "GE") or not isinstance(right, exp.Sub):
            return None
        newest, span = _bare(right.this), _bare(right.expression)
        if not isinstance(newest, exp.Subquery):
            return None
        inner = _select_of(newest)
        if not isinstance(inner, exp.Select) or set(_clauses(inner)) - {"expressions", "from_"} or len(inner.expressions) != 1:
            return None
        top = _bare(inner.expressions[0])
        if not isinstance(top, exp.Max):
            return None
        mine = self.expr(left, scope)
        theirs = self.query(newest, scope).cores[0].items[0]
        if not isinstance(theirs, Aggregate) or theirs.of != mine or not isinstance(mine, (Ref, Call)):
            return None
        if isinstance(span, exp.Interval):
            unit = span.args["unit"].name.upper().rstrip("S")
            number = int(span.this.name) if span.this.name.isdigit() else None
            if number is None or unit not in ("MONTH", "YEAR") or not isinstance(mine, Ref):
                return None
            return Predicate("LAST_MONTHS", mine, (Val(number * (12 if unit == "YEAR" else 1)),))
        number = _number(span)
        if not isinstance(number, int):
            return None
        return Predicate(
            "LAST_YEARS", mine.ref if isinstance(mine, Call) and mine.name == "YEAR" else mine, (Val(number + (name == "GE")),)
        )

    def member(self, node: exp.In, scope: _Scope) -> Condition:
        left = self.left(node.this, scope)
        if node.args.get("query") is not None:
            return Predicate("IN", left, (self.query(node.args["query"], scope),))
        members = [self.expr(member, scope) for member in node.expressions]
        if not members or not all(isinstance(member, Val) for member in members):
            raise NotCovered("IN of something else")
        return Predicate("IN", left, tuple(members)) if len(members) > 1 else Predicate("EQ", left, (members[0],))

    def null(self, node: exp.Is, scope: _Scope) -> Condition:
        left = self.left(node.this, scope)
        right = _unparen(node.expression)
        if isinstance(right, exp.Null):
            return Predicate("IS_NULL", left)
        return Predicate("EQ", left, (self.expr(right, scope),))

    def pattern(self, node: exp.Expr, scope: _Scope) -> Condition:
        escape = ""
        if isinstance(node, exp.Escape):
            escape, node = node.expression.name, node.this
        whole = {exp.Contains: "CONTAINS", exp.StartsWith: "STARTS", exp.EndsWith: "ENDS"}.get(type(node))
        if whole is None and not isinstance(node, (exp.Like, exp.ILike, exp.Glob)):
            raise NotCovered(f"condition {node.key}")
        left, right = (
            side.this if isinstance(side, (exp.Lower, exp.Upper)) else side for side in (_bare(node.this), _bare(node.expression))
        )
        subject, value = self.left(left, scope), self.expr(right, scope)
        if not isinstance(value, Val) or not isinstance(subject, (Ref, Call)):
            raise NotCovered("pattern that is no literal")
        name, text = (whole, value.value) if whole else _pattern(str(value.value), escape)
        if isinstance(node, exp.Glob):
            name, text = "LIKE", str(value.value).replace("*", "%").replace("?", "_")
        return Predicate(name, subject, (Val(text),))


def _outward(scope: _Scope) -> Iterator[_Scope]:
    found: _Scope | None = scope
    while found is not None:
        yield found
        found = found.outer


def _select_of(node: exp.Expr) -> exp.Expr:
    """The query within parentheses; with clauses of their own they stay."""
    while isinstance(node, (exp.Subquery, exp.Paren)):
        node = node.this
    return node


def _clauses(node: exp.Expr) -> Iterator[str]:
    return (name for name, value in node.args.items() if value)


def _tidy(number: float) -> int | float:
    return int(number) if number == int(number) else number


def _factors(node: exp.Expr) -> tuple[float, list[exp.Expr], list[exp.Expr]]:
    """A product or quotient as its constant, the other factors above the line, and all below it."""
    node = _bare(node)
    number = _number(node)
    if number is not None:
        return float(number), [], []
    if isinstance(node, exp.Mul):
        left, right = _factors(node.this), _factors(node.expression)
        return left[0] * right[0], left[1] + right[1], left[2] + right[2]
    if isinstance(node, exp.Div):
        constant, above, below = _factors(node.this)
        divisor = _bare(node.expression)
        if isinstance(divisor, exp.Nullif) and _number(divisor.expression) == 0:
            divisor = _bare(divisor.this)
        return constant, above, [*below, divisor]
    return 1.0, [node], []


def _case(node: exp.Expr) -> tuple[exp.Expr | None, float]:
    """The condition of `CASE WHEN condition THEN n ELSE 0 END`, and n."""
    if isinstance(node, exp.If):
        branches, rest = [node], node.args.get("false")
    elif isinstance(node, exp.Case) and not node.this:
        branches, rest = node.args["ifs"], node.args.get("default")
    else:
        return None, 0.0
    worth = _number(branches[0].args["true"])
    if len(branches) != 1 or worth is None or (rest is not None and _number(rest) != 0):
        return None, 0.0
    return branches[0].this, float(worth)


def _counted(node: exp.Expr) -> exp.Expr | None:
    """The condition of a conditional count."""
    if isinstance(node, exp.Filter) and isinstance(node.this, exp.Count) and isinstance(node.this.this, exp.Star):
        found = node.expression.this
        return found if isinstance(found, exp.Expression) else None
    if isinstance(node, exp.CountIf):
        return _bare(node.this)
    if isinstance(node, (exp.Sum, exp.Count)):
        inner = _bare(node.this)
        condition, worth = _case(inner)
        return condition if worth == 1 else None
    return None


def _called(node: exp.Expr) -> tuple[str, exp.Expr | None]:
    """The function and its argument, whatever the spelling."""
    if type(node) in _CALLS:
        return _CALLS[type(node)], node.this
    if isinstance(node, exp.Extract):
        return _PARTS.get(node.this.name.lower(), ""), node.expression
    if isinstance(node, exp.Anonymous) and node.name.lower() in ("date_part", "datepart") and len(node.expressions) == 2:
        return _PARTS.get(node.expressions[0].name.lower(), ""), node.expressions[1]
    if isinstance(node, exp.TimeToStr):
        return _FORMATS.get(node.args["format"].name, ""), node.this
    if isinstance(node, (exp.TimestampTrunc, exp.DateTrunc)):
        return {"YEAR": "YEAR", "MONTH": "YEAR_MONTH"}.get(node.args["unit"].name.upper(), ""), node.this
    if isinstance(node, exp.Substring):
        start, length = (_number(node.args[name]) if node.args.get(name) else None for name in ("start", "length"))
        return {(1, 4): "YEAR", (1, 7): "YEAR_MONTH"}.get((int(start or 0), int(length or 0)), ""), node.this
    return "", None


def _pattern(text: str, escape: str) -> tuple[str, str]:
    """LIKE's pattern as CONTAINS, STARTS, ENDS or, with other wildcards, LIKE."""
    found = re.fullmatch(r"(%*)(.*?)(%*)", text, re.DOTALL)
    if found is None or escape:
        if not escape:
            return "LIKE", text
        raise NotCovered("LIKE with ESCAPE")
    before, inner, after = found.groups()
    if not inner or "%" in inner or "_" in inner:
        return "LIKE", text
    if before and after:
        return "CONTAINS", inner
    if before or after:
        return ("STARTS" if after else "ENDS"), inner
    return "LIKE", text


def negated(node: Condition) -> Condition:
    """The opposite of a condition, NOT pushed into its comparisons."""
    if isinstance(node, Junction):
        return join("OR" if node.name == "AND" else "AND", [negated(part) for part in node.parts])
    if node.name in _OPPOSITES:
        return replace(node, name=_OPPOSITES[node.name])
    if node.name == "BETWEEN":
        return Junction("OR", (Predicate("LT", node.left, node.right[:1]), Predicate("GT", node.left, node.right[1:])))
    if node.name in ("STARTS", "ENDS") and isinstance(node.right[0], Val):
        text = node.right[0].value
        return Predicate("NOT_LIKE", node.left, (Val(f"{text}%" if node.name == "STARTS" else f"%{text}"),))
    raise NotCovered(f"NOT {node.name}")
