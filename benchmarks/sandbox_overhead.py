"""What the sandbox adds to a query: the same query by the engine in its child process and by the driver in this process, in turn.

    python benchmarks/sandbox_overhead.py

Prints the medians and exits with 1 when the overhead of a query of one row or of 10,000 rows is past 5 ms.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import duckdb
import sqlglot
from sqlglot import exp

from streamlink_sql.engines import open_embedded, sqlite_values
from streamlink_sql.types import CheckedSQL, Dialect

QUERIES = {
    "one row": "SELECT count(*) AS n FROM t WHERE id < 100",
    "10,000 rows": "SELECT id, name, amount FROM t LIMIT 10000",
}
ROWS = 200_000
LIMIT_MS = 5.0


def main() -> int:
    """Measures both engines and says whether the limit holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for dialect, path in (("duckdb", make_duckdb(Path(folder))), ("sqlite", make_sqlite(Path(folder)))):
            worst = max(worst, measure(cast(Dialect, dialect), path, rounds))
    print(f"largest median overhead {worst:.2f} ms, limit {LIMIT_MS:.0f} ms")
    return 0 if worst <= LIMIT_MS else 1


def measure(dialect: Dialect, path: Path, rounds: int) -> float:
    """Prints a line for each query; returns the largest overhead in milliseconds."""
    engine = open_embedded(str(path))
    within = in_process(dialect, path)
    worst = 0.0
    for name, sql in QUERIES.items():
        query = CheckedSQL(sql, dialect, frozenset({"t"}), cast(exp.Query, sqlglot.parse_one(sql, dialect=dialect)))

        def sandboxed(query: CheckedSQL = query) -> object:
            return engine.run(query, row_limit=20_000, time_limit_s=60).table

        inside, outside = alternate(lambda sql=sql: within(sql), sandboxed, rounds)  # type: ignore[misc]
        added = outside - inside
        worst = max(worst, added)
        print(f"{dialect:7} {name:12} in process {inside:6.2f} ms, sandbox {outside:6.2f} ms, overhead {added:5.2f} ms (medians)")
    engine.close()
    return worst


def alternate(first: Callable[[], object], second: Callable[[], object], rounds: int) -> tuple[float, float]:
    """The median milliseconds of both, run in turn so that noise meets both alike."""
    times: tuple[list[float], list[float]] = ([], [])
    for work in (first, second) * 5:
        work()
    for _ in range(rounds):
        for work, kept in zip((first, second), times, strict=True):
            start = time.perf_counter()
            work()
            kept.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[0]), statistics.median(times[1])


def in_process(dialect: Dialect, path: Path) -> Callable[[str], object]:
    """The same query, to an Arrow table, without a sandbox."""
    if dialect == "sqlite":
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        return lambda sql: sqlite_values.fetch(connection, sql, 20_000, 2**28)
    database = duckdb.connect(str(path), read_only=True, config={"threads": "2"})
    return lambda sql: database.sql(sql).to_arrow_table()


def make_duckdb(folder: Path) -> Path:
    """A DuckDB file with one table."""
    path = folder / "data.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE t AS SELECT i AS id, 'name ' || i AS name, i / 3 AS amount FROM range({ROWS}) r(i)")
    return path


def make_sqlite(folder: Path) -> Path:
    """A SQLite file with the same table."""
    path = folder / "data.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, amount REAL)")
    connection.executemany("INSERT INTO t VALUES (?, ?, ?)", ((i, f"name {i}", i / 3) for i in range(ROWS)))
    connection.commit()
    connection.close()
    return path


if __name__ == "__main__":
    sys.exit(main())
