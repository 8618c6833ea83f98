"""Has another model teach the parser: its SQL for questions about your data becomes pairs to train on. Trains nothing.

    python -m streamlink_sql.training.distil --data PATH --questions FILE --model http://HOST:PORT/v1#NAME --out pairs.jsonl

A pair is made where most of the model's drafts give the same rows, the checks let the SQL run, it gives something, nothing about it needs a
person's look, and the parser's own form can say it. What becomes of the others is told in OUT.report.json. The pairs go where accepted ones
do: `streamlink-sql adapt --questions`, or `training.augment` and `training.mixture`.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from streamlink_sql.errors import BadRequest, Busy, Cancelled, EngineUnavailable, ModelUnavailable, StreamLinkError
from streamlink_sql.evaluate.execution import Row, comparable_rows, execution_match, is_ordered
from streamlink_sql.evaluate.sets import read_json_lines
from streamlink_sql.generators import open_generator
from streamlink_sql.training.augment.executing import Executing, Kept, key_of
from streamlink_sql.training.domain import Domain, open_domain
from streamlink_sql.training.pairs import Pair, shape_of, write_pairs
from streamlink_sql.training.parser_adapter import domain_examples
from streamlink_sql.training.screening import screen
from streamlink_sql.types import Draft, Generator, Question

ROWS = 20_000
STOPPED = 130
_STOPS = (ModelUnavailable, EngineUnavailable, Busy, Cancelled)
"""Errors that say nothing of the question: they end the run."""


@dataclass(frozen=True, slots=True)
class Taught:
    """What became of a question: its SQL, or why there is none to learn from."""

    question: str
    query: str = ""
    why: str = ""

    @property
    def pair(self) -> Pair:
        """The pair to train on."""
        return Pair(self.question, self.query, template=shape_of(self.query), way="taught")


class Teaching:
    """A model that writes SQL for questions about one source, `samples` drafts each."""

    def __init__(self, model: Generator, domain: Domain, executing: Executing, samples: int) -> None:
        self._model, self._domain, self._executing, self._samples = model, domain, executing, samples

    def taught(self, question: str) -> Taught:
        """Asks the model, and judges what it says."""
        try:
            drafts = self._model.generate(Question(question), self._domain.context(question), self._samples)
        except _STOPS:
            raise
        except StreamLinkError as error:
            return Taught(question, why=f"no answer: {error.code}")
        agreed = self._agreed(drafts)
        if agreed is None:
            return Taught(question, why="the drafts do not agree, or may not run")
        found = Taught(question, agreed)
        why = self._executing.verdicts([agreed])[agreed] or self._objection(found.pair)
        return Taught(question, why=why) if why else found

    def _agreed(self, drafts: Sequence[Draft]) -> str | None:
        """The first draft whose rows more than half of the drafts give."""
        given = [(draft.sql, rows) for draft in drafts if (rows := self._rows(draft.sql)) is not None]
        for sql, rows in given:
            if 2 * sum(execution_match(others, rows, is_ordered(sql)) for _, others in given) > len(drafts):
                return sql
        return None

    def _rows(self, sql: str) -> Sequence[Row] | None:
        try:
            return comparable_rows(self._domain.rows(sql, limit=ROWS).as_python())
        except _STOPS:
            raise
        except StreamLinkError:
            return None

    def _objection(self, pair: Pair) -> str:
        """Why a person should look at a pair, or that the parser cannot say it; '' for nothing."""
        if not screen([pair], self._domain).kept:
            return "needs a person's look"
        left_out: Counter[str] = Counter()
        domain_examples([pair], self._domain, left_out)
        return f"the parser cannot say it: {next(iter(left_out))}" if left_out else ""


def distil(questions: Sequence[str], teaching: Teaching, kept: Kept, at_once: int = 2) -> Iterator[Taught]:
    """What becomes of each question, in order; those that `kept` knows are not asked again."""

    writing = threading.Lock()

    def answer(question: str) -> Taught:
        key = key_of("taught", question)
        if key not in kept:
            found = teaching.taught(question)
            with writing:
                kept.keep({key: {"query": found.query, "why": found.why}})
        return Taught(question, **kept[key])

    with ThreadPoolExecutor(at_once, thread_name_prefix="teaching") as pool:
        try:
            yield from pool.map(answer, questions)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def read_asked(path: Path) -> list[str]:
    """The different questions of a file of JSON lines; BadRequest where a line has none."""
    return list(dict.fromkeys(_question(line.get("question"), number, path) for number, line in read_json_lines(path)))


def _question(text: object, number: int, path: Path) -> str:
    if not isinstance(text, str) or not text.strip():
        raise BadRequest(f"Line {number} of {path} needs the text `question`.")
    return text


def command(
    data: Annotated[str, typer.Option(help="The data that the questions are about, as for `streamlink-sql ask`.")],
    questions: Annotated[Path, typer.Option(help="JSON lines with `question`.")],
    model: Annotated[str, typer.Option(help="Who teaches: the address of a model, as for `streamlink-sql ask`.")],
    out: Annotated[Path, typer.Option(help="The file of pairs to write, JSON lines; the report goes beside it.")],
    samples: Annotated[int, typer.Option(help="Drafts a question, more than half of which must agree.", min=1, max=32)] = 3,
    at_once: Annotated[int, typer.Option(help="Questions that are asked at the same time.", min=1, max=64)] = 2,
    glossary: Annotated[Path | None, typer.Option(help="Words for tables, columns and values.")] = None,
) -> None:
    """Makes training pairs of another model's answers; a run that was stopped goes on where it was."""
    console, partial = Console(stderr=True), out.with_name(out.name + ".partial")
    try:
        with ExitStack() as opened:
            asked = read_asked(questions)
            domain = opened.enter_context(open_domain(data, glossary, at_once=at_once))
            teacher = opened.enter_context(closing(open_generator(model, at_once=at_once)))
            out.parent.mkdir(parents=True, exist_ok=True)
            kept = opened.enter_context(closing(Kept(partial, f"{model} {samples} {domain.engine.fingerprint()}")))
            executing = opened.enter_context(closing(Executing(domain, Kept(None, ""), at_once)))
            work = distil(asked, Teaching(teacher, domain, executing, samples), kept, at_once)
            found = list(track(work, "questions", total=len(asked), console=console))
    except StreamLinkError as error:
        console.print(error.detail, markup=False)
        raise typer.Exit(error.exit_status) from error
    except KeyboardInterrupt as error:
        console.print(f"Stopped. What was found out is in {partial}: the same command goes on from there.", markup=False)
        raise typer.Exit(STOPPED) from error
    pairs = [each.pair for each in found if not each.why]
    write_pairs(out, pairs)
    report = {"asked": len(found), "pairs": len(pairs), "left_out": dict(Counter(each.why for each in found if each.why).most_common())}
    out.with_name(out.name + ".report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    partial.unlink(missing_ok=True)
    print(json.dumps(report, ensure_ascii=False))


if __name__ == "__main__":
    typer.run(command)
