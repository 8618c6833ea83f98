"""Names and texts as SQL spells them."""

from __future__ import annotations


def quoted(name: str) -> str:
    """A name as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a literal."""
    return "'" + text.replace("'", "''") + "'"


def spark_quoted(name: str) -> str:
    """A name as an identifier of Spark's."""
    return "`" + name.replace("`", "``") + "`"


def spark_table(name: str) -> str:
    """A table, `table` or `database.table`, in SQL of Spark's."""
    return ".".join(map(spark_quoted, name.split(".", 1)))


def spark_literal(text: str) -> str:
    """A text as a literal of Spark's, where a backslash escapes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
