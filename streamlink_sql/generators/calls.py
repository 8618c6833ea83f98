"""What a generator asks of a server: any thread may ask or call off. Requests live on one event loop in a thread. Knows no protocol."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import httpx

from streamlink_sql.errors import Cancelled

Result = TypeVar("Result")


class Calls:
    """The requests of one generator. Opens no connection until the first of them."""

    def __init__(self, open_client: Callable[[], httpx.AsyncClient]) -> None:
        """`open_client` makes the client that all requests share."""
        self._open_client = open_client
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._client: httpx.AsyncClient | None = None
        self._running: dict[str, concurrent.futures.Future[Any]] = {}

    def result(self, work: Callable[[httpx.AsyncClient], Coroutine[Any, Any, Result]], id_: str) -> Result:
        """What comes of a request, which may be called off under its id; raises Cancelled then."""
        future = self._start(work, id_)
        try:
            return future.result()
        except concurrent.futures.CancelledError as error:
            raise Cancelled("The question was cancelled while the model wrote.") from error
        finally:
            future.cancel()
            with self._lock:
                self._running.pop(id_, None)

    def cancel(self, id_: str) -> bool:
        """Closes the connection of a request, which makes the server stop; False when there is none of that id."""
        with self._lock:
            future = self._running.get(id_)
        return future is not None and future.cancel()

    def close(self) -> None:
        """Calls off what is under way and closes the connections."""
        with self._lock:
            loop, thread, client, running = self._loop, self._thread, self._client, list(self._running.values())
            self._loop = self._thread = self._client = None
        for future in running:
            future.cancel()
        if loop and thread and client:
            asyncio.run_coroutine_threadsafe(client.aclose(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def _start(self, work: Callable[[httpx.AsyncClient], Coroutine[Any, Any, Result]], id_: str) -> concurrent.futures.Future[Result]:
        with self._lock:
            if self._loop is None or self._client is None:
                self._loop, self._client = asyncio.new_event_loop(), self._open_client()
                self._thread = threading.Thread(target=self._loop.run_forever, name="streamlink-model", daemon=True)
                self._thread.start()
            future = asyncio.run_coroutine_threadsafe(work(self._client), self._loop)
            self._running[id_] = future
            return future
