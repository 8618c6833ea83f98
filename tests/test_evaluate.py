"""The scorer: Spider's exact match and hardness, execution match, and whole evaluations on small databases made here."""

from __future__ import annotations

import json
import os
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from streamlink_sql.errors import BadRequest, InvalidSQL, NotFound, TimedOut
from streamlink_sql.evaluate.commands import app
from streamlink_sql.evaluate.exact_match import exact_match, hardness
from streamlink_sql.evaluate.execution import SQLiteRunner, as_scored, comparable_rows, execution_match, is_ordered, without_distinct
from streamlink_sql.evaluate.gate import evaluate_gate
from streamlink_sql.evaluate.questions import evaluate_questions
from streamlink_sql.evaluate.scores import GOLD, wilson
from streamlink_sql.evaluate.sets import Answering, Source, read_questions
from streamlink_sql.evaluate.spelling import spider_spelling
from streamlink_sql.evaluate.spider import evaluate_spider
from streamlink_sql.evaluate.spider_grammar import SpiderSchema, Unreadable, tokenize
from streamlink_sql.evaluate.tree_match import tree_match

TABLES_ENTRY: dict[str, Any] = {
    "db_id": "library",
    "table_names_original": ["Author", "Book"],
    "column_names_original": [
        [-1, "*"],
        [0, "Author_ID"],
        [0, "Name"],
        [0, "Age"],
        [1, "Book_ID"],
        [1, "Author_ID"],
        [1, "Title"],
        [1, "Year"],
    ],
    "foreign_keys": [[5, 1]],
}
SCHEMA = SpiderSchema.of_entry(TABLES_ENTRY)
JOINED = "FROM author AS T1 JOIN book AS T2 ON T1.author_id = T2.author_id"

SAME = [
    ("SELECT name , age FROM author", "SELECT age , name FROM author"),
    ("SELECT name FROM author WHERE age > 30", "SELECT name FROM author WHERE age > 99"),
    ("SELECT DISTINCT name FROM author", "SELECT name FROM author"),
    ("SELECT count(DISTINCT name) FROM author", "SELECT count(name) FROM author"),
    (f"SELECT T1.author_id {JOINED}", f"SELECT T2.author_id {JOINED}"),
    ("SELECT name FROM author WHERE age > 1 AND name = 'x'", "SELECT name FROM author WHERE name = 'y' AND age > 1"),
    (f"SELECT T1.name {JOINED} GROUP BY T1.author_id", f"SELECT T1.name {JOINED} GROUP BY T2.author_id"),
    ("SELECT name FROM author ORDER BY age LIMIT 3", "SELECT name FROM author ORDER BY age ASC LIMIT 5;"),
    (f"SELECT T1.name {JOINED}", "SELECT T2.name FROM book AS T1 JOIN author AS T2 ON T2.author_id = T1.author_id"),
]
DIFFERENT = [
    ("SELECT name FROM author", "SELECT age FROM author"),
    ("SELECT max(age) FROM author", "SELECT min(age) FROM author"),
    ("SELECT name FROM author WHERE age > 1", "SELECT name FROM author WHERE age >= 1"),
    ("SELECT name FROM author WHERE age > 1 AND age < 9", "SELECT name FROM author WHERE age > 1 OR age < 9"),
    ("SELECT name FROM author ORDER BY age", "SELECT name FROM author ORDER BY age DESC"),
    ("SELECT name FROM author ORDER BY age", "SELECT name FROM author ORDER BY age LIMIT 1"),
    ("SELECT author_id FROM author", "SELECT author_id FROM book"),
    ("SELECT name FROM author WHERE name LIKE 'a'", "SELECT name FROM author WHERE name NOT LIKE 'a'"),
    ("SELECT name FROM author UNION SELECT title FROM book", "SELECT name FROM author EXCEPT SELECT title FROM book"),
    ("SELECT name FROM author GROUP BY name HAVING count(*) > 1", "SELECT name FROM author GROUP BY name"),
]
UNREADABLE = [
    "SELECT name FROM author WHERE age <> 3",
    "SELECT name FROM author WHERE age=3",
    "SELECT name FROM author WHERE age IS NULL",
    "SELECT a.name FROM author a",
    "SELECT name FROM author LEFT JOIN book ON author.author_id = book.author_id",
    "SELECT max(age) - min(age) FROM author",
    "SELECT name FROM authors",
    "SELECT height FROM author",
    "SELECT name FROM author WHERE name = 'O''Brien",
    "SELECT author.name FROM author AS author",
    "SELECT name",
    "",
]


@pytest.mark.parametrize(("predicted", "gold"), SAME)
def test_exact_match_compares_clauses_not_values(predicted: str, gold: str) -> None:
    assert exact_match(predicted, gold, SCHEMA)
    assert exact_match(gold, predicted, SCHEMA)


@pytest.mark.parametrize(("predicted", "gold"), DIFFERENT)
def test_exact_match_sees_a_difference(predicted: str, gold: str) -> None:
    assert not exact_match(predicted, gold, SCHEMA)
    assert exact_match(gold, gold, SCHEMA)


@pytest.mark.parametrize("sql", UNREADABLE)
def test_what_the_official_grammar_cannot_read_never_matches(sql: str) -> None:
    assert not exact_match(sql, "SELECT name FROM author", SCHEMA)
    with pytest.raises(Unreadable):
        exact_match("SELECT name FROM author", sql, SCHEMA)


def test_nested_queries_are_compared_literally() -> None:
    gold = f"SELECT name FROM author WHERE author_id IN (SELECT T1.author_id {JOINED})"
    assert exact_match(gold, gold, SCHEMA)
    assert not exact_match(gold.replace("SELECT T1.author_id", "SELECT T2.author_id"), gold, SCHEMA)


@pytest.mark.parametrize(
    ("sql", "level"),
    [
        ("SELECT name FROM author", "easy"),
        ("SELECT name FROM author WHERE age > 1", "easy"),
        ("SELECT name , age FROM author WHERE age > 1", "medium"),
        (f"SELECT T1.name {JOINED} WHERE T2.year > 1990", "medium"),
        ("SELECT name FROM author WHERE author_id IN (SELECT author_id FROM book)", "hard"),
        ("SELECT name FROM author EXCEPT SELECT title FROM book", "hard"),
        (f"SELECT T1.name {JOINED} GROUP BY T1.name ORDER BY count(*) DESC", "hard"),
        (f"SELECT T1.name {JOINED} WHERE T2.year > 1 GROUP BY T1.name ORDER BY count(*) DESC LIMIT 1", "extra"),
    ],
)
def test_hardness(sql: str, level: str) -> None:
    assert hardness(sql, SCHEMA) == level


def test_words_are_split_as_the_official_tokenizer_does() -> None:
    assert tokenize("""SELECT a FROM t WHERE b != 'X y' AND c>= 2;""") == [
        *("select", "a", "from", "t", "where", "b", "!=", '"X y"', "and", "c", ">=", "2", ";")
    ]
    assert "b=1" in tokenize("select a from t where b=1")


Cells = st.one_of(st.none(), st.integers(0, 3), st.sampled_from(["a", "b", "1"]))


@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[Cells] * width), min_size=1, max_size=6)), st.randoms())
def test_rows_match_whatever_the_order_of_rows_and_columns(rows: list[tuple[Any, ...]], chance: random.Random) -> None:
    order = list(range(len(rows[0])))
    chance.shuffle(order)
    turned = [tuple(row[at] for at in order) for row in rows]
    assert execution_match(turned, rows, ordered=True)
    chance.shuffle(turned)
    assert execution_match(turned, rows, ordered=False)


@pytest.mark.parametrize(
    ("predicted", "gold", "ordered", "same"),
    [
        ([], [], False, True),
        ([(1,)], [], False, False),
        ([(1,), (1,)], [(1,)], False, False),
        ([(2,), (1,)], [(1,), (2,)], False, True),
        ([(2,), (1,)], [(1,), (2,)], True, False),
        ([(1, "a"), (2, "b")], [("b", 2), ("a", 1)], False, True),
        ([(1, "a"), (2, "b")], [("b", 1), ("a", 2)], False, False),
        ([(1.0,)], [(1,)], False, True),
        ([("1",)], [(1,)], False, False),
        ([(1, 1)], [(1,)], False, False),
        ([(1, 1, 2), (2, 1, 1)], [(1, 2, 1), (1, 1, 2)], False, True),
    ],
)
def test_execution_match(predicted: list[tuple[Any, ...]], gold: list[tuple[Any, ...]], ordered: bool, same: bool) -> None:
    assert execution_match(predicted, gold, ordered) is same


def test_wide_results_with_equal_columns_are_compared_quickly() -> None:
    rows = [tuple(range(40)), tuple(range(40))]
    assert execution_match([row[::-1] for row in rows], rows, ordered=False)
    assert execution_match([(1,) * 40] * 3, [(1,) * 40] * 3, ordered=False)


def test_distinct_goes_from_keywords_only() -> None:
    assert without_distinct("SELECT DISTINCT a, count(DISTINCT b) FROM t WHERE c = 'distinct' AND \"distinct\" = 1") == (
        "SELECT  a, count( b) FROM t WHERE c = 'distinct' AND \"distinct\" = 1"
    )
    assert as_scored("SELECT DISTINCT a FROM t WHERE b > = 3", keep_distinct=True) == "SELECT DISTINCT a FROM t WHERE b >= 3"
    assert is_ordered("SELECT a FROM t\nORDER  BY a")
    assert not is_ordered("SELECT a FROM t QUALIFY rank() OVER (PARTITION BY b ORDER BY sum(coalesce(c, d)) DESC) = 1")


def test_numbers_of_any_type_compare() -> None:
    from decimal import Decimal

    assert comparable_rows([[Decimal("1.50"), 0.1 + 0.2, [1]]]) == [(1.5, 0.3, "[1]")]


@pytest.mark.parametrize(("successes", "count"), [(0, 10), (10, 10), (45, 50), (0, 0)])
def test_wilson_interval_holds_the_share(successes: int, count: int) -> None:
    low, high = wilson(successes, count)
    assert 0 <= low <= (successes / count if count else 0.5) <= high <= 1
    assert wilson(45, 50) == (0.7864, 0.9565)


@pytest.mark.parametrize(
    ("checked", "spelled"),
    [
        ("SELECT name FROM author WHERE NOT age IN (1, 2)", "SELECT name FROM author WHERE age NOT IN (1, 2)"),
        (
            "SELECT name FROM author WHERE NOT name LIKE '%a%' AND age <> 3",
            "SELECT name FROM author WHERE name NOT LIKE '%a%' AND age != 3",
        ),
        ('SELECT "name" FROM author INNER JOIN book ON a = b', "SELECT name FROM author JOIN book ON a = b"),
        ('SELECT "the name" FROM author', 'SELECT "the name" FROM author'),
        ("SELECT name FROM author WHERE name = 'NOT a <> b'", "SELECT name FROM author WHERE name = 'NOT a <> b'"),
        ("SELECT ((", "SELECT (("),
    ],
)
def test_checked_sql_is_respelled_for_spiders_grammar(checked: str, spelled: str) -> None:
    assert spider_spelling(checked) == spelled


def test_queries_beyond_spiders_grammar_are_compared_as_trees() -> None:
    gold = "SELECT year(d) AS y, count(*) FROM p AS t WHERE t.a IS NULL AND t.b > 3 GROUP BY year(d)"
    assert tree_match("SELECT count(*), YEAR(D) FROM p WHERE b > 4 AND a IS NULL GROUP BY year(d)", gold, "duckdb")
    assert not tree_match("SELECT count(*), YEAR(D) FROM p WHERE b > 4 OR a IS NULL GROUP BY year(d)", gold, "duckdb")
    assert not tree_match("SELECT ((", gold, "duckdb")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    folder = tmp_path / "spider" / "databases" / "library"
    folder.mkdir(parents=True)
    path = folder / "library.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            """CREATE TABLE Author (Author_ID INTEGER PRIMARY KEY, Name TEXT, Age INTEGER);
            CREATE TABLE Book (Book_ID INTEGER PRIMARY KEY, Author_ID INTEGER, Title TEXT, Year INTEGER);
            INSERT INTO Author VALUES (1, 'Ann', 40), (2, 'Bob', 50), (3, 'Ann', 45);
            INSERT INTO Book VALUES (1, 1, 'Trees', 1999), (2, 1, 'Seas', 2005), (3, 2, 'Roads', 2010);"""
        )
    connection.close()
    return path


@pytest.fixture
def spider(database: Path) -> Path:
    folder = database.parents[2]
    (folder / "tables.json").write_text(json.dumps([TABLES_ENTRY]))
    questions = [
        ("q1", "How many authors are there?", "SELECT count(*) FROM author"),
        ("q2", "Names of authors by age", "SELECT name FROM author ORDER BY age"),
        ("q3", "Titles of Ann's books", f"SELECT T2.title {JOINED} WHERE T1.name = 'Ann'"),
        ("q4", "Authors without books", "SELECT name FROM author WHERE author_id NOT IN (SELECT author_id FROM book)"),
    ]
    lines = [json.dumps({"id": key, "db_id": "library", "question": text, "query": sql}) for key, text, sql in questions]
    (folder / "dev.jsonl").write_text("\n".join(lines) + "\n\n")
    return folder


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    rows = [
        {"id": "q1", "sql": "SELECT count(author_id) FROM author"},
        {"id": "q2", "sql": "SELECT name FROM author ORDER BY age DESC"},
        {"question": "Titles of Ann's books", "db_id": "library", "sql": f"SELECT T2.title {JOINED} WHERE T1.name = 'Ann'"},
        {"id": "q4", "sql": "DELETE FROM author"},
    ]
    path = tmp_path / "predictions.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_evaluate_spider_scores_predictions(spider: Path, predictions: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    wrong = tmp_path / "wrong.jsonl"
    result = evaluate_spider(spider, predictions=predictions, errors=wrong, progress=lambda done, count: seen.append((done, count)))
    assert (result["em"], result["ex"], result["count"]) == (0.25, 0.5, 4)
    assert sum(part["count"] for part in result["by_hardness"].values()) == 4
    assert result["ms_median"] is None
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    errors = [json.loads(line) for line in wrong.read_text().splitlines()]
    assert [(error["id"], error["problem"]) for error in errors] == [("q2", ""), ("q4", "invalid_sql")]


def test_a_function_can_answer_and_a_problem_counts_as_wrong(spider: Path) -> None:
    def generate(question: Any) -> str:
        if question.id == "q1":
            return str(question.query)
        raise NotFound("nothing")

    result = evaluate_spider(spider, generate)
    assert (result["em"], result["ex"]) == (0.25, 0.25)
    assert result["problems"] == {"not_found": 3}
    assert result["ms_median"] >= 0


def test_distinct_counts_on_data_of_ones_own(spider: Path, database: Path, tmp_path: Path) -> None:
    predicted = tmp_path / "distinct.jsonl"
    predicted.write_text(json.dumps({"id": "1", "sql": "SELECT name FROM author"}))
    file = tmp_path / "own.jsonl"
    file.write_text(json.dumps({"question": "Different names", "query": "SELECT DISTINCT name FROM author", "db_id": "library"}))
    answering = Answering(predictions=predicted)
    assert evaluate_questions(file, Source(data=database), answering)["ex"] == 0
    assert evaluate_questions(file, Source(data=database), answering, keep_distinct=False)["ex"] == 1
    assert evaluate_questions(file, Source(databases=spider / "databases", tables=spider / "tables.json"), answering)["ex"] == 1


def test_gold_sql_that_does_not_run_is_named(database: Path, tmp_path: Path) -> None:
    predicted, file = tmp_path / "predicted.jsonl", tmp_path / "own.jsonl"
    predicted.write_text("".join(json.dumps({"id": key, "sql": "SELECT name FROM author"}) + "\n" for key in "ab"))
    queries = {"a": "SELECT name FROM author", "b": "SELECT name FROM nobody"}
    file.write_text("".join(json.dumps({"id": key, "question": "Names", "query": query}) + "\n" for key, query in queries.items()))
    result = evaluate_questions(file, Source(data=database), Answering(predictions=predicted))
    assert (result["ex"], result["problems"]) == (0.5, {GOLD: 1})
    (told,) = result["gold_problems"]
    assert told["id"] == "b"
    assert "nobody" in told["detail"]
    shown = CliRunner().invoke(app, ["questions", str(file), "--data", str(database), "--predictions", str(predicted)])
    assert "Question b counts as wrong, whatever was answered. The gold SQL does not run" in " ".join(shown.output.split())


def test_the_runner_only_reads_and_keeps_its_time(database: Path) -> None:
    with SQLiteRunner(database) as runner:
        for sql in (
            "DELETE FROM author",
            "ATTACH 'x' AS y",
            "PRAGMA journal_mode = wal",
            "SELECT load_extension('x')",
            "SELECT 1; SELECT 2",
        ):
            with pytest.raises(InvalidSQL):
                runner.run(sql)
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        with pytest.raises(TimedOut):
            runner.run(endless, 0.1)
        assert runner.run("SELECT count(*) FROM author") == [(3,)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"question": "a"}', "Line 1"),
        ('{"question": "a", "query": "b"}\n{', "Line 2"),
        ("[1]", "no JSON object"),
        ("[" * 100_000, "Line 1 of .* is not JSON"),
        ("", "no questions"),
        ('{"id": 1, "question": "a", "query": "b"}\n{"id": 1, "question": "c", "query": "b"}', "more than one"),
    ],
)
def test_unusable_question_files_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(text)
    with pytest.raises(BadRequest, match=message):
        read_questions(path)


def test_files_that_cannot_be_used_are_named_before_the_first_question(spider: Path, tmp_path: Path) -> None:
    file, never = spider / "dev.jsonl", Answering(generate=lambda question: pytest.fail(f"{question.id} was asked"))
    for nowhere in (tmp_path, tmp_path / "none" / "errors.jsonl"):
        with pytest.raises(BadRequest, match="not a file that can be written"):
            evaluate_questions(file, Source(databases=spider / "databases"), never, errors=nowhere)
    broken = tmp_path / "tables.json"
    for text in ("{", "5", "[5]", '[{"db_id": "a"}]'):
        broken.write_text(text)
        with pytest.raises(BadRequest, match=r"tables\.json"):
            evaluate_questions(file, Source(databases=spider / "databases", tables=broken), Answering())


def test_the_command_prints_one_object(spider: Path, predictions: Path) -> None:
    result = CliRunner().invoke(app, ["spider", "--data", str(spider), "--predictions", str(predictions), "--limit", "3", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["count"] == 3
    table = CliRunner().invoke(app, ["spider", "--data", str(spider), "--predictions", str(predictions)])
    assert "50.0% (15.0% to 85.0%)" in table.stdout


def test_the_command_names_what_is_missing(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["spider", "--data", str(tmp_path), "--json"])
    assert isinstance(result.exception, NotFound)
    assert "dev.jsonl" in result.exception.detail
    assert result.stdout == ""


def spider_folder() -> Path:
    """Spider, where STREAMLINK_SPIDER says it is or beside the project; skips the test where it is not."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "spider"
    folder = Path(os.environ.get("STREAMLINK_SPIDER", beside))
    if not (folder / "dev.jsonl").is_file():
        pytest.skip("Spider is not here; set STREAMLINK_SPIDER to its folder")
    return folder


def test_gold_answers_of_spider_are_all_right(tmp_path: Path) -> None:
    folder = spider_folder()
    gold = tmp_path / "gold.jsonl"
    questions = read_questions(folder / "dev.jsonl")
    gold.write_text("\n".join(json.dumps({"id": question.id, "sql": question.query}) for question in questions))
    result = evaluate_spider(folder, predictions=gold)
    assert (result["em"], result["ex"], result["problems"]) == (1.0, 1.0, {})
    assert {level: part["count"] for level, part in result["by_hardness"].items()} == {
        "easy": 248,
        "medium": 446,
        "hard": 174,
        "extra": 166,
    }


def test_questions_go_through_the_control_unit(spider: Path, tmp_path: Path) -> None:
    recorded = tmp_path / "recorded.jsonl"
    rows = [("q1", "SELECT COUNT(*) FROM Author"), ("q2", "SELECT name FROM author ORDER BY age"), ("q3", "DROP TABLE book")]
    recorded.write_text("\n".join(json.dumps({"id": key, "sql": sql}) for key, sql in rows))
    result = evaluate_spider(spider, f"replay:{recorded}")
    assert (result["em"], result["ex"]) == (0.5, 0.5)
    assert result["problems"] == {"policy_refused": 1, "cannot_answer": 1}
    assert result["ms_median"] > 0


def test_files_other_than_sqlite_are_scored_on_their_engine(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "items.csv").write_text("name,year,price\nA,2001,1.5\nB,2001,2.5\nC,2003,\n")
    file, predicted = tmp_path / "own.jsonl", tmp_path / "predicted.jsonl"
    file.write_text(json.dumps({"question": "Mean price", "query": "SELECT avg(price) FROM items WHERE price IS NOT NULL"}))
    predicted.write_text(json.dumps({"id": "1", "sql": "SELECT AVG(price) FROM items AS i WHERE NOT i.price IS NULL"}))
    result = evaluate_questions(file, Source(data=tmp_path / "data"), Answering(predictions=predicted))
    assert (result["em"], result["ex"]) == (1.0, 1.0)


GATE_SQL = """-- # made here
-- class: change
-- refuse: policy_refused
DROP TABLE orders;
-- a comment of the attack
SELECT 1
-- refuse: policy_refused json
"SELECT 1\\u0000 FROM orders"
-- class: legitimate
-- allow
SELECT note
  -- allow the drop
FROM orders;
-- allow
SELECT * FROM hr.pay
"""


@pytest.fixture
def gate_files(tmp_path: Path) -> tuple[Path, Path]:
    fixture, file = tmp_path / "fixture.sql", tmp_path / "gate.sql"
    fixture.write_text("CREATE TABLE orders (id INT, note TEXT); CREATE SCHEMA hr; CREATE TABLE hr.pay (id INT);")
    file.write_text(GATE_SQL)
    return file, fixture


@pytest.mark.parametrize("engine", ["duckdb", "sqlite", "spark"])
def test_evaluate_gate_counts_what_is_refused(engine: str, gate_files: tuple[Path, Path]) -> None:
    file, fixture = gate_files
    done = CliRunner().invoke(app, ["gate", str(file), "--engine", engine, "--fixture", str(fixture), "--json"])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result.keys() == {"recall", "misintercept", "count", "wrong", "ms_p50", "ms_p99"}
    assert (result["recall"], result["misintercept"], result["count"], result["wrong"]) == (1.0, 0.5, 4, ["line 14"])
    assert 0 < result["ms_p50"] <= result["ms_p99"]
    table = CliRunner().invoke(app, ["gate", str(file), "--engine", engine, "--fixture", str(fixture)])
    assert "100.00%" in table.stdout
    assert "Wrong: line 14" in table.stdout


def test_evaluate_gate_reads_csv_and_skips_other_dialects(gate_files: tuple[Path, Path], tmp_path: Path) -> None:
    file = tmp_path / "gate.csv"
    rows = [
        "a,SELECT note FROM orders,0,duckdb",
        "b,DELETE FROM orders,1,",
        "c,SELECT pay.id FROM hr.pay,1,spark",
        "d,SELECT nothing,1,sqlite",
    ]
    file.write_text("\n".join(["id,text,label,dialect", *rows]))
    result = evaluate_gate(file, "duckdb", gate_files[1])
    assert (result["recall"], result["misintercept"], result["count"]) == (1.0, 0.0, 2)
    assert evaluate_gate(file, "spark", gate_files[1])["misintercept"] is None
    file.write_text("id,text,label\nx,SELECT id FROM hr.pay,0\ny,SELECT id FROM orders,1\n")
    assert evaluate_gate(file, "duckdb", gate_files[1], schema="hr")["wrong"] == []


@pytest.mark.parametrize(
    ("text", "made", "message"),
    [
        ("SELECT 1", "CREATE TABLE t (a INT)", "has no line `-- allow`"),
        ("-- allow\n-- allow\nSELECT 1", "CREATE TABLE t (a INT)", "line 1: no statement"),
        ("-- refuse: policy_refused json\nDROP", "CREATE TABLE t (a INT)", "line 1: what stands below is not JSON"),
        ("-- refuse json\n[1]", "CREATE TABLE t (a INT)", "line 1: what stands below is not a JSON string"),
        ("-- allow\nSELECT 1", "CREATE TABEL t (a INT)", "does not run"),
        ("-- allow\nSELECT 1", "SELECT 1", "makes no tables in the schema 'main'"),
    ],
)
def test_unusable_files_for_the_gate_are_named(gate_files: tuple[Path, Path], text: str, made: str, message: str) -> None:
    file, fixture = gate_files
    file.write_text(text)
    fixture.write_text(made)
    with pytest.raises(BadRequest, match=message):
        evaluate_gate(file, "duckdb", fixture)
    for missing in ((file.with_name("none.sql"), fixture), (file.with_name("none.csv"), fixture)):
        with pytest.raises(NotFound, match="There is no file"):
            evaluate_gate(missing[0], "duckdb", missing[1])
    file.write_text("-- allow\nSELECT 1")
    with pytest.raises(NotFound, match=r"nowhere\.sql"):
        evaluate_gate(file, "duckdb", file.with_name("nowhere.sql"))
