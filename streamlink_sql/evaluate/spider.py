"""Spider's development set through the control unit: exact match and execution accuracy by the official rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streamlink_sql.errors import NotFound
from streamlink_sql.evaluate.questions import Progress, evaluate_questions
from streamlink_sql.evaluate.sets import Answering, Generate, Source

QUESTIONS, TABLES, DATABASES = "dev.jsonl", "tables.json", "databases"


def evaluate_spider(
    data_dir: Path,
    generate: Generate | str = "parser",
    *,
    predictions: Path | None = None,
    adapter: Path | None = None,
    limit: int | None = None,
    errors: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Scores `dev.jsonl` of a folder that also holds `tables.json` and `databases/`.

    `generate` is a model address or a function from a question to SQL; recorded `predictions` go before both.
    """
    for needed in (QUESTIONS, TABLES, DATABASES):
        if not (data_dir / needed).exists():
            raise NotFound(f"{data_dir} does not hold Spider: there is no {needed} in it.")
    source = Source(tables=data_dir / TABLES, databases=data_dir / DATABASES)
    if isinstance(generate, str):
        answering = Answering(model=generate, adapter=adapter, predictions=predictions)
    else:
        answering = Answering(generate=generate, predictions=predictions)
    return evaluate_questions(data_dir / QUESTIONS, source, answering, limit=limit, errors=errors, progress=progress)
