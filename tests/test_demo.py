"""The patents demo: the generator, its glossary and its questions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
import sqlglot
from sqlglot import exp

from streamlink_sql.demo import QUESTIONS, SAMPLE_QUESTIONS
from streamlink_sql.demo.patents import FILES, ROW_GROUP, make_patents, read_manifest
from streamlink_sql.errors import BadRequest

UNSEEN = Path(__file__).with_name("data") / "patents_unseen.jsonl"
FURTHER = Path(__file__).with_name("data") / "patents_further.jsonl"
"""Harder ones, by somebody who knew neither the parser nor its training; looked at to see what goes wrong."""
TABLES = ("patents", "assignees", "cpc")
ROWS = 10_000


def read(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


ASKED, HELD_OUT = read(QUESTIONS), read(UNSEEN)
ALL = ASKED + HELD_OUT


def template(query: str) -> str:
    """Gold SQL with literals, columns and aliases masked: what is left is the shape of the question."""

    def masked(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column):
            return exp.column("c")
        if isinstance(node, exp.Literal):
            return exp.Literal.number(0)
        if isinstance(node, exp.TableAlias):
            return exp.TableAlias(this=exp.to_identifier("t"))
        if isinstance(node, exp.Alias):
            return exp.alias_(node.this, "n")
        return node

    return sqlglot.parse_one(query, dialect="duckdb").transform(masked).sql(dialect="duckdb")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_patents(tmp_path_factory.mktemp("demo") / "patents", ROWS)


@pytest.fixture(scope="module")
def data(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for table in TABLES:
            connection.execute(f"CREATE VIEW {table} AS SELECT * FROM '{folder}/{table}.parquet'")
        yield connection


@pytest.fixture(scope="module")
def shuffled(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same rows in another order: an answer that depends on the order of rows differs here."""
    with duckdb.connect() as connection:
        for table in TABLES:
            connection.execute(f"CREATE TABLE {table} AS SELECT * FROM '{folder}/{table}.parquet' AS t ORDER BY hash(t)")
        yield connection


def one(data: duckdb.DuckDBPyConnection, query: str) -> float:
    row = data.execute(query).fetchone()
    assert row is not None
    return float(row[0])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_same_rows_and_seed_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (make_patents(tmp_path / name, 2_000) for name in ("first", "second"))
    assert contents(first) == contents(second)
    assert set(contents(first)) == FILES


def test_another_seed_gives_other_patents(tmp_path: Path) -> None:
    first, second = make_patents(tmp_path / "first", 100, seed=1), make_patents(tmp_path / "second", 100, seed=2)
    assert (first / "patents.parquet").read_bytes() != (second / "patents.parquet").read_bytes()


@pytest.mark.parametrize("rows", [0, 1, 10, 1_000])
def test_any_number_of_rows(tmp_path: Path, rows: int) -> None:
    table = pq.read_table(make_patents(tmp_path / "patents", rows) / "patents.parquet")
    assert table.num_rows == rows
    assert len(set(table["publication_number"].to_pylist())) == rows


def test_stretches_run_on_without_a_seam(tmp_path: Path) -> None:
    folder = make_patents(tmp_path / "patents", ROW_GROUP + 500)
    file = pq.ParquetFile(folder / "patents.parquet")
    assert file.metadata.num_row_groups == 2
    assert file.metadata.row_group(1).column(4).statistics.has_min_max
    table = file.read(columns=["publication_number", "publication_date"])
    days = table["publication_date"].to_pylist()
    assert days == sorted(days)
    assert len(set(table["publication_number"].to_pylist())) == table.num_rows


def test_a_second_call_finds_the_data_ready(tmp_path: Path) -> None:
    folder = make_patents(tmp_path / "patents", 50)
    written = (folder / "patents.parquet").stat().st_mtime_ns
    make_patents(folder, 50)
    assert (folder / "patents.parquet").stat().st_mtime_ns == written


def test_another_size_or_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    folder = make_patents(tmp_path / "patents", 50)
    (folder / "cpc.parquet").write_bytes(b"cut")
    assert read_manifest(folder) is None
    make_patents(folder, 50)
    make_patents(folder, 60)
    manifest = read_manifest(folder)
    assert manifest is not None
    assert (manifest.rows, manifest.seed) == (60, 7)
    assert [path.name for path in tmp_path.iterdir()] == ["patents"]


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BadRequest, match="other than demo data"):
        make_patents(tmp_path, 10)
    folder = make_patents(tmp_path / "patents", 10)
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BadRequest, match="other than demo data"):
        make_patents(folder, 20)
    assert (folder / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_place_that_cannot_be_written_gets_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(BadRequest, match=r"cannot be written to .* Choose another folder"):
        make_patents(tmp_path / "file" / "patents", 10)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_parent_gets_a_clear_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(BadRequest, match="cannot be written"):
        make_patents(tmp_path / "patents", 10)
    tmp_path.chmod(0o700)


def test_a_full_disk_gets_a_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the full disk."""
    program = (
        "import resource; from pathlib import Path\n"
        "from streamlink_sql.demo.patents import make_patents\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        f"make_patents(Path({str(tmp_path / 'patents')!r}), 5_000)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "BadRequest: The demo data cannot be written" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_of_two_at_once_both_end_well(tmp_path: Path) -> None:
    folder = tmp_path / "patents"

    def meanwhile(done: int, rows: int) -> None:
        if not folder.exists():
            make_patents(folder, 100)

    assert make_patents(folder, 100, progress=meanwhile) == folder
    assert read_manifest(folder) is not None
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize(("rows", "seed"), [(-1, 7), (10, -7)])
def test_negative_numbers_are_refused(tmp_path: Path, rows: int, seed: int) -> None:
    with pytest.raises(BadRequest, match="0 or more"):
        make_patents(tmp_path / "patents", rows, seed)


def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(done: int, rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_patents(tmp_path / "patents", 100, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_replacement_keeps_the_old_data(tmp_path: Path) -> None:
    def interrupt(done: int, rows: int) -> None:
        raise KeyboardInterrupt

    folder = make_patents(tmp_path / "patents", 100)
    before = contents(folder)
    with pytest.raises(KeyboardInterrupt):
        make_patents(folder, 200, progress=interrupt)
    assert contents(folder) == before
    assert list(tmp_path.iterdir()) == [folder]


def test_progress_ends_at_all_rows(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    make_patents(tmp_path / "patents", ROW_GROUP + 1, progress=lambda done, rows: told.append((done, rows)))
    assert told == [(ROW_GROUP, ROW_GROUP + 1), (ROW_GROUP + 1, ROW_GROUP + 1)]


def test_titles_are_distinct_and_of_5_to_14_words(data: duckdb.DuckDBPyConnection) -> None:
    assert one(data, "SELECT count(DISTINCT title) / count(*) FROM patents") >= 0.95
    assert one(data, "SELECT min(len(string_split(title, ' '))) FROM patents") >= 5
    assert one(data, "SELECT max(len(string_split(title, ' '))) FROM patents") <= 14
    assert one(data, "SELECT count(DISTINCT lower(w)) FROM (SELECT unnest(string_split(title, ' ')) AS w FROM patents)") > 3_000


def test_assignees_and_inventors_are_skewed(data: duckdb.DuckDBPyConnection) -> None:
    largest = "(SELECT count(*) AS n FROM patents GROUP BY {} ORDER BY n DESC LIMIT 10)"
    assert one(data, f"SELECT sum(n) / {ROWS} FROM {largest.format('assignee_id')}") > 0.1
    assert one(data, f"SELECT sum(n) / {ROWS} FROM {largest.format('country_code')}") > 0.8
    assert one(data, "SELECT count(DISTINCT inventor_name) FROM patents") > 5_000
    assert one(data, "SELECT max(n) / median(n) FROM (SELECT count(*) AS n FROM patents GROUP BY inventor_name)") > 5


def test_dates_follow_one_another(data: duckdb.DuckDBPyConnection) -> None:
    assert one(data, "SELECT count(*) FROM patents WHERE application_date >= publication_date OR grant_date < publication_date") == 0
    assert one(data, "SELECT count(*) FROM patents WHERE (grant_date IS NULL) <> (kind_code LIKE 'A%')") == 0
    assert 0.3 < one(data, "SELECT count(grant_date) / count(*) FROM patents") < 0.8
    assert one(data, "SELECT count(*) FROM patents JOIN assignees USING (assignee_id) WHERE founded_year > year(application_date)") == 0


def test_every_key_finds_its_row(data: duckdb.DuckDBPyConnection) -> None:
    for key, table in (("assignee_id", "assignees"), ("cpc_class", "cpc")):
        assert one(data, f"SELECT count(*) FROM patents WHERE {key} NOT IN (SELECT {key} FROM {table})") == 0
        assert one(data, f"SELECT count(*) - count(DISTINCT {key}) FROM {table}") == 0


def test_glossary_names_only_what_exists(folder: Path, data: duckdb.DuckDBPyConnection) -> None:
    glossary = tomllib.loads((folder / "glossary.toml").read_text(encoding="utf-8"))["tables"]
    assert set(glossary) == set(TABLES)
    for table, entry in glossary.items():
        columns = {name for (name,) in data.execute(f"SELECT column_name FROM (DESCRIBE {table})").fetchall()}
        assert set(entry["columns"]) == columns
        for column, words in entry["columns"].items():
            held = {value for (value,) in data.execute(f"SELECT DISTINCT CAST({column} AS VARCHAR) FROM {table}").fetchall()}
            assert set(words.get("values", {}).values()) <= held, (table, column)


def test_glossary_knows_every_country_and_section(folder: Path, data: duckdb.DuckDBPyConnection) -> None:
    glossary = tomllib.loads((folder / "glossary.toml").read_text(encoding="utf-8"))["tables"]
    for table, column in (("patents", "country_code"), ("assignees", "country_code"), ("cpc", "section")):
        held = {value for (value,) in data.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall()}
        assert set(glossary[table]["columns"][column]["values"].values()) == held


def test_there_are_enough_questions_of_each_level() -> None:
    def levels(lines: list[dict[str, str]]) -> Counter[str]:
        return Counter(line["id"].split("-")[-2] for line in lines)

    assert levels(ASKED) == {"easy": 40, "medium": 40, "hard": 20}
    assert levels(HELD_OUT) == {"easy": 20, "medium": 20, "hard": 10}
    assert len({line["id"] for line in ALL}) == len({line["question"] for line in ALL}) == 150
    assert len(SAMPLE_QUESTIONS) == 8


def test_no_template_more_than_twice_and_none_in_both_sets() -> None:
    assert max(Counter(template(line["query"]) for line in ALL).values()) <= 2
    assert not {template(line["query"]) for line in ASKED} & {template(line["query"]) for line in HELD_OUT}


@pytest.mark.parametrize("line", ALL, ids=lambda line: line["id"])
def test_gold_sql_has_one_answer(line: dict[str, str], data: duckdb.DuckDBPyConnection, shuffled: duckdb.DuckDBPyConnection) -> None:
    """It returns something other than nothing, NULL or 0, whatever the order of the rows."""
    query = line["query"]
    rows = data.execute(query).fetchall()
    assert any(any(value not in (None, 0) for value in row) for row in rows)
    others = shuffled.execute(query).fetchall()
    if "ORDER BY" in query.split("QUALIFY")[0]:
        assert [tuple(map(str, row)) for row in rows] == [tuple(map(str, row)) for row in others]
    assert sorted(map(str, rows)) == sorted(map(str, others))


def test_further_questions_are_others_and_run(data: duckdb.DuckDBPyConnection) -> None:
    further = read(FURTHER)
    assert len(further) == 150
    assert not {each["question"].lower() for each in further} & {each["question"].lower() for each in ALL}
    for each in further:
        data.execute(each["query"])
