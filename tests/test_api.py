"""The REST API, asked over HTTP of a real server on a real engine; only the model is scripted."""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from streamlink_sql.control import ControlUnit
from streamlink_sql.errors import (
    EngineUnavailable,
    Forbidden,
    ModelUnavailable,
    StoreUnavailable,
    StreamLinkError,
    Unauthenticated,
)
from streamlink_sql.types import Question, Stage
from streamlink_sql.web.api import create_app
from streamlink_sql.web.desk import Alone, Desk
from streamlink_sql.web.edge import BODY_MAX
from tests.serving import ENDLESS, SAYS, Scripted, control_on, make_data, serving, until

DOCS = Path(__file__).parent.parent / "docs" / "rest.md"
STREAM = {"Accept": "text/event-stream"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("api") / "data")


@pytest.fixture(scope="module")
def control(data: Path) -> Iterator[ControlUnit]:
    with control_on(data) as opened:
        yield opened


@pytest.fixture(scope="module")
def url(control: ControlUnit) -> Iterator[str]:
    with serving(control, data="sales-data", model="scripted") as address:
        yield address


@pytest.fixture(scope="module")
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=120) as client:
        yield client


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that a response is, in the one form that all have."""
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json"), response.text
    body: dict[str, Any] = response.json()
    assert (body["status"], body["code"]) == (status, code)
    assert isinstance(body["title"], str)
    assert body["detail"]
    assert "Traceback" not in response.text
    return body


def events(response: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    """The events of a stream, in order."""
    assert response.headers["content-type"].startswith("text/event-stream")
    found = re.findall(r"event: (\w+)\ndata: (.*)\n\n", response.text)
    return [(name, json.loads(body)) for name, body in found]


def test_one_question_one_answer(http: httpx.Client, control: ControlUnit) -> None:
    response = http.post("/v1/ask", json={"question": "total per region"})
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    body = response.json()
    assert body["columns"] == [{"name": "region", "type": "text"}, {"name": "total", "type": "decimal"}]
    assert body["rows"] == [["north", "150000"], ["south", "49000"]]
    assert list(body) == [
        *("id", "question", "sql", "explanation", "columns", "rows", "row_count", "truncated", "confidence", "model", "engine"),
        *("attempts", "timings_ms", "warnings", "trace_id"),
    ]
    assert list(body["timings_ms"]) == ["catalog", "model", "checks", "dry_run", "queue", "engine", "total"]
    assert control.entry(body["id"])["sql"] == body["sql"]


def test_limits_travel_with_the_question(http: httpx.Client) -> None:
    body = http.post("/v1/ask", json={"question": "all sales", "row_limit": 3}).json()
    assert (len(body["rows"]), body["row_count"], body["truncated"]) == (3, 3, True)
    problem(http.post("/v1/ask", json={"question": "never ends", "time_limit_s": 0.3}), 504, "timed_out")


def test_the_data_and_the_model_may_be_named(http: httpx.Client) -> None:
    assert http.post("/v1/ask", json={"question": "how many sales?", "data": "sales-data", "model": "scripted"}).status_code == 200
    for other in ({"data": "/etc"}, {"model": "http://elsewhere/v1#m"}):
        said = problem(http.post("/v1/ask", json={"question": "how many sales?", **other}), 404, "not_found")
        assert said["field"] in other


def test_the_story_is_told_as_it_happens(http: httpx.Client) -> None:
    told = events(http.post("/v1/ask", json={"question": "how many sales?", "id": "story-1"}, headers=STREAM))
    assert told[0] == ("accepted", {"id": "story-1"})
    stages = [body for name, body in told if name == "stage"]
    assert [s["name"] for s in stages if s["state"] == "start"] == ["catalog", "model", "checks", "dry_run", "queue", "engine"]
    assert all((s["ms"] is None) == (s["state"] == "start") for s in stages)
    assert told[-1][0] == "answer"
    assert told[-1][1]["rows"] == [[200]]
    assert [name for name, _ in told].count("answer") == 1


def test_accepted_means_written_down(http: httpx.Client, control: ControlUnit) -> None:
    with http.stream("POST", "/v1/ask", json={"question": "how many sales?", "id": "written"}, headers=STREAM) as response:
        for line in response.iter_lines():
            if line == "event: accepted":
                assert control.entry("written")["state"] in ("accepted", "answered")


def test_a_problem_in_a_stream_is_an_event(http: httpx.Client) -> None:
    told = events(http.post("/v1/ask", json={"question": "which sales can go?"}, headers=STREAM))
    assert told[0][0] == "accepted"
    assert (told[-1][0], told[-1][1]["code"], told[-1][1]["status"]) == ("problem", "policy_refused", 422)
    assert events(http.post("/v1/ask", json={"question": " "}, headers=STREAM))[-1][1]["code"] == "bad_request"


def test_a_request_to_change_data_is_refused_before_it_is_accepted(http: httpx.Client) -> None:
    body = problem(http.post("/v1/ask", json={"question": "drop the sales"}), 422, "policy_refused")
    assert (body["rule"], "attempts" in body) == ("question.write", False)
    ((name, told),) = events(http.post("/v1/ask", json={"question": "drop the sales"}, headers=STREAM))
    assert (name, told["code"], told["rule"]) == ("problem", "policy_refused", "question.write")


def test_line_breaks_of_every_kind_stay_within_an_event(http: httpx.Client) -> None:
    sql = "SELECT 'a\u2028b\u0085c\nd' AS words FROM sales LIMIT 1"
    told = events(http.post("/v1/sql", json={"sql": sql.replace("\u2028", "' || chr(8232) || '").replace("\u0085", "")}, headers=STREAM))
    assert told[-1][1]["rows"] == [["a\u2028bc\nd"]]


def test_the_same_key_gives_the_same_answer_and_the_query_runs_once(http: httpx.Client, control: ControlUnit) -> None:
    key = str(uuid.uuid4())

    def ask(_: int) -> dict[str, Any]:
        found: dict[str, Any] = http.post("/v1/ask", json={"question": "all sales"}, headers={"Idempotency-Key": key}).json()
        return found

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["id"] == key
    assert http.post("/v1/ask", json={"question": "all sales", "id": key}).json() == answers[0]
    assert [line["event"] for line in control.store.audit_lines(id=key)] == ["approved", "answered"]
    problem(http.post("/v1/ask", json={"question": "how many sales?", "id": key}), 400, "bad_request")
    problem(http.post("/v1/ask", json={"question": "all sales", "id": "x"}, headers={"Idempotency-Key": key}), 400, "bad_request")


def test_sql_of_a_person_passes_the_same_checks(http: httpx.Client, control: ControlUnit) -> None:
    body = http.post("/v1/sql", json={"sql": "select max(id) as m from sales", "question": "the newest sale"}).json()
    assert (body["rows"], body["question"]) == ([[199]], "the newest sale")
    assert control.entry(body["id"])["question"] == "the newest sale"
    problem(http.post("/v1/sql", json={"sql": "DELETE FROM sales"}), 422, "policy_refused")
    problem(http.post("/v1/sql", json={"sql": "SELECT FROM WHERE"}), 422, "invalid_sql")


def test_check_runs_nothing(http: httpx.Client, control: ControlUnit) -> None:
    before = len(control.store.audit_lines())
    body = http.post("/v1/check", json={"sql": "select id from SALES"}).json()
    assert (body["verdict"], body["tables"]) == ("passed", ["sales"])
    problem(http.post("/v1/check", json={"sql": "COPY sales TO '/tmp/x'"}), 422, "policy_refused")
    assert len(control.store.audit_lines()) == before


def test_tables(http: httpx.Client, control: ControlUnit) -> None:
    found = http.get("/v1/tables").json()["tables"]
    assert found == [table.body() for table in control.tables()]
    assert [column["name"] for column in found[1]["columns"]] == ["id", "region", "amount"]


def test_history_page_by_page(http: httpx.Client) -> None:
    ids = [http.post("/v1/ask", json={"question": "how many sales?"}).json()["id"] for _ in range(3)]
    first = http.get("/v1/history", params={"limit": 2}).json()
    assert [entry["id"] for entry in first["entries"]] == [ids[2], ids[1]]
    assert "rows" not in first["entries"][0]
    second = http.get("/v1/history", params={"limit": 2, "before": first["next"]}).json()
    assert second["entries"][0]["id"] == ids[0]
    assert http.get(f"/v1/history/{ids[0]}").json()["state"] == "answered"
    problem(http.get("/v1/history/none"), 404, "not_found")
    problem(http.get("/v1/history", params={"before": "none"}), 404, "not_found")
    assert problem(http.get("/v1/history", params={"limit": 0}), 400, "bad_request")["field"] == "limit"


def test_an_id_of_any_characters_can_be_asked_for(http: httpx.Client) -> None:
    for id_ in ("a/b", "ü ?&#", "../../etc"):
        assert http.post("/v1/ask", json={"question": "how many sales?", "id": id_}).json()["id"] == id_
        quoted = "".join(f"%{byte:02X}" for byte in id_.encode())
        assert http.get(f"/v1/history/{quoted}").json()["id"] == id_


def test_feedback_becomes_pairs_to_learn_from(http: httpx.Client) -> None:
    id_ = http.post("/v1/ask", json={"question": "how many sales?"}).json()["id"]
    kept = http.post("/v1/feedback", json={"id": id_, "verdict": "wrong", "sql": "SELECT count(DISTINCT id) AS n FROM sales"})
    assert kept.json() == {"id": id_, "verdict": "wrong"}
    response = http.get("/v1/feedback/accepted")
    assert response.headers["content-type"] == "application/x-ndjson"
    pairs = [json.loads(line) for line in response.text.splitlines()]
    assert pairs[-1] == {"id": id_, "question": "how many sales?", "query": "SELECT COUNT(DISTINCT id) AS n FROM sales"}
    problem(http.post("/v1/feedback", json={"id": id_, "verdict": "wrong", "sql": "DROP TABLE sales"}), 422, "policy_refused")
    problem(http.post("/v1/feedback", json={"id": "none", "verdict": "right"}), 404, "not_found")
    assert problem(http.post("/v1/feedback", json={"id": id_, "verdict": "perhaps"}), 400, "bad_request")["field"] == "verdict"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "question"),
        ({"question": 5}, "question"),
        ({"question": None}, "question"),
        ({"question": "all sales", "row_limit": "10"}, "row_limit"),
        ({"question": "all sales", "row_limit": True}, "row_limit"),
        ({"question": "all sales", "row_limit": 1.5}, "row_limit"),
        ({"question": "all sales", "time_limit_s": "soon"}, "time_limit_s"),
        ({"question": "all sales", "time_limit_s": "5"}, "time_limit_s"),
        ({"question": "all sales", "time_limit_s": True}, "time_limit_s"),
        ({"question": "all sales", "confirm": "yes"}, "confirm"),
        ({"question": "all sales", "id": 7}, "id"),
        ({"question": "all sales", "row_limt": 7}, "row_limt"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(http: httpx.Client, body: dict[str, Any], field: str) -> None:
    said = problem(http.post("/v1/ask", json=body), 400, "bad_request")
    assert said["field"] == field
    assert f"`{field}`" in said["detail"]


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe", b"{'question': 1}"),
        *(b'{"question": "all sales", "time_limit_s": NaN}', b'{"question": "\\ud800"}', b"[" * 100_000),
    ],
    ids=str,
)
def test_a_body_that_is_no_json_object_is_refused(http: httpx.Client, content: bytes) -> None:
    said = problem(http.post("/v1/ask", content=content, headers={"Content-Type": "application/json"}), 400, "bad_request")
    assert said["rule"] in ("json", "finite_number", "binary")


def test_a_form_or_plain_text_is_refused(http: httpx.Client) -> None:
    problem(http.post("/v1/ask", data={"question": "all sales"}), 400, "bad_request")
    problem(http.post("/v1/ask", content='{"question": "all sales"}', headers={"Content-Type": "text/plain"}), 400, "bad_request")


@pytest.mark.parametrize("question", ["", "   ", "?!", "\x00\x01", "a" * 5000, "1 2 3"], ids=repr)
def test_a_question_that_is_none_is_refused(http: httpx.Client, question: str) -> None:
    problem(http.post("/v1/ask", json={"question": question}), 400, "bad_request")


@pytest.mark.parametrize("id_", ["", "x" * 201, "a\nb"], ids=repr)
def test_an_id_that_is_none_is_refused(http: httpx.Client, id_: str) -> None:
    problem(http.post("/v1/ask", json={"question": "how many sales?", "id": id_}), 400, "bad_request")


def chunks(total: int) -> Iterator[bytes]:
    for _ in range(total // 65536 + 1):
        yield b" " * 65536


def test_a_body_that_is_too_large_is_refused(http: httpx.Client) -> None:
    problem(http.post("/v1/ask", json={"question": "x" * BODY_MAX}), 413, "too_large")
    problem(http.post("/v1/ask", content=chunks(BODY_MAX + 1)), 413, "too_large")


def test_what_is_not_there_is_a_problem(http: httpx.Client) -> None:
    for path in ("/nothing", "/v1/nothing", "/docs", "/redoc", "/", "/v1/ask/"):
        problem(http.get(path), 404, "not_found")
    wrong = http.get("/v1/ask")
    assert "POST" in problem(wrong, 405, "method_not_allowed")["detail"]
    assert wrong.headers["allow"] == "POST"
    problem(http.delete("/v1/runs/none"), 404, "not_found")


FAULTS = {
    "m": (ModelUnavailable("The model is away."), 503, "model_unavailable"),
    "e": (EngineUnavailable("The database is away."), 503, "engine_unavailable"),
    "s": (StoreUnavailable("The disk is full."), 503, "store_unavailable"),
    "u": (Unauthenticated(), 401, "unauthenticated"),
    "f": (Forbidden(), 403, "forbidden"),
    "x": (RuntimeError("secret-of-the-inside"), 500, "internal"),
}


@pytest.fixture(scope="module")
def faulty(data: Path) -> Iterator[httpx.Client]:
    says: dict[str, str | Exception] = {name: error for name, (error, _, _) in FAULTS.items()}
    with (
        control_on(data, {**SAYS, **says}, cost_limit_rows=10) as opened,
        serving(opened) as address,
        httpx.Client(base_url=address) as client,
    ):
        yield client


@pytest.mark.parametrize("fault", list(FAULTS))
def test_every_error_has_its_status_and_code(faulty: httpx.Client, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    _, status, code = FAULTS[fault]
    body = problem(faulty.post("/v1/ask", json={"question": fault}), status, code)
    told = events(faulty.post("/v1/ask", json={"question": fault}, headers=STREAM))
    assert (told[-1][0], told[-1][1]["code"]) == ("problem", code)
    if code == "internal":
        assert "secret-of-the-inside" not in json.dumps([body, told])
        assert body["id"] in caplog.text
        assert "RuntimeError: secret-of-the-inside" in caplog.text


def test_what_costs_too_much_runs_when_confirmed(faulty: httpx.Client) -> None:
    body = problem(faulty.post("/v1/ask", json={"question": "all sales"}), 422, "too_costly")
    assert body["estimated_rows"] > 10
    assert faulty.post("/v1/ask", json={"question": "all sales", "confirm": True}).status_code == 200


def test_nothing_fits_is_a_problem(http: httpx.Client) -> None:
    problem(http.post("/v1/ask", json={"question": "what is the meaning of life"}), 422, "cannot_answer")
    body = problem(http.post("/v1/ask", json={"question": "a column that is not there"}), 422, "invalid_sql")
    assert body["attempts"][0]["sql"] == "SELECT revenue FROM sales"
    assert body["id"]


def underway(http: httpx.Client) -> float:
    found = re.search(r"^streamlink_questions_underway (.*)$", http.get("/metrics").text, re.MULTILINE)
    assert found
    return float(found[1])


def test_a_question_is_called_off(http: httpx.Client) -> None:
    def ask() -> httpx.Response:
        return http.post("/v1/ask", json={"question": "never ends", "id": "off", "time_limit_s": 200})

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask)
        until(lambda: http.delete("/v1/runs/off").status_code == 200)
        problem(asked.result(60), 499, "cancelled")
    assert http.get("/v1/history/off").json()["code"] == "cancelled"


@pytest.mark.parametrize("headers", [{}, STREAM], ids=["plain", "stream"])
def test_who_hangs_up_calls_the_question_off(http: httpx.Client, url: str, control: ControlUnit, headers: dict[str, str]) -> None:
    id_ = str(uuid.uuid4())
    body = json.dumps({"question": "never ends", "id": id_, "time_limit_s": 200})
    where = urlsplit(url)
    lines = [f"{name}: {value}\r\n" for name, value in {"Content-Type": "application/json", **headers}.items()]
    with socket.create_connection((where.hostname or "", where.port or 0)) as line:
        line.sendall(f"POST /v1/ask HTTP/1.1\r\nHost: x\r\n{''.join(lines)}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        until(lambda: any(entry["event"] == "approved" for entry in control.store.audit_lines(id=id_)))
    until(lambda: bool(control.entry(id_)["state"] == "problem"))
    assert control.entry(id_)["code"] == "cancelled"
    until(lambda: underway(http) == 0)


def test_a_question_goes_on_while_another_asker_waits_for_it(data: Path) -> None:
    with control_on(data) as opened:
        desk, id_, stages = Desk(Alone(opened)), "shared", threading.Event()

        def watch(stage: Stage) -> None:
            if (stage.name, stage.state) == ("engine", "start"):
                stages.set()

        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(desk.ask, Question("never ends", id=id_, time_limit_s=200), watch)
            assert stages.wait(60)
            second = pool.submit(desk.ask, Question("never ends", id=id_, time_limit_s=200))
            until(lambda: desk._askers[id_] == 2)
            desk.left(id_)
            assert not first.done()
            desk.left(id_)
            for one in (first, second):
                with pytest.raises(StreamLinkError) as raised:
                    one.result(60)
                assert raised.value.code == "cancelled"


def test_when_all_places_are_taken_it_says_when_to_come_back(data: Path) -> None:
    with (
        control_on(data) as opened,
        serving(opened, at_once=1) as address,
        httpx.Client(base_url=address, timeout=120) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        asked = pool.submit(lambda: client.post("/v1/sql", json={"sql": ENDLESS, "id": "long", "time_limit_s": 200}))
        until(lambda: underway(client) == 1)
        busy = client.post("/v1/ask", json={"question": "how many sales?"})
        assert problem(busy, 503, "busy")["retry_after"] == 2
        assert busy.headers["retry-after"] == "2"
        assert client.get("/healthz").status_code == 200
        until(lambda: client.delete("/v1/runs/long").status_code == 200)
        problem(asked.result(60), 499, "cancelled")


@pytest.mark.parametrize("headers", [{}, STREAM], ids=["plain", "stream"])
def test_a_server_that_stops_calls_off_what_is_under_way_and_says_so(data: Path, headers: dict[str, str]) -> None:
    with control_on(data) as opened, ThreadPoolExecutor(1) as pool:
        with serving(opened) as address:
            body = {"question": "never ends", "id": "last", "time_limit_s": 200}
            asked = pool.submit(lambda: httpx.post(f"{address}/v1/ask", json=body, headers=headers, timeout=120))
            until(lambda: any(line["event"] == "approved" for line in opened.store.audit_lines(id="last")))
            began = time.monotonic()
        assert time.monotonic() - began < 50
        response = asked.result(60)
        if headers:
            assert events(response)[-1][1]["code"] == "cancelled"
        else:
            problem(response, 499, "cancelled")
        assert opened.entry("last")["code"] == "cancelled"


def test_health_readiness_and_counters(http: httpx.Client) -> None:
    assert http.get("/healthz").json()["status"] == "ok"
    assert http.get("/readyz").status_code == 200
    http.post("/v1/ask", json={"question": "how many sales?"})
    http.post("/v1/ask", json={"question": "which sales can go?"})
    page = http.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    assert 'streamlink_questions_total{code="ok"}' in page.text
    assert 'streamlink_questions_total{code="policy_refused"}' in page.text
    assert 'streamlink_stage_seconds_count{stage="engine"}' in page.text
    assert "how many sales" not in page.text


def test_not_ready_says_why(data: Path) -> None:
    with control_on(data) as opened, serving(opened) as address:
        opened.store._engine.dispose()
        folder = Path(str(opened.store._engine.url.database)).parent
        for file in folder.iterdir():
            file.unlink()
        problem(httpx.get(f"{address}/readyz"), 503, "store_unavailable")
        problem(httpx.post(f"{address}/v1/ask", json={"question": "how many sales?"}), 503, "store_unavailable")


def test_pages_of_other_sites_may_not_ask(http: httpx.Client, control: ControlUnit) -> None:
    body = {"question": "how many sales?"}
    for origin in ("https://evil.example", "null", "http://[", ""):
        problem(http.post("/v1/ask", json=body, headers={"Origin": origin}), 403, "forbidden")
    assert http.post("/v1/ask", json=body, headers={"Origin": str(http.base_url).rstrip("/")}).status_code == 200
    with serving(control, hosts={"127.0.0.1"}) as address:
        assert httpx.get(f"{address}/healthz").status_code == 200
        for host in ("evil.example", "[", "127.0.0.1.evil.example", "127.0.0.1@evil.example"):
            problem(httpx.get(f"{address}/healthz", headers={"Host": host}), 403, "forbidden")


def test_answers_are_not_taken_for_pages(http: httpx.Client) -> None:
    headers = http.get("/healthz").headers
    assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref":
                yield value
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_openapi_document_is_whole(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for reference in references(document):
        found = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["summary"]
            assert operation["description"]
            assert "application/problem+json" in operation["responses"]["default"]["content"]
            assert "422" not in operation["responses"]
    asked = document["paths"]["/v1/ask"]["post"]
    assert {"application/json", "text/event-stream"} == set(asked["responses"]["200"]["content"])
    assert document["components"]["schemas"]["AskBody"]["examples"]


def test_every_route_is_on_its_page(http: httpx.Client) -> None:
    shown = DOCS.read_text(encoding="utf-8")
    paths = http.get("/openapi.json").json()["paths"]
    routes = {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}
    assert {route for route in routes if f"`{route}" not in shown} == set()
    assert {named.split("{")[0] for named in re.findall(r"^### `(\w+ /\S+?)`", shown, re.MULTILINE)} == {r.split("{")[0] for r in routes}


def test_fields_of_bodies_are_on_the_page(http: httpx.Client) -> None:
    shown = DOCS.read_text(encoding="utf-8")
    schemas = http.get("/openapi.json").json()["components"]["schemas"]
    named = {field for name in ("AskBody", "SQLBody", "FeedbackBody", "AnswerBody") for field in schemas[name]["properties"]}
    assert {field for field in named if f"`{field}`" not in shown} == set()


def test_an_unseen_fault_outside_the_routes_is_a_problem_too(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    with control_on(data) as opened:
        opened.tables = lambda: 1 / 0  # type: ignore[assignment,method-assign,return-value]
        with serving(opened) as address, caplog.at_level(logging.ERROR):
            body = problem(httpx.get(f"{address}/v1/tables"), 500, "internal")
        assert body["id"] in caplog.text
        assert "ZeroDivisionError" in caplog.text


def test_the_api_loads_no_page_framework(data: Path) -> None:
    import subprocess
    import sys

    code = "import streamlink_sql.web.api, streamlink_sql.client, sys; print('nicegui' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_scripted_model_was_asked_once_a_question(data: Path) -> None:
    with control_on(data) as opened:
        generator = opened.generator
        assert isinstance(generator, Scripted)
        app = create_app(opened, pages=False)
        assert app.routes is app.app
        Desk(Alone(opened)).ask(Question("how many sales?"))
        assert generator.asked == 1


LONE = '"\\udcff"'


@pytest.mark.parametrize("value", [LONE, "null", "7", "true", "[]", "{}", '""', "1e400", "NaN", "-1", "9" * 400])
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/ask", ("question", "data", "model", "id", "row_limit", "time_limit_s", "confirm")),
        ("/v1/sql", ("sql", "question", "id", "row_limit", "time_limit_s")),
        ("/v1/check", ("sql",)),
        ("/v1/feedback", ("id", "verdict", "sql", "comment")),
    ],
)
def test_no_value_of_a_field_is_a_fault_of_ours(http: httpx.Client, path: str, fields: tuple[str, ...], value: str) -> None:
    base = {"/v1/ask": {"question": "how many sales?"}, "/v1/feedback": {"id": "x", "verdict": "right"}}.get(path, {"sql": "SELECT 1"})
    for field in fields:
        rest = "".join(f', "{name}": "{text}"' for name, text in base.items() if name != field)
        response = http.post(path, content=f'{{"{field}": {value}{rest}}}', headers={"Content-Type": "application/json"})
        if response.status_code != 200:
            assert response.status_code in (400, 404, 422)
            assert problem(response, response.status_code, response.json()["code"])["detail"]
        elif value == LONE:
            raise AssertionError(f"{path} took a broken character as {field}")
