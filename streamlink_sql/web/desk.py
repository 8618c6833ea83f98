"""Where questions from the web come in: counts them, limits how many there are, calls off those whose askers left. Knows no HTTP."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Protocol

from streamlink_sql.errors import Busy, ServerUnavailable, TooManyQuestions
from streamlink_sql.tracing import about
from streamlink_sql.types import Answer, Control, Person, Question, Stage, Watcher
from streamlink_sql.web.metrics import Metrics

if TYPE_CHECKING:
    from streamlink_sql.relief import Relief


class Controls(Protocol):
    """What a server holds: a control unit for each person, or one for all; here or behind a client."""

    def of(self, person: Person | None) -> Control:
        """What this person asks; raises Unauthenticated where nobody in particular may ask."""
        ...

    def ready(self) -> None:
        """Raises what keeps it from answering."""
        ...


class Alone:
    """One control unit for whoever comes."""

    def __init__(self, control: Control) -> None:
        """Takes the control unit; who opened it closes it."""
        self._control = control

    def of(self, person: Person | None) -> Control:  # noqa: ARG002
        """The one control unit."""
        return self._control

    def ready(self) -> None:
        """Reads the tables and the store."""
        self._control.tables()
        self._control.history(limit=1)


class Desk:
    """The way from API and pages to the control unit; may be used by many threads."""

    def __init__(
        self,
        server: Controls,
        at_once: int = 66,
        per_person: int = 8,
        tried: Mapping[str, int] | None = None,
        relief: Relief | None = None,
    ) -> None:
        """`at_once` questions may be under way, `per_person` of them of one who has logged in; the next is told to come again. `tried`
        counts a policy's trials; through `relief` other control units go on with what is under way at the end.
        """
        self.server, self.at_once, self.per_person, self.metrics = server, at_once, per_person, Metrics({} if tried is None else tried)
        self._relief = relief
        self._stopping = threading.Event()
        self._person: Person | None = None
        self._lock = threading.Lock()
        self._controls = dict[str, Control]()
        self._askers: Counter[str] = Counter()
        self._left: Counter[str] = Counter()
        self._of_person: Counter[str] = Counter()
        self._control: Control | None = None

    @property
    def control(self) -> Control:
        """Who answers here."""
        if self._control is None:
            self._control = self.server.of(None)
        return self._control

    def of(self, person: Person | None) -> Desk:
        """The same desk with what a person holds; for nobody it is the one of this server."""
        if person is None:
            return self
        theirs = copy(self)
        theirs._person, theirs._control = person, self.server.of(person)
        return theirs

    def ask(self, question: Question, watch: Watcher | None = None, *, sql: str | None = None) -> Answer:
        """The answer to a question, or to `sql` that the asker wrote."""
        asker = self._person.name if self._person is not None else question.asker
        with about(id=question.id, asker=asker), self.metrics.counted() as course, self._place(question.id):

            def seen(stage: Stage) -> None:
                course.seen(stage)
                if watch:
                    watch(stage)

            control = self.control
            return course.answered(control.answer(question, seen) if sql is None else control.run_sql(sql, question, seen))

    def left(self, id: str) -> None:  # noqa: A002 - it is called id everywhere
        """An asker went away. The question is called off when nobody else waits for it."""
        with self._lock:
            if id in self._askers:
                self._left[id] += 1
            alone = 0 < self._askers[id] <= self._left[id]
        if alone:
            self.control.cancel(id)

    def ready(self) -> None:
        """Raises what keeps this server from answering."""
        self._go_on()
        self.server.ready()

    def stop(self) -> None:
        """Takes no more questions; those under way go on."""
        self._stopping.set()
        if self._relief:
            self._relief.stop()

    @property
    def is_idle(self) -> bool:
        """Whether no question is under way."""
        return not self._askers

    def close(self) -> None:
        """Calls off what is under way."""
        if self._relief:
            self._relief.retire()
        with self._lock:
            underway = dict(self._controls)
        for id_, control in underway.items():
            control.cancel(id_)

    def _go_on(self) -> None:
        if self._stopping.is_set():
            raise ServerUnavailable("This server is being stopped. Ask again in a moment.", retry_after=1)

    @contextmanager
    def _place(self, id_: str) -> Iterator[None]:
        self._go_on()
        name, control = self._person.name if self._person is not None else "", self.control
        with self._lock:
            if name and self._of_person[name] >= self.per_person:
                raise TooManyQuestions.beyond(self.per_person)
            if self._askers.total() >= self.at_once:
                raise Busy(f"All {self.at_once} places are taken. Try again in a moment.", retry_after=2)
            self._askers[id_] += 1
            self._controls[id_] = control
            self._of_person[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._askers[id_] -= 1
                self._of_person[name] -= 1
                if not self._of_person[name]:
                    del self._of_person[name]
                if not self._askers[id_]:
                    del self._askers[id_], self._controls[id_]
                    self._left.pop(id_, None)
