"""A part of a real cluster dies while people ask: nothing accepted is lost, no answer is wrong.

DuckDB runs the queries here; Spark and HDFS join in `benchmarks/faults.py`, with more askers.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks.fault_load import Load, Story, Streaming, says_accepted, under_load
from benchmarks.fault_report import COLUMNS, Outcome, Span, cells, page, recovered, table
from benchmarks.faults import FAULTS, VISITORS, Scene, scene
from deploy.cluster.parts import HOST, PORTS, ROOT
from deploy.cluster.state import open_cluster
from streamlink_sql.demo import QUESTIONS
from streamlink_sql.errors import Busy, CannotAnswer
from streamlink_sql.settings import load_settings
from streamlink_sql.store.store import open_store
from streamlink_sql.store.tables import history
from streamlink_sql.types import Question
from tests.serving import control_on, make_data, serving, until

ASKERS, BEFORE_S, AFTER_S = 8, 4, 8


def shift() -> int:
    """What moves all ports of a cluster to free ones."""

    def is_free(port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, port)) != 0

    tries = random.sample(range(11_000, 22_000, 20), 50)
    return next(each for each in tries if all(is_free(port + each + replica) for port in PORTS.values() for replica in range(3)))


@pytest.fixture(scope="module")
def ready() -> Iterator[Scene]:
    """A running cluster without Spark, and askers; with as many questions as take no time."""
    folder = Path(tempfile.mkdtemp(prefix="streamlink-cluster-", dir="/tmp"))  # the path of a socket is short
    folder.chmod(0o755)  # PostgreSQL runs as another user when we are root
    told = {"CLUSTER_DIR": str(folder), "CLUSTER_ENGINE": "duckdb", "CLUSTER_SHIFT": str(shift()), "ROWS": "5000"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        try:
            up = cluster_does("up")
            if up.returncode == 4 and "not here" in up.stderr:
                pytest.skip(up.stderr.strip())
            assert up.stdout.splitlines()[-1].startswith("READY http://127.0.0.1:"), up.stdout + up.stderr
            cluster = open_cluster(folder)
            settings = load_settings(cluster.settings)
            texts = [json.loads(line)["question"] for line in QUESTIONS.read_text(encoding="utf-8").splitlines()][:20]
            with closing(open_store(settings.store, settings.audit_dir)) as store:
                found = scene(cluster, store, texts, ASKERS)
                yield found
                found.settle()
            status = cluster_does("status")
            assert (status.returncode, status.stdout.count(" healthy")) == (0, 8), status.stdout
        finally:
            down = cluster_does("down")
        assert down.returncode == 0
        assert cluster_does("status").stdout.count(" down") == 8
    shutil.rmtree(folder)


def cluster_does(command: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "deploy.cluster", command]
    return subprocess.run(line, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=600)


@pytest.mark.cluster
@pytest.mark.timeout(900)
@pytest.mark.parametrize("fault", ["ccu", "worker", "postgres", "nginx"])
def test_nothing_is_lost_and_nothing_is_wrong(ready: Scene, fault: str) -> None:
    found = ready.run(fault, FAULTS[fault], BEFORE_S, AFTER_S)
    assert found.harm == 0, table([found])
    assert found.accepted >= found.answered > ASKERS
    assert found.feedback > 0
    assert found.pages > VISITORS
    assert found.pages_failed <= found.pages / 10


def outcome(**told: object) -> Outcome:
    plain = {"fault": "ccu", "what": "kill <-9>", "accepted": 3, "answered": 2, "failed": {"busy": 1}, "taken_over": 0, "lost": ()}
    plain |= {"audit_lost": (), "feedback": 1, "feedback_failed": 0, "feedback_lost": 0, "wrong_rows": (), "longest_s": 1.5}
    plain |= {"normal_rate": 2.0, "recovery_s": None, "error_rate": 0.5, "pages": 9, "pages_failed": 1, "replica_gap_s": 1.0}
    return Outcome(**{**plain, "timeline": ((2, 0), (0, 1)), "struck_s": 1.0, **told})  # type: ignore[arg-type]


def test_the_rate_is_back_when_it_stays() -> None:
    quiet, gap = [(2, 0)] * 10, [(0, 1)] * 5
    assert recovered([*quiet, *gap, *[(2, 0)] * 20], 10) == (5.0, 2.0)
    assert recovered([*quiet, *[(2, 0)] * 20], 10) == (0.0, 2.0)
    assert recovered([*quiet, *[(0, 0)] * 30], 10) == (None, 2.0)
    assert recovered([(0, 1)] * 40, 10) == (None, 0.0)


def test_an_accepted_question_without_a_row_is_lost() -> None:
    here, told, silent, turned_away = (Question(text) for text in ("here", "told", "silent", "turned away"))
    with closing(open_store("temporary")) as store:
        for question in (here, silent):
            store.accepted(question)
            store.refused(question, CannotAnswer(), engine="", attempts=())
        with store.transaction("written") as connection:
            connection.execute(sa.delete(history).where(history.c.id == silent.id))
        heard = {here: ("cannot_answer", True), told: ("timed_out", True), silent: ("timed_out", False), turned_away: ("busy", False)}
        load = Load([Story(each.id, each.text, 0, 1, code, 1, accepted) for each, (code, accepted) in heard.items()])
        found = Outcome.of("none", "nothing", Span(0, 0, 1), load, store, {})
    assert found.accepted == 2
    assert [said.partition(" ")[0] for said in found.lost] == [told.id, silent.id], "what its asker does not know, the audit does"
    assert found.harm == 2


def test_askers_note_what_they_are_told(tmp_path: Path) -> None:
    with control_on(make_data(tmp_path)) as control, serving(control) as url:
        with under_load(url, ("one", "other"), ("which sales can go?",)) as load:
            until(lambda: len(load.stories) > 1)
        assert {(story.code, story.is_accepted) for story in load.stories} == {("policy_refused", True)}
        with closing(Streaming(url, "one")) as asker:
            asker.answer(Question("how many sales?"))
            assert asker.is_accepted, "the stream said so"
    assert not says_accepted(Busy(id="of something else"), Question("how many sales?"))


def test_a_report_says_what_was_lost() -> None:
    fine, bad = outcome(), outcome(lost=("x took 99 s",))
    assert (fine.harm, bad.harm) == (0, 1)
    assert len(cells(fine)) == len(COLUMNS)
    assert "x took 99 s" in table([bad])
    assert "Nothing was lost" in page([fine])
    assert "Something was lost" in page([fine, bad])
    assert "kill &lt;-9&gt;" in page([fine])
