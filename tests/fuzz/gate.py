"""Coverage-guided fuzzing of the gate; `make fuzz` runs it. Opens no data and runs no SQL.

    prepare FOLDER           writes seeds (the corpora of the package), tables and a dictionary; needs the package's own environment
    fuzz FOLDER SECONDS [FLAG...]
                             looks for texts that reach new lines of the gate and of sqlglot, so long after all seeds are read; takes
                             libFuzzer's flags; needs atheris, and sqlglot in plain Python, since compiled code tells nothing of its lines
    replay FOLDER            judges every text that was found with the sqlglot that is shipped, against the time that is promised

A text fails by an error that is none of ours, by SQL that the gate refuses or writes otherwise once it has written it, or by time.
The first byte of an input tells the dialect, the rest is the text.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import time
from dataclasses import replace
from hashlib import sha1
from pathlib import Path
from typing import get_args

counted: contextlib.AbstractContextManager[object] = contextlib.nullcontext()
if sys.argv[1:2] == ["fuzz"]:
    import atheris

    counted = atheris.instrument_imports(include=["sqlglot", "streamlink_sql"])
with counted:  # what is imported here tells which of its lines a text reaches
    import sqlglot.dialects.duckdb
    import sqlglot.dialects.spark
    import sqlglot.dialects.sqlite  # noqa: F401

    from streamlink_sql.checks import DEFAULT, check, explain
    from streamlink_sql.errors import InvalidSQL, PolicyRefused, StreamLinkError
    from streamlink_sql.types import Column, Dialect, Draft, Table

DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
LIMIT_S = 0.1
"""The processor time that a text may take at most."""
FUZZING_LIMIT_S = 2.0
"""The same where every line of sqlglot is counted."""
ROOMY = replace(DEFAULT, caps=replace(DEFAULT.caps, bytes=64 * 1024, tokens=8_000, work=16_000, nesting=64, joins=80, run=40, chain=32))
"""SQL that the gate has written may be longer than what was given."""
WORDS = """
    SELECT FROM WHERE WITH RECURSIVE AS ( ) [ ] { } , . ; * + - / // % = < > <> || :: : ' " ` ? $1 @ ~ -> ->> => ** ^ & |
    << -- /* */ JOIN LEFT FULL CROSS NATURAL ASOF LATERAL SEMI ANTI ON USING GROUP BY HAVING ORDER LIMIT OFFSET FETCH
    UNION ALL EXCEPT INTERSECT CASE WHEN THEN ELSE END NOT IN EXISTS BETWEEN AND OR IS NULL LIKE ILIKE ESCAPE GLOB CAST
    TRY_CAST INTERVAL EXTRACT OVER PARTITION ROWS RANGE PRECEDING WINDOW FILTER WITHIN QUALIFY UNNEST VALUES DISTINCT
    TABLESAMPLE PIVOT UNPIVOT GROUPING SETS CUBE ROLLUP COLLATE AT TIME ZONE DATE TIMESTAMP STRUCT MAP ARRAY DECIMAL
    INTEGER VARCHAR COLUMNS EXCLUDE REPLACE RENAME lambda x'41' E'a' 0x1 1e9 1e999 range( generate_series( printf(
    format( repeat( date( array[ count(*) list_aggregate( strftime( date_trunc( json_extract( regexp_replace( substring(
    trim( LATERAL VIEW explode( orders customers order_id ${x} true false current_date \\x0d\\x0a \\xc3\\xa9
    \\xe2\\x80\\xae
""".split()

Tables = dict[Dialect, tuple[Table, ...]]


class Fault(Exception):
    """The gate has not done what it promises."""


def judge(sql: str, dialect: Dialect, tables: tuple[Table, ...]) -> str | None:
    """What the gate makes of a text, None where it refuses it; raises Fault, and whatever the gate should not raise."""
    try:
        checked = check(Draft(sql), tables, dialect)
    except (InvalidSQL, PolicyRefused):
        return None
    if not checked.tables <= {table.name for table in tables}:
        raise Fault(f"It reads tables that nobody named: {sorted(checked.tables)}")
    try:
        again = check(Draft(checked.sql), tables, dialect, policy=ROOMY)
    except StreamLinkError as error:
        raise Fault(f"What it has written is refused: {error}\n{checked.sql}") from error
    if again.sql != checked.sql or again.tables != checked.tables:
        raise Fault(f"What it has written it writes otherwise:\n{checked.sql}\n{again.sql}")
    explain(checked, tables)
    return checked.sql


def read(data: bytes) -> tuple[str, Dialect]:
    """An input as a text and its dialect."""
    return data[1:].decode(errors="replace"), DIALECTS[data[0] % len(DIALECTS)] if data else DIALECTS[0]


def prepare(folder: Path) -> None:
    """Seeds, tables and a dictionary."""
    from streamlink_sql.evaluate.gate import fixture_tables
    from streamlink_sql.evaluate.labelled import read_statements
    from streamlink_sql.redteam import CORPORA

    (folder / "texts").mkdir(parents=True, exist_ok=True)
    for path in sorted(CORPORA.glob("*.sql")):
        named = [number for number, dialect in enumerate(DIALECTS) if dialect in path.stem] or range(len(DIALECTS))
        for each in read_statements(path) if path.stem != "fixture" else ():
            for number in named:
                _keep(folder, bytes([number]) + each.text.encode(errors="replace"))
    tables = {dialect: fixture_tables(CORPORA / "fixture.sql", "main", dialect) for dialect in DIALECTS}
    plain = {name: [[t.name, [[c.name, c.kind, c.native] for c in t.columns]] for t in each] for name, each in tables.items()}
    (folder / "tables.json").write_text(json.dumps(plain), encoding="utf-8")
    quoted = (word if word.startswith("\\") else word.replace('"', '\\"') for word in WORDS)
    (folder / "words.dict").write_text("".join(f'"{word}"\n' for word in quoted), encoding="utf-8")


def _keep(folder: Path, data: bytes) -> None:
    (folder / "texts" / sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)


def tables_in(folder: Path) -> Tables:
    """The tables that `prepare` wrote."""
    plain = json.loads((folder / "tables.json").read_text(encoding="utf-8"))
    return {
        name: tuple(Table(table, tuple(Column(*column) for column in columns)) for table, columns in each) for name, each in plain.items()
    }


def fuzz(folder: Path, seconds: float, flags: list[str]) -> None:
    """libFuzzer, until the time is over or a text fails. Its own clock would count the seeds, which take minutes on a busy machine."""
    tables, end = tables_in(folder), 0.0

    def one(data: bytes) -> None:
        sql, dialect = read(data)
        took = _seconds(sql, dialect, tables[dialect])
        if took > FUZZING_LIMIT_S and (took := _seconds(sql, dialect, tables[dialect])) > FUZZING_LIMIT_S:
            raise Fault(f"The gate took {took:.1f} s.")

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        """One in eight: a piece again and again, with its brackets closed, since slow texts are mostly that."""
        nonlocal end
        end = end or time.monotonic() + seconds  # the seeds are read: from now on texts are changed
        if time.monotonic() > end:
            os.kill(os.getpid(), signal.SIGUSR1)  # libFuzzer ends after this text
        chance = random.Random(seed)
        if chance.random() < 0.875 or len(data) < 4:
            return bytes(atheris.Mutate(data, most))
        start = chance.randrange(1, len(data))
        piece = data[start : start + chance.choice((2, 4, 8, 16, 40))]
        times = chance.choice((2, 3, 7, 15, 30, 200, 1_000))
        closing = b")" * (piece.count(b"(") - piece.count(b")"))
        return bytes(data[:start] + piece * times + closing * times + data[start + len(piece) :])[:most]

    given = ["-max_len=16384", "-timeout=60", "-rss_limit_mb=3000", f"-dict={folder / 'words.dict'}", f"-artifact_prefix={folder}/failed-"]
    atheris.Setup([sys.argv[0], *given, *flags, str(folder / "texts")], one, custom_mutator=mutate)
    atheris.Fuzz()


def replay(folder: Path) -> int:
    """Judges every text again; returns how many fail."""
    from tests.pace import slowness

    tables, failed, slowest = tables_in(folder), 0, 0.0
    found = sorted(path for path in [*(folder / "texts").iterdir(), *folder.glob("failed-*")] if path.is_file())
    for dialect in DIALECTS:
        judge("SELECT 1", dialect, tables[dialect])
    for path in found:
        sql, dialect = read(path.read_bytes())
        try:
            took = _seconds(sql, dialect, tables[dialect])
            if took > LIMIT_S:
                took = min(took, *(_seconds(sql, dialect, tables[dialect]) for _ in range(4)))
            if took > LIMIT_S and took > LIMIT_S * slowness():
                raise Fault(f"The gate took {took * 1000:.0f} ms.")
            slowest = max(slowest, took)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
            failed += 1
            print(f"{path} ({dialect}): {type(error).__name__}: {error}\n    {sql[:300]!r}", flush=True)
    print(f"{len(found)} texts, {failed} failed; the slowest of the others took {slowest * 1000:.0f} ms of processor time.")
    return failed


def _seconds(sql: str, dialect: Dialect, tables: tuple[Table, ...]) -> float:
    """The processor time of one check, once everything else about the text holds."""
    begin = time.thread_time()
    try:
        check(Draft(sql), tables, dialect)
    except (InvalidSQL, PolicyRefused):
        return time.thread_time() - begin
    took = time.thread_time() - begin
    judge(sql, dialect, tables)
    return took


if __name__ == "__main__":
    what, place = sys.argv[1], Path(sys.argv[2])
    if what == "prepare":
        prepare(place)
    elif what == "fuzz":
        fuzz(place, float(sys.argv[3]), sys.argv[4:])
    else:
        sys.exit(replay(place) > 0)
