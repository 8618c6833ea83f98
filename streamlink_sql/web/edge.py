"""What every request passes before the routes: who may call, how large a body may be, what happens when the caller hangs up.

Reads no JSON and knows no question. What a route leaves as `request.state.hung_up` is called when the caller goes away.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamlink_sql.errors import Forbidden, StreamLinkError, TooLarge, Unauthenticated
from streamlink_sql.tracing import continued
from streamlink_sql.web.guard import LOGIN, LOGOUT, OPEN, Doorkeeper
from streamlink_sql.web.look import POLICY
from streamlink_sql.web.problems import Problem

PAGES = ("/", "/models")
"""Where pages are; all else that they need lies below /_nicegui."""
BODY_MAX = 2**20
UNOBSERVED: Any = {"tracing": False, "metrics": False, "logs": False}
"""What the framework would write into traces and logs of its own holds addresses and messages: it writes none."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
)
PAGE_HEADERS = ((b"content-security-policy", POLICY.encode()),)


class Work(Protocol):
    """What is under way behind the routes, as far as the end of the server concerns it."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is."""
        ...

    def stop(self) -> None:
        """Takes no more; what is under way goes on."""
        ...

    def close(self) -> None:
        """Calls off what is under way."""
        ...


class Edge:
    """The application as the server sees it: routes, and pages where there are any."""

    def __init__(
        self,
        app: ASGIApp,
        desk: Work,
        pages: ASGIApp | None = None,
        hosts: Collection[str] | None = None,
        guard: Doorkeeper | None = None,
        body_max: int = BODY_MAX,
    ) -> None:
        """`desk` knows what is under way; `hosts` are the names under which this server may be called, None allows any; `guard` tells
        who asks, None lets everybody in; `body_max` bytes may stand in one request."""
        self.routes, self.desk, self.pages, self.hosts, self.guard, self.body_max = app, desk, pages, hosts, guard, body_max
        self.app = pages or app
        self.answering = 0
        """Requests whose responses are under way; watching pages are none."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, one websocket, or the server's life."""
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] == "websocket" or (self.pages is not None and _is_page(scope["path"])):
            return await self._judged(scope, receive, send)  # what is asked there begins traces of its own
        headers = Headers(scope=scope)
        with continued(headers.get("traceparent"), headers.get("x-request-id")):
            return await self._judged(scope, receive, send)

    async def _judged(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on whom it lets in."""
        refused = self._refused(scope)
        if refused is not None:
            return await self._turn_away(refused, scope, receive, send)
        if self.guard is not None and not await self._let_in(self.guard, scope, receive, send):
            return None
        if self.pages is not None and _is_page(scope["path"]):
            return await self.pages(scope, receive, _with_headers(send, HEADERS + PAGE_HEADERS))
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        return await self._route(scope, receive, send)

    def _refused(self, scope: Scope) -> StreamLinkError | None:
        """A page of another site must not use the visitor's browser to ask here, neither by its own name nor by one it points at us."""
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if self.hosts is not None and _name(f"//{host}") not in self.hosts:
            return Forbidden("This server is called by another name than its own. Use the address that it printed at its start.")
        changes = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS or scope["path"].startswith("/_nicegui_ws/")
        if changes and origin is not None and origin.partition("://")[2] != host:
            return Forbidden("Pages of other sites may not ask here.")
        return None

    async def _let_in(self, guard: Doorkeeper, scope: Scope, receive: Receive, send: Send) -> bool:
        """Notes who asks for the routes; False where the request was answered here: by the login, or because nobody may send it."""
        headers, path = Headers(scope=scope), scope["path"]
        address = (scope.get("client") or ("",))[0]
        posted, got = (scope["type"] == "http" and scope["method"] == method for method in ("POST", "GET"))
        response: Response | None = None
        try:
            if path == LOGIN and posted:
                body, secure = await _body(receive, self.body_max), scope.get("scheme") == "https"
                response = await anyio.to_thread.run_sync(lambda: guard.log_in(body, address, secure=secure))
            elif path == LOGIN:
                response = await anyio.to_thread.run_sync(guard.login_page)
            elif path == LOGOUT and posted:
                response = await anyio.to_thread.run_sync(guard.log_out, headers)
            elif path.startswith(f"{LOGIN}/") and got:
                query = scope["query_string"].decode("ascii", "replace")
                response = await anyio.to_thread.run_sync(guard.at_provider, path, query, headers, address)
            if response is None and path not in OPEN:
                who = partial(guard.person, headers, address)
                scope.setdefault("state", {}).update(person=await anyio.to_thread.run_sync(who), who=who)
        except StreamLinkError as error:
            wants_page = scope["type"] == "http" and path in PAGES and error.status == Unauthenticated.status
            if not wants_page:
                await self._turn_away(error, scope, receive, send)
                return False
            response = RedirectResponse(LOGIN, 303)
        if response is not None:
            await response(scope, receive, _with_headers(send, HEADERS))
        return response is None

    async def _turn_away(self, error: StreamLinkError, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            challenge = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthenticated) else None
            await Problem(error, challenge)(scope, receive, _with_headers(send, HEADERS))

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = _with_headers(send, HEADERS)
        try:
            body = await _body(receive, self.body_max)
        except TooLarge as error:
            await Problem(error)(scope, receive, sending)
        else:
            self.answering += 1
            try:
                await self._watched(body, scope, receive, sending)
            finally:
                self.answering -= 1

    async def _watched(self, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the route, and beside it listens for the caller's hanging up."""
        state = scope.setdefault("state", {})
        gone = anyio.Event()
        read = False

        async def replay() -> Message:
            nonlocal read
            if read:
                await gone.wait()
                return {"type": "http.disconnect"}
            read = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def listen() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            gone.set()
            hung_up: Callable[[], None] | None = state.get("hung_up")
            if hung_up is not None:
                await anyio.to_thread.run_sync(hung_up)

        listening = anyio.create_task_group()
        failed: Exception | None = None
        async with listening:
            listening.start_soon(listen)
            try:
                await self.routes(scope, replay, send)
            except Exception as error:  # noqa: BLE001 - carried out of the group, which would wrap it
                failed = error
            listening.cancel_scope.cancel()
        if failed is not None:
            raise failed


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _with_headers(send: Send, headers: tuple[tuple[bytes, bytes], ...]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *headers]}
        await send(message)

    return sending


async def _body(receive: Receive, most: int) -> bytes:
    """The whole body; raises TooLarge as soon as it is known to be."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            raise TooLarge(f"A request may have {most // 1024:,} KB; this one has more.")
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _is_page(path: str) -> bool:
    return path in (*PAGES, "/favicon.ico") or path.startswith(("/_nicegui/", "/_nicegui_ws/"))
