"""Bounds that the question sets and the network forgets or makes up."""

from __future__ import annotations

import pytest

from streamlink_sql.generators.parser.ir import Schema, to_ir, to_sql
from streamlink_sql.generators.parser.linking import link, split_words
from streamlink_sql.generators.parser.mends.bounds import with_bounds
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.pieces import Pieces
from streamlink_sql.generators.parser.runtime import WEIGHTS
from streamlink_sql.generators.parser.tree import emit
from streamlink_sql.types import Column, ForeignKey, Table

SCHEMA = Schema.of(
    (
        Table("shops", (Column("id", "integer"), Column("name", "text"), Column("town", "text"), Column("staff", "integer")), ("id",)),
        Table(
            "sales",
            (Column("id", "integer"), Column("shop_id", "integer"), Column("town", "text"), Column("price", "real"), Column("day", "date")),
            ("id",),
            (ForeignKey(("shop_id",), "shops", ("id",)),),
        ),
    )
)
PIECES = Pieces(WEIGHTS / "tokenizer.json")
DEAREST = "SELECT shops.name, avg(sales.price) FROM shops JOIN sales ON sales.shop_id = shops.id GROUP BY shops.name"
LARGEST = f"{DEAREST} HAVING count(*) >= 50"


def mended(question: str, sql: str) -> str:
    words = [word.text.lower() for word in split_words(question)]
    said = {word: (at, at) for at, word in enumerate(words)} | {word.title(): (at, at) for at, word in enumerate(words)}
    meant = with_bounds(parse(to_ir(sql, SCHEMA, "duckdb")), said, words, link(question, SCHEMA, (), {}, PIECES), SCHEMA)
    return to_sql(emit(meant), SCHEMA, "duckdb")


def written(sql: str) -> str:
    return to_sql(to_ir(sql, SCHEMA, "duckdb"), SCHEMA, "duckdb")


@pytest.mark.parametrize(
    ("question", "bound"),
    [
        ("Among shops with at least 1,000 sales, which has the highest average price?", ">= 1000"),
        ("average price of each shop with more than fifty sales", "> 50"),
        ("average price by shop, 50 or more sales", ">= 50"),
        ("average price by shop with no more than 50 sales", "<= 50"),
        ("average price by shop, only those with under 50 sales", "< 50"),
    ],
)
def test_groups_of_the_size_that_is_said(question: str, bound: str) -> None:
    assert mended(question, DEAREST) == written(f"{DEAREST} HAVING count(*) {bound}")


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("average price by shop with at least 50 staff", DEAREST),
        ("average price of the top 50 shops", DEAREST),
        ("average price by shop with at least 50 sales", LARGEST),
        ("the first 50 sales", "SELECT id FROM sales LIMIT 50"),
    ],
)
def test_no_size_where_none_is_said(question: str, sql: str) -> None:
    assert mended(question, sql) == written(sql)


@pytest.mark.parametrize("range_of_years", ["2015 to 2019", "2015 through 2019", "2015-2019", "between 2015 and 2019"])
def test_the_whole_range_of_years(range_of_years: str) -> None:
    sql = "SELECT count(*) FROM sales WHERE year(day) {}"
    assert mended(f"sales in {range_of_years}", sql.format("= 2015")) == written(sql.format("BETWEEN 2015 AND 2019"))


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("sales in 2015 and 2019", "SELECT count(*) FROM sales WHERE year(day) = 2015"),
        ("sales in 2015", "SELECT count(*) FROM sales WHERE year(day) = 2015"),
        (
            "growth from 2015 to 2019",
            "SELECT count(*) FILTER (WHERE year(day) = 2019) - count(*) FILTER (WHERE year(day) = 2015) FROM sales",
        ),
    ],
)
def test_one_year_stays_one(question: str, sql: str) -> None:
    assert mended(question, sql) == written(sql)


NEVER = "SELECT name FROM shops WHERE town = 'Ulm' AND NOT id IN (SELECT shop_id FROM sales{})"


def test_what_is_said_once_is_meant_once() -> None:
    assert mended("shops in Ulm without a sale", NEVER.format(" WHERE town = 'Ulm'")) == written(NEVER.format(""))
    both = NEVER.format(" WHERE town = 'Ulm'")
    assert mended("shops in Ulm that never had sales in Ulm", both) == written(both)
    other = NEVER.format(" WHERE town = 'Rom'")
    assert mended("shops in Ulm without sales in Rom", other) == written(other)


def test_nothing_is_above_average_where_nothing_is_compared() -> None:
    towns = "SELECT town, avg(price) FROM sales WHERE town IN ('Ulm', 'Rom'){} GROUP BY town"
    dear = towns.format(" AND price > (SELECT avg(price) FROM sales)")
    assert mended("Compare Ulm and Rom by average price", dear) == written(towns.format(""))
    assert mended("average price in Ulm and Rom of what costs more than average", dear) == written(dear)
