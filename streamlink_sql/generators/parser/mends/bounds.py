"""Bounds that the question sets and the network forgets or makes up: sizes of groups, the ends of ranges, what is above the average.

Knows no model and no SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from streamlink_sql.generators.parser.actions import Span
from streamlink_sql.generators.parser.joins import complete
from streamlink_sql.generators.parser.linking import TABLE_WHOLE, Linked
from streamlink_sql.generators.parser.numerals import read_number
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.generators.parser.tokens import COMPARISONS, Val
from streamlink_sql.generators.parser.tree import (
    Aggregate,
    Call,
    Condition,
    Core,
    Junction,
    Predicate,
    Query,
    Ref,
    Star,
    rebuilt,
    with_conditions,
)

_BEFORE: dict[tuple[str, ...], str] = {
    ("at", "least"): "GE",
    ("minimum", "of"): "GE",
    ("more", "than"): "GT",
    ("greater", "than"): "GT",
    ("fewer", "than"): "LT",
    ("less", "than"): "LT",
    ("at", "most"): "LE",
    ("not", "under"): "GE",
    ("not", "over"): "LE",
}
_BEFORE_ONE = {"over": "GT", "above": "GT", "exceeding": "GT", "under": "LT", "below": "LT"}
_BEHIND: dict[tuple[str, ...], str] = {("or", "more"): "GE", ("or", "fewer"): "LE", ("or", "less"): "LE"}
_NOT = {"GT": "LE", "LT": "GE"}
_TO = frozenset(("to", "through", "till", "until", "-", "–", "—"))
_COMPARING = frozenset(
    "above over more higher greater exceed exceeds exceeding exceeded beat beats better larger bigger longer older than below under "
    "less lower fewer smaller shorter younger equal equals same outside beyond outperform outperforms surpass surpasses worse cheaper "
    "faster slower underperform least most unusually".split()
)
"""Words without which nobody asks for what is above or below an average."""


def with_bounds(query: Query, said: Mapping[str, Span], words: Sequence[str], linked: Linked, schema: Schema) -> Query:
    """The same with the bounds that the question sets, and without those that it does not. `said` are the words of the literals."""
    whole = with_conditions(query, lambda condition: _whole_range(condition, words, query))
    whole = replace(whole, cores=tuple(_without_the_same_inside(core, said, words) for core in whole.cores))
    if _COMPARING.isdisjoint(words):
        whole = replace(whole, cores=tuple(replace(core, condition=_without(core.condition, _is_against_mean)) for core in whole.cores))
    if len(whole.cores) > 1:
        return whole
    return replace(whole, cores=(_with_sizes(whole.cores[0], words, linked, schema),))


def _with_sizes(core: Core, words: Sequence[str], linked: Linked, schema: Schema) -> Core:
    """Groups of so many rows alone where the question says "with at least 1,000 patents" and nothing in the query does."""
    if not core.group or core.having is not None or core.best is not None:
        return core
    tables = {source.table for source in complete(core, schema).sources}
    for at, word in enumerate(words):
        number = read_number(word)
        if not isinstance(number, int) or number in _numbers(core):
            continue
        name, behind = _bound(words, at)
        table = _table(behind, linked)
        if name and table in tables:
            return replace(core, having=Predicate(name, Aggregate("COUNT", Star(table)), (Val(number),)))
    return core


def _bound(words: Sequence[str], at: int) -> tuple[str, int]:
    """Which bound the number at a place is ("" for none), and the place of what it counts."""
    behind = _BEHIND.get(tuple(words[at + 1 : at + 3]))
    if behind:
        return behind, at + 3
    name = _BEFORE.get(tuple(words[max(0, at - 2) : at])) or _BEFORE_ONE.get(words[at - 1] if at else "", "")
    before = words[at - 3] if at > 2 and tuple(words[at - 2 : at]) in _BEFORE else ""
    return _NOT.get(name, name) if before in ("no", "not") else name, at + 1


def _table(word: int, linked: Linked) -> int:
    """The table that a word names; -1 for none or several."""
    size = len(linked.words)
    if not 0 <= word < size:
        return -1
    named = [table for table in range(linked.table_count) if linked.relations[word, size + table] == TABLE_WHOLE]
    return named[0] if len(named) == 1 else -1


def _numbers(part: object) -> set[int | float]:
    """All numbers in a part of a query."""
    found: set[int | float] = set()

    def keep(node: object) -> object:
        if isinstance(node, Val) and (number := read_number(str(node.value))) is not None:
            found.add(number)
        return node

    rebuilt(part, keep)
    return found


def _whole_range(condition: Condition, words: Sequence[str], query: Query) -> Condition:
    """From its first year to its last where the question says "2015 to 2019" and the query the first alone."""
    match condition:
        case Predicate("EQ" | "GE", Call("YEAR") | Ref() as left, (Val(value),)) if str(value) in words:
            for at, word in enumerate(words[:-2]):
                later = words[at + 2]
                between = words[at + 1] in _TO or (words[at + 1] == "and" and at and words[at - 1] in ("between", "from"))
                if word == str(value) and between and len(word) == 4 == len(later) and later.isdecimal() and word < later:
                    return condition if int(later) in _numbers(query) else Predicate("BETWEEN", left, (Val(value), Val(type(value)(later))))
    return condition


def _without_the_same_inside(core: Core, said: Mapping[str, Span], words: Sequence[str]) -> Core:
    """What the question says once of the rows is not said of those that they are not among: "the universities in Britain without a
    patent" are without any, not without British ones."""
    parts = core.condition.parts if isinstance(core.condition, Junction) and core.condition.name == "AND" else ()
    equal = [part.right[0] for part in parts if isinstance(part, Predicate) and part.name == "EQ"]
    once = {str(value.value) for value in equal if isinstance(value, Val)}
    once = {value for value in once if value in said and _times(words[said[value][0] : said[value][1] + 1], words) == 1}

    def repeats(condition: Condition) -> bool:
        match condition:
            case Predicate("EQ", Ref(), (Val(value),)):
                return str(value) in once
        return False

    def meant(part: Condition) -> Condition:
        match part:
            case Predicate("NOT_IN", left, (Query(cores=(inner,)),)) if not inner.group and inner.limit is None:
                return Predicate("NOT_IN", left, (Query((replace(inner, condition=_without(inner.condition, repeats)),)),))
        return part

    return replace(core, condition=Junction("AND", tuple(map(meant, parts)))) if once else core


def _times(part: Sequence[str], words: Sequence[str]) -> int:
    return sum(list(words[at : at + len(part)]) == list(part) for at in range(len(words)))


def _is_against_mean(condition: Condition) -> bool:
    match condition:
        case Predicate(name, _, (Query(cores=(Core(items=(Aggregate("AVG"),)),)),)):
            return name in COMPARISONS
    return False


def _without(condition: Condition | None, unwanted: Callable[[Condition], bool]) -> Condition | None:
    """What is left of conditions that all hold."""
    if not isinstance(condition, Junction) or condition.name != "AND":
        return None if condition is not None and unwanted(condition) else condition
    kept = tuple(part for part in condition.parts if not unwanted(part))
    return Junction("AND", kept) if len(kept) > 1 else kept[0] if kept else None
