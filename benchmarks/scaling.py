"""Answers a second of a running cluster with one and two control units and workers, and which parts the processors worked for.

    python -m benchmarks.scaling [--users 20] [--seconds 30]

Stops and starts parts of the cluster of CLUSTER_DIR, asks by `streamlink-sql load`, and prints a table. Where the processors are busy all
the time, more replicas bring no more answers: the column `processors` says so.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.faults import children
from deploy.cluster.manager import Manager
from deploy.cluster.parts import ROOT, Part
from deploy.cluster.state import Cluster, open_cluster
from streamlink_sql.settings import load_settings
from streamlink_sql.store.people import People
from streamlink_sql.store.store import open_store

STEPS = ((1, 1), (2, 1), (1, 2), (2, 2))
"""Control units and workers."""
ASKERS, HEALTHY_S = 10, 120.0
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Prints the table, and a JSON line of each step before."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    told = parser.parse_args()
    cluster = open_cluster(Path(os.environ.get("CLUSTER_DIR") or ROOT / ".cluster").absolute())
    os.environ.update(cluster.environment())
    manager, keys = Manager(cluster.folder), askers(cluster)
    found = []
    for ccus, workers in STEPS:
        run_only(manager, cluster.parts(), {"ccu": ccus, "worker": workers})
        loaded(cluster, keys, told.users, 5)  # warms up what was started again
        found.append({"ccus": ccus, "workers": workers, **measured(manager, cluster, keys, told.users, told.seconds)})
        print(json.dumps(found[-1]), flush=True)
    show(cluster, found)
    return 0


def askers(cluster: Cluster) -> list[str]:
    """Keys of people who ask: one alone may not have so much under way."""
    settings = load_settings(cluster.settings)
    with closing(open_store(settings.store, settings.audit_dir)) as store:
        people = People(store)
        known = {user["name"] for user in people.users()}
        names = [f"loader-{number:02}" for number in range(1, ASKERS + 1)]
        for name in names:
            if name not in known:
                people.add(name)
        return [people.create_key(name, days=1) for name in names]


def run_only(manager: Manager, parts: Sequence[Part], wanted: dict[str, int]) -> None:
    """So many replicas of each kind, and no more; returns when they are well."""
    until = time.monotonic() + HEALTHY_S
    for part in parts:
        kind, _, number = part.name.rpartition("-")
        if kind in wanted and int(number) > wanted[kind]:
            manager.stop_part(part.name)
        elif kind in wanted:
            manager.start_part(part.name)
            while not part.is_well():
                assert time.monotonic() < until, f"{part.name} does not become healthy"
                time.sleep(0.5)
    time.sleep(4)  # Nginx leaves alone for three seconds what did not answer


def loaded(cluster: Cluster, keys: Sequence[str], users: int, seconds: float) -> dict[str, Any]:
    """What `streamlink-sql load` says."""
    command = [sys.executable, "-m", "streamlink_sql", "load", "--json", "--url", cluster.url, "--users", str(users)]
    command += ["--seconds", str(seconds), *(word for key in keys for word in ("--key", key))]
    done = subprocess.run(command, env=cluster.environment(), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measured(manager: Manager, cluster: Cluster, keys: Sequence[str], users: int, seconds: float) -> dict[str, Any]:
    """A load, and seconds of processors by kind of part meanwhile, with how busy the processors were as a whole."""
    before, idle, began = worked(manager), idle_s(), time.monotonic()
    found = loaded(cluster, keys, users, seconds)
    took, cores = time.monotonic() - began, os.cpu_count() or 1
    busy = 1 - (idle_s() - idle) / (took * cores)
    return found | {
        "processors": round(busy, 2),
        "processor_s": {kind: round(spent - before[kind], 1) for kind, spent in worked(manager).items()},
    }


def worked(manager: Manager) -> defaultdict[str, float]:
    """Seconds of processors so far, by kind of part, with the processes that each has started."""
    found = defaultdict[str, float](float)
    for name, pid in manager.pids().items():
        kind = name.rpartition("-")[0] if name[-1].isdigit() else name
        for each in (pid, *descendants(pid)):
            found[kind] += spent_s(each)
    return found


def descendants(pid: int) -> list[int]:
    """All processes below one."""
    below = children(pid)
    return below + [each for child in below for each in descendants(child)]


def spent_s(pid: int) -> float:
    """Seconds that a process has worked, with its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS


def idle_s() -> float:
    """Seconds in which processors of this machine had nothing to do."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()
    return (int(fields[4]) + int(fields[5])) / TICKS


def show(cluster: Cluster, found: Sequence[dict[str, Any]]) -> None:
    """The table."""
    columns = ("control units", "workers", "answers/s", "P50 ms", "P95 ms", "P99 ms", "problems", "processors", "seconds of processors")
    table = Table(*columns, title=f"{cluster.engine}, {found[0]['users']} askers, {os.cpu_count()} processors")
    for each in found:
        trip = each["stages"].get("round_trip", {})
        spent = ", ".join(
            f"{kind} {seconds:.0f}" for kind, seconds in sorted(each["processor_s"].items(), key=lambda kv: -kv[1]) if seconds >= 1
        )
        shares = (f"{trip.get(f'p{share}', 0):,.0f}" for share in (50, 95, 99))
        problems = ", ".join(f"{count} {code}" for code, count in each["errors"].items()) or "0"
        table.add_row(
            str(each["ccus"]), str(each["workers"]), f"{each['throughput']:g}", *shares, problems, f"{each['processors']:.0%}", spent
        )
    Console(width=180).print(table)


if __name__ == "__main__":
    sys.exit(main())
