"""Stretches of time up to the newest date, on real rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import duckdb
import pytest

from streamlink_sql.generators.parser.ir import Schema, to_ir, to_sql
from streamlink_sql.generators.parser.mends.stretches import in_their_units, stretches
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.tree import emit
from streamlink_sql.types import Column, Dialect, ForeignKey, Table

KEY = ForeignKey(("shop_id",), "shops", ("shop_id",))
SALES = Table("sales", (Column("sale_id", "integer"), Column("sold_on", "date"), Column("shop_id", "integer")), ("sale_id",), (KEY,))
SHOPS = Table("shops", (Column("shop_id", "integer"), Column("shop_name", "text")), ("shop_id",))
SCHEMA = Schema.of((SALES, SHOPS))
DAYS = ("2024-06-30", "2024-06-29", "2024-06-24", "2024-06-17", "2024-06-01", "2024-05-30", "2024-04-01", "2023-06-30", "2014-07-01")
ROWS = ", ".join(f"({number}, '{day}', 1)" for number, day in enumerate(DAYS))
MAKE = (
    "CREATE TABLE sales (sale_id INTEGER, sold_on DATE, shop_id INTEGER)",
    f"INSERT INTO sales VALUES {ROWS}",
    "CREATE TABLE shops (shop_id INTEGER, shop_name TEXT)",
    "INSERT INTO shops VALUES (1, 'Ost')",
)
MONTHS = "SELECT count(*) FROM sales WHERE sold_on > (SELECT max(sold_on) FROM sales) - INTERVAL '{}' MONTH"


def mended(question: str, sql: str, schema: Schema = SCHEMA, dialect: Dialect = "duckdb") -> str:
    query = in_their_units(parse(to_ir(sql, schema, "duckdb")), question.lower().split(), schema)
    return to_sql(list(emit(query)), schema, dialect)


@pytest.mark.parametrize(
    ("question", "sql", "count"),
    [
        ("How many sales in the last 30 days", MONTHS.format(30), 5),
        ("Sales of the past 2 weeks , how many", MONTHS.format(2), 4),
        ("sales of the last fortnight", MONTHS.format(1), 4),
        ("number of sales in the previous seven days", MONTHS.format(7), 3),
        ("sales in the last quarter", MONTHS.format(1), 7),
        ("sales in the last 3 months", MONTHS.format(3), 7),
        ("sales of the last full month", MONTHS.format(1), 5),
        ("sales of the past decade", "SELECT count(*) FROM sales WHERE year(sold_on) > (SELECT max(year(sold_on)) FROM sales) - 1", 8),
        ("how many sales last week", "SELECT count(*) FROM sales", 3),
        ("how many sales this week", "SELECT count(*) FROM sales", 3),
        ("sales this year , how many", "SELECT count(*) FROM sales", 7),
        ("how many sales last week in Ost", "SELECT count(*) FROM sales JOIN shops USING (shop_id) WHERE shop_name = 'Ost'", 3),
        ("how many sales last week , do we know", "SELECT count(*) FROM sales WHERE sold_on IS NOT NULL", 3),
    ],
)
def test_days_and_weeks_are_counted_back_from_the_newest_date(question: str, sql: str, count: int) -> None:
    with duckdb.connect() as ducks, closing(sqlite3.connect(":memory:")) as lites:
        for command in MAKE:
            ducks.execute(command)
            lites.execute(command)
        assert ducks.execute(mended(question, sql)).fetchall() == [(count,)]
        assert lites.execute(mended(question, sql, dialect="sqlite")).fetchall() == [(count,)]


def test_the_newest_row_alone_is_not_all_of_last_week() -> None:
    sql = mended("sales from last week", "SELECT sale_id, sold_on FROM sales ORDER BY sold_on DESC LIMIT 1")
    with duckdb.connect() as ducks:
        for command in MAKE:
            ducks.execute(command)
        assert [row[0] for row in ducks.execute(sql).fetchall()] == [0, 1, 2]


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("sales of 2023 and of the last week", "SELECT count(*) FROM sales WHERE year(sold_on) = 2023"),
        ("how many shops last week", "SELECT count(*) FROM shops"),
        ("the last sale", "SELECT sale_id FROM sales ORDER BY sold_on DESC LIMIT 1"),
        ("sales per month", "SELECT month(sold_on), count(*) FROM sales GROUP BY month(sold_on)"),
        ("the last 5 sales of the year", "SELECT sale_id FROM sales ORDER BY sold_on DESC LIMIT 5"),
        ("last year with a sale in Ost", "SELECT max(year(sold_on)) FROM sales"),
    ],
)
def test_what_bounds_its_dates_or_has_none_stays(question: str, sql: str) -> None:
    assert mended(question, sql) == to_sql(to_ir(sql, SCHEMA, "duckdb"), SCHEMA, "duckdb")


def test_of_several_dates_none_is_chosen() -> None:
    two = Schema.of((Table("orders", (Column("ordered_on", "date"), Column("shipped_on", "date")), ("ordered_on",)),))
    assert "WHERE" not in mended("how many orders last week", "SELECT count(*) FROM orders", two)


def test_a_column_that_is_called_so_is_no_stretch() -> None:
    named = Schema.of((Table("plan", (Column("day", "date"), Column("previous_month_sales", "integer")), ("day",)),))
    assert stretches("total previous month sales".split(), named) == []
    assert [each.name for each in stretches("plan of the last month".split(), named)] == ["LAST_MONTHS"]


def test_days_of_times_are_counted_to_the_second() -> None:
    schema = Schema.of((Table("calls", (Column("call_id", "integer"), Column("rung_at", "timestamp")), ("call_id",)),))
    with duckdb.connect() as ducks, closing(sqlite3.connect(":memory:")) as lites:
        for command in (
            "CREATE TABLE calls (call_id INTEGER, rung_at TIMESTAMP)",
            "INSERT INTO calls VALUES (1, '2024-06-08 12:00:00'), (2, '2024-06-01 12:00:00'), (3, '2024-06-01 12:00:01')",
        ):
            ducks.execute(command)
            lites.execute(command)
        sql = "SELECT call_id FROM calls"
        assert sorted(ducks.execute(mended("calls of the last 7 days", sql, schema)).fetchall()) == [(1,), (3,)]
        assert sorted(lites.execute(mended("calls of the last 7 days", sql, schema, "sqlite")).fetchall()) == [(1,), (3,)]
