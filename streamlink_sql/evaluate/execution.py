"""Execution match: do two queries return the same rows? Holds the comparison and a read-only SQLite runner for scoring; writes nothing.

The comparison is that of the Spider test-suite scorer: a multiset of rows, in order where the gold query orders, columns in any order.
"""

from __future__ import annotations

import datetime
import decimal
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from streamlink_sql.errors import EngineUnavailable, InvalidSQL, NotFound, TimedOut

Row = tuple[Any, ...]

_WINDOW = re.compile(r"over ?\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)")
_QUOTED_OR_DISTINCT = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\])|\bdistinct\b""", re.IGNORECASE)
_SPLIT_OPERATORS = (("> =", ">="), ("< =", "<="), ("! =", "!="))
_CURRENT_YEAR = re.compile(r"YEAR\s*\(\s*CURDATE\s*\(\s*\)\s*\)\s*", re.IGNORECASE)
_ALLOWED_ACTIONS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_REFUSED_FUNCTIONS = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"}
_NAMES = (
    "SELECT tables.name, columns.name FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns "
    "WHERE tables.type IN ('table', 'view')"
)
_STEPS_BETWEEN_CLOCK_READINGS = 10_000
_MAX_ROWS = 1_000_000


def execution_match(predicted_rows: Sequence[Row], gold_rows: Sequence[Row], ordered: bool) -> bool:
    """True when the rows are the same, in order if `ordered`, for some order of the columns. Two empty results are always the same."""
    if not predicted_rows and not gold_rows:
        return True
    if len(predicted_rows) != len(gold_rows) or len(predicted_rows[0]) != len(gold_rows[0]):
        return False
    predicted, gold = list(zip(*predicted_rows, strict=True)), list(zip(*gold_rows, strict=True))
    if ordered:
        return Counter(predicted) == Counter(gold)
    return _columns_fit(predicted, gold)


def _columns_fit(predicted: list[tuple[Any, ...]], gold: list[tuple[Any, ...]]) -> bool:
    """Looks for an order of the predicted columns under which the rows are the same multiset, one column at a time."""
    bags = [Counter(column) for column in predicted]
    candidates = [[at for at, bag in enumerate(bags) if bag == Counter(column)] for column in gold]
    chosen: list[int] = []

    def extend() -> bool:
        place = len(chosen)
        if place == len(gold):
            return True
        tried: set[tuple[Hashable, ...]] = set()
        for at in candidates[place]:
            if at in chosen or predicted[at] in tried:
                continue
            tried.add(predicted[at])
            chosen.append(at)
            if _same_rows([predicted[column] for column in chosen], gold[: place + 1]) and extend():
                return True
            chosen.pop()
        return False

    return extend()


def _same_rows(left: Iterable[tuple[Any, ...]], right: Iterable[tuple[Any, ...]]) -> bool:
    return Counter(zip(*left, strict=True)) == Counter(zip(*right, strict=True))


def is_ordered(gold_sql: str) -> bool:
    """Whether the order of the gold rows matters: it does when the text orders anywhere, as officially, but for windows."""
    return "order by" in _WINDOW.sub("over", " ".join(gold_sql.lower().split()))


def without_distinct(sql: str) -> str:
    """The SQL with every DISTINCT outside quotes left out: Spider's scorer compares queries so by default."""
    return _QUOTED_OR_DISTINCT.sub(lambda found: found.group(1) or "", sql)


def as_scored(sql: str, *, keep_distinct: bool = False) -> str:
    """The text that the scorer runs: operators that a tokenizer has split are put together, DISTINCT goes, the current year is 2020."""
    for split, whole in _SPLIT_OPERATORS:
        sql = sql.replace(split, whole)
    sql = _CURRENT_YEAR.sub("2020", sql)
    return sql if keep_distinct else without_distinct(sql)


def comparable_rows(rows: Iterable[Sequence[Any]]) -> list[Row]:
    """Rows of any engine in a form that compares: numbers to ten digits whatever their type, lists and mappings as text."""
    return [tuple(_comparable_cell(cell) for cell in row) for row in rows]


def _comparable_cell(cell: Any) -> Hashable:
    if isinstance(cell, (float, decimal.Decimal)):
        return float(f"{cell:.10g}")
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time() and cell.tzinfo is None:
        return cell.date()
    return cell if isinstance(cell, Hashable) else repr(cell)


class SQLiteRunner:
    """One SQLite file, read-only, that runs SELECT statements under a time limit. For scoring only: it runs SQL that nobody has checked."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise NotFound(f"There is no database file {path}.")
        try:
            self._connection = sqlite3.connect(
                f"file:{path.resolve().as_posix().replace('?', '%3f').replace('#', '%23')}?mode=ro", uri=True
            )
        except sqlite3.Error as error:
            raise EngineUnavailable(f"{path} cannot be opened: {error}") from error
        self._connection.text_factory = lambda data: data.decode(errors="ignore")
        self._connection.set_authorizer(_authorize)

    def __enter__(self) -> SQLiteRunner:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def names(self) -> list[tuple[str, str]]:
        """Every table with each of its columns."""
        self._connection.set_authorizer(None)
        try:
            return self._connection.execute(_NAMES).fetchall()
        except sqlite3.Error as error:
            raise EngineUnavailable(f"The database cannot be read: {error}") from error
        finally:
            self._connection.set_authorizer(_authorize)

    def run(self, sql: str, time_limit_s: float = 60.0) -> list[Row]:
        """Every row of one SELECT. Raises InvalidSQL or TimedOut."""
        deadline = time.monotonic() + time_limit_s
        self._connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_CLOCK_READINGS)
        try:
            rows = self._connection.execute(sql).fetchmany(_MAX_ROWS + 1)
        except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
            if time.monotonic() > deadline:
                raise TimedOut(f"The query took more than {time_limit_s:g} s.") from error
            raise InvalidSQL(str(error)) from error
        if len(rows) > _MAX_ROWS:
            raise InvalidSQL(f"The query returns more than {_MAX_ROWS:,} rows.")
        return rows

    def close(self) -> None:
        self._connection.close()


def _authorize(action: int, _: str | None, second: str | None, *__: str | None) -> int:
    """Lets a query read tables and nothing else."""
    refused_function = action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _REFUSED_FUNCTIONS
    return sqlite3.SQLITE_OK if action in _ALLOWED_ACTIONS and not refused_function else sqlite3.SQLITE_DENY
