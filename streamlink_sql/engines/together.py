"""Refuses folders whose files are different tables: read as one, each row would lack the values of all other files' columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

import duckdb

from streamlink_sql.errors import BadRequest

_LOOKED_AT = 64
_IN_COMMON = 0.5
_SHOWN = 4


def refuse_strangers(connection: duckdb.DuckDBPyConnection, readings: Mapping[str, str]) -> None:
    """Raises BadRequest where one of the first files shares less than half of the narrower one's columns with the first.

    `readings` are the files of a table and the function that reads each. One that cannot be read is told of when its rows are.
    """
    if len(readings) < 2:
        return
    try:
        (first, names), *others = [(file, _names(connection, reading)) for file, reading in islice(readings.items(), _LOOKED_AT)]
    except duckdb.Error:
        return
    for other, theirs in others:
        shared = {name.casefold() for name in names} & {name.casefold() for name in theirs}
        if len(shared) < _IN_COMMON * min(len(names), len(theirs)):
            raise BadRequest(
                f"{first} ({_shown(names)}) and {other} ({_shown(theirs)}) lie in one folder, which is one table, but have different "
                "columns. Put the files of each table into a folder of their own, or give the folder itself as the data."
            )


def _names(connection: duckdb.DuckDBPyConnection, reading: str) -> list[str]:
    return [str(row[0]) for row in connection.execute(f"DESCRIBE SELECT * FROM {reading}").fetchall()]


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
