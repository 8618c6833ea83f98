"""Runs the application on a socket until it is told to stop. Knows no question."""

from __future__ import annotations

import contextlib
import gc
import logging
import signal
import socket
from types import FrameType

import anyio
import anyio.to_thread
import uvicorn

from streamlink_sql.web.edge import Edge

GRACE_S = 5
"""Seconds that responses have to go out after the stop."""
QUIET_S = 0.3
"""The same where no response is under way: only pages that watch, and they need nothing more."""
LOOK_S = 0.1


class Server(uvicorn.Server):
    """Calls off what is under way before it waits for its end, so that askers get a problem and Ctrl-C is quick. After SIGTERM it first
    takes no more questions and lets those that are under way end.
    """

    def __init__(self, app: Edge, drain_s: float = 0.0) -> None:
        """Logs warnings and errors only. `drain_s` is how long questions may go on after SIGTERM."""
        form = None if logging.getLogger().handlers else uvicorn.config.LOGGING_CONFIG  # who has a form of log keeps it
        super().__init__(uvicorn.Config(app, log_level="warning", log_config=form, timeout_graceful_shutdown=GRACE_S))
        self._edge, self._drain_s, self._drains = app, drain_s, False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Notes how to end. SIGTERM is how a process manager ends a server: that is no failure, and everything is closed after it."""
        if sig != signal.SIGTERM:
            super().handle_exit(sig, frame)
        self._drains = sig == signal.SIGTERM
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """The end, in order."""
        if self._drains:
            await self._drain()
        self.config.timeout_graceful_shutdown = GRACE_S if self._edge.answering else QUIET_S  # type: ignore[assignment]
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # pages that are cut off are no fault
        await anyio.to_thread.run_sync(self._edge.desk.close)
        await super().shutdown(sockets)

    async def _drain(self) -> None:
        """Until nothing is under way, the time is over, or Ctrl-C comes. Requests are answered meanwhile; health says that it ends."""
        self._edge.desk.stop()
        with anyio.move_on_after(self._drain_s):
            while self._drains and not (self._edge.desk.is_idle and self._edge.answering == 0):
                await anyio.sleep(LOOK_S)


def serve(app: Edge, listener: socket.socket, drain_s: float) -> None:
    """Serves on a listening socket until Ctrl-C or SIGTERM."""
    with contextlib.suppress(KeyboardInterrupt):
        Server(app, drain_s).run(sockets=[listener])
    gc.freeze()  # the process ends: looking for garbage would take longer than all the rest
