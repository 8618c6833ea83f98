"""`make cluster`, `make cluster-status`, `make cluster-down`: the whole of StreamLink on one machine, under a process manager.

    python -m deploy.cluster up       start what does not run, load ROWS patents, print READY <url> key=<api key>
    python -m deploy.cluster status   a line a part: name, pid, port, health; exit status 1 where one is not healthy
    python -m deploy.cluster down     stop everything; what was stored stays

CLUSTER_DIR is the folder that holds it all; ports are in deploy/cluster/parts.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

from deploy.cluster.manager import Manager
from deploy.cluster.needs import Missing, provide
from deploy.cluster.parts import HOST, REPLICAS, ROOT, Part
from deploy.cluster.state import Cluster, make_database, make_postgres, open_cluster, write_prometheus, write_settings

HEALTHY_S = 600.0
"""Seconds that a part has to become healthy, on a slow machine."""
LIVES = 3
"""How often a part may end before it is healthy."""
USER = "admin"
FIRST_QUESTION = "How many patents are in the database?"
LOADED = 5
"""The step that needs the data."""


def up(cluster: Cluster) -> None:
    """Everything, from whatever is there."""
    rows = int(os.environ.get("ROWS") or 1_000_000)
    provide()
    for script in ("hdfs", "spark") if cluster.engine == "spark" else ():
        _run(f"{script} is set up", [str(ROOT / "deploy" / script / script), "setup"], cluster)
    manager = Manager(cluster.folder)
    if not manager.runs():
        write_settings(cluster)
        make_postgres(cluster)
        manager.start(cluster.parts(), cluster.environment())
    for step, group in groupby(cluster.parts(), key=lambda part: part.step):
        if step == LOADED:
            make_database(cluster)
            _key(cluster)
            _load(cluster, rows)
        _start(manager, cluster, list(group))
    key = _key(cluster)
    write_prometheus(cluster, key)
    _warm(cluster)
    print(f"READY {cluster.url} key={key}", flush=True)


def status(cluster: Cluster) -> bool:
    """A line a part; True where all are well."""
    manager = Manager(cluster.folder)
    pids = manager.pids() if manager.runs() else {}
    wells = []
    for part in cluster.parts():
        runs = part.name in pids
        wells.append(runs and part.is_well())
        health = "healthy" if wells[-1] else "unhealthy" if runs else "down"
        print(f"{part.name:<15} {pids.get(part.name, '-'):<9} {part.port:<7} {health}", flush=True)
    return all(wells)


def down(cluster: Cluster) -> None:
    """Stops the parts, those first that need others, and then the supervisor."""
    manager = Manager(cluster.folder)
    if not manager.runs():
        print("The cluster does not run.")
        return
    for _, group in groupby(reversed(cluster.parts()), key=lambda part: part.step):
        together = [part.name for part in group]
        print(f"Stopping {', '.join(together)} ...", flush=True)
        for name in together:
            manager.stop_part(name)
    manager.end()


def _start(manager: Manager, cluster: Cluster, parts: list[Part]) -> None:
    """Starts parts that need each other not, and waits until they are well. Raises Missing."""
    print(f"Starting {', '.join(part.name for part in parts)} ...", flush=True)
    for part in parts:
        manager.start_part(part.name)
    until = time.monotonic() + HEALTHY_S
    for part in parts:
        lives = set[int]()
        while not part.is_well():
            lives |= {pid for name, pid in manager.pids().items() if name == part.name}
            if len(lives) > LIVES or time.monotonic() > until:
                raise Missing(f"{part.name} does not become healthy. The end of {_log(cluster, part)}:\n{_tail(_log(cluster, part))}")
            time.sleep(0.5)


def _load(cluster: Cluster, rows: int) -> None:
    """The patents, made here, put on HDFS and into Spark's catalogue."""
    from streamlink_sql.demo.patents import make_patents

    print(f"Loading {rows:,} patents ...", flush=True)
    make_patents(cluster.data, rows)
    if cluster.engine != "spark":
        return
    where = f"hdfs://{HOST}:{cluster.ports['HDFS_PORT']}/warehouse/"
    server = f"spark://localhost:{cluster.ports['SPARK_CONNECT_PORT']}"
    ours = [sys.executable, "-m", "streamlink_sql"]
    _run(
        "the patents are loaded",
        [
            *ours,
            "ingest",
            str(cluster.data),
            "--to",
            where,
            "--register",
            server,
            "--replace",
            "--scratch",
            str(cluster.folder / "scratch"),
        ],
        cluster,
    )


def _warm(cluster: Cluster) -> None:
    """A question to each control unit: the first one of all takes seconds, and nobody shall wait for it. Raises Missing."""
    from streamlink_sql.client import Client
    from streamlink_sql.errors import StreamLinkError

    for n in range(1, REPLICAS + 1):
        with Client(f"http://{HOST}:{cluster.ports['CCU_PORT'] + n}", _key(cluster)) as client:
            try:
                client.answer(FIRST_QUESTION)
            except StreamLinkError as error:
                raise Missing(f"ccu-{n} does not answer a first question: {error.detail}") from error


def _key(cluster: Cluster) -> str:
    """The key of an administrator, made once."""
    kept = cluster.folder / "key"
    if not kept.is_file():
        ours = [sys.executable, "-m", "streamlink_sql"]
        _run("", [*ours, "users", "add", USER, "--admin", "--no-password"], cluster)
        made = _run("", [*ours, "keys", "create", USER, "--scope", "admin"], cluster)
        kept.touch(mode=0o600)
        kept.write_text(made.strip() + "\n")
    return kept.read_text().strip()


def _run(what: str, command: list[str], cluster: Cluster) -> str:
    """What a command says on stdout. Raises Missing with what it says of its failure."""
    done = subprocess.run(command, env=cluster.environment(), capture_output=True, text=True)
    if done.returncode != 0:
        raise Missing(done.stderr.strip() or f"{command[0]} failed with {done.returncode}.")
    if what:
        print(f"{what[0].upper()}{what[1:]}.", flush=True)
    return done.stdout


def _log(cluster: Cluster, part: Part) -> Path:
    return cluster.folder / "logs" / f"{part.name}.log"


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
    return "\n".join(line for line in lines[-40:] if not line.lstrip().startswith("at "))


def main() -> int:
    """The command line."""
    commands: dict[str, Callable[[Cluster], bool | None]] = {"up": up, "status": status, "down": down}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        print(__doc__)
        return 2
    try:
        cluster = open_cluster(Path(os.environ.get("CLUSTER_DIR") or ROOT / ".cluster").absolute())
        os.environ.update(cluster.environment())
        return 1 if commands[sys.argv[1]](cluster) is False else 0
    except (Missing, ValueError) as error:
        print(error, file=sys.stderr)
        return 4
    except BrokenPipeError:  # whoever read has heard enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("Stopped. What was started runs on: make cluster-down ends it.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
