"""The parts of a cluster on one machine: how each is run, where it listens, how to see that it is well. Starts nothing."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
HOST = "127.0.0.1"
"""Nothing listens beyond this machine."""
REPLICAS = 2
DATANODES = 3
PROBE_S = 10.0
ENGINES = ("spark", "duckdb")
"""What runs the queries: Spark on HDFS, or DuckDB in the control units, which then read the patents as files."""

PORTS = {
    "NGINX_PORT": 8080,
    "NGINX_CCU_PORT": 8081,
    "NGINX_WORKER_PORT": 8082,
    "CCU_PORT": 8100,
    "WEB_PORT": 8200,
    "WORKER_PORT": 8300,
    "POSTGRES_PORT": 5442,
    "HDFS_PORT": 9000,
    "HDFS_HTTP_PORT": 9870,
    "HDFS_DATANODE_PORT": 9900,
    "SPARK_MASTER_PORT": 7077,
    "SPARK_MASTER_WEBUI_PORT": 8180,
    "SPARK_WORKER_PORT": 7080,
    "SPARK_CONNECT_PORT": 15002,
}
"""Each may be set in the environment; CLUSTER_SHIFT moves those that are not. Replica N takes its port + N, DataNode N + 10 N."""

MEMORY = {
    "HDFS_HEAP": "128m",
    "SPARK_WORKER_MEMORY": "768m",
    "SPARK_EXECUTOR_MEMORY": "640m",
    "SPARK_DRIVER_MEMORY": "640m",
}
"""What the JVMs may take, unless the environment says otherwise."""


@dataclass(frozen=True, slots=True)
class Part:
    """A process of the cluster. Parts of one `step` are started together, when all of the steps before are well."""

    name: str
    step: int
    port: int
    command: tuple[str, ...]
    is_well: Callable[[], bool]
    user: str | None = None
    """Who runs it, where that is another than we."""
    stop: str = "TERM"


def ports_of(environment: Mapping[str, str]) -> dict[str, int]:
    """Where everything listens. Raises ValueError where a port is none."""
    shift = environment.get("CLUSTER_SHIFT") or "0"
    told = {name: environment.get(name) or f"{default + int(shift) if shift.isdecimal() else shift}" for name, default in PORTS.items()}
    for name, port in told.items():
        if not port.isdecimal() or not 0 < int(port) < 65_000:
            raise ValueError(f"{name} cannot be {port}: it takes a port from 1 to 64999.")
    return {name: int(port) for name, port in told.items()}


def parts_of(
    folder: Path, ports: Mapping[str, int], nginx: str, postgres: Path, data: Path, user: str | None, engine: str = "spark"
) -> list[Part]:
    """All parts, in the order in which they start."""
    hdfs, spark = str(ROOT / "deploy/hdfs/hdfs"), str(ROOT / "deploy/spark/spark")
    is_ready = str(postgres / "pg_isready"), "-q", "-h", HOST, "-p", str(ports["POSTGRES_PORT"])
    front = (nginx, "-p", str(folder / "nginx"), "-e", "error.log", "-c", "nginx.conf", "-g", "daemon off;")

    def daemons(name: str, step: int, port: int, *command: str, many: int, apart: int = 1) -> list[Part]:
        numbers = range(1, many + 1)
        script, kind = command
        health = [_says(script, "health", kind, str(n)) for n in numbers]
        return [Part(f"{name}-{n}", step, port + apart * n, (*command, str(n)), health[n - 1]) for n in numbers]

    storage = [
        Part("namenode", 1, ports["HDFS_PORT"], (hdfs, "namenode"), lambda: _is_open(ports["HDFS_PORT"])),
        *daemons("datanode", 2, ports["HDFS_DATANODE_PORT"], hdfs, "datanode", many=DATANODES, apart=10),
        Part("spark-master", 2, ports["SPARK_MASTER_PORT"], (spark, "master"), _says(spark, "health", "master")),
        *daemons("spark-worker", 3, ports["SPARK_WORKER_PORT"], spark, "worker", many=REPLICAS),
        Part("spark-connect", 4, ports["SPARK_CONNECT_PORT"], (spark, "connect"), _says(spark, "health", "connect")),
    ]
    return [
        Part("postgres", 1, ports["POSTGRES_PORT"], (str(postgres / "postgres"), "-D", str(data)), _says(*is_ready), user, "INT"),
        *(storage if engine == "spark" else []),
        *_replicas("worker", 5, ports["WORKER_PORT"], "/readyz", "--model", "parser"),
        *_replicas("ccu", 6, ports["CCU_PORT"], "/readyz"),
        *_replicas("web", 7, ports["WEB_PORT"], "/healthz"),
        Part("nginx", 8, ports["NGINX_PORT"], front, _answers(ports["NGINX_PORT"], "/healthz"), stop="QUIT"),
    ]


def _replicas(command: str, step: int, port: int, path: str, *options: str) -> list[Part]:
    ours = (sys.executable, "-m", "streamlink_sql", command, *options, "--host", HOST, "--port")
    return [Part(f"{command}-{n}", step, port + n, (*ours, str(port + n)), _answers(port + n, path)) for n in range(1, REPLICAS + 1)]


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(PROBE_S)
        return probe.connect_ex((HOST, port)) == 0


def _answers(port: int, path: str) -> Callable[[], bool]:
    def ask() -> bool:
        caller = http.client.HTTPConnection(HOST, port, timeout=PROBE_S)
        try:
            caller.request("GET", path)
            return caller.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            caller.close()

    return ask


def _says(*command: str) -> Callable[[], bool]:
    def run() -> bool:
        try:
            return subprocess.run(command, capture_output=True, timeout=PROBE_S, env=os.environ).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    return run
