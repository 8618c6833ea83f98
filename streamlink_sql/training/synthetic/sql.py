"""Writes SQL in DuckDB's dialect from parts. Runs nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from streamlink_sql.training.synthetic.schema import Col, Edge

RESERVED = frozenset(
    "all and any array as asc between both by case cast check column constraint create cross default desc distinct do else end except"
    " false fetch for foreign from full grant group having in inner intersect into is join left like limit natural not null offset on"
    " only or order outer primary references right select show some table then to true union unique using values when where window with"
    " date time timestamp year month day interval position".split()
)
REF = re.compile(r"⟦([^⁄⟧]*)⁄?([^⟧]*)⟧")


def quote(name: str) -> str:
    """A name as SQL writes it: in double quotes only where it must be."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name.lower() not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """A value as SQL writes it."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def star(table: str) -> str:
    """All columns of a table, inside SQL under construction."""
    return f"⟦{table}⁄*⟧"


@dataclass(frozen=True, slots=True)
class Core:
    """One SELECT without set operations. Columns in its texts are written as `Col.ref`; `edges` say how further tables are joined.
    `each`: the condition of QUALIFY."""

    select: tuple[str, ...]
    table: str
    edges: tuple[Edge, ...] = ()
    where: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    having: str = ""
    order: str = ""
    limit: int | None = None
    distinct: bool = False
    each: str = ""
    offset: int = 0

    def __str__(self) -> str:
        return render(self)


def _joins(core: Core) -> tuple[list[str], list[str]]:
    tables, joins = [core.table], []
    waiting = list(dict.fromkeys(core.edges))
    while waiting:
        edge = next(edge for edge in waiting if edge.child.table in tables or edge.parent.table in tables)
        waiting.remove(edge)
        fresh = edge.parent.table if edge.child.table in tables else edge.child.table
        if fresh in tables:
            continue
        tables.append(fresh)
        left, right = (edge.child, edge.parent) if edge.child.table != fresh else (edge.parent, edge.child)
        joins.append(f" JOIN {quote(fresh)} AS T{len(tables)} ON {left.ref} = {right.ref}")
    return tables, joins


def render(core: Core) -> str:
    """The SQL text; tables get the aliases T1, T2, ... where there are several."""
    tables, joins = _joins(core)
    many = len(tables) > 1
    parts = ["SELECT ", "DISTINCT " if core.distinct else "", ", ".join(core.select), " FROM ", quote(core.table), " AS T1" if many else ""]
    parts += joins
    if core.where:
        parts.append(" WHERE " + " AND ".join(core.where))
    if core.group:
        parts.append(" GROUP BY " + ", ".join(core.group))
    if core.having:
        parts.append(" HAVING " + core.having)
    if core.each:
        parts.append(" QUALIFY " + core.each)
    if core.order:
        parts.append(" ORDER BY " + core.order)
    if core.limit is not None:
        parts.append(f" LIMIT {core.limit}")
    if core.offset:
        parts.append(f" OFFSET {core.offset}")

    def name(match: re.Match[str]) -> str:
        table, column = match.groups()
        if not column:
            return quote(table)
        shown = column if column == "*" else quote(column)
        return f"T{tables.index(table) + 1}.{shown}" if many else shown

    return REF.sub(name, "".join(parts))


def year(col: Col) -> str:
    """The year of a date column, or a year column itself."""
    return col.ref if col.role == "year" else f"year({col.ref})"


def decade(col: Col) -> str:
    """The first year of the decade."""
    return f"({year(col)} // 10) * 10"


def month_of_year(col: Col) -> str:
    """The year and month as text, such as 2020-03."""
    return f"strftime({col.ref}, '%Y-%m')"


def ratio(above: str, below: str) -> str:
    """A real division that gives NULL for a zero divisor."""
    return f"1.0 * {above} / nullif({below}, 0)"


def share(measure: str) -> str:
    """The share of a group's measure in the total, per cent."""
    return f"100.0 * {measure} / sum({measure}) OVER ()"


def percent(condition: str, amount: str = "") -> str:
    """The part of the rows that satisfies a condition, per cent; with an amount, their part of its sum."""
    return f"100.0 * sum(CASE WHEN {condition} THEN {amount or 1} ELSE 0 END) / {f'sum({amount})' if amount else 'count(*)'}"


def first_of_each(key: str, order: str, most: int = 1) -> str:
    """That a row, or a group, is among the first `most` of those with the same key."""
    return f"rank() OVER (PARTITION BY {key} ORDER BY {order}) {'=' if most == 1 else '<='} {most}"


def of_those(aggregate: str, condition: str) -> str:
    """An aggregate of the rows that satisfy a condition."""
    return f"{aggregate} FILTER (WHERE {condition})"
