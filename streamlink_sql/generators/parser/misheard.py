"""Where a finished query does not fit the words of its question: counts such places. Knows no model and no probability."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from streamlink_sql.catalog.values import stem
from streamlink_sql.generators.parser.actions import Span
from streamlink_sql.generators.parser.joins import pointed
from streamlink_sql.generators.parser.linking import NONE, PART, RELATIONS, TABLE_WHOLE, WHOLE, Linked, plain_name
from streamlink_sql.generators.parser.mends.roles import end_of, named_tables, ways
from streamlink_sql.generators.parser.mends.stretches import stretches
from streamlink_sql.generators.parser.moments import read_half
from streamlink_sql.generators.parser.schema import NAMES_SHARED_BY_CHANCE, NUMBERS, TIMES, Schema
from streamlink_sql.generators.parser.tokens import COMPARISONS, FUNCTIONS, NEGATIVE, Col, Tab, Token, Val
from streamlink_sql.generators.parser.tree import Aggregate, Call, Core, Predicate, Query, Ref, Star, clauses, walk

_COLUMN_NONE, _COLUMN_PART, _COLUMN_WHOLE = (RELATIONS.index(f"word-column {level}") for level in ("none", "part", "whole"))
_VALUE_WHOLE = RELATIONS.index("word-column value whole")
_BUT = frozenset("except excluding without besides ignoring not isn aren wasn weren".split())
_BUT_PAIRS = frozenset((("other", "than"), ("leaving", "out"), ("apart", "from"), ("leave", "out"), ("aside", "from")))
_WINDOW = 3
"""So many words before a value may say that it is not meant: "leaving out the cancelled"."""
_NO = frozenset(("n", "no", "f", "false", "0"))
"""Texts and numbers by which a query says no itself."""
_OPPOSITES = (
    (frozenset(("highest", "maximum", "max")), frozenset(("lowest", "minimum", "min"))),
    (frozenset(("largest", "biggest", "greatest")), frozenset(("smallest",))),
    (frozenset(("oldest", "earliest")), frozenset(("newest", "youngest", "latest"))),
    (frozenset(("longest",)), frozenset(("shortest",))),
    (frozenset(("best",)), frozenset(("worst",))),
)
_OR_MORE = (("or", "more"), ("or", "fewer"), ("or", "less"))
_OF = frozenset(("from", "in", "of"))
_YEARS, _SINCE = range(1500, 2200), frozenset("since after before from until in by".split())
_BOUNDS = ("GT", "GE", "LT", "LE", "BETWEEN")
_EXTREMES = ("MAX", "MIN", "LIMIT", "EACH")
_PARTS = {"year": "YEAR", "month": "MONTH", "quarter": "QUARTER"}
_EXTREME_WORDS = frozenset(
    "biggest busiest cheapest closest dearest deepest earliest fastest greatest heaviest highest largest latest lightest longest lowest "
    "nearest newest oldest priciest richest shortest slowest smallest soonest strongest tallest weakest widest worst youngest".split()
)
_TEXTS = frozenset("name title description text comment note subject abstract".split())
"""What columns are called that people seek words in."""
_THEIR = frozenset(("their", "its", "his", "her"))
_ORDINALS = frozenset("second third fourth fifth 2nd 3rd 4th 5th".split())
_COMPARING = frozenset(("SECOND", "OUTER", "GROUP", "IN", "INTERSECT", "EXISTS", "EACH", "HAVING"))
"""Keywords of which one is needed to find what rows have in common."""
_SECOND_BEST = frozenset(("OFFSET", "EACH"))
_HAVING = frozenset("with have has having share shares sharing in at".split())
_ALL = frozenset("about complete details everything information record records".split())
_ENDS = frozenset(",.;:!?)")


@dataclass(frozen=True, slots=True)
class _Literal:
    """A literal that the question says: its words, its value, the operator before it, and the column, if any, that it is compared with."""

    first: int
    last: int
    value: str | int | float
    by: str
    column: int | None
    is_plain: bool
    """Whether the column is not counted, nor a part of its dates taken."""


def misheard(question: Linked, schema: Schema, tokens: Sequence[Token], spans: Sequence[Span | None], query: Query) -> int:
    """How often the query says something else than the words do.

    It keeps what the question leaves out ("without cancelled orders"), compares another column with a number that counts things ("at least
    20 orders"), puts a word beside a thing on another table ("German customers" by the orders' country), gives one of two extremes ("the
    oldest and the newest"), a whole date where a year is asked for, no order where one is said ("biggest first"), shows a column that is
    named in part where the words name another in full, shows all of a table that nobody speaks of, reads one for a column that the others
    have, too, or to the like of which keys lead, seeks "from A to B" elsewhere than at the ends of the way, does not ask for none of what
    "out of stock" and "have no manager" say that there is none of, gives the first for "the second highest", compares nothing for "the same
    name", all rows for "the average of their department", seeks a whole cell for "with Phone in the name", has all times for "last month",
    or takes the word of a value, or what a table named beside it holds, for a flag ("active patients" by the services' `active`).

    `spans` are the words of each literal in `tokens`, None for one that no word says.
    """
    words = [word.text.lower() for word in question.words]
    literals = list(_literals(tokens, spans))
    first = query.cores[0]
    is_negative = any(token in NEGATIVE or (isinstance(token, Val) and str(token.value).lower() in _NO) for token in tokens)
    return (
        sum(_is_left_out(words, literal) for literal in literals if not is_negative)
        + sum(
            _is_number_of_things(question, words, literal) or _is_of_another(question, schema, words, literal, literals)
            for literal in literals
        )
        + _gives_one_extreme(words, tokens)
        + _shows_a_whole_date(words, first, schema)
        + _lacks_order(words, tokens)
        + _shows_what_is_named_in_part(question, schema, first)
        + sum(_reads_another_table(question, schema, core) or _joins_for_a_twin(question, schema, core) for core in query.cores)
        + _strays_from_the_way(question, schema, words, literals)
        + _shows_all_of_another(question, words, query)
        + _is_not_without(question, words, query, schema)
        + _gives_the_first(words, tokens)
        + _compares_nothing(words, tokens)
        + _averages_all(words, tokens)
        + _has_all_times(words, query, schema)
        + sum(_is_only_a_part(question, schema, words, literal) for literal in literals)
        + sum(
            any(each.first <= flag.first and flag.last <= each.last and each.column != flag.column for each in literals)
            or _is_of_another(question, schema, words, flag, [*literals, flag])
            for flag in _flags(question, schema, words, query)
        )
    )


def _literals(tokens: Sequence[Token], spans: Sequence[Span | None]) -> Iterator[_Literal]:
    places = [(place, token) for place, token in enumerate(tokens) if isinstance(token, Val)]
    for (place, token), span in zip(places, spans, strict=False):
        if span is None:
            continue
        by = next((token for token in reversed(tokens[:place]) if isinstance(token, str)), "")
        at = next((at for at in range(place - 1, -1, -1) if isinstance(tokens[at], (Col, Tab))), None)
        told = None if at is None else tokens[at]
        is_plain = at is not None and tokens[at - 1] not in ("COUNT", "COUNT_DISTINCT", *FUNCTIONS)
        yield _Literal(*span, token.value, by, told.index if isinstance(told, Col) else None, is_plain)


def _is_left_out(words: Sequence[str], literal: _Literal) -> bool:
    """Whether the words say that a value is not meant, though rows that have it are kept. A question may begin with "isn't"."""
    before = list(words[max(1, literal.first - _WINDOW) : literal.first])
    before = before[max((at + 1 for at, word in enumerate(before) if word in _ENDS or word in ("and", "but", "or")), default=0) :]
    first = next((at for at, word in enumerate(before) if word in _BUT or tuple(before[at : at + 2]) in _BUT_PAIRS), None)
    if first is None or "only" in before or not _OF.isdisjoint(before[first + 2 :]):
        return False
    halves = {read_half(" ".join(words[literal.first : end])) for end in (literal.last + 1, literal.last + 2)}
    return literal.by in ("EQ", "IN") or (literal.by == "LE" and 1 in halves) or (literal.by == "GE" and 2 in halves)


def _is_number_of_things(question: Linked, words: Sequence[str], literal: _Literal) -> bool:
    """Whether a number before the name of a table is compared with something that is not named so and no count."""
    behind, size = literal.last + 1, len(words)
    if tuple(words[behind : behind + 2]) in _OR_MORE:
        behind += 2
    if literal.by not in _BOUNDS or not literal.is_plain or literal.column is None or behind >= size:
        return False
    if literal.value in _YEARS and not _SINCE.isdisjoint(words[max(0, literal.first - 2) : literal.first]):
        return False
    named = (question.relations[behind, size : size + question.table_count] == TABLE_WHOLE).any()
    return bool(
        named
        and isinstance(literal.value, (int, float))
        and question.relations[behind, size + question.table_count + literal.column] == _COLUMN_NONE
    )


def _is_of_another(question: Linked, schema: Schema, words: Sequence[str], literal: _Literal, literals: Sequence[_Literal]) -> bool:
    """Whether a value right beside the name of a table of which it is a cell ("Dutch customers", "customers from Utrecht") is sought in
    another table only."""
    size = len(words)
    if literal.by not in ("EQ", "IN") or literal.column is None or not isinstance(literal.value, str):
        return False
    beside = [place for place in (literal.last + 1,) if place < size]
    before = [place for place in range(literal.first) if words[place] not in ("the", "based", "located")]
    if len(before) > 1 and words[before[-1]] in _OF:
        beside.append(before[-2])
    named = set(np.flatnonzero((question.relations[beside, size : size + question.table_count] == TABLE_WHOLE).any(0)))
    holders = _holders(question, schema, literal)
    sought = {schema.table_of(other.column) for other in literals if other.column is not None and other.value == literal.value}
    return len(named) == 1 and named <= holders - sought


def _gives_one_extreme(words: Sequence[str], tokens: Sequence[Token]) -> bool:
    said = any(not one.isdisjoint(words) and not other.isdisjoint(words) for one, other in _OPPOSITES)
    limit = tokens[tokens.index("LIMIT") + 1] if "LIMIT" in tokens else None
    is_of_many = "SUB" in tokens or ("ORDER" in tokens and limit != Val(1)) or not {"to", "not"}.isdisjoint(words)
    return said and not is_of_many and sum(token in _EXTREMES for token in tokens) < 2


def _shows_a_whole_date(words: Sequence[str], core: Core, schema: Schema) -> bool:
    """Whether a year (month, quarter) is asked for and a date is shown instead of it."""
    asked = {_PARTS[stem(word)] for before, word in pairwise(words[:4]) if before in ("what", "which") and stem(word) in _PARTS}
    shown = [node for item in core.items for node in walk(item)]
    told = {node.name for node in shown if isinstance(node, Call)}
    dates = [item.of if isinstance(item, Aggregate) else item for item in core.items]
    shown_dates = [schema.columns[date.column][1] for date in dates if isinstance(date, Ref)]
    called = {_PARTS.get(stem(word)) for column in shown_dates for word in plain_name(column.name).split()}
    return bool(asked - told - called) and any(column.kind in TIMES for column in shown_dates)


def _lacks_order(words: Sequence[str], tokens: Sequence[Token]) -> bool:
    """Whether "biggest first" or "most frequent first" ends a part of the question and nothing is put in order."""
    said = any(
        word == "first"
        and (at + 1 == len(words) or words[at + 1] in _ENDS)
        and (words[at - 1] in _EXTREME_WORDS or {"most", "least"} & set(words[max(0, at - 2) : at]))
        for at, word in enumerate(words)
        if at
    )
    return said and "ORDER" not in tokens


def _shows_what_is_named_in_part(question: Linked, schema: Schema, core: Core) -> bool:
    """Whether a column is shown of which the question says a part, where this part belongs to the full name of one that is not."""
    size, first = len(question.words), len(question.words) + question.table_count
    shown = {item.column for item in core.items if isinstance(item, Ref)}
    partly = [column for column in shown if question.features[first + column, 4] == PART]
    if not partly:
        return False
    names = {schema.columns[column][1].name for column in shown}
    levels = question.relations[:size, first:]
    full = [set(np.flatnonzero(levels[:, column] == _COLUMN_WHOLE)) for column in range(len(schema.columns))]
    explained = {word for column in _looked_at(core) - shown for word in full[column]}
    others = [words for words, (_, column) in zip(full, schema.columns, strict=True) if column.name not in names]
    said = [set(np.flatnonzero(levels[:, column] == _COLUMN_PART)) - explained for column in partly]
    return any(part and part < words for part in said for words in others)


def _looked_at(core: Core) -> set[int]:
    """The columns of a query, but for those by which rows are sought among the results of another query."""
    nodes = [node for clause in clauses(core) for node in walk(clause)]
    sought = {id(node.left) for node in nodes if isinstance(node, Predicate) and any(isinstance(right, Query) for right in node.right)}
    return {node.column for node in nodes if isinstance(node, Ref) and id(node) not in sought}


def _reads_another_table(question: Linked, schema: Schema, core: Core) -> bool:
    """Whether a table that the question does not name is read for columns only that another table of the query has by the same names."""
    used = {node.column for clause in clauses(core) for node in walk(clause) if isinstance(node, Ref) and not node.where}
    tables = [table for table, where in pointed(core, schema) if not where]
    keys = {column for pair in schema.references for column in pair}
    for table in tables:
        own = used.intersection(schema.columns_of(table))
        free = {column for other in tables if other != table for column in schema.columns_of(other)} - used - keys
        others = {schema.columns[column][1].name.casefold() for column in free} - NAMES_SHARED_BY_CHANCE
        is_named = question.features[len(question.words) + table, 4] != NONE
        if own and not is_named and {schema.columns[column][1].name.casefold() for column in own} <= others:
            return True
    return False


def _joins_for_a_twin(question: Linked, schema: Schema, core: Core) -> bool:
    """Whether it joins a table that nobody names by nothing but a name, for columns that another has as well to which keys lead: `energy`
    of outages, not of tariffs."""
    size, tables = len(question.words), {table for table, _ in pointed(core, schema)}
    tree = () if core.sources else schema.join_tree(tables) or ()
    said = np.flatnonzero((question.relations[:size, size : size + question.table_count] == TABLE_WHOLE).any(0)).tolist()
    joined = {end for edge in tree if edge.is_by_name for end in (edge.left, edge.right)}
    return any(_has_a_nearer_twin(schema, core, table, tables) for table in tables & joined - set(said))


def _has_a_nearer_twin(schema: Schema, core: Core, table: int, tables: set[int]) -> bool:
    """Whether keys join a further table to the rest that has columns of all the names that are used of this one."""
    nodes = [node for clause in clauses(core) for node in walk(clause)]
    used = {node.column for node in nodes if isinstance(node, Ref) and schema.table_of(node.column) == table}
    names = {schema.columns[column][1].name.casefold() for column in used}
    if not names or Star(table) in nodes or not names.isdisjoint(NAMES_SHARED_BY_CHANCE):
        return False
    twins = [other for other in range(len(schema.tables)) if all(schema.column_index(other, name) is not None for name in names)]
    trees = (schema.join_tree(tables - {table} | {twin}) for twin in twins if twin not in tables)
    return any(tree is not None and not any(edge.is_by_name for edge in tree) for tree in trees)


def _strays_from_the_way(question: Linked, schema: Schema, words: Sequence[str], literals: Sequence[_Literal]) -> bool:
    """Whether "from A to B" is not sought where two keys lead for where things come from and go to, though A and B are cells there."""
    if not schema.rivals or not {"from", "to"} <= set(words):
        return False
    texts = [literal for literal in literals if isinstance(literal.value, str) and literal.by in ("EQ", "IN")]
    ends = [(literal, end_of(words, named_tables(question), literal.first)) for literal in texts]
    told = [literal for literal, end in ends if end]
    if len({end for _, end in ends if end}) < 2:
        return False
    at = frozenset.intersection(ways(schema), *(_holders(question, schema, literal) for literal in told))
    return bool(at) and not all(literal.column is not None and schema.table_of(literal.column) in at for literal in told)


def _holders(question: Linked, schema: Schema, literal: _Literal) -> frozenset[int]:
    """The tables in which the words of a literal are a cell."""
    first = len(question.words) + question.table_count
    return frozenset(schema.table_of(int(column)) for column in np.flatnonzero(question.relations[literal.last, first:] == _VALUE_WHOLE))


def _shows_all_of_another(question: Linked, words: Sequence[str], query: Query) -> bool:
    """Whether "all about" a table that is named in full shows the columns of one that is not."""
    shown = {item.table for item in query.cores[0].items if isinstance(item, Star)}
    named = question.features[len(question.words) : len(question.words) + question.table_count, 4]
    return not _ALL.isdisjoint(words) and any(named[table] == NONE for table in shown) and WHOLE in named


def _is_not_without(question: Linked, words: Sequence[str], query: Query, schema: Schema) -> bool:
    """Whether the words say that there is nothing of a number ("out of stock") or of a row's key to its own table ("no manager"), and no
    condition does."""
    size, first = len(words), len(words) + question.table_count
    lacking = {at + 2 for at, pair in enumerate(pairwise(words)) if pair == ("out", "of")}
    nothing = (at + 1 for at, word in enumerate(words) if word in ("no", "without"))
    single = {at + 1 if words[at : at + 1] in (["a"], ["any"]) else at for at in nothing}
    numbers = {column for column, (_, own) in enumerate(schema.columns) if own.kind in NUMBERS} - schema.joining
    others = {key for key in schema.own_keys if plain_name(schema.columns[key][1].name).split()[-1:] != ["to"]}
    said = [(at, column) for places, columns in ((lacking, numbers), (single, others)) for at in places for column in columns]
    named = {column for at, column in said if at < size and question.relations[at, first + column] in (_COLUMN_WHOLE, _COLUMN_PART)}
    conditions = [node for core in query.cores for clause in clauses(core) for node in walk(clause) if isinstance(node, Predicate)]
    spoken = any(isinstance(side, Val) and "out of" in str(side.value).lower() for node in conditions for side in node.right)
    none = {node.left.column for node in conditions if isinstance(node.left, Ref) and _means_none(node)}
    return bool(named) and not spoken and named.isdisjoint(none)


def _means_none(condition: Predicate) -> bool:
    zero = (("EQ", (Val(0),)), ("LE", (Val(0),)), ("LT", (Val(1),)))
    return condition.name == "IS_NULL" or (condition.name, condition.right) in zero


def _gives_the_first(words: Sequence[str], tokens: Sequence[Token]) -> bool:
    """Whether the first is given for "the second highest"."""
    said = any(one in _ORDINALS and (two in _EXTREME_WORDS or two in ("most", "least")) for one, two in pairwise(words))
    limit = tokens[tokens.index("LIMIT") + 1] if "LIMIT" in tokens else Val(1)
    return said and limit == Val(1) and _SECOND_BEST.isdisjoint(_keywords(tokens)) and _selects(tokens) == 1


def _compares_nothing(words: Sequence[str], tokens: Sequence[Token]) -> bool:
    """Whether rows "with the same name" are compared with nothing."""
    said = any(words[at] == "same" and words[at - 1] == "the" and words[at - 2] in _HAVING for at in range(2, len(words)))
    meets = any(token in COMPARISONS and (isinstance(next_, Col) or next_ in FUNCTIONS) for token, next_ in pairwise(tokens))
    return said and not meets and _COMPARING.isdisjoint(_keywords(tokens)) and _selects(tokens) == 1


def _averages_all(words: Sequence[str], tokens: Sequence[Token]) -> bool:
    """Whether something is compared with the average of all rows where "the average of their department" is meant."""
    said = any(words[at] in _THEIR and words[at - 1] in _OF and words[at - 2] == "average" for at in range(2, len(words)))
    starts = [place for place, token in enumerate(tokens) if token in ("SELECT", "SELECT_DISTINCT")]
    nested = _keywords(tokens[starts[1] :]) if len(starts) > 1 else frozenset[str]()
    return said and "AVG" in nested and nested.isdisjoint(("OUTER", "GROUP"))


def _has_all_times(words: Sequence[str], query: Query, schema: Schema) -> bool:
    """Whether "last week" or "the past 3 months" bounds no date though there are dates; the last year of all may be sought as such."""
    dates = {column for column, (_, own) in enumerate(schema.columns) if own.kind in TIMES}
    if not dates or not stretches(words, schema):
        return False
    nodes = [node for core in query.cores for clause in clauses(core) for node in walk(clause)]
    bounded = [node.left for node in nodes if isinstance(node, Predicate) and node.name not in ("IS_NULL", "NOT_NULL")]
    parts = [node for node in nodes if isinstance(node, (Call, Aggregate)) and node.name in (*FUNCTIONS, "MAX")]
    return not any(isinstance(node, Ref) and node.column in dates for side in bounded if side for node in walk(side)) and not parts


def _flags(question: Linked, schema: Schema, words: Sequence[str], query: Query) -> Iterator[_Literal]:
    """The conditions on flags that the question names, by the words that do, as if these were a value: "active" of `active = TRUE`."""
    size, first = len(words), len(words) + question.table_count
    for core in query.cores:
        for node in walk(core.condition) if core.condition is not None else ():
            if isinstance(node, Predicate) and isinstance(node.left, Ref) and schema.columns[node.left.column][1].kind == "boolean":
                named = np.flatnonzero(question.relations[:size, first + node.left.column] == _COLUMN_WHOLE)
                if named.size:
                    yield _Literal(int(named[0]), int(named[-1]), words[named[0]], "EQ", node.left.column, True)


def _selects(tokens: Sequence[Token]) -> int:
    return sum(token in ("SELECT", "SELECT_DISTINCT") for token in tokens)


def _keywords(tokens: Sequence[Token]) -> frozenset[str]:
    return frozenset(token for token in tokens if isinstance(token, str))


def _is_only_a_part(question: Linked, schema: Schema, words: Sequence[str], literal: _Literal) -> bool:
    """Whether a whole cell is sought where the words say that a column has a text in it: "with Phone in the name"."""
    size, first, at = len(words), len(words) + question.table_count, literal.last + 3
    if literal.by not in ("EQ", "IN") or words[at - 2 : at - 1] != ["in"] or not {"the", *_THEIR} & set(words[at - 1 : at]):
        return False
    texts = [column for column, (_, own) in enumerate(schema.columns) if not _TEXTS.isdisjoint(plain_name(own.name).split()[-1:])]
    levels = question.relations[:size, [first + column for column in texts]]
    end = next((place for place in range(at, size) if not np.isin(levels[place], (_COLUMN_WHOLE, _COLUMN_PART)).any()), size)
    return end > at and (end == size or not words[end].isalpha() or words[end] in ("and", "or"))
