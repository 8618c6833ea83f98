"""How many rows a SQLite query may handle, from its EXPLAIN QUERY PLAN. Arithmetic only; asks no database."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_MOST = 2**62


def estimated_rows(steps: Sequence[tuple[int, int, int, str]], rows: Mapping[str, int], aliases: Mapping[str, str]) -> int:
    """The most rows that one nest of loops goes through: full scans beside each other multiply, searches by index count as one row.

    `rows` are the rows of each table the query reads, `aliases` what the query calls them. Other names in the plan (views, subqueries)
    count as the largest table.
    """
    sizes = {name.casefold(): size for name, size in rows.items()}
    sizes |= {alias.casefold(): sizes[table.casefold()] for alias, table in aliases.items() if table.casefold() in sizes}
    largest = max(sizes.values(), default=1)
    nests: dict[int, int] = {}
    for _, parent, _, detail in steps:
        scanned = re.match(r"SCAN (?!CONSTANT ROW|\d+ CONSTANT ROWS)(.+?)(?: USING .*)?$", detail)
        if scanned:
            nests[parent] = min(_MOST, nests.get(parent, 1) * max(1, sizes.get(scanned.group(1).casefold(), largest)))
    return max(nests.values(), default=1)
