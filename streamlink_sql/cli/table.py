"""Rows as a table of text. On a terminal it fits the width: long texts are cut; where that is not enough, each row is a block of lines."""

from __future__ import annotations

import io
import shutil
from itertools import islice

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streamlink_sql.cli.terminal import for_terminal
from streamlink_sql.export import rows_of, text_of
from streamlink_sql.types import Answer

SHOWN_ROWS, SHOWN_BLOCKS = 200, 50
TEXT_MIN = 14
"""A column of text is not made narrower than this."""
GAP = 3
"""What stands between two columns."""
UNLIMITED = 10_000
NUMBERS = ("integer", "real", "decimal")


def render_table(answer: Answer, *, terminal: bool, width: int | None = None) -> str:
    """The rows as text; `terminal` makes it fit `width`, or the terminal's own."""
    names = [for_terminal(column.name) for column in answer.columns]
    cells = [[for_terminal(text_of(value)) for value in row] for row in islice(rows_of(answer).as_python(), SHOWN_ROWS)]
    right = [column.kind in NUMBERS for column in answer.columns]
    wanted = [max(map(cell_len, (name, *column))) for name, *column in zip(names, *cells, strict=True)]
    room = (width or shutil.get_terminal_size((120, 24)).columns) if terminal else UNLIMITED
    widths = _fit(wanted, right, room)
    if widths is None:
        return _blocks(names, cells, room) + _more(answer.row_count, min(len(cells), SHOWN_BLOCKS))
    page = io.StringIO()
    Console(file=page, force_terminal=terminal, width=room, highlight=False).print(_table(names, cells, right, widths, bold=terminal))
    return page.getvalue() + _more(answer.row_count, len(cells), cut=widths != wanted)


def _fit(wanted: list[int], right: list[bool], room: int) -> list[int] | None:
    """The width of each column, texts cut evenly; None where the columns do not stand side by side."""
    widths = list(wanted)
    excess = sum(wanted) + GAP * (len(wanted) - 1) - room
    while excess > 0:
        longest = max((place for place in range(len(widths)) if not right[place]), key=lambda place: widths[place], default=None)
        if longest is None or widths[longest] <= TEXT_MIN:
            return None
        others = [widths[place] for place in range(len(widths)) if not right[place] and widths[place] < widths[longest]]
        step = min(excess, widths[longest] - max([TEXT_MIN, *others]) or 1)
        widths[longest] -= step
        excess -= step
    return widths


def _table(names: list[str], cells: list[list[str]], right: list[bool], widths: list[int], *, bold: bool) -> Table:
    table = Table(show_edge=False, pad_edge=False, header_style="bold" if bold else "")
    for name, is_right, width in zip(names, right, widths, strict=True):
        table.add_column(Text(name), justify="right" if is_right else "left", overflow="ellipsis", no_wrap=True, width=width)
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _blocks(names: list[str], cells: list[list[str]], room: int) -> str:
    """A block of lines a row, a line a column."""
    page = io.StringIO()
    console = Console(file=page, width=room, highlight=False)
    for number, row in enumerate(cells[:SHOWN_BLOCKS], start=1):
        console.print(f"-- row {number}")
        grid = Table.grid(padding=(0, 2))
        grid.add_column(max_width=room // 3, overflow="fold")
        grid.add_column(overflow="fold")
        for name, cell in zip(names, row, strict=True):
            grid.add_row(Text(name), Text(cell))
        console.print(grid)
    return page.getvalue()


def _more(count: int, shown: int, *, cut: bool = False) -> str:
    """What is not shown, and how to see it."""
    if count > shown:
        return f"... and {count - shown:,} more rows; --format csv shows all.\n"
    return "Long texts are cut here; --format csv shows all.\n" if cut else ""
