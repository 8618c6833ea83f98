"""The user's data as training sees it: tables, words and rows, through the catalogue and the engine. Runs checked SQL only."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from streamlink_sql.assemble import open_catalog, open_engine
from streamlink_sql.catalog import Catalog, glossary_beside
from streamlink_sql.catalog.reading import Snapshot
from streamlink_sql.catalog.values import Place
from streamlink_sql.checks import check
from streamlink_sql.engines.source import Source, look
from streamlink_sql.engines.spelling import quoted
from streamlink_sql.errors import EngineUnavailable
from streamlink_sql.settings import load_settings
from streamlink_sql.types import CheckedSQL, Context, Dialect, Draft, Engine, Rows, Table

if TYPE_CHECKING:
    import duckdb

TIME_LIMIT_S = 20.0
READ_LIMIT_S = 900.0
LARGEST_COPY = 2 * 2**30
"""Bytes of Parquet files that are copied to work on."""
MOST_NAMED = 50_000
"""A text column of so many different values at most, eight rows to each on average, is copied as numbers for them."""


@dataclass(frozen=True)
class Domain:
    """One source of data: its engine, and what the catalogue knows of it. Several threads may use it at once."""

    engine: Engine
    catalog: Catalog
    stamp: str = ""
    """Changes with the data."""
    words: Mapping[Place, Mapping[str, str]] = field(default_factory=dict)
    """Words for values that no glossary tells, as `training.words` learns them."""

    @cached_property
    def snapshot(self) -> Snapshot:
        """All that is known of the data, read once."""
        return self.catalog.snapshot().told(self.words)

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables, with keys and descriptions."""
        return self.snapshot.tables

    @property
    def dialect(self) -> Dialect:
        """The dialect of its SQL."""
        return self.engine.dialect

    def context(self, question: str) -> Context:
        """What a model is given for a question."""
        return self.snapshot.relevant(question)

    def checked(self, sql: str) -> CheckedSQL:
        """SQL that may run; raises InvalidSQL or PolicyRefused."""
        return check(Draft(sql), self.tables, self.dialect)

    def rows(self, sql: str, *, limit: int = 1_000_000, time_limit_s: float = TIME_LIMIT_S) -> Rows:
        """What SQL gives, once it has passed the checks."""
        return self.engine.run(self.checked(sql), row_limit=limit, time_limit_s=time_limit_s)


@contextmanager
def open_domain(data: str | Path, glossary: Path | None = None, *, at_once: int = 2) -> Iterator[Domain]:
    """The data at an address, closed at the end; `at_once` queries run at the same time, on one core each.

    A folder of Parquet files of moderate size is copied to a DuckDB file for the while: thousands of queries on it take half the time.
    """
    settings = load_settings(data=str(data), running=at_once, threads=1, **({"glossary": glossary} if glossary else {}))
    with TemporaryDirectory(prefix="streamlink-sql-training-") as folder:
        found = look(data) if Path(data).exists() else None
        if found is not None and found.kind == "files" and _is_worth_copying(found):
            beside = settings.glossary or glossary_beside(Path(data))
            copy = _copied(found, Path(folder) / f"{Path(data).stem or 'data'}.duckdb")
            settings = settings.model_copy(update={"data": str(copy), "glossary": beside, "keep_samples": False})
        engine = open_engine(settings)
        try:
            catalog = open_catalog(settings, engine)
            _wait_for_samples(catalog)
            yield Domain(engine, catalog, found.fingerprint() if found else engine.fingerprint())
        finally:
            engine.close()


def _wait_for_samples(catalog: Catalog) -> None:
    """Reads the data, all of it if that can be: what is made of it is to be the same every time."""
    deadline = time.monotonic() + READ_LIMIT_S
    while catalog.snapshot().is_partial and time.monotonic() < deadline:
        time.sleep(0.2)


def _is_worth_copying(found: Source) -> bool:
    size = sum(Path(file).stat().st_size for file in found.files() if Path(file).exists())
    return all(table.format == "parquet" for table in found.tables) and size <= LARGEST_COPY


def _copied(found: Source, target: Path) -> Path:
    """A DuckDB file with the tables of some Parquet files."""
    import duckdb

    with duckdb.connect(str(target)) as connection:
        for table in found.tables:
            options = f"hive_partitioning = {str(table.hive).lower()}, union_by_name = {str(len(table.files) > 1).lower()}"
            try:
                files = list(table.files)
                connection.execute(f"CREATE TABLE {quoted(table.name)} AS SELECT * FROM read_parquet(?, {options})", [files])
                _number_texts(connection, table.name)
            except duckdb.Error as error:
                raise EngineUnavailable(f"The table {table.name} cannot be read: {error}") from error
    return target


def _number_texts(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Makes an ENUM of each text column of few values, in the order of the texts: it gives the same rows in less time."""
    name = quoted(table)
    texts = [column for column, kind, *_ in connection.execute(f"DESCRIBE {name}").fetchall() if kind == "VARCHAR"]
    if not texts:
        return
    counts = ", ".join(f"approx_count_distinct({quoted(column)})" for column in texts)
    rows, *found = connection.execute(f"SELECT count(*), {counts} FROM {name}").fetchall()[0]
    for column, values in zip(texts, found, strict=True):
        if 0 < values <= min(MOST_NAMED, rows // 8):
            kind, cells = quoted(f"{table}.{column}"), quoted(column)
            connection.execute(
                f"CREATE TYPE {kind} AS ENUM (SELECT DISTINCT {cells} FROM {name} WHERE {cells} IS NOT NULL ORDER BY {cells})"
            )
            connection.execute(f"ALTER TABLE {name} ALTER {cells} TYPE {kind}")
