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
    return to_sql(emit(with_figures(named, read_figures(question, ()), SCHEMA)), SCHEMA, dialect)


@pytest.mark.parametrize(
    ("question", "text", "statistics"),
    [
        ("95th percentile of seconds", "median of seconds", ("P95",)),
        ("p95 of seconds by city", "median of seconds by city", ("P95",)),
        ("P50, P90 and P99 of seconds", "median of seconds", ("P50", "P90", "P99")),
        ("10th, 50th and 90th percentiles of seconds", "median of seconds", ("P10", "P50", "P90")),
        ("median and 90th percentile per city", "median per city", ("P50", "P90")),
        ("the upper quartile of seconds", "the median of seconds", ("P75",)),
        ("mean and standard deviation of seconds", "mean and median of seconds", ("STDDEV",)),
        ("median and variance of seconds", "median of seconds", ("P50", "VARIANCE")),
        ("median seconds per city", "median seconds per city", ()),
        ("calls in the fourth quarter", "calls in the fourth quarter", ()),
        ("top 10 percent of calls", "top 10 percent of calls", ()),
    ],
)
def test_other_statistics_are_read_as_medians(question: str, text: str, statistics: tuple[str, ...]) -> None:
    told = read_figures(question, ())
    assert (told.text, told.statistics) == (text, (statistics,) if statistics else ())


@pytest.mark.parametrize(
    ("question", "text", "decimals", "per"),
    [
        ("average seconds to two decimals", "average seconds ", 2, 1),
        ("average seconds rounded to 1 decimal place by city", "average seconds  by city", 1, 1),
        ("average seconds (to one decimal)", "average seconds ", 1, 1),
        ("average seconds, rounded to whole numbers", "average seconds ", 0, 1),
        ("average seconds rounded to the nearest integer", "average seconds ", 0, 1),
        ("all seconds in millions by city", "all seconds   by city", None, 10**6),
        ("revenue in billions of dollars by city", "revenue   by city", None, 10**9),
        ("revenue in million euros by city", "revenue   by city", None, 10**6),
        ("those born in thousand oaks", "those born in thousand oaks", None, 1),
        ("all seconds in thousands to one decimal", "all seconds   ", 1, 10**3),
        ("calls to two cities", "calls to two cities", None, 1),
        ("how many calls have 2 decimals", "how many calls have 2 decimals", None, 1),
        ("seconds over 2 million", "seconds over 2 million", None, 1),
    ],
)
def test_units_and_decimals_are_not_read(question: str, text: str, decimals: int | None, per: int) -> None:
    told = read_figures(question, ())
    assert (told.text, told.decimals, told.per) == (text, decimals, per)


def test_what_is_no_share_is_no_statistic() -> None:
    told = read_figures("p00 of seconds and p90 of seconds", ())
    assert (told.text, told.statistics) == ("p00 of seconds and median of seconds", (("P90",),))


def test_columns_without_a_name() -> None:
    schema = Schema.of((Table("calls", (Column(" ", "real"), Column("", "integer"))),))
    query = parse(to_ir('SELECT sum(" ") FROM calls', schema, "duckdb"))
    assert "/ 1000" in to_sql(emit(with_figures(query, read_figures("all in thousands", ()), schema)), schema, "duckdb")


def test_what_columns_are_called_is_read() -> None:
    assert read_figures("average p95 of calls", (), ("p95_ms",)).text == "average p95 of calls"
    assert read_figures("largest variance by city", (), ("budget_variance",)).text == "largest variance by city"
    assert read_figures("sales in millions", (), ("sales_millions",)).per == 1


def test_amounts_are_divided_and_counts_only_where_there_are_none() -> None:
    assert mended("in thousands", "SELECT city, count(*), sum(seconds) FROM calls GROUP BY city") == (
        "SELECT city, COUNT(*), 1.0 * SUM(seconds) / 1000 FROM calls GROUP BY city"
    )
    assert mended("in thousands", "SELECT city, count(*) FROM calls GROUP BY city").startswith("SELECT city, 1.0 * COUNT(*) / 1000 FROM")
    assert mended("in thousands", "SELECT id FROM calls") == "SELECT id FROM calls"


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


def test_each_of_several_statistics_stands_in_its_place() -> None:
    sql = "SELECT median(seconds), median(id) FROM calls"
    assert mended("p90 of seconds and p99 of the numbers", sql).startswith("SELECT QUANTILE_CONT(seconds, 0.9), QUANTILE_CONT(id, 0.99)")
    assert mended("median of seconds and p99 of the numbers", sql).startswith("SELECT MEDIAN(seconds), QUANTILE_CONT(id, 0.99)")
    assert mended("p99 of seconds and of the numbers", sql).startswith("SELECT QUANTILE_CONT(seconds, 0.99), QUANTILE_CONT(id, 0.99)")
    with pytest.raises(NotCovered):
        mended("p90 of seconds and p99 of the numbers", "SELECT median(seconds) FROM calls")


def test_an_order_by_a_percentile() -> None:
    sql = "SELECT city, median(seconds) FROM calls GROUP BY city ORDER BY median(seconds) DESC LIMIT 3"
    assert mended("the three cities with the highest 95th percentile of seconds", sql).count("QUANTILE_CONT(seconds, 0.95)") == 2


def test_an_order_by_a_percentile_alone() -> None:
    sql = "SELECT city FROM calls GROUP BY city ORDER BY median(seconds) DESC LIMIT 1"
    assert mended("which city has the highest p95 of seconds", sql) == (
        "SELECT city FROM calls GROUP BY city ORDER BY QUANTILE_CONT(seconds, 0.95) DESC LIMIT 1"
    )


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
