"""Reads a SQLite file with the standard library's driver inside a confined child: read-only, behind an authorizer of its own.

Runs in the child only. The authorizer allows SELECT, the functions listed here, recursion,
and the columns of the file's tables; nothing else.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import sqlite3
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from streamlink_sql.engines import arrow, plain_words, scoped, sqlite_plan, sqlite_values
from streamlink_sql.engines.spelling import literal, quoted
from streamlink_sql.errors import BadRequest, EngineUnavailable, InvalidSQL, NotFound, TimedOut
from streamlink_sql.scope import Scope

_EXACT_SAMPLE_ROWS = 2_000_000
_SAMPLE_BLOCKS = 200
_COUNT_SECONDS = 0.3
_PROGRESS_STEPS = 10_000
_PEEK_ROWS = 200
_PRAGMAS = ("table_list", "table_xinfo", "foreign_key_list")
_LIMITS = {
    "SQLITE_LIMIT_LENGTH": 64 * 2**20,
    "SQLITE_LIMIT_SQL_LENGTH": 2**20,
    "SQLITE_LIMIT_COMPOUND_SELECT": 100,
    "SQLITE_LIMIT_VDBE_OP": 1_000_000,
    "SQLITE_LIMIT_ATTACHED": 0,
    "SQLITE_LIMIT_LIKE_PATTERN_LENGTH": 1000,
    "SQLITE_LIMIT_TRIGGER_DEPTH": 0,
    "SQLITE_LIMIT_WORKER_THREADS": 0,
}
_FUNCTION_NAMES = (
    "-> ->> abs acos acosh asin asinh atan atan2 atanh avg bm25 ceil ceiling char coalesce concat concat_ws cos cosh count cume_dist "
    "current_date current_time current_timestamp date datetime degrees dense_rank exp first_value floor format glob group_concat hex "
    "highlight ifnull iif instr json json_array json_array_length json_each json_extract json_group_array json_group_object json_insert "
    "json_object json_patch json_quote json_remove json_replace json_set json_tree json_type json_valid julianday lag last_value lead "
    "length like likelihood likely ln log log10 log2 lower ltrim match max median min mod nth_value ntile nullif octet_length "
    "percent_rank percentile pi pow power printf quote radians random rank replace round row_number rtrim sign sin sinh snippet soundex "
    "sqrt stddev strftime string_agg substr substring sum tan tanh time timediff total trim trunc typeof unhex unicode unixepoch unlikely "
    "upper variance "
)
FUNCTIONS = frozenset(_FUNCTION_NAMES.split())


def open_reader(source: Mapping[str, Any], setup: Mapping[str, Any]) -> SQLiteReader:
    """A reader of the file, opened as `mode` says."""
    flags = {"ro": "mode=ro", "immutable": "mode=ro&immutable=1", "copy": "mode=rw"}[source["mode"]]
    path, scope = source["database"], Scope.of(source.get("scope"))
    views = None if scope is None else _Views(scope, also_views=bool(source.get("extracts")))

    def connect() -> sqlite3.Connection:
        return _connect(path, flags, setup, views)

    return SQLiteReader(connect, setup["result_mb"] * 2**20, views, extracts=bool(source.get("extracts")))


class _Views:
    """What a scope shows: for each table a temporary view of its name, over one whose name no query can guess.

    SQLite names the view in which a table is read, and a query may call a CTE as it likes: so reading a table is allowed in the hidden
    views alone. A database's own views would be named as well; they are shown only where an extract is made of them.
    """

    def __init__(self, scope: Scope, *, also_views: bool) -> None:
        self._scope, self._types = scope, ("table", "view") if also_views else ("table",)
        self._hidden = f"shown_{secrets.token_hex(16)}_"
        self.names: tuple[str, ...] = ()
        self._whole: frozenset[str] = frozenset()

    def make(self, connection: sqlite3.Connection) -> None:
        """Makes the views on a new connection."""
        rows = connection.execute("SELECT name, type FROM main.sqlite_master WHERE type IN ('table', 'view') ORDER BY rowid").fetchall()
        shadows = {row[1] for row in connection.execute("PRAGMA main.table_list").fetchall() if row[2] == "shadow"}
        known = {
            name: what
            for name, what in rows
            if not name.startswith("sqlite_") and name not in shadows and (what == "table" or _table_columns(connection, name))
        }
        self._scope.refuse_unknown(known)
        shown = {
            name: view for name, what in known.items() if (view := (self._scope.view_of_view if what == "view" else self._scope.view)(name))
        }
        for view in self._scope.views:
            if any(name.casefold() == view.table.casefold() and known[name] not in self._types for name in shown):
                raise BadRequest(f"{view.table} is a view: a role that sees it needs isolate = true.", setting="policy")
        self.names = tuple(name for name in shown if known[name] in self._types)
        self._whole = frozenset(name.casefold() for name in self.names if known[name] == "table" and not shown[name].rows)
        for number, name in enumerate(self.names):
            columns = connection.execute(f"PRAGMA main.table_xinfo({quoted(name)})").fetchall()
            named = [(column[1], column[2] or "") for column in columns if column[6] != 1]
            hidden = f"temp.{quoted(f'{self._hidden}{number}')}"
            connection.execute(f"CREATE TEMP VIEW {hidden} AS {scoped.select(shown[name], name, named, f'main.{quoted(name)}', 'sqlite')}")
            connection.execute(f"CREATE TEMP VIEW {quoted(name)} AS SELECT * FROM {hidden}")
            try:
                connection.execute(f"SELECT * FROM temp.{quoted(name)} LIMIT 0")
            except sqlite3.OperationalError as error:
                raise BadRequest(
                    f"The policy's condition on the rows of {name} does not fit the data: {error}.", setting="policy"
                ) from error

    def may_read(self, table: str, column: str | None, database: str | None, inner: str | None) -> bool:
        """Whether a column of a table in that database may be read where the view `inner` stands.

        Where rows are counted and no column is read, SQLite looks through the views and names no column: allowed where all rows are shown.
        """
        counted = column == "" and table.casefold() in self._whole
        return database == "temp" or (inner or "").startswith(self._hidden) or counted


class Median:
    """The aggregate median(x): the middle of the numbers, or the mean of the two in the middle; NULL where there are none."""

    def __init__(self) -> None:
        self._numbers: list[float] = []

    def step(self, value: Any) -> None:
        """Takes one value; what is no number does not count."""
        if isinstance(value, (int, float)):
            self._numbers.append(value)

    def finalize(self) -> float | None:
        """The median of all values."""
        return statistics.median(self._numbers) if self._numbers else None


class Spread:
    """The aggregates stddev(x) and variance(x) over a sample, as other engines have them; NULL for less than two numbers."""

    def __init__(self, of: Callable[[list[float]], float]) -> None:
        self._of = of
        self._numbers: list[float] = []

    def step(self, value: Any) -> None:
        """Takes one value; what is no number does not count."""
        if isinstance(value, (int, float)):
            self._numbers.append(value)

    def finalize(self) -> float | None:
        """The spread of all values."""
        return self._of(self._numbers) if len(self._numbers) > 1 else None


class Percentile:
    """The aggregate percentile(x, p) of SQLite's own extension: what p per cent of the numbers are at most, between two in proportion."""

    def __init__(self) -> None:
        self._numbers: list[float] = []
        self._share = 0.0

    def step(self, value: Any, share: Any) -> None:
        """Takes one value; what is no number does not count."""
        if not isinstance(share, (int, float)) or not 0 <= share <= 100:
            raise ValueError("the second argument of percentile() is no number from 0 to 100")
        self._share = share / 100
        if isinstance(value, (int, float)):
            self._numbers.append(value)

    def finalize(self) -> float | None:
        """The percentile of all values; NULL where there are none."""
        if not self._numbers:
            return None
        ascending = sorted(self._numbers)
        place = self._share * (len(ascending) - 1)
        below = ascending[int(place)]
        return below + (ascending[min(int(place) + 1, len(ascending) - 1)] - below) * (place - int(place))


def _connect(path: str, flags: str, setup: Mapping[str, Any], views: _Views | None) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            f"file:{quote(path)}?{flags}", uri=True, isolation_level=None, check_same_thread=False, cached_statements=0
        )
        connection.create_aggregate("median", 1, Median)  # type: ignore[arg-type]  # the stub wants integers
        for name, spread in (("stddev", statistics.stdev), ("variance", statistics.variance)):
            connection.create_aggregate(name, 1, partial(Spread, spread))  # type: ignore[arg-type]
        connection.create_aggregate("percentile", 2, Percentile)  # type: ignore[arg-type]
        connection.execute(f"PRAGMA temp_store_directory = {literal(setup['spill'])}")
        for pragma in ("trusted_schema = 0", "temp_store = FILE", f"hard_heap_limit = {setup['memory_mb'] * 2**20}", "busy_timeout = 5000"):
            connection.execute(f"PRAGMA {pragma}")
        if views is not None:
            views.make(connection)
        if setup["source"].get("extracts"):
            return connection
        connection.execute("PRAGMA query_only = 1")
        virtual = connection.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL %'").fetchall()
    except sqlite3.Error as error:
        if "locked" in str(error):
            raise EngineUnavailable(f"{path} is being written to by another program. Ask again when that has ended.") from error
        raise EngineUnavailable(
            f"{path} cannot be read as a SQLite database ({error}). Restore it from a copy, or give another file."
        ) from error
    for (name,) in virtual:
        with contextlib.suppress(sqlite3.Error):  # opened here, where no authorizer stops the module from declaring its columns
            connection.execute(f"PRAGMA table_xinfo({quoted(name)})").fetchall()
    for name, value in _LIMITS.items():
        connection.setlimit(getattr(sqlite3, name), value)
    return connection


class SQLiteReader:
    """Answers the requests of one engine on one connection, and on a new one when the file's fingerprint has changed."""

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], result_bytes: int, views: _Views | None = None, *, extracts: bool = False
    ) -> None:
        """`extracts` makes a reader that writes what can be seen to a database of its own, and answers nothing else."""
        self._connect, self._result_bytes, self._views = connect, result_bytes, views
        self._connection = connect()
        self._data = ""
        self._read: set[str] = set()
        self._touched: set[str] = set()
        self._derived: frozenset[str] = frozenset()
        self._own_catalogue = False
        self._names: sqlite3.Connection | None = None
        self._deadline = float("inf")
        self._answers: dict[str, Callable[[Mapping[str, Any]], tuple[dict[str, Any], Any]]] = {
            "tables": self._tables,
            "sample": self._sample,
            "plan": self._plan,
            "run": self._run,
        }
        if extracts:
            self._answers = {"extract": self._extract}
        else:
            self._guard()

    def _guard(self) -> None:
        self._connection.set_authorizer(self._authorize)
        self._connection.set_progress_handler(lambda: time.monotonic() > self._deadline, _PROGRESS_STEPS)

    def _renew(self, data: str) -> None:
        """SQLite knows a changed file by a counter in it, which a file copied over another may repeat; so it gets a new connection."""
        if self._data and self._data != data:
            old, self._connection = self._connection, self._connect()  # where this fails, the next request tries again
            old.close()
            self._guard()
            self._names = None
        self._data = data

    def answer(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        """Does what the request asks, with SQLite's errors as the project's."""
        self._deadline = time.monotonic() + request["seconds"]
        self._renew(request["data"])
        self._own_catalogue = request["do"] in ("tables", "sample")
        self._connection.text_factory = sqlite_values.lossy if self._own_catalogue else str
        try:
            return self._answers[request["do"]](request)
        except UnicodeEncodeError as error:
            raise InvalidSQL("The SQL holds characters that are no text.") from error
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise _translated(error) from error

    def _authorize(self, action: int, first: str | None, second: str | None, database: str | None, inner: str | None) -> int:
        if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ:
            if (first or "").lower().startswith("sqlite_") and not self._own_catalogue:
                return sqlite3.SQLITE_DENY
            if self._views is not None and not self._own_catalogue and not self._views.may_read(first or "", second, database, inner):
                return sqlite3.SQLITE_DENY
            self._touched.add(first or "")
            if first and (inner is None or inner.casefold() in self._derived):
                self._read.add(first)
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            return sqlite3.SQLITE_OK if (second or "").lower() in FUNCTIONS else sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_PRAGMA:
            allowed = first == "data_version" or (self._own_catalogue and first in _PRAGMAS)  # full-text search asks for the first
            return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_DENY

    def _run(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        table, truncated = sqlite_values.fetch(self._connection, request["sql"], request["row_limit"], self._result_bytes)
        return {"truncated": truncated}, arrow.to_bytes(table)

    def _plan(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        sql = request["sql"]
        self._read, self._touched = set(), set()
        # SQLite names the CTE or view in which a column is read; what is read in a CTE of the query itself, the query reads
        views = {name.casefold() for name in self._table_names("'view'")}
        self._derived = frozenset(name.casefold() for name in request["derived"]) - views
        steps = self._connection.execute("EXPLAIN QUERY PLAN " + sql).fetchall()
        known = {name.casefold(): name for name in self._table_names()}
        read = self._named(sql)
        if not any(name.casefold() in views for name in read):  # what is read inside a view is not named; else both ways of telling count
            read |= self._read
        tables = sorted({known[name.casefold()] for name in read if name.casefold() in known})
        bases = {name.casefold() for name in self._table_names("'table'")}
        rows = {name: self._rough_count(name) for name in set(self._touched) if name.casefold() in bases}
        whole = sql.rstrip().rstrip(";")
        columns = self._connection.execute(f"SELECT * FROM ({whole}\n) LIMIT 0").description
        found = {
            "tables": tables,
            "columns": [column[0] for column in columns],
            "rows": sqlite_plan.estimated_rows(steps, rows, request["aliases"]),
        }
        return found, b""

    def _named(self, sql: str) -> set[str]:
        """The tables and views that a query names, told by an empty database in which all are tables; none where it cannot tell.

        SQLite itself looks through a view, and forgets its name where no column of it is asked for. Virtual tables have columns and
        functions that no table has.
        """
        if self._names is None:
            names = sqlite3.connect(":memory:", isolation_level=None)
            own, self._own_catalogue = self._own_catalogue, True
            try:
                for name in self._table_names():
                    listed = ", ".join(f"{quoted(column[1])} {_declared(column[2])}" for column in _table_columns(self._connection, name))
                    if listed:
                        names.execute(f"CREATE TABLE {quoted(name)} ({listed})")
            finally:
                self._own_catalogue = own
            self._names = names
        found: set[str] = set()

        def note(action: int, first: str | None, *_: str | None) -> int:
            if action == sqlite3.SQLITE_READ and first:
                found.add(first)
            return sqlite3.SQLITE_OK

        self._names.set_authorizer(note)
        try:
            self._names.execute("EXPLAIN " + sql)
        except sqlite3.Error:
            return set()
        return found

    def _rough_count(self, table: str) -> int:
        """The rows of a table by its last row's number, which takes no scan."""
        own, self._own_catalogue = self._own_catalogue, True
        try:
            last = self._connection.execute(f"SELECT max(rowid) FROM main.{quoted(table)}").fetchone()[0]
            return last if isinstance(last, int) and last > 0 else 1
        except sqlite3.OperationalError:
            return self._quick_count(table) or 1
        finally:
            self._own_catalogue = own

    def _table_names(self, types: str = "'table', 'view'") -> list[str]:
        if self._views is not None:
            return list(self._views.names)
        own, self._own_catalogue = self._own_catalogue, True
        try:
            rows = self._connection.execute(
                f"SELECT name FROM sqlite_master WHERE type IN ({types}) AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY rowid"
            ).fetchall()
            shadows = {row[1] for row in self._connection.execute("PRAGMA table_list").fetchall() if row[2] == "shadow"}
        finally:
            self._own_catalogue = own
        return [name for (name,) in rows if name not in shadows]

    def _tables(self, _: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        tables = []
        for name in self._table_names():
            shown = _table_columns(self._connection, name)
            if not shown:
                continue
            key, shown_names = self._primary_key(name), {column[1] for column in shown}
            tables.append(
                {
                    "name": name,
                    "columns": self._columns(name, shown),
                    "primary_key": key if shown_names.issuperset(key) else [],
                    "foreign_keys": self._foreign_keys(name),
                    "comment": "",
                    "rows": self._quick_count(name),
                }
            )
        return {"tables": tables}, b""

    def _extract(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        """Writes all tables that can be seen to a database of their own, with their declared types."""
        self._connection.execute("ATTACH ? AS extract", [request["to"]])
        for name in self._table_names():
            columns = self._connection.execute(f"PRAGMA temp.table_xinfo({quoted(name)})").fetchall()
            declared = ", ".join(f"{quoted(column[1])} {_declared(column[2])}" for column in columns)
            self._connection.execute(f"CREATE TABLE extract.{quoted(name)} ({declared})")
            self._connection.execute(f"INSERT INTO extract.{quoted(name)} SELECT * FROM temp.{quoted(name)}")
        self._connection.execute("DETACH extract")
        return self._tables(request)

    def _columns(self, table: str, columns: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
        names = ", ".join(quoted(column[1]) for column in columns)
        try:
            rows = self._connection.execute(f"SELECT {names} FROM {quoted(table)} LIMIT {_PEEK_ROWS}").fetchall()
        except sqlite3.OperationalError:
            rows = []
        seen = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
        return [
            {"name": column[1], "kind": sqlite_values.kind(column[2] or "", values), "native": column[2] or "", "comment": ""}
            for column, values in zip(columns, seen, strict=True)
        ]

    def _foreign_keys(self, table: str) -> list[dict[str, Any]]:
        links: dict[int, dict[str, Any]] = {}
        for number, _, to_table, column, to_column, *_rest in self._connection.execute(
            f"PRAGMA main.foreign_key_list({quoted(table)})"
        ).fetchall():
            link = links.setdefault(number, {"columns": [], "to_table": to_table, "to_columns": []})
            link["columns"].append(column)
            link["to_columns"].append(to_column)
        for link in links.values():
            if None in link["to_columns"]:
                link["to_columns"] = self._primary_key(link["to_table"])
        return [link for _, link in sorted(links.items()) if len(link["columns"]) == len(link["to_columns"]) and self._shows(table, link)]

    def _shows(self, table: str, link: Mapping[str, Any]) -> bool:
        """Whether both ends of a foreign key can be seen."""
        if self._views is None:
            return True
        seen = {
            (name.casefold(), column[1])
            for name in (table, *(each for each in self._views.names if each.casefold() == link["to_table"].casefold()))
            for column in self._connection.execute(f"PRAGMA temp.table_xinfo({quoted(name)})").fetchall()
        }
        ends = ((table, link["columns"]), (link["to_table"], link["to_columns"]))
        return all((name.casefold(), column) in seen for name, columns in ends for column in columns)

    def _primary_key(self, table: str) -> list[str]:
        columns = self._connection.execute(f"PRAGMA main.table_xinfo({quoted(table)})").fetchall()
        return [column[1] for column in sorted((column for column in columns if column[5]), key=lambda column: column[5])]

    def _quick_count(self, table: str) -> int | None:
        """The rows of a table; None where counting takes too long."""
        whole, self._deadline = self._deadline, min(self._deadline, time.monotonic() + _COUNT_SECONDS)
        try:
            return int(self._connection.execute(f"SELECT count(*) FROM {quoted(table)}").fetchone()[0])
        except sqlite3.OperationalError:
            return None
        finally:
            self._deadline = whole

    def _sample(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        table, column, limit = request["table"], request["column"], request["limit"]
        if table not in self._table_names() or column not in [
            found[1] for found in self._connection.execute(f"PRAGMA table_xinfo({quoted(table)})").fetchall()
        ]:
            raise NotFound(f"There is no column {column} in a table {table}.")
        part, filled = self._sampled_rows(table), f"{quoted(column)} IS NOT NULL"
        rows = self._connection.execute(
            f"SELECT CAST({quoted(column)} AS TEXT) AS v, count(*) AS n FROM {quoted(table)} WHERE {filled}{part} "
            f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {int(limit) + 1}"
        ).fetchall()
        repeated = bool(rows) and rows[0][1] > 1
        holes = self._connection.execute(f"SELECT EXISTS (SELECT 1 FROM {quoted(table)} WHERE {quoted(column)} IS NULL)").fetchone()[0]
        unique = False if repeated or holes else None if part else bool(rows)
        return {"values": [value for value, _ in rows[:limit]], "complete": not part and len(rows) <= limit, "unique": unique}, b""

    def _sampled_rows(self, table: str) -> str:
        """A condition that picks blocks of rows all over a very large table; nothing for others."""
        try:
            low, high = self._connection.execute(f"SELECT min(rowid), max(rowid) FROM {quoted(table)}").fetchone()
        except sqlite3.OperationalError:
            return ""  # a view, or a table without rowid
        if not isinstance(low, int) or not isinstance(high, int) or high - low < _EXACT_SAMPLE_ROWS:
            return ""
        step, size = (high - low) // _SAMPLE_BLOCKS, _EXACT_SAMPLE_ROWS // _SAMPLE_BLOCKS // 2
        blocks = " OR ".join(f"rowid BETWEEN {start} AND {start + size}" for start in range(low, high, max(1, step)))
        return f" AND ({blocks})"


def _translated(error: sqlite3.Error | sqlite3.Warning) -> Exception:
    text = str(error)
    if "interrupted" in text:
        return TimedOut("The query did not finish within its time limit and was stopped.")
    if "out of memory" in text or "too big" in text or "database or disk is full" in text:
        return MemoryError(text)
    if "malformed" in text or "disk I/O" in text or "not a database" in text or "unable to open" in text or "locked" in text:
        return EngineUnavailable(
            f"The database file could not be read ({text}). Close programs that write to it, or restore it from a copy."
        )
    if "one statement at a time" in text:
        return InvalidSQL("Exactly one SELECT statement can run here.")
    if "not authorized" in text or "authorization denied" in text or "prohibited" in text:
        return InvalidSQL(
            "The query does something that is closed here: only SELECT over the tables of this database, with known functions, may run.",
            log=text,
        )
    return plain_words.invalid(text)


def _table_columns(connection: sqlite3.Connection, name: str) -> list[tuple[Any, ...]]:
    """The columns that can be asked for; none of a view of what is gone, or of a virtual table of a module that is not here."""
    try:
        columns = connection.execute(f"PRAGMA table_xinfo({quoted(name)})").fetchall()
    except sqlite3.OperationalError:
        return []
    return [column for column in columns if column[6] != 1]


def _declared(native: str) -> str:
    """A declared type, where it is one that can be written again."""
    return native if re.fullmatch(r"[A-Za-z][\w ]*(\([\d, ]+\))?", native or "") else ""
