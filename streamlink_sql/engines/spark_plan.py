"""What a plan of a Spark Connect server says: which tables it reads, what it may cost. Reads texts, of Apache Spark and of Sail.

A plan is read line by line, one node a line, deeper nodes further in. Text that stands in the query (a literal) can make a plan seem to
read more tables than it does, never fewer: the query is then refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SECTION = re.compile(r"^== (.+) ==$")
_NODE = re.compile(r"^(?P<in>[\s:|+*-]*)(?:\(\d+\) )?(?P<node>\S.*)$")
_NAME = r"`?[^\s`.\[(]+`?(?:\.`?[^\s`.\[(]+`?)*"
_READS = (
    re.compile(rf"^TableScan: (?P<name>{_NAME})"),  # Sail
    re.compile(rf"^Relation (?P<name>{_NAME})\["),
    re.compile(rf"^(?:Streaming)?RelationV2\[[^\]]*\] (?P<name>{_NAME})"),
    re.compile(rf"^HiveTableRelation \[(?P<name>{_NAME})"),
)
_VIEW = re.compile(r"^View \((?P<name>`[^,]+`),")
_UNNAMED = re.compile(r"^(?:Relation \[|LogicalRDD |RelationV2\[[^\]]*\] *$)")
_SIZE = re.compile(r"Statistics\(sizeInBytes=([\d.,E+]+) (EiB|PiB|TiB|GiB|MiB|KiB|B)(?:, rowCount=([\d.,E+]+))?")
_UNITS = {unit: 1024**power for power, unit in enumerate(("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"))}
_SCANNED = re.compile(r"statistics=\[Rows=(?:Exact|Inexact)\((\d+)\)")
_SCANNED_BYTES = re.compile(r"ScanBytes=(?:Exact|Inexact)\((\d+)\)")
_CROSSING = ("CartesianProduct", "CrossJoinExec", "NestedLoopJoinExec")
_NESTED_LOOP = re.compile(r"^BroadcastNestedLoopJoin .*\b(?:Cross|Inner)\b")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a query may take: rows and bytes to be read (None where the plan does not tell), and whether it pairs all rows of two tables."""

    rows: int | None
    bytes: int | None
    crosses: bool


def tables_of(plan: str, views: frozenset[str] = frozenset()) -> frozenset[str]:
    """The tables that an `extended` plan reads by its analysed part, as the plan names them; '?' for one without a name.

    `views` are names of views that count as tables: what they read is not looked at.
    """
    found: set[str] = set()
    inside: int | None = None
    for depth, node in _nodes(_part(plan, "Analyzed Logical Plan")):
        if inside is not None and depth > inside:
            continue
        inside = None
        view = _VIEW.match(node)
        if view and _plain(view["name"]) in views:
            found.add(_plain(view["name"]))
            inside = depth
        elif _UNNAMED.match(node):
            found.add("?")
        else:
            found |= {_plain(match["name"]) for match in (reads.match(node) for reads in _READS) if match}
    return frozenset(found)


def cost_of(plan: str) -> Cost:
    """What a `cost` plan expects to read."""
    physical = [node for _, node in _nodes(_part(plan, "Physical Plan"))]
    crosses = any(node.startswith(_CROSSING) or _NESTED_LOOP.match(node) for node in physical)
    scans = [node for node in physical if node.startswith("DataSourceExec")]
    if scans:
        rows = [_SCANNED.search(node) for node in scans]
        sizes = [_SCANNED_BYTES.findall(node) for node in scans]
        return Cost(
            sum(int(found[1]) for found in rows if found) if all(rows) else None,
            sum(int(size) for each in sizes for size in each) if all(sizes) else None,
            crosses,
        )
    leaves = [_SIZE.search(node) for _, node in _nodes(_part(plan, "Optimized Logical Plan")) if "Relation" in node.partition("[")[0]]
    told = [found for found in leaves if found]
    known = bool(told) and all(found[3] for found in told)
    return Cost(
        sum(int(_number(found[3])) for found in told) if known else None,
        sum(int(_number(found[1]) * _UNITS[found[2]]) for found in told) if told else None,
        crosses,
    )


def _part(plan: str, name: str) -> Iterator[str]:
    """The lines of one section."""
    here = False
    for line in plan.splitlines():
        section = _SECTION.match(line)
        if section:
            here = section[1] == name
        elif here:
            yield line


def _nodes(lines: Iterator[str]) -> Iterator[tuple[int, str]]:
    for line in lines:
        found = _NODE.match(line)
        if found:
            yield len(found["in"]), found["node"]


def _plain(name: str) -> str:
    return ".".join(part.strip("`") for part in name.split("."))


def _number(text: str) -> float:
    return float(text.replace(",", ""))
