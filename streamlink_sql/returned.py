"""JSON back to data: what `Answer.body` and `Table.body` wrote, read again. Opens nothing."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from streamlink_sql.types import Answer, Attempt, Column, ForeignKey, Rows, Table

if TYPE_CHECKING:
    import pyarrow as pa

READERS: dict[str, Callable[[Any], Any]] = {
    "integer": int,
    "real": float,
    "decimal": Decimal,
    "date": datetime.date.fromisoformat,
    "timestamp": datetime.datetime.fromisoformat,
    "time": datetime.time.fromisoformat,
    "binary": lambda text: base64.b64decode(text, validate=True),
}
"""How the JSON of a cell becomes its value again, by the kind of its column. Other kinds are what JSON holds."""


def table_from(body: Mapping[str, Any]) -> Table:
    """A table."""
    return Table(
        name=body["name"],
        columns=tuple(Column(c["name"], c["type"], c["native"], c["comment"]) for c in body["columns"]),
        primary_key=tuple(body["primary_key"]),
        foreign_keys=tuple(
            ForeignKey(tuple(k["columns"]), k["to_table"], tuple(k["to_columns"]), k["inferred"]) for k in body["foreign_keys"]
        ),
        comment=body["comment"],
        rows=body["rows"],
    )


def answer_from(body: Mapping[str, Any]) -> Answer:
    """An answer; without `rows`, as history has it, its rows are None."""
    columns = tuple(Column(column["name"], column["type"]) for column in body["columns"])
    rows = None if body.get("rows") is None else Rows(_arrow(columns, body["rows"]), body["truncated"])
    same = ("id", "question", "sql", "explanation", "confidence", "model", "engine", "timings_ms", "row_count", "truncated")
    values: dict[str, Any] = {name: body[name] for name in same}
    attempts = tuple(Attempt(**attempt) for attempt in body["attempts"])
    more: dict[str, Any] = {"warnings": tuple(body["warnings"]), "trace_id": body.get("trace_id", "")}
    return Answer(**values, **more, rows=rows, columns=columns, attempts=attempts)


def _arrow(columns: tuple[Column, ...], rows: list[list[Any]]) -> pa.Table:
    import pyarrow as pa

    arrays = [_array(column.kind, [row[place] for row in rows]) for place, column in enumerate(columns)]
    return pa.Table.from_arrays(arrays, names=[column.name for column in columns])


def _array(kind: str, cells: list[Any]) -> pa.Array:
    """The cells of a column. What its kind cannot read (a year past 9999, mixed content) stays as JSON has it."""
    import pyarrow as pa

    read = READERS.get(kind)
    if read is not None:
        try:
            return pa.array([None if cell is None else read(cell) for cell in cells], type=_arrow_type(kind))
        except (ValueError, TypeError, ArithmeticError, pa.ArrowException):
            pass
    try:
        return pa.array(cells, type=_arrow_type(kind))
    except (TypeError, pa.ArrowException):
        return pa.array([cell if cell is None or isinstance(cell, str) else json.dumps(cell) for cell in cells], type=pa.string())


def _arrow_type(kind: str) -> pa.DataType | None:
    """The type of an empty column too; None leaves it to the values."""
    import pyarrow as pa

    fixed = {"text": pa.string(), "integer": pa.int64(), "real": pa.float64(), "boolean": pa.bool_(), "binary": pa.binary()}
    return fixed.get(kind)
