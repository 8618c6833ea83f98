"""One table from files to Parquet at an address: planned, written part by part beside its place, and moved there when it is whole.

Beside `NAME` stands `.NAME.ingest` while the table is being made: `owner.json` (who makes it), `plan.json`, `done/N.json` for each part
that is written, and the files in `table/`. Whoever is killed leaves it, and the next ingest of the same source goes on with it. What
cannot be read of it counts as not there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from streamlink_sql.engines import csv_files, source
from streamlink_sql.errors import BadRequest, EngineUnavailable, StorageUnavailable, StreamLinkError
from streamlink_sql.ingest import layout as layouts
from streamlink_sql.ingest.layout import Asked, Column, Layout, Part
from streamlink_sql.ingest.storage import Address, Storage, open_storage
from streamlink_sql.ingest.writing import File, write_part

VERSION = 1
"""Raised whenever the same source and wishes give other files."""
RECORD = "_streamlink.json"
"""The file in a table that tells what it was made of; readers of Parquet pass over names that begin with _."""
Progress = Callable[[str, int, int], None]
"""Told what is being done, the rows done and the rows to do; 0 of 0 where that cannot be told."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to ingest, where to, and how. `scratch` is a folder of this machine, for sorting and for CSV and JSON on their way."""

    table: source.FileTable
    to: Address
    scratch: Path
    asked: Asked = field(default_factory=Asked)
    replace: bool = False
    memory_mb: int = 1024
    threads: int = 2

    @property
    def key(self) -> str:
        """Names the source as it is now, and what is to be made of it."""
        told = (VERSION, self.table.name, self.table.hive, source.fingerprint(self.table.files), str(self.to), asdict(self.asked))
        return hashlib.blake2b(json.dumps(told, default=str).encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Ingested:
    """A table at its place. `made` is false where it was there already, from the same source; `resumed` counts parts of an earlier try."""

    name: str
    address: str
    rows: int
    bytes: int
    files: tuple[str, ...]
    columns: tuple[Column, ...]
    partition_by: tuple[str, ...]
    sort_by: tuple[str, ...]
    bloom: tuple[str, ...]
    notes: tuple[str, ...] = ()
    made: bool = True
    resumed: int = 0


def ingest(job: Job, progress: Progress = lambda *_: None) -> Ingested:
    """Makes the table, or what is missing of it; raises our errors, and then the table is as it was."""
    storage = open_storage(job.to)
    key = job.key
    staging = job.to.beside(f".{job.to.name}.ingest").path
    if (there := _there(storage, job, key)) is not None:
        if storage.has_any(staging):  # whoever made the table was killed before it had tidied up
            with _owned(storage, staging):
                storage.remove(staging)
        return there
    with _owned(storage, staging), _connected(job, key) as (connection, scratch):
        plan = _planned(storage, staging, job, key, connection, scratch, progress)
        files, resumed = _written(storage, staging, plan, connection, progress)
        if job.key != key:
            raise BadRequest(f"{job.table.files[0]} or a file beside it changed while it was read. Repeat the command when it is still.")
        if (rows := sum(file.rows for file in files)) != plan.rows:
            raise StorageUnavailable(
                f"{rows:,} of {plan.rows:,} rows were written. Remove {job.to.base}{staging}, then repeat the command."
            )
        made = _ingested(job, plan, files, resumed)
        _publish(storage, staging, job, key, made)
        shutil.rmtree(scratch, ignore_errors=True)
    return made


@dataclass(frozen=True, slots=True)
class _Plan:
    columns: tuple[Column, ...]
    layout: Layout
    parts: tuple[Part, ...]
    rows: int
    notes: tuple[str, ...]


def _there(storage: Storage, job: Job, key: str) -> Ingested | None:
    """The table where it is there already; BadRequest where something else is."""
    if not storage.has_any(job.to.path):
        return None
    record = _json(storage, f"{job.to.path}/{RECORD}")
    if record is None:
        raise BadRequest(f"{job.to} holds something that was not ingested here. Name another folder, or remove it yourself.")
    if record["key"] == key:
        return _recorded(record["table"])
    if not job.replace:
        raise BadRequest(
            f"{job.to} was made from another source, another state of it, or with other options. "
            "Give --replace to put this one in its place."
        )
    return None


def _recorded(table: dict[str, Any]) -> Ingested:
    """A table as it was told of in its record."""
    told: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in table.items()}
    told |= {"columns": tuple(Column(**column) for column in table["columns"]), "made": False}
    return Ingested(**told)


@contextmanager
def _owned(storage: Storage, staging: str) -> Iterator[None]:
    """Holds off a second ingest of the same table; one that has died is followed."""
    path = f"{staging}/owner.json"
    me = {"host": socket.gethostname(), "pid": os.getpid(), "started": _started(os.getpid())}
    if not storage.claim(path, json.dumps(me).encode()):
        owner = _json(storage, path) or {}
        if owner.get("host", me["host"]) != me["host"] or (owner.get("started") and _started(owner["pid"]) == owner["started"]):
            raise BadRequest(
                f"The process {owner.get('pid')} on {owner.get('host')} ingests this table now. Wait for it; if it is dead, remove {path}."
            )
        storage.write(path, json.dumps(me).encode())
    try:
        yield
    finally:
        with suppress(StreamLinkError):  # what went wrong before says more
            storage.remove(path)
            if not storage.names(staging):
                storage.remove(staging)


def _started(pid: int) -> str:
    """When a process of this machine started, by the kernel's clock; '' where there is none."""
    try:
        return Path(f"/proc/{int(pid)}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError, ValueError):
        return ""


@contextmanager
def _connected(job: Job, key: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A database in memory that may spill to a private folder, and that folder; what DuckDB raises becomes one of our errors."""
    scratch = job.scratch / key
    try:
        scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(f"The folder {scratch} cannot be written: {error.strerror}. Name another one with --scratch.") from error
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{job.memory_mb}MB",
        "threads": str(job.threads),
        "temp_directory": str(scratch / "spill"),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "preserve_insertion_order": "false",
    }
    try:
        with duckdb.connect(":memory:", config=config) as connection:
            connection.execute("SET enable_progress_bar = false")
            yield connection, scratch
    except duckdb.Error as error:
        first = str(error).split("\n", 1)[0].strip().rstrip(".")
        if "No space left" in first or "max_temp_directory_size" in first:
            raise StorageUnavailable(f"The folder {scratch} is full. Free space, or name another one with --scratch.") from error
        if isinstance(error, duckdb.OutOfMemoryException):
            raise BadRequest(
                f"{job.memory_mb} MB of memory are too few for this table: raise memory_limit_mb, or lower --file-rows."
            ) from error
        raise EngineUnavailable(
            f"{job.table.files[0]} or a file beside it cannot be read: {first}. Restore it from a copy, or leave it out."
        ) from error


def _planned(
    storage: Storage, staging: str, job: Job, key: str, connection: duckdb.DuckDBPyConnection, scratch: Path, progress: Progress
) -> _Plan:
    """The plan of an earlier try for the same source, else a new one; the source is in the connection's view afterwards."""
    progress("reading", 0, 0)
    files, notes = _as_parquet(job.table, connection, scratch)
    notes += layouts.show(connection, files, hive=job.table.hive and job.table.format == "parquet")
    kept = _json(storage, f"{staging}/plan.json")
    if kept is not None and kept["key"] == key:
        return _plan(kept)
    for old in (f"{staging}/table", f"{staging}/done", f"{staging}/plan.json"):
        storage.remove(old)
    columns, layout, rows = layouts.choose(connection, job.asked)
    plan = _Plan(tuple(columns), layout, tuple(layouts.parts(connection, layout, columns, job.asked.file_rows)), rows, tuple(notes))
    storage.write(f"{staging}/plan.json", json.dumps({"key": key, **asdict(plan)}).encode())
    return plan


def _plan(kept: dict[str, Any]) -> _Plan:
    layout = Layout(tuple(kept["layout"]["partition_by"]), tuple(kept["layout"]["sort_by"]), kept["layout"]["bloom"])
    parts = tuple(Part(tuple(tuple(values) for values in part["folders"]), part["low"], part["high"]) for part in kept["parts"])
    return _Plan(tuple(Column(**column) for column in kept["columns"]), layout, parts, kept["rows"], tuple(kept["notes"]))


def _as_parquet(table: source.FileTable, connection: duckdb.DuckDBPyConnection, scratch: Path) -> tuple[list[str], list[str]]:
    """The files themselves where they are Parquet, else one Parquet file in the scratch folder; and notes for whoever ingests."""
    if table.format == "parquet":
        return list(table.files), []
    made, told = scratch / "table.parquet", scratch / "notes.json"
    if not made.exists():
        part = scratch / "table.part"
        notes = csv_files.load(connection, table.format, list(table.files), table.hive, str(part))
        told.write_text(json.dumps(notes), encoding="utf-8")
        part.replace(made)
    return [str(made)], json.loads(told.read_text(encoding="utf-8"))


def _written(
    storage: Storage, staging: str, plan: _Plan, connection: duckdb.DuckDBPyConnection, progress: Progress
) -> tuple[list[File], int]:
    """The files of all parts; those that an earlier try has written are left alone, and counted."""
    files: list[File] = []
    resumed = rows = 0
    names = frozenset(storage.names(f"{staging}/done"))

    def count(more: int) -> None:
        nonlocal rows
        rows += more
        progress("writing", rows, plan.rows)

    for number, part in enumerate(plan.parts):
        marker = f"{number:05d}.json"
        done = _json(storage, f"{staging}/done/{marker}") if marker in names else None
        if done is None:
            made = write_part(connection, storage, f"{staging}/table", number, (plan.layout, plan.columns), part, count)
            storage.write(f"{staging}/done/{marker}", json.dumps([asdict(file) for file in made]).encode())
        else:
            made = [File(**file) for file in done]
            resumed += 1
            count(sum(file.rows for file in made))
        files += made
    return files, resumed


def _ingested(job: Job, plan: _Plan, files: list[File], resumed: int) -> Ingested:
    return Ingested(
        name=job.to.name,
        address=str(job.to),
        rows=plan.rows,
        bytes=sum(file.bytes for file in files),
        files=tuple(file.path for file in files),
        columns=plan.columns,
        partition_by=plan.layout.partition_by,
        sort_by=plan.layout.sort_by,
        bloom=tuple(plan.layout.bloom),
        notes=plan.notes,
        resumed=resumed,
    )


def _publish(storage: Storage, staging: str, job: Job, key: str, made: Ingested) -> None:
    """Puts the whole table in its place; one that it replaces is moved aside first, and comes back where that fails."""
    table, old = f"{staging}/table", f"{staging}/old"
    storage.write(f"{table}/{RECORD}", json.dumps({"key": key, "table": asdict(made)}).encode())
    replaces = storage.has_any(job.to.path)
    if replaces:
        storage.remove(old)
        storage.move(job.to.path, old)
    try:
        storage.move(table, job.to.path)
    except BaseException:
        if replaces:
            storage.move(old, job.to.path)
        raise
    storage.remove(staging)


def _json(storage: Storage, path: str) -> Any:
    """What a small file of ours holds; None where it is not there, or was cut off."""
    content = storage.read(path)
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None
