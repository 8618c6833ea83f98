"""Sets of questions with gold SQL: where they are read from, what they are about and who is to answer them. Asks and scores nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamlink_sql.errors import BadRequest, NotFound


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question and the SQL that answers it."""

    id: str
    db_id: str
    text: str
    query: str


@dataclass(frozen=True, slots=True)
class Reply:
    """SQL for one question and its milliseconds, None where nothing was computed. `spelling` is the same SQL as Spider writes it."""

    sql: str
    ms: float | None = None
    spelling: str = ""


Answerer = Callable[[GoldQuestion], Reply]
"""Raises a StreamLinkError where it has no SQL."""

Generate = Callable[[GoldQuestion], str]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the data lies: one address, or Spider's tables.json with a folder of SQLite files."""

    data: Path | str | None = None
    tables: Path | None = None
    databases: Path | None = None

    def __post_init__(self) -> None:
        if (self.data is None) == (self.databases is None):
            raise BadRequest("Give either the data (--data) or a folder of databases (--databases, with --tables).")

    def address(self, db_id: str) -> str:
        """The data address of one database."""
        if self.databases is None:
            return str(self.data)
        return str(database_file(self.databases, db_id))


@dataclass(frozen=True, slots=True)
class Answering:
    """What answers: a model address with its adapter, and with a glossary; a file of recorded answers, or a function.

    Without a glossary here, that of the settings counts, unless `elsewhere`: the questions are about data of which it does not speak.
    """

    model: str = "parser"
    adapter: Path | None = None
    predictions: Path | None = None
    generate: Generate | None = None
    glossary: Path | None = None
    elsewhere: bool = False


def database_file(folder: Path, db_id: str) -> Path:
    """DB.sqlite or DB/DB.sqlite in the folder."""
    if not db_id or Path(db_id).name != db_id:
        raise BadRequest(f"{db_id!r} is no name of a database.")
    places = [folder / f"{db_id}.sqlite", folder / db_id / f"{db_id}.sqlite"]
    for place in places:
        if place.is_file():
            return place
    raise NotFound(f"There is no database {db_id!r}: neither {places[0]} nor {places[1]} exists.")


def read_questions(path: Path, limit: int | None = None) -> list[GoldQuestion]:
    """The questions of a file of JSON lines: `question`, `query`, optional `id`, `db_id`."""
    questions: list[GoldQuestion] = []
    for number, line in read_json_lines(path):
        if limit is not None and len(questions) >= limit:
            break
        text, query = line.get("question"), line.get("query")
        if not isinstance(text, str) or not isinstance(query, str):
            raise BadRequest(f"Line {number} of {path} needs the texts `question` and `query`.")
        questions.append(GoldQuestion(str(line.get("id", number)), str(line.get("db_id", "")), text, query))
    if not questions:
        raise BadRequest(f"{path} holds no questions.")
    twice = [found for found, times in Counter(question.id for question in questions).items() if times > 1]
    if twice:
        raise BadRequest(f"{path} has more than one question with the id {twice[0]!r}.")
    return questions


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line numbers and objects; blank lines are passed over."""
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    with path.open(encoding="utf-8", errors="strict") as lines:
        number = 0
        try:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    value = json.loads(line)
                    if not isinstance(value, dict):
                        raise BadRequest(f"Line {number} of {path} is no JSON object.")
                    yield number, value
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadRequest(f"Line {number or 1} of {path} is not JSON: {error}") from error


def predictions_by_key(path: Path) -> Mapping[tuple[str, str], str]:
    """Recorded SQL by ('id', id) and ('text', db_id + question); lines hold `sql` and an `id` or a `question`."""
    found: dict[tuple[str, str], str] = {}
    for number, line in read_json_lines(path):
        sql = line.get("sql")
        if not isinstance(sql, str) or not ("id" in line or isinstance(line.get("question"), str)):
            raise BadRequest(f"Line {number} of {path} needs the text `sql` and an `id` or a `question`.")
        if "id" in line:
            found["id", str(line["id"])] = sql
        if "question" in line:
            found.setdefault(("text", f"{line.get('db_id', '')}\n{line['question']}"), sql)
    return found
