"""The rows of an answer as CSV, Excel workbook, Parquet or JSON. Cells are data: none reaches a spreadsheet as a formula."""

from __future__ import annotations

import csv
import datetime
import decimal
import io
import json
import math
from typing import IO, TYPE_CHECKING, Any

from streamlink_sql.errors import BadRequest
from streamlink_sql.types import Answer, Rows, as_json

if TYPE_CHECKING:
    import pyarrow as pa

SHEET_ROWS, SHEET_COLUMNS, SHEET_TEXT = 1_048_576, 16_384, 32_767
"""What a sheet holds at most: rows with the line of names, columns, characters of a cell."""
_EXACT = 10**15
"""Whole numbers and amounts below it come through a sheet, which has 15 digits, as they are."""
_FIRST_DAY = datetime.datetime(1900, 3, 1)
"""Before it Excel's calendar is wrong."""
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


def write_xlsx(answer: Answer, file: IO[bytes]) -> None:
    """A sheet with a line of names, then a line a row; raises BadRequest for what a sheet cannot hold."""
    import xlsxwriter

    rows, heads = rows_of(answer), [column.name for column in answer.columns]
    if rows.table.num_rows >= SHEET_ROWS or len(heads) > SHEET_COLUMNS:
        raise BadRequest(f"A sheet holds {SHEET_ROWS - 1:,} rows and {SHEET_COLUMNS:,} columns at most. Write CSV or Parquet instead.")
    plain = {f"strings_to_{kind}": False for kind in ("formulas", "urls", "numbers")}
    with xlsxwriter.Workbook(file, {"constant_memory": True, "nan_inf_to_errors": False, **plain}) as book:
        sheet, forms = book.add_worksheet("answer"), {kind: book.add_format({"num_format": form}) for kind, form in _SHEET_FORMS.items()}
        for at, name in enumerate(heads):
            sheet.write_string(0, at, name[:SHEET_TEXT], book.add_format({"bold": True}))
        for line, row in enumerate(rows.as_python(), 1):
            for at, value in enumerate(row):
                _write_cell(sheet, line, at, value, forms)
        sheet.freeze_panes(1, 0)


def _write_cell(sheet: Any, line: int, at: int, value: Any, forms: dict[type, Any]) -> None:
    """A cell of the kind that it is; what Excel has no kind for is text."""
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(line, at, value)
    elif isinstance(value, float) and math.isfinite(value) or isinstance(value, (int, decimal.Decimal)) and -_EXACT < value < _EXACT:
        sheet.write_number(line, at, float(value))
    elif isinstance(value, (datetime.date, datetime.time)) and _in_calendar(value):
        sheet.write_datetime(line, at, value, forms[type(value)])
    else:
        text = value if isinstance(value, str) else text_of(value)
        if len(text) > SHEET_TEXT:
            raise BadRequest(f"A cell of a sheet holds {SHEET_TEXT:,} characters at most; one here has more. Write CSV or Parquet instead.")
        sheet.write_string(line, at, text)


def _in_calendar(value: datetime.date | datetime.time) -> bool:
    """Whether Excel can show a moment: it has no zones, and no days before 1900."""
    if isinstance(value, datetime.time):
        return value.tzinfo is None
    moment = value if isinstance(value, datetime.datetime) else datetime.datetime.combine(value, datetime.time())
    return moment.tzinfo is None and moment >= _FIRST_DAY


_SHEET_FORMS = {datetime.date: "yyyy-mm-dd", datetime.datetime: "yyyy-mm-dd hh:mm:ss", datetime.time: "hh:mm:ss"}


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
