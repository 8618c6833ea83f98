"""The control unit on real engines; only the model is scripted."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from streamlink_sql.catalog import Catalog
from streamlink_sql.control import TYPED_NOTE, ControlUnit, Limits
from streamlink_sql.engines import open_embedded
from streamlink_sql.errors import (
    BadRequest,
    Busy,
    Cancelled,
    CannotAnswer,
    InvalidSQL,
    NotFound,
    PolicyRefused,
    StoreUnavailable,
    StreamLinkError,
    TimedOut,
    TooCostly,
)
from streamlink_sql.questions import other_language, readable
from streamlink_sql.store.store import Store, open_store
from streamlink_sql.types import Attempt, CheckedSQL, Context, Draft, Engine, Feedback, Plan, Question, Rows, Stage
from streamlink_sql.underway import Places, Underway
from tests.serving import until

ENDLESS = """
    SELECT count(*) FROM sales a, sales b, sales c, sales d, sales e, sales f
    WHERE (a.amount * b.amount + c.amount * d.amount + e.amount * f.amount) % 7919 = 7
"""


class Scripted:
    """Writes what it was told to: one list of (SQL, score) a round."""

    name = "scripted"

    def __init__(self, *rounds: list[tuple[str, float]], wait: threading.Event | None = None) -> None:
        self.rounds, self.wait = rounds, wait
        self.asked: list[tuple[Attempt, ...]] = []

    def generate(self, question: Question, context: Context, n: int, *, refused: tuple[Attempt, ...] = ()) -> list[Draft]:
        if self.wait:
            self.wait.wait(60)
        self.asked.append(refused)
        rounds = self.rounds[min(len(self.asked), len(self.rounds)) - 1] if self.rounds else []
        return [Draft(sql, score, "scripted-1") for sql, score in rounds[:n]]

    def cancel(self, question_id: str) -> bool:
        return False

    def close(self) -> None:
        pass


def says(*drafts: str) -> Scripted:
    """One round of drafts, each far below the one before."""
    return Scripted([(sql, 0.9 / 2**place) for place, sql in enumerate(drafts)])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one table of 200 sales."""
    folder = tmp_path_factory.mktemp("data")
    lines = [f"{number},{'north' if number % 4 else 'south'},{number * 10}" for number in range(200)]
    (folder / "sales.csv").write_text("\n".join(["id,region,amount", *lines]) + "\n")
    return folder


@pytest.fixture(scope="module")
def engine(data: Path) -> Iterator[Engine]:
    """DuckDB on that folder."""
    opened = open_embedded(str(data))
    yield opened
    opened.close()


@pytest.fixture
def store() -> Iterator[Store]:
    """A store that goes with the test."""
    opened = open_store("temporary")
    yield opened
    opened.close()


@pytest.fixture
def build(engine: Engine, store: Store) -> Callable[..., ControlUnit]:
    """Makes a control unit around a scripted model."""

    def make(generator: Scripted, engine: Engine = engine, **limits: Any) -> ControlUnit:
        return ControlUnit(Catalog(engine), generator, engine, store, Limits(**limits))

    return make


Build = Callable[..., ControlUnit]


def test_one_question_one_answer(build: Build, store: Store) -> None:
    control = build(says("SELECT region, SUM(amount) AS total FROM sales GROUP BY region ORDER BY region"))
    answer = control.answer(Question("  total amount per region?  ", asker="ada"))
    assert answer.rows is not None
    assert list(answer.rows.as_python()) == [("north", 150000), ("south", 49000)]
    assert (answer.question, answer.row_count, answer.truncated, answer.confidence) == ("total amount per region?", 2, False, 0.9)
    assert (answer.model, answer.engine, [a.verdict for a in answer.attempts]) == ("scripted-1", "duckdb", ["ran"])
    assert list(answer.timings_ms) == ["catalog", "model", "checks", "dry_run", "queue", "engine", "total"]
    assert sum(list(answer.timings_ms.values())[:-1]) <= answer.timings_ms["total"]
    assert "sales" in answer.explanation
    body = answer.body()
    assert [column["name"] for column in body["columns"]] == ["region", "total"]
    kept = store.entry(answer.id)
    assert "rows" not in kept
    assert {name: kept[name] for name in body if name != "rows"} == {name: value for name, value in body.items() if name != "rows"}
    assert [(line["event"], line["asker"]) for line in store.audit_lines(id=answer.id)] == [("approved", "ada"), ("answered", "ada")]


def test_times_that_a_query_does_not_look_at_are_told(build: Build) -> None:
    control = build(says("SELECT count(*) AS n FROM sales WHERE region = 'north'"))
    assert control.answer(Question("how many sales in the north last month?")).warnings == (
        "The question says 'last month', but no condition of this query is about a time: it looks at all of them.",
    )
    assert control.answer(Question("how many sales in the north of last?")).warnings == ()


def test_the_stages_are_told_in_order(build: Build) -> None:
    seen: list[Stage] = []
    build(says("SELECT count(*) AS n FROM sales")).answer(Question("how many sales?"), seen.append)
    assert [stage.name for stage in seen if stage.state == "start"] == ["catalog", "model", "checks", "dry_run", "queue", "engine"]
    assert all((stage.ms is None) == (stage.state == "start") for stage in seen)


def test_a_refused_draft_gives_way_to_the_next(build: Build) -> None:
    control = build(says("DROP TABLE sales", "SELECT nothing FROM sales", "SELECT count(*) AS n FROM sales", "SELECT 1 AS n"))
    answer = control.answer(Question("how many sales?"))
    assert [attempt.verdict for attempt in answer.attempts] == ["refused", "refused", "ran", "spare"]
    assert all(attempt.rule and attempt.message for attempt in answer.attempts[:2])


def test_after_a_round_of_refusals_there_is_one_more(build: Build) -> None:
    generator = Scripted(
        [("SELECT nothing FROM sales", 0.9)], [("SELECT nothing FROM sales", 0.9), ("SELECT count(*) AS n FROM sales", 0.5)]
    )
    answer = build(generator).answer(Question("how many sales?"))
    assert [[attempt.verdict for attempt in refused] for refused in generator.asked] == [[], ["refused"]]
    assert [attempt.verdict for attempt in answer.attempts] == ["refused", "ran"]


@pytest.mark.parametrize(("sql", "error"), [("DROP TABLE sales", PolicyRefused), ("SELECT nothing FROM sales", InvalidSQL)])
def test_when_all_is_refused_nothing_runs_and_the_user_learns_why(
    build: Build, store: Store, sql: str, error: type[StreamLinkError]
) -> None:
    generator = says(sql)
    with pytest.raises(error) as caught:
        build(generator).answer(Question("which sales can go?", id="one"))
    assert len(generator.asked) == 2
    assert caught.value.helps["id"] == "one"
    assert caught.value.helps["attempts"][0]["sql"] == sql
    assert [line["event"] for line in store.audit_lines()] == ["refused"]
    assert store.entry("one")["state"] == "problem"


class Wrapped:
    """A real engine with one method that does something else as well."""

    def __init__(self, engine: Engine, **changed: Callable[..., Any]) -> None:
        self._engine = engine
        for name, method in changed.items():
            setattr(self, name, method)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def wrapped(engine: Engine, **changed: Callable[..., Any]) -> Any:
    return Wrapped(engine, **changed)


def test_planning_takes_no_longer_than_the_question_may(build: Build, engine: Engine, store: Store) -> None:
    given: list[float] = []

    def dry_run(query: CheckedSQL, *, time_limit_s: float) -> Plan:
        given.append(time_limit_s)
        return engine.dry_run(query, time_limit_s=time_limit_s)

    control = build(says("SELECT 1"), wrapped(engine, dry_run=dry_run))
    for seconds in (0.5, 60.0):
        control.run_sql("SELECT count(*) FROM sales", Question("", time_limit_s=seconds))
    assert given == [0.5, 10.0]


def test_the_engine_must_see_the_same_tables(build: Build, engine: Engine, store: Store) -> None:
    def dry_run(query: CheckedSQL, *, time_limit_s: float) -> Plan:
        return Plan(frozenset({"sales", "secrets"}))

    with pytest.raises(PolicyRefused) as caught:
        build(says("SELECT count(*) AS n FROM sales"), wrapped(engine, dry_run=dry_run)).answer(Question("how many sales?"))
    assert caught.value.helps["rule"] == "second_opinion"
    assert [line["event"] for line in store.audit_lines()] == ["refused"]


def test_planning_is_part_of_the_time_limit(build: Build, engine: Engine) -> None:
    given: list[float] = []

    def dry_run(query: CheckedSQL, **limits: Any) -> Plan:
        time.sleep(0.5)
        return engine.dry_run(query, **limits)

    def run(query: CheckedSQL, **limits: Any) -> Rows:
        given.append(limits["time_limit_s"])
        return engine.run(query, **limits)

    build(says("SELECT count(*) AS n FROM sales"), wrapped(engine, dry_run=dry_run, run=run)).answer(Question("how many?", time_limit_s=60))
    assert 0 < given[0] <= 59.5


def test_the_audit_line_stands_before_the_query_runs(build: Build, engine: Engine, store: Store) -> None:
    stood: list[str] = []

    def run(query: CheckedSQL, **limits: Any) -> Rows:
        stood.extend(line["sql"] for line in store.audit_lines() if line["event"] == "approved")
        return engine.run(query, **limits)

    answer = build(says("SELECT count(*) AS n FROM sales"), wrapped(engine, run=run)).answer(Question("how many sales?"))
    assert stood == [answer.sql]


def test_without_its_audit_line_nothing_runs(build: Build, engine: Engine, store: Store) -> None:
    def run(query: CheckedSQL, **limits: Any) -> Rows:
        raise AssertionError("it ran")

    control = build(says("SELECT count(*) AS n FROM sales"), wrapped(engine, run=run))
    make_full(store, "audit")
    with pytest.raises(StoreUnavailable, match="Free some disk space"):
        control.answer(Question("how many sales?"))


def test_an_answer_that_history_cannot_keep_says_so(build: Build, engine: Engine, store: Store) -> None:
    def run(query: CheckedSQL, **limits: Any) -> Rows:
        make_full(store, "history")
        return engine.run(query, **limits)

    answer = build(says("SELECT count(*) AS n FROM sales"), wrapped(engine, run=run)).answer(Question("how many sales?"))
    assert answer.row_count == 1
    assert "not in the history" in answer.warnings[-1]


def make_full(store: Store, table: str) -> None:
    """From now on every write to one table fails as it does on a full disk."""

    @sa.event.listens_for(store._engine, "before_cursor_execute")
    def _(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.startswith((f"INSERT INTO {table}", f"UPDATE {table}")):
            raise sa.exc.OperationalError(statement, None, sqlite3.OperationalError("database or disk is full"))


def test_the_same_id_runs_once(build: Build, store: Store) -> None:
    generator = says("SELECT amount FROM sales ORDER BY amount LIMIT 3")
    control = build(generator)
    first, again = control.answer(Question("the lowest amounts", id="one")), control.answer(Question("the lowest amounts", id="one"))
    assert again is first
    assert len(generator.asked) == 1
    with pytest.raises(BadRequest, match="another question"):
        control.answer(Question("the highest amounts", id="one"))
    with pytest.raises(BadRequest, match="another question"):
        control.answer(Question("the lowest amounts", id="one", asker="somebody else"))


def test_after_a_restart_the_same_id_gives_the_answer_without_its_rows(build: Build) -> None:
    first = build(says("SELECT count(*) AS n FROM sales")).answer(Question("how many sales?", id="one"))
    other = says("SELECT 1 AS n")
    again = build(other).answer(Question("how many sales?", id="one"))
    assert (again.sql, again.row_count, again.columns[0].name, again.rows) == (first.sql, 1, "n", None)
    assert other.asked == []


def test_who_asks_the_same_meanwhile_waits_for_the_one_answer(build: Build) -> None:
    go = threading.Event()
    generator = Scripted([("SELECT count(*) AS n FROM sales", 0.9)], wait=go)
    control = build(generator)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(control.answer, Question("how many sales?", id="one")) for _ in range(4)]
        time.sleep(0.1)
        go.set()
        answers = [future.result(60) for future in asked]
    assert len(generator.asked) == 1
    assert all(answer is answers[0] for answer in answers)


def test_who_waits_learns_of_a_failure(build: Build) -> None:
    go = threading.Event()
    control = build(Scripted([("DROP TABLE sales", 0.9)], wait=go))
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(control.answer, Question("which sales can go?", id="one")) for _ in range(2)]
        time.sleep(0.1)
        go.set()
        assert [type(future.exception(60)) for future in asked] == [PolicyRefused, PolicyRefused]


def test_a_costly_query_wants_a_word(build: Build, store: Store) -> None:
    control = build(says("SELECT count(*) AS n FROM sales a, sales b, sales c WHERE a.amount < b.amount"), cost_limit_rows=1000)
    with pytest.raises(TooCostly) as caught:
        control.answer(Question("how many?"))
    assert caught.value.helps["estimated_rows"] > 1000
    assert [line["event"] for line in store.audit_lines()] == ["refused"]
    assert control.answer(Question("how many?", confirm=True)).row_count == 1


def test_beyond_a_cap_no_word_helps(build: Build) -> None:
    control = build(says("SELECT count(*) AS n FROM sales a, sales b WHERE a.amount < b.amount"), cost_limit_rows=10, cost_cap_rows=1000)
    with pytest.raises(TooCostly, match="confirmed or not") as caught:
        control.answer(Question("how many?", confirm=True))
    assert caught.value.helps["cap"] == 1000


def test_below_the_confidence_it_says_that_it_cannot_answer(build: Build, store: Store) -> None:
    with pytest.raises(CannotAnswer) as caught:
        build(Scripted([("SELECT count(*) AS n FROM sales", 0.1)]), min_confidence=0.2).answer(Question("what is love?"))
    assert caught.value.helps["suggestions"] == ["sales"]
    assert [line["event"] for line in store.audit_lines()] == ["refused"]


def test_a_model_with_nothing_to_say_is_no_empty_answer(build: Build) -> None:
    with pytest.raises(CannotAnswer, match="nothing in these tables"):
        build(Scripted([])).answer(Question("what is love?"))


def test_where_close_drafts_disagree_the_rows_decide(build: Build, store: Store) -> None:
    drafts = [("SELECT min(amount) AS a FROM sales", 0.4), ("SELECT max(amount) AS a FROM sales", 0.38)]
    drafts.append(("SELECT amount AS a FROM sales ORDER BY amount DESC LIMIT 1", 0.36))
    answer = build(Scripted(drafts)).answer(Question("the amount?"))
    assert answer.rows is not None
    assert list(answer.rows.as_python()) == [(1990,)]
    assert [(attempt.verdict, "max" in attempt.sql.lower()) for attempt in answer.attempts] == [
        ("passed", False),
        ("ran", True),
        ("passed", False),
    ]
    assert [line["event"] for line in store.audit_lines()] == ["approved"] * 3 + ["answered"]


def test_a_clear_best_draft_runs_alone(build: Build, store: Store) -> None:
    drafts = [("SELECT min(amount) AS a FROM sales", 0.9), ("SELECT max(amount) AS a FROM sales", 0.1)]
    build(Scripted(drafts)).answer(Question("the amount?"))
    assert [line["event"] for line in store.audit_lines()] == ["approved", "answered"]


@pytest.mark.parametrize(
    ("nothing", "rival_score", "chosen"),
    [
        ("SELECT amount AS a FROM sales WHERE region = 'nowhere'", 0.3, True),
        ("SELECT count(*) AS a FROM sales WHERE region = 'nowhere'", 0.3, True),
        ("SELECT max(amount) AS a FROM sales WHERE region = 'nowhere'", 0.3, True),
        ("SELECT max(amount) AS a FROM sales WHERE region = 'nowhere'", 0.16, False),
        ("SELECT max(amount) AS a FROM sales WHERE region = 'nowhere'", 0.05, False),
        ("SELECT avg(amount) AS a FROM sales", 0.3, False),
    ],
)
def test_where_the_best_draft_finds_nothing_a_rival_that_finds_something_may_stand_in(
    build: Build, nothing: str, rival_score: float, chosen: bool
) -> None:
    drafts = [(nothing, 0.9), ("SELECT count(*) AS n FROM sales", rival_score)]
    answer = build(Scripted(drafts)).answer(Question("the amount?"))
    assert answer.rows is not None
    assert (answer.rows.table.column_names == ["n"]) is chosen


def test_a_draft_that_fails_on_its_values_gives_way(build: Build) -> None:
    control = build(says("SELECT CAST(region AS INTEGER) AS r FROM sales", "SELECT count(*) AS n FROM sales"))
    answer = control.answer(Question("how many?"))
    assert [attempt.verdict for attempt in answer.attempts] == ["failed", "ran"]


def test_more_rows_than_asked_for_are_cut_and_said(build: Build) -> None:
    answer = build(says("SELECT * FROM sales")).answer(Question("all sales", row_limit=5))
    assert (answer.row_count, answer.truncated) == (5, True)


@pytest.fixture
def visits(tmp_path: Path) -> Iterator[Engine]:
    """People, and visits of whom nobody knows who made one of them."""
    (tmp_path / "people.csv").write_text("person,name\n1,Ann\n2,Bob\n3,Cid\n")
    (tmp_path / "visits.csv").write_text("visit,visitor,way\n1,1,bus\n2,,Tram\n3,2,bus\n")
    opened = open_embedded(str(tmp_path))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT name FROM people WHERE NOT person IN (SELECT visitor FROM visits)", [("Cid",)]),
        ("SELECT name FROM people WHERE person NOT IN (SELECT v.visitor FROM visits AS v WHERE way = 'Tram' OR way = 'bus')", [("Cid",)]),
        ("SELECT count(*) FROM people WHERE person NOT IN (SELECT visitor FROM visits)", [(1,)]),
        ("SELECT name FROM people WHERE person NOT IN (SELECT visitor FROM visits WHERE NOT visitor IS NULL)", [("Cid",)]),
        ("SELECT name FROM people WHERE person NOT IN (SELECT person FROM people)", []),
        ("SELECT name FROM people WHERE person NOT IN (SELECT visitor FROM visits LIMIT 2)", []),
        ("SELECT name FROM people WHERE person NOT IN (SELECT visitor + 0 FROM visits)", []),
    ],
)
def test_a_row_of_no_value_does_not_make_a_list_of_others_empty(
    visits: Engine, store: Store, sql: str, rows: list[tuple[object, ...]]
) -> None:
    control = ControlUnit(Catalog(visits), says(sql), visits, store, Limits())
    answer = control.answer(Question("who made no visit?"))
    assert answer.rows is not None
    assert list(answer.rows.as_python()) == rows
    assert answer.attempts[0].sql.startswith("SELECT")
    assert [attempt.verdict for attempt in answer.attempts if attempt.sql == answer.sql] == ["ran"]


def test_what_somebody_typed_runs_as_it_is(visits: Engine, store: Store) -> None:
    control = ControlUnit(Catalog(visits), says(), visits, store, Limits())
    answer = control.answer(Question("SELECT name FROM people WHERE person NOT IN (SELECT visitor FROM visits)"))
    assert answer.row_count == 0


@pytest.mark.parametrize(
    ("condition", "notes"),
    [
        ("way = 'ferry'", ["No row of visits has the way 'ferry': there is 'Tram', 'bus'."]),
        ("way <> 'ferry'", ["No row of visits has the way 'ferry': there is 'Tram', 'bus'."]),
        ("v.way IN ('bus', 'ferry')", ["No row of visits has the way 'ferry': there is 'Tram', 'bus'."]),
        ("'ferry' = way", ["No row of visits has the way 'ferry': there is 'Tram', 'bus'."]),
        ("way = 'tram'", ["No row of visits has the way 'tram': there is 'Tram'."]),
        ("way = 'Tram'", []),
        ("lower(way) = 'tram'", []),
        ("visitor = 9", []),
        ("visitor IN (SELECT person FROM people AS v WHERE v.name = 'Bob')", []),
        (
            "visitor IN (SELECT person FROM people AS v WHERE v.name = 'Dee')",
            ["No row of people has the name 'Dee': there is 'Ann', 'Bob', 'Cid'."],
        ),
    ],
)
def test_values_that_do_not_exist_are_told(visits: Engine, store: Store, condition: str, notes: list[str]) -> None:
    sql = f"SELECT visit FROM visits AS v WHERE {condition}"
    answer = ControlUnit(Catalog(visits), says(sql), visits, store, Limits()).answer(Question("which visits?"))
    assert list(answer.warnings) == notes
    assert ControlUnit(Catalog(visits), says(), visits, store, Limits()).answer(Question(sql)).warnings == (TYPED_NOTE,)


def test_a_rival_that_takes_too_long_leaves_the_best_alone(build: Build, engine: Engine) -> None:
    def run(query: CheckedSQL, **limits: Any) -> Rows:
        if "max" in query.sql.lower():
            raise TimedOut("The query did not finish within its time.")
        return engine.run(query, **limits)

    generator = Scripted([("SELECT min(amount) AS a FROM sales", 0.5), ("SELECT max(amount) AS a FROM sales", 0.49)])
    answer = build(generator, wrapped(engine, run=run)).answer(Question("the amount?"))
    assert {attempt.verdict for attempt in answer.attempts} == {"failed", "ran"}


def test_data_that_was_replaced_is_what_the_next_question_sees(tmp_path: Path, store: Store) -> None:
    file = tmp_path / "sales.csv"
    file.write_text("id\n1\n2\n")
    engine = open_embedded(str(file))
    generator = Scripted([("SELECT count(*) AS n FROM sales", 0.9)], [("SELECT sum(amount) AS n FROM sales", 0.9)])
    control = ControlUnit(Catalog(engine), generator, engine, store)
    before = control.answer(Question("how many?"))
    new = tmp_path / "new"
    new.write_text("id,amount\n1,20\n2,22\n")
    new.replace(file)
    after = control.answer(Question("how much?"))
    engine.close()
    assert before.rows is not None
    assert after.rows is not None
    assert (list(before.rows.as_python()), list(after.rows.as_python())) == ([(2,)], [(42,)])


def test_a_query_past_its_time_is_stopped(build: Build, store: Store) -> None:
    control = build(says(ENDLESS), cost_limit_rows=10**30)
    began = time.monotonic()
    with pytest.raises(TimedOut):
        control.answer(Question("how many?", time_limit_s=0.5))
    assert time.monotonic() - began < 50
    assert [line["event"] for line in store.audit_lines()] == ["approved", "failed"]


def test_a_running_question_can_be_cancelled(build: Build) -> None:
    control = build(says(ENDLESS), cost_limit_rows=10**30)
    running = threading.Event()

    def watch(stage: Stage) -> None:
        if stage.name == "engine":
            running.set()

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(control.answer, Question("how many?", id="one"), watch)
        assert running.wait(60)
        time.sleep(0.2)
        assert control.cancel("one")
        assert isinstance(asked.exception(60), Cancelled)
    assert not control.cancel("one")


def test_a_question_is_cancelled_in_the_model_too(build: Build, store: Store) -> None:
    go = threading.Event()
    control = build(Scripted([("SELECT count(*) AS n FROM sales", 0.9)], wait=go))
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(control.answer, Question("how many?", id="one"))
        while not control.cancel("one"):
            time.sleep(0.01)
        go.set()
        assert isinstance(asked.exception(60), Cancelled)
    assert [line["event"] for line in store.audit_lines()] == ["failed"]


def test_places_run_out() -> None:
    places, run = Places(running=1, waiting=0), Underway(Question("how many?"))
    with places.place(run, 1), pytest.raises(Busy) as caught, places.place(Underway(Question("how many?")), 1):
        pass
    assert caught.value.helps["retry_after"] > 0
    with places.place(run, 1):
        pass


def test_a_wait_for_a_place_ends() -> None:
    places = Places(running=1, waiting=1)
    waits = Underway(Question("how many?"))

    def cancel() -> None:
        waits.cancelled.set()
        places.look_again()

    with places.place(Underway(Question("how many?")), 1):
        with pytest.raises(TimedOut), places.place(waits, 0.05):
            pass
        threading.Timer(0.05, cancel).start()
        with pytest.raises(Cancelled), places.place(waits, 10):
            pass


def test_a_question_with_a_rival_to_run_does_not_wait_behind_all_others_again() -> None:
    places, order = Places(running=1, waiting=9), list[str]()
    begun, other = Underway(Question("begun", asker="ada")), Underway(Question("other", asker="bob"))

    def run(each: Underway) -> None:
        with places.place(each, 60):
            order.append(each.question.text)

    with ThreadPoolExecutor(2) as pool:
        with places.place(begun, 1):  # its first draft
            waits = pool.submit(run, other)
            until(lambda: places.waiting == 1)
            again = pool.submit(run, begun)
            until(lambda: places.waiting == 2)
        waits.result(60), again.result(60)
    assert order == ["begun", "other"]


def test_own_sql_takes_the_same_way(build: Build, store: Store) -> None:
    control = build(says())
    answer = control.run_sql("select count(*) as n from sales -- all of them")
    assert answer.rows is not None
    assert list(answer.rows.as_python()) == [(200,)]
    assert "--" not in answer.sql
    assert [line["event"] for line in store.audit_lines()] == ["approved", "answered"]
    with pytest.raises(PolicyRefused):
        control.run_sql("DELETE FROM sales")
    assert control.check("select count(*) from sales").tables == {"sales"}
    with pytest.raises(InvalidSQL):
        control.check("select nothing from sales")


def test_feedback_is_kept_for_answers_with_sql_that_can_run(build: Build, store: Store) -> None:
    control = build(says("SELECT count(*) AS n FROM sales"))
    answer = control.answer(Question("how many sales?"))
    with pytest.raises(PolicyRefused):
        control.give_feedback(Feedback(answer.id, "wrong", sql="DROP TABLE sales"))
    with pytest.raises(NotFound):
        control.give_feedback(Feedback("unknown", "right"))
    control.give_feedback(Feedback(answer.id, "wrong", sql="select max(id) from sales"))
    assert [pair["query"] for pair in store.accepted_pairs()] == ["SELECT MAX(id) FROM sales"]


@pytest.mark.parametrize(
    "changed",
    [
        {"row_limit": 0},
        {"row_limit": -1},
        {"row_limit": 10**9},
        {"time_limit_s": 0},
        {"time_limit_s": float("nan")},
        {"time_limit_s": 1e9},
        {"id": ""},
        {"id": "x" * 201},
        {"id": "a\nb"},
    ],
)
def test_limits_and_ids_have_bounds(build: Build, changed: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        build(says("SELECT count(*) AS n FROM sales")).answer(Question("how many?", **changed))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("how many " * 1200, "too_long"),
        ("é" * 2100, "too_long"),
        ("how many\x00", "binary"),
        ("\x1b[31mhow many", "binary"),
        (b"\x89PNG\r\n\xff".decode("utf-8", "replace"), "binary"),
        (b"how many \xff".decode("utf-8", "surrogateescape"), "binary"),
        ("???", "no_words"),
        ("12345", "no_words"),
    ],
)
def test_text_that_is_no_question(build: Build, store: Store, text: str, rule: str) -> None:
    with pytest.raises(BadRequest) as caught:
        build(says("SELECT count(*) AS n FROM sales")).answer(Question(text))
    assert caught.value.helps["rule"] == rule
    assert store.history() == []


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("有多少专利？", "Chinese"),
        ("特許はいくつありますか", "Japanese"),
        ("특허는 몇 개입니까?", "Korean"),
        ("Сколько патентов было выдано в 2020 году?", "Cyrillic"),
        ("كم عدد براءات الاختراع؟", "Arabic"),
        ("Wie viele Patente wurden 2020 in Deutschland erteilt?", "another language"),
        ("Combien de brevets ont été délivrés par pays ?", "another language"),
        ("¿Cuántas patentes hay por país?", "another language"),
        ("Quantas patentes foram concedidas em 2020?", "another language"),
        ("Quanti brevetti sono stati concessi nel 2020?", "another language"),
    ],
)
def test_a_language_that_the_model_does_not_read(text: str, language: str) -> None:
    with pytest.raises(BadRequest, match=f"reads English.*{language}") as caught:
        readable(text, english_only=True)
    assert caught.value.helps["rule"] == "language"
    assert readable(text, english_only=False) == text


@pytest.mark.parametrize(
    "text",
    [
        "How many patents are there?",
        "patents per country",
        "top 10 assignees",
        'How many titles contain "電池"?',
        "Which patents has Universität München?",
        "How many players of Real Madrid play for la Liga de Fútbol?",
        "count of patents with 名前 in the title",
        "sales in Île-de-France par region",
        "average µ per sensor",
        "'; DROP TABLE sales; -- how many sales?",
        "top clubs in la Liga de Fútbol",
        "list total sales in El Paso",
    ],
)
def test_english_with_foreign_names_is_english(text: str) -> None:
    assert other_language(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "delete all customers",
        "Please drop table customers",
        "DROP DATABASE",
        "insert into t values (1)",
        "'; DROP TABLE sales; --",
        "Robert'); DROP TABLE students;--",
        "how many sales? ; delete from sales",
    ],
)
def test_a_request_to_change_data_is_refused(text: str) -> None:
    """No reading of it would do what was asked."""
    for english_only in (True, False):
        with pytest.raises(PolicyRefused, match="only reads") as caught:
            readable(text, english_only=english_only)
        assert caught.value.helps["rule"] == "question.write"


@pytest.mark.parametrize(
    "text",
    [
        "COPY sales TO '/tmp/sales.csv'",
        "copy (select 1) to 'x.csv'",
        "ATTACH 'other.db' AS other",
        "INSTALL httpfs;",
        "PRAGMA database_list",
        "set memory_limit = '10GB'",
        "create table x as select 1",
        "EXPLAIN ANALYZE SELECT 1",
        "show tables",
        "EXPORT DATABASE 'x'",
    ],
)
def test_a_command_to_the_database_is_no_question(text: str) -> None:
    """The nearest reading as a question would be a wild guess."""
    for english_only in (True, False):
        with pytest.raises(PolicyRefused) as caught:
            readable(text, english_only=english_only)
        assert caught.value.helps["rule"] == "question.command"


@pytest.mark.parametrize(
    "text",
    [
        "show tables with more than 4 seats",
        "copy number per title",
        "create a table of sales by region",
        "installs per country",
        "set of regions with sales",
        "explain the sales by region",
        "call duration per agent",
        "load per server",
        "attached files per mail",
        "create view count per month",
        'sales whose note says "x; drop table sales"',
    ],
)
def test_words_of_commands_may_stand_in_questions(text: str) -> None:
    assert readable(text, english_only=True) == text


def test_a_request_to_change_data_reaches_no_model_and_no_engine(build: Build, store: Store) -> None:
    generator = says("SELECT count(*) AS n FROM sales")
    with pytest.raises(PolicyRefused, match="only reads"):
        build(generator).answer(Question("please remove all sales", id="one"))
    assert generator.asked == []
    assert not {"approved", "answered"} & {line["event"] for line in store.audit_lines()}


@pytest.mark.parametrize("text", ["drop rate per product", "removed items per day", "which grants went to Berlin?", "updates per user"])
def test_words_of_change_may_stand_in_questions(text: str) -> None:
    """They are names of things, too."""
    assert readable(text, english_only=True) == text


@pytest.mark.parametrize(
    "text",
    [
        "SELECT count(*) FROM sales",
        "select region from sales limit 3;",
        "WITH n AS (SELECT * FROM sales) SELECT max(amount) FROM n",
        "from sales",
        "select 1",
        "select 1 + 1, 'a' union all select 2, 'b'",
        "VALUES (1, 'a'), (2, 'b')",
    ],
)
def test_sql_typed_as_a_question_is_run_as_what_it_is(build: Build, store: Store, text: str) -> None:
    model = says("SELECT 1")
    answer = build(model, english_only=True).answer(Question(text, id=f"typed {text}"))
    assert answer.rows is not None
    assert (answer.model, answer.confidence) == ("typed SQL", 1.0)
    assert "was SQL" in answer.warnings[0]
    assert [line["event"] for line in store.audit_lines()] == ["approved", "answered"]
    assert store.entry(answer.id)["warnings"] == list(answer.warnings)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("SELECT * FROM passwords", InvalidSQL),
        ("SELECT count(*) FORM sales", InvalidSQL),
        ("SELECT * FROM read_csv('/etc/passwd')", PolicyRefused),
        ("SELECT getenv('HOME')", PolicyRefused),
        ("WITH x AS (DELETE FROM sales RETURNING *) SELECT * FROM x", PolicyRefused),
    ],
)
def test_typed_sql_passes_the_same_checks(build: Build, text: str, error: type[StreamLinkError]) -> None:
    with pytest.raises(error):
        build(says("SELECT 1")).answer(Question(text))


@pytest.mark.parametrize(
    "text",
    [
        "select all sales from Germany",
        "Select the top five regions",
        "select sales",
        "with how many regions do we trade?",
        "from which region are most sales?",
        "select customers from Germany with revenue over 5",
        "values of region",
        "values (in euros) of all sales",
        "select all",
        "select 5 regions",
        "select 'Germany' sales",
    ],
)
def test_a_question_that_begins_like_sql_is_a_question(build: Build, text: str) -> None:
    answer = build(says("SELECT count(*) AS n FROM sales")).answer(Question(text))
    assert answer.model == "scripted-1"


def test_when_no_draft_runs_the_reader_gets_plain_words(build: Build) -> None:
    with pytest.raises(InvalidSQL, match=r"The model wrote no SQL that runs.*The column region is neither grouped") as caught:
        build(says("SELECT region, sum(amount) FROM sales")).answer(Question("how much per region?"))
    assert "Binder Error" not in caught.value.detail
