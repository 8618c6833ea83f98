"""How a training notices that it should stop, so that it saves first. Saves nothing itself."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType


class Stop:
    """Notes Ctrl-C and SIGTERM instead of dying from them; a second one is not held up."""

    signals = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.asked: int | None = None

    def __enter__(self) -> Stop:
        self._before = {number: signal.signal(number, self._note) for number in self.signals}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.asked = number
        for each in self.signals:
            signal.signal(each, signal.SIG_DFL)
