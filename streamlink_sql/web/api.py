"""The REST API. Turns requests into questions and answers into JSON; everything else is decided by the control unit."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, cast

import anyio.to_thread
from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from starlette.responses import JSONResponse, StreamingResponse

from streamlink_sql import __version__
from streamlink_sql.errors import BadRequest, Forbidden, NotFound, StreamLinkError
from streamlink_sql.types import Answer, Control, Feedback, Person, Question, Stage
from streamlink_sql.web import bodies, metrics, problems, streams
from streamlink_sql.web.desk import Alone, Controls, Desk
from streamlink_sql.web.edge import UNOBSERVED, Edge
from streamlink_sql.web.guard import Doorkeeper

if TYPE_CHECKING:
    from streamlink_sql.relief import Relief

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""The names of this machine for itself."""
SPARE_THREADS = 40

DESCRIPTION = """Ask a database a question in plain language. Every failure is a problem (RFC 9457) with a `code`."""

ONE_PROBLEM: dict[int | str, dict[str, Any]] = {
    "default": {"description": "A problem.", "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}}
}
STREAMED: dict[str, Any] = {
    "description": "The answer. With `Accept: text/event-stream`: events `accepted`, `stage`, then `answer` or `problem`.",
    "model": bodies.AnswerBody,
    "content": {
        streams.MEDIA_TYPE: {
            "schema": {"type": "string"},
            "example": 'event: accepted\ndata: {"id": "2b0c..."}\n\nevent: stage\ndata: {"name": "model", "state": "end", "ms": 41.2}\n\n',
        }
    },
}

router = APIRouter(responses=ONE_PROBLEM)


def the_desk(request: Request) -> Desk:
    """The desk of this server, for whoever sends the request."""
    desk: Desk = request.app.state.desk
    return desk.of(getattr(request.state, "person", None))


TheDesk = Annotated[Desk, Depends(the_desk)]
Key = Annotated[
    str | None, Header(alias="Idempotency-Key", description="The same as `id`: the same key gives the same answer, the query runs once.")
]


def create_app(
    control: Control | Controls,
    *,
    guard: Doorkeeper | None = None,
    pages: bool = True,
    hosts: Collection[str] | None = None,
    data: str | None = None,
    model: str | None = None,
    at_once: int = 66,
    per_person: int = 8,
    examples: tuple[str, ...] = (),
    tried: Mapping[str, int] | None = None,
    relief: Relief | None = None,
) -> Edge:
    """What a server runs. `control` is one control unit for all, or one for each person, whom `guard` lets in. `hosts`: the names it may be
    called by; `data`, `model`: what it serves, as askers may name it; `tried`: answers that a policy in log mode has judged, by outcome;
    `relief`: through whom other control units go on with what is under way at the end."""
    desk = Desk(Alone(cast(Control, control)) if guard is None else cast(Controls, control), at_once, per_person, tried, relief)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = at_once + SPARE_THREADS
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(desk.close)

    app = FastAPI(
        title="StreamLink", version=__version__, description=DESCRIPTION, docs_url=None, redoc_url=None, lifespan=life, telemetry=UNOBSERVED
    )
    app.router.redirect_slashes = False
    app.state.desk, app.state.serves = desk, {"data": data, "model": model}
    app.include_router(router)
    problems.add_handlers(app)
    _describe(app)
    if not pages:
        return Edge(app, desk, hosts=hosts, guard=guard)
    from streamlink_sql.web.pages import pages_app

    return Edge(app, desk, pages_app(desk, life, examples), hosts, guard)


@router.post("/v1/ask", responses={200: STREAMED}, tags=["ask"], summary="Ask a question in plain words")
def ask(body: bodies.AskBody, request: Request, desk: TheDesk, key: Key = None) -> Response:
    """The model writes SQL, the checks judge it, the engine runs it read-only, and the answer says all of it."""
    for name, served in request.app.state.serves.items():
        if (named := getattr(body, name)) is not None and named != served:
            raise NotFound(f"This server has no {name} of that name. Leave `{name}` out to use what it has.", field=name)
    return _answered(request, desk, body.asked(_id(body.id, key)))


@router.post("/v1/sql", responses={200: STREAMED}, tags=["ask"], summary="Run your own SQL")
def run_sql(body: bodies.SQLBody, request: Request, desk: TheDesk, key: Key = None) -> Response:
    """The same checks, limits, record and answer as for SQL that the model writes."""
    return _answered(request, desk, body.asked(_id(body.id, key)), sql=body.sql)


@router.post("/v1/check", responses={200: {"model": bodies.VerdictBody}}, tags=["ask"], summary="Judge SQL without running it")
def check(body: bodies.CheckBody, desk: TheDesk) -> Response:
    """What would run and what it would read; a refusal is a problem."""
    verdict = desk.control.check(body.sql)
    return JSONResponse({"verdict": "passed", "sql": verdict.sql, "tables": sorted(verdict.tables), "warnings": list(verdict.warnings)})


@router.delete("/v1/runs/{id:path}", responses={200: {"model": bodies.CancelledBody}}, tags=["ask"], summary="Call a question off")
def cancel(id: str, desk: TheDesk) -> Response:  # noqa: A002 - it is called id everywhere
    """Whoever waits for it gets the problem `cancelled`."""
    if not desk.control.cancel(id):
        raise NotFound("No question of this id is under way.", id=id)
    return JSONResponse({"id": id, "cancelled": True})


@router.get("/v1/tables", responses={200: {"model": bodies.TablesBody}}, tags=["data"], summary="What can be asked")
def tables(desk: TheDesk) -> Response:
    """Every table with its columns and keys."""
    return JSONResponse({"tables": [table.body() for table in desk.control.tables()]})


@router.get("/v1/history", responses={200: {"model": bodies.HistoryBody}}, tags=["history"], summary="What was asked")
def history(
    desk: TheDesk,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many.")] = 50,
    before: Annotated[str | None, Query(description="Only what is older than the question of this id.")] = None,
) -> Response:
    """The newest first; an answer stands there without its rows."""
    if before is not None:
        desk.control.entry(before)
    entries = desk.control.history(limit=limit, before=before)
    return JSONResponse({"entries": entries, "next": entries[-1]["id"] if len(entries) == limit else None})


@router.get("/v1/history/{id:path}", tags=["history"], summary="One question and what became of it")
def entry(id: str, desk: TheDesk) -> Response:  # noqa: A002
    """The answer without its rows, or the problem; `state` is `accepted`, `answered` or `problem`."""
    return JSONResponse(desk.control.entry(id))


@router.post("/v1/feedback", responses={200: {"model": bodies.KeptBody}}, tags=["feedback"], summary="Say whether an answer was right")
def give_feedback(body: bodies.FeedbackBody, desk: TheDesk) -> Response:
    """The newest verdict of one person on one answer counts."""
    desk.control.give_feedback(Feedback(body.id, body.verdict, body.sql, body.comment))
    return JSONResponse({"id": body.id, "verdict": body.verdict})


@router.get(
    "/v1/feedback/accepted",
    responses={
        200: {"content": {"application/x-ndjson": {"example": '{"id": "2b0c...", "question": "How many sales?", "query": "SELECT ..."}\n'}}}
    },
    tags=["feedback"],
    summary="Questions with SQL that a person vouched for",
)
def accepted(desk: TheDesk) -> Response:
    """JSON lines with `id`, `question`, `query`, as `adapt` reads them."""

    def lines() -> Iterator[bytes]:
        for pair in pairs:
            yield json.dumps(pair).encode() + b"\n"

    pairs = list(desk.control.accepted_pairs())
    return StreamingResponse(lines(), media_type="application/x-ndjson")


@router.get("/v1/models", responses={200: {"model": bodies.ModelsBody}}, tags=["models"], summary="The versions of the model")
def models(desk: TheDesk) -> Response:
    """Every version with its scores, which of them is promoted, and how many accepted questions none of them knows."""
    return JSONResponse(desk.control.models())


@router.post("/v1/models/promote", responses={200: {"model": bodies.ModelsBody}}, tags=["models"], summary="Let a version answer")
def promote(body: bodies.PromoteBody, desk: TheDesk) -> Response:
    """From the next question on, at every server of this store within seconds. Where people log in, only administrators may."""
    return JSONResponse(desk.control.promote(body.version))


@router.post("/v1/models/rollback", responses={200: {"model": bodies.ModelsBody}}, tags=["models"], summary="Take a promotion back")
def roll_back(desk: TheDesk) -> Response:
    """The version before it answers again, or the model as it is. Where people log in, only administrators may."""
    return JSONResponse(desk.control.roll_back())


@router.get("/v1/me", responses={200: {"model": bodies.MeBody}}, tags=["people"], summary="Who am I?")
def me(request: Request) -> Response:
    """Whom the key or the session of this request belongs to; `name` is null where nobody has to log in."""
    person: Person | None = getattr(request.state, "person", None)
    if person is None:
        return JSONResponse({"name": None, "role": "", "scope": "admin"})
    return JSONResponse({"name": person.name, "role": person.role, "scope": person.scope})


@router.get("/healthz", responses={200: {"model": bodies.HealthBody}}, tags=["health"], summary="Is the server there?")
def healthz() -> Response:
    """Answers as long as the process does."""
    return JSONResponse({"status": "ok", "version": __version__})


@router.get("/readyz", responses={200: {"model": bodies.HealthBody}}, tags=["health"], summary="Can it answer questions?")
def readyz(request: Request) -> Response:
    """Reads the tables and the store; a problem says which of them is missing, or that the server is being stopped."""
    request.app.state.desk.ready()
    return JSONResponse({"status": "ok", "version": __version__})


@router.get("/metrics", responses={200: {"content": {"text/plain": {}}}}, tags=["health"], summary="Counters for Prometheus")
def counters(request: Request) -> Response:
    """Questions by outcome, seconds by stage, questions under way. Where people log in, only for administrators."""
    desk: Desk = request.app.state.desk
    person: Person | None = getattr(request.state, "person", None)
    if person is not None and person.scope != "admin":
        raise Forbidden("Only administrators see the counters. Use a key with the scope admin.")
    return Response(desk.metrics.page(), media_type=metrics.MEDIA_TYPE)


def _id(named: str | None, key: str | None) -> str:
    """The id of a question: the client's own, by field or header, or a new one."""
    key = key.strip().strip('"') if key is not None else None
    if named is not None and key is not None and named != key:
        raise BadRequest("`id` and the header Idempotency-Key say different things; give one of them.", field="id")
    return next((found for found in (named, key) if found is not None), str(uuid.uuid4()))


def _answered(request: Request, desk: Desk, question: Question, sql: str | None = None) -> Response:
    """The answer as one JSON object, or told as it comes into being."""
    request.state.hung_up = partial(desk.left, question.id)
    if streams.MEDIA_TYPE in request.headers.get("accept", ""):
        return streams.EventStream(partial(_story, desk, question, sql))
    return AnswerResponse(desk.ask(question, sql=sql))


def _story(desk: Desk, question: Question, sql: str | None, tell: streams.Tell) -> None:
    """Tells `accepted` once the question is written down, then every stage, then the outcome."""
    told = False

    def accepted() -> None:
        nonlocal told
        if not told:
            told = True
            tell("accepted", {"id": question.id})

    def watch(stage: Stage) -> None:
        accepted()
        data: dict[str, Any] = {"name": stage.name, "state": stage.state, "ms": None if stage.ms is None else round(stage.ms, 3)}
        tell("stage", data | ({"progress": asdict(stage.progress)} if stage.progress else {}))

    try:
        answer = desk.ask(question, watch, sql=sql)
        accepted()
        tell("answer", answer.body())
    except StreamLinkError as error:
        tell("problem", problems.plain(error.problem()))
    except Exception as error:  # noqa: BLE001 - the edge of the process: the stream has begun, so that the problem must be told in it
        tell("problem", problems.plain(problems.internal(error).problem()))


class AnswerResponse(Response):
    """An answer in its one shape."""

    media_type = "application/json"

    def __init__(self, answer: Answer) -> None:
        """Writes the JSON on the thread of the route."""
        super().__init__(json.dumps(answer.body(), ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"))


def _describe(app: FastAPI) -> None:
    """Puts the problem's shape into the OpenAPI document, in place of the framework's own error."""
    plain = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = plain()
            schemas = found["components"]["schemas"]
            schemas["ProblemBody"] = bodies.ProblemBody.model_json_schema()
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            for path in found["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None)
        return app.openapi_schema or plain()

    app.openapi = document  # type: ignore[method-assign]
