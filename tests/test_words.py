"""Which words accepted questions teach for values that no question says."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from streamlink_sql.catalog.values import Place
from streamlink_sql.generators.parser.runtime import WEIGHTS
from streamlink_sql.training.domain import Domain, open_domain
from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.words import with_words, words_for_values

pytestmark = pytest.mark.skipif(not (WEIGHTS / "ranking.json").exists(), reason="the parser's weights are not in this checkout")
STATE: Place = ("orders", "state")
COUNT = "SELECT count(*) FROM orders WHERE "


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    file = tmp_path_factory.mktemp("words") / "shop.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(
            """CREATE TABLE clients (id INTEGER PRIMARY KEY, name TEXT, city TEXT, IsLoyal TEXT, IsOld TEXT);
            CREATE TABLE orders (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients (id), state TEXT, amount REAL);
            INSERT INTO clients VALUES (1, 'Ada', 'Oslo', 'L', 'T'), (2, 'Bo', 'Rome', 'M', 'F'), (3, 'Cy', 'Oslo', 'L', 'T');
            INSERT INTO orders VALUES (1, 1, 'XD', 5), (2, 1, 'OK', 7), (3, 2, 'XD', 9), (4, 3, 'OK', 2);"""
        )
    with open_domain(file) as found:
        yield found


def told(domain: Domain, *pairs: tuple[str, str]) -> dict[Place, dict[str, str]]:
    return words_for_values(domain, [Pair(question, query) for question, query in pairs])


LATE = (
    ("How many orders are overdue?", COUNT + "state = 'XD'"),
    ("What do the overdue ones sum up to?", "SELECT sum(amount) FROM orders WHERE state = 'XD'"),
)


ALL = ("How many orders are there?", "SELECT count(*) FROM orders")


def test_a_word_that_comes_with_an_unsaid_value_stands_for_it(domain: Domain) -> None:
    assert told(domain, *LATE, ALL) == {STATE: {"overdue": "XD"}}


NAMES = ("blue", "heavy", "torn", "signed", "urgent", "fragile")
SIX = tuple((f"{word} orders", COUNT + f"state = 'XD' AND amount > {number}") for number, word in enumerate(NAMES))
NAMED = "SELECT {} FROM clients WHERE name = 'Bob'"


@pytest.mark.parametrize(
    ("why", "pairs"),
    [
        ("once is chance", LATE[:1]),
        ("the same question is one", (LATE[0], LATE[0])),
        ("the value is said", (("How many orders in state XD?", COUNT + "state = 'XD'"), ("amount in state XD", COUNT + "state = 'XD'"))),
        ("it is said of others, too", (*LATE, ("overdue again", COUNT + "amount > 4"), ("how overdue", COUNT + "amount < 4"))),
        ("every query of the table has it", tuple((question, sql) for question, sql in LATE for _ in "12")),
        ("most say something else", (*LATE, *SIX)),
        ("a number is no text", (("huge orders", COUNT + "amount > 5"), ("all huge ones", "SELECT * FROM orders WHERE amount > 5"))),
        ("common words mean nothing", (("highest", COUNT + "state = 'XD'"), ("highest one", COUNT + "state = 'XD' AND amount > 1"))),
        ("cells mean themselves", (("Oslo", NAMED.format("city")), ("those of Oslo", NAMED.format("id")))),
        ("it is no SQL of the form", (("overdue", "WITH a AS (SELECT 1) SELECT * FROM a"), ("overdue ones", "SELECT"))),
        ("two values want it", tuple((asked, f"{sql} OR state = 'OK'") for asked, sql in LATE)),
        ("no sample shows the value", tuple((asked, sql.replace("XD", "YY")) for asked, sql in LATE)),
        ("it is one of several", tuple((asked, sql.replace("= 'XD'", "IN ('XD', 'OK')")) for asked, sql in LATE)),
    ],
)
def test_what_teaches_no_word(why: str, pairs: tuple[tuple[str, str], ...], domain: Domain) -> None:
    rest = () if why.startswith("every") else (ALL, ("clients", "SELECT name FROM clients"))
    assert told(domain, *pairs, *rest) == {}, why


@pytest.mark.parametrize(
    "said", ["not settled", "haven't settled", "weren't settled", "yet to be settled", "cannot settle", "all but settled", "no settled"]
)
def test_what_is_negated_teaches_no_word(said: str, domain: Domain) -> None:
    assert told(domain, (f"orders that {said}", LATE[0][1]), (f"sum of orders {said}", LATE[1][1]), ALL) == {}


def test_a_query_that_negates_teaches_no_word(domain: Domain) -> None:
    negated = ("amount <> 5", "NOT client_id IN (1)")
    pairs = ((f"settled {number}", f"{COUNT}state = 'XD' AND {each}") for number, each in enumerate(negated))
    assert told(domain, *pairs, ALL) == {}


def test_a_word_in_the_name_of_the_column_goes_before_others(domain: Domain) -> None:
    query = "SELECT {} FROM clients WHERE IsLoyal = 'L'"
    pairs = (("Which loyal buyers do we treasure?", query.format("name")), ("Cities of loyal buyers we treasure", query.format("city")))
    assert told(domain, *pairs, ("All clients", "SELECT name FROM clients")) == {("clients", "IsLoyal"): {"loyal": "L"}}


def test_the_yes_of_a_flag_needs_no_learning(domain: Domain) -> None:
    query = "SELECT {} FROM clients WHERE IsOld = 'T'"
    pairs = (("Which old buyers do we treasure?", query.format("name")), ("Cities of old buyers we treasure", query.format("city")))
    assert told(domain, *pairs, ("All clients", "SELECT name FROM clients")) == {}
    assert {(match.column, match.value) for match in domain.context("old buyers").matches} == {("IsOld", "T")}


def test_a_domain_that_knows_the_words_finds_them_in_questions(domain: Domain) -> None:
    question = "the overdue amount of Oslo"
    assert {match.value for match in domain.context(question).matches} == {"Oslo"}
    found = with_words(domain, [Pair(*pair) for pair in (*LATE, ALL)]).context(question).matches
    assert {(match.column, match.value, match.source) for match in found} == {("state", "XD", "glossary"), ("city", "Oslo", "cell")}
