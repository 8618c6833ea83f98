"""The command line: one module a command, loaded when it is called, so that `--help` is quick. Decides nothing that `control` decides."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise, takewhile
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from streamlink_sql.errors import StreamLinkError

COMMANDS = {
    "demo": ("streamlink_sql.cli.demo:demo", "Try it on made-up patents: sample questions, then the page."),
    "ask": ("streamlink_sql.cli.ask:ask", "Ask your data a question."),
    "serve": ("streamlink_sql.cli.serve:serve", "Serve a web page and a REST API for your data."),
    "ccu": ("streamlink_sql.cli.serve:ccu", "Serve the REST API alone: one control unit of several."),
    "web": ("streamlink_sql.cli.serve:web", "Serve the web page alone, for control units elsewhere."),
    "worker": ("streamlink_sql.cli.worker:worker", "Serve a model to control units on other machines."),
    "nginx": ("streamlink_sql.cli.nginx:nginx", "Print the configuration of the Nginx in front of a cluster."),
    "tables": ("streamlink_sql.cli.look:tables", "Show the tables that can be asked, or the columns of one."),
    "history": ("streamlink_sql.cli.look:history", "Show what was asked, newest first, or one question in full."),
    "ingest": ("streamlink_sql.cli.ingest:ingest", "Write files as tables of Parquet on HDFS, in a bucket or in a folder."),
    "adapt": ("streamlink_sql.cli.adapt:adapt", "Adapt the model to your data with questions that were accepted."),
    "models": ("streamlink_sql.cli.models:models", "List, promote and roll back the versions of an adapted model."),
    "users": ("streamlink_sql.cli.people:users", "Add, change, list and disable the people who may log in."),
    "keys": ("streamlink_sql.cli.people:keys", "Create, list and revoke keys for programs."),
    "audit": ("streamlink_sql.cli.records:audit", "Verify or export the audit."),
    "store": ("streamlink_sql.cli.records:store", "Update, prune or back up history and audit."),
    "policy": ("streamlink_sql.cli.policy:app", "Check a policy, or show what a role may see."),
    "load": ("streamlink_sql.cli.load:load", "Ask a running server from many askers at once, and time it."),
    "redteam": ("streamlink_sql.cli.redteam:redteam", "Attack a made database under your settings, and report."),
    "evaluate": ("streamlink_sql.evaluate.commands:app", "Measure a model on questions with known answers."),
}
"""Command -> where it lives, and its line in `--help`."""

FIRST_STEPS = """\b
Examples:
  streamlink-sql demo                              see it work on made-up data
  streamlink-sql tables --data ./sales             what is there to ask?
  streamlink-sql ask --data ./sales "total sales?" ask it
  streamlink-sql serve --data ./sales              the same as a web page

\b
  streamlink-sql COMMAND --help                    more about one command"""

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
    from streamlink_sql.cli.examples import epilog

    if isinstance(found, typer.Typer):
        group = typer.main.get_command(found)
        group.epilog = epilog(name)
        return group
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name, help=found.__doc__, epilog=epilog(name))(found)
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
    group.epilog = FIRST_STEPS
    for name, (_, help_) in COMMANDS.items():
        group.add_command(TyperCommand(name=name, help=help_, rich_markup_mode=None))
    return group


def main() -> None:
    """The entry point of the program."""
    _speak_utf8()
    front = Front(as_json=wants_json(sys.argv[1:]))
    try:
        status = build()(prog_name="streamlink-sql", obj=front, standalone_mode=False) or 0
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the edge of the process: whatever it is becomes one line with an id, and the trace goes to the log
        from streamlink_sql.cli.problems import unexpected
        from streamlink_sql.cli.usage import UsageError, help_asked_for, usage_problem

        if help_asked_for(error):
            print(error)
            sys.exit(2)
        front.as_json = front.as_json and not isinstance(error, OSError)  # stdout itself may be what fails
        status = _report(usage_problem(error) if isinstance(error, UsageError) else unexpected(error), front)
    if status == INTERRUPTED:
        print("Stopped.", file=sys.stderr)
    sys.exit(5 if status == INTERRUPTED else status)


def wants_json(arguments: list[str]) -> bool:
    """True where JSON is asked for, as far as can be told before the command has read its arguments."""
    asked = list(takewhile(lambda argument: argument != "--", arguments))
    return "--json" in asked or "--format=json" in asked or ("--format", "json") in pairwise(asked)


def _speak_utf8() -> None:
    """What is printed is UTF-8 whatever the locale says, as files are; what UTF-8 cannot hold is shown escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _report(error: StreamLinkError, front: Front) -> int:
    from streamlink_sql.cli.problems import report

    return report(error, as_json=front.as_json)
