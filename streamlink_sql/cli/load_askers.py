"""What locust runs for `streamlink-sql load`: askers with one question after the other. Runs in locust's own process."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections import Counter, defaultdict
from itertools import count
from pathlib import Path
from typing import Any

from locust import HttpUser, constant, events, task

TOLD = json.loads(Path(os.environ["STREAMLINK_LOAD_TOLD"]).read_text(encoding="utf-8"))
"""The questions, the keys, and where the figures go: `questions`, `keys`, `out`."""
_turns, _askers = count(), count()
_ms: defaultdict[str, list[float]] = defaultdict(list)
_errors: Counter[str] = Counter()
_began = time.perf_counter()


class Asker(HttpUser):
    """Somebody who asks, waits for the answer, and asks the next question at once."""

    wait_time = constant(0)

    def on_start(self) -> None:
        """Askers take turns at the keys."""
        keys = TOLD["keys"]
        self.client.headers["Accept"] = "application/json"
        if keys:
            self.client.headers["Authorization"] = f"Bearer {keys[next(_askers) % len(keys)]}"

    @task
    def ask(self) -> None:
        """One question; its stages as the answer tells them, `round_trip` as it took here."""
        body = {"question": TOLD["questions"][next(_turns) % len(TOLD["questions"])], "id": str(uuid.uuid4())}
        began = time.perf_counter()
        with self.client.post("/v1/ask", json=body, catch_response=True, timeout=300) as response:
            took = (time.perf_counter() - began) * 1000
            found = _read(response)
            if response.status_code == 200 and "timings_ms" in found:
                _ms["round_trip"].append(took)
                for stage, ms in found["timings_ms"].items():
                    _ms[stage].append(ms)
                response.success()
            else:
                code = str(found.get("code") or response.status_code or "no_answer")
                _errors[code] += 1
                response.failure(code)


def _read(response: Any) -> dict[str, Any]:
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@events.quitting.add_listener
def _write(**_: Any) -> None:
    found = {"ms": _ms, "errors": _errors, "seconds": time.perf_counter() - _began}
    Path(TOLD["out"]).write_text(json.dumps(found), encoding="utf-8")
