"""Two rows of one name are two: groups by a name that several rows bear are told apart by the key as well. Knows no model and no SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from streamlink_sql.catalog.names import spoken_words, table_words
from streamlink_sql.generators.parser.joins import complete
from streamlink_sql.generators.parser.mends.names import FIRST, LAST
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.generators.parser.tokens import NotCovered, Token
from streamlink_sql.generators.parser.tree import Aggregate, Core, Expr, Ordered, Query, Ref, clauses, emit, walk

_BY = frozenset(("by", "per", "each", "every", "same", "different", "distinct", "which"))
_NEAR = 3
"""So many words at most lie between "per" and the "name" that is asked about itself: "orders per customer name"."""


def with_namesakes_apart(tokens: Sequence[Token], words: Sequence[str], schema: Schema) -> tuple[Token, ...]:
    """The same where names are unique; where they are not, groups by the name of a row of another table are groups by its key, too.

    `words` are those of the question: groups stay where it asks for something by the name itself.
    """
    if "GROUP" not in tokens or _asks_by_name(words):
        return tuple(tokens)
    try:
        query = parse(tokens)
        apart = _query(query, schema)
    except NotCovered:
        return tuple(tokens)
    return tuple(tokens) if apart == query else emit(apart)


def _asks_by_name(words: Sequence[str]) -> bool:
    said = [word.lower() for word in words]
    return any(word in ("name", "names") and not _BY.isdisjoint(said[max(0, at - _NEAR) : at]) for at, word in enumerate(said))


def _query(query: Query, schema: Schema) -> Query:
    return replace(query, cores=tuple(_core(core, schema) for core in query.cores))


def _core(core: Core, schema: Schema) -> Core:
    """A core whose places, running figures or limits are about the groups as they are stays."""
    core = replace(core, items=tuple(_item(item, schema) for item in core.items))
    grouped = [each.column for each in core.group if isinstance(each, Ref) and not each.where]
    nodes = [node for clause in clauses(core) for node in walk(clause)]
    limits = list(walk(core.having)) if core.having is not None else []
    if core.best or any(isinstance(node, Ordered) for node in nodes) or any(isinstance(node, Query) for node in limits):
        return core
    counted = {
        node.of.column for node in nodes if isinstance(node, Aggregate) and node.name == "COUNT_DISTINCT" and isinstance(node.of, Ref)
    }
    read = {source.table for source in complete(core, schema).sources} if grouped else set()
    keys = [
        key
        for table in dict.fromkeys(map(schema.table_of, grouped))
        if any(table in schema.told_by(other) for other in read - {table})
        and (key := _key(table, schema)) is not None
        and counted.isdisjoint((key, *(column for column, to in schema.references if to == key)))
        and key not in grouped
        and _are_a_name([column for column in grouped if schema.table_of(column) == table], table, schema)
    ]
    return replace(core, group=(*core.group, *map(Ref, keys)))


def _item(item: Expr, schema: Schema) -> Expr:
    """Groups that are counted are rows of a query of their own."""
    return replace(item, of=_query(item.of, schema)) if isinstance(item, Aggregate) and isinstance(item.of, Query) else item


def _key(table: int, schema: Schema) -> int | None:
    key = schema.tables[table].primary_key
    return schema.column_index(table, key[0]) if len(key) == 1 else None


def _are_a_name(columns: Sequence[int], table: int, schema: Schema) -> bool:
    """Whether one of these columns is the name of a row, which others bear, too, or two are the parts of a person's."""
    called = set(table_words(schema.tables[table].name))
    repeated = [set(spoken_words(own.name)) for _, own in (schema.columns[column] for column in columns) if own.unique is False]
    names = {"title"} if "name" not in {word for own in schema.tables[table].columns for word in spoken_words(own.name)} else {"name"}
    whole = any(not names.isdisjoint(words) and words - names <= called | {"full"} for words in repeated)
    return whole or all(any(not part.isdisjoint(words) for words in repeated) for part in (FIRST, LAST))
