"""What a question holds while it is under way: its clock, its attempts, its cancel mark, its place among those that run. No SQL, no I/O."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field

from streamlink_sql.errors import Busy, Cancelled, StreamLinkError, TimedOut
from streamlink_sql.tracing import span
from streamlink_sql.types import Answer, Attempt, Progress, Question, Stage, Watcher

STAGES = ("catalog", "model", "checks", "dry_run", "queue", "engine")


@dataclass(slots=True, eq=False)
class Underway:
    """One question on its way to an answer."""

    question: Question
    watch: Watcher | None = None
    attempts: list[Attempt] = field(default_factory=list)
    refusals: list[StreamLinkError] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)
    outcome: Future[Answer] = field(default_factory=Future)
    is_here: bool = False
    """False while another control unit works on it, and this one waits for the outcome."""
    had_turn: bool = False
    """Whether a query of it has run: a rival of its first draft waits no second time behind all others."""
    now: str = ""
    """The stage that it is in."""
    alarm: str | None = None
    """What the injection detector said."""
    _ms: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    _began: float = field(default_factory=time.perf_counter)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times one stage, as a span of its trace, and tells the watcher; raises Cancelled where the question was called off."""
        self.now = name
        try:
            self.go_on()
            if self.watch:
                self.watch(Stage(name, "start"))
            with self._timed(name):
                yield
        finally:
            self.now = ""

    def hear(self, progress: Progress) -> None:
        """Tells the watcher how far the engine is."""
        if self.watch:
            self.watch(Stage("engine", "running", progress=progress))

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        counts: Mapping[str, int] = {}
        try:
            with span(name) as counts:
                yield
        finally:
            ms = (time.perf_counter() - began) * 1000
            self._ms[name] += ms
            if self.watch:
                self.watch(Stage(name, "end", ms, counts))

    def go_on(self) -> None:
        """Raises Cancelled where whoever asked has called the question off."""
        if self.cancelled.is_set():
            raise Cancelled("The question was cancelled.")

    def timings_ms(self) -> dict[str, float]:
        """Milliseconds of every stage so far, and of all together."""
        return {**self._ms, "total": (time.perf_counter() - self._began) * 1000}

    def turned_down(self, sql: str, error: StreamLinkError, verdict: str = "refused") -> None:
        """Keeps a draft that may not or cannot run, and why."""
        self.refusals.append(error)
        self.attempts.append(Attempt(sql, verdict, rule=str(error.helps.get("rule", error.code)), message=error.detail))


class Places:
    """So many queries run at a time, so many more may wait; the next is told that all places are taken.

    Of those who wait, a question that had its turn and needs another comes first, then one of the asker with the fewest running queries,
    of these whose last turn is longest ago.
    """

    def __init__(self, running: int, waiting: int) -> None:
        """`running` places, and a queue of `waiting`."""
        self._free, self._may_wait = running, waiting
        self._queue: list[Underway] = []
        self._running: Counter[str] = Counter()
        self._last_turn: dict[str, float] = {}
        self._changed = threading.Condition()

    @contextmanager
    def place(self, run: Underway, timeout_s: float) -> Iterator[None]:
        """Waits for a place and holds it; raises Busy, Cancelled or TimedOut."""
        with run.stage("queue"), self._changed:
            self._wait(run, timeout_s)
            self._free -= 1
            run.had_turn = True
            self._running[run.question.asker] += 1
            self._last_turn[run.question.asker] = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._running[run.question.asker] -= 1
                self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """How many stand in the queue."""
        with self._changed:
            return len(self._queue)

    def look_again(self) -> None:
        """Wakes those who wait, as one of them may have been cancelled."""
        with self._changed:
            self._changed.notify_all()

    def _wait(self, run: Underway, timeout_s: float) -> None:
        if self._free > 0 and not self._queue:
            return
        if len(self._queue) >= self._may_wait:
            raise Busy("Every place is taken. Try again in a moment.", retry_after=2)
        self._queue.append(run)
        try:
            found = self._changed.wait_for(lambda: run.cancelled.is_set() or (self._free > 0 and self._next() is run), timeout_s)
        finally:
            self._queue.remove(run)
            self._changed.notify_all()  # another may be the next now
        run.go_on()
        if not found:
            raise TimedOut(f"No place became free within {timeout_s:g} s. Try again later.")

    def _next(self) -> Underway:
        return min(self._queue, key=self._turn)

    def _turn(self, waiting: Underway) -> tuple[bool, int, float]:
        asker = waiting.question.asker
        return not waiting.had_turn, self._running[asker], self._last_turn.get(asker, 0.0)
