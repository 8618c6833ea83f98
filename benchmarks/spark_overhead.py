"""What StreamLink adds to a query on a Spark Connect server, beyond the model's time and the dry run's (median at most 15 ms).

    python benchmarks/spark_overhead.py spark://127.0.0.1:15002 [spark://127.0.0.1:50051]

Demo questions go through the control unit, and the SQL of each answer goes to the same server by the same client alone, collected as
Arrow: in turn, question by question. Prints medians in milliseconds for each server; `overhead` is total - model - dry_run - bare, of
each pair.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from streamlink_sql.assemble import control_unit
from streamlink_sql.control import ControlUnit
from streamlink_sql.demo import QUESTIONS
from streamlink_sql.demo.glossary import glossary_text
from streamlink_sql.demo.patents import make_patents
from streamlink_sql.engines.spark import SparkEngine, _frame
from streamlink_sql.settings import Settings
from streamlink_sql.types import Question

LIMIT_MS = 15.0
STAGES = ("total", "model", "dry_run", "engine", "catalog", "checks", "queue")


def measure(address: str, places: dict[str, str], glossary: Path, texts: list[str], rounds: int) -> dict[str, float]:
    """The medians of one server; a first round warms up."""
    store = f"sqlite:///{glossary.with_name('history.db')}"
    settings = Settings(data=address, locations=places, glossary=glossary, store=store)
    found: dict[str, list[float]] = {}
    with closing(control_unit(settings)) as control, closing(SparkEngine(address, locations=places)) as alone:
        control.catalog.warm()
        for number in range(rounds + 1):
            for text in texts:
                sql, told = ask(control, text)
                told["bare"] = bare(alone, sql)
                told["overhead"] = told["total"] - told["model"] - told["dry_run"] - told["bare"]
                for name, ms in told.items() if number else ():
                    found.setdefault(name, []).append(ms)
    return {name: round(statistics.median(found[name]), 1) for name in (*STAGES, "bare", "overhead", "queries")}


def ask(control: ControlUnit, text: str) -> tuple[str, dict[str, float]]:
    """The SQL of an answer, and its milliseconds; `queries` were run for it."""
    began = time.perf_counter()
    answer = control.answer(Question(text, confirm=True))
    whole = (time.perf_counter() - began) * 1000
    return answer.sql, {**answer.timings_ms, "total": whole, "queries": sum(each.verdict in ("ran", "passed") for each in answer.attempts)}


def bare(engine: SparkEngine, sql: str) -> float:
    """Milliseconds of the query by Spark's client alone."""
    session = engine._connection.session()
    began = time.perf_counter()
    _frame(session, sql).toArrow()
    return (time.perf_counter() - began) * 1000


def fsync_ms(folder: Path) -> float:
    """How long the disk takes for a line of the audit, as a median; each question waits for it a few times."""
    found = []
    with (folder / "fsync").open("wb") as file:
        for _ in range(50):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            found.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(found), 2)


def main() -> int:
    """Prints one JSON object; exit status 1 where the limit is passed on a server."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("servers", nargs="+", metavar="ADDRESS")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    told = parser.parse_args()
    texts = [json.loads(line)["question"] for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    texts = texts[:: max(1, len(texts) // told.questions)][: told.questions]
    with tempfile.TemporaryDirectory() as folder:
        data, glossary = make_patents(Path(folder) / "patents", told.rows), Path(folder) / "glossary.toml"
        glossary.write_text(glossary_text(), encoding="utf-8")
        places = {path.stem: f"file://{path}" for path in sorted(data.glob("*.parquet"))}
        fsync = fsync_ms(Path(folder))
        results = {server: measure(server, places, glossary, texts, told.rounds) for server in told.servers}
    print(json.dumps({"rows": told.rows, "limit_ms": LIMIT_MS, "questions": len(texts), "fsync_ms": fsync, "median_ms": results}, indent=2))
    return int(any(result["overhead"] > LIMIT_MS for result in results.values()))


if __name__ == "__main__":
    sys.exit(main())
