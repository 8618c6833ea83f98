"""Groups by a name that several rows bear, on real rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from streamlink_sql.connection import connect
from streamlink_sql.generators.parser.ir import Schema, to_ir, to_sql
from streamlink_sql.generators.parser.mends.namesakes import with_namesakes_apart
from streamlink_sql.types import Column, ForeignKey, Table

NURSES = Table(
    "nurses",
    (
        Column("nurse_id", "integer"),
        Column("first_name", "text", unique=False),
        Column("last_name", "text", unique=False),
        Column("full_name", "text", unique=False),
        Column("job_title", "text", unique=False),
        Column("title", "text", unique=False),
        Column("ward_id", "integer"),
    ),
    ("nurse_id",),
    (ForeignKey(("ward_id",), "wards", ("ward_id",)),),
)
SHIFTS = Table(
    "shifts",
    (Column("shift_id", "integer"), Column("nurse_id", "integer"), Column("room_name", "text", unique=False)),
    ("shift_id",),
    (ForeignKey(("nurse_id",), "nurses", ("nurse_id",)),),
)
WARDS = Table("wards", (Column("ward_id", "integer"), Column("ward_name", "text", unique=True)), ("ward_id",))
SCHEMA = Schema.of((NURSES, SHIFTS, WARDS))
ROWS = """
CREATE TABLE wards(ward_id INTEGER, ward_name TEXT);
CREATE TABLE nurses(nurse_id INTEGER, first_name TEXT, last_name TEXT, full_name TEXT, job_title TEXT, ward_id INTEGER);
CREATE TABLE shifts(shift_id INTEGER, nurse_id INTEGER, room_name TEXT);
INSERT INTO wards VALUES (1, 'East');
INSERT INTO nurses VALUES (1, 'Ann', 'Lee', 'Ann Lee', 'head', 1), (2, 'Ann', 'Lee', 'Ann Lee', 'head', 1),
    (3, 'Bo', 'Ray', 'Bo Ray', 'aid', 1);
INSERT INTO shifts VALUES (1, 1, 'A'), (2, 1, 'A'), (3, 2, 'A'), (4, 2, 'B'), (5, 3, 'B'), (6, 3, 'B'), (7, 3, 'B');
"""
JOINED = "FROM nurses AS n JOIN shifts AS s ON s.nurse_id = n.nurse_id"
PER_NAME = f"SELECT n.full_name {JOINED} GROUP BY n.full_name"


def apart(sql: str) -> str:
    return to_sql(with_namesakes_apart(to_ir(sql, SCHEMA, "duckdb"), "who had most shifts".split(), SCHEMA), SCHEMA, "duckdb")


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        (f"SELECT n.full_name {JOINED} GROUP BY n.full_name ORDER BY count(*) DESC LIMIT 1", [("Bo Ray",)]),
        (f"SELECT n.full_name, count(*) {JOINED} GROUP BY n.full_name", [("Ann Lee", 2), ("Ann Lee", 2), ("Bo Ray", 3)]),
        (f"SELECT n.first_name, n.last_name, count(*) {JOINED} GROUP BY n.first_name, n.last_name HAVING count(*) > 2", [("Bo", "Ray", 3)]),
        (f"SELECT count(*) FROM (SELECT n.full_name {JOINED} GROUP BY n.full_name HAVING count(*) < 3)", [(2,)]),
        (f"SELECT n.full_name {JOINED} GROUP BY n.full_name, n.ward_id HAVING count(*) = 2", [("Ann Lee",), ("Ann Lee",)]),
    ],
)
def test_namesakes_are_told_apart(sql: str, rows: list[tuple[object, ...]]) -> None:
    with duckdb.connect() as connection:
        connection.execute(ROWS)
        assert sorted(connection.execute(apart(sql)).fetchall()) == rows


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT n.job_title, count(*) {JOINED} GROUP BY n.job_title",  # a kind of rows, not their name
        f"SELECT n.last_name, count(*) {JOINED} GROUP BY n.last_name",  # half of a person's name is asked for
        f"SELECT s.room_name, count(*) {JOINED} GROUP BY s.room_name",  # the rows that are counted
        "SELECT full_name, count(*) FROM nurses GROUP BY full_name",  # how often each name is borne
        f"SELECT n.nurse_id, n.full_name, count(*) {JOINED} GROUP BY n.nurse_id, n.full_name",
        "SELECT w.ward_name, count(*) FROM nurses AS n JOIN wards AS w ON n.ward_id = w.ward_id GROUP BY w.ward_name",  # each has its own
        f"SELECT n.full_name {JOINED} GROUP BY n.full_name HAVING count(DISTINCT n.nurse_id) > 1",  # who is called alike
        f"SELECT n.full_name {JOINED} GROUP BY n.full_name HAVING count(DISTINCT s.nurse_id) > 1",
        f"SELECT n.full_name, sum(count(*)) OVER (ORDER BY n.full_name) {JOINED} GROUP BY n.full_name ORDER BY n.full_name",
        f"SELECT n.full_name, room_name {JOINED} GROUP BY 1, 2 QUALIFY rank() OVER (PARTITION BY n.full_name ORDER BY count(*) DESC) = 1",
        f"{PER_NAME} HAVING count(*) > (SELECT avg(k) FROM (SELECT count(*) AS k {JOINED} GROUP BY n.full_name))",
        f"SELECT n.title, count(*) {JOINED} GROUP BY n.title",  # the table has names besides
    ],
)
def test_other_groups_stay(sql: str) -> None:
    tokens = to_ir(sql, SCHEMA, "duckdb")
    assert with_namesakes_apart(tokens, "who had most shifts".split(), SCHEMA) == tokens


@pytest.mark.parametrize("question", ["shifts per nurse name", "How many shifts for each name ?", "Which full name has most shifts"])
def test_groups_by_what_is_said_to_be_a_name_stay(question: str) -> None:
    tokens = to_ir(f"SELECT n.full_name, count(*) {JOINED} GROUP BY n.full_name", SCHEMA, "duckdb")
    assert with_namesakes_apart(tokens, question.split(), SCHEMA) == tokens
    assert with_namesakes_apart(tokens, "name each nurse and the shifts".split(), SCHEMA) != tokens


def test_a_title_is_the_name_of_what_has_no_other() -> None:
    papers = Table("papers", (Column("paper_id", "integer"), Column("title", "text", unique=False)), ("paper_id",))
    notes = Table(
        "notes", (Column("note_id", "integer"), Column("paper_id", "integer")), (), (ForeignKey(("paper_id",), "papers", ("paper_id",)),)
    )
    schema = Schema.of((papers, notes))
    sql = "SELECT p.title FROM papers AS p JOIN notes AS n ON n.paper_id = p.paper_id GROUP BY p.title HAVING count(*) > 2"
    tokens = with_namesakes_apart(to_ir(sql, schema, "duckdb"), (), schema)
    assert to_sql(tokens, schema, "duckdb").split("GROUP BY ")[1].startswith("T1.title, T1.paper_id")


def test_a_key_of_two_columns_tells_no_namesakes_apart() -> None:
    schema = Schema.of((replace(NURSES, primary_key=("nurse_id", "ward_id")), SHIFTS, WARDS))
    tokens = to_ir(f"SELECT n.full_name, count(*) {JOINED} GROUP BY n.full_name", schema, "duckdb")
    assert with_namesakes_apart(tokens, (), schema) == tokens


def test_the_data_says_which_names_repeat(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "ward.duckdb")) as connection:
        connection.execute(ROWS)
    with connect(tmp_path / "ward.duckdb") as ward:
        nurses = next(table for table in ward.control.catalog.relevant("nurses").tables if table.name == "nurses")
        assert {each.name: each.unique for each in nurses.columns if each.kind == "text"}["full_name"] is False
        assert ward.ask("full name of the nurse with the most shifts").arrow().to_pylist() == [{"full_name": "Bo Ray"}]


def test_names_that_nobody_has_looked_at_stay() -> None:
    unknown = Schema.of((replace(NURSES, columns=tuple(replace(each, unique=None) for each in NURSES.columns)), SHIFTS, WARDS))
    tokens = to_ir(f"SELECT n.full_name, count(*) {JOINED} GROUP BY n.full_name", unknown, "duckdb")
    assert with_namesakes_apart(tokens, (), unknown) == tokens
