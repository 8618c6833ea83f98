"""Sums of money that lines of quantity and price make, and what is in stock. Knows no model and no SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from streamlink_sql.catalog.names import words_of
from streamlink_sql.catalog.values import stem
from streamlink_sql.generators.parser.schema import NUMBERS, Schema
from streamlink_sql.generators.parser.tokens import Val
from streamlink_sql.generators.parser.tree import Aggregate, Arithmetic, Condition, Predicate, Query, Ref, rebuilt, with_conditions

_VALUES = re.compile(r"\b(?:order|basket|sales|stock|inventory|invoice) values?|values? of|(?:brought|brings?) in\b")
_MEAN = re.compile(
    r"\b(?:average|mean|avg|typical) (order|basket|sale|invoice|purchase|cart|receipt) (?:value|size|amount|total|worth)s?\b"
)
_STOCK = re.compile(r"\b(?:stock|inventory)\b")
_SOLD_OUT = re.compile(r"\b(?:out of stock|(?:not|no longer|never) in stock|sold out|none left)\b")
_IN_STOCK = re.compile(r"\b(?:in stock|available)\b")


def _stems(words: str) -> frozenset[str]:
    return frozenset(map(stem, words.split()))


MONEY = _stems("revenue sales turnover spend spent spending income earned earnings takings worth")
"""Words that quantity times price explains."""
_QUANTITY, _KEPT = _stems("quantity qty units pieces pcs"), _stems("stock hand inventory available left")
_PRICE, _NO_PRICE = _stems("price"), _stems("total amount sum subtotal extended line old list")
_TOTAL = _stems("total amount subtotal revenue sales turnover value")
_OTHER_LEVELS = _stems("reorder minimum maximum min max target")


def with_amounts(query: Query, words: Sequence[str], schema: Schema) -> Query:
    """The same where prices are summed up for the money that came in, and lines say how many were sold at a price: quantity times price.
    "Out of stock" is a stock of 0."""
    said = " ".join(words)
    whole = _stocked(query, said, schema)
    if MONEY.isdisjoint(map(stem, words)) and not _VALUES.search(said):
        return whole
    mean = _MEAN.search(said)

    def meant(node: object) -> object:
        match node:
            case Aggregate("SUM", Ref(price, "")) if product := _product(price, said, schema):
                return replace(node, of=product)
            case Aggregate("AVG", Ref(price, "")) if mean and (product := _product(price, said, schema)):
                return _mean(product, mean[1], schema) or node
        return node

    return rebuilt(whole, meant)


def _product(price: int, said: str, schema: Schema) -> Arithmetic | None:
    """Quantity times price of the lines that a price belongs to; None where it is no price, or a total is kept."""
    if not _is_called(price, _PRICE, _NO_PRICE, schema):
        return None
    table = schema.table_of(price)
    if _STOCK.search(said):
        kept = _columns([table], _KEPT, _OTHER_LEVELS, schema)
        return Arithmetic("MUL", Ref(kept[0]), Ref(price)) if len(kept) == 1 else None
    parts = {schema.table_of(child) for child, parent in schema.references if schema.table_of(parent) == table}
    lines = [each for each in (table, *sorted(parts)) if len(_columns([each], _QUANTITY, _KEPT | _PRICE | _OTHER_LEVELS, schema)) == 1]
    line = table if table in lines else lines[0] if len(lines) == 1 else None
    if line is None or _columns([line], _TOTAL, frozenset(), schema):
        return None
    own = _columns([line], _PRICE, _NO_PRICE, schema)
    if len(own) > 1 and price not in own:
        return None
    quantity = _columns([line], _QUANTITY, _KEPT | _PRICE | _OTHER_LEVELS, schema)[0]
    return Arithmetic("MUL", Ref(quantity), Ref(price if price in own or not own else own[0]))


def _mean(product: Arithmetic, thing: str, schema: Schema) -> Arithmetic | None:
    """What the lines are worth by the number of orders that they make; None where it is not clear what an order is."""
    line = schema.table_of(product.left.column) if isinstance(product.left, Ref) else -1
    keys = [column for column in schema.columns_of(line) if stem(thing) in words_of(schema.columns[column][1].name)]
    return Arithmetic("DIV", Aggregate("SUM", product), Aggregate("COUNT_DISTINCT", Ref(keys[0]))) if len(keys) == 1 else None


def _stocked(query: Query, said: str, schema: Schema) -> Query:
    name = "EQ" if _SOLD_OUT.search(said) else "GT" if _IN_STOCK.search(said) else ""

    def counted(condition: Condition) -> Condition:
        match condition:
            case Predicate("IS_NULL" | "NOT_NULL", Ref(column) as kept) if name and _is_called(column, _KEPT, _OTHER_LEVELS, schema):
                return Predicate(name, kept, (Val(0),))
        return condition

    return with_conditions(query, counted)


def _columns(tables: Iterable[int], words: frozenset[str], others: frozenset[str], schema: Schema) -> list[int]:
    return [column for table in tables for column in schema.columns_of(table) if _is_called(column, words, others, schema)]


def _is_called(column: int, words: frozenset[str], others: frozenset[str], schema: Schema) -> bool:
    """Whether a column of numbers has one of these words in its name and none of the others."""
    own = schema.columns[column][1]
    return own.kind in NUMBERS and not words.isdisjoint(words_of(own.name)) and others.isdisjoint(words_of(own.name))
