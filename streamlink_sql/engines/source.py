"""What lies at a path: which files, of which kind, and the tables they become. Looks at names and first bytes; reads no data."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from streamlink_sql.errors import BadRequest, EngineUnavailable, Forbidden, NotFound
from streamlink_sql.scope import Scope

Format = Literal["parquet", "csv", "json"]

_FORMATS: dict[str, Format] = {
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".csv", ".tsv", ".csv.gz", ".tsv.gz", ".csv.zst", ".tsv.zst"), "csv"),
    **dict.fromkeys(
        (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz", ".json.zst", ".jsonl.zst", ".ndjson.zst"), "json"
    ),
}
_SQLITE_ENDINGS = (".sqlite", ".sqlite3", ".db", ".db3", ".s3db")
_DUCKDB_ENDINGS = (".duckdb", ".ddb")
KNOWN_TYPES = "Parquet (.parquet), CSV (.csv, .tsv), JSON (.json, .jsonl, .ndjson), DuckDB (.duckdb) and SQLite (.sqlite, .sqlite3, .db)"
_COMPANIONS = (".toml",)
"""What may lie beside data and is none: glossary and manifest."""
_HIVE = re.compile(r"^[^=]+=[^=]*$")


@dataclass(frozen=True, slots=True)
class FileTable:
    """A table made of files of one format; `hive` when its folders carry column values (`year=2024`)."""

    name: str
    format: Format
    files: tuple[str, ...]
    hive: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """`kind` says which engine reads it; `tables` are set for files and folders; `ignored` are files of no known type."""

    kind: Literal["files", "duckdb", "sqlite"]
    path: Path
    tables: tuple[FileTable, ...] = ()
    ignored: tuple[str, ...] = ()

    def files(self) -> tuple[str, ...]:
        """Every file that holds data."""
        if self.kind == "files":
            return tuple(file for table in self.tables for file in table.files)
        sides = (".wal",) if self.kind == "duckdb" else ("-wal", "-shm", "-journal")
        return (str(self.path), *(str(self.path) + side for side in sides))

    def fingerprint(self) -> str:
        """Changes when a file is replaced, changed, added or removed."""
        return fingerprint(file for file in self.files() if not file.endswith("-shm"))


def within(found: Source, scope: Scope) -> Source:
    """The source without the files of tables that a scope does not show; Forbidden where that leaves nothing."""
    if found.kind != "files":
        return found
    scope.refuse_unknown(table.name for table in found.tables)
    shown = tuple(table for table in found.tables if scope.view(table.name))
    if not shown:
        raise Forbidden("Your role may see none of the tables of this data.", rule="role")
    return replace(found, tables=shown, ignored=())


def look(path: str | Path) -> Source:
    """The source at a path. Raises NotFound, BadRequest or EngineUnavailable with what to do about it."""
    place = Path(path).expanduser().absolute()
    try:
        if not place.exists():
            raise NotFound(f"There is nothing at {place}. Give a folder or a file: {KNOWN_TYPES}.")
        if not (place.is_file() or place.is_dir()):
            raise BadRequest(f"{place} is neither a file nor a folder but a device or a pipe. Write what it gives to a file first.")
        return _folder(place) if place.is_dir() else _file(place)
    except PermissionError as error:
        raise EngineUnavailable(f"{error.filename or place} may not be read by this user; change its permissions.") from error
    except OSError as error:
        raise EngineUnavailable(f"{place} cannot be read: {error.strerror}. Give another folder or file.") from error


def fingerprint(files: Iterable[str]) -> str:
    """A short text made of the paths, sizes, inodes and times of files; a missing file counts as missing."""
    digest = hashlib.blake2b(digest_size=12)
    for file in files:
        try:
            state = Path(file).stat()
            digest.update(f"{file}\0{state.st_size}\0{state.st_mtime_ns}\0{state.st_ino}\n".encode(errors="surrogateescape"))
        except OSError:
            digest.update(f"{file}\0-\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def first_bytes(path: Path, count: int) -> bytes:
    """The first bytes of a file. Where this process has it open, another one reads: closing a file drops its process's locks on it."""
    state = path.stat()
    return _first_bytes(path, count, (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns))


@lru_cache(maxsize=256)
def _first_bytes(path: Path, count: int, _: tuple[int, ...]) -> bytes:
    if not open_here(path):
        with path.open("rb") as file:
            return file.read(count)
    script = f"import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read({int(count)}))"
    return subprocess.run([sys.executable, "-I", "-S", "-c", script, str(path)], capture_output=True, check=False, timeout=30).stdout


def open_here(path: Path) -> bool:
    """Whether this process holds the file open, as far as the system tells."""
    state = path.stat()
    for handle in Path("/proc/self/fd").glob("*"):
        with contextlib.suppress(OSError):
            other = handle.stat()
            if (other.st_dev, other.st_ino) == (state.st_dev, state.st_ino):
                return True
    return False


def _file(path: Path) -> Source:
    start = first_bytes(path, 16)
    ending, name = path.suffix.lower(), path.name
    if start == b"SQLite format 3\0" or (not start and ending in _SQLITE_ENDINGS):
        return Source("sqlite", path)
    if start[8:12] == b"DUCK":
        return Source("duckdb", path)
    if ending in _SQLITE_ENDINGS or ending in _DUCKDB_ENDINGS:
        kind = "DuckDB" if ending in _DUCKDB_ENDINGS else "SQLite"
        raise EngineUnavailable(
            f"{path} is not a {kind} database, or its first bytes are damaged. Restore it from a copy, or give another file."
        )
    form = _format(name)
    if form is None:
        raise BadRequest(f"{path} is of a type that is not known here. Known are: {KNOWN_TYPES}, and folders of such files.")
    return Source("files", path, (_table(path.name, form, [path]),))


def _folder(folder: Path) -> Source:
    entries = sorted(entry for entry in folder.iterdir() if not _hidden(entry.name))
    ignored: list[str] = []
    if any(entry.is_dir() and _HIVE.match(entry.name) for entry in entries):
        table = _folder_table(folder, ignored)
        tables = [table] if table else []
    else:
        found = [_folder_table(entry, ignored) if entry.is_dir() else _file_table(entry, ignored) for entry in entries]
        tables = [table for table in found if table is not None]
    _refuse_twins(tables)
    if not tables:
        raise BadRequest(_no_tables(folder, ignored))
    return Source("files", folder, tuple(tables), tuple(name for name in ignored if not name.endswith(_COMPANIONS)))


def _file_table(path: Path, ignored: list[str]) -> FileTable | None:
    form = _format(path.name)
    if form is None or not path.is_file():
        ignored.append(path.name)
        return None
    return _table(path.name, form, [path])


def _folder_table(folder: Path, ignored: list[str]) -> FileTable | None:
    files: list[Path] = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _hidden(name))
        files += [Path(root, name) for name in sorted(names) if not _hidden(name)]
    known = [(file, form) for file in files if (form := _format(file.name))]
    ignored += [str(file.relative_to(folder.parent)) for file in files if _format(file.name) is None]
    formats = {form for _, form in known}
    if len(formats) > 1:
        raise BadRequest(
            f"The folder {folder} mixes {', '.join(sorted(formats))} files, so it is not one table. "
            "Put each format into a folder of its own, or give the folder itself as the data."
        )
    if not known:
        return None
    hive = any(_HIVE.match(part) for part in known[0][0].relative_to(folder).parts[:-1])
    return _table(folder.name, known[0][1], [file for file, _ in known], hive=hive)


def _table(name: str, form: Format, files: list[Path], *, hive: bool = False) -> FileTable:
    return FileTable(_table_name(name), form, tuple(str(file) for file in files), hive)


def _table_name(name: str) -> str:
    """A file's name as a table's: without its endings, with _ for what is neither letter nor digit."""
    ending = _ending(name)
    stem = name[: -len(ending)] if ending else name
    return re.sub(r"\W+", "_", stem).strip("_") or "data"


def _refuse_twins(tables: list[FileTable]) -> None:
    seen: dict[str, FileTable] = {}
    for table in tables:
        twin = seen.setdefault(table.name.casefold(), table)
        if twin is not table:
            raise BadRequest(
                f"{twin.files[0]} and {table.files[0]} would both become the table {table.name}. Rename one of them, or move one elsewhere."
            )


def _no_tables(folder: Path, ignored: list[str]) -> str:
    databases = [name for name in ignored if Path(name).suffix.lower() in (*_SQLITE_ENDINGS, *_DUCKDB_ENDINGS)]
    if databases:
        return f"The folder {folder} holds no tables but databases. Give one of them instead: {', '.join(databases[:5])}."
    return f"The folder {folder} holds no tables. A table is a file, or a folder of files, of one of these types: {KNOWN_TYPES}."


def _ending(name: str) -> str:
    lower = name.lower()
    return next((ending for ending in sorted(_FORMATS, key=len, reverse=True) if lower.endswith(ending)), "")


def _format(name: str) -> Format | None:
    return _FORMATS.get(_ending(name))


def _hidden(name: str) -> bool:
    return name.startswith((".", "_"))
