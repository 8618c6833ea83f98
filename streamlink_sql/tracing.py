"""One id for a question, from whoever asks to the last part that works on it (W3C Trace Context). Knows no HTTP, sees no text and no data.

The id is passed on whether anybody collects traces or not. Where the variables of OpenTelemetry name an exporter, each step is a span.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from streamlink_sql.errors import StreamLinkError

if TYPE_CHECKING:
    from streamlink_sql.spans import Spans

Kind = Literal["internal", "server", "client"]
EXPORTING = ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""One of these is set where traces are exported; all else that OpenTelemetry's SDK and exporters read holds then, too."""
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_ID = re.compile(r"(?!0{32})[0-9a-f]{32}", re.ASCII)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """Where in a trace we are: its id, the span that is open ('' where the trace begins), W3C's flags, what the log says of it."""

    trace_id: str
    span_id: str = ""
    flags: int = 1
    said: Mapping[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


_here: ContextVar[Step | None] = ContextVar("streamlink_step", default=None)
_spans: Spans | None = None


def start(part: str) -> None:
    """Exports spans from now on, where the environment names an exporter. `part` is what this process is unless that says it."""
    global _spans
    told = {name: os.environ.get(name, "").strip().lower() for name in (*EXPORTING, "OTEL_SDK_DISABLED", "OTEL_EXPORTER_OTLP_PROTOCOL")}
    exporter = told["OTEL_TRACES_EXPORTER"] or "otlp"
    if not any(told[name] for name in EXPORTING) or exporter == "none" or told["OTEL_SDK_DISABLED"] == "true":
        return
    if exporter == "otlp":
        exporter = "otlp_proto_grpc" if told["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc" else "otlp_proto_http"
    try:
        from streamlink_sql.spans import Spans

        _spans = Spans(exporter, part)
    except (ImportError, LookupError):
        _log.warning("No traces are exported: OpenTelemetry's exporter %s is not installed: pip install 'streamlink-sql[trace]'", exporter)


def trace_id() -> str:
    """The id of the trace that we are in; '' outside of any."""
    step = _step()
    return step.trace_id if step else ""


def place() -> str:
    """What tells another part where in a trace we are: W3C's traceparent, the mere id while no span is known, '' outside of any."""
    step = _step()
    return "" if step is None else f"00-{step.trace_id}-{step.span_id}-{step.flags:02x}" if step.span_id else step.trace_id


def headers() -> dict[str, str]:
    """The same as the headers of a request to a part of ours."""
    told = place()
    return {"traceparent" if "-" in told else "X-Request-Id": told} if told else {}


def foreign_headers() -> dict[str, str]:
    """The same for a server that may give X-Request-Id a meaning of its own."""
    return {name: told for name, told in headers().items() if name == "traceparent"}


def said() -> dict[str, str]:
    """What the log says of where we are: `trace_id`, `stage`, and what `about` was told."""
    step = _step()
    return {"trace_id": step.trace_id, **step.said} if step else {}


def count(**numbers: int) -> None:
    """Adds to what is counted in the span that is open, from whatever thread works for it."""
    if step := _here.get():
        for name, number in numbers.items():
            step.counts[name] = step.counts.get(name, 0) + number


@contextmanager
def continued(*told: str | None) -> Iterator[None]:
    """Goes on with a caller's trace, the first that can be read of what `place` tells or a proxy; where there is none, one begins."""
    with _at(next(filter(None, map(_read, told)), None) or _begun()):
        yield


@contextmanager
def about(**known: str) -> Iterator[None]:
    """What the log says of all that follows, such as whose question it is; spans do not say it. A trace begins where there is none."""
    step = _step() or _begun()
    with _at(replace(step, said={**step.said, **known})):
        yield


@contextmanager
def span(name: str, kind: Kind = "internal") -> Iterator[Mapping[str, int]]:
    """A step of a trace, which begins here where there is none. Gives what is counted in it."""
    above = _step() or _begun()
    opened = _spans.begin(name, kind, above.trace_id, above.span_id, above.flags) if _spans else None
    at = (opened.id, opened.flags) if opened else (above.span_id, above.flags)
    here = Step(above.trace_id, *at, {**above.said, "stage": name})
    code, status = "", 0
    try:
        with _at(here):
            yield here.counts
    except BaseException as error:
        code, status = (error.code, error.status) if isinstance(error, StreamLinkError) else ("internal", 500)
        raise
    finally:
        if opened:
            opened.end(here.counts, code, status)


@contextmanager
def _at(step: Step) -> Iterator[None]:
    token = _here.set(step)
    try:
        yield
    finally:
        _here.reset(token)


def _begun() -> Step:
    return Step(secrets.token_hex(16))


def _read(told: str | None) -> Step | None:
    found, id_ = _TRACEPARENT.fullmatch((told or "").strip()), (told or "").replace("-", "").lower()
    if found:
        return Step(found[1], found[2], int(found[3], 16))
    return Step(id_) if _ID.fullmatch(id_) else None


def _step() -> Step | None:
    """Where we are; in a program that has traces of its own, in its span."""
    step = _here.get()
    if step is None and (api := sys.modules.get("opentelemetry.trace")):
        theirs = api.get_current_span().get_span_context()
        if theirs.is_valid:
            return Step(f"{theirs.trace_id:032x}", f"{theirs.span_id:016x}", int(theirs.trace_flags))
    return step
