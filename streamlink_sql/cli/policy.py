"""`streamlink-sql policy`: whether a policy fits the data, and what a role may see of it."""

from __future__ import annotations

import re
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streamlink_sql.cli.options import AsJSON, Config, Data, Policy, Role
from streamlink_sql.cli.terminal import for_terminal, json_line
from streamlink_sql.errors import BadRequest

if TYPE_CHECKING:
    from streamlink_sql.scope import Scope
    from streamlink_sql.settings import Settings
    from streamlink_sql.types import Table

app = typer.Typer(help="Check a policy, or show what a role may see.", no_args_is_help=True, add_completion=False, rich_markup_mode=None)
Asker = Annotated[
    list[str] | None, typer.Option("--attribute", help="What the conditions need to know of the asker, as NAME=VALUE; may be repeated.")
]


@app.command()
def check(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="The policy. Default: the setting `policy`.")] = None,
    data: Data = None,
    attribute: Asker = None,
    config: Config = None,
    as_json: AsJSON = False,
) -> None:
    """Read a policy and try every role on the data: names that are not there and conditions that do not fit are told."""
    ctx.obj.as_json = as_json
    settings = _settings(config, file, data, attribute)
    shown = {name: _tables_of(settings, name) for name in _roles(settings)}
    if as_json:
        print(json_line({name: [table.name for table in tables] for name, tables in shown.items()}))
        return
    for name, tables in shown.items():
        print(f"{name}: {for_terminal(', '.join(table.name for table in tables))}")


@app.command()
def show(
    ctx: typer.Context,
    role: Role = None,
    policy: Policy = None,
    data: Data = None,
    attribute: Asker = None,
    config: Config = None,
    as_json: AsJSON = False,
) -> None:
    """Show what a role may see: tables, columns, masks and the conditions on rows, as they are for an asker with these attributes."""
    ctx.obj.as_json = as_json
    settings = _settings(config, policy, data, attribute, role)
    scope, tables = _scope_of(settings, settings.role), _tables_of(settings, settings.role)
    if as_json:
        print(json_line([_body(table, scope) for table in tables]))
        return
    for table in tables:
        print(for_terminal(f"{table.name}: {', '.join(column.name for column in table.columns)}"))
        view = scope.view(table.name) if scope else None
        for column, mask in view.mask if view else ():
            print(for_terminal(f"  {column} is masked: {mask}"))
        if view and view.rows:
            print(for_terminal(f"  rows: {view.rows}"))
    if scope is not None and scope.isolate:
        print("Queries run on a copy that holds nothing else.", file=sys.stderr)


def _body(table: Table, scope: Scope | None) -> dict[str, object]:
    view = scope.view(table.name) if scope else None
    masks = dict(view.mask) if view else {}
    return {"table": table.name, "columns": [c.name for c in table.columns], "masks": masks, "rows": view.rows if view else ""}


def _settings(
    config: Path | None, policy: Path | None, data: str | None, attributes: list[str] | None, role: str | None = None
) -> Settings:
    from streamlink_sql.settings import load_settings

    return load_settings(config, policy=policy, data=data, role=role, attributes=attributes_of(attributes) or None)


def attributes_of(pairs: list[str] | None) -> dict[str, str | int | tuple[str | int, ...]]:
    """What stands in options of the form NAME=VALUE, or NAME:int=VALUE; a name that comes again has several values."""
    told: dict[str, str | int | tuple[str | int, ...]] = {}
    for pair in pairs or ():
        name, mark, text = pair.partition("=")
        name, number, _ = name.partition(":int")
        if not name or not mark or not text.isprintable() or (number and not re.fullmatch(r"-?\d{1,18}", text)):
            raise BadRequest(f"--attribute cannot be {pair!r}: it takes NAME=VALUE, such as country=DE, or NAME:int=VALUE for a number.")
        value, known = int(text) if number else text, told.get(name)
        told[name] = value if known is None else (*(known if isinstance(known, tuple) else (known,)), value)
    return told


def _roles(settings: Settings) -> list[str]:
    from streamlink_sql.roles import read_policy

    if settings.policy is None:
        raise BadRequest("No policy is named. Give its file, or set `policy`.", setting="policy")
    return list(read_policy(settings.policy).roles)


def _scope_of(settings: Settings, role: str | None) -> Scope | None:
    from streamlink_sql.assemble import scope_of

    _roles(settings)
    return scope_of(settings.model_copy(update={"role": role}))


def _tables_of(settings: Settings, role: str | None) -> tuple[Table, ...]:
    from streamlink_sql.assemble import open_engine

    with closing(open_engine(settings.model_copy(update={"role": role}))) as engine:
        return engine.tables()
