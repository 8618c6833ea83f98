"""Arrow tables cut to a number of rows and bytes, and as bytes on the wire. Knows no database."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from streamlink_sql.errors import InvalidSQL, TooCostly


def capped(schema: pa.Schema, batches: Iterable[pa.RecordBatch], row_limit: int, byte_limit: int) -> tuple[pa.Table, bool]:
    """The first rows of `batches` within both limits, and whether more were there. One row past the byte limit is TooCostly."""
    kept: list[pa.RecordBatch] = []
    rows = size = 0
    truncated = False
    for batch in batches:
        if rows + batch.num_rows > row_limit:
            batch, truncated = batch.slice(0, row_limit - rows), True
        if size + batch.nbytes > byte_limit:
            batch, truncated = _fitting(batch, byte_limit - size), True
        if batch.num_rows:
            kept.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if truncated:
            break
    if truncated and not rows and row_limit:
        raise TooCostly(f"One row of the result is larger than the {byte_limit // 2**20} MB that a result may have.")
    return pa.Table.from_batches(kept, schema), truncated


def to_bytes(table: pa.Table) -> pa.Buffer:
    """The table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def from_bytes(data: bytearray) -> pa.Table:
    """The table of an Arrow IPC stream, fully validated. InvalidSQL for what Arrow cannot carry: whole numbers of more than 38 digits."""
    table = pa.ipc.open_stream(pa.py_buffer(data)).read_all()
    try:
        table.validate(full=True)
    except pa.ArrowInvalid as error:
        raise InvalidSQL("A value of the result is out of range, such as a whole number of more than 38 digits.") from error
    return table


def warm() -> None:
    """Makes pyarrow import all that it imports on first use; later its files may be out of reach."""
    columns = [
        pa.array((1, None), pa.int64()),
        pa.array((1.5, None), pa.float64()),
        pa.array(("a", None), pa.string()),
        pa.array((b"a", None)),
    ]
    from_bytes(bytearray(to_bytes(pa.Table.from_arrays(columns, names=["i", "f", "t", "b"]).slice(0, 1))))


def _fitting(batch: pa.RecordBatch, size: int) -> pa.RecordBatch:
    """The longest start of a batch within so many bytes."""
    low, high = 0, batch.num_rows
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if batch.slice(0, middle).nbytes <= size else (low, middle - 1)
    return batch.slice(0, low)
