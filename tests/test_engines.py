"""One contract for both embedded engines, and what each must withstand alone: here the SQL has passed no check at all."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import cast

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

from streamlink_sql.engines import confine, open_embedded, sandbox
from streamlink_sql.engines.duckdb import DuckDBEngine
from streamlink_sql.engines.embedded import EmbeddedEngine
from streamlink_sql.engines.sqlite import SQLiteEngine
from streamlink_sql.errors import (
    BadRequest,
    Busy,
    Cancelled,
    EngineUnavailable,
    InvalidSQL,
    NotFound,
    StreamLinkError,
    TimedOut,
    TooCostly,
)
from streamlink_sql.scope import Scope
from streamlink_sql.types import CheckedSQL, Dialect, Rows

REGIONS = ("north", "south", "south", "west", "west", "west", None)
ROWS = 7_000
KINDS = ("duckdb file", "parquet folder", "csv folder", "sqlite")
SALES = "id INTEGER PRIMARY KEY, region TEXT, amount DOUBLE, day DATE, paid BOOLEAN"
ODD = '"select" INTEGER, "größe in cm" INTEGER, "名前" TEXT, "a ""quoted"" one" INTEGER'


def sales_rows() -> list[tuple[object, ...]]:
    return [(i, REGIONS[i % 7], i / 2, f"2024-01-{i % 28 + 1:02}", i % 2 == 0) for i in range(ROWS)]


def make_duckdb(file: Path) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"CREATE TABLE sales ({SALES})")
        connection.execute(
            "INSERT INTO sales SELECT i, (['north', 'south', 'south', 'west', 'west', 'west', NULL])[i % 7 + 1], i / 2, "
            f"DATE '2024-01-01' + CAST(i % 28 AS INTEGER), i % 2 = 0 FROM range({ROWS}) r(i)"
        )
        connection.execute(f'CREATE TABLE "order" ({ODD}, FOREIGN KEY ("select") REFERENCES sales (id))')
        connection.execute("""INSERT INTO "order" VALUES (1, 180, '山田', 5), (2, 170, 'Müller', 6)""")


def make_sqlite(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute(f"CREATE TABLE sales ({SALES})")
    connection.executemany("INSERT INTO sales VALUES (?, ?, ?, ?, ?)", sales_rows())
    connection.execute(f'CREATE TABLE "order" ({ODD}, FOREIGN KEY ("select") REFERENCES sales)')
    connection.execute("""INSERT INTO "order" VALUES (1, 180, '山田', 5), (2, 170, 'Müller', 6)""")
    connection.commit()
    connection.close()


def make_folder(folder: Path, ending: str) -> None:
    folder.mkdir()
    make_duckdb(folder.parent / "made.duckdb")
    with duckdb.connect(str(folder.parent / "made.duckdb")) as connection:
        for table in ("sales", "order"):
            connection.execute(f"COPY \"{table}\" TO '{folder / (table + ending)}'")


def make(kind: str, folder: Path) -> Path:
    path = folder / {"duckdb file": "data.duckdb", "sqlite": "data.sqlite"}.get(kind, "data")
    if kind == "duckdb file":
        make_duckdb(path)
    elif kind == "sqlite":
        make_sqlite(path)
    else:
        make_folder(path, ".parquet" if kind == "parquet folder" else ".csv")
    return path


def opened(path: Path) -> EmbeddedEngine:
    return cast(EmbeddedEngine, open_embedded(str(path)))


@pytest.fixture(scope="module", params=KINDS)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    found = opened(make(request.param, tmp_path_factory.mktemp("data")))
    yield found
    found.close()


@pytest.fixture(params=["duckdb file", "sqlite"])
def own_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedEngine]:
    """An engine that one test may harm."""
    found = opened(make(request.param, tmp_path))
    yield found
    found.close()


def checked(sql: str, dialect: Dialect) -> CheckedSQL:
    try:
        tree = sqlglot.parse_one(sql, dialect=dialect)
    except sqlglot.errors.SqlglotError:
        tree = exp.select("1")
    return CheckedSQL(sql, dialect, frozenset(), cast(exp.Query, tree))


def run(engine: EmbeddedEngine, sql: str, *, row_limit: int = 100, seconds: float = 30.0, run_id: str = "") -> Rows:
    return engine.run(checked(sql, engine.dialect), row_limit=row_limit, time_limit_s=seconds, run_id=run_id)


def answers(engine: EmbeddedEngine) -> bool:
    return bool(run(engine, "SELECT count(*) AS n FROM sales").table.to_pylist() == [{"n": ROWS}])


ENDLESS = {
    "duckdb": "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range * b.range % 7 = 3",
    "sqlite": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
}


# The contract


def test_tables(engine: EmbeddedEngine) -> None:
    tables = {table.name: table for table in engine.tables()}
    assert set(tables) == {"sales", "order"}
    sales = tables["sales"]
    assert [column.name for column in sales.columns] == ["id", "region", "amount", "day", "paid"]
    assert [column.kind for column in sales.columns] == ["integer", "text", "real", "date", "boolean"]
    assert [column.name for column in tables["order"].columns] == ["select", "größe in cm", "名前", 'a "quoted" one']
    assert sales.rows == ROWS


def test_declared_keys(own_engine: EmbeddedEngine) -> None:
    tables = {table.name: table for table in own_engine.tables()}
    assert tables["sales"].primary_key == ("id",)
    (key,) = tables["order"].foreign_keys
    assert (key.columns, key.to_table, key.to_columns, key.inferred) == (("select",), "sales", ("id",), False)


def test_sample(engine: EmbeddedEngine) -> None:
    regions = engine.sample("sales", "region", limit=10)
    assert (regions.values, regions.complete, regions.unique) == (("west", "south", "north"), True, False)
    ids = engine.sample("sales", "id", limit=5)
    assert (len(ids.values), ids.complete, ids.unique) == (5, False, True)
    assert engine.sample("order", 'a "quoted" one', limit=2).values == ("5", "6")
    with pytest.raises(NotFound):
        engine.sample("sales", "nothing", limit=1)


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT s.region FROM sales AS s", {"sales"}),
        ('SELECT * FROM "order" AS o JOIN sales ON sales.id = o."select"', {"sales", "order"}),
        ("WITH x AS (SELECT * FROM sales) SELECT count(*) FROM x", {"sales"}),
        ('SELECT (SELECT max("größe in cm") FROM "order") AS m', {"order"}),
        ("SELECT count(*) FROM sales UNION ALL SELECT 1", {"sales"}),
        ("SELECT 1 AS one", set()),
        ("SELECT id FROM sales;", {"sales"}),
        ('SELECT count(*) FROM sales JOIN (SELECT "select" AS id FROM "order") USING (id)', {"sales", "order"}),
        ("SELECT id FROM sales WHERE (id, region) IN (SELECT id, 'west' FROM sales)", {"sales"}),
        ("WITH x AS (SELECT region, sum(amount) AS s FROM sales GROUP BY 1) SELECT *, rank() OVER (ORDER BY s) FROM x", {"sales"}),
        ("WITH x AS (SELECT id FROM sales) SELECT * FROM x JOIN x AS y USING (id)", {"sales"}),
    ],
)
def test_dry_run_names_the_tables(engine: EmbeddedEngine, sql: str, tables: set[str]) -> None:
    assert engine.dry_run(checked(sql, engine.dialect)).tables == tables


def test_dry_run_takes_a_name_in_doubt_for_a_table(engine: EmbeddedEngine) -> None:
    sql = 'WITH "order" AS (SELECT id FROM sales) SELECT * FROM "order" JOIN sales USING (id)'
    assert "sales" in engine.dry_run(checked(sql, engine.dialect)).tables


def test_dry_run_estimates_and_names_columns(engine: EmbeddedEngine) -> None:
    plan = engine.dry_run(checked("SELECT region, count(*) AS n FROM sales GROUP BY region", engine.dialect))
    assert plan.columns == ("region", "n")
    assert plan.estimated_rows is not None
    assert 1 <= plan.estimated_rows <= 2 * ROWS
    cross = engine.dry_run(checked("SELECT count(*) FROM sales a, sales b WHERE a.amount + b.amount = 3.5", engine.dialect))
    assert cross.estimated_rows is not None
    assert cross.estimated_rows > plan.estimated_rows


@pytest.mark.parametrize("sql", ["SELECT nothing FROM sales", "SELECT * FROM nowhere", "SELECT nofunction(1)", "SELEC 1"])
def test_what_does_not_bind_is_invalid_in_both(engine: EmbeddedEngine, sql: str) -> None:
    for attempt in (engine.dry_run, lambda query: engine.run(query, row_limit=1, time_limit_s=5)):
        with pytest.raises(InvalidSQL):
            attempt(checked(sql, engine.dialect))


def test_rows_are_arrow_and_cut_at_the_limit(engine: EmbeddedEngine) -> None:
    rows = run(engine, "SELECT id, region, amount FROM sales ORDER BY id", row_limit=3)
    assert rows.truncated
    assert rows.table.to_pylist() == [
        {"id": 0, "region": "north", "amount": 0.0},
        {"id": 1, "region": "south", "amount": 0.5},
        {"id": 2, "region": "south", "amount": 1.0},
    ]
    whole = run(engine, "SELECT id FROM sales", row_limit=ROWS)
    assert (whole.table.num_rows, whole.truncated) == (ROWS, False)
    assert run(engine, "SELECT id FROM sales WHERE id < 0").table.num_rows == 0
    odd = run(engine, 'SELECT "select", "größe in cm", "名前", "a ""quoted"" one" FROM "order" ORDER BY 1')
    assert odd.table.to_pylist()[0] == {"select": 1, "größe in cm": 180, "名前": "山田", 'a "quoted" one': 5}


def test_a_query_past_its_time_is_stopped_in_time(engine: EmbeddedEngine) -> None:
    start = time.monotonic()
    with pytest.raises(TimedOut, match=r"0\.5 s|time limit"):
        run(engine, ENDLESS[engine.dialect], seconds=0.5)
    assert time.monotonic() - start < 25
    assert answers(engine)


def test_cancel_from_another_thread(engine: EmbeddedEngine) -> None:
    assert engine.can_cancel
    assert not engine.cancel("nobody")
    with ThreadPoolExecutor(1) as others:
        running = others.submit(run, engine, ENDLESS[engine.dialect], seconds=120, run_id="mine")
        until(lambda: engine.cancel("mine"))
        with pytest.raises(Cancelled):
            running.result(timeout=60)
    assert not engine.cancel("mine")
    assert answers(engine)


def until(done: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)


def test_many_threads_share_few_children(own_engine: EmbeddedEngine) -> None:
    def one(number: int) -> object:
        return run(own_engine, f"SELECT max(id) AS n FROM sales WHERE id <= {number}").table.to_pylist()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(one, range(40))) == [[{"n": number}] for number in range(40)]
    assert own_engine._pool is not None
    assert len(own_engine._pool.pids()) <= 2


def test_a_query_that_gets_no_place_is_told_so(own_engine: EmbeddedEngine) -> None:
    with ThreadPoolExecutor(2) as others:
        waiting = [others.submit(run, own_engine, ENDLESS[own_engine.dialect], seconds=120, run_id=f"long {i}") for i in range(2)]
        until(lambda: own_engine._pool is not None and len(own_engine._pool._busy) == 2)
        with pytest.raises(Busy):
            run(own_engine, "SELECT 1 AS one", seconds=0.3)
        assert all(own_engine.cancel(f"long {i}") for i in range(2))
        for future in waiting:
            with pytest.raises(Cancelled):
                future.result(timeout=60)
    assert answers(own_engine)


def ticks_of(pids: Iterable[int]) -> int:
    """The processor time that processes have taken, in ticks of 10 ms."""
    return sum(int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11]) for pid in pids)


@pytest.mark.parametrize("busy", [False, True])
def test_a_killed_child_is_replaced(own_engine: EmbeddedEngine, busy: bool) -> None:
    assert answers(own_engine)
    pool = own_engine._pool
    assert pool is not None
    before = ticks_of(ready := pool.pids())
    with ThreadPoolExecutor(1) as others:
        running = others.submit(run, own_engine, ENDLESS[own_engine.dialect], seconds=120) if busy else None
        until(lambda: not busy or ticks_of(ready) > before + 10)
        for pid in pool.pids():
            os.kill(pid, signal.SIGKILL)
        if running is not None:
            with pytest.raises(EngineUnavailable, match="killed from outside"):
                running.result(timeout=60)
    assert answers(own_engine)


def test_the_fingerprint_follows_the_data_and_so_do_the_answers(tmp_path: Path) -> None:
    for kind in KINDS:
        (tmp_path / kind).mkdir()
        path = make(kind, tmp_path / kind)
        engine = opened(path)
        try:
            before = engine.fingerprint()
            assert before == engine.fingerprint()
            assert answers(engine)
            other = tmp_path / kind / "other"
            other.mkdir()
            new = make(kind, other)
            if kind == "sqlite":
                sqlite_with(new, "CREATE TABLE added (a INTEGER)").close()
                new.replace(path)
            elif kind == "duckdb file":
                with duckdb.connect(str(new)) as connection:
                    connection.execute("CREATE TABLE added (a INTEGER)")
                new.replace(path)
            else:
                extra = next(new.glob("order.*"))
                extra.rename(path / ("added" + extra.suffix))
            assert engine.fingerprint() != before
            assert "added" in {table.name for table in engine.tables()}
            run(engine, "SELECT * FROM added")
        finally:
            engine.close()


def test_close_ends_children_and_removes_the_private_folder(tmp_path: Path) -> None:
    make_sqlite(tmp_path / "a.sqlite")
    engine = SQLiteEngine(tmp_path / "a.sqlite", spill_dir=tmp_path / "spill")
    assert engine._pool is not None
    pids = engine._pool.pids()
    assert list((tmp_path / "spill").iterdir())
    engine.close()
    engine.close()
    assert not list((tmp_path / "spill").iterdir())
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    with pytest.raises(EngineUnavailable):
        answers(engine)


def test_a_result_is_capped_in_bytes(tmp_path: Path) -> None:
    make_sqlite(tmp_path / "a.sqlite")
    make_duckdb(tmp_path / "a.duckdb")
    for engine in (SQLiteEngine(tmp_path / "a.sqlite", result_limit_mb=1), DuckDBEngine(tmp_path / "a.duckdb", result_limit_mb=1)):
        rows = run(engine, "SELECT printf('%500d', id) AS t FROM sales", row_limit=ROWS)
        assert rows.truncated
        assert 1_000 < rows.table.num_rows < 2_500
        assert rows.table.nbytes <= 2**20
        with pytest.raises(TooCostly, match="One row"):
            run(engine, "SELECT printf('%2000000d', 1) AS t")
        engine.close()


# Attacks on the engine alone


ATTACKS: dict[str, tuple[str, ...]] = {
    "duckdb": (
        "COPY (SELECT 1) TO '{file}' (FORMAT csv, USE_TMP_FILE false)",
        "WITH x AS (COPY (SELECT 1 z) TO '{file}' (FORMAT csv, USE_TMP_FILE false)) SELECT * FROM x",
        "WITH x AS (COPY (SELECT 1 z) TO '{folder}/stolen.csv') SELECT * FROM x",
        "WITH x AS (DELETE FROM sales RETURNING *) SELECT * FROM x",
        "WITH x AS (INSERT INTO sales (id) VALUES (-1) RETURNING *) SELECT * FROM x",
        "ATTACH '{folder}/new.duckdb' AS stolen",
        "EXPORT DATABASE '{folder}/export'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit = '100GB'",
        "SET enable_external_access = true",
        "DROP TABLE sales",
        "SELECT 1; DROP TABLE sales",
    ),
    "sqlite": (
        "ATTACH '{folder}/new.db' AS stolen",
        "VACUUM INTO '{folder}/copy.db'",
        "PRAGMA journal_mode = WAL",
        "PRAGMA writable_schema = 1",
        "SELECT * FROM pragma_database_list",
        "SELECT * FROM sqlite_master",
        "SELECT load_extension('/tmp/x')",
        "SELECT writefile('{folder}/x', 'a')",
        "SELECT readfile('/etc/passwd')",
        "SELECT fts3_tokenizer('simple')",
        "SELECT hex(randomblob(1000000000))",
        "CREATE TEMP TABLE t (a)",
        "DELETE FROM sales",
        "UPDATE sales SET id = 1",
        "DROP TABLE sales",
        "BEGIN IMMEDIATE",
        "SELECT 1; DROP TABLE sales",
        "WITH x AS (SELECT 1) INSERT INTO sales (id) SELECT * FROM x",
    ),
}


@pytest.mark.parametrize("sql", ["SELECT '\ud800'", "UPDATE EXTENSIONS"])
def test_what_no_driver_takes_is_invalid_sql(own_engine: EmbeddedEngine, sql: str) -> None:
    with pytest.raises(InvalidSQL):
        run(own_engine, sql)
    assert answers(own_engine)


def test_a_fault_inside_the_database_leaves_no_broken_child(tmp_path: Path) -> None:
    """After an internal error DuckDB refuses all further queries of its process."""
    with closing(opened(make("duckdb file", tmp_path))) as engine:
        with contextlib.suppress(StreamLinkError):
            run(engine, "SELECT * FROM test_all_types()")
        assert all(answers(engine) for _ in range(4))


def state_of(folder: Path) -> dict[str, str]:
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.rglob("*")) if file.is_file()}


OPENS = """
import importlib.abc, importlib.machinery, sys

class Without(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name != "streamlink_sql.engines.confine":
            return None
        sys.meta_path.remove(self)
        found = importlib.machinery.PathFinder.find_spec(name, path)
        execute = found.loader.exec_module
        def patched(module):
            execute(module)
            module.landlock_version = lambda: 0
        found.loader.exec_module = patched
        return found

sys.meta_path.insert(0, Without())
"""
"""Makes a process that has it in its path see a kernel without Landlock."""


@pytest.mark.parametrize("kind", ["parquet folder", "sqlite"])
def test_without_landlock_it_says_so_and_the_rest_holds(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(OPENS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    sandbox._spares.close()
    (tmp_path / "in").mkdir()
    path = make(kind, tmp_path / "in")
    before = state_of(tmp_path / "in")
    with closing(opened(path)) as engine:
        assert "no Landlock" in engine.protection
        assert "read-only" in caplog.text
        assert [record.levelname for record in caplog.records if "no Landlock" in record.message] == ["WARNING"]
        for attack in ATTACKS[engine.dialect]:
            if "COPY" in attack:  # the engine alone lets it overwrite what it has open; the checks and Landlock do not
                continue
            with pytest.raises((InvalidSQL, EngineUnavailable, TooCostly)):
                run(engine, attack.format(file=path, folder=tmp_path / "in"), seconds=60)
        assert answers(engine)
        if engine.dialect == "duckdb":
            with pytest.raises(TooCostly):
                run(engine, "SELECT len(range(2000000000)) AS n")
    assert state_of(tmp_path / "in") == before
    sandbox._spares.close()


@pytest.mark.parametrize("kind", KINDS)
def test_attacks_reach_nothing(kind: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = make(kind, tmp_path / "in")
    before = state_of(tmp_path)
    engine = opened(path)
    try:
        file = path if path.is_file() else next(path.glob("sales.*"))
        for attack in ATTACKS[engine.dialect]:
            with pytest.raises((InvalidSQL, EngineUnavailable, TooCostly)) as caught:
                run(engine, attack.format(file=file, folder=tmp_path / "in"), seconds=60)
            assert "root:" not in str(caught.value), attack
            assert state_of(tmp_path) == before, attack
            assert answers(engine), attack
    finally:
        engine.close()
    assert state_of(tmp_path) == before


RUNAWAYS: dict[str, tuple[str, ...]] = {
    "duckdb": (
        "SELECT len(range(2000000000)) AS n",
        "SELECT length(lpad('x', 2000000000, 'y')) AS n",
        "SELECT length(repeat('A', 2000000000)) AS n",
        "SELECT count(*) FROM sales a, sales b, sales c, sales d WHERE a.amount + b.amount + c.amount + d.amount < 0",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
        "SELECT list(a.id) FROM sales a, sales b, range(1000) c GROUP BY ALL",
    ),
    "sqlite": (
        "SELECT count(*) FROM sales a, sales b, sales c, sales d WHERE a.amount + b.amount + c.amount + d.amount < 0",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n FROM r ORDER BY n DESC",
        "WITH RECURSIVE r(s) AS (SELECT 'x' UNION ALL SELECT s || s FROM r) SELECT length(s) AS n FROM r WHERE length(s) > 1e9",
        "SELECT group_concat(a.region || b.region) FROM sales a, sales b",
        "SELECT length(replace(printf('%60000000d', 1), ' ', printf('%1000000d', 1))) AS n",
    ),
}


@pytest.mark.parametrize(("dialect", "sql"), [(dialect, sql) for dialect, all_sql in RUNAWAYS.items() for sql in all_sql])
def test_runaways_end_in_time_and_the_next_query_is_answered(dialect: str, sql: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    engine = opened(make("sqlite" if dialect == "sqlite" else "duckdb file", tmp_path_factory.mktemp("runaway")))
    try:
        start = time.monotonic()
        with pytest.raises((TimedOut, TooCostly, InvalidSQL)):
            run(engine, sql, seconds=1.0)
        assert time.monotonic() - start < 30
        assert answers(engine)
    finally:
        engine.close()


# The process


def test_a_script_without_a_main_guard_and_its_children_end_together(tmp_path: Path) -> None:
    make_duckdb(tmp_path / "a.duckdb")
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from streamlink_sql.engines import open_embedded\n"
        f"engine = open_embedded({str(tmp_path / 'a.duckdb')!r})\n"
        "assert 'duckdb' not in sys.modules and '_duckdb' not in sys.modules\n"
        "print(*engine._pool.pids(), flush=True)\n"
        "sys.stdin.read()\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=tmp_path)
    assert process.stdout is not None
    assert process.stdin is not None
    pids = [int(pid) for pid in process.stdout.readline().split()]
    assert pids
    process.kill()
    process.wait()
    process.stdout.close()
    process.stdin.close()
    until(lambda: not any(is_running(pid) for pid in pids))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_protection_says_what_holds(engine: EmbeddedEngine) -> None:
    assert engine.protection == confine.protection(confine.landlock_version())
    assert confine.protection(0).startswith("Warning")
    assert "no TCP" in confine.protection(4)


# What lies at a path


def test_unknown_and_damaged_files(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nothing at"):
        open_embedded(str(tmp_path / "none"))
    for name, content, error in (
        ("a.xlsx", b"PK", BadRequest),
        ("a.sqlite", b"SQLite format 3\0" + b"\x01" * 5000, EngineUnavailable),
        ("b.db", b"not a database at all", EngineUnavailable),
        ("c.duckdb", b"12345678DUCK" + b"\x01" * 20000, EngineUnavailable),
        ("d.parquet", b"PAR1 and then nothing", EngineUnavailable),
        ("e.csv", b"", BadRequest),
        ("f.json", b'{"a": 1', BadRequest),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(error) as caught:
            open_embedded(str(tmp_path / name))
        assert name in caught.value.detail


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for place in (tmp_path / "pipe.csv", Path("/dev/zero")):
        with pytest.raises(BadRequest, match="a device or a pipe"):
            open_embedded(str(place))
    with pytest.raises(EngineUnavailable, match="too long"):
        open_embedded(str(tmp_path / ("x" * 300)))


def test_folders(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="holds no tables"):
        open_embedded(str(tmp_path))
    (tmp_path / "Sales 2024.csv").write_text("a,b\n1,2\n")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "1.jsonl").write_text('{"x": 1}\n')
    (tmp_path / "events" / "2.jsonl").write_text('{"x": 2, "y": "z"}\n')
    engine = opened(tmp_path)
    try:
        assert {table.name: table.rows for table in engine.tables()} == {"Sales_2024": 1, "events": 2}
        assert any("notes.txt" in warning for warning in engine.warnings)
    finally:
        engine.close()
    (tmp_path / "sales-2024.json").write_text("[]")
    with pytest.raises(BadRequest, match="both become the table"):
        open_embedded(str(tmp_path))


GOOD = "".join(f"{i},text {i},{i * 2}\n" for i in range(30))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b,c\n" + GOOD + "1,2\n" + GOOD, "line 32 has 2 values"),
        ("a,b,c\n" + GOOD + "1,2,3,4\n" + GOOD, "line 32 has 4 values"),
        ("a,b,c\n" + GOOD * 2000 + "1,2\n", "line 60002"),
        ("a,b,c\n" + GOOD + '1,"open,3\n' + GOOD, "line 32"),
        ("a report\n\na,b,c\n" + GOOD, "line 3"),
    ],
)
def test_a_broken_csv_line_is_named(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "broken.csv").write_text(text)
    with pytest.raises(BadRequest, match=words) as caught:
        open_embedded(str(tmp_path / "broken.csv"))
    assert "broken.csv" in caught.value.detail


def test_no_csv_row_is_lost(tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("a,b,c\n" + GOOD + "#1,2,3\n" + GOOD * 1000 + "many,x,3\n")
    engine = opened(tmp_path / "odd.csv")
    try:
        assert engine.tables()[0].rows == 30 + 1 + 30_000 + 1
        assert run(engine, "SELECT count(*) AS n FROM odd WHERE a = '#1'").table.to_pylist() == [{"n": 1}]
    finally:
        engine.close()


MANY = 30_000


@pytest.mark.parametrize(
    ("name", "text", "last"),
    [
        ("t.csv", "v\n" + "".join(f"{n}\n" for n in range(MANY)) + "7.5\n", 7.5),
        ("t.csv", "v\n" + "10000\n" * MANY + "01234\n", "01234"),
        ("t.csv", "v\n" + "2020-01-01\n" * MANY + "2020-01-02 10:00:00\n", datetime.datetime(2020, 1, 2, 10)),
        ("t.csv", "v\n12345678901234567890123\n99999999999999999999\n", Decimal(99999999999999999999)),
        ("t.csv", "v\n" + "1\n" * MANY + "99999999999999999999\n", Decimal(99999999999999999999)),
        ("t.jsonl", '{"v": 1}\n' * MANY + '{"v": 7.5}\n', 7.5),
        ("t.jsonl", '{"v": null}\n' * MANY + '{"v": "x"}\n', "x"),
        ("t.jsonl", '{"w": 1}\n' * MANY + '{"v": 3}\n', 3),
        ("t.json", '[{"v": 9223372036854775808}]', Decimal(9223372036854775808)),
    ],
)
def test_no_value_is_rounded_or_cut_to_the_type_of_those_before_it(tmp_path: Path, name: str, text: str, last: object) -> None:
    (tmp_path / name).write_text(text)
    with closing(DuckDBEngine(tmp_path / name)) as engine:
        assert run(engine, "SELECT v FROM t", row_limit=40_000).table.column("v")[-1].as_py() == last
        assert not any("read as text" in warning for warning in engine.warnings) or isinstance(last, str)


@pytest.mark.parametrize(
    ("text", "names", "rows", "words"),
    [
        ("country,2019,2020\nDE,20,30\n", ["country", "2019", "2020"], 1, "its first line was taken for the names"),
        (",region,\n0,north,10\n1,south,20\n", ["column0", "region", "column2"], 2, ""),
        ("sep=;\nregion;amount\nnorth;10\n", ["region", "amount"], 1, ""),
        ("\n\nregion,amount\nnorth,10\n", ["region", "amount"], 1, ""),
    ],
)
def test_the_first_line_of_a_csv_file_is_its_names(tmp_path: Path, text: str, names: list[str], rows: int, words: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with closing(DuckDBEngine(tmp_path / "t.csv")) as engine:
        table = engine.tables()[0]
        assert [column.name for column in table.columns] == names
        assert table.rows == rows
        assert bool(engine.warnings) is bool(words)
        assert words in " ".join(engine.warnings)


def test_files_as_other_programs_write_them(tmp_path: Path) -> None:
    (tmp_path / "marked.json").write_text('\ufeff[{"a": 1}, {"a": 2}]', encoding="utf-8")
    with pa.output_stream(tmp_path / "packed.csv.zst", compression="zstd") as packed:
        packed.write(b"a;b\n1;2\n")
    with closing(DuckDBEngine(tmp_path)) as engine:
        found = {table.name: ([column.name for column in table.columns], table.rows) for table in engine.tables()}
        assert found == {"marked": (["a"], 2), "packed": (["a", "b"], 1)}
    (tmp_path / "parts").mkdir()
    for name, text in {"1": "\n\nid,v\n1,10\n", "2": "id;v\n2;20,5\n", "3": "", "4": "v,id\n30,3\n"}.items():
        (tmp_path / "parts" / f"{name}.csv").write_text(text)
    with closing(DuckDBEngine(tmp_path)) as engine:
        assert sorted(run(engine, "SELECT id, v FROM parts").as_python()) == [(1, 10.0), (2, 20.5), (3, 30.0)]
        assert any("3.csv is empty and left out" in warning for warning in engine.warnings)
    (tmp_path / "parts" / "2.csv").write_text("id;v\n2;2020-01-01\n")
    with pytest.raises(BadRequest, match=r"parts/.\.csv, line \d: a value of v does not go together"):
        open_embedded(str(tmp_path))
    (tmp_path / "parts" / "2.csv").write_text("id,v\n2,3,4\n")
    with pytest.raises(BadRequest, match=r"parts/2\.csv: line 2 has 3 values"):
        open_embedded(str(tmp_path))
    (tmp_path / "parts" / "2.csv").unlink()
    (tmp_path / "mixed.csv").write_bytes(b"a,b\r\n1,2\n3,4\r\n")
    with pytest.raises(BadRequest, match="some lines end with CR LF"):
        open_embedded(str(tmp_path / "mixed.csv"))


# SQLite's own ways


def sqlite_with(path: Path, *statements: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    return connection


def test_a_sqlite_file_that_was_locked_is_read_again(tmp_path: Path) -> None:
    writer = sqlite_with(tmp_path / "a.db", "CREATE TABLE t (i)", "INSERT INTO t VALUES (1)")
    with closing(SQLiteEngine(tmp_path / "a.db")) as engine:
        assert run(engine, "SELECT count(*) AS n FROM t").table.to_pylist() == [{"n": 1}]
        writer.execute("INSERT INTO t VALUES (2)")
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(EngineUnavailable, match="written to by another program"):
            run(engine, "SELECT count(*) AS n FROM t")
        writer.execute("COMMIT")
        for _ in range(2):
            assert run(engine, "SELECT count(*) AS n FROM t").table.to_pylist() == [{"n": 2}]
    writer.close()


def test_sqlite_values_and_kinds(tmp_path: Path) -> None:
    sqlite_with(
        tmp_path / "a.db",
        "CREATE TABLE t (i, f REAL, mixed, number, b BLOB, d TEXT, ts TEXT, bad TEXT)",
        "INSERT INTO t VALUES (1, 1, 'x', 1, x'00ff', '2024-01-31', '2024-01-31 10:00:00', CAST(x'61ff' AS TEXT))",
        "INSERT INTO t VALUES (9007199254740993, 2.5, 2, 1.5, x'01', '2024-02-01', '2024-01-31T10:00', 'ok')",
        "CREATE VIEW v AS SELECT i FROM t",
    ).close()
    engine = opened(tmp_path / "a.db")
    try:
        tables = {table.name: table for table in engine.tables()}
        assert [column.kind for column in tables["t"].columns] == ["integer", "real", "text", "real", "binary", "date", "timestamp", "text"]
        table = run(engine, "SELECT * FROM t").table
        assert table.column("i").to_pylist() == [1, 2**53 + 1]
        assert table.column("mixed").to_pylist() == ["x", "2"]
        assert table.column("number").to_pylist() == [1.0, 1.5]
        assert table.schema.field("b").type == pa.binary()
        assert table.column("bad").to_pylist() == ["a�", "ok"]
        assert engine.dry_run(checked("SELECT * FROM v", "sqlite")).tables == {"v"}
    finally:
        engine.close()


def test_sqlite_has_a_median(tmp_path: Path) -> None:
    sqlite_with(tmp_path / "a.db", "CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (1), (2), (10), (NULL)").close()
    engine = opened(tmp_path / "a.db")
    try:
        assert run(engine, "SELECT MEDIAN(n) AS middle FROM t").table.to_pylist() == [{"middle": 2}]
    finally:
        engine.close()


def test_sqlite_has_percentiles(tmp_path: Path) -> None:
    """What share of numbers is at most so large, between two of them in proportion, as DuckDB's quantile_cont gives it."""
    sqlite_with(tmp_path / "a.db", "CREATE TABLE t (n)", "INSERT INTO t VALUES (1), (2), (10), (NULL), ('x'), (4)").close()
    engine = opened(tmp_path / "a.db")
    try:
        rows = run(engine, "SELECT PERCENTILE(n, 0) AS a, PERCENTILE(n, 50) AS b, PERCENTILE(n, 90) AS c, PERCENTILE(n, 100) AS d FROM t")
        assert rows.table.to_pylist() == [{"a": 1, "b": 3, "c": pytest.approx(8.2), "d": 10}]
        assert run(engine, "SELECT PERCENTILE(n, 90) AS c FROM t WHERE n IS NULL").table.to_pylist() == [{"c": None}]
        with pytest.raises(StreamLinkError):
            run(engine, "SELECT PERCENTILE(n, 900) FROM t")
    finally:
        engine.close()


def test_sqlite_has_the_spread_of_a_sample(tmp_path: Path) -> None:
    sqlite_with(tmp_path / "a.db", "CREATE TABLE t (n)", "INSERT INTO t VALUES (1), (3), ('x'), (NULL)").close()
    engine = opened(tmp_path / "a.db")
    try:
        rows = run(engine, "SELECT STDDEV(n) AS s, VARIANCE(n) AS v FROM t").table.to_pylist()
        assert rows == [{"s": pytest.approx(2**0.5), "v": 2}]
        assert run(engine, "SELECT STDDEV(n) AS s FROM t WHERE n = 1").table.to_pylist() == [{"s": None}]
    finally:
        engine.close()


def test_sqlite_full_text_search(tmp_path: Path) -> None:
    sqlite_with(tmp_path / "a.db", "CREATE VIRTUAL TABLE docs USING fts5(body)", "INSERT INTO docs VALUES ('hello world')").close()
    engine = opened(tmp_path / "a.db")
    try:
        assert [table.name for table in engine.tables()] == ["docs"]
        query = "SELECT body FROM docs WHERE docs MATCH 'hello'"
        assert engine.dry_run(checked(query, "sqlite")).tables == {"docs"}
        assert run(engine, query).table.to_pylist() == [{"body": "hello world"}]
    finally:
        engine.close()


def test_a_file_copied_over_another_is_read_anew(tmp_path: Path) -> None:
    for name in ("a", "b"):
        sqlite_with(tmp_path / f"{name}.db", f"CREATE TABLE {name} (t TEXT)", f"INSERT INTO {name} VALUES ('{name}')").close()
    engine = opened(tmp_path / "a.db")
    try:
        assert run(engine, "SELECT t FROM a").table.to_pylist() == [{"t": "a"}]
        (tmp_path / "a.db").write_bytes((tmp_path / "b.db").read_bytes())
        assert run(engine, "SELECT t FROM b").table.to_pylist() == [{"t": "b"}]
    finally:
        engine.close()


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_live_writer_is_seen(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "live.db"
    writer = sqlite_with(path, f"PRAGMA journal_mode = {mode}", "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    engine = opened(path)
    try:
        assert run(engine, "SELECT count(*) AS n FROM t").table.to_pylist() == [{"n": 1}]
        writer.execute("INSERT INTO t VALUES (2)")
        assert run(engine, "SELECT count(*) AS n FROM t").table.to_pylist() == [{"n": 2}]
        writer.close()
        assert run(engine, "SELECT count(*) AS n FROM t").table.to_pylist() == [{"n": 2}]
        again = sqlite_with(path, "INSERT INTO t VALUES (3)")
        assert run(engine, "SELECT count(*) AS n FROM t").table.to_pylist() == [{"n": 3}]
        again.close()
    finally:
        engine.close()


def test_what_a_crashed_writer_left_is_read_from_a_copy(tmp_path: Path) -> None:
    writer = sqlite_with(tmp_path / "a.db", "PRAGMA journal_mode = WAL", "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    (tmp_path / "crashed").mkdir()
    for side in ("", "-wal"):
        (tmp_path / "crashed" / f"a.db{side}").write_bytes((tmp_path / f"a.db{side}").read_bytes())
    writer.close()
    before = state_of(tmp_path / "crashed")
    engine = opened(tmp_path / "crashed" / "a.db")
    try:
        assert run(engine, "SELECT count(*) AS n FROM t").table.to_pylist() == [{"n": 1}]
    finally:
        engine.close()
    assert state_of(tmp_path / "crashed") == before


# DuckDB's own ways


def test_a_view_hides_what_it_reads_however_it_reads_it(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "x.sqlite")
    connection.execute("CREATE TABLE t (a)")
    inner = "WITH m AS (SELECT a, sum(a) AS s FROM t GROUP BY a) SELECT *, rank() OVER (ORDER BY s) AS r FROM m"
    connection.execute(f"CREATE VIEW v AS {inner}")
    connection.close()
    engine = opened(tmp_path / "x.sqlite")
    assert engine.dry_run(checked("WITH z AS (SELECT * FROM v) SELECT *, rank() OVER (ORDER BY r) FROM z", "sqlite")).tables == {"v"}
    engine.close()


def test_a_view_of_what_is_gone_hides_nothing_else(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        connection.executescript("CREATE TABLE gone (a); CREATE VIEW broken AS SELECT * FROM gone; CREATE TABLE t (a); DROP TABLE gone")
    for scope in (None, Scope(others=True), Scope(others=True, isolate=True)):
        engine = open_embedded(str(tmp_path / "a.sqlite"), scope=scope)
        try:
            assert [table.name for table in engine.tables()] == ["t"]
            assert engine.dry_run(checked("SELECT a FROM t", "sqlite")).tables == {"t"}
            assert engine.dry_run(checked("SELECT count(*) FROM t", "sqlite")).tables == {"t"}
        finally:
            engine.close()


def test_duckdb_types_schemas_and_views(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute("CREATE SCHEMA hr")
        connection.execute(
            "CREATE TABLE hr.staff (name VARCHAR, mood ENUM('good', 'it''s (a), bad'), id UUID, pay DECIMAL(10, 2), tags VARCHAR[])"
        )
        connection.execute("INSERT INTO hr.staff VALUES ('Ann', 'good', uuid(), 12.50, ['a', 'b'])")
        connection.execute("COMMENT ON TABLE hr.staff IS 'who works here'")
        connection.execute("CREATE VIEW names AS SELECT name FROM hr.staff")
    engine = opened(tmp_path / "a.duckdb")
    try:
        tables = {table.name: table for table in engine.tables()}
        assert set(tables) == {"hr.staff", "names"}
        assert tables["hr.staff"].comment == "who works here"
        assert [column.kind for column in tables["hr.staff"].columns] == ["text", "text", "text", "decimal", "other"]
        assert [column.native for column in tables["hr.staff"].columns] == ["VARCHAR", "ENUM", "UUID", "DECIMAL(10,2)", "VARCHAR[]"]
        assert engine.dry_run(checked("SELECT * FROM names n, hr.staff AS s", "duckdb")).tables == {"names", "hr.staff"}
        (row,) = run(engine, "SELECT name, mood, pay, tags FROM hr.staff").table.to_pylist()
        assert (row["name"], row["mood"], str(row["pay"]), row["tags"]) == ("Ann", "good", "12.50", ["a", "b"])
    finally:
        engine.close()


def test_a_duckdb_file_with_a_log_beside_it(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute("PRAGMA disable_checkpoint_on_shutdown; CREATE TABLE t AS SELECT 1 AS a; INSERT INTO t VALUES (2)")
    assert (tmp_path / "a.duckdb.wal").exists()
    before = state_of(tmp_path)
    engine = opened(tmp_path / "a.duckdb")
    try:
        assert run(engine, "SELECT count(*) AS n FROM t").table.to_pylist() == [{"n": 2}]
    finally:
        engine.close()
    assert state_of(tmp_path) == before


def test_a_duckdb_file_that_another_program_writes(tmp_path: Path) -> None:
    make_duckdb(tmp_path / "a.duckdb")
    with duckdb.connect(str(tmp_path / "a.duckdb")), pytest.raises(EngineUnavailable, match="another program"):
        open_embedded(str(tmp_path / "a.duckdb"))


def test_a_view_over_files_outside_does_not_hide_the_rest(tmp_path: Path) -> None:
    duckdb.execute(f"COPY (SELECT 1 AS a) TO '{tmp_path / 'x.parquet'}'")
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute(f"CREATE TABLE t AS SELECT 1 AS a; CREATE VIEW v AS SELECT * FROM read_parquet('{tmp_path / 'x.parquet'}')")
    engine = opened(tmp_path / "a.duckdb")
    try:
        assert {table.name for table in engine.tables()} == {"t"}
        assert engine.dry_run(checked("SELECT * FROM t", "duckdb")).tables == {"t"}
        with pytest.raises(InvalidSQL):
            run(engine, "SELECT * FROM v")
    finally:
        engine.close()


def test_a_fork_of_this_process_has_children_of_its_own(tmp_path: Path) -> None:
    make_sqlite(tmp_path / "a.sqlite")
    engine = opened(tmp_path / "a.sqlite")
    try:
        script = (
            "import os, sys\n"
            "from streamlink_sql.engines import open_embedded\n"
            "from streamlink_sql.types import CheckedSQL\n"
            f"engine = open_embedded({str(tmp_path / 'a.sqlite')!r})\n"
            "query = CheckedSQL('SELECT count(*) AS n FROM sales', 'sqlite', frozenset(), None)\n"
            "pid = os.fork()\n"
            "rows = engine.run(query, row_limit=1, time_limit_s=20).table.to_pylist()\n"
            "if pid:\n"
            "    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0\n"
            "    engine.run(query, row_limit=1, time_limit_s=20)\n"
            f"sys.exit(0 if rows == [{{'n': {ROWS}}}] else 1)\n"
        )
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
    finally:
        engine.close()


def test_hive_folders_are_one_table(tmp_path: Path) -> None:
    for year in (2023, 2024):
        (tmp_path / "sales" / f"year={year}").mkdir(parents=True)
        duckdb.execute(f"COPY (SELECT 1 AS a) TO '{tmp_path / 'sales' / f'year={year}' / 'part.parquet'}'")
    engine = opened(tmp_path)
    try:
        (table,) = engine.tables()
        assert (table.name, [column.name for column in table.columns], table.rows) == ("sales", ["a", "year"], 2)
    finally:
        engine.close()


def test_spilling_is_bounded(tmp_path: Path) -> None:
    make_duckdb(tmp_path / "a.duckdb")
    engine = DuckDBEngine(tmp_path / "a.duckdb", memory_limit_mb=100, spill_limit_mb=20, threads=1)
    try:
        with pytest.raises(TooCostly, match="100 MB"):
            run(engine, "SELECT * FROM (SELECT a.id, b.id AS c, random() AS r FROM sales a, sales b) ORDER BY r", row_limit=5, seconds=60)
        assert answers(engine)
    finally:
        engine.close()


def test_errors_do_not_show_cells(own_engine: EmbeddedEngine) -> None:
    if own_engine.dialect == "duckdb":
        with pytest.raises(StreamLinkError) as caught:
            run(own_engine, 'SELECT CAST("名前" AS INTEGER) FROM "order"')
        assert "山田" not in str(caught.value)


def test_engines_can_be_used_from_a_thread_that_ends(tmp_path: Path) -> None:
    path = make("sqlite", tmp_path)
    found: list[EmbeddedEngine] = []
    thread = threading.Thread(target=lambda: found.append(opened(path)))
    thread.start()
    thread.join()
    try:
        assert answers(found[0])
    finally:
        found[0].close()


ODD_VALUES = [
    ("DATE '12000-01-01'", "12000-01-01"),
    ("DATE 'infinity'", "infinity"),
    ("DATE '0044-03-15 (BC)'", "0044-03-15 (BC)"),
    ("TIMESTAMP '-infinity'", "-infinity"),
    ("TIMESTAMPTZ '12000-01-01 00:00:00+00'", "12000-01-01 00:00:00+00"),
    ("TIME '24:00:00'", "24:00:00"),
    ("TIMETZ '12:00:00+02'", "12:00:00+02"),
    ("TIMESTAMP_NS '2020-01-01 00:00:00.123456789'", "2020-01-01T00:00:00.123456789"),
    ("170141183460469231731687303715884105727::HUGEINT", "170141183460469231731687303715884105727"),
    ("340282366920938463463374607431768211455::UHUGEINT", "340282366920938463463374607431768211455"),
    ("12345678901234567890123456789012345678901234567890::BIGNUM", "12345678901234567890123456789012345678901234567890"),
    ("INTERVAL '1 month 2 days'", "1 month 2 days"),
    ("'101'::BIT", "101"),
    ("[DATE 'infinity']", "[infinity]"),
    ("{'a': TIMETZ '12:00:00+02'}", "{'a': '12:00:00+02'}"),
]


@pytest.mark.parametrize(("value", "shown"), ODD_VALUES)
def test_values_that_arrow_or_python_lacks_come_as_text(values: EmbeddedEngine, value: str, shown: str) -> None:
    rows = run(values, f"SELECT {value} AS x, 1 AS x UNION ALL SELECT NULL, 2 ORDER BY 2")
    assert list(rows.as_json()) == [[shown, 1], [None, 2]]
    assert rows.table.column_names == ["x", "x"]
    rows.table.validate(full=True)


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    folder = tmp_path_factory.mktemp("values")
    (folder / "t.csv").write_text("a\n1\n", encoding="utf-8")
    with closing(DuckDBEngine(folder)) as found:
        yield found


def test_values_within_range_keep_their_types(values: EmbeddedEngine) -> None:
    sql = (
        "SELECT DATE '9999-12-30' AS d, TIMESTAMP_NS '2020-01-01 00:00:00.5' AS t, TIME '23:59:59' AS h, "
        "sum(a) AS n, [DATE '2020-01-01'] AS l FROM t"
    )
    assert [str(field.type) for field in run(values, sql).table.schema] == [
        "date32[day]", "timestamp[us]", "time64[us]", "decimal128(38, 0)", "list<l: date32[day]>",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT region, sum(id) FROM sales", "The column region is neither grouped by nor totalled"),
        ("SELECT sum(region) FROM sales", "sum cannot be used with values of these types: text"),
        ("SELECT count(*) FROM sales WHERE sum(id) > 1", "belongs into HAVING"),
        ("SELECT 1 UNION SELECT 1, 2", "different numbers of columns"),
        ("SELECT * FROM sales ORDER BY 99", "number of a column that the result does not have"),
        ("SELECT gone FROM sales", "There is no column gone"),
        ("SELECT * FROM sales a JOIN sales a ON a.id = a.id", "alias of its own"),
    ],
)
def test_what_the_database_refuses_is_said_in_plain_words(own_engine: EmbeddedEngine, sql: str, words: str) -> None:
    if own_engine.dialect == "sqlite" and "region" in sql:
        pytest.skip("SQLite answers this")
    with pytest.raises(InvalidSQL, match=words) as caught:
        own_engine.dry_run(checked(sql, own_engine.dialect))
    assert caught.value.helps["rule"] == "engine.refused"
    assert "Error:" not in caught.value.detail
    assert "The database says: " in caught.value.detail
    assert "\n" not in caught.value.detail


def test_a_small_table_is_sampled_at_once_and_as_column_by_column(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "id,name,day,hole\n"
        + "".join(f"{n},{'äöü' if n % 3 else 'b'}{n % 5},2024-01-0{n % 9 + 1},{n if n % 2 else ''}\n" for n in range(100)),
        encoding="utf-8",
    )
    with closing(DuckDBEngine(tmp_path)) as engine:
        columns = engine.tables()[0].columns
        for limit in (3, 50, 50_000):
            at_once = [engine.sample("t", column.name, limit=limit) for column in columns]
            engine.samples_tables = False
            one_by_one = [engine.sample("t", column.name, limit=limit) for column in columns]
            engine.samples_tables = True
            assert at_once == one_by_one
        (tmp_path / "t.csv").write_text("id,name,day,hole\n1,new,2024-01-01,\n", encoding="utf-8")
        time.sleep(1.1)
        assert engine.sample("t", "name", limit=5).values == ("new",)
        with pytest.raises(NotFound):
            engine.sample("t", "gone", limit=5)
        with pytest.raises(NotFound):
            engine.sample("gone", "gone", limit=5)


@pytest.mark.parametrize(
    ("values", "kind", "first", "words"),
    [
        (["1,234.50", "2,000.00", "5.25"], "real", 1234.5, ""),
        (["1.234,50", "5,25", "7"], "real", 1234.5, ""),
        (["0,5", "12,25"], "real", 0.5, ""),
        (["-1,234,567.89", "0.5"], "real", -1234567.89, ""),
        (["12/31/2024", "01/02/2023"], "date", datetime.date(2024, 12, 31), ""),
        (["31/12/2024", "01/02/2023"], "date", datetime.date(2024, 12, 31), ""),
        (["31/12/99", "01/02/98"], "date", datetime.date(1999, 12, 31), ""),
        (["03/04/2024", "05/06/2024"], "text", "03/04/2024", "can be read in more than one way"),
        (["03-04-24", "05-06-24"], "text", "03-04-24", "can be read in more than one way"),
        (["31/12/2024 10:00", "01/02/2023 9:30"], "timestamp", datetime.datetime(2024, 12, 31, 10, 0), ""),
        (["03/04/2024 10:00:00", "05/06/2024 11:00:00"], "text", "03/04/2024 10:00:00", "can be read in more than one way"),
        (["2024-1-5", "2024-11-25"], "date", datetime.date(2024, 1, 5), ""),
        (["24-03-05", "24-03-17"], "text", "24-03-05", "can be read in more than one way"),
        (["12/31/2024 11:59:00 PM", "01/02/2024 01:00:00 AM"], "timestamp", datetime.datetime(2024, 12, 31, 23, 59), ""),
        (["2024/03/05 10:00:00", "2024/03/06 11:00:00"], "timestamp", datetime.datetime(2024, 3, 5, 10), ""),
        (["13/04/2024", " ", "03/04/2024"], "date", datetime.date(2024, 4, 13), ""),
        (["1.10.12", "2.0.14"], "text", "1.10.12", ""),
        (["1,234", "12,345"], "text", "1,234", "could be a thousand or a fraction"),
        (["1,234.50", "1.234,50"], "text", "1,234.50", "decimal comma"),
        (["2024-01-01", "31/12/2024", "2024-03-01"], "text", "2024-01-01", "more than one form"),
        (["1,234.50"] * 9 + ["unknown"], "text", "1,234.50", "most of its values are numbers"),
        (["1,234.50"] * 9 + ["n/a"], "real", 1234.5, ""),
        (["192.168.100.200", "10.200.100.100"], "text", "192.168.100.200", ""),
        (["1.2.3", "1.2.4"], "text", "1.2.3", ""),
        (["007,5", "01,25"], "text", "007,5", ""),
        (["north", "south"], "text", "north", ""),
        (["$1,234", "$12"], "real", 1234.0, ""),
        (["$ 1,234.50", "-$5", "($20.00)"], "real", 1234.5, ""),
        (["($20.00)", "$1"], "real", -20.0, ""),
        (["-$5", "$1"], "real", -5.0, ""),
        (["1.234,50 €", "5,25 €"], "real", 1234.5, ""),
        (["€ 12", "€ 7"], "real", 12.0, ""),
        (["EUR 0.99", "EUR 7.5"], "real", 0.99, ""),
        (["45%", "12.5 %", "100%"], "real", 45.0, ""),
        (["12,5 %", "7 %"], "real", 12.5, ""),
        (["€1,234", "€2,345"], "text", "€1,234", "could be a thousand or a fraction"),
        (["€1.234", "€2.345"], "text", "€1.234", "could be a thousand or a fraction"),
        (["$12", "€5"], "text", "$12", "in $, €"),
        (["$12"] * 9 + ["on request"], "text", "$12", "most of its values are amounts"),
        (["$1.234,50", "$7"], "real", 1234.5, ""),
        (["50% off", "20% off"], "text", "50% off", ""),
        (["$10-$20", "$20-$50"], "text", "$10-$20", ""),
        (["$10", "", "$2.50"], "real", 10.0, ""),
        (["45 %", " ", "9 %"], "real", 45.0, ""),
        (["10", "n/a", "12"], "integer", 10, ""),
        (["10", "-", "NULL", "1.5"], "real", 10.0, ""),
        (["n/a", "2024-01-02", "2024-02-03"], "date", None, ""),
        (["2024-01-02 10:00:00", "NaN", "2024-02-03 11:30:00"], "timestamp", datetime.datetime(2024, 1, 2, 10), ""),
        (["n/a", "north", "south"], "text", "n/a", ""),
        (["007", "n/a", "008"], "text", "007", ""),
        (["1234567890123456789012", "n/a"], "text", "1234567890123456789012", ""),
        (["1,234", "n/a"], "text", "1,234", "could be a thousand or a fraction"),
        (["(12)", "7", "(3,500.00)"], "real", -12.0, ""),
        (["(12)", "7"], "integer", -12, ""),
        (["(212)", "(415)"], "text", "(212)", ""),
        (["12.50-", "3.00"], "real", -12.5, ""),
        (["$(5.00)", "$7"], "real", -5.0, ""),
        (["1 234,50 €", "5,25 €"], "real", 1234.5, ""),
        (["1 234,50", "-5 000,25", "7"], "real", 1234.5, ""),
        (["1'234.50", "5.25"], "real", 1234.5, ""),
        (["732 829 320", "552 100 554"], "text", "732 829 320", ""),
        (["₹1,23,456", "₹12,34,567.50"], "real", 123456.0, ""),
        (["5 kg", "12.5 kg", "7kg"], "real", 5.0, ""),
        (["-3 °C", "21.5 °C"], "real", -3.0, ""),
        (["500 g", "2 kg"], "text", "500 g", "in g, kg"),
        (["5 km north", "3 km south"], "text", "5 km north", ""),
        (["1.234 €", "2.345 €"], "text", "1.234 €", "could be a thousand or a fraction"),
    ],
)
def test_numbers_and_dates_of_other_countries(tmp_path: Path, values: list[str], kind: str, first: object, words: str) -> None:
    lines = "".join(f'{number},"{value}"\n' for number, value in enumerate(values))
    (tmp_path / "t.csv").write_text("id,v\n" + lines, encoding="utf-8")
    with closing(DuckDBEngine(tmp_path)) as engine:
        assert engine.tables()[0].column("v").kind == kind
        assert run(engine, "SELECT v FROM t ORDER BY id LIMIT 1").table.column("v").to_pylist() == [first]
        assert bool(engine.warnings) is bool(words)
        assert words in " ".join(engine.warnings)


def test_the_files_of_a_table_that_write_dates_differently_are_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "a.csv").write_text("id,day\n1,2024-01-02\n", encoding="utf-8")
    (tmp_path / "o" / "b.csv").write_text("id,day\n2,03/04/2024\n", encoding="utf-8")
    with closing(DuckDBEngine(tmp_path)) as engine:
        assert engine.tables()[0].column("day").kind == "text"
        assert run(engine, "SELECT day FROM o ORDER BY id").table.column("day").to_pylist() == ["2024-01-02", "03/04/2024"]
        assert "more than one form" in " ".join(engine.warnings)


def _write(rows: pa.Table, file: Path) -> None:
    duckdb.execute(f"COPY rows TO '{file}'")


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_a_folder_of_different_tables_is_not_read_as_one(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    tables = {
        "clients": pa.table({"client": [1], "city": ["Oslo"], "since": [2020]}),
        "orders": pa.table({"client": [1], "amount": [5.5], "paid": [True], "item": ["pen"]}),
    }
    for name, table in tables.items():
        _write(table, folder / f"{name}.{form}")
    with pytest.raises(BadRequest, match=rf"clients\.{form} \(client, city, since\) and .*orders\.{form} .* have different columns"):
        DuckDBEngine(tmp_path)
    with closing(DuckDBEngine(folder)) as engine:
        assert [table.name for table in engine.tables()] == ["clients", "orders"]


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_files_of_a_table_may_have_columns_that_others_lack(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "orders"
    folder.mkdir()
    _write(pa.table({"id": [1], "amount": [5.5]}), folder / f"2023.{form}")
    _write(pa.table({"id": [2], "amount": [7.5], "paid": ["yes"], "item": ["pen"], "client": [4]}), folder / f"2024.{form}")
    with closing(DuckDBEngine(tmp_path)) as engine:
        assert [column.name for column in engine.tables()[0].columns] == ["id", "amount", "paid", "item", "client"]
        assert run(engine, "SELECT sum(amount), count(paid) FROM orders").table.to_pylist() == [{"sum(amount)": 13.0, "count(paid)": 1}]
