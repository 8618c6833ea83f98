"""Generators that come and go while questions are under way: each is closed once it gave way and nobody uses it. Knows no model."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from streamlink_sql.types import Generator

Key = TypeVar("Key", bound=Hashable)


@dataclass(slots=True)
class _Held:
    generator: Generator
    users: int = 0


class Shelf(Generic[Key]):
    """Generators by key; may be used by many threads."""

    def __init__(self, open_: Callable[[Key], Generator], most: int | None = None) -> None:
        """`open_` is called when one is first wanted; of more than `most` the one that was used longest ago gives way."""
        self._open, self._most = open_, most
        self._lock = threading.Lock()
        self._held: OrderedDict[Key, _Held] = OrderedDict()
        self._leaving: list[_Held] = []

    @contextmanager
    def lent(self, wanted: Callable[[], Key]) -> Iterator[Generator]:
        """The generator of the key that `wanted` gives in this moment, not to be closed before the end."""
        with self._lock:
            key = wanted()
            held = self._held.get(key)
            if held is None:
                held = self._held[key] = _Held(self._open(key))
            held.users += 1
            self._held.move_to_end(key)
            over = self._too_many()
        self._close(over)
        try:
            yield held.generator
        finally:
            with self._lock:
                held.users -= 1
                over = self._unused()
            self._close(over)

    def let_go(self, key: Key) -> None:
        """This one gives way; it is closed once nobody uses it."""
        with self._lock:
            self._give_way(key)
            over = self._unused()
        self._close(over)

    def cancel(self, question_id: str) -> bool:
        """Stops the writing for a question, wherever that is; False when there is nothing to stop."""
        with self._lock:
            generators = [held.generator for held in (*self._held.values(), *self._leaving)]
        return any([generator.cancel(question_id) for generator in generators])  # noqa: C419 - each of them is told

    def close(self) -> None:
        """Closes all, in use or not."""
        with self._lock:
            over = [*self._held.values(), *self._leaving]
            self._held.clear()
            self._leaving.clear()
        self._close(over)

    def _too_many(self) -> list[_Held]:
        while self._most is not None and len(self._held) > self._most:
            self._give_way(next(iter(self._held)))
        return self._unused()

    def _give_way(self, key: Key) -> None:
        if (held := self._held.pop(key, None)) is not None:
            self._leaving.append(held)

    def _unused(self) -> list[_Held]:
        """Those that can be closed, taken out of the list."""
        over = [held for held in self._leaving if not held.users]
        self._leaving = [held for held in self._leaving if held.users]
        return over

    @staticmethod
    def _close(over: list[_Held]) -> None:
        for held in over:
            held.generator.close()
