"""How well the injection detector tells attacks from harmless texts. Reads a file of labelled texts, runs none of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlink_sql.checks.injection import detector
from streamlink_sql.evaluate.labelled import read_labelled


def evaluate_detector(path: Path, *, progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """Recall and misintercept (None where the file has no attack, or nothing harmless), rows, texts a second one at a time, wrong ids."""
    rows, judge = read_labelled(path), detector().judge
    wrong, caught, seconds = list[str](), 0, 0.0
    for number, row in enumerate(rows):
        began = time.perf_counter()
        alarm = judge(row.text).alarm
        seconds += time.perf_counter() - began
        caught += alarm and row.attack
        if alarm != row.attack:
            wrong.append(row.id)
        if progress and number % 500 == 0:
            progress(number, len(rows))
    attacks = sum(row.attack for row in rows)
    return {
        "recall": caught / attacks if attacks else None,
        "misintercept": (len(wrong) - (attacks - caught)) / (len(rows) - attacks) if len(rows) > attacks else None,
        "count": len(rows),
        "statements_per_second": round(len(rows) / seconds, 1),
        "wrong": wrong,
    }
