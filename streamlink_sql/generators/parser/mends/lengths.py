"""How long it is between two moments: "within 24 hours", "longer than 4 days", "delivery time in hours". Knows no model and no SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from streamlink_sql.generators.parser.actions import Span
from streamlink_sql.generators.parser.literals import unit_of_length
from streamlink_sql.generators.parser.schema import TIMES, Schema
from streamlink_sql.generators.parser.tokens import COMPARISONS, Val
from streamlink_sql.generators.parser.tree import Aggregate, Arithmetic, Condition, Core, Expr, Predicate, Query, Ref, with_conditions

_NAMES = {"minute": "MINUTES", "hour": "HOURS"}
_DAYS = {"week": 7, "month": 30.4375, "year": 365.25}
"""Of how many days the longer units are."""
_WANTED = re.compile(
    r"\b(?:in|how many|number of|average|mean|median|total) (?:full |whole )?"
    r"(minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?)\b(?! \d)"
)
_TOTALS = ("SUM", "AVG", "MIN", "MAX", "MEDIAN")


def with_lengths(query: Query, said: Mapping[str, Span], words: Sequence[str], schema: Schema) -> Query:
    """The same, and what lies between two moments is compared with a number in the unit that the question says, days where it says none,
    and shown in the one that it wants. `said` are the words of the literals."""

    def meant(condition: Condition) -> Condition:
        match condition:
            case Predicate(name, left, right) if left is not None and name in (*COMPARISONS, "BETWEEN") and _is_length(left, schema):
                numbers = [side.value for side in right if isinstance(side, Val) and isinstance(side.value, (int, float))]
                if len(numbers) == len(right):
                    return _compared(name, left, numbers, said, words, schema)
        return condition

    whole = with_conditions(query, meant)
    wanted = _WANTED.search(" ".join(words))
    unit = unit_of_length(wanted[1]) if wanted else ""
    return replace(whole, cores=tuple(_shown(core, unit, schema) for core in whole.cores)) if unit else whole


def _is_length(node: Expr, schema: Schema) -> bool:
    match node:
        case Aggregate(name, of) if name in _TOTALS:
            return _is_length(of, schema)
        case Arithmetic("SUB", Ref(later), Ref(earlier)):
            return later != earlier and all(schema.columns[each][1].kind in TIMES for each in (later, earlier))
    return False


def _compared(
    name: str, left: Expr, numbers: Sequence[int | float], said: Mapping[str, Span], words: Sequence[str], schema: Schema
) -> Predicate:
    """A length against numbers, which are of hours or minutes where such a unit is in or behind the last of them, else of days already."""
    span = said.get(str(numbers[-1]))
    near = words[span[0] : span[1] + 2] if span else ()
    unit = next((unit for word in near if (unit := unit_of_length(word))), "")
    return Predicate(name, _in(left, unit, schema), tuple(map(Val, numbers)))


def _in(node: Expr, unit: str, schema: Schema) -> Expr:
    """A length as a number of hours or minutes, else of days: from dates it is one already."""
    match node:
        case Aggregate(_, of):
            return replace(node, of=_in(of, unit, schema))
        case Arithmetic(_, Ref(later), Ref(earlier)):
            kinds = {schema.columns[each][1].kind for each in (later, earlier)}
            return node if kinds == {"date"} and unit not in _NAMES else replace(node, name=_NAMES.get(unit, "DAYS"))
    return node


def _shown(core: Core, unit: str, schema: Schema) -> Core:
    def meant(item: Expr) -> Expr:
        if not _is_length(item, schema):
            return item
        length = _in(item, unit, schema)
        return Arithmetic("DIV", length, Val(_DAYS[unit])) if unit in _DAYS else length

    return replace(core, items=tuple(map(meant, core.items)), order=tuple((meant(by), direction) for by, direction in core.order))
