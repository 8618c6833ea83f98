"""What is said about a query: the names of its tables and columns. The sentences as a whole are in fixtures/explain.sql."""

from __future__ import annotations

import pytest

from streamlink_sql.checks import check, explain, unheard
from streamlink_sql.types import Column, Dialect, Draft, Table

TABLES = (
    Table("orders", (Column("id", "integer"), Column("day", "date"), Column("city", "text")), comment="One row for each order."),
    Table("s2.orders", (Column("id", "integer"), Column("total", "real"))),
    Table("customers", (Column("customer", "text"), Column("town", "text"))),
)


def said(sql: str) -> str:
    return explain(check(Draft(sql), TABLES, "duckdb"), TABLES)


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("SELECT * FROM s2.orders", "Reads the table s2.orders. Returns all columns."),
        ("SELECT id FROM main.orders", "Reads the table orders (One row for each order). Returns id."),
        (
            "SELECT o.id, p.total FROM orders AS o JOIN s2.orders AS p ON o.id = p.id",
            "Reads the table orders (One row for each order), joined with the table s2.orders by id. Returns orders.id and total.",
        ),
        (
            "SELECT id FROM orders WHERE id IN (SELECT T1.id FROM s2.orders AS T1)",
            "Reads the table orders (One row for each order). Keeps the rows where id is one of the values of id in s2.orders. Returns id.",
        ),
    ],
)
def test_a_table_keeps_its_schema(sql: str, sentence: str) -> None:
    assert said(sql) == sentence


def test_what_a_table_holds_is_said_once() -> None:
    sentence = said("SELECT id FROM orders WHERE city = 'a' UNION SELECT id FROM orders WHERE city = 'b'")
    assert sentence.count("One row for each order") == 1
    assert sentence.count("the table orders") == 2


def test_aliases_stay_where_two_could_be_meant() -> None:
    assert "(as b)" in said("SELECT a.id FROM orders AS a JOIN orders AS b ON a.id < b.id")
    assert "a.id is less than b.id" in said("SELECT a.id FROM orders AS a JOIN orders AS b ON a.id < b.id")


def test_dates_are_early_and_late_not_small_and_large() -> None:
    sentence = said("SELECT max(day), min(day) FROM orders WHERE day > '2020-01-01' ORDER BY max(day) DESC")
    assert "is after 2020-01-01" in sentence
    assert "Returns the latest day and the earliest day. Orders by the latest day, latest first." in sentence


def test_words_come_from_a_copy() -> None:
    checked = check(Draft("SELECT o.id FROM orders AS o"), TABLES, "duckdb")
    before = checked.tree.sql()
    explain(checked, TABLES)
    assert checked.tree.sql() == before == checked.sql


@pytest.mark.parametrize(
    ("dialect", "sql", "unit"),
    [
        ("duckdb", "EPOCH(day - '2024-01-01'::DATE) / 3600", "hours"),
        ("duckdb", "EPOCH(day - '2024-01-01'::DATE) / 86400", "days"),
        ("sqlite", "(UNIXEPOCH(day) - UNIXEPOCH('2024-01-01')) / 60.0", "minutes"),
        ("sqlite", "JULIANDAY(day) - JULIANDAY('2024-01-01')", "days"),
        ("spark", "(UNIX_TIMESTAMP(day) - UNIX_TIMESTAMP('2024-01-01')) / 3600", "hours"),
    ],
)
def test_lengths_of_time_have_a_unit(dialect: Dialect, sql: str, unit: str) -> None:
    query = check(Draft(f"SELECT id FROM orders WHERE {sql} > 40"), TABLES, dialect)
    sentence = explain(query, TABLES)
    assert f"Keeps the rows where the number of {unit} from " in sentence
    assert " to day is more than 40." in sentence


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("duckdb", "DATE_SUB('year', day, CURRENT_DATE)"),
        ("spark", "FLOOR(MONTHS_BETWEEN(CURRENT_DATE, day) / 12)"),
        ("sqlite", "CAST(CAST((STRFTIME('%Y%m%d', 'now') - STRFTIME('%Y%m%d', day)) AS REAL) / 10000 AS INTEGER)"),
    ],
)
def test_ages_are_years_since_a_day(dialect: Dialect, sql: str) -> None:
    query = check(Draft(f"SELECT id FROM orders WHERE {sql} > 40"), TABLES, dialect)
    assert "Keeps the rows where the full years since day is more than 40." in explain(query, TABLES)
    other = check(
        Draft(f"SELECT {sql.replace('10000', '1000').replace('/ 12', '/ 2').replace('year', 'month')} FROM orders"), TABLES, dialect
    )
    assert "years since" not in explain(other, TABLES)


@pytest.mark.parametrize(
    ("question", "sql", "count"),
    [
        ("orders of this year", "SELECT id FROM orders", 1),
        ("Orders of the Past 30 Days in Oslo", "SELECT id FROM orders WHERE city = 'Oslo'", 1),
        ("orders today", "SELECT id FROM orders ORDER BY day DESC", 1),
        ("orders of this year", "SELECT id FROM orders WHERE day > '2024-01-01'", 0),
        ("what was sold last week", "SELECT sum(CASE WHEN day > '2024-01-01' THEN 1 END) FROM orders", 0),
        ("orders of the last town", "SELECT id FROM orders", 0),
    ],
)
def test_a_time_that_no_condition_is_about_is_told(question: str, sql: str, count: int) -> None:
    assert len(unheard(check(Draft(sql), TABLES, "duckdb"), question, TABLES)) == count


def test_the_newest_year_is_no_stretch() -> None:
    sentence = said("SELECT id FROM orders WHERE year(day) > (SELECT max(year(day)) FROM orders) - 1")
    assert "the year of day is the latest in orders" in sentence
