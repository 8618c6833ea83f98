"""Roles: what a policy file says, and that nothing else of the data reaches whoever asks: not by SQL, not by a sample, not by a name."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from streamlink_sql import cli
from streamlink_sql.assemble import control_unit, open_engine, scope_of
from streamlink_sql.catalog import Catalog
from streamlink_sql.checks import check
from streamlink_sql.checks.conditions import condition
from streamlink_sql.engines.embedded import EmbeddedEngine
from streamlink_sql.errors import BadRequest, Forbidden, InvalidSQL, NotFound, PolicyRefused, StreamLinkError
from streamlink_sql.roles import Policy, read_policy
from streamlink_sql.scope import Scope, View
from streamlink_sql.settings import Settings
from streamlink_sql.types import Attribute, CheckedSQL, Draft, Question

CANARY = "canary-7f3a"
TABLES = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, email TEXT, born DATE);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, country TEXT, placed DATE, amount DECIMAL(8, 2), customer_id INTEGER REFERENCES customers (id)
);
CREATE TABLE salaries (person TEXT, pay INTEGER);
INSERT INTO customers VALUES (1, 'Ann Lee', 'canary-7f3a@x.org', '1980-02-03'), (2, 'Bo', NULL, '1990-05-06');
INSERT INTO orders VALUES (1, 'DE', '2020-01-01', 5.5, 1), (2, 'FR', '2021-01-01', 7.25, 2), (3, 'canary-7f3a', '2021-06-01', 9, 2);
INSERT INTO salaries VALUES ('canary-7f3a', 100);
CREATE VIEW recent AS SELECT * FROM orders WHERE placed >= '2021-01-01';
"""
POLICY = """
[roles.boss]
others = true

[roles.analyst]
isolate = ISOLATE

[roles.analyst.tables.orders]
rows = "country IN (:countries)"
mask = { amount = "null" }

[roles.analyst.tables.customers]
hide = ["email"]
mask = { name = "first 1", born = "year" }
"""
SOURCES = ("duckdb file", "sqlite", "files")


def make(kind: str, folder: Path) -> Path:
    """The same tables in each kind of source."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "sqlite":
        with closing(sqlite3.connect(folder / "shop.sqlite")) as connection:
            connection.executescript(TABLES)
        return folder / "shop.sqlite"
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        connection.execute(TABLES)
        connection.execute(
            "CREATE SCHEMA hr; CREATE TABLE hr.notes AS SELECT 'canary-7f3a' AS note; COMMENT ON COLUMN orders.country IS 'land'"
        )
        if kind == "duckdb file":
            return folder / "shop.duckdb"
        (folder / "files").mkdir()
        for table in ("customers", "orders"):
            connection.execute(f"COPY {table} TO '{folder / 'files' / table}.parquet'")
        connection.execute(f"COPY salaries TO '{folder / 'files' / 'salaries.csv'}'")
    return folder / "files"


def policy_file(folder: Path, text: str = POLICY, *, isolate: bool = False) -> Path:
    file = folder / "policy.toml"
    file.write_text(text.replace("ISOLATE", str(isolate).lower()), encoding="utf-8")
    return file


def settings(data: Path, policy: Path, role: str | None = "analyst", **told: Any) -> Settings:
    return Settings(data=str(data), policy=policy, role=role, attributes={"countries": ("DE",)}, store="temporary", **told)


@pytest.fixture(scope="module", params=[(kind, isolate) for kind in SOURCES for isolate in (False, True)], ids=str)
def scoped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    """An analyst's engine on each kind of source, with and without a copy of its own."""
    kind, isolate = request.param
    folder = tmp_path_factory.mktemp("roles")
    with closing(open_engine(settings(make(kind, folder), policy_file(folder, isolate=isolate)))) as engine:
        yield cast(EmbeddedEngine, engine)


def unchecked(sql: str, engine: EmbeddedEngine) -> CheckedSQL:
    """SQL that no check has seen, as if the checks were switched off."""
    return CheckedSQL(sql, engine.dialect, frozenset(), cast(exp.Query, sqlglot.parse_one("SELECT 1")))


def rows(engine: EmbeddedEngine, sql: str) -> list[tuple[Any, ...]]:
    query = check(Draft(sql), engine.tables(), engine.dialect)
    assert {name.casefold() for name in engine.dry_run(query).tables} == {name.casefold() for name in query.tables}
    return list(engine.run(query, row_limit=100, time_limit_s=20).as_python())


def test_a_role_sees_its_tables_and_columns_only(scoped: EmbeddedEngine) -> None:
    found = {table.name: [column.name for column in table.columns] for table in scoped.tables()}
    assert found == {"customers": ["id", "name", "born"], "orders": ["id", "country", "placed", "amount", "customer_id"]}


def test_a_role_sees_its_rows_only_and_masked_values_masked(scoped: EmbeddedEngine) -> None:
    assert rows(scoped, "SELECT id, country, amount FROM orders") == [(1, "DE", None)]
    assert rows(scoped, "SELECT count(*) FROM orders") == [(1,)]
    assert rows(scoped, "SELECT count(*) FROM orders WHERE country <> 'DE' OR 1 = 1") == [(1,)]
    assert rows(scoped, "SELECT count(*) FROM customers") == [(2,)]
    assert rows(scoped, "SELECT 1 FROM customers a, customers b WHERE EXISTS (SELECT 1 FROM customers)") == [(1,)] * 4
    assert rows(scoped, "SELECT name, born FROM customers ORDER BY id") == [("A…", "1980"), ("B…", "1990")]
    joined = "SELECT T2.name FROM orders AS T1 JOIN customers AS T2 ON T1.customer_id = T2.id"
    assert rows(scoped, joined) == [("A…",)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT email FROM customers",
        "SELECT * FROM salaries",
        "SELECT * FROM main.salaries",
        "SELECT * FROM hr.notes",
        "SELECT * FROM recent",
        "SELECT * FROM _source.main.orders",
        "WITH recent AS (SELECT * FROM salaries) SELECT * FROM recent",
    ],
)
def test_what_a_role_may_not_see_is_not_there(scoped: EmbeddedEngine, sql: str) -> None:
    with pytest.raises((InvalidSQL, PolicyRefused)) as caught:
        rows(scoped, sql)
    assert CANARY not in str(caught.value.problem())


def test_keys_are_known_where_both_ends_are_seen(scoped: EmbeddedEngine) -> None:
    if scoped.look().kind == "files":
        return
    orders = next(table for table in scoped.tables() if table.name == "orders")
    assert orders.primary_key == ("id",)
    assert [(key.columns, key.to_table, key.to_columns) for key in orders.foreign_keys] == [(("customer_id",), "customers", ("id",))]


def test_no_sample_and_no_search_in_values_tells_of_what_is_hidden(scoped: EmbeddedEngine) -> None:
    catalog = Catalog(scoped, scope=scoped.scope)
    context = catalog.relevant(f"orders of {CANARY} in FR by Ann Lee in DE")
    assert {match.value for match in context.matches} == {"DE"}
    assert CANARY not in json.dumps([[*place, *values] for place, values in context.samples.items()])
    assert ("customers", "email") not in context.samples


def reply(engine: EmbeddedEngine, sql: str) -> str:
    """All that comes back of a query that no check has seen."""
    try:
        return str(list(engine.run(unchecked(sql, engine), row_limit=100, time_limit_s=20).as_python()))
    except StreamLinkError as error:
        return str(error.problem())


REACHING = (
    "SELECT * FROM main.orders",
    "SELECT * FROM salaries",
    "SELECT * FROM main.salaries",
    "WITH recent AS (SELECT * FROM main.orders) SELECT * FROM recent",
    "WITH orders AS (SELECT * FROM main.orders) SELECT * FROM orders",
    "WITH recent AS (SELECT * FROM salaries) SELECT * FROM recent",
    "SELECT (SELECT max(country) FROM main.orders) FROM orders",
    "SELECT sql FROM sqlite_master",
    "SELECT * FROM sqlite_temp_master",
    "SELECT * FROM pragma_table_info('salaries')",
    "SELECT * FROM recent",
    "SELECT * FROM hr.notes",
    "SELECT * FROM query('SELECT * FROM salaries')",
)
COUNTING = (
    "SELECT count(*) FROM main.salaries",
    "SELECT count(*) FROM main.orders",
    "WITH customers AS (SELECT 1 FROM main.orders) SELECT count(*) FROM customers",
)
BESIDE = ("SELECT * FROM _source.main.salaries", "SELECT * FROM _source.main.orders", "SELECT * FROM _source.hr.notes")


@pytest.mark.parametrize("sql", REACHING)
def test_without_the_checks_the_engine_itself_keeps_what_is_hidden(scoped: EmbeddedEngine, sql: str) -> None:
    assert CANARY not in reply(scoped, sql)


@pytest.mark.parametrize("sql", COUNTING)
def test_without_the_checks_hidden_rows_of_sqlite_are_not_even_counted(scoped: EmbeddedEngine, sql: str) -> None:
    if scoped.name != "sqlite" or (scoped.scope and scoped.scope.isolate):
        return
    with pytest.raises(InvalidSQL):
        scoped.run(unchecked(sql, scoped), row_limit=100, time_limit_s=20)


@pytest.mark.parametrize("sql", BESIDE)
def test_without_the_checks_an_isolated_role_reaches_nothing_else(scoped: EmbeddedEngine, sql: str) -> None:
    if not scoped.scope or not scoped.scope.isolate:
        return
    with pytest.raises(InvalidSQL):
        scoped.run(unchecked(sql, scoped), row_limit=100, time_limit_s=20)


def test_without_the_checks_files_of_other_tables_stay_closed(scoped: EmbeddedEngine) -> None:
    if scoped.look().kind != "files":
        return
    for file in scoped.path.iterdir():
        if file.stem != "salaries" and not (scoped.scope and scoped.scope.isolate):
            continue
        with pytest.raises(InvalidSQL):
            scoped.run(unchecked(f"SELECT * FROM '{file}'", scoped), row_limit=100, time_limit_s=20)


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("isolate", [False, True])
def test_changed_data_is_seen_under_the_same_rules(kind: str, isolate: bool, tmp_path: Path) -> None:
    data = make(kind, tmp_path)
    with closing(open_engine(settings(data, policy_file(tmp_path, isolate=isolate)))) as engine:
        assert rows(cast(EmbeddedEngine, engine), "SELECT count(*) FROM orders") == [(1,)]
        before = engine.fingerprint()
        more = "INSERT INTO orders VALUES (4, 'DE', '2022-01-01', 1, 1), (5, 'FR', '2022-01-01', 1, 1)"
        if kind == "sqlite":
            with closing(sqlite3.connect(data)) as connection:
                connection.execute(more)
                connection.commit()
        elif kind == "duckdb file":
            with duckdb.connect(str(tmp_path / "new.duckdb")) as connection:
                connection.execute(TABLES), connection.execute(more)
            (tmp_path / "new.duckdb").replace(data)
        else:
            with duckdb.connect() as connection:
                connection.execute(TABLES), connection.execute(more)
                connection.execute(f"COPY orders TO '{data / 'orders.parquet'}'")
        assert engine.fingerprint() != before
        assert rows(cast(EmbeddedEngine, engine), "SELECT count(*) FROM orders") == [(2,)]


def test_two_scopes_of_one_source_keep_samples_apart(tmp_path: Path) -> None:
    data, policy = make("duckdb file", tmp_path), policy_file(tmp_path)
    with (
        closing(open_engine(settings(data, policy))) as analyst,
        closing(open_engine(settings(data, policy, "boss"))) as boss,
    ):
        assert analyst.fingerprint() != boss.fingerprint()
        assert "hr.notes" in {table.name for table in boss.tables()}


def test_a_view_of_sqlite_needs_a_copy(tmp_path: Path) -> None:
    data = make("sqlite", tmp_path)
    text = "[roles.analyst]\nisolate = ISOLATE\n[roles.analyst.tables.recent]\nrows = \"country = 'FR'\"\n"
    with pytest.raises(BadRequest, match="isolate = true"):
        open_engine(settings(data, policy_file(tmp_path, text)))
    with closing(open_engine(settings(data, policy_file(tmp_path, text, isolate=True)))) as engine:
        assert rows(cast(EmbeddedEngine, engine), "SELECT country FROM recent") == [("FR",)]


@pytest.mark.parametrize("kind", ["duckdb file", "sqlite"])
@pytest.mark.parametrize("isolate", [False, True])
def test_a_view_of_the_database_itself_is_no_way_around_a_rule(kind: str, isolate: bool, tmp_path: Path) -> None:
    text = "[roles.analyst]\nothers = true\nisolate = ISOLATE\n[roles.analyst.tables.orders]\nhide = ['amount']\n"
    with closing(open_engine(settings(make(kind, tmp_path), policy_file(tmp_path, text, isolate=isolate)))) as engine:
        names = {table.name for table in engine.tables()}
        assert "recent" not in names
        assert {"orders", "salaries"} <= names


def test_tables_that_only_serve_a_search_are_not_seen(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "d.sqlite")) as connection:
        connection.executescript("CREATE VIRTUAL TABLE docs USING fts5(title, body); INSERT INTO docs VALUES ('a', 'canary-7f3a');")
    text = "[roles.analyst]\nothers = true\nisolate = ISOLATE\n[roles.analyst.tables.docs]\nhide = ['body']\n"
    with closing(open_engine(settings(tmp_path / "d.sqlite", policy_file(tmp_path, text)))) as engine:
        assert [table.name for table in engine.tables()] == ["docs"]
        assert CANARY not in reply(cast(EmbeddedEngine, engine), "SELECT * FROM docs_content")


def test_a_table_whose_name_only_looks_alike_is_another(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "d.sqlite")) as connection:
        connection.executescript("CREATE TABLE strasse (x); CREATE TABLE straße (x); INSERT INTO straße VALUES ('canary-7f3a');")
    text = "[roles.analyst]\nisolate = ISOLATE\n[roles.analyst.tables.Strasse]\n"
    with closing(open_engine(settings(tmp_path / "d.sqlite", policy_file(tmp_path, text)))) as engine:
        assert [table.name for table in engine.tables()] == ["strasse"]


def test_the_whole_path_answers_as_the_role(tmp_path: Path) -> None:
    data = make("duckdb file", tmp_path)
    (tmp_path / "shop.glossary.toml").write_text(
        '[tables.salaries]\nsynonyms = ["wages"]\n[tables.orders.columns.country.values]\n"Canaria" = "canary-7f3a"\n', encoding="utf-8"
    )
    with closing(control_unit(settings(data, policy_file(tmp_path)))) as control:
        answer = control.answer(Question("how many orders are there?"))
        assert answer.rows is not None
        assert list(answer.rows.as_python()) == [(1,)]
        with pytest.raises(InvalidSQL) as caught:
            control.run_sql("SELECT pay FROM salaries")
        assert "salaries" not in str(caught.value.helps.get("suggestions"))
        assert {table.name for table in control.tables()} == {"customers", "orders"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[roles.a]\nothers = maybe", "not valid TOML"),
        ("", "at least one role"),
        ("[roles.a]\nother = true", "there is no such key; known are tables, others, isolate, smallest_group"),
        ("[roles.a.tables.t]\nrow = 'x = 1'", "there is no such key; known are columns, hide, mask, rows, smallest_group"),
        ("[roles.a.tables.t]\ncolumns = ['x']\nhide = ['y']", "exclude each other"),
        ("[roles.a.tables.t]\nmask = { x = 'blur' }", 'there is no mask "blur"'),
        ("mode = 'off'\n[roles.a]", "mode: input should be 'enforce' or 'log'"),
        ("[roles.a]\nsmallest_group = true", "smallest_group"),
        ("modes = 'log'\n[roles.a]", "there is no such key; known are mode, roles"),
        ("[roles.a.tables.t]\n[roles.a.tables.T]", "spelt in two ways"),
    ],
)
def test_a_policy_that_cannot_be_used_says_why(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        read_policy(policy_file(tmp_path, text))


def test_a_missing_policy_role_or_file_is_told(tmp_path: Path) -> None:
    data, policy = make("sqlite", tmp_path), policy_file(tmp_path)
    with pytest.raises(NotFound):
        read_policy(tmp_path / "none.toml")
    with pytest.raises(Forbidden, match="boss, analyst"):
        open_engine(settings(data, policy, None))
    with pytest.raises(Forbidden, match="no role clerk"):
        open_engine(settings(data, policy, "clerk"))
    with pytest.raises(BadRequest, match="no policy"):
        scope_of(Settings(data=str(data), role="analyst"))


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("[roles.analyst.tables.order]", "the table order"),
        ("[roles.analyst.tables.orders]\nhide = ['amout']", "the column amout"),
        ("[roles.analyst.tables.orders]\nmask = { amout = 'null' }", "the column amout"),
        ("[roles.analyst.tables.orders]\nrows = \"contry = 'DE'\"", "contry"),
        ("[roles.analyst.tables.orders]\nrows = \"country = 'DE' OR (SELECT true)\"", "without other tables"),
        ("[roles.analyst.tables.orders]\nrows = 'country = :land'", "land"),
        ("[roles.analyst.tables.orders]\nrows = '\"contry\" <> country'", "contry"),
    ],
)
def test_a_policy_that_does_not_fit_the_data_leaves_nothing_open(tmp_path: Path, kind: str, rule: str, said: str) -> None:
    policy = policy_file(tmp_path, "[roles.analyst]\nothers = true\n" + rule)
    with pytest.raises((BadRequest, Forbidden), match=said):
        open_engine(settings(make(kind, tmp_path / "data"), policy))


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
@pytest.mark.parametrize(
    ("written", "attributes", "wanted"),
    [
        ("country = 'DE'", {}, "(country = 'DE')"),
        ("country = :c", {"c": "O'Brien' OR 1=1 --"}, "(country = 'O''Brien'' OR 1=1 --')"),
        ("country IN (:c)", {"c": ("DE", "FR")}, "(country IN ('DE', 'FR'))"),
        ("country IN (:c)", {"c": ()}, "(country IN (NULL))"),
        ("country NOT IN (:c, 'XX')", {"c": ()}, "(NOT country IN ('XX'))"),
        ("level <= :level", {"level": 3}, "(level <= 3)"),
    ],
)
def test_a_condition_holds_the_askers_attributes_as_values(
    dialect: Any, written: str, attributes: dict[str, Attribute], wanted: str
) -> None:
    assert condition(written, dialect, attributes)[0] == wanted


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
@pytest.mark.parametrize(
    "written",
    [
        "1=1) UNION SELECT (1", "1=1) GROUP BY (x", "x IN (SELECT y FROM z)", "EXISTS (SELECT 1)", "z.x = 1", "x = 1; DROP TABLE t", " ",
        "load_extension('x')", "readfile('x') = 1", "x = :none",
    ],
)  # fmt: skip
def test_a_condition_on_anything_but_its_own_table_is_refused(dialect: Any, written: str) -> None:
    with pytest.raises((BadRequest, Forbidden)):
        condition(written, dialect, {})


def test_a_scope_is_the_same_for_all_who_see_the_same() -> None:
    one, other = Scope((View("t", rows="(x = 1)"),)), Scope((View("t", rows="(x = 2)"),))
    assert one.key == replace(one).key != other.key
    assert not one.shows("u", "x")
    assert one.shows("T", "x")
    assert Scope(others=True).shows("u", "x")
    assert not Scope((View("t", mask=(("x", "null"),)),)).shows("t", "X")


def test_a_role_that_sees_everything_has_no_scope() -> None:
    role = Policy.model_validate({"roles": {"boss": {"others": True}}}).role("boss")
    assert role.scope(lambda written: (written, ())) is None


def test_the_commands_check_and_show_a_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    data, policy = make("sqlite", tmp_path), policy_file(tmp_path)

    def run(*arguments: str) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["streamlink-sql", "policy", *arguments, "--data", str(data)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        assert ended.value.code == (0 if not told.err else 2)
        return told.out, told.err

    countries = ("--attribute", "countries=DE", "--attribute", "countries=FR")
    checked, _ = run("check", str(policy), *countries)
    assert "analyst: customers, orders" in checked
    assert "salaries" in checked
    shown, _ = run("show", "--policy", str(policy), "--role", "analyst", *countries)
    assert "rows: (country IN ('DE', 'FR'))" in shown
    assert "name is masked: first 1" in shown
    body, _ = run("show", "--policy", str(policy), "--role", "analyst", *countries, "--json")
    assert [entry["table"] for entry in json.loads(body)] == ["customers", "orders"]
