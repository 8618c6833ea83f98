"""Numbers in another unit than their column's."""

from __future__ import annotations

import pytest

from streamlink_sql.generators.parser.ir import Schema, to_ir, to_sql
from streamlink_sql.generators.parser.linking import split_words
from streamlink_sql.generators.parser.mends.measures import in_column_units
from streamlink_sql.generators.parser.numerals import number_within
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.tree import emit
from streamlink_sql.types import Column, Table

NAMES = (
    "price_cents",
    "run_time_min",
    "weightG",
    "size_mb",
    "length_cm",
    "term_months",
    "stay_days",
    "birth_year",
    "minutes",
    "fee_pence",
    "power_kw",
)
SCHEMA = Schema.of((Table("things", (Column("name", "text"), *(Column(name, "integer") for name in NAMES), Column("made", "date"))),))


def mended(question: str, sql: str) -> str:
    words = [word.text.lower() for word in split_words(question)]
    said = {str(number): (at, at) for at, word in enumerate(words) if (number := number_within(word)) is not None}
    query = in_column_units(parse(to_ir(sql, SCHEMA, "duckdb")), said, words, SCHEMA)
    return to_sql(list(emit(query)), SCHEMA, "duckdb")


@pytest.mark.parametrize(
    ("question", "asked", "meant"),
    [
        ("cheaper than 20 euros", "price_cents < 20", "price_cents < 2000"),
        ("dearer than $ 20", "price_cents > 20", "price_cents > 2000"),
        ("over 2h", "run_time_min > 2", "run_time_min > 120"),
        ("between 1 and 2 hours", "run_time_min BETWEEN 1 AND 2", "run_time_min BETWEEN 60 AND 120"),
        ("a 2 - hour film", "run_time_min = 2", "run_time_min = 120"),
        ("heavier than 5 kilos", "weightG > 5", "weightG > 5000"),
        ("larger than 2 GB", "size_mb > 2", "size_mb > 2000"),
        ("smaller than 500 kb", "size_mb < 500", "size_mb < 0.5"),
        ("longer than 3 metres", "length_cm > 3", "length_cm > 300"),
        ("terms of 2 years", "term_months = 2", "term_months = 24"),
        ("stays over 2 weeks", "stay_days > 2", "stay_days > 14"),
        ("fees above 3 pounds", "fee_pence > 3", "fee_pence > 300"),
        ("heavier than 2 pounds", "weightG > 2", "weightG > 907.18474"),
        ("more than 2 MW", "power_kw > 2", "power_kw > 2000"),
        ("less than 90 minutes", "run_time_min < 90", "run_time_min < 90"),
        ("slower than 2 hours", "run_time_min < 2", "run_time_min > 120"),
        ("faster than 2 hours", "run_time_min < 2", "run_time_min < 120"),
        ("slower than 2 weeks", "birth_year < 2", "birth_year < 2"),
        ("cheaper than 20", "price_cents < 20", "price_cents < 20"),
        ("heavier than 20 euros", "weightG > 20", "weightG > 20"),
        ("born before 2 decades", "birth_year < 2", "birth_year < 2"),
        ("3 hours", "minutes = 3", "minutes = 3"),
    ],
)
def test_numbers_are_turned_into_the_unit_of_their_column(question: str, asked: str, meant: str) -> None:
    assert mended(question, f"SELECT name FROM things WHERE {asked}") == f"SELECT name FROM things WHERE {meant}"


def test_groups_are_limited_in_the_unit_of_their_column() -> None:
    sql = "SELECT name FROM things GROUP BY name HAVING SUM(run_time_min) > 10"
    assert mended("more than 10 hours in all", sql).endswith("HAVING SUM(run_time_min) > 600")


@pytest.mark.parametrize(
    ("question", "item", "meant"),
    [
        ("average price in euros", "AVG(price_cents)", "1.0 * AVG(price_cents) / 100"),
        ("run times in hours", "run_time_min", "1.0 * run_time_min / 60"),
        ("longest length in mm", "MAX(length_cm)", "MAX(length_cm) * 10"),
        ("average stay in month 5", "AVG(stay_days)", "AVG(stay_days)"),
        ("stays in years 2019 and 2020", "SUM(stay_days)", "SUM(stay_days)"),
        ("price in cents", "price_cents", "price_cents"),
        ("how many cost more in euros", "COUNT(*)", "COUNT(*)"),
        ("year of birth in decades", "birth_year", "birth_year"),
    ],
)
def test_figures_are_shown_in_the_unit_that_is_asked_for(question: str, item: str, meant: str) -> None:
    assert mended(question, f"SELECT {item} FROM things") == f"SELECT {meant} FROM things"
