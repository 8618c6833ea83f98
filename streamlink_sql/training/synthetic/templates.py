"""The register of question templates: each makes one pair about one table, or None where the table does not allow it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.schema import Tab

Make = Callable[[Maker, Tab], Pair | None]


@dataclass(frozen=True, slots=True)
class Template:
    """A template, its category and how often it is tried."""

    make: Make
    category: str
    weight: float


TEMPLATES: list[Template] = []


def template(category: str, weight: float = 1.0) -> Callable[[Make], Make]:
    """Registers a template under a category."""

    def register(make: Make) -> Make:
        TEMPLATES.append(Template(make, category, weight))
        return make

    return register
