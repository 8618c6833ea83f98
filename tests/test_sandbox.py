"""The pool of children: whoever asks waits until their own deadline, and what opens meanwhile goes on. Real processes, real slow files."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from streamlink_sql.engines import sandbox
from streamlink_sql.engines.duckdb import DuckDBEngine
from streamlink_sql.engines.sandbox import Limits, Pool, Setup
from streamlink_sql.errors import Busy, Cancelled, EngineUnavailable, TimedOut, TooCostly
from tests.test_engines import ENDLESS, answers, checked, is_running, make_duckdb, run, until

TABLES = {"do": "tables", "data": ""}
GRACE_S = 5.0
"""How late an answer may be on a busy machine; all that is waited for in vain here takes longer."""


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A table whose file is a pipe: a child that opens it waits until somebody writes."""
    pipe = tmp_path / "slow.parquet"
    os.mkfifo(pipe)
    return pipe


@contextmanager
def pool_on(pipe: Path, **limits: float) -> Iterator[Pool]:
    setup = Setup("duckdb", {"tables": [{"name": "t", "files": [str(pipe)], "hive": False}]}, (str(pipe),))
    with closing(Pool(setup, replace(Limits(children=2), **limits), pipe.parent)) as pool:  # type: ignore[arg-type]
        yield pool


def late(pool: Pool, seconds: float = 0.3, run_id: str = "") -> float:
    """How long somebody waited who asked in vain."""
    began = time.monotonic()
    with pytest.raises(TimedOut, match="still being opened"):
        pool.call(TABLES, seconds=seconds, run_id=run_id)
    return time.monotonic() - began


def test_whoever_asks_waits_until_their_deadline_and_the_opening_goes_on(slow: Path) -> None:
    with pool_on(slow) as pool:
        assert late(pool) < GRACE_S
        (first,) = pool.pids()
        assert all(late(pool) < GRACE_S for _ in range(3))
        assert pool.pids() == (first,), "the next one waits for the same child"
        began = time.monotonic()
        used = time.process_time()
        late(pool, 1.5)
        assert time.process_time() - used < 0.5 * (time.monotonic() - began), "nobody looks again and again"


def test_a_child_that_opened_late_answers_the_next_question(tmp_path: Path) -> None:
    """So many files that no child opens them within the time limit of a question, and none of them is opened in vain."""
    (tmp_path / "data" / "t").mkdir(parents=True)
    duckdb.execute(f"COPY (SELECT range AS id, 'x' AS region FROM range(10)) TO '{tmp_path / 'data' / 't' / '0.parquet'}'")
    for number in range(1, 600):
        os.link(tmp_path / "data" / "t" / "0.parquet", tmp_path / "data" / "t" / f"{number}.parquet")
    with closing(DuckDBEngine(tmp_path / "data")) as engine:
        assert engine._pool is not None
        ended: list[object] = []
        for pid in engine._pool.pids():
            os.kill(pid, 9)
        sandbox.close_spares()
        for _ in range(100):
            try:
                ended.append(run(engine, "SELECT 1 AS one", seconds=0.2).table.to_pylist())
                break
            except (TimedOut, Busy) as error:
                ended.append(error.code)
        assert ended[0] == "timed_out"
        assert ended[-1] == [{"one": 1}]


def test_an_opening_that_hangs_is_ended_and_said(slow: Path) -> None:
    with pool_on(slow, open_s=1.0) as pool:
        late(pool)
        (pid,) = pool.pids()
        with pytest.raises(EngineUnavailable, match="within 1 s"):
            pool.call(TABLES, seconds=60)
        assert not is_running(pid)
        late(pool)
        until(lambda: not pool.pids())
        assert not list(slow.parent.glob("spill-*"))


def test_cancelling_ends_the_wait_for_an_opening(slow: Path) -> None:
    with pool_on(slow) as pool, ThreadPoolExecutor(1) as others:
        waiting = others.submit(pool.call, TABLES, seconds=120, run_id="mine")
        until(lambda: bool(pool.pids()))
        assert pool.cancel("mine")
        with pytest.raises(Cancelled):
            waiting.result(timeout=GRACE_S)
        assert len(pool.pids()) == 1


def test_no_more_children_than_the_bound_while_many_wait(slow: Path) -> None:
    with pool_on(slow) as pool, ThreadPoolExecutor(6) as others:
        waiting = [others.submit(pool.call, TABLES, seconds=2) for _ in range(6)]
        until(lambda: len(pool.pids()) == 2)
        most = 0
        while not all(each.done() for each in waiting):
            most = max(most, len(pool.pids()))
            time.sleep(0.01)
        assert most == 2
        assert all(isinstance(each.exception(), Busy | TimedOut) for each in waiting)


@pytest.mark.parametrize("awaited", [False, True])
def test_closing_ends_what_opens(slow: Path, awaited: bool) -> None:
    with pool_on(slow) as pool, ThreadPoolExecutor(1) as others:
        waiting = others.submit(pool.call, TABLES, seconds=120 if awaited else 0.2)
        until(lambda: bool(pool.pids()))
        if not awaited:
            assert isinstance(waiting.exception(timeout=GRACE_S), TimedOut)
        (pid,) = pool.pids()
        pool.close()
        assert isinstance(waiting.exception(timeout=GRACE_S), EngineUnavailable if awaited else TimedOut)
        until(lambda: not is_running(pid))
        until(lambda: not any(thread.name == "opening" for thread in threading.enumerate()))
        assert not list(slow.parent.glob("spill-*"))


def test_other_data_ends_the_opening_of_the_old_one(slow: Path, tmp_path: Path) -> None:
    make_duckdb(tmp_path / "a.duckdb")
    with pool_on(slow) as pool:
        late(pool)
        (old,) = pool.pids()
        pool.restart(Setup("duckdb", {"database": str(tmp_path / "a.duckdb")}, (str(tmp_path / "a.duckdb"),)))
        reply, _ = pool.call(TABLES, seconds=60)
        assert {table["name"] for table in reply["tables"]} == {"sales", "order"}
        until(lambda: not is_running(old))


def test_a_child_that_was_killed_is_replaced_before_the_next_question(tmp_path: Path) -> None:
    make_duckdb(tmp_path / "a.duckdb")
    with closing(DuckDBEngine(tmp_path / "a.duckdb", children=1)) as engine:
        assert answers(engine)
        pool = engine._pool
        assert pool is not None
        (first,) = pool.pids()
        with pytest.raises(TimedOut):
            run(engine, ENDLESS["duckdb"], seconds=0.3)
        until(lambda: len(pool._idle) == 1)
        assert pool._idle[0].pid != first
        assert answers(engine)


def test_a_second_person_is_answered_while_runaways_are_killed(tmp_path: Path) -> None:
    make_duckdb(tmp_path / "a.duckdb")
    enough, killed = threading.Event(), list[int]()

    def run_away() -> None:
        while not enough.is_set():
            with pytest.raises((TimedOut, Busy)):
                run(engine, ENDLESS["duckdb"], seconds=0.5)
            killed.append(1)

    with closing(DuckDBEngine(tmp_path / "a.duckdb", threads=1)) as engine, ThreadPoolExecutor(1) as others:
        running = others.submit(run_away)
        try:
            while len(killed) < 3:
                assert answers(engine)
        finally:
            enough.set()
        running.result(timeout=60)


def test_memory_that_the_database_does_not_count_is_bounded(tmp_path: Path) -> None:
    """DuckDB is told it may use more than the child may hold: what ends the query then is whoever watches the child."""
    make_duckdb(tmp_path / "a.duckdb")
    with closing(DuckDBEngine(tmp_path / "a.duckdb", memory_limit_mb=4096, result_limit_mb=1)) as engine:
        assert engine._pool is not None
        engine._pool._limits = replace(engine.limits, memory_mb=300)
        sql = "SELECT count(*) FROM (SELECT DISTINCT a.id * 7000 + b.id AS k FROM sales a, sales b) t"
        with pytest.raises(TooCostly, match="300 MB"):
            engine.run(checked(sql, "duckdb"), row_limit=1, time_limit_s=60)
        assert answers(engine)
