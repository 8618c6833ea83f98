"""What one asker may see of a source: tables, columns, masks, rows. Plain data: judges no SQL and opens nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from streamlink_sql.errors import BadRequest

_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def spelt(name: str) -> str:
    """A name as the engines compare names: A to Z count as a to z, and no other letter as another."""
    return name.translate(_LOWER)


@dataclass(frozen=True, slots=True)
class View:
    """What one table is to an asker: `columns` are the only ones (None: all but `hide`), `mask` pairs columns with masks, `rows` is SQL
    that reads the columns `reads`."""

    table: str
    columns: tuple[str, ...] | None = None
    hide: tuple[str, ...] = ()
    mask: tuple[tuple[str, str], ...] = ()
    rows: str = ""
    reads: tuple[str, ...] = ()
    smallest_group: int = 0

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that it names."""
        return (*(self.columns or ()), *self.hide, *(name for name, _ in self.mask), *self.reads)

    def lists(self, column: str) -> bool:
        """Whether a column is seen, masked or not."""
        name = spelt(column)
        return (self.columns is None or name in map(spelt, self.columns)) and name not in map(spelt, self.hide)

    def mask_of(self, column: str) -> str:
        """The mask of a column; empty where its values are seen as they are."""
        return next((mask for name, mask in self.mask if spelt(name) == spelt(column)), "")


@dataclass(frozen=True, slots=True)
class Scope:
    """What one asker may see of a source; equal for all who see the same. `others` are the tables that no view is about."""

    views: tuple[View, ...] = ()
    others: bool = False
    isolate: bool = False
    smallest_group: int = 0

    @property
    def key(self) -> str:
        """A short text that differs between scopes."""
        return hashlib.blake2b(json.dumps(self.body(), sort_keys=True).encode(), digest_size=12).hexdigest()

    def view(self, table: str) -> View | None:
        """What a table is here; None where it is not to be seen."""
        return next((view for view in self.views if spelt(view.table) == spelt(table)), View(table) if self.others else None)

    def view_of_view(self, name: str) -> View | None:
        """What a view that the database has itself is here. It may read what a rule hides, so it is seen where it is named, or where there
        is no rule at all."""
        return self.view(name) if not self.views or any(spelt(view.table) == spelt(name) for view in self.views) else None

    def shows(self, table: str, column: str) -> bool:
        """Whether the values of a column are seen as they are."""
        view = self.view(table)
        return view is not None and view.lists(column) and not view.mask_of(column) and self.smallest_group_of(table) <= 1

    def smallest_group_of(self, table: str) -> int:
        """How many rows a group of that table has at least in an answer; up to 1 for a table that is shown row by row."""
        view = self.view(table)
        return max(self.smallest_group, view.smallest_group if view is not None else 0)

    def refuse_unknown(self, tables: Iterable[str]) -> None:
        """Raises BadRequest for a view of a table that the data lacks: a misspelt name must not leave a table open."""
        known = {spelt(table) for table in tables}
        for view in self.views:
            if spelt(view.table) not in known:
                raise BadRequest(f"The policy has a rule for the table {view.table}, which this data lacks.", setting="policy")

    def body(self) -> dict[str, Any]:
        """As JSON, for the process that reads the data."""
        return asdict(self)

    @classmethod
    def of(cls, body: Mapping[str, Any] | None) -> Scope | None:
        """The scope of a body; None for none."""
        if body is None:
            return None
        views = (
            View(
                view["table"],
                None if view["columns"] is None else tuple(view["columns"]),
                tuple(view["hide"]),
                tuple((name, mask) for name, mask in view["mask"]),
                view["rows"],
                tuple(view["reads"]),
                view["smallest_group"],
            )
            for view in body["views"]
        )
        return cls(tuple(views), body["others"], body["isolate"], body["smallest_group"])
