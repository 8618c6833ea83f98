"""A schema under other names: the same tables, keys and columns, so that what a query points at stays where it was."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.training.parser_data import Database, Example, read_databases
from streamlink_sql.training.renaming import renamed
from streamlink_sql.training.synthetic.build import spider_schema
from streamlink_sql.training.synthetic.schema import load
from streamlink_sql.training.synthetic.values import SCHEMAS
from streamlink_sql.types import ValueMatch


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> list[Database]:
    file = tmp_path_factory.mktemp("schemas") / "tables.json"
    file.write_text(json.dumps([spider_schema(base) for base in load(SCHEMAS)[:40]]), encoding="utf-8")
    return list(read_databases(Path(file), None).values())


def example(database: Database) -> Example:
    table = database.tables[0]
    match = ValueMatch(table.name, table.columns[-1].name, "x", 0, 1, 1.0)
    gone = ValueMatch("no such table", "at all", "x", 0, 1, 1.0)
    return Example("written", database.name, "x?", "SELECT 1", (match, gone), (("K", 0), ("C", 1)))


@pytest.mark.parametrize("seed", range(5))
def test_kinds_keys_and_places_stay(databases: list[Database], seed: int) -> None:
    other = 0
    for database in databases:
        tables, told, synonyms = renamed(database.tables, example(database), database.synonyms, random.Random(seed))
        before, after = Schema.of(database.tables), Schema.of(tables)
        assert [(owner, column.kind) for owner, column in after.columns] == [(owner, column.kind) for owner, column in before.columns]
        assert {(edge.left, edge.right, edge.pairs) for edge in before.edges} <= {
            (edge.left, edge.right, edge.pairs) for edge in after.edges
        }
        assert [len(table.primary_key) for table in tables] == [len(table.primary_key) for table in database.tables]
        for table in tables:
            assert len({column.name.casefold() for column in table.columns}) == len(table.columns)
            assert set(table.primary_key) <= {column.name for column in table.columns}
        assert told.symbols == example(database).symbols
        assert [(match.table, match.column) for match in told.matches] == [(tables[0].name, tables[0].columns[-1].name)]
        assert {place[0] for place in synonyms} == {table.name for table in tables}
        other += sum(new.name != old.name for new, old in zip(tables, database.tables, strict=True))
    assert other > 10


def test_the_old_name_becomes_a_synonym(databases: list[Database]) -> None:
    database = databases[0]
    for seed in range(20):
        tables, _, synonyms = renamed(database.tables, example(database), database.synonyms, random.Random(seed))
        for new, old in zip(tables[0].columns, database.tables[0].columns, strict=True):
            plain = old.name.replace("_", " ").lower()
            assert plain in (new.name, *synonyms[tables[0].name, new.name])


def test_the_same_seed_gives_the_same_names(databases: list[Database]) -> None:
    database = databases[1]
    once, again = (renamed(database.tables, example(database), database.synonyms, random.Random(3)) for _ in range(2))
    assert once == again
