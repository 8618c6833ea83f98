"""Which of several keys between two tables is joined by: the one that the question's words name."""

from __future__ import annotations

import re
from collections.abc import Sequence

import duckdb
import pytest

from streamlink_sql.generators.parser.actions import Span
from streamlink_sql.generators.parser.ir import Schema, to_ir, to_sql
from streamlink_sql.generators.parser.linking import link, split_words
from streamlink_sql.generators.parser.mends.roles import family, with_roles
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.pieces import Pieces
from streamlink_sql.generators.parser.runtime import WEIGHTS
from streamlink_sql.generators.parser.tokens import Token, Val
from streamlink_sql.generators.parser.tree import emit
from streamlink_sql.types import Column, ForeignKey, Table


def table(name: str, columns: str, **keys: str) -> Table:
    """Its columns are integers but for names and towns; `keys` lead to the other table's id."""
    found = tuple(Column(each, "text" if each.endswith(("name", "town")) else "integer") for each in columns.split())
    return Table(name, found, ("id",), tuple(ForeignKey((column,), to, ("id",)) for column, to in keys.items()))


SCHEMA = Schema.of(
    (
        table("clubs", "id name town"),
        table("games", "id lost_by_club winning_club goals season", lost_by_club="clubs", winning_club="clubs"),
        table("trips", "id orig_club dest_club miles", orig_club="clubs", dest_club="clubs"),
        table("hops", "id from_town to_town begin_year end_year"),
        table("errands", "id made_by_club passed_to_club", made_by_club="clubs", passed_to_club="clubs"),
        table("rivalries", "id club_id rival_id since", club_id="clubs", rival_id="clubs"),
    )
)
PIECES = Pieces(WEIGHTS / "tokenizer.json")


def joined_by(sql: str) -> list[str]:
    """The keys in a query's joins, in their order."""
    return re.findall(r"\w+_by_club|\w+_club|\w+_id", " ".join(re.findall(r" ON (\S+ = \S+)", sql)))


def spans(question: str, tokens: Sequence[Token]) -> dict[str, Span]:
    """Where the question says each literal, by its value."""
    words = [word.text.lower() for word in split_words(question)]
    found: dict[str, Span] = {}
    for value in (str(token.value) for token in tokens if isinstance(token, Val)):
        own = [word.text.lower() for word in split_words(value)]
        places = [at for at in range(len(words)) if words[at : at + len(own)] == own]
        if places:
            found[value] = (places[0], places[0] + len(own) - 1)
    return found


def mended(question: str, sql: str) -> str:
    written = to_ir(sql, SCHEMA, "duckdb")
    meant = with_roles(parse(written), spans(question, written), link(question, SCHEMA, (), {}, PIECES), SCHEMA)
    return to_sql(emit(meant), SCHEMA, "duckdb")


WON = "SELECT c.name FROM games g JOIN clubs c ON g.winning_club = c.id"
LOST = "SELECT c.name FROM games g JOIN clubs c ON g.lost_by_club = c.id"
TRIPS = "SELECT t.miles FROM trips t JOIN clubs c ON t.orig_club = c.id WHERE c.town = 'Ulm'"


@pytest.mark.parametrize("written", [WON, LOST])
@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("Which clubs won?", "winning_club"),
        ("clubs by number of wins", "winning_club"),
        ("the winners of 2020", "winning_club"),
        ("Which clubs have lost?", "lost_by_club"),
        ("names of the losers", "lost_by_club"),
    ],
)
def test_the_key_that_the_question_names_is_joined_by(written: str, question: str, key: str) -> None:
    assert joined_by(mended(question, written)) == [key]


@pytest.mark.parametrize(
    ("question", "key"), [("miles of trips with their origin in Ulm", "orig_club"), ("trips whose destination lies in Ulm", "dest_club")]
)
def test_names_of_keys_may_be_abbreviated(question: str, key: str) -> None:
    assert joined_by(mended(question, TRIPS)) == [key]


@pytest.mark.parametrize("written", [TRIPS, TRIPS.replace("orig_club", "dest_club")])
@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("miles of trips from Ulm", "orig_club"),
        ("miles of trips to Ulm", "dest_club"),
        ("trips that went to the club in Ulm", "dest_club"),
        ("trips departing from Ulm", "orig_club"),
        ("trips leaving Ulm", "orig_club"),
        ("who left Ulm", "orig_club"),
        ("trips that arrived in Ulm", "dest_club"),
        ("trips leaving for Ulm", "dest_club"),
    ],
)
def test_a_value_is_sought_at_the_end_of_the_way_that_the_question_says(written: str, question: str, key: str) -> None:
    assert joined_by(mended(question, written)) == [key]


@pytest.mark.parametrize(("question", "starts", "ends"), [("from Ulm to Trier", "Ulm", "Trier"), ("to Ulm from Trier", "Trier", "Ulm")])
def test_both_ends_of_a_way_are_joined(question: str, starts: str, ends: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE clubs AS FROM (VALUES (1, 'A', 'Ulm'), (2, 'B', 'Trier')) clubs(id, name, town)")
        connection.execute("CREATE TABLE trips AS FROM (VALUES (1, 1, 2, 700), (2, 2, 1, 800)) trips(id, orig_club, dest_club, miles)")
        sql = mended(f"trips {question}", f"{TRIPS} AND c.town = 'Trier'")
        of = connection.execute("SELECT id FROM clubs WHERE town = ?", [starts]).fetchone()
        assert connection.execute(sql).fetchall() == connection.execute("SELECT miles FROM trips WHERE orig_club = ?", of).fetchall()
        assert ends in sql


@pytest.mark.parametrize(
    ("question", "written", "meant"),
    [
        ("hops to Ulm", "from_town", "to_town"),
        ("hops from Ulm", "to_town", "from_town"),
        ("hops towards Ulm", "to_town", "to_town"),
        ("hops of Ulm", "from_town", "from_town"),
        ("hops, to begin with, by Ulm", "from_town", "from_town"),
    ],
)
def test_of_two_columns_the_one_of_that_end_is_meant(question: str, written: str, meant: str) -> None:
    sql = "SELECT count(*) FROM hops WHERE {} = 'Ulm'"
    assert mended(question, sql.format(written)) == mended("", sql.format(meant))


def test_numbers_are_no_end_of_a_way() -> None:
    sql = "SELECT count(*) FROM hops WHERE begin_year = 2001"
    assert mended("hops from 1990 to 2001", sql) == mended("", sql)


@pytest.mark.parametrize("question", ["Which clubs played?", "clubs that won or lost", "clubs and their wins and losses"])
def test_what_names_no_key_or_several_changes_nothing(question: str) -> None:
    assert mended(question, WON) == mended("", WON)
    assert mended(question, LOST) == mended("", LOST)


def test_each_query_inside_another_has_its_own_joins() -> None:
    inside = f"SELECT count(*) FROM trips WHERE miles > (SELECT avg(g.goals) FROM {LOST.partition('FROM ')[2]} WHERE c.town = 'Ulm')"
    assert joined_by(mended("trips longer than the goals of winners from Ulm", inside)) == ["winning_club"]
    both = f"{LOST} INTERSECT {LOST} WHERE g.season = 2020"
    assert joined_by(mended("who won ever and in 2020", both)) == ["winning_club"] * 2


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("who won, and against which club", "SELECT g.winning_club, c.name FROM games g JOIN clubs c ON g.lost_by_club = c.id"),
        ("rivals of Ulm", "SELECT r.since FROM rivalries r JOIN clubs c ON r.club_id = c.id WHERE c.town = 'Ulm'"),
        (
            "winners and whom they beat",
            "SELECT w.name, l.name FROM games g JOIN clubs w ON g.winning_club = w.id JOIN clubs l ON g.lost_by_club = l.id",
        ),
        ("clubs of winners", "SELECT count(*) FROM games"),
        ("clubs by number, from most to least", "SELECT c.name FROM errands e JOIN clubs c ON e.made_by_club = c.id"),
        ("hops that begin and end in Ulm, to and fro", "SELECT id FROM hops WHERE from_town = 'Ulm' AND to_town = 'Ulm'"),
        ("trips to clubs from Ulm", "SELECT t.miles FROM trips t JOIN clubs c ON t.dest_club = c.id WHERE c.town = 'Ulm'"),
    ],
)
def test_a_key_is_left_where_its_rival_has_a_part_or_no_word_tells_them_apart(question: str, sql: str) -> None:
    assert mended(question, sql) == mended("", sql)


@pytest.mark.parametrize(
    "words", ["win won wins winner winners winning", "teach taught teacher", "send sent sender", "own owner owned owns", "sell sold seller"]
)
def test_a_verb_and_who_does_it_are_one_family(words: str) -> None:
    assert len({family(word) for word in words.split()}) == 1


def test_short_words_stay_themselves() -> None:
    assert [family(word) for word in ("as", "her", "or", "use")] == ["as", "her", "or", "use"]


def test_keys_of_several_columns_are_left_alone() -> None:
    towns = Table("towns", (Column("land", "text"), Column("code", "text"), Column("name", "text")), ("land", "code"))
    ends = [ForeignKey((f"{end}_land", f"{end}_code"), "towns", ("land", "code")) for end in ("from", "to")]
    columns = [Column(f"{end}_{part}", "text") for end in ("from", "to") for part in ("land", "code")]
    schema = Schema.of((towns, Table("rides", (Column("id", "integer"), *columns), ("id",), tuple(ends))))
    sql = "SELECT r.id FROM rides r JOIN towns t ON r.from_land = t.land AND r.from_code = t.code WHERE t.name = 'Ulm'"
    written = list(to_ir(sql, schema, "duckdb"))
    meant = with_roles(parse(written), spans("rides to Ulm", written), link("rides to Ulm", schema, (), {}, PIECES), schema)
    assert list(emit(meant)) == written
