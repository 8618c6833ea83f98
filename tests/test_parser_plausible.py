"""What a finished query says that hardly anybody would ask, and that ordinary queries say nothing of the kind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from streamlink_sql.generators.parser.actions import alias_words
from streamlink_sql.generators.parser.ir import Schema, to_ir
from streamlink_sql.generators.parser.linking import link, split_words
from streamlink_sql.generators.parser.mends.mending import among_rows, either_together, with_better_twins
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.pieces import Pieces
from streamlink_sql.generators.parser.plausible import implausible
from streamlink_sql.generators.parser.ranking import FEATURE_NAMES, Finished, Ranked, Ranking, features
from streamlink_sql.generators.parser.runtime import WEIGHTS
from streamlink_sql.generators.parser.tree import emit
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
                Column("inspector_name", "text", "VARCHAR"),
                Column("inspector_count", "integer"),
                Column("fee", "decimal"),
                Column("icd_code", "text", "VARCHAR"),
                Column("icpc_code", "text"),
                Column("city", "text"),
            ),
            ("permit_id",),
            (ForeignKey(("firm_id",), "firms", ("firm_id",)),),
        ),
        Table(
            "firms",
            (Column("firm_id", "integer"), Column("firm_name", "text"), Column("founded_year", "integer"), Column("city", "text")),
            ("firm_id",),
        ),
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
        "SELECT count(*) FROM permits WHERE firm_id NOT IN (SELECT permit_id FROM permits WHERE fee > 3)",
        "SELECT count(*) FROM permits WHERE fee > firm_id",
        "SELECT count(*) FROM permits WHERE city IN (SELECT city FROM permits)",
        "SELECT count(DISTINCT inspector_count) FROM permits",
        "SELECT avg(filed_date - granted_date) FROM permits",
        "SELECT count(*) FROM permits WHERE fee > 'many'",
        "SELECT count(*) FROM permits WHERE filed_date > 'spring'",
        "SELECT count(*) FROM permits WHERE inspector_name <> 'nobody'",
        "SELECT count(*) FROM permits WHERE filed_date >= '2010-01-01' AND filed_date >= '2014-12-31'",
        "SELECT inspector_name, count(*) FROM permits GROUP BY inspector_name ORDER BY sum(fee) DESC LIMIT 5",
        "SELECT inspector_name FROM permits WHERE icd_code = 'A01' INTERSECT SELECT inspector_name FROM permits WHERE icpc_code = 'B02'",
        "SELECT firm_name FROM firms WHERE firm_id IN (SELECT firm_id FROM permits WHERE fee = 'none')",
        "SELECT avg(granted_date - granted_date) FROM permits",
        "SELECT icd_code FROM permits WHERE icd_code = 'A01' AND fee > 10",
        "SELECT icd_code, count(*) FROM permits WHERE icd_code = 'A01' GROUP BY icd_code",
        "SELECT avg('slowest' - fee) FROM permits",
        "SELECT quarter(filed_date) FROM permits GROUP BY quarter(filed_date) ORDER BY quarter(filed_date)",
        "SELECT icd_code, count(*) FROM permits GROUP BY icd_code, icd_code",
        "SELECT T1.firm_name, sum(T2.fee) FROM firms AS T1 JOIN permits AS T2 ON T1.firm_id = T2.firm_id GROUP BY T2.icd_code",
        "SELECT count(*) FROM permits WHERE permit_id > 5",
        "SELECT avg(firm_id) FROM permits",
        "SELECT count(*) FROM permits WHERE icd_code >= '16'",
        "SELECT count(*) FROM permits WHERE inspector_name > 'five'",
        "SELECT count(*) FROM permits WHERE fee > 1 INTERSECT SELECT inspector_count FROM permits WHERE fee < 9",
        "SELECT firm_id, count(*) FROM permits GROUP BY firm_id QUALIFY rank() OVER (PARTITION BY firm_id ORDER BY count(*) DESC) = 1",
        "SELECT firm_name, count(*) FROM firms GROUP BY 1, firm_id QUALIFY rank() OVER (PARTITION BY firm_id ORDER BY count(*)) = 1",
        "SELECT icd_code, count(*) FROM permits GROUP BY icd_code LIMIT 5",
        "SELECT icd_code, count(*) FILTER (WHERE fee > 1) FROM permits GROUP BY icd_code ORDER BY count(*) FILTER (WHERE fee > 5) DESC",
        "SELECT T1.city, count(*) FROM firms AS T1 JOIN permits AS T2 ON T1.firm_id = T2.firm_id GROUP BY T1.city, T2.city",
        "SELECT permit_id, city, avg(fee) FROM permits GROUP BY permit_id, city",
        "SELECT T2.permit_id, count(*) FROM firms AS T1 JOIN permits AS T2 ON T1.firm_id = T2.firm_id GROUP BY T2.permit_id",
        """SELECT count(*) FILTER (WHERE T1.city = 'Oslo') - count(*) FILTER (WHERE T2.city = 'Rome')
           FROM firms AS T1 JOIN permits AS T2 ON T1.firm_id = T2.firm_id""",
        "SELECT count(*) FROM permits WHERE fee < fee",
        "SELECT count(*) FROM permits WHERE icd_code IS NULL",
        "SELECT count(*) FROM permits WHERE NOT inspector_name IS NULL",
        """SELECT firm_id FROM permits GROUP BY firm_id
           HAVING avg(fee) FILTER (WHERE icd_code = 'A01') > avg(fee) FILTER (WHERE icd_code = 'A01')""",
        "SELECT count(*) FROM firms AS T1 JOIN permits AS T2 ON T1.firm_id = T2.firm_id WHERE T2.filed_date < T1.founded_year",
        "SELECT count(*), inspector_name FROM permits",
    ],
)
def test_what_hardly_anybody_asks(sql: str) -> None:
    assert count(sql) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM firms WHERE firm_id NOT IN (SELECT firm_id FROM permits WHERE fee > 3)",
        "SELECT count(*) FROM permits WHERE city IN (SELECT city FROM permits WHERE fee > 3)",
        "SELECT count(*) FROM permits WHERE granted_date > filed_date",
        "SELECT avg(fee) FROM permits WHERE filed_date > '2015-06-01' AND fee > 10 AND fee < 20",
        "SELECT T1.firm_id, avg(T2.fee) FROM firms AS T1 JOIN permits AS T2 ON T1.firm_id = T2.firm_id GROUP BY T1.firm_id",
        """SELECT count(*) FILTER (WHERE T1.city = 'Oslo' AND T2.city = 'Rome'), count(*) FILTER (WHERE T1.city = 'Oslo')
           FROM firms AS T1 JOIN permits AS T2 ON T1.firm_id = T2.firm_id""",
        "SELECT count(*) FROM permits WHERE filed_date < granted_date AND fee > inspector_count",
        "SELECT count(*) FROM firms AS T1 JOIN permits AS T2 ON T1.firm_id = T2.firm_id WHERE year(T2.filed_date) < T1.founded_year",
        "SELECT count(DISTINCT inspector_name) FROM permits",
        "SELECT icd_code, fee FROM permits WHERE icd_code = 'A01'",
        "SELECT firm_id, fee, count(*) FROM permits GROUP BY firm_id, fee QUALIFY rank() OVER (PARTITION BY firm_id ORDER BY count(*)) = 1",
        "SELECT icd_code, count(*) FILTER (WHERE fee > 1) FROM permits GROUP BY icd_code ORDER BY count(*) FILTER (WHERE fee > 1) DESC",
        "SELECT T1.city, T2.city, count(*) FROM firms AS T1 JOIN permits AS T2 ON T1.firm_id = T2.firm_id GROUP BY T1.city, T2.city",
        "SELECT icd_code FROM permits LIMIT 5",
        "SELECT max(fee), inspector_name FROM permits",
        "SELECT count(*), max(fee), avg(fee) / sum(fee) FROM permits",
        "SELECT count(*) FROM permits WHERE granted_date IS NULL AND icd_code = 'A01'",
        "SELECT icd_code, count(*) FROM permits GROUP BY icd_code ORDER BY count(*) FILTER (WHERE fee > 1) DESC",
        "SELECT icd_code, count(*) FROM permits WHERE icd_code = 'A01' OR fee > 10 GROUP BY icd_code",
        "SELECT T1.firm_name, count(*) FROM firms AS T1 JOIN permits AS T2 ON T1.firm_id = T2.firm_id GROUP BY T2.firm_id",
        "SELECT firm_name, founded_year, count(*) FROM firms JOIN permits ON firms.firm_id = permits.firm_id GROUP BY firm_name",
        "SELECT inspector_name FROM permits GROUP BY inspector_name HAVING count(*) > 2",
        "SELECT count(DISTINCT firm_id) FROM permits",
        "SELECT count(*) FROM permits WHERE permit_id = 5 OR firm_id IN (1, 2)",
        "SELECT count(*) FROM permits WHERE icd_code >= 'B' AND inspector_count > 2",
        "SELECT count(*) FROM permits WHERE icd_code = 'A01' OR icpc_code = 'B02'",
        "SELECT avg(inspector_count) FROM permits",
        "SELECT icd_code, count(*) FROM permits GROUP BY icd_code INTERSECT SELECT icpc_code, count(*) FROM permits GROUP BY icpc_code",
        "SELECT avg(granted_date - filed_date) FROM permits WHERE inspector_name <> 'Ann Lee'",
        "SELECT inspector_name, sum(fee) FROM permits GROUP BY inspector_name ORDER BY sum(fee) DESC LIMIT 5",
        "SELECT inspector_name FROM permits GROUP BY inspector_name ORDER BY sum(fee) DESC LIMIT 5",
        "SELECT inspector_name FROM permits WHERE icd_code = 'A01' INTERSECT SELECT inspector_name FROM permits WHERE icd_code = 'B02'",
    ],
)
def test_ordinary_queries_raise_no_doubt(sql: str) -> None:
    assert count(sql) == 0


def test_tables_are_not_joined_by_a_name_that_they_share_by_chance() -> None:
    ports = Table("ports", (Column("code", "text"), Column("harbour", "text")), ("harbour",))
    words = Table("words", (Column("code", "text"), Column("label", "text")), ("label",))
    sql = "SELECT harbour FROM ports JOIN words ON ports.code = words.code WHERE label = 'open'"
    found = []
    for keys in ((), (ForeignKey(("code",), "words", ("code",)),)):
        schema = Schema.of((replace(ports, foreign_keys=keys), words))
        found.append(implausible(parse(to_ir(sql, schema, "duckdb")), schema, frozenset(), {}))
    assert found == [1, 0]


def test_identifiers_that_the_question_names_may_be_bound() -> None:
    for sql in ("SELECT count(*) FROM permits WHERE permit_id > 5", "SELECT avg(permit_id) FROM permits"):
        assert implausible(parse(to_ir(sql, SCHEMA, "duckdb")), SCHEMA, CELLS, {0: 2}) == 0


def test_the_words_by_which_a_glossary_means_a_cell() -> None:
    question = "how many follow-up visits in Germany"
    words = split_words(question)
    told = (
        ValueMatch("visits", "kind", "FU", 9, 18, 1.0, "glossary"),
        ValueMatch("visits", "code", "FU", 9, 18, 1.0, "glossary"),
        ValueMatch("visits", "country", "Germany", 29, 36, 1.0),
    )
    assert [[words[number].text for number in stretch] for stretch in alias_words(told, words)] == [["follow", "-", "up"]]


@pytest.mark.parametrize(
    ("question", "column", "meant"),
    [
        ("permits under A01", "icpc_code", "icd_code"),
        ("permits under A01", "icd_code", "icd_code"),
        ("permits with icpc code A01", "icpc_code", "icpc_code"),
    ],
)
def test_of_two_columns_that_hold_a_value_the_one_with_a_table_of_such_values_is_meant(question: str, column: str, meant: str) -> None:
    permits, firms = SCHEMA.tables
    coded = replace(permits, foreign_keys=(*permits.foreign_keys, ForeignKey(("icd_code",), "diseases", ("icd_code",))))
    schema = Schema.of((coded, firms, Table("diseases", (Column("icd_code", "text"), Column("disease", "text")), ("icd_code",))))
    linked = link(question, schema, (), {}, Pieces(WEIGHTS / "tokenizer.json"))
    written, wanted = (to_ir(f"SELECT count(*) FROM permits WHERE {name} = 'A01'", schema, "duckdb") for name in (column, meant))
    assert with_better_twins(written, CELLS, linked, schema) == list(wanted)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("city = (SELECT city FROM firms WHERE founded_year > 1990)", "city IN (SELECT city FROM firms WHERE founded_year > 1990)"),
        ("firm_id <> (SELECT firm_id FROM firms)", "firm_id NOT IN (SELECT firm_id FROM firms)"),
        (
            "fee > 3 AND (city = (SELECT city FROM firms) OR fee < 2)",
            "fee > 3 AND (city IN (SELECT city FROM firms) OR fee < 2)",
        ),
        ("fee = (SELECT max(fee) FROM permits)", "fee = (SELECT max(fee) FROM permits)"),
        ("city = (SELECT city FROM firms ORDER BY founded_year LIMIT 1)", "city = (SELECT city FROM firms ORDER BY founded_year LIMIT 1)"),
    ],
)
def test_what_equals_the_rows_of_a_query_is_among_them(written: str, meant: str) -> None:
    tokens = [to_ir(f"SELECT permit_id FROM permits WHERE {condition}", SCHEMA, "duckdb") for condition in (written, meant)]
    assert list(emit(among_rows(parse(tokens[0])))) == list(tokens[1])


@pytest.mark.parametrize(
    ("question", "written", "meant"),
    [
        (
            "permits of Oslo or Rome with a fee over 3",
            "city = 'Oslo' OR city = 'Rome' AND fee > 3",
            "(city = 'Oslo' OR city = 'Rome') AND fee > 3",
        ),
        (
            "permits with a fee over 3 of Oslo or Rome",
            "fee > 3 AND city = 'Oslo' OR city = 'Rome'",
            "fee > 3 AND (city = 'Oslo' OR city = 'Rome')",
        ),
        (
            "permits of Oslo, Rome, or Bonn with a fee over 3",
            "city = 'Oslo' OR city = 'Rome' OR city = 'Bonn' AND fee > 3",
            "(city = 'Oslo' OR city = 'Rome' OR city = 'Bonn') AND fee > 3",
        ),
        ("permits of Oslo, or of Rome with a fee over 3", "city = 'Oslo' OR city = 'Rome' AND fee > 3", ""),
        ("permits with a fee over 3 of Oslo, or any of Rome", "fee > 3 AND city = 'Oslo' OR city = 'Rome'", ""),
        ("permits of Oslo or with a fee over 3 and under 5", "city = 'Oslo' OR fee > 3 AND fee < 5", ""),
        ("permits of Oslo or Rome", "city = 'Oslo' OR city = 'Rome'", ""),
    ],
)
def test_this_or_that_is_one_condition_beside_others(question: str, written: str, meant: str) -> None:
    words = [word.text.lower() for word in split_words(question)]
    said = {value: (words.index(value.lower()),) * 2 for value in ("Oslo", "Rome", "Bonn") if value.lower() in words}
    tokens = [to_ir(f"SELECT permit_id FROM permits WHERE {condition}", SCHEMA, "duckdb") for condition in (written, meant or written)]
    assert list(emit(either_together(parse(tokens[0]), said, words))) == list(tokens[1])


def test_nothing_has_two_years_at_once_and_a_measure_of_time_names_no_column() -> None:
    columns = (Column("begun", "date"), Column("granted", "date"))
    schema = Schema.of((Table("permits", columns),))
    question = "how many days from begun to granted in 2020 and 2010"
    linked = link(question, schema, (), {("permits", "granted"): ("grant day",)}, Pieces(WEIGHTS / "tokenizer.json"))

    def doubts(sql: str) -> float:
        beam = Finished((), tuple(to_ir(sql, schema, "duckdb")), -1.0, CELLS)
        found = features(beam, linked, np.zeros(len(linked.spans), np.float32), schema, frozenset())
        return float(found[FEATURE_NAMES.index("implausible")])

    assert doubts("SELECT count(*) FROM permits WHERE year(begun) = 2020 AND year(begun) = 2010") == 1
    assert doubts("SELECT count(*) FROM permits WHERE year(begun) = 2020 OR year(begun) = 2010") == 0
    assert doubts("SELECT count(*) FROM permits WHERE year(begun) = 2020 AND year(granted) = 2010") == 0
    assert doubts("SELECT avg(granted - begun) FROM permits") == 0
    assert doubts("SELECT avg(begun - granted) FROM permits") == 1


@pytest.mark.parametrize(
    ("question", "condition", "doubts"),
    [
        ("permits filed in the 2000s", "year(filed_date) = 2000", 1),
        ("permits filed since the 2000s", "year(filed_date) >= 2000", 0),
        ("permits filed in 2000", "year(filed_date) = 2000", 0),
        ("permits without a fee", "fee < 0", 1),
        ("permits with a negative fee", "fee < 0", 0),
        ("permits whose fee is < 0", "fee < 0", 0),
        ("permits with a fee smaller than zero", "fee < 0", 0),
        ("permits that are overdrawn", "fee < 0", 0),
        ("permits with no fee below 0", "fee < 0", 0),
        ("permits without a fee", "fee = 0", 0),
    ],
)
def test_a_year_is_no_decade_and_nothing_is_less_than_nothing(question: str, condition: str, doubts: int) -> None:
    linked = link(question, SCHEMA, (), {}, Pieces(WEIGHTS / "tokenizer.json"))
    tokens = tuple(to_ir(f"SELECT count(*) FROM permits WHERE {condition}", SCHEMA, "duckdb"))
    found = features(Finished((), tokens, -1.0, CELLS), linked, np.zeros(len(linked.spans), np.float32), SCHEMA, frozenset())
    assert found[FEATURE_NAMES.index("implausible")] == doubts


def test_a_text_that_another_column_holds_is_doubted() -> None:
    linked = link("permits of Ann Lee", SCHEMA, (), {}, Pieces(WEIGHTS / "tokenizer.json"))

    def doubts(column: str, value: str) -> list[float]:
        tokens = tuple(to_ir(f"SELECT count(*) FROM permits WHERE {column} = '{value}'", SCHEMA, "duckdb"))
        found = features(Finished((), tokens, -1.0, CELLS), linked, np.zeros(len(linked.spans), np.float32), SCHEMA, frozenset())
        return [float(found[FEATURE_NAMES.index(name)]) for name in ("texts_unknown", "implausible")]

    assert doubts("inspector_name", "Ann Lee") == [0, 0]
    assert doubts("city", "Leeds") == [1, 0]
    assert doubts("city", "Ann Lee") == [1, 1]


def test_of_two_cells_of_a_column_that_the_question_says_both_are_sought() -> None:
    linked = link("permits in Leeds and for Bath, not Hull", SCHEMA, (), {}, Pieces(WEIGHTS / "tokenizer.json"))
    cells = frozenset({(9, "Leeds"), (9, "Bath"), (9, "Leeds Castle"), (13, "Hull")})

    def doubts(condition: str) -> float:
        tokens = tuple(to_ir(f"SELECT count(*) FROM permits WHERE {condition}", SCHEMA, "duckdb"))
        found = features(Finished((), tokens, -1.0, cells), linked, np.zeros(len(linked.spans), np.float32), SCHEMA, frozenset())
        return float(found[FEATURE_NAMES.index("implausible")])

    assert doubts("city = 'Leeds'") == 1
    assert doubts("city IN ('Leeds', 'Bath')") == 0
    assert doubts("city = 'Leeds' OR city = 'Bath'") == 0
    assert doubts("fee > 3") == 0


def test_who_refers_to_each_other_is_grouped_for_good_reasons() -> None:
    people = Table(
        "people",
        (Column("person_id", "integer"), Column("boss_id", "integer"), Column("unit_id", "integer"), Column("pay", "real")),
        ("person_id",),
        (ForeignKey(("unit_id",), "units", ("unit_id",)), ForeignKey(("boss_id",), "people", ("person_id",))),
    )
    heads = (ForeignKey(("head_id",), "people", ("person_id",)),)
    units = Table("units", (Column("unit_id", "integer"), Column("head_id", "integer")), ("unit_id",), heads)
    schema = Schema.of((people, units))
    for sql in (
        "SELECT u.unit_id, count(*) FROM people p JOIN units u ON p.unit_id = u.unit_id GROUP BY u.unit_id",
        "SELECT b.person_id, count(*) FROM people p JOIN people b ON p.boss_id = b.person_id GROUP BY b.person_id",
    ):
        assert implausible(parse(to_ir(sql, schema, "duckdb")), schema, CELLS, {}) == 0, sql


def test_what_is_doubted_is_less_sure() -> None:
    ranking, plain = Ranking.read(WEIGHTS / "ranking.json"), np.zeros(len(FEATURE_NAMES))
    doubted = np.array([name == "implausible" for name in FEATURE_NAMES], np.float64)
    sure, unsure = (ranking.confidences([[Ranked(-0.2, found)]])[0] for found in (plain, doubted))
    assert unsure < sure
