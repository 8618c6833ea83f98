"""The control unit over HTTP, for page replicas, notebooks and other programs. The same methods, the same errors; runs no SQL itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from streamlink_sql import tracing
from streamlink_sql.errors import BadRequest, NotFound, ServerUnavailable, error_from
from streamlink_sql.reaching import trusted, wants_tls, why
from streamlink_sql.returned import answer_from, table_from
from streamlink_sql.types import Answer, Feedback, Person, Progress, Question, Stage, Table, Watcher

CONNECT_S = 10.0
SILENCE_S = 120.0
"""The server says something at least every 15 seconds while a question is under way."""
PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Passed:
    """A verdict: SQL that may run there, as it would run."""

    sql: str
    tables: frozenset[str]
    warnings: tuple[str, ...] = ()


class Client:
    """Asks a StreamLink server; may be used by many threads. Close it, or use it in `with`."""

    def __init__(self, base_url: str, key: str | None = None, *, patience_s: float = 0.0) -> None:
        """`base_url` is what `serve` printed, such as http://127.0.0.1:8080; `key` is sent as a bearer token. A question whose server
        goes away is asked again under its id until none was heard of for `patience_s`: another control unit may answer at that address.
        """
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._patience_s, self._sent = patience_s, dict[str, str]()
        timeout = httpx.Timeout(SILENCE_S, connect=CONNECT_S)
        limits = httpx.Limits(max_connections=None)
        self.base_url = base_url.rstrip("/")
        with _translated(self.base_url):
            self._http = httpx.Client(
                base_url=self.base_url,
                headers=headers,
                timeout=timeout,
                limits=limits,
                cookies=_no_cookies(),
                verify=trusted(self.base_url),
            )

    def sending(self, headers: Mapping[str, str]) -> Client:
        """The same client, over the same connections, for somebody who shows who they are by these headers."""
        theirs = copy(self)
        theirs._sent = dict(headers)
        return theirs

    def answer(self, question: Question | str, watch: Watcher | None = None) -> Answer:
        """The answer to a question; `watch` hears of every stage while it runs."""
        asked = Question(question) if isinstance(question, str) else question
        return self._told("/v1/ask", {"question": asked.text, **_limits(asked)}, watch)

    def run_sql(self, sql: str, question: Question | None = None, watch: Watcher | None = None) -> Answer:
        """The answer to SQL of your own, under the server's checks. `question` gives the words, the id and the limits."""
        asked = question or Question("")
        words = {"question": asked.text} if asked.text else {}
        return self._told("/v1/sql", {"sql": sql, **words, **_limits(asked)}, watch)

    def check(self, sql: str) -> Passed:
        """The verdict on SQL without running it."""
        found = self._json("POST", "/v1/check", {"sql": sql})
        return Passed(found["sql"], frozenset(found["tables"]), tuple(found["warnings"]))

    def cancel(self, id: str) -> bool:  # noqa: A002 - it is called id everywhere
        """Calls a question off; False when it is not under way."""
        try:
            self._json("DELETE", f"/v1/runs/{_quoted(id)}")
        except NotFound:
            return False
        return True

    def give_feedback(self, verdict: Feedback) -> None:
        """Keeps your verdict on an answer."""
        body = {"id": verdict.id, "verdict": verdict.verdict, "sql": verdict.sql, "comment": verdict.comment}
        self._json("POST", "/v1/feedback", {name: value for name, value in body.items() if value is not None})

    def tables(self) -> tuple[Table, ...]:
        """What can be asked."""
        return tuple(table_from(table) for table in self._json("GET", "/v1/tables")["tables"])

    def history(self, *, limit: int = 50, before: str | None = None, asker: str | None = None) -> list[dict[str, Any]]:  # noqa: ARG002
        """The newest questions first; the server decides whose, by the key."""
        seen = {} if before is None else {"before": before}
        entries: list[dict[str, Any]] = self._json("GET", "/v1/history", params={"limit": str(limit), **seen})["entries"]
        return entries

    def entry(self, id: str, *, asker: str | None = None) -> dict[str, Any]:  # noqa: A002, ARG002
        """One question of the history and what became of it."""
        found: dict[str, Any] = self._json("GET", f"/v1/history/{_quoted(id)}")
        return found

    def accepted_pairs(self) -> Iterator[dict[str, str]]:
        """Questions with SQL that a person vouched for."""
        with _translated(self.base_url):
            response = self._http.get("/v1/feedback/accepted", headers=self._sent)
            _refuse_problem(response)
        yield from (_understood(line) for line in response.text.splitlines())

    def models(self) -> dict[str, Any]:
        """The versions of the model, and which of them answers."""
        found: dict[str, Any] = self._json("GET", "/v1/models")
        return found

    def promote(self, version: int) -> dict[str, Any]:
        """Lets a version of the model answer from the next question on; for administrators."""
        found: dict[str, Any] = self._json("POST", "/v1/models/promote", {"version": version})
        return found

    def roll_back(self) -> dict[str, Any]:
        """Lets answer what did before the last promotion; for administrators."""
        found: dict[str, Any] = self._json("POST", "/v1/models/rollback")
        return found

    def me(self) -> Person | None:
        """Whom the server takes this client for; None where nobody has to log in."""
        found = self._json("GET", "/v1/me")
        return Person(found["name"], found["role"], {}, found["scope"]) if found["name"] is not None else None

    def ready(self) -> None:
        """Raises what keeps the server from answering."""
        self._json("GET", "/readyz")

    def sent(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> httpx.Response:
        """What comes back for any request, whatever it is."""
        with _translated(self.base_url):
            return self._http.request(method, path, content=body, headers=dict(headers))

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @tracing.span("ask", "client")
    def _told(self, path: str, body: dict[str, Any], watch: Watcher | None) -> Answer:
        """Follows the story to its end, again from another control unit where one goes away in the middle."""
        heard = time.monotonic()

        def hear() -> None:
            nonlocal heard
            heard = time.monotonic()

        while True:
            try:
                return self._story(path, body, watch, hear)
            except ServerUnavailable:
                if time.monotonic() - heard >= self._patience_s:
                    raise
            time.sleep(PAUSE_S)

    def _story(self, path: str, body: dict[str, Any], watch: Watcher | None, hear: Callable[[], None]) -> Answer:
        """The story as one server tells it. Who stops listening calls the question off, as the server sees the connection close."""
        headers = {**self._sent, **tracing.headers(), "Accept": "text/event-stream"}
        with _translated(self.base_url), self._http.stream("POST", path, json=body, headers=headers) as response:
            _refuse_problem(response)
            for name, data in _events(response.iter_bytes(), hear):
                if name == "stage" and watch:
                    progress = Progress(**data["progress"]) if data.get("progress") else None
                    watch(Stage(data["name"], data["state"], data["ms"], progress=progress))
                elif name == "answer":
                    return answer_from(data)
                elif name == "problem":
                    raise error_from(data)
        raise ServerUnavailable(f"{self.base_url} stopped in the middle of the answer. Ask again with the same id.")

    def _json(self, method: str, path: str, body: dict[str, Any] | None = None, params: dict[str, str] | None = None) -> Any:
        with _translated(self.base_url):
            response = self._http.request(method, path, json=body, params=params, headers={**self._sent, **tracing.headers()})
            _refuse_problem(response)
        return _understood(response.text)


def _refuse_problem(response: httpx.Response) -> None:
    if response.is_success:
        return
    response.read()
    try:
        problem = response.json()
        told = isinstance(problem, dict) and "code" in problem
    except ValueError:
        told = False
    if told:
        raise error_from(problem)
    if wants_tls(response):
        raise ServerUnavailable(f"{response.url} answers over TLS only: write https:// in place of http://.")
    raise ServerUnavailable(
        f"{response.url} answered {response.status_code} {response.reason_phrase} and is no StreamLink server, it seems."
    )


@contextmanager
def _translated(base_url: str) -> Iterator[None]:
    try:
        yield
    except httpx.InvalidURL as error:
        raise BadRequest(f"{base_url} is not an address such as http://127.0.0.1:8080.") from error
    except httpx.HTTPError as error:
        raise ServerUnavailable(f"No StreamLink server answers at {base_url}. {why(error, base_url)}") from error


def _events(chunks: Iterator[bytes], hear: Callable[[], None]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Events as our server sends them: a name, one line of JSON, an empty line; what begins with a colon is there to keep the line open."""
    name = b""
    for line in _lines(chunks):
        hear()
        field, _, value = line.partition(b": ")
        if field == b"event":
            name = value
        elif field == b"data":
            yield name.decode(errors="replace"), _understood(value)


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The lines that ended; a long one, which comes in very many chunks, is put together once."""
    held: list[bytes] = []
    for chunk in chunks:
        first, *rest = chunk.split(b"\n")
        held.append(first)
        for line in rest:
            yield b"".join(held)
            held = [line]


def _understood(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ServerUnavailable("What answered is no StreamLink server, or another version of it.") from error


def _no_cookies() -> CookieJar:
    """Cookies are those of whoever a request is sent for; none that comes back is kept for the next."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def _limits(asked: Question) -> dict[str, Any]:
    body = {"id": asked.id, "row_limit": asked.row_limit, "time_limit_s": asked.time_limit_s, "confirm": asked.confirm}
    return {name: value for name, value in body.items() if value is not None}


def _quoted(id_: str) -> str:
    return quote(id_, safe="")
