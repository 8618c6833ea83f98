"""The patents questions over a Spark server give the rows that DuckDB gives: ties may fall otherwise, floats to ten digits."""

from __future__ import annotations

import json
import os
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
from streamlink_sql.generators.parser.ir import Schema, to_ir, to_sql
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


LONG = pytest.mark.skipif(not os.environ.get("STREAMLINK_TEST_LONG"), reason="takes minutes: set STREAMLINK_TEST_LONG=1")


@pytest.fixture(scope="module", params=["sail", pytest.param("apache", marks=LONG)])
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
            yield here, there
    finally:
        process.kill()
        process.wait()


def answered(unit: ControlUnit, text: str) -> tuple[str, list[Row]]:
    """The SQL and the rows, or the code of the problem."""
    try:
        answer = unit.answer(Question(text, row_limit=100_000, time_limit_s=200, confirm=True))
    except StreamLinkError as error:
        return error.code, []
    assert answer.rows is not None
    return answer.sql, comparable_rows(answer.rows.as_python())


def falls_otherwise(unit: ControlUnit, sql: str, rows: list[Row]) -> bool:
    """Whether these rows are in an order as good as those that were given, and the first ones: where rows tie, any of them may be."""
    tree = sqlglot.parse_one(sql, dialect="duckdb") if " " in sql else exp.select("1")
    order, limit = tree.args.get("order"), tree.args.get("limit")
    if not isinstance(tree, exp.Select) or order is None:
        return False
    keys = [each.this for each in order.expressions]
    whole = tree.copy().select(*(key.copy() for key in keys)).limit(100_000)
    found = unit.run_sql(whole.sql(dialect="duckdb"), Question("all", row_limit=100_000, confirm=True)).rows
    assert found is not None
    every = [(row[: -len(keys)], row[-len(keys) :]) for row in comparable_rows(found.as_python())]
    count = min(int(limit.expression.name), len(every)) if limit else len(every)
    if not count or len(rows) != count:
        return False
    key_of = dict(every)
    if len(key_of) == len(every) and [key_of.get(row) for row in rows] != [key for _, key in every[:count]]:
        return False
    last = every[count - 1][1]
    before = Counter(row for row, key in every[:count] if key != last)
    ties = Counter(row for row, key in every if key == last)
    given = Counter(rows)
    return not before - given and not given - before - ties


@pytest.mark.cluster
@pytest.mark.timeout(900)
@pytest.mark.parametrize("file", FILES, ids=("demo", "unseen"))
def test_spark_answers_as_duckdb_does(units: tuple[ControlUnit, ControlUnit], file: Path) -> None:
    here, there = units
    names = {table.name for table in there.tables()}
    until(lambda: not there.catalog.notes(names), 400)  # columns that a slow server had no time to show are read in the background
    differ = []
    for line in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
        (sql, ours), (said, theirs) = answered(here, line["question"]), answered(there, line["question"])
        ordered = " " in sql and sqlglot.parse_one(sql, dialect="duckdb").args.get("order") is not None
        same = ours == theirs if ordered else Counter(ours) == Counter(theirs)
        if not same and not falls_otherwise(here, sql, theirs):
            differ.append((line["id"], "other rows" if " " in said else said))
    assert differ == []


FORMS = (
    "SELECT count(*) FILTER (WHERE year(publication_date) = 2020) - count(*) FILTER (WHERE year(publication_date) = 2010) FROM patents",
    "SELECT country_code FROM patents GROUP BY country_code HAVING count(*) FILTER (WHERE claim_count > 9) < count_if(claim_count < 9)",
    "SELECT country_code, median(claim_count), median(grant_date - application_date) FROM patents GROUP BY country_code",
    """SELECT country_code, inventor_name FROM patents WHERE claim_count > 3 GROUP BY country_code, inventor_name
       QUALIFY rank() OVER (PARTITION BY country_code ORDER BY count(*) DESC) = 1""",
    """SELECT year(publication_date), publication_number, citation_count FROM patents
       QUALIFY rank() OVER (PARTITION BY year(publication_date) ORDER BY citation_count DESC) <= 2 ORDER BY year(publication_date)""",
    """SELECT year(publication_date), sum(count(*)) OVER (ORDER BY year(publication_date)) FROM patents
       GROUP BY year(publication_date) ORDER BY year(publication_date)""",
    """SELECT country_code, year(publication_date), sum(claim_count) - lag(sum(claim_count)) OVER
       (PARTITION BY country_code ORDER BY year(publication_date)) FROM patents GROUP BY country_code, year(publication_date)""",
    "SELECT publication_number FROM patents ORDER BY citation_count DESC, publication_number LIMIT 1 OFFSET 2",
)


@pytest.mark.cluster
@pytest.mark.timeout(300)
@pytest.mark.parametrize("gold", FORMS)
def test_what_the_parser_writes_for_spark_gives_the_rows(units: tuple[ControlUnit, ControlUnit], gold: str) -> None:
    here, there = units
    schema = Schema.of(here.tables())
    tokens = to_ir(gold, schema, "duckdb")
    asked = Question("all", row_limit=100_000, time_limit_s=200, confirm=True)
    wanted, *given = (
        found.as_python()
        for found in (
            here.run_sql(gold, asked).rows,
            here.run_sql(to_sql(tokens, schema, "duckdb"), asked).rows,
            there.run_sql(to_sql(tokens, schema, "spark"), asked).rows,
        )
        if found is not None
    )
    assert wanted
    assert [Counter(comparable_rows(rows)) for rows in given] == [Counter(comparable_rows(wanted))] * 2


@pytest.mark.cluster
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("median and 90th percentile of claims by country", "QUANTILE_CONT"),
        ("standard deviation of the claims by country to two decimals", "ROUND(STDDEV"),
        ("How many patents were published on each weekday? Name of the day and number", "DAYNAME"),
    ],
)
def test_figures_that_the_network_does_not_know_are_the_same_on_spark(
    units: tuple[ControlUnit, ControlUnit], text: str, written: str
) -> None:
    (sql, ours), (_, theirs) = (answered(unit, text) for unit in units)
    assert written in sql
    assert ours
    assert Counter(ours) == Counter(theirs)
