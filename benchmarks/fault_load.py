"""Askers and visitors of a running cluster, for `benchmarks.faults` and its test: they ask and note what they hear, and judge nothing."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, cycle
from typing import Any

import httpx

from streamlink_sql.client import Client
from streamlink_sql.errors import ServerUnavailable, StreamLinkError, error_from
from streamlink_sql.evaluate.execution import Row, comparable_rows
from streamlink_sql.returned import answer_from
from streamlink_sql.types import Answer, Feedback, Question, Stage

PATIENCE_S = 45.0
"""So long an asker whose server goes away asks again under the same id, as docs/cluster.md tells them to."""
ANSWERED = "answered"
LOOK_S = 2.0
"""How often a visitor loads the page."""


@dataclass(frozen=True, slots=True)
class Story:
    """One question as its asker saw it. Times are seconds of the wall clock; `code` is `answered` or that of the problem."""

    id: str
    text: str
    asked: float
    ended: float
    code: str
    tries: int
    is_accepted: bool
    """Whether they were told that it is written down: by the stream, by an answer, or by a problem that has its id."""
    rows: list[Row] | None = None
    feedback: str = ""
    """What became of the verdict that was given on it: `kept`, or the code of the problem."""


@dataclass(slots=True)
class Load:
    """What was asked, and what pages said, by all who were there. Lists only grow; they are read when all have left."""

    stories: list[Story] = field(default_factory=list)
    pages: list[tuple[float, str, int]] = field(default_factory=list)
    """When a page was loaded, where, and the status; 0 where nothing answered."""


@contextmanager
def under_load(url: str, keys: Sequence[str], texts: Sequence[str], visitors: Sequence[Visitor] = ()) -> Iterator[Load]:
    """An asker for each key and all visitors, until the block ends; then those under way are waited for."""
    load, over, turns = Load(), threading.Event(), count()
    ways: Iterator[type[Streaming | Posting]] = cycle((Streaming, Posting))
    askers = [way(url, key) for key, way in zip(keys, ways, strict=False)]
    threads = [threading.Thread(target=_ask_on, args=(asker, texts, turns, load, over), name="asker") for asker in askers]
    threads += [threading.Thread(target=visitor.look_on, args=(load, over), name="visitor") for visitor in visitors]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        over.set()
        for thread in threads:
            thread.join()
        for each in (*askers, *visitors):
            each.close()


class Streaming:
    """Asks as Python programs do: `Client`, which hears every stage."""

    def __init__(self, url: str, key: str) -> None:
        self.client, self.tries, self.is_accepted = Client(url, key, patience_s=PATIENCE_S), 1, False

    def answer(self, question: Question) -> Answer:
        """The answer; raises the problem. A stage says that the question is accepted: the stream tells of none before `accepted`."""
        self.is_accepted = False

        def hear(_: Stage) -> None:
            self.is_accepted = True

        return self.client.answer(question, hear)

    def close(self) -> None:
        """Ends the connections."""
        self.client.close()


class Posting:
    """Asks as other programs do: one POST with an Idempotency-Key, and the same again where the server went away."""

    def __init__(self, url: str, key: str) -> None:
        self.client, self.tries, self.is_accepted = Client(url, key), 1, False
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=150)

    def answer(self, question: Question) -> Answer:
        """The answer; raises the problem."""
        until, self.tries, self.is_accepted = time.monotonic() + PATIENCE_S, 1, False
        while True:
            try:
                return answer_from(self._told(question))
            except ServerUnavailable as error:
                self.is_accepted |= says_accepted(error, question)
                if time.monotonic() > until:
                    raise
            time.sleep(1)
            self.tries += 1

    def close(self) -> None:
        """Ends the connections."""
        self.client.close()
        self._http.close()

    def _told(self, question: Question) -> dict[str, Any]:
        try:
            response = self._http.post("/v1/ask", json={"question": question.text}, headers={"Idempotency-Key": question.id})
            found: dict[str, Any] = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ServerUnavailable(str(error)) from error
        if response.is_success:
            return found
        raise error_from(found)


class Visitor:
    """Somebody with a session who loads the page now and then."""

    def __init__(self, url: str, name: str, password: str, where: str = "/") -> None:
        """Logs in."""
        self.url, self._where, self._http = url, where, httpx.Client(base_url=url, timeout=20)
        came = self._http.post("/login", data={"name": name, "password": password})
        assert came.status_code == 303, came.text

    def look_on(self, load: Load, over: threading.Event) -> None:
        """Loads the page until the load is over."""
        while not over.wait(LOOK_S):
            began = time.time()
            try:
                status = self._http.get(self._where).status_code
            except httpx.HTTPError:
                status = 0
            load.pages.append((began, f"{self.url}{self._where}", status))

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()


def reference(client: Callable[[Question], Answer], texts: Sequence[str]) -> dict[str, list[Row]]:
    """The rows of each question, asked one after the other; those that are not answered are left out."""
    found = {}
    for text in texts:
        try:
            found[text] = rows_of(client(Question(text))) or []
        except StreamLinkError:
            continue
    return found


def rows_of(answer: Answer) -> list[Row] | None:
    """The rows, sorted and with floats to ten digits, so that two answers can be compared; None where they did not come along."""
    return None if answer.rows is None else sorted(comparable_rows(answer.rows.as_python()), key=repr)


def says_accepted(error: StreamLinkError, question: Question) -> bool:
    """Whether a problem is that of a question that was written down: such a one has its id."""
    return bool(error.helps.get("id") == question.id)


def _ask_on(asker: Streaming | Posting, texts: Sequence[str], turns: Iterator[int], load: Load, over: threading.Event) -> None:
    """One question after the other; every third answer gets a verdict."""
    while not over.is_set():
        turn = next(turns)
        question = Question(texts[turn % len(texts)], id=str(uuid.uuid4()))
        began, rows, feedback = time.time(), None, ""
        try:
            rows, code, is_accepted = rows_of(asker.answer(question)), ANSWERED, True
        except StreamLinkError as error:
            code, is_accepted = error.code, asker.is_accepted or says_accepted(error, question)
        ended = time.time()
        if code == ANSWERED and turn % 3 == 0:
            feedback = _given(asker.client, question.id)
        load.stories.append(Story(question.id, question.text, began, ended, code, asker.tries, is_accepted, rows, feedback))
        if code != ANSWERED:
            over.wait(1)


def _given(client: Client, id_: str) -> str:
    try:
        client.give_feedback(Feedback(id_, "right"))
    except StreamLinkError as error:
        return error.code
    return "kept"
