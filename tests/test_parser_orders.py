"""In which order rows come, and of which rows "both" speaks."""

from __future__ import annotations

import pytest

from streamlink_sql.generators.parser.ir import Schema, to_ir, to_sql
from streamlink_sql.generators.parser.linking import split_words
from streamlink_sql.generators.parser.mends.orders import in_order, with_both_rows
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.tree import emit
from streamlink_sql.types import Column, Dialect, Table

SHOPS = Table("shops", (Column("id", "integer"), Column("name", "text"), Column("town", "text"), Column("staff", "integer")), ("id",))
SCHEMA = Schema.of((SHOPS,))
SHARE = "1.0 * COUNT(*) FILTER(WHERE staff >= {}) / NULLIF(COUNT(*), 0)"


def mended(question: str, sql: str, dialect: Dialect = "duckdb") -> str:
    words = [word.text.lower() for word in split_words(question)]
    return to_sql(emit(in_order(with_both_rows(parse(to_ir(sql, SCHEMA, "duckdb")), SCHEMA), words, SCHEMA)), SCHEMA, dialect)


def test_the_order_is_by_what_is_shown() -> None:
    sql = f"SELECT town, {SHARE.format(5)} FROM shops GROUP BY town ORDER BY {SHARE.format(0)} DESC"
    assert mended("share of shops with five staff or more by town", sql) == sql.replace(SHARE.format(0), SHARE.format(5))


@pytest.mark.parametrize(
    ("question", "written", "meant"),
    [
        ("staff by town, highest first", "ASC", "DESC"),
        ("staff by town, in ascending order", "DESC", "ASC"),
        ("staff by town. Sort from highest to lowest", "ASC", "DESC"),
        ("staff by town, in order", "ASC", "ASC"),
        ("staff by town", "DESC", "DESC"),
    ],
)
def test_the_direction_that_is_said(question: str, written: str, meant: str) -> None:
    sql = "SELECT town, SUM(staff) FROM shops GROUP BY town ORDER BY SUM(staff) {}"
    assert mended(question, sql.format(written)) == sql.format(meant)


def test_texts_and_limits_keep_their_order() -> None:
    for sql in ("SELECT town FROM shops ORDER BY town ASC", "SELECT town, staff FROM shops ORDER BY staff ASC LIMIT 3"):
        assert mended("highest first", sql) == sql


def test_the_first_of_each_group_come_by_group() -> None:
    sql = "SELECT town, name, staff FROM shops QUALIFY RANK() OVER (PARTITION BY town ORDER BY staff DESC) <= 2"
    assert mended("the two largest shops of each town", sql) == f"{sql} ORDER BY town ASC, staff DESC"
    assert mended("the two largest shops of each town", sql, "sqlite").endswith("WHERE place <= 2 ORDER BY town ASC, staff DESC")


def test_figures_of_both_are_those_of_each() -> None:
    each = "SELECT staff FROM shops WHERE name = '{}'"
    assert mended("staff of both A and B", f"{each.format('A')} INTERSECT {each.format('B')}") == (
        "SELECT name, staff FROM shops WHERE name IN ('A', 'B')"
    )
    total = "SELECT SUM(staff) FROM shops WHERE town = '{}'"
    assert mended("staff of both A and B", f"{total.format('A')} INTERSECT {total.format('B')}") == (
        "SELECT town, SUM(staff) FROM shops WHERE town IN ('A', 'B') GROUP BY town"
    )


def test_names_that_both_have_are_shared() -> None:
    sql = "SELECT name FROM shops WHERE town = 'A' INTERSECT SELECT name FROM shops WHERE town = 'B'"
    assert mended("names of shops in both A and B", sql) == sql
