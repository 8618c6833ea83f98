"""Reads tables with DuckDB inside a confined child: read-only, external access off, extensions off, configuration locked.

Runs in the child only. Checks nothing beyond "one SELECT": what a query may read
is settled before, what it can reach is settled by `confine`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import duckdb

from streamlink_sql.engines import arrow, csv_files, duckdb_values, plain_words, scoped
from streamlink_sql.engines.duckdb_named import named_tables
from streamlink_sql.engines.spelling import literal, quoted
from streamlink_sql.engines.together import refuse_strangers
from streamlink_sql.errors import BadRequest, EngineUnavailable, InvalidSQL, NotFound
from streamlink_sql.scope import Scope, View

_EXACT_SAMPLE_ROWS = 3_000_000
_SAMPLE_ROWS = 1_000_000
_SMALL_CELLS, _SMALL_BYTES = 500_000, 16 * 2**20
"""A table of so many cells and bytes at most is sampled whole."""
_ALL_PAIRS = ("CROSS_PRODUCT", "NESTED_LOOP_JOIN", "BLOCKWISE_NL_JOIN")
_FULL = ("Out of Memory", "max_temp_directory_size", "File too large", "No space left")
_ENUM = re.compile(r"ENUM\((?:'(?:[^']|'')*'(?:, )?)+\)")
"""A type with all its values, thousands perhaps: that it is one is enough."""
_INTERNAL_SCHEMAS = ("information_schema", "pg_catalog")
_OWN = "database_name = current_database() AND NOT internal"
_BESIDE = "_source"
"""What a database is called whose tables are seen through views."""


def open_reader(source: Mapping[str, Any], setup: Mapping[str, Any]) -> DuckDBReader:
    """A reader of a DuckDB file, or of views over files; with `load`, one that only turns files into Parquet."""
    config = {
        "memory_limit": f"{setup['memory_mb']}MB",
        "threads": str(setup["threads"]),
        "temp_directory": setup["spill"],
        "max_temp_directory_size": f"{setup['spill_mb']}MB",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "allow_persistent_secrets": "false",
        "python_enable_replacements": "false",
    }
    database, scope = source.get("database"), Scope.of(source.get("scope"))
    try:
        whole = database is not None and scope is None
        connection = duckdb.connect(str(database) if whole else ":memory:", read_only=whole, config=config)
        _settle(connection)
        if source.get("load"):
            return DuckDBReader(connection, setup["result_mb"] * 2**20, "load")
        if scope is not None and database is not None:
            _show_database(connection, database, scope)
        elif not whole:
            _show_files(connection, source["tables"], scope)
        if source.get("extracts"):
            return DuckDBReader(connection, setup["result_mb"] * 2**20, "extract")
        _lock(connection)
    except duckdb.Error as error:
        raise _unavailable(database or "the data", error) from error
    return DuckDBReader(connection, setup["result_mb"] * 2**20)


def _settle(connection: duckdb.DuckDBPyConnection) -> None:
    """Settings that cannot be given on connecting."""
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET parquet_metadata_cache = true")


def _show_files(connection: duckdb.DuckDBPyConnection, tables: list[dict[str, Any]], scope: Scope | None) -> None:
    """A view for each table of files; with a scope, of what it shows of them."""
    for table in tables:
        name, files = table["name"], table["files"]
        names = ", ".join(literal(file) for file in files)
        options = f", hive_partitioning = {str(table['hive']).lower()}, union_by_name = {str(len(files) > 1).lower()}"
        relation = f"read_parquet([{names}]{options})"
        if scope is None:  # the error names columns
            refuse_strangers(connection, {file: f"read_parquet({literal(file)})" for file in files})
        try:
            shown = f"SELECT * FROM {relation}"
            view = scope.view(name) if scope else None
            if view is not None:
                columns = [(row[0], row[1]) for row in connection.execute(f"DESCRIBE {shown}").fetchall()]
                shown = scoped.select(view, name, columns, relation, "duckdb")
            _make_view(connection, quoted(name), shown, view)
        except duckdb.Error as error:
            raise _unavailable(files[0] if len(files) == 1 else f"The table {name} (first file {files[0]})", error) from error
    paths = ", ".join(literal(file) for table in tables for file in table["files"])
    connection.execute(f"SET allowed_paths = [{paths}]")


def _show_database(connection: duckdb.DuckDBPyConnection, database: str, scope: Scope) -> None:
    """A view for each table of a database that a scope shows, in an empty database beside it."""
    connection.execute(f"ATTACH {literal(database)} AS {quoted(_BESIDE)} (READ_ONLY)")
    found = _columns_of(connection, _BESIDE)
    scope.refuse_unknown(_full_name(*place) for place in found)
    listed = connection.execute("SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = ?", [_BESIDE]).fetchall()
    own_views = {(schema, view) for schema, view in listed}
    for (schema, table), columns in found.items():
        known = scope.view_of_view if (schema, table) in own_views else scope.view
        if view := known(_full_name(schema, table)):
            place = f"{quoted(schema)}.{quoted(table)}"
            shown = scoped.select(view, table, [each[:2] for each in columns], f"{quoted(_BESIDE)}.{place}", "duckdb")
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
            _make_view(connection, place, shown, view)
            kept = {each[0] for each in connection.execute(f"DESCRIBE {place}").fetchall()}
            for column, _, comment in columns:
                if comment and column in kept:
                    connection.execute(f"COMMENT ON COLUMN {place}.{quoted(column)} IS {literal(comment)}")


def _make_view(connection: duckdb.DuckDBPyConnection, place: str, shown: str, view: View | None) -> None:
    """Makes a view; raises BadRequest where the condition on its rows does not fit the data."""
    try:
        connection.execute(f"CREATE VIEW {place} AS {shown}")
    except (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException) as error:
        if view is None or not view.rows:
            raise
        text = str(error).split("\n", 1)[0]
        raise BadRequest(f"The policy's condition on the rows of {view.table} does not fit the data: {text}", setting="policy") from error


def _lock(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


class DuckDBReader:
    """Answers the requests of one engine on one connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, result_bytes: int, only: str = "") -> None:
        """`only` is the one request that an unlocked connection answers: "load" or "extract"."""
        self._database, self._connection, self._result_bytes = connection, connection, result_bytes
        self._names: duckdb.DuckDBPyConnection | None = None
        self._places: dict[tuple[str, str], str] | None = None
        self._answers: dict[str, Callable[[Mapping[str, Any]], tuple[dict[str, Any], Any]]] = {
            "tables": self._tables,
            "sample": self._sample,
            "samples": self._samples,
            "plan": self._plan,
            "run": self._run,
        }
        if only:
            self._answers = {"load": self._load} if only == "load" else {"extract": self._extract}

    def answer(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        """Does what the request asks, with DuckDB's errors as the project's."""
        self._connection = self._database.cursor()  # a connection of its own: what one query left open troubles no other
        try:
            return self._answers[request["do"]](request)
        except duckdb.Error as error:
            raise _translated(error) from error
        finally:
            self._connection.close()

    def _run(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        query = self._one_select(request["sql"])
        table, truncated = duckdb_values.fetch(self._connection, query, request["row_limit"], self._result_bytes)
        return {"truncated": truncated}, arrow.to_bytes(table)

    def _plan(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        sql = request["sql"]
        columns = self._connection.sql(self._one_select(sql)).columns
        explained = self._connection.execute("EXPLAIN (FORMAT JSON) " + sql).fetchall()
        return {"tables": self._named(sql), "columns": columns, "rows": _largest(json.loads(explained[0][1]))}, b""

    def _named(self, sql: str) -> list[str]:
        """The tables that a query names, by DuckDB's own reading."""
        try:
            return sorted({_plain_name(name) for name in self._schema_only().get_table_names(sql, qualified=True)})
        except duckdb.BinderException:
            return sorted({_full_name(schema or "main", name) for schema, name in named_tables(self._connection, sql)})

    def _one_select(self, sql: str) -> duckdb.Statement:
        try:
            statements = self._connection.extract_statements(sql)
            kinds = [statement.type for statement in statements]
        except (TypeError, UnicodeError) as error:
            raise InvalidSQL("The SQL holds characters that are no text.") from error
        except ValueError:  # the driver has no name for this kind of statement
            kinds = []
        if kinds != [duckdb.StatementType.SELECT]:
            raise InvalidSQL("Exactly one SELECT statement can run here.")
        return statements[0]

    def _schema_only(self) -> duckdb.DuckDBPyConnection:
        """An empty database with the same tables: it tells which of them a query names, views unopened."""
        if self._names is None:
            names = duckdb.connect(":memory:", config={"threads": "1", "enable_external_access": "false"})
            for table in self._table_list():
                schema, name = table["schema"], table["table"]
                names.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
                columns = ", ".join(f"{quoted(column[0])} {column[1]}" for column in table["columns"])
                names.execute(f"CREATE TABLE {quoted(schema)}.{quoted(name)} ({columns})")
            self._names = names
        return self._names

    def _table_list(self) -> list[dict[str, Any]]:
        """Every table and view that can be read: schema, table, columns with type and comment."""
        found = _columns_of(self._connection, self._connection.execute("SELECT current_database()").fetchall()[0][0])
        return [{"schema": schema, "table": table, "columns": columns} for (schema, table), columns in found.items()]

    def _tables(self, _: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        about = {
            (schema, name): (comment, rows)
            for schema, name, comment, rows in self._connection.execute(
                f"SELECT schema_name, table_name, comment, estimated_size FROM duckdb_tables() WHERE {_OWN} "
                f"UNION ALL SELECT schema_name, view_name, comment, NULL FROM duckdb_views() WHERE {_OWN}"
            ).fetchall()
        }
        views = self._connection.execute(f"SELECT schema_name, view_name, sql FROM duckdb_views() WHERE {_OWN}").fetchall()
        texts = {(schema, name): sql or "" for schema, name, sql in views}
        keys, references = self._keys()
        tables = []
        for table in self._table_list():
            place = (table["schema"], table["table"])
            comment, rows = about.get(place, (None, None))
            if rows is None:
                if not self._binds(place):
                    continue
                rows = self._quick_count(place, texts.get(place, ""))
            tables.append(
                {
                    "name": _full_name(*place),
                    "columns": [
                        {"name": name, "kind": kind(native), "native": native, "comment": note} for name, native, note in table["columns"]
                    ],
                    "primary_key": keys.get(place, []),
                    "foreign_keys": references.get(place, []),
                    "comment": comment or "",
                    "rows": rows,
                }
            )
        return {"tables": tables}, b""

    def _keys(self) -> tuple[dict[tuple[str, str], list[str]], dict[tuple[str, str], list[dict[str, Any]]]]:
        """Primary and foreign keys, of what can be seen of them."""
        keys: dict[tuple[str, str], list[str]] = {}
        references: dict[tuple[str, str], list[dict[str, Any]]] = {}
        places = self._known_places()
        rows = self._connection.execute(
            "SELECT schema_name, table_name, constraint_type, constraint_column_names, referenced_table, referenced_column_names "
            "FROM duckdb_constraints() WHERE constraint_type IN ('PRIMARY KEY', 'FOREIGN KEY')"
        ).fetchall()
        for schema, name, what, columns, to_table, to_columns in rows:
            ends = ((name, columns), (to_table, to_columns if what == "FOREIGN KEY" else ()))
            if any((_full_name(schema, table), column) not in places for table, named in ends for column in named):
                continue
            if what == "PRIMARY KEY":
                keys[(schema, name)] = columns
            else:
                link = {"columns": columns, "to_table": _full_name(schema, to_table), "to_columns": to_columns}
                references.setdefault((schema, name), []).append(link)
        return keys, references

    def _binds(self, place: tuple[str, str]) -> bool:
        """Whether a view can be asked; one over files outside, or over what is gone, cannot."""
        try:
            return bool(self._connection.sql(f"SELECT * FROM {quoted(place[0])}.{quoted(place[1])}").columns)
        except duckdb.Error:
            return False

    def _quick_count(self, place: tuple[str, str], sql: str) -> int | None:
        """The rows of a view, made by this SQL, where counting reads footers only; None where it would have to read data."""
        if not re.fullmatch(r"CREATE VIEW \S+ AS SELECT \* FROM read_parquet\(.*\);?", sql.replace("\n", " ")):
            return None
        counted = self._connection.execute(f"SELECT count(*) FROM {quoted(place[0])}.{quoted(place[1])}").fetchone()
        return int(counted[0]) if counted else None

    def _sample(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        table, column, limit = self._place(request["table"], request["column"]), quoted(request["column"]), request["limit"]
        counted = self._connection.execute(f"SELECT count(*), count({column}) FROM {table}").fetchone() or (0, 0)
        rows, filled = int(counted[0]), int(counted[1])
        part = "" if rows <= _EXACT_SAMPLE_ROWS else f" USING SAMPLE system({100 * _SAMPLE_ROWS / rows:.6f} PERCENT)"
        values = self._connection.execute(
            f"SELECT v, count(*) AS n FROM (SELECT CAST({column} AS VARCHAR) AS v FROM {table}{part}) WHERE v IS NOT NULL "
            f"GROUP BY v ORDER BY n DESC, v LIMIT {limit + 1}"
        ).fetchall()
        repeated = bool(values) and values[0][1] > 1
        unique = False if repeated or filled < rows else None if part else filled > 0
        found = {"values": [value for value, _ in values[:limit]], "complete": not part and len(values) <= limit, "unique": unique}
        return found, b""

    def _samples(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        """The samples of all columns of a table that is small enough to be read at once, in one scan; none of a larger one."""
        columns = [name for table, name in self._known_places() if table == request["table"]]
        place = self._place(request["table"], columns[0]) if columns else ""
        rows = self._connection.execute(f"SELECT count(*) FROM {place}").fetchall()[0][0] if columns else 0
        if not rows or rows * len(columns) > _SMALL_CELLS:
            return {"samples": {}}, b""
        texts = ", ".join(f"CAST({quoted(column)} AS VARCHAR)" for column in columns)
        found = self._connection.sql(f"SELECT {texts} FROM {place}").to_arrow_reader(_SMALL_CELLS).read_all()
        if found.nbytes > _SMALL_BYTES:
            return {"samples": {}}, b""
        return {"samples": {name: duckdb_values.sampled(found.column(at), request["limit"]) for at, name in enumerate(columns)}}, b""

    def _place(self, table: str, column: str) -> str:
        """The table that holds a column, as SQL names it."""
        places = self._known_places()
        if (table, column) not in places:
            raise NotFound(f"There is no column {column} in a table {table}.")
        return places[table, column]

    def _known_places(self) -> dict[tuple[str, str], str]:
        """For each table and column, the table as SQL names it. What is open cannot change, so the list is read once."""
        if self._places is None:
            self._places = {
                (_full_name(found["schema"], found["table"]), each[0]): f"{quoted(found['schema'])}.{quoted(found['table'])}"
                for found in self._table_list()
                for each in found["columns"]
            }
        return self._places

    def _extract(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        """Writes all tables that can be seen to a database of their own."""
        self._connection.execute(f"ATTACH {literal(request['to'])} AS extract")
        for found in self._table_list():
            place = f"{quoted(found['schema'])}.{quoted(found['table'])}"
            self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS extract.{quoted(found['schema'])}")
            self._connection.execute(f"CREATE TABLE extract.{place} AS SELECT * FROM {place}")
            for column, _, comment in found["columns"]:
                if comment:
                    self._connection.execute(f"COMMENT ON COLUMN extract.{place}.{quoted(column)} IS {literal(comment)}")
        self._connection.execute("DETACH extract")
        return self._tables(request)

    def _load(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        return {"notes": csv_files.load(self._connection, request["format"], request["files"], request["hive"], request["to"])}, b""


def _columns_of(connection: duckdb.DuckDBPyConnection, database: str) -> dict[tuple[str, str], list[tuple[str, str, str]]]:
    """The columns of every table and view of a database: name, type and comment, by schema and table."""
    rows = connection.execute(
        "SELECT schema_name, table_name, column_name, data_type, comment FROM duckdb_columns() "
        "WHERE database_name = ? AND NOT internal ORDER BY schema_name, table_oid, column_index",
        [database],
    ).fetchall()
    tables: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for schema, name, column, native, comment in rows:
        if schema not in _INTERNAL_SCHEMAS:
            tables.setdefault((schema, name), []).append((column, _ENUM.sub("ENUM", native), comment or ""))
    return tables


def kind(native: str) -> str:
    """What a DuckDB type means to us."""
    name = native.upper()
    if name.endswith("]") or name.startswith(("STRUCT", "MAP", "UNION")):
        return "other"
    starts = {
        "text": ("VARCHAR", "ENUM", "UUID", "JSON", "CHAR", "TEXT"),
        "integer": (
            "BIGINT",
            "INTEGER",
            "SMALLINT",
            "TINYINT",
            "HUGEINT",
            "UBIGINT",
            "UINTEGER",
            "USMALLINT",
            "UTINYINT",
            "UHUGEINT",
            "BIGNUM",
        ),
        "real": ("DOUBLE", "FLOAT", "REAL"),
        "decimal": ("DECIMAL", "NUMERIC"),
        "boolean": ("BOOL",),
        "timestamp": ("TIMESTAMP", "DATETIME"),
        "date": ("DATE",),
        "time": ("TIME",),
        "binary": ("BLOB",),
    }
    return next((what for what, names in starts.items() if name.startswith(names)), "other")


def _largest(plan: list[dict[str, Any]]) -> int | None:
    """The most rows that any step of a plan handles, by DuckDB's own estimates; a join by comparing all pairs handles the product."""
    found: list[int] = []
    for step in plan:
        children = step.get("children", [])
        own = [_estimate(step)]
        if step.get("name", "").strip() in _ALL_PAIRS:
            own.append(math.prod(_estimate(child) or 1 for child in children))
        found += [rows for rows in (*own, _largest(children)) if rows is not None]
    return max(found, default=None)


def _estimate(step: dict[str, Any]) -> int | None:
    own = str(step.get("extra_info", {}).get("Estimated Cardinality", ""))
    return int(own) if own.isdigit() else None


def _translated(error: duckdb.Error) -> Exception:
    """DuckDB's error as ours. What was found in the rows stays out of it: that goes to the log."""
    text = str(error)
    if isinstance(error, duckdb.OutOfMemoryException) or any(mark in text for mark in _FULL):
        return MemoryError(text)
    if isinstance(error, (duckdb.ConversionException, duckdb.OutOfRangeException)):
        return InvalidSQL("A value cannot be converted or is out of range for what the query does with it.", log=text)
    if isinstance(error, (duckdb.PermissionException,)):
        return InvalidSQL("The query reaches for something that is closed here.", log=text)
    if isinstance(error, (duckdb.IOException, duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)):
        return EngineUnavailable(
            "The data could not be read: a file is damaged, was changed during the query, or may not be read.", log=text
        )
    return plain_words.invalid(text)


def _unavailable(what: str, error: duckdb.Error) -> EngineUnavailable:
    text = str(error).split("\n", 1)[0]
    if "lock" in text.lower():
        return EngineUnavailable(f"{what} is open in another program that may write to it. Close it there, or give a copy.")
    return EngineUnavailable(f"{what} cannot be read: {text}. Restore it from a copy, or leave it out.")


def _full_name(schema: str, table: str) -> str:
    """A name with a point begins with its schema, so that one is told from the other."""
    return table if schema == "main" and "." not in table else f"{schema}.{table}"


def _plain_name(qualified: str) -> str:
    """A name as DuckDB spells it (`"my schema".t AS x`) as `Table.name`."""
    place = re.match(r'(?:"(?:[^"]|"")*"|[^\s."]+)(?:\.(?:"(?:[^"]|"")*"|[^\s."]+))*', qualified)
    found = re.findall(r'"((?:[^"]|"")*)"|([^."]+)', place.group() if place else qualified)
    parts = [quoted.replace('""', '"') or plain for quoted, plain in found]
    return _full_name(parts[-2] if len(parts) > 1 else "main", parts[-1])
