"""Rows that belong to rows of their own table: which of the two is meant, on real rows."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from streamlink_sql.generators.parser.ir import Schema, to_ir, to_sql
from streamlink_sql.generators.parser.linking import link
from streamlink_sql.generators.parser.mends.mending import with_no_other
from streamlink_sql.generators.parser.mends.selves import with_second_selves
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.pieces import Pieces
from streamlink_sql.generators.parser.runtime import WEIGHTS
from streamlink_sql.generators.parser.tree import emit
from streamlink_sql.types import Column, ForeignKey, Table
from tests.test_parser_roles import spans

STAFF = Table(
    "staff",
    (
        Column("staff_id", "integer"),
        Column("first_name", "text"),
        Column("last_name", "text"),
        Column("wage", "integer"),
        Column("supervisor_id", "integer"),
    ),
    ("staff_id",),
    (ForeignKey(("supervisor_id",), "staff", ("staff_id",)),),
)
SCHEMA = Schema.of(
    (
        STAFF,
        Table("visits", (Column("visit_id", "integer"), Column("day", "date")), ("visit_id",)),
        Table(
            "offices",
            (Column("office_id", "integer"), Column("city", "text"), Column("supervisor_id", "integer")),
            ("office_id",),
            (ForeignKey(("supervisor_id",), "staff", ("staff_id",)),),
        ),
        Table(
            "kinds",
            (Column("kind_id", "integer"), Column("", "text"), Column("title", "text"), Column("parent_kind_id", "integer")),
            ("kind_id",),
            (ForeignKey(("parent_kind_id",), "kinds", ("kind_id",)),),
        ),
    )
)
ROWS = "(1, 'Ann', 'Lee', 90, NULL), (2, 'Bob', 'Ray', 95, 1), (3, 'Cid', 'Fox', 40, 1), (4, 'Dee', 'Lee', 30, 2)"
PIECES = Pieces(WEIGHTS / "tokenizer.json")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as found:
        found.execute(f"CREATE TABLE staff AS FROM (VALUES {ROWS}) staff(staff_id, first_name, last_name, wage, supervisor_id)")
        yield found


def mended(question: str, sql: str) -> str:
    written = to_ir(sql, SCHEMA, "duckdb")
    linked = link(question, SCHEMA, (), {}, PIECES)
    return to_sql(emit(with_second_selves(parse(written), spans(question, written), linked, SCHEMA)), SCHEMA, "duckdb")


@pytest.mark.parametrize(
    ("question", "sql", "rows"),
    [
        ("Who is the supervisor of Bob Ray?", "SELECT supervisor_id FROM staff WHERE last_name = 'Ray'", [("Ann", "Lee")]),
        (
            "all first names with their supervisors",
            "SELECT first_name, supervisor_id FROM staff",
            [("Ann", None, None), ("Bob", "Ann", "Lee"), ("Cid", "Ann", "Lee"), ("Dee", "Bob", "Ray")],
        ),
        ("Who earns more than their supervisor?", "SELECT first_name FROM staff WHERE wage > supervisor_id", [("Bob",)]),
        ("who reports to Ann", "SELECT last_name FROM staff WHERE first_name = 'Ann'", [("Fox",), ("Ray",)]),
        (
            "staff supervised by Ann Lee",
            "SELECT staff_id FROM staff WHERE first_name = 'Ann' AND last_name = 'Lee'",
            [(2,), (3,)],
        ),
        (
            "staff whose supervisor is Bob",
            "SELECT staff_id FROM staff WHERE supervisor_id IN (SELECT supervisor_id FROM staff WHERE first_name = 'Bob')",
            [(4,)],
        ),
        (
            "Who supervises nobody?",
            "SELECT first_name FROM staff WHERE staff_id NOT IN (SELECT supervisor_id FROM staff)",
            [("Cid",), ("Dee",)],
        ),
        (
            "the first name and supervisor of those who earn less than 80",
            "SELECT first_name, supervisor_id FROM staff WHERE wage < 95",
            [("Ann", None, None), ("Cid", "Ann", "Lee"), ("Dee", "Bob", "Ray")],
        ),
        ("How many people does nobody supervise?", "SELECT count(*) FROM staff WHERE supervisor_id IS NULL", [(1,)]),
    ],
)
def test_the_row_that_the_key_leads_to_is_meant(
    connection: duckdb.DuckDBPyConnection, question: str, sql: str, rows: list[tuple[object, ...]]
) -> None:
    assert sorted(connection.execute(mended(question, sql)).fetchall(), key=str) == sorted(rows, key=str)


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("the supervisor id of Bob", "SELECT supervisor_id FROM staff WHERE first_name = 'Bob'"),
        ("How many staff has each supervisor?", "SELECT supervisor_id, count(*) FROM staff GROUP BY supervisor_id"),
        ("the wage of the supervisor of Bob", "SELECT wage FROM staff WHERE first_name = 'Bob'"),
        (
            "staff with the same supervisor as Bob",
            "SELECT staff_id FROM staff WHERE supervisor_id IN (SELECT supervisor_id FROM staff WHERE first_name = 'Bob')",
        ),
        ("who is called Ann", "SELECT last_name FROM staff WHERE first_name = 'Ann'"),
        ("visits", "SELECT count(*) FROM visits"),
        ("the wage of the supervisor called Ann", "SELECT wage FROM staff WHERE first_name = 'Ann'"),
        (
            "offices whose supervisor is Ann",
            "SELECT o.city FROM offices o JOIN staff s ON o.supervisor_id = s.staff_id WHERE s.first_name = 'Ann'",
        ),
        ("things whose kind is Toys", "SELECT kind_id FROM kinds WHERE title = 'Toys'"),
        ("who is no supervisor", "SELECT staff_id FROM staff EXCEPT SELECT supervisor_id FROM staff"),
        ("offices of the same supervisor", "SELECT o.city FROM offices o JOIN staff s ON o.supervisor_id = s.supervisor_id"),
        (
            "Bob's supervisor",
            "SELECT s.wage FROM staff e JOIN staff s ON e.supervisor_id = s.staff_id WHERE e.first_name = 'Bob'",
        ),
    ],
)
def test_what_says_it_already_or_means_the_key_itself_stays(question: str, sql: str) -> None:
    assert mended(question, sql) == mended("", sql)


def test_a_row_without_a_name_is_called_by_its_title() -> None:
    assert "T2.title" in mended("the parent of Toys", "SELECT parent_kind_id FROM kinds WHERE title = 'Toys'")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("staff WHERE supervisor_id = 0", "staff WHERE supervisor_id IS NULL"),
        ("staff WHERE wage > 9 AND supervisor_id = 'null'", "staff WHERE wage > 9 AND supervisor_id IS NULL"),
        ("offices WHERE supervisor_id = 0", "offices WHERE supervisor_id IS NULL"),
        ("staff WHERE wage = 0", "staff WHERE wage = 0"),
        ("staff WHERE supervisor_id = 3", "staff WHERE supervisor_id = 3"),
        ("staff WHERE supervisor_id <> 0", "staff WHERE supervisor_id <> 0"),
    ],
)
def test_what_refers_to_nothing_has_no_value(written: str, meant: str) -> None:
    queries = [parse(to_ir(f"SELECT count(*) FROM {each}", SCHEMA, "duckdb")) for each in (written, meant)]
    assert with_no_other(queries[0], {}, SCHEMA) == queries[1]
    assert with_no_other(queries[0], {"0": (3, 3)}, SCHEMA) == queries[0 if "= 0" in written else 1]
