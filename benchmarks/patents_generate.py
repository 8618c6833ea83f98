"""Prints the seconds and bytes that making the patents demo takes: `python benchmarks/patents_generate.py [ROWS]`."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from streamlink_sql.demo.patents import make_patents


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as place:
        start = time.perf_counter()
        folder = make_patents(Path(place) / "patents", rows)
        seconds = time.perf_counter() - start
        sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    print(json.dumps({"rows": rows, "seconds": round(seconds, 2), "bytes": sum(sizes.values()), "files": sizes}))


if __name__ == "__main__":
    main()
