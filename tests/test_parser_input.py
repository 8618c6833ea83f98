"""What the embedded parser sees and writes: the model's input, its actions, and how words become literals."""

from __future__ import annotations

import hashlib
import random

import duckdb
import numpy as np
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlink_sql.generators.parser import actions, linking
from streamlink_sql.generators.parser.actions import (
    FIXED,
    Layout,
    Position,
    number_matches,
    sensible,
    to_tokens,
)
from streamlink_sql.generators.parser.ir import NotCovered, Schema, Val, to_ir, to_sql
from streamlink_sql.generators.parser.linking import MOST_PIECES, MOST_WORDS, Linked, link, split_words
from streamlink_sql.generators.parser.literals import LITERALS, Target, locate, read
from streamlink_sql.generators.parser.mends.mending import days_between, moments_known, moments_mended, years_compared, years_in_order
from streamlink_sql.generators.parser.moments import read_date, read_part
from streamlink_sql.generators.parser.numerals import number_within, read_number
from streamlink_sql.generators.parser.pieces import Pieces
from streamlink_sql.generators.parser.tokens import KEYWORDS, Col, Tab, Token
from streamlink_sql.types import Column, Dialect, Table, ValueMatch
from tests.tiny_parser import MATCHES, QUESTION, SYNONYMS, TABLES, write_tokenizer

SCHEMA = Schema.of(TABLES)


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Pieces:
    return Pieces(write_tokenizer(tmp_path_factory.mktemp("pieces") / "tokenizer.json"))


def digest(*parts: bytes | str) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part if isinstance(part, bytes) else part.encode())
    return whole.hexdigest()[:16]


# What trained weights depend on. A test that fails here means: the shipped weights no longer fit, train anew.


def test_the_input_is_the_one_that_the_weights_were_trained_on(pieces: Pieces) -> None:
    got = link(QUESTION, SCHEMA, MATCHES, SYNONYMS, pieces)
    assert digest(got.pieces.tobytes(), got.spans.tobytes()) == "deb7bf5fa66cf56a"
    assert digest(got.features.tobytes()) == "90676baa6b5176bb"
    assert digest(got.relations.tobytes()) == "0e2c2cea1000b25c"
    assert digest(repr(got.words), repr((got.table_count, got.column_count))) == "c8d6676cca48174e"
    assert (
        digest(repr(linking.RELATIONS), repr(linking.FEATURE_SIZES), repr((linking.MOST_WORDS, linking.MOST_PIECES))) == "b01d3c29335024d4"
    )


def test_the_actions_are_those_that_the_weights_were_trained_on() -> None:
    assert digest(repr(KEYWORDS)) == "b6dcd77477d62856"
    assert digest(repr(LITERALS)) == "b6275f8491247968"
    assert digest(actions.PERMITTED.tobytes(), repr((actions.FIXED, actions.STATES, actions.SPAN_END))) == "7bdc09fc1433aec0"


# The input


def must_be_sound(got: Linked, schema: Schema) -> None:
    count = len(got.words) + len(schema.tables) + len(schema.columns)
    assert got.spans.shape == (count, 2)
    assert got.features.shape == (count, linking.FEATURES)
    assert got.relations.shape == (count, count)
    assert len(got.pieces) <= MOST_PIECES
    assert (got.spans[:, 0] < got.spans[:, 1]).all()
    assert (got.spans >= 0).all()
    assert (got.spans <= len(got.pieces)).all()
    assert (got.features >= 0).all()
    assert (got.features < np.array(linking.FEATURE_SIZES)).all()
    assert (got.relations >= 0).all()
    assert (got.relations < len(linking.RELATIONS)).all()


def relation(got: Linked, left: int, right: int) -> str:
    return linking.RELATIONS[got.relations[left, right]]


def test_words_names_and_values_are_linked(pieces: Pieces) -> None:
    got = link(QUESTION, SCHEMA, MATCHES, SYNONYMS, pieces)
    words = [word.text for word in got.words]
    first_table, first_column = len(words), len(words) + len(TABLES)
    city = first_column + 2
    assert relation(got, words.index("Orders"), first_table + 1) == "word-table whole"
    assert relation(got, words.index("customers"), first_table) == "word-table whole"
    assert relation(got, words.index("city"), city) == "word-column part"
    assert relation(got, words.index("New"), city) == "word-column value whole"
    assert relation(got, city, words.index("York")) == "column-word value whole"
    assert relation(got, first_table + 1, first_table) == "table-table refers"
    assert relation(got, first_table + 1, first_table + 2) == "table-table referred"
    assert relation(got, first_column, first_column + 5) == "column-column referred"


@given(
    st.text(max_size=60),
    st.lists(st.lists(st.text(max_size=12), max_size=4), max_size=4),
    st.lists(st.tuples(st.text(max_size=8), st.integers(0, 60), st.integers(0, 60)), max_size=3),
)
@settings(max_examples=60, deadline=None)
def test_any_question_over_any_names_makes_a_sound_input(
    pieces: Pieces, question: str, names: list[list[str]], found: list[tuple[str, int, int]]
) -> None:
    tables = tuple(Table(f"{row[:1]}{number}", tuple(Column(name, "text") for name in row)) for number, row in enumerate(names))
    schema = Schema.of(tables)
    columns = [(table.name, column.name) for table in tables for column in table.columns]
    matches = [ValueMatch(*columns[0], value, min(a, b), max(a, b), 0.9) for value, a, b in found] if columns else []
    must_be_sound(link(question, schema, matches, {}, pieces), schema)


def test_quotes_other_scripts_and_empty_names_are_taken_as_they_are(pieces: Pieces) -> None:
    names = ("", "o'clock", "名前", "___", "a b", "select", "x" * 300)
    tables = (Table('we"ird', tuple(Column(name, "text") for name in names)), Table("", (Column("\N{PILE OF POO}", "binary"),)))
    schema = Schema.of(tables)
    for question in ("名前 は 何 ですか", '"we"ird" o\'clock?', "\u200b", "..."):
        must_be_sound(link(question, schema, (), {}, pieces), schema)


def test_a_schema_too_wide_is_cut_and_stays_sound(pieces: Pieces) -> None:
    tables = tuple(Table(f"table{t}", tuple(Column(f"a_long_name_{t}_{c}", "text") for c in range(30))) for t in range(10))
    schema = Schema.of(tables)
    value = ValueMatch("table0", "a_long_name_0_0", "x" * 200, 0, 4, 1.0)
    got = link("show " * 200, schema, [value], {}, pieces)
    assert len(got.words) == MOST_WORDS
    must_be_sound(got, schema)


def test_values_are_left_out_before_names_are_cut(pieces: Pieces) -> None:
    tables = (Table("t", tuple(Column(f"c{number}", "text") for number in range(70))),)
    schema = Schema.of(tables)
    matches = [ValueMatch("t", f"c{number}", "a value of many letters", 0, 4, 1.0) for number in range(70)]
    plain, full = (link("show it", schema, found, {}, pieces) for found in ((), matches))
    assert len(plain.pieces) < MOST_PIECES
    assert full.pieces.tolist() == plain.pieces.tolist()


# Actions


def walk(rng: random.Random, layout: Layout, most: int = 400) -> list[int] | None:
    """A random permitted query that ends where it can half of the time; None when it is not over after `most` actions."""
    position, written = Position(), list[int]()
    end = KEYWORDS.index("END")
    for _ in range(most):
        allowed = np.flatnonzero(position.mask(layout)).tolist()
        action = end if end in allowed and rng.random() < 0.5 else rng.choice(allowed)
        written.append(action)
        position = position.after(action, layout)
        if position.complete:
            return written
    return None


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
def test_whatever_the_grammar_permits_is_a_query(dialect: Dialect) -> None:
    rng, words = random.Random(4), split_words(QUESTION)
    layout = Layout(len(words), len(SCHEMA.tables), len(SCHEMA.columns))
    rendered = finished = 0
    for _ in range(250):
        written = walk(rng, layout)
        if written is None:
            continue
        finished += 1
        tokens = to_tokens(written, layout, QUESTION, words, SCHEMA, MATCHES)
        try:
            sql = to_sql(tuple(tokens), SCHEMA, dialect)
        except NotCovered:
            continue
        rendered += 1
        sqlglot.parse_one(sql, read=dialect)
    assert finished > 150
    assert rendered > finished / 2


def test_a_span_ends_where_it_began_or_later() -> None:
    layout = Layout(5, 1, 2)
    position = Position()
    select, where, equal = (KEYWORDS.index(name) for name in ("SELECT", "WHERE", "EQ"))
    for action in (select, layout.first_column, where, layout.first_column, equal, FIXED + 2):
        assert position.mask(layout)[action]
        position = position.after(action, layout)
    assert np.flatnonzero(position.mask(layout)).tolist() == [FIXED + 2, FIXED + 3, FIXED + 4]
    assert position.after(FIXED + 4, layout).opened is None


def test_without_words_there_is_still_something_to_write() -> None:
    layout = Layout(0, 1, 1)
    assert walk(random.Random(1), layout) is not None


# Literals


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5),
        ("1,200", 1200),
        ("1,200.50", 1200.5),
        ("1.200.000", 1_200_000),
        ("1 200 000", 1_200_000),
        ("2,5", 2.5),
        (".5", 0.5),
        ("1e6", 1_000_000),
        ("2.5 million", 2_500_000),
        ("1.1 million", 1_100_000),
        ("5 millions", 5_000_000),
        ("$3k", 3000),
        ("$ 3 million", 3_000_000),
        ("US$ 5", 5),
        ("5€", 5),
        ("3 million dollars", 3_000_000),
        ("5bn", 5_000_000_000),
        ("20%", 20),
        ("20 %", 20),
        ("20 per cent", 20),
        ("15.000", 15_000),
        ("15.000 \u20ac", 15_000),
        ("1.500,00", 1500),
        ("1.234.567,89", 1_234_567.89),
        ("15.500 \u20ac", 15_500),
        ("\u20ac15.500", 15_500),
        ("15.500", 15.5),
        ("0.000", 0),
        ("3.141", 3.141),
        ("twenty five", 25),
        ("twenty-five", 25),
        ("forty-two thousand", 42_000),
        ("two hundred and five", 205),
        ("one hundred twenty three", 123),
        ("three thousand and five", 3005),
        ("2 thousand 500", 2500),
        ("half a million", 500_000),
        ("one and a half million", 1_500_000),
        ("two and a half", 2.5),
        ("a dozen", 12),
        ("two dozen", 24),
        ("half a dozen", 6),
        ("a couple of", 2),
        ("a hundred", 100),
        ("a", 1),
        ("once", 1),
        ("zero", 0),
        ("third", 3),
        ("3rd", 3),
        ("twenty first", 21),
        ("nineteen ninety nine", 1999),
        ("two thousand nineteen", 2019),
        ("twenty twenty", 2020),
        ("nineteen hundred", 1900),
        ("1990s", 1990),
        ("'90s", 1990),
        ("'05", 2005),
        ("-5", -5),
        ("- 5", -5),
        ("\u22125", -5),
        ("minus 2.5", -2.5),
        ("negative five", -5),
        ("12345678901234567", 12345678901234567),
        ("\uff15", 5),
        ("2019.", 2019),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, number: float) -> None:
    assert read_number(text) == number
    assert isinstance(read_number(text), type(number))


NO_NUMBERS: tuple[str, ...] = (
    "",
    "?",
    "the",
    "k",
    "m",
    "of",
    "5 and 10",
    "five and ten",
    "twenty and thirty",
    "5 10",
    "5-10",
    "1-2",
    "b12",
    "two half",
    "$",
    "x",
)
NO_NUMBERS += ("9" * 40, "thousand million", "5 years", "last", "1,2003", "and", "- -", "5 percent 10")


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number_or_more_than_one_is_not_read(text: str) -> None:
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5 years", 5),
        ("more than 5 million people", 5_000_000),
        ("twenty five years old", 25),
        ("at least 3.5 stars", 3.5),
        ("3kg", 3),
        ("between 5 and 10", None),
        ("b12", None),
        ("", None),
        ("the most", None),
    ],
)
def test_a_number_among_other_words_is_found_when_it_is_the_only_one(text: str, number: float | None) -> None:
    assert number_within(text) == number


@given(st.text(max_size=40) | st.text("0123456789.,-+e$% kmb'", max_size=40))
@settings(max_examples=300, deadline=None)
def test_nothing_breaks_the_readers(text: str) -> None:
    for number in (read_number(text), number_within(text)):
        assert number is None or np.isfinite(float(number))
    assert read_date(text) is None or len(read_date(text) or "") == 10
    for function in ("YEAR", "QUARTER", "MONTH", "DECADE", "DAY", "WEEKDAY", "YEAR_MONTH", "LENGTH"):
        read_part(text, function)


@given(st.integers(-(10**12), 10**12))
def test_written_integers_come_back(number: int) -> None:
    assert read_number(str(number)) == number
    assert read_number(f"{number:,}") == number


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2018-06-15", "2018-06-15"),
        ("2018/6/5", "2018-06-05"),
        ("15.6.2018", "2018-06-15"),
        ("06/15/2018", "2018-06-15"),
        ("15/06/2018", "2018-06-15"),
        ("15th of June 2018", "2018-06-15"),
        ("the 15th of June, 2018", "2018-06-15"),
        ("June 15th, 2018", "2018-06-15"),
        ("Sept. 5, 2019", "2019-09-05"),
        ("15-Jun-2018", "2018-06-15"),
        ("fifteenth of june 2018", "2018-06-15"),
        ("Friday, March 3rd 2017", "2017-03-03"),
        ("sept 2019", "2019-09-01"),
        ("31 February 2018", None),
        ("2018-13-01", None),
        ("2018", None),
        ("June", None),
        ("5 may 5 2018", None),
        ("may 2018 june 2019", None),
        ("", None),
    ],
)
def test_days(text: str, day: str | None) -> None:
    assert read_date(text) == day


@pytest.mark.parametrize(
    ("function", "text", "part"),
    [
        ("YEAR", "2019", 2019),
        ("YEAR", "March 15, 2018", 2018),
        ("YEAR", "'98", 1998),
        ("YEAR", "two thousand five", 2005),
        ("QUARTER", "Q3", 3),
        ("QUARTER", "third quarter", 3),
        ("QUARTER", "3rd quarter", 3),
        ("QUARTER", "2019 Q3", 3),
        ("QUARTER", "quarter 2", 2),
        ("QUARTER", "2", 2),
        ("MONTH", "sept", 9),
        ("MONTH", "December 2018", 12),
        ("MONTH", "2018-03", 3),
        ("MONTH", "third", 3),
        ("MONTH", "7", 7),
        ("DECADE", "1990s", 1990),
        ("DECADE", "'90s", 1990),
        ("DECADE", "90s", 1990),
        ("DECADE", "the nineties", 1990),
        ("DECADE", "2010s", 2010),
        ("DECADE", "1994", 1990),
        ("DAY", "15th of June 2018", 15),
        ("DAY", "the 21st", 21),
        ("DAY", "3", 3),
        ("WEEKDAY", "Mondays", 1),
        ("WEEKDAY", "sunday", 0),
        ("YEAR_MONTH", "March 2019", "2019-03"),
        ("YEAR_MONTH", "2019-03", "2019-03"),
        ("YEAR_MONTH", "03/2019", "2019-03"),
        ("LENGTH", "ten characters", 10),
        ("YEAR", "ever", "ever"),
    ],
)
def test_parts_of_dates(function: str, text: str, part: str | int) -> None:
    assert read_part(text, function) == part


@pytest.mark.parametrize(
    ("text", "target", "found", "value"),
    [
        ("5 years", Target("integer"), (), 5),
        ("two hours", Target("other", duration=True), (), "2 hours"),
        ("1.5 hrs", Target("other", duration=True), (), "1.5 hours"),
        ("30-minute", Target("other", duration=True), (), "30 minutes"),
        ("30", Target("other", duration=True), (), "30"),
        ("many", Target("integer"), (), "many"),
        ("15th of June 2018", Target("date"), (), "2018-06-15"),
        ("2018", Target("date"), (), "2018"),
        ("germany", Target("text"), ("Germany ", "East Germany"), "Germany"),
        ("germany", Target("text", pattern=True), ("Germany",), "germany"),
        ('"data base"', Target("text", pattern=True), (), "data base"),
        ("“data base”", Target("text"), (), "data base"),
        ("1,200", Target("text"), (), "1,200"),
        ("no", Target("boolean"), (), 0),
        ("active", Target("boolean"), (), 1),
        ("2019", Target("date", "YEAR"), (), 2019),
        ("20 %", Target("real"), (), 20),
        ("a quarter", Target("integer", percent=True), (), 25),
        ("two-thirds of", Target("integer", percent=True), (), 66.67),
        ("half", Target("integer", percent=True), (), 50),
        ("12.5 %", Target("integer", percent=True), (), 12.5),
    ],
)
def test_a_stretch_is_read_as_what_its_column_holds(text: str, target: Target, found: tuple[str, ...], value: str | int) -> None:
    assert read(text, target, found) == Val(value)


@pytest.mark.parametrize(
    ("question", "target", "value", "text"),
    [
        ("Orders over 1,200 since 2019", Target("real"), 1200, "1,200"),
        ("Cities of more than 5 million people", Target("integer"), 5_000_000, "5 million"),
        ("Those with twenty-five or more", Target("integer"), 25, "twenty-five"),
        ("Placed after June 15th, 2018 or so", Target("date"), "2018-06-15", "June 15th, 2018"),
        ("Placed in the third quarter of 2019", Target("date", "QUARTER"), 3, "third"),
        ("Titles that contain 'data base' please", Target("text", pattern=True), "data base", "data base"),
        ("Clients called o'neil", Target("text"), "O'Neil", "o'neil"),
    ],
)
def test_locating_a_literal_is_the_inverse_of_reading_it(question: str, target: Target, value: str | int, text: str) -> None:
    words = split_words(question)
    span = locate(value, target, question, words, ())
    assert span is not None
    assert question[words[span[0]].start : words[span[1]].end] == text


@given(st.integers(0, 10**9), st.sampled_from(["over {} of them", "{}", "from {} on, please?", "more than {}!"]))
@settings(max_examples=60, deadline=None)
def test_any_integer_in_a_question_is_found(number: int, form: str) -> None:
    question = form.format(number)
    words = split_words(question)
    span = locate(number, Target("integer"), question, words, ())
    assert span is not None
    assert read(question[words[span[0]].start : words[span[1]].end], Target("integer")) == Val(number)


def test_a_literal_that_is_not_there_is_not_located() -> None:
    words = split_words(QUESTION)
    assert locate("Berlin", Target("text"), QUESTION, words, ()) is None
    assert locate(77, Target("integer"), QUESTION, words, ()) is None
    assert locate(1, Target("integer"), "", (), ()) is None


def test_a_cell_is_located_by_its_match() -> None:
    words = split_words(QUESTION)
    column = SCHEMA.column_index(0, "home_city")
    span = locate("New York", Target("text", column=column), QUESTION, words, number_matches(MATCHES, SCHEMA))
    assert span is not None
    assert QUESTION[words[span[0]].start : words[span[1]].end] == "New York"


def test_a_number_is_read_with_its_unit_and_a_cell_with_its_whole_name() -> None:
    """The search may stop a word early; what was meant is plain from the question."""
    columns = (Column("revenue", "integer"), Column("kind", "text"))
    schema = Schema.of((Table("firms", columns),))
    question = "firms of research institutes with revenue above 20 billion"
    words = split_words(question)
    layout = Layout(len(words), 1, 2)
    matches = (ValueMatch("firms", "kind", "research institute", 9, 28, 0.95),)
    numbers = {word.text: FIXED + number for number, word in enumerate(words)}

    def literal(column: int, word: str) -> Token:
        actions = (layout.first_column + column, KEYWORDS.index("EQ"), numbers[word], numbers[word])
        return to_tokens(actions, layout, question, words, schema, matches)[-1]

    assert literal(0, "20") == Val(20_000_000_000)
    assert literal(1, "research") == Val("research institute")


@pytest.mark.parametrize(
    ("question", "column", "words", "meant"),
    [
        ("jobs of Mary A. Murphy's firm", 0, "Mary A", "Mary A. Murphy"),
        ("jobs of John R. R. Hill, please", 0, "John R", "John R. R. Hill"),
        ("vitamins like A. Show them", 0, "A", "A"),
        ("the firm Type B. its jobs", 0, "Type B", "Type B"),
        ("jobs with Grade A. Show their names", 0, "Grade A", "Grade A"),
        ("begun before 3 June and with pay above 5000", 1, "3 June", "3 June"),
        ("begun before 1 June and over 1000 of pay", 1, "1 June", "1 June"),
        ("begun on 3 June in 2014", 1, "3 June", "2014-06-03"),
        ("begun between 3 June and 4 July, 2014", 1, "3 June", "2014-06-03"),
        ("jobs at zip 1011 on 3 June", 1, "3 June", "3 June"),
        ("from 1 January through 30 June 2012", 1, "1 January", "2012-01-01"),
        ("from 1 January through 30 June 2012", 1, "30 June 2012", "2012-06-30"),
        ("in 2014 after 3rd of May", 1, "3rd of May", "2014-05-03"),
        ("after 3rd of May", 1, "3rd of May", "3rd of May"),
        ("from 1 May 2011 to 30 June 2012", 1, "1 May 2011", "2011-05-01"),
        ("from 1 January through 30 June 2012", 1, "January", "2012-01-01"),
        ("from the 3rd of May till June 2012", 1, "May", "2012-05-03"),
        ("between March and June 2012", 1, "March", "2012-03-01"),
        ("the 20 March 2012 jobs", 1, "March 2012", "2012-03-20"),
    ],
)
def test_a_name_goes_on_after_an_initial_and_a_day_has_the_year_beside_it(question: str, column: int, words: str, meant: str) -> None:
    schema, all_words = Schema.of((Table("jobs", (Column("title", "text"), Column("begun", "date"))),)), split_words(question)
    layout, start = Layout(len(all_words), 1, 2), question.index(words)
    span = [number for number, word in enumerate(all_words) if start <= word.start < start + len(words)]
    actions = (layout.first_column + column, KEYWORDS.index("EQ"), FIXED + span[0], FIXED + span[-1])
    assert to_tokens(actions, layout, question, all_words, schema, ())[-1] == Val(meant)


@pytest.mark.parametrize(
    ("length", "words_read", "days"),
    [
        ("5,475 days", 1, 5475),
        ("15 years", 1, 5475),
        ("15 years", 2, 5475),
        ("two weeks", 1, 14),
        ("two-week breaks", 1, 14),
        ("2 to 3 weeks", 1, 14),
        ("2 and 3 things", 1, 2),
        ("three months", 2, 90),
        ("90 or more", 1, 90),
    ],
)
def test_between_two_dates_lie_days(length: str, words_read: int, days: int) -> None:
    question = f"jobs that took {length}"
    schema, words = Schema.of((Table("jobs", (Column("begun", "date"), Column("ended", "date"))),)), split_words(question)
    layout = Layout(len(words), 1, 2)
    bound = (layout.first_column, KEYWORDS.index("GT"), FIXED + 3, FIXED + 2 + words_read)
    actions = (
        KEYWORDS.index("SELECT"),
        layout.first_table,
        KEYWORDS.index("WHERE"),
        KEYWORDS.index("SUB"),
        layout.first_column + 1,
        *bound,
    )
    assert to_tokens(actions, layout, question, words, schema, ())[-1] == Val(days)


@pytest.mark.parametrize(("operator", "day"), [("GE", "2012-02-01"), ("LT", "2012-02-01"), ("GT", "2012-02-29"), ("LE", "2012-02-29")])
def test_a_month_is_passed_at_its_end_and_reached_at_its_beginning(operator: str, day: str) -> None:
    schema = Schema.of((Table("jobs", (Column("begun", "date"),)),))
    words, layout = split_words("February 2012"), Layout(2, 1, 1)
    bound = (KEYWORDS.index(operator), FIXED, FIXED + 1)
    assert to_tokens((layout.first_column, *bound), layout, "February 2012", words, schema, ())[-1] == Val(day)
    between = (layout.first_column, KEYWORDS.index("BETWEEN"), FIXED, FIXED + 1, FIXED, FIXED + 1)
    assert to_tokens(between, layout, "February 2012", words, schema, ())[-2:] == [Val("2012-02-01"), Val("2012-02-29")]


@pytest.mark.parametrize(("operator", "holding"), [("EQ", "CONTAINS"), ("NE", "NOT_CONTAINS")])
def test_a_part_of_several_names_is_all_of_them(operator: str, holding: str) -> None:
    """A family name is no one of those who have it."""
    schema = Schema.of((Table("jobs", (Column("boss", "text"),)),))
    question = "jobs of Tanaka"
    words, layout = split_words(question), Layout(3, 1, 1)
    emi, ren = (ValueMatch("jobs", "boss", name, 8, 14, 0.7) for name in ("Emi Tanaka", "Ren Tanaka"))
    exact = ValueMatch("jobs", "boss", "Tanaka", 8, 14, 1.0)
    actions = (layout.first_column, KEYWORDS.index(operator), FIXED + 2, FIXED + 2)
    assert to_tokens(actions, layout, question, words, schema, (emi, ren)) == [Col(0), holding, Val("Tanaka")]
    assert to_tokens(actions, layout, question, words, schema, (emi,)) == [Col(0), operator, Val("Emi Tanaka")]
    assert to_tokens(actions, layout, question, words, schema, (exact, emi, ren)) == [Col(0), operator, Val("Tanaka")]


def test_a_cell_within_the_words_is_meant_where_cells_of_others_explain_the_rest() -> None:
    schema = Schema.of((Table("jobs", (Column("country", "text"), Column("kind", "text"))),))
    question = "jobs of Chinese universities"
    words, layout = split_words(question), Layout(4, 1, 2)
    actions = (layout.first_column, KEYWORDS.index("EQ"), FIXED + 2, FIXED + 3)
    country, kind = ValueMatch("jobs", "country", "CN", 8, 15, 1.0, "glossary"), ValueMatch("jobs", "kind", "university", 16, 28, 1.0)
    assert to_tokens(actions, layout, question, words, schema, (country, kind))[-1] == Val("CN")
    assert to_tokens(actions, layout, question, words, schema, (country,))[-1] == Val("Chinese universities")


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("made <= '2012-05-31'", [1, 2]),
        ("made > '2012-05-31'", [3]),
        ("made < '2012-05-31'", [1]),
        ("made >= '2012-05-31'", [2, 3]),
        ("made = '2012-05-31'", [2]),
        ("made BETWEEN '2012-05-01' AND '2012-05-31' OR id = 3", [1, 2, 3]),
        ("NOT made IS NULL AND id <= 2", [1, 2]),
        ("made <= '2012-05-31 09:00:00'", [1]),
        ("born <= '2012-05-31'", [1, 2]),
        ("born = '2012-05-31'", [2]),
    ],
)
def test_a_day_that_moments_are_compared_with_is_all_of_it(condition: str, found: list[int]) -> None:
    schema = Schema.of((Table("jobs", (Column("id", "integer"), Column("made", "timestamp"), Column("born", "date"))),))
    tokens = to_ir(f"SELECT id FROM jobs WHERE {condition}", schema, "duckdb")
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE jobs AS SELECT i AS id, d + INTERVAL (10 * (i - 1)) HOUR AS made, d::DATE AS born FROM "
            "(VALUES (1, DATE '2012-05-30'), (2, DATE '2012-05-31'), (3, DATE '2012-06-01')) t(i, d)"
        )
        rows = connection.execute(to_sql(tuple(moments_mended(tokens, schema)), schema, "duckdb")).fetchall()
    assert sorted(row[0] for row in rows) == found


def test_the_year_of_a_date_is_not_taken_from_another_date() -> None:
    schema = Schema.of((Table("jobs", (Column("begun", "date"), Column("ended", "date"), Column("pay", "integer"))),))
    days = to_ir("SELECT count(*) FROM jobs WHERE ended - begun > 20", schema, "duckdb")
    place = days.index(Col(0))
    assert days_between((*days[:place], "YEAR", *days[place:]), schema) == list(days)
    for sql in ("SELECT avg(year(ended) - year(begun)) FROM jobs", "SELECT avg(pay - year(begun)) FROM jobs"):
        kept = list(to_ir(sql, schema, "duckdb"))
        assert days_between(kept, schema) == kept


@pytest.mark.parametrize(
    ("question", "first", "operator", "searched"),
    [
        ("jobs about foghorns", "foghorns", "CONTAINS", "foghorn"),
        ("jobs not about light switches", "light", "NOT_CONTAINS", "light switch"),
        ("jobs about batteries", "batteries", "CONTAINS", "batteries"),
        ("jobs that mention 'foghorns'", "foghorns", "CONTAINS", "foghorns"),
        ("jobs that begin with foghorns", "foghorns", "STARTS", "foghorns"),
        ("jobs about glass", "glass", "CONTAINS", "glass"),
    ],
)
def test_texts_are_searched_for_one_as_for_many(question: str, first: str, operator: str, searched: str) -> None:
    schema, words = Schema.of((Table("jobs", (Column("title", "text"),)),)), split_words(question)
    layout, texts = Layout(len(words), 1, 1), [word.text for word in words]
    last = max(number for number, text in enumerate(texts) if text.isalpha())
    actions = (layout.first_column, KEYWORDS.index(operator), FIXED + texts.index(first), FIXED + last)
    assert to_tokens(actions, layout, question, words, schema, ())[-1] == Val(searched)


@pytest.mark.parametrize(
    ("question", "function", "words_read", "bound"),
    [
        ("jobs in the second half of 2018", "QUARTER", ("second", "second"), ("GE", 3)),
        ("jobs in the first half of 2018", "QUARTER", ("first", "half"), ("LE", 2)),
        ("jobs in the first half-year of 2018", "MONTH", ("first", "first"), ("LE", 6)),
        ("jobs in H2 2018", "QUARTER", ("H2", "H2"), ("GE", 3)),
        ("jobs in the last half of 2018", "MONTH", ("last", "last"), ("GE", 7)),
        ("jobs in the second quarter of 2018", "QUARTER", ("second", "second"), ("EQ", 2)),
        ("jobs of the second year, the first half done", "QUARTER", ("second", "second"), ("EQ", 2)),
    ],
)
def test_half_of_a_year_is_two_quarters(question: str, function: str, words_read: tuple[str, str], bound: tuple[str, int]) -> None:
    schema, words = Schema.of((Table("jobs", (Column("done_on", "date"),)),)), split_words(question)
    layout, texts = Layout(len(words), 1, 1), [word.text for word in words]
    keywords = [KEYWORDS.index(function), layout.first_column, KEYWORDS.index("EQ")]
    actions = (*keywords, *(FIXED + texts.index(word) for word in words_read))
    operator, value = bound
    assert to_tokens(actions, layout, question, words, schema, ()) == [function, Col(0), operator, Val(value)]


def test_the_upper_bound_of_a_range_stands_behind_the_lower_one() -> None:
    """Within a search; the grammar itself allows any order."""
    layout = Layout(6, 1, 2)
    position = Position()
    for action in (KEYWORDS.index("SELECT"), layout.first_column, KEYWORDS.index("WHERE"), layout.first_column, KEYWORDS.index("BETWEEN")):
        position = position.after(action, layout)
    position = position.after(FIXED + 2, layout).after(FIXED + 3, layout)
    assert not sensible(position, layout)[FIXED : FIXED + 4].any()
    assert sensible(position, layout)[FIXED + 4 : FIXED + 6].all()
    assert position.mask(layout)[FIXED : FIXED + 6].all()


def test_a_date_compared_with_a_bare_year_is_compared_by_its_year() -> None:
    """An engine with real dates reads no '2015'."""
    schema = Schema.of((Table("orders", (Column("id", "integer"), Column("day", "date"))),))
    tokens: list[Token] = [
        "SELECT",
        "COUNT",
        Tab(0),
        "WHERE",
        Col(1),
        "GT",
        Val("2015"),
        "AND",
        Col(1),
        "BETWEEN",
        Val("2016"),
        Val("2018"),
        "END",
    ]
    sql = to_sql(tuple(years_compared(tokens, schema)), schema, "duckdb")
    assert sql == "SELECT COUNT(*) FROM orders WHERE YEAR(day) > 2015 AND YEAR(day) BETWEEN 2016 AND 2018"
    unchanged: tuple[list[Token], ...] = (
        ["SELECT", Col(1), "WHERE", Col(1), "GT", Val("2015-06-01"), "END"],
        ["SELECT", Col(0), "WHERE", Col(0), "EQ", Val(2015), "END"],
    )
    for kept in unchanged:
        assert years_compared(kept, schema) == kept


def test_quarters_and_months_come_in_the_order_of_time_where_their_years_do() -> None:
    schema = Schema.of((Table("orders", (Column("id", "integer"), Column("paid", "date"), Column("sent", "date"))),))
    shown: list[Token] = ["SELECT", "YEAR", Col(1), "QUARTER", Col(1), "COUNT", Tab(0)]
    grouped: list[Token] = ["GROUP", "YEAR", Col(1), "QUARTER", Col(1)]
    by_year: list[Token] = [*shown, *grouped, "ORDER", "YEAR", Col(1), "DESC", "END"]
    assert to_sql(tuple(years_in_order(by_year)), schema, "duckdb").endswith(" ORDER BY YEAR(paid) DESC, QUARTER(paid) DESC")
    few: list[Token] = [*by_year[:-1], "LIMIT", Val(8), "END"]
    assert to_sql(tuple(years_in_order(few)), schema, "duckdb").endswith(" ORDER BY YEAR(paid) DESC, QUARTER(paid) DESC LIMIT 8")
    for kept in (
        [*shown, *grouped, "END"],
        [*shown, *grouped, "ORDER", "COUNT", Tab(0), "DESC", "END"],
        [*shown, *grouped, "ORDER", "YEAR", Col(1), "ASC", "COUNT", Tab(0), "DESC", "END"],
        [*shown, *grouped, "ORDER", "QUARTER", Col(1), "ASC", "YEAR", Col(1), "ASC", "END"],
        [*shown, *grouped, "ORDER", "YEAR", Col(2), "ASC", "END"],
        [*shown, "GROUP", "YEAR", Col(1), "ORDER", "YEAR", Col(1), "ASC", "END"],
    ):
        assert years_in_order(kept) == kept


def test_the_year_with_the_most_rows_is_a_year() -> None:
    schema = Schema.of((Table("orders", (Column("id", "integer"), Column("paid", "date"))),))
    most: list[Token] = ["SELECT", "YEAR", Col(1), "GROUP", "YEAR", Col(1), "ORDER", "COUNT", Tab(0), "DESC", "LIMIT", Val(1), "END"]
    sql = to_sql(tuple(moments_known(most)), schema, "duckdb")
    assert sql == "SELECT YEAR(paid) FROM orders WHERE NOT paid IS NULL GROUP BY YEAR(paid) ORDER BY COUNT(*) DESC LIMIT 1"
    few: list[Token] = [*most[:3], "WHERE", Col(0), "GT", Val(7), *most[3:]]
    assert " WHERE id > 7 AND NOT paid IS NULL GROUP BY " in to_sql(tuple(moments_known(few)), schema, "duckdb")
    for kept in (
        [*most[:-3], "END"],
        [*most[:3], "WHERE", "YEAR", Col(1), "GT", Val(2010), *most[3:]],
        ["SELECT", Col(0), "GROUP", Col(0), *most[6:]],
    ):
        assert moments_known(kept) == kept
