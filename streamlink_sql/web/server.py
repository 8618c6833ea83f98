"""Runs the application on a socket until it is told to stop. Knows no question."""

from __future__ import annotations

import contextlib
import gc
import logging
import socket

import anyio.to_thread
import uvicorn

from streamlink_sql.web.edge import Edge

GRACE_S = 5
"""Seconds that responses have to go out after the stop."""
QUIET_S = 0.3
"""The same where no response is under way: only pages that watch, and they need nothing more."""


class Server(uvicorn.Server):
    """Calls off what is under way before it waits for its end, so that askers get a problem and Ctrl-C is quick."""

    def __init__(self, app: Edge) -> None:
        """Logs warnings and errors only."""
        super().__init__(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=GRACE_S))
        self._edge = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """The end, in order."""
        self.config.timeout_graceful_shutdown = GRACE_S if self._edge.answering else QUIET_S  # type: ignore[assignment]
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # pages that are cut off are no fault
        await anyio.to_thread.run_sync(self._edge.stop)
        await super().shutdown(sockets)


def serve(app: Edge, listener: socket.socket) -> None:
    """Serves on a listening socket until Ctrl-C or SIGTERM."""
    with contextlib.suppress(KeyboardInterrupt):
        Server(app).run(sockets=[listener])
    gc.freeze()  # the process ends: looking for garbage would take longer than all the rest
