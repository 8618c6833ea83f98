"""`streamlink-sql ask`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streamlink_sql.cli.options import Adapter, Config, Data, Glossary, Model, Policy, Role, Store
from streamlink_sql.cli.output import Format, check_output, choose_format, write_answer
from streamlink_sql.cli.terminal import for_terminal
from streamlink_sql.errors import BadRequest
from streamlink_sql.types import Answer, Question, Stage, Watcher

if TYPE_CHECKING:
    from streamlink_sql.settings import Settings

FAIR = 0.5
"""Below this confidence an answer is worth a doubt."""
STAGES = {
    "catalog": "reading the tables",
    "model": "writing SQL",
    "checks": "checking it",
    "dry_run": "asking for the plan",
    "queue": "waiting for a place",
    "engine": "running it",
}


def ask(
    ctx: typer.Context,
    question: Annotated[str, typer.Argument(help="The question in plain words; - reads it from stdin.")],
    data: Data = None,
    model: Model = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="How to show the answer. Default: table, or what --output ends with.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", help="Write the answer to this file, whole or not at all.")] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Put the SQL above the table, in the answer itself.")] = False,
    row_limit: Annotated[int | None, typer.Option("--row-limit", help="Rows that the answer holds at most. Default: 1,000.")] = None,
    time_limit: Annotated[
        float | None, typer.Option("--time-limit", help="Seconds that the query may take to plan and run. Default: 30.")
    ] = None,
    confirm: Annotated[bool, typer.Option("--confirm", help="Run the query even if it would read very much.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show the rows and nothing about them.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show every draft, and the milliseconds of every stage.")] = False,
    policy: Policy = None,
    role: Role = None,
    adapter: Adapter = None,
    glossary: Glossary = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Ask your data a question: it is turned into SQL, checked, run read-only, and shown with the SQL and what it does."""
    ctx.obj.as_json = form is Format.json
    check_output(output)
    chosen = choose_format(form, output)
    ctx.obj.as_json = chosen is Format.json
    text = sys.stdin.buffer.read(1_000_000).decode("utf-8", "replace") if question == "-" else question

    from streamlink_sql.assemble import control_unit
    from streamlink_sql.settings import load_settings

    settings = load_settings(config, data=data, model=model, policy=policy, role=role, adapter=adapter, glossary=glossary, store=store)
    asked = Question(text, row_limit=row_limit, time_limit_s=time_limit, confirm=confirm)
    check_question(asked, settings)
    with progress() as watch, closing(control_unit(settings)) as control:
        answer = control.answer(asked, watch)
    write_answer(answer, chosen, output, sql=sql)
    if not quiet and (chosen is not Format.json or output is not None):
        tell(answer, sql=not (sql and chosen is Format.table and output is None), verbose=verbose)


def check_question(question: Question, settings: Settings) -> None:
    """Raises what can be known to be wrong before any data is opened."""
    from streamlink_sql.assemble import limits
    from streamlink_sql.questions import readable

    allowed = limits(settings)
    readable(question.text, english_only=allowed.english_only)
    rows, seconds = question.row_limit, question.time_limit_s
    if rows is not None and not 1 <= rows <= allowed.row_limit_max:
        raise BadRequest(f"--row-limit cannot be {rows}: it takes a whole number from 1 to {allowed.row_limit_max:,}.", rule="row_limit")
    if seconds is not None and not 0 < seconds <= allowed.time_limit_max_s:
        most = f"{allowed.time_limit_max_s:g}"
        raise BadRequest(f"--time-limit cannot be {seconds:.12g}: it takes seconds above 0, at most {most}.", rule="time_limit")


@contextmanager
def progress() -> Iterator[Watcher | None]:
    """A line on stderr that says what is going on; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status("opening the data ...") as status:

        def watch(stage: Stage) -> None:
            if stage.progress is not None:
                status.update(f"{STAGES.get(stage.name, stage.name)} ... {stage.progress}")
            elif stage.state == "start":
                status.update(f"{STAGES.get(stage.name, stage.name)} ...")

        yield watch


def tell(answer: Answer, *, sql: bool = True, verbose: bool = False) -> None:
    """What else there is to say of an answer, on stderr: its SQL, the words for it, how sure the model is. Lines break between words."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())

    def say(text: str, style: str = "") -> None:
        console.print(Text(for_terminal(text, lines=True), style=style))

    console.print()
    if sql:
        say(answer.sql, "dim")
    say(answer.explanation)
    say(summary(answer), "" if answer.confidence >= FAIR else "yellow")
    for warning in answer.warnings:
        say(f"Note: {warning}", "yellow")
    if verbose:
        for attempt in answer.attempts:
            say(f"  {attempt.verdict}: {attempt.sql}" + (f"  ({attempt.message})" if attempt.message else ""), "dim")
        say("  " + ", ".join(f"{name} {ms:.1f} ms" for name, ms in answer.timings_ms.items()), "dim")
        say(f"  id {answer.id}", "dim")


def summary(answer: Answer) -> str:
    """How many rows, how fast, how sure, by whom: one line."""
    cut = ", cut by the row limit" if answer.truncated else ""
    rows = "1 row" if answer.row_count == 1 else f"{answer.row_count:,} rows"
    doubt = "" if answer.confidence >= FAIR else " (read the SQL before you trust it)"
    sure = f"confidence {answer.confidence:.0%}{doubt}"
    return f"{rows}{cut} in {answer.timings_ms['total']:,.0f} ms, {sure}, by {answer.model} on {answer.engine}"
