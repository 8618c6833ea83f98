"""The patents questions over a Spark server give the rows that DuckDB gives: ties may fall otherwise, floats to ten digits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from streamlink_sql.assemble import control_unit
from streamlink_sql.control import ControlUnit
from streamlink_sql.demo.glossary import glossary_text
from streamlink_sql.demo.patents import make_patents
from streamlink_sql.errors import StreamLinkError
from streamlink_sql.evaluate.execution import Row, comparable_rows
from streamlink_sql.types import Question
from tests.serving import until
from tests.test_spark import start

ROWS = 20_000
FILES = (
    Path(__file__).parent.parent / "streamlink_sql" / "demo" / "questions.jsonl",
    Path(__file__).with_name("data") / "patents_unseen.jsonl",
)


@pytest.fixture(scope="module")
def patents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_patents(tmp_path_factory.mktemp("demo") / "patents", ROWS)
    (folder.parent / "glossary.toml").write_text(glossary_text(), encoding="utf-8")
    return folder


@pytest.fixture(scope="module", params=["sail", "apache"])
def units(request: pytest.FixtureRequest, patents: Path) -> Iterator[tuple[ControlUnit, ControlUnit]]:
    """Who answers over DuckDB, and over Spark."""
    process, address = start(request.param, patents.parent / f"{request.param}.log")
    places = {path.stem: f"file://{path}" for path in sorted(patents.iterdir()) if path.suffix == ".parquet"}
    options: dict[str, Any] = {"store": "temporary", "glossary": patents.parent / "glossary.toml"}
    try:
        with (
            closing(control_unit(data=str(patents), **options)) as here,
            closing(control_unit(data=address, locations=places, **options)) as there,
        ):
            names = {table.name for table in there.tables()}
            until(lambda: not there.catalog.notes(names), 400)  # columns that a slow server had no time to show are read in the background
            yield here, there
    finally:
        process.kill()
        process.wait()


def answered(unit: ControlUnit, text: str) -> tuple[str, list[Row]]:
    """The SQL and the rows, or the code of the problem."""
    try:
        answer = unit.answer(Question(text, row_limit=100_000, confirm=True))
    except StreamLinkError as error:
        return error.code, []
    assert answer.rows is not None
    return answer.sql, comparable_rows(answer.rows.as_python())


def falls_otherwise(unit: ControlUnit, sql: str, rows: list[Row]) -> bool:
    """Whether these are first rows of a query as good as those that were given: where rows tie, any of them may be among the first."""
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    order, limit = tree.args.get("order"), tree.args.get("limit")
    if not isinstance(tree, exp.Select) or order is None or limit is None:
        return False
    keys, count = [each.this for each in order.expressions], int(limit.expression.name)
    whole = tree.copy().select(*(key.copy() for key in keys)).limit(100_000)
    found = unit.run_sql(whole.sql(dialect="duckdb"), Question("all", row_limit=100_000, confirm=True)).rows
    assert found is not None
    every = comparable_rows(found.as_python())
    last = every[min(count, len(every)) - 1][-len(keys) :]
    before = Counter(row[: -len(keys)] for row in every[:count] if row[-len(keys) :] != last)
    ties = Counter(row[: -len(keys)] for row in every if row[-len(keys) :] == last)
    given = Counter(rows)
    return not before - given and not given - before - ties


@pytest.mark.cluster
@pytest.mark.timeout(900)
@pytest.mark.parametrize("file", FILES, ids=("demo", "unseen"))
def test_spark_answers_as_duckdb_does(units: tuple[ControlUnit, ControlUnit], file: Path) -> None:
    here, there = units
    differ = []
    for line in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
        (sql, ours), (_, theirs) = answered(here, line["question"]), answered(there, line["question"])
        ordered = "ORDER BY" in sql
        same = ours == theirs if ordered else Counter(ours) == Counter(theirs)
        if not same and not falls_otherwise(here, sql, theirs):
            differ.append(line["id"])
    assert differ == []
