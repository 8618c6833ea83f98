"""Tables that are shown in groups only: what passes holds groups of that size, and what cannot be held to it is refused."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest

from streamlink_sql.assemble import control_unit, open_engine
from streamlink_sql.catalog import Catalog
from streamlink_sql.checks import check
from streamlink_sql.engines.embedded import EmbeddedEngine
from streamlink_sql.errors import InvalidSQL, PolicyRefused
from streamlink_sql.settings import Settings
from streamlink_sql.types import Draft, Question

SMALLEST = 5
PEOPLE = [
    (number, f"p{number}", ("north", "south", "west")[min(number // 8, 2)], number % 2 == 0, 100 + number, 9 if number == 3 else None)
    for number in range(19)
]
"""8 in the north, 8 in the south, 3 in the west; one has a bonus."""
TABLES = """
CREATE TABLE staff (id INTEGER, name VARCHAR, region VARCHAR, senior BOOLEAN, pay INTEGER, bonus INTEGER, hired DATE);
CREATE TABLE regions (name VARCHAR, boss VARCHAR);
INSERT INTO regions VALUES ('north', 'Ann'), ('south', 'Bo');
CREATE VIEW earning AS SELECT name, pay FROM staff;
"""
POLICY = "[roles.analyst.tables.regions]\n[roles.analyst.tables.staff]\nsmallest_group = 5\n"


def make(kind: str, folder: Path) -> Path:
    rows = [(*row, "2020-01-01") for row in PEOPLE]
    if kind == "sqlite":
        with closing(sqlite3.connect(folder / "s.sqlite")) as small:
            small.executescript(TABLES)
            small.executemany("INSERT INTO staff VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            small.commit()
        return folder / "s.sqlite"
    with duckdb.connect(str(folder / "s.duckdb")) as connection:
        connection.execute(TABLES)
        connection.executemany("INSERT INTO staff VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    return folder / "s.duckdb"


def settings(data: Path, folder: Path, policy: str = POLICY) -> Settings:
    (folder / "policy.toml").write_text(policy, encoding="utf-8")
    return Settings(data=str(data), policy=folder / "policy.toml", role="analyst", store="temporary")


@pytest.fixture(scope="module", params=["duckdb", "sqlite"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    folder = tmp_path_factory.mktemp("groups")
    with closing(open_engine(settings(make(request.param, folder), folder))) as opened:
        yield cast(EmbeddedEngine, opened)


def rows(engine: EmbeddedEngine, sql: str) -> list[tuple[Any, ...]]:
    query = check(Draft(sql), engine.tables(), engine.dialect)
    return list(engine.run(query, row_limit=1000, time_limit_s=20).as_python())


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("SELECT count(*) FROM staff", [(19,)]),
        ("SELECT region, count(*) FROM staff GROUP BY region ORDER BY region", [("north", 8), ("south", 8)]),
        ("SELECT count(*) AS n, region FROM staff GROUP BY 2 ORDER BY n DESC, 2 LIMIT 1", [(8, "north")]),
        ("SELECT T1.region, sum(T1.pay) FROM staff AS T1 GROUP BY T1.region ORDER BY sum(T1.pay) DESC", [("south", 892), ("north", 828)]),
        ("SELECT round(avg(pay), 1) AS a FROM staff WHERE region = 'north' AND NOT pay > 110", [(103.5,)]),
        ("SELECT region FROM staff GROUP BY region HAVING count(*) > 2 ORDER BY region", [("north",), ("south",)]),
        ("SELECT sum(pay) * 1.0 / count(*) FROM staff WHERE pay BETWEEN 100 AND 107", [(103.5,)]),
        ("SELECT count(DISTINCT region) FROM staff WHERE name LIKE 'p%' AND region IN ('north', 'south')", [(2,)]),
        ("SELECT count(*) FROM staff WHERE hired >= '2020-01-01' AND bonus IS NULL", [(18,)]),
        ("SELECT count(*) FROM staff WHERE region = 'west'", []),
        ("SELECT count(*) FROM staff WHERE name = 'p3'", []),
        ("SELECT sum(bonus) FROM staff", []),
        ("SELECT region, avg(bonus) FROM staff GROUP BY region", []),
        ("SELECT count(bonus) FROM staff", []),
        ("SELECT pay, count(*) FROM staff GROUP BY pay", []),
        ("SELECT boss FROM regions ORDER BY boss", [("Ann",), ("Bo",)]),
    ],
)
def test_groups_are_shown_and_smaller_ones_left_out(engine: EmbeddedEngine, sql: str, wanted: list[tuple[Any, ...]]) -> None:
    assert rows(engine, sql) == wanted


def test_whoever_asks_learns_that_groups_may_be_left_out(engine: EmbeddedEngine) -> None:
    query = check(Draft("SELECT count(*) FROM staff"), engine.tables(), engine.dialect)
    assert query.warnings[0] == "Groups of fewer than 5 rows of staff are left out."
    assert query.sql.endswith("HAVING COUNT(*) >= 5")
    assert not check(Draft("SELECT boss FROM regions"), engine.tables(), engine.dialect).warnings


ATTACKS = {
    "rows": "SELECT * FROM staff",
    "a column": "SELECT pay FROM staff",
    "one value for each row": "SELECT 1 FROM staff",
    "no column, as a bare one of SQLite": "SELECT pay, count(*) FROM staff",
    "a bare one beside a group": "SELECT region, pay, count(*) FROM staff GROUP BY region",
    "the largest": "SELECT max(pay) FROM staff",
    "the smallest": "SELECT region, min(pay) FROM staff GROUP BY region",
    "arg_max": "SELECT arg_max(name, pay) FROM staff",
    "any_value": "SELECT any_value(name) FROM staff",
    "list": "SELECT list(pay) FROM staff",
    "string_agg": "SELECT string_agg(name, ',') FROM staff",
    "group_concat": "SELECT group_concat(name) FROM staff",
    "json": "SELECT json_group_array(name) FROM staff",
    "median": "SELECT median(pay) FROM staff",
    "a quantile": "SELECT quantile_cont(pay, 1.0) FROM staff",
    "total, by name": "SELECT total(pay) FROM staff",
    "mode": "SELECT mode(name) FROM staff",
    "a histogram": "SELECT histogram(pay) FROM staff",
    "first": "SELECT first(pay) FROM staff",
    "one in a sum": "SELECT sum(CASE WHEN name = 'p3' THEN pay ELSE 0 END) FROM staff",
    "one in a sum by arithmetic": "SELECT sum(pay * (id = 3)) FROM staff",
    "one in a sum by a filter": "SELECT sum(pay) FILTER (WHERE id = 3) FROM staff",
    "one in a count": "SELECT count(CASE WHEN id = 3 AND pay > 100 THEN 1 END) FROM staff",
    "sums of distinct values": "SELECT sum(DISTINCT pay) FROM staff",
    "count_if": "SELECT count_if(pay > 5) FROM staff",
    "a sub-query": "SELECT count(*) FROM (SELECT pay FROM staff LIMIT 1)",
    "a sub-query of groups": "SELECT max(n) FROM (SELECT sum(pay) AS n FROM staff GROUP BY region)",
    "a scalar sub-query": "SELECT (SELECT pay FROM staff LIMIT 1)",
    "a condition elsewhere": "SELECT boss FROM regions WHERE EXISTS (SELECT 1 FROM staff WHERE pay > 100 AND id = 3)",
    "IN": "SELECT boss FROM regions WHERE name IN (SELECT region FROM staff WHERE id = 3)",
    "a sub-query in the condition": "SELECT count(*) FROM staff WHERE pay > (SELECT avg(pay) FROM staff)",
    "WITH": "WITH s AS (SELECT pay FROM staff) SELECT sum(pay) FROM s",
    "a join that multiplies": "SELECT sum(pay) FROM staff JOIN regions ON 1 = 1 WHERE id = 3",
    "a comma": "SELECT sum(pay) FROM staff, regions",
    "itself": "SELECT a.region, count(*) FROM staff a JOIN staff b ON a.region = b.region GROUP BY a.region",
    "a left join": "SELECT boss, sum(pay) FROM regions LEFT JOIN staff ON region = regions.name GROUP BY boss",
    "UNION": "SELECT count(*) FROM staff UNION ALL SELECT pay FROM staff",
    "UNION of both": "SELECT count(*) FROM staff UNION ALL SELECT count(*) FROM staff",
    "EXCEPT": "SELECT name FROM regions EXCEPT SELECT region FROM staff GROUP BY region",
    "brackets": "(SELECT pay FROM staff) LIMIT 1",
    "DISTINCT": "SELECT DISTINCT pay FROM staff",
    "DISTINCT beside groups": "SELECT DISTINCT region, count(*) FROM staff GROUP BY region",
    "a window": "SELECT sum(pay) OVER (ORDER BY id) FROM staff",
    "a window over groups": "SELECT region, sum(sum(pay)) OVER () FROM staff GROUP BY region",
    "rollup": "SELECT region, count(*) FROM staff GROUP BY ROLLUP (region)",
    "grouping sets": "SELECT region, senior, count(*) FROM staff GROUP BY GROUPING SETS ((region), (senior))",
    "group by all": "SELECT pay, count(*) FROM staff GROUP BY ALL",
    "qualify": "SELECT region, count(*) FROM staff GROUP BY region QUALIFY row_number() OVER (ORDER BY max(pay)) = 1",
    "a sample": "SELECT sum(pay) FROM staff USING SAMPLE 1",
    "unnest": "SELECT count(*) FROM staff, UNNEST([1, 2, 3, 4, 5]) AS u(x) WHERE id = 3",
    "an order by a single value": "SELECT region, count(*) FROM staff GROUP BY region ORDER BY max(pay)",
    "an order by a bare column": "SELECT count(*) AS n, region FROM staff GROUP BY region ORDER BY pay",
    "a condition on groups by a single value": "SELECT region FROM staff GROUP BY region HAVING max(pay) > 110",
    "a condition on groups by a bare column": "SELECT region FROM staff GROUP BY region HAVING pay > 110",
    "a failure in a condition": "SELECT count(*) FROM staff WHERE id = 3 AND CAST(CASE WHEN pay > 100 THEN 'x' ELSE '1' END AS INT) = 1",
    "a failure of a cast": "SELECT count(*) FROM staff WHERE id = 3 AND name::INT = 1",
    "a failure by overflow": "SELECT count(*) FROM staff WHERE id = 3 AND pay * 9223372036854775807 > 1",
    "a failure in a condition on groups": "SELECT count(*) FROM staff WHERE id = 3 HAVING count(*) * 9223372036854775807 > 1",
    "a function in a group": "SELECT substr(name, 1, 1), count(*) FROM staff GROUP BY substr(name, 1, 1)",
    "two columns compared": "SELECT count(*) FROM staff WHERE pay > id",
    "a name that means two things": "SELECT region AS pay, sum(pay) FROM staff GROUP BY region",
    "a group that is another's name": "SELECT pay AS region, count(*) FROM staff GROUP BY region",
    "a row's number": "SELECT rowid, count(*) FROM staff GROUP BY rowid",
    "renamed columns": "SELECT region, count(*) FROM staff AS s(region, a, b, c, d, e, f) GROUP BY region",
    "COLUMNS": "SELECT sum(COLUMNS(*)) FROM staff",
    "the whole row": "SELECT count(DISTINCT staff) FROM staff",
    "VALUES and IN": "SELECT count(*) FROM staff WHERE id IN (SELECT 3)",
}


@pytest.mark.parametrize("sql", ATTACKS.values(), ids=ATTACKS.keys())
def test_what_could_show_less_than_a_group_is_refused(engine: EmbeddedEngine, sql: str) -> None:
    with pytest.raises((PolicyRefused, InvalidSQL)) as caught:
        check(Draft(sql), engine.tables(), engine.dialect)
    if isinstance(caught.value, InvalidSQL):  # this engine does not have it at all
        assert caught.value.helps["rule"] != "column.unknown" or sql == ATTACKS["the whole row"], caught.value.detail
    elif str(caught.value.helps["rule"]).startswith("group."):
        assert caught.value.detail.startswith("staff is shown in groups of 5 rows or more only. ")


UNFIT = {
    "a text beside a number": "pay = 'x'",
    "a number beside a text": "name = 5",
    "a day that is none": "hired = '2020-13-45'",
    "a word for a day": "hired > 'today'",
    "a cast that fails": "hired = CAST('x' AS DATE)",
    "a number of many digits": "pay < 99999999999999999999999999999999999999999",
    "LIKE on a number": "pay LIKE '1%'",
}


@pytest.mark.parametrize("condition", UNFIT.values(), ids=UNFIT.keys())
def test_in_duckdb_values_are_of_the_columns_type_so_that_no_row_makes_a_query_fail(engine: EmbeddedEngine, condition: str) -> None:
    sql = f"SELECT count(*) FROM staff WHERE id = 3 AND {condition}"
    if engine.dialect == "sqlite" and "CAST" not in condition:  # there no comparison ever fails
        assert rows(engine, sql) == []
        return
    with pytest.raises(PolicyRefused) as caught:
        check(Draft(sql), engine.tables(), engine.dialect)
    assert caught.value.helps["rule"] == "group.condition"


def test_whatever_passes_holds_no_group_that_is_too_small(engine: EmbeddedEngine) -> None:
    """Queries put together at random, judged by counting the rows behind each line of the answer."""
    chance, names, passed = random.Random(7), ["id", "name", "region", "senior", "pay", "bonus"], 0
    shown = ["count(*)", "sum(pay)", "avg(bonus)", "count(bonus)", "count(DISTINCT name)", "max(pay)", "pay", "sum(pay) + count(*)"]
    wheres: dict[str, Callable[[tuple[Any, ...]], bool]] = {
        "": lambda _: True,
        " WHERE pay > 104": lambda row: bool(row[4] > 104),
        " WHERE region <> 'south'": lambda row: bool(row[2] != "south"),
    }
    for _ in range(300):
        keys = chance.sample(names, chance.randrange(3))
        items = [*keys, *chance.sample(shown, chance.randrange(1, 3))]
        where, keeps = chance.choice(list(wheres.items()))
        end = f" GROUP BY {', '.join(keys)}" if keys else ""
        sql = f"SELECT {', '.join(items)} FROM staff{where}{end}{chance.choice(['', ' ORDER BY 1 LIMIT 3'])}"
        try:
            found = rows(engine, sql)
        except PolicyRefused:
            continue
        passed += 1
        places = [names.index(key) for key in keys]
        behind = Counter(tuple(row[place] for place in places) for row in PEOPLE if keeps(row))
        for line in found:
            assert behind[line[: len(keys)]] >= SMALLEST, (sql, line)
        if any("bonus" in item for item in items[len(keys) :]):
            assert found == [], sql
    assert passed > 50


def test_no_sample_of_such_a_table_is_taken(engine: EmbeddedEngine) -> None:
    context = Catalog(engine, scope=engine.scope).relevant("how many staff named p3 in the north?")
    assert not [place for place, values in context.samples.items() if place[0] == "staff" and values]
    assert not [match for match in context.matches if match.table == "staff"]


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_role_may_see_all_tables_in_groups_only(kind: str, tmp_path: Path) -> None:
    role = "[roles.analyst]\nothers = true\nsmallest_group = 3\n[roles.analyst.tables.staff]\nsmallest_group = 5\n"
    with closing(open_engine(settings(make(kind, tmp_path), tmp_path, role))) as opened:
        found = {table.name: table.smallest_group for table in opened.tables()}
    assert found == {"staff": 5, "regions": 3}


def test_the_parser_asks_such_a_table_and_the_answer_says_what_is_left_out(tmp_path: Path) -> None:
    with closing(control_unit(settings(make("duckdb", tmp_path), tmp_path))) as control:
        answer = control.answer(Question("How many staff are there?"))
        assert answer.rows is not None
        assert list(answer.rows.as_python()) == [(19,)]
        assert "Groups of fewer than 5 rows of staff are left out." in answer.warnings
        assert not any("not sampled" in warning for warning in answer.warnings)
