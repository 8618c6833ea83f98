"""Questions to begin with, made from the names of the tables and columns alone."""

from __future__ import annotations

import re
from collections.abc import Iterable

from streamlink_sql.types import Column, Table

SOME = 5
GROUPS = re.compile(r"(?:^|_)(?:country|region|city|state|status|category|type|kind|section|department|gender|language|brand)(?:_|$)", re.I)
"""Names of columns that a table is often counted by."""
LABELS = re.compile(r"(?:^|_)(?:id|year|code|zip|postcode|key|number|no|nr|phone|lat|lon|latitude|longitude)(?:_|$)", re.I)
"""Names of columns whose numbers are not added up."""


def example_questions(tables: tuple[Table, ...]) -> tuple[str, ...]:
    """A few questions that these tables can surely answer, the largest table first."""
    largest = sorted((table for table in tables if table.rows != 0), key=lambda table: -(table.rows or 0))
    asked = [question for table in largest[:1] for question in _about(table)]
    asked += [f"How many {words(table.name)} are there?" for table in largest[1:]]
    return tuple(dict.fromkeys(asked))[:SOME]


def words(name: str) -> str:
    """A name as people say it."""
    return re.sub(r"[_\W]+", " ", name.rpartition(".")[2]).strip().lower()


def _about(table: Table) -> Iterable[str]:
    rows = words(table.name)
    yield f"How many {rows} are there?"
    date = _first(column for column in table.columns if column.kind in ("date", "timestamp"))
    if date:
        yield f"How many {rows} are there per year of {words(date.name)}?"
    group = _first(column for column in table.columns if column.kind == "text" and GROUPS.search(column.name))
    if group:
        yield f"How many {rows} are there for each {words(group.name)}?"
    number = _first(c for c in table.columns if c.kind in ("integer", "real", "decimal") and not LABELS.search(c.name))
    if number:
        yield f"What is the average {words(number.name)} of {rows}?"


def _first(columns: Iterable[Column]) -> Column | None:
    return next(iter(columns), None)
