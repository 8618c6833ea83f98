"""The page: ask, watch, read, correct. Built with NiceGUI, which is loaded here and nowhere else; all it shows of data is plain text.

The page holds a desk and never knows whether a control unit in this process or a client of another one is behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from typing import Any

from fastapi import FastAPI
from nicegui import app, ui
from nicegui.events import KeyEventArguments
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from streamlink_sql.errors import NotFound, StreamLinkError, error_from
from streamlink_sql.returned import answer_from
from streamlink_sql.types import Answer, Person, Question, Stage
from streamlink_sql.web.answer_card import answer_card, problem_card
from streamlink_sql.web.desk import Desk
from streamlink_sql.web.drawer import Drawer
from streamlink_sql.web.examples import example_questions
from streamlink_sql.web.look import CSS, ICON
from streamlink_sql.web.models_page import MODELS, ModelsPage, in_thread
from streamlink_sql.web.problems import Problem, as_error
from streamlink_sql.web.stage_strip import StageStrip

Life = Callable[[FastAPI], AbstractAsyncContextManager[None]]
CHIPS = 6
RECONNECT_S = 8.0
"""A page that is gone for so long has been closed."""


def pages_app(desk: Desk, life: Life, examples: tuple[str, ...]) -> FastAPI:
    """The application that serves the page and what belongs to it. A process has one."""
    shell = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=life)

    async def index(request: Request) -> None:
        await Page(desk, examples, _who(request), getattr(request.state, "person", None)).build()

    async def models(request: Request) -> None:
        await ModelsPage(desk, _who(request), getattr(request.state, "person", None)).build()

    ui.page("/", title="StreamLink", favicon=ICON, dark=None)(index)
    ui.page(MODELS, title="StreamLink: models", favicon=ICON, dark=None)(models)
    app.add_exception_handler(404, _not_found)
    ui.run_with(shell, title="StreamLink", favicon=ICON, dark=None, reconnect_timeout=RECONNECT_S, show_welcome_message=False)
    return shell


def _who(request: Request) -> Callable[[], Person | None]:
    """Tells who has logged in, for as long as the page is open."""
    who: Callable[[], Person | None] = getattr(request.state, "who", lambda: None)
    return who


async def _not_found(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return Problem(NotFound(f"There is nothing at {request.url.path}."))


class Page:
    """One visitor's page."""

    def __init__(self, desk: Desk, examples: tuple[str, ...], who: Callable[[], Person | None], person: Person | None) -> None:
        """`examples` are questions to offer; without them the page makes some from the tables. `person` is who has logged in, and `who`
        tells whether they still are: a page outlives its request."""
        self.desk = self._of_all = desk
        self.examples, self._who, self.person = examples, who, person
        self.running: Question | None = None

    async def build(self) -> None:
        """Lays the page out, then fills in what must be read first."""
        ui.add_css(CSS)
        self.dark = ui.dark_mode(None)
        self.drawer = Drawer(self._open_entry)
        self._header()
        with ui.column().classes("sl-main"):
            self.title = ui.label("Ask your data").classes("sl-title")
            self.where = ui.label("").classes("sl-soft")
            self._question_box()
            self.chips = ui.row().classes("sl-chips")
            self.strip = StageStrip()
            self.place = ui.column().classes("w-full").style("gap: 16px")
        client = ui.context.client
        client.on_delete(self._visitor_left)
        await client.connected()
        await self._follow_the_system()
        await self._fill()

    def _header(self) -> None:
        with ui.header().classes("sl-header items-center"):
            self._icon_button("menu", "Tables and history", self.drawer.toggle)
            ui.html(ICON, sanitize=False).style("width: 26px; height: 26px")
            ui.label("StreamLink").classes("sl-word")
            ui.space()
            self.source = ui.label("").classes("sl-soft sl-small sl-where")
            self._icon_button("model_training", "Versions of the model", lambda: ui.navigate.to(MODELS))
            self._icon_button("contrast", "Light or dark", self._switch_dark)
            if self.person is not None:
                ui.label(self.person.name).classes("sl-soft sl-small")
                with ui.element("form").props('method=post action="/logout"'):
                    ui.button(icon="logout").props('flat round dense color=grey-7 type=submit aria-label="Log out"').tooltip("Log out")

    def _icon_button(self, icon: str, says: str, act: Callable[[], Any]) -> None:
        ui.button(icon=icon, on_click=act).props(f'flat round dense color=grey-7 aria-label="{says}"').tooltip(says)

    def _question_box(self) -> None:
        with ui.row().classes("sl-card sl-ask"):
            self.box = ui.textarea(placeholder="Ask a question in plain words").props(
                'borderless dense autogrow autofocus rows=1 maxlength=4000 aria-label="Question"'
            )
            self.box.classes("grow").on("keydown.enter.exact.prevent", lambda: self.ask(self.box.value))
            self.stop = ui.button(icon="stop", on_click=self._stop).props('unelevated round color=grey-7 aria-label="Stop"')
            self.go = ui.button(icon="arrow_upward", on_click=lambda: self.ask(self.box.value)).props('unelevated round aria-label="Ask"')
            self.stop.tooltip("Stop (Esc)").set_visibility(False)
            self.go.tooltip("Ask (Enter)")
        ui.keyboard(on_key=self._key, ignore=[])

    async def _key(self, event: KeyEventArguments) -> None:
        if event.key == "Escape" and event.action.keydown:
            await self._stop()

    async def _follow_the_system(self) -> None:
        with suppress(TimeoutError):
            self.dark.value = bool(await ui.run_javascript("matchMedia('(prefers-color-scheme: dark)').matches", timeout=5))

    def _switch_dark(self) -> None:
        self.dark.value = not self.dark.value

    async def _come_in(self) -> None:
        """Takes what the visitor may see now; raises Unauthenticated where they have logged out, Forbidden where their role is gone."""
        self.desk = await in_thread(lambda: self._of_all.of(self._who()))

    async def _fill(self) -> None:
        try:
            await self._come_in()
            tables = await in_thread(self.desk.control.tables)
        except StreamLinkError as error:
            self._show_problem(error, None)
            return
        self.drawer.show_tables(tables)
        rows = sum(table.rows or 0 for table in tables)
        said = f"{len(tables):,} table{'s' * (len(tables) != 1)}" + (f", {rows:,} rows" if rows else "")
        self.where.set_text(f"{said}. Questions and answers stay on your machines.")
        self.source.set_text(said)
        self.examples = self.examples or example_questions(tables)
        with self.chips:
            self._offer_examples()
        await self._fill_history()

    def _offer_examples(self) -> None:
        with ui.row().classes("sl-chips"):
            for text in self.examples[:CHIPS]:
                with ui.element("button").classes("sl-chip").props("type=button").on("click", partial(self.ask, text)):
                    ui.label(text)

    async def _fill_history(self) -> None:
        with suppress(StreamLinkError):
            await self._come_in()
            self.drawer.show_history(await in_thread(partial(self.desk.control.history, limit=50)))

    async def ask(self, text: str, *, sql: str | None = None, confirm: bool = False) -> None:
        """Asks a question, or runs SQL in its place, and shows what comes of it."""
        if self.running is not None or not (text or "").strip():
            return
        question = self.running = Question(text, confirm=confirm)
        self.box.set_value(text if sql is None else self.box.value)
        self._begin(rerun=sql is not None)
        loop = asyncio.get_running_loop()

        def watch(stage: Stage) -> None:
            loop.call_soon_threadsafe(self.strip.tell, stage)

        try:
            await self._come_in()
            answer = await in_thread(partial(self.desk.ask, question, watch, sql=sql))
        except Exception as error:  # noqa: BLE001 - the edge of the process: whatever it is becomes a card, and the trace goes to the log
            self._end()
            again = partial(self.ask, text, sql=sql)
            self._show_problem(as_error(error), again)
        else:
            self._end()
            self._show(answer)
        await self._fill_history()

    def _begin(self, *, rerun: bool) -> None:
        self.title.set_visibility(False)
        self.where.set_visibility(False)
        self.chips.set_visibility(False)
        self.go.set_visibility(False)
        self.stop.set_visibility(True)
        self.strip.begin()
        if not rerun:
            self.place.clear()

    def _end(self) -> None:
        self.running = None
        self.strip.end()
        self.go.set_visibility(True)
        self.stop.set_visibility(False)

    def _show(self, answer: Answer) -> None:
        self.strip.settle(answer.timings_ms)
        self.place.clear()
        with self.place:
            answer_card(answer, self.desk.control, run=partial(self.ask, answer.question), dark=self.dark)

    def _show_problem(self, error: StreamLinkError, again: Callable[..., Any] | None) -> None:
        self.place.clear()
        confirm = partial(again, confirm=True) if again and error.code == "too_costly" else None
        with self.place:
            problem_card(error, confirm=confirm, again=again, offers=self._offer_examples if self.examples else None)

    async def _open_entry(self, id_: str) -> None:
        """An answer of the history: whole where its rows are still kept, else with the offer to run it again."""
        if self.running is not None:
            return
        try:
            await self._come_in()
            entry = await in_thread(partial(self.desk.control.entry, id_))
        except StreamLinkError as error:
            self._show_problem(error, None)
            return
        await self.drawer.make_room()
        self.box.set_value(entry["question"])
        self._begin(rerun=False)
        self._end()
        if entry["state"] == "answered":
            self._show(answer_from(entry))
        else:
            self.strip.settle({})
            self._show_problem(error_of(entry), partial(self.ask, entry["question"]))

    async def _stop(self) -> None:
        if self.running is not None:
            await in_thread(partial(self.desk.control.cancel, self.running.id))

    async def _visitor_left(self) -> None:
        if self.running is not None:
            await in_thread(partial(self.desk.left, self.running.id))


def error_of(entry: dict[str, Any]) -> StreamLinkError:
    """The problem of a question in the history."""
    return error_from(entry) if entry.get("code") else StreamLinkError("This question was never answered. Ask it again.", id=entry["id"])
