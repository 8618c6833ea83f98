"""What the decoder writes, step by step: keywords, fixed literals, and pointers to words, tables and columns. Knows no model.

An action is an index into one flat list: KEYWORDS, then LITERALS, then the words of the question, the tables and the columns. A literal
of the question takes two actions: its first word, then its last. The control state of the grammar, or SPAN_END, says which may follow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamlink_sql.catalog.values import normalise, stem
from streamlink_sql.generators.parser.grammar import COL, START, STATE_COUNT, TAB, VAL, State, masks, step
from streamlink_sql.generators.parser.linking import Linked, Word
from streamlink_sql.generators.parser.literals import (
    LITERALS,
    Target,
    around,
    is_unit_of_time,
    read,
    spanned,
    target_of,
    unit_of_length,
    within,
)
from streamlink_sql.generators.parser.moments import day_with_year, is_month, read_half, words_of_day
from streamlink_sql.generators.parser.numerals import is_scale, read_number
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.generators.parser.tokens import KEYWORDS, Col, Tab, Token, Val
from streamlink_sql.types import ValueMatch

KEYWORD_COUNT = len(KEYWORDS)
FIXED = KEYWORD_COUNT + len(LITERALS)
"""Number of actions that are there for every question."""
SPAN_END = STATE_COUNT
"""The state between the first and the last word of a literal."""
STATES = STATE_COUNT + 1
Span = tuple[int, int]
"""The first and the last word of a literal."""
_QUOTES = ("'", '"', "`", "“", "‘", "«")
_BEGIN = frozenset(
    "a all also and are at by can compare count do does find for give group how i in is it list name of only on or order please print "
    "report return show sort tell that the their then there these they this those what when where which who whose why with".split()
)
"""Words that begin sentences of people who ask."""
_CLASSES_BEFORE_KEYWORDS = 3
_HOLDING: dict[Token, str] = {"EQ": "CONTAINS", "NE": "NOT_CONTAINS"}
"""How a text is compared with what is a part of it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How many words, tables and columns one question has, and so where their actions lie."""

    words: int
    tables: int
    columns: int

    @property
    def first_table(self) -> int:
        """The action of the first table."""
        return FIXED + self.words

    @property
    def first_column(self) -> int:
        """The action of the first column."""
        return FIXED + self.words + self.tables

    @property
    def count(self) -> int:
        """All actions."""
        return FIXED + self.words + self.tables + self.columns

    @classmethod
    def of(cls, linked: Linked) -> Layout:
        """The layout of one question's input."""
        return cls(len(linked.words), linked.table_count, linked.column_count)


def _permissions() -> NDArray[np.bool_]:
    """(STATES, FIXED + 3): which fixed actions each state permits, then whether words, tables and columns."""
    table = np.zeros((STATES, FIXED + 3), np.bool_)
    for state, classes in enumerate(masks()):
        for number in classes:
            if number >= _CLASSES_BEFORE_KEYWORDS:
                table[state, number - _CLASSES_BEFORE_KEYWORDS] = True
        table[state, KEYWORD_COUNT:FIXED] = VAL in classes
        table[state, FIXED] = VAL in classes
        table[state, FIXED + 1] = TAB in classes
        table[state, FIXED + 2] = COL in classes
    table[SPAN_END, FIXED] = True
    return table


PERMITTED = _permissions()


@dataclass(frozen=True, slots=True)
class Position:
    """Where a prefix stands: the grammar's state, the first word of an open span, the words up to the lower bound of an open range."""

    state: State = START
    opened: int | None = None
    passed: int = 0

    @property
    def complete(self) -> bool:
        """Whether the query is finished."""
        return not self.state.stack and self.opened is None

    @property
    def id(self) -> int:
        """The control state's number, SPAN_END inside a span."""
        return self.state.id if self.opened is None else SPAN_END

    def mask(self, layout: Layout) -> NDArray[np.bool_]:
        """(layout.count,) the actions that may follow."""
        allowed = PERMITTED[self.id]
        words = np.full(layout.words, allowed[FIXED])
        if self.opened is not None:
            words[: self.opened] = False
        tables, columns = np.full(layout.tables, allowed[FIXED + 1]), np.full(layout.columns, allowed[FIXED + 2])
        return np.concatenate((allowed[:FIXED], words, tables, columns))

    def after(self, action: int, layout: Layout) -> Position:
        """The position after an action."""
        if self.opened is not None:
            after = step(self.state, VAL)
            between = self.state.name.startswith("BOUND") and after.name.startswith("BOUND")
            return Position(after, passed=action - FIXED + 1 if between else 0)
        if action < KEYWORD_COUNT:
            return Position(step(self.state, action + _CLASSES_BEFORE_KEYWORDS))
        if action < FIXED:
            return Position(step(self.state, VAL))
        if action < layout.first_table:
            return Position(self.state, action - FIXED, self.passed)
        return Position(step(self.state, TAB if action < layout.first_column else COL))


def sensible(position: Position, layout: Layout) -> NDArray[np.bool_]:
    """(layout.count,) the actions that may follow in a search: as the mask, and the upper bound of a range is read behind the lower one."""
    mask = position.mask(layout)
    if position.passed < layout.words:
        mask[FIXED : FIXED + position.passed] = False
    return mask


def to_tokens(
    actions: Sequence[int], layout: Layout, question: str, words: Sequence[Word], schema: Schema, matches: Sequence[ValueMatch]
) -> list[Token]:
    """The tokens that these actions write, literals read from the question."""
    numbered = number_matches(matches, schema)
    tokens: list[Token] = []
    opened: int | None = None
    for action in actions:
        if opened is not None:
            target = target_of(tokens, schema)
            if tokens[-1] == "EQ" and (bound := _half_of_a_year(opened, action - FIXED, target, question, words)):
                tokens[-1:] = bound
            elif tokens[-1] in _HOLDING and (name := _name_of_several(opened, action - FIXED, target, question, words, numbered)):
                tokens[-1:] = [_HOLDING[tokens[-1]], Val(name)]
            else:
                literal = _literal(opened, action - FIXED, target, question, words, numbered)
                is_quoted = question[: words[opened].start].endswith(_QUOTES)
                tokens.append(_in_any_number(literal) if tokens[-1] in ("CONTAINS", "NOT_CONTAINS") and not is_quoted else literal)
            opened = None
        elif action < KEYWORD_COUNT:
            tokens.append(KEYWORDS[action])
        elif action < FIXED:
            tokens.append(Val(LITERALS[action - KEYWORD_COUNT]))
        elif action < layout.first_table:
            opened = action - FIXED
        elif action < layout.first_column:
            tokens.append(Tab(action - layout.first_table))
        else:
            tokens.append(Col(action - layout.first_column))
    return tokens


def spans_of(actions: Sequence[int], layout: Layout) -> list[Span | None]:
    """The first and last word of each literal in turn; None for one that no word says."""
    found: list[Span | None] = []
    opened: int | None = None
    for action in actions:
        if opened is not None:
            found.append((opened, action - FIXED))
            opened = None
        elif KEYWORD_COUNT <= action < FIXED:
            found.append(None)
        elif FIXED <= action < layout.first_table:
            opened = action - FIXED
    return found


def _literal(
    first: int, last: int, target: Target, question: str, words: Sequence[Word], numbered: Sequence[tuple[ValueMatch, int]]
) -> Val:
    """The literal of a stretch of words. A stretch that stops short of a number's unit, at an initial, at the day of a month or inside a
    cell's name, or that goes on after it, and a day whose year the question says beside it, are taken as meant."""
    while last + 1 < len(words) and target.is_number and is_scale(words[last + 1].text):
        last += 1
    while target.kind == "text" and first < last and _is_initial(words[last : last + 3]):
        last += 2
    if target.is_moment:
        first -= words_of_day([word.text.lower() for word in words[:first]], words[first].text)
    start, end = words[first].start, words[last].end
    text = question[start:end]
    if target.is_moment:
        text = day_with_year(text, question[end:], question[:start])
    if target.days or target.duration:
        is_unit = unit_of_length if target.duration else is_unit_of_time
        text = f"{text} {_unit_behind(words[last + 1 : last + 5], is_unit)}".rstrip()
    found = (
        spanned(start, end, target, numbered) or around(start, end, target, numbered) or within(words[first : last + 1], target, numbered)
    )
    return read(text, target, found)


def _half_of_a_year(first: int, last: int, target: Target, question: str, words: Sequence[Word]) -> list[Token]:
    """The bound of a quarter or month that should equal half of a year ("the second half of 2018"); nothing where half of a month is meant,
    or something else."""
    middle = {"QUARTER": 2, "MONTH": 6}.get(target.function)
    if middle is None or is_month(" ".join(word.text for word in words[last + 1 : last + 4])):
        return []
    ends = [words[at].end for at in (last, last + 1) if at < len(words)]
    half = next((half for end in ends if (half := read_half(question[words[first].start : end]))), None)
    return [] if half is None else ["LE", Val(middle)] if half == 1 else ["GE", Val(middle + 1)]


def _name_of_several(
    first: int, last: int, target: Target, question: str, words: Sequence[Word], numbered: Sequence[tuple[ValueMatch, int]]
) -> str:
    """The words where they are a part of several cells of the column, as a family name is, and all of none; else nothing."""
    start, end = words[first].start, words[last].end
    values = {match.value for match, column in numbered if column == target.column and (match.start, match.end) == (start, end)}
    part = normalise(question[start:end])
    shared = len(values) > 1 and all(f" {part} " in f" {normalise(value)} " and part != normalise(value) for value in values)
    return question[start:end] if shared and target.kind == "text" and not target.function else ""


def _unit_behind(words: Sequence[Word], is_unit: Callable[[str], bool | str]) -> str:
    """The unit of a time that a number before these words has: of "2 weeks" and "two-week", and of the first one of "2 to 3 weeks"."""
    texts = [word.text.lower() for word in words if word.text not in "-–"]
    if len(texts) > 2 and texts[0] in ("and", "or", "to") and read_number(texts[1]) is not None:
        texts = texts[2:]
    return texts[0] if texts and is_unit(texts[0]) else ""


def _is_initial(words: Sequence[Word]) -> bool:
    """Whether a name goes on after these: "J", ".", "Smith"; not where a new sentence begins."""
    if len(words) < 3:
        return False
    letter, dot, name = (word.text for word in words)
    return len(letter) == 1 and letter.isupper() and dot == "." and name[0].isupper() and name.lower() not in _BEGIN


def _in_any_number(literal: Val) -> Val:
    """What a text is searched for, without the ending of the plural: a text that holds "magnets" holds "magnet", and others do, too."""
    text = str(literal.value)
    before, blank, last = text.rpartition(" ")
    return literal if last.lower().endswith("ies") else Val(before + blank + stem(last))


def number_matches(matches: Sequence[ValueMatch], schema: Schema) -> list[tuple[ValueMatch, int]]:
    """The matches with the index of their column; those of other tables are left out."""
    numbered = []
    for match in matches:
        table = schema.table_index(match.table)
        column = None if table is None else schema.column_index(table, match.column)
        if column is not None:
            numbered.append((match, column))
    return numbered


def known_cells(matches: Sequence[ValueMatch], schema: Schema) -> frozenset[tuple[int, str]]:
    """Column and value of every cell that the question mentions."""
    return frozenset((column, match.value.strip()) for match, column in number_matches(matches, schema))


def alias_words(matches: Sequence[ValueMatch], words: Sequence[Word]) -> tuple[range, ...]:
    """The stretches of words by which a glossary means a cell, each once."""
    told = {(match.start, match.end) for match in matches if match.source == "glossary"}
    stretches = ([number for number, word in enumerate(words) if start <= word.start and word.end <= end] for start, end in sorted(told))
    return tuple(range(inside[0], inside[-1] + 1) for inside in stretches if inside)
