"""What every template shares: a schema, its rows, and the dice. Chooses values that occur."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from random import Random

from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.schema import Base, Col, words_of
from streamlink_sql.training.synthetic.values import Data, Value


@dataclass(frozen=True)
class Maker:
    """What template functions share: a schema, its rows and the dice."""

    base: Base
    data: Data
    rng: Random
    _distinct: dict[Col, list[Value]] = field(default_factory=dict)
    _amounts: dict[Col, list[float]] = field(default_factory=dict)
    _years: dict[Col, list[int]] = field(default_factory=dict)

    def values(self, col: Col) -> list[Value]:
        """The distinct values of a column that occur, in order."""
        if col not in self._distinct:
            found = {value for value in self.data[col.table][col.name] if value is not None}
            self._distinct[col] = sorted(found, key=str)
        return self._distinct[col]

    def years(self, col: Col) -> list[int]:
        """The years of a date or year column that occur, in order."""
        if col not in self._years:
            self._years[col] = sorted({value.year if isinstance(value, dt.date) else int(str(value)) for value in self.values(col)})
        return self._years[col]

    def cell(self, col: Col) -> Value:
        """The value of a random row that has one."""
        cells = self.data[col.table][col.name]
        for _ in range(30):
            value = self.rng.choice(cells)
            if value is not None:
                return value
        return self.values(col)[0]

    def say(self, pattern: str, **slots: str) -> str:
        """A phrase from a pattern with alternatives."""
        return phrases.expand(pattern, self.rng, **slots)

    def phrase(self, col: Col) -> str:
        """What people call the column."""
        if self.rng.random() < 0.05 and col.role not in ("date", "flag", "year"):
            return col.name if self.rng.random() < 0.4 else words_of(col.name)
        return phrases.phrase(col, self.rng)

    def said(self, col: Col, value: object) -> str:
        """A cell as the asker writes it: by another word for it, where there are any, as stored, in lower case, or quoted."""
        others = col.aliases.get(str(value), ())
        return self.rng.choice(others) if others and self.rng.random() < 0.6 else phrases.said(value, self.rng)

    def limit(self, col: Col) -> float | int:
        """A round number among the values of a measure."""
        if col not in self._amounts:
            self._amounts[col] = sorted(float(str(value)) for value in self.values(col))
        values = self._amounts[col]
        at = values[int(len(values) * self.rng.uniform(0.15, 0.85))]
        limit = phrases.round_number(at, self.rng)
        limit = int(at) if limit <= values[0] or limit >= values[-1] and col.gen not in ("num", "real", "amt") else limit
        return int(limit) if limit == int(limit) else limit
