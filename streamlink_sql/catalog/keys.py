"""Infers keys that an engine does not declare, from names and sampled values. Reads data only through the function it is given.

Careful by design: a wrong key joins rows that have nothing to do with each other. Names alone are enough only where they spell the key
of a table out (`customer_id` and `customers.id`) and no value speaks against it; every other guess needs the values as evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from streamlink_sql.catalog.names import table_words, words_of
from streamlink_sql.types import Column, ForeignKey, Sample, Table

Sampler = Callable[[str, str], Sample]

KEY_WORDS = ("id", "key", "code", "no", "number", "num", "nr", "uuid", "guid", "pk", "sk", "cd", "ref", "iso", "isbn", "ean")
_KINDS = {"text": "text", "integer": "number", "real": "number", "decimal": "number", "other": "other"}
_PARENTS = frozenset(
    {"parent", "manager", "supervisor", "boss", "superior", "predecessor", "successor", "previous", "next", "mentor", "root"}
)
_OFTEN_SHARED = frozenset(
    {"id", "name", "code", "title", "date", "year", "type", "status", "key", "number", "no", "description", "label", "rank"}
)
_SPELT, _SAME, _ROLE, _TABLE, _PARENT, _LIKE = 5.0, 4.5, 4.0, 3.5, 3.0, 2.0
_SURE = 4.0
_PROBE = 500


@dataclass(frozen=True, slots=True)
class _Key:
    """A column of a table to which others may refer."""

    table: Table
    column: Column
    primary: bool
    proven: bool


def infer_keys(tables: tuple[Table, ...], sample: Sampler) -> tuple[Table, ...]:
    """The tables with primary keys where none is declared, and with inferred foreign keys beside the declared ones."""
    keyed = tuple(table if table.primary_key else replace(table, primary_key=_primary_key(table, sample)) for table in tables)
    keys = _Keys(keyed, sample)
    found = {table.name: tuple(keys.references(table)) for table in keyed}
    taken = {(key.to_table, table.name) for table in keyed for key in found[table.name] if _is_one_to_one(table, key)}
    return tuple(
        replace(
            table, foreign_keys=table.foreign_keys + tuple(key for key in found[table.name] if not _is_mirror(table, key, taken, keyed))
        )
        for table in keyed
    )


def is_unique(table: Table, column: str, sample: Sampler) -> bool | None:
    """Whether each row has a value of its own there; None when the sample cannot tell."""
    seen = sample(table.name, column)
    if seen.unique is not None:
        return seen.unique and bool(seen.values)
    if not table.rows:
        return None
    if seen.complete:
        return 0 < len(seen.values) == table.rows
    return None


def _primary_key(table: Table, sample: Sampler) -> tuple[str, ...]:
    """The unique column whose name says that it is the key: `id`, `patent_id` of patents, or a first column such as `isbn`."""
    ranked = sorted(((_key_score(table, place, column), -place, column) for place, column in enumerate(table.columns)), key=lambda x: x[:2])
    for score, _, column in reversed(ranked):
        if score <= 0:
            break
        unique = is_unique(table, column.name, sample)
        if unique or (unique is None and score >= 3):
            return (column.name,)
    return ()


def _key_score(table: Table, place: int, column: Column) -> float:
    words = words_of(column.name)
    if not words or column.kind not in ("text", "integer", "decimal", "other"):
        return 0
    joined, own = "".join(words), "".join(table_words(table.name))
    if joined in ("id", "pk", "uuid", "guid") or (words[-1] in KEY_WORDS and joined == own + words[-1]):
        return 4 if words[-1] == "id" else 3.5
    if joined.startswith(own) and joined[len(own) :] in KEY_WORDS:
        return 3.5
    if words[-1] in KEY_WORDS or joined.endswith("id"):
        return 2.5 if place == 0 else 1
    return 0


class _Keys:
    """The columns that others may refer to, and who refers to them."""

    def __init__(self, tables: tuple[Table, ...], sample: Sampler) -> None:
        self._sample = sample
        self._sets: dict[tuple[str, str], frozenset[str] | None] = {}
        self._keys = [key for table in tables for key in self._keys_of(table)]
        self._by_table: dict[str, list[_Key]] = {}
        self._by_word: dict[str, list[_Key]] = {}
        for key in self._keys:
            self._by_table.setdefault(key.table.name, []).append(key)
            fragments = {"".join(words_of(key.column.name)), "".join(table_words(key.table.name)), *table_words(key.table.name)}
            for word in fragments | {word for word in words_of(key.column.name) if word not in _OFTEN_SHARED}:
                self._by_word.setdefault(word, []).append(key)

    def _keys_of(self, table: Table) -> Iterator[_Key]:
        if len(table.primary_key) == 1:
            name = table.primary_key[0]
            yield _Key(table, table.column(name), True, bool(is_unique(table, name, self._sample)))
        referred = {table.primary_key[0].casefold()} if len(table.primary_key) == 1 else set()
        for place, column in enumerate(table.columns):
            words = words_of(column.name)
            is_named = bool(words) and (words[-1] in KEY_WORDS or place == 0) and column.kind in ("text", "integer")
            if column.name.casefold() not in referred and is_named and is_unique(table, column.name, self._sample):
                yield _Key(table, column, False, True)

    def references(self, table: Table) -> Iterator[ForeignKey]:
        """The inferred foreign keys of a table, at most one a column, none where the engine declares one."""
        declared = {name.casefold() for key in table.foreign_keys for name in key.columns}
        for column in table.columns:
            if column.name.casefold() in declared or column.kind not in _KINDS:
                continue
            best = max(self._scored(table, column), key=lambda pair: pair[0], default=None)
            if best:
                key = best[1]
                yield ForeignKey((column.name,), key.table.name, (key.column.name,), inferred=True)

    def _scored(self, table: Table, column: Column) -> Iterator[tuple[float, _Key]]:
        """The keys that this column may refer to, with their scores."""
        is_key = table.primary_key == (column.name,)
        for key in self._candidates(table, column):
            if _KINDS[column.kind] != _KINDS.get(key.column.kind, "?") or (key.table.name == table.name and key.column.name == column.name):
                continue
            score = _name_score(table, column, key)
            if not score or (is_key and not _may_extend(table, column, key)):
                continue
            fit = self._fit(table, column, key)
            if fit is None and score < _SURE:
                continue
            if fit is not None and fit < (0.9 if score >= _SURE else 1.0):
                continue
            yield score + (0.3 if key.primary else 0) + (0.1 * fit if fit else 0), key

    def _candidates(self, table: Table, column: Column) -> Iterable[_Key]:
        words = words_of(column.name)
        joined = "".join(words)
        stripped = [joined[: -len(suffix)] for suffix in KEY_WORDS if joined.endswith(suffix)]
        found: dict[int, _Key] = {}
        for fragment in (joined, *stripped, *words):
            found.update((id(key), key) for key in self._by_word.get(fragment, ()))
        if words and words[0] in _PARENTS:
            found.update((id(key), key) for key in self._by_table.get(table.name, ()) if key.primary)
        return found.values()

    def _fit(self, table: Table, column: Column, key: _Key) -> float | None:
        """The share of the column's values that the key holds; None when that cannot be known."""
        if not key.proven and is_unique(key.table, key.column.name, self._sample) is False:
            return 0.0
        held = self._held(key)
        values = [_plain(value) for value in self._sample(table.name, column.name).values[:_PROBE]]
        if held is None or not values:
            return None
        if not held:
            return None
        return sum(value in held for value in values) / len(values)

    def _held(self, key: _Key) -> frozenset[str] | None:
        place = (key.table.name, key.column.name)
        if place not in self._sets:
            seen = self._sample(*place)
            self._sets[place] = frozenset(map(_plain, seen.values)) if seen.complete else None
        return self._sets[place]


def _name_score(table: Table, column: Column, key: _Key) -> float:
    """How strongly the names say that the column refers to the key; 0 when they do not."""
    words, own = words_of(column.name), table_words(key.table.name)
    joined, target, name = "".join(words), "".join(own), "".join(words_of(key.column.name))
    if key.table.name == table.name:
        return _PARENT if key.primary and words[0] in _PARENTS and column.kind == key.column.kind else 0
    suffix = next((word for word in KEY_WORDS if joined.endswith(word) and len(joined) > len(word)), "")
    base = joined[: -len(suffix)] if suffix else joined
    if suffix and base == target and (name in (suffix, joined) or key.primary):
        return _SPELT
    if joined == name and name not in _OFTEN_SHARED and words_of(key.column.name)[-1] in KEY_WORDS:
        return _SAME
    if suffix and len(target) > 2 and base.endswith(target) and key.primary:
        return _ROLE
    if len(name) > 4 and joined.endswith(name) and name not in _OFTEN_SHARED and key.primary:
        return _ROLE
    if joined == target and key.primary:
        return _TABLE
    return _like(column, key, words, own)


def _like(column: Column, key: _Key, words: tuple[str, ...], own: tuple[str, ...]) -> float:
    """Text columns that share a telling word with the key or its table: `source_airport` and `airports.airport_code`."""
    if column.kind != "text":
        return 0
    told = (set(own) | set(words_of(key.column.name))) - _OFTEN_SHARED - set(KEY_WORDS)
    joined = "".join(words)
    shares = any(word in words or (len(word) > 4 and joined.endswith(word)) for word in told)
    return _LIKE if shares and (key.primary or joined == "".join(words_of(key.column.name))) else 0


def _may_extend(table: Table, column: Column, key: _Key) -> bool:
    """Whether a table whose own key is this column may be a part of the other: `employee_details.employee_id` of employees."""
    own, target = "".join(table_words(table.name)), "".join(table_words(key.table.name))
    base = "".join(words_of(column.name))
    if not key.primary or base in _OFTEN_SHARED:
        return False
    return base.startswith(target) and not (base.startswith(own) and len(own) >= len(target))


def _is_one_to_one(table: Table, key: ForeignKey) -> bool:
    return table.primary_key == key.columns


def _is_mirror(table: Table, key: ForeignKey, taken: set[tuple[str, str]], tables: tuple[Table, ...]) -> bool:
    """Two keys that refer to each other: the one of the table that comes later stays."""
    if not _is_one_to_one(table, key) or (table.name, key.to_table) not in taken:
        return False
    order = [other.name for other in tables]
    return order.index(table.name) < order.index(key.to_table)


def _plain(value: str) -> str:
    """Values as they compare across types: '7.0' is '7', case and outer blanks do not count."""
    text = value.strip().casefold()
    return text[:-2] if text.endswith(".0") and text[:-2].lstrip("-").isdigit() else text
