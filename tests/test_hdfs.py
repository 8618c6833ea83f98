"""Tables on a real HDFS, made by `ingest`, read back by Sail and by Apache Spark; both started by the scripts in deploy/."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import duckdb
import pytest

from streamlink_sql.engines.source import look
from streamlink_sql.engines.spark import SparkEngine
from streamlink_sql.errors import BadRequest, Forbidden, StorageUnavailable
from streamlink_sql.ingest.ingest import Ingested, Job, ingest
from streamlink_sql.ingest.layout import Asked
from streamlink_sql.ingest.register import register
from streamlink_sql.ingest.storage import open_storage, read_address
from tests.test_spark import run, start

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1_500)]

DEPLOY = Path(__file__).parent.parent / "deploy"
ROWS = 30_000
WAIT_S = 600
"""Beside other work a JVM may take minutes for what takes seconds."""
QUERIES = (
    "SELECT count(*) AS n, sum(amount) AS amount, min(day) AS first, max(day) AS last FROM sales",
    "SELECT region, count(*) AS n, sum(amount) AS amount FROM sales GROUP BY region ORDER BY region",
    "SELECT region, id, customer, rating FROM sales WHERE region = 'north' AND id < 300 ORDER BY id",
    "SELECT customer, day FROM sales WHERE customer = 'customer 77' ORDER BY id",
    "SELECT count(*) AS n FROM sales WHERE rating IS NULL",
)


def free_ports(steps: tuple[int, ...]) -> int:
    """A port from which on these others are free, too."""
    for base in range(20_000 + os.getpid() % 10_000, 60_000, 200):
        with ExitStack() as held:
            try:
                for step in steps:
                    held.enter_context(closing(socket.socket())).bind(("127.0.0.1", base + step))
            except OSError:
                continue
            return base
    raise AssertionError("no ports are free")


def deployed(part: str, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(DEPLOY / part / part), *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=WAIT_S)


@pytest.fixture(scope="module")
def hdfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A NameNode and three DataNodes; the settings of their scripts."""
    jars = os.environ.get("STREAMLINK_TEST_HADOOP_JARS", "")
    if not jars:
        pytest.skip("Hadoop is not installed here: make test-cluster")
    pytest.importorskip("hdfs_native")
    base = free_ports((0, 1, *(10 * n + step for n in (1, 2, 3) for step in range(3))))
    environment = {
        "CLUSTER_DIR": str(tmp_path_factory.mktemp("cluster")),
        "HADOOP_JARS": jars,
        "HDFS_PORT": str(base),
        "HDFS_HTTP_PORT": str(base + 1),
        "HDFS_DATANODE_PORT": str(base),
        "HDFS_HEAP": "160m",
        "START_S": str(WAIT_S),
    }
    try:
        started = deployed("hdfs", environment, "start")
        assert started.returncode == 0, started.stderr
        yield environment
    finally:
        assert deployed("hdfs", environment, "stop").returncode == 0
    assert deployed("hdfs", environment, "status").returncode == 1


@pytest.fixture(scope="module")
def base(hdfs: dict[str, str]) -> str:
    return f"hdfs://127.0.0.1:{hdfs['HDFS_PORT']}"


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sales") / "sales.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT CAST(i AS INTEGER) AS id, (['north', 'süd / west', 'a=b%', 'x:y*'])[i % 4 + 1] AS region, "
            "CAST(i % 97 / 4 AS DECIMAL(10, 2)) AS amount, DATE '2024-01-01' + CAST((i * 7919) % 365 AS INTEGER) AS day, "
            "'customer ' || (i * 31) % 20000 AS customer, CASE WHEN i % 10 > 0 THEN i % 5 END AS rating "
            f"FROM range({ROWS}) r(i)) TO '{file}'"
        )
    return file


def job(source: Path, to: str, scratch: Path, **asked: object) -> Job:
    (table,) = look(source).tables
    return Job(table, read_address(to), scratch, Asked(**asked), replace=True)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def table(base: str, sales: Path, tmp_path_factory: pytest.TempPathFactory) -> Ingested:
    return ingest(job(sales, f"{base}/warehouse/sales", tmp_path_factory.mktemp("scratch"), partition_by=("region",), file_rows=5_000))


@pytest.fixture(scope="module", params=["sail", "apache"])
def engine(
    request: pytest.FixtureRequest, hdfs: dict[str, str], table: Ingested, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SparkEngine]:
    """A server that knows the table: Sail by its place, Spark by its catalogue."""
    if request.param == "sail":
        process, address = start("sail", tmp_path_factory.mktemp("sail") / "log")
        with closing(SparkEngine(address, locations={"sales": table.address})) as found:
            yield found
        process.kill()
        process.wait()
        return
    home = os.environ.get("STREAMLINK_TEST_SPARK_HOME", "")
    if not home:
        pytest.skip("Apache Spark is not installed here: make test-cluster")
    if not os.environ.get("STREAMLINK_TEST_LONG"):
        pytest.skip("a new metastore takes minutes: STREAMLINK_TEST_LONG=1 make test-cluster")
    ports = free_ports((0, 1, 2, 11, 12, 111, 112))
    environment = {
        **hdfs,
        "SPARK_HOME": home,
        "SPARK_CONNECT_PORT": str(ports),
        "SPARK_MASTER_PORT": str(ports + 1),
        "SPARK_MASTER_WEBUI_PORT": str(ports + 2),
        "SPARK_WORKER_PORT": str(ports + 10),
    }
    address = f"spark://127.0.0.1:{ports}"
    try:
        started = deployed("spark", environment, "start")
        assert started.returncode == 0, started.stderr
        assert deployed("spark", environment, "status").stdout.count("healthy") == 4
        register(table, address)
        with closing(SparkEngine(address)) as found:
            yield found
    finally:
        assert deployed("spark", environment, "stop").returncode == 0


def test_every_daemon_is_healthy(hdfs: dict[str, str]) -> None:
    status = deployed("hdfs", hdfs, "status")
    assert status.returncode == 0
    assert [line.split()[0] for line in status.stdout.splitlines()] == ["namenode", "datanode-1", "datanode-2", "datanode-3"]
    assert status.stdout.count(" healthy") == 4
    assert deployed("hdfs", hdfs, "health", "datanode", "2").returncode == 0
    assert deployed("hdfs", hdfs, "health", "datanode", "4").returncode != 0
    again = deployed("hdfs", hdfs, "start")
    assert again.returncode == 0, again.stderr


def test_blocks_lie_twice(hdfs: dict[str, str], table: Ingested) -> None:
    found = deployed("hdfs", hdfs, "fsck", "/warehouse").stdout
    assert "Average block replication:\t2.0" in found
    assert "Status: HEALTHY" in found


def test_the_same_rows_as_duckdb_on_the_source(engine: SparkEngine, sales: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW sales AS SELECT * FROM '{sales}'")
        for query in QUERIES:
            expected = connection.execute(query).fetchall()
            assert list(run(engine, query, row_limit=1_000, seconds=WAIT_S).as_python()) == expected, query


def test_folders_are_partitions(engine: SparkEngine) -> None:
    (found,) = [each for each in engine.tables() if each.name == "sales"]
    assert found.rows in (ROWS, None)
    assert {column.name for column in found.columns} == {"id", "region", "amount", "day", "customer", "rating"}


def test_again_and_replaced(base: str, sales: Path, tmp_path: Path) -> None:
    wanted = job(sales, f"{base}/lake/again", tmp_path)
    first = ingest(wanted)
    assert not ingest(wanted).made
    second = ingest(job(sales, f"{base}/lake/again", tmp_path, sort_by=("customer",)))
    assert (second.made, first.sort_by, second.sort_by) == (True, ("day",), ("customer",))
    assert open_storage(read_address(f"{base}/lake")).names("/lake") == ("again",)


def test_a_killed_ingest_goes_on(base: str, sales: Path, tmp_path: Path) -> None:
    storage, staging = open_storage(read_address(f"{base}/killed/sales")), "/killed/.sales.ingest"
    command = [sys.executable, "-m", "streamlink_sql", "ingest", str(sales), "--to", f"{base}/killed/sales", "--file-rows", "1000"]
    command += ["--scratch", str(tmp_path), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + WAIT_S
    while len(storage.names(f"{staging}/done")) < 4:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
    process.kill()
    process.communicate()
    assert not storage.has_any("/killed/sales")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=WAIT_S)
    assert done.returncode == 0, done.stderr
    (made,) = json.loads(done.stdout)
    assert (made["rows"], made["resumed"] >= 3) == (ROWS, True)
    assert storage.names("/killed") == ("sales",)


def test_safe_mode_quota_and_rights(hdfs: dict[str, str], base: str, sales: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert deployed("hdfs", hdfs, "dfsadmin", "-safemode", "enter").returncode == 0
    assert deployed("hdfs", hdfs, "status").returncode == 1
    with pytest.raises(StorageUnavailable, match="safe mode"):
        ingest(job(sales, f"{base}/closed/sales", tmp_path))
    assert deployed("hdfs", hdfs, "dfsadmin", "-safemode", "leave").returncode == 0

    assert deployed("hdfs", hdfs, "dfs", "-mkdir", "/small").returncode == 0
    assert deployed("hdfs", hdfs, "dfsadmin", "-setSpaceQuota", "1m", "/small").returncode == 0
    with pytest.raises(StorageUnavailable, match="is full"):
        ingest(job(sales, f"{base}/small/sales", tmp_path))
    assert deployed("hdfs", hdfs, "dfsadmin", "-clrSpaceQuota", "/small").returncode == 0
    assert ingest(job(sales, f"{base}/small/sales", tmp_path)).made

    monkeypatch.setenv("HADOOP_USER_NAME", "mallory")
    with pytest.raises(Forbidden, match="mallory"):
        ingest(job(sales, f"{base}/mallory/sales", tmp_path))


def test_the_place_of_a_file_is_no_place_for_a_table(base: str, sales: Path, tmp_path: Path) -> None:
    open_storage(read_address(f"{base}/x")).write("/notes/thesis.txt", b"years of work")
    with pytest.raises(BadRequest, match="not ingested here"):
        ingest(job(sales, f"{base}/notes", tmp_path))
