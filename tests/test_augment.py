"""Augmentation on real data: what a catalogue tells the generator, both directions, what is dropped, how a run goes on."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import duckdb
import pytest

from streamlink_sql.errors import BadRequest, CannotAnswer
from streamlink_sql.generators import ModelOptions
from streamlink_sql.generators.chat import open_chat
from streamlink_sql.prompt import Message
from streamlink_sql.training.augment import Plan, augment
from streamlink_sql.training.augment.backward import Backward
from streamlink_sql.training.augment.executing import AMBIGUOUS, EMPTY, FAILED, FINE, REFUSED, TRIVIAL, Executing, Kept
from streamlink_sql.training.augment.forward import Forward
from streamlink_sql.training.augment.manners import said_again, terse
from streamlink_sql.training.augment.reading import read_base
from streamlink_sql.training.augment.reading_back import ReadingBack
from streamlink_sql.training.augment.rephrasing import Rephrasing, survives
from streamlink_sql.training.domain import Domain, open_domain
from streamlink_sql.training.pairs import Pair, read_pairs, shape_of, write_pairs
from streamlink_sql.training.synthetic.schema import Base, Col
from streamlink_sql.types import Attempt, Context, Draft, Question
from tests.chat_server import serving, whole

CITIES = ("Oslo", "Bergen", "Lyon", "Nantes", "Bremen", "Essen")
GLOSSARY = """
[tables.orders]
synonyms = ["purchases"]
[tables.orders.columns.ordered_on]
synonyms = ["placed"]
[tables.customers.columns.kind]
values = { "companies" = "company", "private persons" = "person" }
"""
ACCEPTED = (
    Pair("How many orders were placed in 2021?", "SELECT count(*) FROM orders WHERE year(ordered_on) = 2021", way="accepted"),
    Pair("Orders with an amount above 100", "SELECT id FROM orders WHERE amount > 100", way="accepted"),
    Pair("customers from Lyon", "SELECT name FROM customers WHERE city = 'Lyon'", way="accepted"),
    Pair("number of customers per city", "SELECT city, count(*) FROM customers GROUP BY city", way="accepted"),
)


def tables() -> tuple[Sequence[tuple[object, ...]], Sequence[tuple[object, ...]]]:
    """Customers and orders, the same every time."""
    rng = Random(3)
    names = [f"{rng.choice(('Ann', 'Bob', 'Eve'))} {chr(65 + at % 26)}ole{at}" for at in range(120)]
    customers = [(at, name, rng.choice(CITIES), rng.choice(("company", "person"))) for at, name in enumerate(names)]
    days = [f"20{rng.randint(18, 23)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}" for _ in range(900)]
    orders = [(at, rng.randrange(100), day, rng.randint(1, 40) * 7.5, rng.randint(1, 9)) for at, day in enumerate(days)]
    return customers, orders


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file with its glossary beside it."""
    path = tmp_path_factory.mktemp("shop") / "shop.duckdb"
    customers, orders = tables()
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR, city VARCHAR, kind VARCHAR)")
        connection.executemany("INSERT INTO customers VALUES (?, ?, ?, ?)", customers)
        connection.execute(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), ordered_on DATE,"
            " amount DOUBLE, item_count INTEGER)"
        )
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", orders)
    path.with_name("shop.glossary.toml").write_text(GLOSSARY, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def domain(shop: Path) -> Iterator[Domain]:
    """The shop, open."""
    with open_domain(shop) as opened:
        yield opened


def col(base: Base, table: str, name: str) -> Col:
    return next(each for each in base.table(table).cols if each.name == name)


def test_the_catalogue_tells_what_columns_are_for(domain: Domain) -> None:
    base, data = read_base(domain)
    assert {each.name: each.gen for each in base.table("orders").cols} == {
        "id": "id", "customer_id": "fk", "ordered_on": "date", "amount": "amt", "item_count": "qty",
    }  # fmt: skip
    assert {each.name: each.gen for each in base.table("customers").cols} == {"id": "id", "name": "person", "city": "one", "kind": "one"}
    assert [(edge.child.ref, edge.parent.ref) for edge in base.edges] == [
        (col(base, "orders", "customer_id").ref, col(base, "customers", "id").ref)
    ]
    assert base.table("orders").nouns == (("order", "orders"), ("purchase", "purchases"))
    assert col(base, "orders", "ordered_on").attrs["verb"] == "placed"
    assert col(base, "customers", "kind").means == {"company": ("company",), "person": ("private person",)}
    assert "number of items" in col(base, "orders", "item_count").phrases
    assert len(data["orders"]["amount"]) == 900


def test_the_same_seed_gives_the_same_pairs_and_all_of_them_answer(domain: Domain) -> None:
    made = augment(domain, ACCEPTED, Plan(count=150, seed=5))
    assert len(made.pairs) == 150
    assert made.pairs[: len(ACCEPTED)] == ACCEPTED
    ways = made.report["ways"]
    assert ways["accepted"] == 4
    assert ways["forward"] > 20
    assert ways["backward"] > 50
    assert len({pair.question.lower() for pair in made.pairs}) == 150
    for pair in made.pairs:
        rows = list(domain.rows(pair.query).as_python())
        assert any(cell is not None for row in rows for cell in row), pair
    assert augment(domain, ACCEPTED, Plan(count=150, seed=5)).pairs == made.pairs
    assert augment(domain, ACCEPTED, Plan(count=150, seed=6)).pairs != made.pairs
    coverage = made.report["coverage"]
    assert coverage["tables"] == coverage["columns"] == 1
    for feature in ("joins", "aggregates", "groups", "nested", "dates", "orders"):
        assert coverage["features"][feature] > 0, feature


def test_a_sqlite_file_gets_queries_in_its_own_dialect(tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite"
    customers, orders = tables()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, city TEXT, kind TEXT)")
    connection.executemany("INSERT INTO customers VALUES (?, ?, ?, ?)", customers)
    connection.execute(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers, ordered_on DATE,"
        " amount REAL, items INTEGER)"
    )
    connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", orders)
    connection.commit()
    with open_domain(path) as domain:
        made = augment(domain, (), Plan(count=80))
    assert len(made.pairs) == 80
    assert any("STRFTIME" in pair.query.upper() for pair in made.pairs)
    for pair in made.pairs:
        assert connection.execute(pair.query).fetchone(), pair
    connection.close()


def filled(domain: Domain, pair: Pair, count: int = 40) -> list[Pair]:
    """What forward makes of one pair."""
    source = Forward(*read_base(domain), domain, [pair], Random(2))
    return [made for _, made in zip(range(count), source, strict=False) if made is not None]


def test_slots_are_filled_with_values_that_occur_and_are_said(domain: Domain) -> None:
    made = filled(domain, ACCEPTED[2])
    assert {pair.template for pair in made} == {shape_of(ACCEPTED[2].query)}
    for pair in made:
        value = pair.query.rpartition("= '")[2].rstrip("'")
        assert value in CITIES
        assert value != "Lyon"
        assert value.lower() in pair.question.lower()
    years = {pair.query[-4:]: pair.question for pair in filled(domain, ACCEPTED[0])}
    assert len(years) > 3
    assert all(year in question for year, question in years.items())


def test_other_fields_take_the_place_of_those_that_the_question_names(domain: Domain) -> None:
    queries = {pair.query: pair.question.lower() for pair in filled(domain, ACCEPTED[3])}
    kinds = [question for query, question in queries.items() if "GROUP BY kind" in query]
    assert kinds
    assert all("kind" in question and "city" not in question for question in kinds)


def test_what_the_question_does_not_say_is_no_slot(domain: Domain) -> None:
    hidden = Pair("our best customers", "SELECT name FROM customers WHERE city = 'Lyon'", way="accepted")
    assert filled(domain, hidden) == []


def test_backward_makes_a_question_of_every_feature_of_sql(domain: Domain) -> None:
    base, data = read_base(domain)
    source = iter(Backward(base, data, domain.tables, domain.dialect, Random(1)))
    queries = " ".join(pair.query for _, pair in zip(range(1500), source, strict=False) if pair is not None)
    for word in ("JOIN", "GROUP BY", "HAVING", "INTERSECT", "EXCEPT", "NOT IN", "ILIKE", "year(", "OVER ()", "BETWEEN", "IN (SELECT"):
        assert word in queries, word


@pytest.mark.parametrize(
    ("query", "verdict"),
    [
        ("SELECT count(*) FROM orders WHERE amount > 50", FINE),
        ("SELECT count(*) FROM orders WHERE amount > 5000", TRIVIAL),
        ("SELECT count(*) FROM orders WHERE amount > 0", TRIVIAL),
        ("SELECT count(id) FROM orders WHERE amount > 0 OR amount IS NULL", TRIVIAL),
        ("SELECT count(nullif(id, 1)) FROM orders WHERE amount > 0", FINE),
        ("SELECT count(*) FROM orders JOIN customers ON orders.customer_id = customers.id WHERE customers.city = 'Nowhere'", TRIVIAL),
        ("SELECT count(*) FROM orders JOIN customers ON orders.customer_id = customers.id WHERE orders.amount > 0", FINE),
        ("SELECT id FROM orders WHERE amount > 5000", EMPTY),
        ("SELECT max(amount) FROM orders WHERE amount > 5000", EMPTY),
        ("SELECT id FROM orders ORDER BY amount DESC LIMIT 1", AMBIGUOUS),
        ("SELECT city, count(*) AS n FROM customers GROUP BY city ORDER BY n DESC LIMIT 1", FINE),
        ("SELECT id FROM orders ORDER BY id DESC LIMIT 1", FINE),
        ("DROP TABLE orders", REFUSED),
        ("SELECT nothing FROM orders", REFUSED),
        ("SELECT CAST(city AS INTEGER) FROM customers", FAILED),
    ],
)
def test_verdicts(domain: Domain, query: str, verdict: str) -> None:
    executing = Executing(domain, Kept(None, ""))
    assert executing.verdicts([query]) == {query: verdict}
    executing.close()


def test_what_was_found_out_is_kept_and_a_line_cut_off_is_left_out(domain: Domain, tmp_path: Path) -> None:
    file, query = tmp_path / "kept.jsonl", "SELECT count(*) FROM orders WHERE amount > 60"
    kept = Kept(file, "data 1")
    Executing(domain, kept).verdicts([query])
    kept.close()
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"value": ""', '"value": "as kept"') + '{"key": "cut', encoding="utf-8")
    again = Kept(file, "data 1")
    assert Executing(domain, again).verdicts([query]) == {query: "as kept"}
    again.close()
    with pytest.raises(BadRequest, match="changed since"):
        Kept(file, "data 2")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "streamlink_sql.training.augment", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)


def test_a_run_that_was_stopped_goes_on_and_ends_alike(shop: Path, tmp_path: Path) -> None:
    write_pairs(tmp_path / "accepted.jsonl", ACCEPTED)
    told: list[str | Path] = ["--data", shop, "--questions", tmp_path / "accepted.jsonl", "--count", "400", "--at-once", "1"]
    whole = run(*told, "--out", tmp_path / "whole.jsonl")
    assert whole.returncode == 0, whole.stderr
    out, partial = tmp_path / "out.jsonl", tmp_path / "out.jsonl.partial"
    command = [sys.executable, "-m", "streamlink_sql.training.augment", *map(str, told), "--out", str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and (not partial.exists() or partial.stat().st_size < 100):
            pass
        process.send_signal(signal.SIGINT)
        error = process.communicate(timeout=120)[1]
    assert process.returncode == 130, error
    assert "the same command goes on" in " ".join(error.split())
    assert not out.exists()
    assert run(*told, "--out", out).returncode == 0
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert not partial.exists()
    assert json.loads((tmp_path / "out.jsonl.report.json").read_text(encoding="utf-8"))["pairs"] == len(read_pairs(out))


@pytest.mark.parametrize(
    ("arguments", "said", "status"),
    [
        (["--direction", "sideways"], "There is no direction 'sideways'", 2),
        (["--rephrase", "parser"], "cannot rephrase", 2),
        (["--questions", "no.jsonl"], "There is no file no.jsonl", 2),
    ],
)
def test_misuse_is_told_in_one_sentence(shop: Path, tmp_path: Path, arguments: list[str], said: str, status: int) -> None:
    found = run("--data", shop, "--out", tmp_path / "out.jsonl", *arguments)
    assert found.returncode == status
    assert said in " ".join(found.stderr.split())
    assert "Traceback" not in found.stderr


class Reader:
    """Reads every question as the same SQL."""

    name = "reader"

    def __init__(self, sql: str) -> None:
        self.sql = sql

    def generate(self, question: Question, context: Context, n: int, *, refused: tuple[Attempt, ...] = ()) -> list[Draft]:
        if "unreadable" in question.text:
            raise CannotAnswer
        return [Draft(self.sql)]

    def cancel(self, question_id: str) -> bool:
        return False

    def close(self) -> None:
        pass


def test_a_pair_stays_where_its_question_is_read_back_as_the_same_rows(domain: Domain) -> None:
    right = Pair("How many orders are there?", "SELECT count(*) FROM orders")
    wrong = Pair("How many customers are there?", "SELECT count(*) FROM customers")
    lost = Pair("unreadable orders", "SELECT count(*) FROM orders")
    read = ReadingBack(Reader("SELECT count(1) FROM orders"), domain, Kept(None, ""))
    assert read.same([right, wrong, lost]) == {right: True, wrong: False, lost: False}


def test_what_is_not_read_back_is_dropped_and_counted(domain: Domain) -> None:
    plan = Plan(count=len(ACCEPTED) + 1, directions=("forward",), reader=Reader("SELECT 'something else'"))
    made = augment(domain, ACCEPTED, plan)
    assert made.pairs == ACCEPTED
    assert made.report["dropped"]["not read back"] > 50


def test_a_chat_model_rephrases_and_what_it_loses_is_left_out(domain: Domain) -> None:
    pair = Pair("How many orders have an amount above 100?", "SELECT count(*) FROM orders WHERE amount > 100")
    assert survives(pair, "What is the number of orders worth more than 100?")
    assert not survives(pair, "What is the number of orders worth more than 90?")
    assert not survives(pair, pair.question.upper())
    lyon = Pair("customers from Lyon", "SELECT name FROM customers WHERE city = 'Lyon'")
    assert not survives(lyon, "customers from Paris")
    with serving(whole("How large is the number of orders over 100?")) as server:
        chat = open_chat(f"{server.url}#tiny", ModelOptions())
        assert chat.say([Message("user", pair.question)]) == "How large is the number of orders over 100?"
        chat.close()
    assert server.requests[0]["messages"] == [{"role": "user", "content": pair.question}]


def test_rephrased_questions_are_kept_with_their_sql(domain: Domain) -> None:
    reading = ReadingBack(Reader("SELECT count(*) FROM orders"), domain, Kept(None, ""))
    pairs = [
        Pair("How many orders are there?", "SELECT count(*) FROM orders", template="t", way="backward"),
        Pair("How many orders of 2021 are there?", "SELECT count(*) FROM orders WHERE year(ordered_on) = 2021"),
    ]
    rephrasing = Rephrasing(lambda messages: f"Be so kind: {messages[-1].content}", reading, Kept(None, ""), 1.0, Random(1))
    assert list(rephrasing.others(pairs)) == [replace(pairs[0], question="Be so kind: How many orders are there?")]


def test_rephrasing_needs_a_reader() -> None:
    with pytest.raises(BadRequest, match="reader"):
        Plan(rephraser=lambda _: "")


def test_openings_stand_for_one_another_and_telegrams_keep_what_is_asked() -> None:
    said = {said_again("Show me orders of 2020.", Random(seed)) for seed in range(40)}
    assert len(said) > 4
    assert all(each.endswith(" orders of 2020") for each in said)
    assert terse("What is the average amount per city?") == "average amount per city"
    assert terse("What is it?") == "What is it?"


def test_a_shape_knows_no_names_and_no_values() -> None:
    one = shape_of("SELECT T1.a, count(*) FROM p AS T1 WHERE x = 3 AND y IN ('a', 'b''c') GROUP BY T1.a;")
    assert shape_of("select T2.\"b c\",count(*) from q as T2 where z=4.5 and y in ('c') group by T2.b") == one
    assert shape_of("SELECT a, sum(b) FROM p GROUP BY a") != shape_of("SELECT a, avg(b) FROM p GROUP BY a")
    assert shape_of("SELECT a FROM p WHERE b > 1") != shape_of("SELECT a FROM p WHERE b < 1")


def test_pairs_in_files(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    pairs = [*ACCEPTED[:1], Pair("q", "SELECT 1", "count", "t", "open", "shop", True)]
    write_pairs(file, pairs)
    assert read_pairs(file) == [replace(pairs[0], template=shape_of(pairs[0].query)), pairs[1]]
    file.write_text('{"question": "q", "query": ""}\n', encoding="utf-8")
    with pytest.raises(BadRequest, match="Line 1"):
        read_pairs(file)
    file.write_text('{"question": "q", "query": "SELECT 1", "way": "sideways"}\n', encoding="utf-8")
    with pytest.raises(BadRequest, match="sideways"):
        read_pairs(file)


OF_TEXTS = (
    "SELECT city, count(*) FROM customers GROUP BY city ORDER BY city",
    "SELECT max(city), min(kind), count(DISTINCT city) FROM customers",
    "SELECT count(*) FROM customers WHERE city = 'Nowhere' OR kind = 'company'",
    "SELECT count(*) FROM customers WHERE city ILIKE '%o%' AND city > 'L' AND city || kind <> 'Oslo'",
    "SELECT upper(city), kind FROM customers ORDER BY kind, city, id",
    "SELECT name FROM customers WHERE city IN (SELECT city FROM customers WHERE kind = 'person') ORDER BY id",
)


def test_a_folder_of_parquet_files_is_worked_on_as_a_copy(shop: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    with duckdb.connect(str(shop), read_only=True) as connection:
        for table in ("customers", "orders"):
            connection.execute(f"COPY {table} TO '{folder / table}.parquet' (FORMAT parquet)")
    (folder / "glossary.toml").write_text(GLOSSARY, encoding="utf-8")
    with open_domain(folder) as domain:
        assert {table.name: table.rows for table in domain.tables} == {"customers": 120, "orders": 900}
        assert [key.to_table for table in domain.tables for key in table.foreign_keys] == ["customers"]
        assert domain.snapshot.glossary.synonyms["orders", ""] == ("purchases",)
        assert len(augment(domain, (), Plan(count=20)).pairs) == 20
        stamp = domain.stamp
        copied = [list(domain.rows(query).as_python()) for query in OF_TEXTS]
        assert domain.tables[0].columns[2].native == "ENUM"
    with open_domain(shop) as domain:
        assert [list(domain.rows(query).as_python()) for query in OF_TEXTS] == copied
    with open_domain(folder) as domain:
        assert domain.stamp == stamp
    os.utime(folder / "orders.parquet", ns=(1, 1))
    with open_domain(folder) as domain:
        assert domain.stamp != stamp
