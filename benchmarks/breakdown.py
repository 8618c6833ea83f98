"""Where a question's seconds go on the paper's path, and how many answers are right: asker, Nginx, control unit, Nginx, two workers.

    python benchmarks/breakdown.py QUESTIONS.jsonl --data PATENTS --html breakdown.html --json breakdown.json

The workers are two llama.cpp servers with a real language model (`scripts/get_model.py`, and a Python that has xllamacpp), then two
`streamlink-sql worker` with the embedded parser. The engine is DuckDB on the data, or with --spark a Spark Connect server. All processes
but that server are started here and stopped at the end. Questions have a gold `query`, which runs in DuckDB. Ids and figures are printed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import IO, Any

import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table

from streamlink_sql.client import Client
from streamlink_sql.errors import StreamLinkError
from streamlink_sql.evaluate.execution import as_scored, comparable_rows, execution_match, is_ordered
from streamlink_sql.evaluate.reference import open_references
from streamlink_sql.evaluate.scores import wilson
from streamlink_sql.evaluate.sets import GoldQuestion, Source, read_questions
from streamlink_sql.types import Question, Stage

ROOT = Path(__file__).resolve().parent.parent
MODEL = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "streamlink-models" / "qwen-coder-0.5b.gguf"
LLAMA_PYTHON = ROOT / ".venv-llm" / "bin" / "python"
WORKERS = 2
START_S, STOP_S, MODEL_S, ROWS = 300.0, 30.0, 300.0, 100_000
STAGES = {"model": "#2f6f9f", "checks": "#c9a227", "dry_run": "#7fb3a6", "engine": "#8d5a97", "rest": "#b8bec6"}
"""What a question's seconds are told apart by, and the colour of each. The rest is all else, from asker to asker."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, what became of it, and its seconds by stage."""

    id: str
    seconds: Mapping[str, float]
    is_right: bool
    problem: str = ""
    question: str = ""
    query: str = ""
    sql: str = ""


class Failed(Exception):
    """A process of the benchmark did not start; the text says why."""


class Processes:
    """The processes of one run, in a folder of their own: started one after the other, stopped in reverse."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self.running: dict[str, int] = {}
        self._kept = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLINK_")}

    def start(self, name: str, command: Sequence[str], announces: str = "", **settings: str) -> str:
        """Starts a process, and waits until it announces its address, which is given."""
        told = {f"STREAMLINK_{setting.upper()}": value for setting, value in settings.items()}
        log = self._folder / f"{name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                command,
                cwd=self._folder,
                env=self._kept | {"PYTHONPATH": str(ROOT)} | told,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us: they end when we have written down what there is
            )
        self._stack.callback(_stop, process)
        self.running[name] = process.pid
        end = time.monotonic() + START_S
        while not (found := re.search(announces, log.read_text(errors="replace"))):
            if process.poll() is not None or time.monotonic() > end:
                raise Failed(f"{name} did not start: {' '.join(log.read_text(errors='replace').split())[-600:]}")
            time.sleep(0.1)
        return found[0]

    def ours(self, name: str, *arguments: str, **settings: str) -> str:
        """Starts a command of StreamLink that serves, on a free port; gives HOST:PORT."""
        url = self.start(
            name, [sys.executable, "-m", "streamlink_sql", *arguments, "--port", "0"], r"answers on http://[\d.:]+", **settings
        )
        return url.rpartition("/")[2]

    def nginx(self, **settings: str) -> Path:
        """Starts an Nginx as `streamlink-sql nginx` configures it for these settings; gives its folder."""
        folder = self._folder / "nginx"
        folder.mkdir()
        for place in (self._folder, folder):
            place.chmod(0o755)  # started by root, its workers are somebody else
        told = {f"STREAMLINK_{setting.upper()}": value for setting, value in settings.items()}
        command = [sys.executable, "-m", "streamlink_sql", "nginx"]
        made = subprocess.run(
            command, cwd=self._folder, env=self._kept | {"PYTHONPATH": str(ROOT)} | told, capture_output=True, text=True, check=False
        )
        program = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
        if made.returncode or program is None:
            raise Failed(made.stderr.strip() or "There is no Nginx here. On Debian or Ubuntu: sudo apt-get install nginx-light")
        (folder / "nginx.conf").write_text(made.stdout)
        self.start("nginx", [program, "-p", str(folder), "-e", "error.log", "-c", "nginx.conf", "-g", "daemon off;"])
        return folder


def cpu_s(pids: Sequence[int]) -> float:
    """The processor time that processes have taken, which a busy machine does not lengthen as it does the clock's."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Asks it to end, and makes it."""
    if process.stdin:
        process.stdin.close()
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def cluster(kind: str, told: argparse.Namespace) -> Iterator[tuple[str, Path, list[int]]]:
    """The path with workers of a kind: where to ask, Nginx's log of who answered, and the numbers of the workers' processes."""
    with tempfile.TemporaryDirectory(prefix="streamlink-breakdown-") as folder, ExitStack() as stack:
        processes = Processes(Path(folder), stack)
        workers = [_worker(processes, kind, number, told) for number in range(1, WORKERS + 1)]
        ports = {name: f"127.0.0.1:{_free_port()}" for name in ("nginx_listen", "nginx_ccu_listen", "nginx_worker_listen")}
        behind = ports["nginx_worker_listen"]
        model = f"http://{behind}/v1#{told.model.stem}" if kind == "llama" else f"worker:http://{behind}"
        data = {"data": told.spark, "glossary": str(told.data / "glossary.toml")} if told.spark else {"data": str(told.data)}
        if told.spark and told.files:
            data["locations"] = json.dumps({each.stem: f"file://{each}" for each in sorted(told.data.glob("*.parquet"))})
        limits = {"model_timeout_s": str(MODEL_S), "time_limit_s": "120", "row_limit_max": str(ROWS)}
        ccu = processes.ours("ccu", "ccu", model=model, store="temporary", **data, **limits)
        front = {"nginx_ccus": json.dumps([ccu]), "nginx_workers": json.dumps(workers), "model_timeout_s": str(MODEL_S)}
        nginx = processes.nginx(**ports, **front)
        _await(f"http://{ports['nginx_listen']}/readyz")
        yield f"http://{ports['nginx_listen']}", nginx / "access.log", list(processes.running.values())[:WORKERS]


def _free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _worker(processes: Processes, kind: str, number: int, told: argparse.Namespace) -> str:
    """One worker; its HOST:PORT."""
    if kind == "parser":
        return processes.ours(f"worker-{number}", "worker", "--model", "parser")
    serve = [str(told.llama_python), str(ROOT / "scripts" / "llama_server.py"), str(told.model)]
    threads = ["--threads", str(told.threads)] if told.threads else []
    url = processes.start(f"llama-{number}", [*serve, *threads], r"http://[\d.:]+(?=/v1#)")
    return url.rpartition("/")[2]


def _await(url: str) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        try:
            if httpx.get(url, timeout=10).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise Failed(f"{url} did not become ready within {START_S:g} s.")


def asked_all(url: str, questions: Sequence[GoldQuestion], data: Path, kind: str) -> list[Asked]:
    """Asks one after the other; Ctrl-C ends it early and loses nothing of what was asked."""
    found: list[Asked] = []
    with Client(url) as client, open_references(Source(data)) as references, references("") as reference:
        try:
            for question in track(questions, kind, console=Console(stderr=True), transient=True):
                gold = reference.gold_rows(as_scored(question.query, keep_distinct=True))
                found.append(_asked(client, question, gold))
        except KeyboardInterrupt:
            print(f"{kind}: stopped after {len(found)} of {len(questions)} questions.", file=sys.stderr)
    return found


def _asked(client: Client, question: GoldQuestion, gold: Sequence[tuple[Any, ...]]) -> Asked:
    """Asks one question from door to door."""
    ms: Counter[str] = Counter()

    def watch(stage: Stage) -> None:
        ms[stage.name] += stage.ms or 0.0  # type: ignore[assignment]

    sql, problem, is_right = "", "", False
    began = time.perf_counter()
    try:
        answer = client.answer(Question(question.text, row_limit=ROWS, confirm=True), watch)
        whole = time.perf_counter() - began
        sql, rows = answer.sql, comparable_rows(answer.rows.as_python() if answer.rows else [])
        is_right = execution_match(rows, gold, is_ordered(question.query))
    except StreamLinkError as error:
        whole, problem = time.perf_counter() - began, error.code
    seconds = {stage: ms[stage] / 1000 for stage in STAGES if stage != "rest"}
    seconds |= {"rest": whole - sum(seconds.values()), "total": whole}
    return Asked(question.id, seconds, is_right, problem, question.text, question.query, sql)


def figures(kind: str, engine: str, found: Sequence[Asked], log: Path) -> dict[str, Any]:
    """What a run adds up to."""
    right = sum(each.is_right for each in found)
    stages = {}
    for stage in (*STAGES, "total"):
        times = [each.seconds[stage] for each in found]
        shown = {"median": statistics.median(times), "p95": sorted(times)[-(-95 * len(times) // 100) - 1], "mean": statistics.fmean(times)}
        stages[stage] = {name: round(value, 4) for name, value in shown.items()}
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    drafts = Counter(line["upstream"] for line in lines if line["path"] in ("/v1/drafts", "/v1/chat/completions"))
    return {
        "workers": kind,
        "engine": engine,
        "questions": len(found),
        "right": right,
        "ex": round(right / len(found), 4),
        "ex_interval": wilson(right, len(found)),
        "seconds": stages,
        "first_questions_s": [round(each.seconds["total"], 2) for each in found[:WORKERS]],
        "drafts_by_worker": sorted(drafts.values()),
        "problems": dict(Counter(each.problem for each in found if each.problem)),
        "wrong": [each.id for each in found if not each.is_right],
    }


def show(runs: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Tables for people."""
    for run in runs:
        low, high = run["ex_interval"]
        table = Table(
            "seconds", "median", "95 %", "mean", "share", title=f"{run['workers']}, {run['engine']}: {run['questions']} questions"
        )
        for stage, times in run["seconds"].items():
            share = times["mean"] / run["seconds"]["total"]["mean"]
            table.add_row(stage.replace("_", " "), *(f"{times[name]:.3f}" for name in ("median", "p95", "mean")), f"{share:.0%}")
        console.print(table)
        console.print(
            f"right: {run['right']} of {run['questions']}, {run['ex']:.0%} ({low:.0%} to {high:.0%}); drafts by worker: "
            f"{run['drafts_by_worker']}; the first questions took {run['first_questions_s']} s; processor time of the workers: "
            f"{run['worker_cpu_s']} s a question; problems: {run['problems'] or 'none'}"
        )
        console.print(f"wrong: {', '.join(run['wrong']) or 'none'}", markup=False)


def page(runs: Sequence[tuple[Mapping[str, Any], Sequence[Asked]]], machine: str) -> str:
    """The figures with a plot as one HTML page: nothing is fetched, no question is shown."""
    legend = "".join(f'<span><i style="background:{colour}"></i>{stage.replace("_", " ")}</span>' for stage, colour in STAGES.items())
    parts = "".join(_section(run, found) for run, found in runs)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Where the seconds go</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; }}
table {{ border-collapse: collapse; }} th, td {{ padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: right; }}
th:first-child, td:first-child {{ text-align: left; }} svg {{ max-width: 100%; height: auto; }}
span {{ margin-right: 1.2rem; }} i {{ display: inline-block; width: .8rem; height: .8rem; margin-right: .3rem; }}
</style>
</head>
<body>
<h1>Where the seconds go</h1>
<p>{escape(machine)}</p>
<p>{legend}</p>
{parts}</body>
</html>
"""


def _section(run: Mapping[str, Any], found: Sequence[Asked]) -> str:
    low, high = run["ex_interval"]
    rows = "".join(
        f"<tr><td>{stage.replace('_', ' ')}</td>{''.join(f'<td>{times[name]:.3f}</td>' for name in ('median', 'p95', 'mean'))}</tr>\n"
        for stage, times in run["seconds"].items()
    )
    return (
        f"<h2>{escape(run['workers'])} workers, {escape(run['engine'])}</h2>\n"
        f"<p>{run['right']} of {run['questions']} right: {run['ex']:.0%} ({low:.0%} to {high:.0%}).</p>\n"
        f"<table>\n<tr><th>seconds</th><th>median</th><th>95 %</th><th>mean</th></tr>\n{rows}</table>\n{_chart(found)}"
    )


def _chart(found: Sequence[Asked]) -> str:
    """A bar a question, in the order in which they were asked, its stages on top of each other."""
    width, height, left = 900, 240, 46
    most = max(each.seconds["total"] for each in found)
    step = (width - left) / len(found)
    drawn = [f'<text x="0" y="12">{most:.1f} s</text><text x="0" y="{height}">0 s</text>']
    for at, each in enumerate(found):
        floor = float(height)
        for stage, colour in STAGES.items():
            tall = max(0.0, each.seconds[stage]) / most * (height - 4)
            floor -= tall
            said = f"{escape(each.id)}: {stage.replace('_', ' ')} {each.seconds[stage]:.3f} s"
            place = f'x="{left + at * step:.1f}" y="{floor:.1f}" width="{max(1.0, step - 2):.1f}" height="{tall:.1f}"'
            drawn.append(f'<rect {place} fill="{colour}"><title>{said}</title></rect>')
    label = 'role="img" aria-label="Seconds of each question by stage" font-size="13" font-family="system-ui, sans-serif"'
    return f'<svg viewBox="0 0 {width} {height + 4}" width="{width}" height="{height + 4}" {label}>\n' + "\n".join(drawn) + "\n</svg>\n"


def main() -> int:
    """Prints figures; exit status 1 where a process does not start, 130 where it was stopped early."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", type=Path, help="JSON lines with id, question and query")
    parser.add_argument("--data", type=Path, required=True, help="the folder of Parquet files that the gold queries are about")
    parser.add_argument("--workers", choices=("llama", "parser"), action="append", help="who writes; may be given twice (both)")
    parser.add_argument("--model", type=Path, default=MODEL, help="the GGUF file of the llama.cpp servers (scripts/get_model.py)")
    parser.add_argument("--llama-python", type=Path, default=LLAMA_PYTHON, help="a Python with xllamacpp (that of scripts/test-llm)")
    parser.add_argument("--threads", type=int, help="threads of each llama.cpp server (all cores but one)")
    parser.add_argument("--spark", help="a Spark Connect server that runs the queries, such as sc://localhost:15002")
    parser.add_argument("--files", action="store_true", help="with --spark: its tables are the files of --data, which it can read itself")
    parser.add_argument("--limit", type=int, help="the first so many questions only")
    parser.add_argument("--json", type=argparse.FileType("w"), help="write the figures to this file, too")
    parser.add_argument("--html", type=Path, help="write the figures with a plot to this file, too")
    parser.add_argument("--failures", action="store_true", help="print the questions that were answered wrong, with both queries")
    told = parser.parse_args()
    told.data, told.model = told.data.resolve(), told.model.resolve()
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)  # a shell starts background jobs with Ctrl-C ignored
    try:
        return measure(told, told.json)
    except KeyboardInterrupt:
        return 130
    except (Failed, StreamLinkError) as error:
        print(error, file=sys.stderr)
        return 1


def measure(told: argparse.Namespace, out: IO[str] | None) -> int:
    """Runs with each kind of workers, shows and writes what came of it."""
    questions = read_questions(told.questions, told.limit)
    before, runs = os.getloadavg()[0], list[tuple[dict[str, Any], list[Asked]]]()
    for kind in dict.fromkeys(told.workers or ("llama", "parser")):
        name = f"llama.cpp ({told.model.stem})" if kind == "llama" else kind
        with cluster(kind, told) as (url, log, pids):
            began = cpu_s(pids)
            found = asked_all(url, questions, told.data, name)
            if found:
                taken = {"worker_cpu_s": round((cpu_s(pids) - began) / len(found), 3)}
                runs.append((figures(name, "Spark" if told.spark else "DuckDB", found, log) | taken, found))
        if len(found) < len(questions):
            break
    machine = f"{os.cpu_count()} cores, load {before:.1f} before and {os.getloadavg()[0]:.1f} at the end"
    shown = [run for run, _ in runs]
    show(shown, Console())
    print(machine)
    for _, answered in runs if told.failures else ():
        for each in (each for each in answered if not each.is_right):
            print(f"{each.id}: {each.question}\n  wanted {each.query}\n  got    {each.sql or each.problem}")
    if out:
        out.write(json.dumps({"machine": machine, "runs": shown}, indent=2) + "\n")
    if told.html:
        told.html.write_text(page(runs, machine), encoding="utf-8")
    return 130 if any(len(found) < len(questions) for _, found in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
