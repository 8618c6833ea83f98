"""Trains the injection detector: `python -m streamlink_sql.training.detector --help`. Needs numpy alone; takes a minute.

FILE.csv has the columns `id,text,label` (1 = injection), such as the public "SQL injection dataset". A fifth of its templates (texts
without their values) is held out and measured; what is shipped is then trained on all rows. Every row also comes disguised, whatever its
label, so that a disguise alone means nothing. Questions and queries of our own join as texts that are no attack.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from streamlink_sql.checks.injection import BITS, WEIGHTS, Floats, logits, plain, runs_of
from streamlink_sql.errors import BadRequest, StreamLinkError
from streamlink_sql.evaluate.labelled import read_labelled
from streamlink_sql.training.evasions import disguised
from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic.written import read_written

HELD_OUT_SHARE = 0.2
LARGE_TEMPLATE = 60
"""Templates with more rows than this are split row by row."""
MISINTERCEPT = 0.0007
"""The share of harmless texts that may raise an alarm: the threshold follows from it, by cross-validation."""
EPOCHS, BATCH, RATE, FOLDS = 8, 512, 0.05, 5
OWN, FEWEST = 4_000, 50
INSIDE = 0.3
"""The share of attacks that also come inside a question."""
_TEXT = re.compile(r"'([^'%]{3,})'")
_QUOTED, _NUMBER = re.compile(r"'[^']*'|\"[^\"]*\""), re.compile(r"0x[0-9a-f]+|\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Row:
    """A text and whether it is an injection."""

    text: str
    label: bool
    id: str = ""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A classifier: how it reads a text, its weights (2 ** BITS,), constant and threshold."""

    read: Callable[[str], str]
    weights: Floats
    constant: float
    threshold: float = 0.0

    def logits(self, texts: Sequence[str]) -> Floats:
        """(texts,) scores."""
        return logits([self.read(text) for text in texts], self.weights, self.constant)


def read_rows(path: Path) -> list[Row]:
    """The rows of a CSV file with `id`, `text` and `label`; raises BadRequest where they are too few to learn from."""
    rows = [Row(row.text, row.attack, row.id) for row in read_labelled(path)]
    attacks = sum(row.label for row in rows)
    if min(attacks, len(rows) - attacks) < FEWEST:
        raise BadRequest(f"{path} has {attacks} attacks and {len(rows) - attacks} others; training needs {FEWEST} of each.")
    return rows


def template(text: str) -> str:
    """The text without its values."""
    return _NUMBER.sub("0", _QUOTED.sub("'s'", " ".join(text.lower().split())))


def parts(rows: Sequence[Row], count: int, seed: int = 7) -> list[list[Row]]:
    """The rows in `count` parts of about one size; rows of one template stay together, unless there are very many."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[template(row.text)].append(row)
    names = sorted(groups)
    Random(seed).shuffle(names)
    found: list[list[Row]] = [[] for _ in range(count)]
    for name in names:
        if len(groups[name]) > LARGE_TEMPLATE:
            for number, row in enumerate(groups[name]):
                found[number % count].append(row)
        else:
            min(found, key=len).extend(groups[name])
    return found


def fit(rows: Sequence[Row], read: Callable[[str], str], seed: int = 1, shown: str = "") -> Fitted:
    """Logistic regression by Adam over mini-batches."""
    owners, hashes = runs_of([read(row.text) for row in rows])
    starts = np.searchsorted(owners, np.arange(len(rows) + 1))
    labels = np.array([row.label for row in rows], np.float64)
    rng = np.random.default_rng(seed)
    weights, mean, square = (np.zeros((1 << BITS) + 1) for _ in range(3))  # the last one is the constant
    batches = -(-len(rows) // BATCH)
    steps = track(range(EPOCHS * batches), shown, transient=True, disable=not shown)
    for step in steps:
        if step % batches == 0:
            order = rng.permutation(len(rows))
        chosen = order[step % batches * BATCH :][:BATCH]
        counts = starts[chosen + 1] - starts[chosen]
        places = np.concatenate([hashes[starts[each] : starts[each + 1]] for each in chosen])
        within = np.repeat(np.arange(len(chosen)), counts)
        size = 1 / np.sqrt(counts)
        scores = np.bincount(within, weights[places], minlength=len(chosen)) * size + weights[-1]
        wrong = (1 / (1 + np.exp(-scores)) - labels[chosen]) / len(chosen)
        slope = np.bincount(places, (wrong * size)[within], minlength=len(weights))
        slope[-1] = wrong.sum()
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        rate = RATE * (1 - step / (EPOCHS * batches)) * np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
        weights -= rate * mean / (np.sqrt(square) + 1e-8)
    return Fitted(read, weights[:-1], float(weights[-1]))


def with_disguises(rows: Sequence[Row], seed: int) -> list[Row]:
    """The rows, each of them disguised, and some attacks inside questions."""
    rng = Random(seed)
    questions = [pair.question for pair in _own_pairs()]
    inside = [row for row in rows if row.label and rng.random() < INSIDE]
    return [
        *rows,
        *(Row(disguised(row.text, rng), row.label) for row in rows),
        *(Row(f"{rng.choice(questions)}{rng.choice((' ', '', chr(39)))}{row.text}", True) for row in inside),
    ]


@cache
def _own_pairs() -> list[Pair]:
    return [pair for each in read_written().values() for pair in each]


def own_rows(seed: int = 3) -> list[Row]:
    """Questions, queries and texts in queries about our own schemas: no attacks, many words of SQL."""
    chosen = Random(seed).sample(_own_pairs(), OWN)
    texts = dict.fromkeys(text for pair in chosen for text in (pair.question, pair.query, *_TEXT.findall(pair.query)))
    return [Row(text, False) for text in texts]


def threshold_of(rows: Sequence[Row], own: Sequence[Row], read: Callable[[str], str], *, disguise: bool) -> float:
    """The score that the wanted share of harmless rows exceeds, where each row is judged by weights that did not see its template."""
    folds, scores = parts(rows, FOLDS), list[float]()
    for number, judged in enumerate(folds):
        seen = [*own, *(row for fold in folds if fold is not judged for row in fold)]
        fitted = fit(with_disguises(seen, number) if disguise else seen, read, shown=f"threshold, part {number + 1} of {FOLDS}")
        scores += fitted.logits([row.text for row in judged if not row.label]).tolist()
    return float(np.quantile(scores, 1 - MISINTERCEPT))


def measured(fitted: Fitted, rows: Sequence[Row]) -> tuple[float, float]:
    """Recall and misintercept."""
    alarms, labels = fitted.logits([row.text for row in rows]) > fitted.threshold, np.array([row.label for row in rows])
    return float(alarms[labels].mean()), float(alarms[~labels].mean())


def write(fitted: Fitted, path: Path) -> None:
    """Weights as bytes, whole or not at all."""
    scale = float(np.abs(fitted.weights).max()) / 127
    temporary = path.with_suffix(".part.npz")
    np.savez_compressed(
        temporary,
        weights=np.round(fitted.weights / scale).astype(np.int8),
        scale=scale,
        constant=fitted.constant,
        threshold=fitted.threshold,
    )
    temporary.replace(path)


def write_rows(rows: Sequence[Row], path: Path) -> None:
    """Rows as CSV, as `evaluate detector` and `evaluate judge` take them."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "text", "label"), *((row.id, row.text, int(row.label)) for row in rows)])


def train(path: Path, out: Path | None, console: Console, apart: Path | None = None) -> dict[str, dict[str, float]]:
    """Measures both classifiers on the held-out part, then trains on everything and writes; returns the figures. The folder `apart`
    gets the held-out rows and the detector's weights that have not seen them.
    """
    if out is not None and not out.parent.is_dir():
        raise BadRequest(f"There is no folder {out.parent} to write {out.name} to.")
    if out is not None and out.is_dir():
        raise BadRequest(f"{out} is a folder; name a file to write the weights to.")
    if apart is not None and not apart.is_dir():
        raise BadRequest(f"There is no folder {apart} to write the held-out rows to.")
    rows, own = read_rows(path), own_rows()
    held, *rest = parts(rows, round(1 / HELD_OUT_SHARE))
    seen = [row for part in rest for row in part]
    rng = Random(11)
    evaded = [Row(disguised(row.text, rng), row.label) for row in held]
    grid = Table("held-out rows", "recall", "misintercept", "recall of disguised", "misintercept of disguised", title=f"{len(held)} rows")
    figures = {}
    for name, read, disguise in (("plain n-grams", str.lower, False), ("detector", plain, True)):
        threshold = threshold_of(seen, own if disguise else (), read, disguise=disguise)
        training = with_disguises([*seen, *own], 0) if disguise else seen
        fitted = replace(fit(training, read, shown=name), threshold=threshold)
        (recall, misintercept), (recall_evaded, misintercept_evaded) = measured(fitted, held), measured(fitted, evaded)
        figures[name] = {"recall": recall, "misintercept": misintercept, "recall_disguised": recall_evaded}
        grid.add_row(name, *(f"{figure:.2%}" for figure in (recall, misintercept, recall_evaded, misintercept_evaded)))
    console.print(grid)
    if apart is not None:
        write_rows(held, apart / "held_out.csv")
        write(fitted, apart / "detector.npz")
    if out is not None:
        final = fit(with_disguises([*rows, *own], 0), plain, shown="all rows")
        write(replace(final, threshold=threshold), out)
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m streamlink_sql.training.detector", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, metavar="FILE.csv", help="rows with `text` and `label`")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="where the weights go (default: the package's own)")
    parser.add_argument("--measure", action="store_true", help="measure only, write nothing")
    parser.add_argument(
        "--held-out", type=Path, metavar="FOLDER", help="write the held-out rows and the weights that have not seen them there"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object as well")
    given = parser.parse_args(arguments)
    try:
        figures = train(given.file, None if given.measure else given.out, Console(), given.held_out)
    except StreamLinkError as error:
        print(error.detail, file=sys.stderr)
        return error.exit_status
    if given.json:
        print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
