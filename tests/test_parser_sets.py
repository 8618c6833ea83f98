"""Training sets are collected, kept and read back; what is left out is said. Needs no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from streamlink_sql.errors import BadRequest
from streamlink_sql.training import example_files
from streamlink_sql.training.example_files import HELD_OUT, HELD_OUT_WRITTEN
from streamlink_sql.training.parser_sets import HELD_OUT_SCHEMAS, held_out_databases, main

COLUMNS = ["*", "id", "city", "age"]


def schema(name: str) -> dict[str, Any]:
    places: list[list[Any]] = [[-1 if column == "*" else 0, column] for column in COLUMNS]
    return {
        "db_id": name,
        "table_names_original": ["people"],
        "table_names": ["people"],
        "column_names_original": places,
        "column_names": places,
        "column_types": ["text", "number", "text", "number"],
        "primary_keys": [1],
        "foreign_keys": [],
    }


@pytest.fixture
def synthetic(tmp_path: Path) -> Path:
    folder = tmp_path / "synthetic"
    (folder / "databases").mkdir(parents=True)
    names = [f"town{number}" for number in range(6)]
    (folder / "tables.json").write_text(json.dumps([schema(name) for name in names]))
    lines = []
    for name in names:
        with duckdb.connect(str(folder / "databases" / f"{name}.duckdb")) as connection:
            connection.execute("CREATE TABLE people (id INTEGER, city VARCHAR, age INTEGER); INSERT INTO people VALUES (1, 'Oslo', 30)")
        lines += [
            {"db_id": name, "question": "Who lives in Oslo?", "query": "SELECT id FROM people WHERE city = 'Oslo'"},
            {"db_id": name, "question": "How many are older than thirty?", "query": "SELECT count(*) FROM people WHERE age > 30"},
            {"db_id": name, "question": "Who is rich?", "query": "SELECT id FROM people WHERE city = 'Nowhere at all'"},
        ]
    (folder / "train.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_sets_are_collected_with_what_was_left_out(synthetic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sets"
    assert main(["--synthetic", str(synthetic), "--out", str(out)]) == 0
    assert "synth: 12 of 18 questions" in capsys.readouterr().out
    data = example_files.read(out)
    held, kept = data.sets[HELD_OUT], data.sets["synth"]
    assert len(held.examples) + len(kept.examples) == 12
    assert held.examples
    assert not {e.database for e in held.examples} & {e.database for e in kept.examples}
    assert kept.left_out == {"literal 'Nowhere at all' is not in the question": 6}
    assert set(data.databases_of("synth")) == {f"town{number}" for number in range(6)}


def test_written_questions_are_a_set_of_their_own(synthetic: Path, tmp_path: Path) -> None:
    written = [
        {"db_id": f"town{number}", "question": "who's in Oslo", "query": "SELECT id FROM people WHERE city = 'Oslo'", "category": "written"}
        for number in range(6)
    ]
    with (synthetic / "train.jsonl").open("a") as lines:
        lines.writelines(json.dumps(line) + "\n" for line in written)
    assert main(["--synthetic", str(synthetic), "--out", str(tmp_path / "sets")]) == 0
    data = example_files.read(tmp_path / "sets")
    held = {example.database for example in data.sets[HELD_OUT].examples}
    assert {example.database for example in data.sets["written"].examples} == {f"town{number}" for number in range(6)} - held
    assert {example.question for example in data.sets["written"].examples} == {"who's in Oslo"}


def test_nothing_is_trained_on_the_schemas_held_out(synthetic: Path, tmp_path: Path) -> None:
    apart = min(HELD_OUT_SCHEMAS)
    (synthetic / "databases" / "town0.duckdb").rename(synthetic / "databases" / f"{apart}.duckdb")
    for name in ("tables.json", "train.jsonl"):
        (synthetic / name).write_text((synthetic / name).read_text().replace("town0", apart))
    asked = {"db_id": apart, "query": "SELECT id FROM people WHERE city = 'Oslo'"}
    with (synthetic / "train.jsonl").open("a") as lines:
        for category in ("written", "copy"):
            lines.write(json.dumps({**asked, "question": f"{category}: who's in Oslo", "category": category}) + "\n")
    assert main(["--synthetic", str(synthetic), "--out", str(tmp_path / "sets")]) == 0
    data = example_files.read(tmp_path / "sets")
    assert {name for name, each in data.sets.items() if any(example.database == apart for example in each.examples)} == {HELD_OUT_WRITTEN}
    assert [example.question for example in data.sets[HELD_OUT_WRITTEN].examples] == ["written: who's in Oslo"]


def test_the_same_folders_give_the_same_files(synthetic: Path, tmp_path: Path) -> None:
    for out in ("one", "two"):
        main(["--synthetic", str(synthetic), "--out", str(tmp_path / out)])
    for name in ("sets.json", "examples.jsonl.gz", "databases.jsonl.gz"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_held_out_databases_are_of_middling_size_and_always_the_same() -> None:
    lines = [{"db_id": f"d{number}"} for number in range(1, 100) for _ in range(number)]
    held = held_out_databases(lines)
    assert held == held_out_databases(reversed(lines))
    assert len(held) == 15
    assert all(25 <= int(name[1:]) <= 70 for name in held)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name --spider or --synthetic"),
        (["--spider", "{}"], "train_others.jsonl is missing"),
        (["--synthetic", "{}/nowhere"], "nowhere/train.jsonl is missing"),
        (["--synthetic", "{}", "--extra", "{}"], "none of the extra sets"),
    ],
)
def test_what_is_missing_is_said(
    arguments: list[str], said: str, synthetic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [argument.format(synthetic) for argument in arguments]
    assert main([*given, "--out", str(tmp_path / "sets")]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "said"), [("{", "is not JSON"), ("[]", "no JSON object"), ('{"db_id": "town0", "question": "?"}', "query missing")]
)
def test_a_bad_line_is_named(line: str, said: str, synthetic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (synthetic / "train.jsonl").open("a") as lines:
        lines.write(line + "\n")
    assert main(["--synthetic", str(synthetic), "--out", str(tmp_path / "sets")]) == 2
    error = capsys.readouterr().err
    assert "line 19" in error
    assert said in error


@pytest.mark.parametrize("name", ["sets.json", "examples.jsonl.gz", "databases.jsonl.gz"])
def test_files_that_are_cut_off_are_not_read(name: str, synthetic: Path, tmp_path: Path) -> None:
    out = tmp_path / "sets"
    main(["--synthetic", str(synthetic), "--out", str(out)])
    whole = (out / name).read_bytes()
    (out / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadRequest, match="cannot be read"):
        example_files.read(out)
