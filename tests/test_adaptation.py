"""The script that measures adaptation: how questions are split, figures added up and curves drawn."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.adaptation import AMOUNTS, Cell, Results, halves, pooled, report
from benchmarks.curves import svg
from streamlink_sql.training.pairs import Pair


def test_questions_with_the_same_sql_are_in_the_same_half() -> None:
    rng = random.Random(3)
    pairs = [Pair(f"question {number}", f"SELECT {rng.randrange(30)}" + " " * rng.randrange(3)) for number in range(101)]
    first, second = halves(pairs)
    assert sorted(pair.question for pair in (*first, *second)) == sorted(pair.question for pair in pairs)
    assert not {pair.query.strip() for pair in first} & {pair.query.strip() for pair in second}
    assert 45 <= len(first) <= 60
    assert halves(pairs) == (first, second)


def measured(right: list[int], ex: float = 0.8) -> dict[str, Any]:
    return {"held_out": {"right": right}, "others": {"ex": ex}, "seconds": 60.0}


@pytest.fixture
def results(tmp_path: Path) -> Results:
    kept = Results(tmp_path / "results.json")
    for name in ("one", "two"):
        kept.keep(f"before {name}", {"right": [0, 1] * 20})
    kept.keep("before others", {"ex": 0.81})
    kept.keep(Cell("one", None).name, measured([1] * 40))
    kept.keep(Cell("two", None).name, measured([0, 1] * 20, ex=0.79))
    return Results(tmp_path / "results.json")


def test_domains_are_added_up_question_by_question(results: Results) -> None:
    found = pooled(results, [Cell("one", None), Cell("two", None)])
    assert found is not None
    assert (found["before"][0], found["after"][0], found["count"]) == (0.5, 0.75, 80)
    gain, low, high = found["gain"]
    assert gain == 0.25
    assert 0.1 < low < 0.25 < high < 0.4
    assert found["elsewhere"] == pytest.approx(-0.02)
    assert pooled(results, [Cell("one", 20)]) is None


def test_what_is_there_is_shown_and_drawn(results: Results, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(results, ["one", "two"], ["one"], tmp_path)
    shown = capsys.readouterr().out
    assert "together, all accepted" in shown
    assert "+25.0" in shown
    assert "20 accepted" not in shown
    for name in ("accepted", "ratio", "augmentation"):
        picture = ElementTree.fromstring((tmp_path / f"{name}.svg").read_text(encoding="utf-8"))
        assert len(picture.findall(".//{*}circle")) == {"accepted": 3, "ratio": 1, "augmentation": 1}[name]


def test_a_curve_with_gaps_is_drawn() -> None:
    drawn = ElementTree.fromstring(svg("A < B", [str(each) for each in AMOUNTS], {"a & b": [None, (0.5, 0.4, 0.6), None], "empty": []}))
    assert len(drawn.findall(".//{*}circle")) == 1
    assert "A < B" in [text.text for text in drawn.findall(".//{*}text")]
