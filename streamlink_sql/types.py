"""What travels between the rooms, and the two contracts. Holds data only: no I/O, no SQL, nothing heavy to import.

One question changes its type at every hop: Question -> Context -> Draft -> CheckedSQL -> Plan -> Rows -> Answer.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot import exp

Kind = Literal["text", "integer", "real", "decimal", "boolean", "date", "timestamp", "time", "binary", "other"]
Dialect = Literal["duckdb", "sqlite", "spark"]
Attribute = str | int | float | bool | tuple[str | int | float, ...]
"""What is known of a person, such as the country they answer for; several values where they answer for several."""
PLAN_LIMIT_S = 10.0
"""Planning a query takes no longer than this, whatever its own time limit."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `kind` is what it means to us, `native` the engine's own type."""

    name: str
    kind: Kind
    native: str = ""
    comment: str = ""
    unique: bool | None = None
    """Whether each row has a value of its own there; None where nobody has looked. What a question is given says so, no list of tables."""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`columns` of this table refer to `to_columns` of `to_table`; `inferred` when the engine did not declare it."""

    columns: tuple[str, ...]
    to_table: str
    to_columns: tuple[str, ...]
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view that can be asked. `name` is unique within one source; `rows` is None when unknown."""

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    comment: str = ""
    rows: int | None = None
    smallest_group: int = 0
    """Answers over this table hold groups of so many rows or more only; up to 1 it is shown row by row."""

    def column(self, name: str) -> Column:
        """The column of that name, matched without regard to case; KeyError when there is none."""
        for column in self.columns:
            if column.name.casefold() == name.casefold():
                return column
        raise KeyError(name)

    def body(self) -> dict[str, Any]:
        """The table in the one JSON shape of command line and REST."""
        columns = [{"name": c.name, "type": c.kind, "native": c.native, "comment": c.comment} for c in self.columns]
        keys = [
            {"columns": list(k.columns), "to_table": k.to_table, "to_columns": list(k.to_columns), "inferred": k.inferred}
            for k in self.foreign_keys
        ]
        body: dict[str, Any] = {"name": self.name, "rows": self.rows, "comment": self.comment, "columns": columns}
        return body | {"primary_key": list(self.primary_key), "foreign_keys": keys}


@dataclass(frozen=True, slots=True)
class Sample:
    """What a column holds: distinct values, most frequent first, as text; `complete` when these are all of them.

    `unique` when no row is NULL and no value occurs twice; None when the engine does not know.
    """

    values: tuple[str, ...]
    complete: bool
    unique: bool | None = None


@dataclass(frozen=True, slots=True)
class ValueMatch:
    """A stretch of the question, characters `start` to `end`, that means the cell `value` of a column. `score` is 0 to 1."""

    table: str
    column: str
    value: str
    start: int
    end: int
    score: float
    source: Literal["cell", "glossary"] = "cell"


@dataclass(frozen=True, slots=True)
class Context:
    """What of the catalogue one question needs. `samples` and `synonyms` are keyed by (table, column); those of a table by (table, '')."""

    dialect: Dialect
    tables: tuple[Table, ...]
    matches: tuple[ValueMatch, ...] = ()
    samples: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    synonyms: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """One question of one asker. Limits of None mean the configured ones."""

    text: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    asker: str = "local"
    role: str = "default"
    row_limit: int | None = None
    time_limit_s: float | None = None
    confirm: bool = False
    attributes: Mapping[str, Attribute] | None = None
    """What is known of a person who has logged in; None where whoever asks is who the settings say."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has shown who they are. `scope` is what they came for: `ask`, or `admin`, which sees what all asked."""

    name: str
    role: str = ""
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    scope: Literal["ask", "admin"] = "ask"


@dataclass(frozen=True, slots=True)
class Draft:
    """SQL that nobody vouches for yet. `score` is the model's own probability, 0 to 1."""

    sql: str
    score: float = 1.0
    model: str = ""


class Sought(NamedTuple):
    """A text that a column is compared with."""

    table: str
    column: str
    value: str


@dataclass(frozen=True, slots=True)
class CheckedSQL:
    """SQL that may run: re-serialised from `tree`, reading only `tables`. Made by `checks` and nobody else."""

    sql: str
    dialect: Dialect
    tables: frozenset[str]
    tree: exp.Query = field(repr=False, compare=False)
    warnings: tuple[str, ...] = ()
    sought: tuple[Sought, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The engine's own opinion of a query: the tables it would read, its estimates of the rows and bytes to be handled (None: it gives
    none), and whether it pairs all rows of one table with all of another.
    """

    tables: frozenset[str]
    columns: tuple[str, ...] = ()
    estimated_rows: int | None = None
    estimated_bytes: int | None = None
    crosses: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """A result as an Arrow table; `truncated` when a limit cut it."""

    table: pa.Table
    truncated: bool = False

    def columns(self) -> tuple[Column, ...]:
        """The columns of the result, in order; two may have one name."""
        return tuple(Column(field.name, kind_of_arrow(str(field.type)), native=str(field.type)) for field in self.table.schema)

    def as_python(self) -> Iterator[tuple[Any, ...]]:
        """The rows as tuples of Python values, in column order. What Python has no value for, such as nanoseconds, is text."""
        return zip(*map(_cells, self.table.itercolumns()), strict=True)

    def as_json(self) -> Iterator[list[Any]]:
        """The rows as JSON arrays, in column order."""
        return ([as_json(value) for value in row] for row in self.as_python())


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one draft: verdict 'ran', 'passed' (not chosen), 'refused', 'failed' or 'spare' (not needed); the rule, a message."""

    sql: str
    verdict: str
    rule: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """All that one question came to. `rows` is None where history is read back: the other fields tell what there was."""

    id: str
    question: str
    sql: str
    explanation: str
    rows: Rows | None
    confidence: float
    model: str
    engine: str
    attempts: tuple[Attempt, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    row_count: int = 0
    truncated: bool = False
    trace_id: str = ""
    """The trace in which it was answered (W3C Trace Context)."""

    def body(self, *, with_rows: bool = True) -> dict[str, Any]:
        """The answer in the one JSON shape of command line, REST and history; rows as arrays in column order."""
        body: dict[str, Any] = {name: getattr(self, name) for name in ("id", "question", "sql", "explanation")}
        body["columns"] = [{"name": column.name, "type": column.kind} for column in self.columns]
        if with_rows and self.rows is not None:
            body["rows"] = list(self.rows.as_json())
        body |= {"row_count": self.row_count, "truncated": self.truncated, "confidence": round(self.confidence, 4)}
        body |= {"model": self.model, "engine": self.engine}
        body["attempts"] = [{"sql": a.sql, "verdict": a.verdict, "rule": a.rule, "message": a.message} for a in self.attempts]
        body["timings_ms"] = {name: round(ms, 3) for name, ms in self.timings_ms.items()}
        return body | {"warnings": list(self.warnings), "trace_id": self.trace_id}


@dataclass(frozen=True, slots=True)
class Feedback:
    """A person's verdict on an answer, with the right SQL if they know it."""

    id: str
    verdict: Literal["right", "wrong"]
    sql: str | None = None
    comment: str | None = None
    asker: str = "local"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a policy would change: the rule, the table that it is about where there is one, and a sentence."""

    rule: str
    message: str
    table: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a policy in log mode would have made of an answer; `unknown` where that could not be found out."""

    outcome: Literal["same", "changed", "refused", "unknown"]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a cluster is with a query: stages and the tasks of all of them, as far as they are planned; more may come."""

    stages: int
    stages_done: int
    tasks: int
    tasks_done: int

    def __str__(self) -> str:
        """For people, such as `stage 2 of 3, 14 of 40 tasks`."""
        return f"stage {min(self.stages_done + 1, self.stages)} of {self.stages}, {self.tasks_done:,} of {self.tasks:,} tasks"


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a question, for whoever watches: `ms` is set at the end, `counts` what was counted, `progress` how far the engine is."""

    name: str
    state: Literal["start", "running", "end"]
    ms: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    progress: Progress | None = None


Watcher = Callable[[Stage], None]
Hear = Callable[[Progress], None]


class Generator(Protocol):
    """Writes drafts: the best first."""

    name: str

    def generate(self, question: Question, context: Context, n: int, *, refused: tuple[Attempt, ...] = ()) -> list[Draft]:
        """At most `n` drafts, best first; `refused` are earlier drafts of this question and why they were turned down.

        Raises ModelUnavailable when the model does not answer, CannotAnswer when it has nothing to say, Cancelled after `cancel`.
        """
        ...

    def cancel(self, question_id: str) -> bool:
        """Stops writing for that question, from another thread; False when there is nothing to stop or no need to."""
        ...

    def close(self) -> None:
        """Gives back what the generator holds."""
        ...


class Engine(Protocol):
    """Reads tables and runs checked SQL. Methods raise EngineUnavailable, TimedOut, Cancelled or InvalidSQL, never a driver's error."""

    name: str
    dialect: Dialect
    can_cancel: bool
    """True where `cancel` stops a running query at once."""
    warnings: tuple[str, ...]
    """What an asker should know of the source: files left out, lines that could not be read. Every answer carries them."""

    def fingerprint(self) -> str:
        """A short text that changes whenever the data or its schema may have changed; cheap."""
        ...

    def tables(self) -> tuple[Table, ...]:
        """Every table that can be asked, with declared keys only."""
        ...

    def sample(self, table: str, column: str, *, limit: int) -> Sample:
        """Up to `limit` distinct non-null values of a column as text, most frequent first."""
        ...

    def dry_run(self, query: CheckedSQL, *, time_limit_s: float = PLAN_LIMIT_S) -> Plan:
        """Binds and plans the query without running it; raises InvalidSQL when it does not bind."""
        ...

    def run(self, query: CheckedSQL, *, row_limit: int, time_limit_s: float, run_id: str = "", hear: Hear | None = None) -> Rows:
        """Runs the query once, read-only, in a sandbox; keeps at most `row_limit` rows. `hear` is told how far it is, on this thread."""
        ...

    def cancel(self, run_id: str) -> bool:
        """Stops the query that runs under `run_id`; False when there is none."""
        ...

    def close(self) -> None:
        """Ends child processes and connections."""
        ...


class Verdict(Protocol):
    """What a check says of SQL that may run: the SQL as it would run, what it reads, and what to know of it."""

    @property
    def sql(self) -> str: ...
    @property
    def tables(self) -> frozenset[str]: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...


class Control(Protocol):
    """Answers questions: the control unit itself, or a client of one elsewhere. Who holds one does not know which."""

    def answer(self, question: Question, watch: Watcher | None = None) -> Answer:
        """The answer to a question in plain words."""
        ...

    def run_sql(self, sql: str, question: Question | None = None, watch: Watcher | None = None) -> Answer:
        """SQL that a person wrote, under the same checks."""
        ...

    def check(self, sql: str) -> Verdict:
        """The verdict on SQL without running it."""
        ...

    def cancel(self, id: str) -> bool:  # noqa: A002 - it is called id everywhere
        """Calls a question off; False when it is not under way."""
        ...

    def give_feedback(self, verdict: Feedback) -> None:
        """Keeps a person's verdict on an answer."""
        ...

    def tables(self) -> tuple[Table, ...]:
        """What can be asked."""
        ...

    def history(self, *, limit: int = 50, before: str | None = None, asker: str | None = None) -> list[dict[str, Any]]:
        """The newest questions first; `before` is the id of the last one already seen."""
        ...

    def entry(self, id: str, *, asker: str | None = None) -> dict[str, Any]:  # noqa: A002
        """One question of the history and what became of it."""
        ...

    def accepted_pairs(self) -> Iterator[dict[str, str]]:
        """Questions with SQL that a person vouched for."""
        ...

    def models(self) -> dict[str, Any]:
        """The versions of the model, and which of them answers."""
        ...

    def promote(self, version: int) -> dict[str, Any]:
        """Lets a version of the model answer from the next question on."""
        ...

    def roll_back(self) -> dict[str, Any]:
        """Lets answer what did before the last promotion."""
        ...

    def close(self) -> None:
        """Gives back what it holds."""
        ...


ARROW_KINDS: tuple[tuple[str, Kind], ...] = (
    ("bool", "boolean"),
    ("int", "integer"),
    ("uint", "integer"),
    ("decimal", "decimal"),
    ("float", "real"),
    ("halffloat", "real"),
    ("double", "real"),
    ("string", "text"),
    ("large_string", "text"),
    ("dictionary", "text"),
    ("date", "date"),
    ("timestamp", "timestamp"),
    ("time", "time"),
    ("binary", "binary"),
    ("large_binary", "binary"),
    ("fixed_size_binary", "binary"),
)


def kind_of_arrow(native: str) -> Kind:
    """What an Arrow type, given by its name, means to us."""
    return next((kind for prefix, kind in ARROW_KINDS if native.startswith(prefix)), "other")


def _cells(column: pa.ChunkedArray) -> list[Any]:
    """The values of a column, with or without pandas; moments finer than a microsecond and dates beyond Python's as text."""
    if not str(column.type).startswith("timestamp[ns"):
        try:
            return cast("list[Any]", column.to_pylist())
        except (OverflowError, ValueError):
            pass
    return [None if text is None else text.replace(" ", "T", 1) for text in column.cast("string").to_pylist()]


def as_json(value: Any) -> Any:
    """A cell as JSON can hold it exactly: DECIMAL and integers past 2^53 as text, dates and times ISO 8601, binary as base64."""
    import base64
    import datetime
    import decimal
    import math

    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= 2**53 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    return str(value)
