"""The embedded parser at work on its shipped weights: always a query, the same one every time, and clear words when it cannot."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamlink_sql.errors import CannotAnswer, ModelUnavailable
from streamlink_sql.generators.parser.runtime import MOST_COLUMNS, WEIGHTS, ParserGenerator
from streamlink_sql.types import Attempt, Column, Context, Dialect, ForeignKey, Kind, Question, Table
from tests.tiny_parser import MATCHES, QUESTION, SYNONYMS, TABLES

FILES = ("encoder.onnx", "decoder.onnx", "words.npz", "tokenizer.json")
CONTEXT = Context("sqlite", TABLES, MATCHES, synonyms=SYNONYMS)

pytestmark = pytest.mark.skipif(not (WEIGHTS / FILES[0]).exists(), reason="the parser's weights are not in this checkout")


@pytest.fixture(scope="module")
def generator() -> ParserGenerator:
    return ParserGenerator()


def test_drafts_are_different_queries_best_first(generator: ParserGenerator) -> None:
    drafts = generator.generate(Question(QUESTION), CONTEXT, 5)
    assert 1 <= len(drafts) <= 5
    assert len({draft.sql for draft in drafts}) == len(drafts)
    assert [draft.score for draft in drafts] == sorted((draft.score for draft in drafts), reverse=True)
    assert all(0 <= draft.score <= 1 and draft.model == "parser" for draft in drafts)
    for draft in drafts:
        sqlglot.parse_one(draft.sql, read="sqlite")


def test_a_simple_question_gets_the_simple_query(generator: ParserGenerator) -> None:
    draft = generator.generate(Question("How many orders are there?"), CONTEXT, 1)[0]
    assert draft.sql == "SELECT COUNT(*) FROM orders"


def test_what_was_refused_is_not_drafted_again(generator: ParserGenerator) -> None:
    first = generator.generate(Question(QUESTION), CONTEXT, 1)[0]
    again = generator.generate(Question(QUESTION), CONTEXT, 5, refused=(Attempt(first.sql, "refused"),))
    assert first.sql not in {draft.sql for draft in again}


def test_the_same_question_gets_the_same_drafts(generator: ParserGenerator) -> None:
    one, two = (model.generate(Question(QUESTION), CONTEXT, 5) for model in (generator, ParserGenerator()))
    assert one == two


def test_threads_get_what_one_gets(generator: ParserGenerator) -> None:
    questions = [f"{start} {name}" for start in ("How many", "Show all", "Count the") for name in ("orders", "clients")]
    alone = [generator.generate(Question(text), CONTEXT, 2) for text in questions]
    fresh = ParserGenerator()
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda text: fresh.generate(Question(text), CONTEXT, 2), questions)) == alone


def test_it_works_again_after_it_was_closed(generator: ParserGenerator) -> None:
    before = generator.generate(Question("Show all clients"), CONTEXT, 1)
    generator.close()
    assert generator.generate(Question("Show all clients"), CONTEXT, 1) == before


names = st.text(min_size=1, max_size=10) | st.sampled_from(["id", "name", "select", "order", "a b", 'q"q', "Größe", "名前", "customer_id"])
kinds: st.SearchStrategy[Kind] = st.sampled_from(
    ("text", "integer", "real", "decimal", "boolean", "date", "timestamp", "time", "binary", "other")
)


@st.composite
def schemas(draw: st.DrawFn) -> tuple[Table, ...]:
    tables: list[Table] = []
    for name in draw(st.lists(names, min_size=1, max_size=4, unique_by=str.casefold)):
        found = draw(st.lists(names, min_size=1, max_size=5, unique_by=str.casefold))
        columns = tuple(Column(each, draw(kinds)) for each in found)
        refers = draw(st.sampled_from((None, tables[-1]))) if tables else None
        keys = (ForeignKey((columns[-1].name,), refers.name, (refers.columns[0].name,)),) if refers else ()
        tables.append(Table(name, columns, draw(st.sampled_from(((), (columns[0].name,)))), keys))
    return tuple(tables)


@given(schemas(), st.text(max_size=40) | st.just(QUESTION), st.sampled_from(["sqlite", "duckdb"]))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_any_schema_gets_queries_that_parse(generator: ParserGenerator, tables: tuple[Table, ...], text: str, dialect: Dialect) -> None:
    try:
        drafts = generator.generate(Question(text), Context(dialect, tables), 3)
    except CannotAnswer:
        return
    for draft in drafts:
        assert isinstance(sqlglot.parse_one(draft.sql, read=dialect), sqlglot.exp.Query)


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_a_question_without_words_is_refused(generator: ParserGenerator, text: str) -> None:
    with pytest.raises(CannotAnswer, match="no words"):
        generator.generate(Question(text), CONTEXT, 1)


@pytest.mark.parametrize(
    "text", ["?", "\u200b", "x" * 10_000, "so " * 3_000, "\x00\x01\ufffd", "'; DROP TABLE clients; --", "名前 は 何 ですか"]
)
def test_strange_questions_break_nothing(generator: ParserGenerator, text: str) -> None:
    for draft in generator.generate(Question(text), CONTEXT, 1):
        assert isinstance(sqlglot.parse_one(draft.sql, read="sqlite"), sqlglot.exp.Query)


@pytest.mark.parametrize(
    "tables", [(), (Table("empty", ()),), (Table("wide", tuple(Column(f"c{n}", "text") for n in range(MOST_COLUMNS + 1))),)]
)
def test_no_columns_or_too_many_are_said(generator: ParserGenerator, tables: tuple[Table, ...]) -> None:
    with pytest.raises(CannotAnswer, match="columns"):
        generator.generate(Question("Show everything"), Context("sqlite", tables), 1)


def test_a_schema_wider_than_the_input_is_answered(generator: ParserGenerator) -> None:
    tables = tuple(Table(f"table{t}", tuple(Column(f"a_long_name_{t}_{c}", "text") for c in range(40))) for t in range(6))
    assert generator.generate(Question("How many table0 are there?"), Context("sqlite", tables), 1)


# Weights that are not there, or not right


def test_without_weights_it_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=str(tmp_path)):
        ParserGenerator(weights=tmp_path)


def broken(folder: Path, name: str, content: bytes | None) -> ParserGenerator:
    """The shipped weights with one file of other content, or without it."""
    for other in WEIGHTS.iterdir():
        if other.name != name:
            (folder / other.name).symlink_to(other)
    if content is not None:
        (folder / name).write_bytes(content)
    return ParserGenerator(weights=folder)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["empty", "noise", "cut"])
def test_damaged_weights_are_named(tmp_path: Path, name: str, damage: str) -> None:
    whole = (WEIGHTS / name).read_bytes()
    content = {"empty": b"", "noise": b"\x93\x00no weights" * 50, "cut": whole[: len(whole) // 2]}[damage]
    generator = broken(tmp_path, name, content)
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        generator.generate(Question("Show all clients"), CONTEXT, 1)


@pytest.mark.parametrize("name", FILES[1:])
def test_missing_weights_are_named(tmp_path: Path, name: str) -> None:
    generator = broken(tmp_path, name, None)
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        generator.generate(Question("Show all clients"), CONTEXT, 1)


def test_weights_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    generator = broken(tmp_path, "decoder.onnx", None)
    shutil.copyfile(WEIGHTS / "encoder.onnx", tmp_path / "decoder.onnx")
    with pytest.raises(ModelUnavailable):
        generator.generate(Question("Show all clients"), CONTEXT, 1)
