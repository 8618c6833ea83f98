"""The Spark engine against real servers, Sail and Apache Spark. What needs no server runs in the default tests."""

from __future__ import annotations

import datetime
import os
import re
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import httpx
import pytest
import sqlglot
from sqlglot import exp

from streamlink_sql.assemble import control_unit
from streamlink_sql.checks import check
from streamlink_sql.engines import spark_plan, spark_session
from streamlink_sql.engines.spark import SparkEngine
from streamlink_sql.engines.spark_session import Connection, read_address
from streamlink_sql.errors import BadRequest, Cancelled, EngineUnavailable, InvalidSQL, StreamLinkError, TimedOut, TooCostly
from streamlink_sql.types import CheckedSQL, Draft, Progress, Question, Rows, Sample
from tests.relay import Relay
from tests.serving import free_port, until

ROWS = 7_000
START_S = 180.0
ENDLESS = "SELECT count(*) FROM sales a JOIN sales b ON a.paid = b.paid JOIN sales c ON b.region = c.region JOIN sales d ON c.day = d.day"


PAGES: dict[str, int] = {}
"""The port of Apache Spark's pages, by the address of the server."""


def start(kind: str, log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """A server of our own, and its address."""
    port, home = free_port(), os.environ.get("STREAMLINK_TEST_SPARK_HOME", "")
    if kind == "sail":
        command = [str(Path(sys.executable).with_name("sail")), "spark", "server", "--ip", "127.0.0.1", "--port", str(port)]
    elif home:
        ui = free_port()
        binding = {"spark.connect.grpc.binding.address": "127.0.0.1", "spark.connect.grpc.binding.port": port, "spark.ui.port": ui}
        PAGES[f"spark://127.0.0.1:{port}"] = ui
        options = [each for name, value in binding.items() for each in ("--conf", f"{name}={value}")]
        server = ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", *options, "spark-internal"]
        command = [f"{home}/bin/spark-submit", "--master", "local[2]", "--driver-memory", "1g", *server]
    else:
        pytest.skip("Apache Spark is not installed here: make test-cluster")
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"} | ({"SPARK_HOME": home} if home else {})
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=log.parent, env=environment)
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process, f"spark://127.0.0.1:{port}"
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The tables as Parquet files."""
    folder = tmp_path_factory.mktemp("warehouse")
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE sales AS SELECT CAST(i AS INTEGER) AS id, (['north', 'south', 'west', NULL])[i % 4 + 1] AS region, "
            f"i / 2 AS amount, DATE '2024-01-01' + CAST(i % 28 AS INTEGER) AS day, i % 2 = 0 AS paid FROM range({ROWS}) r(i)"
        )
        connection.execute(
            'CREATE TABLE odd AS SELECT 180 AS "größe in cm", \'山田\' AS "名前", CAST(1.25 AS DECIMAL(10, 2)) AS price, '
            "TIMESTAMP '2024-05-06 07:08:09' AS at"
        )
        for name in ("sales", "odd"):
            connection.execute(f"COPY {name} TO '{folder / name}.parquet'")
    return {name: f"file://{folder / name}.parquet" for name in ("sales", "odd")}


@pytest.fixture(scope="module", params=["sail", "apache"])
def server(request: pytest.FixtureRequest, files: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process, address = start(request.param, tmp_path_factory.mktemp(request.param) / "log")
    with closing(SparkEngine(address, locations=files)) as warming:  # the first queries of a JVM take longer than tables are counted for
        for name in files:
            run(warming, f"SELECT count(*) AS n FROM {name}", seconds=START_S)
    yield address
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def engine(server: str, files: dict[str, str]) -> Iterator[SparkEngine]:
    with closing(SparkEngine(server, locations=files)) as found:
        yield found


@pytest.fixture
def own_engine(files: dict[str, str], tmp_path: Path) -> Iterator[SparkEngine]:
    """On a server that one test may burden: Sail goes on for a while with what nobody waits for any more."""
    process, address = start("sail", tmp_path / "log")
    with closing(SparkEngine(address, locations=files)) as found:
        yield found
    process.kill()
    process.wait()


def checked(sql: str) -> CheckedSQL:
    return CheckedSQL(sql, "spark", frozenset(), cast(exp.Query, sqlglot.parse_one(sql, dialect="spark")))


def run(engine: SparkEngine, sql: str, *, row_limit: int = 100, seconds: float = 30.0, run_id: str = "") -> Rows:
    return engine.run(checked(sql), row_limit=row_limit, time_limit_s=seconds, run_id=run_id)


def answers(engine: SparkEngine) -> bool:
    return list(run(engine, "SELECT count(*) AS n FROM sales").as_python()) == [(ROWS,)]


@pytest.mark.cluster
def test_tables(engine: SparkEngine) -> None:
    odd, sales = engine.tables()
    assert (sales.name, sales.rows) == ("sales", ROWS)
    kinds = [(column.name, column.kind) for column in sales.columns]
    assert kinds == [("id", "integer"), ("region", "text"), ("amount", "real"), ("day", "date"), ("paid", "boolean")]
    assert [column.kind for column in odd.columns] == ["integer", "text", "decimal", "timestamp"]
    assert engine.fingerprint() == engine.fingerprint()


@pytest.mark.cluster
def test_samples(engine: SparkEngine) -> None:
    regions = engine.sample("sales", "region", limit=10)
    assert set(regions.values) == {"north", "south", "west"}
    assert regions.complete
    assert not regions.unique
    some = engine.sample("sales", "id", limit=5)
    assert (len(some.values), some.complete, some.unique) == (5, False, True)
    assert engine.sample("odd", "größe in cm", limit=5).values == ("180",)
    assert engine.sample("sales", "paid", limit=5) == Sample(("false", "true"), True, False)
    assert engine.sample("sales", "day", limit=50).values[:2] == ("2024-01-01", "2024-01-02")


@pytest.mark.cluster
def test_columns_are_sampled_together_unless_that_is_too_much(
    server: str, files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT i AS id, repeat('x', 200) || i AS text, i % 3 AS few, NULL::INTEGER AS none FROM range({ROWS}) r(i)) "
            f"TO '{tmp_path / 'long.parquet'}'"
        )
    places = {**files, "long": f"file://{tmp_path / 'long.parquet'}"}
    with closing(SparkEngine(server, locations=places, result_limit_mb=1)) as small:
        queries = Counter[str]()
        run_one = small._run

        def counted(sql: str, *limits: Any) -> Any:
            queries[sql] += 1
            return run_one(sql, *limits)

        monkeypatch.setattr(small, "_run", counted)
        assert small.sample("sales", "region", limit=2) == Sample(("north", "south"), False, False)
        assert small.sample("sales", "id", limit=ROWS) == Sample(tuple(sorted(map(str, range(ROWS)))), True, True)
        assert sum(queries.values()) == 1
        few = small.sample("long", "few", limit=5)
        assert few == Sample(("0", "1", "2"), True, False)
        long = small.sample("long", "text", limit=ROWS)
        assert (0 < len(long.values) < ROWS, long.complete, long.unique) == (True, False, None)
        assert small.sample("long", "none", limit=5) == Sample((), True, False)


@pytest.mark.cluster
def test_rows_keep_their_types(engine: SparkEngine) -> None:
    rows = run(engine, "SELECT * FROM odd")
    assert list(rows.as_python()) == [(180, "山田", Decimal("1.25"), datetime.datetime(2024, 5, 6, 7, 8, 9))]
    assert [column.kind for column in rows.columns()] == ["integer", "text", "decimal", "timestamp"]
    assert list(run(engine, "SELECT day, paid FROM sales WHERE id = 3").as_python()) == [(datetime.date(2024, 1, 4), False)]


@pytest.mark.cluster
def test_rows_are_limited_and_an_empty_result_has_its_columns(engine: SparkEngine) -> None:
    few = run(engine, "SELECT id FROM sales ORDER BY id", row_limit=3)
    assert (list(few.as_python()), few.truncated) == ([(0,), (1,), (2,)], True)
    assert not run(engine, "SELECT id FROM sales WHERE id < 3", row_limit=3).truncated
    none = run(engine, "SELECT id, region FROM sales WHERE id < 0")
    assert (none.table.num_rows, none.table.column_names) == (0, ["id", "region"])


@pytest.mark.cluster
def test_a_result_is_capped_in_bytes(server: str, files: dict[str, str]) -> None:
    with closing(SparkEngine(server, locations=files, result_limit_mb=1)) as small:
        rows = run(small, "SELECT repeat('x', 500) AS t FROM sales", row_limit=ROWS)
        assert rows.truncated
        assert 1_000 < rows.table.num_rows < 2_500
        with pytest.raises(TooCostly, match="One row"):
            run(small, "SELECT repeat('x', 2000000) AS t")


@pytest.mark.cluster
def test_a_batch_that_the_client_does_not_take_is_too_costly(own_engine: SparkEngine) -> None:
    with pytest.raises(TooCostly, match="Ask for"):
        run(own_engine, "SELECT repeat('x', 100000) AS t FROM sales", row_limit=1_500)
    assert answers(own_engine)


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT region, count(*) FROM sales GROUP BY region", {"sales"}),
        ("SELECT 1 FROM sales WHERE id IN (SELECT price FROM odd)", {"sales", "odd"}),
        ("WITH odd2 AS (SELECT * FROM odd) SELECT * FROM odd2", {"odd"}),
        ("SELECT (SELECT max(price) FROM odd) FROM sales s WHERE EXISTS (SELECT 1 FROM odd o WHERE o.price = s.id)", {"sales", "odd"}),
        ("SELECT count(*) FROM sales WHERE false", {"sales"}),
        ("SELECT 1", set()),
    ],
)
def test_the_plan_names_the_tables(engine: SparkEngine, sql: str, tables: set[str]) -> None:
    plan = engine.dry_run(checked(sql))
    assert plan.tables == tables
    assert not plan.crosses


@pytest.mark.cluster
def test_the_plan_tells_what_it_costs(engine: SparkEngine) -> None:
    plan = engine.dry_run(checked("SELECT region, count(*) AS n FROM sales GROUP BY region"))
    assert plan.estimated_rows == ROWS or (plan.estimated_rows is None and plan.estimated_bytes)
    assert engine.dry_run(checked("SELECT count(*) FROM sales a, sales b WHERE a.amount + b.amount < 7")).crosses


@pytest.mark.cluster
@pytest.mark.parametrize("sql", ["SELECT nothing FROM sales", "SELECT * FROM absent"])
def test_sql_that_does_not_bind_is_invalid(engine: SparkEngine, sql: str) -> None:
    with pytest.raises(InvalidSQL):
        engine.dry_run(checked(sql))
    assert answers(engine)


@pytest.mark.cluster
def test_errors_do_not_show_cells(engine: SparkEngine) -> None:
    with pytest.raises(StreamLinkError) as found:
        run(engine, "SELECT CAST(region AS INT) FROM sales")
    assert found.value.code == "invalid_sql"
    assert not any(region in str(found.value.problem()["detail"]) for region in ("north", "south", "west"))


@pytest.mark.cluster
def test_a_query_ends_with_its_time(own_engine: SparkEngine) -> None:
    started = time.monotonic()
    with pytest.raises(TimedOut):
        run(own_engine, ENDLESS, seconds=1.0)
    assert time.monotonic() - started < 3.0
    assert answers(own_engine)


@pytest.mark.cluster
def test_a_query_is_cancelled(own_engine: SparkEngine) -> None:
    threading.Timer(1.0, lambda: own_engine.cancel("that one")).start()
    with pytest.raises(Cancelled):
        run(own_engine, ENDLESS, run_id="that one")
    assert not own_engine.cancel("that one")
    assert answers(own_engine)


@pytest.mark.cluster
@pytest.mark.parametrize("server", ["apache"], indirect=True)
def test_what_is_cancelled_stops_on_the_server_and_nothing_else(engine: SparkEngine) -> None:
    ended: dict[str, str] = {}

    def ask(name: str, sql: str) -> None:
        try:
            run(engine, sql, seconds=100, run_id=name)
            ended[name] = "rows"
        except StreamLinkError as error:
            ended[name] = error.code

    slow = "SELECT max(sha2(repeat(region, 20000), 512)) FROM sales"
    threads = [threading.Thread(target=ask, args=each) for each in (("endless", ENDLESS), ("other", slow))]
    for thread in threads:
        thread.start()
    time.sleep(3)
    assert engine.cancel("endless")
    for thread in threads:
        thread.join()
    assert ended == {"endless": "cancelled", "other": "rows"}
    time.sleep(2)
    assert engine._connection.session().interruptAll() == []  # there is nothing left to interrupt


@pytest.mark.cluster
def test_a_broken_connection_is_taken_up_again(server: str) -> None:
    """Cut in the middle of a result: every row arrives once, so that the stream went on where it was."""
    with closing(Relay(read_address(server).port, cut_after=4_000_000)) as relay:
        with closing(SparkEngine(f"spark://127.0.0.1:{relay.port}")) as engine:
            rows = run(engine, "SELECT id, sha2(CAST(id AS STRING), 512) AS t FROM range(200000)", row_limit=200_000, seconds=100)
        assert sorted(rows.table.column("id").to_pylist()) == list(range(200_000))
        assert relay.cuts == 1


@pytest.mark.cluster
def test_a_command_is_never_run(engine: SparkEngine, tmp_path: Path) -> None:
    """Even past the checks, SQL is sent as a query."""
    for sql in (
        "DROP TABLE sales",
        f"CREATE TABLE x USING parquet LOCATION 'file://{tmp_path}/x' AS SELECT 1",
        "SET spark.sql.ansi.enabled = false",
        "SELECT 1) ; DROP TABLE sales --",
    ):
        with pytest.raises(StreamLinkError):
            engine.run(CheckedSQL(sql, "spark", frozenset(), exp.select("1")), row_limit=1, time_limit_s=20)
    assert not list(tmp_path.iterdir())
    assert answers(engine)


@pytest.mark.cluster
def test_questions_are_answered(server: str, files: dict[str, str], tmp_path: Path) -> None:
    with closing(control_unit(data=server, store="temporary", locations=files)) as unit:
        answer = unit.answer(Question("How many sales are there per region?"))
        assert answer.rows is not None
        assert {row[-1] for row in answer.rows.as_python()} == {ROWS // 4}
        assert answer.engine == "spark"
        typed = unit.run_sql("SELECT max(amount) FROM sales WHERE year(day) = 2024")
        assert typed.rows is not None
        assert list(typed.rows.as_python()) == [((ROWS - 1) / 2,)]


@pytest.mark.cluster
def test_the_operation_names_the_trace_of_its_question(files: dict[str, str], tmp_path: Path) -> None:
    process, address = start("sail", tmp_path / "log")
    with overheard(int(address.rpartition(":")[2])) as (port, heard):
        with closing(control_unit(data=f"spark://127.0.0.1:{port}", store="temporary", locations=files)) as unit:
            answer = unit.run_sql("SELECT count(*) AS n FROM sales")
        assert {found.decode() for found in re.findall(rb"streamlink-([0-9a-f]{32})-", heard)} == {answer.trace_id}
    process.kill()
    process.wait()


@pytest.mark.cluster
@pytest.mark.parametrize("server", ["apache"], indirect=True)
def test_sparks_pages_show_the_trace_of_a_question(server: str, files: dict[str, str]) -> None:
    with closing(control_unit(data=server, store="temporary", locations=files)) as unit:
        answer = unit.run_sql("SELECT count(*) AS n FROM sales")
    pages = f"http://127.0.0.1:{PAGES[server]}"
    application = httpx.get(f"{pages}/api/v1/applications", timeout=60).json()[0]["id"]
    jobs = httpx.get(f"{pages}/api/v1/applications/{application}/jobs", timeout=60).json()
    assert any(answer.trace_id in tag for job in jobs for tag in job["jobTags"])
    assert answer.trace_id in httpx.get(f"{pages}/connect/", timeout=60).text


@contextmanager
def overheard(port: int) -> Iterator[tuple[int, bytearray]]:
    """A way to a server on which all that is said to it is heard."""
    heard = bytearray()

    class Way(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", port)) as there:
                back = threading.Thread(target=self.pass_on, args=(there, self.request, bytearray()))
                back.start()
                self.pass_on(self.request, there, heard)
                back.join()

        def pass_on(self, source: socket.socket, to: socket.socket, kept: bytearray) -> None:
            with suppress(OSError):
                while said := source.recv(65_536):
                    kept += said
                    to.sendall(said)
                to.shutdown(socket.SHUT_WR)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Way) as server:
        server.daemon_threads = True  # a connection that neither side closes is not waited for
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address[1], heard
        server.shutdown()


@pytest.mark.cluster
def test_two_engines_do_not_mix(server: str, files: dict[str, str]) -> None:
    with closing(SparkEngine(server, locations={"only": files["odd"]})) as other:
        assert [table.name for table in other.tables()] == ["only"]
        with pytest.raises(InvalidSQL):
            other.dry_run(checked("SELECT * FROM sales"))


@pytest.mark.cluster
def test_a_server_that_went_away_and_came_back(files: dict[str, str], tmp_path: Path) -> None:
    process, address = start("sail", tmp_path / "log")
    with closing(SparkEngine(address, locations=files)) as engine:
        assert answers(engine)
        process.kill()
        process.wait()
        started = time.monotonic()
        with pytest.raises(EngineUnavailable, match="does not answer"):
            answers(engine)
        assert time.monotonic() - started < 20


@pytest.mark.cluster
def test_plans_that_nobody_waits_for_any_more_do_not_pile_up(own_engine: SparkEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    go, asked, ask = threading.Event(), list[object](), own_engine._connection.ask

    def slow(what: Callable[[Any], object]) -> object:
        asked.append(what)
        go.wait(60)
        return ask(what)

    monkeypatch.setattr(own_engine._connection, "ask", slow)
    for _ in range(8):
        with pytest.raises(TimedOut):
            own_engine.dry_run(checked("SELECT count(*) FROM sales"), time_limit_s=0.1)
    assert len(asked) == 4
    go.set()
    assert own_engine.dry_run(checked("SELECT count(*) FROM sales"), time_limit_s=30).tables == {"sales"}


@pytest.mark.cluster
@pytest.mark.parametrize("server", ["sail"], indirect=True)
def test_plans_that_a_host_took_with_it_are_given_up(server: str, files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    query = checked("SELECT count(*) FROM sales")
    with (
        closing(Relay(read_address(server).port, cut_after=2**40)) as relay,
        closing(SparkEngine(f"spark://127.0.0.1:{relay.port}", locations=files)) as engine,
    ):
        assert engine.dry_run(query).tables == {"sales"}
        relay.silence()
        monkeypatch.setattr(spark_session, "CALL_LIMIT_S", 5.0)
        started = time.monotonic()
        for _ in range(4):
            with pytest.raises(TimedOut):
                engine.dry_run(query, time_limit_s=0.1)
        assert time.monotonic() - started < 2.0, "there is nothing to interrupt"
        assert engine.dry_run(query, time_limit_s=60).tables == {"sales"}


@pytest.mark.cluster
@pytest.mark.parametrize("server", ["sail"], indirect=True)
def test_a_session_never_gets_the_connection_of_another(server: str, files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_session, "CALL_LIMIT_S", 10.0)
    with closing(Relay(read_address(server).port, cut_after=2**40)) as relay:
        address = f"spark://127.0.0.1:{relay.port}"
        with closing(SparkEngine(address, locations=files)) as engine:
            assert answers(engine)
            relay.silence()
            with closing(SparkEngine(address, locations=files)) as other:
                assert answers(other)


def test_a_session_that_was_made_anew_outlives_the_one_that_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    closed, made = list[str](), list[Any]()

    def opened(_: Connection) -> Any:
        name = f"session {len(made)}"
        made.append(SimpleNamespace(client=SimpleNamespace(close=lambda: closed.append(name))))
        return made[-1]

    monkeypatch.setattr(Connection, "_open", opened)
    with closing(Connection(read_address("spark://127.0.0.1:1"), lambda _: None)) as connection:
        lost = connection.session()
        connection.forget(lost)  # by the thread that meets the loss first
        anew = connection.session()
        connection.forget(lost)  # by one that learns of it later
        assert connection.session() is anew
        until(lambda: closed == ["session 0"])
        lost.client.close()  # as its finalizer does
        assert closed == ["session 0"]


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("spark://127.0.0.1:1", "No Spark Connect server answers at 127.0.0.1:1"),
        ("spark://no.such.host.invalid:15002", "no machine named no.such.host.invalid"),
    ],
)
def test_a_wrong_address_is_named(address: str, says: str) -> None:
    with pytest.raises(EngineUnavailable, match=says):
        SparkEngine(address)


@pytest.mark.cluster
def test_what_is_no_spark_server_is_named() -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()

        def hang_up() -> None:
            with suppress(OSError):
                while True:
                    other.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        with pytest.raises(EngineUnavailable):
            SparkEngine(f"spark://127.0.0.1:{other.getsockname()[1]}")
        other.shutdown(socket.SHUT_RDWR)


def test_addresses() -> None:
    assert read_address("spark://node7/sales").remote == "sc://node7:15002"
    assert read_address("spark://node7/sales").database == "sales"
    assert read_address("sc://node7:15003/;user_id=ada").remote == "sc://node7:15003/;user_id=ada"
    for wrong in ("spark://", "spark://ada:secret@node7", "spark://node7/a/b", "spark://node7:port"):
        with pytest.raises(BadRequest):
            read_address(wrong)


APACHE = """== Parsed Logical Plan ==
'UnresolvedRelation [patents], [], false

== Analyzed Logical Plan ==
assignee_name: string
Filter assignee_id#131 IN (list#165 [])
:  +- Project [assignee_id#23]
:     +- SubqueryAlias spark_catalog.default.patents
:        +- Relation spark_catalog.default.patents[title#22,assignee_id#23] parquet
+- SubqueryAlias p
   +- View (`pv`, [a#1])
      +- Relation [a#1] parquet
+- SubqueryAlias v
   +- View (`spark_catalog`.`hr`.`v`, [a#1])
      +- Relation spark_catalog.hr.people[a#1] parquet
+- HiveTableRelation [`spark_catalog`.`hr`.`pay`, org.apache.hadoop.hive.ql.io.orc.OrcSerde, Data Cols: [a#1]]

== Optimized Logical Plan ==
Relation spark_catalog.default.gone[x#1] parquet
"""
COST = """== Optimized Logical Plan ==
Aggregate [count(1) AS n#1L], Statistics(sizeInBytes=16.0 B, rowCount=1)
+- Join Inner, Statistics(sizeInBytes=1.2 TiB)
   :- Relation spark_catalog.default.a[x#1] parquet, Statistics(sizeInBytes=37.5 MiB)
   +- Relation spark_catalog.default.b[x#2] parquet, Statistics(sizeInBytes=512.0 B)

== Physical Plan ==
AdaptiveSparkPlan isFinalPlan=false
+- CartesianProduct
"""


def test_plans_of_apache_spark_are_read() -> None:
    found = spark_plan.tables_of(APACHE, frozenset({"pv"}))
    assert found == {"spark_catalog.default.patents", "pv", "spark_catalog.hr.people", "spark_catalog.hr.pay"}
    assert "?" in spark_plan.tables_of(APACHE)
    assert spark_plan.cost_of(COST) == spark_plan.Cost(None, int(37.5 * 2**20) + 512, True)


@pytest.mark.cluster
def test_what_runs_passes_the_checks_in_sparks_dialect(engine: SparkEngine) -> None:
    query = check(Draft("SELECT `region`, COUNT(*) FROM sales GROUP BY 1 HAVING COUNT(*) > 3"), engine.tables(), "spark")
    assert engine.dry_run(query).tables == query.tables
    assert engine.run(query, row_limit=10, time_limit_s=20).table.num_rows == 4


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT region FROM sales GROUP BY region ORDER BY sum(amount) DESC LIMIT 2", [(None,), ("west",)]),
        (
            "SELECT region AS r FROM sales WHERE region > '' GROUP BY 1 ORDER BY sum(id) / sum(sum(id)) OVER ()",
            [("north",), ("south",), ("west",)],
        ),
        (
            "SELECT a.region, b.region FROM sales a JOIN sales b ON a.id = b.id + 1 GROUP BY 1, 2 ORDER BY max(a.id) DESC LIMIT 1",
            [(None, "west")],
        ),
        (
            "SELECT count(*) FROM sales WHERE day IN (SELECT day FROM sales GROUP BY day ORDER BY max(id) DESC, day LIMIT 2)",
            [(ROWS // 14,)],
        ),
        ("SELECT id FROM sales ORDER BY row_number() OVER (ORDER BY id DESC) LIMIT 2", [(ROWS - 1,), (ROWS - 2,)]),
    ],
)
def test_orders_by_what_is_not_shown(engine: SparkEngine, sql: str, rows: list[tuple[object, ...]]) -> None:
    """Sail plans no such order as it stands, Apache Spark only some."""
    query = check(Draft(sql), engine.tables(), "spark")
    assert engine.dry_run(query).tables == query.tables
    assert list(engine.run(query, row_limit=10, time_limit_s=30).as_python()) == rows


@pytest.mark.cluster
@pytest.mark.parametrize("server", ["apache"], indirect=True)
def test_progress_is_told_by_whoever_runs_the_query(engine: SparkEngine) -> None:
    """Two at a time, each of its own: Spark's client tells all listeners of a session of every query."""
    heard: dict[int, list[tuple[Progress, int]]] = {1: [], 3: []}

    def ask(parts: int) -> None:
        sql = f"SELECT /*+ REPARTITION({parts}) */ max(length(sha2(repeat(region, 40000), 512))) FROM sales GROUP BY id % {parts}"
        slow = CheckedSQL(sql, "spark", frozenset(), exp.select("1"))
        engine.run(slow, row_limit=10, time_limit_s=100, hear=lambda told: heard[parts].append((told, threading.get_ident())))

    threads = {parts: threading.Thread(target=ask, args=(parts,)) for parts in heard}
    for thread in threads.values():
        thread.start()
    for thread in threads.values():
        thread.join()
    for parts, thread in threads.items():
        assert heard[parts]
        assert {ident for _, ident in heard[parts]} == {thread.ident}
        assert all(0 <= told.tasks_done <= told.tasks and 0 <= told.stages_done <= told.stages for told, _ in heard[parts])
        assert all(one != other for (one, _), (other, _) in pairwise(heard[parts]))
