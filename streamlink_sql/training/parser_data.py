"""Reads training questions into examples for the embedded parser. Trains nothing.

Every set has lines `db_id`, `question`, `query`, Spider's tables.json for its schemas and, where there are rows, a folder of databases.
"""

from __future__ import annotations

import gzip
import json
import random
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from streamlink_sql.catalog.codes import with_codes
from streamlink_sql.catalog.glossary import AliasIndex
from streamlink_sql.catalog.reading import flags_of, matched
from streamlink_sql.catalog.values import Place, ValueIndex
from streamlink_sql.errors import BadRequest
from streamlink_sql.generators.parser.actions import FIXED, KEYWORD_COUNT, Layout, Position, number_matches
from streamlink_sql.generators.parser.ir import Col, NotCovered, Schema, Tab, Token, Val, to_ir
from streamlink_sql.generators.parser.linking import MOST_WORDS, shown_name, split_words
from streamlink_sql.generators.parser.literals import LITERALS, locate, target_of
from streamlink_sql.generators.parser.tokens import KEYWORDS
from streamlink_sql.types import Column, Dialect, ForeignKey, Kind, Table, ValueMatch

Aliases = Mapping[Place, Mapping[str, str]]
"""A glossary's words for cells: cells by words, by (table, column)."""
_KEYWORD = {name: number for number, name in enumerate(KEYWORDS)}
_LITERAL: dict[str | int | float, int] = {value: number for number, value in enumerate(LITERALS)}


@dataclass(frozen=True, slots=True)
class Database:
    """A schema with what training needs of its content."""

    name: str
    tables: tuple[Table, ...]
    synonyms: Mapping[Place, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Example:
    """One question and what the decoder should write: symbols ('K'|'L'|'W'|'T'|'C', index), over the whole schema of its database."""

    set: str
    database: str
    question: str
    query: str
    matches: tuple[ValueMatch, ...]
    symbols: tuple[tuple[str, int], ...]


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON lines file, gzipped or not."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
            except ValueError as error:
                raise BadRequest(f"{path}, line {number} is not JSON: {error}") from error
            if not isinstance(entry, dict):
                raise BadRequest(f"{path}, line {number} is no JSON object.")
            yield entry


def kind_of(native: str) -> Kind:
    """What a declared type means."""
    name = native.upper()
    for words, kind in (
        (("BOOL",), "boolean"),
        (("INT", "YEAR"), "integer"),
        (("TIMESTAMP", "DATETIME"), "timestamp"),
        (("DATE",), "date"),
        (("REAL", "FLOA", "DOUB"), "real"),
        (("DEC", "NUM", "NUMBER"), "decimal"),
        (("TIME",), "time"),
        (("BLOB",), "binary"),
    ):
        if any(word in name for word in words):
            return kind  # type: ignore[return-value]
    return "text"


def read_databases(tables_json: Path, folder: Path | None) -> dict[str, Database]:
    """Schemas in Spider's tables.json format; declared types from the SQLite files of `folder` where they are there."""
    found = {}
    for entry in json.loads(tables_json.read_text(encoding="utf-8")):
        path = folder / f"{entry['db_id']}.sqlite" if folder else None
        native = _native_types(path) if path and path.exists() else {}
        found[entry["db_id"]] = _database(entry, native)
    return found


def read_aliases(tables_json: Path) -> dict[str, Aliases]:
    """The words for cells in `value_aliases` of each schema, where there are any."""
    entries = json.loads(tables_json.read_text(encoding="utf-8"))
    return {entry["db_id"]: {(table, column): words for table, column, words in entry.get("value_aliases", ())} for entry in entries}


def _native_types(path: Path) -> dict[tuple[str, str], str]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
    types = {
        (name.casefold(), row[1].casefold()): str(row[2])
        for name in names
        for row in connection.execute(f"PRAGMA table_info({json.dumps(name)})")
    }
    connection.close()
    return types


_SPIDER_TYPES: dict[str, Kind] = {"number": "real", "time": "date", "boolean": "boolean", "text": "text", "others": "other"}


def _database(entry: Mapping[str, Any], native: Mapping[tuple[str, str], str]) -> Database:
    names, columns = entry["table_names_original"], entry["column_names_original"]
    given: Sequence[Kind] | None = entry.get("column_kinds")
    keys: dict[int, list[str]] = defaultdict(list)
    for key in entry["primary_keys"]:
        for column in key if isinstance(key, list) else [key]:
            keys[columns[column][0]].append(columns[column][1])
    refers: dict[int, list[ForeignKey]] = defaultdict(list)
    for left, right in entry["foreign_keys"]:
        (owner, name), (target, other) = columns[left], columns[right]
        refers[owner].append(ForeignKey((name,), names[target], (other,)))
    synonyms: dict[Place, tuple[str, ...]] = {}
    more, of_tables = entry.get("column_synonyms", ()), entry.get("table_synonyms", ())
    fields: dict[int, list[Column]] = defaultdict(list)
    for number, (owner, name) in enumerate(columns):
        if owner < 0:
            continue
        declared = native.get((names[owner].casefold(), name.casefold()))
        kind = given[number] if given else kind_of(declared) if declared else _SPIDER_TYPES.get(entry["column_types"][number], "text")
        fields[owner].append(Column(name, kind, declared or ""))
        _add_synonyms(synonyms, (names[owner], name), name, [entry["column_names"][number][1], *(more[number] if more else ())])
    for number, name in enumerate(names):
        _add_synonyms(synonyms, (name, ""), name, [entry["table_names"][number], *(of_tables[number] if of_tables else ())])
    tables = tuple(
        Table(name, tuple(fields[number]), tuple(keys[number]), tuple(refers[number]))
        for number, name in enumerate(names)
        if name != "sqlite_sequence"
    )
    return Database(entry["db_id"], tables, synonyms)


def _add_synonyms(synonyms: dict[Place, tuple[str, ...]], place: Place, name: str, given: Sequence[str]) -> None:
    if found := tuple(dict.fromkeys(other.strip() for other in given if shown_name(name) != other.lower().strip())):
        synonyms[place] = found


def sqlite_values(path: Path, most: int = 20_000) -> dict[Place, list[str]]:
    """The distinct texts of every column of a SQLite file."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    entries: dict[Place, list[str]] = {}
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall():
        quoted = '"' + table.replace('"', '""') + '"'
        for row in connection.execute(f"PRAGMA table_info({quoted})").fetchall():
            column = '"' + row[1].replace('"', '""') + '"'
            rows = connection.execute(f"SELECT DISTINCT {column} FROM {quoted} WHERE typeof({column}) = 'text' LIMIT {most}")
            values = [value for (value,) in rows if len(value) <= 80]
            if values:
                entries[table, row[1]] = values
    connection.close()
    return entries


def duckdb_values(path: Path, most: int = 20_000) -> dict[Place, list[str]]:
    """The distinct texts of every column of a DuckDB file."""
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        columns = connection.sql(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND data_type = 'VARCHAR'"
        ).fetchall()
        entries = {}
        for table, column in columns:
            rows = connection.sql(
                f'SELECT DISTINCT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL ORDER BY 1 LIMIT {most}'
            ).fetchall()
            entries[table, column] = [value for (value,) in rows if len(value) <= 80]
    return entries


def literal_values(lines: Iterable[tuple[tuple[Token, ...], Schema]]) -> dict[Place, list[str]]:
    """The texts that gold queries compare columns with: stands in for rows where a set has none."""
    entries: dict[Place, list[str]] = defaultdict(list)
    for tokens, schema in lines:
        for position, token in enumerate(tokens):
            if isinstance(token, Val) and isinstance(token.value, str):
                target = target_of(tokens[:position], schema)
                if target.column is not None and not target.pattern:
                    owner, column = schema.columns[target.column]
                    entries[schema.tables[owner].name, column.name].append(token.value)
    return entries


def to_symbols(tokens: Sequence[Token], question: str, schema: Schema, matches: Sequence[ValueMatch]) -> tuple[tuple[str, int], ...]:
    """What the decoder should write; NotCovered where a literal is neither in the question nor among the fixed ones."""
    words = split_words(question)
    numbered = number_matches(matches, schema)
    symbols: list[tuple[str, int]] = []
    for position, token in enumerate(tokens):
        match token:
            case Col(index):
                symbols.append(("C", index))
            case Tab(index):
                symbols.append(("T", index))
            case Val(value):
                span = locate(value, target_of(tokens[:position], schema), question, words, numbered)
                if span is not None:
                    symbols += [("W", span[0]), ("W", span[1])]
                elif value in _LITERAL:
                    symbols.append(("L", _LITERAL[value]))
                else:
                    raise NotCovered(f"literal {value!r} is not in the question")
            case _:
                symbols.append(("K", _KEYWORD[token]))
    _must_be_grammatical(symbols)
    return tuple(symbols)


def _must_be_grammatical(symbols: Sequence[tuple[str, int]]) -> None:
    layout = Layout(MOST_WORDS, 1_000, 5_000)
    position = Position()
    for action in to_actions(symbols, layout.words, layout.tables):
        if not position.mask(layout)[action]:
            raise NotCovered("outside the grammar")
        position = position.after(action, layout)


Shown = Callable[[Iterable[Any], str, int], Iterable[Any]]
"""Passes work through and shows how far it is: the work, what it is, how much of it."""


def _unshown(work: Iterable[Any], _what: str, _size: int) -> Iterable[Any]:
    return work


def read_set(
    name: str,
    lines: Sequence[Mapping[str, Any]],
    databases: Mapping[str, Database],
    values: Mapping[str, Mapping[Place, list[str]]],
    dialect: Dialect,
    left_out: Counter[str],
    shown: Shown = _unshown,
    aliases: Mapping[str, Aliases] | None = None,
) -> list[Example]:
    """The examples of one set; lines that cannot be expressed are counted in `left_out` by reason. `aliases` are a glossary's words."""
    schemas = {name: Schema.of(database.tables) for name, database in databases.items()}
    parsed: dict[str, list[tuple[Mapping[str, Any], tuple[Token, ...]]]] = defaultdict(list)
    for line in shown(lines, "queries", len(lines)):
        if line["db_id"] not in schemas:
            left_out["no such database"] += 1
            continue
        try:
            parsed[line["db_id"]].append(
                (line, to_ir(line["query"], schemas[line["db_id"]], "duckdb" if dialect == "duckdb" else "sqlite"))
            )
        except NotCovered as error:
            left_out[str(error)] += 1
    examples = []
    for database, pairs in shown(parsed.items(), "questions", len(parsed)):
        cells = values.get(database) or literal_values((tokens, schemas[database]) for _, tokens in pairs)
        told = AliasIndex(with_codes((aliases or {}).get(database, {}), cells, databases[database].tables))
        index, flags = ValueIndex(cells), flags_of(cells, databases[database].tables)
        for line, tokens in pairs:
            matches = matched(line["question"], told, flags, index)
            try:
                symbols = to_symbols(tokens, line["question"], schemas[database], matches)
            except NotCovered as error:
                left_out[str(error)] += 1
                continue
            examples.append(Example(name, database, line["question"], line["query"], matches, symbols))
    return examples


def cut_schema(example: Example, database: Database, rng: random.Random, *, most_columns: int) -> tuple[tuple[Table, ...], Example]:
    """The example over a smaller, shuffled schema: what its query uses, and some of the rest. Augments and saves time."""
    schema = Schema.of(database.tables)
    used_columns = {index for symbol, index in example.symbols if symbol == "C"}
    used_tables = {index for symbol, index in example.symbols if symbol == "T"} | {schema.table_of(column) for column in used_columns}
    tree = schema.join_tree(used_tables) or ()
    used_tables |= {side for edge in tree for side in (edge.left, edge.right)}
    kept_tables = _kept_tables(schema, used_tables, rng, most_columns)
    keys = {column for edge in schema.edges for pair in edge.pairs for column in pair}
    many = sum(len(schema.tables[table].columns) for table in kept_tables) > most_columns
    columns: list[int] = []
    tables: list[Table] = []
    for number in kept_tables:
        own = list(schema.columns_of(number))
        if many or rng.random() < 0.2:
            own = [index for index in own if index in used_columns or index in keys or rng.random() < (0.5 if many else 0.8)] or own[:1]
        if rng.random() < 0.3:
            rng.shuffle(own)
        columns += own
        tables.append(replace(schema.tables[number], columns=tuple(schema.columns[index][1] for index in own)))
    table_at = {number: position for position, number in enumerate(kept_tables)}
    column_at = {index: position for position, index in enumerate(columns)}
    moved = {"C": column_at, "T": table_at}
    symbols = tuple((symbol, moved[symbol][index] if symbol in moved else index) for symbol, index in example.symbols)
    return tuple(tables), replace(example, symbols=symbols)


def _kept_tables(schema: Schema, used: set[int], rng: random.Random, most_columns: int) -> list[int]:
    others = [number for number in range(len(schema.tables)) if number not in used]
    rng.shuffle(others)
    room = most_columns - sum(len(schema.tables[number].columns) for number in used)
    share = rng.choice((0.0, 0.5, 1.0, 1.0))
    kept = set(used)
    for number in others[: round(share * len(others))]:
        room -= len(schema.tables[number].columns)
        if room < 0:
            break
        kept.add(number)
    order = sorted(kept)
    if rng.random() < 0.5:
        rng.shuffle(order)
    return order


def to_actions(symbols: Sequence[tuple[str, int]], words: int, tables: int) -> list[int]:
    """Symbols as the decoder's flat action indices."""
    offset = {"K": 0, "L": KEYWORD_COUNT, "W": FIXED, "T": FIXED + words, "C": FIXED + words + tables}
    return [offset[symbol] + index for symbol, index in symbols]
