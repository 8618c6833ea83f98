"""`streamlink-sql load` against a real server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from streamlink_sql.cli.load import figures
from tests.serving import control_on, make_data, serving

needs_locust = pytest.mark.skipif(find_spec("locust") is None, reason="locust is not installed here: make test-cluster")


def test_figures() -> None:
    told = {"ms": {"model": [1.0, 2.0, 3.0], "round_trip": [2.0, 4.0, 6.0]}, "errors": {"busy": 2}, "seconds": 1.5}
    found = figures(told, 3)
    assert found["stages"] == {
        "model": {"p50": 2.0, "p95": 2.9, "p99": 2.98, "share": 0.5},
        "round_trip": {"p50": 4.0, "p95": 5.8, "p99": 5.96, "share": 1.0},
    }
    assert (found["answers"], found["throughput"], found["errors"]) == (3, 2.0, {"busy": 2})


def ask_from_many(address: str, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "streamlink_sql", "load", "--url", address, "--json", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def questions_in(folder: Path) -> str:
    asked = ("how many sales?", "total per region", "something else")
    (folder / "asked.jsonl").write_text("".join(json.dumps({"question": text}) + "\n" for text in asked))
    return str(folder / "asked.jsonl")


@pytest.mark.cluster
@needs_locust
def test_many_askers_are_timed_and_problems_counted(tmp_path: Path) -> None:
    with control_on(make_data(tmp_path / "data")) as control, serving(control) as address:
        done = ask_from_many(address, "--users", "4", "--seconds", "3", "--questions", questions_in(tmp_path))
        out, err = done.communicate(timeout=120)
    assert done.returncode == 0, err
    found = json.loads(out)
    assert found["answers"] > 3
    assert set(found["errors"]) == {"cannot_answer"}
    assert set(found["stages"]) == {"catalog", "model", "checks", "dry_run", "queue", "engine", "total", "round_trip"}
    assert found["stages"]["total"]["p50"] <= found["stages"]["round_trip"]["p50"]


@pytest.mark.cluster
@needs_locust
def test_ctrl_c_keeps_the_figures(tmp_path: Path) -> None:
    with control_on(make_data(tmp_path / "data")) as control, serving(control) as address:
        done = ask_from_many(address, "--users", "2", "--seconds", "200", "--questions", questions_in(tmp_path))
        time.sleep(15)
        done.send_signal(signal.SIGINT)
        out, err = done.communicate(timeout=120)
    assert json.loads(out)["answers"] > 0, err


@pytest.mark.cluster
@needs_locust
def test_what_cannot_be_loaded_is_said_before_anything_starts(tmp_path: Path) -> None:
    nowhere = ask_from_many("http://127.0.0.1:1", "--questions", questions_in(tmp_path))
    assert json.loads(nowhere.communicate(timeout=60)[0])["code"] == "server_unavailable"
    (tmp_path / "none.jsonl").write_text("{}\n")
    empty = ask_from_many("http://127.0.0.1:1", "--questions", str(tmp_path / "none.jsonl"))
    assert "holds no questions" in empty.communicate(timeout=60)[0]
