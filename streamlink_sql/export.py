"""The rows of an answer as CSV, Parquet or JSON. Cells are data: none reaches a spreadsheet as a formula."""

from __future__ import annotations

import csv
import io
import json
from typing import IO, TYPE_CHECKING, Any

from streamlink_sql.errors import BadRequest
from streamlink_sql.types import Answer, Rows, as_json

if TYPE_CHECKING:
    import pyarrow as pa

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def rows_of(answer: Answer) -> Rows:
    """The rows; raises BadRequest where an old answer was read back without them."""
    if answer.rows is None:
        raise BadRequest("The rows of this answer are not kept; ask again.", id=answer.id)
    return answer.rows


def for_sheet(text: str) -> str:
    """Text that a spreadsheet takes for text: a leading = + - @ is told apart by an apostrophe."""
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def text_of(value: Any) -> str:
    """A cell as people read it; NULL is empty."""
    shown = as_json(value)
    if shown is None:
        return ""
    if isinstance(shown, bool):
        return "true" if shown else "false"
    return json.dumps(shown, ensure_ascii=False) if isinstance(shown, (list, dict)) else str(shown)


def write_csv(answer: Answer, file: IO[bytes]) -> None:
    """A line of names, then a line a row."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    out = csv.writer(text)
    out.writerow([for_sheet(column.name) for column in answer.columns])
    for row in rows_of(answer).as_python():
        out.writerow([for_sheet(value) if isinstance(value, str) else text_of(value) for value in row])
    text.flush()
    text.detach()


def write_parquet(answer: Answer, file: IO[bytes]) -> None:
    """The rows with their types."""
    import pyarrow.parquet as pq

    pq.write_table(with_own_names(rows_of(answer).table), file)


def with_own_names(table: pa.Table) -> pa.Table:
    """The table with each column under a name of its own, as Parquet's readers and Polars want it: a second `id` is `id_2`."""
    names: dict[str, None] = {}
    for name in table.column_names:
        number, own = 2, name
        while own in names or (own != name and own in table.column_names):
            own, number = f"{name}_{number}", number + 1
        names[own] = None
    return table.rename_columns(list(names))


def write_json(answer: Answer, file: IO[bytes]) -> None:
    """The answer in its one JSON shape."""
    rows_of(answer)
    file.write(json.dumps(answer.body(), ensure_ascii=False).encode("utf-8", "replace") + b"\n")
