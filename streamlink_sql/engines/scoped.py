"""What a role sees of a table, as the SELECT behind a view. Runs in the child; opens nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from streamlink_sql.errors import BadRequest

_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
Named = tuple[str, str]
"""A column: its name and its native type."""


def view_of(scope: Mapping[str, Any], table: str) -> Mapping[str, Any] | None:
    """The rule for a table out of a scope's body; None where it is not to be seen."""
    found = next((view for view in scope["views"] if spelt(view["table"]) == spelt(table)), None)
    return found or ({"columns": None, "hide": [], "mask": [], "rows": "", "reads": []} if scope["others"] else None)


def own_view_of(scope: Mapping[str, Any], table: str) -> Mapping[str, Any] | None:
    """The rule for a view that the database has itself: it may read what a rule hides, so it is seen where it is named, or where there is
    no rule at all."""
    return view_of(scope, table) if not scope["views"] or any(spelt(view["table"]) == spelt(table) for view in scope["views"]) else None


def refuse_unknown(scope: Mapping[str, Any], tables: Sequence[str]) -> None:
    """Raises BadRequest for a table of the policy that the data lacks: a misspelt name must not leave a table open."""
    known = {spelt(table) for table in tables}
    for view in scope["views"]:
        if spelt(view["table"]) not in known:
            raise BadRequest(f"The policy has a rule for the table {view['table']}, which this data lacks.", setting="policy")


def select(rule: Mapping[str, Any], table: str, columns: Sequence[Named], relation: str, dialect: Literal["duckdb", "sqlite"]) -> str:
    """The SELECT that shows of `relation` what the rule allows, in the order of the table."""
    known = {spelt(name) for name, _ in columns}
    masks = {spelt(name): mask for name, mask in rule["mask"]}
    named = [*(rule["columns"] or ()), *rule["hide"], *(name for name, _ in rule["mask"]), *rule["reads"]]
    for name in named:
        if spelt(name) not in known:
            raise BadRequest(f"The policy names the column {name} of {table}, which this data lacks.", setting="policy")
    listed = None if rule["columns"] is None else {spelt(name) for name in rule["columns"]}
    hidden = {spelt(name) for name in rule["hide"]}
    shown = [(name, native) for name, native in columns if spelt(name) not in hidden and (listed is None or spelt(name) in listed)]
    if not shown:
        raise BadRequest(f"The policy leaves no column of {table}. Leave the table out instead.", setting="policy")
    parts = [_part(name, native, masks.get(spelt(name), ""), dialect) for name, native in shown]
    return f"SELECT {', '.join(parts)} FROM {relation}" + (f" WHERE ({rule['rows']})" if rule["rows"] else "")


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


def spelt(name: str) -> str:
    """A name as the engines compare names: A to Z count as a to z, and no other letter as another."""
    return name.translate(_LOWER)


def quoted(name: str) -> str:
    """A name as SQL spells it."""
    return '"' + name.replace('"', '""') + '"'
