"""Keeps the leases of this process alive, and goes on with questions whose control units died. Only where several share a store.

Judges nothing by itself: a question that is taken over goes through the control unit of whoever asked it, like any other.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from streamlink_sql import tracing
from streamlink_sql.errors import Cancelled, InternalError, StoreUnavailable, StreamLinkError
from streamlink_sql.store.leases import BEAT_S, MOST_ATTEMPTS, Request
from streamlink_sql.types import Control, Question

if TYPE_CHECKING:
    from streamlink_sql.store.store import Store

MOST_AT_ONCE = 16
"""So many questions of dead control units are taken over at a time."""
_log = logging.getLogger(__name__)


class Relief:
    """One process among several that share a store: a thread that renews, looks and takes over."""

    def __init__(
        self,
        store: Store,
        source: str,
        held_by: Callable[[Question], Control],
        cancel: Callable[[str], bool],
        per_person: int | None = None,
    ) -> None:
        """`source` is the data that this process serves, `held_by` gives what the asker of a question holds, `cancel` calls off a question
        that is under way here. One asker may have `per_person` questions under way at all processes together.
        """
        self._store, self._held_by, self._cancel = store, held_by, cancel
        self._leases = store.lease(source, per_person)
        self._stopped, self._ended = threading.Event(), threading.Event()
        self._lock, self._taken = threading.Lock(), set[str]()
        self._workers = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="streamlink-relief")
        self._thread = threading.Thread(target=self._work, name="streamlink-leases", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Takes nothing more over."""
        self._stopped.set()

    def retire(self) -> None:
        """From now on what is called off here is handed back for others to go on with."""
        self.stop()
        self._leases.retiring = True

    def close(self) -> None:
        """Hands back what was taken over, and ends the thread."""
        self.retire()
        with self._lock:
            taken = list(self._taken)
        for id_ in taken:
            self._cancel(id_)
        self._workers.shutdown(cancel_futures=True)
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ended.wait(BEAT_S):
            try:
                for id_ in self._leases.renew():
                    self._cancel(id_)
                if not self._stopped.is_set():
                    self._take_over()
            except StoreUnavailable as error:
                self._leases.was_away()
                _log.warning("Leases cannot be renewed: %s", error.detail)
            except Exception:  # noqa: BLE001 - the edge of a thread: without it no lease would be renewed any more
                _log.exception("A look at the leases failed.")

    def _take_over(self) -> None:
        for request in self._leases.take_over(MOST_AT_ONCE - len(self._taken)):
            with self._lock:
                self._taken.add(request.question.id)
            with suppress(RuntimeError):  # closed in the meantime
                self._workers.submit(self._go_on_in_trace, request)

    def _go_on_in_trace(self, request: Request) -> None:
        with tracing.continued(request.trace), tracing.about(id=request.question.id, asker=request.question.asker):
            self._go_on(request)

    def _go_on(self, request: Request) -> None:
        question = request.question
        try:
            if request.called_off:
                self._give_up(question, Cancelled("The question was cancelled."))
            elif request.attempt > MOST_ATTEMPTS:
                died = f"{MOST_ATTEMPTS} control units died while they worked on this question. Ask it in other words."
                self._give_up(question, InternalError(died, id=question.id))
            else:
                _log.warning("Question %s is taken over: its control unit was not heard of any more.", question.id)
                self._store.taken_over(question, attempt=request.attempt)
                control = self._held_by(question)
                _ = control.answer(question) if request.sql is None else control.run_sql(request.sql, question)
        except StreamLinkError as error:  # it is in the history; what is not is taken over again
            _log.info("Question %s ended with %s.", question.id, error.code)
        except Exception:  # noqa: BLE001 - the edge of a thread
            _log.exception("Question %s could not be taken over.", question.id)
        finally:
            self._leases.let_go(question.id)
            with self._lock:
                self._taken.discard(question.id)

    def _give_up(self, question: Question, error: StreamLinkError) -> None:
        self._store.refused(question, error, engine="", attempts=())
