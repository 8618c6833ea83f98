"""A scripted HTTP server that speaks like OpenAI-compatible servers do, faults included: it stands for the model that is not here."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[["Talk", dict[str, Any]], None]


@dataclass
class Scripted:
    """The server's address, what it was asked, and the event that a hanging reply waits for."""

    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    reached: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)


class Talk(BaseHTTPRequestHandler):
    """One connection; the server class that `serving` makes holds the script."""

    script: Iterator[Reply]
    scripted: Scripted
    models: tuple[str, ...] = ()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.scripted.requests.append(body)
        self.scripted.keys.append(self.headers.get("Authorization", ""))
        next(self.script)(self, body)

    def do_GET(self) -> None:
        send(self, 200, json.dumps({"data": [{"id": model} for model in self.models]})) if self.models else send(self, 404, "{}")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Says nothing."""


@contextmanager
def serving(*replies: Reply, models: tuple[str, ...] = ()) -> Iterator[Scripted]:
    """A server that gives these replies in order, one a request."""
    scripted = Scripted()
    handler = type("Handler", (Talk,), {"script": iter(replies), "scripted": scripted, "models": models})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    scripted.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield scripted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def send(talk: Talk, status: int, body: str, kind: str = "application/json", **headers: str) -> None:
    data = body.encode()
    talk.send_response(status)
    for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
        talk.send_header(name.replace("_", "-"), value)
    talk.end_headers()
    talk.wfile.write(data)


def problem(status: int, message: str = "", **headers: str) -> Reply:
    """An error as the servers send it."""
    return lambda talk, _: send(talk, status, json.dumps({"error": {"message": message, "code": status}}), **headers)


def raw(status: int, body: str, kind: str = "application/json") -> Reply:
    return lambda talk, _: send(talk, status, body, kind)


def whole(text: str) -> Reply:
    """The answer in one piece, from a server that does not stream."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return raw(200, json.dumps({"choices": [choice]}))


def events(*objects: dict[str, Any], end: bool = True) -> str:
    return "".join(f"data: {json.dumps(each)}\n\n" for each in objects) + ("data: [DONE]\n\n" if end else "")


def streamed(*texts: str, finish: str = "stop", logprob: float | None = None) -> Reply:
    """A choice for each text, sent in small pieces that alternate."""
    chunks: list[dict[str, Any]] = []
    for at in range(0, max(map(len, texts), default=0), 7):
        for index, text in enumerate(texts):
            choice: dict[str, Any] = {"index": index, "delta": {"content": text[at : at + 7]}, "finish_reason": None}
            if logprob is not None:
                choice["logprobs"] = {"content": [{"token": "x", "logprob": logprob * (index + 1)}]}
            chunks.append({"choices": [choice]})
    chunks += [{"choices": [{"index": index, "delta": {}, "finish_reason": finish}]} for index in range(len(texts))]
    chunks.append({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}})
    return raw(200, ": a comment\n\n" + events(*chunks), "text/event-stream")


def hanging(talk: Talk, _: dict[str, Any]) -> None:
    """Begins to answer, then goes on with empty pieces until the client has gone."""
    talk.send_response(200)
    talk.send_header("Content-Type", "text/event-stream")
    talk.end_headers()
    talk.scripted.reached.set()
    try:
        while not talk.scripted.gone.wait(0.02):
            talk.wfile.write(events({"choices": [{"index": 0, "delta": {"content": " "}}]}, end=False).encode())
            talk.wfile.flush()
    except OSError:
        talk.scripted.gone.set()


def broken(talk: Talk, _: dict[str, Any]) -> None:
    """Promises more than it sends."""
    talk.send_response(200)
    talk.send_header("Content-Type", "text/event-stream")
    talk.send_header("Content-Length", "1000")
    talk.end_headers()
    talk.wfile.write(events({"choices": [{"index": 0, "delta": {"content": "SELECT 1"}}]}, end=False).encode())
    talk.close_connection = True
