"""`streamlink-sql tables` and `streamlink-sql history`: what there is to ask, and what was asked."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import Annotated

import typer

from streamlink_sql.cli.options import AsJSON, Config, Data, Glossary, Policy, Role, Store
from streamlink_sql.cli.terminal import for_terminal, json_line
from streamlink_sql.errors import NotFound
from streamlink_sql.types import Table

SHOWN_COLUMNS = 30
"""Columns of a table that a list of tables names; `tables NAME` names all."""


def tables(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Show the columns of this table only.")] = None,
    data: Data = None,
    policy: Policy = None,
    role: Role = None,
    glossary: Glossary = None,
    config: Config = None,
    as_json: AsJSON = False,
) -> None:
    """Show the tables that can be asked, or the columns of one."""
    ctx.obj.as_json = as_json
    from streamlink_sql.assemble import open_catalog, open_engine
    from streamlink_sql.settings import load_settings

    settings = load_settings(config, data=data, policy=policy, role=role, glossary=glossary)
    with closing(open_engine(settings)) as engine:
        found = open_catalog(settings, engine).tables()
        notes = engine.warnings
    if name is not None:
        found = (_one(found, name),)
    if as_json:
        print(json_line([table.body() for table in found]))
    elif name is not None:
        _print(["column", "type", "means"], [[c.name, c.native or c.kind, c.comment] for c in found[0].columns])
    else:
        if not found:
            print("There are no tables in this data.", file=sys.stderr)
        rows = [[t.name, "" if t.rows is None else f"{t.rows:,}", _some(t), t.comment] for t in found]
        _print(["table", "rows", "columns", "means"], rows)
    for note in () if as_json else notes:
        print(f"Note: {for_terminal(note)}", file=sys.stderr)


def history(
    ctx: typer.Context,
    id: Annotated[str | None, typer.Argument(help="Show all of this question: its SQL, every draft, its timings.")] = None,  # noqa: A002
    limit: Annotated[int, typer.Option("--limit", help="How many to show.")] = 20,
    before: Annotated[str | None, typer.Option("--before", help="Only what is older than the question of this id.")] = None,
    config: Config = None,
    store: Store = None,
    as_json: AsJSON = False,
) -> None:
    """Show what was asked, newest first, or one question in full. The rows of answers are not kept."""
    ctx.obj.as_json = as_json
    from streamlink_sql.assemble import open_store
    from streamlink_sql.settings import load_settings

    with closing(open_store(load_settings(config, store=store))) as opened:
        if before is not None:
            opened.entry(before)
        entries = opened.history(limit=limit, before=before) if id is None else [opened.entry(id)]
    if as_json:
        print(json_line(entries if id is None else entries[0]))
    elif id is not None:
        for key, value in entries[0].items():
            print(f"{key}: {for_terminal(value if isinstance(value, str) else json_line(value))}")
    else:
        if not entries:
            print("Nothing older was asked." if before else "Nothing was asked yet.", file=sys.stderr)
        for entry in entries:
            print(f"{entry['asked_at'][:19]}  {entry['id']}  {entry['state']}")
            for text in (entry["question"], entry.get("sql") or entry.get("detail") or ""):
                print(f"  {for_terminal(text)}")


def _some(table: Table) -> str:
    """The names of the first columns, and how many more there are."""
    names = ", ".join(column.name for column in table.columns[:SHOWN_COLUMNS])
    more = len(table.columns) - SHOWN_COLUMNS
    return f"{names} ... and {more:,} more" if more > 0 else names


def _one(found: tuple[Table, ...], name: str) -> Table:
    for table in found:
        if table.name.casefold() == name.casefold():
            return table
    from rapidfuzz import process

    near = [match[0] for match in process.extract(name, [table.name for table in found], limit=3)]
    raise NotFound(f"There is no table {name}.", suggestions=near or None)


def _print(header: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(show_edge=False, pad_edge=False)
    for title in header:
        grid.add_column(title, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(for_terminal(cell)) for cell in row))
    Console(highlight=False).print(grid)
