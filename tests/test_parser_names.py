"""People are shown by their whole names."""

from __future__ import annotations

import pytest

from streamlink_sql.generators.parser.ir import Schema, to_ir, to_sql
from streamlink_sql.generators.parser.mends.names import with_whole_names
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.tree import emit
from streamlink_sql.types import Column, Table

STAFF = Table(
    "staff",
    (Column("id", "integer"), Column("lname", "text"), Column("first_name", "text"), Column("first_day", "date"), Column("town", "text")),
    ("id",),
)
SHOPS = Table("shops", (Column("shop", "text"), Column("last_name", "text"), Column("towns", "integer")), ("shop",))
SCHEMA = Schema.of((STAFF, SHOPS))


def mended(question: str, sql: str) -> str:
    query = with_whole_names(parse(to_ir(sql, SCHEMA, "duckdb")), question.lower().split(), SCHEMA)
    return to_sql(list(emit(query)), SCHEMA, "duckdb")


@pytest.mark.parametrize(
    ("question", "sql", "meant"),
    [
        ("staff in Oslo", "SELECT lname FROM staff WHERE town = 'Oslo'", "SELECT first_name, lname FROM staff WHERE town = 'Oslo'"),
        ("who came in the last month", "SELECT town, first_name FROM staff", "SELECT town, first_name, lname FROM staff"),
        (
            "staff by name with how many there are",
            "SELECT lname, count(*) FROM staff GROUP BY lname",
            "SELECT first_name, lname, COUNT(*) FROM staff GROUP BY first_name, lname",
        ),
        (
            "staff who are both in Oslo and in Rom",
            "SELECT lname FROM staff WHERE town = 'Oslo' INTERSECT SELECT lname FROM staff WHERE town = 'Rom'",
            "SELECT first_name, lname FROM staff WHERE town = 'Oslo' INTERSECT SELECT first_name, lname FROM staff WHERE town = 'Rom'",
        ),
    ],
)
def test_people_are_shown_by_their_whole_names(question: str, sql: str, meant: str) -> None:
    assert mended(question, sql) == meant


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("last names of staff", "SELECT lname FROM staff"),
        ("surnames of staff", "SELECT lname FROM staff"),
        ("staff first and last", "SELECT first_name FROM staff"),
        ("staff", "SELECT lname, first_name FROM staff"),
        ("owners of shops", "SELECT last_name FROM shops"),
        ("when did staff begin", "SELECT first_day FROM staff"),
        ("staff and owners", "SELECT lname FROM staff UNION SELECT last_name FROM shops"),
        ("how many names are there", "SELECT COUNT(DISTINCT lname) FROM staff"),
    ],
)
def test_other_names_stay(question: str, sql: str) -> None:
    assert mended(question, sql) == sql
