"""How long it is between two moments, on real rows of two engines."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import duckdb
import pytest

from streamlink_sql.generators.parser.ir import Schema, to_ir, to_sql
from streamlink_sql.generators.parser.mends.lengths import with_lengths
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.tree import emit
from streamlink_sql.types import Column, Dialect, Table

TRIPS = Table(
    "trips",
    (
        Column("id", "integer"),
        Column("left_at", "timestamp"),
        Column("came_at", "timestamp"),
        Column("booked_on", "date"),
        Column("paid_on", "date"),
    ),
    ("id",),
)
SCHEMA = Schema.of((TRIPS,))
ROWS = (
    (1, "2024-01-01 08:00:00", "2024-01-01 20:00:00", "2023-12-01", "2023-12-04"),
    (2, "2024-01-01 08:00:00", "2024-01-02 08:00:00", "2023-12-01", "2023-12-15"),
    (3, "2024-01-01 08:00:00", "2024-01-04 20:00:00", "2023-12-01", "2024-02-01"),
    (4, "2024-01-01 08:00:00", None, "2023-12-01", None),
)
MAKE = "CREATE TABLE trips (id INTEGER, left_at TIMESTAMP, came_at TIMESTAMP, booked_on DATE, paid_on DATE)"


def answered(question: str, sql: str, said: dict[str, tuple[int, int]]) -> list[tuple[object, ...]]:
    """The rows of the mended query, which both engines must agree on."""
    found: list[list[tuple[object, ...]]] = []
    words = question.lower().split()
    with duckdb.connect() as ducks, closing(sqlite3.connect(":memory:")) as lites:
        engines: tuple[tuple[Dialect, duckdb.DuckDBPyConnection | sqlite3.Connection], ...] = (("duckdb", ducks), ("sqlite", lites))
        for dialect, connection in engines:
            connection.execute(MAKE)
            connection.executemany("INSERT INTO trips VALUES (?, ?, ?, ?, ?)", ROWS)
            query = with_lengths(parse(to_ir(sql, SCHEMA, "duckdb")), said, words, SCHEMA)
            found.append(connection.execute(to_sql(list(emit(query)), SCHEMA, dialect)).fetchall())
    assert sorted(found[0]) == [pytest.approx(row) for row in sorted(found[1])]
    return sorted(found[0])


@pytest.mark.parametrize(
    ("question", "condition", "said", "ids"),
    [
        ("trips within 24 hours", "came_at - left_at <= 24", {"24": (2, 2)}, [1, 2]),
        ("trips longer than 1 day", "came_at - left_at > 1", {"1": (3, 3)}, [3]),
        ("trips of under 800 mins", "came_at - left_at < 800", {"800": (3, 3)}, [1]),
        ("trips of 20 to 90 hours", "came_at - left_at BETWEEN 20 AND 90", {"20": (2, 2), "90": (4, 4)}, [2, 3]),
        ("trips of more than 2", "came_at - left_at > 2", {"2": (4, 4)}, [3]),
        ("paid within 14 days", "paid_on - booked_on <= 14", {"14": (2, 2)}, [1, 2]),
        ("paid within 72 hours", "paid_on - booked_on <= 72", {"72": (2, 2)}, [1]),
        ("left within 1000 hours of booking", "left_at - booked_on <= 1000", {"1000": (2, 2)}, [1, 2, 3, 4]),
    ],
)
def test_lengths_are_compared_in_the_unit_that_is_said(
    question: str, condition: str, said: dict[str, tuple[int, int]], ids: list[int]
) -> None:
    assert [row[0] for row in answered(question, f"SELECT id FROM trips WHERE {condition}", said)] == ids


@pytest.mark.parametrize(
    ("question", "item", "figure"),
    [
        ("average duration in hours", "avg(came_at - left_at)", 40.0),
        ("how many minutes was the shortest trip", "min(came_at - left_at)", 720.0),
        ("longest trip in days", "max(came_at - left_at)", 3.5),
        ("average number of weeks to payment", "avg(paid_on - booked_on)", 79 / 3 / 7),
        ("mean hours to payment", "avg(paid_on - booked_on)", 79 / 3 * 24),
        ("average time to payment", "avg(paid_on - booked_on)", 79 / 3),
        ("time to payment in years 2023 and 2024", "avg(paid_on - booked_on)", 79 / 3),
    ],
)
def test_lengths_are_shown_in_the_unit_that_is_wanted(question: str, item: str, figure: float) -> None:
    assert answered(question, f"SELECT {item} FROM trips", {}) == [(pytest.approx(figure),)]


def test_shares_count_lengths_as_well() -> None:
    sql = "SELECT 100.0 * SUM(CASE WHEN came_at - left_at <= 24 THEN 1 ELSE 0 END) / NULLIF(COUNT(*), 0) FROM trips"
    assert answered("share of trips within 24 hours", sql, {"24": (4, 4)}) == [(50.0,)]


def test_a_moment_less_itself_is_no_length() -> None:
    query = parse(to_ir("SELECT id FROM trips WHERE came_at - came_at <= 24", SCHEMA, "duckdb"))
    assert with_lengths(query, {}, ["within", "24", "hours"], SCHEMA) == query


def test_spark_counts_seconds() -> None:
    query = parse(to_ir("SELECT avg(came_at - left_at), avg(paid_on - booked_on) FROM trips", SCHEMA, "duckdb"))
    written = to_sql(list(emit(with_lengths(query, {}, ["in", "hours"], SCHEMA))), SCHEMA, "spark")
    assert "AVG((UNIX_TIMESTAMP(came_at) - UNIX_TIMESTAMP(left_at)) / 3600)" in written
    assert "AVG(24 * DATEDIFF(paid_on, booked_on))" in written
