"""`streamlink-sql models`: the versions of an adapted model, and which of them answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamlink_sql.cli.options import AsJSON, Config, Data, Model, Store
from streamlink_sql.cli.terminal import for_terminal, json_line

if TYPE_CHECKING:
    from streamlink_sql.store.versions import Versions

models = typer.Typer(
    help="List, add, promote and roll back the versions of an adapted model.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
ANYWAY = "Promote a version that the gate kept back, too; the audit says who did."


@models.command("list")
def list_versions(
    ctx: typer.Context, data: Data = None, model: Model = None, config: Config = None, store: Store = None, as_json: AsJSON = False
) -> None:
    """List the versions that were made for this data and model, newest first."""
    ctx.obj.as_json = as_json
    with _versions(config, store, data, model) as versions:
        body = versions.body()
    if as_json:
        print(json_line(body))
        return
    for version in body["versions"]:
        print(for_terminal("  ".join(cells(version, body["promoted"]))))
    if body["promoted"] is None:
        print("The model answers as it is.")
    if body["waiting"]:
        print(f"{body['waiting']:,} accepted questions are waiting: streamlink-sql adapt --data {for_terminal(body['source'])} --out DIR")


@models.command()
def add(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with an adapter, as `adapt` or training writes it.")],
    data: Data = None,
    model: Model = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Take an adapter that was made elsewhere over as a new version. What its card says of the gate counts."""
    from streamlink_sql.assemble import try_adapter
    from streamlink_sql.settings import load_settings
    from streamlink_sql.store.store import COMMAND_LINE
    from streamlink_sql.store.versions import card_of_version

    passed = card_of_version(folder).get("gate", {}).get("passed") is True
    try_adapter(load_settings(config, store=store, data=data, model=model), folder)
    with _versions(config, store, data, model) as versions:
        added = versions.add(folder, passed=passed, by=COMMAND_LINE)
    print(f"This is version {added.number}." + ("" if passed else " No gate has let it pass: it can be promoted with --anyway only."))


@models.command()
def promote(
    version: Annotated[int, typer.Argument(help="The version's number.")],
    anyway: Annotated[bool, typer.Option("--anyway", help=ANYWAY)] = False,
    data: Data = None,
    model: Model = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Let a version answer: servers that run take it up within seconds, without a restart."""
    from streamlink_sql.store.store import COMMAND_LINE

    with _versions(config, store, data, model) as versions:
        versions.promote(version, by=COMMAND_LINE, anyway=anyway)
    print(f"Version {version} answers from now on. Back again: streamlink-sql models rollback")


@models.command()
def rollback(data: Data = None, model: Model = None, config: Config = None, store: Store = None) -> None:
    """Take the last promotion back: the version before it answers again, or the model as it is."""
    from streamlink_sql.store.store import COMMAND_LINE

    with _versions(config, store, data, model) as versions:
        before = versions.roll_back(by=COMMAND_LINE)
    print(f"{f'Version {before.number}' if before else 'The model as it is'} answers from now on.")


def cells(version: dict[str, Any], promoted: int | None) -> list[str]:
    """A version as the cells of a line: its number, when and by whom it was made, what it scored, whether it answers."""
    state = "promoted" if version["version"] == promoted else "" if version["passed"] else "kept back by the gate"
    made = f"{version['made_at'][:16].replace('T', ' ')} UTC"
    return [cell for cell in (f"{version['version']:>3}", made, version["made_by"], scores(version["card"]), state) if cell]


def scores(card: dict[str, Any]) -> str:
    """Execution accuracy on held-out questions before and after, where the card has it."""
    told = card.get("scores", {})
    try:
        return f"{told['before']['ex']:.1%} -> {told['after']['ex']:.1%} of {told['after']['count']:,}"
    except (KeyError, TypeError, ValueError):
        return "not measured"


@contextmanager
def _versions(config: Path | None, store: str | None, data: str | None, model: str | None) -> Iterator[Versions]:
    from streamlink_sql.assemble import open_store, open_versions
    from streamlink_sql.settings import load_settings

    settings = load_settings(config, store=store, data=data, model=model)
    with closing(open_store(settings)) as opened:
        yield open_versions(settings, opened)
