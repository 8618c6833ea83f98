"""How figures are wanted: percentiles, decimals, the names of weekdays."""

from __future__ import annotations

import pytest

from streamlink_sql.generators.parser.ir import NotCovered, Schema, to_ir, to_sql
from streamlink_sql.generators.parser.mends.figures import read_figures, with_day_names, with_figures
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.tree import emit
from streamlink_sql.types import Column, Dialect, Table, ValueMatch

_COLUMNS = (Column("id", "integer"), Column("city", "text"), Column("seconds", "real"), Column("rung_at", "timestamp"))
CALLS = Table("calls", _COLUMNS, ("id",))
SCHEMA = Schema.of((CALLS,))


def mended(question: str, sql: str, dialect: Dialect = "duckdb") -> str:
    query = parse(to_ir(sql, SCHEMA, "duckdb"))
    named = with_day_names(query, question.lower().split())
    return to_sql(emit(with_figures(named, read_figures(question, ()))), SCHEMA, dialect)


@pytest.mark.parametrize(
    ("question", "text", "percentiles", "decimals"),
    [
        ("95th percentile of seconds", "median of seconds", (95,), None),
        ("p95 of seconds by city", "median of seconds by city", (95,), None),
        ("P50, P90 and P99 of seconds", "median of seconds", (50, 90, 99), None),
        ("10th, 50th and 90th percentiles of seconds", "median of seconds", (10, 50, 90), None),
        ("median and 90th percentile per city", "median per city", (50, 90), None),
        ("the upper quartile of seconds", "the median of seconds", (75,), None),
        ("median seconds per city", "median seconds per city", (), None),
        ("calls in the fourth quarter", "calls in the fourth quarter", (), None),
        ("top 10 percent of calls", "top 10 percent of calls", (), None),
        ("average seconds to two decimals", "average seconds ", (), 2),
        ("average seconds rounded to 1 decimal place by city", "average seconds  by city", (), 1),
        ("average seconds (to one decimal)", "average seconds ", (), 1),
        ("average seconds, rounded to whole numbers", "average seconds ", (), 0),
        ("average seconds rounded to the nearest integer", "average seconds ", (), 0),
        ("calls to two cities", "calls to two cities", (), None),
        ("how many calls have 2 decimals", "how many calls have 2 decimals", (), None),
    ],
)
def test_what_the_network_reads(question: str, text: str, percentiles: tuple[int, ...], decimals: int | None) -> None:
    told = read_figures(question, ())
    assert (told.text, told.percentiles, told.decimals) == (text, percentiles, decimals)


def test_values_stay_where_they_are_said() -> None:
    question = "95th percentile of seconds in Ulm, to two decimals"
    ulm = ValueMatch("calls", "city", "Ulm", question.index("Ulm"), question.index("Ulm") + 3, 1.0)
    told = read_figures(question, (ulm,))
    (moved,) = told.moved((ulm,))
    assert told.text == "median of seconds in Ulm "
    assert told.text[moved.start : moved.end] == "Ulm"


def test_what_is_called_like_a_percentile_is_none() -> None:
    """The data says that P90 is a name."""
    assert read_figures("calls of P90", (ValueMatch("calls", "city", "P90", 9, 12, 1.0),)).text == "calls of P90"


@pytest.mark.parametrize(
    ("dialect", "written"),
    [
        ("duckdb", "SELECT city, MEDIAN(seconds), QUANTILE_CONT(seconds, 0.9) FROM calls GROUP BY city"),
        ("sqlite", "SELECT city, MEDIAN(seconds), PERCENTILE(seconds, 90) FROM calls GROUP BY city"),
        ("spark", "SELECT city, MEDIAN(seconds), PERCENTILE(seconds, 0.9) FROM calls GROUP BY city"),
    ],
)
def test_percentiles_stand_where_the_network_wrote_a_median(dialect: Dialect, written: str) -> None:
    assert mended("median and p90 of seconds by city", "SELECT city, median(seconds) FROM calls GROUP BY city", dialect) == written


def test_an_order_by_a_percentile() -> None:
    sql = "SELECT city, median(seconds) FROM calls GROUP BY city ORDER BY median(seconds) DESC LIMIT 3"
    assert mended("the three cities with the highest 95th percentile of seconds", sql).count("QUANTILE_CONT(seconds, 0.95)") == 2


def test_a_percentile_that_the_network_found_no_place_for_is_no_draft() -> None:
    with pytest.raises(NotCovered):
        mended("p95 of seconds", "SELECT avg(seconds) FROM calls")


def test_figures_are_rounded_and_counts_are_not() -> None:
    sql = "SELECT city, count(*), avg(seconds) FROM calls GROUP BY city ORDER BY avg(seconds) DESC"
    assert mended("to one decimal", sql) == (
        "SELECT city, COUNT(*), ROUND(AVG(seconds), 1) FROM calls GROUP BY city ORDER BY AVG(seconds) DESC"
    )


def test_weekdays_by_their_names() -> None:
    sql = "SELECT dayofweek(rung_at), count(*) FROM calls GROUP BY dayofweek(rung_at) ORDER BY count(*) DESC LIMIT 1"
    assert mended("which weekday has most calls ? name of the day and number", sql) == (
        "SELECT DAYNAME(rung_at), COUNT(*) FROM calls GROUP BY DAYOFWEEK(rung_at), DAYNAME(rung_at) ORDER BY COUNT(*) DESC LIMIT 1"
    )
    assert "DAYNAME" not in mended("which weekday has most calls ?", sql)
    assert "WHEN '0' THEN 'Sunday' WHEN '1' THEN 'Monday'" in mended("show the day names", sql, "sqlite")
    assert "DATE_FORMAT(rung_at, 'EEEE')" in mended("show the day names", sql, "spark")
