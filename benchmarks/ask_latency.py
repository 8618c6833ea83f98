"""Milliseconds of `ask` end to end, model included, on the patents demo after warm-up (median at most 150, p95 at most 400).

Asks the hundred demo questions one after another through the control unit, as the command line and the page do.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from streamlink_sql.assemble import control_unit
from streamlink_sql.demo import QUESTIONS
from streamlink_sql.demo.patents import make_patents
from streamlink_sql.errors import StreamLinkError
from streamlink_sql.settings import Settings
from streamlink_sql.types import Question

MEDIAN_MS, P95_MS = 150.0, 400.0
WARM_UP = 5


def measure(data: Path, store: Path) -> dict[str, object]:
    """Median and p95 of the whole, and the median of every stage; refused questions count with the time they took."""
    texts = [json.loads(line)["question"] for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    whole: list[float] = []
    stages: dict[str, list[float]] = {}
    with closing(control_unit(Settings(data=str(data), store=f"sqlite:///{store}"))) as control:
        for text in texts[:WARM_UP] + texts:
            began = time.perf_counter()
            try:
                for name, ms in control.answer(Question(text)).timings_ms.items():
                    stages.setdefault(name, []).append(ms)
            except StreamLinkError:
                pass
            whole.append((time.perf_counter() - began) * 1000)
    kept = sorted(whole[WARM_UP:])
    return {
        "questions": len(kept),
        "median_ms": round(statistics.median(kept), 1),
        "p95_ms": round(kept[int(len(kept) * 0.95)], 1),
        "stages_median_ms": {name: round(statistics.median(times[WARM_UP:] or times), 1) for name, times in stages.items()},
    }


def main() -> int:
    """Prints one JSON object; exit status 1 where a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path, help="a patents folder that is there already")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = told.data or make_patents(Path(folder) / "patents", told.rows)
        result = measure(data, Path(folder) / "history.db")
    print(json.dumps(result, indent=2))
    return int(float(str(result["median_ms"])) > MEDIAN_MS or float(str(result["p95_ms"])) > P95_MS)


if __name__ == "__main__":
    sys.exit(main())
