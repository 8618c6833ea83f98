"""Turns a question and the tables it needs into the parser's input: word pieces, items and how they relate. Loads no model.

Training and serving share this code: a change here changes the model's input.

Items are the words of the question, then the tables, then the columns. Each item is a stretch of word pieces plus a few small
features, and every pair of items has a relation (after RAT-SQL, Wang et al. 2020, arXiv 1911.04942).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from streamlink_sql.catalog.values import STOP_WORDS, normalise, stem
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.types import ValueMatch

WORDS = re.compile(r"\d+(?:[.,]\d+)*(?=[^\w]|$)|\w+|[^\w\s]", re.UNICODE)
MOST_WORDS = 90
MOST_PIECES = 500

KINDS = ("text", "integer", "real", "decimal", "boolean", "date", "timestamp", "time", "binary", "other")
WORD, TABLE, COLUMN = 0, 1, 2
NONE, PART, WHOLE = 0, 1, 2

RELATIONS = (
    *("word-word -2", "word-word -1", "word-word 0", "word-word 1", "word-word 2", "word-word far"),
    *("word-table none", "word-table part", "word-table whole", "word-column none", "word-column part", "word-column whole"),
    *("word-column value part", "word-column value whole"),
    *("table-word none", "table-word part", "table-word whole", "column-word none", "column-word part", "column-word whole"),
    *("column-word value part", "column-word value whole"),
    *("table-table same", "table-table refers", "table-table referred", "table-table both", "table-table none"),
    *("table-column holds", "table-column key", "table-column none", "column-table in", "column-table key of", "column-table none"),
    *("column-column same", "column-column refers", "column-column referred", "column-column same table", "column-column same name"),
    "column-column none",
)
TABLE_WHOLE = RELATIONS.index("word-table whole")
_R = {name: number for number, name in enumerate(RELATIONS)}


class WordPieces(Protocol):
    """The encoder's tokenizer: the ids of one word or phrase, without special tokens."""

    cls_id: int
    sep_id: int

    def ids(self, text: str) -> tuple[int, ...]:
        """Ids of `text`."""
        ...


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the question, characters `start` to `end`."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Linked:
    """The model's input for one question. n = items, p = word pieces."""

    pieces: NDArray[np.int64]
    """(p,) ids."""
    spans: NDArray[np.int64]
    """(n, 2) first and one past the last piece of every item."""
    features: NDArray[np.int64]
    """(n, FEATURES) small integers."""
    relations: NDArray[np.int64]
    """(n, n) indices into RELATIONS."""
    words: tuple[Word, ...]
    table_count: int
    column_count: int


FEATURE_SIZES = (3, 10, 2, 2, 3, 3, 2, 2, 2)
"""Sizes of the features: sort of item, kind, primary key, foreign key, name match, value match, number, quoted, capital."""
FEATURES = len(FEATURE_SIZES)


@lru_cache(maxsize=65536)
def plain_name(name: str) -> str:
    """A name as words: 'custNm' -> 'cust nm', 'birth_date' -> 'birth date'."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-./]+", " ", name)
    return " ".join(spaced.split()).lower() or name


@lru_cache(maxsize=65536)
def _stems(text: str) -> tuple[str, ...]:
    return tuple(stem(word) for word in normalise(text).split())


@lru_cache(maxsize=65536)
def shown_name(name: str, synonyms: tuple[str, ...] = ()) -> str:
    """The words that stand for a table or column in the model's input: its name, and a synonym that says more."""
    plain = plain_name(name)
    for synonym in synonyms[:1]:
        if not set(_stems(synonym)) <= set(_stems(plain)):
            squashed = normalise(synonym).replace(" ", "") == normalise(plain).replace(" ", "")
            return synonym.lower() if squashed else f"{plain} ( {synonym.lower()} )"
    return plain


def split_words(question: str) -> tuple[Word, ...]:
    """The words and punctuation marks of a question."""
    return tuple(Word(m.group(), m.start(), m.end()) for m in WORDS.finditer(question))[:MOST_WORDS]


def link(
    question: str,
    schema: Schema,
    matches: Sequence[ValueMatch],
    synonyms: Mapping[tuple[str, str], tuple[str, ...]],
    pieces: WordPieces,
) -> Linked:
    """The model's input for a question over these tables."""
    words = split_words(question)
    values = _value_links(words, schema, matches)
    names = name_links(words, schema, synonyms)
    ids, spans = _pieces(words, schema, synonyms, values, pieces)
    return Linked(
        np.array(ids, np.int64),
        np.array(spans, np.int64).reshape(-1, 2),
        _features(words, schema, names, values),
        _relations(words, schema, names, values),
        words,
        len(schema.tables),
        len(schema.columns),
    )


@dataclass(frozen=True, slots=True)
class _Values:
    """Cell values in the question: the level of each (word, column) pair, and the texts found for each column."""

    levels: dict[tuple[int, int], int]
    texts: dict[int, tuple[str, ...]]


def _value_links(words: Sequence[Word], schema: Schema, matches: Sequence[ValueMatch]) -> _Values:
    levels: dict[tuple[int, int], int] = {}
    texts: dict[int, list[tuple[float, str]]] = defaultdict(list)
    for match in matches:
        table = schema.table_index(match.table)
        column = None if table is None else schema.column_index(table, match.column)
        if column is None:
            continue
        level = WHOLE if match.score >= 0.85 else PART
        for number, word in enumerate(words):
            if word.start < match.end and match.start < word.end:
                levels[number, column] = max(level, levels.get((number, column), NONE))
        texts[column].append((-match.score, match.value))
    return _Values(levels, {column: tuple(value for _, value in sorted(found)[:2]) for column, found in texts.items()})


def name_links(words: Sequence[Word], schema: Schema, synonyms: Mapping[tuple[str, str], tuple[str, ...]]) -> dict[tuple[int, int], int]:
    """The level of each (word, item) pair; items count tables first, then columns."""
    stems = [stem(normalise(word.text)) for word in words]
    levels: dict[tuple[int, int], int] = {}
    tables = [(schema.tables[t].name, synonyms.get((schema.tables[t].name, ""), ())) for t in range(len(schema.tables))]
    columns = [(c.name, synonyms.get((schema.tables[t].name, c.name), ())) for t, c in schema.columns]
    for item, (name, others) in enumerate((*tables, *columns)):
        for form in (plain_name(name), *others):
            for number, level in _found(_stems(form), stems):
                levels[number, item] = max(level, levels.get((number, item), NONE))
    return levels


def _found(name: tuple[str, ...], stems: Sequence[str]) -> list[tuple[int, int]]:
    """The words of the question that belong to a name: WHOLE where all of it stands there, PART for single words of it."""
    size = len(name)
    whole = {
        start + offset for start in range(len(stems) - size + 1) if tuple(stems[start : start + size]) == name for offset in range(size)
    }
    joined = "".join(name)
    parts = set(name) - STOP_WORDS - {"id", ""}
    found = [(number, WHOLE) for number in whole]
    for number, word in enumerate(stems):
        if number in whole or len(word) < 2:
            continue
        if word == joined and size > 1:
            found.append((number, WHOLE))
        elif word in parts or (len(word) > 4 and any(len(part) > 4 and (part.startswith(word) or word.startswith(part)) for part in parts)):
            found.append((number, PART))
    return found


def _pieces(
    words: Sequence[Word], schema: Schema, synonyms: Mapping[tuple[str, str], tuple[str, ...]], values: _Values, pieces: WordPieces
) -> tuple[list[int], list[tuple[int, int]]]:
    """`[CLS] question [SEP] table : column , column = value , ... | table : ... [SEP]` and the stretch of every item."""
    for shown in (values.texts, {}):
        ids, spans = _lay_out(words, schema, synonyms, shown, pieces)
        if len(ids) <= MOST_PIECES:
            break
    return ids[:MOST_PIECES], [
        (min(start, MOST_PIECES - 1), max(min(end, MOST_PIECES), min(start, MOST_PIECES - 1) + 1)) for start, end in spans
    ]


def _lay_out(
    words: Sequence[Word],
    schema: Schema,
    synonyms: Mapping[tuple[str, str], tuple[str, ...]],
    shown: Mapping[int, tuple[str, ...]],
    pieces: WordPieces,
) -> tuple[list[int], list[tuple[int, int]]]:
    ids = [pieces.cls_id]
    spans: list[tuple[int, int]] = []

    def put(text: str) -> tuple[int, int]:
        start = len(ids)
        ids.extend(pieces.ids(text) or pieces.ids("?"))
        return start, len(ids)

    spans += [put(word.text) for word in words]
    ids.append(pieces.sep_id)
    tables: list[tuple[int, int]] = []
    columns: list[tuple[int, int]] = []
    for number, table in enumerate(schema.tables):
        tables.append(put(shown_name(table.name, tuple(synonyms.get((table.name, ""), ())))))
        put(":")
        for index in schema.columns_of(number):
            column = schema.columns[index][1]
            columns.append(put(shown_name(column.name, tuple(synonyms.get((table.name, column.name), ())))))
            for value in shown.get(index, ()):
                put("=")
                put(value[:40])
            put(",")
        put("|")
    ids.append(pieces.sep_id)
    return ids, spans + tables + columns


def _features(words: Sequence[Word], schema: Schema, names: Mapping[tuple[int, int], int], values: _Values) -> NDArray[np.int64]:
    """Small integers of every item, in the order of FEATURE_SIZES."""
    w, t = len(words), len(schema.tables)
    table = np.zeros((w + t + len(schema.columns), FEATURES), np.int64)
    table[w : w + t, 0], table[w + t :, 0] = TABLE, COLUMN
    quoted = _quoted(words)
    for number, word in enumerate(words):
        table[number, 6] = any(c.isdigit() for c in word.text)
        table[number, 7] = number in quoted
        table[number, 8] = number > 0 and word.text[:1].isupper()
    keys = {(n, key.casefold()) for n, item in enumerate(schema.tables) for key in item.primary_key}
    referring = {column for edge in schema.edges if edge.cost < 2 for pair in edge.pairs for column in pair}
    for index, (owner, column) in enumerate(schema.columns):
        table[w + t + index, 1] = KINDS.index(column.kind)
        table[w + t + index, 2] = (owner, column.name.casefold()) in keys
        table[w + t + index, 3] = index in referring
    for (number, item), level in names.items():
        table[number, 4] = max(table[number, 4], level)
        table[w + item, 4] = max(table[w + item, 4], level)
    for (number, index), level in values.levels.items():
        table[number, 5] = max(table[number, 5], level)
        table[w + t + index, 5] = max(table[w + t + index, 5], level)
    return table


def _quoted(words: Sequence[Word]) -> set[int]:
    """The words between two quotation marks."""
    inside: set[int] = set()
    opened: int | None = None
    for number, word in enumerate(words):
        if word.text in {'"', "'", "“", "”", "‘", "’", "`"}:
            if opened is None:
                opened = number
            else:
                inside.update(range(opened + 1, number))
                opened = None
    return inside


def _relations(words: Sequence[Word], schema: Schema, names: Mapping[tuple[int, int], int], values: _Values) -> NDArray[np.int64]:
    w, t, c = len(words), len(schema.tables), len(schema.columns)
    matrix = np.empty((w + t + c, w + t + c), np.int64)
    distance = np.clip(np.arange(w)[None, :] - np.arange(w)[:, None], -3, 3)
    matrix[:w, :w] = np.where(np.abs(distance) == 3, _R["word-word far"], distance + 2)
    matrix[:w, w : w + t], matrix[:w, w + t :] = _R["word-table none"], _R["word-column none"]
    matrix[w : w + t, :w], matrix[w + t :, :w] = _R["table-word none"], _R["column-word none"]
    for (number, item), level in names.items():
        kind = "table" if item < t else "column"
        matrix[number, w + item] = _R[f"word-{kind} none"] + level
        matrix[w + item, number] = _R[f"{kind}-word none"] + level
    for (number, index), level in values.levels.items():
        if names.get((number, t + index), NONE) != WHOLE:
            matrix[number, w + t + index] = _R["word-column value part"] + level - 1
            matrix[w + t + index, number] = _R["column-word value part"] + level - 1
    matrix[w:, w:] = schema_relations(schema)
    return matrix


def schema_relations(schema: Schema) -> NDArray[np.int64]:
    """(t + c, t + c) relations among tables and columns."""
    t, c = len(schema.tables), len(schema.columns)
    matrix = np.empty((t + c, t + c), np.int64)
    owner = np.array([table for table, _ in schema.columns], np.int64)
    matrix[:t, :t] = _R["table-table none"]
    matrix[:t, t:] = np.where(np.arange(t)[:, None] == owner[None, :], _R["table-column holds"], _R["table-column none"])
    matrix[t:, :t] = np.where(owner[:, None] == np.arange(t)[None, :], _R["column-table in"], _R["column-table none"])
    named = np.array([hash(plain_name(column.name)) for _, column in schema.columns])
    columns = np.where(named[:, None] == named[None, :], _R["column-column same name"], _R["column-column none"])
    columns = np.where(owner[:, None] == owner[None, :], _R["column-column same table"], columns)
    matrix[t:, t:] = columns
    for number, table in enumerate(schema.tables):
        for name in table.primary_key:
            index = schema.column_index(number, name)
            if index is not None:
                matrix[number, t + index], matrix[t + index, number] = _R["table-column key"], _R["column-table key of"]
    for edge in (edge for edge in schema.edges if edge.cost < 2):
        back = matrix[edge.right, edge.left] == _R["table-table refers"] or matrix[edge.left, edge.right] == _R["table-table both"]
        matrix[edge.left, edge.right] = _R["table-table both"] if back else _R["table-table refers"]
        matrix[edge.right, edge.left] = _R["table-table both"] if back else _R["table-table referred"]
        for left, right in edge.pairs:
            matrix[t + left, t + right], matrix[t + right, t + left] = _R["column-column refers"], _R["column-column referred"]
    np.fill_diagonal(matrix[:t, :t], _R["table-table same"])
    np.fill_diagonal(matrix[t:, t:], _R["column-column same"])
    return matrix
