"""The commands `streamlink-sql evaluate ...`: figures as a table for people, as one object for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from streamlink_sql.types import Dialect

app = typer.Typer(
    help="Measure a model on questions with known answers, or the checks and the injection detector on labelled texts.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Model = Annotated[str, typer.Option("--model", help="Who answers: parser, a model server's address, replay:FILE.jsonl, ...")]
Predictions = Annotated[
    Path | None, typer.Option("--predictions", help="Recorded answers to score, without a model: JSON lines with `id` and `sql`.")
]
Adapter = Annotated[Path | None, typer.Option("--adapter", help="A folder with an adapter for a local model.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Score the first so many questions only.")]
Errors = Annotated[Path | None, typer.Option("--errors", help="Write each question whose rows were wrong to this file, as JSON lines.")]
Weights = Annotated[Path | None, typer.Option("--weights", help="Other weights for the detector than the package's own.")]
SHOWN = 30
BESIDE = {"detector": "detector", "judge": "judge, both stages", "syntax": "judge: no valid SQL", "injection": "judge: an injection"}
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@app.command()
def spider(
    data: Annotated[Path, typer.Option("--data", help="Spider's folder: dev.jsonl, tables.json and databases/.")],
    model: Model = "parser",
    predictions: Predictions = None,
    adapter: Adapter = None,
    limit: Limit = None,
    errors: Errors = None,
    as_json: AsJson = False,
) -> None:
    """Score a model on Spider's development set (official rules)."""
    from streamlink_sql.evaluate.spider import evaluate_spider

    with _progress() as progress:
        result = evaluate_spider(data, model, predictions=predictions, adapter=adapter, limit=limit, errors=errors, progress=progress)
    show(result, str(predictions or model), as_json=as_json)


@app.command()
def questions(
    file: Annotated[Path, typer.Argument(help="JSON lines with `question`, `query` and, optionally, `id` and `db_id`.")],
    data: Annotated[str | None, typer.Option("--data", help="The data that all the questions are about.")] = None,
    tables: Annotated[Path | None, typer.Option("--tables", help="Spider's tables.json, for sets over many databases.")] = None,
    databases: Annotated[Path | None, typer.Option("--databases", help="A folder of DB.sqlite or DB/DB.sqlite files.")] = None,
    model: Model = "parser",
    predictions: Predictions = None,
    adapter: Adapter = None,
    limit: Limit = None,
    errors: Errors = None,
    keep_distinct: Annotated[
        bool | None,
        typer.Option(help="Whether DISTINCT counts when rows are compared. By default it does with --data, and not with --databases."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score a model on your own questions with known SQL."""
    from streamlink_sql.evaluate.questions import evaluate_questions
    from streamlink_sql.evaluate.sets import Answering, Source

    with _progress() as progress:
        result = evaluate_questions(
            file,
            Source(data, tables, databases),
            Answering(model, adapter, predictions),
            limit=limit,
            keep_distinct=keep_distinct,
            errors=errors,
            progress=progress,
        )
    show(result, str(predictions or model), as_json=as_json)


@app.command()
def detector(
    file: Annotated[Path, typer.Argument(help="CSV with the columns id, text and label (1 = attack).")],
    weights: Weights = None,
    as_json: AsJson = False,
) -> None:
    """Score the injection detector on labelled texts."""
    from streamlink_sql.evaluate.security import evaluate_detector

    with _progress("texts") as progress:
        result = evaluate_detector(file, weights=weights, progress=progress)
    _show_shares(result, str(file), {"a second": f"{result['statements_per_second']:,.0f}"}, as_json=as_json)


@app.command()
def judge(
    file: Annotated[Path, typer.Argument(help="CSV with the columns id, text and label (1 = attack).")],
    model: Annotated[str, typer.Option("--model", help="The chat model that judges: http(s)://HOST:PORT/v1#MODEL.")],
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Judge so many rows only, drawn by lot.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another number draws other rows.")] = 1,
    record: Annotated[
        Path | None, typer.Option("--record", help="Add each answer to this file of JSON lines; rows that it holds are not asked again.")
    ] = None,
    weights: Weights = None,
    as_json: AsJson = False,
) -> None:
    """Score a chat model as a judge of labelled texts, and the injection detector on the same ones."""
    from streamlink_sql.assemble import open_judge
    from streamlink_sql.evaluate.security import evaluate_judge
    from streamlink_sql.settings import load_settings

    chat = open_judge(load_settings(judge=model))
    assert chat
    try:
        with _progress("texts") as progress:
            result = evaluate_judge(file, chat.choose, chat.name, limit=limit, seed=seed, weights=weights, record=record, progress=progress)
    finally:
        chat.close()
    _show_beside(result, str(file), as_json=as_json)


@app.command()
def gate(
    file: Annotated[
        Path, typer.Argument(help="CSV with id, text, label (1 = attack), or SQL with `-- allow` and `-- refuse: CODE` lines.")
    ],
    engine: Annotated[Dialect, typer.Option("--engine", help="Whose SQL it is; spark starts no Spark.")],
    fixture: Annotated[Path, typer.Option("--fixture", help="DuckDB SQL that makes the tables; it runs in memory.")],
    schema: Annotated[str, typer.Option("--schema", help="The one schema whose tables may be read.")] = "main",
    as_json: AsJson = False,
) -> None:
    """Score the checks on attacks and legitimate queries, none of which is run."""
    from streamlink_sql.evaluate.gate import evaluate_gate

    with _progress("texts") as progress:
        result = evaluate_gate(file, engine, fixture, schema=schema, progress=progress)
    times = {f"ms, {share}": f"{result[name]:.2f}" for share, name in (("median", "ms_p50"), ("99th percentile", "ms_p99"))}
    _show_shares(result, str(file), times, as_json=as_json)


def _show_beside(result: dict[str, Any], title: str, *, as_json: bool) -> None:
    """Prints the shares of the detector, the judge and its stages, a line each."""
    if as_json:
        typer.echo(json.dumps(result))
        return
    table = Table("", "texts", "recall", "misintercept", "a second", title=escape(title))
    for name, shown in BESIDE.items():
        figures = result[name]
        table.add_row(shown, f"{figures['count']:,}", *_shares(figures), f"{figures['statements_per_second']:,}")
    Console().print(table)


def _shares(figures: dict[str, Any]) -> tuple[str, str]:
    """Recall and misintercept in per cent; a dash where there is nothing to count."""
    recall, misintercept = ("-" if figures[name] is None else f"{figures[name]:.2%}" for name in ("recall", "misintercept"))
    return recall, misintercept


def _show_shares(result: dict[str, Any], title: str, speed: dict[str, str], *, as_json: bool) -> None:
    """Prints how many attacks were caught and how much harmless was taken for one, and what was judged wrong."""
    if as_json:
        typer.echo(json.dumps(result))
        return
    table = Table("texts", "recall", "misintercept", *speed, title=escape(title))
    table.add_row(f"{result['count']:,}", *_shares(result), *speed.values())
    console, wrong = Console(), result["wrong"]
    console.print(table)
    if wrong:
        console.print(
            f"Wrong: {', '.join(wrong[:SHOWN])}" + (f" and {len(wrong) - SHOWN:,} more (--json lists all)" if len(wrong) > SHOWN else ""),
            markup=False,
        )


def show(result: dict[str, Any], title: str, *, as_json: bool) -> None:
    """Prints figures: one JSON object, or a table with per cents and 95 % intervals."""
    if as_json:
        typer.echo(json.dumps(result))
        return
    table = Table("", "questions", "exact match", "execution", title=title)
    for level, part in result["by_hardness"].items():
        if part["count"]:
            table.add_row(level, f"{part['count']:,}", f"{part['em']:.1%}", f"{part['ex']:.1%}")
    table.add_section()
    em, ex = (f"{result[name]:.1%} ({low:.1%} to {high:.1%})" for name in ("em", "ex") for low, high in [result[f"{name}_interval"]])
    table.add_row("all", f"{result['count']:,}", em, ex)
    console = Console()
    console.print(table)
    if result["ms_median"] is not None:
        console.print(f"{result['ms_median']:.0f} ms a question (median), {result['ms_p95']:.0f} ms at the 95th percentile")
    if result["problems"]:
        console.print("Without rows: " + ", ".join(f"{count} {code}" for code, count in result["problems"].items()))
    for each in result["gold_problems"]:
        console.print(f"Question {each['id']} counts as wrong, whatever was answered. {each['detail']}", markup=False)


@contextmanager
def _progress(what: str = "questions") -> Iterator[Callable[[int, int], None]]:
    """A bar on the error stream, where it does not mix with results."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, count: bar.update(task, completed=done, total=count)
