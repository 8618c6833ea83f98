"""What is refused is named in plain words; what reads nothing is not refused. And what the columns of a result are called."""

from __future__ import annotations

import pytest

from streamlink_sql.checks import check, heads
from streamlink_sql.errors import InvalidSQL, PolicyRefused
from streamlink_sql.types import Column, Dialect, Draft, Table

TABLES = (Table("sales", (Column("id", "integer"), Column("region", "text"), Column("price", "real"))),)


def test_a_column_of_another_table_is_told_with_its_table() -> None:
    tables = (
        *TABLES,
        Table("regions", (Column("name", "text"), Column("country", "text"))),
        Table("offices", (Column("country", "text"),)),
    )
    for sql, words in {
        "SELECT country FROM sales": "There is no column 'country'. It is a column of offices and of regions.",
        "SELECT s.country FROM sales AS s": "There is no column 'country' in 's'. It is a column of offices and of regions.",
        "SELECT nothing FROM sales": "There is no column 'nothing'.",
        "SELECT id FROM sales WHERE regions.country = 'DE'": "'regions' is not one of the tables of this query. Join it.",
        "SELECT id FROM sales WHERE r.country = 'DE'": "'r' is not one of the tables of this query.",
    }.items():
        with pytest.raises(InvalidSQL) as caught:
            check(Draft(sql), tables, "duckdb")
        assert caught.value.detail == words


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("PIVOT sales ON region USING sum(price)", "PIVOT and UNPIVOT"),
        ("SELECT * FROM sales PIVOT (sum(price) FOR region IN ('north'))", "PIVOT and UNPIVOT"),
        ("UNPIVOT sales ON price INTO NAME n VALUE v", "PIVOT and UNPIVOT"),
        ("SELECT * FROM sales, json_each(region)", "json_each.*rows out of JSON"),
        ("SELECT * FROM sales, LATERAL json_each(region)", "json_each.*rows out of JSON"),
        ("SELECT * FROM read_csv('x.csv')", "read_csv.*reads files by name"),
        ("SELECT * FROM sales FOR UPDATE", "FOR UPDATE"),
        ("SELECT * FROM sales AT (VERSION => 1)", "reads the past"),
        ("SELECT * FROM sales WHERE id = $1", "parameter"),
        ("SELECT * INTO copy FROM sales", "INTO makes a table"),
        ("WITH gone AS (DELETE FROM sales RETURNING *) SELECT * FROM gone", "changes data"),
        ("INSERT INTO sales VALUES (1)", "INSERT is not allowed: it changes data"),
        ("drop table sales", "DROP is not allowed: it changes the schema"),
        ("COPY sales TO 'x'", "COPY is not allowed: it moves files"),
        ("SHOW TABLES", "SHOW is not allowed: the list of tables"),
        ("EXPLAIN SELECT 1", "EXPLAIN is not allowed: give the query alone"),
        ("foo bar", "starts with 'foo'"),
    ],
)
def test_a_refusal_names_the_construct(sql: str, words: str) -> None:
    with pytest.raises(PolicyRefused, match=words) as caught:
        check(Draft(sql), TABLES, "duckdb")
    assert "exp." not in caught.value.detail


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
@pytest.mark.parametrize(
    "sql",
    [
        "VALUES (1, 2), (3, 4)",
        "WITH v AS (VALUES (1, 2)) SELECT * FROM v",
        "SELECT * FROM (VALUES (1, 2))",
        "VALUES (1) UNION ALL SELECT 2",
    ],
)
def test_values_read_nothing_and_may_run(sql: str, dialect: Dialect) -> None:
    assert check(Draft(sql), TABLES, dialect).tables == frozenset()


def test_values_are_no_way_around_the_checks() -> None:
    with pytest.raises(PolicyRefused):
        check(Draft("VALUES (getenv('HOME'))"), TABLES, "duckdb")
    assert check(Draft("VALUES ((SELECT max(price) FROM sales))"), TABLES, "duckdb").tables == {"sales"}


@pytest.mark.parametrize(
    ("sql", "found", "called"),
    [
        ("SELECT count(*) FROM sales", ["count_star()"], ["count"]),
        ("SELECT avg(s.price), region FROM sales AS s GROUP BY 2", ["avg(s.price)", "region"], ["avg(price)", "region"]),
        ("SELECT COUNT(DISTINCT region) AS n, 1 + 1 FROM sales", ["n", "(1 + 1)"], ["n", "1 + 1"]),
        (
            "SELECT count(*), *, max(price) FROM sales",
            ["x", "id", "region", "price", "y"],
            ["count", "id", "region", "price", "max(price)"],
        ),
        ("SELECT max(COLUMNS(*)) FROM sales", ["id", "region", "price"], ["id", "region", "price"]),
        ("SELECT count(*) FROM sales UNION SELECT 2", ["count_star()"], ["count"]),
        ("WITH x AS (SELECT count(*) FROM sales) SELECT * FROM x", ["count_star()"], ["count"]),
        ("FROM sales", ["id", "region", "price"], ["id", "region", "price"]),
    ],
)
def test_columns_without_alias_have_readable_names(sql: str, found: list[str], called: list[str]) -> None:
    assert heads(check(Draft(sql), TABLES, "duckdb"), found) == called


def test_a_median_of_sqlite_is_called_so() -> None:
    assert heads(check(Draft("SELECT median(price) FROM sales"), TABLES, "sqlite"), ["m"]) == ["median(price)"]
