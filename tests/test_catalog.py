"""The catalogue: keys, glossary, what a question needs, and that it follows the data. Real databases on throw-away files."""

from __future__ import annotations

import contextlib
import pickle
import sqlite3
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlink_sql.catalog import Budget, Catalog, ValueIndex, glossary_beside, load_glossary
from streamlink_sql.catalog.names import spoken_name, spoken_words, words_of
from streamlink_sql.catalog.values import named_instead, normalise
from streamlink_sql.engines import open_embedded
from streamlink_sql.errors import BadRequest, CannotAnswer, EngineUnavailable, NotFound
from streamlink_sql.types import CheckedSQL, Engine, Hear, Plan, Rows, Sample, Table


class Watched:
    """A real engine that counts what it is asked and can be held up or broken."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name, self.dialect, self.can_cancel, self.warnings = engine.name, engine.dialect, engine.can_cancel, engine.warnings
        self.sampled = 0
        self.listed = 0
        self.is_broken = False
        self.gate = threading.Event()
        self.gate.set()

    def fingerprint(self) -> str:
        return self._engine.fingerprint()

    def tables(self) -> tuple[Table, ...]:
        self.listed += 1
        return self._engine.tables()

    def sample(self, table: str, column: str, *, limit: int) -> Sample:
        self.gate.wait(60)
        if self.is_broken:
            raise EngineUnavailable("The file is damaged.")
        self.sampled += 1
        return self._engine.sample(table, column, limit=limit)

    def dry_run(self, query: CheckedSQL, *, time_limit_s: float = 10.0) -> Plan:
        return self._engine.dry_run(query, time_limit_s=time_limit_s)

    def run(self, query: CheckedSQL, *, row_limit: int, time_limit_s: float, run_id: str = "", hear: Hear | None = None) -> Rows:
        return self._engine.run(query, row_limit=row_limit, time_limit_s=time_limit_s, run_id=run_id, hear=hear)

    def cancel(self, run_id: str) -> bool:
        return self._engine.cancel(run_id)

    def close(self) -> None:
        self._engine.close()


class Data(Watched):
    """Tables made by DuckDB statements, written as a folder of Parquet files and read by the real engine."""

    def __init__(self, folder: Path, statements: Iterable[str]) -> None:
        self.folder = folder
        self._maker = duckdb.connect()
        folder.mkdir()
        self.change(*statements)
        super().__init__(open_embedded(str(folder), children=1))

    def change(self, *statements: str) -> None:
        """Runs the statements, and puts every table in the place of its file."""
        for statement in statements:
            self._maker.execute(statement)
        for (name,) in self._maker.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            whole = self.folder / f".{name}"
            self._maker.execute(f"COPY \"{name}\" TO '{whole}' (FORMAT parquet)")
            whole.replace(self.folder / f"{name}.parquet")

    def close(self) -> None:
        self._maker.close()
        super().close()


Maker = Callable[..., Watched]
DataMaker = Callable[..., Data]


@pytest.fixture
def data(tmp_path: Path) -> Iterator[DataMaker]:
    """Makes a source from DuckDB statements."""
    made: list[Data] = []

    def make(*statements: str) -> Data:
        made.append(Data(tmp_path / f"data{len(made)}", statements))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Maker]:
    """Makes a source from SQLite statements."""
    made: list[Watched] = []

    def make(*statements: str) -> Watched:
        path = tmp_path / f"data{len(made)}.sqlite"
        with contextlib.closing(sqlite3.connect(path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
        made.append(Watched(open_embedded(str(path), children=1)))
        return made[-1]

    yield make
    for each in made:
        each.close()


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
    "INSERT INTO patents VALUES ('DE-1', 'DE', 'Rotary valve', '2019-01-02'), ('US-2', 'US', 'Pump', NULL), ('J3', 'JP', 'Lens', NULL)",
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
    assert spoken_name("recdQty_poNo") == "received quantity po number"
    for name in ("co2", "no_smoking", "cat", "sub_total", "exp"):
        assert spoken_name(name) == name.replace("_", " ").replace("co2", "co 2"), "it may mean something else"


def test_names_that_are_abbreviated_are_also_said_in_full(data: DataMaker, tmp_path: Path) -> None:
    source = data("CREATE TABLE po_hdr (order_dt DATE, qty INTEGER, amount DOUBLE)", "INSERT INTO po_hdr VALUES ('2024-01-01', 1, 2)")
    assert Catalog(source).relevant("what?").synonyms == {("po_hdr", "order_dt"): ("order date",), ("po_hdr", "qty"): ("quantity",)}
    (tmp_path / "own.toml").write_text('[tables.po_hdr.columns.qty]\nsynonyms = ["pieces"]\n')
    told = Catalog(source, glossary=tmp_path / "own.toml").relevant("what?").synonyms
    assert told["po_hdr", "qty"] == ("pieces", "quantity")


# keys


def test_keys_spelt_out_by_names_are_inferred(data: DataMaker) -> None:
    source = data(
        "CREATE TABLE customers (id INTEGER, name VARCHAR)",
        "CREATE TABLE orders (order_id INTEGER, customer_id INTEGER, total DOUBLE)",
        "INSERT INTO customers SELECT i, 'c' || i FROM range(50) t(i)",
        "INSERT INTO orders SELECT i, i % 40, i FROM range(200) t(i)",
    )
    catalog = Catalog(source)
    assert keys_of(catalog) == {"orders.customer_id -> customers.id?"}
    assert primary_keys(catalog) == {"customers": ("id",), "orders": ("order_id",)}


def test_equal_names_need_one_unique_side(data: DataMaker) -> None:
    source = data(
        "CREATE TABLE classes (cpc_code VARCHAR, meaning VARCHAR)",
        "CREATE TABLE uses (patent VARCHAR, cpc_code VARCHAR)",
        "CREATE TABLE mentions (page VARCHAR, cpc_code VARCHAR)",
        "INSERT INTO classes SELECT 'A' || i, 'm' || i % 5 FROM range(30) t(i)",
        "INSERT INTO uses SELECT 'p' || i % 70, 'A' || i % 30 FROM range(300) t(i)",
        "INSERT INTO mentions SELECT 'q' || i % 70, 'A' || i % 20 FROM range(300) t(i)",
    )
    assert keys_of(Catalog(source)) == {"uses.cpc_code -> classes.cpc_code?", "mentions.cpc_code -> classes.cpc_code?"}


def test_values_that_do_not_fit_speak_against_a_key(data: DataMaker) -> None:
    source = data(
        "CREATE TABLE customers (id INTEGER, name VARCHAR)",
        "CREATE TABLE orders (order_id INTEGER, customer_id INTEGER)",
        "INSERT INTO customers SELECT i, 'c' || i FROM range(50) t(i)",
        "INSERT INTO orders SELECT i, 100000 + i FROM range(200) t(i)",
    )
    assert keys_of(Catalog(source)) == set()


def test_equal_values_without_a_name_are_no_key(data: DataMaker) -> None:
    source = data(
        "CREATE TABLE a (id INTEGER, score INTEGER)",
        "CREATE TABLE b (id INTEGER, age INTEGER, name VARCHAR, year INTEGER)",
        "INSERT INTO a SELECT i, i % 7 FROM range(50) t(i)",
        "INSERT INTO b SELECT i, i % 9, 'n' || i, 2000 + i FROM range(50) t(i)",
    )
    assert keys_of(Catalog(source)) == set()


def test_roles_parents_and_text_keys(data: DataMaker) -> None:
    source = data(
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


def test_people_are_called_by_what_they_do(data: DataMaker) -> None:
    source = data(
        "CREATE TABLE employees AS SELECT i AS emp_no, 'e' || i AS name FROM range(30) t(i)",
        "CREATE TABLE tickets AS SELECT i AS ticket_id, i % 30 AS assignee_no, i % 7 AS opened_by, i % 60 AS reviewer_no, "
        "i % 4 AS lead_time, i % 3 AS buyer_no FROM range(90) t(i)",
    )
    assert keys_of(Catalog(source)) == {"tickets.assignee_no -> employees.emp_no?", "tickets.opened_by -> employees.emp_no?"}


def test_roles_before_the_name_of_a_table_are_keys_where_the_values_fit(data: DataMaker) -> None:
    """`delivery_stations` counts some, `home_station` holds numbers of none, `max_station` is no role."""
    source = data(
        "CREATE TABLE stations AS SELECT i AS station_id, 'S' || i AS name FROM range(1, 41) t(i)",
        "CREATE TABLE rides AS SELECT 1000 + i AS ride_id, 1 + i % 40 AS from_station, 1 + i * 7 % 40 AS to_station, "
        "1 + i % 9 AS delivery_stations, 30 + i % 30 AS home_station, 1 + i % 40 AS max_station FROM range(400) t(i)",
    )
    assert keys_of(Catalog(source)) == {"rides.from_station -> stations.station_id?", "rides.to_station -> stations.station_id?"}


def test_where_two_tables_hold_such_people_none_is_chosen(data: DataMaker) -> None:
    source = data(
        "CREATE TABLE employees AS SELECT i AS emp_no, 'e' || i AS name FROM range(30) t(i)",
        "CREATE TABLE users AS SELECT i AS user_no, 'u' || i AS login FROM range(30) t(i)",
        "CREATE TABLE tickets AS SELECT i AS ticket_id, i % 30 AS assignee_no FROM range(90) t(i)",
    )
    assert keys_of(Catalog(source)) == set()


def test_declared_keys_stay_and_are_not_repeated(sqlite: Maker) -> None:
    source = sqlite(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT)",
        "CREATE TABLE orders (order_id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id))",
        "INSERT INTO customers VALUES (1, 'a')",
        "INSERT INTO orders VALUES (1, 1)",
    )
    assert keys_of(Catalog(source)) == {"orders.customer_id -> customers.id"}


def test_text_refers_to_numbers_only_where_the_engine_compares_them(sqlite: Maker, data: DataMaker) -> None:
    statements = (
        "CREATE TABLE stadiums (stadium_id INTEGER, city VARCHAR(9))",
        "CREATE TABLE concerts (concert_id INTEGER, stadium_id VARCHAR(9))",
        "INSERT INTO stadiums VALUES (1, 'a'), (2, 'b'), (3, 'b')",
        "INSERT INTO concerts VALUES (1, '1'), (2, '2'), (3, '2')",
    )
    assert keys_of(Catalog(sqlite(*statements))) == {"concerts.stadium_id -> stadiums.stadium_id?"}
    assert keys_of(Catalog(data(*statements))) == set()


def test_sparse_numbers_are_evidence_without_a_name(data: DataMaker) -> None:
    source = data(
        "CREATE TABLE pupils AS SELECT 1000 + i * 37 AS id, 'n' || i % 9 AS name FROM range(40) t(i)",
        "CREATE TABLE friends AS SELECT 1000 + (i % 40) * 37 AS student_id, 1000 + (i * 7 % 40) * 37 AS friend_id FROM range(90) t(i)",
        "CREATE TABLE desks AS SELECT i % 40 AS seat_no, i % 4 AS row_no FROM range(90) t(i)",
        "CREATE TABLE rooms AS SELECT i AS id, 'r' || i % 5 AS floor FROM range(60) t(i)",
    )
    assert keys_of(Catalog(source)) == {"friends.student_id -> pupils.id?", "friends.friend_id -> pupils.id?"}


def test_a_link_between_two_tables_is_no_key_by_chance(data: DataMaker) -> None:
    source = data(
        "CREATE TABLE flats AS SELECT i AS flat_ref_id, 'n' || i % 4 AS name FROM range(20) t(i)",
        "CREATE TABLE comforts AS SELECT 'c' || i AS comfort_code, 'x' AS told FROM range(6) t(i)",
        "CREATE TABLE offers AS SELECT i AS flat_ref_id, 'c' || i % 6 AS comfort_code FROM range(9) t(i)",
    )
    catalog = Catalog(source)
    assert keys_of(catalog) == {"offers.flat_ref_id -> flats.flat_ref_id?", "offers.comfort_code -> comforts.comfort_code?"}
    assert primary_keys(catalog) == {"flats": ("flat_ref_id",), "comforts": ("comfort_code",), "offers": ()}


def test_a_column_with_gaps_or_repeats_is_no_primary_key(data: DataMaker) -> None:
    source = data(
        "CREATE TABLE gaps (id INTEGER, x VARCHAR)",
        "CREATE TABLE repeats (id INTEGER, x VARCHAR)",
        "INSERT INTO gaps VALUES (1, 'a'), (NULL, 'b')",
        "INSERT INTO repeats VALUES (1, 'a'), (1, 'b')",
    )
    assert primary_keys(Catalog(source)) == {"gaps": (), "repeats": ()}


def test_empty_tables_get_keys_from_names(sqlite: Maker) -> None:
    source = sqlite("CREATE TABLE customers (id INTEGER, n VARCHAR)", "CREATE TABLE orders (id INTEGER, customer_id INTEGER)")
    assert keys_of(Catalog(source)) == {"orders.customer_id -> customers.id?"}


# values and glossary


@pytest.fixture(scope="module")
def patents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Data]:
    """Three patents, for tests that change nothing."""
    made = Data(tmp_path_factory.mktemp("patents") / "data", PATENTS)
    yield made
    made.close()


def test_a_word_of_a_glossary_means_its_cell_and_the_data_goes_before_codes(data: DataMaker, tmp_path: Path) -> None:
    source = data(*PATENTS)
    assert not Catalog(source).relevant("patents from overseas").matches
    glossary = tmp_path / "glossary.toml"
    glossary.write_text(GERMAN)
    (match,) = Catalog(source, glossary=glossary).relevant("patents from Germany").matches
    assert (match.table, match.column, match.value, match.source) == ("patents", "country_code", "DE", "glossary")
    assert "patents from Germany"[match.start : match.end] == "Germany"
    source.change("INSERT INTO patents VALUES ('X-9', 'germany', 't', NULL)")
    (match,) = Catalog(source).relevant("patents from Germany").matches
    assert (match.value, match.source) == ("germany", "cell")


def test_an_alias_counts_whole_and_goes_before_cells_that_only_hold_its_words(data: DataMaker, tmp_path: Path) -> None:
    source = data(*PATENTS, "INSERT INTO patents VALUES ('FR-4', 'FR', 'Germany Agency for Tools', NULL)")
    text = '[tables.patents.columns.country_code]\nvalues = {"germany" = "DE", "rising sun" = "JP"}\n'
    catalog = Catalog(source, glossary=_written(tmp_path / "g.toml", text))
    assert [match.value for match in catalog.relevant("made in germany").matches] == ["DE"]
    assert [match.value for match in catalog.relevant("the sun").matches] == []
    assert [match.value for match in catalog.relevant("the Rising Suns").matches] == ["JP"]


JOBS = {
    ("jobs", "kind"): ["WTH", "INS", "REP", "UPG", "CLN"],
    ("jobs", "note"): ["POS", "positive", "neg."],
    ("jobs", "firm"): ["Clean Inspectors", "Bay Repairs"],
}


@pytest.mark.parametrize(
    ("question", "means"),
    [
        ("inspections in May", [("inspections", "INS")]),
        ("were the upgrades dearer than a cleaning", [("upgrades", "UPG"), ("cleaning", "CLN")]),
        ("what did we invoice", []),
        ("within a year, jobs without upgrades", [("upgrades", "UPG")]),
        ("the staff of ours", []),
        ("jobs by Bay Repairs", [("Bay Repairs", "Bay Repairs")]),  # a word inside a cell is no code
        ("position of the rep", [("rep", "REP")]),  # POS stands beside words, so it is no column of codes
    ],
)
def test_words_mean_the_codes_that_abbreviate_them(question: str, means: list[tuple[str, str]]) -> None:
    assert [(question[m.start : m.end], m.value) for m in ValueIndex(JOBS).match(question)] == means


def test_a_code_takes_no_match_from_another_column() -> None:
    index = ValueIndex({("jobs", "kind"): ["INS", "CLN"], ("sites", "title"): ["Fire inspection", "Deep cleaning"]})
    assert {(m.column, m.value) for m in index.match("which inspection costs most")} == {("kind", "INS"), ("title", "Fire inspection")}


def test_glossary_gives_synonyms_and_descriptions(patents: Data, tmp_path: Path) -> None:
    glossary = tmp_path / "glossary.toml"
    glossary.write_text(
        '[tables.PATENTS]\nsynonyms = ["inventions"]\ndescription = "One row a publication."\n' + GERMAN.replace("patents", "PATENTS")
    )
    with pytest.raises(BadRequest, match="TOML"):
        Catalog(patents, glossary=_written(tmp_path / "twice.toml", "[tables.patents]\n[tables.patents]\n")).tables()
    with pytest.raises(BadRequest, match="TOML"):
        Catalog(patents, glossary=_written(tmp_path / "deep.toml", "a = " + "[" * 20_000)).tables()
    context = Catalog(patents, glossary=glossary).relevant("inventions")
    (table,) = context.tables
    assert table.comment == "One row a publication."
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
def test_a_wrong_glossary_is_refused_with_its_line(patents: Data, tmp_path: Path, text: str, line: int, says: str) -> None:
    glossary = _written(tmp_path / "glossary.toml", text)
    with pytest.raises(BadRequest) as refused:
        Catalog(patents, glossary=glossary).tables()
    assert says in refused.value.detail
    assert f"line {line}" in refused.value.detail


def test_glossary_that_is_missing_or_binary(patents: Data, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no glossary"):
        Catalog(patents, glossary=tmp_path / "none.toml").tables()
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadRequest, match="not UTF-8"):
        Catalog(patents, glossary=tmp_path / "binary.toml").tables()


def test_a_changed_glossary_is_noticed(patents: Data, tmp_path: Path) -> None:
    glossary = _written(tmp_path / "glossary.toml", "")
    catalog = Catalog(patents, glossary=glossary)
    assert not catalog.relevant("overseas patents").matches
    _written(glossary, GERMAN.replace("german", "overseas"))
    assert [match.value for match in catalog.relevant("overseas patents").matches] == ["DE"]


def test_glossary_is_found_beside_the_data(tmp_path: Path) -> None:
    assert glossary_beside(tmp_path) is None
    inside = _written(tmp_path / "glossary.toml", "")
    beside = _written(tmp_path / "sales.glossary.toml", "")
    assert glossary_beside(tmp_path) == inside
    assert glossary_beside(tmp_path / "sales.duckdb") == beside
    assert load_glossary(inside, ()).aliases == {}


def test_titles_are_not_indexed_but_names_are(data: DataMaker) -> None:
    source = data(
        "CREATE TABLE p (title VARCHAR, assignee VARCHAR)",
        "INSERT INTO p SELECT 'method ' || i || ' to make a very long and useful thing', 'Firm ' || chr(65 + (i % 26)::INTEGER) "
        "FROM range(3000) t(i)",
    )
    matches = Catalog(source).relevant("method 17 to make a very long and useful thing by Firm Q").matches
    assert {(match.column, match.value) for match in matches if match.score == 1} == {("assignee", "Firm Q")}


# following the data


def test_one_reading_serves_until_the_data_changes(data: DataMaker) -> None:
    source = data(*PATENTS)
    catalog = Catalog(source)
    catalog.warm()
    asked = source.sampled
    for _ in range(5):
        catalog.relevant("patents")
    assert source.sampled == asked
    source.change("INSERT INTO patents VALUES ('FR-4', 'FR', 'Brake', NULL)")
    catalog.warm()
    assert [match.value for match in catalog.relevant("how many for FR").matches] == ["FR"]


def test_rows_that_change_do_not_make_a_question_wait(data: DataMaker) -> None:
    source = data(*PATENTS)
    catalog = Catalog(source)
    catalog.warm()
    source.change("INSERT INTO patents VALUES ('FR-4', 'FR', 'Brake', NULL)")
    source.gate.clear()
    assert not catalog.relevant("brake").matches
    source.gate.set()
    catalog.warm()
    assert [match.value for match in catalog.relevant("brake").matches] == ["Brake"]


def test_a_changed_schema_is_read_before_the_next_answer(data: DataMaker) -> None:
    source = data(*PATENTS)
    catalog = Catalog(source)
    catalog.warm()
    source.change("ALTER TABLE patents ADD COLUMN claims INTEGER", "CREATE TABLE fees (amount DOUBLE)")
    context = catalog.relevant("claims")
    tables = {table.name: table for table in context.tables}
    assert set(tables) == {"patents", "fees"}
    assert tables["patents"].column("claims").kind == "integer"


def test_a_replaced_file_that_cannot_be_read_is_an_error_not_an_old_answer(data: DataMaker) -> None:
    source = data(*PATENTS)
    catalog = Catalog(source)
    catalog.warm()
    source.change("INSERT INTO patents VALUES ('FR-4', 'FR', 'Brake', NULL)")
    source.is_broken = True
    with pytest.raises(EngineUnavailable):
        catalog.warm()
    source.is_broken = False
    assert catalog.relevant("brake").matches


def test_many_threads_share_one_reading(data: DataMaker) -> None:
    source = data(*PATENTS)
    catalog = Catalog(source)
    seen: list[int] = []
    threads = [threading.Thread(target=lambda: seen.append(len(catalog.relevant("patents").tables))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 12
    assert source.listed == 1


def test_no_tables_is_a_clear_error(sqlite: Maker) -> None:
    catalog = Catalog(sqlite("PRAGMA user_version = 1"))
    assert catalog.tables() == ()
    with pytest.raises(CannotAnswer, match="no tables"):
        catalog.relevant("anything")


def test_what_takes_longer_than_the_limit_is_read_while_questions_are_served(patents: Data) -> None:
    patents.gate.clear()
    catalog = Catalog(patents, read_limit_s=0)
    assert [table.name for table in catalog.tables()] == ["patents"]
    assert not catalog.relevant("DE").matches
    patents.gate.set()
    until = time.monotonic() + 60
    while not catalog.relevant("DE").matches and time.monotonic() < until:
        time.sleep(0.05)
    assert [match.value for match in catalog.relevant("DE").matches] == ["DE"]


AWKWARD = (
    'CREATE TABLE "order" ("select" VARCHAR, "with blank" VARCHAR, "qu""ote" VARCHAR, "größe" VARCHAR, "国家" VARCHAR)',
    'CREATE TABLE "Größen Tabelle" ("größe" VARCHAR)',
    "INSERT INTO \"order\" VALUES ('alpha', 'beta', 'gamma', 'delta', '德国')",
)


def test_awkward_names_work(sqlite: Maker, data: DataMaker, tmp_path: Path) -> None:
    text = '[tables.order.columns."with blank"]\nvalues = {"zwei" = "beta"}\n[tables.order.columns."国家"]\nsynonyms = ["country"]'
    glossary = _written(tmp_path / "g.toml", text)
    for source in (sqlite(*AWKWARD), data(*AWKWARD)):
        context = Catalog(source, glossary=glossary).relevant("alpha zwei gamma delta 德国")
        assert [(match.column, match.value) for match in context.matches] == [
            ("select", "alpha"), ("with blank", "beta"), ('qu"ote', "gamma"), ("größe", "delta"), ("国家", "德国"),
        ]  # fmt: skip
        assert context.synonyms == {("order", "国家"): ("country",)}


def test_comments_of_the_engine_are_descriptions(tmp_path: Path) -> None:
    path = tmp_path / "told.duckdb"
    with duckdb.connect(str(path)) as connection:
        for statement in (*PATENTS, "COMMENT ON TABLE patents IS 'old'", "COMMENT ON COLUMN patents.filed IS 'the day of filing'"):
            connection.execute(statement)
    glossary = _written(tmp_path / "g.toml", '[tables.patents]\ndescription = "One row a publication."\n')
    with contextlib.closing(open_embedded(str(path), children=1)) as engine:
        (before,), (after,) = Catalog(engine).tables(), Catalog(engine, glossary=glossary).tables()
    assert (before.comment, before.column("filed").comment) == ("old", "the day of filing")
    assert (after.comment, after.column("filed").comment) == ("One row a publication.", "the day of filing")


# wide schemas

THEMES = ("customer", "invoice", "shipment", "supplier", "warehouse", "employee", "contract", "machine", "sensor", "campaign")
FIELDS = ("id", "name", "status", "created_at", "amount", "quantity", "region", "priority", "owner", "weight")


def wide_tables() -> dict[str, list[str]]:
    """500 tables that look alike, with two odd ones among them, as columns with their types and keys."""
    tables: dict[str, list[str]] = {}
    names = [f"{field}_{at}" if at else field for at in range(4) for field in FIELDS]
    columns = [f"{name} {'TEXT' if 'name' in name or 'region' in name else 'INTEGER'}" for name in names]
    for number in range(500):
        tables[f"{THEMES[number % 10]}_{number // 10}"] = ["id INTEGER PRIMARY KEY", *columns[1:]]
    tables["observatories"] = ["id INTEGER PRIMARY KEY", "telescope_diameter REAL", *columns[4:]]
    links = ["observatory_id INTEGER REFERENCES observatories (id)", "campaign_id INTEGER REFERENCES campaign_13 (id)"]
    tables["bookings_xy"] = [*columns[2:], *links]
    return tables


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    path = tmp_path_factory.mktemp("wide") / "wide.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("BEGIN")
        for name, columns in wide_tables().items():
            connection.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
        connection.execute("INSERT INTO sensor_7 (region) VALUES ('Fiddlesticks')")
        connection.commit()
    engine = Watched(open_embedded(str(path), children=1))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def wide_catalog(wide: Watched) -> Catalog:
    return Catalog(wide)


def test_a_wide_schema_is_cut_to_what_the_question_needs(wide_catalog: Catalog) -> None:
    context = wide_catalog.relevant("What is the average telescope diameter of our observatories?")
    tables = {table.name: table for table in context.tables}
    assert "observatories" in tables
    assert tables["observatories"].column("telescope_diameter")
    assert tables["observatories"].primary_key == ("id",)
    assert len(tables) <= 20
    assert sum(len(table.columns) for table in context.tables) <= 120


def test_chosen_tables_come_with_the_tables_between_them(wide: Watched) -> None:
    catalog = Catalog(wide, budget=Budget(tables=4, columns=60))
    context = catalog.relevant("telescope diameter of the observatory per campaign 13 name")
    names = [table.name for table in context.tables]
    assert {"observatories", "bookings_xy", "campaign_13"} <= set(names)
    link = next(table for table in context.tables if table.name == "bookings_xy")
    assert {key.to_table for key in link.foreign_keys} == {"observatories", "campaign_13"}


@pytest.mark.parametrize("question", ["telescop diametr", "Teleskope? no: TELESCOPES", "observatory"])
def test_slips_and_plurals_still_find_the_table(wide_catalog: Catalog, question: str) -> None:
    assert "observatories" in [table.name for table in wide_catalog.relevant(question).tables]


def test_a_value_leads_to_its_table(wide_catalog: Catalog) -> None:
    context = wide_catalog.relevant("count what belongs to Fiddlesticks")
    assert [table.name for table in context.tables] == ["sensor_7"]
    assert context.matches[0].column == "region"


def test_a_synonym_leads_to_its_table(wide: Watched, tmp_path: Path) -> None:
    glossary = _written(tmp_path / "g.toml", '[tables.machine_31]\nsynonyms = ["gizmo"]\n')
    context = Catalog(wide, glossary=glossary).relevant("how many gizmos are there")
    assert "machine_31" in [table.name for table in context.tables]
    assert context.synonyms == {("machine_31", ""): ("gizmo",)}


def test_a_question_that_fits_nothing_still_gets_tables(wide_catalog: Catalog) -> None:
    context = wide_catalog.relevant("qqqq zzzz")
    assert 0 < sum(len(table.columns) for table in context.tables) <= 120


def test_within_the_budget_everything_is_sent_in_order(sqlite: Maker) -> None:
    catalog = Catalog(sqlite(*(f"CREATE TABLE t{number} (a INTEGER, b TEXT)" for number in range(20))))
    tables = catalog.tables()
    assert len(tables) == 20
    assert catalog.relevant("t3").tables == catalog.relevant("something else").tables == tables


def test_one_very_wide_table_keeps_its_key_and_what_is_asked(sqlite: Maker) -> None:
    columns = ", ".join(f"measure_{at} REAL" for at in range(600))
    catalog = Catalog(sqlite(f"CREATE TABLE samples (sample_id INTEGER PRIMARY KEY, {columns}, turbidity REAL)"))
    (table,) = catalog.relevant("mean turbidity").tables
    assert len(table.columns) == 120
    assert table.column("turbidity")
    assert table.primary_key == ("sample_id",)


# the value index


@pytest.mark.parametrize(
    ("question", "means"),
    [
        ("when did Lang & Sons GmbH's first contract start", [("Lang & Sons GmbH", "Lang & Sons GmbH")]),
        ("McDonald's sales and Lee’s", [("McDonald's", "McDonald's"), ("Lee", "Lee")]),
        ("what do customers order", []),
        ("it's gross what it’s in the 1990's", []),
        ("the 'It' of 1990", [("It", "It"), ("1990", "1990")]),
    ],
)
def test_owners_are_found_without_the_mark_of_what_is_theirs(question: str, means: list[tuple[str, str]]) -> None:
    index = ValueIndex({("t", "name"): ["Lang & Sons GmbH", "McDonald's", "Lee", "It", "1990"]})
    assert [(question[m.start : m.end], m.value) for m in index.match(question)] == means


def test_the_value_index_can_be_pickled() -> None:
    index = ValueIndex({("t", "c"): ["Zürich", "New York"]})
    again = pickle.loads(pickle.dumps(index))
    assert again.match("zurich or new york") == index.match("zurich or new york")
    assert [match.value for match in again.match("zurich or new york")] == ["Zürich", "New York"]


@given(st.text(alphabet=st.characters(codec="ascii")))
def test_plain_text_is_normalised_as_any_other(text: str) -> None:
    folded = unicodedata.normalize("NFKD", text.casefold())
    assert normalise(text) == " ".join("".join(c if c.isalnum() else " " for c in folded).split())
    assert normalise(text + "é") == normalise(text + "e")


@pytest.mark.parametrize(
    ("value", "question", "named"),
    [
        ("Beta GmbH 1", "What did Alfa GmbH 1 buy?", "Alfa GmbH 1"),
        ("New York", "How many live in New Jersey?", "New Jersey"),
        ("Room 12", "who booked room 14", "room 14"),
        ("Beta GmbH 1", "What did Beta GmbH 1 buy?", ""),
        ("Dr. Hill", "patients of Dr. Moss and Dr. Hill", ""),
        ("Timothy Ward", "contracts of Ward", ""),
        ("Timothy Ward", "Did Ward sign?", ""),
        ("IBM Corp", "IBM patents of 2019", ""),
        ("Oslo", "people of Rome", ""),
        ("a b c d", "Who?", ""),
    ],
)
def test_what_is_named_instead_of_a_value(value: str, question: str, named: str) -> None:
    assert named_instead(value, question) == named


@pytest.mark.parametrize("suffix", ["sqlite", "duckdb"])
def test_integers_of_yes_and_no_are_flags_to_questions(tmp_path: Path, suffix: str) -> None:
    rows = ", ".join(
        f"({number}, {number % 2}, {number % 3}, 0, {number % 2 if number else 'NULL'}, {number % 2}, {number % 2}, {number % 2})"
        for number in range(9)
    )
    made = (
        "CREATE TABLE t (key INTEGER PRIMARY KEY, flag INT, more INT, never INT, partly INT, child_count INT, goals INT, has_pets INT)",
        f"INSERT INTO t VALUES {rows}",
        "CREATE TABLE few (flag INTEGER)",
        "INSERT INTO few VALUES (0), (1)",
    )
    path = tmp_path / f"a.{suffix}"
    with contextlib.closing(sqlite3.connect(path) if suffix == "sqlite" else duckdb.connect(path)) as connection:
        for command in made:
            connection.execute(command)
        connection.commit()
    with contextlib.closing(open_embedded(str(path))) as engine:
        catalog = Catalog(engine)
        asked = {table.name: [column.kind for column in table.columns] for table in catalog.relevant("flags of few and t").tables}
        declared = {column.kind for table in catalog.tables() for column in table.columns}
    assert asked == {"t": ["integer", "boolean", "integer", "integer", "boolean", "integer", "integer", "boolean"], "few": ["integer"]}
    assert declared == {"integer"}
