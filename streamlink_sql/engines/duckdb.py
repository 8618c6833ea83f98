"""The DuckDB engine: a DuckDB file, or tables made of Parquet, CSV and JSON files. Loads no driver; that is the child's work."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from streamlink_sql.engines import sandbox, source
from streamlink_sql.engines.embedded import EmbeddedEngine
from streamlink_sql.errors import BadRequest
from streamlink_sql.scope import Scope
from streamlink_sql.types import Dialect

_KEPT_REPLACED = 8


class DuckDBEngine(EmbeddedEngine):
    """Reads a DuckDB file, or files as tables.

    Parquet is read in place. CSV and JSON are turned into Parquet in the private folder when the data is opened or changes, so a line
    that does not fit is found then, and named. Tables outside the schema `main` are named `schema.table`.
    """

    name: str = "duckdb"
    dialect: Dialect = "duckdb"
    samples_tables = True

    def __init__(
        self,
        path: str | Path,
        *,
        memory_limit_mb: int = 1024,
        threads: int | None = None,
        scope: Scope | None = None,
        spill_dir: str | Path | None = None,
        spill_limit_mb: int = 4096,
        result_limit_mb: int = 32,
        children: int = 2,
        load_limit_s: float = 600.0,
    ) -> None:
        limits = sandbox.Limits(memory_mb=memory_limit_mb, spill_mb=spill_limit_mb, result_mb=result_limit_mb, children=children)
        self._load_limit_s = load_limit_s
        self._loaded: dict[str, _Loaded] = {}
        self._replaced: list[Path] = []
        super().__init__(
            path,
            limits if threads is None else replace(limits, threads=threads),
            scope=scope,
            spill_dir=spill_dir,
            catalog_limit_s=120.0,
        )

    @property
    def version(self) -> str:
        """The driver and its version."""
        from importlib.metadata import version

        return f"duckdb {version('duckdb')}"

    def prepare(self, found: source.Source) -> sandbox.Setup:
        """A DuckDB file as it is; files as Parquet; for an isolated scope a database that holds nothing else."""
        opened, readable = self._opened_as(found)
        if self.scope is None:
            return sandbox.Setup("duckdb", opened, readable)
        scoped = sandbox.Setup("duckdb", {**opened, "scope": self.scope.body()}, readable)
        if not self.scope.isolate:
            return scoped
        extract = str(self._extract(scoped, self._data(found), self._load_limit_s))
        return sandbox.Setup("duckdb", {"database": extract}, (extract,))

    def _opened_as(self, found: source.Source) -> tuple[dict[str, Any], tuple[str, ...]]:
        """What a child opens, and the files that it reads."""
        if found.kind == "sqlite":
            raise BadRequest(f"{found.path} is a SQLite database; the SQLite engine reads it.")
        if found.kind == "duckdb":
            return {"database": str(found.path)}, found.files()
        self._load_changed(found.tables)
        tables = [self._as_parquet(table) for table in found.tables]
        ignored = (f"Not read, being of no known type: {', '.join(found.ignored)}.",) if found.ignored else ()
        notes = (*ignored, *(note for loaded in self._loaded.values() for note in loaded.notes))
        self.warnings = notes if self.scope is None else ()  # they name columns and tell of rows that may be hidden
        readable = tuple(file for table in tables for file in table.files)
        entries = [{"name": table.name, "files": table.files, "hive": table.hive} for table in tables]
        return {"tables": entries}, readable

    def _as_parquet(self, table: source.FileTable) -> source.FileTable:
        """The table itself where it is Parquet, else as the one Parquet file in the private folder."""
        if table.format == "parquet":
            return table
        return source.FileTable(table.name, "parquet", (str(self._loaded[table.name].file),))

    def _load_changed(self, tables: tuple[source.FileTable, ...]) -> None:
        """Makes Parquet files of the CSV and JSON tables that are new or changed, in one child, and removes those of no use any more."""
        states = {table.name: source.fingerprint(table.files) for table in tables if table.format != "parquet"}
        for name in [name for name, loaded in self._loaded.items() if states.get(name) != loaded.state]:
            self._replaced.append(self._loaded.pop(name).file)
        while len(self._replaced) > _KEPT_REPLACED:  # the last ones may still be read by queries under way
            self._replaced.pop(0).unlink(missing_ok=True)
        waiting = [table for table in tables if table.name in states and table.name not in self._loaded]
        if not waiting:
            return
        folder = self._folder / "loaded"
        folder.mkdir(exist_ok=True)
        setup = sandbox.Setup("duckdb", {"load": True}, tuple(file for table in waiting for file in table.files), (str(folder),))
        pool = sandbox.Pool(setup, replace(self.limits, children=1), self._folder)
        try:
            for table in waiting:
                file = folder / f"{hashlib.blake2b((table.name + states[table.name]).encode(), digest_size=8).hexdigest()}.parquet"
                request = {"do": "load", "format": table.format, "files": table.files, "hive": table.hive, "to": str(file)}
                reply, _ = pool.call(request, seconds=self._load_limit_s)
                self._loaded[table.name] = _Loaded(states[table.name], file, tuple(reply["notes"]))
        finally:
            pool.close()


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A table as a Parquet file of ours: made from files in this state, with notes for whoever reads it."""

    state: str
    file: Path
    notes: tuple[str, ...]
