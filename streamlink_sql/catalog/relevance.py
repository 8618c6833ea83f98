"""Chooses the tables and columns that a question needs where a schema is too wide to be sent whole. Reads no data."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rapidfuzz import fuzz, process

from streamlink_sql.catalog.names import spoken_words, table_words, words_of
from streamlink_sql.catalog.values import STOP_WORDS, WORD, Place, normalise, stem
from streamlink_sql.types import Table, ValueMatch

_TYPO, _PART, _BEGINNING, _SHORT = 0.7, 0.6, 0.7, 0.75
_TABLE_WORD, _VALUE, _COMMENT = 2.0, 4.0, 0.4
_LEAST = 0.12
_FARTHEST = 3
_MOST_WORDS = 150
_UNTOLD = STOP_WORDS - {"first", "last", "name", "names", "number", "total", "average"}


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of a schema goes to a model. Within it, everything does, in the order of the engine."""

    tables: int = 20
    columns: int = 120

    def holds(self, tables: Sequence[Table]) -> bool:
        """Whether all of these fit."""
        return len(tables) <= self.tables and sum(len(table.columns) for table in tables) <= self.columns


class Relevance:
    """The words of a schema's names and the graph of its keys, made once; `choose` then takes milliseconds."""

    def __init__(self, tables: tuple[Table, ...], synonyms: Mapping[Place, tuple[str, ...]], budget: Budget) -> None:
        self._tables = tables
        self._budget = budget
        self._is_small = budget.holds(tables)
        self._numbers = {table.name: number for number, table in enumerate(tables)}
        self._near: dict[int, list[int]] = defaultdict(list)
        self._postings: dict[str, dict[tuple[int, int], float]] = {}
        if not self._is_small:
            self._read_names(synonyms)
            self._read_keys()
        self._vocabulary = sorted(self._postings)
        self._expand = lru_cache(maxsize=4096)(self._expansions)

    def choose(self, text: str, matches: Iterable[ValueMatch]) -> tuple[Table, ...]:
        """The tables to send, in the order of the engine, each with the columns to send."""
        if self._is_small:
            return self._tables
        scores = self._score(text, tuple(matches))
        by_table: dict[int, float] = defaultdict(float)
        for (number, _), score in scores.items():
            by_table[number] += score
        chosen = self._choose_tables(by_table)
        return self._cut(chosen, scores)

    def _read_names(self, synonyms: Mapping[Place, tuple[str, ...]]) -> None:
        """Which items (table number, column number; -1 is the table itself) a word stands for, and how much of the name it is."""
        for number, table in enumerate(self._tables):
            names = [table_words(table.name), spoken_words(table.name), *map(words_of, synonyms.get((table.name, ""), ()))]
            self._post((number, -1), names, table.comment)
            for at, column in enumerate(table.columns):
                own = [words_of(column.name), spoken_words(column.name), *map(words_of, synonyms.get((table.name, column.name), ()))]
                self._post((number, at), own, column.comment)

    def _post(self, item: tuple[int, int], names: Iterable[Sequence[str]], comment: str) -> None:
        for words in names:
            for word in words:
                self._weigh(word, item, 1 / math.sqrt(len(words)))
        for word in words_of(comment[:300]):
            if word not in _UNTOLD:
                self._weigh(word, item, _COMMENT)

    def _weigh(self, word: str, item: tuple[int, int], weight: float) -> None:
        items = self._postings.setdefault(word, {})
        items[item] = max(weight, items.get(item, 0.0))

    def _read_keys(self) -> None:
        for number, table in enumerate(self._tables):
            for key in table.foreign_keys:
                other = self._numbers.get(key.to_table)
                if other is not None and other != number:
                    self._near[number].append(other)
                    self._near[other].append(number)

    def _expansions(self, word: str) -> tuple[tuple[str, float], ...]:
        """The words of the schema that a word of the question may mean, with a likeness each."""
        if word in self._postings:
            return ((word, 1.0),)
        found: dict[str, float] = {}
        if len(word) > 3 or not word.isascii():
            for other in self._vocabulary:
                likeness = _likeness(word, other)
                if likeness:
                    found[other] = likeness
        if len(word) > 4 and word.isalpha():
            close = process.extract(word, self._vocabulary, scorer=fuzz.ratio, score_cutoff=82, limit=5)
            found.update((other, _TYPO) for other, _, _ in close if len(other) > 3)
        return tuple(sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:12])

    def _score(self, text: str, matches: tuple[ValueMatch, ...]) -> dict[tuple[int, int], float]:
        """The score of each item that the question touches; of one table, a word counts for its best items only."""
        scores: dict[tuple[int, int], float] = defaultdict(float)
        for word in _question_words(text):
            best: dict[int, tuple[float, tuple[int, int]]] = {}
            for other, likeness in self._expand(word):
                items = self._postings[other]
                rarity = (
                    math.log(1 + len(self._tables) / len({number for number, _ in items}))
                    if len(items) > 1
                    else math.log(1 + len(self._tables))
                )
                for item, weight in items.items():
                    score = likeness * rarity * weight * (_TABLE_WORD if item[1] < 0 else 1.0)
                    if score > best.get(item[0], (0.0, item))[0]:
                        best[item[0]] = (score, item)
            for score, item in best.values():
                scores[item] += score
        self._add_values(scores, matches)
        return scores

    def _add_values(self, scores: dict[tuple[int, int], float], matches: tuple[ValueMatch, ...]) -> None:
        rivals: dict[tuple[int, int], int] = defaultdict(int)
        for match in matches:
            rivals[match.start, match.end] += 1
        for match in matches:
            number = self._numbers.get(match.table)
            if number is None:
                continue
            names = [column.name for column in self._tables[number].columns]
            if match.column in names:
                scores[number, names.index(match.column)] += _VALUE * match.score / math.sqrt(rivals[match.start, match.end])

    def _choose_tables(self, scores: Mapping[int, float]) -> list[int]:
        """The best tables, each with the tables that connect it to those before, best first."""
        ranked = sorted(scores, key=lambda number: (-scores[number], number)) or self._most_referred()
        chosen: list[int] = []
        for number in ranked:
            if len(chosen) >= self._budget.tables or (chosen and scores.get(number, 0) < _LEAST * scores.get(ranked[0], 0)):
                break
            if number in chosen:
                continue
            path = self._path(number, set(chosen)) if chosen else []
            missing = [between for between in path if between not in chosen]
            if len(chosen) + 1 + len(missing) <= self._budget.tables:
                chosen += [number, *missing]
            else:
                chosen.append(number)
        return chosen

    def _most_referred(self) -> list[int]:
        return sorted(range(len(self._tables)), key=lambda number: (-len(self._near.get(number, ())), number))

    def _path(self, start: int, goals: set[int]) -> list[int]:
        """The tables between one table and the nearest of some others; none where it is far or not connected."""
        before: dict[int, int] = {start: start}
        queue = deque([(start, 0)])
        while queue:
            here, hops = queue.popleft()
            if here in goals:
                path = []
                while before[here] != start:
                    here = before[here]
                    path.append(here)
                return path if hops else []
            if hops < _FARTHEST:
                for other in self._near.get(here, ()):
                    if other not in before:
                        before[other] = here
                        queue.append((other, hops + 1))
        return []

    def _cut(self, chosen: list[int], scores: Mapping[tuple[int, int], float]) -> tuple[Table, ...]:
        """The chosen tables with as many columns as the budget holds: keys first, then what the question touches, then by place."""
        names = {self._tables[number].name for number in chosen}
        ranked: list[tuple[float, int, int]] = []
        for rank, number in enumerate(chosen):
            table = self._tables[number]
            keys = _key_columns(table, names) | _referred(table, (self._tables[other] for other in chosen))
            for at, column in enumerate(table.columns):
                touched = scores.get((number, at), 0.0)
                key = 1000.0 if column.name.casefold() in keys else 0.0
                first = 500.0 if at == 0 else 0.0
                ranked.append((-(key + first + 10 * touched) + rank + at / 100, number, at))
        kept: dict[int, list[int]] = defaultdict(list)
        for _, number, at in sorted(ranked)[: self._budget.columns]:
            kept[number].append(at)
        return tuple(_only(self._tables[number], sorted(kept[number]), names) for number in sorted(kept))


def _question_words(text: str) -> list[str]:
    """The telling words of a question, stemmed, each once."""
    words = dict.fromkeys(
        stem(part) for found in WORD.findall(text)[:_MOST_WORDS] for part in normalise(found).split() if part not in _UNTOLD
    )
    return list(words)


def _likeness(word: str, other: str) -> float:
    """How likely two words that differ are the same: one in the other, the beginning of it, or an abbreviation."""
    if not other.isascii() or not word.isascii():
        return 1.0 if len(other) > 1 and (other in word or word in other) else 0.0
    if len(other) > 3 and word.startswith(other):
        return _BEGINNING
    if other.startswith(word):
        return _BEGINNING
    if word in other or (len(other) > 4 and other in word):
        return _PART
    return _SHORT if 2 < len(other) <= 5 and len(word) > len(other) + 1 and _is_abbreviation(other, word) else 0.0


def _is_abbreviation(short: str, word: str) -> bool:
    """Whether the letters of the short form stand in the word in their order, and vowels are left out: 'mgmt', 'qntty'."""
    if short[0] != word[0] or any(letter in "aeiou" for letter in short[1:]):
        return False
    rest = iter(word)
    return all(letter in rest for letter in short)


def _key_columns(table: Table, names: set[str]) -> set[str]:
    """The columns of a table's own key and of its keys to the tables sent with it."""
    own = {name.casefold() for name in table.primary_key}
    return own | {name.casefold() for key in table.foreign_keys if key.to_table in names for name in key.columns}


def _referred(table: Table, others: Iterable[Table]) -> set[str]:
    return {name.casefold() for other in others for key in other.foreign_keys if key.to_table == table.name for name in key.to_columns}


def _only(table: Table, kept: Sequence[int], names: set[str]) -> Table:
    """The table with some of its columns, and with the keys that can still be used."""
    columns = tuple(table.columns[at] for at in kept)
    left = {column.name.casefold() for column in columns}
    keys = tuple(key for key in table.foreign_keys if key.to_table in names and all(name.casefold() in left for name in key.columns))
    primary = table.primary_key if all(name.casefold() in left for name in table.primary_key) else ()
    return replace(table, columns=columns, primary_key=primary, foreign_keys=keys)
