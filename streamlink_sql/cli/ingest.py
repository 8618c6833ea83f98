"""`streamlink-sql ingest`: files become tables on HDFS, in a bucket or in a folder."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streamlink_sql.cli.options import AsJSON, Config
from streamlink_sql.cli.terminal import for_terminal, json_line
from streamlink_sql.errors import BadRequest

if TYPE_CHECKING:
    from streamlink_sql.engines.source import FileTable
    from streamlink_sql.ingest.ingest import Ingested, Progress
    from streamlink_sql.ingest.storage import Address

TO = (
    "Where to: hdfs://HOST:PORT/PATH, s3://BUCKET/PATH or a folder. The one table of SOURCE is written there; "
    "tables of a folder, or any where it ends with /, into it."
)
PARTITION = "The column whose values make folders; may be repeated; '' for none. Default: one that suits, for a large table."
SORT = "The column that rows are sorted by within a file; may be repeated. Default: the first date or time."
SCRATCH = "A folder on this machine for sorting and for CSV and JSON on their way. Default: one in your cache folder."


def ingest(
    ctx: typer.Context,
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="A CSV, JSON or Parquet file, or a folder of them: a table a file or sub-folder.")
    ],
    to: Annotated[str, typer.Option("--to", help=TO)],
    table: Annotated[list[str] | None, typer.Option("--table", help="Only this table of a folder; may be repeated.")] = None,
    partition_by: Annotated[list[str] | None, typer.Option("--partition-by", help=PARTITION)] = None,
    sort_by: Annotated[list[str] | None, typer.Option("--sort-by", help=SORT)] = None,
    file_rows: Annotated[
        int, typer.Option("--file-rows", help="About how many rows a file and a step that can be resumed have at most.")
    ] = 2_000_000,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put the table in the place of one that was ingested from something else.")
    ] = False,
    register: Annotated[
        str | None, typer.Option("--register", help="A Spark server, spark://HOST:PORT[/DATABASE], that is told of the tables.")
    ] = None,
    scratch: Annotated[Path | None, typer.Option("--scratch", help=SCRATCH)] = None,
    config: Config = None,
    as_json: AsJSON = False,
) -> None:
    """Write files as tables of Parquet that Spark and others read quickly. A run that was stopped goes on where it was."""
    ctx.obj.as_json = as_json
    if file_rows < 1:
        raise BadRequest("--file-rows takes 1 or more.")
    from streamlink_sql.engines.spark_session import read_address as read_server
    from streamlink_sql.ingest import ingest as ingesting
    from streamlink_sql.ingest.layout import Asked
    from streamlink_sql.settings import load_settings

    settings = load_settings(config)
    if register is not None:
        read_server(register)
    targets = _targets(source, to, table)
    if len(targets) > 1 and (partition_by is not None or sort_by is not None):
        raise BadRequest(
            "--partition-by and --sort-by are for one table: name it with --table.", suggestions=[each.name for each, _ in targets]
        )
    asked = Asked(_columns(partition_by), _columns(sort_by), file_rows)
    done = []
    for each, address in targets:
        job = ingesting.Job(
            each,
            address,
            scratch or _scratch(),
            asked,
            replace=replace,
            memory_mb=settings.memory_limit_mb,
            threads=settings.threads or os.cpu_count() or 1,
        )
        started = time.monotonic()
        with _shown(each.name) as progress:
            made = ingesting.ingest(job, progress)
            if register is not None:
                from streamlink_sql.ingest.register import register as tell

                progress("registering", 0, 0)
                tell(made, register)
        done.append(made)
        if not as_json:
            _say(made, time.monotonic() - started)
    if as_json:
        print(json_line([{**asdict(made), "columns": [column.name for column in made.columns]} for made in done]))


def _targets(place: Path, to: str, wanted: list[str] | None) -> list[tuple[FileTable, Address]]:
    """Each table of the source, and where it goes."""
    from streamlink_sql.engines.source import look
    from streamlink_sql.ingest.storage import read_address

    address = read_address(to)
    found = look(place)
    if found.kind != "files":
        raise BadRequest(
            f"{found.path} is a database. What is ingested are CSV, JSON and Parquet files; export its tables to such files first."
        )
    if found.ignored:
        print(f"Note: Not read, being of no known type: {for_terminal(', '.join(found.ignored))}.", file=sys.stderr)
    names = [each.name for each in found.tables]
    for name in wanted or ():
        if name not in names:
            raise BadRequest(f"There is no table {name} in {found.path}.", suggestions=names)
    tables = [each for each in found.tables if not wanted or each.name in wanted]
    is_parent = len(found.tables) > 1 or to.endswith("/")
    return [(each, address.below(each.name) if is_parent else address) for each in tables]


def _columns(named: list[str] | None) -> tuple[str, ...] | None:
    return None if named is None else tuple(name for name in named if name)


def _scratch() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("streamlink-sql", appauthor=False)) / "ingest"


@contextmanager
def _shown(name: str) -> Iterator[Progress]:
    """A bar on the terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(for_terminal(name), total=None)

        def progress(what: str, rows: int, of: int) -> None:
            bar.update(task, description=f"{for_terminal(name)}: {what}", completed=rows, total=of or None)

        yield progress


def _say(made: Ingested, seconds: float) -> None:
    for note in made.notes:
        print(f"Note: {for_terminal(note)}", file=sys.stderr)
    if not made.made:
        print(f"{for_terminal(made.name)}: {made.rows:,} rows are at {for_terminal(made.address)} already, from the same source.")
        return
    how = [f"folders by {', '.join(made.partition_by)}"] if made.partition_by else []
    how += [f"sorted by {', '.join(made.sort_by)}"] if made.sort_by else []
    how += [f"bloom filters for {', '.join(made.bloom)}"] if made.bloom else []
    how += [f"{made.resumed} parts were there from an earlier try"] if made.resumed else []
    size = f"{made.rows:,} rows in {len(made.files):,} files, {made.bytes / 2**20:,.1f} MB"
    print(for_terminal(f"{made.name}: {size} at {made.address}, in {seconds:.1f} s" + (f" ({'; '.join(how)})" if how else "")))
