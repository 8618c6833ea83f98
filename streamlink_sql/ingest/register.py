"""Tells a Spark server of a table that was ingested: its columns, its folders, how many rows. Writes to Spark's catalogue only."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from streamlink_sql.engines.spark_session import Connection, read_address
from streamlink_sql.engines.spelling import spark_literal, spark_quoted
from streamlink_sql.errors import BadRequest
from streamlink_sql.ingest.ingest import Ingested

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

_TYPES = {
    "TINYINT": "tinyint",
    "SMALLINT": "smallint",
    "INTEGER": "int",
    "UTINYINT": "smallint",
    "USMALLINT": "int",
    "UINTEGER": "bigint",
    "VARCHAR": "string",
    "DATE": "date",
    "BOOLEAN": "boolean",
}
"""What a column that makes folders is in Spark; what is not here is a bigint."""


def register(table: Ingested, server: str) -> None:
    """Puts a table into the catalogue of a Spark Connect server; one of this name at the same place is put anew, any other is refused."""
    connection = Connection(read_address(server), lambda _: None)
    with closing(connection):
        connection.ask(lambda session: _register(session, table))


def _register(session: SparkSession, table: Ingested) -> None:
    name, place = spark_quoted(table.name), table.address.replace("s3://", "s3a://", 1)
    known = _location(session, name) if session.catalog.tableExists(name) else None
    if known is not None and _path(known) != _path(place):
        raise BadRequest(
            f"Spark's catalogue has another table {table.name}, at {known}. Name the folder in --to differently, or drop that table."
        )
    written = {field.name: field.dataType.simpleString() for field in session.read.parquet(f"{place}/{table.files[0]}").schema.fields}
    columns = [c for c in table.columns if c.name not in table.partition_by] + [c for c in table.columns if c.name in table.partition_by]
    types = ", ".join(f"{spark_quoted(c.name)} {written.get(c.name) or _TYPES.get(c.native, 'bigint')}" for c in columns)
    folders = f" PARTITIONED BY ({', '.join(map(spark_quoted, table.partition_by))})" if table.partition_by else ""
    if known is not None:
        _do(session, f"DROP TABLE {name}")  # it only names the files, which stay
    _do(session, f"CREATE TABLE {name} ({types}) USING parquet{folders} LOCATION {spark_literal(place)}")
    if table.partition_by:
        _do(session, f"MSCK REPAIR TABLE {name}")
    _do(session, f"ANALYZE TABLE {name} COMPUTE STATISTICS")


def _location(session: SparkSession, name: str) -> str:
    rows = session.sql(f"DESCRIBE TABLE EXTENDED {name}").collect()
    return next((str(row[1]) for row in rows if row[0] == "Location"), "")


def _path(place: str) -> str:
    """A place without what different programs write before it: file:/x is file:///x."""
    scheme, _, rest = place.partition(":")
    return f"{scheme}:/{rest.lstrip('/')}".rstrip("/")


def _do(session: SparkSession, command: str) -> Any:
    return session.sql(command).collect()
