"""What is configured wrongly is told with its cause and a remedy: the table in docs/deploy.md. What other files test is named there."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from streamlink_sql.client import Client
from streamlink_sql.engines.spark import SparkEngine
from streamlink_sql.errors import EngineUnavailable, ModelUnavailable, ServerUnavailable, StoreUnavailable, StreamLinkError
from streamlink_sql.generators import open_generator
from streamlink_sql.store.store import open_store
from streamlink_sql.types import Question
from tests.certificates import make_certificate
from tests.postgres import Postgres
from tests.serving import free_port, until
from tests.test_spark import start
from tests.test_worker import SINGERS

ROOT = Path(__file__).parent.parent


class Handler(BaseHTTPRequestHandler):
    """Knows nothing."""

    def do_POST(self) -> None:
        self.send_error(404)

    do_GET = do_POST  # noqa: N815 - the names are the library's

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Says nothing."""


class Server(ThreadingHTTPServer):
    """Takes no notice of callers who cannot speak to it."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """They are told at their own side."""


@contextmanager
def listening(certificate: tuple[Path, Path] | None) -> Iterator[int]:
    """A web server, with TLS or without; its port."""
    server = Server(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    return make_certificate(folder)


@pytest.fixture(scope="module")
def ports(certificate: tuple[Path, Path]) -> Iterator[dict[str, int]]:
    """A server with TLS, one without, and a port where none is."""
    with listening(certificate) as tls, listening(None) as plain:
        yield {"tls": tls, "plain": plain, "nobody": free_port()}


def drafts(address: str) -> None:
    with closing(open_generator(address, timeout_s=60)) as generator:
        generator.generate(Question("How many singers are there?"), SINGERS, 1)


def worker(url: str) -> None:
    drafts(f"worker:{url}")


def chat(url: str) -> None:
    drafts(f"{url}/v1#name")


def client(url: str) -> None:
    with Client(url) as asking:
        asking.tables()


SIDES = [(worker, ModelUnavailable), (chat, ModelUnavailable), (client, ServerUnavailable)]


@pytest.mark.parametrize(("ask", "error"), SIDES, ids=["worker", "chat", "client"])
@pytest.mark.parametrize(
    ("scheme", "port", "said"),
    [
        ("https", "plain", r"speaks plain HTTP: write http:// in place of https://"),
        ("http", "tls", r"if it speaks TLS, write https:// in place of http://"),
        ("https", "tls", r"certificate is not trusted here \(self.signed certificate\).*SSL_CERT_FILE"),
        ("http", "nobody", r"Nothing listens there: start it, or correct the address"),
    ],
)
def test_a_side_that_speaks_otherwise(ask: Any, error: type[StreamLinkError], scheme: str, port: str, said: str, ports: Any) -> None:
    with pytest.raises(error, match=said) as caught:
        ask(f"{scheme}://127.0.0.1:{ports[port]}")
    assert f"127.0.0.1:{ports[port]}" in caught.value.detail
    assert "_ssl.c" not in caught.value.detail


@pytest.mark.parametrize(("ask", "error"), SIDES, ids=["worker", "chat", "client"])
def test_a_machine_that_does_not_exist(ask: Any, error: type[StreamLinkError]) -> None:
    with pytest.raises(error, match="no machine of that name: correct the address"):
        ask("http://no.such.machine.invalid:8090")


@pytest.mark.parametrize(("ask", "said"), [(worker, "no StreamLink worker"), (chat, "OpenAI"), (client, "no StreamLink server")])
def test_a_certificate_that_is_trusted_opens_the_way(
    ask: Any, said: str, ports: dict[str, int], certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with pytest.raises(StreamLinkError, match=said):  # it was reached
        ask(f"https://localhost:{ports['tls']}")


@pytest.mark.parametrize("script", ["hdfs/hdfs", "spark/spark"])
def test_without_java_the_scripts_say_what_to_install(script: str, tmp_path: Path) -> None:
    for program in ("bash", "dirname"):
        found = shutil.which(program)
        assert found
        (tmp_path / program).symlink_to(found)
    told = {"PATH": str(tmp_path), "CLUSTER_DIR": str(tmp_path / "cluster")}
    done = subprocess.run([str(ROOT / "deploy" / script), "setup"], env=told, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 4
    assert "There is no Java" in done.stderr
    assert "apt-get install default-jre-headless" in done.stderr


@pytest.mark.cluster
def test_what_postgresql_refuses(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.database()

    def told(address: str) -> str:
        with pytest.raises(StoreUnavailable) as caught:
            open_store(address, tmp_path / "audit")
        assert "setting `store`" in caught.value.detail
        return caught.value.detail

    assert re.search("does not answer.*resolve host", told("postgresql://tester@no.such.machine.invalid/x"))
    assert re.search("does not answer.*See that it runs", told(f"postgresql://tester@127.0.0.1:{free_port()}/x"))
    assert re.search('database "absent" does not exist.*Check user, password and name', told(url.rpartition("/")[0] + "/absent"))
    assert re.search('role "stranger" does not exist.*Check user', told(url.replace("tester", "stranger")))
    assert re.search("do not agree about TLS.*ssl = on", told(f"{url}?sslmode=require"))


@pytest.mark.cluster
def test_postgresql_with_passwords_and_tls(postgres: Postgres, certificate: tuple[Path, Path], tmp_path: Path) -> None:
    import psycopg

    url = postgres.database()
    with psycopg.connect(url, autocommit=True) as connection:
        for command in ("CREATE ROLE ada LOGIN PASSWORD 'right'", "CREATE ROLE closed LOGIN"):
            connection.execute(command)
    with postgres.secured(*certificate, "hostssl all closed all trust", "host all tester all trust", "host all all all scram-sha-256"):

        def told(address: str) -> str:
            with pytest.raises(StoreUnavailable) as caught:
                open_store(address, tmp_path / "audit")
            assert "wrong-one" not in caught.value.detail
            return caught.value.detail

        assert re.search("password authentication failed.*Check user, password", told(url.replace("tester", "ada:wrong-one")))
        assert re.search("no password supplied.*Check user, password", told(f"{url.replace('tester', 'closed')}?sslmode=disable"))
        assert re.search("do not agree about TLS.*sslrootcert", told(f"{url}?sslmode=verify-full&sslrootcert={tmp_path / 'none'}"))
        trusted = f"{url}?sslmode=verify-full&sslrootcert={certificate[0]}"
        open_store(trusted, tmp_path / "audit").close()
        assert re.search("may not keep a store there.*owner", told(trusted.replace("tester", "ada:right")))


@pytest.mark.cluster
def test_spark_behind_a_proxy_with_tls(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
    if nginx is None:
        pytest.skip("Nginx is not installed here (on Debian or Ubuntu: sudo apt-get install nginx-light)")
    process, address = start("sail", tmp_path / "sail.log")
    port, (crt, key) = free_port(), certificate
    temporary = "".join(f"{kind}_temp_path {kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (tmp_path / "nginx.conf").write_text(
        f"pid nginx.pid; events {{}} http {{ access_log off; {temporary} server {{ listen 127.0.0.1:{port} ssl http2; "
        f"ssl_certificate {crt}; ssl_certificate_key {key}; client_max_body_size 0; "
        f"location / {{ grpc_pass grpc://{address.removeprefix('spark://')}; grpc_read_timeout 1d; grpc_send_timeout 1d; }} }} }}"
    )
    front = subprocess.Popen([nginx, "-p", str(tmp_path), "-e", "error.log", "-c", "nginx.conf", "-g", "daemon off;"])
    try:
        until(lambda: (tmp_path / "nginx.pid").exists())

        def told(data: str) -> str:
            with pytest.raises(EngineUnavailable) as caught:
                SparkEngine(data)
            return caught.value.detail

        assert re.search("certificate is not trusted.*GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", told(f"sc://127.0.0.1:{port}/;use_ssl=true"))
        assert re.search("wants TLS: sc://HOST:PORT/;use_ssl=true", told(f"spark://127.0.0.1:{port}"))
        assert re.search("speaks no TLS: leave use_ssl out", told(f"{address.replace('spark', 'sc', 1)}/;use_ssl=true"))
        trusting = os.environ | {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(crt), "STREAMLINK_DATA": f"sc://127.0.0.1:{port}/;use_ssl=true"}
        asked = [sys.executable, "-m", "streamlink_sql", "tables", "--json"]
        done = subprocess.run(asked, env=trusting, capture_output=True, text=True, check=False, timeout=120)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
    finally:
        for each in (front, process):
            each.terminate()
            each.wait(60)


@pytest.mark.cluster
@pytest.mark.timeout(600)
def test_spark_with_a_wrong_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_CONNECT_AUTHENTICATE_TOKEN", "right")
    process, address = start("apache", tmp_path / "spark.log")
    monkeypatch.delenv("SPARK_CONNECT_AUTHENTICATE_TOKEN")
    address = address.replace("spark://127.0.0.1", "sc://localhost")
    try:
        for wrong in ("", "/;token=wrong"):
            with pytest.raises(EngineUnavailable, match="check the token") as caught:
                SparkEngine(address + wrong)
            assert "wrong" not in caught.value.detail
        with closing(SparkEngine(f"{address}/;token=right")) as engine:
            assert engine.tables() == ()
    finally:
        process.kill()
        process.wait()
