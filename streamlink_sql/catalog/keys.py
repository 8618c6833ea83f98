"""Infers keys that an engine does not declare, from names and sampled values. Reads data only through the function it is given.

Careful by design: a wrong key joins rows that have nothing to do with each other. Names alone are enough only where they spell the key
of a table out (`customer_id` and `customers.id`) and the values do not speak against it; every other guess needs the values as evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from streamlink_sql.catalog.names import table_words, words_of
from streamlink_sql.catalog.people import people_meant
from streamlink_sql.catalog.values import stem
from streamlink_sql.types import Column, ForeignKey, Sample, Table

Sampler = Callable[[str, str], Sample]

KEY_WORDS = ("id", "key", "code", "no", "number", "num", "nr", "uuid", "guid", "pk", "sk", "cd", "ref", "iso", "isbn", "ean")
_KEY_WORDS = frozenset(KEY_WORDS)
_KINDS = {"text": "text", "integer": "number", "real": "number", "decimal": "number", "other": "other"}
_PARENTS = frozenset(
    {"parent", "manager", "supervisor", "boss", "superior", "predecessor", "successor", "previous", "next", "mentor", "root", "report"}
)
_ROLES = frozenset(
    map(
        stem,
        "from to start end origin destination source target home away host guest visiting winning losing sending receiving departure "
        "arrival pickup dropoff old new current former first second main primary birth billing shipping delivery".split(),
    )
)
"""What stands before a table's name where a column refers to its rows in a role: `from_station`, `home_team`."""
_OFTEN_SHARED = frozenset(
    {"id", "name", "code", "title", "date", "year", "type", "status", "key", "number", "no", "description", "label", "rank"}
)
_SPELT, _SAME, _ROLE, _TABLE, _PARENT, _LIKE, _EVIDENCE = 5.0, 4.5, 4.0, 3.5, 3.0, 2.0, 1.0
_SURE, _STRONG = 4.0, 3.0
_PROBE = 500
_COMMON = 64
_CHANCE = 1e-6
_FEW = 5


@dataclass(frozen=True, slots=True)
class _Key:
    """A column of a table to which others may refer; `proven` when each row is known to have its own value."""

    table: Table
    column: Column
    primary: bool
    proven: bool
    name: str
    owner: str
    told: frozenset[str]

    @classmethod
    def of(cls, table: Table, column: Column, *, primary: bool, proven: bool) -> _Key:
        """The key with its name, its table's name and the telling words of both."""
        own, words = table_words(table.name), words_of(column.name)
        return cls(table, column, primary, proven, "".join(words), "".join(own), frozenset({*own, *words}) - _OFTEN_SHARED - _KEY_WORDS)


def infer_keys(tables: tuple[Table, ...], sample: Sampler, *, loosely_typed: bool = False) -> tuple[Table, ...]:
    """The tables with primary keys where none is declared, and with inferred foreign keys beside the declared ones.

    `loosely_typed` where the engine compares text with numbers, as SQLite does.
    """
    guesses = _primary_keys(tables, sample)
    keyed = tuple(replace(table, primary_key=guesses.get(table.name, (0, table.primary_key))[1]) for table in tables)
    keys = _Keys(keyed, sample, loosely_typed)
    weak = {name for name, (score, _) in guesses.items() if score < _STRONG}
    found = {table.name: tuple(keys.references(table, weak=table.name in weak)) for table in keyed}
    return tuple(_with_keys(table, found, weak) for table in keyed)


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


def _primary_keys(tables: tuple[Table, ...], sample: Sampler) -> dict[str, tuple[float, tuple[str, ...]]]:
    """A key, with the strength of its name, for tables that declare none: `id`, `patent_id` of patents, or a unique first column `isbn`.

    Where the first columns of several tables have one name, it is the key of the largest only: the others refer to it.
    """
    names = frozenset("".join(table_words(table.name)) for table in tables)
    found = {table.name: _primary_key(table, names, sample) for table in tables if not table.primary_key}
    largest: dict[str, tuple[int, float]] = {}
    sizes: dict[str, tuple[int, float]] = {}
    for table in tables:
        score, key = found.get(table.name, (_STRONG, table.primary_key))
        sizes[table.name] = (table.rows or 0, score)
        for name in key:
            joined = "".join(words_of(name))
            largest[joined] = max(largest.get(joined, (0, 0)), sizes[table.name])
    return {
        name: (score, key)
        for name, (score, key) in found.items()
        if key and (score >= _STRONG or sizes[name] >= largest["".join(words_of(key[0]))])
    }


def _primary_key(table: Table, names: frozenset[str], sample: Sampler) -> tuple[float, tuple[str, ...]]:
    """The best key of a table with its score; by name alone only where the name is strong."""
    scored = ((_key_score(table, place, column, names), -place, column.name) for place, column in enumerate(table.columns))
    for score, _, name in sorted(scored, reverse=True):
        if score <= 0:
            break
        unique = is_unique(table, name, sample)
        if unique or (unique is None and score >= _STRONG):
            return score, (name,)
    return 0, ()


def _key_score(table: Table, place: int, column: Column, names: frozenset[str]) -> float:
    """How much a column's name looks like the key of its table; one that is spelt like the key of another table does not."""
    words = words_of(column.name)
    if not words or column.kind not in _KINDS:
        return 0
    joined, own = "".join(words), "".join(table_words(table.name))
    if joined in ("id", "pk", "uuid", "guid") or (words[-1] in _KEY_WORDS and joined == own + words[-1]):
        return 4 if words[-1] == "id" else 3.5
    if joined.startswith(own) and joined[len(own) :] in _KEY_WORDS:
        return 3.5
    if any(joined.endswith(word) and joined[: -len(word)] in names for word in KEY_WORDS):
        return 0
    if words[-1] in _KEY_WORDS or joined.endswith("id"):
        return 2.5 if place == 0 else 1
    return 0


class _Keys:
    """The columns that others may refer to, and who refers to them."""

    def __init__(self, tables: tuple[Table, ...], sample: Sampler, loosely_typed: bool) -> None:
        self._sample = sample
        self._loosely_typed = loosely_typed
        self._sets: dict[tuple[str, str], frozenset[str] | None] = {}
        self._shared = _shared_names(tables)
        self._keys = [key for table in tables for key in self._keys_of(table)]
        self._numbered = [key for key in self._keys if key.primary and _KINDS.get(key.column.kind) == "number"]
        self._by_table: dict[str, list[_Key]] = {}
        self._by_name: dict[str, list[_Key]] = {}
        by_word: dict[str, list[_Key]] = {}
        for key in self._keys:
            self._by_table.setdefault(key.table.name, []).append(key)
            for fragment in {key.owner, key.name} - _OFTEN_SHARED:
                self._by_name.setdefault(fragment, []).append(key)
            for word in key.told:
                by_word.setdefault(word, []).append(key)
        self._by_word = {word: keys for word, keys in by_word.items() if len(keys) <= _COMMON}

    def _keys_of(self, table: Table) -> Iterator[_Key]:
        primary = table.primary_key[0].casefold() if len(table.primary_key) == 1 else ""
        for place, column in enumerate(table.columns):
            if column.name.casefold() == primary:
                yield _Key.of(table, column, primary=True, proven=bool(is_unique(table, column.name, self._sample)))
            elif self._may_be_key(place, column) and is_unique(table, column.name, self._sample):
                yield _Key.of(table, column, primary=False, proven=True)

    def _may_be_key(self, place: int, column: Column) -> bool:
        words = words_of(column.name)
        if not words or column.kind not in ("text", "integer"):
            return False
        return place == 0 or words[-1] in _KEY_WORDS or (column.kind == "text" and "".join(words) in self._shared)

    def references(self, table: Table, *, weak: bool) -> Iterator[ForeignKey]:
        """The inferred foreign keys of a table, at most one a column and beside the declared; `weak`: its own key is a guess."""
        declared = {name.casefold() for key in table.foreign_keys for name in key.columns}
        for column in table.columns:
            if column.name.casefold() in declared or column.kind not in _KINDS:
                continue
            _, key = max(self._scored(table, column, weak), key=lambda pair: pair[0], default=(0, self._of_people(table, column)))
            if key:
                yield ForeignKey((column.name,), key.table.name, (key.column.name,), inferred=True)

    def _scored(self, table: Table, column: Column, weak: bool) -> Iterator[tuple[float, _Key]]:
        """The keys that this column may refer to, with their scores."""
        is_key = table.primary_key == (column.name,)
        for key in self._candidates(table, column):
            if key.table.name == table.name and key.column.name == column.name:
                continue
            same_kind = _KINDS[column.kind] == _KINDS.get(key.column.kind)
            score = _name_score(table, column, key) or _EVIDENCE
            if score == _LIKE and len(self._sample(table.name, column.name).values) < _FEW:
                continue
            if not same_kind and not (self._loosely_typed and score >= _SURE):
                continue
            if is_key and not (_may_extend(table, column, key) or (weak and _is_smaller(table, key.table) and score != _LIKE)):
                continue
            fit = self._fit(table, column, key)
            if self._is_enough(score, fit, same_kind) and (score > _EVIDENCE or (not is_key and self._is_telling(table, column, key))):
                yield score + (0.3 if key.primary else 0) + (0.1 * fit if fit else 0), key

    def _of_people(self, table: Table, column: Column) -> _Key | None:
        """The key of the one table that holds the people whom a column means (`assignee_no` of employees) and all of its values."""
        words = words_of(column.name)
        meant = people_meant(words[:-1] if words[-1:] and words[-1] in _KEY_WORDS else words)
        found = [
            key
            for key in self._keys
            if meant.intersection(table_words(key.table.name)) and key.primary and _KINDS.get(key.column.kind) == _KINDS[column.kind]
        ]
        is_own = table.primary_key == (column.name,)
        return found[0] if len(found) == 1 and not is_own and self._fit(table, column, found[0]) == 1.0 else None

    def _is_enough(self, score: float, fit: float | None, same_kind: bool) -> bool:
        """Whether names of this score and values of this fit make a key."""
        if fit is None:
            return score >= _SURE and same_kind
        return fit >= (0.6 if score >= _SPELT else 0.9 if score >= _SURE else 1.0)

    def _is_telling(self, table: Table, column: Column, key: _Key) -> bool:
        """Whether the values alone show that the column refers to the key: they all fit a key so sparse that chance cannot explain it."""
        held = {int(value) for value in self._held(key) or () if value.lstrip("-").isdecimal()}
        values = {_plain(value) for value in self._sample(table.name, column.name).values[:_PROBE]}
        if len(values) < _FEW or len(held) < _FEW or not words_of(column.name)[-1].endswith(KEY_WORDS):
            return False
        density = len(held) / (max(held) - min(held) + 1)
        return density ** len(values) < _CHANCE

    def _candidates(self, table: Table, column: Column) -> Iterable[_Key]:
        words = words_of(column.name)
        joined = "".join(words)
        stripped = [joined[: -len(suffix)] for suffix in KEY_WORDS if joined.endswith(suffix)]
        found: dict[int, _Key] = {}
        for fragment in (joined, *stripped):
            found.update((id(key), key) for key in self._by_name.get(fragment, ()))
        for word in words:
            found.update((id(key), key) for key in self._by_word.get(word, ()))
        if words and words[0] in _PARENTS:
            found.update((id(key), key) for key in self._by_table.get(table.name, ()) if key.primary)
        if len(self._numbered) <= _COMMON and stripped and _KINDS[column.kind] == "number":
            found.update((id(key), key) for key in self._numbered)
        return found.values()

    def _fit(self, table: Table, column: Column, key: _Key) -> float | None:
        """The share of the column's values that the key holds; None when that cannot be known."""
        if not key.proven and is_unique(key.table, key.column.name, self._sample) is False:
            return 0.0
        held = self._held(key)
        values = [_plain(value) for value in self._sample(table.name, column.name).values[:_PROBE]]
        if not held or not values:
            return None
        return sum(value in held for value in values) / len(values)

    def _held(self, key: _Key) -> frozenset[str] | None:
        place = (key.table.name, key.column.name)
        if place not in self._sets:
            seen = self._sample(*place)
            self._sets[place] = frozenset(map(_plain, seen.values)) if seen.complete else None
        return self._sets[place]


def _shared_names(tables: tuple[Table, ...]) -> frozenset[str]:
    """The telling column names that two tables have in common, and columns named like a table."""
    tables_by_name: dict[str, set[str]] = {"".join(table_words(table.name)): {""} for table in tables}
    for table in tables:
        for column in table.columns:
            tables_by_name.setdefault("".join(words_of(column.name)), set()).add(table.name)
    return frozenset(name for name, holders in tables_by_name.items() if len(holders) > 1) - _OFTEN_SHARED


def _name_score(table: Table, column: Column, key: _Key) -> float:
    """How strongly the names say that the column refers to the key; 0 when they do not."""
    words = words_of(column.name)
    joined, target, name = "".join(words), key.owner, key.name
    if not words:
        return 0
    if key.table.name == table.name:
        return _PARENT if key.primary and words[0] in _PARENTS and column.kind == key.column.kind else 0
    suffix = next((word for word in KEY_WORDS if joined.endswith(word) and len(joined) > len(word)), "")
    base = joined[: -len(suffix)] if suffix else joined
    if suffix and base == target and (name in (suffix, joined) or key.primary):
        return _SPELT
    if joined == name and name not in _OFTEN_SHARED and name.endswith(KEY_WORDS):
        return _SAME
    if suffix and len(target) > 2 and base.endswith(target) and key.primary:
        return _ROLE
    if len(name) > 4 and joined.endswith(name) and name not in _OFTEN_SHARED and key.primary:
        return _ROLE
    if joined == target and (key.primary or name == target):
        return _TABLE
    if key.primary and len(words) > 1 and words[0] in _ROLES and "".join(words[1:]) == target and not column.name.casefold().endswith("s"):
        return _TABLE
    return _like(column, key, words)


def _like(column: Column, key: _Key, words: tuple[str, ...]) -> float:
    """Text columns that share a telling word with the key or its table: `source_airport` and `airports.airport_code`."""
    if column.kind != "text":
        return 0
    joined = "".join(words)
    shares = any(word in words or (len(word) > 4 and joined.endswith(word)) for word in key.told)
    return _LIKE if shares and (key.primary or joined == key.name) else 0


def _may_extend(table: Table, column: Column, key: _Key) -> bool:
    """Whether a table whose own key is this column may be a part of the other: `employee_details.employee_id` of employees."""
    own, target = "".join(table_words(table.name)), key.owner
    base = "".join(words_of(column.name))
    if not key.primary or base in _OFTEN_SHARED:
        return False
    return base.startswith(target) and not (base.startswith(own) and len(own) >= len(target))


def _is_smaller(table: Table, other: Table) -> bool:
    return (table.rows or 0) < (other.rows or 0)


def _with_keys(table: Table, found: dict[str, tuple[ForeignKey, ...]], weak: set[str]) -> Table:
    """The table with its inferred keys, save one that refers back to a table referring here one to one; the later table's stays.

    A guessed primary key that refers elsewhere, as one of several, is the side of a link and no key.
    """
    order = list(found)
    kept = []
    for key in found[table.name]:
        back = any(other.to_table == table.name and other.columns == key.to_columns for other in found[key.to_table])
        if key.to_table == table.name or not (back and order.index(table.name) < order.index(key.to_table)):
            kept.append(key)
    is_link = table.name in weak and len(kept) > 1 and any(key.columns == table.primary_key for key in kept)
    return replace(table, primary_key=() if is_link else table.primary_key, foreign_keys=(*table.foreign_keys, *kept))


def _plain(value: str) -> str:
    """Values as they compare across types: '7.0' is '7', case and outer blanks do not count."""
    text = value.strip().casefold()
    return text[:-2] if text.endswith(".0") and text[:-2].lstrip("-").isdigit() else text
