"""Fits how finished beams are ordered, and how sure an answer is: `python -m streamlink_sql.training.ranking --help`.

Looks at the beams of held-out training questions: which of them are the gold query, or return its rows. Order: a linear score, by the
likelihood of the right beams under a softmax over all. Confidence: logistic regression on whether the best draft was right, where every
question is also asked of a database that it is not about.
Writes ranking.json beside the weights. Reads databases read-only; trains no network.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
from rich.progress import track

from streamlink_sql.catalog.values import stem
from streamlink_sql.errors import InvalidSQL, StreamLinkError
from streamlink_sql.evaluate.execution import Row, SQLiteRunner, comparable_rows, execution_match, is_ordered
from streamlink_sql.evaluate.sets import database_file
from streamlink_sql.generators.parser.actions import Layout, known_cells, spans_of, to_tokens
from streamlink_sql.generators.parser.ir import NotCovered, Schema
from streamlink_sql.generators.parser.linking import link, split_words
from streamlink_sql.generators.parser.mends.mending import as_meant
from streamlink_sql.generators.parser.ranking import (
    CONFIDENCE_NAMES,
    FEATURE_NAMES,
    Finished,
    Numbers,
    Ranking,
    confidence_features,
    features,
)
from streamlink_sql.generators.parser.runtime import WEIGHTS, Model, sql_of
from streamlink_sql.training.example_files import HELD_OUT, HELD_OUT_WRITTEN, read
from streamlink_sql.training.parser_data import Database, Example, to_actions
from streamlink_sql.types import Dialect

BEAMS = 8
COMMON_SHARE = 0.1
FOLDS = 5
EXPECTED = {
    "log_probability": 1.0,
    "implausible": -3.0,
    "texts_unknown": -1.0,
    "aliases_left_out": -1.0,
    "columns_unnamed": -0.5,
    "tables_unnamed": -0.5,
    "values_left_out": -0.5,
    "words_unknown": -0.3,
    "numbers_left_out": 0.0,
    "same_sides": -3.0,
    "column_repeated": 0.0,
    "items_used_likely": 0.0,
    "items_unused_likely": 0.0,
}
"""The features that order beams, and what they are expected to weigh before any beam is seen: much of what they tell is rare in Spider.
With all features, cross-validation gets worse."""
MOST_ROWS = 20_000
ONLY_ROWS = 0.6
"""What a beam is worth that returns the gold rows by another query."""


@dataclass(frozen=True, slots=True)
class Beams:
    """The beams of one question: (k, features), what each is worth (k,) and whether it returns the gold rows (k,)."""

    database: str
    features: Numbers
    worth: Numbers
    right: Numbers


Run = Callable[[str], Sequence[Row]]
"""Runs SQL on one database; raises StreamLinkError."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the rows of a set's databases are, and how to ask for them."""

    folder: Path
    dialect: Dialect

    @contextmanager
    def of(self, name: str) -> Iterator[Run]:
        """Runs SQL on the database of that name."""
        if self.dialect == "sqlite":
            with SQLiteRunner(database_file(self.folder, name)) as runner:
                yield lambda sql: runner.run(sql, 10)
            return
        with duckdb.connect(str(self.folder / f"{name}.duckdb"), read_only=True, config={"threads": 1}) as connection:
            yield lambda sql: _by_duckdb(connection, sql)


def _by_duckdb(connection: duckdb.DuckDBPyConnection, sql: str) -> Sequence[Row]:
    try:
        return comparable_rows(connection.execute(sql).fetchmany(MOST_ROWS))
    except duckdb.Error as error:
        raise InvalidSQL(str(error)) from error


@dataclass(frozen=True, slots=True)
class Looker:
    """Searches beams with one model."""

    model: Model
    common_words: frozenset[str]

    def at_all(self, examples: Sequence[Example], databases: Mapping[str, Database], rows: Rows) -> list[Beams]:
        """The beams of every question, judged by running them."""
        found = []
        for name in sorted({example.database for example in examples}):
            with rows.of(name) as run:
                own = [example for example in examples if example.database == name]
                found += [
                    self.at(example, databases[name], rows.dialect, _judge(run, example.query)) for example in track(own, f"{name:30}")
                ]
        return [beams for beams in found if len(beams.features)]

    def astray(self, examples: Sequence[Example], databases: Mapping[str, Database]) -> list[Beams]:
        """The beams of questions asked of the next database: none of them is right."""
        names = sorted({example.database for example in examples})
        following = dict(zip(names, names[1:] + names[:1], strict=True))
        asked = [replace(example, matches=(), symbols=()) for example in examples]
        found = [
            self.at(each, databases[following[each.database]], "sqlite", lambda _: False) for each in track(asked, "of other databases")
        ]
        return [beams for beams in found if len(beams.features)]

    def at(self, example: Example, database: Database, dialect: Dialect, returns_gold: Callable[[str], bool]) -> Beams:
        """The beams of one question."""
        schema = Schema.of(database.tables)
        linked = link(example.question, schema, example.matches, database.synonyms, self.model.pieces)
        layout = Layout.of(linked)
        gold = tuple(to_actions(example.symbols, layout.words, layout.tables))
        encoded = self.model.encode(linked)
        cells = known_cells(example.matches, schema)
        rows, worth, right = [], [], []
        for beam in self.model.search(encoded, layout, BEAMS):
            written = to_tokens(beam.actions, layout, example.question, linked.words, schema, example.matches)
            tokens = tuple(as_meant(written, spans_of(beam.actions, layout), cells, linked, schema))
            try:
                same_rows = returns_gold(sql_of(tokens, schema, dialect))
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


def _judge(run: Run, gold: str) -> Callable[[str], bool]:
    """Whether SQL returns the rows of the gold query."""
    wanted = run(gold)

    def judge(sql: str) -> bool:
        try:
            return execution_match(run(sql), wanted, is_ordered(gold))
        except StreamLinkError:
            return False

    return judge


def fit_order(found: Sequence[Beams], pull: float = 100.0, steps: int = 400) -> Numbers:
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


def cross_validated(found: Mapping[str, Sequence[Beams]]) -> dict[str, tuple[float, float]]:
    """The score on each set where every database is judged by weights that did not see it."""
    everything = [beams for each in found.values() for beams in each]
    names = sorted({beams.database for beams in everything})
    folds = [set(names[fold::FOLDS]) for fold in range(FOLDS)]
    weights = [fit_order([beams for beams in everything if beams.database not in left_out]) for left_out in folds]
    totals = {}
    for name, each in found.items():
        judged = [
            (score(own, fitted), len(own))
            for left_out, fitted in zip(folds, weights, strict=True)
            if (own := [beams for beams in each if beams.database in left_out])
        ]
        gold, rows = (sum(scores[of] * count for scores, count in judged) / len(each) for of in (0, 1))
        totals[name] = gold, rows
    return totals


def report(found: Mapping[str, Sequence[Beams]], astray: Mapping[str, Sequence[Beams]], weights: Numbers, confidence: Numbers) -> None:
    """Prints what the order and the confidence are worth on each set."""
    ranked = cross_validated(found)
    for name, beams in found.items():
        best = sum(each.right.any() for each in beams) / len(beams)
        print(f"{name}: {len(beams)} questions; the best of the beams gives the gold rows of {best:.3f}")
        for order, (gold, rows) in (
            ("probability alone", score(beams, np.array(Ranking().weights))),
            ("ranked, cross-validated", ranked[name]),
        ):
            print(f"  {order:24} gold query {gold:.3f}  gold rows {rows:.3f}")
        for threshold in (0.05, 0.1, 0.2, 0.3):
            kept, strays = (share_above(each, weights, confidence, threshold) for each in (beams, astray[name]))
            print(f"  confidence from {threshold:4}: {kept:.3f} of the questions, {strays:.3f} of those asked of another database")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that `python -m streamlink_sql.training.parser_sets` wrote")
    parser.add_argument("--spider", type=Path, required=True, help="Spider's folder, for its databases")
    parser.add_argument("--synthetic", type=Path, help="the synthetic set's folder, to fit on its held-out written questions as well")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="folder of the exported parser; ranking.json is written there")
    given = parser.parse_args()
    data = read(given.data)
    model = Model(given.weights, threads=1)
    common = common_words([example for each in data.sets.values() for example in each.examples])
    looker = Looker(model, common)
    found: dict[str, list[Beams]] = {}
    astray: dict[str, list[Beams]] = {}
    places = {HELD_OUT: Rows(given.spider / "databases", "sqlite")}
    if given.synthetic and HELD_OUT_WRITTEN in data.sets:
        places[HELD_OUT_WRITTEN] = Rows(given.synthetic / "databases", "duckdb")
    for name, rows in places.items():
        examples, databases = data.sets[name].examples, data.databases_of(name)
        found[name], astray[name] = looker.at_all(examples, databases, rows), looker.astray(examples, databases)
    everything = [beams for each in found.values() for beams in each]
    weights = fit_order(everything)
    confidence = fit_confidence([*everything, *(beams for each in astray.values() for beams in each)], weights)
    report(found, astray, weights, confidence)
    content = {
        "weights": dict(zip(FEATURE_NAMES, weights.round(5).tolist(), strict=True)),
        "confidence": dict(zip(CONFIDENCE_NAMES, confidence.round(5).tolist(), strict=True)),
        "common_words": sorted(common),
    }
    (given.weights / "ranking.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
