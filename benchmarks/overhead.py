"""What the control unit adds to the time of the model and of the engine: catalogue, checks, audit and history (median at most 10 ms).

The model is a recorded answer, so that its time is next to nothing; the engine's time is that of its plan and of its run.
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
from streamlink_sql.demo.patents import make_patents
from streamlink_sql.settings import Settings
from streamlink_sql.types import Question

LIMIT_MS = 10.0
RECORDED = {
    "how many patents are there?": "SELECT count(*) AS n FROM patents",
    "patents per country": "SELECT country_code, count(*) AS n FROM patents GROUP BY country_code ORDER BY n DESC LIMIT 10",
    "top assignees": (
        "SELECT a.assignee_name, count(*) AS n FROM patents p JOIN assignees a ON p.assignee_id = a.assignee_id "
        "GROUP BY a.assignee_name ORDER BY n DESC LIMIT 10"
    ),
}


def measure(folder: Path, rows: int, rounds: int) -> dict[str, float]:
    """Milliseconds by stage, as medians over all questions; `added` is all but the model, the plan and the run."""
    data = make_patents(folder / "patents", rows)
    recorded = folder / "recorded.jsonl"
    recorded.write_text("".join(json.dumps({"question": text, "sql": sql}) + "\n" for text, sql in RECORDED.items()))
    settings = Settings(data=str(data), model=f"replay:{recorded}", store=f"sqlite:///{folder / 'history.db'}")
    stages: dict[str, list[float]] = {}
    with closing(control_unit(settings)) as control:
        for number in range(rounds + 3):
            for text in RECORDED:
                began = time.perf_counter()
                told = control.answer(Question(text)).timings_ms
                whole = (time.perf_counter() - began) * 1000
                if number >= 3:  # the first rounds warm up
                    others = told["model"] + told["dry_run"] + told["engine"]
                    for name, ms in {**told, "total": whole, "added": whole - others}.items():
                        stages.setdefault(name, []).append(ms)
    return {name: round(statistics.median(times), 3) for name, times in stages.items()}


def main() -> int:
    """Prints one JSON object; exit status 1 where the limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=50)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), told.rows, told.rounds)
    print(json.dumps({"rows": told.rows, "limit_ms": LIMIT_MS, "median_ms": result}, indent=2))
    return int(result["added"] > LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())
