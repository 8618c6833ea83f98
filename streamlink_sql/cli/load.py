"""`streamlink-sql load`: many askers at once against a running server, by locust, and how long each stage took. Opens no data itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from streamlink_sql.cli.options import AsJSON
from streamlink_sql.cli.terminal import json_line
from streamlink_sql.errors import BadRequest, ServerUnavailable

DEMO = Path(__file__).parent.parent / "demo" / "questions.jsonl"
STAGES = ("catalog", "model", "checks", "dry_run", "queue", "engine", "total", "round_trip")
PERCENTILES = (50, 95, 99)
_STOP_S = 60.0
"""Those under way at the end get so long."""


def load(
    ctx: typer.Context,
    url: Annotated[str, typer.Option("--url", help="The server, such as http://127.0.0.1:8080.")],
    users: Annotated[int, typer.Option("--users", min=1, max=10_000, help="So many ask at the same time.")] = 50,
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=86_400, help="So long they ask.")] = 60,
    questions: Annotated[
        Path | None, typer.Option("--questions", help="JSON lines with `question`. Default: those of the patents demo.")
    ] = None,
    keys: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            envvar="STREAMLINK_KEY",
            help="A key of the server, where it wants a login; several, as one person may ask only so much.",
        ),
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Put questions to a running server from many askers at once, and print the milliseconds of each stage. Ctrl-C ends it early."""
    ctx.obj.as_json = as_json
    from streamlink_sql.client import Client
    from streamlink_sql.evaluate.sets import read_json_lines

    if find_spec("locust") is None:
        raise BadRequest("This needs locust: pip install 'streamlink-sql[load]'.")
    texts = [line["question"] for _, line in read_json_lines(questions or DEMO) if isinstance(line.get("question"), str)]
    if not texts:
        raise BadRequest(f"{questions} holds no questions: it needs JSON lines with the text `question`.")
    for key in keys or [""]:
        with Client(url, key or None) as client:
            client.tables()  # whether it answers, and lets us in
    with tempfile.TemporaryDirectory() as folder:
        told, out = Path(folder, "told.json"), Path(folder, "out.json")
        told.write_text(json.dumps({"questions": texts, "keys": keys or [], "out": str(out)}), encoding="utf-8")
        _run(url, users, seconds, told)
        if not out.exists():
            raise ServerUnavailable("The askers ended without figures.", log=Path(folder, "log").read_text(errors="replace")[-2000:])
        found = figures(json.loads(out.read_text(encoding="utf-8")), users)
    print(json_line(found)) if as_json else _show(found)


def figures(told: dict[str, Any], users: int) -> dict[str, Any]:
    """Percentiles of each stage in milliseconds and its share of the whole time, answers a second, problems by code."""
    import numpy as np

    seconds, answers = told["seconds"], len(told["ms"].get("round_trip", ()))
    whole = sum(told["ms"].get("round_trip", ()))
    stages = {
        stage: {f"p{share}": round(float(np.percentile(told["ms"][stage], share)), 2) for share in PERCENTILES}
        | {"share": round(sum(told["ms"][stage]) / whole, 3)}
        for stage in STAGES
        if told["ms"].get(stage)
    }
    return {
        "users": users,
        "seconds": round(seconds, 2),
        "answers": answers,
        "throughput": round(answers / seconds, 3),
        "stages": stages,
        "errors": told["errors"],
    }


def _run(url: str, users: int, seconds: float, told: Path) -> None:
    """Lets locust work. Ctrl-C ends it early and loses no figure."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    askers = Path(__file__).with_name("load_askers.py")
    command = [sys.executable, "-m", "locust", "-f", str(askers), "--headless", "--only-summary", "--host", url.rstrip("/")]
    command += ["--users", str(users), "--spawn-rate", str(users)]
    command += ["--run-time", f"{max(1, round(seconds))}s", "--stop-timeout", f"{_STOP_S:g}"]
    environment = {**os.environ, "STREAMLINK_LOAD_TOLD": str(told)}
    bars = Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=Console(stderr=True), transient=True)
    with bars, told.with_name("log").open("wb") as log:
        bars.add_task(f"{users} askers, {seconds:g} s")
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            process.wait()
        except KeyboardInterrupt:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_S + 10)
        finally:
            process.kill()


def _show(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("stage", *(f"P{share} ms" for share in PERCENTILES), "of the time")
    for stage, told in found["stages"].items():
        table.add_row(stage.replace("_", " "), *(f"{told[f'p{share}']:,.1f}" for share in PERCENTILES), f"{told['share']:.1%}")
    console = Console()
    console.print(table)
    console.print(
        f"{found['answers']:,} answers from {found['users']:,} askers in {found['seconds']:g} s: {found['throughput']:g} a second."
    )
    for code, number in sorted(found["errors"].items()):
        console.print(f"{code}: {number:,}")
