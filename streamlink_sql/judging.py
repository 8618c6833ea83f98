"""Asks the judge about SQL after its question has ended, one at a time in a thread of its own; what it says goes to the audit. Nobody waits
for it, and it stops nothing: SQL without a `judged` line in the audit was not judged.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING

from streamlink_sql.checks.judge import Judgement, judge
from streamlink_sql.errors import InternalError, StoreUnavailable, StreamLinkError
from streamlink_sql.types import Question

if TYPE_CHECKING:
    from streamlink_sql.generators.chat import ChatGenerator
    from streamlink_sql.store.store import Store

MOST_WAITING = 1_000
"""So much SQL may wait for the judge; what comes beyond it is not judged."""
LAST_S = 5.0
"""Seconds that the judge has for what still waits when all is closed."""
_log = logging.getLogger(__name__)


class Judging:
    """A judge at work beside the answers; may be used by many threads."""

    def __init__(self, chat: ChatGenerator, store: Store) -> None:
        """Takes the chat model, which it closes, and the store, which it does not."""
        self._chat, self._store = chat, store
        self._waiting: Queue[tuple[Question, str] | None] = Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._work, name="streamlink-judge", daemon=True)
        self._thread.start()

    def look_at(self, question: Question, sql: str) -> None:
        """Has the SQL of a question judged when its turn comes; never waits."""
        try:
            self._waiting.put_nowait((question, sql))
        except Full:
            _log.warning("The judge is behind by %d queries: that of question %s is not judged.", MOST_WAITING, question.id)

    def close(self) -> None:
        """Lets the judge finish if that takes no more than a few seconds, then drops what waits."""
        with suppress(Full):
            self._waiting.put_nowait(None)
        self._thread.join(LAST_S)
        while self._thread.is_alive():
            with suppress(Empty):
                while True:
                    self._waiting.get_nowait()
            with suppress(Full):
                self._waiting.put_nowait(None)
            self._chat.close()
            self._thread.join(0.1)
        self._chat.close()

    def _work(self) -> None:
        while (each := self._waiting.get()) is not None:
            question, sql = each
            alarm, code = None, ""
            try:
                alarm = said(judge(sql, self._chat.choose))
            except StreamLinkError as error:
                code = error.code
                _log.warning("The judge has no verdict on question %s: %s", question.id, error.detail)
            except Exception:  # noqa: BLE001 - the edge of a thread: a fault of ours must not silence the judge for good
                code = InternalError.code
                _log.exception("The judge failed on question %s.", question.id)
            try:
                self._store.judged(question, sql, model=self._chat.name, alarm=alarm, code=code)
            except StoreUnavailable as error:
                _log.warning("What the judge says of question %s is not in the audit: %s", question.id, error.detail)


def said(found: Judgement) -> str | None:
    """What the judge finds suspicious, for people; None for nothing."""
    if not found.alarm:
        return None
    if found.injection is None:
        return f"The judge takes the SQL for invalid ({found.invalid:.0%})."
    return f"The judge takes the SQL for an injection ({found.injection:.0%})."
