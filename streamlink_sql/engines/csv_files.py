"""Turns CSV and JSON files into Parquet, once, so that a broken line is found on opening. Loses no row; runs in a child, or in `ingest`."""

from __future__ import annotations

import codecs
import csv
import gzip
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from streamlink_sql.engines import csv_texts
from streamlink_sql.engines.spelling import literal, quoted
from streamlink_sql.engines.together import refuse_strangers
from streamlink_sql.errors import BadRequest, EngineUnavailable, StreamLinkError

_DELIMITERS = (",", ";", "\t", "|")
_ADVICE = "No line is skipped silently: mend it, or take it out, and open the data again."
_HEAD_BYTES, _START_BYTES = 1 << 20, 1 << 16
_YEAR_FIRST = re.compile(r"\s*\d{4}[-/.]")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*")
_CSV_TYPES = ("NULL", "BOOLEAN", "BIGINT", "HUGEINT", "DOUBLE", "TIME", "DATE", "TIMESTAMP", "TIMESTAMPTZ", "VARCHAR")
"""DuckDB's own list, and HUGEINT: a number of 20 digits is a number of something, and keeps all of them."""


def load(connection: duckdb.DuckDBPyConnection, form: str, files: list[str], hive: bool, to: str) -> list[str]:
    """Writes the rows of `files` to the Parquet file `to`. Returns notes for the reader; raises on a line that does not fit.

    Types are those that fit all rows: DuckDB judges by the first ones, and would round or cut what it finds later without a word.
    """
    notes = []
    if form == "json":
        rules = "ignore_errors = false, maximum_object_size = 67108864, sample_size = -1" + _json_rules(files)
        refuse_strangers(connection, {file: f"read_json({literal(file)})" for file in files})
        quick = whole = _reading("read_json", files, hive, rules)
    else:
        alike = _alike(files)
        notes = [f"{file} is empty and left out." for file in alike.pop("", [])]
        alone = {file: _reading("read_csv", [file], False, rules) for rules, part in alike.items() for file in part}
        refuse_strangers(connection, alone)
        alike = {rules + _dates_as_text(connection, part, hive, rules): part for rules, part in alike.items()}
        quick, whole = (
            _together([_reading("read_csv", part, hive, rules + more) for rules, part in alike.items()])
            for more in ("", ", sample_size = -1")
        )
    odd: _OddValue | None = None
    try:
        _copy(connection, quick, to, files)
    except _OddValue as error:
        odd = error
    types = _types(connection, whole)
    if odd is not None or types != _types(connection, f"read_parquet({literal(to)})"):
        _copy_all(connection, whole, to, files, types)
    if odd is not None and types.get(odd.column, "VARCHAR") == "VARCHAR":
        said = "a value does not fit the type of the rows before it, so its column is read as text."
        notes.append(f"{odd.file}, line {odd.line}: {said}")
    if form == "json":
        return []
    place = files[0] if len(files) == 1 else str(Path(files[0]).parent)
    return notes + _head_notes(place, list(types)) + csv_texts.convert(connection, to, place)


def _reading(function: str, files: list[str], hive: bool, rules: str) -> str:
    """Files of one kind as one table."""
    names = ", ".join(literal(file) for file in files)
    return f"{function}([{names}], hive_partitioning = {str(hive).lower()}, union_by_name = {str(len(files) > 1).lower()}, {rules})"


def _together(readings: list[str]) -> str:
    return readings[0] if len(readings) == 1 else f"({' UNION ALL BY NAME '.join(f'SELECT * FROM {reading}' for reading in readings)})"


def _alike(files: list[str]) -> dict[str, list[str]]:
    """The CSV files of a table by the rules that each needs; under '' those that are empty."""
    found: dict[str, list[str]] = {}
    for file in files:
        found.setdefault(_csv_rules(file), []).append(file)
    if not any(found):
        raise BadRequest(f"{files[0]} is empty. A CSV file needs a first line with the names of its columns.")
    return found


def _dates_as_text(connection: duckdb.DuckDBPyConnection, files: list[str], hive: bool, rules: str) -> str:
    """The rule that leaves dates alone that do not begin with the year: DuckDB would guess which of 03/04/2024 is the month."""
    try:
        found = {name for file in files for name in _dates_otherwise(connection, file, hive, rules)}
    except duckdb.Error:
        return ""  # told when the rows are read
    texts = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in sorted(found))
    return f", types = {{{texts}}}" if texts else ""


def _dates_otherwise(connection: duckdb.DuckDBPyConnection, file: str, hive: bool, rules: str) -> list[str]:
    """The columns of a file that DuckDB takes for dates and whose first value does not begin with the year."""
    types = _types(connection, _reading("read_csv", [file], hive, rules))
    dates = [name for name, native in types.items() if native in ("DATE", "TIMESTAMP")]
    if not dates:
        return []
    raw = _reading("read_csv", [file], hive, rules + ", all_varchar = true")
    firsts = ", ".join(f"(SELECT {quoted(name)} FROM {raw} WHERE trim({quoted(name)}) <> '' LIMIT 1)" for name in dates)
    row = connection.execute(f"SELECT {firsts}").fetchall()[0]
    return [name for name, first in zip(dates, row, strict=True) if first and not _YEAR_FIRST.match(str(first))]


def _types(connection: duckdb.DuckDBPyConnection, reading: str) -> dict[str, str]:
    return {str(row[0]): str(row[1]) for row in connection.execute(f"DESCRIBE SELECT * FROM {reading}").fetchall()}


def _head_notes(place: str, names: list[str]) -> list[str]:
    """A note where the first line could be data: the first line of a CSV file is always its names."""
    if not any(_NUMBER.fullmatch(name) for name in names):
        return []
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return [f"{place}: its first line was taken for the names of its columns ({shown}). If it is data, put a line with names above it."]


class _OddValue(Exception):
    def __init__(self, file: str, line: str, column: str) -> None:
        super().__init__(file, line, column)
        self.file, self.line, self.column = file, line, column


def _csv_rules(file: str) -> str:
    """Rules that leave nothing to guess but types: no skipped line, no comment, no padding; the header's delimiter holds. '' if empty."""
    rules = (
        "quote = '\"', escape = '\"', comment = '', strict_mode = true, null_padding = false, ignore_errors = false, "
        f"header = true, auto_type_candidates = [{', '.join(map(literal, _CSV_TYPES))}]"
    )
    head = _head(file, _START_BYTES)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return rules + ", skip = 0, encoding = 'utf-16'"
    if not head.strip():
        return ""
    skip, delimiter = _start(_lines(head))
    return f"delim = {literal(delimiter)}, skip = {skip}, {rules}"


def _json_rules(files: list[str]) -> str:
    """A byte order mark hides from DuckDB that a file is one array of rows."""
    heads = [_head(file, _START_BYTES) for file in files]
    is_array = all(head.startswith(codecs.BOM_UTF8) and head[3:].lstrip().startswith(b"[") for head in heads)
    return ", format = 'array'" if is_array else ""


def _lines(head: bytes) -> list[str]:
    return head.decode("utf-8", "replace").lstrip("\ufeff").splitlines(keepends=True)


def _start(lines: list[str]) -> tuple[int, str]:
    """How many lines stand before the header (blank ones, Excel's `sep=;`), and its delimiter: the mark that stands most often in it."""
    skip = next((number for number, line in enumerate(lines) if line.strip()), 0)
    told = re.fullmatch(r'"?sep=(.)"?', lines[skip].rstrip("\r\n")) if lines else None
    if told:
        return skip + 1, told.group(1)
    header = re.sub(r'"(?:[^"]|"")*"', "", lines[skip]) if lines else ""
    return skip, max(_DELIMITERS, key=header.count)


def _head(file: str, size: int = _HEAD_BYTES) -> bytes:
    try:
        if file.lower().endswith(".zst"):
            with pa.input_stream(file, compression="zstd") as stream:
                return bytes(stream.read(size))
        with (gzip.open if file.lower().endswith(".gz") else open)(file, "rb") as plain:
            return bytes(plain.read(size))
    except (OSError, EOFError, zlib.error) as error:
        raise EngineUnavailable(f"{file} cannot be read: {error}. Restore it from a copy, or leave it out.") from error


def _copy_all(connection: duckdb.DuckDBPyConnection, reading: str, to: str, files: list[str], types: Mapping[str, str]) -> None:
    """Writes rows whose types all of them fit; BadRequest where files of one table do not go together."""
    try:
        _copy(connection, reading, to, files, [name for name, native in types.items() if native == "HUGEINT"])
    except _OddValue as error:
        said = f"a value of {error.column or 'a column'} does not go together with the values of the other files."
        raise BadRequest(f"{error.file}, line {error.line}: {said} Write the files alike, or make them tables of their own.") from error


def _copy(connection: duckdb.DuckDBPyConnection, reading: str, to: str, files: list[str], huge: Sequence[str] = ()) -> None:
    """`huge` are columns of integers past 64 bits, which Parquet has no type for but DECIMAL."""
    exact = ", ".join(f"CAST({quoted(name)} AS DECIMAL(38, 0)) AS {quoted(name)}" for name in huge)
    try:
        connection.execute(f"COPY (SELECT *{f' REPLACE ({exact})' if exact else ''} FROM {reading}) TO {literal(to)} (FORMAT parquet)")
    except duckdb.Error as error:
        Path(to).unlink(missing_ok=True)
        raise _explained(str(error), files) from error


def _explained(text: str, files: list[str]) -> Exception:
    named = re.search(r'sniffing file "(.*)"', text) or re.search(r"file ?= ?(\S.*)", text)
    file = named.group(1).strip() if named else next((file for file in files if file in text), files[0])
    line = re.search(r"CSV Error on Line: (\d+)", text)
    if line and "Could not convert string" in text:
        column = re.search(r'Error when converting column "(.*?)"\. Could not', text)
        return _OddValue(file, line.group(1), column.group(1) if column else "")
    if line:
        return BadRequest(f"{file}, line {line.group(1)}: {_reason(text)} {_ADVICE}")
    return _whole_file(text, file)


def _first_odd_line(file: str) -> str:
    """Where a CSV file that DuckDB cannot make out first differs from its own first line, as a sentence; '' when it does not."""
    head = _head(file)
    if b"\0" in head:
        return "it is not a text file."
    lines = _lines(head)
    skip, delimiter = _start(lines)
    rows = csv.reader(lines[skip:], delimiter=delimiter, strict=True)
    width = number = 0
    try:
        for row in rows:
            width = width or len(row)
            if row and len(row) != width:
                return f"line {skip + number + 1} has {len(row)} values where the first line has {width}."
            number = rows.line_num
    except csv.Error:
        return f"from line {skip + number + 1} on, a quoted value is not closed, or a quote stands where none may."
    if re.search(rb"\r\n", head) and re.search(rb"(?<!\r)\n", head):
        return "some lines end with CR LF, some with LF only. Save it with one kind of line ends."
    return ""


def _whole_file(text: str, file: str) -> StreamLinkError:
    first = text.split("\n", 1)[0].strip().rstrip(".")
    if "No space left" in text or "max_temp_directory_size" in text or "File too large" in text:
        return EngineUnavailable(
            f"{file} could not be prepared: the folder for temporary files is full. Free space, or set another folder."
        )
    if ("sniffing" in text or "state machine" in text) and (found := _first_odd_line(file)):
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
