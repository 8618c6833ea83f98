"""The command line: one module a command, loaded when it is called, so that `--help` is quick. Decides nothing that `control` decides."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from streamlink_sql.errors import StreamLinkError

COMMANDS = {
    "demo": ("streamlink_sql.cli.demo:demo", "Make a database of patents, answer sample questions about it, then serve the web page."),
    "ask": ("streamlink_sql.cli.ask:ask", "Ask your data a question."),
    "serve": ("streamlink_sql.cli.serve:serve", "Serve the web page and the REST API for your data."),
    "tables": ("streamlink_sql.cli.look:tables", "Show the tables that can be asked, or the columns of one."),
    "history": ("streamlink_sql.cli.look:history", "Show what was asked, newest first, or one question in full."),
    "evaluate": ("streamlink_sql.evaluate.commands:app", "Measure a model on questions with known answers."),
}
"""Command -> where it lives, and its line in `--help`."""

INTERRUPTED = 130
"""What the library exits with when Ctrl-C comes while it reads the arguments."""


@dataclass(slots=True)
class Front:
    """What a failing command needs to know to say so in the form that was asked for."""

    as_json: bool = False
    verbose: bool = False


class LazyGroup(TyperGroup):
    """Lists commands without loading them; loads the one that is called, and gives every failure one form."""

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> tuple[Any, Any, list[str]]:  # type: ignore[override]
        """The command that is called, loaded now."""
        name, stub, rest = super().resolve_command(ctx, args)
        return name, load_command(str(name)) if stub else stub, rest

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Runs the command; a failure becomes a sentence on stderr and an exit status."""
        ctx.obj = ctx.obj or Front()
        try:
            return super().invoke(ctx)
        except StreamLinkError as error:
            raise typer.Exit(_report(error, ctx.obj)) from error
        except KeyboardInterrupt:
            print("Stopped.", file=sys.stderr)
            raise typer.Exit(5) from None


def load_command(name: str) -> Any:
    """A command, or a group of them, ready to be called."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        return typer.main.get_command(found)
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name, help=found.__doc__)(found)
    return typer.main.get_command(app)


app = typer.Typer(cls=LazyGroup, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


def show_version(wanted: bool) -> None:
    """Prints the version and ends, where that is wanted."""
    if wanted:
        from streamlink_sql import __version__

        print(f"streamlink-sql {__version__}")
        raise typer.Exit


@app.callback()
def streamlink(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=show_version)] = False,
) -> None:
    """Ask a database of any size a question in plain language and get a safe, exact, fast answer, on your own machines."""


def build() -> LazyGroup:
    """The command line as a whole."""
    group = typer.main.get_command(app)
    assert isinstance(group, LazyGroup)
    for name, (_, help_) in COMMANDS.items():
        group.add_command(TyperCommand(name=name, help=help_, rich_markup_mode=None))
    return group


def main() -> None:
    """The entry point of the program."""
    _speak_utf8()
    try:
        build()(prog_name="streamlink-sql")
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(5)
    except SystemExit as ended:
        if ended.code != INTERRUPTED:
            raise
        print("Stopped.", file=sys.stderr)
        sys.exit(5)
    except Exception as error:  # noqa: BLE001 - the edge of the process: whatever it is becomes one line with an id, and the trace goes to the log
        from streamlink_sql.cli.problems import internal

        sys.exit(_report(internal(error), Front(as_json="json" in sys.argv)))


def _speak_utf8() -> None:
    """What is printed is UTF-8 whatever the locale says, as files are; what UTF-8 cannot hold is shown escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _report(error: StreamLinkError, front: Front) -> int:
    from streamlink_sql.cli.problems import report

    return report(error, as_json=front.as_json)
