"""The representation to SQL. Builds a sqlglot tree and writes it in a dialect; reads no database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from sqlglot import exp

from streamlink_sql.generators.parser import joins
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.generators.parser.tokens import NotCovered, Token
from streamlink_sql.generators.parser.tree import (
    MEASURES,
    Aggregate,
    Best,
    Condition,
    Core,
    Expr,
    Query,
    Ref,
    Source,
    Star,
    children,
    walk,
)
from streamlink_sql.generators.parser.write_conditions import ConditionWriter
from streamlink_sql.generators.parser.write_values import Scope, quoted, whole_number
from streamlink_sql.types import Dialect

Q = TypeVar("Q", bound=exp.Query)
_SETS: dict[str, type[exp.SetOperation]] = {
    "UNION": exp.Union,
    "UNION_ALL": exp.Union,
    "INTERSECT": exp.Intersect,
    "EXCEPT": exp.Except,
}


def unused(word: str, taken: set[str]) -> str:
    """A name that nothing has, which is taken from then on."""
    name = next(name for name in (word, *(f"{word}_{number}" for number in range(2, len(taken) + 3))) if name not in taken)
    taken.add(name)
    return name


def plain(node: Expr | Condition) -> Iterator[Ref]:
    """The columns under a node that stand outside aggregates and of which no rows around it are asked."""
    if isinstance(node, Ref) and node.where != "OUTER":
        yield node
    elif not isinstance(node, MEASURES):
        for child in children(node):
            yield from plain(child)


def to_sql(tokens: Sequence[Token], schema: Schema, dialect: Dialect) -> str:
    """The SQL of a whole, grammatical string of tokens."""
    tree = _Writer(schema, dialect).query(parse(tokens), None)
    return tree.sql(dialect=dialect)


class _Writer(ConditionWriter):
    """Turns our tree into sqlglot's."""

    # Queries

    def query(self, query: Query, outer: Scope | None) -> exp.Query:
        *firsts, last = query.cores
        if not firsts:
            return self.core(last, outer)
        tree: exp.Query = self.core(firsts[0], outer)
        for operation, core in zip(query.operations, (*firsts[1:], replace(last, order=(), limit=None, offset=None)), strict=True):
            tree = _SETS[operation](this=tree, expression=self.core(core, outer), distinct=operation != "UNION_ALL")
        positions = ((last.items.index(key) + 1 if key in last.items else 1, direction) for key, direction in last.order)
        keys = [self.ordered(exp.Literal.number(position), direction) for position, direction in positions]
        return self.ended(tree, keys, last)

    def ordered(self, key: exp.Expr, direction: str) -> exp.Expr:
        """An ORDER BY term: what has no value comes last, but in SQLite, whose own order is kept: it comes first there, going up."""
        descending = direction == "DESC"
        return exp.Ordered(this=key, desc=descending, nulls_first=self.dialect == "sqlite" and not descending)

    def valued(self, key: exp.Expr, direction: str) -> exp.Expr:
        """An ORDER BY term of a window: what has no value comes last everywhere."""
        return exp.Ordered(this=key, desc=direction == "DESC", nulls_first=False)

    def ended(self, tree: Q, keys: list[exp.Expr], core: Core) -> Q:
        if keys:
            tree.set("order", exp.Order(expressions=keys))
        if core.limit is not None:
            tree.set("limit", exp.Limit(expression=exp.Literal.number(whole_number(core.limit))))
        if core.offset is not None:
            tree.set("offset", exp.Offset(expression=exp.Literal.number(whole_number(core.offset))))
        return tree

    def core(self, core: Core, outer: Scope | None) -> exp.Select:
        item = core.items[0]
        if len(core.items) == 1 and isinstance(item, Aggregate) and isinstance(item.of, Query):
            return self.over_query(item, item.of, outer)
        whole = joins.complete(core, self.schema)
        scope = self.scope(core, whole, outer)
        select = exp.Select(expressions=[self.expr(item, scope) for item in core.items])
        if core.distinct:
            select.set("distinct", exp.Distinct())
        self.add_from(select, whole, scope)
        if core.condition is not None:
            select.set("where", exp.Where(this=self.condition(core.condition, scope)))
        if core.group:
            select.set("group", exp.Group(expressions=[self.expr(key, scope) for key in (*core.group, *self.determined(core, whole))]))
        if core.having is not None:
            select.set("having", exp.Having(this=self.condition(core.having, scope)))
        keys = [self.ordered(self.expr(key, scope), direction) for key, direction in core.order]
        return self.best(select, keys, core, core.best, scope) if core.best is not None else self.ended(select, keys, core)

    def determined(self, core: Core, whole: joins.From) -> list[Ref]:
        """What stands outside aggregates and follows from a key among the groups: all engines but SQLite want it grouped by, too."""
        if self.dialect == "sqlite":
            return []
        grouped = {key for key in core.group if isinstance(key, Ref)}
        equal = grouped | {other for pair in whole.on for one, other in (pair, pair[::-1]) if one in grouped}
        known = {self.instance(ref) for ref in equal if ref.column in self.schema.keys}
        best = () if core.best is None else (core.best.key, core.best.by)
        having = () if core.having is None else (core.having,)
        outside = (ref for node in (*core.items, *having, *best, *(by for by, _ in core.order)) for ref in plain(node))
        return [ref for ref in dict.fromkeys(outside) if ref not in grouped and self.instance(ref) in known]

    def best(self, select: exp.Select, keys: list[exp.Expr], core: Core, best: Best, scope: Scope) -> exp.Select:
        """The rows or groups that stand first for each value of a key: DuckDB says so by QUALIFY, others by a query around it."""
        if not core.group and any(isinstance(node, MEASURES) for found in (*core.items, best.by) for node in walk(found)):
            raise NotCovered("the best of each group among rows that are one group")
        by = exp.Order(expressions=[self.valued(self.expr(best.by, scope), best.direction)])
        place: exp.Expr = exp.Window(this=exp.Rank(), partition_by=[self.expr(best.key, scope)], order=by, over="OVER")
        most = whole_number(best.count)

        def within(place: exp.Expr) -> exp.Expr:
            return (exp.EQ if most == 1 else exp.LTE)(this=place, expression=exp.Literal.number(most))

        if self.dialect == "duckdb":
            select.set("qualify", exp.Qualify(this=within(place)))
            return self.ended(select, keys, core)
        taken = {column.name.casefold() for _, column in self.schema.columns}
        names = self.named_items(select, taken)
        shown = list(zip(select.expressions, names, strict=True))
        for key in keys:
            name = next((given for item, given in shown if item.unalias() == key.this), "") or unused("key", taken)
            if name not in names:
                select.append("expressions", exp.alias_(key.this.copy(), name))
            key.set("this", exp.column(quoted(name)))
        position = unused("place", taken)
        select.append("expressions", exp.alias_(place, position))
        source = exp.Subquery(this=select, alias=exp.TableAlias(this=exp.to_identifier("ranked")))
        around = exp.Select(expressions=[exp.column(quoted(name)) for name in names], from_=exp.From(this=source))
        around.set("where", exp.Where(this=within(exp.column(position))))
        around.set("distinct", select.args.pop("distinct", None))
        return self.ended(around, keys, core)

    def named_items(self, select: exp.Select, taken: set[str]) -> list[str]:
        """Gives each item a name of its own, and returns them."""
        names: list[str] = []
        for item in select.expressions:
            if item.is_star:
                raise NotCovered("* of ranked rows")
            name = item.name if isinstance(item, exp.Column) and item.name not in names else unused("value", taken)
            names.append(name)
        select.set(
            "expressions",
            [
                exp.alias_(item, quoted(name)) if item.alias_or_name != name else item
                for item, name in zip(select.expressions, names, strict=True)
            ],
        )
        return names

    def over_query(self, item: Aggregate, of: Query, outer: Scope | None) -> exp.Select:
        """`SELECT agg(value) FROM (query)`."""
        inner = self.query(of, outer)
        first = inner
        while isinstance(first, exp.SetOperation):
            first = first.this
        argument: exp.Expr = exp.column("value")
        if item.name == "COUNT":
            argument = exp.Star()
        elif first.expressions[0].is_star and isinstance(of.cores[0].items[0], Star):
            table = of.cores[0].items[0]
            names = self.schema.tables[table.table].columns if isinstance(table, Star) else ()
            argument = exp.column(quoted(names[0].name)) if names else argument
        else:
            first.set("expressions", [exp.alias_(first.expressions[0], "value"), *first.expressions[1:]])
        call = self.called(item.name, argument)
        source = exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier("grouped")))
        return exp.Select(expressions=[call], from_=exp.From(this=source))

    # FROM

    def scope(self, core: Core, whole: joins.From, outer: Scope | None) -> Scope:
        """Names for the tables of a core: aliases where columns must be told apart."""
        above = outer.count if outer else 0
        qualified = len(whole.sources) > 1 or joins.correlated(core)
        scope = Scope(outer, whole.sources, qualified=qualified, count=above + (len(whole.sources) if qualified else 0), group=core.group)
        for number, source in enumerate(whole.sources, above + 1):
            scope.names[source.table, source.where] = f"T{number}" if qualified else ""
        return scope

    def add_from(self, select: exp.Select, whole: joins.From, scope: Scope) -> None:
        if not whole.sources:
            return
        waiting = list(whole.sources)
        placed: set[tuple[int, str]] = set()
        pairs = list(whole.on)
        while waiting:
            source = next((found for found in waiting if placed and self.conditions(found, placed, pairs)), waiting[0])
            waiting.remove(source)
            self.place(select, source, self.conditions(source, placed, pairs), scope)
            placed.add((source.table, source.where))

    def conditions(self, source: Source, placed: set[tuple[int, str]], pairs: Sequence[tuple[Ref, Ref]]) -> list[tuple[Ref, Ref]]:
        """The pairs that join a table to those already in FROM."""
        here = (source.table, source.where)
        return [
            pair
            for pair in pairs
            for one, other in (map(self.instance, pair), map(self.instance, reversed(pair)))
            if one == here and other in placed
        ]

    def instance(self, ref: Ref) -> tuple[int, str]:
        return self.schema.table_of(ref.column), ref.where

    def place(self, select: exp.Select, source: Source, pairs: Sequence[tuple[Ref, Ref]], scope: Scope) -> None:
        name = scope.names[source.table, source.where]
        table = exp.Table(this=quoted(self.schema.tables[source.table].name))
        if name:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(name)))
        if not select.args.get("from_"):
            select.set("from_", exp.From(this=table))
            return
        equalities = [exp.EQ(this=self.ref(left, scope), expression=self.ref(right, scope)) for left, right in pairs]
        if not equalities:
            select.append("joins", exp.Join(this=table, kind="CROSS"))
        elif source.left:
            select.append("joins", exp.Join(this=table, side="LEFT", on=exp.and_(*equalities)))
        else:
            select.append("joins", exp.Join(this=table, on=exp.and_(*equalities)))
