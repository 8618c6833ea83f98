"""What Prometheus reads at /metrics, and what the log says when a question ends: outcome, stages, refusals. Holds no text of a question."""

from __future__ import annotations

import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as MEDIA_TYPE
from prometheus_client.registry import Collector

from streamlink_sql.errors import StreamLinkError
from streamlink_sql.logs import ended
from streamlink_sql.types import Answer, Stage

__all__ = ["MEDIA_TYPE", "Course", "Metrics", "Stages"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
TURNED_DOWN = ("refused", "failed")
TRIALS = ("streamlink_policy_trials", "Answers by what a policy in log mode would have made.", None, ["outcome"])
NOW = (
    "streamlink_stage_underway",
    "Questions under way by the stage that they are in; those in `queue` wait for a place.",
    None,
    ["stage"],
)


class Stages:
    """What stages come to: seconds, and the tokens of chat models. `prefix` begins the names."""

    def __init__(self, registry: CollectorRegistry, prefix: str) -> None:
        """Counts into a registry."""
        self._seconds = Histogram(f"{prefix}_stage_seconds", "Seconds of each stage.", ["stage"], registry=registry, buckets=SECONDS)
        told = "Tokens that the model's server says it has read and written."
        self._tokens = Counter(f"{prefix}_tokens", told, ["direction"], registry=registry)

    def ended(self, stage: Stage) -> None:
        """Counts one stage, once it has ended."""
        if stage.ms is None:
            return
        self._seconds.labels(stage.name).observe(stage.ms / 1000)
        for direction in ("read", "written"):
            if tokens := stage.counts.get(f"tokens_{direction}"):
                self._tokens.labels(direction).inc(tokens)


@dataclass(slots=True, eq=False)
class Course:
    """One question as the counters see it: its stage, how often the model was asked, and how it ended."""

    stages: Stages
    now: str = ""
    last: str = ""
    models: int = 0
    code: str = "internal"
    answer: Answer | None = None
    drafts: list[tuple[str, str]] = field(default_factory=list)
    """Verdict and rule of each draft."""
    rule: str = ""
    """The rule by which the question itself was turned down, before anything was drafted."""
    began: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0

    def seen(self, stage: Stage) -> None:
        """Follows it from stage to stage."""
        self.now = "" if stage.state == "end" else stage.name
        self.last = stage.name
        self.models += stage.name == "model" and stage.state == "start"
        self.stages.ended(stage)

    def answered(self, answer: Answer) -> Answer:
        """Its end, where it is an answer."""
        self.code, self.answer = "ok", answer
        self.drafts = [(attempt.verdict, attempt.rule) for attempt in answer.attempts]
        return answer

    def failed(self, error: StreamLinkError) -> None:
        """Its end, where it is a problem."""
        self.code, tried = error.code, error.helps.get("attempts")
        self.drafts = [(str(draft.get("verdict")), str(draft.get("rule"))) for draft in tried or ()]
        self.rule = "" if tried else str(error.helps.get("rule", ""))


class Metrics:
    """The counters of one server."""

    def __init__(self, tried: Mapping[str, int]) -> None:
        """Each server counts for itself. `tried` are the answers that a policy in log mode has judged, by outcome."""
        self._courses, self._lock = set[Course](), threading.Lock()
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(_Read(lambda: _labelled(CounterMetricFamily(*TRIALS), tried)))
        self.registry.register(_Read(lambda: _labelled(GaugeMetricFamily(*NOW), self._now())))
        self.stages = Stages(self.registry, "streamlink")
        self.total = Histogram("streamlink_question_seconds", "Seconds from question to outcome.", registry=self.registry, buckets=SECONDS)
        self.underway = Gauge("streamlink_questions_underway", "Questions under way.", registry=self.registry)
        self.underway.set_function(lambda: len(self._courses))
        self.questions = self._counter("questions", "Questions by outcome: ok, or the code of the problem.", "code")
        self.drafts = self._counter("drafts", "Drafts by verdict: ran, passed, refused, failed, spare.", "verdict")
        self.refusals = self._counter("refusals", "Drafts and questions that were turned down, by rule.", "rule")
        self.again = self._counter("second_rounds", "Questions that the model was asked once more, as all of its drafts were turned down.")
        self.rows = self._counter("answer_rows", "Rows of answers.")
        self.bytes = self._counter("answer_bytes", "Bytes of answers, in memory.")

    @contextmanager
    def counted(self) -> Iterator[Course]:
        """Follows one question to its end."""
        course = Course(self.stages)
        with self._lock:
            self._courses.add(course)
        try:
            yield course
        except StreamLinkError as error:
            course.failed(error)
            raise
        finally:
            with self._lock:
                self._courses.discard(course)
            course.seconds = time.perf_counter() - course.began
            self._count(course)
            rows = {"rows": course.answer.row_count} if course.answer else {}
            ended(course.code, course.seconds, stage=course.last, **rows)

    def page(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)

    def _count(self, course: Course) -> None:
        self.questions.labels(course.code).inc()
        self.total.observe(course.seconds)
        self.again.inc(course.models > 1)
        for verdict, _ in course.drafts:
            self.drafts.labels(verdict).inc()
        for rule in filter(None, [course.rule, *(rule for verdict, rule in course.drafts if verdict in TURNED_DOWN)]):
            self.refusals.labels(rule).inc()
        if course.answer is not None:
            self.rows.inc(course.answer.row_count)
            self.bytes.inc(course.answer.rows.table.nbytes if course.answer.rows else 0)

    def _now(self) -> Mapping[str, int]:
        with self._lock:
            return Tally(course.now for course in self._courses if course.now)

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(f"streamlink_{name}", told, labels, registry=self.registry)


def _labelled(family: CounterMetricFamily | GaugeMetricFamily, numbers: Mapping[str, int]) -> Metric:
    for value, number in sorted(numbers.items()):
        family.add_metric([value], number)
    return family


class _Read(Collector):
    """Numbers that are kept elsewhere, read when they are asked for."""

    def __init__(self, family: Callable[[], Metric]) -> None:
        self._family = family

    def collect(self) -> Iterator[Metric]:
        yield self._family()
