"""Texts with a label, attack or harmless, from CSV files and from SQL files with marker lines. Judges and runs none of them."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from streamlink_sql.errors import BadRequest, NotFound

csv.field_size_limit(2**24)

_MARKER = re.compile(r"-- (?:(allow)|refuse(?:: *([\w.]+))?)( json)?\s*")
_HEADING = re.compile(r"-- (?:#|class: *([\w-]*)).*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Labelled:
    """One text. `code` is that of the refusal expected and `group` the class of attack, where the file says them; `dialect` is empty where
    the text is for every engine.
    """

    id: str
    text: str
    attack: bool
    code: str = ""
    dialect: str = ""
    group: str = ""


def read_texts(path: Path) -> list[Labelled]:
    """The texts of a file: of SQL with marker lines where its name ends in `.sql`, else of CSV; raises NotFound and BadRequest."""
    return read_statements(path) if path.suffix.lower() == ".sql" else read_labelled(path)


def read_labelled(path: Path) -> list[Labelled]:
    """The rows of a CSV file with `id`, `text`, `label` (1 = attack), maybe `dialect` and `class`; raises NotFound and BadRequest."""
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if missing := [name for name in ("id", "text", "label") if name not in (reader.fieldnames or ())]:
                raise BadRequest(f"{path} lacks the column {' and '.join(missing)}. It needs id, text and label (1 = attack).")
            rows = [(line["id"], line["text"], line["label"], line.get("dialect"), line.get("class")) for line in reader]
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path} is not UTF-8 text: {error}.") from error
    except csv.Error as error:
        raise BadRequest(f"{path} cannot be read as CSV: {error}.") from error
    for number, (_, text, label, _, _) in enumerate(rows, 1):
        if label not in ("0", "1") or text is None:
            raise BadRequest(f"{path}, row {number}: the label is {label!r}; it must be 0 or 1.")
    if not rows:
        raise BadRequest(f"{path} has no rows.")
    return [
        Labelled(id_ or f"row {number}", text, label == "1", dialect=(dialect or "").strip().lower(), group=(group or "").strip())
        for number, (id_, text, label, dialect, group) in enumerate(rows, 1)
    ]


def read_statements(path: Path) -> list[Labelled]:
    """The statements of a SQL file below their lines `-- allow` or `-- refuse: CODE`; raises NotFound and BadRequest.

    A statement goes up to the next marker or heading (`-- class: ...`, `-- # ...`). After `json` on the marker comes a JSON string,
    for characters that no editor shows. Its id is the line of its marker.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    try:
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path} is not UTF-8 text: {error}.") from error
    found = [_statement(path, *block) for block in _blocks(lines)]
    if not found:
        raise BadRequest(f"{path} has no line `-- allow` or `-- refuse: CODE`; one stands above each statement.")
    return found


def _blocks(lines: list[str]) -> Iterator[tuple[int, re.Match[str], str, str]]:
    """Each marker with the number of its line, the text below it and the class above it."""
    open_: tuple[int, re.Match[str], list[str]] | None = None
    group = ""
    for number, line in enumerate([*lines, "-- #"], 1):
        marker, heading = _MARKER.fullmatch(line), _HEADING.fullmatch(line)
        if open_ and (marker or heading):
            yield open_[0], open_[1], "\n".join(open_[2]).strip(" \t\r\n"), group
            open_ = None
        group = heading[1] if heading and heading[1] else group
        if marker:
            open_ = number, marker, []
        elif open_:
            open_[2].append(line)


def _statement(path: Path, number: int, marker: re.Match[str], text: str, group: str) -> Labelled:
    allow, code, escaped = marker.groups()
    if not text:
        raise BadRequest(f"{path}, line {number}: no statement stands below the marker.")
    if escaped:
        try:
            text = json.loads(text)
        except ValueError as error:
            raise BadRequest(f"{path}, line {number}: what stands below is not JSON: {error}.") from error
        if not isinstance(text, str):
            raise BadRequest(f"{path}, line {number}: what stands below is not a JSON string.")
    return Labelled(f"line {number}", text, not allow, code or "", group=group)
