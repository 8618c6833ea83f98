"""Invented schemas: reads them from TOML and tells what each column means. Holds no rows and writes no SQL."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from streamlink_sql.types import Kind

Role = Literal["id", "fk", "name", "category", "text", "measure", "year", "date", "flag", "contact"]

ROLES: dict[str, Role] = {
    **dict.fromkeys(("id", "key"), "id"),
    "fk": "fk",
    **dict.fromkeys(("person", "company", "title", "product", "place", "label"), "name"),
    "one": "category",
    "text": "text",
    **dict.fromkeys(("int", "num", "real", "qty", "amt", "big"), "measure"),
    "year": "year",
    **dict.fromkeys(("date", "ts"), "date"),
    "flag": "flag",
    **dict.fromkeys(("email", "phone", "zip", "url", "code"), "contact"),
}
NATIVE: dict[str, str] = {
    **dict.fromkeys(("id", "int", "qty", "year"), "INTEGER"),
    **dict.fromkeys(("num", "amt"), "DECIMAL(14,2)"),
    "real": "DOUBLE",
    "big": "BIGINT",
    "date": "DATE",
    "ts": "TIMESTAMP",
    "flag": "BOOLEAN",
}
KINDS: dict[str, Kind] = {
    "INTEGER": "integer",
    "BIGINT": "integer",
    "DECIMAL(14,2)": "decimal",
    "DOUBLE": "real",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "BOOLEAN": "boolean",
    "VARCHAR": "text",
}
NAMING = ("person", "company", "place")
"""Kinds of names that occur in several rows where they do not name the row itself."""
ADDITIVE = ("qty", "amt", "big")


@dataclass(frozen=True, slots=True)
class Col:
    """One column: how its values are made (`gen`, `args`), what people call it (`phrases`), and hints for phrasing (`attrs`).

    `means` has nouns for its values, as `values.meanings` gives them, `aliases` other words for them, such as those of a glossary.
    """

    table: str
    name: str
    gen: str
    args: tuple[str, ...]
    phrases: tuple[str, ...]
    attrs: Mapping[str, str] = field(default_factory=dict, hash=False)
    means: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def role(self) -> Role:
        """What the column is for; a second title of a table is text."""
        role = ROLES[self.gen]
        return "text" if role == "name" and "notname" in self.attrs else role

    @property
    def additive(self) -> bool:
        """True when a sum over rows means something."""
        return self.gen in ADDITIVE and "noadd" not in self.attrs

    @property
    def ref(self) -> str:
        """How SQL under construction names this column; `sql.render` puts the alias in its place."""
        return f"⟦{self.table}⁄{self.name}⟧"


@dataclass(frozen=True, slots=True)
class Edge:
    """A foreign key: `child` refers to `parent`. `unique` is False when the two tables share several keys or a table refers to itself;
    then it is used only where the child column says what the parent is to it (`as`)."""

    child: Col
    parent: Col
    unique: bool


@dataclass(frozen=True)
class Tab:
    """One table: its columns, and its nouns as (singular, plural), the usual one first. A `link` only ties rows of two other tables."""

    name: str
    nouns: tuple[tuple[str, str], ...]
    cols: tuple[Col, ...]
    rows: int
    link: bool = False

    def of(self, *roles: Role) -> list[Col]:
        """The columns with one of these roles."""
        return [col for col in self.cols if col.role in roles]

    @cached_property
    def label(self) -> Col | None:
        """The column that names a row, if there is one."""
        return next(iter(self.of("name")), None)

    @cached_property
    def others(self) -> list[Col]:
        """Columns that name somebody or something other than the row, such as the inspector of a building."""
        return [col for col in self.of("text") if col.gen in NAMING]

    @cached_property
    def people(self) -> bool:
        """True when rows are persons."""
        return self.label is not None and self.label.gen == "person"

    @cached_property
    def key(self) -> Col | None:
        """The primary key, if there is one."""
        return next(iter(self.of("id")), None)


@dataclass(frozen=True)
class Base:
    """A database to be: tables in the order written."""

    name: str
    tables: tuple[Tab, ...]

    def table(self, name: str) -> Tab:
        """The table of that name."""
        return next(table for table in self.tables if table.name == name)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """All foreign keys."""
        pairs = [(col, self.parent_key(col)) for table in self.tables for col in table.of("fk")]
        shared = [frozenset((child.table, parent.table)) for child, parent in pairs]
        return tuple(
            Edge(child, parent, shared.count(tables) == 1 and len(tables) == 2)
            for (child, parent), tables in zip(pairs, shared, strict=True)
        )

    def parent_key(self, col: Col) -> Col:
        """The key that a foreign key column refers to: the one that it names, else the other table's own."""
        table, named = self.table(col.args[0]), col.args[1:]
        key = next(item for item in table.cols if item.name == named[0]) if named else table.key
        if key is None:
            raise ValueError(f"{self.name}.{col.args[0]} has no key for {col.table}.{col.name}")
        return key

    def ups(self, table: str, hops: int = 2) -> list[tuple[Edge, ...]]:
        """Chains of foreign keys from a table to each of its ancestors, the shortest chain each."""
        found: dict[tuple[str, str], tuple[Edge, ...]] = {}
        front: list[tuple[str, tuple[Edge, ...]]] = [(table, ())]
        for _ in range(hops):
            following = []
            for here, path in front:
                for edge in self.edges:
                    target = edge.parent.table
                    role = edge.child.attrs.get("as", "") if not path else ""
                    known = (target, role) in found or path and any(end == target for end, _ in found)
                    if edge.child.table == here and (edge.unique or role) and target not in (table, here) and not known:
                        found[target, role] = (*path, edge)
                        following += [] if role else [(target, found[target, role])]
            front = following
        return list(found.values())

    def downs(self, table: str) -> list[Edge]:
        """Foreign keys that refer to this table and can be joined without doubt."""
        return [edge for edge in self.edges if edge.parent.table == table and edge.unique and not self.table(edge.child.table).link]

    def links(self, table: str) -> list[tuple[Edge, Edge]]:
        """Ways from this table over a link table to another: the link's key to this table, and its key to the other."""
        ties = [edge for edge in self.edges if self.table(edge.child.table).link]
        near = [edge for edge in ties if edge.parent.table == table]
        return [(here, there) for here in near for there in ties if there.child.table == here.child.table and there is not here]

    def native(self, col: Col) -> str:
        """The engine's type of a column."""
        if col.gen == "fk":
            return self.native(self.parent_key(col))
        if col.gen == "id" or col.gen in NATIVE:
            return NATIVE[col.gen]
        return "VARCHAR"


def words_of(identifier: str) -> str:
    """An identifier as lower-case words: `custNm` and `CUST_NM` become `cust nm`."""
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", identifier)
    return " ".join(re.split(r"[\s_\-.]+", text)).strip().lower()


def plural(noun: str) -> str:
    """The plural of a regular English noun phrase."""
    if re.search(r"[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    if re.search(r"(s|x|ch|sh|z)$", noun):
        return noun + "es"
    return noun + "s"


def _split(text: str, mark: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(mark) if part.strip())


def _attrs(parts: tuple[str, ...]) -> dict[str, str]:
    pairs = (part.partition("=") for part in parts)
    return {name.strip(): value.strip() for name, _, value in pairs}


def read_column(table: str, line: str) -> Col:
    """A column from its line `name gen args | phrases ; attr=value`; names with blanks stand in double quotes."""
    head, *hints = _split(line, ";")
    head, _, phrases = head.partition("|")
    match = re.match(r'\s*(?:"([^"]+)"|(\S+))\s+(\S+)\s*(.*)$', head)
    if match is None:
        raise ValueError(f"not a column: {line}")
    quoted, bare, gen, rest = match.groups()
    name, rest = quoted or bare, rest.strip()
    args: tuple[str, ...]
    if gen == "->":
        gen, args = "fk", (rest,)
    elif gen == "one" or gen.startswith("@"):
        args = _split(rest, "/") if gen == "one" else (gen,)
        gen = "one"
    else:
        args = tuple(rest.split())
    if gen not in ROLES:
        raise ValueError(f"unknown kind of values {gen!r}: {line}")
    return Col(table, name, gen, args, _split(phrases, ",") or (words_of(name),), _attrs(tuple(hints)))


def read_table(name: str, entry: Mapping[str, object]) -> Tab:
    """A table from its TOML entry: `is` (nouns), `cols` (one a line), `rows`."""
    nouns = []
    for noun in _split(str(entry.get("is", words_of(name))), ","):
        one, _, many = noun.partition("/")
        nouns.append((one.strip(), many.strip() or plural(one.strip())))
    cols = tuple(read_column(name, line) for line in str(entry["cols"]).strip().splitlines() if line.strip())
    depth = sum(col.gen == "fk" for col in cols)
    default = (130 if any(col.gen in ("id", "key") for col in cols) else 700, 500, 1100)[min(depth, 2)]
    return Tab(name, tuple(nouns), cols, int(str(entry.get("rows", default))), bool(entry.get("link")))


def load(folder: Path) -> tuple[Base, ...]:
    """Every schema of the TOML files in a folder, by file and order of writing."""
    bases = []
    for path in sorted(folder.glob("*.toml")):
        if path.stem == "words":
            continue
        for name, tables in tomllib.loads(path.read_text(encoding="utf-8")).items():
            bases.append(Base(name, tuple(read_table(table, entry) for table, entry in tables.items())))
    return tuple(bases)
