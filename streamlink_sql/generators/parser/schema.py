"""The tables that one query may read, flat and indexed, and how they join. Reads no database and no SQL."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

from streamlink_sql.catalog.names import table_words, words_of
from streamlink_sql.types import Column, Table

_DECLARED, _INFERRED, _SHARED_KEY, _SHARED_NAME, _BY_CHANCE = 1.0, 1.01, 1.9, 3.5, 7.0
NUMBERS, TIMES = ("integer", "real", "decimal"), ("date", "timestamp")
"""The kinds of columns that hold numbers, and days or moments."""
NAMES_SHARED_BY_CHANCE = {
    "id",
    "name",
    "type",
    "description",
    "date",
    "status",
    "title",
    "code",
    "year",
    "comment",
    "created_at",
    "updated_at",
}


@dataclass(frozen=True, slots=True)
class Edge:
    """Two tables and the pairs of columns that join them: `left` refers to `right`."""

    left: int
    right: int
    pairs: tuple[tuple[int, int], ...]
    cost: float

    @property
    def is_by_chance(self) -> bool:
        """Whether no key joins them, only a name that tables share by chance."""
        return self.cost == _BY_CHANCE

    @property
    def is_by_name(self) -> bool:
        """Whether no key joins them, only a name that both have."""
        return self.cost >= _SHARED_NAME

    def other(self, table: int) -> int:
        """The table at the far end."""
        return self.right if table == self.left else self.left


@dataclass(frozen=True)
class Schema:
    """Tables with their columns counted through, and the graph of keys. Make it with `Schema.of`."""

    tables: tuple[Table, ...]
    columns: tuple[tuple[int, Column], ...]
    edges: tuple[Edge, ...]
    _tables_by_name: Mapping[str, int] = field(repr=False, compare=False)
    _columns_by_name: Mapping[tuple[int, str], int] = field(repr=False, compare=False)
    _first: tuple[int, ...] = field(repr=False, compare=False)
    _near: Mapping[int, tuple[Edge, ...]] = field(repr=False, compare=False)
    _trees: dict[frozenset[int], tuple[Edge, ...] | None] = field(repr=False, compare=False, default_factory=dict)

    @classmethod
    def of(cls, tables: tuple[Table, ...]) -> Schema:
        """The schema of these tables, in this order."""
        columns = tuple((number, column) for number, table in enumerate(tables) for column in table.columns)
        by_table = {table.name.casefold(): number for number, table in reversed(list(enumerate(tables)))}
        by_column = {(number, column.name.casefold()): index for index, (number, column) in reversed(list(enumerate(columns)))}
        first = tuple(sum(len(table.columns) for table in tables[:number]) for number in range(len(tables)))
        edges = tuple(_edges(tables, by_table, by_column))
        near: dict[int, list[Edge]] = {}
        for edge in edges:
            near.setdefault(edge.left, []).append(edge)
            near.setdefault(edge.right, []).append(edge)
        return cls(tables, columns, edges, by_table, by_column, first, {table: tuple(found) for table, found in near.items()})

    @cached_property
    def references(self) -> frozenset[tuple[int, int]]:
        """Columns that refer to others by a declared or inferred key, with those others."""
        return frozenset(pair for edge in self.edges if edge.cost < _SHARED_KEY for pair in edge.pairs)

    @cached_property
    def rivals(self) -> Mapping[int, frozenset[int]]:
        """Of a column that refers to a key, the others of its table that refer to the same one: home and away team."""
        to: dict[tuple[int, int], set[int]] = {}
        for edge in self.edges:
            if edge.cost < _SHARED_KEY and len(edge.pairs) == 1:
                column, key = edge.pairs[0]
                to.setdefault((self.table_of(column), key), set()).add(column)
        return {column: frozenset(group - {column}) for group in to.values() if len(group) > 1 for column in group}

    @cached_property
    def own_keys(self) -> Mapping[int, int]:
        """Columns that refer to a key of their own table, with that key: an employee's manager."""
        found: dict[int, int] = {}
        for number, table in enumerate(self.tables):
            for key in table.foreign_keys:
                ends = key.to_columns or table.primary_key
                if key.to_table.casefold() == table.name.casefold() and len(key.columns) == len(ends) == 1:
                    column, to = self.column_index(number, key.columns[0]), self.column_index(number, ends[0])
                    found |= {} if column is None or to is None or column == to else {column: to}
        return found

    @cached_property
    def joining(self) -> frozenset[int]:
        """The columns that rows are joined by: keys, and those that refer to them."""
        return self.keys | {side for pair in (*self.references, *self.own_keys.items()) for side in pair}

    @cached_property
    def keys(self) -> frozenset[int]:
        """Columns that tell a row of their table alone: those that others refer to, and primary keys of one column."""
        referred = {pair[1] for edge in self.edges if edge.cost < _SHARED_KEY and len(edge.pairs) == 1 for pair in edge.pairs}
        alone = ((number, table.primary_key[0]) for number, table in enumerate(self.tables) if len(table.primary_key) == 1)
        primary = (self.column_index(number, name) for number, name in alone)
        return frozenset((*referred, *(column for column in primary if column is not None)))

    def told_by(self, table: int) -> frozenset[int]:
        """The tables of which one row, at most, belongs to a row of this one: itself, and those that its keys lead to."""
        found, new = {table}, {table}
        while new:
            new = {self.table_of(to) for column, to in self.references if self.table_of(column) in new} - found
            found |= new
        return frozenset(found)

    def table_index(self, name: str) -> int | None:
        """The table of that name, without regard to case."""
        return self._tables_by_name.get(name.casefold())

    def column_index(self, table: int, name: str) -> int | None:
        """The column of that name in a table, without regard to case."""
        return self._columns_by_name.get((table, name.casefold()))

    def columns_of(self, table: int) -> range:
        """The indices of a table's columns."""
        return range(self._first[table], self._first[table] + len(self.tables[table].columns))

    def table_of(self, column: int) -> int:
        """The table that holds a column."""
        return self.columns[column][0]

    def join_tree(self, tables: Iterable[int]) -> tuple[Edge, ...] | None:
        """The cheapest edges that connect these tables, through others where needed; None when nothing connects them."""
        wanted = frozenset(tables)
        if wanted not in self._trees:
            self._trees[wanted] = self._cheapest(sorted(wanted))
        return self._trees[wanted]

    def _cheapest(self, wanted: Sequence[int]) -> tuple[Edge, ...] | None:
        best: tuple[float, tuple[Edge, ...]] | None = None
        for start in wanted:
            grown = self._grow(start, wanted)
            if grown is None:
                return None
            cost = sum(edge.cost for edge in grown)
            if best is None or cost < best[0] - 1e-9:
                best = (cost, grown)
        return best[1] if best else ()

    def _grow(self, start: int, wanted: Sequence[int]) -> tuple[Edge, ...] | None:
        """A tree grown from one table to the nearest of the others, one after the other."""
        reached, edges = {start}, list[Edge]()
        while missing := [table for table in wanted if table not in reached]:
            path = self._path(reached, set(missing))
            if path is None:
                return None
            for edge in path:
                reached.update((edge.left, edge.right))
            edges.extend(path)
        return tuple(edges)

    def _path(self, sources: set[int], targets: set[int]) -> list[Edge] | None:
        """The cheapest path from any source to any target; equal costs are decided by the order of tables and edges."""
        queue: list[tuple[float, int, int, int, tuple[Edge, ...]]] = [(0.0, 0, table, 0, ()) for table in sorted(sources)]
        seen: set[int] = set()
        count = 0
        heapq.heapify(queue)
        while queue:
            cost, _, table, _, path = heapq.heappop(queue)
            if table in targets:
                return list(path)
            if table in seen:
                continue
            seen.add(table)
            for edge in self._near.get(table, ()):
                count += 1
                heapq.heappush(queue, (round(cost + edge.cost, 6), len(path), edge.other(table), count, (*path, edge)))
        return None


def _edges(tables: Sequence[Table], by_table: Mapping[str, int], by_column: Mapping[tuple[int, str], int]) -> Iterator[Edge]:
    """Declared keys, then inferred ones, those first that are called after the table they refer to, then equal names between tables that no
    key joins."""
    keys = list(_keys(tables, by_table, by_column))
    names = {by_column[number, column.name.casefold()]: column.name for number, table in enumerate(tables) for column in table.columns}

    def calls_it_otherwise(edge: Edge) -> bool:
        return edge.cost == _INFERRED and set(words_of(names[edge.pairs[0][0]])).isdisjoint(table_words(tables[edge.right].name))

    keys.sort(key=lambda edge: (edge.cost, calls_it_otherwise(edge), edge.pairs))
    yield from keys
    joined = {frozenset((edge.left, edge.right)) for edge in keys}
    for left, right in combinations(range(len(tables)), 2):
        if frozenset((left, right)) not in joined:
            yield from _shared(left, right, tables, by_column)


def _keys(tables: Sequence[Table], by_table: Mapping[str, int], by_column: Mapping[tuple[int, str], int]) -> Iterator[Edge]:
    for number, table in enumerate(tables):
        for key in table.foreign_keys:
            target = by_table.get(key.to_table.casefold())
            if target is None or target == number:
                continue
            ends = key.to_columns or tables[target].primary_key
            pairs = [
                (by_column.get((number, a.casefold())), by_column.get((target, b.casefold())))
                for a, b in zip(key.columns, ends, strict=False)
            ]
            known = tuple((a, b) for a, b in pairs if a is not None and b is not None)
            if known:
                yield Edge(number, target, known, _INFERRED if key.inferred else _DECLARED)


def _shared(left: int, right: int, tables: Sequence[Table], by_column: Mapping[tuple[int, str], int]) -> Iterator[Edge]:
    """The best column name that two tables share: the key of one of them before any other."""
    found: list[Edge] = []
    for column in tables[left].columns:
        name = column.name.casefold()
        other = by_column.get((right, name))
        if other is None or column.kind in ("real", "boolean", "binary"):
            continue
        is_key = any(name in map(str.casefold, tables[side].primary_key) for side in (left, right))
        cost = _SHARED_KEY if is_key else _SHARED_NAME
        if name in NAMES_SHARED_BY_CHANCE:
            cost = _BY_CHANCE
        found.append(Edge(left, right, ((by_column[left, name], other),), cost))
    if found:
        yield min(found, key=lambda edge: (edge.cost, edge.pairs))
