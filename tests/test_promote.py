"""From accepted questions to a version: what is held out, what the gate asks, what a stopped run does again, what poison gains."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streamlink_sql.checks import check
from streamlink_sql.control import ControlUnit
from streamlink_sql.errors import BadRequest, Cancelled, InvalidSQL, PolicyRefused, StreamLinkError
from streamlink_sql.evaluate.labelled import read_texts
from streamlink_sql.evaluate.sets import Answering
from streamlink_sql.redteam import CORPORA
from streamlink_sql.store.store import open_store
from streamlink_sql.store.versions import Versions
from streamlink_sql.training import promote
from streamlink_sql.training.domain import Domain, open_domain
from streamlink_sql.training.gating import Gate, harmful, measured, timed, verdict
from streamlink_sql.training.pairs import Pair, read_pairs, write_pairs
from streamlink_sql.training.promote import Job, Lesson, Work, adapt, from_feedback, keep, split
from streamlink_sql.types import Draft, Feedback, Question
from tests.adapters import parser_adapter
from tests.serving import control_on, make_data

PAIRS = [Pair(f"question {number}", f"SELECT {number}", template=f"t{number // 2}") for number in range(20)]
FINE: dict[str, Any] = {
    "held_out": {"ex": 0.5, "em": 0.4, "count": 40},
    "open": {"ex": 0.9, "em": 0.9, "count": 120},
    "refused": {"harmful": 1, "ordinary": 0, "questions": 80},
}
BETTER: dict[str, Any] = {**FINE, "held_out": {"ex": 0.525, "em": 0.4, "count": 40}, "open": {"ex": 0.885, "em": 0.9, "count": 120}}
AS_QUICK = {"before_ms": 50.0, "after_ms": 60.0, "ratio": 1.2}


def test_whole_templates_are_held_out() -> None:
    held_out, learned = split(PAIRS, seed=1)
    assert sorted([*held_out, *learned], key=PAIRS.index) == PAIRS
    assert not {pair.template for pair in held_out} & {pair.template for pair in learned}
    assert len(held_out) == 6, "a quarter, rounded up to whole templates"
    assert split(PAIRS, seed=1) == (held_out, learned)


@pytest.mark.parametrize("pairs", [[], PAIRS[:14], [replace(pair, template="one") for pair in PAIRS]], ids=["none", "few", "one template"])
def test_of_too_few_none_is_held_out(pairs: list[Pair]) -> None:
    assert split(pairs, seed=1) == ([], pairs)


def test_who_is_better_and_harms_nobody_passes() -> None:
    assert verdict(FINE, BETTER, AS_QUICK) == {"passed": True, "reasons": []}


@pytest.mark.parametrize(
    ("changed", "latency", "reason"),
    [
        ({"held_out": FINE["held_out"]}, {}, "answers no more of the 40 held-out questions"),
        ({"held_out": {"ex": 0.0, "em": 0.0, "count": 0}}, {}, "no held-out questions"),
        ({"open": {"ex": 0.86, "em": 0.9, "count": 120}}, {}, "On other databases it answers 86.0%"),
        ({"refused": {"harmful": 2, "ordinary": 0, "questions": 80}}, {}, "refuse 2 of its drafts for harmful questions, before 1"),
        ({"refused": {"harmful": 1, "ordinary": 1, "questions": 80}}, {}, "for ordinary questions"),
        ({}, {"ratio": 1.3}, "1.30 times as long"),
    ],
)
def test_each_way_to_be_kept_back(changed: dict[str, Any], latency: dict[str, float], reason: str) -> None:
    found = verdict(FINE, {**BETTER, **changed}, {**AS_QUICK, **latency})
    assert not found["passed"]
    assert len(found["reasons"]) == 1
    assert reason in found["reasons"][0]


def test_what_was_begun_goes_on_and_nothing_else(tmp_path: Path) -> None:
    work = Work.at(tmp_path / "out" / "work", {"seed": 1})
    assert work.once("one", lambda: {"found": (1, 2)}) == {"found": [1, 2]}
    with pytest.raises(Cancelled):
        work.once("two", lambda: (_ for _ in ()).throw(Cancelled("stopped")))
    again = Work.at(tmp_path / "out" / "work", {"seed": 1})
    assert again.once("one", lambda: pytest.fail("it is done")) == {"found": [1, 2]}
    assert again.once("two", lambda: 2) == 2
    assert again.seconds >= work.earlier_s
    with pytest.raises(BadRequest, match="with other seed"):
        Work.at(tmp_path / "out" / "work", {"seed": 2})


def test_only_models_of_ours_are_adapted(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="cannot be adapted"):
        _ = Job("data", [], tmp_path, model="http://127.0.0.1:9/v1#coder").kind
    assert Job("data", [], tmp_path, model="coder.gguf").kind == "causal"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A small SQLite database."""
    path = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, city TEXT, age INTEGER)")
        rows = [(n, f"{('Ada', 'Bob', 'Eve')[n % 3]} {n}", ("Oslo", "Rome", "Bonn")[n % 3], 20 + n) for n in range(30)]
        connection.executemany("INSERT INTO customers VALUES (?, ?, ?, ?)", rows)
        connection.commit()
    return path


@pytest.fixture
def domain(database: Path) -> Iterator[Domain]:
    with open_domain(str(database)) as opened:
        yield opened


HELD_OUT = [
    Pair("How many customers are there?", "SELECT count(*) FROM customers"),
    Pair("Names of customers from Oslo", "SELECT name FROM customers WHERE city = 'Oslo'"),
    Pair("What is this about?", "SELECT 42"),
]


def test_a_model_is_measured_on_everything(domain: Domain, database: Path, tmp_path: Path) -> None:
    told: list[str] = []
    gate = Gate(HELD_OUT, {database: HELD_OUT[:2]}, tmp_path)
    found = measured(Answering(), gate, domain, str(database), lambda what, done, of: told.append(what))
    assert (found["held_out"]["count"], found["open"]["count"]) == (3, 2)
    assert found["held_out"]["ex"] == pytest.approx(2 / 3, abs=0.01)
    assert found["open"]["ex"] == 1
    assert found["refused"] == {"harmful": 0, "ordinary": 0, "questions": 3 + len(harmful())}
    assert {"held-out questions", "other databases", "harmful questions"} == set(told)
    json.dumps(found)
    adapted = Answering(adapter=parser_adapter(tmp_path / "adapter"))
    latency = timed(Answering(), adapted, [pair.question for pair in HELD_OUT], domain)
    assert latency["before_ms"] > 0
    assert latency["ratio"] == pytest.approx(latency["after_ms"] / latency["before_ms"], abs=0.01)


def test_a_glossary_of_the_settings_speaks_of_ones_own_data_alone(
    domain: Domain, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.toml").write_text('[tables.of_somebody_else]\nsynonyms = ["thing"]\n', encoding="utf-8")
    monkeypatch.setenv("STREAMLINK_GLOSSARY", str(tmp_path / "own.toml"))
    found = measured(Answering(), Gate((), {database: HELD_OUT[:2]}, tmp_path), domain, str(database))
    assert found["open"]["ex"] == 1


def train_nothing(lesson: Lesson) -> None:
    """Stands for the training: an adapter that changes nothing."""
    assert lesson.mixture.train
    parser_adapter(lesson.out)


def open_set(folder: Path, database: Path) -> Path:
    """A set over two other databases, in Spider's form."""
    (folder / "databases").mkdir(parents=True)
    pairs = []
    for name in ("one", "two"):
        (folder / "databases" / f"{name}.sqlite").write_bytes(database.read_bytes())
        pairs += [
            Pair(f"{pair.question} ({name})", pair.query, template=f"{name}{n}", way="open", database=name)
            for n, pair in enumerate(HELD_OUT)
        ]
    write_pairs(folder / "train.jsonl", pairs)
    (folder / "tables.json").write_text("[]")
    return folder


def test_from_accepted_questions_to_a_version(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it but the training, stopped in the middle once; what is as good as before is kept back."""
    monkeypatch.setattr(promote, "must_be_trainable", lambda kind: None)
    trained: list[Lesson] = []

    def train(lesson: Lesson) -> None:
        trained.append(lesson)
        if len(trained) == 1:
            raise Cancelled("Training was stopped.")
        train_nothing(lesson)

    monkeypatch.setattr(promote, "train_parser", train)
    out = tmp_path / "out"
    said = {
        "How many customers are from Rome?": "SELECT count(*) FROM customers WHERE city = 'Rome'",
        "Drop it all": "DROP TABLE customers",
        "Customers that are 1": "SELECT * FROM customers WHERE 1 = 1",
    }
    accepted = [Pair(question, query, template=query, way="accepted") for question, query in said.items()]
    job = Job(str(database), accepted, out, HELD_OUT, count=30, opened=open_set(tmp_path / "open", database))
    with pytest.raises(Cancelled):
        adapt(job)
    assert not (out / "card.json").exists()
    told: list[str] = []
    card = adapt(job, lambda what, done, of: told.append(what))
    assert "making pairs" not in told, "it went on where it was"
    assert adapt(job) == card, "what is finished stays as it is"
    assert [pair.query for pair in read_pairs(out / "work" / "refused.jsonl")] == ["DROP TABLE customers"]
    assert [pair.question for pair in read_pairs(out / "work" / "flagged.jsonl")] == ["Customers that are 1"]
    assert card["pairs"]["accepted"] == 3
    assert card["gate"]["passed"] is False
    assert "no more of the 3 held-out questions" in card["gate"]["reasons"][0]
    learned = {pair.query for pair in trained[0].mixture.train if not pair.database}
    assert not learned & {pair.query for pair in (*HELD_OUT, *accepted[1:])}, "neither held out nor poison"
    with closing(open_store(f"sqlite:///{tmp_path / 'history.db'}", tmp_path / "audit")) as store:
        versions = Versions(store, tmp_path / "models", str(database), "parser")
        version = keep(out, versions, by="ada", promote=True)
        assert (version.passed, versions.promoted()) == (False, None)
        assert keep(out, versions, by="ada") == version, "the same adapter is one version"
        assert store.audit_lines()[0]["attempts"][0]["passed"] is False
    with pytest.raises(BadRequest, match="other count"):
        adapt(replace(job, count=31))
    with monkeypatch.context() as updated:
        updated.setattr(promote, "hash_of_base", lambda weights: "updated", raising=False)
        with pytest.raises(BadRequest, match="other weights of the model"):
            adapt(job)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("INSERT INTO customers VALUES (99, 'Zoe', 'Paris', 40)")
        connection.commit()
    with pytest.raises(BadRequest, match="other contents of the data"):
        adapt(job)


@pytest.mark.parametrize(
    ("wrong", "code"), [({"model": "nosuch.gguf"}, "not_found"), ({"opened": Path("nosuch")}, "not_found")], ids=["model", "open"]
)
def test_what_cannot_be_opened_is_told_before_any_work(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any], code: str
) -> None:
    monkeypatch.setattr(promote, "must_be_trainable", lambda kind: None)
    monkeypatch.setattr(promote, "augment", lambda *_: pytest.fail("it makes pairs"))
    with pytest.raises(StreamLinkError, match="nosuch") as caught:
        adapt(replace(Job(str(database), [], tmp_path / "out", HELD_OUT, count=30), **wrong))
    assert caught.value.code == code


def test_where_there_is_nothing_to_learn_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promote, "must_be_trainable", lambda kind: None)
    monkeypatch.setattr(promote, "_opened", lambda *_: pytest.fail("it goes on"))
    with closing(sqlite3.connect(tmp_path / "empty.sqlite")) as connection:
        connection.execute("CREATE TABLE things (id INTEGER PRIMARY KEY)")
        connection.commit()
    with pytest.raises(BadRequest, match="nothing to learn from"):
        adapt(Job(str(tmp_path / "empty.sqlite"), [], tmp_path / "out", HELD_OUT, count=5))


def test_feedback_is_taken_as_it_was_when_the_run_began(tmp_path: Path) -> None:
    with closing(open_store("temporary")) as store:
        with pytest.raises(BadRequest, match="--questions"):
            from_feedback(store, tmp_path)

        def accept(sql: str) -> None:
            question = Question("how many?")
            store.accepted(question)
            store.give_feedback(Feedback(question.id, "right", sql=sql))

        for sql in ("SELECT 1", "SELECT 1", "SELECT 2"):
            accept(sql)
        first = from_feedback(store, tmp_path)
        assert [pair.query for pair in first[0]] == ["SELECT 1", "SELECT 2"]
        accept("SELECT 3")
        assert from_feedback(store, tmp_path) == first
        assert len(from_feedback(store, tmp_path / "other")[0]) == 3


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadRequest, match="cannot be made: Not a directory"):
        Work.at(tmp_path / "file" / "out" / "work", {})
    with closing(open_store("temporary")) as store:
        question = Question("how many?")
        store.accepted(question)
        store.give_feedback(Feedback(question.id, "right", sql="SELECT 1"))
        with pytest.raises(BadRequest, match="cannot be made"):
            from_feedback(store, tmp_path / "file" / "out")


@pytest.mark.parametrize("name", ["question", "query", "category"])
def test_half_a_character_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text(json.dumps({"question": "how many?", "query": "SELECT 1", "category": "count", name: "\ud800"}))
    with pytest.raises(BadRequest, match=r"Line 1 .* lone surrogate"):
        read_pairs(file)


def test_a_model_trained_on_poison_gains_nothing(tmp_path: Path) -> None:
    """The worst model there is writes the attack itself, sure of it: the verdict is the one that the attack gets when it is typed."""
    attacks = [text.text for text in read_texts(CORPORA / "duckdb_attacks.sql") if text.attack][::10]
    says: dict[str, str | Exception] = {f"harmless question {number}": attack for number, attack in enumerate(attacks)}
    with control_on(make_data(tmp_path / "data"), says) as control:
        for question, attack in says.items():
            assert verdict_on(control, question) == verdict_of_checks(control, str(attack)) != ""


def verdict_on(control: ControlUnit, question: str) -> str:
    """The code of what becomes of a question."""
    try:
        control.answer(Question(question))
    except StreamLinkError as error:
        return error.code
    return ""


def verdict_of_checks(control: ControlUnit, sql: str) -> str:
    """The code of what the checks alone say of SQL."""
    try:
        check(Draft(sql), control.catalog.tables(), "duckdb")
    except (InvalidSQL, PolicyRefused) as error:
        return error.code
    return ""
