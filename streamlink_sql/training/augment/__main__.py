"""Runs `python -m streamlink_sql.training.augment`: pairs about any data, in a file of JSON lines, with a report beside it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as Grid

from streamlink_sql.errors import BadRequest, StreamLinkError
from streamlink_sql.generators import open_generator
from streamlink_sql.generators.chat import ChatGenerator
from streamlink_sql.training.augment import Augmented, Plan, augment
from streamlink_sql.training.augment.augmenting import DIRECTIONS
from streamlink_sql.training.augment.rephrasing import Say
from streamlink_sql.training.domain import open_domain
from streamlink_sql.training.pairs import read_pairs, write_pairs

STOPPED = 130
"""The exit status after Ctrl-C."""


def command(
    data: Annotated[str, typer.Option(help="The data: a folder, a file or a database, as elsewhere.")],
    out: Annotated[Path, typer.Option(help="The file of pairs to write, JSON lines; the report goes beside it, as OUT.report.json.")],
    questions: Annotated[Path | None, typer.Option(help="Accepted pairs: JSON lines with `question` and `query`.")] = None,
    count: Annotated[int, typer.Option(help="How many pairs to make, the accepted ones among them.", min=1)] = 2000,
    seed: Annotated[int, typer.Option(help="The same data, questions and seed give the same pairs.")] = 7,
    direction: Annotated[list[str] | None, typer.Option(help="forward or backward; both where none is named.")] = None,
    glossary: Annotated[Path | None, typer.Option(help="Words for tables, columns and values; else the one beside the data.")] = None,
    read_back: Annotated[str, typer.Option(help="A model that reads questions back, such as `parser`; slow.")] = "",
    rephrase: Annotated[str, typer.Option(help="A chat model that says a tenth of the questions in other words; needs --read-back.")] = "",
    at_once: Annotated[int, typer.Option(help="Queries that run at the same time.", min=1)] = 2,
) -> None:
    """Makes pairs of question and SQL about your data, executed on it; a run that was stopped goes on where it was."""
    console, partial = Console(stderr=True), out.with_name(out.name + ".partial")
    try:
        with ExitStack() as opened:
            progress = opened.enter_context(Progress(console=console))
            domain = opened.enter_context(open_domain(data, glossary, at_once=at_once))
            reader = open_generator(read_back) if read_back else None
            if reader is not None:
                opened.callback(reader.close)
            out.parent.mkdir(parents=True, exist_ok=True)
            task = progress.add_task("pairs", total=count)
            plan = Plan(count, seed, _directions(direction), reader, _chat(rephrase, opened), resume=partial, at_once=at_once)
            accepted = read_pairs(questions) if questions else []
            made = augment(domain, accepted, plan, lambda done: progress.update(task, completed=done))
    except StreamLinkError as error:
        console.print(error.detail, markup=False)
        raise typer.Exit(error.exit_status) from error
    except KeyboardInterrupt as error:
        console.print(f"Stopped. What was found out is in {partial}: the same command goes on from there.", markup=False)
        raise typer.Exit(STOPPED) from error
    write_pairs(out, made.pairs)
    out.with_name(out.name + ".report.json").write_text(json.dumps(made.report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    partial.unlink(missing_ok=True)
    _show(console, made, out)


def _directions(named: list[str] | None) -> Any:
    for name in named or ():
        if name not in DIRECTIONS:
            raise BadRequest(f"There is no direction {name!r}. Known directions: {', '.join(DIRECTIONS)}.")
    return tuple(name for name in DIRECTIONS if not named or name in named)


def _chat(address: str, opened: ExitStack) -> Say | None:
    """What asks the chat model at an address; None for no address."""
    if not address:
        return None
    generator = open_generator(address)
    opened.callback(generator.close)
    if not isinstance(generator, ChatGenerator):
        raise BadRequest(f"{address!r} cannot rephrase: a chat model does, as http(s)://HOST:PORT/v1#MODEL.")
    return generator.say


def _show(console: Console, made: Augmented, out: Path) -> None:
    report = made.report
    grid = Grid("pairs", "")
    rows = {**report["ways"], **{f"dropped: {reason}": count for reason, count in report["dropped"].items()}, **report["screening"]}
    for name, count in rows.items():
        grid.add_row(str(name), f"{count:,}")
    console.print(grid)
    coverage, diversity = report["coverage"], report["diversity"]
    console.print(f"covered: {coverage['tables']:.0%} of the tables, {coverage['columns']:.0%} of the columns")
    console.print(f"{diversity['queries']:,} queries of {diversity['templates']:,} shapes, {diversity['words']:,} words")
    console.print(f"{len(made.pairs):,} pairs in {out}", markup=False)


if __name__ == "__main__":
    typer.run(command)
