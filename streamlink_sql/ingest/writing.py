"""Writes one part of a table as Parquet: sorted, in row groups with statistics, page indexes and bloom filters. Knows no plan.

DuckDB sorts, as it can do so on disk; Arrow writes, as it writes page indexes, the order of rows, and bloom filters for chosen columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from streamlink_sql.engines.spelling import quoted
from streamlink_sql.ingest import layout as layouts
from streamlink_sql.ingest.layout import ROW_GROUP, Column, Layout, Part, Values
from streamlink_sql.ingest.storage import Storage

_NULL_FOLDER = "__HIVE_DEFAULT_PARTITION__"
_ESCAPED = frozenset("\"#%'*/:=?\\{}[]^\x7f") | {chr(code) for code in range(32)}
_FALSE_ALARMS = 0.01
_PART = "part"


@dataclass(frozen=True, slots=True)
class File:
    """A file that is written: its path within the table, its rows, its bytes."""

    path: str
    rows: int
    bytes: int


def write_part(
    connection: duckdb.DuckDBPyConnection,
    storage: Storage,
    folder: str,
    number: int,
    plan: tuple[Layout, Sequence[Column]],
    part: Part,
    progress: Callable[[int], None],
) -> list[File]:
    """Writes the files of a part below `folder`; `progress` is told of rows as they are written."""
    layout, columns = plan
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {_PART} AS SELECT * FROM {layouts.rows_of(layout, columns, part)}")
    names = ", ".join(quoted(column.name) for column in columns if column.name not in layout.partition_by)
    order = f" ORDER BY {', '.join(quoted(name) for name in layout.sort_by)}" if layout.sort_by else ""
    files = []
    for values in part.folders:
        path = f"{folder_name(layout, values)}part-{number:05d}.zstd.parquet"
        query = f"SELECT {names} FROM {_PART} WHERE {layouts.same_folder(layout, columns, values)}{order}"
        files.append(_write(connection.sql(query).to_arrow_reader(ROW_GROUP), storage, folder, path, layout, progress))
    connection.execute(f"DROP TABLE {_PART}")
    return files


def folder_name(layout: Layout, values: Values) -> str:
    """The folders of these values as Hive names them, each with a / behind it; '' for a table without."""
    return "".join(
        f"{_escaped(name)}={_NULL_FOLDER if text is None else _escaped(text)}/"
        for name, text in zip(layout.partition_by, values, strict=True)
    )


def _escaped(text: str) -> str:
    return "".join(f"%{ord(character):02X}" if character in _ESCAPED else character for character in text)


def _write(reader: Any, storage: Storage, folder: str, path: str, layout: Layout, progress: Callable[[int], None]) -> File:
    schema = reader.schema
    rows = 0
    with storage.create(f"{folder}/{path}") as raw:
        sink = raw if isinstance(raw, pa.NativeFile) else pa.PythonFile(raw, mode="w")
        with pq.ParquetWriter(sink, schema, **_options(schema, layout)) as writer:
            for batch in reader:
                writer.write_batch(batch, row_group_size=ROW_GROUP)
                rows += batch.num_rows
                progress(batch.num_rows)
        size = sink.tell()
        sink.flush()
    return File(path, rows, size)


def _options(schema: pa.Schema, layout: Layout) -> dict[str, Any]:
    places = {name: at for at, name in enumerate(schema.names)}
    simple = not any(pa.types.is_nested(kind) for kind in schema.types)  # else a column's place is not its leaf's
    return {
        "compression": "zstd",
        "write_statistics": True,
        "write_page_index": True,
        "store_schema": False,
        "sorting_columns": [pq.SortingColumn(places[name], nulls_first=False) for name in layout.sort_by]
        if simple and layout.sort_by
        else None,
        "bloom_filter_options": {name: {"ndv": ndv, "fpp": _FALSE_ALARMS} for name, ndv in layout.bloom.items()} or None,
    }
