"""Ages by days of birth, on real rows."""

from __future__ import annotations

import datetime
import sqlite3
from contextlib import closing

import duckdb
import pytest

from streamlink_sql.generators.parser.ir import Schema, to_ir, to_sql
from streamlink_sql.generators.parser.mends.ages import with_ages
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.tree import emit
from streamlink_sql.types import Column, Dialect, Table

COLUMNS = (Column("name", "text"), Column("dob", "date"), Column("joined", "date"), Column("visits", "integer"))
SCHEMA = Schema.of((Table("people", COLUMNS),))
TODAY = datetime.date.today()


def born(years: int, days: int) -> datetime.date:
    """Who becomes so old in so many days."""
    year = TODAY.year - years
    return (
        (datetime.date(year, TODAY.month, min(TODAY.day, 28)) + datetime.timedelta(days=days))
        if days
        else TODAY.replace(year=year, day=min(TODAY.day, 28))
    )


PEOPLE = (("Ann", born(18, 0)), ("Bob", born(18, 40)), ("Cid", born(60, -40)), ("Dee", born(61, 0)), ("Eve", born(30, -40)))
MAKE = (
    "CREATE TABLE people (name TEXT, dob DATE, joined DATE, visits INTEGER)",
    *(f"INSERT INTO people VALUES ('{name}', '{day}', '2020-01-01', 3)" for name, day in PEOPLE),
)


def mended(question: str, sql: str, dialect: Dialect = "duckdb", schema: Schema = SCHEMA) -> str:
    words = question.lower().split()
    said = {word: (at, at) for at, word in enumerate(words) if word.isdigit()}
    query = with_ages(parse(to_ir(sql, schema, "duckdb")), said, words, schema)
    return to_sql(list(emit(query)), schema, dialect)


@pytest.mark.parametrize(
    ("question", "sql", "wanted"),
    [
        ("who is older than 60", "SELECT name FROM people WHERE dob > '60'", ["Dee"]),
        ("who is older than 59", "SELECT name FROM people WHERE dob < '59'", ["Cid", "Dee"]),
        ("people under 18", "SELECT name FROM people WHERE year(dob) < 18", ["Bob"]),
        ("people aged at least 18 and not over 30", "SELECT name FROM people WHERE dob >= '18' AND dob <= '30'", ["Ann", "Eve"]),
        ("people between 18 and 30", "SELECT name FROM people WHERE dob BETWEEN '18' AND '30'", ["Ann", "Eve"]),
        ("who is 18 years old", "SELECT name FROM people WHERE dob = '18'", ["Ann"]),
        ("how old is Dee", "SELECT dob FROM people WHERE name = 'Dee'", [61]),
        ("how old is the oldest", "SELECT min(dob) FROM people", [61]),
        ("age of the youngest", "SELECT max(dob) FROM people", [17]),
        ("average age", "SELECT avg(year(dob)) FROM people", [(18 + 17 + 60 + 61 + 30) / 5]),
        ("names and ages of all visits", "SELECT visits, max(dob - 1) FROM people GROUP BY visits", [3]),
    ],
)
def test_days_of_birth_are_ages(question: str, sql: str, wanted: list[object]) -> None:
    with duckdb.connect() as ducks, closing(sqlite3.connect(":memory:")) as lites:
        for command in MAKE:
            ducks.execute(command)
            lites.execute(command)
        assert sorted(row[0] for row in ducks.execute(mended(question, sql)).fetchall()) == wanted
        assert sorted(row[0] for row in lites.execute(mended(question, sql, "sqlite")).fetchall()) == wanted


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("who was born before 1960", "SELECT name FROM people WHERE year(dob) < 1960"),
        ("who was born after 1960-05-01", "SELECT name FROM people WHERE dob > '1960-05-01'"),
        ("who joined 3 years ago", "SELECT name FROM people WHERE joined > '3'"),
        ("when was Ann born", "SELECT dob FROM people WHERE name = 'Ann'"),
        ("oldest of the people", "SELECT name FROM people ORDER BY dob LIMIT 1"),
        ("people by age", "SELECT dob, count(*) FROM people GROUP BY dob"),
    ],
)
def test_what_is_no_age_stays(question: str, sql: str) -> None:
    assert mended(question, sql) == to_sql(to_ir(sql, SCHEMA, "duckdb"), SCHEMA, "duckdb")


def test_where_ages_are_kept_none_is_calculated() -> None:
    schema = Schema.of((Table("people", (*COLUMNS, Column("age", "integer"))),))
    assert (
        mended("who is older than 60", "SELECT name FROM people WHERE age > 60", schema=schema) == "SELECT name FROM people WHERE age > 60"
    )
    assert "DATE_SUB" not in mended("how old is Dee", "SELECT dob FROM people WHERE name = 'Dee'", schema=schema)
