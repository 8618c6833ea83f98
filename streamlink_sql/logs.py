"""The log as JSON lines on stderr, each with the trace that it belongs to. Adds no question, no SQL and no cell to what is logged."""

from __future__ import annotations

import datetime
import json
import logging
import traceback
from typing import Any

from streamlink_sql import tracing

ENDED = logging.getLogger("streamlink_sql.ended")
"""What tells of each question how it ended; silent where the log is plain text, which is for what needs attention."""


def start(form: str, part: str) -> None:
    """Writes JSON lines from now on, where that is the form; `part` is which part of StreamLink this is."""
    if form == "json":
        handler = logging.StreamHandler()
        handler.setFormatter(JSONLines(part))
        logging.getLogger().addHandler(handler)
        ENDED.setLevel(logging.INFO)


def ended(code: str, seconds: float, **told: Any) -> None:
    """One line for a question that has ended: `ok` or the code of its problem, how long it took, and what else is told."""
    ENDED.info("a question ended", extra={"told": {"code": code, "ms": round(seconds * 1000, 3), **told}})


class JSONLines(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, part: str) -> None:
        """`part` stands in every line."""
        super().__init__()
        self._part = part

    def format(self, record: logging.LogRecord) -> str:
        """What was logged, with trace, question, asker and stage where there are any."""
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": at, "level": record.levelname.lower(), "part": self._part, "logger": record.name}
        line["message"] = record.getMessage()
        line |= tracing.said() | getattr(record, "told", {})
        if record.exc_info:
            line["exception"] = places(record.exc_info[1])
        return json.dumps(line, default=str)


def places(error: BaseException | None) -> list[str]:
    """The type of an error and where it was raised, then those of its causes; not their messages, which may hold data."""
    found: list[str] = []
    told = traceback.TracebackException.from_exception(error, compact=True) if error else None
    while told:
        found.append(f"{told.exc_type.__module__}.{told.exc_type.__qualname__}")
        found += [f"{place.filename}:{place.lineno} {place.name}" for place in told.stack]
        told = told.__cause__ or told.__context__
    return found
