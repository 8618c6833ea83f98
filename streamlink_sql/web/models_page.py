"""The page with the versions of the model: what each scored, which one answers, and for administrators the buttons that change it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import anyio.to_thread
from nicegui import ui

from streamlink_sql.errors import StreamLinkError
from streamlink_sql.types import Control, Person
from streamlink_sql.web.answer_card import problem_card
from streamlink_sql.web.desk import Desk
from streamlink_sql.web.look import CSS

MODELS = "/models"
SETTLED_S = 3.0
"""So long after a change the list is read again: until then this server has taken it up."""
Found = TypeVar("Found")


class ModelsPage:
    """One visitor's look at the versions."""

    def __init__(self, desk: Desk, who: Callable[[], Person | None], person: Person | None) -> None:
        """`person` is who has logged in, None where nobody has to; `who` tells whether they still are."""
        self._desk, self._who = desk, who
        self._may_change = person is None or person.scope == "admin"

    async def build(self) -> None:
        """Lays the page out, then fills it in."""
        ui.add_css(CSS)
        dark = ui.dark_mode(None)
        with ui.header().classes("sl-header items-center"):
            back = ui.button(icon="arrow_back", on_click=lambda: ui.navigate.to("/"))
            back.props('flat round dense color=grey-7 aria-label="Back to the questions"').tooltip("Back to the questions")
            ui.label("StreamLink").classes("sl-word")
        with ui.column().classes("sl-main"):
            ui.label("Versions of the model").classes("sl-title")
            self._place = ui.column().classes("w-full").style("gap: 16px")
        await ui.context.client.connected()
        with suppress(TimeoutError):
            dark.value = bool(await ui.run_javascript("matchMedia('(prefers-color-scheme: dark)').matches", timeout=5))
        await self._fill()

    async def _fill(self, change: Callable[[Control], Any] | None = None) -> None:
        """Changes something, where there is something to change, and shows how things stand."""

        def read() -> dict[str, Any]:
            control = self._desk.of(self._who()).control
            if change is not None:
                change(control)
            return control.models()

        try:
            body = await in_thread(read)
        except StreamLinkError as error:
            self._place.clear()
            with self._place:
                problem_card(error, again=self._fill)
            return
        self._place.clear()
        with self._place:
            self._state(body)
            for version in body["versions"]:
                self._version(version, body)
            if body["serving"] != body["promoted"] and not body["trouble"]:
                ui.timer(SETTLED_S, self._fill, once=True)

    def _state(self, body: dict[str, Any]) -> None:
        """What answers, what waits, and how to make another version."""
        with ui.column().classes("sl-card"):
            ui.label(_named(body["promoted"], "answers.")).classes("sl-lead")
            if body["trouble"]:
                ui.label(f"{_named(body['serving'], 'answers at this server.')} {body['trouble']}").classes("sl-note").props("role=note")
            waiting = body["waiting"]
            ui.label(f"{waiting:,} accepted question{'s' * (waiting != 1)} that no version knows.").classes("sl-soft")
            ui.label(f"streamlink-sql adapt --data {shlex.quote(body['source'])} --out DIR").classes("sl-code")
            if body["promoted"] is not None and self._may_change:
                self._button("Roll back", lambda control: control.roll_back())

    def _version(self, version: dict[str, Any], body: dict[str, Any]) -> None:
        number, card = version["version"], version["card"]
        with ui.column().classes("sl-card").props(f'aria-label="Version {number}"'):
            with ui.row().classes("items-center w-full").style("gap: 8px"):
                ui.label(f"Version {number}").classes("sl-h")
                if number == body["promoted"]:
                    ui.label("answers").classes("sl-tag good")
                if not version["passed"]:
                    ui.label("kept back by the gate").classes("sl-tag warn")
                ui.space()
                ui.label(f"{str(version['made_at'])[:16].replace('T', ' ')} UTC, {version['made_by']}").classes("sl-soft sl-small")
            for line in _told(card):
                ui.label(line).classes("sl-small")
            for reason in card.get("gate", {}).get("reasons", ()):
                ui.label(reason).classes("sl-note").props("role=note")
            for promotion in (each for each in body["promotions"] if each["version"] == number):
                when = f"{promotion['event']} {str(promotion['at'])[:16].replace('T', ' ')} UTC, {promotion['by']}"
                ui.label(when).classes("sl-soft sl-small")
            if self._may_change and version["passed"] and number != body["promoted"]:
                self._button("Promote", lambda control: control.promote(number))

    def _button(self, says: str, change: Callable[[Control], Any]) -> None:
        button = ui.button(says).props("unelevated no-caps dense padding='4px 14px'")

        async def act() -> None:
            button.disable()
            await self._fill(change)

        button.on_click(act)


async def in_thread(work: Callable[[], Found]) -> Found:
    """Runs what waits on a thread, as the control unit is synchronous and the page is not."""
    return await anyio.to_thread.run_sync(work)


def _named(version: int | None, does: str) -> str:
    return f"Version {version} {does}" if version else f"The model as it is {does}"


def _told(card: dict[str, Any]) -> list[str]:
    """The scores of a card as lines; what it lacks is left out."""
    scores, lines = card.get("scores", {}), list[str]()
    for name, of in (("held-out questions", scores), ("other databases", scores.get("open", {}))):
        with suppress(KeyError, TypeError, ValueError):
            before, after = of["before"], of["after"]
            lines.append(f"{name}: {before['ex']:.1%} before, {after['ex']:.1%} after, of {after['count']:,}")
    with suppress(KeyError, TypeError, ValueError):
        lines.append(f"writing: {scores['latency']['before_ms']:g} ms before, {scores['latency']['after_ms']:g} ms after")
    return lines
