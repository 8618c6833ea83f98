"""Runs the SQL of many pairs on the data, each once, and tells what is wrong with what it gives. Runs checked SQL only.

What was found out is kept in a file where one is named, so that a run that was cut off has it at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from sqlglot import exp

from streamlink_sql.errors import BadRequest, Busy, Cancelled, EngineUnavailable, StreamLinkError
from streamlink_sql.evaluate.sets import read_json_lines
from streamlink_sql.training.domain import Domain

REFUSED, FAILED, EMPTY, TRIVIAL, AMBIGUOUS, FINE = "refused", "failed", "empty", "trivial", "ambiguous", ""
_SHOWN = 3
_PROBE = "streamlink_order"
_PLAIN = {"expressions", "from_", "joins", "where"}
_STOPS = (EngineUnavailable, Busy, Cancelled)
"""Errors that say nothing of the query: they end the run."""


class Kept:
    """Answers by question, in a file if one is named: lines of `key` and `value`, below a first line that says what they are about."""

    def __init__(self, path: Path | None, about: str) -> None:
        """BadRequest where the file is about something else, such as data that has changed since."""
        self._found: dict[str, Any] = {}
        self._file: IO[str] | None = None
        if path is None:
            return
        if path.exists() and path.stat().st_size:
            self._read(path, about)
            self._file = path.open("a", encoding="utf-8")
        else:
            self._file = path.open("w", encoding="utf-8")
            self._write({"about": about})

    def _read(self, path: Path, about: str) -> None:
        text = path.read_bytes()
        if not text.endswith(b"\n"):  # the last line was cut off
            path.write_bytes(text[: text.rfind(b"\n") + 1])
        for number, line in read_json_lines(path):
            if number == 1 and line.get("about") != about:
                raise BadRequest(f"{path} is of a run over other data, or of data that has changed since. Remove it, or name another file.")
            if "key" in line:
                self._found[str(line["key"])] = line.get("value")

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def __getitem__(self, key: str) -> Any:
        return self._found[key]

    def keep(self, found: Mapping[str, Any]) -> None:
        """Keeps answers."""
        self._found |= found
        for key, value in found.items():
            self._write({"key": key, "value": value})
        if self._file is not None:
            self._file.flush()

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()


def key_of(kind: str, *texts: str) -> str:
    """A short name for a question to be kept."""
    return f"{kind}:{hashlib.blake2b(chr(0).join(texts).encode(), digest_size=10).hexdigest()}"


class Executing:
    """Verdicts on queries over one source, several at a time."""

    def __init__(self, domain: Domain, kept: Kept, at_once: int = 2) -> None:
        self._domain, self._kept = domain, kept
        self._pool = ThreadPoolExecutor(at_once + 2, thread_name_prefix="executing")  # some are checked while others run

    def verdicts(self, queries: Collection[str]) -> dict[str, str]:
        """What is wrong with each query, '' for nothing; those that are not known yet are run."""
        keys = {query: key_of("verdict", query) for query in queries}
        waiting = [query for query, key in keys.items() if key not in self._kept]
        found = self._pool.map(self._verdict, waiting)
        self._kept.keep({keys[query]: verdict for query, verdict in zip(waiting, found, strict=True)})
        return {query: self._kept[key] for query, key in keys.items()}

    def close(self) -> None:
        """Waits for the queries under way, and starts no other."""
        self._pool.shutdown(cancel_futures=True)

    def _verdict(self, sql: str) -> str:
        try:
            tree = self._domain.checked(sql).tree
        except StreamLinkError:
            return REFUSED
        try:
            condition = _counted_where(tree)
            if condition is not None and isinstance(tree, exp.Select):
                return self._counted(tree, condition)
            probe, wanted = _with_order(tree)
            shown = wanted + 1 if wanted else _SHOWN
            rows = self._rows_of(probe if wanted or tree.args.get("limit") else tree.limit(_SHOWN), shown)  # nobody needs the rest
        except _STOPS:
            raise
        except StreamLinkError:
            return FAILED
        if wanted and len(rows) > wanted and _order_of(rows[wanted - 1], probe) == _order_of(rows[wanted], probe):
            return AMBIGUOUS
        return _judged([row[: len(tree.selects)] for row in rows] if wanted else rows, tree)

    def _rows_of(self, tree: exp.Query, limit: int) -> list[tuple[Any, ...]]:
        return list(self._domain.rows(tree.sql(self._domain.dialect), limit=limit).as_python())

    def _counted(self, tree: exp.Select, condition: exp.Condition) -> str:
        """A number of rows, trivial where it is none or all of the table: a row that is counted and one that is not tell."""
        one = tree.select(exp.Literal.number(1), append=False).limit(1)
        if not self._rows_of(one.where(condition, append=False), 1):
            return TRIVIAL
        if tree.args.get("joins"):
            return FINE
        others = exp.Is(this=exp.paren(condition), expression=exp.true()).not_()
        return FINE if self._rows_of(one.where(others, append=False), 1) else TRIVIAL


def _judged(rows: list[tuple[Any, ...]], tree: exp.Query) -> str:
    if not rows or all(cell is None for row in rows for cell in row):
        return EMPTY
    if len(rows) == 1 and len(rows[0]) == 1:
        cell = rows[0][0]
        if _is_number(cell) and (cell == 0 or _is_share(tree) and cell == 100):
            return TRIVIAL
    return FINE


def _counted_where(tree: exp.Query) -> exp.Condition | None:
    """What holds for the rows that a query counts, under a condition of its own; None where it tells anything else."""
    selects, parts = tree.selects, {name for name, value in tree.args.items() if value}
    count = selects[0].unalias() if len(selects) == 1 else None
    if not isinstance(count, exp.Count) or isinstance(count.this, exp.Distinct) or not {"where"} <= parts <= _PLAIN:
        return None
    where: exp.Condition = tree.args["where"].this
    return where if isinstance(count.this, exp.Star) else exp.and_(where, count.this.is_(exp.null()).not_())


def _is_number(cell: object) -> bool:
    return isinstance(cell, (int, float, Decimal)) and not isinstance(cell, bool)


def _is_share(tree: exp.Query) -> bool:
    return any(literal.this in ("100", "100.0") for literal in tree.selects[0].find_all(exp.Literal))


def _with_order(tree: exp.Query) -> tuple[exp.Query, int]:
    """The query with what it orders by beside its columns and one row more, and how many rows it gives; 0 where ties cannot be seen."""
    order, limit = tree.args.get("order"), tree.args.get("limit")
    count = limit.expression if isinstance(limit, exp.Limit) else None
    if (
        not isinstance(tree, exp.Select)
        or order is None
        or not isinstance(count, exp.Literal)
        or not count.is_int
        or tree.args.get("offset")
    ):
        return tree, 0
    if tree.args.get("distinct") or any(select.is_star for select in tree.selects):
        return tree, 0
    probe = tree.copy()
    named = {select.alias: select.unalias() for select in tree.selects if select.alias}
    keys = [named.get(ordered.this.name, ordered.this).copy() for ordered in order.expressions]
    if any(isinstance(key, exp.Literal) for key in keys):
        return tree, 0
    for number, key in enumerate(keys):
        probe.append("expressions", exp.alias_(key, f"{_PROBE}{number}"))
    probe.set("limit", exp.Limit(expression=exp.Literal.number(int(count.this) + 1)))
    return probe, int(count.this)


def _order_of(row: tuple[Any, ...], probe: exp.Query) -> tuple[Any, ...]:
    count = sum(select.alias.startswith(_PROBE) for select in probe.selects)
    return row[-count:]
