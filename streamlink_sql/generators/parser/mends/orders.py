"""In which order rows come, and of which rows "both" speaks. Knows no model and no SQL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from streamlink_sql.catalog.names import words_of
from streamlink_sql.generators.parser.schema import NUMBERS, Schema
from streamlink_sql.generators.parser.tokens import Val
from streamlink_sql.generators.parser.tree import MEASURES, Aggregate, Arithmetic, Core, Expr, Predicate, Query, Ref, rebuilt

_DOWN = re.compile(
    r"\bdescending\b|\b(?:highest|largest|biggest|greatest|most \w+|most|longest) first\b"
    r"|\b(?:sort|sorted|rank|ranked|order|ordered) from (?:the )?(?:highest|largest|biggest|most|longest)\b"
)
_UP = re.compile(
    r"\bascending\b|\b(?:lowest|smallest|fewest|least \w+|least|shortest) first\b"
    r"|\b(?:sort|sorted|rank|ranked|order|ordered) from (?:the )?(?:lowest|smallest|fewest|least|shortest)\b"
)


def in_order(query: Query, words: Sequence[str], schema: Schema) -> Query:
    """The same, ordered by figures as they are shown, in the direction that the question says; the first of each group by group."""
    if len(query.cores) > 1:
        return query
    core = query.cores[0]
    order = tuple((_as_shown(key, core), direction) for key, direction in core.order)
    if core.best is not None and not order and not core.distinct:
        order = ((core.best.key, "ASC"), (core.best.by, core.best.direction))
    if len(order) == 1 and core.limit is None and core.best is None and _is_figure(order[0][0], schema):
        said = " ".join(words)
        down, up = bool(_DOWN.search(said)), bool(_UP.search(said))
        order = ((order[0][0], order[0][1] if down == up else "DESC" if down else "ASC"),)
    return replace(query, cores=(replace(core, order=order),))


def with_both_rows(query: Query, schema: Schema) -> Query:
    """The same, and figures of "both A and B" are those of each, beside its name, rather than the figures that both share."""
    first = query.cores[0]
    if set(query.operations) != {"INTERSECT"} or not all(_is_figure(item, schema) for item in first.items):
        return query
    sought = [core.condition for core in query.cores]
    bare = {replace(core, condition=None) for core in query.cores}
    match sought:
        case [Predicate("EQ", Ref() as name), *_] if len(bare) == 1:
            values = [part.right[0] for part in sought if isinstance(part, Predicate) and part.name == "EQ" and part.left == name]
            if len(values) == len(sought) and not first.group and first.limit is None and not first.order:
                group = (name,) if any(isinstance(item, MEASURES) for item in first.items) else ()
                among = Predicate("IN", name, tuple(values))
                return Query((replace(first, items=(name, *first.items), condition=among, group=group, distinct=False),))
    return query


def _as_shown(key: Expr, core: Core) -> Expr:
    """The item that a key differs from in literals alone."""
    if key in core.items or not isinstance(key, (*MEASURES, Arithmetic)):
        return key
    like = [item for item in core.items if rebuilt(item, _plain) == rebuilt(key, _plain)]
    return like[0] if len(like) == 1 else key


def _plain(node: object) -> object:
    return Val(0) if isinstance(node, Val) else node


def _is_figure(node: Expr, schema: Schema) -> bool:
    if isinstance(node, Ref):
        own = schema.columns[node.column][1]
        told_apart_by = {*schema.keys, *(child for child, _ in schema.references)}
        return own.kind in NUMBERS and node.column not in told_apart_by and words_of(own.name)[-1:] != ("id",)
    return isinstance(node, (*MEASURES, Arithmetic)) and not (isinstance(node, Aggregate) and isinstance(node.of, Query))
