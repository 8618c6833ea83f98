"""What columns of a Spark table hold: the query that asks for some of them at once, and what its rows say. Sends nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from streamlink_sql.engines.spelling import spark_quoted, spark_table
from streamlink_sql.types import Sample, Table

if TYPE_CHECKING:
    import pyarrow as pa

VALUES = 50_000
"""So many values of a column are looked at, the most frequent ones."""
_SAMPLED_ROWS = 5_000_000
"""Of a table with more rows about so many are read."""
_AT_ONCE, _CELLS = 16, 20_000_000
"""So many columns and cells go into one query: one job instead of as many, and a third less work for Apache Spark."""


def beside(table: Table, column: str, known: Collection[str]) -> list[str]:
    """The columns to ask for together: this one, and others that nobody has asked for yet."""
    others = [each.name for each in table.columns if each.kind not in ("binary", "other") and each.name not in {column, *known}]
    rows = _SAMPLED_ROWS if table.rows is None else min(table.rows, _SAMPLED_ROWS)
    return [column, *others[: min(_AT_ONCE, _CELLS // max(rows, 1)) - 1]]


def is_read_whole(table: Table) -> bool:
    """Whether all rows are read."""
    return table.rows is None or table.rows <= _SAMPLED_ROWS


def query(table: Table, columns: Sequence[str]) -> tuple[str, int]:
    """SQL for the values of these columns, each with its place among them and how often it occurs; and the most rows that it gives."""
    name = spark_table(table.name)
    if not is_read_whole(table) and table.rows:
        name += f" TABLESAMPLE ({max(_SAMPLED_ROWS / table.rows * 100, 0.0001):.4f} PERCENT)"
    most = VALUES + 2  # one for NULL, and one that tells that there are more
    cells = ", ".join(f"{place}, CAST({spark_quoted(column)} AS STRING)" for place, column in enumerate(columns))
    counted = f"SELECT i, v, count(*) AS n FROM (SELECT stack({len(columns)}, {cells}) AS (i, v) FROM {name}) AS cells GROUP BY i, v"
    ranked = f"SELECT *, row_number() OVER (PARTITION BY i ORDER BY n DESC, v NULLS FIRST) AS r FROM ({counted}) AS counted"
    return f"SELECT i, v, n FROM ({ranked}) AS ranked WHERE r <= {most}", most * len(columns)


def samples(found: pa.Table, columns: Sequence[str], *, is_whole: bool) -> dict[str, Sample]:
    """The sample of each column out of the rows of such a query, which come in any order."""
    counts: list[list[tuple[str | None, int]]] = [[] for _ in columns]
    for place, value, count in zip(*found.to_pydict().values(), strict=True):
        counts[place].append((value, count))
    return {column: _sample(of_one, is_whole) for column, of_one in zip(columns, counts, strict=True)}


def first(sample: Sample, limit: int) -> Sample:
    """The first values of a sample."""
    return Sample(sample.values[:limit], sample.complete and len(sample.values) <= limit, sample.unique)


def _sample(counts: list[tuple[str | None, int]], is_whole: bool) -> Sample:
    counts.sort(key=lambda each: (-each[1], each[0] is not None, each[0] or ""))
    values = tuple(value for value, _ in counts if value is not None)
    unique = bool(counts) and counts[0][1] == 1 and counts[0][0] is not None if is_whole else None
    return first(Sample(values, is_whole, unique), VALUES)
