"""What the int8 weights lose against the same network in float32, on Spider's development set: at most 0.5 points.

Export one checkpoint twice, with and without `--float` (python -m streamlink_sql.training.export --help), and name both folders. Both
answer through the control unit, as a user's question is answered.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from unittest.mock import patch

from streamlink_sql.evaluate.spider import evaluate_spider
from streamlink_sql.generators.parser import runtime

MOST_POINTS = 0.5


def scores(data: Path, weights: Path, limit: int | None) -> dict[str, float]:
    """Exact match and execution accuracy in points, and the median milliseconds, with these weights."""
    with patch.object(runtime, "WEIGHTS", weights):
        result = evaluate_spider(data, "parser", limit=limit)
    return {"em": 100 * result["em"], "ex": 100 * result["ex"], "ms_median": result["ms_median"]}


def main() -> int:
    """The command line; status 1 when the loss is greater than it may be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="Spider's folder: dev.jsonl, tables.json and databases/")
    parser.add_argument("--float", type=Path, required=True, dest="whole", help="folder of the float32 export")
    parser.add_argument("--int8", type=Path, default=runtime.WEIGHTS, help="folder of the int8 export (default: the shipped weights)")
    parser.add_argument("--limit", type=int, help="the first so many questions only")
    given = parser.parse_args()
    found = {name: scores(given.data, folder, given.limit) for name, folder in (("float32", given.whole), ("int8", given.int8))}
    lost = {name: round(found["float32"][name] - found["int8"][name], 2) for name in ("em", "ex")}
    print(json.dumps({**found, "lost": lost}, indent=1))
    return int(max(lost.values()) > MOST_POINTS)


if __name__ == "__main__":
    sys.exit(main())
