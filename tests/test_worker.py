"""`streamlink-sql worker` as a process of its own, asked over HTTP; where it must be slow, its model is a scripted server."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamlink_sql.assemble import control_unit
from streamlink_sql.errors import BadRequest, Busy, Cancelled, CannotAnswer, ModelUnavailable, TimedOut
from streamlink_sql.generators import open_generator, remote
from streamlink_sql.generators.drafting import DraftsBody, DraftsReply, drafts_from
from streamlink_sql.types import Attempt, Column, Context, Draft, ForeignKey, Generator, Question, Table, ValueMatch
from tests.chat_server import Scripted, Talk, broken, hanging, problem, raw, serving, streamed
from tests.serving import free_port, make_data, until

SINGERS = Context(
    "duckdb",
    (
        Table(
            "singer", (Column("id", "integer", "INTEGER"), Column("name", "text", "VARCHAR"), Column("age", "integer", "INTEGER")), ("id",)
        ),
        Table(
            "song",
            (Column("singer_id", "integer", "INTEGER"), Column("title", "text", "VARCHAR", "as printed")),
            foreign_keys=(ForeignKey(("singer_id",), "singer", ("id",), inferred=True),),
        ),
    ),
    (ValueMatch("singer", "name", "Ann", 22, 25, 0.9),),
    {("singer", "name"): ("Ann", "Bob")},
    {("singer", ""): ("vocalist",), ("singer", "age"): ("years",)},
)
TOKEN = "a long secret text"


@dataclass
class Worker:
    """A process, where it answers, and what it said."""

    process: subprocess.Popen[str]
    url: str

    def metric(self, name: str) -> float:
        """One of its counters."""
        page = httpx.get(f"{self.url}/metrics", timeout=30).text
        return next((float(line.rpartition(" ")[2]) for line in page.splitlines() if line.startswith(f"streamlink_worker_{name} ")), 0.0)


@contextmanager
def working(*options: str, token: str | None = None, port: int = 0) -> Iterator[Worker]:
    """A worker that answers."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLINK_")}
    environment |= {"STREAMLINK_WORKER_TOKEN": token} if token else {}
    command = [sys.executable, "-m", "streamlink_sql", "worker", "--port", str(port), *options]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        found = re.search(r"answers on (http://\S+)", first)
        try:
            assert found, first + process.stderr.read()
            yield Worker(process, found[1])
        finally:
            if process.poll() is None:
                process.kill()


@pytest.fixture(scope="module")
def parser() -> Iterator[Worker]:
    """One worker with the embedded parser for all tests that do it no harm."""
    with working(token=TOKEN) as worker:
        yield worker


def drafts(url: str, text: str = "How many singers are there?", *, token: str | None = None, timeout_s: float = 60.0) -> list[Draft]:
    """What a worker writes, through the generator that control units hold."""
    with closing(open_generator(f"worker:{url}", key=token, timeout_s=timeout_s)) as generator:
        return generator.generate(Question(text), SINGERS, 3)


def body(text: str = "How many singers are there?") -> dict[str, Any]:
    return dict(json.loads(DraftsBody.of(Question(text), SINGERS, 3, ()).to_json()))


ODD = "ä 中 \ud800 \u2028 \x00 \" \\ '"
CONTEXTS = [
    SINGERS,
    Context("spark", ()),
    Context(
        "sqlite",
        (
            Table(ODD, (Column(ODD, "other", ODD, ODD),), (ODD,), (ForeignKey((ODD, "b"), ODD, ("c", ODD)),), ODD, 2**63, 5),
            Table("empty", ()),
        ),
        (ValueMatch(ODD, ODD, ODD, 0, 10**6, 0.1 + 0.2, "glossary"), ValueMatch("a", "b", "", 0, 0, 5e-324)),
        {(ODD, ODD): (), ("a,b", "c"): ("1", ""), ("a", "b,c"): (ODD,)},
        {(ODD, ""): (ODD, ODD)},
    ),
]


@pytest.mark.parametrize("context", CONTEXTS, ids=["plain", "empty", "odd"])
def test_a_context_comes_out_of_json_as_it_went_in(context: Context) -> None:
    refused = (Attempt(ODD, "refused", ODD, ODD), Attempt("", "failed"))
    sent = DraftsBody.of(Question(ODD, id=ODD, asker="ann"), context, 4, refused).to_json()
    read = DraftsBody.model_validate(json.loads(sent))
    assert (read.context(), read.refused, read.n) == (context, refused, 4)
    assert (read.asked().text, read.asked().id) == (ODD, ODD)
    assert b"ann" not in sent, "who asks is no business of a model"


def test_drafts_come_out_of_json_as_they_went_in() -> None:
    written = [Draft(ODD, 0.1 + 0.2, ODD), Draft("SELECT 1", 0.0)]
    assert drafts_from(DraftsReply(drafts=tuple(written)).to_json()) == written


@pytest.fixture(scope="module")
def both(parser: Worker) -> Iterator[tuple[Generator, Generator]]:
    """The parser in this process and behind a worker."""
    with closing(open_generator("parser")) as here, closing(open_generator(f"worker:{parser.url}", key=TOKEN)) as there:
        yield here, there


QUESTIONS = [
    "How many singers are there?",
    "How old is the singer Ann?",
    "List the titles of all songs of singers older than 40",
    "the 3 oldest vocalists",
]


@pytest.mark.parametrize("text", QUESTIONS)
def test_a_worker_writes_what_its_model_writes_here(both: tuple[Generator, Generator], text: str) -> None:
    here, there = both
    first = here.generate(Question(text), SINGERS, 4)
    assert there.generate(Question(text), SINGERS, 4) == first
    refused = (Attempt(first[0].sql, "refused", "names", "There is no such column."),)
    again = there.generate(Question(text), SINGERS, 4, refused=refused)
    assert again == here.generate(Question(text), SINGERS, 4, refused=refused)
    assert first[0].sql not in {draft.sql for draft in again}


def test_what_the_model_cannot_do_is_told_as_it_is(parser: Worker) -> None:
    with pytest.raises(BadRequest, match="another language"):
        drafts(parser.url, "Wie viele Sänger gibt es und wie alt sind sie?", token=TOKEN)
    with closing(open_generator(f"worker:{parser.url}", key=TOKEN)) as generator, pytest.raises(CannotAnswer):
        generator.generate(Question("How many singers are there?"), Context("duckdb", ()), 3)


def test_a_question_goes_from_door_to_door(parser: Worker, tmp_path: Path) -> None:
    data = str(make_data(tmp_path / "data"))
    with closing(control_unit(data=data, model=f"worker:{parser.url}", worker_token=TOKEN, store="temporary")) as unit:
        answer = unit.answer(Question("How many sales are there?"))
    assert answer.model == "parser"
    assert answer.rows is not None
    assert [list(row) for row in answer.rows.as_python()] == [[200]]


def test_nobody_asks_without_the_token(parser: Worker) -> None:
    for path in ("/v1/drafts", "/metrics", "/nothing"):
        for sent in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
            answer = (
                httpx.post(parser.url + path, headers=sent, content=b"x" * 100)
                if "v1" in path
                else httpx.get(parser.url + path, headers=sent)
            )
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert httpx.get(f"{parser.url}/healthz").json()["status"] == httpx.get(f"{parser.url}/readyz").json()["status"] == "ok"
    for wrong in (None, "wrong"):
        with pytest.raises(ModelUnavailable, match="worker_token"):
            drafts(parser.url, token=wrong)


def test_what_is_no_request_is_told(parser: Worker) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    faults: list[dict[str, Any]] = [
        {"tables": 3},
        {"n": 0},
        {"dialect": "oracle"},
        {"more": 1},
        {"samples": [["a", "b"]]},
        {"question": "x" * 100_000},
        {"question": " "},
    ]
    for fault in faults:
        answer = httpx.post(f"{parser.url}/v1/drafts", headers=bearer, json=body() | fault, timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), fault
    for content in (b"", b"{", b"[" * 100_000, b"\xff", b"[]"):
        answer = httpx.post(f"{parser.url}/v1/drafts", headers=bearer | {"Content-Type": "application/json"}, content=content, timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), content[:9]
    assert httpx.post(f"{parser.url}/v1/drafts", headers=bearer | {"Origin": "https://evil.example"}, json=body()).status_code == 403
    answer = httpx.post(f"{parser.url}/v1/drafts", headers=bearer, content=b" " * (2**24 + 1), timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("options", "told", "status"),
    [
        (("--host", "0.0.0.0"), "worker_token", 2),
        (("--model", "telepathy"), "worker:http", 2),
        (("--model", "http://127.0.0.1:9/v1#x"), "No model server answers", 4),
        (("--parallel", "0"), "parallel", 2),
    ],
)
def test_a_worker_that_cannot_work_does_not_start(options: tuple[str, ...], told: str, status: int) -> None:
    command = [sys.executable, "-m", "streamlink_sql", "worker", "--port", "0", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == status
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@dataclass
class Slow:
    """A worker whose model writes when it is allowed to."""

    worker: Worker
    model: Scripted
    write: threading.Event
    askers: ThreadPoolExecutor

    def ask(self) -> Future[list[Draft]]:
        """A question in the background, which nobody has written for yet."""
        return self.askers.submit(drafts, self.worker.url)


def when(event: threading.Event, sql: str) -> Callable[[Talk, dict[str, Any]], None]:
    """A model that waits before it writes."""

    def reply(talk: Talk, asked: dict[str, Any]) -> None:
        assert event.wait(60)
        with suppress(OSError):  # the worker was killed
            streamed(sql)(talk, asked)

    return reply


@contextmanager
def slow(*options: str, replies: int = 6) -> Iterator[Slow]:
    write = threading.Event()
    script = [streamed("SELECT 0"), *[when(write, "SELECT 1")] * replies]
    with (
        serving(*script) as model,
        working("--model", f"{model.url}#slow", *options) as worker,
        ThreadPoolExecutor(8) as askers,
    ):
        try:
            yield Slow(worker, model, write, askers)
        finally:
            write.set()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no worker has a place the generator asks twice, then says so."""
    monkeypatch.setattr(remote, "PATIENCE_S", 1.2 * remote.PAUSE_S)


@pytest.mark.usefixtures("impatient")
def test_a_full_queue_says_when_to_come_again() -> None:
    with slow("--parallel", "1", "--queue", "1") as it:
        first = it.ask()
        until(lambda: it.worker.metric("running") == 1)
        second = it.ask()
        until(lambda: it.worker.metric("waiting") == 1)
        answer = httpx.post(f"{it.worker.url}/v1/drafts", json=body())
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        assert int(answer.headers["Retry-After"]) >= 1
        with pytest.raises(Busy) as caught:
            drafts(it.worker.url)
        assert caught.value.helps["retry_after"] >= 1
        assert not first.done()
        it.write.set()
        assert [draft.sql for found in (first, second) for draft in found.result(60)] == ["SELECT 1", "SELECT 1"]
        assert it.worker.metric('questions_total{code="busy"}') == 3, "the generator asks a second time"
        assert it.worker.metric('questions_total{code="ok"}') == it.worker.metric("drafts_total") == 2
        assert it.worker.metric('stage_seconds_count{stage="model"}') == 2


@pytest.mark.usefixtures("impatient")
def test_told_to_stop_it_finishes_what_it_writes() -> None:
    with slow("--parallel", "1", "--queue", "4") as it:
        running = it.ask()
        until(lambda: it.worker.metric("running") == 1)
        waiting = it.ask()
        until(lambda: it.worker.metric("waiting") == 1)
        it.worker.process.send_signal(signal.SIGTERM)
        until(lambda: httpx.get(f"{it.worker.url}/readyz").status_code == 503)
        assert httpx.get(f"{it.worker.url}/healthz").status_code == 200
        for told in (waiting, it.ask()):
            with pytest.raises(Busy, match="stopping"):
                told.result(60)
        assert it.worker.process.poll() is None
        it.write.set()
        assert [draft.sql for draft in running.result(60)] == ["SELECT 1"]
        assert it.worker.process.wait(60) == 0


def test_interrupted_it_stops_at_once() -> None:
    with slow() as it:
        running = it.ask()
        until(lambda: it.worker.metric("running") == 1)
        it.worker.process.send_signal(signal.SIGTERM)
        until(lambda: httpx.get(f"{it.worker.url}/readyz").status_code == 503)
        it.worker.process.send_signal(signal.SIGINT)
        with pytest.raises((Busy, ModelUnavailable)):
            running.result(60)
        it.worker.process.wait(60)


def test_a_worker_that_is_killed_is_told() -> None:
    with slow() as it:
        running = it.ask()
        until(lambda: it.worker.metric("running") == 1)
        it.worker.process.kill()
        with pytest.raises(ModelUnavailable, match="No worker answers"):
            running.result(60)


def test_a_question_called_off_frees_the_worker_and_its_model() -> None:
    with (
        serving(streamed("SELECT 0"), hanging, streamed("SELECT 1")) as model,
        working("--model", f"{model.url}#slow", "--parallel", "1", "--queue", "2") as worker,
        ThreadPoolExecutor(2) as askers,
        closing(open_generator(f"worker:{worker.url}")) as generator,
    ):
        running = askers.submit(generator.generate, Question("How many singers?", id="a"), SINGERS, 1)
        assert model.reached.wait(60)
        waiting = askers.submit(generator.generate, Question("How many songs?", id="b"), SINGERS, 1)
        until(lambda: worker.metric("waiting") == 1)
        assert generator.cancel("b")
        until(lambda: worker.metric("waiting") == 0)
        assert generator.cancel("a")
        assert model.gone.wait(60), "the model's server sees its connection close"
        for asked in (running, waiting):
            with pytest.raises(Cancelled):
                asked.result(60)
        assert generator.cancel("a") is False
        assert [draft.sql for draft in generator.generate(Question("How many singers?"), SINGERS, 1)] == ["SELECT 1"]


GOOD = raw(200, DraftsReply(drafts=(Draft("SELECT 1", 0.5, "m"),)).to_json().decode())
BUSY = raw(503, json.dumps({"code": "busy", "detail": "Full.", "retry_after": 1}))


@pytest.mark.parametrize("first", [BUSY, problem(503), broken], ids=["busy", "balancer", "broken"])
def test_once_is_tried_again(first: Callable[[Talk, dict[str, Any]], None]) -> None:
    with serving(first, GOOD) as server:
        assert drafts(server.url.removesuffix("/v1")) == [Draft("SELECT 1", 0.5, "m")]
    assert len(server.requests) == 2
    assert server.requests[0] == server.requests[1]


@pytest.mark.parametrize(
    ("replies", "error", "said"),
    [
        ((BUSY, BUSY), Busy, "Full"),
        ((problem(503), problem(503)), Busy, "No worker"),
        ((broken, broken), ModelUnavailable, "broke twice"),
        ((problem(502),), ModelUnavailable, "502"),
        ((raw(503, json.dumps({"code": "model_unavailable", "detail": "Its key is refused."})),), ModelUnavailable, "key is refused"),
        ((problem(404),), ModelUnavailable, "no StreamLink worker"),
        ((raw(200, "hello"),), ModelUnavailable, "no drafts"),
        ((raw(200, "[]"),), ModelUnavailable, "no drafts"),
        ((raw(500, json.dumps({"code": "internal", "detail": "log 12"})),), ModelUnavailable, "log 12"),
        ((hanging,), TimedOut, "model_timeout_s"),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_what_else_answers_is_told(replies: tuple[Any, ...], error: type[Exception], said: str) -> None:
    with serving(*replies) as server, pytest.raises(error, match=said):
        drafts(server.url.removesuffix("/v1"), timeout_s=2)
    assert len(server.requests) == len(replies)


def test_a_question_waits_for_a_worker_that_has_a_place() -> None:
    gone = raw(503, json.dumps({"code": "model_unavailable", "detail": "No worker answers.", "retry_after": 1}))
    with serving(BUSY, gone, broken, BUSY, GOOD) as server:
        assert drafts(server.url.removesuffix("/v1")) == [Draft("SELECT 1", 0.5, "m")]
    assert len(server.requests) == 5


def test_nobody_there_is_told() -> None:
    with pytest.raises(ModelUnavailable, match="No worker answers"):
        drafts(f"http://127.0.0.1:{free_port()}")


@pytest.mark.parametrize(
    "address", ["worker:", "worker:127.0.0.1:8090", "worker:ftp://x", "worker:http://a:1,http://b:2", "worker:http://[", "worker:http://"]
)
def test_an_address_that_is_none_is_told(address: str) -> None:
    with pytest.raises(BadRequest, match="worker:http://HOST:PORT"):
        open_generator(address)
