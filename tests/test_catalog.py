"""The catalogue: keys, glossary, what a question needs, and that it follows the data. Real databases on throw-away files."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pytest

from streamlink_sql.catalog import Budget, Catalog, ValueIndex, glossary_beside, load_glossary
from streamlink_sql.catalog.names import spoken_words, words_of
from streamlink_sql.errors import BadRequest, CannotAnswer, EngineUnavailable, NotFound
from streamlink_sql.types import CheckedSQL, Column, Dialect, ForeignKey, Kind, Plan, Rows, Sample, Table

KINDS: dict[str, Kind] = {
    "VARCHAR": "text",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "DOUBLE": "real",
    "DATE": "date",
    "BOOLEAN": "boolean",
}


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class Database:
    """A DuckDB file behind the engine contract, as far as the catalogue uses it, that counts what it is asked."""

    name, can_cancel = "duckdb", False
    warnings: tuple[str, ...] = ()
    dialect: Dialect = "duckdb"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sampled = 0
        self.listed = 0
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False

    def change(self, *statements: str) -> None:
        with duckdb.connect(str(self.path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.execute("CHECKPOINT")

    def fingerprint(self) -> str:
        status = self.path.stat()
        return f"{status.st_mtime_ns}.{status.st_size}"

    def tables(self) -> tuple[Table, ...]:
        self.listed += 1
        with duckdb.connect(str(self.path)) as connection:
            listed = connection.execute("SELECT table_name, comment FROM duckdb_tables() ORDER BY table_oid").fetchall()
            return tuple(self._table(connection, name, comment or "") for name, comment in listed)

    def _table(self, connection: duckdb.DuckDBPyConnection, name: str, comment: str) -> Table:
        columns = connection.execute(
            "SELECT column_name, data_type, comment FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index", [name]
        ).fetchall()
        keys = connection.execute(
            "SELECT constraint_type, constraint_column_names, referenced_table, referenced_column_names "
            "FROM duckdb_constraints() WHERE table_name = ?",
            [name],
        ).fetchall()
        primary = next((tuple(names) for kind, names, _, _ in keys if kind == "PRIMARY KEY"), ())
        foreign = tuple(ForeignKey(tuple(names), to, tuple(ends)) for kind, names, to, ends in keys if kind == "FOREIGN KEY")
        rows = connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchall()[0][0]
        made = tuple(Column(column, KINDS.get(native, "other"), native, told or "") for column, native, told in columns)
        return Table(name, made, primary, foreign, comment, rows)

    def sample(self, table: str, column: str, *, limit: int) -> Sample:
        self.gate.wait(10)
        if self.broken:
            raise EngineUnavailable("The file is damaged.")
        self.sampled += 1
        with duckdb.connect(str(self.path)) as connection:
            found = connection.execute(
                f"SELECT {quoted(column)}::VARCHAR, count(*) FROM {quoted(table)} WHERE {quoted(column)} IS NOT NULL "
                f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {limit + 1}"
            ).fetchall()
        return Sample(tuple(str(value) for value, _ in found[:limit]), len(found) <= limit)

    def dry_run(self, query: CheckedSQL) -> Plan:
        raise NotImplementedError

    def run(self, query: CheckedSQL, *, row_limit: int, time_limit_s: float, run_id: str = "") -> Rows:
        raise NotImplementedError

    def cancel(self, run_id: str) -> bool:
        return False

    def close(self) -> None: ...


def database(tmp_path: Path, *statements: str, name: str = "data.duckdb") -> Database:
    made = Database(tmp_path / name)
    made.change(*statements)
    return made


def keys_of(catalog: Catalog) -> set[str]:
    """Inferred and declared references, as 'orders.customer_id -> customers.id'; inferred ones end in '?'."""
    return {
        f"{table.name}.{','.join(key.columns)} -> {key.to_table}.{','.join(key.to_columns)}{'?' if key.inferred else ''}"
        for table in catalog.tables()
        for key in table.foreign_keys
    }


def primary_keys(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    return {table.name: table.primary_key for table in catalog.tables()}


PATENTS = (
    "CREATE TABLE patents (publication_number VARCHAR, country_code VARCHAR, title VARCHAR, filed DATE)",
    "INSERT INTO patents VALUES ('DE-1', 'DE', 'Rotary valve', '2019-01-02'), ('US-2', 'US', 'Heat pump', NULL), ('J3', 'JP', 'Lens', NULL)",
)
GERMAN = '[tables.patents.columns.country_code]\nsynonyms = ["country"]\nvalues = {"germany" = "DE", "german" = "DE"}\n'


# names


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("customerID", ("customer", "id")),
        ("HTTPServer2Port", ("http", "server", "2", "port")),
        ("order lines", ("order", "line")),
        ("Straßen-Höhe", ("strassen", "hohe")),
        ("国家", ("国家",)),
        ("", ()),
    ],
)
def test_names_become_words(name: str, words: tuple[str, ...]) -> None:
    assert words_of(name) == words


def test_abbreviations_are_written_out() -> None:
    assert spoken_words("dept_qty") == ("department", "quantity")


# keys


def test_keys_spelt_out_by_names_are_inferred(tmp_path: Path) -> None:
    source = database(
        tmp_path,
        "CREATE TABLE customers (id INTEGER, name VARCHAR)",
        "CREATE TABLE orders (order_id INTEGER, customer_id INTEGER, total DOUBLE)",
        "INSERT INTO customers SELECT i, 'c' || i FROM range(50) t(i)",
        "INSERT INTO orders SELECT i, i % 40, i FROM range(200) t(i)",
    )
    catalog = Catalog(source)
    assert keys_of(catalog) == {"orders.customer_id -> customers.id?"}
    assert primary_keys(catalog) == {"customers": ("id",), "orders": ("order_id",)}


def test_equal_names_need_one_unique_side(tmp_path: Path) -> None:
    source = database(
        tmp_path,
        "CREATE TABLE classes (cpc_code VARCHAR, meaning VARCHAR)",
        "CREATE TABLE uses (patent VARCHAR, cpc_code VARCHAR)",
        "CREATE TABLE mentions (page VARCHAR, cpc_code VARCHAR)",
        "INSERT INTO classes SELECT 'A' || i, 'm' || i % 5 FROM range(30) t(i)",
        "INSERT INTO uses SELECT 'p' || i % 70, 'A' || i % 30 FROM range(300) t(i)",
        "INSERT INTO mentions SELECT 'q' || i % 70, 'A' || i % 20 FROM range(300) t(i)",
    )
    assert keys_of(Catalog(source)) == {"uses.cpc_code -> classes.cpc_code?", "mentions.cpc_code -> classes.cpc_code?"}


def test_values_that_do_not_fit_speak_against_a_key(tmp_path: Path) -> None:
    source = database(
        tmp_path,
        "CREATE TABLE customers (id INTEGER, name VARCHAR)",
        "CREATE TABLE orders (order_id INTEGER, customer_id INTEGER)",
        "INSERT INTO customers SELECT i, 'c' || i FROM range(50) t(i)",
        "INSERT INTO orders SELECT i, 100000 + i FROM range(200) t(i)",
    )
    assert keys_of(Catalog(source)) == set()


def test_equal_values_without_a_name_are_no_key(tmp_path: Path) -> None:
    source = database(
        tmp_path,
        "CREATE TABLE a (id INTEGER, score INTEGER)",
        "CREATE TABLE b (id INTEGER, age INTEGER, name VARCHAR, year INTEGER)",
        "INSERT INTO a SELECT i, i % 7 FROM range(50) t(i)",
        "INSERT INTO b SELECT i, i % 9, 'n' || i, 2000 + i FROM range(50) t(i)",
    )
    assert keys_of(Catalog(source)) == set()


def test_roles_parents_and_text_keys(tmp_path: Path) -> None:
    source = database(
        tmp_path,
        "CREATE TABLE airports (airport_code VARCHAR, city VARCHAR)",
        "CREATE TABLE flights (flight_no INTEGER, source_airport VARCHAR, dest_airport_code VARCHAR)",
        "CREATE TABLE employees (id INTEGER, manager_id INTEGER, name VARCHAR)",
        "INSERT INTO airports SELECT 'X' || i, 'c' || i % 9 FROM range(40) t(i)",
        "INSERT INTO flights SELECT i, 'X' || i % 40, 'X' || (i * 7) % 40 FROM range(300) t(i)",
        "INSERT INTO employees SELECT i, CASE WHEN i > 0 THEN i // 3 END, 'e' || i FROM range(30) t(i)",
    )
    assert keys_of(Catalog(source)) == {
        "flights.source_airport -> airports.airport_code?",
        "flights.dest_airport_code -> airports.airport_code?",
        "employees.manager_id -> employees.id?",
    }


def test_declared_keys_stay_and_are_not_repeated(tmp_path: Path) -> None:
    source = database(
        tmp_path,
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR)",
        "CREATE TABLE orders (order_id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id))",
        "INSERT INTO customers VALUES (1, 'a')",
        "INSERT INTO orders VALUES (1, 1)",
    )
    assert keys_of(Catalog(source)) == {"orders.customer_id -> customers.id"}


def test_a_column_with_gaps_or_repeats_is_no_primary_key(tmp_path: Path) -> None:
    source = database(
        tmp_path,
        "CREATE TABLE gaps (id INTEGER, x VARCHAR)",
        "CREATE TABLE repeats (id INTEGER, x VARCHAR)",
        "INSERT INTO gaps VALUES (1, 'a'), (NULL, 'b')",
        "INSERT INTO repeats VALUES (1, 'a'), (1, 'b')",
    )
    assert primary_keys(Catalog(source)) == {"gaps": (), "repeats": ()}


def test_empty_tables_get_keys_from_names(tmp_path: Path) -> None:
    source = database(tmp_path, "CREATE TABLE customers (id INTEGER, n VARCHAR)", "CREATE TABLE orders (id INTEGER, customer_id INTEGER)")
    assert keys_of(Catalog(source)) == {"orders.customer_id -> customers.id?"}


# values and glossary


def test_germany_means_de_only_if_the_data_or_a_glossary_says_so(tmp_path: Path) -> None:
    source = database(tmp_path, *PATENTS)
    assert not Catalog(source).relevant("patents from germany").matches
    glossary = tmp_path / "glossary.toml"
    glossary.write_text(GERMAN)
    (match,) = Catalog(source, glossary=glossary).relevant("patents from Germany").matches
    assert (match.table, match.column, match.value, match.source) == ("patents", "country_code", "DE", "glossary")
    assert "patents from Germany"[match.start : match.end] == "Germany"
    source.change("INSERT INTO patents VALUES ('X-9', 'germany', 't', NULL)")
    (match,) = Catalog(source).relevant("patents from Germany").matches
    assert (match.value, match.source) == ("germany", "cell")


def test_glossary_gives_synonyms_and_descriptions(tmp_path: Path) -> None:
    source = database(tmp_path, *PATENTS, "COMMENT ON TABLE patents IS 'old'", "COMMENT ON COLUMN patents.filed IS 'the day of filing'")
    glossary = tmp_path / "glossary.toml"
    glossary.write_text(
        '[tables.PATENTS]\nsynonyms = ["inventions"]\ndescription = "One row a publication."\n' + GERMAN.replace("patents", "PATENTS")
    )
    with pytest.raises(BadRequest, match="TOML"):
        Catalog(source, glossary=_written(tmp_path / "twice.toml", "[tables.patents]\n[tables.patents]\n")).tables()
    context = Catalog(source, glossary=glossary).relevant("inventions")
    (table,) = context.tables
    assert table.comment == "One row a publication."
    assert table.column("filed").comment == "the day of filing"
    assert context.synonyms == {("patents", ""): ("inventions",), ("patents", "country_code"): ("country",)}
    assert context.samples["patents", "country_code"] == ("DE", "JP", "US")


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("# words\n\n[tables.patent]\n", 3, "no table 'patent'; did you mean 'patents'?"),
        ("[tables.patents]\nsynonym = []\n", 2, "no key 'synonym'; did you mean 'synonyms'?"),
        (
            "[tables.patents]\n\n[tables.patents.columns.county_code]\n",
            3,
            "no column of patents 'county_code'; did you mean 'country_code'?",
        ),
        ('[tables.patents]\ncolumns.titel.synonyms = ["x"]\n', 2, "did you mean 'title'?"),
        ("[tables.patents]\ndescription = 'x'\nsynonyms = 'invention'\n", 3, "synonyms must be a list"),
        ("[tables.patents.columns.country_code]\nsynonyms = []\nvalues = {a = 'A', b = [1]}\n", 3, "value of 'b'"),
        ("[table.patents]\n", 1, "no key 'table'; did you mean 'tables'?"),
        ("[tables]\npatents = 3\n", 2, "tables.patents must be a table"),
        ("[tables.patents\n", 1, "line 1"),
    ],
)
def test_a_wrong_glossary_is_refused_with_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    glossary = _written(tmp_path / "glossary.toml", text)
    with pytest.raises(BadRequest) as refused:
        Catalog(database(tmp_path, *PATENTS), glossary=glossary).tables()
    assert says in refused.value.detail
    assert f"line {line}" in refused.value.detail


def test_glossary_that_is_missing_or_binary(tmp_path: Path) -> None:
    source = database(tmp_path, *PATENTS)
    with pytest.raises(NotFound, match="no glossary"):
        Catalog(source, glossary=tmp_path / "none.toml").tables()
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadRequest, match="not UTF-8"):
        Catalog(source, glossary=tmp_path / "binary.toml").tables()


def test_a_changed_glossary_is_noticed(tmp_path: Path) -> None:
    glossary = _written(tmp_path / "glossary.toml", "")
    catalog = Catalog(database(tmp_path, *PATENTS), glossary=glossary)
    assert not catalog.relevant("german patents").matches
    _written(glossary, GERMAN)
    assert [match.value for match in catalog.relevant("german patents").matches] == ["DE"]


def test_glossary_is_found_beside_the_data(tmp_path: Path) -> None:
    assert glossary_beside(tmp_path) is None
    inside = _written(tmp_path / "glossary.toml", "")
    beside = _written(tmp_path / "sales.glossary.toml", "")
    assert glossary_beside(tmp_path) == inside
    assert glossary_beside(tmp_path / "sales.duckdb") == beside
    assert load_glossary(inside, ()).aliases == {}


def test_titles_are_not_indexed_but_names_are(tmp_path: Path) -> None:
    source = database(
        tmp_path,
        "CREATE TABLE p (title VARCHAR, assignee VARCHAR)",
        "INSERT INTO p SELECT 'method ' || i || ' to make a very long and useful thing', 'Firm ' || chr(65 + (i % 26)::INTEGER) "
        "FROM range(3000) t(i)",
    )
    matches = Catalog(source).relevant("method 17 to make a very long and useful thing by Firm Q").matches
    assert {(match.column, match.value) for match in matches if match.score == 1} == {("assignee", "Firm Q")}


# following the data


def test_one_reading_serves_until_the_data_changes(tmp_path: Path) -> None:
    source = database(tmp_path, *PATENTS)
    catalog = Catalog(source)
    catalog.warm()
    asked = source.sampled
    for _ in range(5):
        catalog.relevant("patents")
    assert source.sampled == asked
    source.change("INSERT INTO patents VALUES ('FR-4', 'FR', 'Brake', NULL)")
    catalog.warm()
    assert [match.value for match in catalog.relevant("how many for FR").matches] == ["FR"]


def test_rows_that_change_do_not_make_a_question_wait(tmp_path: Path) -> None:
    source = database(tmp_path, *PATENTS)
    catalog = Catalog(source)
    catalog.warm()
    source.change("INSERT INTO patents VALUES ('FR-4', 'FR', 'Brake', NULL)")
    source.gate.clear()
    assert not catalog.relevant("brake").matches
    source.gate.set()
    catalog.warm()
    assert [match.value for match in catalog.relevant("brake").matches] == ["Brake"]


def test_a_changed_schema_is_read_before_the_next_answer(tmp_path: Path) -> None:
    source = database(tmp_path, *PATENTS)
    catalog = Catalog(source)
    catalog.warm()
    source.change("ALTER TABLE patents ADD COLUMN claims INTEGER", "CREATE TABLE fees (amount DOUBLE)")
    context = catalog.relevant("claims")
    tables = {table.name: table for table in context.tables}
    assert set(tables) == {"patents", "fees"}
    assert tables["patents"].column("claims").kind == "integer"


def test_a_replaced_file_that_cannot_be_read_is_an_error_not_an_old_answer(tmp_path: Path) -> None:
    source = database(tmp_path, *PATENTS)
    catalog = Catalog(source)
    catalog.warm()
    source.change("INSERT INTO patents VALUES ('FR-4', 'FR', 'Brake', NULL)")
    source.broken = True
    with pytest.raises(EngineUnavailable):
        catalog.warm()
    source.broken = False
    assert catalog.relevant("brake").matches


def test_many_threads_share_one_reading(tmp_path: Path) -> None:
    source = database(tmp_path, *PATENTS)
    catalog = Catalog(source)
    seen: list[int] = []
    threads = [threading.Thread(target=lambda: seen.append(len(catalog.relevant("patents").tables))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 12
    assert source.listed == 1


def test_no_tables_is_a_clear_error(tmp_path: Path) -> None:
    catalog = Catalog(database(tmp_path))
    assert catalog.tables() == ()
    with pytest.raises(CannotAnswer, match="no tables"):
        catalog.relevant("anything")


def test_reading_stops_at_its_time_limit(tmp_path: Path) -> None:
    catalog = Catalog(database(tmp_path, *PATENTS), read_limit_s=0)
    assert [table.name for table in catalog.tables()] == ["patents"]
    assert not catalog.relevant("DE").matches


def test_awkward_names_work(tmp_path: Path) -> None:
    source = database(
        tmp_path,
        'CREATE TABLE "order" ("select" VARCHAR, "with blank" VARCHAR, "qu""ote" VARCHAR, "größe" VARCHAR, "国家" VARCHAR)',
        'CREATE TABLE "Größen Tabelle" ("größe" VARCHAR)',
        "INSERT INTO \"order\" VALUES ('alpha', 'beta', 'gamma', 'delta', '德国')",
    )
    glossary = _written(
        tmp_path / "g.toml",
        '[tables.order.columns."with blank"]\nvalues = {"zwei" = "beta"}\n[tables.order.columns."国家"]\nsynonyms = ["country"]',
    )
    context = Catalog(source, glossary=glossary).relevant("alpha zwei gamma delta 德国")
    assert [(match.column, match.value) for match in context.matches] == [
        ("select", "alpha"), ("with blank", "beta"), ('qu"ote', "gamma"), ("größe", "delta"), ("国家", "德国"),
    ]  # fmt: skip
    assert context.synonyms == {("order", "国家"): ("country",)}


# wide schemas

THEMES = ("customer", "invoice", "shipment", "supplier", "warehouse", "employee", "contract", "machine", "sensor", "campaign")
FIELDS = ("id", "name", "status", "created_at", "amount", "quantity", "region", "priority", "owner", "weight")


class Wide(Database):
    """Tables without rows, which need no file."""

    def __init__(self, tables: Iterable[Table]) -> None:
        super().__init__(Path())
        self._tables = tuple(tables)

    def fingerprint(self) -> str:
        return "1"

    def tables(self) -> tuple[Table, ...]:
        return self._tables

    def sample(self, table: str, column: str, *, limit: int) -> Sample:
        return Sample(("Fiddlesticks",) if (table, column) == ("sensor_7", "region") else (), True)


def wide() -> list[Table]:
    tables = []
    for number in range(500):
        theme = THEMES[number % len(THEMES)]
        names = [f"{field}_{at}" if at else field for at in range(4) for field in FIELDS]
        columns = tuple(Column(name, "text" if "name" in name or "region" in name else "integer") for name in names)
        tables.append(Table(f"{theme}_{number // 10}", columns, ("id",), (), "", None))
    extra = (Column("id", "integer"), Column("telescope_diameter", "real"), Column("amount", "real"))
    tables[321] = Table("observatories", extra + tables[321].columns[5:40], ("id",))
    link = (Column("observatory_id", "integer"), Column("campaign_id", "integer"), *tables[322].columns[2:40])
    keys = (ForeignKey(("observatory_id",), "observatories", ("id",)), ForeignKey(("campaign_id",), "campaign_13", ("id",)))
    tables[322] = Table("bookings_xy", link, (), keys)
    return tables


def test_a_wide_schema_is_cut_to_what_the_question_needs() -> None:
    catalog = Catalog(Wide(wide()))
    context = catalog.relevant("What is the average telescope diameter of our observatories?")
    tables = {table.name: table for table in context.tables}
    assert "observatories" in tables
    assert tables["observatories"].column("telescope_diameter")
    assert tables["observatories"].primary_key == ("id",)
    assert len(tables) <= 20
    assert sum(len(table.columns) for table in context.tables) <= 120


def test_chosen_tables_come_with_the_tables_between_them() -> None:
    catalog = Catalog(Wide(wide()), budget=Budget(tables=4, columns=60))
    context = catalog.relevant("telescope diameter of the observatory per campaign 13 name")
    names = [table.name for table in context.tables]
    assert {"observatories", "bookings_xy", "campaign_13"} <= set(names)
    link = next(table for table in context.tables if table.name == "bookings_xy")
    assert {key.to_table for key in link.foreign_keys} == {"observatories", "campaign_13"}


@pytest.mark.parametrize("question", ["telescop diametr", "Teleskope? no: TELESCOPES", "observatory"])
def test_slips_and_plurals_still_find_the_table(question: str) -> None:
    assert "observatories" in [table.name for table in Catalog(Wide(wide())).relevant(question).tables]


def test_a_value_leads_to_its_table() -> None:
    context = Catalog(Wide(wide())).relevant("count what belongs to Fiddlesticks")
    assert [table.name for table in context.tables] == ["sensor_7"]
    assert context.matches[0].column == "region"


def test_a_synonym_leads_to_its_table(tmp_path: Path) -> None:
    glossary = _written(tmp_path / "g.toml", '[tables.machine_31]\nsynonyms = ["gizmo"]\n')
    context = Catalog(Wide(wide()), glossary=glossary).relevant("how many gizmos are there")
    assert "machine_31" in [table.name for table in context.tables]
    assert context.synonyms == {("machine_31", ""): ("gizmo",)}


def test_a_question_that_fits_nothing_still_gets_tables() -> None:
    context = Catalog(Wide(wide())).relevant("qqqq zzzz")
    assert 0 < sum(len(table.columns) for table in context.tables) <= 120


def test_within_the_budget_everything_is_sent_in_order(tmp_path: Path) -> None:
    tables = tuple(Table(f"t{number}", (Column("a", "integer"), Column("b", "text"))) for number in range(20))
    catalog = Catalog(Wide(tables))
    assert [table.name for table in catalog.relevant("t3").tables] == [table.name for table in tables]
    assert catalog.relevant("t3").tables == catalog.relevant("something else").tables


def test_one_very_wide_table_keeps_its_key_and_what_is_asked() -> None:
    columns = (Column("sample_id", "integer"), *(Column(f"measure_{at}", "real") for at in range(600)), Column("turbidity", "real"))
    (table,) = Catalog(Wide([Table("samples", columns, ("sample_id",))])).relevant("mean turbidity").tables
    assert len(table.columns) == 120
    assert table.column("turbidity")
    assert table.primary_key == ("sample_id",)


# the value index


def test_the_value_index_can_be_pickled() -> None:
    index = ValueIndex({("t", "c"): ["Zürich", "New York"]})
    again = pickle.loads(pickle.dumps(index))
    assert again.match("zurich or new york") == index.match("zurich or new york")
    assert [match.value for match in again.match("zurich or new york")] == ["Zürich", "New York"]
