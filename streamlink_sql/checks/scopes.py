"""What names can be seen where: relations of a FROM, scopes of a SELECT. Data and small readings of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from streamlink_sql.errors import InvalidSQL

Outputs = list[str] | None
"""The columns of a relation in lower case, or None when they cannot be known."""


UNNAMED = "?"
"""The name of a column that has none."""

MOST_COLUMNS = 20_000
"""No part of a query has more: a chain of `SELECT * FROM a, a` doubles them at every step."""
MOST_NAMES = 5 * MOST_COLUMNS
"""All parts of a query together have no more: a wide one may be read again and again."""


@dataclass(slots=True)
class Relation:
    """Something in a FROM: its name there, its columns, and whether it is a table of the catalogue; if so and its columns keep their names,
    the table's name."""

    name: str
    columns: Outputs
    stored: bool = False
    schema: str = ""
    table: str = ""
    known: frozenset[str] | None = None

    def has(self, name: str) -> bool:
        """True when it has that column; an expression without alias may be called by its own text, as in "count(*)"."""
        if self.columns is None:
            return False
        if self.known is None:
            self.known = frozenset(self.columns)
        return name in self.known or (UNNAMED in self.known and not name.isidentifier())


@dataclass(slots=True)
class Scope:
    """What one SELECT can see."""

    outer: Scope | None
    ctes: dict[str, Outputs]
    relations: list[Relation] = field(default_factory=list)
    merged: set[str] = field(default_factory=set)
    aliases: set[str] = field(default_factory=set)
    windows: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Names:
    """What was found: the tables read, and for each column node (by id) the relation it belongs to."""

    tables: set[str] = field(default_factory=set)
    owners: dict[int, Relation] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)


def relations_of(scope: Scope) -> Iterator[Relation]:
    level: Scope | None = scope
    while level is not None:
        yield from level.relations
        level = level.outer


def all_columns(scope: Scope) -> Outputs:
    if any(relation.columns is None for relation in scope.relations):
        return None
    names: list[str] = []
    taken = set[str]()
    for relation in scope.relations:
        names += [name for name in relation.columns or () if name not in taken]
        taken |= scope.merged.intersection(relation.columns or ())
        check_width(names)
    return names


def check_width(names: list[str]) -> None:
    """Raises InvalidSQL where a part of a query has more columns than anybody reads."""
    if len(names) > MOST_COLUMNS:
        raise InvalidSQL(f"A part of the SQL has more than {MOST_COLUMNS:,} columns. Name those that you need.", rule="columns.too_many")


def rename(outputs: Outputs, names: list[str]) -> Outputs:
    if outputs is None:
        return None
    return [*names, *outputs[len(names) :]]
