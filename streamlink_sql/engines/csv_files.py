"""Turns CSV and JSON files into Parquet, once, so that a broken line is found on opening. Loses no row; runs in a child only."""

from __future__ import annotations

import csv
import gzip
import re
from pathlib import Path

import duckdb

from streamlink_sql.engines import csv_texts
from streamlink_sql.errors import BadRequest, EngineUnavailable, StreamLinkError

_DELIMITERS = (",", ";", "\t", "|")
_ADVICE = "No line is skipped silently: mend it, or take it out, and open the data again."
_HEAD_BYTES = 1 << 20


def load(connection: duckdb.DuckDBPyConnection, form: str, files: list[str], hive: bool, to: str) -> list[str]:
    """Writes the rows of `files` to the Parquet file `to`. Returns notes for the reader; raises on a line that does not fit."""
    names = ", ".join(_text(file) for file in files)
    options = f"hive_partitioning = {str(hive).lower()}, union_by_name = {str(len(files) > 1).lower()}"
    if form == "json":
        _copy(connection, f"read_json([{names}], {options}, ignore_errors = false, maximum_object_size = 67108864)", to, files)
        return []
    options += ", " + _csv_rules(files[0])
    try:
        _copy(connection, f"read_csv([{names}], {options})", to, files)
        notes = []
    except _OddValue as error:
        _copy(connection, f"read_csv([{names}], {options}, sample_size = -1)", to, files)
        notes = [f"{error.file}, line {error.line}: a value does not fit the type of the rows before it, so its column is read as text."]
    return notes + csv_texts.convert(connection, to, files[0] if len(files) == 1 else str(Path(files[0]).parent))


class _OddValue(Exception):
    def __init__(self, file: str, line: str) -> None:
        super().__init__(file, line)
        self.file, self.line = file, line


def _csv_rules(file: str) -> str:
    """Rules that leave nothing to guess but types and header: no skipped line, no comment, no padding; the header's delimiter holds."""
    rules = "quote = '\"', escape = '\"', comment = '', skip = 0, strict_mode = true, null_padding = false, ignore_errors = false"
    head = _head(file)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return rules + ", encoding = 'utf-16'"
    delimiter = _delimiter(head.decode("utf-8", "replace").lstrip("\ufeff").splitlines())
    if not head.strip():
        raise BadRequest(f"{file} is empty. A CSV file needs a first line with the names of its columns.")
    return f"delim = {_text(delimiter)}, {rules}"


def _delimiter(lines: list[str]) -> str:
    """The mark that stands most often, outside quotes, in the first line that is not blank."""
    line = next((line for line in lines if line.strip()), "")
    return max(_DELIMITERS, key=re.sub(r'"(?:[^"]|"")*"', "", line).count)


def _head(file: str) -> bytes:
    if file.lower().endswith(".zst"):
        return b"-"
    opener = gzip.open if file.lower().endswith(".gz") else open
    try:
        with opener(file, "rb") as stream:
            return bytes(stream.read(_HEAD_BYTES))
    except (OSError, EOFError) as error:
        raise EngineUnavailable(f"{file} cannot be read: {error}. Restore it from a copy, or leave it out.") from error


def _copy(connection: duckdb.DuckDBPyConnection, reading: str, to: str, files: list[str]) -> None:
    try:
        connection.execute(f"COPY (SELECT * FROM {reading}) TO {_text(to)} (FORMAT parquet)")
    except duckdb.Error as error:
        Path(to).unlink(missing_ok=True)
        raise _explained(str(error), files) from error


def _explained(text: str, files: list[str]) -> Exception:
    named = re.search(r"file ?= ?(\S.*)", text)
    file = named.group(1).strip() if named else next((file for file in files if file in text), files[0])
    line = re.search(r"CSV Error on Line: (\d+)", text)
    if line and "Could not convert string" in text:
        return _OddValue(file, line.group(1))
    if line:
        return BadRequest(f"{file}, line {line.group(1)}: {_reason(text)} {_ADVICE}")
    return _whole_file(text, file)


def _first_odd_line(file: str) -> str:
    """Where a CSV file that DuckDB cannot make out first differs from its own first line, as a sentence; '' when it does not."""
    head = _head(file)
    if b"\0" in head:
        return "it is not a text file."
    lines = head.decode("utf-8", "replace").lstrip("\ufeff").splitlines(keepends=True)
    rows = csv.reader(lines, delimiter=_delimiter(lines), strict=True)
    width = number = 0
    try:
        for row in rows:
            width = width or len(row)
            if row and len(row) != width:
                return f"line {number + 1} has {len(row)} values where the first line has {width}."
            number = rows.line_num
    except csv.Error:
        return f"from line {number + 1} on, a quoted value is not closed, or a quote stands where none may."
    return ""


def _whole_file(text: str, file: str) -> StreamLinkError:
    first = text.split("\n", 1)[0].strip().rstrip(".")
    if "No space left" in text or "max_temp_directory_size" in text or "File too large" in text:
        return EngineUnavailable(
            f"{file} could not be prepared: the folder for temporary files is full. Free space, or set another folder."
        )
    if "sniffing" in text and (found := _first_odd_line(file)):
        return BadRequest(f"{file}: {found} {_ADVICE}")
    return BadRequest(f"{file} cannot be read: {first}. Mend the file, or leave it out, and open the data again.")


def _reason(text: str) -> str:
    if found := re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text):
        return f"it has {found.group(2)} values where {found.group(1)} are expected."
    if "nicode" in text:
        return "it is not UTF-8 text; save the file as UTF-8."
    if "quote" in text.lower():
        return "a quoted value is not closed, or a quote stands where none may."
    return "it does not fit the lines before it."


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
