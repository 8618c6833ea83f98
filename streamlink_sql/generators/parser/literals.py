"""Reads a stretch of a question as the literal that a column is compared with. Knows no model and no SQL.

`read` serves: words -> literal. `locate` trains: literal -> words, as the inverse of `read`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from rapidfuzz import fuzz

from streamlink_sql.catalog.values import normalise, stem
from streamlink_sql.generators.parser.linking import Word
from streamlink_sql.generators.parser.schema import Schema
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

_UNITS = (
    *"zero one two three four five six seven eight nine ten eleven twelve".split(),
    *"thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(),
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
_SMALL = (
    {word: number for number, word in enumerate(_UNITS)}
    | {word: 10 * (number + 2) for number, word in enumerate(_TENS)}
    | {word: number + 1 for number, word in enumerate(_ORDINALS)}
    | {"once": 1, "twice": 2, "thrice": 3, "single": 1, "half": 0.5, "dozen": 12, "a": 1, "an": 1, "couple": 2}
)
_SCALES = {"hundred": 100, "thousand": 1_000, "k": 1_000, "million": 1_000_000, "m": 1_000_000, "mio": 1_000_000, "mn": 1_000_000}
_SCALES |= {"billion": 1_000_000_000, "bn": 1_000_000_000, "b": 1_000_000_000, "trillion": 10**12}
_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = {name[:size]: number + 1 for number, name in enumerate(_MONTHS) for size in (3, len(name))} | {"sept": 9}
_DAYS = "sunday monday tuesday wednesday thursday friday saturday".split()
_DAY = {name[:size]: number for number, name in enumerate(_DAYS) for size in (3, len(name))}

_NUMBER = re.compile(r"[-+]?\$?\d+(?:,\d{3})*(?:\.\d+)?")
_DATE_FORMS = (
    (re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})"), "ymd"),
    (re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})"), "dmy"),
    (re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})"), "mdy"),
    (re.compile(r"(\d{1,2})(?:st|nd|rd|th)?(?: of)? ([a-z]+)\.?,? (\d{4})"), "dmy"),
    (re.compile(r"([a-z]+)\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})"), "mdy"),
)


@dataclass(frozen=True, slots=True)
class Target:
    """What a literal is compared with: the kind of its column, a function over it, the pattern operator, the column itself."""

    kind: Kind
    function: str = ""
    pattern: bool = False
    column: int | None = None


def target_of(tokens: Sequence[Token], schema: Schema) -> Target:
    """What the literal that follows these tokens is compared with: the nearest expression before it."""
    pattern = False
    for position in range(len(tokens) - 1, -1, -1):
        token = tokens[position]
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
            return Target(kind, before if isinstance(before, str) and before in FUNCTIONS else "", pattern, token.index)
    return Target("integer")


def read(text: str, target: Target, found: Sequence[str] = ()) -> Val:
    """`text` as a literal for `target`; `found` are cell values of its column that the text was matched with, best first."""
    if target.function:
        return Val(_part(text, target.function))
    if target.kind in ("integer", "real", "decimal") and not target.pattern:
        number = read_number(text)
        return Val(text if number is None else number)
    if target.kind in ("date", "timestamp") and not target.pattern:
        return Val(read_date(text) or text)
    if found and not target.pattern:
        return Val(found[0].strip())
    if target.kind == "boolean":
        return Val(0 if normalise(text) in ("0", "no", "false", "not", "f", "n") else 1)
    return Val(text)


def _part(text: str, function: str) -> str | int | float:
    """A year, month, quarter, ... as the number that the function gives."""
    word = normalise(text)
    first = word.split()[0] if word else ""
    if function == "YEAR_MONTH":
        moment = read_date(text) or read_date(f"1 {text}") or text
        return moment[:7]
    named = {"MONTH": _MONTH, "WEEKDAY": _DAY}.get(function, {})
    if first in named:
        return named[first]
    if function == "DECADE" and (year := re.search(r"(\d{2,4})", word)):
        given = int(year.group(1))
        return given // 10 * 10 + (0 if given > 99 else 1900 if given > 20 else 2000)
    if function in ("YEAR", "QUARTER", "DAY") and (digits := re.search(r"\d+", word)):
        return int(digits.group())
    number = read_number(text)
    return text if number is None else number


@lru_cache(maxsize=65536)
def read_number(text: str) -> int | float | None:
    """'5 million', '1,200', 'two dozen', '20 %', '3rd', '2k' as a number; None when it is none."""
    words = re.findall(
        r"[-+]?\$?\d+(?:,\d{3})*(?:\.\d+)?|[a-z]+", text.casefold().replace("-", " ") if not text.startswith("-") else text.casefold()
    )
    total: float = 0
    current: float | None = None
    for word in words:
        if _NUMBER.fullmatch(word):
            if current is not None and total == 0 and current >= 1 and len(words) > 1 and words[0] not in ("a", "an"):
                return None
            current = float(word.replace(",", "").replace("$", ""))
        elif word in _SMALL:
            current = (
                _SMALL[word]
                if current is None
                else current * 12
                if word == "dozen"
                else current + _SMALL[word]
                if current >= 20
                else _SMALL[word]
            )
        elif word in _SCALES:
            current = (1 if current is None else current) * _SCALES[word]
            if current >= 1000:
                total, current = total + current, None
        elif word not in ("and", "st", "nd", "rd", "th", "percent", "pct", "s", "of", "times", "usd", "eur", "dollars", "euros"):
            return None
    if current is None and total == 0 and not any(word in _SCALES or word in _SMALL or _NUMBER.fullmatch(word) for word in words):
        return None
    value = total + (current or 0)
    return int(value) if value == int(value) else value


@lru_cache(maxsize=65536)
def read_date(text: str) -> str | None:
    """A day as ISO text, or None."""
    folded = " ".join(text.casefold().split()).replace(" - ", "-").replace(" / ", "/").replace(" ,", ",")
    for form, order in _DATE_FORMS:
        parts = form.fullmatch(folded)
        if not parts:
            continue
        by = dict(zip(order, parts.groups(), strict=True))
        month = _MONTH.get(by["m"]) if by["m"].isalpha() else int(by["m"])
        try:
            return date(int(by["y"]), month or 0, int(by["d"])).isoformat()
        except ValueError:
            continue
    return None


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
