"""How an answer leaves the command line, in each format. Cells are data: none reaches a terminal or a sheet as a command."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import IO

from streamlink_sql.cli.terminal import for_terminal, json_line
from streamlink_sql.errors import BadRequest
from streamlink_sql.export import write_csv, write_parquet, write_xlsx
from streamlink_sql.types import Answer


class Format(StrEnum):
    """What an answer looks like."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"
    xlsx = "xlsx"


SUFFIXES = {**{f".{form}": form for form in Format}, ".pq": Format.parquet, ".txt": Format.table}
BINARY = {Format.parquet: write_parquet, Format.xlsx: write_xlsx}


def choose_format(asked: Format | None, output: Path | None) -> Format:
    """The format that was asked for, or the one that the file's name tells."""
    if asked is None and output is not None:
        if output.suffix.lower() not in SUFFIXES:
            raise BadRequest(f"Say with --format how to write {output.name}: table, csv, json, parquet or xlsx.")
        asked = SUFFIXES[output.suffix.lower()]
    if asked in BINARY and output is None and sys.stdout.isatty():
        raise BadRequest(f"{asked} is not for a terminal: name a file with --output.")
    return asked or Format.table


def check_output(output: Path | None) -> None:
    """Raises BadRequest early where the file could not be written."""
    if output is None:
        return
    if output.is_dir():
        raise BadRequest(f"{output} is a folder; name a file with --output.")
    if output.exists() and not output.is_file():
        raise BadRequest(f"{output} is not a plain file; name one with --output, or leave it out to write to stdout.")
    if not output.parent.is_dir() or not os.access(output.parent, os.W_OK):
        raise BadRequest(f"{output.parent} is not a folder that can be written to.")


def write_answer(answer: Answer, form: Format, output: Path | None, *, sql: bool = False) -> None:
    """Writes the answer to a file, whole or not at all, or to stdout."""
    if output is not None:
        with whole_file(output) as file:
            _write(answer, form, file, sql=sql, terminal=False)
        return
    _write(answer, form, sys.stdout.buffer, sql=sql, terminal=sys.stdout.isatty())
    sys.stdout.buffer.flush()


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name when all of it is written, and not at all otherwise. A link stays one: its target is written."""
    try:
        path = path.resolve()
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            mask = os.umask(0)
            os.umask(mask)
            Path(name).chmod(0o666 & ~mask)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BadRequest(f"{path} cannot be written: {error.strerror}. Nothing of it is left behind.") from error


def _write(answer: Answer, form: Format, file: IO[bytes], *, sql: bool, terminal: bool) -> None:
    if form in BINARY:
        BINARY[form](answer, file)
    elif form is Format.json:
        file.write(json_line(answer.body()).encode() + b"\n")
    elif form is Format.csv:
        write_csv(answer, file)
    else:
        from streamlink_sql.cli.table import render_table

        above = for_terminal(answer.sql, lines=True) + "\n\n" if sql else ""
        file.write((above + render_table(answer, terminal=terminal)).encode())
