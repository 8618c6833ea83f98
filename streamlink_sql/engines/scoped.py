"""What a role sees of a table, as the SELECT behind a view. Runs in the child; opens nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from streamlink_sql.engines.spelling import quoted
from streamlink_sql.errors import BadRequest
from streamlink_sql.scope import View, spelt

Named = tuple[str, str]
"""A column: its name and its native type."""


def select(view: View, table: str, columns: Sequence[Named], relation: str, dialect: Literal["duckdb", "sqlite"]) -> str:
    """The SELECT that shows of `relation` what the view lists, in the order of the table."""
    known = {spelt(name) for name, _ in columns}
    for name in view.named:
        if spelt(name) not in known:
            raise BadRequest(f"The policy names the column {name} of {table}, which this data lacks.", setting="policy")
    parts = [_part(name, native, view.mask_of(name), dialect) for name, native in columns if view.lists(name)]
    if not parts:
        raise BadRequest(f"The policy leaves no column of {table}. Leave the table out instead.", setting="policy")
    return f"SELECT {', '.join(parts)} FROM {relation}" + (f" WHERE ({view.rows})" if view.rows else "")


def _part(name: str, native: str, mask: str, dialect: str) -> str:
    column = quoted(name)
    return f"{_masked(column, native, mask, dialect)} AS {column}" if mask else column


def _masked(column: str, native: str, mask: str, dialect: str) -> str:
    text = f"CAST({column} AS {'VARCHAR' if dialect == 'duckdb' else 'TEXT'})"
    kind, _, count = mask.partition(" ")
    if kind == "null":
        return f"CAST(NULL AS {native})" if dialect == "duckdb" else "NULL"
    if kind == "stars":
        return f"CASE WHEN {column} IS NULL THEN NULL ELSE '***' END"
    if kind == "year":
        return f"substr({text}, 1, 4)"
    return f"substr({text}, 1, {int(count)}) || CASE WHEN length({text}) > {int(count)} THEN '…' ELSE '' END"
