"""Who answers the questions of an evaluation: control units over the data, recorded predictions, or a function. Scores nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from streamlink_sql.errors import NotFound
from streamlink_sql.evaluate.natural_names import natural_names, write_glossary
from streamlink_sql.evaluate.sets import Answerer, Answering, Generate, GoldQuestion, Reply, Source, predictions_by_key
from streamlink_sql.evaluate.spelling import spider_spelling
from streamlink_sql.types import Question

Answerers = Callable[[str], AbstractContextManager[Answerer]]


@contextmanager
def open_answerers(source: Source, answering: Answering) -> Iterator[Answerers]:
    """A function from a database name to what answers its questions. The model is opened once, a control unit for each database."""
    if answering.predictions is not None:
        recorded = recorded_answerer(answering)
        yield lambda _: nullcontext(recorded)
    elif answering.generate is not None:
        timed = timed_answerer(answering.generate)
        yield lambda _: nullcontext(timed)
    else:
        yield from _control_units(source, answering)


def recorded_answerer(answering: Answering) -> Answerer:
    """Looks SQL up by the question's id, else by its text."""
    assert answering.predictions is not None
    found = predictions_by_key(answering.predictions)

    def answer(question: GoldQuestion) -> Reply:
        sql = found.get(("id", question.id)) or found.get(("text", f"{question.db_id}\n{question.text}"))
        if sql is None:
            raise NotFound(f"The predictions hold nothing for question {question.id}.")
        return Reply(sql)

    return answer


def timed_answerer(generate: Generate) -> Answerer:
    """A function from a question to SQL, with the clock running."""

    def answer(question: GoldQuestion) -> Reply:
        began = time.perf_counter()
        sql = generate(question)
        return Reply(sql, (time.perf_counter() - began) * 1000)

    return answer


def _control_units(source: Source, answering: Answering) -> Iterator[Answerers]:
    from streamlink_sql import assemble
    from streamlink_sql.control import ControlUnit
    from streamlink_sql.settings import load_settings

    told: dict[str, Any] = {"model": answering.model, "adapter": answering.adapter, "glossary": answering.glossary, "store": "temporary"}
    generator = assemble.open_generator(load_settings(**told))
    names = natural_names(source.tables) if source.tables else {}

    @contextmanager
    def answerer(db_id: str) -> Iterator[Answerer]:
        settings = load_settings(data=source.address(db_id), **told)
        if answering.elsewhere:
            settings = settings.model_copy(update={"glossary": None})
        if db_id in names:
            settings = settings.model_copy(update={"glossary": write_glossary(names[db_id], Path(folder) / f"{db_id}.toml")})
        engine = assemble.open_engine(settings)
        unit = ControlUnit(
            assemble.open_catalog(settings, engine),
            assemble.kept_open(generator),
            engine,
            assemble.open_store(settings),
            assemble.limits(settings),
        )
        try:
            ask = timed_answerer(lambda question: unit.answer(Question(question.text, id=question.id, confirm=True)).sql)
            yield lambda question: _spelled(ask(question), engine.dialect)
        finally:
            unit.close()

    with TemporaryDirectory() as folder:
        try:
            yield answerer
        finally:
            generator.close()


def _spelled(reply: Reply, dialect: str) -> Reply:
    return replace(reply, spelling=spider_spelling(reply.sql, dialect))
