"""The main job with the network blocked: a network namespace without interfaces gives the same answers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from streamlink_sql.demo.patents import make_patents
from streamlink_sql.generators.parser.runtime import WEIGHTS

QUESTIONS = ("How many patents are there?", "How many patents were granted in 2015?")


def _may_unshare() -> bool:
    return (
        shutil.which("unshare") is not None and subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0
    )


def _ask(question: str, data: Path, *before: str) -> dict[str, Any]:
    command = [*before, sys.executable, "-m", "streamlink_sql", "ask", question, "--data", str(data), "--store", "temporary"]
    done = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, check=True, timeout=120)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.skipif(not (WEIGHTS / "encoder.onnx").exists(), reason="the embedded parser's weights are not here")
@pytest.mark.skipif(sys.platform != "linux" or not _may_unshare(), reason="this system lets nobody make a network namespace")
def test_the_answers_are_the_same_without_a_network(tmp_path: Path) -> None:
    """No process needs a connection that the settings do not name."""
    data = make_patents(tmp_path / "patents", 2_000)
    for question in QUESTIONS:
        online, offline = _ask(question, data), _ask(question, data, "unshare", "-rn")
        assert (offline["sql"], offline["rows"]) == (online["sql"], online["rows"])
        assert offline["rows"]
