"""Another model teaches the parser: only what runs, gives something, agrees with itself and can be said becomes a pair."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer import Typer
from typer.testing import CliRunner

from streamlink_sql.errors import ModelUnavailable
from streamlink_sql.generators.scripted import ReplayGenerator
from streamlink_sql.training.augment.executing import Executing, Kept
from streamlink_sql.training.distil import Taught, Teaching, command, distil
from streamlink_sql.training.domain import Domain, open_domain
from streamlink_sql.training.pairs import read_pairs
from streamlink_sql.types import Draft

HEAVY = "SELECT colour FROM bricks WHERE weight > 2"
ANSWERS = {
    "Which bricks weigh more than 2?": (HEAVY, "SELECT id FROM bricks", "SELECT b.colour FROM bricks AS b WHERE b.weight > 2"),
    "How many bricks are there?": ("SELECT count(*) FROM bricks", "SELECT max(id) + 1 FROM bricks", "SELECT 7"),
    "Throw the bricks away": ("DROP TABLE bricks", "DROP TABLE bricks", "DROP TABLE bricks"),
    "Bricks over 900": ("SELECT id FROM bricks WHERE weight > 900",) * 3,
    "Bricks or 1": ("SELECT id FROM bricks WHERE weight > 1 OR 1 = 1",) * 3,
    "Number the bricks": ("SELECT row_number() OVER (ORDER BY weight) FROM bricks",) * 3,
}
WHY = {
    "Which bricks weigh more than 2?": "",
    "How many bricks are there?": "do not agree",
    "Throw the bricks away": "may not run",
    "Bricks over 900": "empty",
    "Bricks or 1": "person's look",
    "Number the bricks": "cannot say it",
    "What of the mortar?": "cannot_answer",
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "bricks.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE bricks (id INTEGER PRIMARY KEY, colour TEXT, weight REAL)")
        connection.executemany("INSERT INTO bricks (colour, weight) VALUES (?, ?)", [("red", 1.5), ("blue", 2.5), ("grey", 3.5)])
    return tmp_path / "bricks.sqlite"


@pytest.fixture
def domain(data: Path) -> Iterator[Domain]:
    with open_domain(data) as found:
        yield found


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    lines = [{"question": question, "sql": sql} for question, drafts in ANSWERS.items() for sql in drafts]
    (tmp_path / "replay.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path / "replay.jsonl"


def test_only_what_stands_every_check_is_taught(domain: Domain, recorded: Path) -> None:
    memory = Kept(None, "")
    with closing(Executing(domain, memory)) as executing:
        found = list(distil(list(WHY), Teaching(ReplayGenerator(recorded), domain, executing, 3), memory))
    assert [each.question for each in found] == list(WHY)
    assert all(WHY[each.question] in each.why and bool(each.why) != bool(each.query) for each in found), found
    assert found[0] == Taught("Which bricks weigh more than 2?", HEAVY)
    assert found[0].pair.way == "taught"


class Tired(ReplayGenerator):
    """Gives up after some answers."""

    def __init__(self, file: Path, left: int) -> None:
        super().__init__(file)
        self.left = left

    def generate(self, *asked: Any, **more: Any) -> list[Draft]:
        if not self.left:
            raise ModelUnavailable("no more")
        self.left -= 1
        return super().generate(*asked, **more)


def test_what_was_answered_is_not_asked_again(domain: Domain, recorded: Path, tmp_path: Path) -> None:
    def ask(model: Tired) -> list[Taught]:
        with closing(Kept(tmp_path / "partial", "bricks")) as kept, closing(Executing(domain, Kept(None, ""))) as executing:
            return list(distil(list(ANSWERS), Teaching(model, domain, executing, 3), kept, at_once=1))

    with pytest.raises(ModelUnavailable):
        ask(Tired(recorded, 4))
    rested = Tired(recorded, 10)
    assert [bool(each.query) for each in ask(rested)] == [True] + [False] * 5
    assert rested.left == 8


def test_the_command_writes_pairs_and_a_report(data: Path, recorded: Path, tmp_path: Path) -> None:
    app, out = Typer(), tmp_path / "made" / "pairs.jsonl"
    app.command()(command)
    told = ["--data", str(data), "--questions", str(recorded), "--out", str(out), "--model"]
    done = CliRunner().invoke(app, [*told, f"replay:{recorded}"])
    assert done.exit_code == 0, done.output
    assert [pair.query for pair in read_pairs(out)] == [HEAVY]
    report = json.loads(out.with_name("pairs.jsonl.report.json").read_text())
    assert (report["asked"], report["pairs"], sum(report["left_out"].values())) == (6, 1, 5)
    assert not list(out.parent.glob("*.partial"))
    assert CliRunner().invoke(app, [*told, "nowhere"]).exit_code == 2
    (tmp_path / "blank.jsonl").write_text('{"query": "SELECT 1"}\n')
    told[3] = str(tmp_path / "blank.jsonl")
    assert CliRunner().invoke(app, [*told, f"replay:{recorded}"]).exit_code == 2
