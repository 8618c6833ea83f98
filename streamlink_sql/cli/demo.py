"""`streamlink-sql demo`: patents, sample questions, the web page."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from streamlink_sql.cli.ask import progress, tell
from streamlink_sql.cli.options import Config, Model, Store
from streamlink_sql.cli.table import render_table
from streamlink_sql.cli.terminal import for_terminal
from streamlink_sql.errors import BadRequest, StreamLinkError
from streamlink_sql.types import Question

ROWS_MAX = 1_000_000_000


def demo(
    rows: Annotated[int, typer.Option("--rows", help="How many patents to make.")] = 1_000_000,
    seed: Annotated[int, typer.Option("--seed", help="Another seed makes other patents.")] = 7,
    folder: Annotated[Path | None, typer.Option("--folder", help="Where to keep them. Default: your cache folder.")] = None,
    model: Model = None,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the web page afterwards.")] = True,
    port: Annotated[int | None, typer.Option("--port", help="The port of the web page; 0 takes a free one.")] = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Make a database of patents, answer sample questions about it, then serve the web page."""
    if not 1 <= rows <= ROWS_MAX:
        raise BadRequest(f"The number of rows must be from 1 to {ROWS_MAX:,}.")
    from streamlink_sql.assemble import control_unit
    from streamlink_sql.demo import SAMPLE_QUESTIONS
    from streamlink_sql.settings import load_settings

    data = make_data(folder or _cached(rows, seed), rows, seed)
    settings = load_settings(config, data=str(data), model=model, port=port, store=store)
    with closing(control_unit(settings)) as control:
        for text in SAMPLE_QUESTIONS:
            print(f"\n> {text}\n")
            try:
                with progress() as watch:
                    answer = control.answer(Question(text, row_limit=10), watch)
            except StreamLinkError as error:
                print(for_terminal(error.detail, lines=True), file=sys.stderr)
                continue
            print(render_table(answer, terminal=sys.stdout.isatty()), flush=True)
            tell(answer)
    if serve:
        from streamlink_sql.cli.serve import serve_settings

        print(flush=True)
        serve_settings(settings, SAMPLE_QUESTIONS)


def make_data(folder: Path, rows: int, seed: int) -> Path:
    """The patents, made now or found from an earlier run."""
    from rich.console import Console
    from rich.progress import Progress

    from streamlink_sql.demo.patents import make_patents

    folder.parent.mkdir(parents=True, exist_ok=True)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"making {rows:,} patents", total=rows)
        return make_patents(folder, rows, seed, lambda done, _: bar.update(task, completed=done))


def _cached(rows: int, seed: int) -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("streamlink-sql", appauthor=False)) / f"patents-{rows}-{seed}"
