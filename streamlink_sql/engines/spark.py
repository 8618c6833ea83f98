"""The Spark engine: any Spark Connect server (Apache Spark, Sail). Reads tables and runs checked SQL there; starts no server and no JVM.

What protects the data is the server's: its user, the permissions of the storage and of the catalogue. Here SQL is run only as a query,
in brackets, never as a command.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
import uuid
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import chain
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar, cast

from streamlink_sql import tracing
from streamlink_sql.engines import spark_plan, spark_samples
from streamlink_sql.engines.spark_session import Connection, read_address
from streamlink_sql.engines.spelling import spark_literal, spark_quoted, spark_table
from streamlink_sql.errors import Cancelled, EngineUnavailable, InvalidSQL, StreamLinkError, TimedOut
from streamlink_sql.types import PLAN_LIMIT_S, CheckedSQL, Column, Dialect, Hear, Kind, Plan, Progress, Rows, Sample, Table

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.connect.session import SparkSession
    from pyspark.sql.connect.shell.progress import StageInfo

_log = logging.getLogger("streamlink_sql.engines")

T = TypeVar("T")
_LISTED_S = 30.0
"""A listing of the tables older than this is made anew in the background."""
_SETTLED_S = 900.0
"""So long samples hold: Spark tells of no change of rows."""
_CATALOG_LIMIT_S = 120.0
_COUNT_LIMIT_S = 10.0
"""So long tables are counted, all of them together, when the source is opened."""
_SAMPLED_TABLES = 32
"""The samples of so many tables are remembered."""
_STOP_LIMIT_S = 0.5
_PLANS_AT_ONCE = 4
"""Plans cannot be called off: those that nobody waits for any more must not pile up on a server that has just started and is slow."""
_SAIL = "sail"
"""What Sail calls its catalogue in memory, which is a session's own."""
_KINDS: tuple[tuple[str, Kind], ...] = (
    ("boolean", "boolean"),
    ("tinyint", "integer"),
    ("smallint", "integer"),
    ("int", "integer"),
    ("bigint", "integer"),
    ("float", "real"),
    ("double", "real"),
    ("decimal", "decimal"),
    ("string", "text"),
    ("varchar", "text"),
    ("char", "text"),
    ("date", "date"),
    ("timestamp", "timestamp"),
    ("time", "time"),
    ("binary", "binary"),
)


class SparkEngine:
    """Tables of a Spark Connect server. Those of the current database go by their own name, those of others as `database.table`."""

    name: str = "spark"
    dialect: Dialect = "spark"
    can_cancel = True
    warnings: tuple[str, ...] = ()

    def __init__(self, address: str, *, locations: Mapping[str, str] | None = None, result_limit_mb: int = 32) -> None:
        """`locations` are tables by where their Parquet files lie: views of our session, for servers whose catalogue does not know them."""
        self._locations = dict(locations or {})
        self._result_bytes = result_limit_mb * 2**20
        self._connection = Connection(read_address(address), self._register)
        self._lock, self._thread = threading.Lock(), threading.local()
        self._planning = threading.BoundedSemaphore(_PLANS_AT_ONCE)
        self._listing: _Listing | None = None
        self._samples: tuple[str, dict[str, dict[str, Sample]]] = ("", {})
        self._listing_anew: threading.Thread | None = None
        self._runs: dict[str, _Run] = {}
        self._opened = time.monotonic()
        try:
            self._listing = self._list({}, time.monotonic() + _COUNT_LIMIT_S)
        except BaseException:
            self.close()
            raise

    @property
    def version(self) -> str:
        """The server's version."""
        return f"spark {self._connection.ask(lambda session: session.version)}"

    def fingerprint(self) -> str:
        """Changes with the tables and columns, which are looked at every half minute, and every quarter of an hour for the rows."""
        return f"{self._known().state}-{int((time.monotonic() - self._opened) / _SETTLED_S)}"

    def tables(self) -> tuple[Table, ...]:
        """Every table of every database, as it was less than a minute ago while somebody asks. Spark declares no keys."""
        return self._known().tables

    def sample(self, table: str, column: str, *, limit: int) -> Sample:
        """Up to `limit` distinct values, most frequent first. A table of millions of rows is read in part, then it is not `complete`.

        Columns beside this one are sampled in the same query, as each one is a job for the server, and remembered for a while.
        """
        known = self._samples_of(table)
        if column not in known:
            known |= self._sampled(table, column, known)
        return spark_samples.first(known[column], limit)

    def dry_run(self, query: CheckedSQL, *, time_limit_s: float = PLAN_LIMIT_S) -> Plan:
        """The server's own analysis: the tables of the analysed plan, and what the optimised one expects to read."""

        def planned(session: SparkSession) -> tuple[str, str, tuple[str, ...]]:
            frame = _frame(session, query.sql)
            return frame._explain_string(mode="extended"), frame._explain_string(mode="cost"), tuple(frame.columns)

        def in_turn() -> tuple[str, str, tuple[str, ...]]:
            try:
                return self._connection.ask(planned)
            finally:
                self._planning.release()

        end = time.monotonic() + time_limit_s
        if not self._planning.acquire(timeout=time_limit_s):
            raise TimedOut("The Spark server took too long to plan the queries before this one. Try again later.")
        extended, costs, columns = self._within(in_turn, max(0.0, end - time.monotonic()), _Run(tag=""))
        if "== Analyzed Logical Plan ==" not in extended:
            raise InvalidSQL("The Spark server cannot tell which tables this query reads.", rule="second_opinion")
        read = spark_plan.tables_of(extended, frozenset(self._locations))
        cost = spark_plan.cost_of(costs)
        return Plan(frozenset(map(self._own_name, read)), columns, cost.rows, cost.bytes, cost.crosses)

    def run(self, query: CheckedSQL, *, row_limit: int, time_limit_s: float, run_id: str = "", hear: Hear | None = None) -> Rows:
        """Runs the query once; its operation is interrupted when the time is over or `cancel` is called. Sail tells no progress."""
        table, truncated = self._run(query.sql, row_limit, time_limit_s, run_id, hear)
        return Rows(table, truncated)

    def cancel(self, run_id: str) -> bool:
        """Interrupts the query under this id."""
        with self._lock:
            run = self._runs.get(run_id) if run_id else None
        return run is not None and self._cancel(run)

    def close(self) -> None:
        """Interrupts what runs and ends the session."""
        with self._lock:
            runs = list(self._runs.values())
        for run in runs:
            self._cancel(run)
        self._connection.close()

    # How it is done

    def _run(self, sql: str, row_limit: int, time_limit_s: float, run_id: str = "", hear: Hear | None = None) -> tuple[pa.Table, bool]:
        run = _Run()
        with self._lock:
            self._runs[run_id or run.tag] = run
        try:
            return self._within(lambda: self._fetched(sql, row_limit, run), time_limit_s, run, hear)
        finally:
            with self._lock:
                self._runs.pop(run_id or run.tag, None)

    def _fetched(self, sql: str, row_limit: int, run: _Run) -> tuple[pa.Table, bool]:
        """The first rows of a query, fetched batch by batch. Runs in a thread of its own: an operation's tags are its thread's."""
        import pyarrow as pa

        from streamlink_sql.engines.arrow import capped

        session = self._connection.session()
        session.addTag(run.tag)
        self._thread.run = run
        try:
            frame = _frame(session, sql).limit(row_limit + 1)
            parts = session.client.to_table_as_iterator(frame._plan.to_proto(session.client), {})
            with closing(cast("Generator[object, None, None]", parts)):  # here and now, or the garbage collector does it too late
                batches = (batch for part in parts if isinstance(part, pa.Table) for batch in part.to_batches())
                first = next(batches, None)
                if first is None:
                    return _without_zones(_empty(frame.schema)), False
                table, truncated = capped(first.schema, chain((first,), batches), row_limit, self._result_bytes)
                if truncated:
                    self._stop(run)
                return _without_zones(table), truncated
        except StreamLinkError:
            self._stop(run)
            raise
        except Exception as error:
            raise self._connection.translated(error, session) from error
        finally:
            with suppress(Exception):
                session.removeTag(run.tag)

    def _heard(self, stages: Iterable[StageInfo] | None, **_: object) -> None:
        """Spark's client tells how far the query is that this thread fetches."""
        run: _Run | None = getattr(self._thread, "run", None)
        found = list(stages or ())
        tasks, tasks_done = sum(stage.num_tasks for stage in found), sum(stage.num_completed_tasks for stage in found)
        progress = Progress(len(found), sum(stage.done for stage in found), tasks, tasks_done)
        if run is not None and found and progress != run.progress:
            run.progress = progress
            run.news.put(progress)

    def _within(self, call: Callable[[], T], seconds: float, run: _Run, hear: Hear | None = None) -> T:
        """What a call returns, if it does so in time; one that does not is interrupted, and not waited for for long."""
        outcome: Future[T] = run.outcome
        outcome.add_done_callback(lambda _: run.news.put(None))

        def work() -> None:
            try:
                found = call()
            except BaseException as error:  # noqa: BLE001 - told to whoever waits
                _settle(outcome, error)
            else:
                with suppress(InvalidStateError):
                    outcome.set_result(found)

        threading.Thread(target=work, name="spark-query", daemon=True).start()
        until = time.monotonic() + seconds
        try:
            while (progress := run.news.get(timeout=max(0.0, until - time.monotonic()))) is not None:
                if hear is not None:
                    hear(progress)
        except BaseException as error:
            self._stop(run)
            if isinstance(error, Empty):
                raise TimedOut("The query did not finish within its time limit and was stopped.") from error
            raise
        return outcome.result()

    def _cancel(self, run: _Run) -> bool:
        """Calls a run off: whoever waits for it learns so at once, whatever the server does. False when it has ended already."""
        called_off = _settle(run.outcome, Cancelled("The query was cancelled."))
        if called_off:
            self._stop(run)
        return called_off

    def _stop(self, run: _Run) -> None:
        """Interrupts an operation; a server that does not answer is not waited for. Plans are no operations, and have no tag."""
        if not run.tag:
            return

        def interrupt() -> None:
            with suppress(Exception):
                self._connection.session().interruptTag(run.tag)

        stopping = threading.Thread(target=interrupt, name="spark-stop", daemon=True)
        stopping.start()
        stopping.join(_STOP_LIMIT_S)

    def _register(self, session: SparkSession) -> None:
        """The tables by location: temporary views, but in Sail, whose plans name no views, tables of the session's own catalogue."""
        session.registerProgressHandler(self._heard)
        own = bool(self._locations) and session.catalog.currentCatalog() == _SAIL
        for name, place in self._locations.items():
            where = spark_literal(place)
            if own:
                session.sql(f"CREATE TABLE IF NOT EXISTS {spark_quoted(name)} USING parquet LOCATION {where}")
            else:
                session.sql(f"CREATE OR REPLACE TEMPORARY VIEW {spark_quoted(name)} USING parquet OPTIONS (path {where})")

    def _known(self) -> _Listing:
        """The tables as they were listed last. An old listing is replaced in the background: nobody waits for it."""
        with self._lock:
            listing, anew = self._listing, self._listing_anew
            if listing is None:
                raise EngineUnavailable("This source has been closed.")
            if time.monotonic() - listing.at > _LISTED_S and (anew is None or not anew.is_alive()):
                self._listing_anew = threading.Thread(target=self._list_again, args=(listing,), name="spark-tables", daemon=True)
                self._listing_anew.start()
        return listing

    def _list_again(self, old: _Listing) -> None:
        try:
            fresh = self._list({table.name: table for table in old.tables}, time.monotonic() + _COUNT_LIMIT_S)
        except Exception as error:  # noqa: BLE001 - what was known serves on; the next question meets the error itself
            _log.warning("The tables of the Spark server could not be listed again: %s", error)
            fresh = _Listing(old.tables, old.state, old.database, time.monotonic())
        with self._lock:
            self._listing = fresh

    def _list(self, known: Mapping[str, Table], counted_until: float) -> _Listing:
        def found(session: SparkSession) -> tuple[str, list[tuple[str, str, Any]]]:
            current = session.catalog.currentDatabase()
            named: list[tuple[str, str, Any]] = []
            for database in [each.name for each in session.catalog.listDatabases()]:
                for entry in session.catalog.listTables(database):
                    own = entry.name if entry.isTemporary or database == current else f"{database}.{entry.name}"
                    if all(own != other for other, _, _ in named):
                        named.append((own, entry.description or "", session.table(spark_table(own)).schema))
            return current, named

        current, named = self._connection.ask(found)
        tables = []
        for name, comment, schema in sorted(named, key=lambda each: each[0]):
            before = known.get(name)
            columns = tuple(_column(field_) for field_ in schema.fields)
            rows = before.rows if before and before.columns == columns else self._count(name, counted_until)
            tables.append(Table(name=name, columns=columns, comment=comment, rows=rows))
        state = hashlib.blake2b(repr([(table.name, table.columns) for table in tables]).encode(), digest_size=8).hexdigest()
        return _Listing(tuple(tables), state, current, time.monotonic())

    def _count(self, table: str, until: float) -> int | None:
        """How many rows a table has, if there is time to count them."""
        left = until - time.monotonic()
        if left <= 0:
            return None
        try:
            found, _ = self._run(f"SELECT count(*) AS n FROM {spark_table(table)}", 1, left)
        except (TimedOut, InvalidSQL, EngineUnavailable):
            return None
        return int(found.column(0)[0].as_py())

    def _samples_of(self, table: str) -> dict[str, Sample]:
        """The samples of a table's columns that have been taken of the data as it is now."""
        data = self.fingerprint()
        with self._lock:
            if self._samples[0] != data:
                self._samples = (data, {})
            tables = self._samples[1]
            while table not in tables and len(tables) >= _SAMPLED_TABLES:
                tables.pop(next(iter(tables)))
            return tables.setdefault(table, {})

    def _sampled(self, name: str, column: str, known: Collection[str]) -> dict[str, Sample]:
        """The sample of a column, and those of columns beside it that are not known yet; of this one alone where these are too much."""
        table = next((table for table in self._known().tables if table.name == name), Table(name, ()))
        columns = spark_samples.beside(table, column, known)
        found, is_cut = self._run(*spark_samples.query(table, columns), _CATALOG_LIMIT_S)
        if is_cut and len(columns) > 1:
            columns = [column]
            found, is_cut = self._run(*spark_samples.query(table, columns), _CATALOG_LIMIT_S)
        return spark_samples.samples(found, columns, is_whole=not is_cut and spark_samples.is_read_whole(table))

    def _own_name(self, name: str) -> str:
        """A table as we call it: without the catalogue, and without the current database."""
        parts = name.split(".")[-2:]
        database = self._listing.database if self._listing else "default"
        return parts[-1] if len(parts) == 1 or parts[0].casefold() == database.casefold() else ".".join(parts)


def open_spark(address: str, *, locations: Mapping[str, str] | None = None, result_limit_mb: int = 32, **_: Any) -> SparkEngine:
    """The engine for `spark://HOST:PORT` or `sc://HOST:PORT`. Memory, disk and threads are the server's own matter."""
    return SparkEngine(address, locations=locations, result_limit_mb=result_limit_mb)


@dataclass(frozen=True, slots=True)
class _Listing:
    """The tables, a text that changes with them, the current database, and when they were listed."""

    tables: tuple[Table, ...]
    state: str
    database: str
    at: float


@dataclass(slots=True)
class _Run:
    """One operation on the server, what it tells on its way (None at the end), and what becomes of it. Its tag, by which Spark's pages show
    it, names the trace of its question.
    """

    tag: str = field(default_factory=lambda: f"streamlink-{tracing.trace_id() or 'none'}-{uuid.uuid4()}")
    news: SimpleQueue[Progress | None] = field(default_factory=SimpleQueue)
    progress: Progress | None = None
    outcome: Future[Any] = field(default_factory=Future)


def _frame(session: SparkSession, sql: str) -> DataFrame:
    """A query that has not been sent yet, in brackets, where Spark knows queries alone: elsewhere it runs commands, too."""
    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.connect.plan import SQL

    return DataFrame(SQL(f"({sql}\n)"), session)


def _settle(outcome: Future[Any], error: BaseException) -> bool:
    """Ends what has not ended yet with an error."""
    try:
        outcome.set_exception(error)
    except InvalidStateError:
        return False
    return True


def _column(field_: Any) -> Column:
    native = field_.dataType.simpleString()
    comment = (field_.metadata or {}).get("comment", "")
    return Column(field_.name, _kind(native), native=native, comment=comment)


def _kind(native: str) -> Kind:
    plain = re.split(r"[(<_]", native.lower(), maxsplit=1)[0]
    return next((kind for name, kind in _KINDS if plain == name), "other")


def _empty(schema: Any) -> pa.Table:
    """No rows of a Spark schema."""
    from pyspark.sql.pandas.types import to_arrow_schema

    found: pa.Schema = to_arrow_schema(schema)
    return found.empty_table()


def _without_zones(table: pa.Table) -> pa.Table:
    """Moments as the session shows them, which is in UTC, without naming the zone: as the other engines give them."""
    import pyarrow as pa

    def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
        kind = column.type
        return column.cast(pa.timestamp(kind.unit)) if pa.types.is_timestamp(kind) and kind.tz else column

    return pa.table([plain(column) for column in table.columns], names=table.column_names)
