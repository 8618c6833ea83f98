"""Quantity times price, and what is in stock."""

from __future__ import annotations

import pytest

from streamlink_sql.generators.parser.ir import Schema, to_ir, to_sql
from streamlink_sql.generators.parser.mends.amounts import with_amounts
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.tree import emit
from streamlink_sql.types import Column, ForeignKey, Table


def table(name: str, columns: str, **keys: str) -> Table:
    """Columns of numbers by their names, the first one the key; `keys` are columns and the tables that they refer to."""
    names = columns.split()
    found = tuple(ForeignKey((column,), other, (f"{other}_id",)) for column, other in keys.items())
    return Table(name, tuple(Column(each, "text" if each == "name" else "integer") for each in names), (names[0],), found)


PRODUCT = table("product", "product_id name unit_price units_in_stock reorder_level")
LINE = table("line", "line_id orders_id product_id quantity unit_price", orders_id="orders", product_id="product")
ORDERS = table("orders", "orders_id country")
SHOP = Schema.of((PRODUCT, LINE, ORDERS))
BARE = Schema.of((table("product", "product_id name price"), table("sold", "sold_id product_id qty", product_id="product")))
BY_COUNTRY = "SELECT country, sum({}) FROM orders JOIN line ON line.orders_id = orders.orders_id GROUP BY country ORDER BY sum({})"
TOTALS = Schema.of((table("line", "line_id quantity unit_price line_total"),))


def mended(question: str, sql: str, schema: Schema = SHOP) -> str:
    query = with_amounts(parse(to_ir(sql, schema, "duckdb")), question.lower().split(), schema)
    return to_sql(list(emit(query)), schema, "duckdb")


@pytest.mark.parametrize(
    ("question", "sql", "meant", "schema"),
    [
        ("total revenue", "SELECT sum(unit_price) FROM line", "SELECT SUM(quantity * unit_price) FROM line", SHOP),
        ("sales by country", BY_COUNTRY.format("unit_price", "unit_price"), BY_COUNTRY.format(*["quantity * unit_price"] * 2), SHOP),
        (
            "who spent more than 9",
            "SELECT orders_id FROM line GROUP BY orders_id HAVING sum(unit_price) > 9",
            "SELECT orders_id FROM line GROUP BY orders_id HAVING SUM(quantity * unit_price) > 9",
            SHOP,
        ),
        (
            "turnover of all products",
            "SELECT sum(price) FROM product",
            "SELECT SUM(T1.qty * T2.price) FROM sold AS T1 JOIN product AS T2 ON T1.product_id = T2.product_id",
            BARE,
        ),
        (
            "average order value",
            "SELECT avg(unit_price) FROM line",
            "SELECT SUM(quantity * unit_price) / COUNT(DISTINCT orders_id) FROM line",
            SHOP,
        ),
        ("value of the stock", "SELECT sum(unit_price) FROM product", "SELECT SUM(units_in_stock * unit_price) FROM product", SHOP),
        (
            "which are out of stock",
            "SELECT name FROM product WHERE units_in_stock IS NULL",
            "SELECT name FROM product WHERE units_in_stock = 0",
            SHOP,
        ),
        (
            "which are in stock",
            "SELECT name FROM product WHERE units_in_stock IS NULL",
            "SELECT name FROM product WHERE units_in_stock > 0",
            SHOP,
        ),
        (
            "not in stock",
            "SELECT name FROM product WHERE units_in_stock IS NULL",
            "SELECT name FROM product WHERE units_in_stock = 0",
            SHOP,
        ),
    ],
)
def test_lines_are_worth_quantity_times_price(question: str, sql: str, meant: str, schema: Schema) -> None:
    assert mended(question, sql, schema) == to_sql(to_ir(meant, schema, "duckdb"), schema, "duckdb")


@pytest.mark.parametrize(
    ("question", "sql", "schema"),
    [
        ("sum of the prices", "SELECT sum(unit_price) FROM line", SHOP),
        ("average unit price of our sales", "SELECT avg(unit_price) FROM line", SHOP),
        ("revenue", "SELECT sum(quantity) FROM line", SHOP),
        ("revenue", "SELECT sum(unit_price) FROM line", TOTALS),
        ("revenue", "SELECT sum(line_total) FROM line", TOTALS),
        ("in stock below the level", "SELECT name FROM product WHERE reorder_level IS NULL", SHOP),
        ("in stock", "SELECT name FROM product WHERE unit_price IS NULL", SHOP),
        ("whose stock is unknown", "SELECT name FROM product WHERE units_in_stock IS NULL", SHOP),
    ],
)
def test_other_sums_stay(question: str, sql: str, schema: Schema) -> None:
    assert mended(question, sql, schema) == to_sql(to_ir(sql, schema, "duckdb"), schema, "duckdb")
