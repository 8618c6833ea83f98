"""Several control units on one real PostgreSQL, in this process: one run an id, the same answer from each, takeovers, an absent store."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from streamlink_sql.assemble import kept_open
from streamlink_sql.catalog import Catalog
from streamlink_sql.control import ControlUnit, Limits
from streamlink_sql.engines import open_embedded
from streamlink_sql.errors import BadRequest, Cancelled, CannotAnswer, PolicyRefused, ServerUnavailable, StoreUnavailable, TooManyQuestions
from streamlink_sql.relief import Relief
from streamlink_sql.store import leases as leases_module
from streamlink_sql.store import store as store_module
from streamlink_sql.store import tables
from streamlink_sql.store.leases import BEAT_S, CALM_S, LEASE_S, MOST_ATTEMPTS, Leases
from streamlink_sql.store.people import People
from streamlink_sql.store.store import Store, open_store
from streamlink_sql.types import Engine, Question
from tests.postgres import Postgres
from tests.serving import Scripted, make_data, until

Open = Callable[..., ControlUnit]


@pytest.fixture
def url(postgres: Postgres) -> str:
    """An empty database."""
    return postgres.database()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases are looked for every moment."""
    monkeypatch.setattr(leases_module, "CALM_S", 0.0)
    monkeypatch.setattr(leases_module, "LOOK_S", 0.05)
    monkeypatch.setattr("streamlink_sql.relief.BEAT_S", 0.1)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The data, opened once for all."""
    with closing(open_embedded(str(make_data(tmp_path_factory.mktemp("leases") / "data")))) as opened:
        yield opened


@pytest.fixture(scope="module")
def catalog(engine: Engine) -> Catalog:
    """What is known of the data, once for all."""
    return Catalog(engine)


@pytest.fixture
def unit(url: str, tmp_path: Path, engine: Engine, catalog: Catalog) -> Iterator[Open]:
    """Opens control units that share a store and its key, each with its relief."""
    with ExitStack() as stack:

        def opened(*, relieved: bool = True) -> ControlUnit:
            store, limits = open_store(url, tmp_path / "audit"), Limits(cost_limit_rows=10**30, time_limit_s=200)
            control = stack.enter_context(closing(ControlUnit(catalog, Scripted(), kept_open(engine), store, limits)))
            if relieved:
                stack.enter_context(closing(Relief(store, "sales", lambda _: control, control.cancel)))
            else:
                store.lease("sales")
            return control

        yield opened


@contextmanager
def dead(url: str, tmp_path: Path, question: Question, sql: str | None = None, *, for_long: bool = True) -> Iterator[Store]:
    """A control unit that accepted a question and was not heard of again."""
    with closing(open_store(url, tmp_path / "audit")) as store:
        store.lease("sales")
        assert store.accepted(question, sql) is None
        if for_long:
            with store.transaction("written") as connection:
                connection.exec_driver_sql("UPDATE leases SET until = until - INTERVAL '1 hour'")
        yield store


def events(store: Store, question: Question) -> list[str]:
    return [line["event"] for line in store.audit_lines(id=question.id)]


def lease_end(store: Store) -> datetime.datetime:
    with store.transaction("read") as connection:
        found: datetime.datetime = connection.execute(sa.select(tables.leases.c.until)).scalar_one()
    return found


def is_answered(store: Store, question: Question) -> bool:
    return bool(store.entry(question.id)["state"] == "answered")


def test_the_same_id_at_two_control_units_at_once_runs_once_and_gives_the_same_answer(unit: Open) -> None:
    units = [unit(), unit()]
    for text in ("all sales", "one of each", "total per region"):
        question = Question(text)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n, asked=question: units[n % 2].answer(asked), range(8)))
        assert all(answer.body() == answers[0].body() for answer in answers)
        assert answers[0].rows is not None
        assert events(units[0].store, question) == ["approved", "answered"]
    assert units[0].store.verify()[2] == []


def test_one_person_has_so_many_questions_under_way_at_all_control_units_together(url: str, tmp_path: Path) -> None:
    with closing(open_store(url, tmp_path / "audit")) as one, closing(open_store(url, tmp_path / "audit")) as other:
        stores = [one, other]
        for store in stores:
            store.lease("sales", per_person=3)
        asked = [Question("how many sales?", asker="ada") for _ in range(8)]

        def accepted(number: int) -> bool:
            try:
                return stores[number % 2].accepted(asked[number]) is None
            except TooManyQuestions:
                return False

        with ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(accepted, range(8)))
        assert taken.count(True) == 3
        assert other.accepted(Question("how many sales?", asker="bob")) is None
        assert {entry["id"] for entry in one.history(asker="ada")} == {each.id for each, held in zip(asked, taken, strict=True) if held}
        first = taken.index(True)
        stores[first % 2].refused(asked[first], CannotAnswer("Nothing fits."), engine="duckdb", attempts=())
        assert one.accepted(Question("how many sales?", asker="ada")) is None
        with pytest.raises(TooManyQuestions):
            other.accepted(asked[first])  # it ended in a problem, and would be one more of hers


def test_a_repeated_id_gives_the_same_rows_elsewhere_and_they_cannot_be_read_in_the_database(unit: Open, url: str, tmp_path: Path) -> None:
    first, second = unit(), unit()
    question = Question("total per region")
    answer = first.answer(question)
    again = second.answer(question)
    assert again.body() == answer.body()
    demoted = second.store.accepted(replace(question, role="other"))
    assert demoted is not None
    assert demoted.rows is None
    with first.store.transaction("read") as connection:
        kept = connection.exec_driver_sql("SELECT rows FROM kept_rows").scalar_one()
    assert b"north" not in bytes(kept)
    with closing(open_store(url, tmp_path / "another key")) as stranger:
        stranger.lease("sales")
        known = stranger.accepted(question)
        assert known is not None
        assert known.rows is None


def test_a_problem_elsewhere_is_the_problem_here(unit: Open, url: str, tmp_path: Path) -> None:
    waiting, question = unit(), Question("how many sales?")
    with dead(url, tmp_path, question, for_long=False) as store, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(waiting.answer, question)
        time.sleep(0.2)
        store.refused(question, CannotAnswer("No."), engine="x", attempts=())
        with pytest.raises(CannotAnswer, match=r"^No\.$"):
            asked.result(30)


def test_an_id_belongs_to_one_asker_everywhere(unit: Open) -> None:
    question = Question("how many sales?", asker="ada")
    unit().answer(question)
    with pytest.raises(BadRequest, match="belongs to another question"):
        unit().answer(replace(question, asker="eve"))


def test_a_question_whose_control_unit_died_is_answered_by_another(unit: Open, url: str, tmp_path: Path) -> None:
    question = Question(
        "how many sales?", asker="ada", role="boss", row_limit=7, confirm=True, attributes={"countries": ("DE", "FR"), "level": 3}
    )
    with dead(url, tmp_path, question):
        control = unit()
        until(lambda: is_answered(control.store, question))
    assert events(control.store, question) == ["taken over", "approved", "answered"]
    lines = control.store.audit_lines(id=question.id)
    assert {(line["asker"], line["role"]) for line in lines} == {("ada", "boss")}
    assert control.store.verify()[2] == []


def test_what_is_taken_over_is_the_whole_request(url: str, tmp_path: Path) -> None:
    question = Question(
        "in words", asker="ada", role="boss", row_limit=7, time_limit_s=2.5, confirm=True, attributes={"countries": ("DE", "FR")}
    )
    with dead(url, tmp_path, question, "SELECT 1"), closing(open_store(url, tmp_path / "audit")) as store:
        leases = store.lease("sales")
        other = store.lease("other data")
        assert other.take_over(9) == []
        taken = leases.take_over(9)
        assert [(request.question, request.sql, request.attempt) for request in taken] == [(question, "SELECT 1", 2)]
        assert leases.take_over(9) == []


def test_what_a_newer_version_adds_to_a_request_is_left_out(url: str, tmp_path: Path) -> None:
    question = Question("in words", asker="ada")
    with dead(url, tmp_path, question) as gone, closing(open_store(url, tmp_path / "audit")) as store:
        with gone.transaction("written") as connection:
            connection.exec_driver_sql("""UPDATE leases SET request = CAST(request AS jsonb) || '{"mood": "calm"}'""")
        assert [request.question for request in store.lease("sales").take_over(9)] == [question]


def test_sql_of_a_person_is_taken_over_as_such(unit: Open, url: str, tmp_path: Path) -> None:
    question = Question("the newest")
    with dead(url, tmp_path, question, "SELECT max(id) AS m FROM sales"):
        control = unit()
        until(lambda: is_answered(control.store, question))
    assert control.store.entry(question.id)["columns"][0]["name"] == "m"


def test_whoever_waits_goes_on_with_it(unit: Open, url: str, tmp_path: Path) -> None:
    question = Question("total per region")
    with dead(url, tmp_path, question):
        control = unit(relieved=False)
        answer = control.answer(question)
    assert answer.rows is not None
    assert events(control.store, question) == ["taken over", "approved", "answered"]


def test_one_that_lives_is_left_alone(unit: Open) -> None:
    working, looking = unit(), unit()
    question = Question("never ends")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(working.answer, question)
        until(lambda: "approved" in events(working.store, question))
        end = lease_end(working.store)
        until(lambda: lease_end(working.store) > end)
        assert events(working.store, question) == ["approved"]
        assert looking.cancel(question.id)  # where it is not
        with pytest.raises(Cancelled):
            asked.result(30)
    assert working.store.entry(question.id)["code"] == "cancelled"
    assert not looking.cancel(question.id)


def test_nobody_calls_off_the_question_of_another(unit: Open, url: str, tmp_path: Path) -> None:
    question = Question("how many sales?", asker="ada")
    with dead(url, tmp_path, question) as store:
        assert not store.call_off(question.id, "eve")
        assert store.call_off(question.id, "ada")
        control = unit()
        until(lambda: bool(control.store.entry(question.id)["state"] == "problem"))
    assert events(control.store, question) == ["failed"]
    assert control.answer(question).row_count == 1


def test_a_question_that_kills_is_given_up(unit: Open, url: str, tmp_path: Path) -> None:
    question = Question("how many sales?")
    with dead(url, tmp_path, question) as store, store.transaction("written") as connection:
        connection.exec_driver_sql(f"UPDATE leases SET attempt = {MOST_ATTEMPTS}")
    control = unit()
    until(lambda: bool(control.store.entry(question.id)["state"] == "problem"))
    assert control.store.entry(question.id)["code"] == "internal"
    assert events(control.store, question) == ["failed"]


def test_one_that_comes_back_after_it_was_taken_for_dead_changes_nothing(unit: Open, url: str, tmp_path: Path) -> None:
    question = Question("how many sales?")
    with dead(url, tmp_path, question) as back:
        control = unit()
        until(lambda: is_answered(control.store, question))
        back.refused(question, CannotAnswer("Late."), engine="x", attempts=())
        assert is_answered(control.store, question)
        assert events(control.store, question)[-1] == "refused"


def test_what_is_under_way_at_the_end_is_handed_back(unit: Open) -> None:
    leaving, question = unit(relieved=False), Question("never ends")
    staying = unit()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(leaving.answer, question)
        until(lambda: "approved" in events(staying.store, question))
        assert leaving.store.leases is not None
        leaving.store.leases.retiring = True
        leaving.cancel(question.id)
        with pytest.raises(ServerUnavailable, match="Ask again"):
            asked.result(30)
    until(lambda: events(staying.store, question) == ["approved", "taken over", "approved"])
    staying.cancel(question.id)
    until(lambda: bool(staying.store.entry(question.id)["state"] == "problem"))


def test_a_fault_of_ours_is_in_the_history_and_not_tried_again(unit: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    control, question = unit(), Question("broken")
    monkeypatch.setattr(control.generator, "generate", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        control.answer(question)
    assert control.store.entry(question.id)["code"] == "internal"
    assert events(control.store, question) == ["failed"]


def test_a_store_that_is_gone_for_a_moment_loses_nothing(unit: Open, postgres: Postgres) -> None:
    control = unit()
    stopped = threading.Event()
    asked: list[Question] = []

    def ask() -> None:
        while not stopped.is_set():
            question = Question("total per region")
            answer = control.answer(question)
            assert not any("not in the history" in warning for warning in answer.warnings)
            asked.append(question)

    with ThreadPoolExecutor(4) as pool:
        askers = [pool.submit(ask) for _ in range(4)]
        until(lambda: len(asked) > 4)
        postgres.stop()
        postgres.start()
        count = len(asked)
        until(lambda: len(asked) > count + 8)
        stopped.set()
        for asker in askers:
            asker.result(60)
    for question in asked:
        assert is_answered(control.store, question)
        assert sorted(events(control.store, question)) == ["answered", "approved"]
    assert control.store.verify()[2] == []


def test_who_asks_is_found_out_when_the_store_is_back(
    url: str, tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "READ_PATIENCE_S", 60.0)
    with closing(open_store(url, tmp_path / "audit")) as store, ThreadPoolExecutor(1) as pool:
        people = People(store)
        people.add("ada")
        key = people.create_key("ada")
        postgres.stop()
        try:
            asked = pool.submit(people.of_key, key)
            time.sleep(1)
            assert not asked.done()
        finally:
            postgres.start()
        assert asked.result(60).name == "ada"


def test_a_store_that_stays_away_is_said(unit: Open, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    control = unit()
    monkeypatch.setattr(store_module, "PATIENCE_S", 0.5)
    postgres.stop()
    try:
        with pytest.raises(StoreUnavailable, match="does not answer"):
            control.answer(Question("how many sales?"))
    finally:
        postgres.start()
    assert control.answer(Question("how many sales?")).row_count == 1


def test_nobody_is_taken_for_dead_while_the_store_was_away(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases_module, "CALM_S", 60.0)
    question = Question("how many sales?")
    with dead(url, tmp_path, question), closing(open_store(url, tmp_path / "audit")) as store:
        leases = Leases(store, "sales", b"0" * 32)
        assert leases.take_over(9) == []
        monkeypatch.setattr(leases_module, "CALM_S", 0.0)
        assert len(leases.take_over(9)) == 1


def test_what_no_database_can_keep_is_kept_otherwise(unit: Open) -> None:
    control = unit()
    with pytest.raises(PolicyRefused, match=r"U\+0000"):
        control.run_sql("SELECT 'a\0b' AS x", question := Question("a\0b"))
    assert events(control.store, question) == ["refused"]
    assert control.store.entry(question.id)["question"] == "a\N{SYMBOL FOR NULL}b"


def test_old_leases_and_rows_go_with_their_questions(unit: Open) -> None:
    control, question = unit(), Question("total per region")
    control.answer(question)
    assert control.store.prune("9999")[0] == 1
    with control.store.transaction("read") as connection:
        assert connection.exec_driver_sql("SELECT (SELECT count(*) FROM leases) + (SELECT count(*) FROM kept_rows)").scalar() == 0


def test_the_promise_of_thirty_seconds_is_kept() -> None:
    assert LEASE_S + 2 * BEAT_S + CALM_S < 30
