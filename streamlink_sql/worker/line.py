"""The questions that one worker has taken: so many are written for at a time, so many wait, the next is refused. Knows no HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from streamlink_sql import tracing
from streamlink_sql.errors import Busy, Cancelled, StreamLinkError
from streamlink_sql.generators import try_out
from streamlink_sql.generators.shelf import Shelf
from streamlink_sql.logs import ended
from streamlink_sql.questions import readable
from streamlink_sql.types import Attempt, Context, Draft, Generator, Question, Stage
from streamlink_sql.underway import Places, Underway
from streamlink_sql.worker.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Terms:
    """How many are written for at a time, how many may wait and for how long; how many versions of the model are open at a time (the one
    that was used longest ago gives way); `english_only` where the model reads nothing else.
    """

    at_once: int
    waiting: int
    timeout_s: float
    versions: int = 2
    english_only: bool = False


class Line:
    """Holds the model and those who want it."""

    def __init__(self, open_: Callable[[str], Generator], terms: Terms) -> None:
        """`open_` opens the model with the version of a name, or as it is for ''."""
        self._models, self.stopping = Shelf(open_, terms.versions), False
        self._places, self._terms = Places(terms.at_once, terms.waiting), terms
        self._lock = threading.Lock()
        self._taken: set[Underway] = set()
        self.metrics = Metrics(waiting=lambda: self._places.waiting, running=self._running)

    def take(self, question: Question) -> Underway:
        """Accepts a question; raises Busy while the worker stops, BadRequest for what the model cannot read."""
        question = Question(readable(question.text, english_only=self._terms.english_only), id=question.id)
        with self._lock:
            if self.stopping:
                raise _stopping()
            run = Underway(question, partial(_told, self.metrics))
            self._taken.add(run)
            return run

    def try_out(self) -> None:
        """Loads the model before anybody is let in: who cannot write does not listen."""
        with self._models.lent(lambda: "") as generator:
            try_out(generator)

    @tracing.span("drafts", "server")
    def drafts(self, run: Underway, context: Context, n: int, refused: tuple[Attempt, ...], version: str = "") -> list[Draft]:
        """The model's drafts once there is a place; raises Busy where there is none, and what the model raises."""
        try:
            with self._places.place(run, self._terms.timeout_s), run.stage("model"), self._models.lent(lambda: version) as generator:
                found = generator.generate(run.question, context, n, refused=refused)
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
        self._models.cancel(run.question.id)

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
        self._models.close()

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

    def _running(self) -> int:
        with self._lock:
            return sum(run.now == "model" for run in self._taken)


def _told(metrics: Metrics, stage: Stage) -> None:
    metrics.stages.ended(stage)
    metrics.drafts.inc(stage.counts.get("drafts", 0))


def _stopping() -> Busy:
    return Busy("This worker is stopping. Another one takes the question, or this one once it runs again.", retry_after=1)
