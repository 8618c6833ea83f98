"""Which of several like columns a question means by how it speaks: "who won" joins by winner_id, "to Rome" looks at the destination.

Knows no model and no SQL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from streamlink_sql.catalog.values import stem
from streamlink_sql.generators.parser.actions import Span
from streamlink_sql.generators.parser.joins import From, complete
from streamlink_sql.generators.parser.linking import TABLE_WHOLE, Linked, plain_name
from streamlink_sql.generators.parser.schema import TIMES, Schema
from streamlink_sql.generators.parser.tokens import Val
from streamlink_sql.generators.parser.tree import Condition, Core, Junction, Predicate, Query, Ref, Source, clauses, walk

_IRREGULAR = dict(
    pair.split(":")
    for pair in (
        "beaten:beat bought:buy built:build chosen:choose drawn:draw driven:drive drove:drive flew:fly flown:fly gave:give given:give "
        "held:hold kept:keep led:lead left:leave lent:lend lost:lose made:make met:meet paid:pay sent:send sold:sell sung:sing "
        "recipient:receive taught:teach taken:take took:take went:go won:win written:write wrote:write"
    ).split()
)
_ENDINGS = ("ations", "ation", "ings", "ing", "ers", "ors", "er", "or", "ed", "es", "s", "e")
_SAY_NOTHING = frozenset(("a", "by", "id", "in", "is", "of", "ord", "the"))
"""Families of words that stand in names and questions alike without telling a role: "in order of"."""
LEADING = frozenset("at for from on to with".split())
"""Such words alone name no role either: "from most to least"."""
_LEAST, _LEAST_OF_ABBREVIATION = 3, 4
"""So many letters of a word stay, and so many an abbreviation has, at least."""
_FROM, _TO = "from", "to"
_ENDS_OF_WAYS = {
    _FROM: frozenset("begin dep depart departur from orig origin send sourc src start".split()),
    _TO: frozenset("arr arriv arrival dest destin end receiv target tgt to".split()),
}
"""Families of words in names of columns, by the end of a way that they are about."""
_GOING = {_FROM: frozenset("depart leav start".split()), _TO: frozenset("arriv end land reach".split())}
"""Families of words that say by themselves which end comes next: "leaving Rome", "arriving in Rome"."""
_LEADING = {"from": _FROM, "to": _TO, "into": _TO, "towards": _TO, "toward": _TO}
_NEAR = 4
"""So many words before a value may say which end of a way it is: "to the port of Rome"."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What a question says of roles: the families of its words, and the end of a way that each value in it is, by value."""

    families: frozenset[str]
    ends: Mapping[str, str]


def family(word: str) -> str:
    """What a verb and who does it have in common: win for won, wins and winner, los for lost and loser."""
    word = _IRREGULAR.get(word, stem(word))
    ending = next((ending for ending in _ENDINGS if word.endswith(ending) and len(word) - len(ending) >= _LEAST), "")
    word = word.removesuffix(ending)
    return word[:-1] if len(word) > _LEAST and word[-1] == word[-2] else word


def with_roles(query: Query, spans: Mapping[str, Span], linked: Linked, schema: Schema) -> Query:
    """The same, joined by the key that the question names where several lead from one table to the same other one, and with values that
    it comes from or goes to sought at that end. `spans` are the words of each value that the question says, by value."""
    words, tables = [word.text.lower() for word in linked.words], named_tables(linked)
    ends = {value: end_of(words, tables, first) for value, (first, _) in spans.items()}
    return _query(query, _Said(frozenset(map(family, words)), ends), schema)


def end_of(words: Sequence[str], tables: Collection[int], first: int) -> str:
    """The end of a way that a value is whose first word this is; "" where nothing before it says so.

    `tables` are the words that name tables: "to clubs from Spain" says where the clubs are.
    """
    for at in range(first - 1, max(-1, first - 1 - _NEAR), -1):
        before = words[at - 1] if at else ""
        if words[at] in _LEADING:
            return "" if at - 1 in tables and at > 1 and words[at - 2] in _LEADING else _LEADING[words[at]]
        if words[at] == "for":
            return _TO if _going(before) else ""
        going = _going(words[at])
        if going or not words[at].isalpha() or words[at] in ("and", "or", "with", "by"):
            return going
    return ""


def named_tables(linked: Linked) -> frozenset[int]:
    """The words that name tables."""
    size = len(linked.words)
    return frozenset(np.flatnonzero((linked.relations[:size, size : size + linked.table_count] == TABLE_WHOLE).any(1)).tolist())


def _going(word: str) -> str:
    return next((end for end, verbs in _GOING.items() if family(word) in verbs), "")


def _query(query: Query, said: _Said, schema: Schema) -> Query:
    return replace(query, cores=tuple(_core(core, said, schema) for core in query.cores))


def _core(core: Core, said: _Said, schema: Schema) -> Core:
    if core.condition is not None:
        sought = frozenset(node.column for node in walk(core.condition) if isinstance(node, Ref))
        core = replace(core, condition=_condition(core.condition, sought, said, schema))
    whole = complete(core, schema)
    if any(source.where for source in whole.sources):
        return core
    taken = {node.column for clause in clauses(core) for node in walk(clause) if isinstance(node, Ref)}
    taken |= {ref.column for pair in whole.on for ref in pair}
    for number, (left, right) in enumerate(whole.on):
        for reference, key in ((left.column, right.column), (right.column, left.column)):
            rivals = schema.rivals.get(reference, frozenset())
            if not rivals or not rivals.isdisjoint(taken) or (reference, key) not in schema.references:
                continue
            by_end = _by_end({reference, *rivals}, schema)
            told = _ends_of(core, schema.table_of(key), said, schema) if by_end else []
            ends = {end for _, end in told}
            if len(ends) == 2:
                going = {id(node) for node, end in told if end == _TO}
                return core if has_or(core) else _both_ends(core, whole, number, by_end, Source(schema.table_of(key), "SECOND"), going)
            meant = by_end[ends.pop()] if ends else _named(reference, rivals, taken, said, schema)
            if meant != reference:
                on = (*whole.on[:number], (Ref(meant), Ref(key)), *whole.on[number + 1 :])
                return replace(core, sources=whole.sources, on=on)
    return core


def has_or(core: Core) -> bool:
    """Whether rows may meet one condition or another."""
    return core.condition is not None and any(isinstance(node, Junction) and node.name == "OR" for node in walk(core.condition))


def _both_ends(core: Core, whole: From, number: int, by_end: Mapping[str, int], other: Source, going: set[int]) -> Core:
    """The core with the table of one end of a way joined once more for the other end, to which these conditions belong."""
    left, right = whole.on[number]
    key = right.column if left.column in by_end.values() else left.column

    def moved(condition: Condition) -> Condition:
        if isinstance(condition, Junction):
            return Junction(condition.name, tuple(map(moved, condition.parts)))
        if id(condition) in going and isinstance(condition.left, Ref):
            return replace(condition, left=Ref(condition.left.column, "SECOND"))
        return condition

    on = (*whole.on[:number], (Ref(by_end[_FROM]), Ref(key)), *whole.on[number + 1 :], (Ref(by_end[_TO]), Ref(key, "SECOND")))
    return replace(core, condition=core.condition and moved(core.condition), sources=(*whole.sources, other), on=on)


def _ends_of(core: Core, table: int, said: _Said, schema: Schema) -> list[tuple[Predicate, str]]:
    """The conditions on a table's columns by values that are an end of a way, with the end."""
    found = []
    for node in walk(core.condition) if core.condition is not None else ():
        sought = _sought(node, schema) if isinstance(node, Predicate) else None
        if isinstance(node, Predicate) and sought is not None and schema.table_of(sought) == table:
            ends = {said.ends.get(str(value.value), "") for value in node.right if isinstance(value, Val)}
            found += [(node, end) for end in ends if end and len(ends) == 1]
    return found


def _condition(condition: Condition, taken: frozenset[int], said: _Said, schema: Schema) -> Condition:
    if isinstance(condition, Junction):
        return Junction(condition.name, tuple(_condition(part, taken, said, schema) for part in condition.parts))
    right = tuple(_query(side, said, schema) if isinstance(side, Query) else side for side in condition.right)
    found = replace(condition, right=right)
    if (sought := _sought(found, schema)) is None or not isinstance(right[0], Val):
        return found
    at_end = _at_end(sought, said.ends.get(str(right[0].value), ""), schema)
    return found if at_end in taken else replace(found, left=Ref(at_end))


def _sought(condition: Predicate, schema: Schema) -> int | None:
    """The column of texts in which a condition seeks values; None where it is another kind of condition."""
    left = condition.left
    is_text = isinstance(left, Ref) and not left.where and schema.columns[left.column][1].kind == "text"
    return left.column if isinstance(left, Ref) and is_text and condition.name in ("EQ", "IN") else None


def _at_end(column: int, end: str, schema: Schema) -> int:
    """The column that says of this end of a way what the given one says of the other; the column itself where there is none."""
    own, table = families(schema.columns[column][1].name), schema.table_of(column)
    other = _TO if end == _FROM else _FROM
    if not end or own.isdisjoint(_ENDS_OF_WAYS[other]):
        return column
    names = {each: families(schema.columns[each][1].name) for each in schema.columns_of(table)}
    rest = own - _ENDS_OF_WAYS[other]
    twins = [each for each, name in names.items() if not name.isdisjoint(_ENDS_OF_WAYS[end]) and name - _ENDS_OF_WAYS[end] == rest]
    return twins[0] if len(twins) == 1 else column


def _by_end(columns: set[int], schema: Schema) -> dict[str, int]:
    """Two columns by the end of a way that they are about; {} where they are no such two."""
    found = {end: column for column in columns for end, words in _ENDS_OF_WAYS.items() if families(schema.columns[column][1].name) & words}
    return found if len(columns) == 2 and len(set(found.values())) == 2 else {}


def ways(schema: Schema) -> frozenset[int]:
    """The tables that are both ends of a way: two keys lead to them from one table, as the origin and the destination."""
    found = {key for column, key in schema.references if column in schema.rivals and _by_end({column, *schema.rivals[column]}, schema)}
    return frozenset(map(schema.table_of, found))


def _named(column: int, rivals: frozenset[int], taken: set[int], said: _Said, schema: Schema) -> int:
    """The one of a column's rivals that the words name, where they do not name the column.

    The column itself where one is called like the whole table (of friend (student_id, friend_id), "friends" tells no role) and where the
    word speaks of a date that is asked for: "approved in 2020" says when, not by whom.
    """
    names = {each: families(schema.columns[each][1].name) - LEADING for each in (column, *rivals)}
    shared = {part for part, count in Counter(part for own in names.values() for part in own).items() if count > 1}
    dates = {part for each in taken if schema.columns[each][1].kind in TIMES for part in families(schema.columns[each][1].name)}
    parts = {each: own - shared - dates for each, own in names.items()}
    table = families(schema.tables[schema.table_of(column)].name)
    if any(_is_said(part, word) for own in parts.values() for part in own for word in table):
        return column
    named = [each for each, own in parts.items() if any(_is_said(part, word) for part in own for word in said.families)]
    return named[0] if len(named) == 1 else column


def _is_said(part: str, word: str) -> bool:
    """Whether a word is a part of a name or the abbreviation that it is, as dest_port has of the destination."""
    return word == part or (len(part) >= _LEAST_OF_ABBREVIATION and word.startswith(part))


def families(name: str) -> frozenset[str]:
    """The families of a name's words, but for those that say nothing."""
    return frozenset(family(word) for word in plain_name(name).split()) - _SAY_NOTHING
