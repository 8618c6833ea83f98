"""Which of several keys between two tables is joined by: the one that the question's words name."""

from __future__ import annotations

import re

import pytest

from streamlink_sql.generators.parser.ir import Schema, to_ir, to_sql
from streamlink_sql.generators.parser.linking import link
from streamlink_sql.generators.parser.pieces import Pieces
from streamlink_sql.generators.parser.roles import family, with_named_roles
from streamlink_sql.generators.parser.runtime import WEIGHTS
from streamlink_sql.types import Column, ForeignKey, Table


def table(name: str, columns: str, **keys: str) -> Table:
    """Its columns are integers but for those called name or town; `keys` lead to the other table's id."""
    found = tuple(Column(each, "text" if each in ("name", "town") else "integer") for each in columns.split())
    return Table(name, found, ("id",), tuple(ForeignKey((column,), to, ("id",)) for column, to in keys.items()))


SCHEMA = Schema.of(
    (
        table("clubs", "id name town"),
        table("games", "id lost_by_club winning_club goals season", lost_by_club="clubs", winning_club="clubs"),
        table("trips", "id orig_club dest_club miles", orig_club="clubs", dest_club="clubs"),
        table("rivalries", "id club_id rival_id since", club_id="clubs", rival_id="clubs"),
    )
)
PIECES = Pieces(WEIGHTS / "tokenizer.json")


def joined_by(sql: str) -> list[str]:
    """The keys in a query's joins, in their order."""
    return re.findall(r"\w+_by_club|\w+_club|\w+_id", " ".join(re.findall(r" ON (\S+ = \S+)", sql)))


def mended(question: str, sql: str) -> str:
    written = to_ir(sql, SCHEMA, "duckdb")
    return to_sql(tuple(with_named_roles(written, link(question, SCHEMA, (), {}, PIECES), SCHEMA)), SCHEMA, "duckdb")


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
