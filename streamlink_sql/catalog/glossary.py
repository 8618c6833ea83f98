"""The user's own words for tables, columns and values, read from a TOML file. Reads that file and nothing else.

[tables.patents]
synonyms = ["inventions"]
description = "One row a publication."

[tables.patents.columns.country_code]
synonyms = ["country"]
values = { "germany" = "DE", "german" = "DE" }
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rapidfuzz import process, utils

from streamlink_sql.catalog.values import Place, ValueIndex, normalise
from streamlink_sql.errors import BadRequest, NotFound
from streamlink_sql.scope import Scope
from streamlink_sql.types import Table, ValueMatch

FILE_NAME = "glossary.toml"
_LARGEST = 8_000_000
_TABLE_KEYS = ("synonyms", "description", "columns")
_COLUMN_KEYS = ("synonyms", "description", "values")


@dataclass(frozen=True, slots=True)
class Glossary:
    """Words by (table, column); those of a table itself stand under (table, '')."""

    synonyms: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)
    descriptions: Mapping[Place, str] = field(default_factory=dict)
    aliases: Mapping[Place, Mapping[str, str]] = field(default_factory=dict)

    def describe(self, tables: tuple[Table, ...]) -> tuple[Table, ...]:
        """The tables with the glossary's descriptions in place of the engine's comments."""
        if not self.descriptions:
            return tables
        return tuple(self._described(table) for table in tables)

    def _described(self, table: Table) -> Table:
        told = self.descriptions
        columns = tuple(replace(column, comment=told.get((table.name, column.name), column.comment)) for column in table.columns)
        return replace(table, columns=columns, comment=told.get((table.name, ""), table.comment))


class AliasIndex:
    """Finds in a question the words that stand for cells: those of a glossary, and those that everybody says for a code.

    Those of the `weak` columns weigh no more than a cell's own words.
    """

    def __init__(self, aliases: Mapping[Place, Mapping[str, str]], weak: Collection[Place] = ()) -> None:
        self._weak = weak
        self.words = {place: dict(values) for place, values in aliases.items()}
        self._index = ValueIndex(self.words)

    def match(self, question: str) -> tuple[ValueMatch, ...]:
        """The aliases that the question holds whole, as matches of the cells that they stand for."""
        if not self.words:
            return ()
        return tuple(
            replace(
                found,
                value=self.words[found.table, found.column][found.value],
                source="cell" if (found.table, found.column) in self._weak else "glossary",
            )
            for found in self._index.match(question)
            if len(normalise(question[found.start : found.end]).split()) == len(normalise(found.value).split())
        )


def glossary_beside(data: Path) -> Path | None:
    """The glossary of a data folder (`glossary.toml` in it) or of one file (`sales.glossary.toml` beside `sales.duckdb`), if any."""
    path = data / FILE_NAME if data.is_dir() else data.with_name(f"{data.stem}.{FILE_NAME}")
    return path if path.is_file() else None


def load_glossary(path: Path, tables: tuple[Table, ...], scope: Scope | None = None) -> Glossary:
    """The glossary in a file, checked against the tables; BadRequest names the line and the nearest known word.

    With a scope, what it says of tables and columns that are not seen is left out, and so are the values of masked columns.
    """
    text = _read(path)
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadRequest(f"{path.name} is not valid TOML: {error}", file=path.name) from error
    found = _Reader(path.name, text, partly=scope is not None).read(content, tables)
    if scope is None:
        return found
    return replace(found, aliases={place: words for place, words in found.aliases.items() if scope.shows(*place)})


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise BadRequest(f"{path.name} is larger than {_LARGEST // 1_000_000} MB: a glossary lists words, not data.", file=path.name)
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise NotFound(f"There is no glossary at {path}.") from error
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path.name} is not UTF-8 text.", file=path.name) from error
    except OSError as error:
        raise BadRequest(f"{path.name} cannot be read: {error.strerror}.", file=path.name) from error


class _Reader:
    """Checks a parsed glossary piece by piece, so that each complaint names its line."""

    def __init__(self, file: str, text: str, *, partly: bool = False) -> None:
        """`partly` passes over what is not among the tables, as they are not all there are."""
        self._partly = partly
        self._file = file
        self._text = text
        self._synonyms: dict[Place, tuple[str, ...]] = {}
        self._descriptions: dict[Place, str] = {}
        self.words: dict[Place, dict[str, str]] = {}

    def read(self, content: Mapping[str, Any], tables: tuple[Table, ...]) -> Glossary:
        """The glossary that the content spells out."""
        known = {table.name: table for table in tables}
        self._only(content, ("tables",), ())
        for name, entry in self._mapping(content.get("tables", {}), ("tables",)).items():
            path = ("tables", name)
            if self._partly and not _is_among(name, known):
                continue
            table = known[self._known(name, known, "table", path)]
            self._table(table, self._mapping(entry, path), path)
        return Glossary(self._synonyms, self._descriptions, self.words)

    def _table(self, table: Table, entry: Mapping[str, Any], path: tuple[str, ...]) -> None:
        self._only(entry, _TABLE_KEYS, path)
        self._words((table.name, ""), entry, path)
        names = [column.name for column in table.columns]
        for name, about in self._mapping(entry.get("columns", {}), (*path, "columns")).items():
            place = (*path, "columns", name)
            if self._partly and not _is_among(name, names):
                continue
            column = self._known(name, names, f"column of {table.name}", place)
            about = self._mapping(about, place)
            self._only(about, _COLUMN_KEYS, place)
            self._words((table.name, column), about, place)
            values = self._mapping(about.get("values", {}), (*place, "values"))
            if values:
                self.words[table.name, column] = {alias: self._cell(cell, (*place, "values", alias)) for alias, cell in values.items()}

    def _words(self, place: Place, entry: Mapping[str, Any], path: tuple[str, ...]) -> None:
        synonyms = entry.get("synonyms", [])
        if not isinstance(synonyms, list) or not all(isinstance(word, str) and word.strip() for word in synonyms):
            raise self._refusal('synonyms must be a list of texts, such as ["country"]', (*path, "synonyms"))
        description = entry.get("description", "")
        if not isinstance(description, str):
            raise self._refusal("description must be a text", (*path, "description"))
        if synonyms:
            self._synonyms[place] = tuple(word.strip() for word in synonyms)
        if description:
            self._descriptions[place] = description

    def _cell(self, cell: object, path: tuple[str, ...]) -> str:
        if not isinstance(cell, (str, int, float)):
            raise self._refusal(f"the value of {path[-1]!r} must be a text or a number", path)
        return str(cell).lower() if isinstance(cell, bool) else str(cell)

    def _mapping(self, entry: object, path: tuple[str, ...]) -> Mapping[str, Any]:
        if not isinstance(entry, dict):
            raise self._refusal(f"{'.'.join(path)} must be a table of keys", path)
        return entry

    def _only(self, entry: Mapping[str, Any], allowed: tuple[str, ...], path: tuple[str, ...]) -> None:
        for name in entry:
            if name not in allowed:
                raise self._unknown(name, allowed, "key", (*path, name))

    def _known(self, name: str, known: Iterable[str], what: str, path: tuple[str, ...]) -> str:
        """The name as the data spells it; an exact spelling goes before one that differs in case."""
        names = list(known)
        if name in names:
            return name
        for other in names:
            if other.casefold() == name.casefold():
                return other
        raise self._unknown(name, names, what, path)

    def _unknown(self, name: str, known: Iterable[str], what: str, path: tuple[str, ...]) -> BadRequest:
        near = [match for match, _, _ in process.extract(name, list(known), processor=utils.default_process, score_cutoff=50, limit=3)]
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return self._refusal(f"there is no {what} '{name}'{hint}", path, near)

    def _refusal(self, what: str, path: tuple[str, ...], near: list[str] | None = None) -> BadRequest:
        line = _line_of(self._text, path)
        return BadRequest(f"{self._file}, line {line}: {what}", file=self._file, line=line, suggestions=near or None)


def _is_among(name: str, known: Iterable[str]) -> bool:
    return any(other.casefold() == name.casefold() for other in known)


def _line_of(text: str, path: tuple[str, ...]) -> int:
    """The line that spells the most of a key path, counted from 1."""
    best, found = 0, 1
    for line, spelt in _key_lines(text):
        shared = next((at for at, (a, b) in enumerate(zip(spelt, path, strict=False)) if a != b), min(len(spelt), len(path)))
        if shared > best:
            best, found = shared, line
    return found


def _key_lines(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Each line that names a key, with the full path of the key; inline tables count with their own keys."""
    header: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        is_header = stripped.startswith("[")
        try:
            parsed: Any = tomllib.loads(stripped)
        except tomllib.TOMLDecodeError:
            try:
                parsed = tomllib.loads(stripped.partition("=")[0] + "= 0")
            except tomllib.TOMLDecodeError:
                continue
        for inner in _paths(parsed):
            yield number, inner if is_header else header + inner
            if is_header:
                header = inner


def _paths(parsed: object) -> Iterator[tuple[str, ...]]:
    if isinstance(parsed, list) and parsed:
        yield from (path for item in parsed for path in _paths(item))
        return
    if not isinstance(parsed, dict) or not parsed:
        yield ()
        return
    for name, value in parsed.items():
        yield from ((name, *rest) for rest in _paths(value))
