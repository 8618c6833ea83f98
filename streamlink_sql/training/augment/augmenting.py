"""Puts both directions together: draws pairs, runs every one on the data, keeps what answers, and reports. Trains nothing.

The same data, seed and accepted pairs give the same pairs: candidates are drawn in batches, and judged in the order of drawing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Literal

from streamlink_sql.errors import BadRequest
from streamlink_sql.training.augment.backward import Backward
from streamlink_sql.training.augment.executing import Executing, Kept
from streamlink_sql.training.augment.forward import Forward
from streamlink_sql.training.augment.reading import read_base
from streamlink_sql.training.augment.reading_back import ReadingBack
from streamlink_sql.training.augment.rephrasing import Rephrasing, Say
from streamlink_sql.training.augment.report import report
from streamlink_sql.training.domain import Domain
from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.screening import screen
from streamlink_sql.training.synthetic.sample import Sieve, plain
from streamlink_sql.types import Generator

Direction = Literal["forward", "backward"]
DIRECTIONS: tuple[Direction, ...] = ("forward", "backward")
Tick = Callable[[int], None]
"""Hears how many pairs there are by now."""
_BATCH = 256
_PATIENCE, _YIELD = 24, 8
"""So many batches may bring less than so many pairs before a direction has nothing new to give."""
_COPIES = 60
"""The most that forward makes of one accepted pair."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make: so many pairs, of these directions; the same seed gives the same pairs.

    `reader` reads questions back: a pair is kept where one of its drafts gives the rows that the SQL gives.
    `rephraser` is a chat model that says a share of the questions in other words; what it says is read back, too.
    `resume` is a file that keeps what was found out about queries, so that a run that was cut off goes on.
    """

    count: int = 2000
    seed: int = 7
    directions: tuple[Direction, ...] = DIRECTIONS
    reader: Generator | None = None
    rephraser: Say | None = None
    rephrased: float = 0.1
    resume: Path | None = None
    at_once: int = 2

    def __post_init__(self) -> None:
        if self.rephraser is not None and self.reader is None:
            raise BadRequest("What a model rephrases has to be read back by another: name a reader, too.")


@dataclass(frozen=True, slots=True)
class Augmented:
    """The pairs, accepted ones first, and a report: how many by way, what was dropped and why, diversity and coverage."""

    pairs: tuple[Pair, ...]
    report: Mapping[str, Any]


def augment(domain: Domain, accepted: Sequence[Pair] = (), plan: Plan | None = None, tick: Tick = lambda _: None) -> Augmented:
    """Pairs about the data of `domain`: the accepted ones that pass the screening, and new ones up to the count that is planned."""
    plan = plan or Plan()
    screened = screen(accepted, domain)
    base, data = read_base(domain)
    kept = Kept(plan.resume, domain.stamp)
    executing = Executing(domain, kept, plan.at_once)
    try:
        run = _Run(plan, domain, kept, executing, screened.kept, tick)
        if "forward" in plan.directions and screened.kept:
            left = plan.count - len(run.pairs)
            most = min(left if plan.directions == ("forward",) else left // 2, _COPIES * len(screened.kept))
            run.take(Forward(base, data, domain, screened.kept, Random(f"{plan.seed}:forward")), most)
        if "backward" in plan.directions:
            source = Backward(base, data, domain.tables, domain.dialect, Random(f"{plan.seed}:backward"))
            run.take(source, plan.count - len(run.pairs))
        pairs = run.clear()
    finally:
        executing.close()
        kept.close()
    screening = {"kept": len(screened.kept), "refused": len(screened.refused), "flagged": len(screened.flagged)}
    return Augmented(pairs, {"screening": screening, **report(pairs, domain.tables, run.dropped)})


class _Run:
    """What is kept so far, and what was dropped, by reason."""

    def __init__(self, plan: Plan, domain: Domain, kept: Kept, executing: Executing, accepted: Sequence[Pair], tick: Tick) -> None:
        self._executing, self._tick = executing, tick
        self._sieve = Sieve(fillings=max(2, plan.count // 4000))
        self._read = ReadingBack(plan.reader, domain, kept) if plan.reader is not None else None
        self._rephrase = (
            Rephrasing(plan.rephraser, self._read, kept, plan.rephrased, Random(f"{plan.seed}:rephrased"))
            if plan.rephraser is not None and self._read is not None
            else None
        )
        self._asked: dict[str, str] = {}
        self._contradicted: set[str] = set()
        self.pairs: list[Pair] = []
        self.dropped: Counter[str] = Counter()
        for pair in accepted:
            self._keep(pair)

    def take(self, source: Iterable[Pair | None], wanted: int) -> None:
        """Up to `wanted` pairs from a source; fewer where it repeats itself."""
        candidates, goal = iter(source), len(self.pairs) + wanted
        yields: list[int] = []
        while len(self.pairs) < goal:
            batch = list(islice(candidates, _BATCH))
            before = len(self.pairs)
            self._take_batch([pair for pair in batch if pair is not None and self._is_new(pair)], goal)
            self._tick(len(self.pairs))
            yields.append(len(self.pairs) - before)
            if len(batch) < _BATCH or len(yields) >= _PATIENCE and sum(yields[-_PATIENCE:]) < _YIELD:
                return

    def _take_batch(self, batch: Sequence[Pair], goal: int) -> None:
        verdicts = self._executing.verdicts(dict.fromkeys(pair.query for pair in batch))
        fine = [pair for pair in batch if self._is_right(not verdicts[pair.query], verdicts[pair.query])]
        if self._read is not None:
            same = self._read.same(fine)
            fine = [pair for pair in fine if self._is_right(same[pair], "not read back")]
        kept = self._keep_new(fine, goal)
        if self._rephrase is not None:
            self._keep_new(self._rephrase.others(kept), goal)

    def _keep_new(self, pairs: Iterable[Pair], goal: int) -> list[Pair]:
        """Keeps what is new among these, up to the goal; tells which."""
        kept = []
        for pair in pairs:
            if len(self.pairs) < goal and self._is_new(pair):
                self._keep(pair)
                kept.append(pair)
        return kept

    def _is_right(self, right: bool, reason: str) -> bool:
        if not right:
            self.dropped[reason] += 1
        return right

    def _is_new(self, pair: Pair) -> bool:
        """Whether a pair adds something; one that gives a question another query makes both ambiguous."""
        asked = plain(pair.question)
        if self._asked.get(asked, pair.query) != pair.query:
            self._contradicted.add(asked)
            return self._is_right(False, "another query for the same question")
        return self._is_right(self._sieve.admits("", pair), "near duplicate")

    def _keep(self, pair: Pair) -> None:
        self._asked[plain(pair.question)] = pair.query
        self._sieve.remember("", pair)
        self.pairs.append(pair)

    def clear(self) -> tuple[Pair, ...]:
        """The pairs without those whose question was given two queries; what a person accepted stays."""
        clear = [pair for pair in self.pairs if pair.way == "accepted" or plain(pair.question) not in self._contradicted]
        self.dropped["another query for the same question"] += len(self.pairs) - len(clear)
        return tuple(clear)
