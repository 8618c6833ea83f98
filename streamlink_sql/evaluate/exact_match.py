"""Spider's exact-set match and hardness classes. Pure functions on text and a schema; runs no SQL.

The rules are those of the Spider benchmark's own scorer, its limits included, so that figures can be compared with published ones:
a query is read by a small grammar (`spider_grammar`) and what does not fit it never matches; clauses are compared as sets, values and
DISTINCT are not compared, columns joined by a foreign key count as the same. Inside nested queries the comparison is literal, as there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Literal

from streamlink_sql.evaluate.spider_grammar import ColumnUse, Condition, Conditions, Query, SpiderSchema, Term, Unreadable, read_query

Hardness = Literal["easy", "medium", "hard", "extra"]
HARDNESS: tuple[Hardness, ...] = ("easy", "medium", "hard", "extra")


def exact_match(predicted_sql: str, gold_sql: str, schema: SpiderSchema) -> bool:
    """True when both queries have the same clauses. Raises Unreadable when the gold query does not fit Spider's grammar."""
    gold = read_query(gold_sql, schema)
    try:
        predicted = read_query(predicted_sql, schema)
    except Unreadable:
        return False
    return _same(_comparable(predicted, schema), _comparable(gold, schema))


def hardness(gold_sql: str, schema: SpiderSchema) -> Hardness:
    """The official class of a query. Raises Unreadable when it does not fit Spider's grammar."""
    query = read_query(gold_sql, schema)
    clauses, nested, others = _clause_count(query), len(_nested(query)), _other_count(query)
    if nested == 0:
        if clauses <= 1 and others == 0:
            return "easy"
        if (clauses <= 1 and others <= 2) or (clauses <= 2 and others < 2):
            return "medium"
        if (clauses <= 2 and others > 2) or (clauses == 3 and others <= 2):
            return "hard"
    elif nested == 1 and clauses <= 1 and others == 0:
        return "hard"
    return "extra"


def _clause_count(query: Query) -> int:
    """Clauses beyond SELECT, joins, ORs and LIKEs."""
    present = sum(map(bool, (query.where.units, query.group, query.order, query.limited)))
    ors = sum(word == "or" for part in _condition_lists(query) for word in part.words)
    likes = sum(unit.operator == "like" for unit in _conditions(query))
    return present + max(len(query.tables) - 1, 0) + ors + likes


def _other_count(query: Query) -> int:
    """More than one aggregate, selected item, condition or grouping column. A negated condition counts as an aggregate, as officially."""
    aggregates = sum(aggregate != "none" for aggregate, _ in query.select)
    aggregates += sum(unit.negated for unit in query.where.units + query.having.units)
    aggregates += len(query.having.words)
    aggregates += sum(use.aggregate != "none" for use in query.group)
    aggregates += sum(use.aggregate != "none" for term in query.order for use in (term.left, term.right) if use)
    return sum((aggregates > 1, len(query.select) > 1, len(query.where.units) > 1, len(query.group) > 1))


def _condition_lists(query: Query) -> tuple[Conditions, Conditions, Conditions]:
    return query.on, query.where, query.having


def _conditions(query: Query) -> list[Condition]:
    return [unit for part in _condition_lists(query) for unit in part.units]


def _nested(query: Query) -> list[Query]:
    """Queries that are values of a condition or combined with this one."""
    found = [value for unit in _conditions(query) for value in (unit.low, unit.high) if isinstance(value, Query)]
    return found + [part for part in (query.intersect, query.union, query.except_) if part]


def _comparable(query: Query, schema: SpiderSchema) -> Query:
    """The query without its values, its columns replaced by the one that stands for their foreign-key group."""
    tables = {table for table in query.tables if isinstance(table, str)}

    def same_column(use: ColumnUse) -> ColumnUse:
        table = use.column.partition(".")[0]
        column = schema.stands_for.get(use.column, use.column) if table in tables else use.column
        return replace(use, column=column, distinct=False)

    return _with_columns(_without_values(query), same_column)


def _without_values(query: Query) -> Query:
    def bare(value: object) -> Query | None:
        return _without_values(value) if isinstance(value, Query) else None

    def strip(part: Conditions) -> Conditions:
        return replace(part, units=tuple(replace(unit, low=bare(unit.low), high=bare(unit.high)) for unit in part.units))

    return replace(
        query,
        on=strip(query.on),
        where=strip(query.where),
        having=strip(query.having),
        intersect=bare(query.intersect),
        union=bare(query.union),
        except_=bare(query.except_),
    )


def _with_columns(query: Query, change: Callable[[ColumnUse], ColumnUse]) -> Query:
    """The query with `change` applied to its own columns and those of the queries combined with it, not to nested ones."""

    def term(old: Term) -> Term:
        return replace(old, left=change(old.left), right=change(old.right) if old.right else None)

    def conditions(old: Conditions) -> Conditions:
        return replace(old, units=tuple(replace(unit, term=term(unit.term)) for unit in old.units))

    def combined(old: Query | None) -> Query | None:
        return _with_columns(old, change) if old else None

    return replace(
        query,
        distinct=False,
        select=tuple((aggregate, term(item)) for aggregate, item in query.select),
        on=conditions(query.on),
        where=conditions(query.where),
        having=conditions(query.having),
        group=tuple(change(use) for use in query.group),
        order=tuple(term(item) for item in query.order),
        intersect=combined(query.intersect),
        union=combined(query.union),
        except_=combined(query.except_),
    )


def _same(predicted: Query, gold: Query) -> bool:
    return (
        _same_items(predicted.select, gold.select)
        and _same_items(predicted.where.units, gold.where.units)
        and set(predicted.where.words) == set(gold.where.words)
        and _same_group(predicted, gold)
        and _same_order(predicted, gold)
        and _keywords(predicted) == _keywords(gold)
        and _same_combined(predicted, gold)
        and (not gold.tables or _same_items(predicted.tables, gold.tables))
    )


def _same_items(left: Iterable[object], right: Iterable[object]) -> bool:
    return Counter(left) == Counter(right)


def _same_group(predicted: Query, gold: Query) -> bool:
    if not predicted.group and not gold.group:
        return True
    columns = [[use.column for use in query.group] for query in (predicted, gold)]
    return columns[0] == columns[1] and predicted.having == gold.having


def _same_order(predicted: Query, gold: Query) -> bool:
    if not predicted.order and not gold.order:
        return True
    same_terms = (predicted.direction, predicted.order) == (gold.direction, gold.order)
    return bool(gold.order) and same_terms and predicted.limited == gold.limited


def _same_combined(predicted: Query, gold: Query) -> bool:
    pairs = ((predicted.intersect, gold.intersect), (predicted.union, gold.union), (predicted.except_, gold.except_))
    return all((left is None and right is None) or (left is not None and right is not None and _same(left, right)) for left, right in pairs)


def _keywords(query: Query) -> set[str]:
    present = {
        "where": query.where.units,
        "group": query.group,
        "having": query.having.units,
        "order": query.order,
        query.direction: query.order,
        "limit": query.limited,
        "intersect": query.intersect,
        "union": query.union,
        "except": query.except_,
        "or": any("or" in part.words for part in _condition_lists(query)),
        "not": any(unit.negated for unit in _conditions(query)),
        "in": any(unit.operator == "in" for unit in _conditions(query)),
        "like": any(unit.operator == "like" for unit in _conditions(query)),
    }
    return {word for word, there in present.items() if there}
