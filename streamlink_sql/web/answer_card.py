"""An answer or a problem as cards: the words, the rows, the SQL, and what a reader may do with them."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio.to_thread
from nicegui import ui

from streamlink_sql.errors import BadRequest, StreamLinkError
from streamlink_sql.export import write_csv, write_json, write_parquet, write_xlsx
from streamlink_sql.types import Answer, Control, Feedback
from streamlink_sql.web.shown import GRID_HEIGHT_ROWS, chart_options, figure, grid_options

FAIR, HIGH = 0.5, 0.8
DOUBT = "The model is not sure that it understood the question. Read what the query does before you trust the rows."
WHAT_HELPS = {
    "cannot_answer": "Name what you look for as the tables at the left name it, or begin with one of these questions.",
    "policy_refused": "These questions, for example, can be answered.",
    "invalid_sql": "Ask it in other words, with the names that the tables have.",
    "too_costly": "Narrow the question, for example to one year, or run it all the same.",
    "timed_out": "Narrow the question, for example to one year, or ask with a higher time limit.",
    "cancelled": "Nothing is running any more. Ask again whenever you like.",
    "busy": "Others are being answered. Try again in a moment.",
    "model_unavailable": "See that the model server runs and can be reached, then try again.",
    "engine_unavailable": "See that the data is still where it was, then try again.",
    "store_unavailable": "See that the disk of the history is not full and can be written, then try again.",
    "server_unavailable": "See that the control units run and can be reached, then try again.",
    "internal": "Try again. If it comes back, the id below finds the details in the server's log.",
}
"""What a reader can do about a problem, by its code."""
AGAIN = ("busy", "timed_out", "cancelled", "model_unavailable", "engine_unavailable", "store_unavailable", "server_unavailable", "internal")
"""Problems after which the same question may well be answered."""
FILES = {
    "CSV": (write_csv, "answer.csv"),
    "Excel": (write_xlsx, "answer.xlsx"),
    "Parquet": (write_parquet, "answer.parquet"),
    "JSON": (write_json, "answer.json"),
}
COLUMN_PX = 380
"""No column of a result is wider, so that names and numbers stay together."""
Run = Callable[..., Any]


def answer_card(answer: Answer, control: Control, *, run: Run, dark: ui.dark_mode) -> None:
    """The whole answer. `run` is called with `sql=` to run SQL in its place."""
    with ui.column().classes("sl-card"):
        ui.label(answer.explanation).classes("sl-lead")
        if answer.confidence < FAIR:
            ui.label(DOUBT).classes("sl-note").props("role=note")
        for warning in answer.warnings:
            ui.label(warning).classes("sl-note").props("role=note")
        with ui.row().classes("items-center").style("gap: 8px"):
            _confidence(answer.confidence)
            ui.label(answer.model).classes("sl-tag")
            ui.label(answer.engine).classes("sl-tag")
    with ui.column().classes("sl-card"):
        _result(answer, run)
    with ui.column().classes("sl-card"):
        editor = _sql(answer, run, dark)
        _attempts(answer)
    with ui.column().classes("sl-card"):
        _feedback(answer, control, editor)


def problem_card(error: StreamLinkError, *, confirm: Run | None = None, again: Run | None = None, offers: Run | None = None) -> None:
    """What went wrong, in a sentence, and what helps. `confirm` runs it all the same, `again` asks again, `offers` shows others."""
    helps = error.helps
    with ui.column().classes("sl-card sl-problem").props("role=alert"):
        with ui.row().classes("items-center w-full").style("gap: 8px"):
            ui.label(error.title).classes("sl-problem-title")
            ui.space()
            ui.label(error.code).classes("sl-tag bad")
        ui.label(error.detail).classes("sl-lead")
        if error.code in WHAT_HELPS:
            ui.label(WHAT_HELPS[error.code]).classes("sl-soft")
        if helps.get("sql"):
            ui.label(str(helps["sql"])).classes("sl-code")
        suggestions = helps.get("suggestions") or []
        if suggestions:
            ui.label("Known here").classes("sl-h")
            with ui.row().style("gap: 6px"):
                for text in suggestions:
                    ui.label(str(text)).classes("sl-tag")
        if offers is not None and error.code in ("cannot_answer", "policy_refused"):
            offers()
        _tried(
            [attempt | {"message": ""} if attempt.get("message") == error.detail else attempt for attempt in helps.get("attempts") or []]
        )
        if helps.get("warning"):
            ui.label(str(helps["warning"])).classes("sl-note")
        if confirm is not None:
            ui.button("Run it all the same", on_click=confirm).props("unelevated no-caps")
        elif again is not None and error.code in AGAIN:
            ui.button("Ask again", icon="refresh", on_click=again).props("outline no-caps")
        told = [f"{name} {helps[name]}" for name in ("rule", "id") if helps.get(name)]
        if told:
            ui.label(" · ".join(told)).classes("sl-soft sl-small").style("overflow-wrap: anywhere")


def _confidence(confidence: float) -> None:
    word, look = ("High", "good") if confidence >= HIGH else ("Fair", "warn") if confidence >= FAIR else ("Low", "bad")
    mark = ui.label(f"{word} confidence, {confidence:.0%}").classes(f"sl-tag {look}")
    with mark:
        ui.tooltip("How sure the model is of its SQL. Read the words above and the SQL below to judge it yourself.")


def _result(answer: Answer, run: Run) -> None:
    with ui.row().classes("items-center w-full").style("gap: 8px"):
        count = f"{answer.row_count:,} row{'s' * (answer.row_count != 1)}"
        ui.label(f"The first {count}" if answer.truncated else count).classes("sl-h")
        if answer.truncated:
            ui.label("There are more: a limit on rows or size cut the result.").classes("sl-tag warn")
        ui.space()
        if answer.rows is not None:
            for name in FILES:
                ui.button(name, icon="download", on_click=partial(_download, answer, name)).props(
                    f'flat dense no-caps size=13px padding="2px 6px" aria-label="Download as {name}"'
                )
    if answer.rows is None:
        ui.label("The rows of an old answer are not kept.").classes("sl-soft")
        ui.button("Run it again", icon="refresh", on_click=partial(run, sql=answer.sql)).props("outline no-caps")
        return
    number = figure(answer)
    if number is not None:
        ui.label(answer.columns[0].name).classes("sl-soft")
        ui.label(number).classes("sl-figure")
        return
    options = grid_options(answer)
    grid = ui.aggrid(options, theme="quartz", auto_size_columns=False).classes("sl-grid")
    grid.style(f"max-width: {COLUMN_PX * len(answer.columns)}px; " + _grid_height(options))
    chart = chart_options(answer)
    if chart is not None:
        bars = answer.row_count if chart["yAxis"].get("type") == "category" else 0
        title = f"Chart of {answer.columns[1].name} by {answer.columns[0].name}"
        with ui.element("div").classes("w-full").props('role=img aria-label="Chart"').tooltip(title):
            ui.echart(chart).classes("w-full").style(f"height: {max(280, 26 * bars + 40)}px")


def _grid_height(options: dict[str, Any]) -> str:
    return "height: auto" if options["domLayout"] == "autoHeight" else f"height: {(GRID_HEIGHT_ROWS + 1) * 34 + 40}px"


async def _download(answer: Answer, name: str) -> None:
    write, file_name = FILES[name]
    content = io.BytesIO()
    try:
        await anyio.to_thread.run_sync(write, answer, content)
    except BadRequest as error:
        ui.notify(error.detail, type="warning")
        return
    ui.download.content(content.getvalue(), file_name)


def _sql(answer: Answer, run: Run, dark: ui.dark_mode) -> ui.codemirror:
    with ui.row().classes("items-center w-full").style("gap: 8px"):
        ui.label("SQL").classes("sl-h")
        ui.label("Edit it and run it again; the same checks apply.").classes("sl-soft sl-small")
    editor = ui.codemirror(pretty(answer), language="SQL", line_wrapping=True).classes("sl-editor")
    _follow(editor, dark)

    def copy() -> None:
        ui.clipboard.write(editor.value)
        ui.notify("Copied", timeout=1200)

    with ui.row().style("gap: 8px"):
        ui.button("Run this SQL", icon="play_arrow", on_click=lambda: run(sql=editor.value)).props(
            "unelevated no-caps dense padding='4px 14px'"
        )
        ui.button("Copy", icon="content_copy", on_click=copy).props('flat no-caps dense aria-label="Copy the SQL"')
    return editor


def _follow(editor: ui.codemirror, dark: ui.dark_mode) -> None:
    """The editor's colours go with the page's."""

    def set_theme() -> None:
        editor.set_theme("vscodeDark" if dark.value else "vscodeLight")

    set_theme()
    dark.on_value_change(set_theme)


def pretty(answer: Answer) -> str:
    """The SQL in lines; as it ran where it cannot be laid out."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    dialect = answer.engine if answer.engine in ("duckdb", "sqlite", "spark") else None
    try:
        return sqlglot.transpile(answer.sql, read=dialect, write=dialect, pretty=True)[0]
    except SqlglotError:
        return answer.sql


def _attempts(answer: Answer) -> None:
    others = [{"sql": a.sql, "verdict": a.verdict, "message": a.message} for a in answer.attempts if a.verdict != "ran"]
    if others:
        with ui.expansion(f"Other drafts ({len(others)})").props("dense").classes("w-full sl-small"):
            _tried(others)


def _tried(attempts: list[dict[str, Any]]) -> None:
    for attempt in attempts:
        with ui.column().style("gap: 2px").classes("w-full"):
            ui.label(str(attempt.get("sql", ""))).classes("sl-code")
            said = [str(attempt[name]) for name in ("verdict", "message") if attempt.get(name)]
            ui.label(": ".join(said)).classes("sl-soft sl-small")


def _feedback(answer: Answer, control: Control, editor: ui.codemirror) -> None:
    form: ui.column
    with ui.row().classes("items-center w-full").style("gap: 8px") as question:
        ui.label("Is this answer right?").classes("sl-h")
        ui.button("Right", icon="thumb_up", on_click=lambda: send("right")).props("outline no-caps dense padding='2px 12px'")
        ui.button("Wrong", icon="thumb_down", on_click=lambda: form.set_visibility(True)).props(
            "outline no-caps dense padding='2px 12px'"
        ).classes("sl-plain")
    with ui.column().classes("w-full").style("gap: 8px") as form:
        comment = ui.input(placeholder="What is wrong? (optional)").props("outlined dense maxlength=4000").classes("w-full")
        mine = ui.checkbox("The SQL in the editor is the right one")
        ui.button("Send", on_click=lambda: send("wrong")).props("unelevated no-caps dense padding='4px 14px'")
    form.set_visibility(False)
    thanks = ui.label("Thank you. This is kept and can teach the model.").classes("sl-soft")
    thanks.set_visibility(False)

    async def send(verdict: Any) -> None:
        sql = editor.value if verdict == "wrong" and mine.value else None
        said = Feedback(answer.id, verdict, sql=sql, comment=comment.value or None)
        try:
            await anyio.to_thread.run_sync(control.give_feedback, said)
        except StreamLinkError as error:
            ui.notify(error.detail, type="negative", multi_line=True)
            return
        for part, visible in ((question, False), (form, False), (thanks, True)):
            part.set_visibility(visible)
