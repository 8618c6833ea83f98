"""How figures are wanted: percentiles, and so many decimals. The network knows neither: it reads "median" and nothing in their place.

Knows no model and no SQL.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from streamlink_sql.generators.parser.numerals import read_number
from streamlink_sql.generators.parser.tokens import ROUND, NotCovered, Val
from streamlink_sql.generators.parser.tree import MEASURES, Aggregate, Arithmetic, Call, Core, Expr, Query, T, rebuilt, walk
from streamlink_sql.types import ValueMatch

_MEDIAN = "median"
_AND = r"(?:\s*,\s*(?:and\s+)?(?:the\s+)?|\s+and\s+(?:the\s+)?|\s*&\s*|\s*/\s*)"
_NTH = r"\d{1,2}(?:st|nd|rd|th)?"
_ONE = rf"(?:{_NTH}(?:{_AND}{_NTH})*[- ]percentiles?|p\d\d|(?:first|lower|third|upper)[- ]quartile|median)"
_PERCENTILES = re.compile(rf"\b{_ONE}(?:{_AND}{_ONE})*\b(?!\s+quartile)", re.IGNORECASE)
_SHARE = re.compile(r"(?<![a-z])p?(\d{1,2})(?!\d)|(first|lower)|(third|upper)|(median)", re.IGNORECASE)
_NUMBER = r"(?P<number>\d|zero|no|one|two|three|four|five|six)"
_PLACES = r"(?:decimals?(?:\s+(?:places?|digits?|points?))?|digits?\s+after\s+the\s+(?:decimal\s+)?(?:point|comma))"
_ROUNDED = r"(?:(?:and\s+)?round(?:ed)?(?:\s+off)?\s+)"
_DECIMALS = re.compile(
    rf"\s*[,(]?\s*(?:{_ROUNDED}?\b(?:to|with|at)\s+{_NUMBER}\s+{_PLACES}|{_ROUNDED}to\s+(?P<places>\d|one|two|three|four)\s+(?:places|digits)"
    rf"|{_ROUNDED}to\s+(?:the\s+nearest\s+)?(?P<whole>whole\s+numbers?|integers?|whole))\b\)?",
    re.IGNORECASE,
)
_DAY_NAME = re.compile(
    r"\b(?:day|weekday)(?:'s|s')? names?\b|\bnames? of (?:the |each )?(?:week)?days?\b|\bweekdays? by names?\b"
    r"|\bname (?:the|each) weekday\b"
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What the network is to read, what it is not to read, and which stretches of the question are other ones now.

    `percentiles` are 1 to 99, `decimals` is None where the question says nothing of them, `changes` are the first character, the end and
    the new length of each stretch, in order.
    """

    text: str
    percentiles: tuple[int, ...] = ()
    decimals: int | None = None
    changes: tuple[tuple[int, int, int], ...] = ()

    def moved(self, matches: Sequence[ValueMatch]) -> tuple[ValueMatch, ...]:
        """The values that the question names, where they stand now."""
        if not self.changes:
            return tuple(matches)
        kept = (each for each in matches if not any(each.start < end and start < each.end for start, end, _ in self.changes))
        return tuple(replace(each, start=each.start + self._by(each.start), end=each.end + self._by(each.start)) for each in kept)

    def _by(self, place: int) -> int:
        return sum(size - (end - start) for start, end, size in self.changes if end <= place)


def read_figures(question: str, matches: Sequence[ValueMatch]) -> Figures:
    """How a question wants its figures; what is called so in the data ("P90") is no percentile."""
    taken = [(match.start, match.end) for match in matches]
    found: list[tuple[int, int, str]] = []
    percentiles: tuple[int, ...] = ()
    decimals = None
    for told in _PERCENTILES.finditer(question):
        shares = _shares(told.group())
        if set(shares) - {50} and not any(start < told.end() and told.start() < end for start, end in taken):
            percentiles = percentiles or shares
            found.append((told.start(), told.end(), _MEDIAN))
    if wanted := _DECIMALS.search(question):
        decimals = int(read_number(wanted["number"] or wanted["places"] or "0") or 0)
        found.append((wanted.start(), wanted.end(), " "))
    text = question
    for start, end, instead in sorted(found, reverse=True):
        text = text[:start] + instead + text[end:]
    return Figures(text, percentiles, decimals, tuple((start, end, len(instead)) for start, end, instead in sorted(found)))


def _shares(told: str) -> tuple[int, ...]:
    found = []
    for number, lower, upper, _ in _SHARE.findall(told):
        found.append(int(number) if number else 25 if lower else 75 if upper else 50)
    return tuple(dict.fromkeys(share for share in found if 0 < share < 100))


def with_figures(query: Query, figures: Figures) -> Query:
    """The same with medians that stand for percentiles as these, and figures rounded as the question wants them. NotCovered where the
    network found no place for the percentiles."""
    whole = query
    if figures.percentiles:
        if not any(_has_median(item) for core in query.cores for item in core.items):
            raise NotCovered("a percentile of nothing")
        first = replace(query.cores[0], items=tuple(part for item in query.cores[0].items for part in _each(item, figures.percentiles)))
        whole = replace(query, cores=(first, *query.cores[1:]))
        whole = _at(whole, figures.percentiles[0])
    if figures.decimals is None:
        return whole
    decimals = Val(figures.decimals)
    return replace(whole, cores=tuple(_rounded(core, decimals) for core in whole.cores))


def with_day_names(query: Query, words: Sequence[str]) -> Query:
    """The same, and weekdays are shown by their names where the question asks for these."""
    if not _DAY_NAME.search(" ".join(words)):
        return query
    return replace(query, cores=tuple(_named(core) for core in query.cores))


def _named(core: Core) -> Core:
    names = {item: Call("DAY_NAME", item.ref) for item in core.items if isinstance(item, Call) and item.name == "WEEKDAY"}
    items = tuple(names.get(item, item) if isinstance(item, Call) else item for item in core.items)
    more = tuple(name for day, name in names.items() if day in core.group)
    return replace(core, items=items, group=(*core.group, *more))


def _has_median(item: Expr) -> bool:
    return any(isinstance(node, Aggregate) and node.name == "MEDIAN" for node in walk(item))


def _each(item: Expr, shares: tuple[int, ...]) -> tuple[Expr, ...]:
    return tuple(_at(item, share) for share in shares) if _has_median(item) else (item,)


def _at(part: T, share: int) -> T:
    return rebuilt(part, lambda node: _percentile(node, share))


def _percentile(node: object, share: int) -> object:
    return Aggregate(f"P{share}", node.of) if isinstance(node, Aggregate) and node.name == "MEDIAN" else node


def _rounded(core: Core, decimals: Val) -> Core:
    """With every figure that may have decimals rounded."""
    return replace(core, items=tuple(Arithmetic(ROUND, item, decimals) if _may_have_decimals(item) else item for item in core.items))


def _may_have_decimals(item: Expr) -> bool:
    counts = isinstance(item, Aggregate) and item.name.startswith("COUNT")
    return (isinstance(item, MEASURES) and not counts) or (isinstance(item, Arithmetic) and item.name == "DIV")
