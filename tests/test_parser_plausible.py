"""What a finished query says that hardly anybody would ask, and that ordinary queries say nothing of the kind."""

from __future__ import annotations

import pytest

from streamlink_sql.generators.parser.actions import alias_words
from streamlink_sql.generators.parser.ir import Schema, to_ir
from streamlink_sql.generators.parser.linking import split_words
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.plausible import implausible
from streamlink_sql.types import Column, ForeignKey, Table, ValueMatch

SCHEMA = Schema.of(
    (
        Table(
            "permits",
            (
                Column("permit_id", "integer"),
                Column("firm_id", "integer"),
                Column("filed_date", "date"),
                Column("granted_date", "date"),
                Column("inspector_name", "text"),
                Column("inspector_count", "integer"),
                Column("fee", "decimal"),
                Column("icd_code", "text"),
                Column("icpc_code", "text"),
            ),
            ("permit_id",),
            (ForeignKey(("firm_id",), "firms", ("firm_id",)),),
        ),
        Table("firms", (Column("firm_id", "integer"), Column("firm_name", "text"), Column("founded_year", "integer")), ("firm_id",)),
    )
)
ICD, ICPC = 7, 8
CELLS = frozenset({(ICD, "A01"), (ICPC, "A01"), (ICD, "B02"), (ICPC, "B02"), (4, "Ann Lee")})
NAMED = {2: 1, 3: 4}
"""The question names the filing date first, and the day of the grant after it."""


def count(sql: str) -> int:
    return implausible(parse(to_ir(sql, SCHEMA, "duckdb")), SCHEMA, CELLS, NAMED)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT avg(granted_date) FROM permits",
        "SELECT count(DISTINCT inspector_count) FROM permits",
        "SELECT avg(filed_date - granted_date) FROM permits",
        "SELECT count(*) FROM permits WHERE fee > 'many'",
        "SELECT count(*) FROM permits WHERE filed_date > 'spring'",
        "SELECT count(*) FROM permits WHERE inspector_name <> 'nobody'",
        "SELECT count(*) FROM permits WHERE filed_date >= '2010-01-01' AND filed_date >= '2014-12-31'",
        "SELECT inspector_name, count(*) FROM permits GROUP BY inspector_name ORDER BY sum(fee) DESC LIMIT 5",
        "SELECT inspector_name FROM permits WHERE icd_code = 'A01' INTERSECT SELECT inspector_name FROM permits WHERE icpc_code = 'B02'",
        "SELECT firm_name FROM firms WHERE firm_id IN (SELECT firm_id FROM permits WHERE fee = 'none')",
    ],
)
def test_what_hardly_anybody_asks(sql: str) -> None:
    assert count(sql) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT avg(fee) FROM permits WHERE filed_date > '2015-06-01' AND fee > 10 AND fee < 20",
        "SELECT count(DISTINCT inspector_name) FROM permits",
        "SELECT count(DISTINCT firm_id) FROM permits",
        "SELECT avg(granted_date - filed_date) FROM permits WHERE inspector_name <> 'Ann Lee'",
        "SELECT inspector_name, sum(fee) FROM permits GROUP BY inspector_name ORDER BY sum(fee) DESC LIMIT 5",
        "SELECT inspector_name FROM permits GROUP BY inspector_name ORDER BY sum(fee) DESC LIMIT 5",
        "SELECT inspector_name FROM permits WHERE icd_code = 'A01' INTERSECT SELECT inspector_name FROM permits WHERE icd_code = 'B02'",
    ],
)
def test_ordinary_queries_raise_no_doubt(sql: str) -> None:
    assert count(sql) == 0


def test_the_words_by_which_a_glossary_means_a_cell() -> None:
    question = "how many follow-up visits in Germany"
    words = split_words(question)
    told = (
        ValueMatch("visits", "kind", "FU", 9, 18, 1.0, "glossary"),
        ValueMatch("visits", "code", "FU", 9, 18, 1.0, "glossary"),
        ValueMatch("visits", "country", "Germany", 29, 36, 1.0),
    )
    assert [[words[number].text for number in stretch] for stretch in alias_words(told, words)] == [["follow", "-", "up"]]
