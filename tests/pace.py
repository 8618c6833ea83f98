"""How fast this machine is at the moment, so that bounds on processor time mean the same everywhere. Measures itself only."""

from __future__ import annotations

import time

USUAL_S = 0.016
"""Seconds of processor time that the piece of work takes on the machine for which the bounds are written."""


def slowness() -> float:
    """How many times slower than that machine this one is now; 1 where it is as fast or faster."""
    return max(1.0, min(_work() for _ in range(5)) / USUAL_S)


def _work() -> float:
    """The processor time of some work on words and dictionaries, which is what ours is mostly made of."""
    begin, seen = time.thread_time(), dict[str, int]()
    for number in range(60_000):
        word = str(number % 997)
        seen[word] = seen.get(word, 0) + len(f"{number}")
    return time.thread_time() - begin
