"""One child process for queries, and the spares that have their libraries loaded. Reads no database and imports no driver."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamlink_sql.engines import wire
from streamlink_sql.errors import EngineUnavailable

_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT")
_PACKAGE_FOLDER = str(Path(__file__).resolve().parents[2])
_LOOK_S = 0.025
"""How often the memory of a child at work is looked at."""


class ChildEnded(Exception):
    """The child ended before it answered."""

    def __init__(self, status: int, *, unread: bool) -> None:
        super().__init__(f"child ended with status {status}")
        self.status = status
        self.unread = unread
        """True when the request was still unread, so that it can be sent to another child without running twice."""


class Child:
    """One child process and the socket to it. Serves one request at a time."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.spill: Path | None = None
        ours, theirs = socket.socketpair()
        paths = [*sys.path, _PACKAGE_FOLDER]
        start = (
            f"import sys; sys.path += [p for p in {paths!r} if p and p not in sys.path]; "
            f"from streamlink_sql.engines.child import main; main({theirs.fileno()}, {kind!r})"
        )
        kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", start],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**kept, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise EngineUnavailable("The child process for queries could not be started: " + str(error)) from error
        finally:
            theirs.close()
        self._socket = ours

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def ask(
        self, request: Mapping[str, Any], deadline: float, *, payload_limit: int = 0, memory_mb: int
    ) -> tuple[dict[str, Any], bytearray]:
        """Sends a request and waits for its reply. Raises TimeoutError past the deadline, MemoryError past that memory (the process is
        then killed), ChildEnded when the process is gone.
        """
        try:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            wire.send(self._socket, request)
            self._watch(deadline, memory_mb)
            return wire.receive(self._socket, deadline=deadline, payload_limit=payload_limit)
        except TimeoutError:
            raise
        except (wire.WireError, OSError) as error:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=1.0)
            unread = isinstance(error, (BrokenPipeError, ConnectionResetError))
            raise ChildEnded(self._process.returncode or 0, unread=unread) from error

    def _watch(self, deadline: float, memory_mb: int) -> None:
        """Waits until the process answers, and looks at its memory meanwhile: no setting of a database counts all that it takes."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        while not poll.poll(1000 * min(_LOOK_S, max(0.0, deadline - time.monotonic()))):
            if time.monotonic() >= deadline:
                raise TimeoutError
            if _resident_mb(self.pid) > memory_mb:
                self.kill()
                raise MemoryError

    def kill(self) -> None:
        """Ends the process now; a thread that waits in `ask` sees that it is gone."""
        self._process.kill()

    def close(self) -> None:
        """Ends the process and takes away its spill folder; may be called twice."""
        self._process.kill()
        self._process.wait()
        self._socket.close()
        if self.spill is not None:
            shutil.rmtree(self.spill, ignore_errors=True)


def _resident_mb(pid: int) -> float:
    """The megabytes that a process holds alone, without what it maps of files; 0 where this system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssShmem:"))) / 1024


class Spares:
    """Children of each kind with their libraries loaded and no source yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._children: dict[str, Child] = {}

    def take(self, kind: str) -> Child:
        with self._lock:
            child = self._children.pop(kind, None)
        if child is not None and child.alive():
            return child
        if child is not None:
            child.close()
        return Child(kind)

    def prepare(self, kind: str) -> None:
        """Starts a spare of this kind unless there is one; does not wait for it."""
        with self._lock:
            if kind not in self._children:
                self._children[kind] = Child(kind)

    def close(self) -> None:
        with self._lock:
            children, self._children = list(self._children.values()), {}
        for child in children:
            child.close()

    def forget(self) -> None:
        """After a fork the children belong to the other process."""
        self._lock, self._children = threading.Lock(), {}
