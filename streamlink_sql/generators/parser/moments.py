"""Reads days, months, quarters, decades as people write them: '15th of June 2018', 'Q3', 'the nineties'. Knows no columns."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache

from streamlink_sql.generators.parser.numerals import folded, full_year, number_within, read_number

_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = {name[:size]: number for number, name in enumerate(_MONTHS, 1) for size in (3, len(name))} | {"sept": 9}
_DAYS = "sunday monday tuesday wednesday thursday friday saturday".split()
_DAY = {name[:size]: number for number, name in enumerate(_DAYS) for size in (3, len(name))}
_DAY |= {f"{name}s": number for name, number in _DAY.items() if len(name) > 3} | {"tues": 2, "thur": 4, "thurs": 4}
_DECADES = {
    name.replace("y", "ies"): 10 * tens for tens, name in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_QUARTERS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4, "one": 1, "two": 2, "three": 3, "four": 4}

_HALF = re.compile(r"h ?(?P<h>[12])|(?P<nth>first|1st|second|2nd|last) half(?:[- ]year)?")

_NUMERIC = (
    (re.compile(r"(\d{4}) ?[-/.] ?(\d{1,2}) ?[-/.] ?(\d{1,2})"), "ymd"),
    (re.compile(r"(\d{1,2}) ?\. ?(\d{1,2}) ?\. ?(\d{4})"), "dmy"),
    (re.compile(r"(\d{1,2}) ?[/-] ?(\d{1,2}) ?[/-] ?(\d{4})"), "mdy"),
    (re.compile(r"(\d{1,2}) ?[/-] ?(\d{1,2}) ?[/-] ?(\d{4})"), "dmy"),
)
_SOME_DAY = rf"(?:the )?(?:\d{{1,2}}(?:st|nd|rd|th)? (?:of )?)?(?:{'|'.join(_MONTH)})\b(?: \d{{1,2}}(?:st|nd|rd|th)?(?!\d))?"
_YEAR_AFTER = re.compile(
    rf"\s*(?:(?:to|and|or|till|until|through|[-\u2013]) ?{_SOME_DAY})?\s*(?:,|in |of )?\s*(?P<year>[12]\d{{3}})(?!\d)", re.IGNORECASE
)
_YEAR_BEFORE = re.compile(r"\b(?:in|of|during) (?P<year>[12]\d{3}),?(?: [a-z]+){0,2} (?:the )?$", re.IGNORECASE)
_OF_MONTH = re.compile(r"(?:[0-2]?\d|3[01])(?:st|nd|rd|th)?(?: of)?")
_FOUR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_SAID_BESIDES = frozenset(["the", "of", "on", "st", "nd", "rd", "th", "day", *_DAY])
_YEAR_MONTH = ((re.compile(r"(\d{4}) ?[-/.] ?(\d{1,2})"), "ym"), (re.compile(r"(\d{1,2}) ?[-/.] ?(\d{4})"), "my"))


@lru_cache(maxsize=65536)
def read_date(text: str, *, late: bool = False) -> str | None:
    """A day as ISO text, where only month and year are said the first one or the last; None when the text is something else."""
    plain = folded(text)
    for form, order in _NUMERIC:
        if parts := form.fullmatch(plain):
            by = dict(zip(order, map(int, parts.groups()), strict=True))
            if found := _iso(by["y"], by["m"], by["d"]):
                return found
    words = [word for word in re.findall(r"\d+|[a-z]+|[^\s\w,.-]", plain) if word not in _SAID_BESIDES]
    years = [word for word in words if len(word) == 4 and word.isdigit()]
    months = [word for word in words if word in _MONTH]
    if len(years) != 1 or len(months) != 1:
        return None
    rest = " ".join(word for word in words if word not in (years[0], months[0]))
    year, month = int(years[0]), _MONTH[months[0]]
    day = read_number(rest) if rest else _last_day(year, month) if late else 1
    return _iso(year, month, day) if isinstance(day, int) else None


def _last_day(year: int, month: int) -> int:
    return monthrange(year, month)[1] if year else 0


def day_with_year(text: str, after: str, before: str) -> str:
    """A day or month that lacks its year, as in "1 May to 30 June 2012", with the year said right beside it; any other text as it is."""
    beside = _YEAR_AFTER.match(after) or _YEAR_BEFORE.search(before)
    dated = f"{text} {beside['year']}" if beside else text
    return dated if read_date(text) is None and read_date(dated) is not None else text


def words_of_day(before: Sequence[str], first: str) -> int:
    """How many of the words before a month belong to it: its day, as in "1 May" and "3rd of May"."""
    for size in (2, 1) if first.lower() in _MONTH else ():
        if _OF_MONTH.fullmatch(" ".join(before[-size:])):
            return size
    return 0


def _iso(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except (ValueError, OverflowError):
        return None


def read_part(text: str, function: str) -> str | int | float:
    """A year, month, quarter, ... as what the function of that name gives; the text itself where it says none."""
    found = _PARTS[function](folded(text)) if function in _PARTS else None
    if found is not None:
        return found
    number = read_number(text)
    if number is None:
        number = number_within(text)
    return text if number is None else number


def _year(plain: str) -> int | None:
    four = _FOUR.findall(plain)
    if four:
        return int(four[-1])
    short = re.fullmatch(r"['\u2019](\d\d)s?", plain)
    return full_year(int(short.group(1))) if short else None


def _quarter(plain: str) -> int | None:
    if marked := re.search(r"(?<![a-z])q(?:uarter)?\s?([1-4])(?!\d)|(?<![\d.])([1-4])(?:st|nd|rd|th)?\s?q(?:uarter)?(?![a-z])", plain):
        return int(marked.group(1) or marked.group(2))
    return next((_QUARTERS[word] for word in plain.split() if word in _QUARTERS), None)


def _month(plain: str) -> int | None:
    named = [_MONTH[word] for word in re.findall(r"[a-z]+", plain) if word in _MONTH]
    if named:
        return named[0]
    moment = _year_month(plain)
    return int(moment[5:7]) if moment else None


def _day(plain: str) -> int | None:
    moment = read_date(plain)
    if moment and re.search(r"\d.*\d{4}|\d{4}.*\d", plain):
        return int(moment[8:])
    ordinal = re.search(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)(?![a-z])", plain)
    return int(ordinal.group(1)) if ordinal else None


def is_month(text: str) -> bool:
    """Whether a text names a month, or says the word."""
    return any(word in _MONTH or word == "month" for word in folded(text).split())


def read_half(text: str) -> int | None:
    """Which half of a year a text names: 1 for "first half", 2 for "second half" and "H2"; None where it names none."""
    half = _HALF.fullmatch(folded(text))
    return None if half is None else int(half["h"]) if half["h"] else 1 if half["nth"] in ("first", "1st") else 2


def _weekday(plain: str) -> int | None:
    return next((_DAY[word] for word in re.findall(r"[a-z]+", plain) if word in _DAY), None)


def _decade(plain: str) -> int | None:
    named = next((_DECADES[word] for word in re.findall(r"[a-z]+", plain) if word in _DECADES), None)
    digits = re.search(r"(?<!\d)(\d{4}|\d{2})(?!\d)", plain)
    if digits is None and named is None:
        return None
    number = int(digits.group(1)) if digits else named or 0
    return number // 10 * 10 + (0 if number > 99 else 1900 if number > 20 else 2000)


def _year_month(plain: str) -> str | None:
    for form, order in _YEAR_MONTH:
        if parts := form.fullmatch(plain):
            by = dict(zip(order, map(int, parts.groups()), strict=True))
            return f"{by['y']:04}-{by['m']:02}" if 1 <= by["m"] <= 12 else None
    moment = read_date(plain)
    return moment[:7] if moment else None


_PARTS: dict[str, Callable[[str], str | int | None]] = {
    "YEAR": _year,
    "QUARTER": _quarter,
    "MONTH": _month,
    "DECADE": _decade,
    "DAY": _day,
    "WEEKDAY": _weekday,
    "YEAR_MONTH": _year_month,
}
