"""Fits how finished beams are ordered, and how sure an answer is: `python -m streamlink_sql.training.ranking --help`.

Looks at the beams of held-out training questions: which of them are the gold query, or return its rows. Order: a linear score, by the
likelihood of the right beams under a softmax over all. Confidence: logistic regression on whether the best draft was right.
Writes ranking.json beside the weights. Reads databases read-only; trains no network.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track

from streamlink_sql.errors import StreamLinkError
from streamlink_sql.evaluate.execution import SQLiteRunner, execution_match, is_ordered
from streamlink_sql.evaluate.sets import database_file
from streamlink_sql.generators.parser.actions import Layout, to_tokens
from streamlink_sql.generators.parser.ir import NotCovered, Schema, to_sql
from streamlink_sql.generators.parser.linking import link
from streamlink_sql.generators.parser.ranking import (
    CONFIDENCE_NAMES,
    FEATURE_NAMES,
    Numbers,
    Ranking,
    confidence_features,
    features,
)
from streamlink_sql.generators.parser.runtime import WEIGHTS, Model
from streamlink_sql.training.example_files import HELD_OUT, read
from streamlink_sql.training.parser_data import Database, Example, to_actions

BEAMS = 8
FOLDS = 5
ONLY_ROWS = 0.6
"""What a beam is worth that returns the gold rows by another query."""


@dataclass(frozen=True, slots=True)
class Beams:
    """The beams of one question: (k, features), what each is worth (k,) and whether it returns the gold rows (k,)."""

    database: str
    features: Numbers
    worth: Numbers
    right: Numbers


def look_at(model: Model, examples: Sequence[Example], databases: Mapping[str, Database], spider: Path) -> list[Beams]:
    """The beams of every question, judged by running them."""
    found = []
    for name in sorted({example.database for example in examples}):
        with SQLiteRunner(database_file(spider / "databases", name)) as runner:
            own = [example for example in examples if example.database == name]
            found += [_beams(model, example, databases[name], runner) for example in track(own, f"{name:30}", transient=True)]
    return [beams for beams in found if len(beams.features)]


def _beams(model: Model, example: Example, database: Database, runner: SQLiteRunner) -> Beams:
    schema = Schema.of(database.tables)
    linked = link(example.question, schema, example.matches, database.synonyms, model.pieces)
    layout = Layout.of(linked)
    gold = tuple(to_actions(example.symbols, layout.words, layout.tables))
    encoded = model.encode(linked)
    owners = [table for table, _ in schema.columns]
    returns_gold = _judge(runner, example.query)
    rows, worth, right = [], [], []
    for beam in model.search(encoded, layout, BEAMS):
        tokens = to_tokens(beam.actions, layout, example.question, linked.words, schema, example.matches)
        try:
            same_rows = returns_gold(to_sql(tuple(tokens), schema, "sqlite"))
        except NotCovered:
            continue
        rows.append(features(beam.actions, beam.score, linked, encoded["used"][0], owners))
        worth.append(1.0 if beam.actions == gold else ONLY_ROWS * same_rows)
        right.append(float(same_rows or beam.actions == gold))
    return Beams(example.database, np.array(rows), np.array(worth), np.array(right))


def _judge(runner: SQLiteRunner, gold: str) -> Callable[[str], bool]:
    """Whether SQL returns the rows of the gold query."""
    wanted = runner.run(gold, 10)

    def judge(sql: str) -> bool:
        try:
            return execution_match(runner.run(sql, 3), wanted, is_ordered(gold))
        except StreamLinkError:
            return False

    return judge


def fit_order(found: Sequence[Beams], pull: float = 5.0, steps: int = 400) -> Numbers:
    """(features,) weights that make the worth of the first beam likely; `pull` draws them towards the probability alone."""
    everything = np.concatenate([beams.features for beams in found])
    spread = everything.std(0) + 1e-6
    home = np.zeros(len(FEATURE_NAMES))
    home[0] = spread[0]
    usable = [(beams.features / spread, beams.worth / beams.worth.sum()) for beams in found if beams.worth.any()]

    def slope(weights: Numbers) -> Numbers:
        total = -pull * (weights - home)
        for rows, worth in usable:
            scores = rows @ weights
            total += rows.T @ (worth - np.exp(scores - np.logaddexp.reduce(scores)))
        return total / len(usable)

    order: Numbers = _climb(home, slope, steps) / spread
    return order


def fit_confidence(found: Sequence[Beams], weights: Numbers, steps: int = 600) -> Numbers:
    """(CONFIDENCE_NAMES,) weights of a logistic regression on whether the best beam returns the gold rows."""
    rows, right = [], []
    for beams in found:
        scores = beams.features @ weights
        best = int(scores.argmax())
        rows.append(confidence_features(beams.features[best], scores, best))
        right.append(beams.right[best])
    table, truth = np.array(rows), np.array(right)
    return _climb(
        np.zeros(len(CONFIDENCE_NAMES)), lambda w: table.T @ (truth - 1 / (1 + np.exp(-(table @ w)))) / len(truth) - 0.002 * w, steps
    )


def _climb(start: Numbers, slope: Callable[[Numbers], Numbers], steps: int, rate: float = 0.05) -> Numbers:
    """Adam, upwards."""
    weights, mean, square = start.copy(), np.zeros_like(start), np.zeros_like(start)
    for step in range(1, steps + 1):
        gradient = slope(weights)
        mean, square = 0.9 * mean + 0.1 * gradient, 0.99 * square + 0.01 * gradient**2
        weights = weights + rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
    return weights


def score(found: Sequence[Beams], weights: Numbers) -> tuple[float, float]:
    """Share of questions whose first beam is the gold query, and returns its rows."""
    first = [int((beams.features @ weights).argmax()) for beams in found]
    gold = sum(beams.worth[best] == 1 for beams, best in zip(found, first, strict=True))
    rows = sum(beams.right[best] for beams, best in zip(found, first, strict=True))
    return gold / len(found), float(rows) / len(found)


def cross_validated(found: Sequence[Beams]) -> tuple[float, float]:
    """The score where every database is judged by weights that did not see it."""
    names = sorted({beams.database for beams in found})
    totals = np.zeros(2)
    for fold in range(FOLDS):
        left_out = set(names[fold::FOLDS])
        judged = [beams for beams in found if beams.database in left_out]
        if judged and len(judged) < len(found):
            weights = fit_order([beams for beams in found if beams.database not in left_out])
            totals += np.array(score(judged, weights)) * len(judged)
    return float(totals[0]) / len(found), float(totals[1]) / len(found)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that `python -m streamlink_sql.training.parser_sets` wrote")
    parser.add_argument("--spider", type=Path, required=True, help="Spider's folder, for its databases")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="folder of the exported parser; ranking.json is written there")
    given = parser.parse_args()
    data = read(given.data)
    model = Model(given.weights, threads=1)
    found = look_at(model, data.sets[HELD_OUT].examples, data.databases_of(HELD_OUT), given.spider)
    alone = np.array(Ranking().weights)
    weights = fit_order(found)
    confidence = fit_confidence(found, weights)
    best_of_all = sum(beams.right.any() for beams in found) / len(found)
    for name, (gold, rows) in (("probability alone", score(found, alone)), ("ranked, cross-validated", cross_validated(found))):
        print(f"{name:24} gold query {gold:.3f}  gold rows {rows:.3f}")
    print(f"{'best of the beams':24} gold rows {best_of_all:.3f}  ({len(found)} questions)")
    content = {
        "weights": dict(zip(FEATURE_NAMES, weights.round(5).tolist(), strict=True)),
        "confidence": dict(zip(CONFIDENCE_NAMES, confidence.round(5).tolist(), strict=True)),
    }
    (given.weights / "ranking.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
