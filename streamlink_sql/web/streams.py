"""Server-sent events: the story of a question told while it runs, on one thread and without polling."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

MEDIA_TYPE = "text/event-stream"
KEEP_ALIVE_S = 15.0
"""A comment is sent after so many seconds, so that proxies do not take silence for the end."""

Tell = Callable[[str, dict[str, Any]], None]


def event(name: str, data: dict[str, Any]) -> bytes:
    """One event; the data is ASCII, so that no line break of any kind is in it."""
    return f"event: {name}\ndata: {json.dumps(data, default=str)}\n\n".encode()


class EventStream(Response):
    """Runs `story` on a thread of its own and sends what it tells."""

    media_type = MEDIA_TYPE

    def __init__(self, story: Callable[[Tell], None]) -> None:
        """`story` gets a function to tell events with and raises nothing."""
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self.story = story

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the signature is the framework's
        """Sends events as they come, then ends."""

        async def push(body: bytes, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": body, "more_body": more})

        async def keep_alive() -> None:
            while True:
                await anyio.sleep(KEEP_ALIVE_S)
                await push(b": still at it\n\n")

        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with anyio.create_task_group() as group:
            group.start_soon(keep_alive)
            await anyio.to_thread.run_sync(self.story, lambda name, data: anyio.from_thread.run(push, event(name, data)))
            group.cancel_scope.cancel()
        await push(b"", more=False)
