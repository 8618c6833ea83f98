"""The command line and the Python front door, with recorded answers for a model."""

from __future__ import annotations

import contextlib
import csv
import datetime
import io
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

import streamlink_sql
from streamlink_sql import cli
from streamlink_sql.cli.output import whole_file
from streamlink_sql.cli.serve import bound, listen
from streamlink_sql.cli.table import render_table
from streamlink_sql.cli.terminal import for_terminal, json_line
from streamlink_sql.errors import BadRequest, CannotAnswer, PolicyRefused
from streamlink_sql.export import for_sheet, write_xlsx
from streamlink_sql.types import Answer, Column, Rows

ENDLESS = """
    SELECT count(*) AS n FROM numbers a, numbers b, numbers c, numbers d, numbers e, numbers f
    WHERE (a.number * b.number + c.number * d.number + e.number * f.number) % 7919 = 7
"""
RECORDED = {
    "all sales": "SELECT * FROM sales ORDER BY id",
    "how many sales?": "SELECT count(*) AS n FROM sales",
    "which sales can go?": "DROP TABLE sales",
    "never ends": ENDLESS,
}


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with data, recorded answers and settings that name them; the user's own folders are elsewhere."""
    for name in list(os.environ):
        if name.startswith("STREAMLINK_"):
            monkeypatch.delenv(name)
    for name in ("DATA", "CACHE", "CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "home" / name.lower()))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    rows = ["1,Ada,10", '2,"=1+1",20', '3,"\x1b[31mred\x07",30', '4,"@SUM(A1)",40', "5,,50"]
    (tmp_path / "data" / "sales.csv").write_text("\n".join(["id,name,amount", *rows]) + "\n")
    (tmp_path / "data" / "numbers.csv").write_text("number\n" + "\n".join(map(str, range(500))) + "\n")
    lines = [json.dumps({"id": str(number), "question": text, "sql": sql}) for number, (text, sql) in enumerate(RECORDED.items())]
    (tmp_path / "recorded.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "streamlink.toml").write_text('data = "data"\nmodel = "replay:recorded.jsonl"\n')
    return tmp_path


@pytest.fixture
def run(place: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line in this process, as the installed command does."""

    def command(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["streamlink-sql", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        status = ended.value.code if isinstance(ended.value.code, int) else 0
        return Done(status, out.decode(), err.decode())

    return command


def test_a_table_for_people(run: Run) -> None:
    done = run("ask", "how many sales?", "--sql")
    assert done.status == 0
    assert [line.strip() for line in done.out.splitlines() if line.strip()][-1] == "5"
    assert "COUNT(*)" in done.out
    assert "1 row" in done.err
    assert "sales" in done.err


def test_cells_do_not_drive_the_terminal(run: Run) -> None:
    done = run("ask", "all sales")
    assert "[31mred" in done.out
    assert not {"\x1b", "\x07"} & set(done.out + done.err)


def test_csv_holds_no_formula(run: Run) -> None:
    done = run("ask", "all sales", "--format", "csv")
    rows = list(csv.reader(io.StringIO(done.out)))
    assert [row[1] for row in rows] == ["name", "Ada", "'=1+1", "\x1b[31mred\x07", "'@SUM(A1)", ""]


def test_json_is_one_object_of_the_one_shape(run: Run) -> None:
    done = run("ask", "all sales", "--format", "json", "--row-limit", "2")
    body = json.loads(done.out)
    keys = "id question sql explanation columns rows row_count truncated confidence model engine attempts timings_ms warnings trace_id"
    assert set(body) == set(keys.split())
    assert (body["rows"], body["row_count"], body["truncated"]) == ([[1, "Ada", 10], [2, "=1+1", 20]], 2, True)
    assert done.err == ""


@pytest.mark.parametrize("name", ["answer.csv", "answer.json", "answer.parquet", "answer.xlsx", "answer.txt"])
def test_a_file_tells_its_format(run: Run, place: Path, name: str) -> None:
    done = run("ask", "how many sales?", "--output", name)
    assert (done.status, done.out) == (0, "")
    content = (place / name).read_bytes()
    if name.endswith("parquet"):
        import pyarrow.parquet as pq

        assert pq.read_table(place / name).to_pylist() == [{"n": 5}]
    assert content
    assert [path.name for path in place.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["ask", ""], 2, "empty"),
        (["ask", "how many " * 1300], 2, "longer than 4 KB"),
        (["ask", "how many\x07"], 2, "control characters"),
        (["ask", "which sales can go?"], 3, "Rule"),
        (["ask", "drop the sales"], 3, "Rule: question.write"),
        (["ask", "something that nobody recorded"], 3, ""),
        (["ask", "how many sales?", "--data", "nowhere"], 2, "nowhere"),
        (["ask", "how many sales?", "--data", "data/*.csv"], 2, "Give the folder"),
        (["ask", "how many sales?", "--data", "https://example.org/x.csv"], 2, "Download it"),
        (["ask", "how many sales?", "--model", "nonsense"], 2, "nonsense"),
        (["ask", "how many sales?", "--model", "replay:nowhere.jsonl"], 2, "nowhere.jsonl"),
        (["ask", "how many sales?", "--config", "nowhere.toml"], 2, "nowhere.toml"),
        (["ask", "how many sales?", "--glossary", "nowhere.toml"], 2, "nowhere.toml"),
        (["ask", "how many sales?", "--row-limit", "0"], 2, "--row-limit cannot be 0: it takes a whole number from 1 to 1,000,000."),
        (["ask", "how many sales?", "--row-limit", "x"], 2, "--row-limit cannot be 'x': it takes a whole number."),
        (["ask", "how many sales?", "--format", "xml"], 2, "it takes table, csv, json, parquet or xlsx"),
        (["ask", "how", "many", "sales?"], 2, "quotes"),
        (["ask", "how many sales?", "--time-limit", "-1"], 2, "--time-limit cannot be -1"),
        (["ask", "how many sales?", "--output", "nowhere/x.csv"], 2, "nowhere"),
        (["ask", "how many sales?", "--output", "x.unknown"], 2, "--format"),
        (["ask", "how many sales?", "--output", "."], 2, ""),
        (["ask", "how many sales?", "--store", "nonsense"], 2, "database URL"),
        (["ask", "never ends", "--time-limit", "0.3", "--confirm"], 5, "within its time limit"),
        (["ask"], 2, "question"),
        (["ask", "how many sales?", "--nothing"], 2, "--nothing"),
        (["aks", "how many sales?"], 2, "ask"),
        (["tables", "seles"], 2, "sales"),
        (["history", "unknown"], 2, "unknown"),
        (["history", "--limit", "0"], 2, "limit"),
        (["demo", "--rows", "0"], 2, "rows"),
        (["serve", "--host", "0.0.0.0"], 2, "users add"),
        (["serve", "--port", "70000"], 2, "--port cannot be 70000: it takes a whole number from 0 to 65,535."),
    ],
)
def test_a_problem_is_a_sentence_and_a_status(run: Run, arguments: list[str], status: int, says: str) -> None:
    done = run(*arguments)
    assert done.status == status, done.err
    assert done.out == ""
    assert says in done.err
    assert "Traceback" not in done.err


def test_with_json_a_problem_is_json(run: Run) -> None:
    done = run("ask", "which sales can go?", "--format", "json")
    problem = json.loads(done.out)
    assert (done.status, problem["code"], problem["status"], done.err) == (3, "policy_refused", 422, "")
    assert problem["attempts"][0]["sql"] == "DROP TABLE sales"


@pytest.mark.parametrize(
    "arguments",
    [
        ["ask", "--format", "json"],
        ["ask", "x y", "--format=json", "--nothing"],
        ["ask", "x y", "--row-limit", "many", "--format", "json"],
        ["tables", "--json", "--nothing"],
        ["history", "--json", "--limit", "x"],
        ["evaluate", "spider", "--json"],
        ["evaluate", "spider", "--json", "--data", "nowhere"],
        ["aks", "--json"],
    ],
)
def test_with_json_a_misuse_is_json_too(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    problem = json.loads(done.out)
    assert (done.status, problem["status"] in (400, 404)) == (2, True)
    assert problem["code"] in ("bad_request", "not_found")
    assert problem["detail"].endswith(".")


@pytest.mark.parametrize("arguments", [[""], ["how many", "--row-limit", "0"], ["how many", "--time-limit", "1e9"], ["wie viele sind es"]])
def test_arguments_are_judged_before_the_data_is_opened(run: Run, arguments: list[str]) -> None:
    done = run("ask", *arguments, "--data", "nowhere", "--model", "parser")
    assert done.status == 2
    assert "nowhere" not in done.err


def test_a_bad_variable_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMLINK_THREADS", "many")
    assert run("tables").err == "STREAMLINK_THREADS cannot be 'many': it takes a whole number from 1 to 1,024.\n"


def test_an_answer_comes_with_its_sql_and_its_words(run: Run) -> None:
    done = run("ask", "how many sales?")
    assert "COUNT(*)" not in done.out
    assert "SELECT COUNT(*) AS n FROM sales\nReads the table sales. Returns the number of rows (as n)." in done.err
    assert "confidence 100%" in done.err
    assert "\x1b" not in done.err
    assert run("ask", "how many sales?", "--quiet").err == ""


def test_no_data_at_all(run: Run, place: Path) -> None:
    (place / "streamlink.toml").unlink()
    done = run("ask", "how many sales?")
    assert (done.status, done.out) == (2, "")
    assert "--data" in done.err


def test_a_folder_without_tables(run: Run, place: Path) -> None:
    (place / "empty").mkdir()
    done = run("ask", "how many sales?", "--data", "empty")
    assert done.status in (2, 3)
    assert "empty" in done.err or "no tables" in done.err


def test_a_corrupt_file(run: Run, place: Path) -> None:
    (place / "broken.parquet").write_bytes(b"PAR1 this is not Parquet PAR1")
    done = run("ask", "how many sales?", "--data", "broken.parquet")
    assert done.status in (2, 4)
    assert "broken" in done.err


def test_a_fault_of_ours_shows_an_id_and_logs_the_trace(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("streamlink_sql.assemble.control_unit", broken)
    done = run("ask", "how many sales?")
    assert done.status == 1
    assert "Traceback" not in done.err
    log = next((place / "home").rglob("streamlink.log")).read_text()
    assert "RuntimeError: a bug" in log
    assert log.split()[2] in done.err


def test_tables(run: Run) -> None:
    assert "sales" in run("tables").out
    assert "amount" in run("tables", "SALES").out
    body = json.loads(run("tables", "--json").out)
    assert {table["name"]: [column["name"] for column in table["columns"]] for table in body} == {
        "numbers": ["number"],
        "sales": ["id", "name", "amount"],
    }


def test_ctrl_c_while_arguments_are_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.LazyGroup, "make_context", stopped)
    done = run("tables")
    assert (done.status, done.err) == (5, "Stopped.\n")


@pytest.mark.parametrize("module", ["typer", "pydantic"])
def test_ctrl_c_while_modules_are_loaded(place: Path, module: str) -> None:
    """Of the command line itself, and of a command."""
    (place / "first").mkdir()
    (place / "first" / f"{module}.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    environment = {**os.environ, "PYTHONPATH": str(place / "first")}
    done = subprocess.run([sys.executable, "-m", "streamlink_sql", "tables"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (5, "", "Stopped.\n")


def test_a_wide_table_is_listed_in_short_and_shown_in_full(run: Run, place: Path) -> None:
    (place / "data" / "wide.csv").write_text(",".join(f"c{number}" for number in range(100)) + "\n")
    assert "c29 ... and 70 more" in run("tables").out
    assert "c99" in run("tables", "wide").out


def test_ids_of_the_history_stay_whole_where_there_is_little_room(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    asked = json.loads(run("ask", "how many sales?", "--format", "json").out)
    assert asked["id"] in run("history").out


def test_names_in_any_script_under_any_locale(place: Path) -> None:
    (place / "data" / "prices.csv").write_text("価格\n1\n", encoding="utf-8")
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([sys.executable, "-m", "streamlink_sql", "tables"], env=plain, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "価格" in done.stdout.decode()


def test_history(run: Run) -> None:
    run("ask", "how many sales?")
    run("ask", "which sales can go?")
    entries = json.loads(run("history", "--json").out)
    assert [(entry["question"], entry["state"]) for entry in entries] == [
        ("which sales can go?", "problem"),
        ("how many sales?", "answered"),
    ]
    assert "how many sales?" in run("history").out
    one = run("history", entries[1]["id"])
    assert "SELECT COUNT(*)" in one.out


def test_a_history_without_entries_says_so(run: Run) -> None:
    assert "Nothing was asked yet." in run("history").err
    done = run("history", "--before", "nobody")
    assert (done.status, "no question nobody" in done.err) == (2, True)


def test_notes_on_files_are_shown_with_the_tables(run: Run, place: Path) -> None:
    (place / "data" / "years.csv").write_text("country,2019\nDE,20\n")
    assert "its first line was taken for the names" in run("tables").err
    assert json.loads(run("tables", "--json").out)


def test_version_and_help(run: Run) -> None:
    assert run("--version").out.strip() == f"streamlink-sql {streamlink_sql.__version__}"
    shown = run("--help").out
    assert all(name in shown for name in cli.COMMANDS)


def test_a_taken_port(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run("serve", "--port", str(taken.getsockname()[1]))
    assert done.status == 2
    assert "Choose another with --port" in done.err


def test_serve_answers_until_it_is_stopped(place: Path) -> None:
    import httpx

    command = [sys.executable, "-m", "streamlink_sql", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert url, line + process.stderr.read()
        with httpx.Client(base_url=url[0], timeout=120, trust_env=False) as client:
            answer = client.post("/v1/ask", json={"question": "how many sales?"}).json()
            health = client.get("/healthz").status_code
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (answer["rows"], health) == ([[5]], 200)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err
    assert children_of(process.pid) == []


def test_ctrl_c_stops_with_one_line(place: Path) -> None:
    command = [sys.executable, "-m", "streamlink_sql", "ask", "never ends", "--time-limit", "200", "--confirm", "--output", "x.csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        wait_for_a_running_query(place)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (5, "", "Stopped.\n")
    assert not (place / "x.csv").exists()
    assert children_of(process.pid) == []


def wait_for_a_running_query(place: Path) -> None:
    """Until the audit line that stands before a query is there, and a moment longer."""
    file = place / "home" / "data" / "streamlink-sql" / "history.db"
    deadline = time.monotonic() + 120
    while True:
        assert time.monotonic() < deadline, "the query did not start"
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(file)) as connection:
            if connection.execute("SELECT count(*) FROM audit WHERE event = 'approved'").fetchone()[0]:
                break
        time.sleep(0.1)
    time.sleep(0.3)


WIDE = Answer(
    id="1",
    question="",
    sql="",
    explanation="",
    rows=Rows(pa.table({"number": [1, 2], "text": ["x" * 100, "short"], **{f"c{place}": [10**9] * 2 for place in range(3)}})),
    confidence=1,
    model="",
    engine="duckdb",
    columns=(Column("number", "integer"), Column("text", "text"), *(Column(f"c{place}", "integer") for place in range(3))),
    row_count=2,
)


def test_a_table_fits_the_terminal() -> None:
    shown = render_table(WIDE, terminal=True, width=80)
    assert max(map(len, re.sub(r"\x1b\[[\d;]*m", "", shown).splitlines())) <= 80
    assert "\u2026" in shown
    assert "--format csv shows all" in shown
    assert "1000000000" in shown


def test_what_does_not_fit_side_by_side_is_shown_in_blocks() -> None:
    shown = render_table(WIDE, terminal=True, width=40)
    assert shown.startswith("-- row 1\nnumber")
    assert "x" * 30 in shown.replace("\n", "").replace(" ", "")


def test_a_table_in_a_pipe_is_never_cut() -> None:
    assert "x" * 100 in render_table(WIDE, terminal=False, width=40)


def children_of(group: int) -> list[str]:
    """Processes that are still alive in a process group."""
    alive = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            alive.append(stat.parent.name)
    return alive


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("before")
    with pytest.raises(TypeError), whole_file(path) as file:
        file.writelines([b"half", "no bytes"])  # type: ignore[list-item]
    assert path.read_text() == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.csv"]


def test_what_is_no_plain_file_is_left_alone(run: Run, place: Path) -> None:
    os.mkfifo(place / "pipe")
    (place / "real.csv").write_text("old")
    (place / "link.csv").symlink_to("real.csv")
    for name in ("pipe", "data"):
        done = run("ask", "all sales", "--output", str(place / name), "--format", "csv")
        assert done.status == 2
        assert name in done.err
    assert (place / "pipe").is_fifo()
    assert run("ask", "all sales", "--output", str(place / "link.csv")).status == 0
    assert (place / "link.csv").is_symlink()
    assert (place / "real.csv").read_text().startswith("id,name")


def test_a_full_disk_leaves_no_half_file() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    command = [sys.executable, "-c", FULL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "refused, nothing left\n", done.stderr


@pytest.mark.parametrize("arguments", [("ask", "all sales"), ("ask", "all sales", "--format", "json"), ("tables",), ("history",)])
def test_a_full_disk_under_stdout_is_said(place: Path, arguments: tuple[str, ...]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    command = [sys.executable, "-m", "streamlink_sql", *arguments]
    if arguments == ("history",):
        subprocess.run([*command[:3], "ask", "all sales"], capture_output=True, check=True)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=place)
    assert done.returncode == 2
    assert "The answer cannot be written: No space left on device." in done.stderr
    assert "Exception" not in done.stderr


FULL = """
import resource, signal, tempfile
from pathlib import Path
from streamlink_sql.cli.output import whole_file
from streamlink_sql.cli.serve import bound, listen
from streamlink_sql.errors import BadRequest
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = Path(tempfile.mkdtemp())
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with whole_file(folder / "x.csv") as file:
        file.write(b"x" * 100_000)
except BadRequest:
    print("refused, nothing left" if not list(folder.iterdir()) else "half a file")
"""


def answer_of(table: pa.Table) -> Answer:
    """An answer with these rows."""
    rows = Rows(table, False)
    return replace(WIDE, rows=rows, columns=rows.columns())


def test_a_workbook_holds_data_and_no_formula(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    moment = datetime.datetime(2024, 5, 6, 7, 8, 9)
    cells = [
        "=1+1",
        "https://example.org",
        "0123",
        7,
        2**60,
        1.5,
        Decimal("12.30"),
        True,
        moment,
        moment.date(),
        datetime.date(1815, 6, 18),
        None,
    ]
    table = pa.table({("@head", *"bcdefghijkl")[at]: [cell] for at, cell in enumerate(cells)})
    with file.open("wb") as out:
        write_xlsx(answer_of(table), out)
    sheet = openpyxl.load_workbook(file)["answer"]
    heads, line = sheet.iter_rows()
    assert heads[0].value == "@head"
    shown = [
        "=1+1",
        "https://example.org",
        "0123",
        7,
        str(2**60),
        1.5,
        12.3,
        True,
        moment,
        datetime.datetime(2024, 5, 6),
        "1815-06-18",
        None,
    ]
    assert [cell.value for cell in line] == shown
    assert {cell.data_type for cell in line} == {"s", "n", "b", "d"}
    assert all(cell.hyperlink is None for cell in line)


def test_what_a_sheet_cannot_hold_is_said(tmp_path: Path) -> None:
    for table in (pa.table({"a": ["x" * 32_768]}), pa.table({"a": pa.nulls(1_048_576)})):
        with pytest.raises(BadRequest, match="Write CSV or Parquet"):
            write_xlsx(answer_of(table), io.BytesIO())


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx", "＝1"])
def test_formulas_are_told_apart(text: str) -> None:
    assert for_sheet(text) == "'" + text


def test_text_for_a_terminal() -> None:
    assert for_terminal("a\x1b[2Jb\x9b1m\u202ec\nd\te") == "a[2Jb1mc d e"
    assert "\x9b" not in json_line({"a": "\x9b\u202e"})
    assert json.loads(json_line({"a": "\x9b\u202eé"})) == {"a": "\x9b\u202eé"}


def test_from_python(place: Path) -> None:
    with streamlink_sql.connect(place / "data", store="temporary") as db:
        result = db.ask("all sales", row_limit=2)
        assert result.rows() == [(1, "Ada", 10), (2, "=1+1", 20)]
        assert result.arrow().num_rows == len(result.pandas()) == len(result.polars()) == 2
        assert (result.confidence, result.answer.truncated) == (1.0, True)
        assert "sales" in result.explanation
        assert result.sql in str(result)
        assert {table.name for table in db.tables()} == {"numbers", "sales"}
        assert db.sql("select max(amount) as top from sales").rows() == [(50,)]
        with pytest.raises(BadRequest):
            db.ask("")
        with pytest.raises(PolicyRefused):
            db.sql("drop table sales")
        with pytest.raises(CannotAnswer):
            db.ask("something that nobody recorded")
    with pytest.raises(BadRequest, match="Did you mean"):
        streamlink_sql.connect(place / "data", row_limits=1)


def test_until_a_server_can_answer_its_port_refuses_callers_and_is_taken() -> None:
    with bound("127.0.0.1", 0) as listener:
        address: tuple[str, int] = listener.getsockname()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, 5)
        assert listen(listener) == f"http://127.0.0.1:{address[1]}"
        socket.create_connection(address, 5).close()
        with pytest.raises(BadRequest, match="cannot be used"), bound(*address):
            pass
