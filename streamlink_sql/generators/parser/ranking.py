"""Orders finished beams by more than their probability: what of the question and of the guessed items a query leaves out. Knows no model.

A linear score over a few counts, and a logistic one for the confidence; both are fitted on training databases that the network never saw
(training/ranking.py). Without a file of weights the probability alone decides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamlink_sql.catalog.values import stem
from streamlink_sql.generators.parser.actions import KEYWORD_COUNT, Layout, spans_of
from streamlink_sql.generators.parser.linking import NONE, RELATIONS, WHOLE, Linked
from streamlink_sql.generators.parser.literals import target_of
from streamlink_sql.generators.parser.mends.amounts import MONEY
from streamlink_sql.generators.parser.misheard import misheard
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.plausible import implausible
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.generators.parser.tokens import KEYWORDS, SET_OPERATIONS, NotCovered, Token, Val

FEATURE_NAMES = (
    "log_probability",
    "length",
    "items_used_likely",
    "items_unused_likely",
    "values_left_out",
    "numbers_left_out",
    "columns_left_out",
    "columns_unnamed",
    "tables",
    "same_sides",
    "column_repeated",
    "nested",
    "words_unknown",
    "tables_unnamed",
    "texts_unknown",
    "implausible",
    "aliases_left_out",
)
CONFIDENCE_NAMES = (
    *("constant", "log_share", "log_probability", "items_used_likely", "items_unused_likely"),
    *("columns_unnamed", "tables_unnamed", "words_unknown", "values_left_out", "numbers_left_out", "implausible"),
)
_SET = {KEYWORDS.index(name) for name in SET_OPERATIONS}
_FILTER = KEYWORDS.index("FILTER")
_AFTER_ITEMS = frozenset(("FROM", "WHERE", "GROUP", "HAVING", "EACH", "ORDER", "LIMIT", "END", *SET_OPERATIONS))
_SELECTS = {KEYWORDS.index(name) for name in ("SELECT", "SELECT_DISTINCT")}
_VALUE_WHOLE = RELATIONS.index("word-column value whole")
_COLUMN_PART = RELATIONS.index("word-column part")
_COLUMN_WHOLE = RELATIONS.index("word-column whole")


Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished beam: its actions, the tokens they write, and the logarithm of its probability."""

    actions: tuple[int, ...]
    tokens: tuple[Token, ...]
    log_probability: float
    cells: frozenset[tuple[int, str]]
    """Column and value of every cell that the question mentions."""
    aliases: tuple[range, ...] = ()
    """The words, each a stretch, by which a glossary means a cell."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A beam's score, and the features that the confidence looks at."""

    score: float
    features: Numbers


@dataclass(frozen=True, slots=True)
class Ranking:
    """Weights by FEATURE_NAMES, and by CONFIDENCE_NAMES (empty: the confidence is the probability)."""

    weights: tuple[float, ...] = (1.0,) + (0.0,) * (len(FEATURE_NAMES) - 1)
    confidence: tuple[float, ...] = ()
    common_words: frozenset[str] = frozenset()
    """Words of questions about anything; another word that no item of the schema explains makes a draft less likely to be right."""

    @classmethod
    def read(cls, path: Path) -> Ranking:
        """The weights in a JSON file by name, 0 for those it lacks; those of the probability alone where there is no file."""
        if not path.exists():
            return cls()
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            tuple(found["weights"].get(name, 0.0) for name in FEATURE_NAMES),
            tuple(found["confidence"].get(name, 0.0) for name in CONFIDENCE_NAMES),
            frozenset(found["common_words"]),
        )

    def rank(self, beam: Finished, linked: Linked, used: NDArray[np.float32], schema: Schema) -> Ranked:
        """Features and score of one beam."""
        found = features(beam, linked, used, schema, self.common_words)
        return Ranked(float(found @ np.array(self.weights)), found)

    def confidences(self, drafts: Sequence[Sequence[Ranked]]) -> list[float]:
        """How sure each draft is, 0 to 1. A draft is all the beams that write it; the best is calibrated, the others follow its scale."""
        scores = np.array([np.logaddexp.reduce([beam.score for beam in beams]) for beams in drafts])
        best = int(scores.argmax())
        sure = self._sure(max(drafts[best], key=lambda beam: beam.score), scores, best)
        return [float(sure * ratio) for ratio in np.exp(scores - scores[best])]

    def _sure(self, beam: Ranked, scores: Numbers, best: int) -> float:
        if not self.confidence:
            return float(min(np.exp(scores[best]), 1.0))
        return float(1 / (1 + np.exp(-(confidence_features(beam.features, scores, best) @ np.array(self.confidence)))))


def confidence_features(found: Numbers, scores: Numbers, best: int) -> Numbers:
    """(len(CONFIDENCE_NAMES),) from the features of the best beam and the scores of all drafts."""
    share = scores[best] - np.logaddexp.reduce(scores)
    named = dict(zip(FEATURE_NAMES, found, strict=True)) | {"constant": 1.0, "log_share": share}
    return np.array([named[name] for name in CONFIDENCE_NAMES])


def features(beam: Finished, linked: Linked, used: NDArray[np.float32], schema: Schema, common_words: frozenset[str]) -> Numbers:
    """(FEATURE_NAMES,) of a finished beam; `used` are the network's logits of items being used."""
    actions, score, owners = beam.actions, beam.log_probability, [table for table, _ in schema.columns]
    words, tables = len(linked.words), linked.table_count
    layout = Layout(words, tables, linked.column_count)
    columns = {action - layout.first_column for action in actions if action >= layout.first_column}
    named = {action - layout.first_table for action in actions if layout.first_table <= action < layout.first_column}
    in_use = named | {owners[column] for column in columns}
    items = np.zeros(words + tables + linked.column_count, np.bool_)
    items[[words + table for table in in_use]] = True
    items[[words + tables + column for column in columns]] = True
    logits = used.astype(np.float64)[words:]
    likely, chosen = -np.logaddexp(0, -logits), items[words:]
    unlikely = -np.logaddexp(0, logits)
    covered = _covered_words(actions, layout)
    known = common_words | MONEY if "MUL" in beam.tokens else common_words
    return np.array(
        (
            score,
            len(actions),
            likely[chosen].sum(),
            unlikely[~chosen].sum(),
            len(_value_words(linked) - covered),
            sum(1 for number in range(words) if linked.features[number, 6] and number not in covered),
            _left_out(linked, columns, covered),
            sum(
                1
                for column in columns
                if linked.features[words + tables + column, 4] == NONE and linked.features[words + tables + column, 5] == NONE
            ),
            len(in_use),
            _same_sides(actions),
            _repeated(actions, layout),
            sum(action in _SELECTS for action in actions) - 1,
            sum(1 for number in range(words) if number not in covered and _is_unknown(linked, number, known)),
            sum(1 for table in in_use if linked.features[words + table, 4] == NONE),
            *_doubts(beam, linked, schema),
            sum(1 for words in beam.aliases if not covered & set(words) and not any(linked.features[word, 4] == WHOLE for word in words)),
        )
    )


_RANGES = {"YEAR": (1000, 2200), "DECADE": (1000, 2200), "QUARTER": (1, 4), "MONTH": (1, 12), "DAY": (1, 31), "WEEKDAY": (0, 6)}
_EQUALS = ("EQ", "IN")
_DECADE = re.compile(r"\d{3}0s")
_NOTHING, _ZERO = frozenset(("no", "none", "without")), frozenset(("0", "zero", "<", "negative", "below", "under", "less"))
_MEASURES_OF_TIME = frozenset(map(stem, ("day", "date", "time", "month", "year")))


def _doubts(beam: Finished, linked: Linked, schema: Schema) -> tuple[int, int]:
    """Texts that no cell of their column is known to hold; and what hardly anybody asks: such a text where another column holds it, parts
    of dates that cannot be, the first year of a decade for all of it, less than zero where the question says "without", a column that must
    equal two things at once, one of two cells of a column that the question says, and all that `implausible` and `misheard` count."""
    texts = odd = 0
    held = {value for _, value in beam.cells}
    said = [word.text.lower() for word in linked.words]
    decades = {int(word[:-1]) for word in said if _DECADE.fullmatch(word)}
    is_nothing = not _NOTHING.isdisjoint(said) and _ZERO.isdisjoint(said)
    equal: dict[tuple[int | None, str], str | int | float] = {}
    for position, token in enumerate(beam.tokens):
        if token in ("OR", "WHERE", "HAVING", "FILTER", *SET_OPERATIONS):
            equal = {}
        if not isinstance(token, Val):
            continue
        target, by = target_of(beam.tokens[:position], schema), beam.tokens[position - 1]
        instance = "SECOND" if beam.tokens[max(0, position - 3)] == "SECOND" else ""
        odd += (by == "EQ" and target.function == "YEAR" and token.value in decades) or (by == "LT" and token.value == 0 and is_nothing)
        if target.function in _RANGES:
            low, high = _RANGES[target.function]
            odd += not (isinstance(token.value, int) and low <= token.value <= high)
            odd += by == "EQ" and equal.setdefault((target.column, instance + target.function), token.value) != token.value
        elif target.column is not None and by in _EQUALS:
            if target.kind == "text" and (target.column, str(token.value)) not in beam.cells:
                texts += 1
                odd += str(token.value) in held
            odd += equal.setdefault((target.column, instance), token.value) != token.value
    odd += _leaves_out_a_twin(equal, beam, " ".join(said))
    try:
        query = parse(beam.tokens)
        odd += misheard(linked, schema, beam.tokens, spans_of(beam.actions, Layout.of(linked)), query)
        return texts, odd + implausible(query, schema, beam.cells, _first_named(linked))
    except NotCovered:
        return texts, odd


def _leaves_out_a_twin(equal: Mapping[tuple[int | None, str], str | int | float], beam: Finished, said: str) -> bool:
    """Whether of two cells of a column that the question says word by word only one is sought: "from Ben Moss to Ada King"."""
    written = [str(token.value).lower() for token in beam.tokens if isinstance(token, Val)]
    sought = {column for column, _ in equal}
    return any(
        column in sought and len(value) > 3 and f" {value.lower()} " in f" {said} " and not any(value.lower() in other for other in written)
        for column, value in beam.cells
    )


def _first_named(linked: Linked) -> dict[int, int]:
    """The first word that names each column, in part or in full, and is more than a measure of time."""
    words = len(linked.words)
    relations = linked.relations[:words, words + linked.table_count :]
    named = (relations == _COLUMN_WHOLE) | (relations == _COLUMN_PART)
    named &= np.array([stem(word.text.lower()) not in _MEASURES_OF_TIME for word in linked.words])[:, None]
    return {int(column): int(named[:, column].argmax()) for column in np.flatnonzero(named.any(0))}


def _is_unknown(linked: Linked, number: int, common_words: frozenset[str]) -> bool:
    """Whether a word says something that neither everyday questions nor the schema nor its cells know."""
    word = linked.words[number].text.lower()
    named = linked.features[number, 4] != NONE or linked.features[number, 5] == WHOLE
    return not named and len(word) > 2 and word.isalpha() and stem(word) not in common_words


def _covered_words(actions: Sequence[int], layout: Layout) -> set[int]:
    """The words that lie in a literal."""
    return {word for span in spans_of(actions, layout) if span for word in range(span[0], span[1] + 1)}


def _value_words(linked: Linked) -> set[int]:
    """The words that are, all in all, the cell of some column and the name of nothing."""
    words = len(linked.words)
    relations = linked.relations[:words, words + linked.table_count :]
    return {int(word) for word in np.flatnonzero((relations == _VALUE_WHOLE).any(1)) if linked.features[word, 4] != WHOLE}


def _left_out(linked: Linked, columns: set[int], covered: set[int]) -> int:
    """How many words name columns in full without any such column being used."""
    words = len(linked.words)
    relations = linked.relations[:words, words + linked.table_count :] == _COLUMN_WHOLE
    return sum(
        1
        for word in range(words)
        if word not in covered and relations[word].any() and not any(relations[word, column] for column in columns)
    )


def _same_sides(actions: Sequence[int]) -> int:
    """Whether both sides of a set operation are the same query."""
    for number, action in enumerate(actions):
        if action in _SET:
            left, right = tuple(actions[:number]), tuple(actions[number + 1 : -1])
            return int(left == right)
    return 0


def _repeated(actions: Sequence[int], layout: Layout) -> int:
    """How many columns stand twice in the first list of results; figures under conditions side by side repeat theirs."""
    selected: list[int] = []
    for action in actions[1:]:
        if action == _FILTER:
            return 0
        if action < KEYWORD_COUNT and KEYWORDS[action] in _AFTER_ITEMS:
            break
        if action >= layout.first_column:
            selected.append(action)
    return len(selected) - len(set(selected))
