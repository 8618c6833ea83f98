"""One question's outcome and what a set of them adds up to. Arithmetic only."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from streamlink_sql.evaluate.exact_match import HARDNESS, Hardness

_NORMAL_95 = 1.959964
GOLD = "gold_does_not_run"
"""The problem of a question whose gold SQL is at fault, not the model."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question. `sql` is empty and `problem` holds the code where no SQL came; `ms` is None where no model was asked."""

    id: str
    db_id: str
    question: str
    query: str
    sql: str
    em: bool
    ex: bool
    hardness: Hardness
    ms: float | None = None
    problem: str = ""
    detail: str = ""


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The figures of a set, fractions from 0 to 1, 95 % intervals, problems by code, and the questions whose gold SQL does not run."""
    times = sorted(outcome.ms for outcome in outcomes if outcome.ms is not None)
    return {
        **_shares(outcomes),
        "em_interval": wilson(sum(outcome.em for outcome in outcomes), len(outcomes)),
        "ex_interval": wilson(sum(outcome.ex for outcome in outcomes), len(outcomes)),
        "by_hardness": {level: _shares([outcome for outcome in outcomes if outcome.hardness == level]) for level in HARDNESS},
        "ms_median": round(statistics.median(times), 2) if times else None,
        "ms_p95": round(_quantile(times, 0.95), 2) if times else None,
        "problems": dict(Counter(outcome.problem for outcome in outcomes if outcome.problem).most_common()),
        "gold_problems": [{"id": outcome.id, "detail": outcome.detail} for outcome in outcomes if outcome.problem == GOLD],
    }


def _shares(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    count = len(outcomes)
    em, ex = sum(outcome.em for outcome in outcomes), sum(outcome.ex for outcome in outcomes)
    return {"em": _share(em, count), "ex": _share(ex, count), "count": count}


def _share(part: int, count: int) -> float:
    return round(part / count, 4) if count else 0.0


def _quantile(ascending: Sequence[float], share: float) -> float:
    """The nearest-rank quantile."""
    return ascending[max(math.ceil(share * len(ascending)) - 1, 0)]


def wilson(successes: int, count: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a proportion; (0, 1) where nothing was counted."""
    if count == 0:
        return 0.0, 1.0
    share, square = successes / count, _NORMAL_95**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = _NORMAL_95 * math.sqrt(share * (1 - share) / count + square / (4 * count**2)) / (1 + square / count)
    return round(max(middle - half, 0.0), 4), round(min(middle + half, 1.0), 4)
