"""`streamlink-sql audit` and `streamlink-sql store`: what was recorded, whether it is whole, and how long it is kept."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamlink_sql.cli.options import AsJSON, Config, Store
from streamlink_sql.cli.output import whole_file
from streamlink_sql.cli.terminal import for_terminal, json_line
from streamlink_sql.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from streamlink_sql.store.store import Store as Opened

audit = typer.Typer(help="Verify or export the audit.", no_args_is_help=True, add_completion=False, rich_markup_mode=None)
store = typer.Typer(help="Update, prune or back up history and audit.", no_args_is_help=True, add_completion=False, rich_markup_mode=None)
SHOWN = 20
"""So many problems are shown; --json lists all."""


@audit.command()
def verify(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Option("--file", help="Verify what was exported to this file instead of the store.")] = None,
    config: Config = None,
    store: Store = None,
    as_json: AsJSON = False,
) -> None:
    """Tell whether every line of the audit is as it was written, and none is missing. Exits with 1 where one is not."""
    ctx.obj.as_json = as_json
    from streamlink_sql.store.chain import broken

    with _opened(config, store) as opened:
        lines = opened.audit_lines() if file is None else _read(file)
        try:
            problems = broken(lines, opened.seal, copied=file is not None)
        except (KeyError, TypeError, AttributeError) as error:
            raise BadRequest(f"{file} holds lines that are none of an audit ({type(error).__name__}: {error}).") from error
    chained = sum(1 for line in lines if line.get("mac"))
    if as_json:
        print(json_line({"lines": len(lines), "in_chains": chained, "problems": problems}))
    else:
        for problem in problems[:SHOWN]:
            print(for_terminal(problem))
        if len(problems) > SHOWN:
            print(f"... and {len(problems) - SHOWN:,} more (--json lists all)")
        old = f"; {len(lines) - chained:,} lines are older than the chains" if chained < len(lines) else ""
        print(f"{len(lines):,} lines: " + ("the audit is whole" if not problems else "THE AUDIT IS NOT WHOLE") + old + ".")
    if problems:
        raise typer.Exit(1)


@audit.command()
def export(
    output: Annotated[Path | None, typer.Option("--output", help="Write to this file, whole or not at all. Default: stdout.")] = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Write all lines of the audit as JSON lines, with their hashes, so that they can be verified elsewhere with the same key."""
    with _opened(config, store) as opened:
        lines = opened.audit_lines()
    text = "".join(json_line(line) + "\n" for line in lines)
    if output is None:
        sys.stdout.write(text)
        return
    with whole_file(output) as file:
        file.write(text.encode())
    print(f"{len(lines):,} lines are in {output}.", file=sys.stderr)


@store.command()
def migrate(config: Config = None, store: Store = None) -> None:
    """Bring the store to the version of this program. Every command does that when it opens one; this does nothing else."""
    with _opened(config, store):
        print("The store has the version of this program.")


@store.command()
def prune(
    keep_days: Annotated[int, typer.Option("--keep-days", min=1, max=36_500, help="Forget questions and audit lines that are older.")],
    config: Config = None,
    store: Store = None,
) -> None:
    """Remove old questions, verdicts and audit lines. The audit stays verifiable: a line says what was removed."""
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=keep_days)
    with _opened(config, store) as opened:
        questions, lines = opened.prune(before.isoformat(timespec="milliseconds"))
    print(f"Removed {questions:,} questions and {lines:,} audit lines from before {before:%Y-%m-%d}.")


@store.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to make; it must not exist yet.")],
    config: Config = None,
    store: Store = None,
) -> None:
    """Copy a SQLite store to a file while it is in use. The audit's key is not in it: keep `audit_dir`, too."""
    with _opened(config, store) as opened:
        opened.backup(file)
    print(f"The store is copied to {file}.")


@contextmanager
def _opened(config: Path | None, store: str | None) -> Iterator[Opened]:
    from streamlink_sql.assemble import open_store
    from streamlink_sql.settings import load_settings

    with closing(open_store(load_settings(config, store=store))) as opened:
        yield opened


def _read(file: Path) -> list[dict[str, Any]]:
    """The lines of an exported audit; raises NotFound and BadRequest."""
    if not file.is_file():
        raise NotFound(f"There is no file {file}.")
    lines = []
    for number, text in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        try:
            line = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadRequest(f"{file}, line {number} is not JSON.") from error
        if not isinstance(line, dict) or not {"event", "at"} <= set(line) or (line.get("mac") and not isinstance(line.get("number"), int)):
            raise BadRequest(f"{file}, line {number} is no line of an audit.")
        lines.append(line)
    return lines
