"""The SQLite engine: SQLite files with SQLite's own semantics. Loads no driver; that is the child's work.

How a file is opened: in rollback mode `mode=ro`, under SQLite's own locks, so a writer beside us is seen and waited for. In WAL mode
with a live `-wal` and `-shm`, `mode=ro` as well. In WAL mode without a `-wal`, `immutable=1`: all rows are in the file, and when a
writer comes the children open it anew. What a crashed writer left (a hot journal, a `-wal` without `-shm`) is brought in on a
private copy, never on the user's file.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

from streamlink_sql.engines import sandbox, source
from streamlink_sql.engines.embedded import EmbeddedEngine
from streamlink_sql.errors import BadRequest, EngineUnavailable
from streamlink_sql.scope import Scope
from streamlink_sql.types import Dialect

_WAL_MODE = 2
_COPY_LIMIT = 2 * 2**30
_EXTRACT_LIMIT_S = 600.0


class SQLiteEngine(EmbeddedEngine):
    """Reads one SQLite file, read-only, with an authorizer that allows SELECT, known functions and the file's own tables only.

    `spill_limit_mb` bounds each temporary file. Columns that mix kinds of values come as text; dates stay text, as SQLite has them.
    """

    name: str = "sqlite"
    dialect: Dialect = "sqlite"

    def __init__(
        self,
        path: str | Path,
        *,
        memory_limit_mb: int = 512,
        scope: Scope | None = None,
        spill_dir: str | Path | None = None,
        spill_limit_mb: int = 2048,
        result_limit_mb: int = 32,
        children: int = 2,
    ) -> None:
        limits = sandbox.Limits(memory_mb=memory_limit_mb, threads=1, spill_mb=spill_limit_mb, result_mb=result_limit_mb, children=children)
        super().__init__(path, limits, scope=scope, spill_dir=spill_dir, catalog_limit_s=120.0)

    @property
    def version(self) -> str:
        """The driver and its version."""
        import sqlite3

        return f"sqlite {sqlite3.sqlite_version}"

    def prepare(self, found: source.Source) -> sandbox.Setup:
        """The file, and how it can be opened without writing to it."""
        if found.kind != "sqlite":
            raise BadRequest(f"{found.path} is not a SQLite database; the DuckDB engine reads it.")
        mode = _mode(found.path)
        path = self._copied(found) if mode == "copy" else found.path
        writable = (str(path.parent),) if mode == "copy" else ()
        files = (str(path), *(str(path) + side for side in ("-wal", "-shm", "-journal")))
        opened = sandbox.Setup("sqlite", {"database": str(path), "mode": mode}, readable=files, writable=writable)
        if self.scope is None:
            return opened
        scoped = replace(opened, source={**opened.source, "scope": self.scope.body()})
        if not self.scope.isolate:
            return scoped
        extract = str(self._extract(scoped, self._data(found), _EXTRACT_LIMIT_S))
        return sandbox.Setup("sqlite", {"database": extract, "mode": "immutable"}, readable=(extract,))

    def state(self, found: source.Source) -> str:
        """Connections under SQLite's locks see changes by themselves; the others must open the file anew."""
        mode = _mode(found.path)
        own = found.path.stat()
        sees_changes = mode == "ro" and not (self.scope and self.scope.isolate)
        return f"{mode} {own.st_dev} {own.st_ino} " + ("" if sees_changes else found.fingerprint())

    def _copied(self, found: source.Source) -> Path:
        files = [Path(str(found.path) + side) for side in ("", "-wal", "-journal")]
        size = sum(file.stat().st_size for file in files if file.exists())
        if size > _COPY_LIMIT:
            raise EngineUnavailable(
                f"{found.path} was left by a writer that ended in the middle, and is too large to mend on a copy. "
                "Open and close it once with sqlite3."
            )
        folder = self._folder / "mended"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir()
            for file in files:
                if file.exists():
                    shutil.copyfile(file, folder / ("data" + file.name[len(found.path.name) :]))
        except OSError as error:
            raise EngineUnavailable(f"{found.path} could not be copied for mending: {error.strerror}.") from error
        return folder / "data"


def _mode(path: Path) -> str:
    """'ro', 'immutable' or 'copy': how the file can be read without a write to it."""
    try:
        header = source.first_bytes(path, 20)
        wal, shm, journal = (_size(path, side) for side in ("-wal", "-shm", "-journal"))
    except OSError as error:
        raise EngineUnavailable(f"{path} cannot be read: {error.strerror}.") from error
    if len(header) == 20 and header[18] == _WAL_MODE:
        if not wal:
            return "immutable"
        return "ro" if shm else "copy"
    return "copy" if journal and not source.open_here(path) and _hot(path) else "ro"


def _hot(path: Path) -> bool:
    """Whether the journal beside the file is of a writer that is gone: nobody holds SQLite's RESERVED lock."""
    import fcntl
    import struct

    start = 0x40000000 + 1
    with path.open("rb") as file, Path(str(path) + "-journal").open("rb") as journal:
        if journal.read(8) != b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7":
            return False
        asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, start, 1, 0)
        try:
            answer = fcntl.fcntl(file, fcntl.F_GETLK, asked)
        except OSError:
            return False
    return bool(struct.unpack("hhqqi4x", answer)[0] == fcntl.F_UNLCK)


def _size(path: Path, side: str) -> int:
    try:
        return Path(str(path) + side).stat().st_size
    except FileNotFoundError:
        return 0
