"""Draws pairs: runs every one on the data, keeps those with an answer, and drops near duplicates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

import duckdb

from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic import (
    against,
    amounts,
    analyst,
    best,
    compared,
    durations,
    extremes,
    grouped,
    limited,
    linked,
    nested,
    rates,
    simple,
    spoken,
)
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.phrases import finish, slip
from streamlink_sql.training.synthetic.schema import Base
from streamlink_sql.training.synthetic.templates import TEMPLATES
from streamlink_sql.training.synthetic.values import Data

ROOMS = (simple, extremes, grouped, nested, linked, spoken, analyst, durations, rates, amounts, best, compared, limited, against)
"""Their import fills TEMPLATES."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A pair that has an answer, and the schema it belongs to."""

    base: str
    pair: Pair


def shape(text: str) -> str:
    """A question without its values: quoted text, capitals inside and numbers become marks."""
    text = re.sub(r"'[^']*'|\"[^\"]*\"", "#", text)
    text = re.sub(r"(?<!^)\b[A-Z]\w*\b", "#", text)
    return re.sub(r"\W+", " ", re.sub(r"\d[\d.,]*", "#", text)).lower().strip()


def answers(connection: duckdb.DuckDBPyConnection, query: str) -> bool:
    """True when the query runs and gives more than nothing."""
    rows = connection.execute(query).fetchmany(2)
    if not rows or all(cell is None for row in rows for cell in row):
        return False
    return not (len(rows) == 1 and len(rows[0]) == 1 and rows[0][0] == 0)


class Sieve:
    """Remembers what was kept: refuses the same question, the third wording of one query, and the third filling of one shape."""

    def __init__(self, wordings: int = 3, fillings: int = 2) -> None:
        self.questions: set[tuple[str, str]] = set()
        self.queries: Counter[tuple[str, str]] = Counter()
        self.shapes: Counter[tuple[str, str]] = Counter()
        self.wordings, self.fillings = wordings, fillings

    def fresh(self, base: str, pair: Pair) -> bool:
        """Whether the pair adds something; remembers it if so."""
        if admitted := self.admits(base, pair):
            self.remember(base, pair)
        return admitted

    def admits(self, base: str, pair: Pair) -> bool:
        """Whether the pair adds something."""
        asked, query, form = _marks(base, pair)
        return asked not in self.questions and self.queries[query] < self.wordings and self.shapes[form] < self.fillings

    def remember(self, base: str, pair: Pair) -> None:
        """Counts the pair among those that are kept."""
        asked, query, form = _marks(base, pair)
        self.questions.add(asked)
        self.queries[query] += 1
        self.shapes[form] += 1


def plain(question: str) -> str:
    """A question without case, marks and more than one blank."""
    return re.sub(r"\W+", " ", question.lower()).strip()


def _marks(base: str, pair: Pair) -> tuple[tuple[str, str], tuple[str, str], tuple[str, str]]:
    """What tells a pair from others: its question, its query, the shape of its question."""
    return (base, plain(pair.question)), (base, pair.query), (base, shape(pair.question))


def draw(
    base: Base, data: Data, connection: duckdb.DuckDBPyConnection, wanted: int, seed: int, sieve: Sieve, tick: Callable[[], None]
) -> Iterator[Drawn]:
    """Up to `wanted` pairs about one schema."""
    rng = Random(f"{seed}:{base.name}:pairs")
    maker = Maker(base, data, rng)
    weights = [template.weight for template in TEMPLATES]
    tables = [0.0 if table.link else 1.0 + len(table.cols) / 4 for table in base.tables]
    found = 0
    for _ in range(wanted * 12):
        if found >= wanted:
            return
        chosen = rng.choices(TEMPLATES, weights)[0]
        pair = chosen.make(maker, rng.choices(base.tables, tables)[0])
        if pair is None:
            continue
        pair = replace(pair, question=slip(finish(pair.question, rng), pair.query, rng), template=chosen.make.__name__)
        if answers(connection, pair.query) and sieve.fresh(base.name, pair):
            found += 1
            tick()
            yield Drawn(base.name, pair)
