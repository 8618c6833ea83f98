"""Prints how long the catalogue takes: `python benchmarks/catalog.py [DATA] [QUESTIONS.jsonl]`.

Of the data: seconds to open and to read it, and milliseconds a question (median, 95th percentile). The same for a made-up schema of
500 tables with 40 columns each. Without questions, the demo's are asked.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from streamlink_sql.catalog import Catalog, glossary_beside
from streamlink_sql.engines import open_embedded

THEMES = ("customer", "invoice", "shipment", "supplier", "warehouse", "employee", "contract", "machine", "sensor", "campaign")
FIELDS = ("id", "name", "status", "created_at", "amount", "quantity", "region", "priority", "owner", "weight")
WIDE_QUESTIONS = (
    "How many customers have open invoices above 5000?",
    "Average weight of shipments per warehouse region in 2020",
    "Which suppliers delivered the largest quantity to warehouse 17?",
    "List the names of employees who own a machine with priority 1",
    "Total contract amount per campaign owner and year",
    "sensor reeding status by machne",
)


def wide_schema(path: Path, tables: int = 500, columns: int = 40) -> None:
    """A DuckDB file of many small tables that look alike."""
    with duckdb.connect(str(path)) as connection:
        for number in range(tables):
            theme = THEMES[number % len(THEMES)]
            names = [f"{FIELDS[at % len(FIELDS)]}_{at // len(FIELDS)}" if at >= len(FIELDS) else FIELDS[at] for at in range(columns)]
            spelt = ", ".join(
                f"'{name[:3]}' || (i * {at} % 90) AS {name}"
                if "name" in name or "region" in name or "status" in name
                else f"i + {at} AS {name}"
                for at, name in enumerate(names)
            )
            connection.execute(f"CREATE TABLE {theme}_{number // len(THEMES)} AS SELECT {spelt} FROM range(100) t(i)")


def measured(path: Path, questions: Sequence[str]) -> dict[str, Any]:
    """Seconds to open and read the data at a path, and milliseconds a question; the first round of questions is not counted."""
    started = time.perf_counter()
    engine = open_embedded(str(path))
    opened = time.perf_counter()
    try:
        catalog = Catalog(engine, glossary=glossary_beside(path))
        catalog.warm()
        read = time.perf_counter()
        times = [_ask(catalog, question) for _ in range(3) for question in questions][len(questions) :]
        tables = catalog.tables()
    finally:
        engine.close()
    return {
        "tables": len(tables),
        "columns": sum(len(table.columns) for table in tables),
        "open_seconds": round(opened - started, 2),
        "build_seconds": round(read - opened, 2),
        "questions": len(questions),
        "ms_median": round(statistics.median(times), 2),
        "ms_p95": round(statistics.quantiles(times, n=20)[-1], 2),
    }


def _ask(catalog: Catalog, question: str) -> float:
    started = time.perf_counter()
    catalog.relevant(question)
    return (time.perf_counter() - started) * 1000


def main() -> None:
    import tempfile

    demo = files("streamlink_sql.demo") / "questions.jsonl"
    text = Path(sys.argv[2]).read_text(encoding="utf-8") if len(sys.argv) > 2 else demo.read_text(encoding="utf-8")
    questions = [json.loads(line)["question"] for line in text.splitlines() if line.strip()]
    if len(sys.argv) > 1:
        print(json.dumps({"data": Path(sys.argv[1]).name, **measured(Path(sys.argv[1]), questions)}))
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "wide.duckdb"
        wide_schema(path)
        print(json.dumps({"data": "500 x 40", **measured(path, WIDE_QUESTIONS)}))


if __name__ == "__main__":
    main()
