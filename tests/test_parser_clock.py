"""Days, hours and weekends, on real rows of two engines."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import duckdb
import pytest

from streamlink_sql.generators.parser.ir import Schema, to_ir, to_sql
from streamlink_sql.generators.parser.mends.clock import by_the_clock
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.tree import emit
from streamlink_sql.types import Column, Dialect, Table

CALLS = Table(
    "calls",
    (Column("call_id", "integer"), Column("rung_at", "timestamp"), Column("ended_at", "timestamp"), Column("cost", "integer")),
    ("call_id",),
)
VISITS = Table("visits", (Column("visit_id", "integer"), Column("came_at", "timestamp"), Column("paid", "integer")), ("visit_id",))
FAIRS = Table("fairs", (Column("title", "text"), Column("booked_on", "date"), Column("held_on", "date")), ("title",))
HOLIDAYS = Table("holidays", (Column("title", "text"), Column("day", "date")), ("title",))
SCHEMA = Schema.of((CALLS, VISITS, HOLIDAYS, FAIRS))
TIMES = ("2024-06-01 08:00:00", "2024-06-01 18:30:00", "2024-06-02 09:59:59", "2024-06-03 10:00:00", "2024-06-03 23:00:00")
"""A Saturday, a Sunday and a Monday."""
MAKE = (
    "CREATE TABLE calls (call_id INTEGER, rung_at TIMESTAMP, ended_at TIMESTAMP, cost INTEGER)",
    "CREATE TABLE visits (visit_id INTEGER, came_at TIMESTAMP, paid INTEGER)",
    "CREATE TABLE holidays (title TEXT, day DATE)",
    *(f"INSERT INTO calls VALUES ({number}, '{time}', '2025-01-01 00:00:00', {number})" for number, time in enumerate(TIMES)),
    *(f"INSERT INTO visits VALUES ({number}, '{time}', {number})" for number, time in enumerate(TIMES)),
    "INSERT INTO holidays VALUES ('a', '2024-01-01'), ('b', '2024-01-01')",
)


def mended(question: str, sql: str, said: dict[str, tuple[int, int]], dialect: Dialect = "duckdb") -> str:
    query = by_the_clock(parse(to_ir(sql, SCHEMA, "duckdb")), said, question.lower().split(), SCHEMA)
    return to_sql(list(emit(query)), SCHEMA, dialect)


@pytest.mark.parametrize(
    ("question", "sql", "rows"),
    [
        ("visits per day", "SELECT dayofweek(came_at), count(*) FROM visits GROUP BY dayofweek(came_at)", {2, 1}),
        ("which day had most visits", "SELECT day(came_at), count(*) FROM visits GROUP BY day(came_at)", {2, 1}),
        ("holidays each day", "SELECT day(day), count(*) FROM holidays GROUP BY day(day)", {2}),
        ("visits per hour", "SELECT came_at, count(*) FROM visits GROUP BY came_at", {1}),
        ("daily visits", "SELECT count(*) FROM visits", {2, 1}),
        ("daily number of calls", "SELECT count(*) FROM calls", {2, 1}),
        ("average paid by hour", "SELECT avg(paid) FROM visits", {0, 1, 2, 3, 4}),
        ("daily cost of the calls rung", "SELECT sum(cost) FROM calls", {1, 2, 7}),
    ],
)
def test_groups_are_days_and_hours(question: str, sql: str, rows: set[int]) -> None:
    with duckdb.connect() as ducks, closing(sqlite3.connect(":memory:")) as lites:
        for command in MAKE:
            ducks.execute(command)
            lites.execute(command)
        by_ducks = ducks.execute(mended(question, sql, {})).fetchall()
        by_lites = lites.execute(mended(question, sql, {}, "sqlite")).fetchall()
    assert {row[-1] for row in by_ducks} == rows
    assert [(str(key), figure) for key, figure in sorted(by_ducks)] == [(str(key), figure) for key, figure in sorted(by_lites)]


@pytest.mark.parametrize(
    ("question", "sql", "said", "ids"),
    [
        ("visits on weekends", "dayofweek(came_at) = 'weekends'", {}, [0, 1, 2]),
        ("visits not on a weekend", "month(came_at) <> 'a weekend'", {}, [3, 4]),
        ("visits after 6 pm", "came_at > '6'", {"6": (2, 2)}, [1, 4]),
        ("visits before 10 am", "came_at < '10 am'", {"10 am": (2, 3)}, [0, 2]),
        ("visits since 18:00", "came_at >= '18:00'", {"18:00": (2, 2)}, [1, 4]),
        ("visits until 10 o'clock", "came_at <= '10'", {"10": (2, 2)}, [0, 2]),
        ("visits between 8 and 10 am", "came_at BETWEEN '8' AND '10'", {"8": (2, 2), "10": (4, 4)}, [0, 2]),
        ("visits between 10 am and 7 pm", "came_at BETWEEN '10' AND '7'", {"10": (2, 2), "7": (5, 5)}, [1, 3]),
        ("visits after 12 pm", "came_at > '12'", {"12": (2, 2)}, [1, 4]),
    ],
)
def test_weekends_and_hours_are_conditions(question: str, sql: str, said: dict[str, tuple[int, int]], ids: list[int]) -> None:
    sql = f"SELECT visit_id FROM visits WHERE {sql}"
    with duckdb.connect() as ducks, closing(sqlite3.connect(":memory:")) as lites:
        for command in MAKE:
            ducks.execute(command)
            lites.execute(command)
        assert sorted(row[0] for row in ducks.execute(mended(question, sql, said)).fetchall()) == ids
        assert sorted(row[0] for row in lites.execute(mended(question, sql, said, "sqlite")).fetchall()) == ids


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("calls per day of the week", "SELECT dayofweek(rung_at), count(*) FROM calls GROUP BY dayofweek(rung_at)"),
        ("calls on each weekday", "SELECT dayofweek(rung_at), count(*) FROM calls GROUP BY dayofweek(rung_at)"),
        ("calls per year and day", "SELECT year(rung_at), count(*) FROM calls GROUP BY year(rung_at)"),
        ("daily number of fairs", "SELECT count(*) FROM fairs"),
        ("which day was the first visit", "SELECT min(came_at) FROM visits"),
        ("visits after 6", "SELECT visit_id FROM visits WHERE came_at > '6'"),
        ("visits after 2024-06-01", "SELECT visit_id FROM visits WHERE came_at > '2024-06-01'"),
        ("visits that paid more than 6 pm", "SELECT visit_id FROM visits WHERE paid > 6"),
    ],
)
def test_what_says_something_else_stays(question: str, sql: str) -> None:
    said = {"6": (question.split().index("6"),) * 2} if "6" in question.split() else {}
    assert mended(question, sql, said) == to_sql(to_ir(sql, SCHEMA, "duckdb"), SCHEMA, "duckdb")


def test_what_is_called_daily_is_no_group() -> None:
    sql = "SELECT count(*) FROM visits WHERE paid = 'Daily Mail'"
    assert "GROUP" not in mended("visits of the daily mail", sql, {"Daily Mail": (3, 4)})
    rates = Schema.of((Table("rooms", (Column("let_on", "date"), Column("price_per_day", "integer"))),))
    query = parse(to_ir("SELECT avg(price_per_day) FROM rooms", rates, "duckdb"))
    assert by_the_clock(query, {}, "average price per day".split(), rates) == query
