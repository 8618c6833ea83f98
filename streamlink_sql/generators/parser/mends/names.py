"""People are shown by both parts of their names where the question asks for neither alone. Knows no model and no SQL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from streamlink_sql.catalog.names import spoken_words
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.generators.parser.tree import Core, Query, Ref

FIRST = frozenset(("first", "given", "fore", "forename", "firstname"))
LAST = frozenset(("last", "sur", "family", "surname", "lastname"))
_SAID = re.compile(r"\b(?:first|last|given|family)(?= names?\b| and\b| or\b)|\b(?:first|last|sur|fore|f|l)-?names?\b")
"""Where a question asks for a part of a name."""
_SHORT_FIRST, _SHORT_LAST = frozenset(("fname", "forename", "firstname")), frozenset(("lname", "surname", "lastname"))


def with_whole_names(query: Query, words: Sequence[str], schema: Schema) -> Query:
    """The same, and who is shown by the first or the last name alone, of which the question says neither, is shown by both."""
    whole = tuple(_whole(core, schema) for core in query.cores)
    if _SAID.search(" ".join(words)) or len({core.items for core in whole}) > 1:
        return query
    return replace(query, cores=whole)


def _whole(core: Core, schema: Schema) -> Core:
    for item in core.items:
        if isinstance(item, Ref) and (pair := _pair(item, schema)) and not set(pair) <= set(core.items):
            items = tuple(part for each in core.items for part in (pair if each == item else (each,)))
            group = tuple(part for each in core.group for part in (pair if each == item else (each,)))
            return replace(core, items=items, group=group)
    return core


def _pair(shown: Ref, schema: Schema) -> tuple[Ref, Ref] | None:
    """The first and the last name that a column is one of."""
    table = schema.table_of(shown.column)
    firsts, lasts = (
        [column for column in schema.columns_of(table) if _is_name(column, words, short, schema)]
        for words, short in ((FIRST, _SHORT_FIRST), (LAST, _SHORT_LAST))
    )
    if len(firsts) != 1 or len(lasts) != 1 or shown.column not in (*firsts, *lasts):
        return None
    return replace(shown, column=firsts[0]), replace(shown, column=lasts[0])


def _is_name(column: int, words: frozenset[str], short: frozenset[str], schema: Schema) -> bool:
    own = schema.columns[column][1]
    called = set(spoken_words(own.name))
    return own.kind == "text" and (not called.isdisjoint(short) or ("name" in called and not called.isdisjoint(words)))
