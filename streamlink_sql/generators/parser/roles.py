"""Which of several keys between two tables a question means: "who won" joins by winner_id, not by loser_id. Knows no model and no SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from streamlink_sql.generators.parser.joins import complete
from streamlink_sql.generators.parser.linking import Linked, plain_name
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.generators.parser.tokens import NotCovered, Token
from streamlink_sql.generators.parser.tree import Condition, Core, Junction, Predicate, Query, Ref, clauses, emit, walk

_IRREGULAR = dict(
    pair.split(":")
    for pair in (
        "beaten:beat bought:buy built:build chosen:choose drawn:draw driven:drive drove:drive flew:fly flown:fly gave:give given:give "
        "held:hold kept:keep led:lead lent:lend lost:lose made:make met:meet paid:pay sent:send sold:sell sung:sing taught:teach "
        "taken:take took:take won:win written:write wrote:write"
    ).split()
)
_ENDINGS = ("ations", "ation", "ings", "ing", "ers", "ors", "er", "or", "ed", "es", "s", "e")
_SAY_NOTHING = frozenset(("a", "by", "id", "in", "is", "of", "ord", "the"))
"""Families of words that stand in names and questions alike without telling a role: "in order of"."""
_LEAST, _LEAST_OF_ABBREVIATION = 3, 4
"""So many letters of a word stay, and so many an abbreviation has, at least."""


def family(word: str) -> str:
    """What a verb and who does it have in common: win for won, wins and winner, los for lost and loser."""
    word = _IRREGULAR.get(word, word)
    ending = next((ending for ending in _ENDINGS if word.endswith(ending) and len(word) - len(ending) >= _LEAST), "")
    word = word.removesuffix(ending)
    return word[:-1] if len(word) > _LEAST and word[-1] == word[-2] else word


def with_named_roles(tokens: Sequence[Token], linked: Linked, schema: Schema) -> list[Token]:
    """The same, joined by the key that the question names where several lead from one table to the same other one."""
    if not schema.rivals:
        return list(tokens)
    try:
        query = parse(tokens)
    except NotCovered:
        return list(tokens)
    words = frozenset(family(word.text.lower()) for word in linked.words)
    mended = _query(query, words, schema)
    return list(tokens) if mended == query else list(emit(mended))


def _query(query: Query, words: frozenset[str], schema: Schema) -> Query:
    return replace(query, cores=tuple(_core(core, words, schema) for core in query.cores))


def _core(core: Core, words: frozenset[str], schema: Schema) -> Core:
    inside = core if core.condition is None else replace(core, condition=_condition(core.condition, words, schema))
    whole = complete(core, schema)
    if any(source.where for source in whole.sources):
        return inside
    pointed = {node.column for clause in clauses(core) for node in walk(clause) if isinstance(node, Ref)}
    taken = pointed | {ref.column for pair in whole.on for ref in pair}
    on = tuple((_meant(a, b, words, taken, schema), _meant(b, a, words, taken, schema)) for a, b in whole.on)
    if on == whole.on:
        return inside
    return replace(inside, sources=whole.sources, on=on)


def _condition(condition: Condition, words: frozenset[str], schema: Schema) -> Condition:
    if isinstance(condition, Junction):
        return Junction(condition.name, tuple(_condition(part, words, schema) for part in condition.parts))
    right = tuple(_query(side, words, schema) if isinstance(side, Query) else side for side in condition.right)
    return Predicate(condition.name, condition.left, right)


def _meant(reference: Ref, key: Ref, words: frozenset[str], taken: set[int], schema: Schema) -> Ref:
    """The one of a column that refers to a key and its rivals that the words name best.

    The column itself where none is, where a rival has a part of its own in the query, and where one is called like the whole table: of
    friend (student_id, friend_id), "friends" tells no role.
    """
    column = reference.column
    rivals = schema.rivals.get(column, frozenset())
    if not rivals or not rivals.isdisjoint(taken) or (column, key.column) not in schema.references:
        return reference
    names = {each: _families(schema.columns[each][1].name) for each in (column, *rivals)}
    common = frozenset.intersection(*names.values())
    table = _families(schema.tables[schema.table_of(column)].name)
    if any(_is_said(part, word) for own in names.values() for part in own - common for word in table):
        return reference
    said = {each: sum(any(_is_said(part, word) for word in words) for part in own - common) for each, own in names.items()}
    best = [each for each in said if said[each] == max(said.values())]
    return Ref(best[0]) if len(best) == 1 else reference


def _is_said(part: str, word: str) -> bool:
    """Whether a word is a part of a name or the abbreviation that it is, as dest_port has of the destination."""
    return word == part or (len(part) >= _LEAST_OF_ABBREVIATION and word.startswith(part))


def _families(name: str) -> frozenset[str]:
    return frozenset(family(word) for word in plain_name(name).split()) - _SAY_NOTHING
