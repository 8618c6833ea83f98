"""How well the injection detector tells attacks from harmless texts. Reads a file of labelled texts, runs none of them."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlink_sql.checks.injection import detector
from streamlink_sql.errors import BadRequest, NotFound

csv.field_size_limit(2**24)


def read_labelled(path: Path) -> list[tuple[str, str, bool]]:
    """The rows `id,text,label` of a CSV file as (id, text, whether it is an attack); raises NotFound and BadRequest."""
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if missing := [name for name in ("id", "text", "label") if name not in (reader.fieldnames or ())]:
                raise BadRequest(f"{path} lacks the column {' and '.join(missing)}. It needs id, text and label (1 = attack).")
            rows = [(line["id"], line["text"], line["label"]) for line in reader]
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path} is not UTF-8 text: {error}.") from error
    except csv.Error as error:
        raise BadRequest(f"{path} cannot be read as CSV: {error}.") from error
    for number, (_, text, label) in enumerate(rows, 1):
        if label not in ("0", "1") or text is None:
            raise BadRequest(f"{path}, row {number}: the label is {label!r}; it must be 0 or 1.")
    if not rows:
        raise BadRequest(f"{path} has no rows.")
    return [(id_ or f"row {number}", text, label == "1") for number, (id_, text, label) in enumerate(rows, 1)]


def evaluate_detector(path: Path, *, progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """Recall and misintercept (None where the file has no attack, or nothing harmless), rows, texts a second one at a time, wrong ids."""
    rows, judge = read_labelled(path), detector().judge
    wrong, caught, seconds = list[str](), 0, 0.0
    for number, (id_, text, label) in enumerate(rows):
        began = time.perf_counter()
        alarm = judge(text).alarm
        seconds += time.perf_counter() - began
        caught += alarm and label
        if alarm != label:
            wrong.append(id_)
        if progress and number % 500 == 0:
            progress(number, len(rows))
    attacks = sum(label for _, _, label in rows)
    return {
        "recall": caught / attacks if attacks else None,
        "misintercept": (len(wrong) - (attacks - caught)) / (len(rows) - attacks) if len(rows) > attacks else None,
        "count": len(rows),
        "statements_per_second": round(len(rows) / seconds, 1),
        "wrong": wrong,
    }
