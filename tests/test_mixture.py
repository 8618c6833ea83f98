"""The mixture: ratios, the split by template, what leaks, and the open half over schemas of our own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from streamlink_sql.errors import BadRequest, NotFound
from streamlink_sql.training import mixture
from streamlink_sql.training.mixture import leaks, mix, open_pairs, read_open, read_ratio, write_mixture
from streamlink_sql.training.pairs import Pair, read_pairs, write_pairs
from streamlink_sql.training.synthetic.schema import load
from streamlink_sql.training.synthetic.values import SCHEMAS


def own(count: int) -> list[Pair]:
    """Pairs of twenty templates; the first ten pairs are accepted, all of one template."""
    return [
        Pair(f"question {at}", f"SELECT {at}", template=f"t{0 if at < 10 else at % 20}", way="accepted" if at < 10 else "backward")
        for at in range(count)
    ]


def others(count: int) -> list[Pair]:
    """Pairs about another database."""
    return [Pair(f"other {at}", f"SELECT o{at}", template=f"o{at % 40}", way="open", database="shop") for at in range(count)]


@pytest.mark.parametrize(
    ("ratio", "domain", "opened"), [("1:0", 300, 0), ("3:1", 300, 100), ("1:1", 300, 300), ("1:3", 200, 600), ("0:1", 0, 600)]
)
def test_the_halves_stand_in_the_ratio(ratio: str, domain: int, opened: int) -> None:
    mixed = mix(own(300), others(600), read_ratio(ratio))
    ways = [pair.way == "open" for pair in (*mixed.train, *mixed.validation)]
    assert (ways.count(False), ways.count(True)) == (domain, opened)
    assert mixed.report["ratio"] == ratio


def test_so_many_in_all_and_accepted_ones_first() -> None:
    mixed = mix(own(300), others(600), (3, 1), count=80)
    pairs = (*mixed.train, *mixed.validation)
    assert len(pairs) == 80
    assert sum(pair.way == "accepted" for pair in mixed.train) == 10
    assert mix(own(300), others(600), (3, 1), count=80) == mixed
    assert mix(own(300), others(600), (3, 1), 8, count=80) != mixed


def test_no_template_is_on_both_sides_and_accepted_templates_are_trained_on() -> None:
    mixed = mix(own(300), others(600), validation=0.2)
    trained, apart = ({pair.template for pair in side} for side in (mixed.train, mixed.validation))
    assert not trained & apart
    assert "t0" in trained
    assert 0.1 < len(mixed.validation) / 600 <= 0.2
    assert {pair.way for pair in mixed.validation} == {"backward", "open"}


def test_what_is_held_out_is_not_trained_on() -> None:
    held_out = [Pair("Question 3?", "SELECT 'else'"), Pair("said otherwise", "select  44;"), Pair("other 5", "SELECT o5")]
    assert [(leak.pair.question, leak.what) for leak in leaks(own(300), held_out)] == [
        ("question 3", "the same question"),
        ("question 44", "the same SQL"),
    ]
    assert leaks(others(9), held_out) == []  # the same words over another database are no leak
    mixed = mix(own(300), others(600), held_out=held_out)
    assert {"question 3", "question 44"}.isdisjoint(pair.question for pair in (*mixed.train, *mixed.validation))
    assert mixed.report["left_out"] == {"the same question": 1, "the same SQL": 1}


@pytest.mark.parametrize("text", ["", "1", "0:0", "a:b", "1:2:3", "-1:1", "1.5:1"])
def test_what_is_no_ratio_is_told(text: str) -> None:
    with pytest.raises(BadRequest, match="no ratio"):
        read_ratio(text)


def test_the_open_half_is_made_once_over_databases_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixture, "_SCHEMAS", 3)
    pairs = open_pairs(tmp_path, 60)
    assert len({pair.database for pair in pairs}) == 3
    assert {pair.way for pair in pairs} == {"open"}
    for pair in pairs[:20]:
        with duckdb.connect(str(tmp_path / "databases" / f"{pair.database}.duckdb"), read_only=True) as connection:
            assert connection.execute(pair.query).fetchone()
    written = (tmp_path / "train.jsonl").stat().st_mtime_ns
    assert open_pairs(tmp_path, 60) == pairs
    assert (tmp_path / "train.jsonl").stat().st_mtime_ns == written
    assert open_pairs(tmp_path, 60, seed=8) != pairs


def test_the_shipped_schemas_are_enough() -> None:
    assert len(load(SCHEMAS)) >= 60
    assert mixture._SCHEMAS >= 60


def test_a_set_that_the_user_names(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"train\.jsonl"):
        read_open(tmp_path)
    (tmp_path / "tables.json").write_text("[]", encoding="utf-8")
    (tmp_path / "train.jsonl").write_text('{"question": "q", "query": "SELECT 1"}\n', encoding="utf-8")
    with pytest.raises(BadRequest, match="db_id"):
        read_open(tmp_path)
    (tmp_path / "train.jsonl").write_text('{"question": "q", "query": "SELECT 1", "db_id": "pets"}\n', encoding="utf-8")
    assert [(pair.database, pair.way) for pair in read_open(tmp_path)] == [("pets", "open")]


def test_the_command_writes_a_folder_and_tells_what_is_in_it(tmp_path: Path) -> None:
    write_pairs(tmp_path / "pairs.jsonl", own(200))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "tables.json").write_text("[]", encoding="utf-8")
    write_pairs(tmp_path / "other" / "train.jsonl", others(300))
    command = [
        sys.executable,
        "-m",
        "streamlink_sql.training.mixture",
        "--domain",
        str(tmp_path / "pairs.jsonl"),
        "--out",
        str(tmp_path / "mix"),
    ]
    told = [*command, "--open", str(tmp_path / "other")]
    found = subprocess.run([*told, "--ratio", "2:1"], capture_output=True, text=True, timeout=250, check=False)
    assert found.returncode == 0, found.stderr
    report = json.loads(found.stdout)
    train = read_pairs(tmp_path / "mix" / "train.jsonl")
    assert report["train"]["pairs"] == len(train)
    assert report["train"]["pairs"] + report["validation"]["pairs"] == 300
    wrong = subprocess.run([*told, "--ratio", "half"], capture_output=True, text=True, timeout=250, check=False)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)


def test_a_mixture_in_files_reads_back(tmp_path: Path) -> None:
    mixed = mix(own(100), others(100))
    write_mixture(mixed, tmp_path / "mix")
    assert tuple(read_pairs(tmp_path / "mix" / "train.jsonl")) == mixed.train
    assert tuple(read_pairs(tmp_path / "mix" / "validation.jsonl")) == mixed.validation
