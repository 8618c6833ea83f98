"""Makes the data of the patents demo: Parquet files of any size, the same for the same rows and seed. Opens no connection.

The folder appears whole or not at all: everything is written beside it under another name and renamed at the end.
"""

from __future__ import annotations

import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from streamlink_sql.demo import vocabulary
from streamlink_sql.demo.assignees import how_many, make_assignees
from streamlink_sql.demo.glossary import glossary_text
from streamlink_sql.demo.publications import SCHEMA, Publications
from streamlink_sql.errors import BadRequest

VERSION: Final = 1
"""Raised whenever the same rows and seed give other files."""
ROW_GROUP: Final = 122_880
MANIFEST: Final = "manifest.toml"
GLOSSARY: Final = "glossary.toml"
FILES: Final = frozenset({"patents.parquet", "assignees.parquet", "cpc.parquet", GLOSSARY, MANIFEST})

Progress = Callable[[int, int], None]
"""Told the rows done and the rows to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder of demo data holds; `sizes` are the bytes of its files."""

    rows: int
    seed: int
    version: int
    sizes: dict[str, int]

    def text(self) -> str:
        """The manifest as TOML."""
        files = "".join(f'"{name}" = {size}\n' for name, size in sorted(self.sizes.items()))
        return f"rows = {self.rows}\nseed = {self.seed}\nversion = {self.version}\n\n[sizes]\n{files}"


def read_manifest(folder: Path) -> Manifest | None:
    """What `folder` holds, or None when it was not made by `make_patents` or is no longer whole."""
    try:
        entry = tomllib.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        manifest = Manifest(int(entry["rows"]), int(entry["seed"]), int(entry["version"]), {k: int(v) for k, v in entry["sizes"].items()})
        whole = all((folder / name).stat().st_size == size for name, size in manifest.sizes.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return manifest if whole else None


def make_patents(folder: Path, rows: int = 1_000_000, seed: int = 7, progress: Progress | None = None) -> Path:
    """Fills `folder` with patents.parquet, assignees.parquet, cpc.parquet and a glossary, and returns it.

    A folder that holds the same rows and seed is left as it is; one with other demo data is replaced; any other is refused with BadRequest.
    """
    if rows < 0 or seed < 0:
        raise BadRequest(f"The number of rows and the seed must be 0 or more, not {min(rows, seed)}.")
    try:
        if _is_ready(folder, rows, seed):
            return folder
        with _whole_folder(folder) as partial:
            _write_patents(partial, rows, seed, progress)
            sizes = {path.name: path.stat().st_size for path in partial.iterdir()}
            (partial / MANIFEST).write_text(Manifest(rows, seed, VERSION, sizes).text(), encoding="utf-8")
    except OSError as error:
        if _holds(folder, rows, seed):  # another process was faster
            return folder
        raise BadRequest(f"The demo data cannot be written to {folder}: {error.strerror or error}. Choose another folder.") from error
    return folder


def _holds(folder: Path, rows: int, seed: int) -> bool:
    found = read_manifest(folder)
    return found is not None and (found.rows, found.seed, found.version) == (rows, seed, VERSION)


def _is_ready(folder: Path, rows: int, seed: int) -> bool:
    """True when nothing is to be done; BadRequest when the folder holds something that is not ours."""
    if _holds(folder, rows, seed):
        return True
    if folder.is_file() or (folder.is_dir() and not {path.name for path in folder.iterdir()} <= FILES):
        raise BadRequest(f"{folder} holds something other than demo data. Choose another folder, or an empty one.")
    return False


@contextmanager
def _whole_folder(folder: Path) -> Iterator[Path]:
    """A folder to write in that becomes `folder` when all went well, and vanishes otherwise, Ctrl-C included."""
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.absolute().parent))
    try:
        partial = beside / "new"
        partial.mkdir()
        yield partial
        _swap(partial, folder, beside / "old")
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _swap(new: Path, folder: Path, old: Path) -> None:
    """Puts `new` in the place of `folder`; what was there comes back when that fails."""
    replaces = folder.exists()
    if replaces:
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if replaces:
            old.rename(folder)
        raise


def _write_patents(folder: Path, rows: int, seed: int, progress: Progress | None) -> None:
    assignees = make_assignees(how_many(rows), seed)
    _write_table(assignees.table, folder / "assignees.parquet")
    _write_table(_cpc(), folder / "cpc.parquet")
    (folder / GLOSSARY).write_text(glossary_text(), encoding="utf-8")
    publications = Publications(rows, seed, assignees)
    with pq.ParquetWriter(folder / "patents.parquet", SCHEMA, compression="zstd", write_statistics=True) as writer:
        while publications.done < rows:
            writer.write_batch(publications.next_rows(ROW_GROUP), row_group_size=ROW_GROUP)
            if progress is not None:
                progress(publications.done, rows)


def _write_table(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd", write_statistics=True)


def _cpc() -> pa.Table:
    classes, sections = vocabulary.technology_classes(), vocabulary.sections()
    return pa.table(
        {
            "cpc_class": [each.code for each in classes],
            "section": [each.code[0] for each in classes],
            "section_title": [sections[each.code[0]][0] for each in classes],
            "class_title": [each.title for each in classes],
        }
    )
