"""What the embedded engines share: the pool of children, re-opening when the data changes, the contract `Engine`. Imports no driver."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
import threading
import time
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

from streamlink_sql.engines import confine, sandbox, source
from streamlink_sql.errors import EngineUnavailable
from streamlink_sql.scope import Scope
from streamlink_sql.types import PLAN_LIMIT_S, CheckedSQL, Column, Dialect, ForeignKey, Hear, Plan, Rows, Sample, Table

_log = logging.getLogger("streamlink_sql.engines")

_PREFIX = "streamlink-sql-"
_LAG_S, _SETTLED_S = 1.0, 2.0
_SAMPLE_VALUES, _SAMPLED_TABLES = 50_000, 32


class EmbeddedEngine:
    """An engine over local files. All reading of data happens in child processes; several threads may call at once."""

    name: str
    dialect: Dialect
    can_cancel = True
    samples_tables = False
    """True where a child gives the samples of all columns of a small table at once."""

    def __init__(
        self,
        path: str | Path,
        limits: sandbox.Limits,
        *,
        scope: Scope | None,
        spill_dir: str | Path | None,
        catalog_limit_s: float,
    ) -> None:
        self.path = Path(path).expanduser().absolute()
        self.limits = limits
        self.scope = scope
        self.warnings: tuple[str, ...] = ()
        self._catalog_limit_s = catalog_limit_s
        self._folder = _private_folder(spill_dir)
        self._lock = threading.Lock()
        self._pool: sandbox.Pool | None = None
        self._opened = ""
        self._finalizer = weakref.finalize(self, _remove, self._folder, os.getpid())
        self._tables: tuple[str, tuple[Table, ...]] = ("", ())
        self._looked: tuple[float, str] = (0.0, "")
        self._samples: dict[str, dict[str, Sample]] = {}
        self._samples_of = ""
        self._copied_from: dict[str, Table] = {}
        try:
            self.tables()
        except BaseException:
            self.close()
            raise
        if self.protection.startswith("Warning"):
            _log.warning("%s", self.protection)

    def prepare(self, found: source.Source) -> sandbox.Setup:
        """What a child has to open for this source; each engine has its own."""
        raise NotImplementedError

    def look(self) -> source.Source:
        """The source as it is now, without the files that this scope leaves out."""
        found = source.look(self.path)
        return found if self.scope is None else source.within(found, self.scope)

    @property
    def protection(self) -> str:
        """What holds against a query that got past the checks; begins with 'Warning' where the kernel does not help."""
        told = self._pool.landlock if self._pool is not None else None
        return confine.protection(confine.landlock_version() if told is None else told)

    def fingerprint(self) -> str:
        """A short text that changes whenever a file of the source is replaced, changed, added or removed."""
        return self._data(self.look())

    def _data(self, found: source.Source) -> str:
        """Names the data as this scope shows it."""
        return found.fingerprint() + (f"-{self.scope.key}" if self.scope else "")

    @property
    def version(self) -> str:
        """The driver and its version."""
        raise NotImplementedError

    def is_settled(self) -> bool:
        """Whether no file changed within the last seconds: only then does a fingerprint tell every later change from now on."""
        try:
            newest = max((Path(file).stat().st_mtime for file in self.look().files() if Path(file).exists()), default=0.0)
        except OSError:
            return False
        return newest < time.time() - _SETTLED_S

    def tables(self) -> tuple[Table, ...]:
        """Every table and view, with declared keys."""
        pool, data = self._current()
        known, tables = self._tables
        if known != data:
            reply, _ = pool.call({"do": "tables", "data": data}, seconds=self._catalog_limit_s)
            tables = tuple(self._as_told(_table(entry)) for entry in reply["tables"])
            self._tables = (data, tables)
        return tables

    def _as_told(self, table: Table) -> Table:
        """The table with the keys that it had where it was copied from, and the smallest group that the scope wants."""
        known = self._copied_from.get(table.name, table)
        smallest = self._smallest_group_of(table.name)
        return replace(table, primary_key=known.primary_key, foreign_keys=known.foreign_keys, smallest_group=smallest)

    def _smallest_group_of(self, table: str) -> int:
        return self.scope.smallest_group_of(table) if self.scope is not None else 0

    def sample(self, table: str, column: str, *, limit: int) -> Sample:
        """Up to `limit` distinct values of a column, most frequent first. Tables of millions of rows are sampled, then not `complete`.
        There are none of a table that is shown in groups only.
        """
        if self._smallest_group_of(table) > 1:
            return Sample((), complete=False)
        known = self._sampled(table, column, limit)
        if known is not None:
            return known
        request = {"do": "sample", "table": table, "column": column, "limit": limit}
        reply, _ = self._call(request, self._catalog_limit_s, may_lag=True)
        return Sample(tuple(reply["values"]), reply["complete"], reply["unique"])

    def _sampled(self, table: str, column: str, limit: int) -> Sample | None:
        """A sample out of those of a whole small table, which come in one go and are remembered for the columns beside this one."""
        if not self.samples_tables:
            return None
        if (time.monotonic() - self._looked[0] > _LAG_S) or self._samples_of != self._looked[1]:
            self._current()
        if self._samples_of != self._looked[1]:
            self._samples, self._samples_of = {}, self._looked[1]
        if table not in self._samples:
            while len(self._samples) >= _SAMPLED_TABLES:
                self._samples.pop(next(iter(self._samples)), None)
            reply, _ = self._call({"do": "samples", "table": table, "limit": _SAMPLE_VALUES}, self._catalog_limit_s, may_lag=True)
            self._samples[table] = {
                name: Sample(tuple(each["values"]), each["complete"], each["unique"]) for name, each in reply["samples"].items()
            }
        found = self._samples.get(table, {}).get(column)
        if found is None or limit > _SAMPLE_VALUES:
            return None
        return Sample(found.values[:limit], found.complete and len(found.values) <= limit, found.unique)

    def dry_run(self, query: CheckedSQL, *, time_limit_s: float = PLAN_LIMIT_S) -> Plan:
        """Binds and plans the query; raises InvalidSQL when it does not bind."""
        from sqlglot import exp

        aliases = {table.alias: table.name for table in query.tree.find_all(exp.Table) if table.alias}
        derived = sorted({node.alias for node in query.tree.find_all(exp.CTE, exp.Subquery) if node.alias})
        reply, _ = self._call({"do": "plan", "sql": query.sql, "aliases": aliases, "derived": derived}, time_limit_s)
        return Plan(frozenset(reply["tables"]), tuple(reply["columns"]), reply["rows"])

    def run(self, query: CheckedSQL, *, row_limit: int, time_limit_s: float, run_id: str = "", hear: Hear | None = None) -> Rows:  # noqa: ARG002 - a child tells nothing
        """Runs the query once in a child. The time limit counts from the call; waiting for a free child is part of it."""
        from streamlink_sql.engines import arrow

        reply, payload = self._call({"do": "run", "sql": query.sql, "row_limit": row_limit}, time_limit_s, run_id)
        return Rows(arrow.from_bytes(payload), reply["truncated"])

    def cancel(self, run_id: str) -> bool:
        """Ends the query under this id at once, running or waiting."""
        return self._pool is not None and self._pool.cancel(run_id)

    def close(self) -> None:
        """Ends the children and removes the private folder."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()
        self._finalizer()

    def _call(
        self, request: dict[str, Any], seconds: float, run_id: str = "", *, may_lag: bool = False
    ) -> tuple[dict[str, Any], bytearray]:
        """A child's reply. `may_lag` where data that changed within the last second may go unnoticed, as in one of many samples."""
        pool, (looked_at, data) = self._pool, self._looked
        if not may_lag or pool is None or time.monotonic() - looked_at > _LAG_S:
            pool, data = self._current()
        return pool.call({**request, "data": data}, seconds=seconds, run_id=run_id)

    def _current(self) -> tuple[sandbox.Pool, str]:
        """The pool on the data as it is now, and the data's fingerprint: children are replaced when a file has changed."""
        with self._lock:
            if not self._finalizer.alive:
                raise EngineUnavailable("This source has been closed.")
            found = self.look()
            state = self.state(found)
            if self._pool is None:
                self._pool = sandbox.Pool(self.prepare(found), self.limits, self._folder)
            elif state != self._opened:
                self._pool.restart(self.prepare(found))
            self._opened = state
            data = self._data(found)
            self._looked = (time.monotonic(), data)
            return self._pool, data

    def _extract(self, setup: sandbox.Setup, data: str, seconds: float) -> Path:
        """A database of its own that holds what the scope shows and nothing else, made by a child; the one before it is removed."""
        file = self._folder / "extract" / f"{hashlib.blake2b(data.encode(), digest_size=8).hexdigest()}.{setup.kind}"
        if not file.exists():
            shutil.rmtree(file.parent, ignore_errors=True)
            file.parent.mkdir()
            extracting = replace(setup, source={**setup.source, "extracts": True}, writable=(*setup.writable, str(file.parent)))
            pool = sandbox.Pool(extracting, replace(self.limits, children=1), self._folder)
            try:
                reply, _ = pool.call({"do": "extract", "to": str(file), "data": ""}, seconds=seconds)
                self._copied_from = {entry["name"]: _table(entry) for entry in reply["tables"]}
            except BaseException:
                file.unlink(missing_ok=True)
                raise
            finally:
                pool.close()
        return file

    def state(self, found: source.Source) -> str:
        """Changes whenever children must open the source anew."""
        return found.fingerprint()


def _table(entry: dict[str, Any]) -> Table:
    return Table(
        name=entry["name"],
        columns=tuple(Column(**column) for column in entry["columns"]),
        primary_key=tuple(entry["primary_key"]),
        foreign_keys=tuple(ForeignKey(tuple(key["columns"]), key["to_table"], tuple(key["to_columns"])) for key in entry["foreign_keys"]),
        comment=entry["comment"],
        rows=entry["rows"],
    )


def _private_folder(parent: str | Path | None) -> Path:
    """A folder of our own for spilling; folders whose owner has ended are removed on the way."""
    place = Path(parent) if parent is not None else Path(tempfile.gettempdir())
    try:
        place.mkdir(parents=True, exist_ok=True)
        _remove_left_behind(place)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        (folder / "owner").write_text(str(os.getpid()))
    except OSError as error:
        raise EngineUnavailable(f"The folder {place} for temporary files cannot be written: {error.strerror}. Set another one.") from error
    return folder


def _remove(folder: Path, owner: int) -> None:
    """Removes a private folder, unless this is a fork of its owner."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_left_behind(place: Path) -> None:
    for folder in place.glob(_PREFIX + "*"):
        with contextlib.suppress(OSError, ValueError):
            owner = int((folder / "owner").read_text())
            if folder.stat().st_uid == os.getuid() and not _runs(owner):
                shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
