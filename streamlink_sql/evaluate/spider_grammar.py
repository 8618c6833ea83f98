"""Reads SQL the way the Spider benchmark's scorer does: a small grammar that knows one schema. Runs nothing.

What the grammar cannot read is Unreadable: outer joins, implicit aliases, `<>`, `IS NULL`, CASE, arithmetic on aggregates and more. That
is part of the benchmark's definition of exact match, so nothing is added here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

CLAUSES = frozenset({"select", "from", "where", "group", "order", "limit", "intersect", "union", "except"})
JOIN_WORDS = frozenset({"join", "on", "as"})
CONDITION_OPERATORS = frozenset({"not", "between", "=", ">", "<", ">=", "<=", "!=", "in", "like", "is", "exists"})
ARITHMETIC = frozenset({"none", "-", "+", "*", "/"})
AGGREGATES = frozenset({"none", "max", "min", "count", "sum", "avg"})
COMBINATIONS = ("intersect", "union", "except")
END_OF_QUERY = frozenset({")", ";"})
ALL_COLUMNS = "*"

_QUOTED = re.compile(r'"[^"]*"')
_MASK = "\x00{}\x00"
_APART = re.compile(r"([()\[\]{}<>;@#$%&?!]|--|\.\.\.|[:,](?!\d))")


class Unreadable(Exception):
    """The query does not fit Spider's grammar or names something that its schema has not."""


@dataclass(frozen=True, slots=True)
class SpiderSchema:
    """Tables and their columns in lower case; `stands_for` maps each `table.column` of a foreign-key group to the group's first one."""

    tables: Mapping[str, frozenset[str]]
    stands_for: Mapping[str, str]

    @classmethod
    def of_entry(cls, entry: Mapping[str, Any]) -> SpiderSchema:
        """The schema of one database in Spider's tables.json."""
        names = [name.lower() for name in entry["table_names_original"]]
        columns = [(names[table], column.lower()) if table >= 0 else None for table, column in entry["column_names_original"]]
        tables = {name: frozenset(column[1] for column in columns if column and column[0] == name) for name in names}
        full = [".".join(column) if column else ALL_COLUMNS for column in columns]
        stands_for = {full[member]: full[min(group)] for group in _groups(entry["foreign_keys"]) for member in group}
        return cls(tables, stands_for)


def _groups(pairs: Sequence[Sequence[int]]) -> list[set[int]]:
    """Columns linked by foreign keys. A pair joins the first group that holds either; groups that meet later stay apart, as officially."""
    groups: list[set[int]] = []
    for left, right in pairs:
        group = next((group for group in groups if left in group or right in group), None)
        if group is None:
            group = set()
            groups.append(group)
        group |= {left, right}
    return groups


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """A column as `table.column`, or `*`, with its aggregate ('none' for none)."""

    aggregate: str
    column: str
    distinct: bool


@dataclass(frozen=True, slots=True)
class Term:
    """One column or two with an operator between them."""

    operator: str
    left: ColumnUse
    right: ColumnUse | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """`term operator low [and high]`. A value is text, a number, a column or a nested query."""

    negated: bool
    operator: str
    term: Term
    low: Value
    high: Value = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditions and the words (and, or) between them."""

    units: tuple[Condition, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A query as Spider sees it."""

    distinct: bool
    select: tuple[tuple[str, Term], ...]
    tables: tuple[str | Query, ...]
    on: Conditions
    where: Conditions
    group: tuple[ColumnUse, ...]
    having: Conditions
    direction: str
    order: tuple[Term, ...]
    limited: bool
    intersect: Query | None = None
    union: Query | None = None
    except_: Query | None = None


Value = Query | ColumnUse | str | float | None


def read_query(sql: str, schema: SpiderSchema) -> Query:
    """The query in Spider's terms; raises Unreadable."""
    tokens = tokenize(sql)
    try:
        return _Reader(tokens, _names(tokens, schema), schema).query()
    except (IndexError, KeyError, RecursionError) as error:
        raise Unreadable(f"not in Spider's grammar: {error}") from error


def tokenize(sql: str) -> list[str]:
    """Words in lower case; quoted text stays whole and as it is. `a=1` is one word here, as it is for the official scorer."""
    text = sql.replace("'", '"')
    if text.count('"') % 2:
        raise Unreadable("a quotation mark is not closed")
    values = _QUOTED.findall(text)
    masked = iter(range(len(values)))
    text = _QUOTED.sub(lambda _: _MASK.format(next(masked)), text)
    by_mask = {_MASK.format(index): value for index, value in enumerate(values)}
    words = [by_mask.get(word, word.lower()) for word in _APART.sub(r" \1 ", text).split()]
    merged: list[str] = []
    for word in words:
        if word == "=" and merged and merged[-1] in ("!", ">", "<"):
            merged[-1] += word
        else:
            merged.append(word)
    return merged


def _names(tokens: Sequence[str], schema: SpiderSchema) -> dict[str, str]:
    """Table of every alias and table name; one table for the whole text, so an alias used twice means its last table."""
    aliases = {tokens[at + 1]: tokens[at - 1] for at, word in enumerate(tokens[:-1]) if word == "as"}
    if not aliases.keys().isdisjoint(schema.tables):
        raise Unreadable("an alias has the name of a table")
    return aliases | {name: name for name in schema.tables}


def _fail(what: str) -> NoReturn:
    raise Unreadable(f"not in Spider's grammar: {what}")


class _Reader:
    """A recursive-descent reader over one list of words."""

    def __init__(self, tokens: Sequence[str], names: Mapping[str, str], schema: SpiderSchema) -> None:
        self.tokens = tokens
        self.names = names
        self.schema = schema
        self.at = 0

    def peek(self) -> str:
        """The next word; empty at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def taken(self, word: str) -> bool:
        """Moves past `word` when it comes next."""
        if self.peek() != word:
            return False
        self.at += 1
        return True

    def expect(self, word: str) -> None:
        if not self.taken(word):
            _fail(f"{word!r} expected at word {self.at}, {self.peek()!r} found")

    def query(self) -> Query:
        """SELECT ... with everything that may follow. FROM is read first: it says what the columns may be."""
        block = self.taken("(")
        start = self.at
        self.at = self.tokens.index("from", start) + 1 if "from" in self.tokens[start:] else _fail("no FROM")
        tables, on = self.sources()
        default = [table for table in tables if isinstance(table, str)]
        end, self.at = self.at, start
        distinct, select = self.selection(default)
        self.at = end
        where = self.conditions(default) if self.taken("where") else Conditions()
        group = self.grouping(default)
        having = self.conditions(default) if self.taken("having") else Conditions()
        direction, order = self.ordering(default)
        limited = self.taken("limit")
        self.at += limited
        self.semicolons()
        if block:
            self.expect(")")
        self.semicolons()
        word = self.peek()
        combined = {word: self.combined()} if word in COMBINATIONS else {}
        return Query(
            distinct,
            select,
            tables,
            on,
            where,
            group,
            having,
            direction,
            order,
            limited,
            combined.get("intersect"),
            combined.get("union"),
            combined.get("except"),
        )

    def combined(self) -> Query:
        self.take()
        return self.query()

    def semicolons(self) -> None:
        while self.taken(";"):
            pass

    def sources(self) -> tuple[tuple[str | Query, ...], Conditions]:
        tables: list[str | Query] = []
        units: list[Condition] = []
        words: list[str] = []
        while self.at < len(self.tokens):
            block = self.taken("(")
            if self.peek() == "select":
                tables.append(self.query())
            else:
                self.taken("join")
                tables.append(self.table())
            if self.taken("on"):
                more = self.conditions([table for table in tables if isinstance(table, str)])
                words += (["and"] if units else []) + list(more.words)
                units += more.units
            if block:
                self.expect(")")
            if self.peek() in CLAUSES or self.peek() in END_OF_QUERY:
                break
        return tuple(tables), Conditions(tuple(units), tuple(words))

    def table(self) -> str:
        name = self.names[self.take()]
        if self.taken("as"):
            self.take()
        if name not in self.schema.tables:
            _fail(f"no table {name!r}")
        return name

    def selection(self, default: Sequence[str]) -> tuple[bool, tuple[tuple[str, Term], ...]]:
        self.expect("select")
        distinct = self.taken("distinct")
        items: list[tuple[str, Term]] = []
        while self.at < len(self.tokens) and self.peek() not in CLAUSES:
            aggregate = self.take() if self.peek() in AGGREGATES else "none"
            items.append((aggregate, self.term(default)))
            self.taken(",")
        return distinct, tuple(items)

    def term(self, default: Sequence[str]) -> Term:
        block = self.taken("(")
        left, operator, right = self.column_use(default), "none", None
        if self.peek() in ARITHMETIC:
            operator = self.take()
            right = self.column_use(default)
        if block:
            self.expect(")")
        return Term(operator, left, right)

    def column_use(self, default: Sequence[str]) -> ColumnUse:
        block = self.taken("(")
        if self.peek() in AGGREGATES:
            aggregate = self.take()
            self.expect("(")
            distinct = self.taken("distinct")
            column = self.column(default)
            self.expect(")")
            return ColumnUse(aggregate, column, distinct)
        distinct = self.taken("distinct")
        column = self.column(default)
        if block:
            self.expect(")")
        return ColumnUse("none", column, distinct)

    def column(self, default: Sequence[str]) -> str:
        word = self.take()
        if word == ALL_COLUMNS:
            return ALL_COLUMNS
        if "." in word:
            alias, column = word.split(".") if word.count(".") == 1 else _fail(word)
            table = self.names[alias]
            return f"{table}.{column}" if column in self.schema.tables[table] else _fail(f"no column {word!r}")
        for table in default:
            if word in self.schema.tables[table]:
                return f"{table}.{word}"
        _fail(f"no column {word!r}")

    def conditions(self, default: Sequence[str]) -> Conditions:
        units: list[Condition] = []
        words: list[str] = []
        while self.at < len(self.tokens):
            units.append(self.condition(default))
            word = self.peek()
            if not word or word in CLAUSES or word in END_OF_QUERY or word in JOIN_WORDS:
                break
            if word not in ("and", "or"):
                _fail(f"{word!r} after a condition")
            words.append(self.take())
        return Conditions(tuple(units), tuple(words))

    def condition(self, default: Sequence[str]) -> Condition:
        term = self.term(default)
        negated = self.taken("not")
        operator = self.take()
        if operator not in CONDITION_OPERATORS:
            _fail(f"{operator!r} is no comparison")
        low = self.value(default)
        if operator != "between":
            return Condition(negated, operator, term, low)
        self.expect("and")
        return Condition(negated, operator, term, low, self.value(default))

    def value(self, default: Sequence[str]) -> Value:
        start = self.at
        block = self.taken("(")
        value: Value
        if self.peek() == "select":
            value = self.query()
        elif '"' in self.tokens[self.at]:
            value = self.take()
        else:
            value = self.number_or_column(start, default)
        if block:
            self.expect(")")
        return value

    def number_or_column(self, start: int, default: Sequence[str]) -> float | ColumnUse:
        """A number, or a column. After a column everything up to the next AND, comma, bracket or clause is passed over."""
        try:
            number = float(self.tokens[self.at])
        except ValueError:
            stops = CLAUSES | JOIN_WORDS | {",", ")", "and"}
            end = next((at for at in range(self.at, len(self.tokens)) if self.tokens[at] in stops), len(self.tokens))
            use = _Reader(self.tokens[start:end], self.names, self.schema).column_use(default)
            self.at = end
            return use
        self.at += 1
        return number

    def grouping(self, default: Sequence[str]) -> tuple[ColumnUse, ...]:
        if not self.taken("group"):
            return ()
        self.expect("by")
        uses: list[ColumnUse] = []
        while self.at < len(self.tokens) and self.peek() not in CLAUSES and self.peek() not in END_OF_QUERY:
            uses.append(self.column_use(default))
            if not self.taken(","):
                break
        return tuple(uses)

    def ordering(self, default: Sequence[str]) -> tuple[str, tuple[Term, ...]]:
        """Direction and terms. One direction for all, the last one written, as officially."""
        direction = "asc"
        if not self.taken("order"):
            return direction, ()
        self.expect("by")
        terms: list[Term] = []
        while self.at < len(self.tokens) and self.peek() not in CLAUSES and self.peek() not in END_OF_QUERY:
            terms.append(self.term(default))
            if self.peek() in ("asc", "desc"):
                direction = self.take()
            if not self.taken(","):
                break
        return direction, tuple(terms)
