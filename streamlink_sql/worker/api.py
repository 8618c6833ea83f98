"""The worker over HTTP: drafts, health, counters. Turns requests into what a generator takes, and its failures into problems."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio.to_thread
from fastapi import FastAPI, Request, Response
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import Scope

from streamlink_sql import __version__
from streamlink_sql.errors import StreamLinkError, Unauthenticated
from streamlink_sql.generators.drafting import PATH, DraftsBody, DraftsReply
from streamlink_sql.web import metrics, problems
from streamlink_sql.web.edge import UNOBSERVED, Edge
from streamlink_sql.worker.line import Line

SPARE_THREADS = 40
BODY_MAX = 2**24
"""Bytes of one request: the schema of a question may be long."""
OPEN = frozenset({"/healthz", "/readyz"})
"""What answers without the token."""


def create_app(line: Line, *, places: int, token: str | None = None) -> Edge:
    """What a worker runs. `places` is how many questions it holds, running and waiting; with a `token` nobody asks without it."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = places + SPARE_THREADS
        yield

    app = FastAPI(
        title="StreamLink worker", version=__version__, docs_url=None, redoc_url=None, openapi_url=None, lifespan=life, telemetry=UNOBSERVED
    )
    app.router.redirect_slashes = False
    problems.add_handlers(app)

    @app.post(PATH)
    def drafts(body: DraftsBody, request: Request) -> Response:
        """The drafts for one question, best first."""
        with line.counted(body.id):
            run = line.take(body.asked())
            request.state.hung_up = partial(line.leave, run)
            found = line.drafts(run, body.context(), body.n, body.refused, body.version)
        return Response(DraftsReply(drafts=tuple(found)).to_json(), media_type="application/json")

    @app.get("/healthz")
    def healthz() -> Response:
        """Answers as long as the process does."""
        return JSONResponse({"status": "ok", "version": __version__})

    @app.get("/readyz")
    def readyz() -> Response:
        """Whether it takes questions: not while it drains."""
        return JSONResponse({"status": "draining" if line.stopping else "ok", "version": __version__}, 503 if line.stopping else 200)

    @app.get("/metrics")
    def counters() -> Response:
        """Who waits, what is written, how long it takes."""
        return Response(line.metrics.page(), media_type=metrics.MEDIA_TYPE)

    return _Edge(app, line, token)


class _Edge(Edge):
    """Turns strangers away before their body is read."""

    def __init__(self, app: FastAPI, line: Line, token: str | None) -> None:
        super().__init__(app, line, body_max=BODY_MAX)
        self._expected = f"Bearer {token}".encode() if token else None

    def _refused(self, scope: Scope) -> StreamLinkError | None:
        """Who may not ask, and why."""
        if self._expected is not None and scope["path"] not in OPEN:
            sent = Headers(scope=scope).get("authorization", "").encode("latin-1")
            if not secrets.compare_digest(sent, self._expected):
                return Unauthenticated("This worker wants its token: Authorization: Bearer TOKEN, as its setting worker_token says.")
        return super()._refused(scope)
