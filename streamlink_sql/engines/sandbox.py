"""Killable child processes in which embedded queries run: a small pool for each source. Reads no database and imports no driver.

A child is killed at the deadline of its query, on cancel, and when its source changes; a spare that has its libraries loaded stands ready,
so a new one answers after tens of milliseconds. Children end with this process, whatever ends it.
"""

from __future__ import annotations

import atexit
import logging
import os
import signal
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streamlink_sql.engines.process import Child, ChildEnded, Spares
from streamlink_sql.errors import Busy, Cancelled, EngineUnavailable, InternalError, StreamLinkError, TimedOut, TooCostly, kind_of

_log = logging.getLogger(__name__)
_END_S = 5.0
"""How long closing waits for the threads of children that were opening: they end as soon as these are killed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one source may use. `memory_mb` and `spill_mb` hold for each of its `children`, `result_mb` for each result."""

    memory_mb: int = 1024
    threads: int = field(default_factory=lambda: min(4, os.cpu_count() or 1))
    spill_mb: int = 4096
    result_mb: int = 32
    children: int = 2
    open_s: float = 100.0
    """How long a child may take to open the data, whoever waits for it."""

    @property
    def most_memory_mb(self) -> int:
        """What a child may hold of memory, whatever takes it: the database, a result and its copy for the way here."""
        return self.memory_mb + 2 * self.result_mb


@dataclass(frozen=True, slots=True)
class Setup:
    """What a child opens: the reader's `kind`, its `source`, the files it may read, the folders it may write besides its spill folder."""

    kind: str
    source: Mapping[str, Any]
    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()


def close_spares() -> None:
    """Ends the children that stand ready: one started from now on begins in the folder in which this process is now."""
    _spares.close()


def _forget_all() -> None:
    _spares.forget()
    for pool in list(_pools):
        pool.forget()


_spares = Spares()
_pools: weakref.WeakSet[Pool] = weakref.WeakSet()
atexit.register(_spares.close)
os.register_at_fork(after_in_child=_forget_all)


@dataclass(slots=True)
class _Run:
    child: Child | None = None
    cancelled: bool = False


@dataclass(slots=True, eq=False)
class _Opening:
    """A child that opens the data; a thread of its own waits for it."""

    setup: Setup
    awaited: bool = False
    """Whether somebody waits for this very child; without, it becomes the spare of its pool."""
    child: Child | None = None
    ended: bool = False
    error: StreamLinkError | None = None
    thread: threading.Thread | None = None


class Pool:
    """The children of one source. Any thread may call; callers wait for a child until their deadline, and what opens meanwhile goes on."""

    def __init__(self, setup: Setup, limits: Limits, folder: Path) -> None:
        self._setup, self._limits, self._folder = setup, limits, folder
        self._changed = threading.Condition()
        self._idle: list[Child] = []
        self._busy: list[Child] = []
        self._openings: list[_Opening] = []
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
                    return self._ask(self._acquire(deadline, run), request, deadline, run)
                except ChildEnded as error:
                    if not error.unread or run.cancelled or self._closed:
                        raise self._verdict(error.status, run) from error
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
            for opening in [each for each in self._openings if not each.awaited]:
                self._settle(opening)
        for child in idle:
            child.close()

    def pids(self) -> tuple[int, ...]:
        """The process numbers of the children."""
        with self._changed:
            opening = [each.child for each in self._openings if each.child is not None]
            return tuple(child.pid for child in (*self._idle, *self._busy, *opening))

    def close(self) -> None:
        """Ends all children; calls under way fail."""
        with self._changed:
            self._closed = True
            children, self._idle = [*self._idle], []
            openings = [*self._openings]
            for child in (*self._busy, *(each.child for each in openings if each.child is not None)):
                child.kill()
            self._changed.notify_all()
        for child in children:
            child.close()
        for opening in openings:
            if opening.thread is not None:
                opening.thread.join(_END_S)

    def forget(self) -> None:
        """After a fork the children belong to the other process."""
        self._changed = threading.Condition()
        self._idle, self._busy, self._openings, self._runs = [], [], [], {}

    def _acquire(self, deadline: float, run: _Run) -> tuple[Child, Setup]:
        """A child that has opened the data, and what it opened. Whoever waits leaves at the deadline; what opens goes on opening."""
        mine: _Opening | None = None
        with self._changed:
            try:
                while True:
                    if self._closed:
                        raise EngineUnavailable("This source has been closed.")
                    if run.cancelled:
                        raise Cancelled("The query was cancelled while it waited for its turn.")
                    if mine is not None and mine.ended:
                        self._openings.remove(ended := mine)
                        mine = None
                        if ended.child is None:
                            raise ended.error or InternalError()
                        return self._occupy(ended.child, run), ended.setup
                    if (idle := self._idle_child()) is not None:
                        return self._occupy(idle, run), self._setup
                    if mine is None and (mine := self._opening()) is not None:
                        mine.awaited = True
                        continue
                    left = deadline - time.monotonic()
                    if left <= 0:
                        raise _late(opening=mine is not None)
                    self._changed.wait(left)
            finally:
                if mine is not None:
                    self._settle(mine)

    def _idle_child(self) -> Child | None:
        while self._idle:
            child = self._idle.pop()
            if child.alive():
                return child
            child.close()
        return None

    def _opening(self) -> _Opening | None:
        """An opening that nobody waits for yet, a new one where there is room, or None."""
        for opening in self._openings:
            if not opening.awaited and opening.setup is self._setup:
                return opening
        if len(self._idle) + len(self._busy) + len(self._openings) >= self._limits.children:
            return None
        opening = _Opening(self._setup)
        opening.thread = threading.Thread(target=self._open, args=(opening,), name="opening", daemon=True)
        opening.thread.start()
        self._openings.append(opening)
        return opening

    def _open(self, opening: _Opening) -> None:
        """Starts a child and waits until it has opened the data, in a thread of its own."""
        try:
            self._open_child(opening)
        except Exception as error:  # noqa: BLE001 (the edge of the thread: whatever it is, whoever waits must hear of it)
            opening.error = error if isinstance(error, StreamLinkError) else InternalError()
            _log.info("The data could not be opened: %r", error)
            if opening.child is not None:
                opening.child.close()
        with self._changed:
            opening.ended = True
            if opening.error is not None:
                opening.child = None
            if opening.awaited:
                self._changed.notify_all()
            else:
                self._settle(opening)
            is_spare = not opening.awaited and not self._closed
        if is_spare:
            _spares.prepare(opening.setup.kind)

    def _settle(self, opening: _Opening) -> None:
        """Nobody waits for this opening: its child becomes the pool's spare, or ends where the data is another by now."""
        opening.awaited = False
        fits = opening.setup is self._setup and not self._closed
        if opening.ended:
            self._openings.remove(opening)
            if opening.child is not None and fits:
                self._idle.append(opening.child)
            elif opening.child is not None:
                opening.child.close()
            self._changed.notify_all()
        elif opening.child is not None and not fits:
            opening.child.kill()

    def _occupy(self, child: Child, run: _Run) -> Child:
        self._busy.append(child)
        run.child = child
        return child

    def _open_child(self, opening: _Opening) -> None:
        child = _spares.take(opening.setup.kind)
        with self._changed:
            opening.child = child
            if not opening.awaited:
                self._settle(opening)
        limits = self._limits
        try:
            child.spill = Path(tempfile.mkdtemp(prefix="spill-", dir=self._folder))
            request = self._opening_request(opening.setup, child.spill)
            reply, _ = child.ask(request, time.monotonic() + limits.open_s, memory_mb=limits.most_memory_mb)
        except TimeoutError as error:
            raise EngineUnavailable(f"The data could not be opened within {limits.open_s:g} s.") from error
        except MemoryError as error:
            raise _too_costly(limits) from error
        except ChildEnded as error:
            raise EngineUnavailable("The child process for queries did not start.") from error
        except OSError as error:
            raise EngineUnavailable(f"The private folder {self._folder} cannot be written: {error.strerror}") from error
        _raise_error(reply, limits)
        self.landlock = reply["landlock"]

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

    def _ask(self, taken: tuple[Child, Setup], request: Mapping[str, Any], deadline: float, run: _Run) -> tuple[dict[str, Any], bytearray]:
        child, setup = taken
        usable = False
        try:
            if run.cancelled:
                raise Cancelled("The query was cancelled.")
            left = max(0.0, deadline - time.monotonic())
            limits = self._limits
            payload_limit = (limits.result_mb + 16) * 2**20
            reply, payload = child.ask({**request, "seconds": left}, deadline, payload_limit=payload_limit, memory_mb=limits.most_memory_mb)
            usable = reply.get("error") not in ("internal", "too_costly", "engine_unavailable")  # what failed inside may fail ever after
        except TimeoutError as error:
            raise TimedOut("The query did not finish within its time limit and was stopped.") from error
        except MemoryError as error:
            raise _too_costly(limits) from error
        finally:
            self._release(child, setup, usable)
        _raise_error(reply, self._limits)
        return reply, payload

    def _release(self, child: Child, setup: Setup, usable: bool) -> None:
        """Takes a child back; another opens in the place of one that was killed, before anybody asks for it."""
        if not usable:
            child.close()
        with self._changed:
            self._busy.remove(child)
            fits = setup is self._setup and not self._closed
            if usable and fits:
                self._idle.append(child)
            elif fits:
                self._opening()
            self._changed.notify_all()
        if usable and not fits:
            child.close()
        if usable and not self._closed:
            _spares.prepare(child.kind)

    def _verdict(self, status: int, run: _Run) -> StreamLinkError:
        if run.cancelled:
            return Cancelled("The query was cancelled.")
        if self._closed:
            return EngineUnavailable("This source has been closed.")
        if status == -signal.SIGXCPU:
            return TimedOut("The query used more processor time than its time limit allows and was stopped.")
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
    raise kind_of(code)(reply["detail"], **reply.get("helps", {}))


def _late(*, opening: bool) -> StreamLinkError:
    """What to tell whoever has waited in vain."""
    if opening:
        return TimedOut(
            "The data was still being opened when the time limit of the query was reached. The opening goes on: ask again in a moment."
        )
    return Busy("All places for queries on this source stayed taken; try again in a moment.", retry_after=1)


def _too_costly(limits: Limits) -> TooCostly:
    return TooCostly(
        f"The query needed more than the {limits.memory_mb} MB of memory it may use. Ask for less at once, or raise the memory limit."
    )
