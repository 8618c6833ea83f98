"""How a table is laid out: which columns make folders, which the order of rows, which need a bloom filter, and the parts to write.

A part is what is written in one go and repeated as a whole: some folders, or a stretch of one large folder along the first sort column.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from streamlink_sql.engines.spelling import literal, quoted
from streamlink_sql.engines.together import refuse_strangers
from streamlink_sql.errors import BadRequest

SOURCE = "source"
"""What the view is called that shows the rows as they will be."""
ROW_GROUP = 122_880
FILE_ROWS = 2_000_000
_FOLDER_ROWS = 100_000
"""So many rows a folder has on average, where nobody named the columns that make folders."""
_FOLDERS, _MOST_FOLDERS = 1_000, 10_000
_LOOK_ROWS = 5_000_000
"""Of a larger table a part of about this size is looked at to choose a layout."""
_SPREAD = 0.01
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([ T].*)?")
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_AS_TEXT = ("UUID", "ENUM", "JSON", "TIME", "INTERVAL", "BIT", "UNION", "BIGNUM")
"""What Spark has no type for: it is written as text. TIME is also how TIMETZ begins, but not the timestamps."""

Values = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it will be written; `distinct` and `length` are estimates."""

    name: str
    native: str
    filled: int = 0
    distinct: int = 0
    length: float = 0.0

    @property
    def is_time(self) -> bool:
        return self.native.startswith(("DATE", "TIMESTAMP"))

    @property
    def has_order(self) -> bool:
        return self.is_time or self.native.startswith((*_INTEGERS, "VARCHAR", "DECIMAL", "DOUBLE", "FLOAT", "BOOLEAN"))

    @property
    def may_part(self) -> bool:
        return self.native in (*_INTEGERS, "VARCHAR", "DATE", "BOOLEAN")


@dataclass(frozen=True, slots=True)
class Layout:
    """`bloom` holds the columns with a bloom filter and how many values each has at most in a row group."""

    partition_by: tuple[str, ...]
    sort_by: tuple[str, ...]
    bloom: dict[str, int]


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of these folders, from `low` on and below `high` of the first sort column."""

    folders: tuple[Values, ...]
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What whoever ingests wants; None leaves the choice to us."""

    partition_by: tuple[str, ...] | None = None
    sort_by: tuple[str, ...] | None = None
    file_rows: int = FILE_ROWS


def show(connection: duckdb.DuckDBPyConnection, files: Sequence[str], *, hive: bool) -> list[str]:
    """Makes the view `source` of Parquet files, with types that Spark has, too; returns notes on columns that change their type."""
    names = ", ".join(literal(file) for file in files)
    options = f"hive_partitioning = {str(hive).lower()}, union_by_name = {str(len(files) > 1).lower()}"
    reading = f"read_parquet([{names}], {options})"
    refuse_strangers(connection, {file: f"read_parquet({literal(file)})" for file in files})
    changed, notes = [], []
    for name, native, *_ in connection.execute(f"DESCRIBE SELECT * FROM {reading}").fetchall():
        to = _portable(native)
        if to:
            changed.append(f"CAST({quoted(name)} AS {to}) AS {quoted(name)}")
            notes.append(f"The column {name} is {native}, which Spark has no type for; it is written as {to}.")
    replaced = f" REPLACE ({', '.join(changed)})" if changed else ""
    connection.execute(f"CREATE OR REPLACE VIEW {SOURCE} AS SELECT *{replaced} FROM {reading}")
    return notes


def _portable(native: str) -> str:
    if native in ("HUGEINT", "UHUGEINT"):
        return "DECIMAL(38, 0)"
    if native in ("TIMESTAMP_NS", "TIMESTAMP_S", "TIMESTAMP_MS"):
        return "TIMESTAMP"
    is_text = native.startswith(_AS_TEXT) and not native.startswith("TIMESTAMP") and not native.endswith("]")
    return "VARCHAR" if is_text else ""


def choose(connection: duckdb.DuckDBPyConnection, asked: Asked) -> tuple[list[Column], Layout, int]:
    """The columns, how to lay them out, and the number of rows; raises BadRequest where what was asked for cannot be."""
    rows, columns = _measure(connection)
    known = {column.name: column for column in columns}
    for name in (*(asked.partition_by or ()), *(asked.sort_by or ())):
        if name not in known:
            raise BadRequest(f"There is no column {name} in this table.", suggestions=list(known))
    if asked.partition_by is None:
        best = _best_folders(columns, rows)
        partition_by: tuple[str, ...] = (best.name,) if best and best.name not in (asked.sort_by or ()) else ()
    else:
        partition_by = asked.partition_by
    _refuse(known, partition_by, asked.sort_by or ())
    rest = [column for column in columns if column.name not in partition_by]
    sort_by = asked.sort_by if asked.sort_by is not None else _best_order(rest)
    return columns, Layout(partition_by, sort_by, _bloom(rest, sort_by, rows)), rows


def _measure(connection: duckdb.DuckDBPyConnection) -> tuple[int, list[Column]]:
    """How many rows there are, and how the values of each column are spread."""
    described = connection.execute(f"DESCRIBE {SOURCE}").fetchall()
    columns = [Column(str(row[0]), str(row[1])) for row in described]
    rows = int(connection.execute(f"SELECT count(*) FROM {SOURCE}").fetchall()[0][0])
    part = "" if rows <= _LOOK_ROWS else f" USING SAMPLE system({100 * _LOOK_ROWS / rows:.6f} PERCENT)"
    wanted = ", ".join(_figures(column) for column in columns)
    found = connection.execute(f"SELECT count(*), {wanted} FROM (SELECT * FROM {SOURCE}{part})").fetchall()[0]
    scale = rows / found[0] if found[0] else 0
    return rows, [
        Column(
            column.name,
            column.native,
            filled=round(found[1 + 3 * at] * scale),
            distinct=int(found[2 + 3 * at]),
            length=float(found[3 + 3 * at] or 0),
        )
        for at, column in enumerate(columns)
    ]


def _figures(column: Column) -> str:
    name = quoted(column.name)
    if not column.has_order:
        return f"count({name}), 0, 0"
    return f"count({name}), approx_count_distinct({name}), {f'avg(length({name}))' if column.native == 'VARCHAR' else '0'}"


def _best_folders(columns: Sequence[Column], rows: int) -> Column | None:
    """The column that makes good folders: filled, with few values that are told apart by their names, times before others."""
    most = min(_FOLDERS, rows // _FOLDER_ROWS)
    fit = [c for c in columns if c.native in ("DATE", "VARCHAR", *_INTEGERS) and c.filled == rows and 2 <= c.distinct <= most]
    return max((c for c in fit if c.length <= 40), key=lambda c: (c.native == "DATE", c.native == "VARCHAR", c.distinct), default=None)


def _best_order(columns: Sequence[Column]) -> tuple[str, ...]:
    """The first time that most rows have, else the first column that has an order and more than one value."""
    ordered = [c for c in columns if c.has_order and c.distinct > 1]
    most = max((c.filled for c in ordered), default=0)
    times = [c for c in ordered if c.is_time and c.filled >= 0.9 * most]
    return tuple(c.name for c in (times or ordered)[:1])


def _bloom(columns: Sequence[Column], sort_by: tuple[str, ...], rows: int) -> dict[str, int]:
    """Columns that are looked up by a value and have too many for the least and greatest of a row group to tell anything."""
    fit = [c for c in columns if c.native in ("VARCHAR", *_INTEGERS) and c.name not in sort_by[:1] and "." not in c.name]
    return {c.name: min(c.distinct, ROW_GROUP) for c in fit if c.distinct >= max(1_000, _SPREAD * rows) and c.length <= 100}


def _refuse(known: dict[str, Column], partition_by: tuple[str, ...], sort_by: tuple[str, ...]) -> None:
    """Raises BadRequest where columns cannot do what they are named for."""
    for name in partition_by:
        if not known[name].may_part:
            raise BadRequest(f"{name} is {known[name].native}: folders are made by whole numbers, text, dates or truth values.")
        if name in sort_by:
            raise BadRequest(f"{name} makes folders, so it has one value in each; it cannot order their rows as well.")
    if len(set(partition_by)) < len(partition_by) or len(set(sort_by)) < len(sort_by):
        raise BadRequest("A column is named twice.")
    if partition_by and len(partition_by) == len(known):
        raise BadRequest("At least one column must not make folders.")
    for name in sort_by:
        if not known[name].has_order:
            raise BadRequest(f"{name} is {known[name].native}, which has no order to sort by.")


def parts(connection: duckdb.DuckDBPyConnection, layout: Layout, columns: Sequence[Column], file_rows: int) -> list[Part]:
    """The table cut into parts of about `file_rows` rows, the same for the same rows."""
    counted = _folders(connection, layout, columns)
    found: list[Part] = []
    together: list[Values] = []
    size = 0
    for values, rows in counted:
        if together and size + rows > file_rows:
            found.append(Part(tuple(together)))
            together, size = [], 0
        if rows > file_rows and layout.sort_by:
            found += _stretches(connection, layout, columns, values, -(-rows // file_rows))
        else:
            together.append(values)
            size += rows
    return [*found, Part(tuple(together))] if together else found


def _folders(connection: duckdb.DuckDBPyConnection, layout: Layout, columns: Sequence[Column]) -> list[tuple[Values, int]]:
    """Each folder by its values, with its rows."""
    if not layout.partition_by:
        return [((), int(connection.execute(f"SELECT count(*) FROM {SOURCE}").fetchall()[0][0]))]
    names = ", ".join(quoted(name) for name in layout.partition_by)
    texts = ", ".join(f"CAST({quoted(name)} AS VARCHAR)" for name in layout.partition_by)
    query = f"SELECT {texts}, count(*) FROM {SOURCE} GROUP BY {names} ORDER BY {names} LIMIT {_MOST_FOLDERS + 1}"
    found = [(tuple(row[:-1]), int(row[-1])) for row in connection.execute(query).fetchall()]
    if len(found) > _MOST_FOLDERS:
        raise BadRequest(f"{', '.join(layout.partition_by)} would make more than {_MOST_FOLDERS:,} folders. Sort by it instead.")
    native = {column.name: column.native for column in columns}
    for at, name in enumerate(layout.partition_by):
        texts_of = [values[at] for values, _ in found]
        if None in texts_of:  # Hive's name for such a folder is understood by Spark and DuckDB, and is a text for Sail
            raise BadRequest(f"{name} has rows without a value, for which not every reader understands a folder. Sort by it instead.")
        if native[name] == "VARCHAR" and "" in texts_of:
            raise BadRequest(f"{name} has empty text, which the name of a folder cannot hold. Sort by it instead.")
        if native[name] == "VARCHAR" and texts_of and all(_reads_otherwise(str(text)) for text in texts_of):
            raise BadRequest(
                f"{name} is text that looks like numbers or dates: read from the names of folders it would become such. Sort by it instead."
            )
    return found or [((None,) * len(layout.partition_by), 0)]


def _reads_otherwise(text: str) -> bool:
    """Whether readers take the name of a folder for a number or a date."""
    try:
        float(text)
    except ValueError:
        return bool(_DATE.fullmatch(text))
    return True


def _stretches(connection: duckdb.DuckDBPyConnection, layout: Layout, columns: Sequence[Column], values: Values, count: int) -> list[Part]:
    """A large folder in `count` stretches along its first sort column; fewer where many rows share a value."""
    key = quoted(layout.sort_by[0])
    shares = ", ".join(f"{at / count:.9f}" for at in range(1, count))
    query = f"SELECT CAST(unnest(quantile_disc({key}, [{shares}])) AS VARCHAR) FROM {rows_of(layout, columns, Part((values,)))}"
    cuts: list[Any] = list(dict.fromkeys(row[0] for row in connection.execute(query).fetchall() if row[0] is not None))
    return [Part((values,), low, high) for low, high in zip([None, *cuts], [*cuts, None], strict=True)]


def rows_of(layout: Layout, columns: Sequence[Column], part: Part) -> str:
    """The rows of a part, as SQL for behind FROM."""
    native = {column.name: column.native for column in columns}
    joined = ""
    if layout.partition_by:
        names = [f"v{at}" for at in range(len(layout.partition_by))]
        lines = ", ".join(
            f"({', '.join(_value(text, native[name]) for text, name in zip(each, layout.partition_by, strict=True))})"
            for each in part.folders
        )
        alike = " AND ".join(f"s.{quoted(name)} IS NOT DISTINCT FROM f.{v}" for name, v in zip(layout.partition_by, names, strict=True))
        joined = f" SEMI JOIN (VALUES {lines}) f({', '.join(names)}) ON {alike}"
    return f"(SELECT * FROM {SOURCE} s{joined}{_within(layout, native, part)})"


def _within(layout: Layout, native: dict[str, str], part: Part) -> str:
    if part.low is None and part.high is None:
        return ""
    name = layout.sort_by[0]
    key = f"s.{quoted(name)}"
    if part.low is None:
        return f" WHERE {key} < {_value(part.high, native[name])}"
    from_low = f"{key} >= {_value(part.low, native[name])}"
    if part.high is None:
        return f" WHERE ({from_low} OR {key} IS NULL)"
    return f" WHERE {from_low} AND {key} < {_value(part.high, native[name])}"


def _value(text: str | None, native: str) -> str:
    return f"CAST({'NULL' if text is None else literal(text)} AS {native})"


def same_folder(layout: Layout, columns: Sequence[Column], values: Values) -> str:
    """The condition that a row lies in this folder."""
    native = {column.name: column.native for column in columns}
    pairs = zip(layout.partition_by, values, strict=True)
    return " AND ".join(f"{quoted(name)} IS NOT DISTINCT FROM {_value(text, native[name])}" for name, text in pairs) or "true"
