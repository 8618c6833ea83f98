"""The order of beams is fitted on beams that were run: with the shipped weights on a real database. Needs no torch."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from streamlink_sql.generators.parser.ranking import CONFIDENCE_NAMES, FEATURE_NAMES
from streamlink_sql.generators.parser.runtime import WEIGHTS, Model
from streamlink_sql.training.parser_data import Database, Example
from streamlink_sql.training.ranking import Beams, Looker, Rows, cross_validated, fit_confidence, fit_order, score
from streamlink_sql.types import Column, Table

ASKED = {
    "How many people are there?": "SELECT count(*) FROM people",
    "What is the total age of all people?": "SELECT sum(age) FROM people",
}
"""Each with right and wrong beams."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("north", "south"):
        with duckdb.connect(str(tmp_path / f"{name}.duckdb")) as connection:
            connection.execute("CREATE TABLE people (id INTEGER, city VARCHAR, age INTEGER)")
            connection.execute("INSERT INTO people VALUES (1, 'Oslo', 30), (2, 'Bergen', 41), (3, 'Oslo', 52)")
    return tmp_path


def test_beams_are_judged_by_the_rows_of_the_database(folder: Path) -> None:
    table = Table("people", (Column("id", "integer"), Column("city", "text"), Column("age", "integer")), ("id",))
    databases = {name: Database(name, (table,), {}) for name in ("north", "south")}
    examples = [Example("written", name, question, query, (), ()) for name in databases for question, query in ASKED.items()]
    looker = Looker(Model(WEIGHTS, threads=1), frozenset(("how", "many", "is", "the", "what")))
    found = looker.at_all(examples, databases, Rows(folder, "duckdb"))
    assert [beams.database for beams in found] == ["north", "north", "south", "south"]
    assert all(beams.features.shape == (len(beams.right), len(FEATURE_NAMES)) for beams in found)
    assert all(beams.right.any() and not beams.right.all() for beams in found)
    astray = looker.astray(examples, databases)
    assert len(astray) == len(examples)
    assert not any(beams.right.any() for beams in astray)
    assert len(fit_confidence([*found, *astray], fit_order(found))) == len(CONFIDENCE_NAMES)


def test_the_order_learns_what_tells_right_from_wrong() -> None:
    rng, sign = np.random.default_rng(1), FEATURE_NAMES.index("values_left_out")
    found = []
    for number in range(400):
        features = rng.normal(size=(4, len(FEATURE_NAMES)))
        right = np.zeros(4)
        right[features[:, sign].argmax()] = 1.0  # against what is expected
        found.append(Beams(f"d{number % 10}", features, right, right))
    weights = fit_order(found, pull=1.0)
    assert weights[sign] > 1
    assert score(found, weights)[1] > 0.9
    gold, rows = cross_validated({"all": found})["all"]
    assert gold == rows > score(found, np.eye(len(FEATURE_NAMES))[0])[1]
