"""SQL to the representation. Reads SQL with sqlglot; runs nothing.

What has several forms in SQL has one here: NOT goes into the comparison, `x LIKE '%a%'` and `contains` are CONTAINS, aliases and
positions become what they stand for, `1.0 * a / nullif(b, 0)` is DIV, and FROM is left out where the default joins give the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from streamlink_sql.generators.parser import joins
from streamlink_sql.generators.parser.read_conditions import ConditionReader
from streamlink_sql.generators.parser.read_values import AGGREGATES, Scope
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.generators.parser.shapes import bare, clauses, conjuncts, number_of, place_of, select_of, unparen, with_qualify
from streamlink_sql.generators.parser.tokens import NotCovered, Token, Val
from streamlink_sql.generators.parser.tree import Aggregate, Best, Condition, Core, Expr, Query, Ref, Source, Star, emit, join

_SETS: dict[type[exp.Expr], str] = {exp.Union: "UNION", exp.Intersect: "INTERSECT", exp.Except: "EXCEPT"}
_PLAIN_CLAUSES = {
    "expressions",
    "from_",
    "joins",
    "where",
    "group",
    "having",
    "qualify",
    "order",
    "limit",
    "offset",
    "distinct",
    "with_",
    "kind",
}


def to_ir(sql: str, schema: Schema, dialect: Literal["sqlite", "duckdb"]) -> tuple[Token, ...]:
    """The tokens of a query. Raises NotCovered with the reason where the representation cannot say it."""
    try:
        tree = sqlglot.parse_one(sql.strip().rstrip(";"), read=dialect)
    except (SqlglotError, RecursionError) as error:
        raise NotCovered("does not parse") from error
    if not isinstance(tree, exp.Query) or (isinstance(tree, exp.Select) and not tree.expressions):
        raise NotCovered("not a query")
    return emit(_Reader(schema, dialect).query(tree, None))


class _Reader(ConditionReader):
    """Turns sqlglot's tree into ours."""

    # Queries

    def query(self, node: exp.Expr, outer: Scope | None, ctes: dict[str, exp.Expr] | None = None) -> Query:
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

    def compound(self, node: exp.SetOperation, outer: Scope | None, ctes: dict[str, exp.Expr]) -> Query:
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
            first: exp.Expr = node
            while isinstance(first, exp.SetOperation):
                first = select_of(first.left)
            ordered = self.compound_order(order, first, last) if order else ()
            last = replace(last, order=ordered, limit=self.limit(node), offset=self.offset(node))
        return Query((*left.cores, last), (*left.operations, name))

    def compound_order(self, order: exp.Expr, first: exp.Expr, last: Core) -> tuple[tuple[Expr, str], ...]:
        names = [item.alias_or_name.casefold() for item in first.expressions]
        found: list[tuple[Expr, str]] = []
        for term in order.expressions:
            key = bare(term.this)
            number = number_of(key)
            position = names.index(key.name.casefold()) if key.name.casefold() in names else (int(number) - 1 if number else None)
            if position is None or position >= len(last.items):
                raise NotCovered("order of a set operation")
            found.append((last.items[position], "DESC" if term.args.get("desc") else "ASC"))
        return tuple(found)

    def passed_through(self, node: exp.Select, ctes: dict[str, exp.Expr]) -> exp.Expr | None:
        """The query inside `SELECT * FROM (query)`."""
        inner = self.derived(node, ctes)
        if inner is None or set(clauses(node)) - {"expressions", "from_", "with_"}:
            return None
        return inner if len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Star) else None

    def derived(self, node: exp.Select, ctes: dict[str, exp.Expr]) -> exp.Expr | None:
        """The query that stands alone in FROM."""
        source = node.args.get("from_")
        if source is None or node.args.get("joins"):
            return None
        inner = source.this
        if isinstance(inner, exp.Subquery):
            return select_of(inner)
        return ctes.get(inner.name.casefold()) if isinstance(inner, exp.Table) and not inner.db else None

    def core(self, node: exp.Select, outer: Scope | None, ctes: dict[str, exp.Expr]) -> Core:
        extra = set(clauses(node)) - _PLAIN_CLAUSES
        if extra:
            raise NotCovered(f"clause {', '.join(sorted(extra)).strip('_')}")
        inner = self.derived(node, ctes)
        if inner is not None:
            ranked = with_qualify(node, inner)
            return self.over_derived(node, inner, outer, ctes) if ranked is None else self.core(ranked, outer, ctes)
        scope = Scope(outer, ctes)
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
            self.best(node, scope),
            self.order(node, scope),
            self.limit(node),
            self.offset(node),
        )
        return joins.shortest(in_sequence(core, scope.sequence), self.schema)

    def best(self, node: exp.Select, scope: Scope) -> Best | None:
        if not node.args.get("qualify"):
            return None
        condition = bare(node.args["qualify"].this)
        window = unparen(condition.this) if isinstance(condition, exp.Binary) else condition
        place = place_of(self.meant(window, scope, first="alias"), condition)
        key, by = (self.expr(self.meant(found, scope, first="column"), scope) for found in (place.key, place.by))
        return Best(key, by, place.direction, Val(place.most))

    def over_derived(self, node: exp.Select, inner: exp.Expr, outer: Scope | None, ctes: dict[str, exp.Expr]) -> Core:
        """`SELECT agg(x) FROM (query)`."""
        if set(clauses(node)) - {"expressions", "from_", "with_"} or len(node.expressions) != 1:
            raise NotCovered("derived table")
        call = bare(node.expressions[0])
        name = AGGREGATES.get(type(call))
        if name is None:
            raise NotCovered("derived table")
        query = self.query(inner, outer, ctes)
        if isinstance(call, exp.Count) and isinstance(call.this, (exp.Star, exp.Literal)):
            return Core((Aggregate("COUNT", query),))
        of = bare(call.this)
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

    def read_from(self, node: exp.Select, scope: Scope) -> None:
        source = node.args.get("from_")
        if source is None:
            return
        self.add_source(source.this, scope)
        for found in node.args.get("joins") or ():
            self.add_join(found, scope)

    def add_source(self, node: exp.Expr, scope: Scope, *, left: bool = False) -> None:
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

    def add_join(self, node: exp.Join, scope: Scope) -> None:
        if node.side in ("RIGHT", "FULL") or node.kind in ("SEMI", "ANTI") or node.method:
            raise NotCovered(f"{node.method or node.side or node.kind} join")
        left = node.side == "LEFT"
        self.add_source(node.this, scope, left=left)
        for name in node.args.get("using") or ():
            scope.pairs.append(self.using(name.name, scope))
        condition = node.args.get("on")
        for part in conjuncts(condition) if condition is not None else ():
            pair = self.pair(part, scope)
            if pair is not None:
                scope.pairs.append(pair)
            elif left:
                raise NotCovered("condition of a left join")
            else:
                scope.filters.append(part)

    def using(self, name: str, scope: Scope) -> tuple[Ref, Ref]:
        *before, last = scope.sources
        right = self.schema.column_index(last.table, name)
        for source in before:
            left = self.schema.column_index(source.table, name)
            if left is not None and right is not None:
                return Ref(left, source.where), Ref(right, last.where)
        raise NotCovered("USING an unknown column")

    def pair(self, node: exp.Expr, scope: Scope) -> tuple[Ref, Ref] | None:
        """The two columns of different tables that an equality compares."""
        if not isinstance(node, exp.EQ):
            return None
        sides = [unparen(side) for side in (node.left, node.right)]
        if not all(isinstance(side, exp.Column) for side in sides):
            return None
        left, right = (self.column(side, scope) for side in sides)
        if not isinstance(left, Ref) or not isinstance(right, Ref) or "OUTER" in (left.where, right.where):
            return None
        return (left, right) if self.instance(left) != self.instance(right) else None

    def instance(self, ref: Ref) -> tuple[int, str]:
        return self.schema.table_of(ref.column), ref.where

    def where(self, node: exp.Select, scope: Scope) -> Condition | None:
        """The filters; equalities that connect tables still apart become joins."""
        where = node.args.get("where")
        parts = [*scope.filters, *(conjuncts(where.this) if where else ())]
        if len(scope.sources) > 1:
            parts = [part for part in parts if not self.connects(part, scope)]
        conditions = [self.condition(part, scope) for part in parts]
        return join("AND", conditions) if conditions else None

    def connects(self, node: exp.Expr, scope: Scope) -> bool:
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

    def read_aliases(self, node: exp.Select, scope: Scope) -> None:
        scope.items = list(node.expressions)
        for item in node.expressions:
            if isinstance(item, exp.Alias):
                scope.aliases.setdefault(item.alias.casefold(), item.this)

    def item(self, node: exp.Expr, scope: Scope) -> tuple[Expr, ...]:
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

    def source(self, name: str, scope: Scope) -> tuple[int, str]:
        if name.casefold() not in scope.names:
            raise NotCovered(f"unknown table {name}")
        return scope.names[name.casefold()]

    def group(self, node: exp.Select, scope: Scope) -> tuple[Expr, ...]:
        group = node.args.get("group")
        if group is None:
            return ()
        if any(group.args.get(name) for name in ("cube", "rollup", "grouping_sets")):
            raise NotCovered("grouping sets")
        if group.args.get("all"):
            return tuple(self.expr(item, scope) for item in scope.items if not item.find(exp.AggFunc))
        return tuple(self.expr(self.meant(key, scope, first="column"), scope) for key in group.expressions)

    def order(self, node: exp.Select, scope: Scope) -> tuple[tuple[Expr, str], ...]:
        order = node.args.get("order")
        if order is None:
            return ()
        return tuple(
            (self.expr(self.meant(term.this, scope, first="alias"), scope), "DESC" if term.args.get("desc") else "ASC")
            for term in order.expressions
        )

    def meant(self, node: exp.Expr, scope: Scope, *, first: str) -> exp.Expr:
        """What a position or the name of an item stands for."""
        number = number_of(node)
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

    def offset(self, node: exp.Expr) -> Val | None:
        offset = node.args.get("offset")
        number = number_of(offset.expression) if offset is not None else 0
        if not isinstance(number, int) or (number and not node.args.get("limit")):
            raise NotCovered("OFFSET that is no number, or without LIMIT")
        return Val(number) if number else None

    def limit(self, node: exp.Expr) -> Val | None:
        limit = node.args.get("limit")
        if limit is None:
            return None
        number = number_of(limit.args.get("expression") or limit.args.get("count"))
        if not isinstance(number, int):
            raise NotCovered("LIMIT that is no number")
        return Val(number)


def in_sequence(core: Core, sequence: tuple[Expr, ...]) -> Core:
    """The core with its keys in the order in which its groups follow each other."""
    if not sequence:
        return core
    if set(sequence) != set(core.group):
        raise NotCovered("a sequence by other keys than the groups'")
    return replace(core, group=sequence)
