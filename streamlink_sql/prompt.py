"""The one prompt format, shared by serving and training. Text in, messages out; asks no model and reads no data.

The schema comes first and does not depend on the question as long as it fits the budget, so that a server's prefix cache holds; values
found in the question, the question and what was turned down come last. A schema over the budget loses sample values, then columns and
tables that the question needs least. What comes from the data is cut short and kept on one line: it is shown, never obeyed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from streamlink_sql.types import Attempt, Column, Context, Dialect, Table, ValueMatch

DIALECTS: dict[Dialect, str] = {"duckdb": "DuckDB", "sqlite": "SQLite", "spark": "Spark SQL"}
BUDGET = 24_000
"""Characters of schema, about 7,000 tokens."""

_SAMPLES, _MATCHES, _SAMPLE_LENGTH, _COMMENT_LENGTH, _SQL_LENGTH = 3, 12, 40, 160, 1_500
_WORD = re.compile(r"[^\W_]+")
_NAME_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_a-zA-Z]+")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED_WORDS = """
all and any as asc between by case cast check column create cross default delete desc distinct drop else end except exists false for foreign
from full group having in index inner insert intersect into is join left like limit natural not null offset on or order outer primary
references right select set table then to true union unique update using values view when where with
"""
_RESERVED = frozenset(_RESERVED_WORDS.split())


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation with a model."""

    role: Literal["system", "user", "assistant"]
    content: str


def render(question_text: str, context: Context, *, refused: Sequence[Attempt] = (), budget: int = BUDGET) -> list[Message]:
    """The messages that ask for the SQL of a question; `refused` are earlier drafts with the reason they were turned down."""
    dialect = DIALECTS[context.dialect]
    system = f"You write {dialect} queries. Answer with one {dialect} SELECT statement and nothing else."
    parts = [render_schema(context, question_text, budget=budget), *_found(context.matches), f"Question: {' '.join(question_text.split())}"]
    messages = [Message("system", system), Message("user", "\n\n".join(parts))]
    if refused:
        last = refused[-1]
        messages.append(Message("assistant", last.sql[:_SQL_LENGTH]))
        messages.append(Message("user", f"That query cannot be used: {_line(last.message, _SQL_LENGTH)} Write another one."))
    return messages


def render_schema(context: Context, question_text: str, *, budget: int = BUDGET) -> str:
    """The tables as CREATE TABLE statements; whole where they fit, cut to what the question needs where not."""
    whole = _statements(context, samples=True)
    if len(whole) <= budget:
        return whole
    bare = _statements(context, samples=False)
    return bare if len(bare) <= budget else _cut(context, question_text, budget)


def quote(name: str, dialect: Dialect) -> str:
    """A name as SQL needs it: quoted unless it is plain."""
    if _PLAIN_NAME.fullmatch(name) and name.lower() not in _RESERVED:
        return name
    mark = "`" if dialect == "spark" else '"'
    return mark + name.replace(mark, mark * 2).replace("\n", " ") + mark


def _statements(context: Context, *, samples: bool) -> str:
    return "\n\n".join(_statement(table, context, samples) for table in context.tables)


def _statement(table: Table, context: Context, samples: bool) -> str:
    """One table: a line a column with its remark, then the keys."""
    lines = [
        (f"  {quote(column.name, context.dialect)} {_type(column)}", _remark(table, column, context, samples)) for column in table.columns
    ]
    if table.primary_key:
        lines.append((f"  PRIMARY KEY ({_names(table.primary_key, context)})", ""))
    for key in table.foreign_keys:
        to = f"{quote(key.to_table, context.dialect)} ({_names(key.to_columns, context)})"
        lines.append((f"  FOREIGN KEY ({_names(key.columns, context)}) REFERENCES {to}", ""))
    body = [f"{text}{',' if at < len(lines) else ''}{remark}" for at, (text, remark) in enumerate(lines, 1)]
    about = _about(table.comment, context.synonyms.get((table.name, ""), ()))
    return "\n".join([*([f"-- {about}"] if about else []), f"CREATE TABLE {quote(table.name, context.dialect)} (", *body, ");"])


def _names(names: Iterable[str], context: Context) -> str:
    return ", ".join(quote(name, context.dialect) for name in names)


def _type(column: Column) -> str:
    return _line(column.native or column.kind.upper(), 60)


def _remark(table: Table, column: Column, context: Context, samples: bool) -> str:
    """What else is known of a column: its comment, other words for it, some of its values."""
    place = (table.name, column.name)
    about = _about(column.comment, context.synonyms.get(place, ()))
    shown = _shown(table, column, context.samples.get(place, ())) if samples else []
    parts = [*([about] if about else []), *([f"such as {', '.join(shown)}"] if shown else [])]
    return f" -- {'; '.join(parts)}" if parts else ""


def _shown(table: Table, column: Column, values: Sequence[str]) -> list[str]:
    """Some values of a column as SQL would write them; none of a key, whose values say nothing."""
    if column.name in table.primary_key or any(column.name in key.columns for key in table.foreign_keys):
        return []
    is_number = column.kind in ("integer", "real", "decimal")
    return [_line(value, _SAMPLE_LENGTH) if is_number else _value(value) for value in values[:_SAMPLES]]


def _about(comment: str, synonyms: Sequence[str]) -> str:
    also = f"also called {', '.join(_line(word, _SAMPLE_LENGTH) for word in synonyms)}" if synonyms else ""
    return "; ".join(part for part in (_line(comment, _COMMENT_LENGTH), also) if part)


def _found(matches: Sequence[ValueMatch]) -> list[str]:
    """The cell values that words of the question stand for, best first."""
    best = sorted(matches, key=lambda match: -match.score)[:_MATCHES]
    lines = dict.fromkeys(f"- {match.table}.{match.column} = {_value(match.value)}" for match in best)
    return ["Values in the data that the question may mean:\n" + "\n".join(lines)] if lines else []


def _value(text: str) -> str:
    return "'" + _line(text, _SAMPLE_LENGTH).replace("'", "''") + "'"


def _line(text: str, length: int) -> str:
    """The text on one line, without control characters, cut short."""
    flat = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return flat if len(flat) <= length else flat[: length - 1] + "…"


def _cut(context: Context, question_text: str, budget: int) -> str:
    """The schema within the budget: columns are left out one by one, those that the question needs least first, then whole tables."""
    spare = sorted(_needs(context, question_text), reverse=True)
    size = len(_statements(context, samples=False))
    kept = {table.name: list(table.columns) for table in context.tables}
    while spare and size > budget:
        _, table_name, column_name = spare.pop()
        column = next(column for column in kept[table_name] if column.name == column_name)
        kept[table_name].remove(column)
        size -= len(f"  {quote(column_name, context.dialect)} {_type(column)},\n")
    tables = tuple(_only(table, kept[table.name]) for table in context.tables if kept[table.name])
    return _statements(replace(context, tables=tables), samples=False)[:budget]


def _needs(context: Context, question_text: str) -> list[tuple[float, str, str]]:
    """(how much the question needs it, table, column) for each column."""
    words = {word.lower() for word in _WORD.findall(question_text)}
    matched = {(match.table, match.column) for match in context.matches}
    found: list[tuple[float, str, str]] = []
    for table in context.tables:
        keys = {*table.primary_key, *(name for key in table.foreign_keys for name in key.columns)}
        owner = _overlap(table.name, words)
        for column in table.columns:
            place = (table.name, column.name)
            synonyms = max((_overlap(word, words) for word in context.synonyms.get(place, ())), default=0.0)
            need = 4.0 * (place in matched) + 2.0 * max(_overlap(column.name, words), synonyms) + owner + 1.0 * (column.name in keys)
            found.append((need, *place))
    return found


def _overlap(name: str, words: set[str]) -> float:
    """The share of a name's words that stand in the question, plural or not."""
    parts = [part.lower() for part in _NAME_PART.findall(name)] or [name.lower()]
    return sum(part in words or f"{part}s" in words or part.rstrip("s") in words for part in parts) / len(parts)


def _only(table: Table, columns: Sequence[Column]) -> Table:
    """The table with some of its columns and the keys that they can still carry."""
    names = {column.name for column in columns}
    keys = tuple(key for key in table.foreign_keys if names.issuperset(key.columns))
    return replace(
        table, columns=tuple(columns), foreign_keys=keys, primary_key=table.primary_key if names.issuperset(table.primary_key) else ()
    )
