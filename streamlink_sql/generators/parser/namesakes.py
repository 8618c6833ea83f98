"""Two rows of one name are two: groups by a name that several rows bear are told apart by the key as well. Knows no model and no SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from streamlink_sql.catalog.names import spoken_words, table_words
from streamlink_sql.generators.parser.joins import complete
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.generators.parser.tokens import NotCovered, Token
from streamlink_sql.generators.parser.tree import Aggregate, Core, Expr, Query, Ref, emit

_NAMES = ("name", "title", "label")
_FIRST, _LAST = frozenset(("first", "given", "fore", "forename", "firstname")), frozenset(("last", "sur", "family", "surname", "lastname"))


def with_namesakes_apart(tokens: Sequence[Token], schema: Schema) -> tuple[Token, ...]:
    """The same where names are unique; where they are not, groups by the name of a row of another table are groups by its key, too."""
    if "GROUP" not in tokens:
        return tuple(tokens)
    try:
        query = parse(tokens)
        apart = _query(query, schema)
    except NotCovered:
        return tuple(tokens)
    return tuple(tokens) if apart == query else emit(apart)


def _query(query: Query, schema: Schema) -> Query:
    return replace(query, cores=tuple(_core(core, schema) for core in query.cores))


def _core(core: Core, schema: Schema) -> Core:
    core = replace(core, items=tuple(_item(item, schema) for item in core.items))
    grouped = [each.column for each in core.group if isinstance(each, Ref) and not each.where]
    read = {source.table for source in complete(core, schema).sources} if grouped else set()
    keys = [
        key
        for table in dict.fromkeys(map(schema.table_of, grouped))
        if any(table in schema.told_by(other) for other in read - {table})
        and (key := _key(table, schema)) is not None
        and key not in grouped
        and _is_named([column for column in grouped if schema.table_of(column) == table], table, schema)
    ]
    return replace(core, group=(*core.group, *map(Ref, keys)))


def _item(item: Expr, schema: Schema) -> Expr:
    """Groups that are counted are rows of a query of their own."""
    return replace(item, of=_query(item.of, schema)) if isinstance(item, Aggregate) and isinstance(item.of, Query) else item


def _key(table: int, schema: Schema) -> int | None:
    key = schema.tables[table].primary_key
    return schema.column_index(table, key[0]) if len(key) == 1 else None


def _is_named(columns: Sequence[int], table: int, schema: Schema) -> bool:
    """Whether these columns are the name of a row of the table, which others may bear: `patient_name`, both parts of a person's."""
    own = [schema.columns[column][1] for column in columns]
    if any(column.unique or column.unique is None for column in own):
        return False
    called, words = set(table_words(schema.tables[table].name)), [spoken_words(column.name) for column in own]
    whole = any(each and each[-1] in _NAMES and set(each[:-1]) <= called | {"full"} for each in words)
    return whole or all(any(not part.isdisjoint(each) for each in words) for part in (_FIRST, _LAST))
