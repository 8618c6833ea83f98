"""What a question is about: a table with conditions, as a noun phrase and as the parts of a SELECT."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.filters import Filter, table_filter
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.schema import Col, Edge, Tab
from streamlink_sql.training.synthetic.sql import Core, decade, literal, month_of_year, year


@dataclass(frozen=True, slots=True)
class Subject:
    """Rows of a table under conditions. `one` and `many` are the noun phrases in singular and plural."""

    table: Tab
    one: str
    many: str
    plain: tuple[str, str]
    filters: tuple[Filter, ...]
    where: tuple[str, ...]
    edges: tuple[Edge, ...]

    def core(self, *select: str, edges: Sequence[Edge] = (), where: Sequence[str] = (), **clauses: Any) -> Core:
        """A SELECT over these rows."""
        return Core(select, self.table.name, (*self.edges, *edges), (*self.where, *where), **clauses)

    @property
    def who(self) -> str:
        """The relative pronoun."""
        return "who" if self.table.people else "that"

    @property
    def kind(self) -> str:
        """The most telling kind of its conditions, for reports."""
        kinds = [item.kind for item in self.filters if item.kind != "filter"]
        return kinds[0] if kinds else ("filters" if len(self.filters) > 1 else "filter" if self.filters else "plain")


def singular(text: str) -> str:
    """Makes relative clauses agree with one row: `that are late` becomes `that is late`."""
    for many, one in (("are", "is"), ("were", "was"), ("have", "has"), ("mention", "mentions"), ("need", "needs"), ("close", "closes")):
        text = re.sub(rf"\b(that|who) {many}\b", rf"\1 {one}", text)
    return text.replace("in their ", "in the ")


def attach(words: tuple[str, str], filters: Sequence[Filter], tail: str = "") -> tuple[str, str]:
    """Noun phrases in singular and plural with the conditions around them."""
    before = " ".join(item.pre for item in filters if item.pre)
    words = next(((item.head, phrases.plural_of(item.head)) for item in filters if item.head), words)
    behind: list[str] = []
    for item in sorted(
        (item for item in filters if item.post), key=lambda item: item.kind != "filter" or item.post.startswith(("whose", "where", "that"))
    ):
        last = behind[-1].split()[0] if behind else ""
        first, _, rest = item.post.partition(" ")
        if last and first == last and first in ("with", "whose", "where", "that"):
            behind.append(f"and {rest if first != 'whose' else item.post}")
        else:
            behind.append(
                (
                    "and "
                    if last in ("with", "whose", "where", "having", "that", "and") and first in ("with", "whose", "where", "having", "that")
                    else ""
                )
                + item.post
            )
    parts = [" ".join(filter(None, (before, form, tail, *behind))) for form in words]
    if not any(item.kind == "parent" for item in filters):
        parts[0] = singular(parts[0])
    return re.sub(r"\s+", " ", parts[0]), re.sub(r"\s+", " ", parts[1])


def of_parent(maker: Maker, edge: Edge) -> str:
    """How a row is tied to its parent: "of", "placed by"."""
    by = edge.child.attrs.get("by", "")
    return maker.rng.choice(by.split("/")) if by and maker.rng.random() < 0.75 else maker.rng.choice(("of", "for"))


def parent_noun(maker: Maker, edge: Edge) -> tuple[str, str]:
    """The nouns of the parent in this role."""
    role = edge.child.attrs.get("as", "")
    return (role, phrases.plural_of(role)) if role else phrases.noun(maker.base.table(edge.parent.table), maker.rng)


def _parent_filter(maker: Maker, table: Tab) -> Filter | None:
    links = maker.base.links(table.name)
    paths = [*maker.base.ups(table.name), *links]
    if not paths:
        return None
    path = maker.rng.choices(paths, [1.0 if len(path) == 1 or path in links else 0.4 for path in paths])[0]
    parent, edge = maker.base.table(path[-1].parent.table), path[-1]
    one, many = parent_noun(maker, edge)
    tie = of_parent(maker, edge) if len(path) == 1 or path in links else maker.rng.choice(("of", "for"))
    if parent.label is not None and (path in links or maker.rng.random() < 0.45):
        value = str(maker.cell(parent.label))
        said = phrases.said(value, maker.rng)
        words = (
            said
            if parent.people and maker.rng.random() < 0.6 or maker.rng.random() < 0.35
            else f"{one} {said}"
            if maker.rng.random() < 0.7
            else f"the {one} {said}"
        )
        return Filter(f"{parent.label.ref} = {literal(value)}", f"{tie} {words}", f"are {tie} {words}", "", path, (parent.label,), "parent")
    inner = table_filter(maker, parent, [parent.label] if parent.label else [])
    if inner is None or path in links:
        return None
    phrase = attach((one, many), [inner])[1]
    return Filter(inner.sql, f"{tie} {phrase}", f"are {tie} {phrase}", "", path, inner.columns, "parent")


def subject(maker: Maker, table: Tab, most: int = 2, least: int = 0, parents: bool = True, used: Sequence[Col] = ()) -> Subject:
    """A random subject with `least` to `most` conditions, one of them perhaps on a parent."""
    count = max(least, min(most, maker.rng.choices((0, 1, 2, 3), (3, 6, 3, 0.6))[0]))
    words = phrases.noun(table, maker.rng)
    filters: list[Filter] = []
    columns = list(used)
    for index in range(count):
        last = index == count - 1
        found = _parent_filter(maker, table) if parents and last and maker.rng.random() < 0.4 else table_filter(maker, table, columns)
        if found is not None and not any(item.kind == found.kind and found.kind.startswith("date") for item in filters):
            filters.append(found)
            columns += found.columns
    parent = [item for item in filters if item.kind == "parent"]
    own = [item for item in filters if item.kind != "parent"]
    one, many = attach(words, own, "" if not parent else parent[0].post if not own or all(item.pre for item in own) else "")
    if parent and parent[0].post not in many:
        one, many = attach(words, [*own, parent[0]])
    edges = tuple(edge for item in filters for edge in item.edges)
    return Subject(table, one, many, words, tuple(filters), tuple(item.sql for item in filters), edges)


TIMES = ("year", "month", "quarter", "decade", "season", "weekday")
"""Kinds of groups that are shown in order of time."""


@dataclass(frozen=True, slots=True)
class Dim:
    """What rows are grouped by: the keys, what people call it, and the tables it needs. `many` is the plural; `long` another name."""

    keys: tuple[str, ...]
    name: str
    many: str
    edges: tuple[Edge, ...] = ()
    kind: str = "category"
    columns: tuple[Col, ...] = ()
    table: Tab | None = None
    long: str = ""

    @property
    def by_time(self) -> str:
        """The order of groups by time; none for others."""
        return ", ".join(self.keys) if self.kind in TIMES else ""

    @property
    def tie(self) -> Edge | None:
        """The key that ties an entity directly, or over one link table, to the rows that are grouped."""
        direct = self.kind == "entity" and (len(self.edges) == 1 or self.linked)
        return self.edges[-1] if direct else None

    @property
    def linked(self) -> bool:
        """True where the entity is reached over a link table."""
        return len(self.edges) == 2 and self.edges[0].child.table == self.edges[1].child.table


def _date_dim(maker: Maker, col: Col, table: Tab) -> Dim:
    others = [item for item in table.of("date", "year") if item != col]
    tail = "" if ("verb" in col.attrs or "bare" in col.attrs) and not others else f" of {maker.phrase(col)}"
    if col.role == "year":
        if maker.rng.random() < 0.25:
            return Dim((decade(col),), "decade" + (tail if "of" not in tail else ""), "decades", kind="decade", columns=(col,))
        return Dim((col.ref,), maker.phrase(col), phrases.plural_of(maker.phrase(col)), kind="year", columns=(col,))
    kinds = {"year": 6, "month": 3, "quarter": 2, "decade": 1, "season": 1, "weekday": 1}
    kind = maker.rng.choices(list(kinds), list(kinds.values()))[0]
    keys: dict[str, tuple[str, ...]] = {
        "year": (year(col),),
        "month": (month_of_year(col),),
        "quarter": (year(col), f"quarter({col.ref})"),
        "decade": (decade(col),),
        "season": (f"month({col.ref})",),
        "weekday": (f"dayofweek({col.ref})",),
    }
    said = {
        "season": maker.rng.choice(("calendar month", "month of the year")),
        "weekday": maker.rng.choice(("weekday", "day of the week")),
    }.get(kind, kind)
    return Dim(keys[kind], said + tail, said + "s", kind=kind, columns=(col,))


def dimension(maker: Maker, table: Tab, dates: bool = True, used: Sequence[Col] = (), entity: float = 0.5) -> Dim | None:
    """Something to group the rows of a table by: a category, a flagless code, a date part, or a parent by name or category."""
    rng = maker.rng
    own = [*table.of("category", *(("date", "year") if dates else ())), *table.others]
    own = [col for col in own if col not in used and len(maker.values(col)) > 1]
    links = maker.base.links(table.name)
    paths = [path for path in (*maker.base.ups(table.name), *links) if maker.base.table(path[-1].parent.table).of("name", "category")]
    if paths and (not own or rng.random() < entity):
        path = rng.choice(paths)
        parent = maker.base.table(path[-1].parent.table)
        one, many = parent_noun(maker, path[-1])
        cats = [col for col in parent.of("category") if col not in used and len(maker.values(col)) > 1]
        if parent.label is not None and parent.label not in used and (not cats or path in links or rng.random() < 0.65):
            return Dim((parent.label.ref,), one, many, path, "entity", (parent.label,), parent)
        if not cats or path in links:
            return None
        col = rng.choice(cats)
        name = maker.phrase(col)
        full = f"{one} {name}" if not name.startswith(one) else name
        long = maker.say("[{n} of the {o}|]", o=one, n=name) if full != name else ""
        return Dim((col.ref,), full, phrases.plural_of(full), path, "category", (col,), long=long)
    if not own:
        return None
    col = rng.choice(own)
    if col.role in ("date", "year"):
        return _date_dim(maker, col, table)
    name = maker.phrase(col)
    return Dim((col.ref,), name, phrases.plural_of(name), kind="category", columns=(col,))


@dataclass(frozen=True, slots=True)
class Measure:
    """A number per group or over all rows: SQL, and words to be followed by "of {rows}" unless `whole`, which names the rows itself."""

    sql: str
    words: str
    kind: str
    columns: tuple[Col, ...] = ()


AGGREGATES = {
    "avg": "[average|average|mean]",
    "sum": "[total|total|sum of|overall]",
    "min": "[minimum|lowest|smallest]",
    "max": "[maximum|highest|largest]",
}


def column_measure(maker: Maker, table: Tab, used: Sequence[Col] = ()) -> Measure | None:
    """An aggregate of a column of the table."""
    cols = [col for col in table.of("measure") if col not in used]
    if not cols:
        return None
    col = maker.rng.choice(cols)
    kinds, weights = (["sum", "avg", "max", "min"], [5, 3, 1, 1]) if col.additive else (["avg", "max", "min"], [5, 2, 2])
    kind = maker.rng.choices(kinds, weights)[0]
    return Measure(f"{kind}({col.ref})", maker.say(AGGREGATES[kind] + " {n}", n=maker.phrase(col)), kind, (col,))
