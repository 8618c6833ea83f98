"""DuckDB's results as Arrow tables that every reader can hold. What Arrow or Python has no value for comes as DuckDB's own text of it."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from streamlink_sql.engines import arrow

_AS_TEXT = frozenset({"time with time zone", "time_ns", "interval", "bignum", "uhugeint", "bit", "variant", "union", "geometry"})
"""Types that Arrow carries with a loss (an offset, digits), or in a form that Parquet, pandas or Polars refuse."""
_BATCH = 16_384
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
"""0001-01-01 and 9999-12-31, as days from 1970: the dates that Python knows. A day is left at both ends for time zones."""
_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


def fetch(connection: duckdb.DuckDBPyConnection, query: duckdb.Statement, row_limit: int, byte_limit: int) -> tuple[pa.Table, bool]:
    """Up to `row_limit` rows of a query within `byte_limit`, and whether more were there; the query runs once."""
    relation = connection.sql(query)
    names, types = relation.columns, relation.types
    lossy = [place for place, native in enumerate(types) if any(name in _AS_TEXT for name in _names(native))]
    if lossy:
        relation = relation.project(
            ", ".join(f"CAST(#{place} AS VARCHAR)" if place - 1 in lossy else f"#{place}" for place in range(1, len(names) + 1))
        )
    reader = relation.to_arrow_reader(min(_BATCH, row_limit + 1))
    table, truncated = arrow.capped(reader.schema, reader, row_limit, byte_limit)
    reader.close()
    return _settled(connection, table.rename_columns(names)), truncated


def sampled(texts: pa.ChunkedArray, limit: int) -> dict[str, object]:
    """The sample of a whole column of texts: the most frequent first, then by their bytes, as a query by GROUP BY would give it."""
    counted = pc.value_counts(texts.drop_null())
    found = pa.table({"v": counted.field("values"), "n": counted.field("counts")}).sort_by([("n", "descending"), ("v", "ascending")])
    repeated = len(found) < len(texts)
    return {
        "values": found.column("v").slice(0, limit).to_pylist(),
        "complete": len(found) <= limit,
        "unique": not repeated and len(found) > 0,
    }


def _names(native: object) -> Iterator[str]:
    """The id of a type, and of all types inside it."""
    pending = [native]
    while pending:
        found = pending.pop()
        kind = str(getattr(found, "id", ""))
        yield kind
        if kind in ("list", "array", "struct", "map", "union"):
            pending += [inner for _, inner in found.children]  # type: ignore[attr-defined]


def _settled(connection: duckdb.DuckDBPyConnection, table: pa.Table) -> pa.Table:
    """The table with columns as text where a value is out of range, and moments in microseconds where none is finer."""
    for place, field in enumerate(table.schema):
        column = table.column(place)
        if not _fits(column):
            column = _as_text(connection, column)
        elif pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            column = _in_microseconds(column)
        if column.type != field.type:
            table = table.set_column(place, pa.field(field.name, column.type), column)
    return table


def _fits(column: pa.ChunkedArray) -> bool:
    """Whether Arrow says that the column is valid, and Python has a value for each of its dates."""
    native = column.type
    if pa.types.is_decimal(native) or pa.types.is_time(native):
        return _is_valid(column)
    if pa.types.is_date(native) or pa.types.is_timestamp(native):
        day = _DAY[native.unit] if pa.types.is_timestamp(native) else 1
        bounds = pc.min_max(column.cast(pa.int64() if day > 1 else pa.int32())).as_py()
        least, most = bounds["min"], bounds["max"]
        return least is None or bool((_FIRST_DAY + 1) * day <= least and most < _LAST_DAY * day)
    return not pa.types.is_nested(native) or (_is_valid(column) and _is_python(column))


def _is_valid(column: pa.ChunkedArray) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _is_python(column: pa.ChunkedArray) -> bool:
    try:
        column.to_pylist()
    except (OverflowError, ValueError):
        return False
    return True


def _as_text(connection: duckdb.DuckDBPyConnection, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values as DuckDB writes them: 'infinity', '12000-01-01', '24:00:00'."""
    relation = connection.from_arrow(pa.table({"v": column})).project("CAST(v AS VARCHAR) AS v")
    return relation.to_arrow_reader(_BATCH).read_all().column("v")


def _in_microseconds(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.cast(pa.timestamp("us", column.type.tz))
    except pa.ArrowInvalid:
        return column
