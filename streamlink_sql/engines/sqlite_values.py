"""SQLite's values as Arrow columns, and what a column of them means to us. Values come unchanged or, in mixed columns, as text."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from streamlink_sql.errors import TooCostly
from streamlink_sql.types import Kind

_FIRST_BATCH, _LARGEST_BATCH, _BATCH_BYTES = 16, 4_096, 2**22
_SIZED = frozenset((str, bytes))
_EXACT_FLOAT = 2**53
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?")
_TIME = re.compile(r"\d{2}:\d{2}(:\d{2}(\.\d+)?)?")


def fetch(connection: sqlite3.Connection, sql: str, row_limit: int, byte_limit: int) -> tuple[pa.Table, bool]:
    """Up to `row_limit` rows of a query within `byte_limit`, and whether more were there. Text that is not UTF-8 is shown with � in it."""
    try:
        return _fetch(connection.execute(sql), row_limit, byte_limit)
    except sqlite3.OperationalError as error:
        if "decode to UTF-8" not in str(error):
            raise
        connection.text_factory = lossy
        return _fetch(connection.execute(sql), row_limit, byte_limit)


def lossy(data: bytes) -> str:
    """Text, with � for what is not UTF-8."""
    return data.decode("utf-8", "replace")


def _fetch(cursor: sqlite3.Cursor, row_limit: int, byte_limit: int) -> tuple[pa.Table, bool]:
    names = [column[0] for column in cursor.description or ()]
    rows: list[tuple[Any, ...]] = []
    size, wanted, truncated = 0, _FIRST_BATCH, False
    while not truncated and (batch := cursor.fetchmany(min(wanted, row_limit + 1 - len(rows)))):
        weight = _weight(batch)
        if size + weight > byte_limit:
            batch, truncated = _fitting(batch, byte_limit - size), True
        rows += batch
        size += weight
        wanted = max(1, min(_LARGEST_BATCH, _BATCH_BYTES * len(batch) // (weight + 1)))
        if len(rows) > row_limit:
            rows.pop()
            truncated = True
    cursor.close()
    if truncated and not rows and row_limit:
        raise TooCostly(f"One row of the result is larger than the {byte_limit // 2**20} MB that a result may have.")
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return pa.Table.from_arrays([to_arrow(values) for values in columns], names=names), truncated


def _weight(rows: Sequence[tuple[Any, ...]]) -> int:
    """The bytes of the values, and eight for each."""
    long = sum(
        sum(map(len, (value for value in values if type(value) in _SIZED))) for values in zip(*rows, strict=True) if _any_sized(values)
    )
    return long + 8 * len(rows) * len(rows[0])


def _any_sized(values: tuple[Any, ...]) -> bool:
    return not _SIZED.isdisjoint(map(type, values))


def _fitting(rows: Sequence[tuple[Any, ...]], size: int) -> list[tuple[Any, ...]]:
    """The first rows that weigh no more than `size` together."""
    kept: list[tuple[Any, ...]] = []
    for row in rows:
        size -= _weight([row])
        if size < 0:
            break
        kept.append(row)
    return kept


def to_arrow(values: Sequence[Any]) -> pa.Array:
    """A column: integers, reals, text, binary as they are; integers among reals as reals where exact; any other mixture as text."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {int}:
        return pa.array(values, pa.int64())
    if kinds == {float} or (kinds == {int, float} and all(abs(value) <= _EXACT_FLOAT for value in values if type(value) is int)):
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if kinds == {bytes}:
        return pa.array(values, pa.binary())
    if kinds <= {str}:
        return pa.array(values, pa.string())
    return pa.array([as_text(value) for value in values], pa.string())


def as_text(value: Any) -> str | None:
    """A value as SQLite would cast it to text; bytes that are not UTF-8 as a literal X'...'."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return f"X'{value.hex().upper()}'"
    return str(value)


def kind(declared: str, values: Sequence[Any]) -> Kind:
    """What a column means to us: by its values where they are dates or numbers throughout, else by SQLite's rules for the declared type."""
    present = [value for value in values if value is not None and value != ""]
    kinds = set(map(type, present))
    affinity = _declared_kind(declared.upper())
    if affinity == "boolean":
        return "boolean" if all(value in (0, 1) for value in present) else _by_class(kinds, "text")
    if kinds == {str}:
        return _text_kind(present, affinity)
    if affinity in ("date", "timestamp", "time", "other"):
        return _by_class(kinds, affinity if not kinds else "text")
    if affinity in ("integer", "real", "decimal"):
        return affinity if kinds <= {int, float} and not (affinity == "integer" and float in kinds) else _by_class(kinds, affinity)
    return _by_class(kinds, affinity)


def _declared_kind(declared: str) -> Kind:
    words: tuple[tuple[Kind, tuple[str, ...]], ...] = (
        ("boolean", ("BOOL",)),
        ("timestamp", ("DATETIME", "TIMESTAMP")),
        ("date", ("DATE",)),
        ("integer", ("INT", "YEAR")),
        ("text", ("CHAR", "CLOB", "TEXT", "STRING")),
        ("time", ("TIME",)),
        ("binary", ("BLOB",)),
        ("real", ("REAL", "FLOA", "DOUB")),
        ("decimal", ("DECIMAL", "NUMERIC", "NUMBER", "MONEY")),
    )
    return next((meaning for meaning, parts in words if any(part in declared for part in parts)), "other")


def _text_kind(values: Sequence[str], declared: Kind) -> Kind:
    shapes: tuple[tuple[Kind, re.Pattern[str]], ...] = (("date", _DATE), ("timestamp", _TIMESTAMP), ("time", _TIME))
    for meaning, shape in shapes:
        if all(shape.fullmatch(value) for value in values):
            return meaning
    if all(_DATE.fullmatch(value) or _TIMESTAMP.fullmatch(value) for value in values):
        return "timestamp"
    return "binary" if declared == "binary" else "text"


def _by_class(kinds: set[type], otherwise: Kind) -> Kind:
    if kinds == {int}:
        return "integer"
    if kinds and kinds <= {int, float}:
        return "real"
    if kinds == {bytes}:
        return "binary"
    return "text" if kinds else otherwise
