"""A real server for tests: uvicorn on a free port, a real engine and store; only the model is scripted."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from streamlink_sql.catalog import Catalog
from streamlink_sql.control import ControlUnit, Limits
from streamlink_sql.engines import open_embedded
from streamlink_sql.errors import CannotAnswer
from streamlink_sql.store.store import open_store
from streamlink_sql.types import Attempt, Context, Control, Draft, Question
from streamlink_sql.web.api import create_app
from streamlink_sql.web.server import Server

ENDLESS = """
    SELECT count(*) AS n FROM numbers a, numbers b, numbers c, numbers d, numbers e, numbers f
    WHERE (a.number * b.number + c.number * d.number + e.number * f.number) % 7919 = 7
"""
EVERY_KIND = """
    SELECT 7 AS small, 9007199254740993 AS large, 17014118346046923173168730371588410572::HUGEINT AS huge, 1.50::DECIMAL(9, 2) AS price,
           0.1::DOUBLE AS share, 'nan'::DOUBLE AS odd, TRUE AS yes, DATE '2024-02-29' AS day, TIME '23:59:58' AS hour,
           TIMESTAMP '2024-02-29 12:00:00.123456' AS moment, TIMESTAMPTZ '2024-02-29 12:00:00+00' AS instant, '\\xAA'::BLOB AS raw,
           'ä 中 <b>' AS words, NULL AS nothing, [1, 2] AS list, {'a': 1} AS pair, INTERVAL 3 DAY AS span
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
"""
SAYS: dict[str, str | Exception] = {
    "how many sales?": "SELECT count(*) AS n FROM sales",
    "all sales": "SELECT * FROM sales ORDER BY id",
    "total per region": "SELECT region, sum(amount) AS total FROM sales GROUP BY region ORDER BY region",
    "no sales": "SELECT * FROM sales WHERE id < 0",
    "one of each": EVERY_KIND,
    "which sales can go?": "DROP TABLE sales",
    "a column that is not there": "SELECT revenue FROM sales",
    "never ends": ENDLESS,
}
"""What the scripted model writes for a question, or what it raises."""


class Scripted:
    """Writes what it was told to."""

    name = "scripted"

    def __init__(self, says: dict[str, str | Exception] | None = None) -> None:
        self.says, self.asked = SAYS if says is None else says, 0

    def generate(self, question: Question, context: Context, n: int, *, refused: tuple[Attempt, ...] = ()) -> list[Draft]:
        """The SQL for the question; raises what stands in its place."""
        self.asked += 1
        said = self.says.get(question.text, CannotAnswer("Nothing here fits."))
        if isinstance(said, Exception):
            raise said
        return [] if refused else [Draft(said, 0.9, "scripted-1")]

    def cancel(self, question_id: str) -> bool:
        """There is nothing to stop."""
        return False

    def close(self) -> None:
        """There is nothing to give back."""


def make_data(folder: Path) -> Path:
    """A folder with 200 sales and 500 numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{number},{'north' if number % 4 else 'south'},{number * 10}" for number in range(200)]
    (folder / "sales.csv").write_text("\n".join(["id,region,amount", *lines]) + "\n")
    (folder / "numbers.csv").write_text("number\n" + "\n".join(map(str, range(500))) + "\n")
    return folder


@contextmanager
def control_on(data: Path, says: dict[str, str | Exception] | None = None, **limits: Any) -> Iterator[ControlUnit]:
    """A control unit on real parts."""
    limits = {"cost_limit_rows": 10**30, **limits}
    engine, store = open_embedded(str(data)), open_store("temporary")
    with closing(ControlUnit(Catalog(engine), Scripted(says), engine, store, Limits(**limits))) as control:
        yield control


@contextmanager
def serving(control: Control, *, port: int = 0, **options: Any) -> Iterator[str]:
    """A server of the REST API; gives its address."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
        server = Server(create_app(control, pages=False, **options))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            until(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(60)


@contextmanager
def served(place: Path, *options: str, environment: Mapping[str, str] | None = None, port: int = 0) -> Iterator[str]:
    """`streamlink-sql serve` as a process of its own, in that folder and on a free port; gives the address that it says."""
    command = [sys.executable, "-m", "streamlink_sql", "serve", *options, "--port", str(port)]
    process = subprocess.Popen(command, cwd=place, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        found = re.search(r"http://\S+", process.stderr.readline())
        assert found
        yield found[0]
    finally:
        process.terminate()
        process.communicate(timeout=60)


GIVEN: set[int] = set()
"""The ports that `free_port` gave: what is not listened on yet may come up again."""


def free_port() -> int:
    """A port that nobody listens on at the moment; never the same twice, nor one of another process of this run of the tests."""
    workers, mine = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1)), int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    while True:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = int(listener.getsockname()[1])
        if port not in GIVEN and port // 2 % workers == mine % workers:  # Linux gives odd ones only
            GIVEN.add(port)
            return port


@contextmanager
def oidc_provider() -> Iterator[str]:
    """A provider of OpenID Connect as a process of its own; gives its issuer."""
    issuer = f"http://localhost:{free_port()}"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.oidc_provider", issuer.rpartition(":")[2]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: process.poll() is not None or _answers(issuer))
        assert process.poll() is None, "the provider does not start"
        yield issuer
    finally:
        process.terminate()
        process.wait(60)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=10).is_success
    except httpx.HTTPError:
        return False


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Waits until something is true; fails where it never is."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)
