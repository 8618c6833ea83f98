"""What Prometheus reads of a worker: who waits, what is written, how long it takes, how it ends. Holds no text of a question."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, generate_latest

from streamlink_sql.web.metrics import Stages


class Metrics:
    """The counters of one worker."""

    def __init__(self, *, waiting: Callable[[], int], running: Callable[[], int]) -> None:
        """`waiting` and `running` tell how many there are now."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        for name, about, now in (
            ("waiting", "Questions that wait for the model.", waiting),
            ("running", "Questions written for.", running),
        ):
            Gauge(f"streamlink_worker_{name}", about, registry=self.registry).set_function(now)
        self.questions = Counter(
            "streamlink_worker_questions", "Questions by outcome: ok, or the code of the problem.", ["code"], registry=self.registry
        )
        self.drafts = Counter("streamlink_worker_drafts", "Drafts written.", registry=self.registry)
        self.stages = Stages(self.registry, "streamlink_worker")

    def page(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)
