"""The only place that knows OpenTelemetry: spans to the exporter that the environment names. A span holds counts and a code, no text.

The tracer is ours alone: libraries that would write addresses, messages or errors into spans of their own find none.
"""

from __future__ import annotations

import atexit
import os
import socket
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from importlib.metadata import entry_points

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

PATIENCE_S = 3.0
"""So long the end of a process waits for a collector that takes its last spans."""
OUR_FAULT = 500
"""From this status on an error says that a part failed, not that whoever asked is told no."""
_wanted: ContextVar[str] = ContextVar("streamlink_wanted_trace")


class Spans:
    """The spans of one process."""

    def __init__(self, exporter: str, part: str) -> None:
        """`exporter` is a name of OpenTelemetry's own list; raises LookupError where it is not installed."""
        found = entry_points(group="opentelemetry_traces_exporter", name=exporter)
        if not found:
            raise LookupError(exporter)
        is_named = os.environ.get("OTEL_SERVICE_NAME") or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
        who = {"host.name": socket.gethostname(), "process.pid": os.getpid()} | ({} if is_named else {"service.name": f"streamlink-{part}"})
        provider = TracerProvider(resource=Resource.create(who), id_generator=_Ids(), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(next(iter(found)).load()()))
        self._tracer = provider.get_tracer("streamlink_sql")
        atexit.register(_end, provider)

    def begin(self, name: str, kind: str, trace_id: str, parent: str, flags: int) -> OpenSpan:
        """A span that is open; `parent` is the id of another, '' where the trace begins."""
        _wanted.set(trace_id)
        above = Context()
        if parent:
            told = trace.SpanContext(int(trace_id, 16), int(parent, 16), is_remote=True, trace_flags=trace.TraceFlags(flags))
            above = trace.set_span_in_context(trace.NonRecordingSpan(told), above)
        return OpenSpan(self._tracer.start_span(name, above, trace.SpanKind[kind.upper()]))


class OpenSpan:
    """A step while it runs."""

    def __init__(self, span: trace.Span) -> None:
        """Knows its id, and W3C's flags."""
        context = span.get_span_context()
        self._span, self.id, self.flags = span, f"{context.span_id:016x}", int(context.trace_flags)

    def end(self, counts: Mapping[str, int], code: str, status: int) -> None:
        """Ends it with what was counted in it, and with code and status of the error that ended it."""
        self._span.set_attributes({f"streamlink.{name}": number for name, number in counts.items()})
        if code:
            self._span.set_attribute("streamlink.code", code)
        if status >= OUR_FAULT:
            self._span.set_status(trace.Status(trace.StatusCode.ERROR))
        self._span.end()


def _end(provider: TracerProvider) -> None:
    sending = threading.Thread(target=provider.shutdown, daemon=True)
    sending.start()
    sending.join(PATIENCE_S)


class _Ids(RandomIdGenerator):
    """Traces have the ids that we give them, whether spans are exported or not."""

    def generate_trace_id(self) -> int:
        return int(_wanted.get(), 16)
