"""Which tables a query names, from DuckDB's own syntax tree. Binds nothing and opens no table or view."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from streamlink_sql.errors import InvalidSQL


def named_tables(connection: duckdb.DuckDBPyConnection, sql: str) -> set[tuple[str, str]]:
    """Schema ('' for main, and where none is written) and name of each table that a SELECT names, its CTEs left out; raises InvalidSQL.

    DuckDB's `get_table_names` cannot tell this for all queries: it binds without columns, so that USING, tuples in IN and RANGE fail.
    A name that is both a table's and a CTE's counts as a table, so that a doubt ends as a difference from what the checks have seen.
    """
    row = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    tree = json.loads(row[0]) if row else {"error": True}
    if tree.get("error"):
        raise InvalidSQL("The database cannot tell which tables this query reads.", rule="second_opinion")
    nodes = list(_nodes(tree))
    ctes = {entry["key"].casefold() for node in nodes if "cte_map" in node for entry in node["cte_map"].get("map", [])}
    found = {(_schema(node), node["table_name"]) for node in nodes if node.get("type") == "BASE_TABLE"}
    stored = {
        str(name).casefold()
        for (name,) in connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE NOT internal UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal"
        ).fetchall()
    }
    return {(schema, name) for schema, name in found if schema or name.casefold() not in ctes - stored}


def _schema(table: dict[str, Any]) -> str:
    written = ".".join(part for part in (table["catalog_name"], table["schema_name"]) if part)
    return "" if written.casefold() == "main" else str(written)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            yield node
            stack += node.values()
        elif isinstance(node, list):
            stack += node
