"""Exports of the parser beside each other: exact match and execution accuracy on Spider's development set, size, milliseconds, load time.

    python -m benchmarks.exports --data SPIDER work/float work/int8 work/int4 [--adapter DIR] [--out work/exports.json]

Each folder is what `python -m streamlink_sql.training.export` wrote, with a ranking.json (taken from the package where there is none).
Answers come through the control unit, as a user's do. What is measured is kept in --out, so that a run that was stopped goes on. Status 1
where one loses more than --most points against the first.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rich.console import Console
from rich.table import Table

from streamlink_sql.evaluate.spider import evaluate_spider
from streamlink_sql.generators.parser import runtime
from streamlink_sql.generators.parser.adapter import read_adapter

FILES = ("encoder.onnx", "decoder.onnx", "words.npz", "tokenizer.json", "ranking.json")
MOST_POINTS = 0.5


def measured(weights: Path, data: Path, limit: int | None, adapter: Path | None) -> dict[str, Any]:
    """What one export does."""
    if not (weights / "ranking.json").exists():
        shutil.copyfile(runtime.WEIGHTS / "ranking.json", weights / "ranking.json")
    began = time.perf_counter()
    runtime.Model(weights, 1, None if adapter is None else read_adapter(adapter))
    loaded = time.perf_counter() - began
    with patch.object(runtime, "WEIGHTS", weights):
        result = evaluate_spider(data, "parser", adapter=adapter, limit=limit)
    size = sum((weights / name).stat().st_size for name in FILES)
    told = {name: result[name] for name in ("em", "ex", "ex_interval", "count", "ms_median", "ms_p95")}
    return {**told, "megabytes": round(size / 1e6, 1), "load_s": round(loaded, 2)}


def show(found: dict[str, dict[str, Any]]) -> None:
    """One table, each export against the first."""
    table = Table("export", "MB", "exact match", "execution", "95 %", "lost, points", "ms, median", "ms, p95", "load, s")
    first = next(iter(found.values()))
    for name, each in found.items():
        low, high = each["ex_interval"]
        lost = f"{100 * (first['em'] - each['em']):.1f} / {100 * (first['ex'] - each['ex']):.1f}"
        shares = f"{each['em']:.1%}", f"{each['ex']:.1%}", f"{low:.1%} to {high:.1%}"
        table.add_row(
            name, f"{each['megabytes']:.1f}", *shares, lost, f"{each['ms_median']:.0f}", f"{each['ms_p95']:.0f}", f"{each['load_s']}"
        )
    Console().print(table)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exports", type=Path, nargs="*", default=[runtime.WEIGHTS], help="folders, the one to compare with first")
    parser.add_argument("--data", type=Path, required=True, help="Spider's folder: dev.jsonl, tables.json and databases/")
    parser.add_argument("--adapter", type=Path, help="measure the last export with this adapter, too")
    parser.add_argument("--limit", type=int, help="the first so many questions only")
    parser.add_argument("--most", type=float, default=MOST_POINTS, help="points that may be lost (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="file of JSON that keeps the figures")
    given = parser.parse_args()
    cells: list[tuple[Path, Path | None]] = [(folder, None) for folder in given.exports]
    if given.adapter:
        cells.append((given.exports[-1], given.adapter))
    found = json.loads(given.out.read_text(encoding="utf-8")) if given.out and given.out.exists() else {}
    for weights, adapter in cells:
        name = weights.name + (f" with {adapter.name}" if adapter else "")
        if name not in found:
            found[name] = measured(weights, given.data, given.limit, adapter)
            if given.out:
                given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    show(found)
    first = next(iter(found.values()))
    return int(any(100 * (first[what] - each[what]) > given.most for each in found.values() for what in ("em", "ex")))


if __name__ == "__main__":
    sys.exit(main())
