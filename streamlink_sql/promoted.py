"""The model with the version that was promoted: looks at the store, opens what is new there and puts it in the old one's place.

A question that is under way ends with the version that it began with. What cannot be opened leaves in place what was there.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamlink_sql.errors import StoreUnavailable, StreamLinkError
from streamlink_sql.generators import try_out
from streamlink_sql.generators.shelf import Shelf
from streamlink_sql.types import Attempt, Context, Draft, Generator, Question

if TYPE_CHECKING:
    from streamlink_sql.store.versions import Version, Versions

LOOK_S = 2.0
"""How often it is looked whether another version was promoted, here or elsewhere."""
RETRY_S = 30.0
"""After so long a version that could not be opened is tried again: its folder may have come in the meantime."""
PLAIN = 0
"""Stands for the model as it is where versions have their numbers."""
_log = logging.getLogger(__name__)


class PromotedGenerator:
    """Writes with the version that is promoted at the time; may be used by many threads."""

    def __init__(self, versions: Versions, open_: Callable[[Path | None], Generator]) -> None:
        """`open_` opens the model with the adapter in a folder, or as it is."""
        self.versions, self._open = versions, open_
        self._shelf: Shelf[int] = Shelf(self._opened)
        self._known: dict[int, Version] = {}
        self._serving, self._retry_at = PLAIN, 0.0
        self._failed: int | None = None
        self.trouble = ""
        """Why the version that is promoted does not answer here; empty where it does."""
        self._looking, self._due, self._ended = threading.Lock(), threading.Event(), threading.Event()
        self.look()
        with self._shelf.lent(lambda: self._serving) as generator:
            self.name = generator.name
        self._thread = threading.Thread(target=self._watch, name="streamlink-versions", daemon=True)
        self._thread.start()

    def generate(self, question: Question, context: Context, n: int, *, refused: tuple[Attempt, ...] = ()) -> list[Draft]:
        """The drafts of the version that answers; each says which that is."""
        number = PLAIN

        def wanted() -> int:
            nonlocal number
            number = self._serving
            return number

        with self._shelf.lent(wanted) as generator:
            drafts = generator.generate(question, context, n, refused=refused)
        return [replace(draft, model=f"{draft.model or self.name} v{number}") for draft in drafts] if number != PLAIN else drafts

    def cancel(self, question_id: str) -> bool:
        """Stops writing, with whichever version that is done."""
        return self._shelf.cancel(question_id)

    def close(self) -> None:
        """Looks no more, and gives the model back."""
        self._ended.set()
        self._due.set()
        self._shelf.close()
        self._thread.join()
        self._shelf.close()  # what it may have opened in the meantime

    def promote(self, number: int, *, by: str) -> dict[str, Any]:
        """Lets a version answer from now on, here at once and elsewhere in a moment; raises NotFound and BadRequest."""
        self.versions.promote(number, by=by)
        return self._changed()

    def roll_back(self, *, by: str) -> dict[str, Any]:
        """Lets answer what did before the last promotion."""
        self.versions.roll_back(by=by)
        return self._changed()

    def body(self) -> dict[str, Any]:
        """The versions, and which of them answers here, as JSON."""
        return {**self.versions.body(), "serving": self._serving or None, "trouble": self.trouble}

    def look(self) -> None:
        """Puts what is promoted now in the place of what answers; raises StoreUnavailable."""
        with self._looking:
            version = self.versions.promoted()
            number = version.number if version else PLAIN
            if number == self._serving:
                self.trouble, self._failed = "", None
            elif number != self._failed or time.monotonic() > self._retry_at:
                if version:
                    self._known[number] = version
                self._swap(number)

    def _swap(self, number: int) -> None:
        try:
            with self._shelf.lent(lambda: number) as generator:
                try_out(generator)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a version, what answers must go on answering
            self._shelf.let_go(number)
            trouble = error.detail if isinstance(error, StreamLinkError) else f"It failed unexpectedly: {type(error).__name__}: {error}"
            if number != self._failed and not self._ended.is_set():
                stays = f"version {self._serving}" if self._serving else "the model as it is"
                wanted = f"Version {number}" if number else "The model as it is"
                _log.error(
                    "%s cannot answer here, and %s does: %s", wanted, stays, trouble, exc_info=not isinstance(error, StreamLinkError)
                )
            self._failed, self._retry_at, self.trouble = number, time.monotonic() + RETRY_S, trouble
            return
        before, self._serving = self._serving, number
        self._shelf.let_go(before)
        self._failed, self.trouble = None, ""
        _log.info("%s answers from now on.", f"Version {number}" if number else "The model as it is")

    def _opened(self, number: int) -> Generator:
        return self._open(self.versions.place(self._known[number].name) if number != PLAIN else None)

    def _changed(self) -> dict[str, Any]:
        self._due.set()
        return self.body()

    def _watch(self) -> None:
        while not self._ended.is_set():
            self._due.wait(LOOK_S)
            self._due.clear()
            try:
                if not self._ended.is_set():
                    self.look()
            except StoreUnavailable as error:
                _log.warning("Which version is promoted cannot be seen: %s", error.detail)
            except Exception:  # noqa: BLE001 - the edge of a thread: without it no promotion would be seen any more
                _log.exception("A look at the versions failed.")
