"""A TCP relay before a real server, whose connections a test can cut, or let go silent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress


class Relay:
    """Passes bytes on to a port of this machine; cuts all connections once when `cut_after` bytes have come back from there."""

    def __init__(self, port: int, cut_after: int) -> None:
        self.to, self.left = port, cut_after
        self.cuts = 0
        self._open: list[socket.socket] = []
        self._all: list[socket.socket] = []
        self._silent: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._begin(self._accept)

    def close(self) -> None:
        """Ends it, and what goes through it."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        self._cut()
        for thread in self._threads[1:]:
            thread.join()
        for each in self._all:
            each.close()

    def silence(self) -> None:
        """From now on nothing comes through what is open, and nobody is told: as where a host has gone."""
        with self._lock:
            self._silent += self._open

    def _begin(self, work: Callable[..., None], *arguments: object) -> None:
        self._threads.append(threading.Thread(target=work, args=arguments))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self._listener.accept()[0]
                far = socket.create_connection(("127.0.0.1", self.to))
                self._all += [near, far]
                with self._lock:
                    self._open += [near, far]
                self._begin(self._pass, near, far, False)
                self._begin(self._pass, far, near, True)

    def _pass(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if source in self._silent:
                    continue
                sink.sendall(data)
                if counted and self._is_time(len(data)):
                    self._cut()
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _is_time(self, size: int) -> bool:
        with self._lock:
            before, self.left = self.left, self.left - size
            is_time = self.left <= 0 < before
            self.cuts += is_time
            return is_time

    def _cut(self) -> None:
        with self._lock:
            cut, self._open = self._open, []
        for each in cut:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
