"""Reads numbers as people write them: '1,200', '2.5 million', '$3k', 'twenty-five', 'half a dozen', '3rd', '20 %'. Knows no columns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import groupby

_UNITS = (
    *"zero one two three four five six seven eight nine ten eleven twelve".split(),
    *"thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(),
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = (
    *"zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(),
    *"thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth".split(),
)
_SMALL = (
    {word: number for number, word in enumerate(_UNITS)}
    | {word: 10 * number for number, word in enumerate(_TENS, 2)}
    | {word: number for number, word in enumerate(_ORDINALS)}
    | {word.replace("y", "ieth"): 10 * number for number, word in enumerate(_TENS, 2)}
    | {"once": 1, "twice": 2, "thrice": 3, "single": 1, "couple": 2, "pair": 2, "oh": 0}
)
_PARTS = {"half": 2, "halve": 2, "quarter": 4} | {word: number for number, word in enumerate(_ORDINALS) if number > 2}
_SCALES = {"thousand": 10**3, "lakh": 10**5, "million": 10**6, "crore": 10**7, "billion": 10**9, "trillion": 10**12}
_SCALES |= {f"{name}s": size for name, size in _SCALES.items()} | {"mio": 10**6, "mn": 10**6, "bn": 10**9, "tn": 10**12}
_LETTERS = {"k": 10**3, "m": 10**6, "b": 10**9}
"""Scales that count only behind digits."""
_BEHIND = frozenset("% percent pct per cent times x s st nd rd th usd eur gbp dollar dollars euro euros pound pounds".split())
_BEFORE = frozenset(["us", "usd", "eur", "gbp"])
_MARKS = frozenset("$€£¥")
_ARTICLES = ("a", "an", "the")
_LONGEST = 30
"""More digits than that are a name, not a number."""

_DIGITS = re.compile(
    r"\d+(?:\.\d+)?e[-+]?\d\d?(?![a-z\d])"
    r"|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}|\d{1,3}(?:[ '\u2019]\d{3})+(?!\d)"
    r"|\d+[.,]\d+|\d+|\.\d+"
)
_IN_THOUSANDS = re.compile(r"\d{1,3}(\.\d{3}){2,}|\d{1,3}(\.\d{3})+,\d+|[1-9]\d{0,2}\.000")
"""Points that stand between thousands: more than one, one before a decimal comma, or before three zeros, which no fraction ends with."""
_EUROS = re.compile(r"(?<![\d.,])(\d{1,3})\.(\d{3})(?= ?(?:€|eur))|(?<=€)( ?\d{1,3})\.(\d{3})(?![\d.,])")
"""A sum of euros with one point before three digits: cents are two."""
_TOKEN = re.compile(rf"\s*({_DIGITS.pattern}|[a-z]+|[-%$€£¥])")
_WITHIN = re.compile(rf"(?<![\w.,])(?:{_DIGITS.pattern})(?:(?:k|m|bn?|mn|mio|st|nd|rd|th|s|x)(?![a-z]))?|[a-z]+|\S")
_YEAR = re.compile(r"['\u2019](\d\d)s?")
_SIGN = re.compile(r"(?:[-\u2212]\s?|minus |negative )(?=[\w.$€£¥])")
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "«": "»", "(": ")"}


def unquoted(text: str) -> str:
    """The text without the quotation marks around it."""
    bare = text.strip()
    return bare[1:-1].strip() if len(bare) > 2 and _QUOTES.get(bare[0]) == bare[-1] else bare


def folded(text: str) -> str:
    """The text in one form of letters, digits and blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@lru_cache(maxsize=65536)
def read_number(text: str) -> int | float | None:
    """The number that this whole text says; None when it says none, or something else as well."""
    plain = _EUROS.sub(r"\1\3\2\4", folded(text).strip("?!;:").removesuffix(".").removesuffix(","))
    year = _YEAR.fullmatch(plain)
    if year:
        return full_year(int(year.group(1)))
    sign = _SIGN.match(plain)
    tokens = _tokens(plain[sign.end() :] if sign else plain)
    amount = _Amount().read(tokens) if tokens else None
    if amount is None or len(amount.as_tuple().digits) > _LONGEST or amount.adjusted() > _LONGEST:
        return None
    value = -amount if sign else amount
    return int(value) if value == value.to_integral_value() else float(value)


def read_fraction(text: str) -> int | float | None:
    """The percentage that a part said in words is: 'a quarter', 'two thirds', 'half'; None for anything else."""
    words = [word for word in re.split(r"[\s-]+", folded(text)) if word not in (*_ARTICLES, "of")]
    if not words or words[-1].removesuffix("s") not in _PARTS or len(words) > 2:
        return None
    count = _SMALL.get(words[0]) if len(words) == 2 else 1
    percent = 100 * (count or 0) / _PARTS[words[-1].removesuffix("s")]
    return None if count is None else int(percent) if percent.is_integer() else round(percent, 2)


def number_within(text: str) -> int | float | None:
    """The number of a text that says other things besides: '5 years'. None when there is none, or more than one."""
    words = _WITHIN.findall(folded(text))
    runs = [" ".join(run) for counts, run in groupby(words, _counts) if counts]
    return read_number(runs[0]) if len(runs) == 1 else None


def is_scale(word: str) -> bool:
    """Whether a word multiplies the number before it: thousand, million, ..."""
    return word.casefold() in _SCALES


def _counts(word: str) -> bool:
    return word[0].isdigit() or word[0] == "." != word or word in _SMALL or word in _SCALES or word in ("hundred", "dozen", "half")


def full_year(short: int) -> int:
    """A year of two digits in full: 98 is 1998, 07 is 2007."""
    return short + (1900 if short > 29 else 2000)


def _tokens(plain: str) -> list[str]:
    """Numbers, words and signs; none when there is anything else."""
    tokens, place = [], 0
    while place < len(plain):
        match = _TOKEN.match(plain, place)
        if match is None:
            return []
        tokens.append(match.group(1))
        place = match.end()
    return tokens


def _digits(token: str) -> Decimal:
    bare = re.sub(r"[ '\u2019]", "", token)
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", bare):
        bare = bare.replace(",", "")
    elif _IN_THOUSANDS.fullmatch(bare):
        bare = bare.replace(".", "")
    return Decimal(bare.replace(",", "."))


@dataclass(slots=True)
class _Amount:
    """A number being read: `group` is what stands before the next scale, `room` what may still be added to it."""

    total: Decimal = Decimal(0)
    group: Decimal | None = None
    room: int = 0
    scale: int = 10**_LONGEST
    said: bool = False
    article: bool = False
    ended: bool = False

    def read(self, words: Sequence[str]) -> Decimal | None:
        """What the words amount to; None when they are no number."""
        for position, word in enumerate(words):
            if not self._take(word, words[position + 1 :], words[position - 1] if position else ""):
                return None
        if not self.said:
            return Decimal(1) if self.article and len(words) == 1 and words[0] != "the" else None
        return self.total + (self.group or 0)

    def _take(self, word: str, rest: Sequence[str], before: str) -> bool:
        """Takes one word; False when it does not belong there."""
        if word in _MARKS or word in ("of", "-"):
            return True
        if word in _ARTICLES:
            self.article = True
            return True
        if word == "and":
            return self.room == 100 or (self.group is None and self.said) or _half_follows(rest)
        if word in _BEFORE and not self.said:
            return True
        if word in _BEHIND:
            self.ended = self.said and word not in ("s", "st", "nd", "rd", "th")
            return self.said
        if self.ended:
            return False
        if word[0].isdigit() or word[0] == ".":
            return self._add(_digits(word), 0)
        if word in _SMALL:
            number = _SMALL[word]
            return self._add(Decimal(number), 10 if 20 <= number < 100 else 0)
        return self._multiply(word, before)

    def _add(self, number: Decimal, room: int) -> bool:
        self.said = True
        if self.group is None:
            self.group, self.room = number, room
            return number < self.scale
        if 0 < number < self.room:
            self.group, self.room = self.group + number, room if self.room == 100 else 0
            return True
        century = self.group in (19, 20) or (10 <= self.group < 19 and self.room == 0)
        if century and number >= 10 and number < 100 and self.total == 0:
            self.group, self.room = self.group * 100 + number, room
            return True
        return False

    def _multiply(self, word: str, before: str) -> bool:
        self.said = True
        if word == "half":
            if self.group is not None and before not in ("and", "a"):
                return False
            self.group, self.room = (self.group or Decimal(0)) + Decimal("0.5"), 0
        elif word == "dozen":
            self.group, self.room = (1 if self.group is None else self.group) * Decimal(12), 0
        elif word == "hundred":
            self.group, self.room = (1 if self.group is None else self.group) * Decimal(100), 100
        else:
            size = _SCALES.get(word) or (_LETTERS.get(word) if before[:1].isdigit() else None)
            if size is None or size >= self.scale:
                return False
            self.total += (1 if self.group is None else self.group) * size
            self.group, self.room, self.scale = None, 0, size
        return True


def _half_follows(rest: Sequence[str]) -> bool:
    return rest[:1] == ["half"] or rest[:2] == ["a", "half"]
