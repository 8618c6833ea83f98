"""What becomes of runaway queries, and of others meanwhile: cross joins, recursion, huge ranges and texts, patterns that try all ways.

Starts `streamlink-sql serve` on a throw-away database as a process of its own and puts one runaway query after another to it, those of
benchmarks/runaway/ in turn. What the checks refuse is put once more, past the checks and the engine's second opinion, so that the sandbox
has to hold. A second user asks ordinary questions all the while. Four bounds, of which the exit status tells (1: one is broken):
every query ends within its deadline + 1 s; memory of all processes of the service together stays under --memory-mb; every ordinary question
is answered; and 20 of them take at most 1.5 times as long after it all as before (medians).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.progress import track

from streamlink_sql import control
from streamlink_sql.checks import unchecked_for_redteam
from streamlink_sql.cli.serve import serve_settings
from streamlink_sql.client import Client
from streamlink_sql.errors import StreamLinkError
from streamlink_sql.settings import Settings
from streamlink_sql.types import Draft, Plan, Question, Stage, Table, Watcher
from streamlink_sql.underway import Underway

HERE = Path(__file__).parent / "runaway"
GRACE_S, SLOWER = 1.0, 1.5
ORDINARY_ROUND, WARM_UP, ORDINARY_LIMIT_S = 20, 5, 30.0
QUESTIONS = (
    "How many orders are there?",
    "How many customers are there per country?",
    "What is the total amount of all orders?",
    "What is the highest amount of an order?",
)
PAST = "past the checks"
"""The words of a question whose SQL the service under test runs unjudged."""
ENDS = {"": "answered", "policy_refused": "refused", "invalid_sql": "refused", "timed_out": "timed out", "too_costly": "out of memory"}
"""The ends of a query by the code of its error; any other code stands for itself."""
SHARED_MB, CHILD_MB = 1024, 256
"""What the memory bound allows the server itself, its model and its spare child, and each child besides its memory limit."""
MOST_POINTS = 60


class PastTheChecks(control.ControlUnit):
    """The control unit, but for SQL put under the words `past the checks`: that goes to the engine as it is."""

    def _candidate(self, run: Underway, draft: Draft, tables: tuple[Table, ...]) -> control.Candidate:
        if run.question.text != PAST:
            return super()._candidate(run, draft, tables)
        return control.Candidate(draft, unchecked_for_redteam(draft.sql, self.engine.dialect), Plan(frozenset(), (), None))


@dataclass(frozen=True, slots=True)
class Runaway:
    """A query that no one should wait for."""

    kind: str
    sql: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How a question ended: the code of its error ('' for an answer) and the seconds it took."""

    code: str
    seconds: float
    stages: dict[str, float]
    """Seconds of each stage that it came to."""
    detail: str = ""

    @property
    def mostly_in(self) -> str:
        """The stage that took longest, with its seconds."""
        name = max(self.stages, key=lambda name: self.stages[name], default="")
        return f"{name} {self.stages[name]:.2f} s" if name else ""

    def __str__(self) -> str:
        """The end in a line."""
        return f"{self.seconds:.2f} s ({self.mostly_in}) {self.code or 'answered'} {self.detail[:100]}"


@dataclass(slots=True)
class Memory:
    """Samples of the memory of a process and all that it started, until `stop` is set."""

    root: int
    every_s: float = 0.1
    curve: list[tuple[float, float]] = field(default_factory=list)
    """Seconds since the start, and megabytes."""
    seen: set[int] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Samples at regular times."""
        began = time.monotonic()
        while not self.stop.wait(self.every_s):
            pids = family(self.root)
            self.seen.update(pids)
            self.curve.append((time.monotonic() - began, sum(map(resident_mb, pids))))

    def thinned(self) -> list[list[float]]:
        """At most so many points, each the largest of its stretch."""
        stretch = -(-len(self.curve) // MOST_POINTS) or 1
        parts = (self.curve[at : at + stretch] for at in range(0, len(self.curve), stretch))
        return [[round(second, 1), round(mb)] for second, mb in (max(part, key=lambda point: point[1]) for part in parts)]


def main() -> int:
    """Prints one JSON object, and on stderr which bounds held; exit status 1 where one is broken."""
    told = arguments()
    if told.serve:
        control.ControlUnit = PastTheChecks  # type: ignore[misc]
        serve_settings(Settings(**json.loads(told.serve)))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="streamlink-runaway-") as folder:
        result, verdicts = measure(Path(folder), told)
    for words, held in verdicts:
        print("held  " if held else "BROKEN", words, file=sys.stderr)
    print(json.dumps(result | {"broken": [words for words, held in verdicts if not held]}, indent=2))
    return int(not all(held for _, held in verdicts))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300, help="runaway queries in a row (300)")
    parser.add_argument("--engine", choices=("duckdb", "sqlite"), default="duckdb", help="which kind of database file (duckdb)")
    parser.add_argument("--deadline", type=float, default=1.0, help="seconds that each runaway query may run (1)")
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between two questions of the second user (0.1)")
    parser.add_argument("--memory-limit-mb", type=int, default=1024, help="the service's setting memory_limit_mb (1024)")
    parser.add_argument("--running", type=int, default=2, help="the service's setting running: queries, and so children, at a time (2)")
    parser.add_argument("--model", default="parser", help="who writes the SQL of ordinary questions (parser)")
    parser.add_argument(
        "--memory-mb",
        type=int,
        help=f"the bound on the memory of the whole service; unset: running * (memory_limit_mb + {CHILD_MB}) + {SHARED_MB} MB",
    )
    parser.add_argument("--kind", help="only queries of kinds that contain this text")
    parser.add_argument("--each", action="store_true", help="print the end of each query on stderr")
    parser.add_argument("--serve", help=argparse.SUPPRESS)  # settings as JSON: this process is the service under test
    told = parser.parse_args()
    if told.memory_mb is None:
        told.memory_mb = told.running * (told.memory_limit_mb + CHILD_MB) + SHARED_MB
    return told


def measure(folder: Path, told: argparse.Namespace) -> tuple[dict[str, Any], list[tuple[str, bool]]]:
    """What happened; what was promised, and whether it held."""
    queries = [query for query in read_queries(HERE / f"{told.engine}.sql") if (told.kind or "") in query.kind]
    if not queries:
        sys.exit(f"There is no kind of query with {told.kind!r} in its name.")
    settings = {
        "data": str(make_database(folder, told.engine)),
        "model": told.model,
        "store": f"sqlite:///{folder / 'history.db'}",
        "audit_dir": str(folder / "audit"),
        "keep_samples": False,
        "memory_limit_mb": told.memory_limit_mb,
        "running": told.running,
        "port": 0,
    }
    with served(folder, settings) as (process, address), watched(process.pid) as memory, closing(Client(address)) as client:
        ordinary(client, WARM_UP)
        before = ordinary(client, ORDINARY_ROUND)
        with second_user(address, told.pause) as meanwhile:
            ran = [put(client, query, told) for query in progress(queries, told.count)]
        after = ordinary(client, ORDINARY_ROUND)
    return report(told, ran, (before, meanwhile, after), memory)


def progress(queries: list[Runaway], count: int) -> Iterator[Runaway]:
    """So many queries, the kinds in turn, with a bar on stderr."""
    yield from track(islice(cycle(queries), count), "runaway queries", count, console=Console(stderr=True), transient=True)


def put(client: Client, query: Runaway, told: argparse.Namespace) -> tuple[Runaway, Ended, Ended | None]:
    """How a query ends under the checks, and, where they refuse it, past them."""

    def run(words: str) -> Ended:
        return ended(lambda watch: client.run_sql(query.sql, Question(words, time_limit_s=told.deadline, confirm=True), watch))

    judged = run("")
    past = run(PAST) if ENDS.get(judged.code) == "refused" else None
    if told.each:
        print(f"{query.kind}: {judged}{f' | {past}' if past else ''}", file=sys.stderr)
    return query, judged, past


def ask(client: Client, text: str) -> Ended:
    """How an ordinary question ends."""
    return ended(lambda watch: client.answer(Question(text, time_limit_s=ORDINARY_LIMIT_S), watch))


def ended(work: Callable[[Watcher], object]) -> Ended:
    """How a request ends."""
    stages: dict[str, float] = {}

    def watch(stage: Stage) -> None:
        stages[stage.name] = (stage.ms or 0.0) / 1000

    began = time.perf_counter()
    try:
        work(watch)
        return Ended("", time.perf_counter() - began, stages)
    except StreamLinkError as error:
        return Ended(error.code, time.perf_counter() - began, stages, error.detail)


def ordinary(client: Client, count: int) -> list[Ended]:
    """So many ordinary questions, one after another."""
    return [ask(client, text) for text in islice(cycle(QUESTIONS), count)]


@contextmanager
def second_user(address: str, pause_s: float) -> Iterator[list[Ended]]:
    """Somebody else who asks ordinary questions until the end of the block; gives how they end."""
    asked: list[Ended] = []
    stop = threading.Event()

    def go_on_asking() -> None:
        with closing(Client(address)) as client:
            for text in cycle(QUESTIONS):
                if stop.is_set():
                    return
                asked.append(ask(client, text))
                stop.wait(pause_s)

    thread = threading.Thread(target=go_on_asking, daemon=True)
    thread.start()
    try:
        yield asked
    finally:
        stop.set()
        thread.join(2 * ORDINARY_LIMIT_S)


def report(
    told: argparse.Namespace, ran: list[tuple[Runaway, Ended, Ended | None]], users: tuple[list[Ended], ...], memory: Memory
) -> tuple[dict[str, Any], list[tuple[str, bool]]]:
    """The figures as one object; what was promised, and whether it held."""
    judged, past = [first for _, first, _ in ran], [second for *_, second in ran if second]
    overrun = max(each.seconds for each in (*judged, *past)) - told.deadline
    most = max((mb for _, mb in memory.curve), default=0.0)
    medians = {name: median_ms(asked) for name, asked in zip(("before", "meanwhile", "after"), users, strict=True)}
    failed = [each for asked in users for each in asked if each.code]
    left = left_of(memory.seen)
    result = {
        "engine": told.engine,
        "queries": len(ran),
        "kinds": len({query.kind for query, *_ in ran}),
        "deadline_s": told.deadline,
        "ends": count_ends(judged),
        "ends_past_the_checks": count_ends(past),
        "latest_past_deadline_ms": round(overrun * 1000),
        "by_kind": by_kind(ran),
        "memory_mb": {"bound": told.memory_mb, "max": round(most), "curve": memory.thinned()},
        "second_user": {
            "questions": len(users[1]),
            "median_ms": medians["meanwhile"],
            "p95_ms": percentile_ms(users[1], 0.95),
            "errors": dict(Counter(each.code for each in users[1] if each.code)),
        },
        "ordinary_median_ms": {"before": medians["before"], "after": medians["after"]},
        "processes_left": len(left),
    }
    limit_ms = SLOWER * medians["before"]
    verdicts = [
        (f"every query ended within its deadline + {GRACE_S:g} s: the last one {overrun:.2f} s past it", overrun <= GRACE_S),
        (f"the service took at most {told.memory_mb:,} MB: {most:,.0f} MB", most <= told.memory_mb),
        (f"all ordinary questions were answered: {len(failed)} failed {failed[0].code if failed else ''}".rstrip(), not failed),
        (
            f"they took at most {SLOWER:g} times as long after as before: {medians['after']} and {medians['before']} ms",
            medians["after"] <= limit_ms,
        ),
        (f"no process was left: {left}", not left),
    ]
    return result, verdicts


def left_of(pids: set[int]) -> list[int]:
    """Those that still run a while after the service has ended: its children see that it is gone, and need a moment of the processor."""
    for _ in range(100):
        if not any(map(alive, pids)):
            break
        time.sleep(0.1)
    return sorted(filter(alive, pids))


def by_kind(ran: list[tuple[Runaway, Ended, Ended | None]]) -> dict[str, dict[str, Any]]:
    """For each kind: its ends under the checks and past them, the seconds of the longest and the stage that took most of them."""
    found: dict[str, dict[str, Any]] = {}
    for query, *ends in ran:
        each = found.setdefault(query.kind, {"checks": [], "past": [], "longest_s": 0.0, "mostly_in": ""})
        for name, end in zip(("checks", "past"), ends, strict=True):
            if end is not None:
                each[name] = sorted({*each[name], ENDS.get(end.code, end.code)})
                if end.seconds > each["longest_s"]:
                    each |= {"longest_s": round(end.seconds, 2), "mostly_in": end.mostly_in}
    return found


def count_ends(ends: list[Ended]) -> dict[str, int]:
    """How many ended in which way."""
    return dict(Counter(ENDS.get(each.code, each.code) for each in ends).most_common())


def median_ms(asked: list[Ended]) -> float:
    """The median in milliseconds."""
    return round(1000 * statistics.median(each.seconds for each in asked), 1) if asked else 0.0


def percentile_ms(asked: list[Ended], share: float) -> float:
    """So large a share took no longer than this."""
    return round(1000 * sorted(each.seconds for each in asked)[int(len(asked) * share)], 1) if asked else 0.0


@contextmanager
def served(folder: Path, settings: dict[str, Any]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The service as a process of its own; gives it and its address, and ends it whatever happens. Its words go to a file."""
    log, scratch = folder / "service.log", folder / "scratch"
    scratch.mkdir()
    command = [sys.executable, str(Path(__file__).resolve()), "--serve", json.dumps(settings)]
    with log.open("wb") as words:
        environment = {**os.environ, "TMPDIR": str(scratch)}
        process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stderr=words, start_new_session=True)
    try:
        yield process, address_in(log, process)
    except BaseException:
        print(log.read_text(errors="replace")[-2000:], file=sys.stderr)
        raise
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def address_in(log: Path, process: subprocess.Popen[bytes]) -> str:
    """The address that the service says, once it does."""
    for _ in range(1200):
        for word in log.read_text(errors="replace").split():
            if word.startswith("http://"):
                return word
        if process.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit("The service did not start.")


@contextmanager
def watched(pid: int) -> Iterator[Memory]:
    """Memory of the process and its children, sampled until the end of the block."""
    memory = Memory(pid)
    thread = threading.Thread(target=memory.watch, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        memory.stop.set()
        thread.join()


def family(root: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found, known = [root], {root}
    for pid in found:
        born = [child for child, parent in parents.items() if parent == pid and child not in known]
        found += born
        known.update(born)
    return found


def resident_mb(pid: int) -> float:
    """Megabytes that a process holds, what it shares with others counted in parts; 0 for one that is gone."""
    for name, line_name in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/{name}").read_text().splitlines():
                if line.startswith(line_name):
                    return int(line.split()[1]) / 1024
    return 0.0


def alive(pid: int) -> bool:
    """Whether a process runs."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def read_queries(file: Path) -> list[Runaway]:
    """The queries of a file, each under a comment that names its kind."""
    parts = file.read_text(encoding="utf-8").strip().split("\n\n")
    return [Runaway(head.removeprefix("-- "), sql) for head, _, sql in (part.partition("\n") for part in parts)]


def make_database(folder: Path, engine: str) -> Path:
    """A file with 20,000 orders of 200 customers."""
    path = folder / f"shop.{engine}"
    script = """
        CREATE TABLE customers AS SELECT i + 1 AS id, 'Customer ' || i AS name, ['Italy', 'France', 'Peru', 'Japan'][i % 4 + 1] AS country
        FROM range(200) t(i);
        CREATE TABLE orders AS SELECT i + 1 AS id, i % 200 + 1 AS customer_id, (i * 7919 % 100000) / 100 AS amount,
               CAST(DATE '2024-01-01' + CAST(i % 700 AS INTEGER) AS VARCHAR) AS ordered, 'please deliver to door ' || i AS note
        FROM range(20000) t(i);
    """
    with duckdb.connect(str(path) if engine == "duckdb" else ":memory:") as made:
        made.execute(script)
        if engine == "sqlite":
            with closing(sqlite3.connect(path)) as copy:
                for table in ("customers", "orders"):
                    rows = made.execute(f"SELECT * FROM {table}")
                    names = [column[0] for column in rows.description]
                    copy.execute(f"CREATE TABLE {table} ({', '.join(names)})")
                    copy.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", rows.fetchall())
                copy.commit()
    return path


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
