"""Control units and page replicas as processes of their own, on one real PostgreSQL: killed, stopped, restarted under them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from contextvars import copy_context
from pathlib import Path

import httpx
import pytest

from streamlink_sql import tracing
from streamlink_sql.client import Client
from streamlink_sql.errors import Unauthenticated
from streamlink_sql.store.people import People
from streamlink_sql.store.store import Store, open_store
from streamlink_sql.types import Question
from tests.postgres import Postgres
from tests.serving import make_data, until

pytestmark = pytest.mark.cluster

PASSWORD = "correct horse battery"
TRACE = "0af7651916cd43dd8448eb211c80319c"
SLOW = """SELECT count(*) AS n FROM numbers a, numbers b, numbers c, numbers d
WHERE d.number < 4 AND (a.number * b.number + c.number * d.number) % 7919 = 7"""
RECORDED = {"total per region": "SELECT region, sum(amount) AS total FROM sales GROUP BY region ORDER BY region", "slow": SLOW}


class Replica:
    """A server that is its own process."""

    def __init__(self, place: Path, command: list[str], told: Mapping[str, str], port: int = 0) -> None:
        environment = os.environ | {f"STREAMLINK_{name}": value for name, value in told.items()}
        line = [sys.executable, "-m", "streamlink_sql", *command, "--port", str(port)]
        self.process = subprocess.Popen(line, cwd=place, env=environment, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        said = self.process.stderr.readline()
        found = re.search(r"http://\S+", said)
        assert found, said + self.process.stderr.read()
        self.url = found[0]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stops it; gives its exit status."""
        self.process.send_signal(number)
        self.process.communicate(timeout=120)
        return self.process.returncode


class Fleet:
    """What replicas share: a database, a key of the audit, data; and a look into their store."""

    def __init__(self, place: Path, postgres: Postgres, stack: ExitStack) -> None:
        self.place, self._stack = place, stack
        make_data(place / "data")
        lines = [{"id": text, "question": text, "sql": sql} for text, sql in RECORDED.items()]
        (place / "recorded.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        self.told = {"DATA": str(place / "data"), "MODEL": f"replay:{place / 'recorded.jsonl'}", "STORE": postgres.database()}
        self.told |= {"AUDIT_DIR": str(place / "audit"), "COST_LIMIT_ROWS": str(10**30), "TIME_LIMIT_S": "300", "KEEP_SAMPLES": "false"}
        self.store: Store = stack.enter_context(closing(open_store(self.told["STORE"], place / "audit")))

    def ccu(self, port: int = 0, **told: str) -> Replica:
        """Another control unit."""
        return self._kept(Replica(self.place, ["ccu"], self.told | told, port))

    def web(self, ccu: str, **told: str) -> Replica:
        """Another page replica; it is told of no store."""
        return self._kept(Replica(self.place, ["web", "--ccu", ccu], told))

    def events(self, question: Question) -> list[str]:
        """What the audit says of a question, in order."""
        return [line["event"] for line in self.store.audit_lines(id=question.id)]

    def state(self, question: Question) -> str:
        """What has become of a question."""
        return str(self.store.entry(question.id)["state"])

    def _kept(self, replica: Replica) -> Replica:
        def ended() -> None:
            replica.process.kill()
            replica.process.communicate(timeout=60)

        self._stack.callback(ended)
        return replica


@pytest.fixture
def fleet(postgres: Postgres, tmp_path: Path) -> Iterator[Fleet]:
    """An empty fleet."""
    with ExitStack() as stack:
        yield Fleet(tmp_path, postgres, stack)


def test_the_same_key_at_two_control_units_runs_once(fleet: Fleet) -> None:
    urls = [fleet.ccu().url, fleet.ccu().url]
    question = Question("slow")
    body, headers = {"question": question.text}, {"Idempotency-Key": question.id}
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(httpx.post, f"{urls[n % 2]}/v1/ask", json=body, headers=headers, timeout=300) for n in range(4)]
        answers = [each.result().json() for each in sent]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["rows"]
    assert fleet.events(question) == ["approved", "answered"]


def test_a_killed_control_unit_loses_no_question(fleet: Fleet) -> None:
    dying, living = fleet.ccu(), fleet.ccu()
    waited, left = Question("slow"), Question("slow")
    with ThreadPoolExecutor(2) as pool, Client(dying.url) as gone, Client(living.url) as there, tracing.continued(TRACE):
        for question in (waited, left):
            pool.submit(copy_context().run, gone.answer, question)
        until(lambda: "approved" in fleet.events(waited) and "approved" in fleet.events(left))
        assert dying.end(signal.SIGKILL) == -signal.SIGKILL
        killed = time.monotonic()
        asked = pool.submit(there.answer, waited)  # as whoever asked does, at the same address behind Nginx
        until(lambda: "taken over" in fleet.events(waited) and "taken over" in fleet.events(left), 30)
        taken_over_s = time.monotonic() - killed
        answer = asked.result(200)
    assert taken_over_s < 30
    assert answer.rows is not None
    until(lambda: fleet.state(left) == "answered", 200)
    assert fleet.events(left) == fleet.events(waited) == ["approved", "taken over", "approved", "answered"]
    assert fleet.store.entry(left.id)["trace_id"] == TRACE, "it stays in its trace"
    assert fleet.store.verify()[2] == []


def test_sigterm_lets_what_is_under_way_end_and_takes_nothing_new(fleet: Fleet) -> None:
    ccu, question = fleet.ccu(DRAIN_S="200"), Question("slow")
    with ThreadPoolExecutor(1) as pool, Client(ccu.url) as client:
        asked = pool.submit(client.answer, question)
        until(lambda: "approved" in fleet.events(question))
        ccu.process.terminate()
        until(lambda: httpx.get(f"{ccu.url}/readyz").status_code == 503, 10)
        refused = httpx.post(f"{ccu.url}/v1/ask", json={"question": "total per region"})
        assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "server_unavailable", "1")
        assert asked.result(200).rows is not None
    assert ccu.end() == 0
    assert fleet.events(question) == ["approved", "answered"]


def test_sigterm_hands_back_what_does_not_end(fleet: Fleet) -> None:
    leaving, staying, question = fleet.ccu(DRAIN_S="0.5"), fleet.ccu(), Question("slow")
    with ThreadPoolExecutor(1) as pool, Client(leaving.url) as client:
        asked = pool.submit(client.answer, question)
        until(lambda: "approved" in fleet.events(question))
        assert leaving.end() == 0
        assert "Ask again with the same id" in str(asked.exception(60))
    with Client(staying.url) as client:
        assert client.answer(question).rows is not None
    assert fleet.events(question) == ["approved", "taken over", "approved", "answered"]
    assert fleet.store.verify()[2] == []


def test_postgresql_restarts_and_nothing_is_lost(fleet: Fleet, postgres: Postgres) -> None:
    ccu, slow = fleet.ccu(), Question("slow")
    quick = [Question("total per region") for _ in range(12)]
    with ThreadPoolExecutor(5) as pool, Client(ccu.url) as client:
        asked = [pool.submit(client.answer, slow)]
        until(lambda: "approved" in fleet.events(slow))
        asked += [pool.submit(client.answer, question) for question in quick]
        postgres.stop()
        time.sleep(1)
        postgres.start()
        answers = [each.result(250) for each in asked]
    assert not [warning for answer in answers for warning in answer.warnings]
    for question in (slow, *quick):
        assert fleet.events(question) == ["approved", "answered"]
        assert fleet.state(question) == "answered"
    assert fleet.store.verify()[2] == []


def test_any_page_replica_serves_any_request_of_a_session(fleet: Fleet) -> None:
    people = People(fleet.store)
    people.add("ada", admin=True, password=PASSWORD)
    people.add("bob", password=PASSWORD)
    ccu = fleet.ccu(LOGIN="true")
    first, second = fleet.web(ccu.url).url, fleet.web(ccu.url).url
    assert httpx.get(first, follow_redirects=False).headers["location"] == "/login"
    assert "password" in httpx.get(f"{first}/login").text
    wrong = httpx.post(f"{first}/login", data={"name": "ada", "password": "wrong"})
    assert (wrong.status_code, "Name or password is wrong" in wrong.text) == (401, True)
    with httpx.Client() as ada, httpx.Client() as bob:
        for browser, name in ((ada, "ada"), (bob, "bob")):
            came = browser.post(f"{first}/login", data={"name": name, "password": PASSWORD})
            assert (came.status_code, came.headers["location"]) == (303, "/")
            assert "HttpOnly" in came.headers["set-cookie"]
        for url in (first, second):
            assert ada.get(url).status_code == 200
            assert ada.get(f"{url}/v1/me").json() == {"name": "ada", "role": "", "scope": "admin"}
            assert bob.get(f"{url}/v1/me").json()["name"] == "bob"
            assert httpx.get(f"{url}/v1/me").status_code == 401
        asked = ada.post(f"{second}/v1/ask", json={"question": "total per region"}, timeout=60).json()
        assert asked["rows"]
        assert fleet.store.entry(asked["id"])["asker"] == "ada"
        assert bob.get(f"{first}/v1/history").json()["entries"] == []
        ada.post(f"{first}/logout")
        assert bob.get(f"{second}/v1/me").json()["name"] == "bob"
    key = people.create_key("bob")
    with Client(second, key) as program, Client(second, "sl_no_key") as stranger:
        assert program.answer("total per region").rows is not None
        with pytest.raises(Unauthenticated):
            stranger.tables()


def test_a_page_goes_on_where_its_control_unit_goes_away(fleet: Fleet) -> None:
    ccu = fleet.ccu()
    web, question = fleet.web(ccu.url), Question("slow")
    with ThreadPoolExecutor(1) as pool, Client(web.url) as client:
        asked = pool.submit(client.answer, question)
        until(lambda: "approved" in fleet.events(question))
        ccu.end(signal.SIGKILL)
        fleet.ccu(port=int(ccu.url.rpartition(":")[2]))  # another at the same address, as behind Nginx
        assert asked.result(250).rows is not None
    assert fleet.events(question) == ["approved", "taken over", "approved", "answered"]


def test_a_page_replica_away_from_this_machine_wants_control_units_with_login(fleet: Fleet) -> None:
    web = fleet.web(fleet.ccu().url, LOGIN="true")
    refused = httpx.get(f"{web.url}/v1/me")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
