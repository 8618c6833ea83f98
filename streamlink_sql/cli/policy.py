"""`streamlink-sql policy`: whether a policy fits the data, and what a role may see of it."""

from __future__ import annotations

import datetime
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamlink_sql.cli.options import AsJSON, Attributes, Config, Data, Policy, Role, Store, attributes_of
from streamlink_sql.cli.terminal import for_terminal, json_line
from streamlink_sql.errors import BadRequest

OUTCOMES = {
    "refused": "would have been refused",
    "changed": "would have been others",
    "same": "would have been the same",
    "unknown": "could not be judged",
}
"""What a trial may come to, in words."""

if TYPE_CHECKING:
    from streamlink_sql.scope import Scope
    from streamlink_sql.settings import Settings
    from streamlink_sql.types import Table

app = typer.Typer(help="Check a policy, or show what a role may see.", no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.command()
def check(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="The policy. Default: the setting `policy`.")] = None,
    data: Data = None,
    attribute: Attributes = None,
    config: Config = None,
    as_json: AsJSON = False,
) -> None:
    """Read a policy and try every role on the data: names that are not there and conditions that do not fit are told."""
    ctx.obj.as_json = as_json
    from streamlink_sql.assemble import looks_on

    settings = _settings(config, file, data, attribute)
    looks_on(settings)
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
    attribute: Attributes = None,
    config: Config = None,
    as_json: AsJSON = False,
) -> None:
    """Show what a role may see: tables, columns, masks and the conditions on rows, as they are for an asker with these attributes."""
    ctx.obj.as_json = as_json
    from streamlink_sql.assemble import looks_on

    settings = _settings(config, policy, data, attribute, role)
    looks_on(settings)
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
        if table.smallest_group > 1:
            print(f"  shown in groups of {table.smallest_group:,} rows or more only")
    if scope is not None and scope.isolate:
        print("Queries run on a copy that holds nothing else.", file=sys.stderr)


@app.command()
def report(
    ctx: typer.Context,
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=36_500, help="Only what was asked in so many last days. Default: all.")
    ] = None,
    config: Config = None,
    store: Store = None,
    as_json: AsJSON = False,
) -> None:
    """Tell what a policy in log mode would have done: for each role, how many answers it would have refused or changed, and why."""
    ctx.obj.as_json = as_json
    from streamlink_sql.assemble import open_store
    from streamlink_sql.settings import load_settings

    since = "" if days is None else (datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days)).isoformat()
    with closing(open_store(load_settings(config, store=store))) as opened:
        told = _summary(line for line in opened.audit_lines() if line["event"] == "tried" and line["at"] >= since)
    if as_json:
        print(json_line(told))
        return
    for role in told:
        counts = ", ".join(f"{role[outcome]:,} {said}" for outcome, said in OUTCOMES.items() if role[outcome])
        print(for_terminal(f"{role['role'] or '(no role)'}: {role['answers']:,} answers, {counts}"))
        for reason in role["reasons"]:
            print(for_terminal(f"  {reason['count']:>7,}  {reason['outcome']}  {reason['rule']}  {reason['message']}"))
    if not told:
        print("No policy in log mode has judged anything.", file=sys.stderr)


def _summary(lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each role the number of answers by outcome, and its reasons, the most frequent first."""
    outcomes, reasons = defaultdict[str, Counter[str]](Counter), defaultdict[str, Counter[tuple[str, ...]]](Counter)
    for line in lines:
        outcomes[line["role"]][line["code"]] += 1
        found = dict.fromkeys((line["code"], each["rule"], each["table"], each["message"]) for each in line["attempts"])
        reasons[line["role"]].update(found.keys())
    return [
        {"role": role, "answers": counts.total()}
        | {outcome: counts[outcome] for outcome in OUTCOMES}
        | {
            "reasons": [
                {"outcome": outcome, "rule": rule, "table": table, "message": message, "count": count}
                for (outcome, rule, table, message), count in reasons[role].most_common()
            ]
        }
        for role, counts in sorted(outcomes.items())
    ]


def _body(table: Table, scope: Scope | None) -> dict[str, object]:
    view = scope.view(table.name) if scope else None
    masks = dict(view.mask) if view else {}
    return {"table": table.name, "columns": [c.name for c in table.columns], "masks": masks, "rows": view.rows if view else ""} | {
        "smallest_group": table.smallest_group
    }


def _settings(
    config: Path | None, policy: Path | None, data: str | None, attributes: list[str] | None, role: str | None = None
) -> Settings:
    from streamlink_sql.settings import load_settings

    return load_settings(config, policy=policy, data=data, role=role, attributes=attributes_of(attributes) or None)


def _roles(settings: Settings) -> list[str]:
    from streamlink_sql.roles import read_policy

    if settings.policy is None:
        raise BadRequest("No policy is named. Give its file, or set `policy`.", setting="policy")
    return list(read_policy(settings.policy).roles)


def _scope_of(settings: Settings, role: str | None) -> Scope | None:
    """What a role sees once the policy is enforced."""
    from streamlink_sql.assemble import role_scope

    _roles(settings)
    return role_scope(settings.model_copy(update={"role": role}))


def _tables_of(settings: Settings, role: str | None) -> tuple[Table, ...]:
    from streamlink_sql.assemble import open_scoped

    with closing(open_scoped(settings, _scope_of(settings, role))) as engine:
        return engine.tables()
