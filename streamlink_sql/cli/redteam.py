"""`streamlink-sql redteam`: attacks on a made database under your settings, and a report. Never opens your data."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from streamlink_sql.cli.options import AsJSON, Config
from streamlink_sql.cli.terminal import for_terminal, json_line
from streamlink_sql.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from streamlink_sql.redteam.trial import Terms, Trial

GOT_THROUGH, SHOWN = 1, 10
TITLE = "StreamLink under attack"


def redteam(
    ctx: typer.Context,
    engine: Annotated[
        Literal["duckdb", "sqlite", "spark"] | None,
        typer.Option("--engine", help="The engine to attack; of spark the checks alone. Default: duckdb and sqlite."),
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option("--corpus", help="Your own texts, in a file such as `evaluate gate` takes. Default: those of the package."),
    ] = None,
    layer: Annotated[
        Literal["gate", "engine", "both"] | None,
        typer.Option("--layer", help="What to attack: the checks (gate), the engine without checks, or both. Default: all three, in turn."),
    ] = None,
    isolate: Annotated[
        bool,
        typer.Option("--isolate/--no-isolate", help="Whether the attacker's role has a copy of its tables, as with `isolate` in a policy."),
    ] = True,
    time_limit: Annotated[
        float, typer.Option("--time-limit", min=0.1, max=600, help="Seconds that a statement may run in the engine.")
    ] = 2.0,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Try the first so many texts of each file only.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report to this file, too: one page with a plot.")] = None,
    config: Config = None,
    as_json: AsJSON = False,
) -> None:
    """Attack a made database under your settings, never your data, and report what was refused, stopped, or took effect."""
    ctx.obj.as_json = as_json
    from streamlink_sql.cli.output import check_output, whole_file
    from streamlink_sql.redteam.report import body, got_through, page

    check_output(html)
    html = html and html.absolute()
    trials = _tried(engine, corpus, limit, _terms(config, layer, isolate=isolate, time_limit=time_limit))
    if html:
        with whole_file(html) as file:
            file.write(page(trials, TITLE).encode("utf-8", "replace"))
    if as_json:
        print(json_line(body(trials)))
    else:
        _show(trials)
    if got_through(trials):
        raise typer.Exit(GOT_THROUGH)


def _terms(config: Path | None, layer: Literal["gate", "engine", "both"] | None, *, isolate: bool, time_limit: float) -> Terms:
    """The user's limits; the data, the policy and the store that the settings name are left alone."""
    from streamlink_sql.redteam.trial import LAYERS, Terms
    from streamlink_sql.settings import load_settings

    settings = load_settings(config)
    names = ("row_limit", "cost_limit_rows", "memory_limit_mb", "spill_limit_mb", "threads")
    own = {name: getattr(settings, name) for name in names}
    return Terms(layers=(layer,) if layer else LAYERS, isolate=isolate, time_limit_s=time_limit, **own)


def _tried(engine: Literal["duckdb", "sqlite", "spark"] | None, corpus: Path | None, limit: int | None, terms: Terms) -> list[Trial]:
    from streamlink_sql.redteam.trial import attack, texts_for
    from streamlink_sql.types import Dialect

    engines: tuple[Dialect, ...] = (engine,) if engine else ("duckdb", "sqlite")
    texts = {each: texts_for(each, corpus, limit) for each in engines}
    if not any(texts.values()):
        raise BadRequest(f"{corpus} has no texts for {' or '.join(engines)}.")
    trials = []
    with _progress(sum(map(len, texts.values()))) as step:
        for each, found in texts.items():
            if found:
                trials.append(attack(each, found, terms, progress=step))
    return trials


def _show(trials: Sequence[Trial]) -> None:
    from rich.console import Console

    from streamlink_sql.redteam.report import got_through

    console = Console()
    for trial in trials:
        _show_trial(trial, console)
    if any("both" in trial.layers for trial in trials):
        count = len(got_through(trials))
        console.print(f"{count:,} took effect with both layers." if count else "Nothing took effect with both layers.", markup=False)


def _show_trial(trial: Trial, console: Console) -> None:
    from rich.markup import escape
    from rich.table import Column, Table

    from streamlink_sql.redteam.report import by_class, canaries, legitimate

    heads = (
        Column("class", no_wrap=True),
        "attacks",
        "refused by gate",
        "stopped by engine alone",
        "passed gate",
        "effect, engine alone",
        "effect, both",
    )
    table = Table(*heads, title=escape(trial.version or trial.dialect))
    for each in by_class(trial):
        if each.name == "all":
            table.add_section()
        figures = (each.attacks, each.refused, each.stopped, each.gate, each.engine, each.both)
        table.add_row(escape(for_terminal(each.name)), *("-" if figure is None else f"{figure:,}" for figure in figures))
    console.print(table)
    fine = legitimate(trial)
    if fine["queries"]:
        parts = [f"{fine[layer]:,} {said}" for layer, said in _FAILED.items() if fine[layer] is not None]
        console.print(f"Legitimate queries: {fine['queries']:,}, of which {', '.join(parts)}.", markup=False)
    if counts := canaries(trial):
        seen = [f"{name} {count} ({layer})" for name, each in counts.items() for layer, count in each.items() if count]
        console.print(f"Canaries: {', '.join(seen) or 'all well'}.", markup=False)
    _show_effects(trial, console)
    for note in (*trial.notes, *([trial.protection] if trial.protection else [])):
        console.print(note, markup=False)


def _show_effects(trial: Trial, console: Console) -> None:
    from streamlink_sql.redteam.report import noted

    found = [each for each in noted(trial) if any(tried and tried.effects for tried in (each.engine, each.both))]
    for each in found[:SHOWN]:
        console.print(for_terminal(f"  {each.file}, {each.text.id}: {each.text.text[:160]}"), markup=False)
    if len(found) > SHOWN:
        console.print(f"  and {len(found) - SHOWN:,} more (--json and --html list all)", markup=False)


_FAILED = {"gate": "refused by the gate", "engine": "failed in the engine alone", "both": "refused or failed with both"}


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar on the error stream, where it does not mix with the report."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("texts", total=total)
        yield lambda: bar.advance(task)
