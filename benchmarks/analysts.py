"""Execution accuracy on 150 analysts' questions, written by hand for this, over six databases that no training set holds.

The databases are made anew, the same every time; DISTINCT counts. Schemas, words and questions are in benchmarks/analysts/.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from rich.progress import track

from streamlink_sql.evaluate.answerers import open_answerers
from streamlink_sql.evaluate.questions import score
from streamlink_sql.evaluate.reference import open_references
from streamlink_sql.evaluate.scores import Outcome, summary
from streamlink_sql.evaluate.sets import Answering, GoldQuestion, Source, read_questions
from streamlink_sql.training.synthetic import values
from streamlink_sql.training.synthetic.schema import load

HERE = Path(__file__).parent / "analysts"
SEED = 4711


def outcomes(folder: Path, questions: list[GoldQuestion], model: str) -> Iterator[Outcome]:
    """What became of each question, database by database; the databases are written to the folder."""
    values.SCHEMAS = HERE  # the words of these schemas are their own
    for base in load(HERE):
        values.write(base, values.generate(base, SEED), folder / f"{base.name}.duckdb")
    for name, group in groupby(questions, key=lambda question: question.db_id):
        source = Source(str(folder / f"{name}.duckdb"))
        with (
            open_answerers(source, Answering(model)) as answerers,
            open_references(source) as references,
            references("") as reference,
            answerers("") as answerer,
        ):
            yield from (score(question, answerer, reference, True) for question in group)


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="parser", help="who answers, as in `streamlink-sql evaluate questions`")
    parser.add_argument("--errors", action="store_true", help="print each question whose rows were wrong, with both queries")
    told = parser.parse_args()
    questions = read_questions(HERE / "questions.jsonl")
    with tempfile.TemporaryDirectory() as folder:
        found = list(track(outcomes(Path(folder), questions, told.model), "questions", len(questions), transient=True))
    for outcome in found if told.errors else ():
        if not outcome.ex:
            print(f"{outcome.db_id}: {outcome.question}\n  wanted {outcome.query}\n  got    {outcome.sql or outcome.problem}")
    print(json.dumps(summary(found)))


if __name__ == "__main__":
    main()
