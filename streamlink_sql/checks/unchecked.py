"""SQL that no check has judged, in the type that engines take: for attacks on an engine alone, on made data. Judges nothing."""

from __future__ import annotations

from sqlglot import exp

from streamlink_sql.types import CheckedSQL, Dialect


def unchecked_for_redteam(sql: str, dialect: Dialect) -> CheckedSQL:
    """The text as it stands, as if the checks were switched off. Only `redteam` may call this, on a database made for it."""
    return CheckedSQL(sql=sql, dialect=dialect, tables=frozenset(), tree=exp.select("1"))
