"""The stages of a question, each with its milliseconds, as they happen."""

from __future__ import annotations

from collections.abc import Mapping

from nicegui import ui

from streamlink_sql.types import Stage

SHOWN = {"catalog": "Tables", "model": "Model", "checks": "Checks", "dry_run": "Dry run", "queue": "Queue", "engine": "Database"}
"""What a stage is called on the page."""


class StageStrip:
    """A row with one mark for each stage, and one for the total."""

    def __init__(self) -> None:
        """Starts out of sight."""
        self._ms: dict[str, float] = {}
        self._marks: dict[str, ui.element] = {}
        self._texts: dict[str, ui.label] = {}
        with ui.row().classes("sl-stages").props('role=status aria-label="Progress"') as self.row:
            for name, label in [*SHOWN.items(), ("total", "Total")]:
                with ui.element("div").classes("sl-stage") as self._marks[name]:
                    ui.label(label)
                    self._texts[name] = ui.label("").classes("ms")
        self.row.set_visibility(False)

    def begin(self) -> None:
        """All stages still to come."""
        self._ms.clear()
        for name, mark in self._marks.items():
            mark.classes(remove="done running")
            self._texts[name].set_text("")
        self.row.set_visibility(True)

    def tell(self, stage: Stage) -> None:
        """One stage began or ended; one that comes again adds up."""
        if stage.name not in SHOWN or self.row.is_deleted:
            return
        mark = self._marks[stage.name]
        if stage.ms is None:
            mark.classes(add="running", remove="done")
            if stage.progress is not None:
                self._texts[stage.name].set_text(str(stage.progress))
            return
        self._ms[stage.name] = self._ms.get(stage.name, 0.0) + stage.ms
        mark.classes(add="done", remove="running")
        self._texts[stage.name].set_text(milliseconds(self._ms[stage.name]))

    def end(self) -> None:
        """Nothing runs any more; where nothing has run, there is nothing to show."""
        self.row.set_visibility(bool(self._ms))
        for mark in self._marks.values():
            mark.classes(remove="running")

    def settle(self, timings: Mapping[str, float]) -> None:
        """The timings that the answer tells."""
        for name, text in self._texts.items():
            if name in timings:
                self._marks[name].classes(add="done", remove="running")
                text.set_text(milliseconds(timings[name]))
        self.row.set_visibility(bool(timings))


def milliseconds(ms: float) -> str:
    """A duration as people read it."""
    if ms >= 10_000:
        return f"{ms / 1000:,.1f} s"
    return f"{ms:,.0f} ms" if ms >= 10 else f"{ms:.1f} ms"
