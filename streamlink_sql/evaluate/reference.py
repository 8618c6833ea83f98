"""Where predicted and gold SQL are run for scoring: a SQLite file, or the engine of any other data behind the checks. Read-only.

Spider's own scorer runs text that nobody has checked, so SQLite files have a small runner of their own (`execution.SQLiteRunner`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from streamlink_sql.errors import BadRequest, InvalidSQL, NotFound, PolicyRefused, TimedOut
from streamlink_sql.evaluate.execution import Row, SQLiteRunner, comparable_rows
from streamlink_sql.evaluate.sets import Source
from streamlink_sql.evaluate.spider_grammar import SpiderSchema
from streamlink_sql.types import Draft, Engine, Table

_TIME_LIMIT_S = 60.0
_ROW_LIMIT = 1_000_000
_SQLITE_MAGIC = b"SQLite format 3\x00"


class Runner(Protocol):
    """Runs one query and returns every row; raises StreamLinkErrors."""

    def run(self, sql: str, time_limit_s: float) -> Sequence[Row]:
        """Every row of one SELECT."""
        ...


@dataclass(frozen=True, slots=True)
class Reference:
    """One database as the scorer sees it."""

    schema: SpiderSchema
    dialect: str
    runner: Runner

    def rows(self, sql: str) -> Sequence[Row]:
        """The rows of a predicted query; raises InvalidSQL, PolicyRefused or TimedOut."""
        return self.runner.run(sql, _TIME_LIMIT_S)

    def gold_rows(self, sql: str) -> Sequence[Row]:
        """The rows of the gold query, which should run: BadRequest where it does not."""
        try:
            return self.runner.run(sql, _TIME_LIMIT_S)
        except (InvalidSQL, PolicyRefused, TimedOut) as error:
            raise BadRequest(f"The gold SQL does not run: {error.detail}", rule="gold") from error


class EngineRunner:
    """Runs SQL through the checks on an engine, for data other than SQLite files."""

    def __init__(self, engine: Engine, tables: tuple[Table, ...]) -> None:
        self._engine = engine
        self._tables = tables

    def run(self, sql: str, time_limit_s: float) -> Sequence[Row]:
        from streamlink_sql.checks import check

        query = check(Draft(sql), self._tables, self._engine.dialect)
        rows = self._engine.run(query, row_limit=_ROW_LIMIT, time_limit_s=time_limit_s)
        return comparable_rows(zip(*(column.to_pylist() for column in rows.table.columns), strict=True))


References = Callable[[str], AbstractContextManager[Reference]]


@contextmanager
def open_references(source: Source) -> Iterator[References]:
    """A function from a database name to its Reference; one at a time is open."""
    schemas = read_schemas(source.tables) if source.tables else {}

    @contextmanager
    def reference(db_id: str) -> Iterator[Reference]:
        address = source.address(db_id)
        if is_sqlite(address):
            with SQLiteRunner(Path(address)) as runner:
                yield Reference(schemas.get(db_id) or _sqlite_schema(runner), "sqlite", runner)
        else:
            from streamlink_sql.assemble import open_engine
            from streamlink_sql.settings import load_settings

            engine = open_engine(load_settings(data=address))
            try:
                tables = engine.tables()
                yield Reference(schema_of(tables), engine.dialect, EngineRunner(engine, tables))
            finally:
                engine.close()

    yield reference


def is_sqlite(address: str) -> bool:
    """Whether the address is a SQLite file, by its first bytes."""
    path = Path(address)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC


def read_schemas(path: Path) -> dict[str, SpiderSchema]:
    """The schemas of Spider's tables.json by database."""
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {entry["db_id"]: SpiderSchema.of_entry(entry) for entry in entries}
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise BadRequest(f"{path} is not in the form of Spider's tables.json: {error!r}") from error


def schema_of(tables: Iterable[Table]) -> SpiderSchema:
    """The schema of an engine's tables, columns joined by declared keys standing for each other."""
    tables = tuple(tables)
    columns = {table.name.lower(): frozenset(column.name.lower() for column in table.columns) for table in tables}
    stands_for: dict[str, str] = {}
    for table in tables:
        for key in table.foreign_keys:
            for mine, theirs in zip(key.columns, key.to_columns, strict=False):
                _join(stands_for, f"{table.name}.{mine}".lower(), f"{key.to_table}.{theirs}".lower())
    return SpiderSchema(columns, stands_for)


def _join(stands_for: dict[str, str], left: str, right: str) -> None:
    first, second = stands_for.get(left, left), stands_for.get(right, right)
    stands_for.update({left: second, right: second, first: second})
    stands_for.update({column: second for column, stand in stands_for.items() if stand == first})


def _sqlite_schema(runner: SQLiteRunner) -> SpiderSchema:
    """Tables and columns of a SQLite file for which no tables.json speaks."""
    tables: dict[str, set[str]] = {}
    for table, column in runner.names():
        tables.setdefault(table.lower(), set()).add(column.lower())
    return SpiderSchema({table: frozenset(found) for table, found in tables.items()}, {})
