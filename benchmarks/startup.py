"""How long it takes to start: `import streamlink_sql` (at most 0.2 s) and `streamlink-sql --help` (at most 0.5 s), in fresh processes."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

CASES = {
    "import streamlink_sql": ([sys.executable, "-c", "import streamlink_sql"], 0.2),
    "streamlink-sql --help": ([sys.executable, "-m", "streamlink_sql", "--help"], 0.5),
}


def seconds(command: list[str], runs: int) -> list[float]:
    """The wall time of each of several runs."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        times.append(time.perf_counter() - began)
    return times


def main() -> int:
    """Prints one JSON object; exit status 1 where a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    bare = statistics.median(seconds([sys.executable, "-c", "pass"], runs))
    result: dict[str, dict[str, float]] = {}
    for name, (command, limit) in CASES.items():
        times = seconds(command, runs)
        result[name] = {
            "median_s": statistics.median(times),
            "max_s": max(times),
            "without_python_s": statistics.median(times) - bare,
            "limit_s": limit,
        }
    print(json.dumps({"python_s": bare, **result}, indent=2))
    return int(any(case["median_s"] > case["limit_s"] for case in result.values()))


if __name__ == "__main__":
    sys.exit(main())
