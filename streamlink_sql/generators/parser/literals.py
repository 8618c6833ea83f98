"""Reads a stretch of a question as the literal that a column is compared with. Knows no model and no SQL.

`read` serves: words -> literal. `locate` trains: literal -> words, as the inverse of `read`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from streamlink_sql.catalog.values import normalise, stem
from streamlink_sql.generators.parser.linking import Word
from streamlink_sql.generators.parser.moments import read_date, read_part
from streamlink_sql.generators.parser.numerals import number_within, read_fraction, read_number, unquoted
from streamlink_sql.generators.parser.schema import NUMBERS, TIMES, Schema
from streamlink_sql.generators.parser.tokens import ARITHMETIC, FUNCTIONS, LAST, PATTERNS, Col, Tab, Token, Val
from streamlink_sql.types import Kind, ValueMatch

LITERALS: tuple[str | int, ...] = (
    *(1, 2, 3, 4, 5, 6, 10, 0, 100, 50),
    *(
        "T",
        "F",
        "Y",
        "N",
        "yes",
        "no",
        "Yes",
        "No",
        "true",
        "false",
        "M",
        "male",
        "female",
        "Male",
        "Female",
        "True",
        "False",
        "USA",
        "null",
    ),
)
"""Values that questions imply without saying them; trained weights depend on the order, new ones go to the end."""
LONGEST = 10
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
"""Of how many days people think who say how long something took."""
_LENGTHS = ("second", "minute", "hour", "day", "week", "month", "year")
_SHORT = {"s": "second", "sec": "second", "secs": "second", "min": "minute", "mins": "minute", "h": "hour", "hr": "hour", "hrs": "hour"}
NAMED_WHOLE = 0.9


@dataclass(frozen=True, slots=True)
class Target:
    """What a literal is compared with: the kind of its column, a function over it, the pattern operator, the column; or a percentage, or
    the days between two dates, or a length of time. `late`: of a stretch of time, its end counts."""

    kind: Kind
    function: str = ""
    pattern: bool = False
    column: int | None = None
    percent: bool = False
    late: bool = False
    days: bool = False
    duration: bool = False

    @property
    def is_moment(self) -> bool:
        """Whether days are meant."""
        return self.kind in TIMES and not self.function and not self.pattern

    @property
    def is_number(self) -> bool:
        """Whether plain numbers are meant."""
        return self.kind in NUMBERS and not self.function and not self.pattern


_ENDS_PERCENT = ("CLOSE",)
"""What a comparison has before it ends so when it is a percentage: with the condition that is counted."""


def target_of(tokens: Sequence[Token], schema: Schema) -> Target:
    """What the literal that follows these tokens is compared with: the nearest expression before it."""
    pattern = False
    for position in range(len(tokens) - 1, -1, -1):
        token = tokens[position]
        if token in _ENDS_PERCENT:
            return Target("integer", percent=True)
        if token in ("LIMIT", "COUNT", "COUNT_DISTINCT", *LAST, "SHARE", "PERCENT") or isinstance(token, Tab):
            return Target("integer")
        if token in ("SUM", "AVG", *ARITHMETIC):
            return Target("real")
        pattern = pattern or token in PATTERNS
        if isinstance(token, Col):
            before = tokens[position - 1] if position else ""
            before = tokens[position - 2] if before in ("SECOND", "OUTER") and position > 1 else before
            if before in ("COUNT", "COUNT_DISTINCT", "LENGTH"):
                return Target("integer")
            kind = schema.columns[token.index][1].kind
            if kind in TIMES and isinstance(before, Col) and position > 1 and tokens[position - 2] == "SUB":
                return Target("integer", days=True)
            function = before if isinstance(before, str) and before in FUNCTIONS else ""
            duration = schema.columns[token.index][1].native.upper().startswith("INTERVAL") and not function
            return Target(kind, function, pattern, token.index, late=_is_late(tokens), duration=duration)
    return Target("integer")


def _is_late(tokens: Sequence[Token]) -> bool:
    """Whether what follows is passed only at its end: "after May", "until May", "from March to May"."""
    return tokens[-1] in ("LE", "GT") or (len(tokens) > 1 and isinstance(tokens[-1], Val) and tokens[-2] == "BETWEEN")


def read(text: str, target: Target, found: Sequence[str] = ()) -> Val:
    """`text` as a literal for `target`; `found` are cell values of its column that the text was matched with, best first."""
    text = unquoted(text)
    if target.function:
        return Val(read_part(text, target.function))
    if target.pattern:
        return Val(text)
    if target.duration:
        return Val(_length_of_time(text))
    if target.kind in NUMBERS:
        number = read_fraction(text) if target.percent else None
        number = read_number(text) if number is None else number
        number = number_within(text) if number is None else number
        return Val(text if number is None else number * _days_in(text) if target.days else number)
    if target.kind in TIMES:
        return Val(read_date(text, late=target.late) or text)
    if found:
        return Val(found[0].strip())
    if target.kind == "boolean":
        return Val(0 if normalise(text) in ("0", "no", "false", "not", "f", "n") else 1)
    return Val(text)


def _length_of_time(text: str) -> str:
    """A number with a unit of time as engines read it: "two hours" is "2 hours"."""
    *said, last = text.lower().replace("-", " ").split() or [""]
    number, unit = read_number(" ".join(said)), unit_of_length(last)
    return text if number is None or not unit else f"{number:g} {unit}s"


def unit_of_length(word: str) -> str:
    """The unit that lengths of time are told in: "hour" for "hrs"; nothing for other words."""
    stems = {stem(unit): unit for unit in _LENGTHS}
    return _SHORT.get(word.lower().removesuffix("."), "") or stems.get(stem(word.lower()), "")


def is_unit_of_time(word: str) -> bool:
    """Whether a word is the unit of some days: "weeks"."""
    return stem(word.lower()) in _DAYS


def _days_in(text: str) -> int:
    """How many days the unit in a text has; 1 without any."""
    return next((_DAYS[unit] for word in text.lower().split() if (unit := stem(word)) in _DAYS), 1)


def locate(
    value: str | int | float, target: Target, question: str, words: Sequence[Word], matches: Sequence[tuple[ValueMatch, int]]
) -> tuple[int, int] | None:
    """The first and last word of the stretch that `read` turns into `value`, or comes nearest to it; None when there is none.

    `matches` are the value matches with the index of their column.
    """
    best: tuple[float, int, int] | None = None
    for first in range(len(words)):
        for last in range(first, min(first + LONGEST, len(words))):
            text = question[words[first].start : words[last].end]
            found = spanned(words[first].start, words[last].end, target, matches)
            score = _likeness(value, read(text, target, found), text)
            if score and (best is None or (score, first - last) > (best[0], best[1] - best[2])):
                best = (score, first, last)
    return None if best is None or best[0] < 0.72 else (best[1], best[2])


def spanned(start: int, end: int, target: Target, matches: Sequence[tuple[ValueMatch, int]]) -> list[str]:
    """Cell values of the target's column that were matched with about these characters, best first."""
    hits = []
    for match, column in matches:
        if column != target.column:
            continue
        common = min(end, match.end) - max(start, match.start)
        union = max(end, match.end) - min(start, match.start)
        if common > 0 and common / union > 0.5:
            hits.append((-(common / union) * match.score, match.value))
    return [value for _, value in sorted(hits)]


def around(start: int, end: int, target: Target, matches: Sequence[tuple[ValueMatch, int]]) -> list[str]:
    """Cell values of the target's column that the question names whole, these characters being part of the name; best first."""
    hits = [
        (-match.score, match.start - match.end, match.value)
        for match, column in matches
        if column == target.column and match.start <= start and end <= match.end and match.score >= NAMED_WHOLE
    ]
    return [value for _, _, value in sorted(hits)]


def within(words: Sequence[Word], target: Target, matches: Sequence[tuple[ValueMatch, int]]) -> list[str]:
    """Cell values of the target's column that part of these words name whole, where cells of other columns explain the others: "Chinese
    universities" as a country."""
    named = [(match, column) for match, column in matches if match.score >= NAMED_WHOLE]
    explained = all(any(match.start <= word.start and word.end <= match.end for match, _ in named) for word in words)
    return [
        match.value for match, column in named if explained and column == target.column and words[0].start <= match.start < words[-1].end
    ]


def _likeness(value: str | int | float, got: Val, text: str) -> float:
    """1 where the literal is reproduced, less where the words come near to it."""
    if isinstance(got.value, (int, float)) and isinstance(value, (int, float)):
        return 1.0 if float(got.value) == float(value) else 0.0
    if str(got.value) == str(value):
        return 1.0
    number = read_number(text)
    if number is not None and str(value).strip("%").replace(".", "", 1).isdigit():
        return 0.95 if float(str(value).strip("%")) == float(number) else 0.0
    if isinstance(value, (int, float)):
        return 0.0
    wanted, given = normalise(str(value)), normalise(text)
    if not wanted or not given:
        return 0.0
    if wanted == given:
        return 0.98
    if [stem(word) for word in wanted.split()] == [stem(word) for word in given.split()]:
        return 0.9
    if abs(len(wanted) - len(given)) > 6:
        return 0.0
    return 0.85 * fuzz.ratio(wanted, given) / 100 if len(wanted) > 3 else 0.0
