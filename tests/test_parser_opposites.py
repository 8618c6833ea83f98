"""Words that say by their beginning what is not so."""

from __future__ import annotations

import pytest

from streamlink_sql.generators.parser.ir import Schema, to_ir, to_sql
from streamlink_sql.generators.parser.mends.opposites import with_opposites
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.tree import emit
from streamlink_sql.types import Column, Table

PARCELS = Table(
    "parcels",
    (
        Column("id", "integer"),
        Column("status", "text"),
        Column("insured", "boolean"),
        Column("sent_on", "date"),
        Column("scan_count", "integer"),
    ),
    ("id",),
)
SCHEMA = Schema.of((PARCELS,))


def mended(question: str, condition: str, said: dict[str, tuple[int, int]]) -> str:
    tokens = to_ir(f"SELECT id FROM parcels WHERE {condition}", SCHEMA, "duckdb")
    query = with_opposites(parse(tokens), said, question.lower().split(), SCHEMA)
    return to_sql(list(emit(query)), SCHEMA, "duckdb").partition(" WHERE ")[2]


@pytest.mark.parametrize(
    ("question", "condition", "said", "meant"),
    [
        ("undelivered parcels", "status = 'delivered'", {"delivered": (0, 0)}, "status <> 'delivered'"),
        ("Non-Delivered parcels", "status = 'delivered'", {"delivered": (0, 0)}, "status <> 'delivered'"),
        ("uninsured parcels", "insured = TRUE", {}, "insured = FALSE"),
        ("parcels no longer insured", "insured IS NULL", {}, "insured = FALSE"),
        ("insured parcels", "NOT insured IS NULL", {}, "insured = TRUE"),
        ("uninsured parcels", "NOT insured IS NULL", {}, "insured = FALSE"),
        ("parcels without scans", "scan_count IS NULL", {}, "scan_count = 0"),
        ("parcels with scans", "NOT scan_count IS NULL", {}, "scan_count > 0"),
    ],
)
def test_the_opposite_is_meant(question: str, condition: str, said: dict[str, tuple[int, int]], meant: str) -> None:
    assert mended(question, condition, said) == meant


@pytest.mark.parametrize(
    ("question", "condition", "said"),
    [
        ("delivered parcels", "status = 'delivered'", {"delivered": (0, 0)}),
        ("unpaid parcels", "status = 'unpaid'", {"unpaid": (0, 0)}),
        ("undelivered parcels", "status <> 'delivered'", {"delivered": (0, 0)}),
        ("insured or uninsured parcels", "insured = TRUE", {}),
        ("uninsured parcels", "insured = FALSE", {}),
        ("parcels whose insured is unknown", "insured IS NULL", {}),
        ("parcels without a date", "sent_on IS NULL", {}),
        ("parcels whose number of scans is missing", "scan_count IS NULL", {}),
    ],
)
def test_what_is_said_as_it_is_stays(question: str, condition: str, said: dict[str, tuple[int, int]]) -> None:
    assert mended(question, condition, said) == condition


@pytest.mark.parametrize(("native", "written"), [("BOOLEAN", "insured = FALSE"), ("", "insured = FALSE"), ("BIGINT", "insured = 0")])
def test_flags_are_written_as_the_engine_keeps_them(native: str, written: str) -> None:
    schema = Schema.of((Table("parcels", (Column("id", "integer"), Column("insured", "boolean", native))),))
    tokens = to_ir("SELECT id FROM parcels WHERE insured = 0", schema, "duckdb")
    assert to_sql(tokens, schema, "duckdb").endswith(written)
