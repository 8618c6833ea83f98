"""What holds for every text: the gate gives checked SQL or one of our refusals, what it has written stands, and means what was given."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlink_sql.checks import check
from streamlink_sql.evaluate.gate import fixture_tables, refused
from streamlink_sql.evaluate.labelled import read_statements
from streamlink_sql.redteam import CORPORA
from streamlink_sql.redteam.arena import make_database
from streamlink_sql.types import Dialect, Draft, Table
from tests.fuzz.gate import DIALECTS, WORDS, judge, read

FIXTURE = CORPORA / "fixture.sql"
UNCERTAIN = re.compile(r"(?i)\b(random|randn|rand|uuid|gen_random_uuid|now|current_\w+|localtime\w*|today|tablesample|using sample)\b")
"""What gives other rows each time, or with the clock."""


@lru_cache(maxsize=3)
def tables(dialect: Dialect) -> tuple[Table, ...]:
    return fixture_tables(FIXTURE, "main", dialect)


@lru_cache(maxsize=1)
def corpora() -> list[str]:
    return [each.text for path in sorted(CORPORA.glob("*.sql")) if path != FIXTURE for each in read_statements(path)]


def legitimate(dialect: Dialect) -> list[str]:
    files = (CORPORA / "legitimate.sql", CORPORA / f"legitimate_{dialect}.sql")
    return [each.text for path in files for each in read_statements(path) if not refused(each, tables(dialect), dialect)]


dialects = st.sampled_from(DIALECTS)
words = st.sampled_from([word for word in WORDS if not word.startswith("\\")])


@settings(max_examples=50)
@given(st.text(st.characters(), max_size=200), dialects)
def test_any_text(text: str, dialect: Dialect) -> None:
    judge(text, dialect, tables(dialect))


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    text, dialect = read(data)
    judge(text, dialect, tables(dialect))


@settings(max_examples=60)
@given(st.data(), dialects)
def test_any_change_of_a_text_of_the_corpora(data: st.DataObject, dialect: Dialect) -> None:
    """Cut, put in, doubled, or joined with another text, up to three times."""
    text = data.draw(st.sampled_from(corpora()))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 20)))
        put = data.draw(
            st.one_of(words, st.just(text[start:end] * 2), st.text(max_size=3), st.sampled_from(corpora()).map(lambda t: t[:80]))
        )
        text = f"{text[:start]} {put} {text[end:]}"
    judge(text, dialect, tables(dialect))


def _expressions(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    shapes = """({0})|- {0}|NOT {0}|{0} + {1}|{0} || {1}|{0} AND {1}|{0} BETWEEN {1} AND {0}|{0} IN ({1}, {0})|{0} IS NOT NULL
        CAST({0} AS INTEGER)|CASE WHEN {0} THEN {1} END|coalesce({0}, {1})|sum({0}) OVER (PARTITION BY {1})|count({0}) FILTER (WHERE {1})
        {0} LIKE {1}|abs({0})|EXISTS(SELECT {0} FROM customers WHERE {1})|(SELECT {0})
        {0} IN (SELECT {1} FROM orders)|{0} / {1}|{0} = {1}|nullif({0}, {1})"""
    each = st.sampled_from([shape.strip() for line in shapes.splitlines() for shape in line.split("|") if "{" in shape])
    return st.builds(lambda shape, one, other: shape.format(one, other), each, inner, inner)


EXPRESSIONS = st.recursive(
    st.sampled_from(["order_id", "status", "orders.customer_id", "1", "'a''b'", "NULL", "1.5", '"order_id"']), _expressions
)


def _queries(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    shapes = (
        "SELECT * FROM ({0}) t", "{0} UNION ALL {1}", "({0}) EXCEPT ({1})", "WITH c AS ({0}) SELECT * FROM c, ({1}) t",
        "WITH RECURSIVE c AS ({0} UNION {1}) SELECT * FROM c", "SELECT 1 WHERE EXISTS({0})", "SELECT ({0}), ({1})",
        "SELECT * FROM orders JOIN ({0}) t ON 1 = 1", "SELECT * FROM ({0}) a NATURAL JOIN ({1}) b ORDER BY 1 LIMIT 3",
    )  # fmt: skip
    return st.builds(lambda shape, one, other: shape.format(one, other), st.sampled_from(shapes), inner, inner)


SIMPLE = st.builds(lambda one, two: f"SELECT {one} AS n FROM orders WHERE {two}", EXPRESSIONS, EXPRESSIONS)


@settings(max_examples=50)
@given(st.recursive(SIMPLE, _queries, max_leaves=6), dialects)
def test_nested_queries(sql: str, dialect: Dialect) -> None:
    judge(sql, dialect, tables(dialect))


Run = Callable[[str], list[tuple[Any, ...]]]


@contextlib.contextmanager
def database(dialect: Dialect, folder: Path) -> Iterator[Run]:
    """The fixture in a real engine, with a function that runs SQL there."""
    make_database(folder / "fixture.db", FIXTURE.read_text(encoding="utf-8"), dialect)
    if dialect == "sqlite":
        with contextlib.closing(sqlite3.connect(folder / "fixture.db")) as sqlite:
            yield lambda sql: sqlite.execute(sql).fetchall()
    else:
        with duckdb.connect(str(folder / "fixture.db"), read_only=True, config={"threads": "1"}) as connection:
            yield lambda sql: connection.execute(sql).fetchall()


@pytest.mark.parametrize(("dialect", "at_least"), [("duckdb", 370), ("sqlite", 300)])
def test_every_legitimate_query_gives_the_same_rows(dialect: Dialect, at_least: int, tmp_path: Path) -> None:
    """Before and after: the same rows as often, whatever the order, which only an ORDER BY over all columns would make certain."""
    compared, other = 0, list[str]()
    with database(dialect, tmp_path) as run:
        for sql in legitimate(dialect):
            if UNCERTAIN.search(sql):
                continue
            try:
                before = run(sql)
            except (duckdb.Error, sqlite3.Error):
                continue
            compared += 1
            if Counter(map(repr, run(check(Draft(sql), tables(dialect), dialect).sql))) != Counter(map(repr, before)):
                other.append(sql)
    assert other == []
    assert compared >= at_least
