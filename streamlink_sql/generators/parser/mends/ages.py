"""Ages, of which tables hold the day of birth alone: "older than 60", "average age", "how old is Ann". Knows no model and no SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from streamlink_sql.catalog.values import stem
from streamlink_sql.generators.parser.actions import Span
from streamlink_sql.generators.parser.linking import plain_name
from streamlink_sql.generators.parser.numerals import number_within
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.generators.parser.tokens import COMPARISONS, Val
from streamlink_sql.generators.parser.tree import Aggregate, Arithmetic, Call, Condition, Expr, Predicate, Query, Ref, with_conditions

_BIRTH = frozenset(("dob", "birth", "born", "birthday", "birthdate"))
_OLDEST = 130
_ASKED = re.compile(r"\b(?:how old|ages?|aged|years old)\b")
_LOWER, _UPPER = ("GT", "GE"), ("LT", "LE")
_SIDES = {**dict.fromkeys(("older", "over", "above"), _LOWER), **dict.fromkeys(("younger", "under", "below"), _UPPER)}


def with_ages(query: Query, said: Mapping[str, Span], words: Sequence[str], schema: Schema) -> Query:
    """The same where a day of birth is compared with a number of years, or shown where ages are asked for. `said` are the words of the
    literals."""
    births = {column for column in range(len(schema.columns)) if _is_birth(column, schema)}
    if not births:
        return query

    def meant(condition: Condition) -> Condition:
        match condition:
            case Predicate(name, Ref() | Call() as left, right) if name in (*COMPARISONS, "BETWEEN") and (born := _born(left, births)):
                years = [_years(side) for side in right]
                if all(year is not None for year in years):
                    sided = _sided(name, str(right[0].value) if isinstance(right[0], Val) else "", said, words)
                    return Predicate(sided, Call("AGE", born), tuple(Val(year) for year in years if year is not None))
        return condition

    whole = with_conditions(query, meant)
    if not _ASKED.search(" ".join(words)):
        return whole
    cores = (
        replace(core, items=tuple(item if item in core.group else _age(item, births, words) for item in core.items)) for core in whole.cores
    )
    return replace(whole, cores=tuple(cores))


def _is_birth(column: int, schema: Schema) -> bool:
    """Whether it holds days of birth in a table that holds no ages."""
    owner, own = schema.columns[column]
    beside = (schema.columns[other][1].name for other in schema.columns_of(owner))
    return (
        own.kind in ("date", "timestamp") and not _BIRTH.isdisjoint(plain_name(own.name).split()) and "age" not in map(plain_name, beside)
    )


def _born(left: Expr, births: set[int]) -> Ref | None:
    """The day of birth that is meant: itself, its year, or what the network would calculate of it."""
    ref = left.ref if isinstance(left, Call) else left.left if isinstance(left, Arithmetic) else left
    return ref if isinstance(ref, Ref) and ref.column in births else None


def _years(value: Expr) -> int | None:
    number = number_within(str(value.value)) if isinstance(value, Val) else None
    return int(number) if number is not None and number == int(number) and 0 <= number <= _OLDEST else None


def _sided(name: str, value: str, said: Mapping[str, Span], words: Sequence[str]) -> str:
    """The comparison as the words before the number say it: who is older was born earlier, and networks take the one for the other."""
    span = said.get(value)
    before = list(words[max(0, span[0] - 4) : span[0]] if span else words)
    for at in reversed(range(len(before))):
        if before[at] in _SIDES and name in (*_LOWER, *_UPPER):
            meant = _SIDES[before[at]]
            return name if name in meant or before[at - 1 : at] in (["not"], ["no"]) else meant[0]
    return name


def _age(item: Expr, births: set[int], words: Sequence[str]) -> Expr:
    match item:
        case Ref(column) if column in births:
            return Call("AGE", item)
        case Aggregate("AVG" | "MIN" | "MAX" | "MEDIAN" as name, of) if born := _born(of, births):
            least = {"oldest": "MAX", "youngest": "MIN", "maximum": "MAX", "minimum": "MIN", "highest": "MAX", "lowest": "MIN"}
            asked = next((least[stem(word)] for word in words if stem(word) in least), name)
            return Aggregate(asked if name in ("MIN", "MAX") else name, Call("AGE", born))
    return item
