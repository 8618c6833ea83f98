"""Killable child processes in which embedded queries run: a small pool for each source. Reads no database and imports no driver.

A child is killed at the deadline of its query, on cancel, and when its source changes; a spare that has its libraries loaded stands ready,
so a new one answers after tens of milliseconds. Children end with this process, whatever ends it.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streamlink_sql.engines import wire
from streamlink_sql.errors import Busy, Cancelled, EngineUnavailable, InternalError, StreamLinkError, TimedOut, TooCostly

_log = logging.getLogger(__name__)
_ERRORS = {kind.code: kind for kind in StreamLinkError.__subclasses__()}
_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT")
_PACKAGE_FOLDER = str(Path(__file__).resolve().parents[2])


@dataclass(frozen=True, slots=True)
class Limits:
    """What one source may use. `memory_mb` and `spill_mb` hold for each of its `children`, `result_mb` for each result."""

    memory_mb: int = 1024
    threads: int = field(default_factory=lambda: min(4, os.cpu_count() or 1))
    spill_mb: int = 4096
    result_mb: int = 256
    children: int = 2


@dataclass(frozen=True, slots=True)
class Setup:
    """What a child opens: the reader's `kind`, its `source`, the files it may read, the folders it may write besides its spill folder."""

    kind: str
    source: Mapping[str, Any]
    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()


class _ChildEnded(Exception):
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

    def ask(self, request: Mapping[str, Any], deadline: float, payload_limit: int = 0) -> tuple[dict[str, Any], bytearray]:
        """Sends a request and waits for its reply. Raises TimeoutError past the deadline, _ChildEnded when the process is gone."""
        try:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            wire.send(self._socket, request)
            return wire.receive(self._socket, deadline=deadline, payload_limit=payload_limit)
        except TimeoutError:
            raise
        except (wire.WireError, OSError) as error:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=1.0)
            unread = isinstance(error, (BrokenPipeError, ConnectionResetError))
            raise _ChildEnded(self._process.returncode or 0, unread=unread) from error

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


class _Spares:
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


def close_spares() -> None:
    """Ends the children that stand ready: one started from now on begins in the folder in which this process is now."""
    _spares.close()


def _forget_all() -> None:
    _spares.forget()
    for pool in list(_pools):
        pool.forget()


_spares = _Spares()
_pools: weakref.WeakSet[Pool] = weakref.WeakSet()
atexit.register(_spares.close)
os.register_at_fork(after_in_child=_forget_all)


@dataclass(slots=True)
class _Run:
    child: Child | None = None
    cancelled: bool = False


class Pool:
    """The children of one source. Any thread may call; past the size of the pool, callers wait until their deadline."""

    def __init__(self, setup: Setup, limits: Limits, folder: Path) -> None:
        self._setup, self._limits, self._folder = setup, limits, folder
        self._changed = threading.Condition()
        self._idle: list[Child] = []
        self._busy: list[Child] = []
        self._opening = 0
        self._runs: dict[str, _Run] = {}
        self._closed = False
        self.landlock: int | None = None
        _pools.add(self)

    def call(self, request: Mapping[str, Any], *, seconds: float, run_id: str = "") -> tuple[dict[str, Any], bytearray]:
        """Asks a child and returns its reply; waiting for a free child counts against `seconds`."""
        deadline = time.monotonic() + seconds
        run = _Run()
        with self._changed:
            if run_id in self._runs:
                raise Busy(f"A query with the id {run_id} is running already.")
            if run_id:
                self._runs[run_id] = run
        try:
            while True:
                try:
                    return self._ask(self._acquire(deadline, run), request, deadline, seconds, run)
                except _ChildEnded as error:
                    if not error.unread or run.cancelled or self._closed:
                        raise self._verdict(error.status, seconds, run) from error
        finally:
            with self._changed:
                self._runs.pop(run_id, None)

    def cancel(self, run_id: str) -> bool:
        """Ends the call under this id, running or waiting; False when there is none."""
        with self._changed:
            run = self._runs.get(run_id)
            if run is None:
                return False
            run.cancelled = True
            if run.child is not None:
                run.child.kill()
            self._changed.notify_all()
            return True

    def restart(self, setup: Setup) -> None:
        """From now on children open `setup`; queries under way finish on what they have."""
        with self._changed:
            self._setup = setup
            idle, self._idle = self._idle, []
        for child in idle:
            child.close()

    def pids(self) -> tuple[int, ...]:
        """The process numbers of the children."""
        with self._changed:
            return tuple(child.pid for child in (*self._idle, *self._busy))

    def close(self) -> None:
        """Ends all children; calls under way fail."""
        with self._changed:
            self._closed = True
            children, self._idle = [*self._idle], []
            for child in self._busy:
                child.kill()
            self._changed.notify_all()
        for child in children:
            child.close()

    def forget(self) -> None:
        """After a fork the children belong to the other process."""
        self._changed = threading.Condition()
        self._idle, self._busy, self._opening, self._runs = [], [], 0, {}

    def _acquire(self, deadline: float, run: _Run) -> tuple[Child, Setup]:
        with self._changed:
            while True:
                if self._closed:
                    raise EngineUnavailable("This source has been closed.")
                if run.cancelled:
                    raise Cancelled("The query was cancelled while it waited for its turn.")
                while self._idle:
                    child = self._idle.pop()
                    if child.alive():
                        return self._occupy(child, run), self._setup
                    child.close()
                if len(self._busy) + self._opening < self._limits.children:
                    self._opening += 1
                    setup = self._setup
                    break
                left = deadline - time.monotonic()
                if left <= 0:
                    raise Busy("All places for queries on this source stayed taken; try again in a moment.", retry_after=1)
                self._changed.wait(left)
        try:
            child = self._open(setup, deadline)
        finally:
            with self._changed:
                self._opening -= 1
                self._changed.notify()
        with self._changed:
            return self._occupy(child, run), setup

    def _occupy(self, child: Child, run: _Run) -> Child:
        self._busy.append(child)
        run.child = child
        return child

    def _open(self, setup: Setup, deadline: float) -> Child:
        child = _spares.take(setup.kind)
        try:
            child.spill = Path(tempfile.mkdtemp(prefix="spill-", dir=self._folder))
            reply, _ = child.ask(self._opening_request(setup, child.spill), max(deadline, time.monotonic() + 20))
            _raise_error(reply, self._limits)
        except (TimeoutError, _ChildEnded) as error:
            child.close()
            raise EngineUnavailable("The child process for queries did not start.") from error
        except OSError as error:
            child.close()
            raise EngineUnavailable(f"The private folder {self._folder} cannot be written: {error.strerror}") from error
        except BaseException:
            child.close()
            raise
        self.landlock = reply["landlock"]
        return child

    def _opening_request(self, setup: Setup, spill: Path) -> dict[str, Any]:
        limits = self._limits
        return {
            "source": dict(setup.source),
            "readable": setup.readable,
            "writable": setup.writable,
            "spill": str(spill),
            "spill_mb": limits.spill_mb,
            "memory_mb": limits.memory_mb,
            "address_mb": 2 * limits.memory_mb + 640 + 160 * limits.threads,
            "threads": limits.threads,
            "result_mb": limits.result_mb,
        }

    def _ask(
        self, taken: tuple[Child, Setup], request: Mapping[str, Any], deadline: float, seconds: float, run: _Run
    ) -> tuple[dict[str, Any], bytearray]:
        child, setup = taken
        usable = False
        try:
            if run.cancelled:
                raise Cancelled("The query was cancelled.")
            left = max(0.0, deadline - time.monotonic())
            reply, payload = child.ask({**request, "seconds": left}, deadline, (self._limits.result_mb + 16) * 2**20)
            usable = reply.get("error") not in ("internal", "too_costly", "engine_unavailable")  # what failed inside may fail ever after
        except TimeoutError as error:
            raise TimedOut(f"The query did not finish within {seconds:g} s and was stopped.") from error
        finally:
            self._release(child, usable and setup is self._setup)
        _raise_error(reply, self._limits)
        return reply, payload

    def _release(self, child: Child, usable: bool) -> None:
        if not usable:
            child.close()
        with self._changed:
            self._busy.remove(child)
            usable = usable and not self._closed
            if usable:
                self._idle.append(child)
            self._changed.notify()
        if not usable:
            child.close()
        if not self._closed:
            _spares.prepare(child.kind)

    def _verdict(self, status: int, seconds: float, run: _Run) -> StreamLinkError:
        if run.cancelled:
            return Cancelled("The query was cancelled.")
        if self._closed:
            return EngineUnavailable("This source has been closed.")
        if status == -signal.SIGXCPU:
            return TimedOut(f"The query used more processor time than {seconds:g} s allow and was stopped.")
        if status == -signal.SIGKILL:
            return EngineUnavailable("The process that ran the query was killed from outside, perhaps because memory ran out; ask again.")
        return _too_costly(self._limits)


def _raise_error(reply: Mapping[str, Any], limits: Limits) -> None:
    """Raises the error that a child sent, if it sent one."""
    code = reply.get("error")
    if code is None:
        return
    if reply.get("log"):
        _log.log(logging.ERROR if code == "internal" else logging.INFO, "query child: %s", reply["log"])
    if code == "too_costly" and not reply["detail"]:
        raise _too_costly(limits)
    raise _ERRORS.get(code, InternalError)(reply["detail"], **reply.get("helps", {}))


def _too_costly(limits: Limits) -> TooCostly:
    return TooCostly(
        f"The query needed more than the {limits.memory_mb} MB of memory it may use. Ask for less at once, or raise the memory limit."
    )
