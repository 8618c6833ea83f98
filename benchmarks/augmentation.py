"""How long it takes to make pairs about the patents: drawn, executed on the data, de-duplicated, from the demo's accepted questions.

Prints one JSON object: seconds by the clock, seconds of processors (this process and its children), pairs, what was dropped, coverage.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from streamlink_sql.demo import QUESTIONS
from streamlink_sql.demo.patents import make_patents
from streamlink_sql.training.augment import Plan, augment
from streamlink_sql.training.domain import open_domain
from streamlink_sql.training.pairs import read_pairs, write_pairs


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50_000, help="pairs to make")
    parser.add_argument("--rows", type=int, default=1_000_000, help="patents, where no data is named")
    parser.add_argument("--data", type=Path, help="a folder of patents that is there")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--without-questions", action="store_true", help="backward alone")
    parser.add_argument("--out", type=Path, help="where to keep the pairs")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Progress(console=Console(stderr=True)) as progress:
        data = told.data or make_patents(Path(folder) / "patents", told.rows)
        accepted = [] if told.without_questions else read_pairs(QUESTIONS)
        task = progress.add_task("pairs", total=told.count)
        began = time.perf_counter()
        with open_domain(data) as domain:
            opened = time.perf_counter()
            plan = Plan(told.count, told.seed)
            made = augment(domain, accepted, plan, lambda done: progress.update(task, completed=done))
        ended = time.perf_counter()
    if told.out:
        write_pairs(told.out, made.pairs)
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    report = {name: made.report[name] for name in ("pairs", "ways", "dropped", "diversity", "coverage")}
    seconds = {"open": opened - began, "all": ended - began}
    processors = {"this_process": own.ru_utime + own.ru_stime, "children": children.ru_utime + children.ru_stime}
    print(json.dumps({"seconds": seconds, "processor_seconds": processors, **report}, indent=1))


if __name__ == "__main__":
    main()
