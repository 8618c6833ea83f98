"""`streamlink-sql ask`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from streamlink_sql.cli.options import Adapter, Config, Data, Glossary, Model, Store
from streamlink_sql.cli.output import Format, check_output, choose_format, for_terminal, write_answer
from streamlink_sql.types import Answer, Question, Stage, Watcher

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
    sql: Annotated[bool, typer.Option("--sql", help="Show the SQL, too.")] = False,
    row_limit: Annotated[int | None, typer.Option("--row-limit", help="Rows that the answer holds at most.")] = None,
    time_limit: Annotated[float | None, typer.Option("--time-limit", help="Seconds that the query may run.")] = None,
    confirm: Annotated[bool, typer.Option("--confirm", help="Run the query even if it is costly.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show every draft, and the milliseconds of every stage.")] = False,
    adapter: Adapter = None,
    glossary: Glossary = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Ask your data a question."""
    ctx.obj.as_json = form is Format.json
    check_output(output)
    chosen = choose_format(form, output)
    ctx.obj.as_json = chosen is Format.json
    text = sys.stdin.buffer.read(1_000_000).decode("utf-8", "replace") if question == "-" else question

    from streamlink_sql.assemble import control_unit
    from streamlink_sql.settings import load_settings

    settings = load_settings(config, data=data, model=model, adapter=adapter, glossary=glossary, store=store)
    asked = Question(text, row_limit=row_limit, time_limit_s=time_limit, confirm=confirm)
    with progress() as watch, closing(control_unit(settings)) as control:
        answer = control.answer(asked, watch)
    write_answer(answer, chosen, output, sql=sql)
    if chosen is not Format.json or output is not None:
        tell(answer, sql=sql and (chosen is not Format.table or output is not None), verbose=verbose)


@contextmanager
def progress() -> Iterator[Watcher | None]:
    """A line on stderr that says what is going on; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status("opening the data ...") as status:

        def watch(stage: Stage) -> None:
            if stage.state == "start":
                status.update(f"{STAGES.get(stage.name, stage.name)} ...")

        yield watch


def tell(answer: Answer, *, sql: bool = False, verbose: bool = False) -> None:
    """What else there is to say of an answer, on stderr."""

    def say(text: str) -> None:
        print(for_terminal(text, lines=True), file=sys.stderr)

    if sql:
        say(answer.sql)
    say(answer.explanation)
    cut = ", cut by the row limit" if answer.truncated else ""
    rows = "1 row" if answer.row_count == 1 else f"{answer.row_count:,} rows"
    say(f"{rows}{cut} in {answer.timings_ms['total']:.0f} ms, confidence {answer.confidence:.2f}, by {answer.model} on {answer.engine}")
    for warning in answer.warnings:
        say(f"Note: {warning}")
    if verbose:
        for attempt in answer.attempts:
            say(f"  {attempt.verdict}: {attempt.sql}" + (f"  ({attempt.message})" if attempt.message else ""))
        say("  " + ", ".join(f"{name} {ms:.1f} ms" for name, ms in answer.timings_ms.items()))
        say(f"  id {answer.id}")
