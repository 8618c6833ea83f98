"""The configuration of Nginx: what it refuses, and, with a real Nginx before real HTTP servers (marked `cluster`), what it does."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamlink_sql.cli.nginx import front_of
from streamlink_sql.client import Client
from streamlink_sql.errors import BadRequest, ModelUnavailable, ServerUnavailable
from streamlink_sql.generators import open_generator
from streamlink_sql.nginx.render import render
from streamlink_sql.settings import Settings, load_settings
from streamlink_sql.types import Context, Question
from tests.collector import collecting
from tests.serving import free_port, make_data, until
from tests.test_tracing import part, tree, wait_for

BEHIND: dict[str, Any] = {"nginx_web": ("127.0.0.1:8201",), "nginx_ccus": ("127.0.0.1:8101",), "nginx_workers": ("127.0.0.1:8301",)}


@pytest.mark.parametrize("setting", ["nginx_web", "nginx_ccus", "nginx_workers", "nginx_listen", "nginx_ccu_listen", "nginx_worker_listen"])
@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.0.0.1:0",
        "127.0.0.1:70000",
        "127.0.0.1:80; include /etc/passwd",
        "a:80;\n} server {",
        "unix:/tmp/a.sock",
        "$host:80",
        "a b:80",
        "http://a:80",
        "a:80 down",
        "a:８０",
        "",
    ],
)
def test_what_is_no_address_is_refused_by_the_name_of_its_setting(setting: str, address: str) -> None:
    value = address if setting.endswith("listen") else ("127.0.0.1:9", address)
    with pytest.raises(BadRequest, match=setting):
        front_of_told(**{setting: value})


def front_of_told(**told: Any) -> str:
    return render(front_of(Settings(**{**BEHIND, **told})))


@pytest.mark.parametrize("path", ['/a"; include b', "/a$host", "/a;b", "/a\nb", "/a\\b", "/a{b"])
def test_a_path_that_nginx_would_take_for_more_is_refused(path: str) -> None:
    with pytest.raises(BadRequest, match="nginx_certificate cannot be"):
        front_of_told(nginx_certificate=Path(path), nginx_certificate_key=Path("/key"))


def test_a_certificate_without_its_key_is_refused() -> None:
    with pytest.raises(BadRequest, match="belong together") as refused:
        front_of_told(nginx_certificate=Path("/c"))
    assert refused.value.helps == {"setting": "nginx_certificate_key"}


def test_nothing_to_stand_in_front_of_is_refused() -> None:
    with pytest.raises(BadRequest, match="nothing to put Nginx in front of"):
        render(front_of(Settings()))


def test_two_listeners_on_one_address_are_refused() -> None:
    with pytest.raises(BadRequest, match="listens there already"):
        front_of_told(nginx_ccu_listen="127.0.0.1:8080")


@pytest.mark.parametrize("setting", ["nginx_listen", "nginx_ccu_listen"])
def test_nginx_is_open_to_others_only_before_control_units_that_demand_a_login(setting: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadRequest, match="login = true"):
        front_of_told(**{setting: "0.0.0.0:443"})
    assert "listen 0.0.0.0:443;" in front_of_told(**{setting: "0.0.0.0:443"}, login=True)
    assert "nginx_certificate" in capsys.readouterr().err


def test_lists_come_from_the_file_and_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "streamlink.toml").write_text('nginx_ccus = ["127.0.0.1:8101", "127.0.0.1:8102"]\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMLINK_NGINX_WORKERS", '["127.0.0.1:8301"]')
    settings = load_settings()
    assert (settings.nginx_ccus, settings.nginx_workers) == (("127.0.0.1:8101", "127.0.0.1:8102"), ("127.0.0.1:8301",))
    monkeypatch.setenv("STREAMLINK_NGINX_WORKERS", "127.0.0.1:8301")
    with pytest.raises(BadRequest, match=r"nginx_workers.*JSON"):
        load_settings()


# A real Nginx from here on.

cluster = pytest.mark.cluster
call = httpx.Client(verify=False, timeout=30, limits=httpx.Limits(max_keepalive_connections=0))
"""Keeps no connection: one that Nginx closes at a reload would be a fault of the caller's, not of Nginx."""


class Upstream:
    """A small HTTP server that notes what reaches it and does what its `acts` says."""

    def __init__(self, name: str, acts: Callable[[Reply], None] | None = None) -> None:
        self.name, self.acts, self.seen = name, acts or (lambda reply: reply.say(200)), list[str]()
        upstream = self

        class Handler(Reply):
            home = upstream

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Nobody listens there any more."""
        self._server.shutdown()
        self._server.server_close()


class Server(ThreadingHTTPServer):
    """Takes no notice of callers who go away."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Other faults are shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Reply(BaseHTTPRequestHandler):
    """One request at an upstream."""

    protocol_version = "HTTP/1.1"
    home: Upstream

    def handle_one(self) -> None:
        """Reads the body, notes the request, acts."""
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.home.seen.append(f"{self.command} {self.path}")
        self.home.acts(self)

    do_GET = do_POST = do_DELETE = handle_one  # noqa: N815 - the names are the library's

    def say(self, status: int, **headers: str) -> None:
        """An answer that says who gave it."""
        body = json.dumps({"from": self.home.name, "bytes": len(self.body)}).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        """Closes the connection without a word."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Says nothing."""


class Nginx:
    """A real one, in a folder of its own."""

    def __init__(self, program: str, folder: Path, **told: Any) -> None:
        self._program, self.folder = program, folder
        ports = {name: f"127.0.0.1:{free_port()}" for name in ("nginx_listen", "nginx_ccu_listen", "nginx_worker_listen")}
        self.told = {"nginx_rate": 0, **ports, **told}
        scheme = "https" if "nginx_certificate" in told else "http"
        self.url, self.inside, self.workers = (f"{scheme}://{self.told['nginx_listen']}", *(f"http://{ports[n]}" for n in list(ports)[1:]))

    def write(self, **told: Any) -> None:
        """The configuration for these settings."""
        self.told |= told
        (self.folder / "nginx.conf").write_text(render(front_of(Settings(**self.told))))

    def start(self) -> None:
        """Starts it, and waits for it."""
        self.write()
        self.run()

    def run(self, *signal: str) -> None:
        """Starts it, or sends it a signal."""
        done = subprocess.run(
            [self._program, "-p", str(self.folder), "-e", "error.log", "-c", "nginx.conf", *signal], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    def log(self) -> list[dict[str, str]]:
        """What it has written of the requests."""
        return [json.loads(line) for line in (self.folder / "access.log").read_text().splitlines()]


Start = Callable[..., Nginx]
Serve = Callable[..., Upstream]


@pytest.fixture(scope="session")
def program() -> str:
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("Nginx is not installed here (on Debian or Ubuntu: sudo apt-get install nginx-light)")
    return found


@pytest.fixture
def front(program: str, tmp_path: Path) -> Iterator[Start]:
    """Starts an Nginx for some settings."""
    tmp_path.chmod(0o755)
    with ExitStack() as ends:

        def start(**told: Any) -> Nginx:
            nginx = Nginx(program, tmp_path, **told)
            nginx.start()
            ends.callback(nginx.run, "-s", "stop")
            return nginx

        yield start


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts upstreams."""
    with ExitStack() as ends:

        def start(name: str, acts: Callable[[Reply], None] | None = None) -> Upstream:
            upstream = Upstream(name, acts)
            ends.callback(upstream.close)
            return upstream

        yield start


def nowhere() -> str:
    """An address that nobody listens on."""
    return f"127.0.0.1:{free_port()}"


def at(*upstreams: Upstream) -> tuple[str, ...]:
    return tuple(upstream.address for upstream in upstreams)


def problem(response: httpx.Response) -> tuple[int, str]:
    """A problem in the one form that all problems have."""
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert {"title", "code", "detail"} <= set(body)
    assert response.headers.get("retry-after") == (str(body["retry_after"]) if "retry_after" in body else None)
    return response.status_code, body["code"]


def full(reply: Reply) -> None:
    reply.say(503, Retry_After="1")


@cluster
@pytest.mark.parametrize("fault", [full, Reply.hang_up], ids=["full", "hangs up"])
def test_a_draft_is_asked_of_the_next_worker_when_one_fails(front: Start, serve: Serve, fault: Callable[[Reply], None]) -> None:
    broken, good = serve("broken", fault), serve("good")
    nginx = front(nginx_workers=at(broken, good))
    answers = [call.post(f"{nginx.workers}/v1/drafts", json={}) for _ in range(12)]
    assert {(answer.status_code, answer.json()["from"]) for answer in answers} == {(200, "good")}
    assert 1 <= len(broken.seen) < 12  # tried, and then left alone for a while


@cluster
def test_a_worker_that_is_gone_costs_nothing(front: Start, serve: Serve) -> None:
    nginx = front(nginx_workers=(nowhere(), serve("good").address))
    assert [call.post(f"{nginx.workers}/v1/drafts", json={}).json()["from"] for _ in range(6)] == ["good"] * 6


@cluster
def test_a_worker_that_hangs_has_half_of_the_time(front: Start, serve: Serve) -> None:
    ends = threading.Event()
    hanging, good = serve("hanging", lambda reply: bool(ends.wait(60)) and reply.say(200)), serve("good")
    nginx = front(nginx_workers=at(hanging, good), model_timeout_s=4)
    try:
        for _ in range(2):  # whichever is first in turn
            assert call.post(f"{nginx.workers}/v1/drafts", json={}, timeout=30).json()["from"] == "good"
        assert hanging.seen
    finally:
        ends.set()


@cluster
def test_workers_that_are_all_full_or_gone_say_so_in_our_form(front: Start, serve: Serve) -> None:
    nginx = front(nginx_workers=at(serve("a", full), serve("b", full)))
    answers = [call.post(f"{nginx.workers}/v1/drafts", json={}) for _ in range(8)]
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.headers["retry-after"] for answer in answers} == {"1"}
    assert problem(answers[-1]) == (503, "model_unavailable")  # none is asked again so soon


@cluster
def test_a_question_that_was_sent_is_not_sent_again(front: Start, serve: Serve) -> None:
    broken, good = serve("broken", Reply.hang_up), serve("good")
    nginx = front(nginx_ccus=at(broken, good))
    answers = [call.post(f"{nginx.url}/v1/ask", json={"question": "?"}) for _ in range(8)]
    assert len(broken.seen) + len(good.seen) == 8  # each was seen once
    failed = [answer for answer in answers if answer.status_code != 200]
    assert len(failed) == len(broken.seen) > 0
    assert {problem(answer) for answer in failed} == {(503, "server_unavailable")}


@cluster
def test_what_only_reads_is_asked_again_and_what_was_never_sent_too(front: Start, serve: Serve) -> None:
    broken, good = serve("broken", Reply.hang_up), serve("good")
    nginx = front(nginx_ccus=(*at(broken, good), nowhere()))
    assert [call.get(f"{nginx.url}/v1/tables").status_code for _ in range(8)] == [200] * 8
    assert broken.seen
    broken.close()
    assert [call.post(f"{nginx.url}/v1/ask", json={}).status_code for _ in range(8)] == [200] * 8


@cluster
def test_no_control_unit_at_all_is_a_problem_in_our_form(front: Start) -> None:
    nginx = front(nginx_ccus=(nowhere(), nowhere()))
    assert problem(call.post(f"{nginx.url}/v1/ask", json={})) == (503, "server_unavailable")
    assert problem(call.get(f"{nginx.url}/")) == (404, "not_found")  # there are no page replicas here


@cluster
@pytest.mark.parametrize("listener", ["url", "inside", "workers"])
def test_events_arrive_when_they_are_sent(front: Start, serve: Serve, listener: str) -> None:
    read = threading.Event()

    def stream(reply: Reply) -> None:
        reply.send_response(200)
        reply.send_header("Content-Type", "text/event-stream")
        reply.send_header("Transfer-Encoding", "chunked")
        reply.end_headers()
        reply.wfile.write(b"7\r\n: one\n\n\r\n")
        assert read.wait(60), "the first event never arrived"
        reply.wfile.write(b"7\r\n: two\n\n\r\n0\r\n\r\n")

    upstream = serve("streams", stream)
    nginx = front(nginx_ccus=at(upstream), nginx_web=at(upstream), nginx_workers=at(upstream))
    accepts = {"Accept": "text/event-stream", "Accept-Encoding": "gzip"}
    with call.stream("POST", f"{getattr(nginx, listener)}/v1/ask", json={}, headers=accepts, timeout=30) as response:
        events = response.iter_raw()
        assert next(events) == b": one\n\n"
        read.set()
        assert b"".join(events) == b": two\n\n"


@cluster
def test_a_caller_who_hangs_up_is_noticed_behind_nginx(front: Start, serve: Serve) -> None:
    gone = threading.Event()

    def wait(reply: Reply) -> None:
        reply.connection.settimeout(60)
        if reply.connection.recv(1) == b"":
            gone.set()

    nginx = front(nginx_ccus=at(serve("waits", wait)))
    with pytest.raises(httpx.ReadTimeout):
        call.post(f"{nginx.url}/v1/ask", json={}, timeout=httpx.Timeout(30, read=1))
    assert gone.wait(30)


@cluster
def test_a_browser_stays_with_one_page_replica_and_moves_on_when_it_dies(front: Start, serve: Serve) -> None:
    replicas = {name: serve(name) for name in ("a", "b")}
    nginx = front(nginx_ccus=at(serve("ccu")), nginx_web=at(*replicas.values()))
    homes = []
    for _ in range(24):
        with httpx.Client(base_url=nginx.url, verify=False, timeout=30) as browser:
            visits = [browser.get(path).json()["from"] for path in ("/", "/_nicegui/app.js", "/login", "/")]
            assert len(set(visits)) == 1
            homes.append(visits[0])
    assert set(homes) == {"a", "b"}  # 24 browsers of one address do not all meet at one replica
    with httpx.Client(base_url=nginx.url, verify=False, timeout=30) as browser:
        home = browser.get("/").json()["from"]
        assert browser.get("/v1/tables").json()["from"] == "ccu"
        replicas[home].close()
        assert {browser.get("/").json()["from"] for _ in range(8)} == {"a", "b"} - {home}


@cluster
def test_a_websocket_goes_through_to_the_page_replica(front: Start, serve: Serve) -> None:
    def echo(reply: Reply) -> None:
        assert (reply.headers["Upgrade"], reply.headers["Connection"]) == ("websocket", "upgrade")
        reply.send_response(101)
        reply.send_header("Upgrade", "websocket")
        reply.send_header("Connection", "upgrade")
        reply.end_headers()
        reply.wfile.write(reply.rfile.read(4).upper())
        reply.close_connection = True

    nginx = front(nginx_ccus=at(serve("ccu")), nginx_web=at(serve("page", echo)))
    host, port = nginx.url.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=30)) as caller, caller.makefile("rb") as said:
        caller.sendall(b"GET /_nicegui_ws/ HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        assert said.readline().startswith(b"HTTP/1.1 101")
        while said.readline().strip():
            pass
        caller.sendall(b"ping")
        assert said.read(4) == b"PING"


@cluster
def test_parts_learn_who_calls_and_callers_cannot_lie_about_it(front: Start, serve: Serve) -> None:
    heard: list[tuple[str | None, ...]] = []

    def note(reply: Reply) -> None:
        heard.append(tuple(reply.headers[name] for name in ("Host", "X-Forwarded-For", "X-Forwarded-Proto", "Authorization")))
        reply.say(200)

    upstream = serve("ccu", note)
    nginx = front(nginx_ccus=at(upstream), nginx_web=at(upstream))
    sent = {"X-Forwarded-For": "9.9.9.9", "X-Forwarded-Proto": "https", "Authorization": "Bearer key"}
    call.get(f"{nginx.url}/v1/tables", headers=sent)
    call.get(f"{nginx.inside}/login", headers=sent)  # a page replica passes on for whom it asks
    assert heard == [
        (nginx.told["nginx_listen"], "127.0.0.1", "http", "Bearer key"),
        (nginx.told["nginx_ccu_listen"], "9.9.9.9, 127.0.0.1", "https", "Bearer key"),
    ]


@cluster
def test_a_trace_goes_through_and_where_there_is_none_one_begins(front: Start, serve: Serve) -> None:
    heard: list[tuple[str | None, str]] = []

    def note(reply: Reply) -> None:
        heard.append((reply.headers["traceparent"], reply.headers["X-Request-Id"]))
        reply.say(200)

    nginx = front(nginx_ccus=at(serve("ccu", note)))
    trace, own = "0af7651916cd43dd8448eb211c80319c", "1bf7651916cd43dd8448eb211c80319d"
    for sent in ({"traceparent": f"00-{trace}-b7ad6b7169203331-01"}, {"X-Request-Id": own}, {}, {"traceparent": "nothing"}):
        call.get(f"{nginx.url}/v1/tables", headers=sent)
    until(lambda: len(nginx.log()) == 4)
    logged = [line["trace"] for line in nginx.log()]
    assert heard[0] == (f"00-{trace}-b7ad6b7169203331-01", trace)
    assert sorted(request_id for _, request_id in heard) == sorted(logged)  # Nginx's processes write as they come to it
    assert heard[1][1] == own
    assert len({*logged}) == 4
    assert all(len(known) == 32 for known in logged)


@cluster
@pytest.mark.parametrize("is_collected", [True, False], ids=["with collector", "without"])
def test_one_id_from_the_page_replica_through_nginx_to_the_worker(front: Start, tmp_path: Path, is_collected: bool) -> None:
    ccu, data = free_port(), make_data(tmp_path / "data")
    with collecting() as collected, ExitStack() as parts:
        told = {"STREAMLINK_STORE": "temporary", "STREAMLINK_LOG_FORMAT": "json", "OTEL_BSP_SCHEDULE_DELAY": "100"}
        told |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collected.url} if is_collected else {}
        worker = parts.enter_context(part(tmp_path, "worker", told=told))
        wait_for(worker)
        nginx = front(nginx_ccus=(f"127.0.0.1:{ccu}",), nginx_web=(nowhere(),), nginx_workers=(worker[0].removeprefix("http://"),))
        model = f"worker:{nginx.workers}"
        unit = parts.enter_context(part(tmp_path, "ccu", "--data", str(data), "--model", model, port=ccu, told=told))
        web = parts.enter_context(part(tmp_path, "web", "--ccu", nginx.inside, told=told))
        wait_for(unit, web)
        answer = call.post(f"{web[0]}/v1/ask", json={"question": "How many sales are there?"}, timeout=60).json()
        trace = answer["trace_id"]
        until(lambda: {line["path"] for line in nginx.log() if line["trace"] == trace} >= {"/v1/ask", "/v1/drafts"})
        for name in ("web", "ccu", "worker"):
            until(lambda name=name: trace in (tmp_path / f"{name}.log").read_text())  # type: ignore[misc]
        if is_collected:
            until(lambda: any(span.name == "ask" for span in collected.of(trace)))
            (root,) = (span for span in collected.of(trace) if not span.parent)
            told_of = tree(collected.of(trace), root.id)
            assert "streamlink-worker: drafts" in told_of["streamlink-ccu: question"]["streamlink-ccu: model"]


@cluster
def test_a_problem_of_nginx_itself_names_the_trace(front: Start) -> None:
    nginx = front(nginx_ccus=(nowhere(),))
    problem = call.post(f"{nginx.url}/v1/ask", json={"question": "anything?"}).json()
    until(lambda: len(nginx.log()) == 1)
    assert (problem["code"], problem["trace_id"]) == ("server_unavailable", nginx.log()[0]["trace"])


@cluster
def test_a_body_beyond_the_limit_and_a_head_that_is_none_are_problems(front: Start, serve: Serve) -> None:
    ccu = serve("ccu")
    nginx = front(nginx_ccus=at(ccu), nginx_workers=at(serve("worker")), nginx_body_max_kb=64)
    assert call.post(f"{nginx.workers}/v1/drafts", content=b"x" * 2**22).json()["bytes"] == 2**22
    assert call.post(f"{nginx.url}/v1/ask", content=b"x" * 2**16).json()["bytes"] == 2**16
    assert problem(call.post(f"{nginx.url}/v1/ask", content=b"x" * (2**16 + 1))) == (413, "too_large")
    assert problem(call.get(f"{nginx.url}/v1/{'x' * 20_000}")) == (400, "bad_request")
    assert ccu.seen == ["POST /v1/ask"]
    assert not [path for path in nginx.folder.glob("temp_*/**/*") if path.is_file()]


@cluster
def test_an_address_that_sends_too_much_is_told_to_wait_and_page_replicas_are_not(front: Start, serve: Serve) -> None:
    upstream = serve("ccu")
    nginx = front(nginx_ccus=at(upstream), nginx_web=at(upstream), nginx_rate=1, nginx_burst=2)
    answers = [call.get(f"{nginx.url}/v1/tables") for _ in range(12)]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(refused) >= 5
    assert {problem(answer) for answer in refused} == {(429, "too_many_requests")}
    assert {call.get(f"{nginx.inside}/v1/tables").status_code for _ in range(12)} == {200}
    assert {call.get(f"{nginx.url}/").status_code for _ in range(12)} == {200}


@cluster
def test_a_reload_under_load_loses_nothing_and_brings_the_new_worker(front: Start, serve: Serve) -> None:
    def slow(reply: Reply) -> None:
        time.sleep(0.03)
        reply.say(200)

    old, stays, new = (serve(name, slow) for name in ("old", "stays", "new"))
    nginx = front(nginx_workers=at(old, stays), nginx_ccus=at(stays))
    ends = threading.Event()

    def ask(base: str) -> list[int]:
        said = []
        while not ends.is_set():
            said.append(call.post(f"{base}/v1/drafts", json={}, timeout=60).status_code)
        return said

    with ThreadPoolExecutor(6) as pool:
        asking = [pool.submit(ask, base) for base in (nginx.workers, nginx.url) * 3]
        try:
            for workers in ((old, stays), (stays, new), (stays, new)):
                until(lambda: len(stays.seen) > 0)
                nginx.write(nginx_workers=at(*workers))
                nginx.run("-s", "reload")
                time.sleep(1)
            until(lambda: len(new.seen) > 10)
            before = len(old.seen)
            time.sleep(1)
        finally:
            ends.set()
        statuses = [status for each in asking for status in each.result()]
    assert set(statuses) == {200}
    assert len(statuses) > 50
    assert len(old.seen) == before


@cluster
def test_tls_and_a_caller_without_it(front: Start, serve: Serve, tmp_path: Path) -> None:
    certificate, key = tmp_path / "front.crt", tmp_path / "front.key"
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*made, *names], check=True, capture_output=True)
    upstream = serve("ccu")
    nginx = front(nginx_ccus=at(upstream), nginx_web=at(upstream), nginx_certificate=certificate, nginx_certificate_key=key)
    with httpx.Client(verify=ssl.create_default_context(cafile=str(certificate)), timeout=30) as caller:
        answer = caller.get(f"{nginx.url}/")
        assert (answer.status_code, "Secure" in answer.headers["set-cookie"]) == (200, True)
    plain = call.get(nginx.url.replace("https", "http") + "/v1/tables")
    assert (plain.status_code, plain.headers["location"]) == (301, f"{nginx.url}/v1/tables")
    assert call.get(f"{nginx.inside}/v1/tables").status_code == 200  # on this machine alone
    address = nginx.url.replace("https", "http")
    with Client(address) as client, pytest.raises(ServerUnavailable, match="over TLS only: write https://"):
        client.tables()
    for model in (f"worker:{address}", f"{address}/v1#name"):
        with closing(open_generator(model)) as generator, pytest.raises(ModelUnavailable, match=r"over TLS only: write .*https://"):
            generator.generate(Question("How many?"), Context("duckdb", ()), 1)


@cluster
def test_what_is_logged_holds_no_question(front: Start, serve: Serve) -> None:
    nginx = front(nginx_ccus=at(serve("ccu")))
    call.post(f"{nginx.url}/v1/ask?x=secret-word", json={"question": "secret-word"})
    until(lambda: len(nginx.log()) == 1)
    (line,) = nginx.log()
    assert (line["method"], line["path"], line["status"]) == ("POST", "/v1/ask", "200")
    assert "secret-word" not in (nginx.folder / "access.log").read_text() + (nginx.folder / "error.log").read_text()
