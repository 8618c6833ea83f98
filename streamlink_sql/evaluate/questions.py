"""Scores any set of questions with gold SQL, over one source of data or over many SQLite databases. Changes no data.

Each question is answered through the control unit, by recorded predictions or by a function; its SQL is then run beside the gold SQL,
read-only and under a time limit. A question without usable SQL counts as wrong.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from streamlink_sql.errors import BadRequest, StreamLinkError
from streamlink_sql.evaluate.answerers import open_answerers
from streamlink_sql.evaluate.exact_match import Hardness, exact_match, hardness
from streamlink_sql.evaluate.execution import as_scored, execution_match, is_ordered
from streamlink_sql.evaluate.reference import Reference, open_references
from streamlink_sql.evaluate.scores import GOLD, Outcome, summary
from streamlink_sql.evaluate.sets import Answerer, Answering, GoldQuestion, Reply, Source, read_questions
from streamlink_sql.evaluate.spider_grammar import Unreadable
from streamlink_sql.evaluate.tree_match import tree_match

Progress = Callable[[int, int], None]


def evaluate_questions(
    file: Path,
    source: Source,
    answering: Answering | None = None,
    *,
    limit: int | None = None,
    keep_distinct: bool | None = None,
    errors: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Scores a file of questions. DISTINCT counts on data of one's own and is ignored, as Spider does, on sets over many databases.

    `errors` names a file that gets one JSON line for each question whose rows were wrong.
    """
    if errors is not None and (errors.is_dir() or not os.access(errors.absolute().parent, os.W_OK)):
        raise BadRequest(f"{errors} is not a file that can be written. Name one in a folder that is there.")
    questions = read_questions(file, limit)
    keep = keep_distinct if keep_distinct is not None else source.databases is None
    outcomes = list(_outcomes(questions, source, answering or Answering(), keep, progress))
    if errors is not None:
        with errors.open("w", encoding="utf-8") as out:
            out.writelines(json.dumps(asdict(outcome), ensure_ascii=False) + "\n" for outcome in outcomes if not outcome.ex)
    return summary(outcomes)


def _outcomes(
    questions: list[GoldQuestion], source: Source, answering: Answering, keep_distinct: bool, progress: Progress | None
) -> Iterator[Outcome]:
    """One outcome a question, database by database: one reference and one control unit are open at a time."""
    by_database: dict[str, list[GoldQuestion]] = {}
    for question in questions:
        by_database.setdefault(question.db_id if source.databases else "", []).append(question)
    done = 0
    with open_references(source) as references, open_answerers(source, answering) as answerers:
        for db_id, group in by_database.items():
            with references(db_id) as reference, answerers(db_id) as answerer:
                for question in group:
                    yield score(question, answerer, reference, keep_distinct)
                    done += 1
                    if progress:
                        progress(done, len(questions))


def score(question: GoldQuestion, answerer: Answerer, reference: Reference, keep_distinct: bool) -> Outcome:
    """Asks one question and judges what comes back."""
    level = _hardness(question, reference)
    reply, problem, detail, ex = Reply(""), "", "", False
    try:
        reply = answerer(question)
        ex = _same_rows(reply.sql, question.query, reference, keep_distinct)
    except StreamLinkError as error:
        problem, detail = GOLD if error.helps.get("rule") == "gold" else error.code, error.detail
    em = bool(reply.sql) and _same_clauses(reply.spelling or reply.sql, question.query, reference)
    return Outcome(question.id, question.db_id, question.text, question.query, reply.sql, em, ex, level, reply.ms, problem, detail)


def _hardness(question: GoldQuestion, reference: Reference) -> Hardness:
    """The official class; what Spider's grammar cannot read is 'extra'."""
    try:
        return hardness(question.query, reference.schema)
    except Unreadable:
        return "extra"


def _same_clauses(sql: str, gold: str, reference: Reference) -> bool:
    try:
        return exact_match(sql, gold, reference.schema)
    except Unreadable:
        return tree_match(sql, gold, reference.dialect)


def _same_rows(sql: str, gold: str, reference: Reference, keep_distinct: bool) -> bool:
    gold_rows = reference.gold_rows(as_scored(gold, keep_distinct=keep_distinct))
    return execution_match(reference.rows(as_scored(sql, keep_distinct=keep_distinct)), gold_rows, is_ordered(gold))
