"""How long the gate takes: check() over Spider's gold queries, in wall and processor time. Run: gate_latency.py PATH_TO_SPIDER"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections import defaultdict
from pathlib import Path

from streamlink_sql.checks import check
from streamlink_sql.errors import StreamLinkError
from streamlink_sql.types import Column, Draft, Table


def catalogue(path: Path) -> dict[str, tuple[Table, ...]]:
    """The tables of every database in Spider's tables.json."""
    found: dict[str, tuple[Table, ...]] = {}
    for entry in json.loads((path / "tables.json").read_text(encoding="utf-8")):
        columns: dict[int, list[Column]] = defaultdict(list)
        for table, name in entry["column_names_original"]:
            columns[table].append(Column(name, "other"))
        found[entry["db_id"]] = tuple(Table(name, tuple(columns[i])) for i, name in enumerate(entry["table_names_original"]))
    return found


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spider", type=Path, help="a folder with dev.jsonl and tables.json")
    parser.add_argument("--file", default="dev.jsonl")
    arguments = parser.parse_args()
    tables = catalogue(arguments.spider)
    rows = [json.loads(line) for line in (arguments.spider / arguments.file).read_text(encoding="utf-8").splitlines()]
    for row in rows[:50]:
        check(Draft(row["query"]), tables[row["db_id"]], "sqlite")
    gc.collect()
    gc.freeze()
    wall: list[float] = []
    processor: list[float] = []
    refused: dict[str, int] = defaultdict(int)
    for row in rows:
        begin, used = time.perf_counter(), time.thread_time()
        try:
            check(Draft(row["query"]), tables[row["db_id"]], "sqlite")
        except StreamLinkError as error:
            refused[str(error.helps.get("rule"))] += 1
        processor.append((time.thread_time() - used) * 1000)
        wall.append((time.perf_counter() - begin) * 1000)
    result = {
        "count": len(rows),
        "refused": refused,
        "ms_p50": round(statistics.median(wall), 3),
        "ms_p99": round(statistics.quantiles(wall, n=100)[98], 3),
        "processor_ms_p50": round(statistics.median(processor), 3),
        "processor_ms_p99": round(statistics.quantiles(processor, n=100)[98], 3),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
