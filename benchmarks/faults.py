"""What a running cluster (`make cluster`) does when a part of it dies while 20 people ask: nothing accepted may be lost, no answer wrong.

    python -m benchmarks.faults [ccu web worker executor datanode connect postgres nginx] [--out FOLDER]

Each fault strikes in the middle of a load of its own. Askers go the users' way: through Nginx, half of them as streams, half as single
requests with an Idempotency-Key; visitors load the page. Afterwards the store is compared with what they were told. Prints a table, writes
faults.json and faults.html; exit status 1 where anything was lost or wrong. Works on the cluster of CLUSTER_DIR, as `make cluster` does.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fault_load import Visitor, reference, under_load
from benchmarks.fault_report import Outcome, Span, page, table
from deploy.cluster.manager import Manager
from deploy.cluster.parts import HOST, REPLICAS, ROOT
from deploy.cluster.state import Cluster, open_cluster
from streamlink_sql.assemble import control_unit
from streamlink_sql.client import Client
from streamlink_sql.demo import QUESTIONS
from streamlink_sql.settings import load_settings
from streamlink_sql.store.people import People
from streamlink_sql.store.store import Store, open_store

ASKERS, VISITORS = 20, 4
LEAST_QUESTIONS = 10
SETTLED_S, FIRST = 300.0, 4
VISITOR = "visitor"
Strike = Callable[[Cluster, Manager], str]
"""Brings a fault about, and says what it did."""


def kill(name: str) -> Strike:
    """kill -9 of a part. The process manager starts it again."""

    def strike(_: Cluster, manager: Manager) -> str:
        pid = manager.pids()[name]
        os.kill(pid, signal.SIGKILL)
        return f"kill -9 of {name} (pid {pid})"

    return strike


def kill_executor(_: Cluster, manager: Manager) -> str:
    """kill -9 of the process in which Spark's first worker runs queries."""
    worker = manager.pids()["spark-worker-1"]
    pid = next(pid for pid in children(worker) if b"CoarseGrainedExecutorBackend" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(pid, signal.SIGKILL)
    return f"kill -9 of the executor of spark-worker-1 (pid {pid})"


def restart_postgres(_: Cluster, manager: Manager) -> str:
    """As an administrator restarts it: connections are cut."""
    manager.stop_part("postgres")
    manager.start_part("postgres")
    return "restart of PostgreSQL"


def reload_nginx(_: Cluster, manager: Manager) -> str:
    """As after a change of its configuration."""
    os.kill(manager.pids()["nginx"], signal.SIGHUP)
    return "reload of Nginx"


FAULTS: dict[str, Strike] = {
    "ccu": kill("ccu-1"),
    "web": kill("web-1"),
    "worker": kill("worker-1"),
    "executor": kill_executor,
    "datanode": kill("datanode-1"),
    "connect": kill("spark-connect"),
    "postgres": restart_postgres,
    "nginx": reload_nginx,
}
OF_SPARK = ("executor", "datanode", "connect")


@dataclass(frozen=True, slots=True)
class Scene:
    """A cluster, those who ask it, and what they must be answered."""

    cluster: Cluster
    manager: Manager
    store: Store
    keys: tuple[str, ...]
    password: str
    expected: dict[str, list[tuple[object, ...]]]

    def run(self, fault: str, strike: Strike, before_s: float, after_s: float) -> Outcome:
        """One fault under load, and what came of it. Begins when all parts are well."""
        self.settle()
        places = [self.cluster.url] * VISITORS
        visitors = [Visitor(url, VISITOR, self.password) for url in places]
        webs = [f"http://{HOST}:{self.cluster.ports['WEB_PORT'] + n}" for n in range(1, REPLICAS + 1)]
        visitors += [Visitor(url, VISITOR, self.password, "/v1/me") for url in webs]
        with under_load(self.cluster.url, self.keys, tuple(self.expected), visitors) as load:
            began = time.time()
            time.sleep(before_s)
            struck = time.time()
            what = strike(self.cluster, self.manager)
            time.sleep(after_s)
            ended = time.time()
        return Outcome.of(fault, what, Span(began, struck, ended), load, self.store, self.expected)

    def settle(self) -> None:
        """Waits until every part is well and questions are answered, so that no fault pays for the one before."""
        until = time.monotonic() + SETTLED_S
        while not all(part.is_well() for part in self.cluster.parts()):
            assert time.monotonic() < until, "a part does not become healthy: make cluster-status"
            time.sleep(0.5)
        with Client(self.cluster.url, self.keys[0]) as client:
            while len(reference(client.answer, tuple(self.expected)[:FIRST])) < FIRST:
                assert time.monotonic() < until, "questions are not answered, see the logs of the control units"


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def scene(cluster: Cluster, store: Store, texts: Sequence[str], askers: int = ASKERS) -> Scene:
    """Makes the askers, and asks every question once while it is quiet: of the cluster, and of DuckDB over the same files."""
    people = People(store)
    known = {user["name"] for user in people.users()}
    names = [f"asker-{number:02}" for number in range(1, askers + 1)]
    password = secrets.token_urlsafe(12)
    for name in (*names, VISITOR):
        if name not in known:
            people.add(name)
    people.set_password(VISITOR, password)
    keys = tuple(people.create_key(name, days=1) for name in names)
    with Client(cluster.url, keys[0]) as client:
        there = reference(client.answer, texts)
    with closing(control_unit(data=str(cluster.data), store="temporary", glossary=cluster.data / "glossary.toml")) as unit:
        here = reference(unit.answer, tuple(there))
    expected = {text: rows for text, rows in there.items() if here.get(text) == rows}
    if len(expected) < LEAST_QUESTIONS:
        raise SystemExit(
            f"Only {len(expected)} of {len(texts)} questions give the same rows here and there: {sorted(set(texts) - set(expected))}"
        )
    return Scene(cluster, Manager(cluster.folder), store, keys, password, expected)


def main() -> int:
    """Prints a line a fault as it goes, and the table; exit status 1 where anything was lost or wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=f"which: {', '.join(FAULTS)}; default: all")
    parser.add_argument("--before", type=float, default=30, help="seconds of load before the fault, which tell the normal rate")
    parser.add_argument("--after", type=float, default=75, help="seconds of load after it")
    parser.add_argument("--out", type=Path, help="the folder of the report; default: the cluster's own")
    parser.add_argument("--questions", type=int, default=20, help="so many of the demo's questions")
    told = parser.parse_args()
    if unknown := set(told.faults) - set(FAULTS):
        parser.error(f"there is no fault {', '.join(sorted(unknown))}: choose from {', '.join(FAULTS)}")
    cluster = open_cluster(Path(os.environ.get("CLUSTER_DIR") or ROOT / ".cluster").absolute())
    os.environ.update(cluster.environment())
    chosen = told.faults or [name for name in FAULTS if cluster.engine == "spark" or name not in OF_SPARK]
    texts = [json.loads(line)["question"] for line in QUESTIONS.read_text(encoding="utf-8").splitlines()][: told.questions]
    settings = load_settings(cluster.settings)
    with closing(open_store(settings.store, settings.audit_dir)) as store:
        ready = scene(cluster, store, texts)
        print(f"{len(ready.expected)} questions, {ASKERS} askers, {VISITORS} visitors, {cluster.engine}", flush=True)
        outcomes = []
        for name in chosen:
            outcomes.append(ready.run(name, FAULTS[name], told.before, told.after))
            print(json.dumps(outcomes[-1].body()), flush=True)
    out = told.out or cluster.folder
    out.mkdir(parents=True, exist_ok=True)
    (out / "faults.json").write_text(json.dumps([each.body() for each in outcomes], indent=2) + "\n", encoding="utf-8")
    (out / "faults.html").write_text(page(outcomes), encoding="utf-8")
    print(table(outcomes))
    return int(any(each.harm for each in outcomes))


if __name__ == "__main__":
    sys.exit(main())
