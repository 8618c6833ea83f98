"""The questions that one worker has taken: so many are written for at a time, so many wait, the next is refused. Knows no HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from streamlink_sql import tracing
from streamlink_sql.errors import Busy, Cancelled, StreamLinkError
from streamlink_sql.logs import ended
from streamlink_sql.questions import readable
from streamlink_sql.types import Attempt, Context, Draft, Generator, Question, Stage
from streamlink_sql.underway import Places, Underway
from streamlink_sql.worker.metrics import Metrics


class Line:
    """Holds the model and those who want it."""

    def __init__(self, generator: Generator, *, at_once: int, waiting: int, timeout_s: float, english_only: bool = False) -> None:
        """`timeout_s` is how long one may wait; `english_only` where the model reads nothing else."""
        self.generator, self.stopping = generator, False
        self._places, self._timeout_s, self._english_only = Places(at_once, waiting), timeout_s, english_only
        self._lock = threading.Lock()
        self._taken: set[Underway] = set()
        self.metrics = Metrics(waiting=lambda: self._count("queue"), running=lambda: self._count("model"))

    def take(self, question: Question) -> Underway:
        """Accepts a question; raises Busy while the worker stops, BadRequest for what the model cannot read."""
        question = Question(readable(question.text, english_only=self._english_only), id=question.id)
        with self._lock:
            if self.stopping:
                raise _stopping()
            run = Underway(question, partial(_told, self.metrics))
            self._taken.add(run)
            return run

    @tracing.span("drafts", "server")
    def drafts(self, run: Underway, context: Context, n: int, refused: tuple[Attempt, ...]) -> list[Draft]:
        """The model's drafts once there is a place; raises Busy where there is none, and what the model raises."""
        try:
            with self._places.place(run, self._timeout_s), run.stage("model"):
                found = self.generator.generate(run.question, context, n, refused=refused)
                tracing.count(drafts=len(found))
                return found
        except Cancelled as error:
            raise _stopping() if self.stopping else error from None
        finally:
            with self._lock:
                self._taken.discard(run)

    def leave(self, run: Underway) -> None:
        """Calls a question off whose asker has gone."""
        run.cancelled.set()
        self._places.look_again()
        self.generator.cancel(run.question.id)

    def stop(self) -> None:
        """Takes no more, sends those who wait to another worker, and lets the model finish what it writes."""
        with self._lock:
            self.stopping = True
            waiting = [run for run in self._taken if run.now == "queue"]
        for run in waiting:
            run.cancelled.set()
        self._places.look_again()

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits and nothing is written."""
        with self._lock:
            return not self._taken

    def close(self) -> None:
        """Calls off what is left, and gives the model back."""
        self.stop()
        with self._lock:
            left = list(self._taken)
        for run in left:
            self.leave(run)
        self.generator.close()

    @contextmanager
    def counted(self, id_: str) -> Iterator[None]:
        """Counts and logs how a question ends."""
        began, code = time.perf_counter(), "internal"
        with tracing.about(id=id_):
            try:
                yield
                code = "ok"
            except StreamLinkError as error:
                code = error.code
                raise
            finally:
                self.metrics.questions.labels(code).inc()
                ended(code, time.perf_counter() - began)

    def _count(self, stage: str) -> int:
        with self._lock:
            return sum(run.now == stage for run in self._taken)


def _told(metrics: Metrics, stage: Stage) -> None:
    metrics.stages.ended(stage)
    metrics.drafts.inc(stage.counts.get("drafts", 0))


def _stopping() -> Busy:
    return Busy("This worker is stopping. Another one takes the question, or this one once it runs again.", retry_after=1)
