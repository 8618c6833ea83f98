"""A collector of OpenTelemetry: a real HTTP server that reads OTLP, as protobuf, and keeps the spans."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

KINDS = ("unset", "internal", "server", "client")


@dataclass(frozen=True)
class Seen:
    """A span as it came in."""

    name: str
    kind: str
    part: str
    trace: str
    id: str
    parent: str
    failed: bool
    attributes: dict[str, Any]
    ms: float


@dataclass
class Collected:
    """Where the collector is, all spans that came in, and the bytes that they came in."""

    url: str = ""
    spans: list[Seen] = field(default_factory=list)
    raw: bytes = b""

    def of(self, trace: str) -> list[Seen]:
        """The spans of one trace."""
        return [span for span in self.spans if span.trace == trace]


@contextmanager
def collecting() -> Iterator[Collected]:
    """A collector on a free port."""
    collected = Collected()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/v1/traces", self.path
            body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            collected.raw += body
            collected.spans += _read(body)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    collected.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield collected
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _read(body: bytes) -> Iterator[Seen]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        part = _values(resource.resource.attributes)["service.name"]
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            trace, own, parent = (each.hex() for each in (span.trace_id, span.span_id, span.parent_span_id))
            ms = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
            assert not span.events, "events hold messages"
            yield Seen(span.name, KINDS[span.kind], part, trace, own, parent, span.status.code == 2, _values(span.attributes), ms)


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}
