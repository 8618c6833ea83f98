"""Is the scorer right? Scores recorded answers whose official figures are known and prints both. Asks no model.

    python benchmarks/calibrate_scorer.py SPIDER_DIR REPLAYS_DIR

REPLAYS_DIR holds one `NAME.jsonl` (lines `id`, `sql`) for each name below. Exits 1 where a figure is more than 0.3 points off.
Official: the test-suite scorer with `--etype all`, values not plugged, DISTINCT not kept, on one database each.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from streamlink_sql.evaluate.spider import evaluate_spider

OFFICIAL = {"c3_chatgpt": {"em": 46.9, "ex": 81.8}, "gpt4_zero_shot": {"em": 40.4, "ex": 72.6}}
TOLERANCE = 0.3


def main() -> int:
    """Prints a table; the exit status says whether all figures fit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("spider", type=Path)
    parser.add_argument("replays", type=Path)
    folders = parser.parse_args()
    table = Table("answers", "figure", "official", "ours", "difference")
    worst = 0.0
    for name, figures in OFFICIAL.items():
        result = evaluate_spider(folders.spider, predictions=folders.replays / f"{name}.jsonl")
        for figure, official in figures.items():
            ours = 100 * result[figure]
            worst = max(worst, abs(ours - official))
            table.add_row(name, figure.upper(), f"{official:.1f}", f"{ours:.2f}", f"{ours - official:+.2f}")
    Console().print(table)
    return int(worst > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
