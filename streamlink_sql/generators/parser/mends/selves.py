"""Rows that belong to rows of their own table: "who is Ann's manager", "who reports to Ann". Knows no model and no SQL.

Networks write the key where the row is meant that it leads to. That row is the second instance of the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from streamlink_sql.generators.parser.actions import Span
from streamlink_sql.generators.parser.joins import complete
from streamlink_sql.generators.parser.linking import Linked, plain_name
from streamlink_sql.generators.parser.mends.roles import LEADING, families, has_or
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.generators.parser.tokens import COMPARISONS, Val
from streamlink_sql.generators.parser.tree import (
    Condition,
    Core,
    Expr,
    Junction,
    Predicate,
    Query,
    Ref,
    Source,
    clauses,
    walk,
    with_conditions,
)

_ABOVE = frozenset(("to", "by", "is", "are", "was", "under"))
"""What stands between the word for a role and who has it: "who report to Ann", "whose manager is Ann"; "of" does not."""
_BELOW = frozenset(("report",))
"""Families of words that say the same without naming the key."""
_NEAR = 2
"""So many words lie between that and the name at most: "managed by our Ann"."""
_KEY_WORDS = frozenset(("id", "ids", "identifier", "key", "code", "number", "numbers", "no"))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a question says: its words, their families, and the words of each value, by value."""

    words: tuple[str, ...]
    families: frozenset[str]
    spans: Mapping[str, Span]


@dataclass(frozen=True, slots=True)
class _Other:
    """The other row: the key to it and what that leads to, the columns of its name, its role in words, and what is asked."""

    key: int
    to: int
    names: frozenset[int]
    role: frozenset[str]
    asked: _Asked


def with_second_selves(query: Query, spans: Mapping[str, Span], linked: Linked, schema: Schema) -> Query:
    """The same with a table joined to itself where its key to itself stands for the row that it leads to.

    That is where the key is shown though its number is not asked for, where a measure is compared with it ("more than their manager"),
    and where a name is sought that the question says of the other row. Rows that none belongs to are told by the keys that there are.
    `spans` are the words of each value that the question says, by value.
    """
    if not schema.own_keys:
        return query
    words = tuple(word.text.lower() for word in linked.words)
    asked = _Asked(words, frozenset(family for word in words for family in families(word)), spans)
    known = with_conditions(query, lambda condition: _of_known_ones(condition, schema))
    return known if len(known.cores) > 1 else replace(known, cores=(_core(known.cores[0], asked, schema),))


def _of_known_ones(condition: Condition, schema: Schema) -> Condition:
    """What is not among the rows that others belong to: of those that do, as NULL, which those at the top have, makes NOT IN unknown."""
    match condition:
        case Predicate("NOT_IN", _, (Query(cores=(Core(items=(Ref(column),), condition=None) as core,)),)) if column in schema.own_keys:
            known = replace(core, condition=Predicate("NOT_NULL", Ref(column)))
            return replace(condition, right=(Query((known,)),))
    return condition


def _core(core: Core, asked: _Asked, schema: Schema) -> Core:
    whole = complete(core, schema)
    tables = [source.table for source in whole.sources]
    keys = [(key, to) for key, to in schema.own_keys.items() if schema.table_of(key) in tables]
    if len(keys) != 1 or any(source.where for source in whole.sources):
        return core
    key, to = keys[0]
    table = schema.table_of(key)
    called = frozenset(family for each in schema.tables for family in families(each.name))
    role, below = families(schema.columns[key][1].name) - called - LEADING, _BELOW - called
    joined = frozenset(family for pair in whole.on for side in pair for family in families(schema.columns[side.column][1].name))
    if (role | below).isdisjoint(asked.families) or not (role | below).isdisjoint(joined):
        return core
    names = _names(table, schema)
    items = _shown(core, key, names, asked)
    other = _Other(key, to, frozenset(names), role | below, asked)
    condition = core.condition
    if condition is not None and not has_or(core):
        core = replace(core, condition=_leading(condition, other))
        condition = core.condition and _moved(core.condition, other, schema)
    if (items, condition) == (core.items, core.condition):
        return core
    is_left = items != core.items and condition == core.condition and (condition is None or len(core.items) > 1)
    sources = (*whole.sources, Source(table, "SECOND", left=is_left))
    return replace(core, items=items, condition=condition, sources=sources, on=(*whole.on, (Ref(key), Ref(to, "SECOND"))))


def _shown(core: Core, key: int, names: Sequence[int], asked: _Asked) -> tuple[Expr, ...]:
    """What a core shows, with the names of the row that the key leads to instead of the key."""
    uses = sum(node == Ref(key) for clause in clauses(core) for node in walk(clause))
    if not names or uses != 1 or core.group or not _KEY_WORDS.isdisjoint(asked.words):
        return core.items
    return tuple(each for item in core.items for each in ([Ref(name, "SECOND") for name in names] if item == Ref(key) else [item]))


def _leading(condition: Condition, other: _Other) -> Condition:
    """With the rows that have a name sought by what the key leads to, where their own such key is: "whose manager is Ann" means hers."""
    if isinstance(condition, Junction):
        return Junction(condition.name, tuple(_leading(part, other) for part in condition.parts))
    match condition:
        case Predicate("IN" | "NOT_IN", Ref(column, ""), (Query(cores=(Core(items=(Ref(shown, ""),)) as core,)),)) if (
            column == shown == other.key
        ):
            named = [node for node in walk(core.condition) if _is_named(node, other)] if core.condition is not None else []
            return replace(condition, right=(Query((replace(core, items=(Ref(other.to),)),)),)) if named else condition
    return condition


def _moved(condition: Condition, other: _Other, schema: Schema) -> Condition:
    """With measures compared with the other row's, and its name sought there."""
    if isinstance(condition, Junction):
        return Junction(condition.name, tuple(_moved(part, other, schema) for part in condition.parts))
    match condition:
        case Predicate(name, Ref(column, ""), (Ref(compared, ""),)) if name in COMPARISONS and compared == other.key != column:
            is_measure = schema.table_of(column) == schema.table_of(other.key) and column not in schema.joining
            return replace(condition, right=(Ref(column, "SECOND"),)) if is_measure else condition
        case Predicate("EQ", Ref(column, "")) if _is_named(condition, other):
            return replace(condition, left=Ref(column, "SECOND"))
    return condition


def _is_named(node: object, other: _Other) -> bool:
    """Whether a condition seeks a name that the question says of the other row."""
    match node:
        case Predicate("EQ", Ref(column, ""), (Val(value),)):
            return column in other.names and _is_of_the_other(str(value), other.role, other.asked)
    return False


def _is_of_the_other(value: str, role: frozenset[str], asked: _Asked) -> bool:
    """Whether the words before a name say that it has the role: "reports to Ann", "whose manager is Ann Lee"."""
    if value not in asked.spans:
        return False
    inside = {word for first, last in asked.spans.values() for word in range(first, last + 1)}
    at = asked.spans[value][0]
    while at - 1 in inside:
        at -= 1
    before = asked.words[max(0, at - 1 - _NEAR) : at]
    above = [place for place, word in enumerate(before) if word in _ABOVE]
    said = frozenset(family for word in before[: above[-1]] for family in families(word)) if above else frozenset()
    return not said.isdisjoint(role)


def _names(table: int, schema: Schema) -> list[int]:
    """The columns by which people call a row: its name, or the parts of it."""
    texts = [column for column in schema.columns_of(table) if schema.columns[column][1].kind == "text"]
    by_word = {column: plain_name(schema.columns[column][1].name).split() for column in texts}
    whole = [column for column, words in by_word.items() if words in (["name"], ["full", "name"])]
    parts = [column for column, words in by_word.items() if words[-1:] == ["name"]]
    return whole[:1] or parts[:2] or [column for column, words in by_word.items() if words == ["title"]]
