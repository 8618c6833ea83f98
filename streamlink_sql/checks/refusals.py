"""Plain words for what may not run: which construct it is, why, and what to write instead. Judges nothing."""

from __future__ import annotations

_PIVOT = (
    "PIVOT and UNPIVOT are not allowed: their columns come from the data, so they cannot be checked before it is read. "
    "Write one sum(...) FILTER (WHERE ...) a column, or a UNION ALL for the way back."
)
_CHANGE, _SCHEMA = "it changes data, and StreamLink only reads.", "it changes the schema, and StreamLink only reads."
_MOVE = "it moves files. Save an answer as CSV or Parquet instead."
_OPEN = "other databases and extensions stay closed."
_SETTING = "the settings of the database stay as they are."
_STATEMENTS = {
    **dict.fromkeys(("insert", "update", "delete", "merge", "truncate", "replace", "vacuum"), _CHANGE),
    **dict.fromkeys(("create", "drop", "alter", "comment"), _SCHEMA),
    **dict.fromkeys(("copy", "export", "import"), _MOVE),
    **dict.fromkeys(("attach", "detach", "use", "load", "install"), _OPEN),
    **dict.fromkeys(("set", "reset", "pragma"), _SETTING),
    **dict.fromkeys(("describe", "desc", "show", "summarize"), "the list of tables tells columns and types."),
    **dict.fromkeys(("explain", "analyze"), "give the query alone; a check of it tells what it reads."),
    **dict.fromkeys(("begin", "commit", "rollback", "start", "savepoint"), "there are no transactions here."),
    **dict.fromkeys(("grant", "revoke"), "rights are not given here."),
    **dict.fromkeys(("call", "execute", "prepare", "do"), "procedures and prepared statements are not run."),
}
_KINDS = {
    "Pivot": _PIVOT,
    "Lock": "FOR UPDATE and FOR SHARE lock rows, and nothing here may. Leave it out.",
    "Into": "SELECT ... INTO makes a table, and StreamLink only reads. Leave INTO out.",
    "HistoricalData": "AT (VERSION or TIMESTAMP ...) reads the past of a table, which is not open here. Ask for the table as it is.",
    "Version": "AS OF reads the past of a table, which is not open here. Ask for the table as it is.",
    "MatchRecognize": "MATCH_RECOGNIZE is not allowed. Compare rows with lag() and lead() instead.",
    "Hint": "Hints to the planner are not allowed. Leave them out.",
    **dict.fromkeys(
        ("Placeholder", "Parameter", "SessionParameter"), "The SQL has a parameter ($1, ?, :name), and none is given here. Write the value."
    ),
    **dict.fromkeys(("Insert", "Update", "Delete", "Merge"), "A part of the query changes data, and StreamLink only reads."),
    **dict.fromkeys(("Create", "Drop", "Alter"), "A part of the query changes the schema, and StreamLink only reads."),
    "Copy": "A part of the query moves files. Save an answer as CSV or Parquet instead.",
}
_FILES = "read_csv read_csv_auto read_parquet parquet_scan read_json read_json_auto read_json_objects read_text read_blob read_ndjson glob"
_TABLE_FUNCTIONS = {
    **dict.fromkeys(_FILES.split(), "reads files by name; ask for a table instead"),
    **dict.fromkeys(
        ("json_each", "json_tree"), "makes rows out of JSON, which is not open here; take single values with json_extract(column, '$.path')"
    ),
    **dict.fromkeys(("query", "query_table", "json_execute_serialized_sql"), "runs SQL that is hidden in text"),
    **dict.fromkeys(("sqlite_scan", "postgres_scan", "mysql_scan", "iceberg_scan", "delta_scan"), "reads other databases"),
}


def statement(first: str) -> str:
    """Why a text that starts with this word is no query that may run."""
    word = first.lower()
    if word.startswith(("pivot", "unpivot")):
        return _PIVOT
    if word in _STATEMENTS:
        return f"{first.upper()} is not allowed: {_STATEMENTS[word]}"
    return f"Only a query that reads is allowed, and this starts with {first[:30]!r}."


def construct(kind: str, spoken: str) -> str:
    """Why a node of this kind may not stand in a query."""
    return _KINDS.get(kind, f"{spoken} is not on the list of what a query may hold here.")


def table_function(name: str) -> str:
    """Why rows do not come from this function."""
    why = _TABLE_FUNCTIONS.get(name.lower())
    told = f", as it {why}" if why else ""
    return f"The table function {name.lower()[:60]!r} is not allowed{told}. In a FROM stand tables, subqueries, VALUES, range and unnest."
