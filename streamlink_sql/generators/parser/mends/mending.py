"""What the network writes nearly right, put right by what the question and the schema say. Knows no model and no SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise, starmap

from streamlink_sql.generators.parser.actions import Span
from streamlink_sql.generators.parser.linking import Linked
from streamlink_sql.generators.parser.literals import target_of
from streamlink_sql.generators.parser.mends.ages import with_ages
from streamlink_sql.generators.parser.mends.amounts import with_amounts
from streamlink_sql.generators.parser.mends.bounds import with_bounds
from streamlink_sql.generators.parser.mends.clock import by_the_clock
from streamlink_sql.generators.parser.mends.figures import Figures, with_day_names, with_figures
from streamlink_sql.generators.parser.mends.lengths import with_lengths
from streamlink_sql.generators.parser.mends.measures import in_column_units
from streamlink_sql.generators.parser.mends.names import with_whole_names
from streamlink_sql.generators.parser.mends.opposites import with_opposites
from streamlink_sql.generators.parser.mends.orders import in_order, with_both_rows
from streamlink_sql.generators.parser.mends.roles import with_roles
from streamlink_sql.generators.parser.mends.selves import with_second_selves
from streamlink_sql.generators.parser.mends.stretches import in_their_units
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.schema import TIMES, Schema
from streamlink_sql.generators.parser.tokens import COMPARISONS, FUNCTIONS, Col, NotCovered, Token, Val
from streamlink_sql.generators.parser.tree import Condition, Core, Junction, Predicate, Query, Ref, emit, with_conditions

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_AMONG = {"EQ": "IN", "NE": "NOT_IN"}
_NO_OTHER = frozenset((0, "0", "null", "no", "No", "N", "F", "false", "False"))
"""Values that stand for "without" where the network has no better word."""
_YEAR = re.compile(r"[12]\d{3}")
_NO_FIGURES = Figures("")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a query is held against: the question's words, those of each literal, and what they name in the schema."""

    said: Mapping[str, Span]
    words: list[str]
    linked: Linked
    schema: Schema
    figures: Figures


def as_meant(
    tokens: Sequence[Token],
    spans: Sequence[Span | None],
    cells: frozenset[tuple[int, str]],
    linked: Linked,
    schema: Schema,
    figures: Figures = _NO_FIGURES,
) -> list[Token]:
    """The same where the question says which of several like columns is meant, to hold a value or to join by, which of two rows of a table,
    and what is one condition; and what equals rows is among them. `spans` are the words of each literal, None for one that no word says."""
    written = with_better_twins(tokens, cells, linked, schema)
    try:
        query = parse(written)
    except NotCovered:
        return written
    values = (str(token.value) for token in written if isinstance(token, Val))
    said = {value: span for value, span in zip(values, spans, strict=False) if span}
    asked = _Asked(said, [word.text.lower() for word in linked.words], linked, schema, figures)
    mended = reduce(lambda each, mend: mend(each, asked), _MENDS, query)
    return written if mended == query else list(emit(mended))


def among_rows(query: Query) -> Query:
    """The same, and what a condition wants to equal a column of another query's rows may equal any of them: there may be several."""
    return with_conditions(query, _among)


def _among(condition: Condition) -> Condition:
    match condition:
        case Predicate(name, _, (Query(cores=(Core(items=(Ref(),), limit=None),)),)) if name in _AMONG:
            return replace(condition, name=_AMONG[name])
    return condition


def with_no_other(query: Query, said: Mapping[str, Span], schema: Schema) -> Query:
    """The same, and what refers to nothing has no value: "employees without a manager" have no `manager_id`, rather than the number 0."""
    refers = {child for child, _ in schema.references} | set(schema.own_keys)

    def missing(condition: Condition) -> Condition:
        match condition:
            case Predicate("EQ", Ref(column) as key, (Val(none),)) if column in refers and none in _NO_OTHER and str(none) not in said:
                return Predicate("IS_NULL", key)
        return condition

    return with_conditions(query, missing)


def either_together(query: Query, said: Mapping[str, Span], words: Sequence[str]) -> Query:
    """The same, and values that the question names as "this or that" are one condition beside what else holds: "Spanish or French is the
    official language" means neither of them without being official. `said` are the words of the values."""

    def follows(one: Condition, other: Condition) -> bool:
        match one, other:
            case Predicate(name, left, (Val(first),)), Predicate(same, right, (Val(second),)) if (name, left) == (same, right):
                if str(first) in said and str(second) in said:
                    between = words[said[str(first)][1] + 1 : said[str(second)][0]]
                    return bool(between) and set(between) <= {",", "or"}
        return False

    def together(condition: Condition) -> Condition:
        match condition:
            case Junction("OR", (*ones, Junction("AND", (other, *more)))) if all(starmap(follows, pairwise([*ones, other]))):
                return Junction("AND", (Junction("OR", (*ones, other)), *more))
            case Junction("OR", (Junction("AND", (*more, one)), *others)) if all(starmap(follows, pairwise([one, *others]))):
                return Junction("AND", (*more, Junction("OR", (one, *others))))
        return condition

    return with_conditions(query, together)


def with_better_twins(tokens: Sequence[Token], cells: frozenset[tuple[int, str]], linked: Linked, schema: Schema) -> list[Token]:
    """The same, and where a column must equal a cell that its better twin holds as well, the twin must.

    A better twin is the one column of the same table that refers to a table of such values and that the question names no less.
    """
    mended = list(tokens)
    for position, token in enumerate(tokens):
        if isinstance(token, Val) and tokens[position - 1] == "EQ" and isinstance(column := tokens[position - 2], Col):
            target = target_of(tokens[:position], schema)
            twins = [] if target.function else _better_twins(column.index, str(token.value), cells, linked, schema)
            if len(twins) == 1:
                mended[position - 2] = Col(twins[0])
    return mended


def _better_twins(column: int, value: str, cells: frozenset[tuple[int, str]], linked: Linked, schema: Schema) -> list[int]:
    keys = {child for child, _ in schema.references}
    named = linked.features[len(linked.words) + linked.table_count :, 4]
    return [
        other
        for other, held in cells
        if held == value
        and other in keys - {column}
        and column not in keys
        and schema.table_of(other) == schema.table_of(column)
        and named[other] >= named[column]
    ]


_MENDS: tuple[Callable[[Query, _Asked], Query], ...] = (
    lambda query, _: among_rows(query),
    lambda query, asked: with_both_rows(query, asked.schema),
    lambda query, asked: with_bounds(query, asked.said, asked.words, asked.linked, asked.schema),
    lambda query, asked: with_no_other(query, asked.said, asked.schema),
    lambda query, asked: with_opposites(query, asked.said, asked.words, asked.schema),
    lambda query, asked: with_amounts(query, asked.words, asked.schema),
    lambda query, asked: either_together(query, asked.said, asked.words),
    lambda query, asked: in_their_units(query, asked.words, asked.schema),
    lambda query, asked: with_lengths(query, asked.said, asked.words, asked.schema),
    lambda query, asked: with_ages(query, asked.said, asked.words, asked.schema),
    lambda query, asked: by_the_clock(query, asked.said, asked.words, asked.schema),
    lambda query, asked: in_column_units(query, asked.said, asked.words, asked.schema),
    lambda query, asked: with_roles(query, asked.said, asked.linked, asked.schema),
    lambda query, asked: with_whole_names(query, asked.words, asked.schema),
    lambda query, asked: with_second_selves(query, asked.said, asked.linked, asked.schema),
    lambda query, asked: in_order(query, asked.words, asked.schema),
    lambda query, asked: with_day_names(query, asked.words),
    lambda query, asked: with_figures(query, asked.figures, asked.schema),
)
"""One after the other: each looks at what those before it have made."""


def moments_mended(tokens: Sequence[Token], schema: Schema) -> list[Token]:
    """The same where an engine is strict about dates: with all that follows here."""
    return years_in_order(moments_known(days_between(whole_days(years_compared(tokens, schema), schema), schema)))


def years_compared(tokens: Sequence[Token], schema: Schema) -> list[Token]:
    """The same with YEAR put before a date column that is compared with a bare year: '2015' is no date that an engine could read."""
    mended: list[Token] = []
    for position, token in enumerate(tokens):
        if _meets_a_year(tokens, position, schema):
            mended.append("YEAR")
        mended.append(token)
    return mended


def _meets_a_year(tokens: Sequence[Token], position: int, schema: Schema) -> bool:
    following = tokens[position + 1 : position + 4]
    if not _is_moment(tokens[position], schema) or len(following) < 2:
        return False
    compared = following[1:] if following[0] == "BETWEEN" else following[1:2] if following[0] in COMPARISONS else ()
    before = tokens[position - 1] if position else ""
    plain = before not in (*FUNCTIONS, "SECOND", "OUTER")
    return plain and bool(compared) and all(isinstance(token, Val) and _YEAR.fullmatch(str(token.value)) for token in compared)


def moments_known(tokens: Sequence[Token]) -> list[Token]:
    """The same, and rows without a date are no group where the largest groups are asked for: "which year saw the most" means a year."""
    start = max(position for position, token in enumerate(tokens) if token in ("SELECT", "SELECT_DISTINCT"))
    core = list(tokens[start:])
    if "GROUP" not in core or "LIMIT" not in core or "OR" in core:
        return list(tokens)
    group = core.index("GROUP")
    function, column = core[group + 1 : group + 3]
    if function not in FUNCTIONS or function == "LENGTH" or not isinstance(column, Col):
        return list(tokens)
    if "WHERE" in core and column in core[core.index("WHERE") : group]:
        return list(tokens)
    known: list[Token] = ["AND" if "WHERE" in core else "WHERE", column, "NOT_NULL"]
    return [*tokens[:start], *core[:group], *known, *core[group:]]


def days_between(tokens: Sequence[Token], schema: Schema) -> list[Token]:
    """The same, and a date from which the year of another is taken has that date taken from it: the days between them."""
    mended = list(tokens)
    for position in range(len(tokens) - 3, 0, -1):
        before, earlier, function, later = tokens[position - 1], *tokens[position : position + 3]
        if before == "SUB" and function in FUNCTIONS and _is_moment(earlier, schema) and _is_moment(later, schema):
            del mended[position + 1]
    return mended


def whole_days(tokens: Sequence[Token], schema: Schema) -> list[Token]:
    """The same, and a day that a moment is compared with is all of that day: "until 31 May" ends with it, "on 31 May" has its hours."""
    mended: list[Token] = []
    for position, token in enumerate(tokens):
        if not isinstance(token, Val) or not _DAY.fullmatch(str(token.value)):
            mended.append(token)
            continue
        target, end = target_of(tokens[:position], schema), Val(f"{token.value} 23:59:59.999999")
        is_moment = target.is_moment and target.kind == "timestamp"
        if is_moment and tokens[position - 1] == "EQ":
            mended[-1:] = ["BETWEEN", token, end]
        else:
            mended.append(end if is_moment and target.late else token)
    return mended


def years_in_order(tokens: Sequence[Token]) -> list[Token]:
    """The same, and groups by year and quarter or month that are ordered by the year come in the order of time within it, too."""
    for position in range(len(tokens) - 3):
        function, column, direction, following = tokens[position : position + 4]
        if function != "YEAR" or direction not in ("ASC", "DESC") or following not in ("LIMIT", "END"):
            continue
        start = max(place for place in range(position) if tokens[place] in ("SELECT", "SELECT_DISTINCT"))
        core = list(tokens[start:position])
        grouped, ordered = (core[core.index(word) :] if word in core else [] for word in ("GROUP", "ORDER"))
        keys = [list(pair) for pair in pairwise(grouped[: len(grouped) - len(ordered)])]
        finer = [part for part in ("QUARTER", "MONTH") if [part, column] in keys and part not in ordered]
        return [*tokens[: position + 3], *(each for part in finer for each in (part, column, direction)), *tokens[position + 3 :]]
    return list(tokens)


def _is_moment(token: Token, schema: Schema) -> bool:
    return isinstance(token, Col) and schema.columns[token.index][1].kind in TIMES
