"""Backward: SQL is sampled by a grammar over the schema, and its question made with the words of the schema. Runs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from streamlink_sql.generators.parser.ir import NotCovered, Schema, to_ir, to_sql
from streamlink_sql.training.augment.manners import typed
from streamlink_sql.training.pairs import Pair, shape_of
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.sample import ROOMS
from streamlink_sql.training.synthetic.schema import Base
from streamlink_sql.training.synthetic.templates import TEMPLATES
from streamlink_sql.training.synthetic.values import Data
from streamlink_sql.types import Dialect, Table

assert ROOMS  # their import fills the templates


class Backward:
    """A source of pairs without end, the same for the same seed."""

    def __init__(self, base: Base, data: Data, tables: tuple[Table, ...], dialect: Dialect, rng: Random) -> None:
        self._maker = Maker(base, data, rng)
        self._schema, self._dialect = Schema.of(tables), dialect
        self._weights = [template.weight for template in TEMPLATES]
        self._tables = [0.0 if table.link else 1.0 + len(table.cols) / 4 for table in base.tables]

    def __iter__(self) -> Iterator[Pair | None]:
        """Pairs, and None where a template does not suit a table."""
        rng, base = self._maker.rng, self._maker.base
        while any(self._tables):
            chosen = rng.choices(TEMPLATES, self._weights)[0]
            made = chosen.make(self._maker, rng.choices(base.tables, self._tables)[0])
            query = None if made is None else self._spelt(made.query)
            if made is None or query is None:
                yield None
                continue
            question = typed(made.question, made.query, rng)
            yield replace(made, question=question, query=query, template=shape_of(query), category=made.category, way="backward")

    def _spelt(self, query: str) -> str | None:
        """DuckDB's SQL, as templates write it, in the dialect of the data; None where the embedded parser has no words for it."""
        if self._dialect == "duckdb":
            return query
        try:
            return to_sql(to_ir(query, self._schema, "duckdb"), self._schema, self._dialect)
        except NotCovered:
            return None
