"""What Prometheus reads at /metrics: questions by outcome, seconds by stage. Holds no text of a question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as MEDIA_TYPE
from prometheus_client.registry import Collector

from streamlink_sql.types import Stage

__all__ = ["MEDIA_TYPE", "Metrics"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """The counters of one server."""

    def __init__(self, tried: Mapping[str, int]) -> None:
        """Each server counts for itself. `tried` are the answers that a policy in log mode has judged, by outcome."""
        self.registry = CollectorRegistry()
        self.registry.register(_Tried(tried))
        self.questions = Counter(
            "streamlink_questions", "Questions by outcome: ok, or the code of the problem.", ["code"], registry=self.registry
        )
        self.stages = Histogram("streamlink_stage_seconds", "Seconds of each stage.", ["stage"], registry=self.registry, buckets=SECONDS)
        self.total = Histogram("streamlink_question_seconds", "Seconds from question to outcome.", registry=self.registry, buckets=SECONDS)
        self.underway = Gauge("streamlink_questions_underway", "Questions under way.", registry=self.registry)

    def stage(self, stage: Stage) -> None:
        """Counts one stage that has ended."""
        if stage.ms is not None:
            self.stages.labels(stage.name).observe(stage.ms / 1000)

    def page(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)


class _Tried(Collector):
    def __init__(self, tried: Mapping[str, int]) -> None:
        self._tried = tried

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(
            "streamlink_policy_trials", "Answers by what a policy in log mode would have made.", labels=["outcome"]
        )
        for outcome, count in sorted(self._tried.items()):
            family.add_metric([outcome], count)
        yield family
