"""The shapes of requests and responses, as OpenAPI shows them. Checks form only; what a value may be is decided by the control unit."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from streamlink_sql.types import Question

Text = Annotated[str, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Seconds = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Asked(BaseModel):
    """What every question may say of itself."""

    model_config = ConfigDict(extra="forbid")

    id: Text | None = Field(None, description="Your own id, best a UUID. The same id gives the same answer; the query runs once.")
    row_limit: Whole | None = Field(None, description="Rows that the answer holds at most. Unset: the server's setting.", examples=[100])
    time_limit_s: Seconds | None = Field(None, description="Seconds that the query may take to plan and run.", examples=[10])
    confirm: Annotated[bool, Field(strict=True)] = Field(False, description="Run it even if it costs more than the limit (`too_costly`).")

    def limits(self) -> dict[str, Any]:
        """What it says, as arguments of a Question."""
        return {"row_limit": self.row_limit, "time_limit_s": self.time_limit_s, "confirm": self.confirm}


class AskBody(Asked):
    """A question in plain words."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"question": "How many patents were published per year since 2015?"}]}
    )

    question: Text = Field(description="The question, at most 4 KB.")
    data: Text | None = Field(None, description="The data that is meant; refused unless this server serves it.")
    model: Text | None = Field(None, description="The model that is meant; refused unless this server uses it.")

    def asked(self, id_: str) -> Question:
        """The question under its id."""
        return Question(self.question, id=id_, **self.limits())


class SQLBody(Asked):
    """SQL that a person wrote."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"sql": "SELECT count(*) AS n FROM sales", "row_limit": 10}]})

    sql: Text = Field(description="One query in the dialect of the data's engine.")
    question: Text | None = Field(None, max_length=4096, description="The question that this SQL is to answer, for the history.")

    def asked(self, id_: str) -> Question:
        """The question under its id; without words of its own it is called by its SQL."""
        return Question(self.question or self.sql, id=id_, **self.limits())


class CheckBody(BaseModel):
    """SQL to be judged."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"sql": "SELECT count(*) AS n FROM sales"}]})

    sql: Text = Field(description="One query.")


class FeedbackBody(BaseModel):
    """A person's verdict on an answer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"id": "2b0c...", "verdict": "wrong", "sql": "SELECT count(DISTINCT id) FROM sales"}]},
    )

    id: Text = Field(description="The id of the answer.")
    verdict: Literal["right", "wrong"] = Field(description="Whether the answer was right.")
    sql: Text | None = Field(None, description="The SQL that would have been right. It must be able to run here.")
    comment: Text | None = Field(None, max_length=4000, pattern=r"^[^\x00]*$", description="Anything else.")


class ColumnBody(BaseModel):
    """A column of a result."""

    name: str
    type: str = Field(description="text, integer, real, decimal, boolean, date, timestamp, time, binary or other.")


class AttemptBody(BaseModel):
    """One draft and what became of it."""

    sql: str
    verdict: str = Field(description="ran, passed (not chosen), refused, failed or spare (not needed).")
    rule: str
    message: str


class AnswerBody(BaseModel):
    """An answer."""

    id: str
    question: str
    sql: str = Field(description="The SQL that ran, made from the checked tree.")
    explanation: str = Field(description="What the SQL reads, filters and groups, in plain words.")
    columns: list[ColumnBody]
    rows: list[list[Any]] | None = Field(
        None,
        description="Arrays in column order. DECIMAL and integers past 2^53 are strings, dates and times ISO 8601, binary base64, "
        "NULL null. Left out where an old answer is read back and its rows are no longer kept.",
    )
    row_count: int
    truncated: bool = Field(description="True when a limit on rows or size cut the result.")
    confidence: float = Field(description="How sure the model is, from 0 to 1.")
    model: str
    engine: str
    attempts: list[AttemptBody]
    timings_ms: dict[str, float] = Field(description="catalog, model, checks, dry_run, queue, engine, total.")
    warnings: list[str]
    trace_id: str = Field(description="The trace in which it was answered (W3C Trace Context).")


class ProblemBody(BaseModel):
    """Anything that is not an answer (RFC 9457)."""

    title: str
    status: int
    code: str = Field(description="One of the codes in the page on errors.")
    detail: str = Field(description="A sentence for the reader.")
    rule: str | None = Field(None, description="The rule that was broken.")
    suggestions: list[str] | None = Field(None, description="The nearest known names.")
    id: str | None = Field(None, description="The id of the question, or of the line in the log for `internal`.")
    trace_id: str | None = Field(None, description="The trace of the request (W3C Trace Context).")


class VerdictBody(BaseModel):
    """SQL that may run."""

    verdict: Literal["passed"] = "passed"
    sql: str = Field(description="The SQL as it would run.")
    tables: list[str] = Field(description="The tables it reads.")
    warnings: list[str]


class TablesBody(BaseModel):
    """What can be asked."""

    tables: list[dict[str, Any]] = Field(description="name, rows, comment, columns, primary_key, foreign_keys.")


class HistoryBody(BaseModel):
    """A stretch of the history."""

    entries: list[dict[str, Any]] = Field(description="Newest first: answers without their rows, and problems.")
    next: str | None = Field(description="Give this as `before` for the next stretch; null at the end.")


class CancelledBody(BaseModel):
    """A question that was called off."""

    id: str
    cancelled: Literal[True] = True


class KeptBody(BaseModel):
    """Feedback that is kept."""

    id: str
    verdict: Literal["right", "wrong"]


class PromoteBody(BaseModel):
    """A version that shall answer."""

    model_config = ConfigDict(extra="forbid")

    version: Whole = Field(le=2**31 - 1, description="Its number.", examples=[3])


class VersionBody(BaseModel):
    """An adapter that was made for the data and the model of this server."""

    version: int
    name: str = Field(description="A hash of its files, and the name of its folder.")
    made_at: str
    made_by: str
    passed: bool = Field(description="Whether it passed the gate; one that did not cannot be promoted here.")
    card: dict[str, Any] = Field(description="How it was made and what it scored: base, data, seed, hyper-parameters, scores, gate.")


class PromotionBody(BaseModel):
    """A change of what answers."""

    event: Literal["promoted", "rolled back"]
    version: int | None = Field(description="What answers since then; null for the model as it is.")
    at: str
    by: str


class ModelsBody(BaseModel):
    """The versions of a model."""

    source: str = Field(description="The data that they were made for.")
    model: str | None = Field(description="The model that they change; null behind a worker.")
    promoted: int | None = Field(description="The version that answers; null for the model as it is.")
    serving: int | None = Field(description="The version that answers at this server; another one for some seconds after a promotion.")
    trouble: str = Field(description="Why the version that is promoted does not answer at this server; empty where it does.")
    waiting: int = Field(description="Accepted questions that no version knows.")
    versions: list[VersionBody] = Field(description="Newest first.")
    promotions: list[PromotionBody] = Field(description="Newest first.")


class MeBody(BaseModel):
    """Who asks."""

    name: str | None = Field(description="Their name; null where nobody has to log in.")
    role: str = Field(description="Their role in the policy.")
    scope: Literal["ask", "admin"] = Field(description="Whether they see their own questions only, or what all asked.")


class HealthBody(BaseModel):
    """A server that is there."""

    status: Literal["ok"] = "ok"
    version: str
