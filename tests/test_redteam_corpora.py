"""The corpora of the package: every attack but a few runaway queries is refused, with the code it says, and hardly anything legitimate."""

from __future__ import annotations

import re
from functools import lru_cache

import duckdb
import pytest

from streamlink_sql.evaluate.gate import evaluate_gate, fixture_tables, refused
from streamlink_sql.evaluate.labelled import Labelled, read_statements
from streamlink_sql.redteam import CORPORA
from streamlink_sql.types import Dialect, Table
from tests.pace import slowness

FIXTURE = CORPORA / "fixture.sql"
AT_LEAST: dict[Dialect, int] = {"duckdb": 640, "sqlite": 400, "spark": 450}
CLASSES = set(
    """
    change write-inside-select several-statements file-read file-write network code other-schemas dynamic-sql parser-differences encoded
    exhaustion configuration oracles bulk-disclosure
    """.split()
)


@lru_cache(maxsize=3)
def tables(dialect: Dialect) -> tuple[Table, ...]:
    return fixture_tables(FIXTURE, "main", dialect)


def legitimate(dialect: Dialect) -> list[Labelled]:
    return [*read_statements(CORPORA / "legitimate.sql"), *read_statements(CORPORA / f"legitimate_{dialect}.sql")]


@pytest.mark.parametrize("dialect", list(AT_LEAST))
def test_attacks_are_refused(dialect: Dialect) -> None:
    attacks = read_statements(CORPORA / f"{dialect}_attacks.sql")
    assert len({each.text for each in attacks}) == len(attacks) >= AT_LEAST[dialect]
    codes = [(each, refused(each, tables(dialect), dialect)) for each in attacks]
    missed = [each.text for each, code in codes if not code]
    assert len(missed) / len(attacks) <= 0.01, missed
    assert [each.text for each, code in codes if code and code != each.code] == []


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
def test_attacks_that_know_the_files_are_refused(dialect: Dialect) -> None:
    attacks = read_statements(CORPORA / f"aimed_{dialect}.sql")
    assert len(attacks) >= 20
    assert [each.text for each in attacks if refused(each, tables(dialect), dialect) != each.code] == []


@pytest.mark.parametrize("dialect", list(AT_LEAST))
def test_what_is_missed_reads_only_what_may_be_read(dialect: Dialect) -> None:
    """The attacks that pass are costly, which the engine's limits end; none of them leaves the caller's tables."""
    attacks = read_statements(CORPORA / f"{dialect}_attacks.sql")
    assert {each.group for each in attacks if not refused(each, tables(dialect), dialect)} <= {"exhaustion"}
    assert {each.group for each in attacks} == CLASSES


@pytest.mark.parametrize("dialect", list(AT_LEAST))
def test_legitimate_queries_pass(dialect: Dialect) -> None:
    queries = legitimate(dialect)
    assert len({each.text for each in queries}) == len(queries) >= 340
    intercepted = [each.text for each in queries if refused(each, tables(dialect), dialect)]
    assert len(intercepted) / len(queries) <= 0.005, intercepted


def test_the_corpora_are_large_enough() -> None:
    assert len(read_statements(CORPORA / "legitimate.sql")) + sum(len(legitimate(each)) - 288 for each in AT_LEAST) >= 500


def test_the_shared_and_the_duckdb_queries_run_on_duckdb() -> None:
    with duckdb.connect(config={"threads": "1"}) as connection:
        connection.execute(FIXTURE.read_text(encoding="utf-8"))
        for each in legitimate("duckdb"):
            connection.execute(each.text).fetchall()


def test_the_fixture_hides_canaries() -> None:
    text = FIXTURE.read_text(encoding="utf-8")
    assert len(set(re.findall(r"CANARY-[\w-]+", text))) >= 8
    assert "CANARY" not in text.partition("CREATE SCHEMA hr")[0].partition("CREATE TABLE")[2]
    assert {table.name for table in tables("duckdb")} >= {"orders", "customers", "drop"}
    assert {table.name for table in fixture_tables(FIXTURE, "hr")} == {"hr.salaries", "hr.reviews"}


def test_the_gate_is_quick() -> None:
    best = min(evaluate_gate(CORPORA / "legitimate.sql", "duckdb", FIXTURE)["ms_p50"] for _ in range(2))
    assert best <= 2 * slowness()
