"""The injection detector: what it reads, when it alarms, how it is measured and trained. It refuses nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest
from typer.testing import CliRunner

from streamlink_sql.checks import alarms, check
from streamlink_sql.checks.injection import MOST_CHARS, Detector, detector, plain
from streamlink_sql.errors import BadRequest, NotFound
from streamlink_sql.evaluate.commands import app
from streamlink_sql.evaluate.labelled import read_labelled
from streamlink_sql.evaluate.security import evaluate_detector
from streamlink_sql.training import detector as training
from streamlink_sql.training.evasions import EVASIONS, Evasion, disguised
from streamlink_sql.training.synthetic.written import read_written
from streamlink_sql.types import Column, Draft, Table

ATTACKS = (
    "1' OR '1'='1' -- ",
    "-7121' UNION ALL SELECT 4410,4410,4410#",
    "1) AND 7533=BENCHMARK(5000000,MD5(0x6b6f6f72)) AND (1=1",
    "x'; DROP TABLE members; --",
    "1 AND (SELECT 1 FROM (SELECT count(*), concat(version(), floor(rand(0)*2)) x FROM information_schema.tables GROUP BY x) a)",
    "admin'/*",
    "1;WAITFOR DELAY '0:0:5'--",
)
HARMLESS = (
    "How many patents were filed in 2020?",
    "patents whose title mentions union or select committee",
    "Drop-in centres that update their tables daily, and how many delete old records",
    "O'Brien's orders from where the company is based",
    "SELECT country_code, count(*) FROM patents WHERE title ILIKE '%select%' GROUP BY country_code ORDER BY 2 DESC",
    "100% cotton & wool, 5 + 3 pieces",
    "Straße 12/3, 80331 München",
)


@pytest.mark.parametrize(
    ("disguise", "read"),
    [
        ("UnIoN  SELECT\t1", "union select 0"),
        ("un/**/ion sel/*x*/ect", "union select"),
        ("/*!50000union*/ /*!select*/ 1", "union select 0"),
        ("%2527%20or", "' or"),
        ("&#39; or &lt;", "' or <"),
        ("ｕｎｉｏｎ", "union"),
        ("%u0027\\u0027\\x27", "'''"),
        ("sel%00ect 12.5", "select 0"),
        ("open /* comment", "open /* comment"),
        ("", ""),
    ],
)
def test_disguises_are_taken_off(disguise: str, read: str) -> None:
    assert plain(disguise) == read


@pytest.mark.parametrize("text", ATTACKS)
def test_attacks_raise_an_alarm_that_says_where(text: str) -> None:
    found = detector().judge(text)
    assert found.alarm
    assert found.score > 0.5
    assert found.because
    assert found.because in plain(text)


@pytest.mark.parametrize("evasion", EVASIONS, ids=lambda evasion: evasion.__name__)
def test_evasions_do_not_help(evasion: Evasion) -> None:
    rng = Random(5)
    alarms = detector().alarms(evasion(text, rng) for text in ATTACKS for _ in range(20))
    assert sum(alarms) >= 0.95 * len(alarms)


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_texts_raise_none(text: str) -> None:
    found = detector().judge(text)
    assert not found.alarm
    assert found.because == ""
    assert not detector().judge(Random(1).choice((str.upper, str.title))(text)).alarm


def test_questions_of_analysts_raise_none() -> None:
    """Written questions join the training as harmless; the analysts' benchmark does not."""
    path = Path(__file__).parent.parent / "benchmarks" / "analysts" / "questions.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    alarms = detector().alarms(text for line in lines for text in (line["question"], line["query"]))
    assert len(alarms) == 2 * len(lines) == 300
    assert sum(alarms) <= 1


def test_many_at_once_are_judged_like_one_by_one() -> None:
    texts = [*ATTACKS, *HARMLESS, "", "x" * 10 * MOST_CHARS] * 12
    assert detector().alarms(texts) == [detector().judge(text).alarm for text in texts]


def test_what_stands_at_the_end_of_a_long_text_is_read() -> None:
    assert detector().judge("how many people live in the town of the city " * 3 + ATTACKS[1]).alarm
    assert ATTACKS[1].lower()[-20:].replace("4410", "0") in plain("a" * 10 * MOST_CHARS + ATTACKS[1])


def test_it_is_loaded_when_it_is_needed() -> None:
    code = "import sys, streamlink_sql.checks, streamlink_sql.control; print('streamlink_sql.checks.injection' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "texts.csv"
    rows = [(f"a{n}", text, 1) for n, text in enumerate(ATTACKS)] + [(f"h{n}", text, 0) for n, text in enumerate(HARMLESS)]
    rows.append(("wrong", "How many sales?", 1))
    quoted = "".join(f'{id_},"{text.replace(chr(34), chr(34) * 2)}",{label}\n' for id_, text, label in rows)
    path.write_text("id,text,label\n" + quoted, encoding="utf-8")
    return path


def test_evaluation_counts_and_names_what_is_wrong(labelled: Path) -> None:
    found = evaluate_detector(labelled)
    assert found["count"] == len(ATTACKS) + len(HARMLESS) + 1
    assert found["recall"] == pytest.approx(len(ATTACKS) / (len(ATTACKS) + 1))
    assert found["misintercept"] == 0
    assert found["wrong"] == ["wrong"]
    assert found["statements_per_second"] > 0


def test_the_command_prints_a_table_or_one_object(labelled: Path) -> None:
    shown = CliRunner().invoke(app, ["detector", str(labelled)])
    assert shown.exit_code == 0
    assert "87.50%" in shown.output
    assert "Wrong: wrong" in shown.output
    assert json.loads(CliRunner().invoke(app, ["detector", str(labelled), "--json"]).stdout)["wrong"] == ["wrong"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"id,text\n1,x\n", "lacks the column label"),
        (b"id,text,label\n", "has no rows"),
        (b"id,text,label\n1,x,yes\n", "row 1: the label is 'yes'"),
        (b"id,text,label\n1\n", "row 1: the label is None"),
        (b"id,text,label\n1,\xff\xfe,1\n", "is not UTF-8"),
    ],
)
def test_bad_files_are_told(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "bad.csv").write_bytes(content)
    with pytest.raises(BadRequest, match=said):
        evaluate_detector(tmp_path / "bad.csv")
    with pytest.raises(NotFound):
        evaluate_detector(tmp_path / "nowhere.csv")


def test_training_measures_on_templates_it_has_not_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(2)
    words = "river stone market garden window ladder copper winter doctor engine".split()
    rows = [(" ".join(rng.choices(words, k=rng.randint(2, 6))), 0) for _ in range(300)]
    rows += [(f"{rng.randint(1, 99)}' {rng.choice(('or', 'and'))} {rng.choice(words)} = '{rng.choice(words)}' --", 1) for _ in range(200)]
    path = tmp_path / "rows.csv"
    path.write_text("id,text,label\n" + "".join(f'{n},"{text}",{label}\n' for n, (text, label) in enumerate(rows)), encoding="utf-8")
    monkeypatch.setattr(training, "OWN", 50)
    monkeypatch.setattr(training, "EPOCHS", 2)
    assert training.main([str(path), "--out", str(tmp_path / "weights.npz"), "--held-out", str(tmp_path)]) == 0
    apart = read_labelled(tmp_path / "held_out.csv")
    assert {row.text for row in apart} < {text for text, _ in rows}
    assert evaluate_detector(tmp_path / "held_out.csv", weights=tmp_path / "detector.npz")["recall"] > 0.5
    assert training.main([str(path), "--measure", "--held-out", str(tmp_path / "nowhere")]) == 2
    trained = Detector(tmp_path / "weights.npz")
    assert trained.judge("7' or copper = 'stone' --").alarm
    assert not trained.judge("garden window winter").alarm
    assert training.main([str(tmp_path / "nowhere.csv")]) == 2


def test_parts_keep_templates_together() -> None:
    rows = [training.Row(f"select {n % 40} from t{chr(97 + n % 20)}", bool(n % 2)) for n in range(800)]
    found = training.parts(rows, 5)
    assert sum(map(len, found)) == 800
    names = [{training.template(row.text) for row in part} for part in found]
    assert all(not one & other for at, one in enumerate(names) for other in names[at + 1 :])


def test_disguises_are_the_same_for_the_same_seed() -> None:
    assert disguised(ATTACKS[0], Random(3)) == disguised(ATTACKS[0], Random(3))
    assert len({disguised(ATTACKS[1], Random(seed)) for seed in range(50)}) > 40
    assert read_written()
    assert np.isfinite(detector().judge("\ud800 broken").score)


@pytest.mark.parametrize(
    ("literal", "warned"),
    [("x'' or 1=1 --", True), ("+1 (403) 262-6712", False), ("', '", False), ("%", False), ("O''Brien", False)],
)
def test_texts_in_the_sql_are_judged(literal: str, warned: bool) -> None:
    tables = (Table("people", (Column("name", "text"),)),)
    query = check(Draft(f"SELECT name FROM people WHERE name = '{literal.strip(chr(39))}'"), tables, "duckdb")
    assert bool(alarms("who is it?", query)) is warned


def test_dollar_quotes_hide_nothing() -> None:
    tables = (Table("people", (Column("name", "text"),)),)
    query = check(Draft("SELECT name FROM people WHERE name = $$x' or 1=1 --$$"), tables, "duckdb")
    assert "text in the SQL" in alarms("", query)[0]


def test_an_open_comment_hides_nothing() -> None:
    assert all(detector().judge(f"/*{text}").alarm for text in ATTACKS)


def test_equal_and_missing_ids_are_counted_apart(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,label,id\nhello there,1,1\n' or 1=1 --,1,1\nhow many,0,1\n' or 2=2 --,0\n", encoding="utf-8")
    found = evaluate_detector(tmp_path / "t.csv")
    assert (found["recall"], found["misintercept"], found["wrong"]) == (0.5, 0.5, ["1", "row 4"])
    assert CliRunner().invoke(app, ["detector", str(tmp_path / "t.csv")]).exit_code == 0


@pytest.mark.parametrize("rows", ["", "1,hello,0\n", "1,' or 1=1,1\n"])
def test_training_says_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: str) -> None:
    (tmp_path / "few.csv").write_text("id,text,label\n" + rows, encoding="utf-8")
    assert training.main([str(tmp_path / "few.csv"), "--measure"]) == 2
    assert training.main([str(tmp_path / "few.csv"), "--out", str(tmp_path / "none" / "w.npz")]) == 2
    said = capsys.readouterr().err
    assert "has no rows" in said or "needs 50 of each" in said
    assert "There is no folder" in said
