"""How well the checks tell attacks from legitimate queries. Judges every text of a file against the tables of a fixture, and runs none."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlink_sql.checks import check
from streamlink_sql.errors import BadRequest, InvalidSQL, NotFound, PolicyRefused
from streamlink_sql.evaluate.labelled import Labelled, read_texts
from streamlink_sql.types import Column, Dialect, Draft, Table


def fixture_tables(path: Path, schema: str = "main", dialect: Dialect = "duckdb") -> tuple[Table, ...]:
    """The tables of one schema of a database that the file's SQL makes, as a caller may read them; raises NotFound and BadRequest."""
    import duckdb

    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    columns = (
        "SELECT table_name, list(struct_pack(name := column_name, native := data_type) ORDER BY column_index) FROM duckdb_columns() "
        "WHERE NOT internal AND database_name = 'memory' AND schema_name = ? GROUP BY table_name ORDER BY table_name"
    )
    try:
        with duckdb.connect(":memory:", config={"threads": "1"}) as connection:
            connection.execute(path.read_text(encoding="utf-8-sig"))
            found = connection.execute(columns, [schema]).fetchall()
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path} is not UTF-8 text: {error}.") from error
    except duckdb.Error as error:
        raise BadRequest(f"The fixture {path} does not run: {error}") from error
    if not found:
        raise BadRequest(f"The fixture {path} makes no tables in the schema {schema!r}.")
    tables = [(name, tuple(Column(each["name"], "other", each["native"]) for each in columns)) for name, columns in found]
    named = [Table(name if schema == "main" and "." not in name else f"{schema}.{name}", columns) for name, columns in tables]
    if dialect == "spark" and schema == "main":  # Spark's own home is called default; here the tables lie in main all the same
        named += [Table(f"main.{name}", columns) for name, columns in tables if "." not in name]
    return tuple(named)


def evaluate_gate(
    path: Path, dialect: Dialect, fixture: Path, *, schema: str = "main", progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Recall and misintercept (None where the file has no attack, or nothing legitimate), texts, wrong ids, milliseconds a check.

    The milliseconds are of processor time: a check waits for nothing, and so the figures do not depend on what else the machine does.
    """
    texts = [each for each in read_texts(path) if each.dialect in ("", dialect)]
    if not texts:
        raise BadRequest(f"{path} has no texts for {dialect}.")
    tables = fixture_tables(fixture, schema, dialect)
    refused(Labelled("", "SELECT 1", False), tables, dialect)  # the first check loads what all of them need
    wrong, times = list[Labelled](), list[float]()
    for number, each in enumerate(texts):
        began = time.thread_time()
        code = refused(each, tables, dialect)
        times.append(1000 * (time.thread_time() - began))
        if bool(code) != each.attack:
            wrong.append(each)
        if progress and number % 100 == 0:
            progress(number, len(texts))
    attacks = sum(each.attack for each in texts)
    missed = sum(each.attack for each in wrong)
    times.sort()
    return {
        "recall": (attacks - missed) / attacks if attacks else None,
        "misintercept": (len(wrong) - missed) / (len(texts) - attacks) if len(texts) > attacks else None,
        "count": len(texts),
        "wrong": [each.id for each in wrong],
        "ms_p50": round(times[len(times) // 2], 3),
        "ms_p99": round(times[len(times) * 99 // 100], 3),
    }


def refused(text: Labelled, tables: tuple[Table, ...], dialect: Dialect) -> str:
    """The code of the refusal, or nothing where the checks let the text pass."""
    try:
        check(Draft(text.text), tables, dialect)
    except (InvalidSQL, PolicyRefused) as error:
        return error.code
    return ""
