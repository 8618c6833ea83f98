"""Fits how finished beams are ordered, and how sure an answer is: `python -m streamlink_sql.training.ranking --help`.

Looks at the beams of held-out training questions: which of them are the gold query, or return its rows. Order: a linear score, by the
likelihood of the right beams under a softmax over all. Confidence: logistic regression on whether the best draft was right, where every
question is also asked of a database that it is not about.
Writes ranking.json beside the weights. Reads databases read-only; trains no network.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.progress import track

from streamlink_sql.catalog.values import stem
from streamlink_sql.errors import StreamLinkError
from streamlink_sql.evaluate.execution import SQLiteRunner, execution_match, is_ordered
from streamlink_sql.evaluate.sets import database_file
from streamlink_sql.generators.parser.actions import Layout, known_cells, to_tokens
from streamlink_sql.generators.parser.ir import NotCovered, Schema, to_sql
from streamlink_sql.generators.parser.linking import link, split_words
from streamlink_sql.generators.parser.ranking import (
    CONFIDENCE_NAMES,
    FEATURE_NAMES,
    Finished,
    Numbers,
    Ranking,
    confidence_features,
    features,
)
from streamlink_sql.generators.parser.runtime import WEIGHTS, Model
from streamlink_sql.training.example_files import HELD_OUT, read
from streamlink_sql.training.parser_data import Database, Example, to_actions

BEAMS = 8
COMMON_SHARE = 0.1
FOLDS = 5
EXPECTED = {
    "log_probability": 1.0,
    "implausible": -3.0,
    "texts_unknown": -1.0,
    "aliases_left_out": -1.0,
    "columns_unnamed": -0.5,
    "values_left_out": -0.5,
    "words_unknown": -0.3,
    "numbers_left_out": 0.0,
    "same_sides": 0.0,
    "column_repeated": 0.0,
    "items_used_likely": 0.0,
    "items_unused_likely": 0.0,
}
"""The features that order beams, and what they are expected to weigh before any beam is seen: much of what they tell is rare in Spider.
With all features, cross-validation gets worse."""
ONLY_ROWS = 0.6
"""What a beam is worth that returns the gold rows by another query."""


@dataclass(frozen=True, slots=True)
class Beams:
    """The beams of one question: (k, features), what each is worth (k,) and whether it returns the gold rows (k,)."""

    database: str
    features: Numbers
    worth: Numbers
    right: Numbers


@dataclass(frozen=True, slots=True)
class Looker:
    """Searches beams with one model."""

    model: Model
    common_words: frozenset[str]

    def at_all(self, examples: Sequence[Example], databases: Mapping[str, Database], spider: Path) -> list[Beams]:
        """The beams of every question, judged by running them."""
        found = []
        for name in sorted({example.database for example in examples}):
            with SQLiteRunner(database_file(spider / "databases", name)) as runner:
                own = [example for example in examples if example.database == name]
                found += [self.at(example, databases[name], _judge(runner, example.query)) for example in track(own, f"{name:30}")]
        return [beams for beams in found if len(beams.features)]

    def astray(self, examples: Sequence[Example], databases: Mapping[str, Database]) -> list[Beams]:
        """The beams of questions asked of the next database: none of them is right."""
        names = sorted({example.database for example in examples})
        following = dict(zip(names, names[1:] + names[:1], strict=True))
        asked = [replace(example, matches=(), symbols=()) for example in examples]
        found = [self.at(each, databases[following[each.database]], lambda _: False) for each in track(asked, "of other databases")]
        return [beams for beams in found if len(beams.features)]

    def at(self, example: Example, database: Database, returns_gold: Callable[[str], bool]) -> Beams:
        """The beams of one question."""
        schema = Schema.of(database.tables)
        linked = link(example.question, schema, example.matches, database.synonyms, self.model.pieces)
        layout = Layout.of(linked)
        gold = tuple(to_actions(example.symbols, layout.words, layout.tables))
        encoded = self.model.encode(linked)
        cells = known_cells(example.matches, schema)
        rows, worth, right = [], [], []
        for beam in self.model.search(encoded, layout, BEAMS):
            tokens = tuple(to_tokens(beam.actions, layout, example.question, linked.words, schema, example.matches))
            try:
                same_rows = returns_gold(to_sql(tokens, schema, "sqlite"))
            except NotCovered:
                continue
            finished = Finished(beam.actions, tokens, beam.score, cells)
            rows.append(features(finished, linked, encoded["used"][0], schema, self.common_words))
            worth.append(1.0 if beam.actions == gold else ONLY_ROWS * same_rows)
            right.append(float(same_rows or beam.actions == gold))
        return Beams(example.database, np.array(rows), np.array(worth), np.array(right))


def common_words(examples: Iterable[Example]) -> frozenset[str]:
    """Stems that occur in questions about at least a tenth of the databases: how people ask, whatever about."""
    seen: dict[str, set[str]] = {}
    for example in examples:
        for word in split_words(example.question):
            seen.setdefault(stem(word.text.lower()), set()).add(example.database)
    databases = {example.database for example in examples}
    return frozenset(word for word, found in seen.items() if word.isalpha() and len(found) >= len(databases) * COMMON_SHARE)


def _judge(runner: SQLiteRunner, gold: str) -> Callable[[str], bool]:
    """Whether SQL returns the rows of the gold query."""
    wanted = runner.run(gold, 10)

    def judge(sql: str) -> bool:
        try:
            return execution_match(runner.run(sql, 3), wanted, is_ordered(gold))
        except StreamLinkError:
            return False

    return judge


def fit_order(found: Sequence[Beams], pull: float = 300.0, steps: int = 400) -> Numbers:
    """(features,) weights that make the worth of the first beam likely; `pull` draws them towards what is expected."""
    everything = np.concatenate([beams.features for beams in found])
    spread = everything.std(0) + 1e-6
    chosen = np.array([name in EXPECTED for name in FEATURE_NAMES], np.float64)
    home = np.zeros(len(FEATURE_NAMES))
    for name, weight in EXPECTED.items():
        home[FEATURE_NAMES.index(name)] = weight * spread[FEATURE_NAMES.index(name)]
    usable = [(beams.features * chosen / spread, beams.worth / beams.worth.sum()) for beams in found if beams.worth.any()]

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


def share_above(found: Sequence[Beams], weights: Numbers, confidence: Numbers, threshold: float) -> float:
    """Share of questions whose best draft is at least so sure."""
    above = 0
    for beams in found:
        scores = beams.features @ weights
        best = int(scores.argmax())
        above += bool(confidence_features(beams.features[best], scores, best) @ confidence >= np.log(threshold / (1 - threshold)))
    return above / len(found)


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
    held_out, databases = data.sets[HELD_OUT].examples, data.databases_of(HELD_OUT)
    common = common_words([example for each in data.sets.values() for example in each.examples])
    looker = Looker(model, common)
    found, astray = looker.at_all(held_out, databases, given.spider), looker.astray(held_out, databases)
    alone = np.array(Ranking().weights)
    weights = fit_order(found)
    confidence = fit_confidence([*found, *astray], weights)
    best_of_all = sum(beams.right.any() for beams in found) / len(found)
    for name, (gold, rows) in (("probability alone", score(found, alone)), ("ranked, cross-validated", cross_validated(found))):
        print(f"{name:24} gold query {gold:.3f}  gold rows {rows:.3f}")
    for threshold in (0.05, 0.1, 0.2, 0.3):
        kept, strays = (share_above(each, weights, confidence, threshold) for each in (found, astray))
        print(f"confidence from {threshold:4}: {kept:.3f} of the questions, {strays:.3f} of those asked of another database")
    print(f"{'best of the beams':24} gold rows {best_of_all:.3f}  ({len(found)} questions)")
    content = {
        "weights": dict(zip(FEATURE_NAMES, weights.round(5).tolist(), strict=True)),
        "confidence": dict(zip(CONFIDENCE_NAMES, confidence.round(5).tolist(), strict=True)),
        "common_words": sorted(common),
    }
    (given.weights / "ranking.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
