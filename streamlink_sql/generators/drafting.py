"""What a control unit sends to a worker and gets back, as JSON. The only place that knows this form; opens no connection."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from streamlink_sql.types import Attempt, Context, Dialect, Draft, Question, Table, ValueMatch

PATH = "/v1/drafts"
MOST_DRAFTS = 32
Said = tuple[str, str, tuple[str, ...]]
"""Table, column, and what is known of them; '' for a column where the table itself is meant. JSON has no pairs for keys."""


class DraftsBody(BaseModel):
    """A question, what of the catalogue it needs, and the drafts that were turned down before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    question: str
    n: Annotated[int, Field(ge=1, le=MOST_DRAFTS)]
    dialect: Dialect
    tables: tuple[Table, ...]
    matches: tuple[ValueMatch, ...] = ()
    samples: tuple[Said, ...] = ()
    synonyms: tuple[Said, ...] = ()
    refused: tuple[Attempt, ...] = ()
    version: str = ""
    """The name of the version that is to write; empty for the model as it is."""

    @classmethod
    def of(cls, question: Question, context: Context, n: int, refused: tuple[Attempt, ...], version: str = "") -> DraftsBody:
        """What a generator is asked, but who asks it: that is no business of a model."""
        return cls(
            id=question.id,
            question=question.text,
            n=min(n, MOST_DRAFTS),
            dialect=context.dialect,
            tables=context.tables,
            matches=context.matches,
            samples=_listed(context.samples),
            synonyms=_listed(context.synonyms),
            refused=refused,
            version=version,
        )

    def asked(self) -> Question:
        """The question."""
        return Question(self.question, id=self.id)

    def context(self) -> Context:
        """What of the catalogue it needs."""
        return Context(self.dialect, self.tables, self.matches, _keyed(self.samples), _keyed(self.synonyms))

    def to_json(self) -> bytes:
        """The body of a request; any text survives, as everything beyond ASCII is escaped. Workers of old know no versions."""
        return json.dumps(self.model_dump(exclude=None if self.version else {"version"})).encode()


class DraftsReply(BaseModel):
    """The drafts, best first."""

    drafts: tuple[Draft, ...]

    def to_json(self) -> bytes:
        """The body of a response."""
        return json.dumps(self.model_dump()).encode()


def drafts_from(body: bytes) -> list[Draft]:
    """The drafts of a response; raises ValueError where it holds none."""
    return list(DraftsReply.model_validate(json.loads(body)).drafts)


def _listed(known: Mapping[tuple[str, str], Sequence[str]]) -> tuple[Said, ...]:
    return tuple((table, column, tuple(values)) for (table, column), values in known.items())


def _keyed(said: Sequence[Said]) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(table, column): values for table, column, values in said}
