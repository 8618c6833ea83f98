"""How figures are wanted: percentiles and other statistics, in millions, to so many decimals. The network knows none of it: it reads
"median" in the place of the first, and nothing in that of the others.

Knows no model and no SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from streamlink_sql.catalog.values import normalise
from streamlink_sql.generators.parser.linking import plain_name
from streamlink_sql.generators.parser.numerals import read_number
from streamlink_sql.generators.parser.schema import NUMBERS, Schema
from streamlink_sql.generators.parser.tokens import ROUND, STATISTICS, NotCovered, Val
from streamlink_sql.generators.parser.tree import (
    MEASURES,
    Aggregate,
    Arithmetic,
    Call,
    Condition,
    Core,
    Expr,
    Query,
    Ref,
    T,
    clauses,
    rebuilt,
    walk,
)
from streamlink_sql.types import ValueMatch

_MEDIAN = "median"
_AND = r"(?:\s*,\s*(?:and\s+)?(?:the\s+)?|\s+and\s+(?:the\s+)?|\s*&\s*|\s*/\s*)"
_NTH = r"\d{1,2}(?:st|nd|rd|th)?"
_SPREAD = r"standard[- ]deviations?|std\.?[- ]?dev(?:iation)?s?|variances?"
_ONE = rf"(?:{_NTH}(?:{_AND}{_NTH})*[- ]percentiles?|p\d\d|(?:first|lower|third|upper)[- ]quartile|median|{_SPREAD})"
_STATISTICS = re.compile(rf"\b{_ONE}(?:{_AND}{_ONE})*\b(?!\s+quartile)", re.IGNORECASE)
_EACH = re.compile(
    r"(?<![a-z])p?(?P<share>\d{1,2})(?!\d)|(?P<P25>first|lower)|(?P<P75>third|upper)|(?P<P50>median)|(?P<STDDEV>st\w*d)|(?P<VARIANCE>var)",
    re.IGNORECASE,
)
_NUMBER = r"(?P<number>\d|zero|no|one|two|three|four|five|six)"
_PLACES = r"(?:decimals?(?:\s+(?:places?|digits?|points?))?|digits?\s+after\s+the\s+(?:decimal\s+)?(?:point|comma))"
_ROUNDED = r"(?:(?:and\s+)?round(?:ed)?(?:\s+off)?\s+)"
_DECIMALS = re.compile(
    rf"\s*[,(]?\s*(?:{_ROUNDED}?\b(?:to|with|at)\s+{_NUMBER}\s+{_PLACES}|{_ROUNDED}to\s+(?P<places>\d|one|two|three|four)\s+(?:places|digits)"
    rf"|{_ROUNDED}to\s+(?:the\s+nearest\s+)?(?P<whole>whole\s+numbers?|integers?|whole))\b\)?",
    re.IGNORECASE,
)
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
_MONEY = r"\s+(?:us\s+)?(?:dollars?|euros?|pounds?|yen|usd|eur|gbp)\b"
_UNIT = re.compile(rf"\bin (?P<scale>{'|'.join(_SCALES)})(?:s\b|(?={_MONEY}))(?:\s+of(?={_MONEY}))?(?:{_MONEY})?", re.IGNORECASE)
_NO_AMOUNT = frozenset(("id", "year", "month", "day"))
_AMOUNTS = ("SUM", "AVG", "MIN", "MAX", "MEDIAN", *STATISTICS)
_DAY_NAME = re.compile(
    r"\b(?:day|weekday)(?:'s|s')? names?\b|\bnames? of (?:the |each )?(?:week)?days?\b|\bweekdays? by names?\b"
    r"|\bname (?:the|each) weekday\b"
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What the network is to read, what it is not to read, and which stretches of the question are other ones now.

    `statistics` are the aggregates that each of its medians stands for, or all where there is one stretch of them, `decimals` is None
    where the question says nothing of them, amounts are wanted `per` so many, `changes` are the first character, the end and the new length
    of each stretch, in order.
    """

    text: str
    statistics: tuple[tuple[str, ...], ...] = ()
    decimals: int | None = None
    per: int = 1
    changes: tuple[tuple[int, int, int], ...] = ()

    def moved(self, matches: Sequence[ValueMatch]) -> tuple[ValueMatch, ...]:
        """The values that the question names, where they stand now."""
        if not self.changes:
            return tuple(matches)
        kept = (each for each in matches if not any(each.start < end and start < each.end for start, end, _ in self.changes))
        return tuple(replace(each, start=each.start + self._by(each.start), end=each.end + self._by(each.start)) for each in kept)

    def _by(self, place: int) -> int:
        return sum(size - (end - start) for start, end, size in self.changes if end <= place)


def read_figures(question: str, matches: Sequence[ValueMatch], columns: Iterable[str] = ()) -> Figures:
    """How a question wants its figures; what is called so in the data ("P90") is no percentile."""
    taken = [(match.start, match.end) for match in matches]
    found: list[tuple[int, int, str]] = []
    decimals, per = None, 1
    called = {word for name in columns for word in plain_name(name).split()}
    told = [each for each in _STATISTICS.finditer(question) if called.isdisjoint(normalise(each.group()).split())]
    told = [
        each for each in told if not any(start < each.end() and each.start() < end for start, end in taken) and _statistics(each.group())
    ]
    statistics = tuple(_statistics(each.group()) for each in told)
    if any(set(names) - {"P50"} for names in statistics):
        found = [(each.start(), each.end(), _MEDIAN) for each in told]
    else:
        statistics = ()
    if wanted := _DECIMALS.search(question):
        decimals = int(read_number(wanted["number"] or wanted["places"] or "0") or 0)
        found.append((wanted.start(), wanted.end(), " "))
    if (unit := _UNIT.search(question)) and called.isdisjoint({*_SCALES, *(f"{scale}s" for scale in _SCALES)}):
        per = _SCALES[unit["scale"].lower()]
        found.append((unit.start(), unit.end(), " "))
    text = question
    for start, end, instead in sorted(found, reverse=True):
        text = text[:start] + instead + text[end:]
    return Figures(text, statistics, decimals, per, tuple((start, end, len(instead)) for start, end, instead in sorted(found)))


def _statistics(told: str) -> tuple[str, ...]:
    found = (f"P{int(each['share'])}" if each["share"] else str(each.lastgroup) for each in _EACH.finditer(told))
    return tuple(name for name in dict.fromkeys(found) if name in STATISTICS)


def with_figures(query: Query, figures: Figures, schema: Schema) -> Query:
    """The same with medians that stand for other statistics as these, amounts per million and figures rounded as the question wants them.
    NotCovered where the network found no place for the statistics."""
    whole = query
    if figures.statistics:
        first = query.cores[0]
        whole = _as(replace(query, cores=(_with_statistics(first, figures.statistics), *query.cores[1:])), figures.statistics[0][0])
    if figures.per > 1:
        whole = replace(whole, cores=tuple(_scaled(core, Val(figures.per), schema) for core in whole.cores))
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


def _with_statistics(core: Core, statistics: tuple[tuple[str, ...], ...]) -> Core:
    """With what each median that is shown stands for, in turn."""
    places = [item for item in core.items if _has_median(item)]
    is_one = len(set(statistics)) == 1
    names = statistics * len(places) if is_one else statistics
    fits = any(map(_has_median, clauses(core))) if is_one else len(names) == len(places)
    if not fits:
        raise NotCovered("a statistic of nothing")
    meant = iter(names)
    return replace(core, items=tuple(part for item in core.items for part in (_each(item, next(meant)) if _has_median(item) else (item,))))


def _has_median(item: Expr | Condition) -> bool:
    return any(isinstance(node, Aggregate) and node.name == "MEDIAN" for node in walk(item))


def _each(item: Expr, names: tuple[str, ...]) -> tuple[Expr, ...]:
    return tuple(_as(item, name) for name in names)


def _as(part: T, name: str) -> T:
    """The same with its medians as another statistic."""
    return rebuilt(part, lambda node: replace(node, name=name) if isinstance(node, Aggregate) and node.name == "MEDIAN" else node)


def _scaled(core: Core, per: Val, schema: Schema) -> Core:
    """With every amount divided, or every count where there is none; numbers that tell rows apart are no amounts, nor are years."""
    amounts = [item for item in core.items if _is_amount(item, schema)]
    meant = amounts or [item for item in core.items if isinstance(item, Aggregate) and item.name.startswith("COUNT")]
    return replace(core, items=tuple(Arithmetic("DIV", item, per) if item in meant else item for item in core.items))


def _is_amount(item: Expr, schema: Schema) -> bool:
    of = item.of if isinstance(item, Aggregate) and item.name in _AMOUNTS else item
    columns = {node.column for node in walk(of) if isinstance(node, Ref)} if isinstance(of, (Ref, Arithmetic)) else set()
    keys = {*schema.keys, *(child for child, _ in schema.references)}

    def counts(column: int) -> bool:
        own = schema.columns[column][1]
        return own.kind in NUMBERS and column not in keys and not _NO_AMOUNT.intersection(plain_name(own.name).split()[-1:])

    return bool(columns) and all(map(counts, columns))


def _rounded(core: Core, decimals: Val) -> Core:
    """With every figure that may have decimals rounded."""
    return replace(core, items=tuple(Arithmetic(ROUND, item, decimals) if _may_have_decimals(item) else item for item in core.items))


def _may_have_decimals(item: Expr) -> bool:
    counts = isinstance(item, Aggregate) and item.name.startswith("COUNT")
    return (isinstance(item, MEASURES) and not counts) or (isinstance(item, Arithmetic) and item.name == "DIV")
