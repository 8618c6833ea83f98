"""The client against a real server: the same methods, answers and errors as the control unit behind it."""

from __future__ import annotations

import http.server
import inspect
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from streamlink_sql import errors
from streamlink_sql.catalog import Catalog
from streamlink_sql.client import Client
from streamlink_sql.control import ControlUnit
from streamlink_sql.engines.duckdb import DuckDBEngine
from streamlink_sql.errors import (
    BadRequest,
    Cancelled,
    InternalError,
    NotFound,
    PolicyRefused,
    ServerUnavailable,
    StreamLinkError,
    TooCostly,
    error_from,
)
from streamlink_sql.returned import answer_from, table_from
from streamlink_sql.store.store import open_store
from streamlink_sql.types import CheckedSQL, Control, Feedback, Hear, Progress, Question, Rows, Stage
from tests.serving import SAYS, Scripted, control_on, make_data, serving, until


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlUnit]:
    with control_on(make_data(tmp_path_factory.mktemp("client") / "data")) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(control: ControlUnit) -> Iterator[Client]:
    with serving(control) as url, Client(url + "/") as opened:
        yield opened


@pytest.mark.parametrize("text", ["how many sales?", "all sales", "total per region", "no sales", "one of each"])
def test_the_answer_is_the_same_on_both_sides(client: Client, control: ControlUnit, text: str) -> None:
    far = client.answer(Question(text, row_limit=50))
    near = control.answer(Question(text, id=far.id, row_limit=50))
    assert far.body() == near.body()
    assert far.rows is not None
    assert near.rows is not None
    assert far.truncated == near.truncated == far.rows.truncated
    assert far.rows.table.column_names == near.rows.table.column_names


def test_cells_have_their_types_again(client: Client) -> None:
    answer = client.answer("one of each")
    assert answer.rows is not None
    types = {field.name: str(field.type) for field in answer.rows.table.schema}
    assert types["large"] == "int64"
    assert (types["share"], types["yes"], types["day"], types["raw"], types["words"]) == (
        "double",
        "bool",
        "date32[day]",
        "binary",
        "string",
    )
    assert types["price"].startswith("decimal128")
    assert types["moment"].startswith("timestamp")
    assert "tz=" in types["instant"]


def test_an_answer_and_a_table_read_back_are_what_was_written(control: ControlUnit) -> None:
    answer = control.answer(Question("one of each"))
    assert answer_from(answer.body()).body() == answer.body()
    without = answer_from(answer.body(with_rows=False))
    assert (without.rows, without.row_count) == (None, 2)
    for table in control.tables():
        assert table_from(table.body()) == table


def test_stages_are_heard_of_while_it_runs(client: Client) -> None:
    seen: list[Stage] = []
    client.answer("how many sales?", seen.append)
    assert [stage.name for stage in seen if stage.state == "start"] == ["catalog", "model", "checks", "dry_run", "queue", "engine"]


class Telling(DuckDBEngine):
    """Tells of progress as a cluster does."""

    def run(self, query: CheckedSQL, *, hear: Hear | None = None, **limits: Any) -> Rows:
        if hear:
            hear(Progress(stages=3, stages_done=1, tasks=1040, tasks_done=14))
        return super().run(query, **limits)


def test_progress_in_the_database_is_heard_of(tmp_path: Path) -> None:
    engine = Telling(make_data(tmp_path / "data"))
    heard: list[Stage] = []
    with (
        closing(ControlUnit(Catalog(engine), Scripted(), engine, open_store("temporary"))) as control,
        serving(control) as url,
        Client(url) as client,
    ):
        client.answer(Question("how many sales?"), heard.append)
    (running,) = (stage for stage in heard if stage.state == "running")
    assert running == Stage("engine", "running", progress=Progress(3, 1, 1040, 14))
    assert str(running.progress) == "stage 2 of 3, 14 of 1,040 tasks"
    assert str(Progress(3, 3, 40, 40)) == "stage 3 of 3, 40 of 40 tasks"


def test_sql_and_check(client: Client) -> None:
    answer = client.run_sql("select max(id) as m from sales", Question("newest", row_limit=1))
    assert (answer.question, answer.row_count) == ("newest", 1)
    assert client.run_sql("select 1 as one").row_count == 1
    verdict = client.check("select id from SALES")
    assert (verdict.sql.upper(), verdict.tables) == ("SELECT ID FROM SALES", frozenset({"sales"}))
    with pytest.raises(PolicyRefused) as raised:
        client.check("DROP TABLE sales")
    assert raised.value.helps["rule"]


def test_tables_history_and_feedback(client: Client, control: ControlUnit) -> None:
    assert client.tables() == control.tables()
    answer = client.answer("how many sales?")
    assert client.history(limit=1) == control.history(limit=1)
    assert client.history(limit=1, before=answer.id) == control.history(limit=1, before=answer.id)
    assert client.entry(answer.id) == control.entry(answer.id)
    client.give_feedback(Feedback(answer.id, "right", comment="yes"))
    assert list(client.accepted_pairs()) == list(control.accepted_pairs())
    with pytest.raises(NotFound):
        client.entry("none")


def test_the_id_keeps_a_query_from_running_twice(client: Client, control: ControlUnit) -> None:
    question = Question("all sales")
    first, again = client.answer(question), client.answer(question)
    assert first.body() == again.body()
    assert [line["event"] for line in control.store.audit_lines(id=question.id)].count("approved") == 1


def test_a_question_is_called_off(client: Client) -> None:
    question = Question("never ends", time_limit_s=200, confirm=True)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.answer, question)
        until(lambda: client.cancel(question.id))
        with pytest.raises(Cancelled):
            asked.result(60)
    assert client.cancel(question.id) is False


def test_who_stops_listening_calls_the_question_off(client: Client, control: ControlUnit) -> None:
    question = Question("never ends", time_limit_s=200)

    def watch(stage: Stage) -> None:
        if (stage.name, stage.state) == ("engine", "start"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.answer(question, watch)
    until(lambda: bool(control.entry(question.id)["state"] == "problem"))
    assert control.entry(question.id)["code"] == "cancelled"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("which sales can go?", PolicyRefused),
        ("drop the sales", PolicyRefused),
        ("what is love", errors.CannotAnswer),
        (" ", BadRequest),
        ("?", BadRequest),
    ],
)
def test_errors_are_those_of_the_control_unit(client: Client, control: ControlUnit, text: str, error: type[StreamLinkError]) -> None:
    question = Question(text)
    with pytest.raises(error) as far:
        client.answer(question)
    with pytest.raises(error) as near:
        control.answer(Question(text))
    assert far.value.detail == near.value.detail
    assert far.value.helps.keys() == near.value.helps.keys() | {"trace_id"}


def kinds(root: type[StreamLinkError] = StreamLinkError) -> Iterator[type[StreamLinkError]]:
    for kind in root.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield kind
            yield from kinds(kind)


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.code)
def test_every_error_comes_back_as_itself(kind: type[StreamLinkError]) -> None:
    sent = kind("In words.", rule="a", suggestions=["b"])
    back = error_from(sent.problem())
    assert (type(back), back.detail, back.helps) == (kind, sent.detail, sent.helps)
    assert back.problem() == sent.problem()


def test_a_code_of_a_later_version_is_an_error_all_the_same() -> None:
    assert str(error_from({"code": "of_tomorrow", "status": 418, "title": "T", "detail": "D"})) == "D"


def test_a_fault_of_the_server_is_told_without_its_inside(tmp_path: Path) -> None:
    says: dict[str, str | Exception] = {**SAYS, "broken": RuntimeError("secret-of-the-inside")}
    with control_on(make_data(tmp_path), says, cost_limit_rows=10) as control, serving(control) as url, Client(url) as client:
        with pytest.raises(InternalError) as raised:
            client.answer("broken")
        assert "secret-of-the-inside" not in str(raised.value.problem())
        with pytest.raises(TooCostly) as costly:
            client.answer("all sales")
        assert costly.value.helps["estimated_rows"] > 10


def test_a_replica_in_front_of_a_server_gives_the_same(control: ControlUnit) -> None:
    with serving(control) as behind, Client(behind) as near, serving(near) as front, Client(front) as far:
        question = Question("all sales", row_limit=5)
        seen: list[Stage] = []
        assert far.answer(question, seen.append).body() == control.answer(question).body()
        assert {stage.name for stage in seen} == {"catalog", "model", "checks", "dry_run", "queue", "engine"}
        with pytest.raises(PolicyRefused):
            far.answer("which sales can go?")
        assert far.tables() == control.tables()


def test_no_server_is_said_in_a_sentence() -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(ServerUnavailable, match=r"127\.0\.0\.1:9"):
        client.answer("how many?")


@pytest.mark.parametrize("address", ["", "localhost:1", "ftp://x", "http://[", "http://127.0.0.1:port"])
def test_an_address_that_is_none_is_said_in_a_sentence(address: str) -> None:
    with pytest.raises(StreamLinkError), Client(address) as client:
        client.tables()


class Stranger(http.server.BaseHTTPRequestHandler):
    """Some other web server."""

    def do_GET(self) -> None:
        """Answers every address with a page."""
        self.send_response(404 if "missing" in self.path else 200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def do_POST(self) -> None:
        """Begins a stream and breaks it off."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'event: accepted\ndata: {"id": "1"}\n\n')

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""


def test_a_stranger_and_a_broken_stream_are_told_apart_from_an_answer() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Client(f"http://127.0.0.1:{server.server_address[1]}") as client:
            for call in (client.tables, lambda: client.entry("missing"), lambda: client.answer("how many?")):
                with pytest.raises(ServerUnavailable):
                    call()
        server.shutdown()


@pytest.mark.parametrize("kind", [ControlUnit, Client])
def test_both_have_the_methods_of_the_contract(kind: type[Any]) -> None:
    wanted = {name for name, _ in inspect.getmembers(Control, inspect.isfunction) if not name.startswith("_")}
    assert wanted
    assert wanted <= set(dir(kind))
    for name in wanted:
        ours, theirs = inspect.signature(getattr(kind, name)), inspect.signature(getattr(Control, name))
        required = [name for name, each in ours.parameters.items() if each.kind is not each.KEYWORD_ONLY or name in theirs.parameters]
        assert required == list(theirs.parameters)
