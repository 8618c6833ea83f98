"""Every failure as one problem (RFC 9457). The only place where errors become HTTP; shows no trace and no library's own error."""

from __future__ import annotations

import json
import logging
import uuid
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamlink_sql import tracing
from streamlink_sql.errors import (
    BadRequest,
    Forbidden,
    InternalError,
    MethodNotAllowed,
    NotFound,
    StreamLinkError,
    TooLarge,
    Unauthenticated,
)

MEDIA_TYPE = "application/problem+json"
BY_STATUS: dict[int, type[StreamLinkError]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    413: TooLarge,
}
"""What the framework's own refusals are called here; any other below 500 is a bad request."""

log = logging.getLogger("streamlink_sql.web")


class Problem(JSONResponse):
    """An error as a response."""

    media_type = MEDIA_TYPE

    def __init__(self, error: StreamLinkError, headers: dict[str, str] | None = None) -> None:
        """`headers` are more of them; a `retry_after` of the error becomes one too."""
        headers = dict(headers or {})
        if "retry_after" in error.helps:
            headers["Retry-After"] = str(max(1, round(float(error.helps["retry_after"]))))
        super().__init__(plain(error.problem()), error.status, headers)


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """A problem as JSON can hold it, whatever helps came with the error, with the trace that it is in."""
    found: dict[str, Any] = json.loads(json.dumps(body, default=str).encode("utf-8", "replace"))
    in_trace = tracing.trace_id()
    return ({"trace_id": in_trace} if in_trace else {}) | found


def internal(error: BaseException) -> InternalError:
    """A fault of ours: the trace goes to the log under an id, the asker gets the id."""
    id_ = str(uuid.uuid4())
    log.error("internal error %s", id_, exc_info=error)
    return InternalError(f"Something went wrong inside StreamLink. The server's log tells more under {id_}.", id=id_)


def as_error(error: Exception) -> StreamLinkError:
    """Whatever was raised, as one of our errors."""
    return error if isinstance(error, StreamLinkError) else internal(error)


class CatchAll:
    """Turns what no handler knows into an internal error; what fails in the middle of a response can only be logged."""

    def __init__(self, app: ASGIApp) -> None:
        """Wraps the routes."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - the edge of the process: whatever it is becomes a problem with an id, and the trace goes to the log
            problem = internal(error)
            if not started:
                await Problem(problem)(scope, receive, send)


def add_handlers(app: FastAPI) -> None:
    """Gives every failure of the app's routes the one form."""
    app.add_middleware(CatchAll)
    app.add_exception_handler(StreamLinkError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _framework)


def _ours(_: Request, error: Exception) -> Problem:
    assert isinstance(error, StreamLinkError)
    return Problem(error)


def _invalid(_: Request, error: Exception) -> Problem:
    assert isinstance(error, RequestValidationError)
    return Problem(invalid(error.errors()))


def invalid(found: Any) -> BadRequest:
    """What is wrong with a body or a parameter, by the name of the field."""
    first = found[0]
    place = [str(part) for part in first["loc"]]
    if first["type"] == "json_invalid":
        why = first.get("ctx", {}).get("error", "it cannot be read")
        return BadRequest(f"The body is not valid JSON: {why}, at character {place[-1]}.", rule="json")
    if len(place) == 1:
        return BadRequest("The request needs a JSON object as its body, with Content-Type: application/json.", rule="json")
    field = ".".join(place[1:])
    said = {"missing": "is needed", "extra_forbidden": "is not known here"}.get(first["type"])
    message = str(first["msg"]).removeprefix("Value error, ")
    others = [".".join(str(part) for part in one["loc"][1:]) for one in found[1:]]
    return BadRequest(
        f"The field `{field}` {said}." if said else f"The field `{field}` cannot be used: {message}.",
        field=field,
        rule=first["type"],
        also=[name for name in others if name and name != field] or None,
    )


def _framework(request: Request, error: Exception) -> Problem:
    assert isinstance(error, HTTPException)
    path, headers = request.url.path, dict(error.headers or {})
    if error.status_code == 400:
        return Problem(BadRequest("The body cannot be read as JSON: it is not UTF-8 text, or nested too deeply.", rule="json"), headers)
    kind = BY_STATUS.get(error.status_code, BadRequest if error.status_code < 500 else InternalError)
    said = {
        404: f"There is nothing at {path}. GET /openapi.json lists what there is.",
        405: f"{path} does not take {request.method}; it takes {headers.get('Allow') or headers.get('allow') or 'another method'}.",
    }
    return Problem(kind(said.get(error.status_code, str(error.detail))), headers)
