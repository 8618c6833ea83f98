"""`streamlink-sql adapt`: questions that people accepted become a better model of your own, measured before it answers anybody."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamlink_sql.cli.options import AsJSON, Config, Data, Model, Store
from streamlink_sql.cli.terminal import for_terminal, json_line
from streamlink_sql.errors import BadRequest, Cancelled

if TYPE_CHECKING:
    from streamlink_sql.training.promote import Tick

QUESTIONS = "Accepted questions: JSON lines with `question` and `query`. Default: what people accepted, from the store."
HELD_OUT = "Questions of the same form to judge by; none of them is learned. Default: a quarter of the accepted ones."
OPEN = "Pairs about other databases, in Spider's form: train.jsonl, tables.json, databases/. Default: made once, from schemas of ours."
RATIO = "Pairs about your data : pairs about other databases."


def adapt(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder for the adapter; what was begun there goes on.")],
    data: Data = None,
    questions: Annotated[Path | None, typer.Option("--questions", help=QUESTIONS)] = None,
    held_out: Annotated[Path | None, typer.Option("--held-out", help=HELD_OUT)] = None,
    model: Model = None,
    count: Annotated[int, typer.Option("--count", min=1, max=1_000_000, help="How many pairs about your data to make.")] = 2000,
    ratio: Annotated[str, typer.Option("--ratio", help=RATIO)] = "1:1",
    opened: Annotated[Path | None, typer.Option("--open", metavar="DIR", help=OPEN)] = None,
    minutes: Annotated[float | None, typer.Option("--minutes", min=0.1, help="Minutes of training. Default: what suits the model.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another number makes other pairs.")] = 7,
    promote: Annotated[bool, typer.Option("--promote", help="Let it answer at once where the gate lets it pass.")] = False,
    config: Config = None,
    store: Store = None,
    as_json: AsJSON = False,
) -> None:
    """Adapt the model to your data, measure it before and after, and keep it as a version. A run that was stopped goes on where it was."""
    ctx.obj.as_json = as_json
    from streamlink_sql.assemble import open_store, open_versions
    from streamlink_sql.settings import load_settings
    from streamlink_sql.store.store import COMMAND_LINE

    settings = load_settings(config, data=data, model=model, store=store)
    if settings.adapter is not None:
        raise BadRequest("Adapting begins with the model as it is: leave out the setting `adapter`.", setting="adapter")
    if out.exists() and not out.is_dir():
        raise BadRequest(f"{out} is not a folder.", setting="out")
    from streamlink_sql.training.mixture import read_ratio
    from streamlink_sql.training.pairs import read_pairs
    from streamlink_sql.training.promote import Job, from_feedback, keep
    from streamlink_sql.training.promote import adapt as adapting

    with closing(open_store(settings)) as records:
        versions = open_versions(settings, records)
        accepted, newest = from_feedback(records, out) if questions is None else (read_pairs(questions), None)
        job = Job(
            versions.source,
            accepted,
            out,
            None if held_out is None else read_pairs(held_out),
            settings.model,
            settings.glossary,
            count,
            read_ratio(ratio),
            minutes=minutes,
            seed=seed,
            opened=opened.resolve() if opened else None,
        )
        with _going_on(out), _shown() as tick, redirect_stdout(sys.stderr):
            card = adapting(job, tick)
        version = keep(out, versions, by=COMMAND_LINE, feedback=newest, promote=promote)
        current = versions.promoted()
    promoted = current is not None and current.number == version.number
    if as_json:
        scores = {name: card["scores"][name] for name in ("before", "after", "open", "refused", "latency")}
        print(json_line({**scores, "seconds": card["seconds"], "gate": card["gate"], "version": version.number, "promoted": promoted}))
    else:
        _say(card, version.number, promoted)


@contextmanager
def _going_on(out: Path) -> Iterator[None]:
    """Says that nothing is lost where the run is stopped."""
    try:
        yield
    except (KeyboardInterrupt, Cancelled):
        print(f"What is done is kept in {for_terminal(str(out))}: the same command goes on from there.", file=sys.stderr)
        raise


@contextmanager
def _shown() -> Iterator[Tick]:
    """A bar for what is going on; training shows one of its own. Without a terminal, a line for each step."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console, step = Console(stderr=True), ""
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=None)

        def tick(what: str, done: int, of: int | None) -> None:
            nonlocal step
            if what != step:
                step = what
                (bar.stop if what == "training" else bar.start)()
                if what == "training" or not console.is_terminal:
                    console.print(f"{what} ...", highlight=False)
                bar.reset(task, description=what, total=of)
            bar.update(task, completed=done, total=of)

        yield tick


def _say(card: dict[str, Any], version: int, promoted: bool) -> None:
    scores, pairs = card["scores"], card["pairs"]
    if pairs["flagged"] or pairs["refused"]:
        print(
            f"{pairs['refused']} accepted pairs were refused and {pairs['flagged']} need a look: see work/ in the folder.", file=sys.stderr
        )
    if words := [f"{word!r}: {table}.{column} = {value!r}" for table, column, of in card.get("words", ()) for word, value in of.items()]:
        print(f"Words for values, learned from accepted questions: {', '.join(words)}.")
    for name, told in (("held-out questions", scores), ("other databases", scores["open"])):
        before, after = told["before"], told["after"]
        shares = ", ".join(f"{what} {before[key]:.1%} -> {after[key]:.1%}" for what, key in (("execution", "ex"), ("exact match", "em")))
        print(f"{name} ({after['count']:,}): {shares}")
    print(f"writing: {scores['latency']['before_ms']:g} ms -> {scores['latency']['after_ms']:g} ms; {card['seconds']:,.0f} s in all")
    for reason in card["gate"]["reasons"]:
        print(f"Kept back: {reason}")
    if promoted:
        print(f"Version {version} answers from now on. Back again: streamlink-sql models rollback")
    else:
        print(f"This is version {version}." + (f" Promote it: streamlink-sql models promote {version}" if card["gate"]["passed"] else ""))
