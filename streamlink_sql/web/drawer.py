"""The drawer at the left: what can be asked, and what was asked."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from nicegui import ui

from streamlink_sql.types import Table

SHOWN_TABLES = 200
BREAKPOINT = 1100


class Drawer:
    """Tables with their columns, and the history."""

    def __init__(self, open_entry: Callable[[str], Any]) -> None:
        """`open_entry` is called with the id of the question that was clicked."""
        self._open_entry = open_entry
        self._tables: tuple[Table, ...] = ()
        with ui.left_drawer(value=None, bordered=False).classes("sl-drawer").props(f"width=300 breakpoint={BREAKPOINT}") as self.drawer:
            with ui.tabs().props("dense no-caps align=justify indicator-color=primary").classes("w-full") as tabs:
                shown = ui.tab("Tables")
                asked = ui.tab("History")
            with ui.tab_panels(tabs, value=shown, animated=False).classes("w-full").style("background: transparent"):
                with ui.tab_panel(shown).style("padding: 8px 0"):
                    find = ui.input(placeholder="Find a table or column", on_change=lambda event: self._list(event.value or ""))
                    find.props('dense outlined clearable aria-label="Find a table or column"').classes("w-full")
                    self._list_place = ui.column().classes("w-full").style("gap: 2px; padding-top: 8px")
                with ui.tab_panel(asked).style("padding: 8px 0"):
                    self._history_place = ui.column().classes("w-full").style("gap: 2px")

    def toggle(self) -> None:
        """Opens or closes it."""
        self.drawer.toggle()

    async def make_room(self) -> None:
        """Closes it where it lies over the page."""
        with suppress(TimeoutError):
            if await ui.run_javascript(f"innerWidth < {BREAKPOINT}", timeout=5):
                self.drawer.hide()

    def show_tables(self, tables: tuple[Table, ...]) -> None:
        """Lists the tables."""
        self._tables = tables
        self._list("")

    def show_history(self, entries: list[dict[str, Any]]) -> None:
        """Lists what was asked, newest first."""
        self._history_place.clear()
        with self._history_place:
            if not entries:
                ui.label("Nothing was asked yet.").classes("sl-soft sl-small").style("padding: 8px")
            for entry in entries:
                with ui.column().classes("sl-entry").props("tabindex=0 role=button") as row:
                    ui.label(entry["question"]).classes("q")
                    with ui.row().classes("items-center").style("gap: 8px"):
                        ui.label(f"{str(entry['asked_at'])[:16].replace('T', ' ')} UTC").classes("sl-soft sl-small")
                        if entry["state"] != "answered":
                            ui.label(entry.get("code") or entry["state"]).classes("sl-tag warn")
                row.on("click", partial(self._open_entry, entry["id"])).on("keydown.enter", partial(self._open_entry, entry["id"]))

    def _list(self, sought: str) -> None:
        sought = sought.casefold()
        found = [t for t in self._tables if sought in t.name.casefold() or any(sought in c.name.casefold() for c in t.columns)]
        self._list_place.clear()
        with self._list_place:
            for table in found[:SHOWN_TABLES]:
                self._table(table, opened=len(found) <= 2)
            if len(found) > SHOWN_TABLES:
                ui.label(f"and {len(found) - SHOWN_TABLES:,} more; type to find one").classes("sl-soft sl-small")
            if not found:
                ui.label("No table of that name." if sought else "There are no tables.").classes("sl-soft sl-small")

    def _table(self, table: Table, *, opened: bool) -> None:
        rows = "" if table.rows is None else f"{table.rows:,} rows"
        with ui.expansion(table.name, caption=rows, value=opened).props("dense").classes("w-full") as expansion:
            body = ui.column().classes("w-full").style("gap: 0")
        filled = False

        def fill() -> None:
            nonlocal filled
            if filled or not expansion.value:
                return
            filled = True
            with body:
                if table.comment:
                    ui.label(table.comment).classes("sl-soft sl-small")
                for column in table.columns:
                    with ui.element("div").classes("sl-column") as row:
                        ui.label(column.name)
                        ui.label(column.kind)
                    if column.comment:
                        with row:
                            ui.tooltip(column.comment)

        expansion.on_value_change(fill)
        fill()
