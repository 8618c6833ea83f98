"""Answers as grid and chart take them. Column names and cells stand in values only, never in keys: the page obeys some keys."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from itertools import islice
from typing import Any

from streamlink_sql.types import Answer, Column, as_json

NUMBERS = ("integer", "real", "decimal")
GRID_ROWS = 10_000
GRID_HEIGHT_ROWS = 12
BARS_MIN, BARS_MAX = 2, 60
LABELS = re.compile(r"(?:^|[^a-z])(?:id|ids|year|code|zip|postcode|key|number|no|nr|phone)(?:[^a-z]|$)", re.IGNORECASE)
"""Names of columns whose numbers are labels: they get no thousands separators."""
EXACT_DIGITS, DECIMALS = 15, 4
GROUPED = (
    "p => { const v = p.value; if (v === null || v === undefined) return 'NULL'; const n = Number(v); const t = String(v);"
    f" if (!Number.isFinite(n) || t.replace(/[^0-9]/g, '').length > {EXACT_DIGITS + DECIMALS}) return t;"
    f" return n !== 0 && Math.abs(n) < 0.01 ? String(Number(n.toPrecision({DECIMALS}))) :"
    f" n.toLocaleString('en-US', {{maximumFractionDigits: {DECIMALS}}}); }}"
)
"""A number with thousands separators and at most four decimals; the cell's tooltip has all of it."""
PLAIN = "p => p.value === null || p.value === undefined ? 'NULL' : String(p.value)"
MOMENT = "p => p.value === null || p.value === undefined ? 'NULL' : String(p.value).replace('T', ' ').replace(/ 00:00:00$/, '')"
SOFT, ACCENT = "#7c8899", "#3b78d8"


def grid_options(answer: Answer) -> dict[str, Any]:
    """The options of AG Grid: every cell is text or a number, shown as such."""
    assert answer.rows is not None
    columns = [_column(place, column) for place, column in enumerate(answer.columns)]
    rows = [{f"c{place}": _cell(value) for place, value in enumerate(row)} for row in islice(answer.rows.as_python(), GRID_ROWS)]
    few = len(rows) <= GRID_HEIGHT_ROWS
    return {
        "columnDefs": columns,
        "rowData": rows,
        "defaultColDef": {
            "sortable": True,
            "resizable": True,
            "cellDataType": False,
            "minWidth": 110,
            "flex": 1 if len(columns) <= 6 else 0,
        },
        "domLayout": "autoHeight" if few else "normal",
        "enableCellTextSelection": True,
        "suppressDragLeaveHidesColumns": True,
        "overlayNoRowsTemplate": "No rows fit the question",
        "tooltipShowDelay": 600,
        "rowHeight": 34,
        "headerHeight": 38,
    }


def _column(place: int, column: Column) -> dict[str, Any]:
    number = column.kind in NUMBERS
    return {
        "field": f"c{place}",
        "headerName": column.name or "(no name)",
        "headerTooltip": column.name,
        "tooltipField": f"c{place}",
        ":valueFormatter": GROUPED if is_amount(column) else MOMENT if column.kind == "timestamp" else PLAIN,
        "cellClassRules": {"null": "x === null || x === undefined"},
        **({"type": "rightAligned", ":comparator": "(a, b) => Number(a) - Number(b)"} if number else {}),
    }


def is_amount(column: Column) -> bool:
    """True for numbers that are counted or measured; False for those that are labels, such as a year or an id."""
    return column.kind in NUMBERS and not LABELS.search(column.name)


def figure(answer: Answer) -> str | None:
    """The one number that an answer is, as people write it; None where it is more."""
    if answer.rows is None or answer.row_count != 1 or len(answer.columns) != 1 or answer.columns[0].kind not in NUMBERS:
        return None
    value = next(answer.rows.as_python())[0]
    if value is None or not math.isfinite(value):
        return None
    if not is_amount(answer.columns[0]):
        return str(value)
    return (
        f"{value:,}"
        if isinstance(value, int)
        else f"{value:,.{DECIMALS}f}".rstrip("0").rstrip(".")
        if abs(value) >= 0.01 or not value
        else f"{value:.4g}"
    )


def _cell(value: Any) -> Any:
    shown = as_json(value)
    if isinstance(shown, (dict, list)):
        return json.dumps(shown, ensure_ascii=False)
    return str(shown).lower() if isinstance(shown, bool) else shown


def chart_options(answer: Answer) -> dict[str, Any] | None:
    """The options of a chart, where the result is a label and a number a row; None where it is anything else."""
    if answer.rows is None or len(answer.columns) != 2 or not BARS_MIN <= answer.row_count <= BARS_MAX:
        return None
    label, number = _label_and_number(answer.columns)
    if number is None:
        return None
    rows = list(answer.rows.as_python())
    names = [str(as_json(row[label])) if row[label] is not None else "NULL" for row in rows]
    heights = [_height(row[number]) for row in rows]
    if len(set(names)) < len(names) or all(height is None for height in heights):
        return None
    line = answer.columns[label].kind in ("date", "timestamp", "integer") and names == sorted(names) and len(names) > 2
    return _chart(names, heights, answer.columns[number].name, line=line)


def _label_and_number(columns: tuple[Column, ...]) -> tuple[int, int | None]:
    kinds = [column.kind for column in columns]
    if kinds[1] in NUMBERS and kinds[0] in ("text", "date", "timestamp", "integer", "boolean"):
        return 0, 1
    return (1, 0) if kinds[0] in NUMBERS and kinds[1] in ("text", "date", "timestamp", "boolean") else (0, None)


def _height(value: Any) -> float | None:
    height = float(value) if isinstance(value, (int, float, Decimal)) else math.nan
    return height if math.isfinite(height) else None


def _chart(names: list[str], heights: list[float | None], title: str, *, line: bool) -> dict[str, Any]:
    text: dict[str, Any] = {"color": SOFT}
    long = max(map(len, names)) > 12 and not line
    labels: dict[str, Any] = {
        "type": "category",
        "data": names,
        "axisLabel": {**text, "hideOverlap": True, "width": 170, "overflow": "truncate"},
    }
    values: dict[str, Any] = {
        "type": "value",
        "axisLabel": {**text, "hideOverlap": True},
        "splitLine": {"lineStyle": {"color": SOFT, "opacity": 0.2}},
    }
    series: dict[str, Any] = {
        "type": "line" if line else "bar",
        "data": heights,
        "name": title,
        "itemStyle": {"color": ACCENT},
        "barMaxWidth": 34,
    }
    series |= {"symbolSize": 6, "areaStyle": {"opacity": 0.08}} if line else {}
    return {
        "animationDuration": 250,
        "grid": {"left": 8, "right": 32, "top": 16, "bottom": 8, "containLabel": True},
        "tooltip": {"trigger": "axis", "renderMode": "richText", "axisPointer": {"type": "line" if line else "shadow"}},
        "xAxis": values if long else labels,
        "yAxis": {**labels, "inverse": True} if long else values,
        "series": [series],
    }
