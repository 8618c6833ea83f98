"""One id for a question through processes of their own, to a real collector; and where nobody collects, the id alone."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamlink_sql import tracing
from streamlink_sql.assemble import control_unit
from streamlink_sql.client import Client
from streamlink_sql.errors import InvalidSQL
from streamlink_sql.generators.chat import ChatGenerator, Server
from streamlink_sql.logs import JSONLines
from streamlink_sql.types import Context, Question, Stage
from streamlink_sql.underway import Underway
from tests.chat_server import serving as scripted
from tests.chat_server import streamed
from tests.collector import Collected, Seen, collecting
from tests.serving import control_on, free_port, make_data, serving, until

OURS, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{OURS}-{PARENT}-01"
QUESTION = "total amount of sales per region"


@contextmanager
def part(place: Path, *command: str, told: Mapping[str, str], port: int = 0) -> Iterator[tuple[str, Path]]:
    """A part of StreamLink as a process of its own: where it is going to answer, and its log."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STREAMLINK_", "OTEL_"))}
    log, port = place / f"{command[0]}.log", port or free_port()
    with (
        log.open("w") as output,
        subprocess.Popen(
            [sys.executable, "-m", "streamlink_sql", *command, "--port", str(port)],
            cwd=place,
            env={**kept, **told},
            stderr=output,
            text=True,
        ) as process,
    ):
        try:
            yield f"http://127.0.0.1:{port}", log
        finally:
            process.terminate()
            process.wait(60)


def wait_for(*parts: tuple[str, Path]) -> None:
    """Until they answer."""
    for address, log in parts:
        until(lambda address=address, log=log: f"answers on {address}" in log.read_text())  # type: ignore[misc]


@pytest.fixture(scope="module")
def collected() -> Iterator[Collected]:
    with collecting() as found:
        yield found


@pytest.fixture(scope="module")
def chain(collected: Collected, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[str, Path]]]:
    """A page replica, a control unit and a worker, each its own process; they start at the same time."""
    place = tmp_path_factory.mktemp("chain")
    data = make_data(place / "data")
    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": collected.url, "OTEL_BSP_SCHEDULE_DELAY": "100", "STREAMLINK_LOG_FORMAT": "json"}
    told |= {"STREAMLINK_STORE": "temporary", "FASTAPI_OTEL_AUTO_CONFIGURE": "true"}
    with ExitStack() as stack:
        worker = stack.enter_context(part(place, "worker", told=told))
        ccu = stack.enter_context(part(place, "ccu", "--data", str(data), "--model", f"worker:{worker[0]}", told=told))
        web = stack.enter_context(part(place, "web", "--ccu", ccu[0], told=told))
        wait_for(worker, ccu, web)
        yield {"worker": worker, "ccu": ccu, "web": web}


def tree(spans: list[Seen], parent: str) -> dict[str, Any]:
    """Names of spans by who called them."""
    return {f"{span.part}: {span.name}": tree(spans, span.id) for span in spans if span.parent == parent}


def test_one_id_from_the_page_replica_to_the_worker(chain: dict[str, tuple[str, Path]], collected: Collected) -> None:
    with closing(Client(chain["web"][0])) as client:
        answer = client.answer(QUESTION)
    until(lambda: any(span.name == "ask" for span in collected.of(answer.trace_id)))
    spans = collected.of(answer.trace_id)
    (root,) = [span for span in spans if not span.parent]
    assert (root.part, root.name, root.kind) == ("streamlink-web", "ask", "client")
    stages = tree(spans, root.id)["streamlink-ccu: question"]
    assert set(stages) == {f"streamlink-ccu: {stage}" for stage in ("catalog", "model", "checks", "dry_run", "queue", "engine")}
    drafts = stages.pop("streamlink-ccu: model")
    assert drafts == {"streamlink-worker: drafts": {"streamlink-worker: queue": {}, "streamlink-worker: model": {}}}
    assert not any(stages.values())
    kinds = {f"{span.part}: {span.name}": span.kind for span in spans}
    assert kinds["streamlink-ccu: question"] == kinds["streamlink-worker: drafts"] == "server"
    engine = next(span for span in spans if span.name == "engine")
    assert engine.attributes["streamlink.rows"] == answer.row_count == 2
    assert engine.ms == pytest.approx(answer.timings_ms["engine"], abs=5)
    assert all(inner.ms <= root.ms for inner in spans)


def test_a_caller_goes_on_with_a_trace_of_its_own(chain: dict[str, tuple[str, Path]], collected: Collected) -> None:
    for headers in ({"traceparent": TRACEPARENT}, {"X-Request-Id": OURS.upper()}, {"traceparent": "00-0-0-00", "X-Request-Id": OURS}):
        collected.spans.clear()
        answer = httpx.post(f"{chain['ccu'][0]}/v1/ask", json={"question": QUESTION}, headers=headers, timeout=60).json()
        assert answer["trace_id"] == OURS
        until(lambda: any(span.name == "question" for span in collected.spans))
        (question,) = [span for span in collected.spans if span.name == "question"]
        assert (question.trace, question.parent) == (OURS, PARENT if headers.get("traceparent") == TRACEPARENT else "")


def test_a_problem_names_its_trace_and_its_spans_the_code(chain: dict[str, tuple[str, Path]], collected: Collected) -> None:
    problem = httpx.post(f"{chain['ccu'][0]}/v1/sql", json={"sql": "DROP TABLE sales"}, timeout=60).json()
    assert problem["code"] == "policy_refused"
    until(lambda: any(span.name == "question" for span in collected.of(problem["trace_id"])))
    by_name = {span.name: span for span in collected.of(problem["trace_id"])}
    assert by_name["checks"].attributes == by_name["question"].attributes == {"streamlink.code": "policy_refused"}
    assert not by_name["question"].failed, "to be told no is no failure"
    kept = httpx.get(f"{chain['ccu'][0]}/v1/history/{problem['id']}", timeout=60).json()
    assert kept["trace_id"] == problem["trace_id"]
    nothing = httpx.get(f"{chain['ccu'][0]}/nothing", headers={"traceparent": TRACEPARENT}, timeout=60).json()
    assert (nothing["code"], nothing["trace_id"]) == ("not_found", OURS)


def test_spans_and_log_lines_hold_no_text_and_no_data(chain: dict[str, tuple[str, Path]], collected: Collected) -> None:
    with closing(Client(chain["web"][0])) as client:
        asked = Question("total amount of sales per region in the north")
        answer = client.answer(asked)
        with pytest.raises(InvalidSQL):
            client.run_sql("SELECT love FROM sales")
    until(lambda: any(span.name == "ask" for span in collected.of(answer.trace_id)))
    known = {"streamlink.rows", "streamlink.bytes", "streamlink.drafts", "streamlink.code"}
    assert {name for span in collected.spans for name in span.attributes} <= known
    logs = {name: log.read_text() for name, (_, log) in chain.items()}
    for text in ("region", "north", "SELECT", "love", asked.id, str(chain["ccu"][1].parent)):
        assert text.encode() not in collected.raw, text
    for text in ("region", "north", "SELECT", "love"):
        assert not any(text in log for log in logs.values()), text


def test_the_log_tells_of_each_question_and_its_trace(chain: dict[str, tuple[str, Path]]) -> None:
    question = Question(QUESTION)
    with closing(Client(chain["ccu"][0])) as client:
        answer = client.answer(question)
    for name in ("ccu", "worker"):
        until(lambda name=name: question.id in chain[name][1].read_text())  # type: ignore[misc]
        lines = [json.loads(line) for line in chain[name][1].read_text().splitlines() if line.startswith("{")]
        (line,) = [line for line in lines if line.get("id") == question.id]
        assert (line["trace_id"], line["part"], line["code"], line["level"]) == (answer.trace_id, name, "ok", "info")
        assert line["ms"] > 0
        if name == "ccu":
            assert (line["asker"], line["stage"], line["rows"]) == ("local", "engine", answer.row_count)


def test_an_error_in_the_log_is_its_type_and_its_places() -> None:
    def fail() -> None:
        try:
            int("the secret")
        except ValueError as error:
            raise KeyError("the secret, too") from error

    with pytest.raises(KeyError) as caught:
        fail()
    record = logging.LogRecord("streamlink_sql.web", logging.ERROR, __file__, 1, "internal error", (), (KeyError, caught.value, caught.tb))
    line = JSONLines("ccu").format(record)
    assert "secret" not in line
    shown = json.loads(line)["exception"]
    assert [each for each in shown if " " not in each] == ["builtins.KeyError", "builtins.ValueError"]
    assert all(re.fullmatch(rf"{re.escape(__file__)}:\d+ \w+", each) for each in shown if " " in each)
    assert shown[2].endswith(" fail")
    assert shown[-1].endswith(" fail")


def test_without_a_collector_the_id_is_passed_on_all_the_same(tmp_path: Path) -> None:
    with control_on(make_data(tmp_path)) as control, serving(control) as url, closing(Client(url)) as client:
        answers = [client.answer("how many sales?") for _ in range(2)]
        assert len({answer.trace_id for answer in answers}) == 2
        assert all(re.fullmatch("[0-9a-f]{32}", answer.trace_id) for answer in answers)
        assert client.entry(answers[0].id)["trace_id"] == answers[0].trace_id
        with tracing.continued(TRACEPARENT):
            assert client.answer("how many sales?").trace_id == OURS


NO_TRACES = [None, "", "00", TRACEPARENT[:-1], TRACEPARENT.upper(), f"ff{TRACEPARENT[2:]}", f"00-{'0' * 32}-{PARENT}-01"]


def test_what_is_no_trace_is_not_taken_for_one() -> None:
    for told in [*NO_TRACES, f"00-{OURS}-{'0' * 16}-01", "0" * 32]:
        with tracing.continued(told, "no id"):
            assert tracing.trace_id() != OURS
            assert re.fullmatch("[0-9a-f]{32}", tracing.trace_id())
            assert tracing.place() == tracing.trace_id(), "no span is open yet"
    with tracing.continued(f"cc-{OURS}-{PARENT}-01-what-comes-later"):
        assert tracing.place() == TRACEPARENT
    assert tracing.trace_id() == tracing.place() == ""


def test_a_chat_model_is_told_the_trace_and_its_tokens_are_counted() -> None:
    seen: list[Stage] = []
    heard: list[str] = []

    def reply(talk: Any, body: dict[str, Any]) -> None:
        heard.append(talk.headers["traceparent"])
        assert body["stream_options"] == {"include_usage": True}
        streamed("```sql\nSELECT 1\n```")(talk, body)

    with scripted(reply) as server, closing(ChatGenerator(Server(server.url, "tiny"))) as model:
        run = Underway(Question("one?"), seen.append)
        with tracing.continued(TRACEPARENT), run.stage("model"):
            assert model.generate(run.question, Context("duckdb", ()), 1)
    assert heard == [TRACEPARENT]
    assert seen[-1].counts == {"tokens_read": 7, "tokens_written": 2}


def test_a_program_with_traces_of_its_own_is_the_parent(tmp_path: Path) -> None:
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

    theirs = NonRecordingSpan(SpanContext(int(OURS, 16), int(PARENT, 16), is_remote=False, trace_flags=TraceFlags(1)))
    with closing(control_unit(data=str(make_data(tmp_path)), store="temporary")) as control, use_span(theirs):
        assert control.answer(Question(QUESTION)).trace_id == OURS


def test_tracing_loads_nothing_unless_it_is_asked_for() -> None:
    code = "import sys; from streamlink_sql import tracing; tracing.start('test')\nwith tracing.span('a'): print(tracing.trace_id())"
    code += "\nprint(*(name for name in sys.modules if name.startswith('opentelemetry')))"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    off: tuple[dict[str, str], ...] = (
        {},
        {"OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"},
    )
    for told in off:
        done = subprocess.run([sys.executable, "-c", code], env=kept | told, capture_output=True, text=True, check=True)
        assert re.fullmatch(r"[0-9a-f]{32}\n\n", done.stdout)
        assert done.stderr == ""
    unknown = kept | {"OTEL_TRACES_EXPORTER": "pigeon"}
    done = subprocess.run([sys.executable, "-c", code], env=unknown, capture_output=True, text=True, check=True)
    assert "pigeon is not installed: pip install 'streamlink-sql[trace]'" in done.stderr


def test_a_collector_that_is_gone_delays_nothing_for_long() -> None:
    code = "from streamlink_sql import tracing; tracing.start('test')\nfor _ in range(3000):\n    with tracing.span('a'): pass"
    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_MAX_QUEUE_SIZE": "4000"}
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", code], env=os.environ | told, capture_output=True, timeout=60, check=True)
    assert time.monotonic() - began < 20, "the SDK alone would wait half a minute"
