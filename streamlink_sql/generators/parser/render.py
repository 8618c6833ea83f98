"""The representation to SQL. Builds a sqlglot tree and writes it in a dialect; reads no database."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from streamlink_sql.generators.parser import joins
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.generators.parser.tokens import LAST, PATTERNS, NotCovered, Token, Val
from streamlink_sql.generators.parser.tree import (
    Aggregate,
    Arithmetic,
    Call,
    Condition,
    Core,
    Expr,
    Percent,
    Predicate,
    Query,
    Ref,
    Share,
    Source,
    Star,
    parse,
)
from streamlink_sql.types import Dialect

_AGGREGATES: dict[str, type[exp.Expr]] = {
    "COUNT": exp.Count,
    "COUNT_DISTINCT": exp.Count,
    "SUM": exp.Sum,
    "AVG": exp.Avg,
    "MIN": exp.Min,
    "MAX": exp.Max,
}
_COMPARISONS: dict[str, type[exp.Binary]] = {"EQ": exp.EQ, "NE": exp.NEQ, "LT": exp.LT, "LE": exp.LTE, "GT": exp.GT, "GE": exp.GTE}
_ARITHMETIC: dict[str, type[exp.Binary]] = {"ADD": exp.Add, "SUB": exp.Sub, "MUL": exp.Mul}
_SETS: dict[str, type[exp.SetOperation]] = {
    "UNION": exp.Union,
    "UNION_ALL": exp.Union,
    "INTERSECT": exp.Intersect,
    "EXCEPT": exp.Except,
}
_PARTS: dict[str, type[exp.Expr]] = {"YEAR": exp.Year, "QUARTER": exp.Quarter, "MONTH": exp.Month, "DAY": exp.Day}
_SQLITE_FORMATS = {"YEAR": "%Y", "MONTH": "%m", "DAY": "%d", "WEEKDAY": "%w"}
_NUMBERS = ("integer", "real", "decimal")
_TIMES = ("date", "timestamp")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?")
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*", re.IGNORECASE)


def to_sql(tokens: Sequence[Token], schema: Schema, dialect: Dialect) -> str:
    """The SQL of a whole, grammatical string of tokens."""
    tree = _Writer(schema, dialect).query(parse(tokens), None)
    return tree.sql(dialect=dialect)


@dataclass
class _Scope:
    """The names of one core's tables: `names` is empty of aliases where a bare column name is enough."""

    outer: _Scope | None
    sources: tuple[Source, ...] = ()
    names: dict[tuple[int, str], str] = field(default_factory=dict)
    qualified: bool = False
    count: int = 0


def _wrapped(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node) if isinstance(node, exp.Binary) else node


def _quoted(name: str) -> exp.Identifier:
    """An identifier, quoted where it must be."""
    return exp.to_identifier(name, quoted=not _PLAIN.fullmatch(name) or name.upper() in _RESERVED)


_RESERVED = frozenset(
    [
        "ALL",
        "ALTER",
        "AND",
        "ANY",
        "AS",
        "ASC",
        "ASOF",
        "AT",
        "BETWEEN",
        "BY",
        "CASE",
        "CAST",
        "CHECK",
        "COLLATE",
        "COLUMN",
        "COMMIT",
        "CONSTRAINT",
        "CREATE",
        "CROSS",
        "CURRENT",
        "DATABASE",
        "DEFAULT",
        "DELETE",
        "DESC",
        "DESCRIBE",
        "DISTINCT",
        "DIV",
        "DROP",
        "ELSE",
        "END",
        "ESCAPE",
        "EXCEPT",
        "EXISTS",
        "FALSE",
        "FETCH",
        "FILTER",
        "FOR",
        "FOREIGN",
        "FROM",
        "FULL",
        "FUNCTION",
        "GRANT",
        "GROUP",
        "HAVING",
        "ILIKE",
        "IN",
        "INDEX",
        "INNER",
        "INSERT",
        "INTERSECT",
        "INTERVAL",
        "INTO",
        "IS",
        "ISNULL",
        "JOIN",
        "KEY",
        "LATERAL",
        "LEADING",
        "LEFT",
        "LIKE",
        "LIMIT",
        "MAP",
        "NATURAL",
        "NOT",
        "NOTNULL",
        "NULL",
        "OF",
        "OFFSET",
        "ON",
        "OR",
        "ORDER",
        "OUTER",
        "OVER",
        "PARTITION",
        "PERCENT",
        "PIVOT",
        "PRIMARY",
        "QUALIFY",
        "RANGE",
        "REFERENCES",
        "RENAME",
        "REPLACE",
        "RIGHT",
        "ROW",
        "ROWS",
        "SELECT",
        "SEMI",
        "SET",
        "SHOW",
        "SOME",
        "STRUCT",
        "SUMMARIZE",
        "TABLE",
        "TEMPORARY",
        "THEN",
        "TO",
        "TRAILING",
        "TRANSACTION",
        "TRIGGER",
        "TRUE",
        "UNION",
        "UNIQUE",
        "UNPIVOT",
        "UPDATE",
        "USE",
        "USING",
        "VALUES",
        "VIEW",
        "WHEN",
        "WHERE",
        "WINDOW",
        "WITH",
        "ANTI",
        "POSITIONAL",
        "ROLLUP",
        "CUBE",
        "GROUPING",
        "DATE",
        "TIME",
        "TIMESTAMP",
    ]
)


class _Writer:
    """Turns our tree into sqlglot's."""

    def __init__(self, schema: Schema, dialect: Dialect) -> None:
        self.schema = schema
        self.dialect = dialect

    # Queries

    def query(self, query: Query, outer: _Scope | None) -> exp.Query:
        *firsts, last = query.cores
        if not firsts:
            return self.core(last, outer)
        tree: exp.Query = self.core(firsts[0], outer)
        for operation, core in zip(query.operations, (*firsts[1:], replace(last, order=(), limit=None)), strict=True):
            tree = _SETS[operation](this=tree, expression=self.core(core, outer), distinct=operation != "UNION_ALL")
        positions = ((last.items.index(key) + 1 if key in last.items else 1, direction) for key, direction in last.order)
        keys = [self.ordered(exp.Literal.number(position), direction) for position, direction in positions]
        return self.ended(tree, keys, last.limit)

    def ordered(self, key: exp.Expr, direction: str) -> exp.Expr:
        """An ORDER BY term that leaves NULLs where the engine puts them, so that nothing is said about them."""
        descending = direction == "DESC"
        return exp.Ordered(this=key, desc=descending, nulls_first=self.dialect != "duckdb" and not descending)

    def ended(self, tree: exp.Query, keys: list[exp.Expr], limit: Val | None) -> exp.Query:
        if keys:
            tree.set("order", exp.Order(expressions=keys))
        if limit is not None:
            tree.set("limit", exp.Limit(expression=exp.Literal.number(_whole(limit))))
        return tree

    def core(self, core: Core, outer: _Scope | None) -> exp.Select:
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
            select.set("group", exp.Group(expressions=[self.expr(key, scope) for key in core.group]))
        if core.having is not None:
            select.set("having", exp.Having(this=self.condition(core.having, scope)))
        self.ended(select, [self.ordered(self.expr(key, scope), direction) for key, direction in core.order], core.limit)
        return select

    def over_query(self, item: Aggregate, of: Query, outer: _Scope | None) -> exp.Select:
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
            argument = exp.column(_quoted(names[0].name)) if names else argument
        else:
            first.set("expressions", [exp.alias_(first.expressions[0], "value"), *first.expressions[1:]])
        call = self.called(item.name, argument)
        source = exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier("grouped")))
        return exp.Select(expressions=[call], from_=exp.From(this=source))

    # FROM

    def scope(self, core: Core, whole: joins.From, outer: _Scope | None) -> _Scope:
        """Names for the tables of a core: aliases where columns must be told apart."""
        above = outer.count if outer else 0
        qualified = len(whole.sources) > 1 or joins.correlated(core)
        scope = _Scope(outer, whole.sources, qualified=qualified, count=above + (len(whole.sources) if qualified else 0))
        for number, source in enumerate(whole.sources, above + 1):
            scope.names[source.table, source.where] = f"T{number}" if qualified else ""
        return scope

    def add_from(self, select: exp.Select, whole: joins.From, scope: _Scope) -> None:
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

    def place(self, select: exp.Select, source: Source, pairs: Sequence[tuple[Ref, Ref]], scope: _Scope) -> None:
        name = scope.names[source.table, source.where]
        table = exp.Table(this=_quoted(self.schema.tables[source.table].name))
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

    # Expressions

    def ref(self, ref: Ref, scope: _Scope) -> exp.Expr:
        table, column = self.schema.columns[ref.column]
        found = scope.outer if ref.where == "OUTER" and scope.outer else scope
        where = "" if ref.where == "OUTER" else ref.where
        name = found.names.get((table, where))
        if name is None and found.qualified:
            name = self.schema.tables[table].name
        return exp.Column(this=_quoted(column.name), table=_quoted(name) if name else None)

    def expr(self, node: Expr, scope: _Scope) -> exp.Expr:
        match node:
            case Ref():
                return self.ref(node, scope)
            case Star(table):
                return (
                    exp.Column(this=exp.Star(), table=exp.to_identifier(scope.names.get((table, ""), "")))
                    if scope.qualified
                    else exp.Star()
                )
            case Call(name, ref):
                return self.function(name, ref, scope)
            case Aggregate(name, of):
                return self.called(name, exp.Star() if isinstance(of, Star) else self.expr(of, scope))
            case Arithmetic():
                return self.arithmetic(node, scope)
            case Share(of):
                part = self.expr(of, scope)
                whole = exp.Window(this=exp.Sum(this=part.copy()), over="OVER")
                return _quotient(exp.Mul(this=_HUNDRED.copy(), expression=part), whole)
            case Percent(condition):
                hit = exp.Case(
                    ifs=[exp.If(this=self.condition(condition, scope), true=exp.Literal.number(1))], default=exp.Literal.number(0)
                )
                above = exp.Mul(this=_HUNDRED.copy(), expression=exp.Sum(this=hit))
                return _quotient(above, exp.Nullif(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(0)))
            case Query():
                return exp.Subquery(this=self.query(node, scope))
            case Val():
                return self.literal(node, "")
        raise NotCovered(f"{node!r} as an expression")

    def called(self, name: str, of: exp.Expr) -> exp.Expr:
        return _AGGREGATES[name](this=exp.Distinct(expressions=[of]) if name == "COUNT_DISTINCT" else of)

    def arithmetic(self, node: Arithmetic, scope: _Scope) -> exp.Expr:
        if node.name == "DIV":
            return self.division("1.0", node, scope)
        if node.name == "MUL" and isinstance(node.left, Val) and isinstance(node.right, Arithmetic) and node.right.name == "DIV":
            return self.division(str(float(_numeric(node.left))), node.right, scope)
        left, right = (_wrapped(self.operand(side, scope)) for side in (node.left, node.right))
        return _ARITHMETIC[node.name](this=left, expression=right)

    def operand(self, node: Expr, scope: _Scope) -> exp.Expr:
        return self.literal(node, "real") if isinstance(node, Val) else self.expr(node, scope)

    def division(self, factor: str, node: Arithmetic, scope: _Scope) -> exp.Expr:
        above = exp.Mul(this=exp.Literal.number(factor), expression=_wrapped(self.operand(node.left, scope)))
        below = self.operand(node.right, scope)
        if not isinstance(node.right, Val):
            below = exp.Nullif(this=below, expression=exp.Literal.number(0))
        return _quotient(above, _wrapped(below))

    def function(self, name: str, ref: Ref, scope: _Scope) -> exp.Expr:
        column = self.ref(ref, scope)
        if name == "LENGTH":
            return exp.Length(this=column)
        if self.schema.columns[ref.column][1].kind == "integer" and name in ("YEAR", "DECADE"):
            year: exp.Expr = column
        else:
            year = self.part("YEAR" if name == "DECADE" else name, self.moment(column, ref))
        if name != "DECADE":
            return year
        ten = exp.Literal.number(10)
        return exp.Sub(this=year, expression=exp.Mod(this=year.copy(), expression=ten))

    def moment(self, column: exp.Expr, ref: Ref) -> exp.Expr:
        """A column as a date, cast where the engine holds it as text."""
        if self.dialect == "sqlite" or self.schema.columns[ref.column][1].kind in _TIMES:
            return column
        return exp.Cast(this=column, to=exp.DataType.build("date"))

    def part(self, name: str, column: exp.Expr) -> exp.Expr:
        if name == "YEAR_MONTH":
            return self.formatted(column, "%Y-%m")
        if self.dialect != "sqlite":
            if name == "WEEKDAY":
                day = exp.DayOfWeek(this=column)
                return exp.Paren(this=exp.Sub(this=day, expression=exp.Literal.number(1))) if self.dialect == "spark" else day
            return _PARTS[name](this=column)
        if name == "QUARTER":
            month = exp.Paren(this=exp.Add(this=self.part("MONTH", column), expression=exp.Literal.number(2)))
            return exp.Div(this=month, expression=exp.Literal.number(3), typed=True, safe=True)
        return exp.Cast(this=self.formatted(column, _SQLITE_FORMATS[name]), to=exp.DataType.build("int"))

    def formatted(self, column: exp.Expr, form: str) -> exp.Expr:
        return exp.TimeToStr(this=column, format=exp.Literal.string(form))

    # Conditions

    def condition(self, node: Condition, scope: _Scope) -> exp.Expr:
        if isinstance(node, Predicate):
            return self.predicate(node, scope)
        kind = exp.And if node.name == "AND" else exp.Or
        parts = [self.condition(part, scope) for part in node.parts]
        tree = parts[0] if node.name == "OR" else _in_and(parts[0])
        for part in parts[1:]:
            tree = kind(this=tree, expression=part if node.name == "OR" else _in_and(part))
        return tree

    def predicate(self, node: Predicate, scope: _Scope) -> exp.Expr:
        name = node.name
        if node.left is None:
            exists = exp.Exists(this=self.expr(node.right[0], scope).this)
            return exp.Not(this=exists) if name == "NOT_EXISTS" else exists
        if name in LAST:
            return self.last(node, scope)
        left = self.expr(node.left, scope)
        if name in PATTERNS:
            return self.pattern(node, left)
        kind = self.kind(node.left)
        right = [self.literal(side, kind) if isinstance(side, Val) else self.expr(side, scope) for side in node.right]
        if name in _COMPARISONS:
            return _COMPARISONS[name](this=left, expression=right[0])
        if name == "BETWEEN":
            return exp.Between(this=left, low=right[0], high=right[1])
        if name in ("IN", "NOT_IN"):
            found = exp.In(this=left, query=right[0]) if isinstance(right[0], exp.Subquery) else exp.In(this=left, expressions=right)
            return exp.Not(this=found) if name == "NOT_IN" else found
        null = exp.Is(this=left, expression=exp.Null())
        return exp.Not(this=null) if name == "NOT_NULL" else null

    def pattern(self, node: Predicate, left: exp.Expr) -> exp.Expr:
        value = node.right[0]
        text = str(value.value) if isinstance(value, Val) else ""
        positive = node.name.removeprefix("NOT_")
        escaped = re.sub(r"([%_!])", r"!\1", text) if positive != "LIKE" and re.search("[%_]", text) else text
        whole = {"CONTAINS": f"%{escaped}%", "STARTS": f"{escaped}%", "ENDS": f"%{escaped}", "LIKE": text}[positive]
        if self.dialect != "sqlite" and node.left is not None and self.kind(node.left) != "text":
            left = exp.Cast(this=left, to=exp.DataType.build("text"))
        kind = exp.Like if self.dialect == "sqlite" else exp.ILike
        found: exp.Expr = kind(this=left, expression=exp.Literal.string(whole))
        if escaped != text:
            found = exp.Escape(this=found, expression=exp.Literal.string("!"))
        return exp.Not(this=found) if node.name.startswith("NOT_") else found

    def last(self, node: Predicate, scope: _Scope) -> exp.Expr:
        """The years or months up to the newest date of the column."""
        left, value = node.left, node.right[0]
        ref = left.ref if isinstance(left, Call) else left
        if not isinstance(ref, Ref) or not isinstance(value, Val):
            raise NotCovered("LAST of more than a column")
        number = exp.Literal.number(_whole(value))
        inner = Ref(ref.column)
        subject: Expr = ref
        newest: Expr = inner
        if isinstance(left, Call) or node.name == "LAST_YEARS":
            name = left.name if isinstance(left, Call) else "YEAR"
            subject, newest = Call(name, ref), Call(name, inner)
        top = self.expr(Query((Core((Aggregate("MAX", newest),)),)), scope)
        if node.name == "LAST_YEARS" or isinstance(left, Call):
            return exp.GT(this=self.expr(subject, scope), expression=exp.Sub(this=top, expression=number))
        if self.dialect == "sqlite":
            since: exp.Expr = exp.Anonymous(this="DATE", expressions=[top, exp.Literal.string(f"-{_whole(value)} months")])
        else:
            span = exp.Interval(this=exp.Literal.string(str(_whole(value))), unit=exp.Var(this="MONTH"))
            since = exp.Sub(this=top, expression=span)
        return exp.GT(this=self.expr(subject, scope), expression=since)

    def kind(self, node: Expr) -> str:
        """What an expression is compared as; empty when unknown."""
        match node:
            case Ref(column):
                return self.schema.columns[column][1].kind
            case Call("YEAR_MONTH"):
                return "text"
            case Aggregate("MIN" | "MAX", of):
                return self.kind(of)
            case Query() | Val() | Star():
                return ""
            case _:
                return "real"

    def literal(self, node: Val, kind: str) -> exp.Expr:
        """A value written as what it is compared with."""
        value = node.value
        if kind == "boolean" and self.dialect != "sqlite" and str(value).casefold() in _BOOLEANS:
            return exp.Boolean(this=_BOOLEANS[str(value).casefold()])
        if kind in _NUMBERS and isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
            return _number(value)
        if isinstance(value, str) or kind == "text":
            text = exp.Literal.string(str(value))
            dated = kind in _TIMES and self.dialect != "sqlite" and _ISO.fullmatch(str(value))
            return exp.Cast(this=text, to=exp.DataType.build("date" if len(str(value)) == 10 else "timestamp")) if dated else text
        return _number(repr(value))


_HUNDRED = exp.Literal.number("100.0")
_BOOLEANS = {"1": True, "true": True, "t": True, "yes": True, "0": False, "false": False, "f": False, "no": False}


def _quotient(above: exp.Expr, below: exp.Expr) -> exp.Expr:
    return exp.Div(this=above, expression=below, typed=True, safe=False)


def _in_and(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node) if isinstance(node, exp.Or) else node


def _number(text: str) -> exp.Expr:
    return exp.Neg(this=exp.Literal.number(text[1:])) if text.startswith("-") else exp.Literal.number(text)


def _numeric(value: Val) -> float:
    try:
        return float(value.value)
    except ValueError as error:
        raise NotCovered(f"{value.value!r} where a number belongs") from error


def _whole(value: Val) -> int:
    return int(_numeric(value))
