"""Recorded answers in place of a model: for tests, calibration and repeating an evaluation. Writes nothing of its own."""

from __future__ import annotations

import json
from pathlib import Path

from streamlink_sql.errors import BadRequest, CannotAnswer, NotFound
from streamlink_sql.generators import ModelOptions
from streamlink_sql.types import Attempt, Context, Draft, Question


class ReplayGenerator:
    """Gives the recorded SQL of a question, found by its id, else by its text. A question recorded more than once has several drafts."""

    def __init__(self, file: Path) -> None:
        """Reads JSON lines with `sql` and an `id` or a `question`; raises NotFound or BadRequest."""
        self.name = f"replay:{file.name}"
        self._recorded: dict[tuple[str, str], list[str]] = {}
        if not file.is_file():
            raise NotFound(f"There is no file of recorded answers {file}.")
        try:
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                if line.strip():
                    self._keep(json.loads(line), f"Line {number} of {file}")
        except (ValueError, RecursionError) as error:
            raise BadRequest(f"{file} does not hold JSON lines: {error}") from error

    def generate(self, question: Question, context: Context, n: int, *, refused: tuple[Attempt, ...] = ()) -> list[Draft]:  # noqa: ARG002
        """The recorded drafts but those that were refused, whatever the context; raises CannotAnswer where nothing is recorded."""
        recorded = self._recorded.get(("id", question.id)) or self._recorded.get(("text", _plain(question.text)))
        if recorded is None:
            raise CannotAnswer(f"{self.name} holds no answer to this question.")
        turned_down = {attempt.sql for attempt in refused}
        left = [sql for sql in recorded if sql not in turned_down]
        return [Draft(sql, 1 / rank, self.name) for rank, sql in enumerate(left[:n], 1)]

    def cancel(self, question_id: str) -> bool:  # noqa: ARG002
        """There is nothing to stop."""
        return False

    def close(self) -> None:
        """There is nothing to give back."""

    def _keep(self, line: object, where: str) -> None:
        if not isinstance(line, dict) or not isinstance(line.get("sql"), str) or not line.keys() & {"id", "question"}:
            raise BadRequest(f"{where} needs the text `sql` and an `id` or a `question`.")
        if "id" in line:
            self._recorded.setdefault(("id", str(line["id"])), []).append(line["sql"])
        if "question" in line:
            self._recorded.setdefault(("text", _plain(str(line["question"]))), []).append(line["sql"])


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def open_replay(address: str, options: ModelOptions) -> ReplayGenerator:
    """The generator at `replay:FILE.jsonl`."""
    options.no_adapter("A file of recorded answers")
    return ReplayGenerator(Path(address.partition(":")[2]).expanduser())
