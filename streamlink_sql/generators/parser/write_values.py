"""The representation's expressions and conditions to sqlglot's. Writes no FROM and no clauses."""

from __future__ import annotations

import calendar
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from sqlglot import exp

from streamlink_sql.generators.parser.schema import NUMBERS, TIMES, Schema
from streamlink_sql.generators.parser.tokens import LENGTHS, ROUND, STATISTICS, NotCovered, Val
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
from streamlink_sql.types import Dialect

_AGGREGATES: dict[str, type[exp.Expr]] = {
    "COUNT": exp.Count,
    "COUNT_DISTINCT": exp.Count,
    "SUM": exp.Sum,
    "AVG": exp.Avg,
    "MIN": exp.Min,
    "MAX": exp.Max,
    "MEDIAN": exp.Median,
    "STDDEV": exp.Stddev,
    "VARIANCE": exp.Variance,
}
_ARITHMETIC: dict[str, type[exp.Binary]] = {"ADD": exp.Add, "SUB": exp.Sub, "MUL": exp.Mul}
_PARTS: dict[str, type[exp.Expr]] = {"YEAR": exp.Year, "QUARTER": exp.Quarter, "MONTH": exp.Month, "DAY": exp.Day, "HOUR": exp.Hour}
_SQLITE_FORMATS = {"YEAR": "%Y", "MONTH": "%m", "DAY": "%d", "WEEKDAY": "%w", "HOUR": "%H"}
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?")
_SECONDS = {"DAYS": 86_400, "HOURS": 3_600, "MINUTES": 60}
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*", re.IGNORECASE)


@dataclass
class Scope:
    """The names of one core's tables: `names` is empty of aliases where a bare column name is enough."""

    outer: Scope | None
    sources: tuple[Source, ...] = ()
    names: dict[tuple[int, str], str] = field(default_factory=dict)
    qualified: bool = False
    count: int = 0
    group: tuple[Expr, ...] = ()


def _calling(name: str, of: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=[of])


def _wrapped(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node) if isinstance(node, exp.Binary) else node


def quoted(name: str) -> exp.Identifier:
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


class ExpressionWriter(ABC):
    """Turns our expressions into sqlglot's."""

    def __init__(self, schema: Schema, dialect: Dialect) -> None:
        self.schema = schema
        self.dialect = dialect

    @abstractmethod
    def query(self, query: Query, outer: Scope | None) -> exp.Query:
        """A nested query."""

    @abstractmethod
    def condition(self, node: Condition, scope: Scope) -> exp.Expr:
        """A condition inside an expression."""

    @abstractmethod
    def valued(self, key: exp.Expr, direction: str) -> exp.Expr:
        """A term of a window's ORDER BY."""

    def ref(self, ref: Ref, scope: Scope) -> exp.Expr:
        table, column = self.schema.columns[ref.column]
        found = scope.outer if ref.where == "OUTER" and scope.outer else scope
        where = "" if ref.where == "OUTER" else ref.where
        name = found.names.get((table, where))
        if name is None and found.qualified:
            name = self.schema.tables[table].name
        return exp.Column(this=quoted(column.name), table=quoted(name) if name else None)

    def expr(self, node: Expr, scope: Scope) -> exp.Expr:
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
                return _quotient(exp.Mul(this=self.factor("100.0"), expression=part), whole)
            case Percent(condition, amount):
                each = exp.Literal.number(1) if amount is None else self.expr(amount, scope)
                hit = exp.Case(ifs=[exp.If(this=self.condition(condition, scope), true=each)], default=exp.Literal.number(0))
                above = exp.Mul(this=self.factor("100.0"), expression=exp.Sum(this=hit))
                all_of_it = exp.Count(this=exp.Star()) if amount is None else exp.Sum(this=each.copy())
                return _quotient(above, exp.Nullif(this=all_of_it, expression=exp.Literal.number(0)))
            case Filtered(of, condition):
                part = exp.Filter(this=self.expr(of, scope), expression=exp.Where(this=self.condition(condition, scope)))
                return exp.Coalesce(this=part, expressions=[exp.Literal.number(0)]) if of.name == "SUM" else part
            case Ordered(name, of):
                return self.over_groups(name, self.expr(of, scope), scope)
            case Query():
                return exp.Subquery(this=self.query(node, scope))
            case Val():
                return self.literal(node, "")
        raise NotCovered(f"{node!r} as an expression")

    def over_groups(self, name: str, part: exp.Expr, scope: Scope) -> exp.Expr:
        """The sum of an aggregate up to a group, or its difference from the group before; the last key is what comes one after another."""
        if not scope.group:
            raise NotCovered(f"{name} without groups")
        *within, last = (self.expr(key, scope) for key in scope.group)
        order = exp.Order(expressions=[self.valued(last, "ASC")])
        call = exp.Sum(this=part.copy()) if name == "RUNNING" else exp.Lag(this=part.copy())
        window = exp.Window(this=call, partition_by=within, order=order, over="OVER")
        return window if name == "RUNNING" else exp.Sub(this=_wrapped(part), expression=window)

    def called(self, name: str, of: exp.Expr) -> exp.Expr:
        if name in STATISTICS and name not in _AGGREGATES:
            return self.percentile(int(name[1:]), of)
        if name == "MEDIAN" and self.dialect == "sqlite":
            return exp.Anonymous(this="MEDIAN", expressions=[of])
        return _AGGREGATES[name](this=exp.Distinct(expressions=[of]) if name == "COUNT_DISTINCT" else of)

    def percentile(self, share: int, of: exp.Expr) -> exp.Expr:
        """What so many per cent of the values are at most, between two values in proportion."""
        if share == 50:
            return self.called("MEDIAN", of)
        if self.dialect == "sqlite":
            return exp.Anonymous(this="PERCENTILE", expressions=[of, exp.Literal.number(share)])
        kind = exp.PercentileCont if self.dialect == "duckdb" else exp.Quantile
        part = exp.Literal.number(share / 100)
        return kind(this=of, expression=part) if kind is exp.PercentileCont else kind(this=of, quantile=part)

    def arithmetic(self, node: Arithmetic, scope: Scope) -> exp.Expr:
        if node.name == ROUND and isinstance(node.right, Val):
            return exp.Round(this=self.expr(node.left, scope), decimals=exp.Literal.number(whole_number(node.right)))
        if node.name == "DIV":
            return self.division("1.0", node, scope)
        if node.name == "MUL" and isinstance(node.left, Val) and isinstance(node.right, Arithmetic) and node.right.name == "DIV":
            return self.division(str(float(_numeric(node.left))), node.right, scope)
        left, right = (_wrapped(self.operand(side, scope)) for side in (node.left, node.right))
        kinds = {self.kind(node.left), self.kind(node.right)}
        if node.name in LENGTHS or (node.name == "SUB" and kinds <= set(TIMES)):
            return self.between(node.name, left, right, of_days=kinds == {"date"})
        return _ARITHMETIC[node.name](this=left, expression=right)

    def between(self, name: str, later: exp.Expr, earlier: exp.Expr, *, of_days: bool) -> exp.Expr:
        """The time from one moment to another as so many units; SUB is DuckDB's own difference, days elsewhere."""
        apart: exp.Expr = exp.Sub(this=later, expression=earlier)
        if self.dialect == "spark" and (name == "SUB" or of_days):
            apart = exp.DateDiff(this=later, expression=earlier)
        elif self.dialect == "sqlite" and (name == "SUB" or of_days):
            apart = exp.Sub(this=_calling("JULIANDAY", later), expression=_calling("JULIANDAY", earlier))
        if name == "SUB" or (of_days and name == "DAYS"):
            return apart
        if of_days:
            return exp.Mul(this=exp.Literal.number(_SECONDS["DAYS"] // _SECONDS[name]), expression=_wrapped(apart))
        if self.dialect == "duckdb":
            seconds: exp.Expr = _calling("EPOCH", apart)
        else:
            function = "UNIXEPOCH" if self.dialect == "sqlite" else "UNIX_TIMESTAMP"
            seconds = exp.Paren(this=exp.Sub(this=_calling(function, later), expression=_calling(function, earlier)))
        return _quotient(seconds, exp.Literal.number(f"{_SECONDS[name]}.0" if self.dialect == "sqlite" else _SECONDS[name]))

    def operand(self, node: Expr, scope: Scope) -> exp.Expr:
        return self.literal(node, "real") if isinstance(node, Val) else self.expr(node, scope)

    def division(self, factor: str, node: Arithmetic, scope: Scope) -> exp.Expr:
        above = exp.Mul(this=self.factor(factor), expression=_wrapped(self.operand(node.left, scope)))
        below = self.operand(node.right, scope)
        if not isinstance(node.right, Val):
            below = exp.Nullif(this=below, expression=exp.Literal.number(0))
        return _quotient(above, _wrapped(below))

    def factor(self, number: str) -> exp.Expr:
        """What makes a quotient one of floating point: to Spark `100.0` is a DECIMAL, whose quotients have few digits."""
        found = exp.Literal.number(number)
        return exp.Cast(this=found, to=exp.DataType.build("double")) if self.dialect == "spark" else found

    def function(self, name: str, ref: Ref, scope: Scope) -> exp.Expr:
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
        if self.dialect == "sqlite" or self.schema.columns[ref.column][1].kind in TIMES:
            return column
        return exp.Cast(this=column, to=exp.DataType.build("date"))

    def part(self, name: str, column: exp.Expr) -> exp.Expr:
        if name == "YEAR_MONTH":
            return self.formatted(column, "%Y-%m")
        if name == "AGE":
            return self.age(column)
        if name == "DATE":
            return self.formatted(column, "%Y-%m-%d") if self.dialect == "sqlite" else exp.Cast(this=column, to=exp.DataType.build("date"))
        if name == "DAY_NAME":
            return self.day_name(column)
        if self.dialect != "sqlite":
            if name == "WEEKDAY":
                day = exp.DayOfWeek(this=column)
                return exp.Paren(this=exp.Sub(this=day, expression=exp.Literal.number(1))) if self.dialect == "spark" else day
            return _PARTS[name](this=column)
        if name == "QUARTER":
            month = exp.Paren(this=exp.Add(this=self.part("MONTH", column), expression=exp.Literal.number(2)))
            return exp.Div(this=month, expression=exp.Literal.number(3), typed=True, safe=True)
        return exp.Cast(this=self.formatted(column, _SQLITE_FORMATS[name]), to=exp.DataType.build("int"))

    def day_name(self, column: exp.Expr) -> exp.Expr:
        """The weekday's name."""
        if self.dialect == "duckdb":
            return exp.Dayname(this=column)
        if self.dialect == "spark":
            return self.formatted(column, "%A")
        number = self.formatted(column, _SQLITE_FORMATS["WEEKDAY"])
        names = (calendar.day_name[(day - 1) % 7] for day in range(7))
        cases = (exp.If(this=exp.Literal.string(str(day)), true=exp.Literal.string(name)) for day, name in enumerate(names))
        return exp.Case(this=number, ifs=list(cases))

    def age(self, birth: exp.Expr) -> exp.Expr:
        """The full years since a day, today."""
        today = exp.CurrentDate()
        if self.dialect == "duckdb":
            return exp.Anonymous(this="DATE_SUB", expressions=[exp.Literal.string("year"), birth, today])
        if self.dialect == "spark":
            months = exp.Anonymous(this="MONTHS_BETWEEN", expressions=[today, birth])
            return exp.Floor(this=exp.Div(this=months, expression=exp.Literal.number(12)))
        form = "%Y%m%d"
        days = exp.Sub(this=self.formatted(exp.Literal.string("now"), form), expression=self.formatted(birth, form))
        return exp.Cast(this=exp.Div(this=exp.Paren(this=days), expression=exp.Literal.number(10000)), to=exp.DataType.build("int"))

    def formatted(self, column: exp.Expr, form: str) -> exp.Expr:
        return exp.TimeToStr(this=column, format=exp.Literal.string(form))

    # Conditions

    def kind(self, node: Expr) -> str:
        """What an expression is compared as; a flag is a boolean that the engine keeps as a number; empty when unknown."""
        match node:
            case Ref(column):
                own = self.schema.columns[column][1]
                return "flag" if own.kind == "boolean" and own.native and not own.native.upper().startswith("BOOL") else own.kind
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
        if kind == "flag" and str(value).casefold() in _BOOLEANS:
            return _number(str(int(_BOOLEANS[str(value).casefold()])))
        if kind in NUMBERS and isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
            return _number(value)
        if isinstance(value, str) or kind == "text":
            text = exp.Literal.string(str(value))
            dated = kind in TIMES and self.dialect != "sqlite" and _ISO.fullmatch(str(value))
            return exp.Cast(this=text, to=exp.DataType.build("date" if len(str(value)) == 10 else "timestamp")) if dated else text
        return _number(repr(value))


_BOOLEANS = {"1": True, "true": True, "t": True, "yes": True, "0": False, "false": False, "f": False, "no": False}


def _quotient(above: exp.Expr, below: exp.Expr) -> exp.Expr:
    return exp.Div(this=above, expression=below, typed=True, safe=False)


def _number(text: str) -> exp.Expr:
    return exp.Neg(this=exp.Literal.number(text[1:])) if text.startswith("-") else exp.Literal.number(text)


def _numeric(value: Val) -> float:
    try:
        return float(value.value)
    except ValueError as error:
        raise NotCovered(f"{value.value!r} where a number belongs") from error


def whole_number(value: Val) -> int:
    return int(_numeric(value))
