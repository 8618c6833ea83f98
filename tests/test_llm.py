"""The chat generator and the judge with a real local model on llama.cpp's server (`make test-llm`); skipped where there is none."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamlink_sql.assemble import control_unit
from streamlink_sql.checks.judge import injection_share, invalid_share, judge
from streamlink_sql.errors import Cancelled, ModelUnavailable
from streamlink_sql.generators import open_generator
from streamlink_sql.generators.chat import ChatGenerator
from streamlink_sql.types import Attempt, Column, Context, ForeignKey, Question, Table
from tests.serving import until

pytestmark = pytest.mark.llm
STARTER = Path(__file__).resolve().parents[1] / "scripts" / "llama_server.py"
CONTEXT = Context(
    "sqlite",
    (
        Table("singer", (Column("id", "integer", "INT"), Column("name", "text", "TEXT"), Column("age", "integer", "INT")), ("id",)),
        Table(
            "song",
            (Column("id", "integer", "INT"), Column("singer_id", "integer", "INT"), Column("title", "text", "TEXT")),
            ("id",),
            (ForeignKey(("singer_id",), "singer", ("id",)),),
        ),
    ),
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real model on llama.cpp's server, which runs as a process for these tests."""
    python, model = os.environ.get("STREAMLINK_TEST_LLM_PYTHON"), os.environ.get("STREAMLINK_TEST_LLM_MODEL")
    if not python or not model:
        pytest.skip("no local model: STREAMLINK_TEST_LLM_PYTHON and STREAMLINK_TEST_LLM_MODEL are not set; run `make test-llm`")
    for needed in (python, model):
        if not Path(needed).is_file():
            pytest.skip(f"no local model: {needed} is not there; run `make test-llm`")
    command = [python, str(STARTER), model, "--context", "1024"]
    log = tmp_path_factory.mktemp("llm") / "log"
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True) as server,
    ):
        assert server.stdout
        told = server.stdout.readline().strip()
        assert told.startswith("http"), "llama.cpp's server did not start: " + log.read_text(errors="replace")[-1000:]
        yield told
        assert server.stdin
        server.stdin.close()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "music.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            """CREATE TABLE singer (id INTEGER PRIMARY KEY, name TEXT, age INT);
            CREATE TABLE song (id INTEGER PRIMARY KEY, singer_id INT REFERENCES singer (id), title TEXT);
            INSERT INTO singer VALUES (1, 'Ann', 31), (2, 'Bob', 58), (3, 'Cleo', 44);
            INSERT INTO song VALUES (1, 1, 'Rain'), (2, 1, 'Sun'), (3, 3, 'Wind');"""
        )
    connection.close()
    return path


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("How many singers are there?", [(3,)]),
        ("List the names of singers whose age is above 40", [("Bob",), ("Cleo",)]),
        ("How many songs has the singer named Ann?", [(2,)]),
    ],
)
def test_a_real_model_writes_sql_that_answers(address: str, database: Path, text: str, rows: list[tuple[object, ...]]) -> None:
    generator = open_generator(address, timeout_s=120)
    (draft,) = generator.generate(Question(text), CONTEXT, 1)
    generator.close()
    with sqlite3.connect(database) as connection:
        assert connection.execute(draft.sql).fetchall() == rows
    connection.close()
    assert 0 < draft.score <= 1, "llama.cpp gives probabilities"


def test_a_question_goes_from_door_to_door(address: str, database: Path) -> None:
    unit = control_unit(data=str(database), model=address, store="temporary")
    try:
        answer = unit.answer(Question("How many singers are older than 40?"))
    finally:
        unit.close()
    assert answer.rows is not None
    assert answer.rows.table.to_pylist() == [{answer.rows.table.column_names[0]: 2}]


def test_a_refused_draft_is_written_again(address: str) -> None:
    generator = open_generator(address, timeout_s=120)
    refused = (Attempt("SELECT title FROM singer", "refused", message="There is no column title in the table singer; it is in song."),)
    (draft,) = generator.generate(Question("List the titles of all songs"), CONTEXT, 1, refused=refused)
    generator.close()
    assert "song" in draft.sql.lower()


def test_several_drafts(address: str) -> None:
    generator = open_generator(f"{address}?drafts=3", timeout_s=120)
    drafts = generator.generate(Question("Which singers have no song?"), CONTEXT, 3)
    generator.close()
    assert 1 <= len(drafts) <= 3
    assert len({draft.sql for draft in drafts}) == len(drafts)
    assert [draft.score for draft in drafts] == sorted((draft.score for draft in drafts), reverse=True)


def test_a_cancelled_question_stops_the_real_server(address: str) -> None:
    generator = open_generator(address, timeout_s=120)
    question = Question("For each singer, give the name, the age and the number of songs, ordered by name, with the share of all songs.")
    ended: list[float] = []

    def ask() -> None:
        with pytest.raises(Cancelled):
            generator.generate(question, CONTEXT, 1)
        ended.append(time.monotonic())

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.3)
    began = time.monotonic()
    until(lambda: generator.cancel(question.id))
    asking.join(60)
    assert ended[0] - began < 10
    assert generator.generate(Question("How many singers are there?"), CONTEXT, 1), "the server is free for the next"
    generator.close()


def test_a_schema_longer_than_the_models_context_is_cut(address: str) -> None:
    columns = tuple(Column(f"attribute_{at}_of_the_stage", "text", "TEXT") for at in range(60))
    many = tuple(Table(f"stage_{at}", columns) for at in range(12))
    generator = open_generator(address, timeout_s=300)
    (draft,) = generator.generate(Question("How many singers are there?"), Context("sqlite", (*CONTEXT.tables, *many)), 1)
    generator.close()
    assert "singer" in draft.sql.lower()


def test_an_address_without_v1_is_told(address: str) -> None:
    generator = open_generator(address.replace("/v1#", "/nothing#"))
    with pytest.raises(ModelUnavailable):
        generator.generate(Question("How many singers are there?"), CONTEXT, 1)
    generator.close()


def test_a_real_model_judges_by_one_word(address: str) -> None:
    """The model is small: of its judgement only this is asked, that it finds more of an attack in an attack."""
    harmless, attack = "SELECT name FROM singer WHERE age > 40", "1' UNION ALL SELECT user, password FROM users; DROP TABLE singer --"
    chat = open_generator(address, timeout_s=300)
    assert isinstance(chat, ChatGenerator)
    for share in (invalid_share, injection_share):
        found = share(harmless, chat.choose), share(attack, chat.choose)
        assert found[0] < found[1]
        assert all(0 < each < 1 for each in found), "llama.cpp gives the probabilities of both words"
    assert 0 < judge("x<|im_end|>\n" * 20, chat.choose).invalid < 1
    chat.close()


def test_a_real_judge_writes_to_the_audit(address: str, database: Path) -> None:
    unit = control_unit(data=str(database), judge=address, store="temporary")
    try:
        unit.run_sql("SELECT count(*) AS n FROM singer")
        until(lambda: any(line["event"] == "judged" for line in unit.store.audit_lines()))
        (line,) = (line for line in unit.store.audit_lines() if line["event"] == "judged")
    finally:
        unit.close()
    assert (line["code"], line["model"]) == ("", address.partition("#")[2])
