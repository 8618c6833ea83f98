"""Versions of an adapted model: kept, promoted, rolled back, put in place while questions are under way."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from streamlink_sql.catalog import Catalog
from streamlink_sql.client import Client
from streamlink_sql.control import ControlUnit
from streamlink_sql.engines import open_embedded
from streamlink_sql.errors import BadRequest, ModelUnavailable, NotFound
from streamlink_sql.generators.shelf import Shelf
from streamlink_sql.promoted import PromotedGenerator
from streamlink_sql.store.store import Store, open_store
from streamlink_sql.store.versions import Promotion, Versions, fingerprint
from streamlink_sql.types import Attempt, Context, Draft, Feedback, Generator, Question
from tests.serving import Scripted, make_data, serving, until

ASKED = "how many sales?"
PLAIN_SAYS, THREE_SAYS, FOUR_SAYS = ("SELECT count(*) AS n FROM sales", "SELECT 3 AS n", "SELECT 4 AS n")


@pytest.fixture
def store(store_url: str, tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(store_url, tmp_path / "audit")) as opened:
        yield opened


@pytest.fixture
def versions(store: Store, tmp_path: Path) -> Versions:
    return Versions(store, tmp_path / "models", "/data/sales", "parser")


def adapter(place: Path, sql: str, *, passed: bool = True) -> Path:
    """A folder such as `adapt` writes; the scripted model reads its SQL in the place of weights."""
    (place / "work").mkdir(parents=True)
    (place / "work" / "checkpoint").write_text("not of the adapter")
    (place / "adapter.npz").write_text(json.dumps({ASKED: sql}))
    gate = {"passed": passed, "reasons": [] if passed else ["It gains nothing."]}
    card = {"base": "parser", "kind": "parser", "scores": {"before": {"ex": 0.5}, "after": {"ex": 0.7, "count": 10}}, "gate": gate}
    (place / "card.json").write_text(json.dumps(card))
    return place


def opened(folder: Path | None) -> Scripted:
    """The scripted model as it is, or with an adapter."""
    return Scripted({ASKED: PLAIN_SAYS} if folder is None else json.loads((folder / "adapter.npz").read_text()))


def test_a_version_is_kept_whole_and_without_its_work(versions: Versions, tmp_path: Path) -> None:
    made = adapter(tmp_path / "out", THREE_SAYS)
    version = versions.add(made, passed=True, by="ada")
    assert versions.all() == [version]
    place = versions.place(version.name)
    assert sorted(file.name for file in place.iterdir()) == ["adapter.npz", "card.json"]
    assert fingerprint(place) == fingerprint(made) == version.name
    assert [file.name for file in versions.folder.iterdir()] == [version.name]
    assert versions.add(made, passed=True, by="ada").name == version.name, "the same files lie there once"


def test_what_is_not_of_an_adapter_stays_where_it_is(versions: Versions, tmp_path: Path) -> None:
    made = adapter(tmp_path / "out", THREE_SAYS)
    before = fingerprint(made)
    (made / "secret.sqlite").write_text("nobody's business")
    version = versions.add(made, passed=True, by="ada")
    assert version.name == before
    assert sorted(file.name for file in versions.place(before).iterdir()) == ["adapter.npz", "card.json"]
    (versions.folder / before / "more.txt").touch()
    with pytest.raises(BadRequest, match="they were changed"):
        versions.place(before)
    (made / "adapter.npz").unlink()
    with pytest.raises(BadRequest, match="no weights"):
        versions.add(made, passed=True, by="ada")


def test_promotions_are_taken_back_one_by_one(versions: Versions, store: Store, tmp_path: Path) -> None:
    first, second = (versions.add(adapter(tmp_path / sql, sql), passed=True, by="ada") for sql in (THREE_SAYS, FOUR_SAYS))
    assert versions.promoted() is None
    for number in (first.number, second.number):
        versions.promote(number, by="ada")
    assert versions.promoted() == second
    assert versions.roll_back(by="bob") == first == versions.promoted()
    versions.promote(second.number, by="ada")
    assert versions.roll_back(by="bob") == first
    assert versions.roll_back(by="bob") is None
    assert versions.promoted() is None
    with pytest.raises(BadRequest, match="No version is promoted"):
        versions.roll_back(by="bob")
    told = [(line["event"], line["asker"], line["attempts"][0].get("version")) for line in store.audit_lines()]
    made, rolled = [("version made", "ada", None)] * 2, ("version rolled back", "bob")
    assert told[:2] == made
    assert told[2:5] == [*(("version promoted", "ada", each.number) for each in (first, second)), (*rolled, first.number)]
    assert told[5:] == [("version promoted", "ada", second.number), (*rolled, first.number), (*rolled, None)]
    assert store.verify()[2] == []


def test_a_promotion_is_taken_back_once(versions: Versions, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = versions.add(adapter(tmp_path / "out", THREE_SAYS), passed=True, by="ada").number
    versions.promote(number, by="ada")
    read, both = Versions.promotions, threading.Barrier(2, timeout=20)

    def together(self: Versions) -> list[Promotion]:
        told = read(self)
        both.wait()
        return told

    def roll_back(which: Versions) -> str:
        try:
            return str(which.roll_back(by="bob"))
        except BadRequest as error:
            return error.detail

    with closing(open_store(store_url, tmp_path / "audit")) as same, monkeypatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr(Versions, "promotions", together)
        there = Versions(same, versions.folder, versions.source, versions.model)
        told = sorted(pool.map(roll_back, (versions, there)))
    assert told[0] == "None"
    assert told[1].startswith("Somebody changed which version answers")
    assert [each.event for each in versions.promotions()] == ["promoted", "rolled back"]
    versions.promote(number, by="ada")
    assert versions.roll_back(by="bob") is None


def test_what_cannot_be_promoted(versions: Versions, store: Store, tmp_path: Path) -> None:
    kept = versions.add(adapter(tmp_path / "kept", THREE_SAYS, passed=False), passed=False, by="ada")
    good = versions.add(adapter(tmp_path / "good", FOUR_SAYS), passed=True, by="ada")
    with pytest.raises(BadRequest, match=r"kept back by the gate\. It gains nothing\."):
        versions.promote(kept.number, by="ada")
    for number in (99, 0, -1, 2**31, 2**63, 10**23, -(10**23)):
        with pytest.raises(NotFound, match=f"no version {number} "):
            versions.promote(number, by="ada")
    versions.promote(good.number, by="ada")
    with pytest.raises(BadRequest, match="answers already"):
        versions.promote(good.number, by="ada")
    versions.promote(kept.number, by="ada", anyway=True)
    assert versions.promoted() == kept
    told = [line["attempts"][0] for line in store.audit_lines() if line["event"] == "version promoted"]
    assert [(each["version"], each["passed"], each["anyway"]) for each in told] == [(good.number, True, False), (kept.number, False, True)]


def test_files_that_were_changed_are_not_used(versions: Versions, tmp_path: Path) -> None:
    version = versions.add(adapter(tmp_path / "out", THREE_SAYS), passed=True, by="ada")
    (versions.folder / version.name / "adapter.npz").write_text("{}")
    with pytest.raises(BadRequest, match="they were changed"):
        versions.promote(version.number, by="ada")
    for name in ("0" * 32, "../../etc", ""):
        with pytest.raises(NotFound, match="models_dir"):
            versions.place(name)


@pytest.mark.parametrize(
    ("card", "named"),
    [
        ({"gate": None}, "gate"),
        ({"gate": []}, "gate"),
        ({"scores": None}, "scores"),
        ({"scores": {"open": 1}}, "open"),
        ({"gate": {"reasons": 5}}, "reasons"),
        ({"gate": {"reasons": [5]}}, "reasons"),
    ],
)
def test_a_card_with_parts_of_another_form_is_refused(versions: Versions, tmp_path: Path, card: dict[str, object], named: str) -> None:
    made = adapter(tmp_path / "out", THREE_SAYS)
    (made / "card.json").write_text(json.dumps({"kind": "parser", **card}))
    with pytest.raises(BadRequest, match=rf"card\.json: `{named}`"):
        versions.add(made, passed=True, by="ada")
    assert versions.all() == []


@pytest.mark.parametrize("card", [None, "[]", "{", "\xff"])
def test_a_folder_without_a_card_is_no_adapter(versions: Versions, tmp_path: Path, card: str | None) -> None:
    if card is not None:
        (tmp_path / "card.json").write_bytes(card.encode("latin-1"))
    with pytest.raises((BadRequest, NotFound), match=r"card\.json"):
        versions.add(tmp_path, passed=True, by="ada")


def test_versions_belong_to_a_source_and_a_model(versions: Versions, store: Store, tmp_path: Path) -> None:
    version = versions.add(adapter(tmp_path / "out", THREE_SAYS), passed=True, by="ada")
    versions.promote(version.number, by="ada")
    for source, model in (("/data/other", "parser"), ("/data/sales", "/models/other.gguf")):
        other = Versions(store, versions.folder, source, model)
        assert (other.all(), other.promoted()) == ([], None)
        with pytest.raises(NotFound):
            other.promote(version.number, by="ada")
    behind_a_worker = Versions(store, versions.folder, "/data/sales", None)
    assert behind_a_worker.promoted() == version


def test_behind_a_worker_and_by_name_the_same_versions_answer(versions: Versions, store: Store, tmp_path: Path) -> None:
    gguf, worker = (Versions(store, versions.folder, "/data/sales", model) for model in ("/models/other.gguf", None))
    one = versions.add(adapter(tmp_path / "one", THREE_SAYS), passed=True, by="ada")
    two = gguf.add(adapter(tmp_path / "two", FOUR_SAYS), passed=True, by="ada")
    worker.promote(one.number, by="ada")
    assert (versions.promoted(), gguf.promoted(), worker.promoted()) == (one, None, one)
    worker.promote(two.number, by="ada")
    assert (versions.promoted(), gguf.promoted(), worker.promoted()) == (one, two, two)
    assert worker.roll_back(by="ada") == one
    assert (versions.promoted(), gguf.promoted(), worker.promoted()) == (one, None, one)
    gguf.promote(two.number, by="ada")
    assert versions.roll_back(by="ada") is None
    assert (versions.promoted(), gguf.promoted(), worker.promoted()) == (None, two, two)
    assert worker.roll_back(by="ada") is None
    assert (versions.promoted(), gguf.promoted(), worker.promoted()) == (None, None, None)
    told = [line["attempts"][0]["model"] for line in store.audit_lines() if line["event"] in ("version promoted", "version rolled back")]
    assert told == [one.model, two.model, two.model, two.model, one.model, two.model]


def test_accepted_questions_wait_until_a_version_knows_them(versions: Versions, store: Store, tmp_path: Path) -> None:
    def accept(text: str) -> None:
        question = Question(text)
        store.accepted(question)
        store.give_feedback(Feedback(question.id, "right", sql="SELECT 1"))

    assert versions.waiting() == 0
    accept("one")
    accept("two")
    assert versions.waiting() == 2
    versions.add(adapter(tmp_path / "out", THREE_SAYS), passed=True, by="ada", feedback=store.newest_feedback())
    assert versions.waiting() == 0
    accept("three")
    assert versions.waiting() == 1


class Slow(Scripted):
    """Writes until it is told to go on."""

    def __init__(self, sql: str) -> None:
        super().__init__({ASKED: sql})
        self.begun, self.go_on, self.closed = threading.Event(), threading.Event(), False

    def generate(self, question: Question, context: Context, n: int, *, refused: tuple[Attempt, ...] = ()) -> list[Draft]:
        """What it was told to, after a while."""
        self.begun.set()
        assert self.go_on.wait(60)
        assert not self.closed, "it was closed under a question"
        return super().generate(question, context, n, refused=refused)

    def close(self) -> None:
        """Notes it."""
        self.closed = True


def test_what_gives_way_is_closed_when_nobody_uses_it_any_more() -> None:
    made: dict[str, Slow] = {}

    def open_(name: str) -> Generator:
        return made.setdefault(name, Slow(PLAIN_SAYS))

    shelf, context = Shelf(open_, most=1), Context("duckdb", ())

    def write(name: str) -> list[Draft]:
        with shelf.lent(lambda: name) as generator:
            return generator.generate(Question(ASKED), context, 1)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write, "old")
        until(lambda: "old" in made and made["old"].begun.is_set())
        with shelf.lent(lambda: "new"):
            assert not made["old"].closed
        made["old"].go_on.set()
        assert writing.result(60)[0].sql == PLAIN_SAYS
    assert {name: slow.closed for name, slow in made.items()} == {"old": True, "new": False}
    shelf.close()
    assert {name: slow.closed for name, slow in made.items()} == {"old": True, "new": True}


@contextmanager
def control_with(versions: Versions, store: Store, data: Path) -> Iterator[ControlUnit]:
    """A control unit on real parts whose model has versions."""
    engine, generator = open_embedded(str(data)), PromotedGenerator(versions, opened)
    control = ControlUnit(Catalog(engine), generator, engine, store, promoted=generator)
    try:
        yield control
    finally:
        generator.close()
        engine.close()


def test_no_question_fails_while_versions_change(versions: Versions, store: Store, tmp_path: Path) -> None:
    numbers = [versions.add(adapter(tmp_path / sql, sql), passed=True, by="ada").number for sql in (THREE_SAYS, FOUR_SAYS)]
    by_model = {"scripted-1": 200, f"scripted-1 v{numbers[0]}": 3, f"scripted-1 v{numbers[1]}": 4}
    with control_with(versions, store, make_data(tmp_path / "data")) as control, serving(control) as address:
        over, answers = threading.Event(), list[tuple[str, int]]()

        def ask_on() -> None:
            while not over.is_set():
                said = httpx.post(f"{address}/v1/ask", json={"question": ASKED}, timeout=60)
                assert said.status_code == 200, said.text
                answers.append((said.json()["model"], said.json()["rows"][0][0]))

        said = httpx.post(f"{address}/v1/models/promote", json={"version": 10**23}, timeout=60)
        assert (said.status_code, said.json()["code"]) == (400, "bad_request")
        with ThreadPoolExecutor(3) as pool, Client(address) as client:
            asking = [pool.submit(ask_on) for _ in range(3)]
            try:
                for number in (numbers[0], numbers[1], None, None):
                    begun = time.monotonic()
                    body = client.promote(number) if number else client.roll_back()
                    until(lambda: client.models()["serving"] == client.models()["promoted"], 10)
                    assert time.monotonic() - begun < 5
                    assert body["promotions"][0]["event"] == ("promoted" if number else "rolled back")
                    seen = len(answers)
                    until(lambda seen=seen: len(answers) > seen + 6)  # type: ignore[misc]
            finally:
                over.set()
            for each in asking:
                each.result(60)
    assert {model for model, _ in answers} == set(by_model)
    assert all(by_model[model] == number for model, number in answers)
    models = {line["model"] for line in store.audit_lines() if line["event"] == "answered"}
    assert models == set(by_model), "the audit says which version wrote"
    assert store.verify()[2] == []


def test_another_control_unit_notices_within_seconds(versions: Versions, store: Store, store_url: str, tmp_path: Path) -> None:
    version = versions.add(adapter(tmp_path / "out", THREE_SAYS), passed=True, by="ada")
    with closing(open_store(store_url, tmp_path / "audit")) as same:
        there = PromotedGenerator(Versions(same, versions.folder, versions.source, versions.model), opened)
        with closing(there), closing(PromotedGenerator(versions, opened)) as here:
            here.promote(version.number, by="ada")
            until(lambda: there.body()["serving"] == version.number, 5)
            here.roll_back(by="ada")
            until(lambda: there.body()["serving"] is None, 5)


def opened_but_for_four(folder: Path | None) -> Scripted:
    """The same, but the adapter that says four does not fit."""
    if folder and FOUR_SAYS in (folder / "adapter.npz").read_text():
        raise ModelUnavailable("The adapter does not fit.")
    return opened(folder)


def test_a_version_that_cannot_be_opened_leaves_what_was_there(
    versions: Versions, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamlink_sql.promoted.LOOK_S", 0.05)
    good, bad = (versions.add(adapter(tmp_path / sql, sql), passed=True, by="ada") for sql in (THREE_SAYS, FOUR_SAYS))
    versions.promote(good.number, by="ada")
    with closing(PromotedGenerator(versions, opened_but_for_four)) as generator:
        generator.promote(bad.number, by="ada")
        until(lambda: generator.trouble != "", 10)
        time.sleep(0.3)
        assert generator.body()["serving"] == good.number
        assert generator.generate(Question(ASKED), Context("duckdb", ()), 1)[0].model == f"scripted-1 v{good.number}"
        generator.roll_back(by="ada")
        until(lambda: generator.trouble == "", 10)
    assert caplog.text.count("cannot answer here") == 1, "it is said once"
    versions.promote(bad.number, by="ada")
    with closing(PromotedGenerator(versions, opened_but_for_four)) as again:
        assert (again.body()["serving"], again.trouble) == (None, "The adapter does not fit.")


def test_the_model_as_it_is_comes_back_at_once_after_a_version_that_failed(
    versions: Versions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamlink_sql.promoted.LOOK_S", 0.05)
    good, bad = (versions.add(adapter(tmp_path / sql, sql), passed=True, by="ada") for sql in (THREE_SAYS, FOUR_SAYS))
    versions.promote(good.number, by="ada")
    with closing(PromotedGenerator(versions, opened_but_for_four)) as generator:
        generator.promote(bad.number, by="ada")
        until(lambda: generator.trouble != "", 10)
        generator.roll_back(by="ada")
        until(lambda: generator.trouble == "", 10)
        generator.roll_back(by="ada")
        until(lambda: generator.body()["serving"] is None, 5)


def test_a_version_that_fails_in_a_way_nobody_foresaw_leaves_what_was_there(
    versions: Versions, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OfALibraryError(Exception):
        pass

    def open_(folder: Path | None) -> Scripted:
        if folder:
            raise OfALibraryError("header too large")
        return opened(folder)

    monkeypatch.setattr("streamlink_sql.promoted.LOOK_S", 0.05)
    versions.promote(versions.add(adapter(tmp_path / "out", THREE_SAYS), passed=True, by="ada").number, by="ada")
    with closing(PromotedGenerator(versions, open_)) as generator:
        time.sleep(0.3)
        assert (generator.body()["serving"], generator.trouble) == (None, "It failed unexpectedly: OfALibraryError: header too large")
        assert generator.generate(Question(ASKED), Context("duckdb", ()), 1)[0].sql == PLAIN_SAYS
    assert caplog.text.count("cannot answer here") == 1, "it is said once"


def test_a_model_of_another_server_has_no_versions(tmp_path: Path) -> None:
    from tests.serving import control_on

    with control_on(make_data(tmp_path / "data")) as control, serving(control) as address:
        for method, path in (("GET", ""), ("POST", "/promote"), ("POST", "/rollback")):
            said = httpx.request(method, f"{address}/v1/models{path}", json={"version": 1} if "promote" in path else None)
            assert (said.status_code, said.json()["code"]) == (404, "not_found")
