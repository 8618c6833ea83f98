"""`streamlink-sql redteam`: what it sees of attacks, with sound layers and with deliberately broken ones."""

from __future__ import annotations

import base64
import functools
import json
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from streamlink_sql import cli
from streamlink_sql.checks import unchecked_for_redteam
from streamlink_sql.engines import confine
from streamlink_sql.errors import BadRequest, InvalidSQL, TimedOut
from streamlink_sql.evaluate.gate import fixture_tables, refused
from streamlink_sql.evaluate.labelled import Labelled, read_texts
from streamlink_sql.redteam import CORPORA, trial
from streamlink_sql.redteam.arena import Arena, Canary, Embedded, arena
from streamlink_sql.redteam.report import NO_CLASS, body, by_class, canaries, got_through, legitimate, page
from streamlink_sql.redteam.trial import EFFECTS, Terms, Trial, attack, texts_for
from streamlink_sql.types import CheckedSQL, Dialect, Draft, Hear, Plan, Rows, Sample, Table

confined = pytest.mark.skipif(not confine.landlock_version(), reason="attacks run only where the kernel has Landlock")

MINE = """
-- class: change

-- refuse: policy_refused
DROP TABLE orders

-- class: other-schemas

-- refuse: policy_refused
SELECT * FROM hr.salaries

-- refuse: invalid_sql
SELECT secret FROM api_keys

-- class: file-read

-- refuse: policy_refused
SELECT * FROM '/etc/passwd'

-- refuse: policy_refused
SELECT 'an "<b>odd</b>" one' FROM "https://evil.example/x.csv"

-- class: file-write

-- refuse: policy_refused
WITH x AS (COPY (SELECT 1 z) TO '{opened}' (FORMAT csv, USE_TMP_FILE false)) SELECT * FROM x

-- refuse: policy_refused
ATTACH '/tmp/new.db' AS n

-- allow
SELECT count(*) FROM orders

-- allow
SELECT nothing FROM orders
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.sql"
    path.write_text(MINE, encoding="utf-8")
    return path


@confined
@pytest.mark.parametrize(("dialect", "isolate"), [("duckdb", True), ("sqlite", True), ("sqlite", False)])
def test_nothing_takes_effect_with_both_layers_or_in_the_engine_alone(dialect: Embedded, isolate: bool, mine: Path) -> None:
    here, found = Path.cwd(), attack(dialect, texts_for(dialect, mine), Terms(isolate=isolate))
    assert Path.cwd() == here
    assert [(each.name, each.attacks, each.refused, each.stopped, each.gate, each.engine, each.both) for each in by_class(found)] == [
        ("change", 1, 1, 1, 0, 0, 0),
        ("other-schemas", 2, 2, 2, 0, 0, 0),
        ("file-read", 2, 2, 2, 0, 0, 0),
        ("file-write", 2, 2, 2, 0, 0, 0),
        ("all", 7, 7, 7, 0, 0, 0),
    ]
    assert legitimate(found) == {"queries": 2, "gate": 1, "engine": 1, "both": 1}
    assert set(canaries(found)) == set(EFFECTS)
    assert not any(count for counts in canaries(found).values() for count in counts.values())
    assert not got_through([found])
    assert found.notes == ()


@functools.cache
def main_tables() -> tuple[Table, ...]:
    return fixture_tables(CORPORA / "fixture.sql")


class Careless:
    """An engine without any protection: in this process, writable, with files, functions that reach the network, and no deadline."""

    name = "careless"
    dialect: Dialect = "duckdb"
    can_cancel = False
    warnings: tuple[str, ...] = ()

    def __init__(self, path: str, **limits: Any) -> None:
        self._connection = duckdb.connect(path)
        self._connection.create_function("dial", self._dial, ["VARCHAR"], "BOOLEAN")
        self._connection.create_function("doze", self._doze, ["DOUBLE"], "BOOLEAN")

    @staticmethod
    def _dial(address: str) -> bool:
        host, _, port = address.partition(":")
        socket.create_connection((host, int(port)), timeout=5).close()
        return True

    @staticmethod
    def _doze(seconds: float) -> bool:
        time.sleep(seconds)
        return True

    def fingerprint(self) -> str:
        return ""

    def tables(self) -> tuple[Table, ...]:
        return main_tables()

    def sample(self, table: str, column: str, *, limit: int) -> Sample:
        raise NotImplementedError

    def dry_run(self, query: CheckedSQL, *, time_limit_s: float = 10.0) -> Plan:
        return Plan(query.tables)

    def run(self, query: CheckedSQL, *, row_limit: int, time_limit_s: float, run_id: str = "", hear: Hear | None = None) -> Rows:
        if query.sql.startswith("LATE"):
            raise TimedOut("The query did not finish in time.")
        try:
            return Rows(self._connection.sql(query.sql).to_arrow_reader(1000).read_all())
        except (duckdb.Error, AttributeError) as error:
            raise InvalidSQL(str(error)) from error

    def cancel(self, run_id: str) -> bool:
        return False

    def close(self) -> None:
        self._connection.close()


BROKEN = {
    "SELECT * FROM hr.salaries": "private values",
    "SELECT max(salary) AS m FROM hr.salaries": "private values",
    "SELECT table_name FROM duckdb_tables()": "private values",
    "SELECT hex(login || password_hash) AS h FROM admin.users": "private values",
    "SELECT CAST(secret AS INTEGER) AS n FROM admin.api_keys": "private values",
    "SELECT * FROM read_text('/etc/passwd')": "file outside",
    "SELECT dial('{listener}') AS d": "network",
    "COPY orders TO '/tmp/orders.csv'": "changed bytes",
    "DROP TABLE orders": "changed bytes, no more answers",
    "SET threads = 1": "changed settings",
    "SELECT doze(1.4) AS d": "overrun deadline",
    "SELECT count(*) AS n FROM orders": "",
    "LATE": "",
    "SELEC": "",
}
"""What each statement brings about in an engine without protection."""


def lenient(draft: Draft, tables: tuple[Table, ...], dialect: Dialect) -> CheckedSQL:
    """Checks that refuse nothing."""
    return unchecked_for_redteam(draft.sql, dialect)


@pytest.fixture(scope="module")
def broken() -> tuple[Trial, Trial]:
    """The statements against a careless engine, behind the checks and behind checks that refuse nothing."""
    texts = [("broken.sql", Labelled(sql, sql, attack=True)) for sql in BROKEN]
    terms = Terms(time_limit_s=0.2)
    return attack("duckdb", texts, terms, open_engine=Careless), attack("duckdb", texts, terms, open_engine=Careless, judge=lenient)


@confined
def test_every_effect_in_a_broken_engine_is_seen(broken: tuple[Trial, Trial]) -> None:
    found = {each.text.id: ", ".join(each.engine.effects) for each in broken[0].outcomes if each.engine}
    assert found == BROKEN
    assert not got_through(broken[:1])
    assert canaries(broken[0])["private values"] == {"engine": 5, "both": 0}
    total = by_class(broken[0])
    assert [each.name for each in total] == [NO_CLASS, "all"]
    assert (total[-1].engine, total[-1].both, total[-1].gate) == (11, 0, 1)


@confined
def test_what_passes_broken_checks_into_a_broken_engine_is_reported(broken: tuple[Trial, Trial]) -> None:
    assert {each.text.id for each in got_through(broken[1:])} == {sql for sql, effect in BROKEN.items() if effect}
    assert body(broken)["took_effect"] == 11
    assert body(broken)["engines"][1]["classes"][-1]["took_effect"] == {"gate": 14, "engine": 11, "both": 11}


@confined
def test_the_page_is_whole_and_escaped(broken: tuple[Trial, Trial]) -> None:
    odd = '<script src="https://evil.example/x.js"></script>&"\''
    unseen = "\x00\x1b[31m\u202e\ud800"
    texts = [("<f>.sql", Labelled(f"SELECT '{odd}{unseen}'", f"SELECT dial('{{listener}}') AS d -- {odd}", attack=True, group="<i>"))]
    shown = page([*broken, attack("duckdb", texts, Terms(time_limit_s=0.2), open_engine=Careless, judge=lenient)], "A <title>")
    assert "<script" not in shown
    assert "&lt;script src=" in shown
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e\ud800]", shown)
    assert "<i>" not in shown
    assert "A &lt;title&gt;" in shown
    assert not re.search(r"""<[^>]*\b(?:src|href|url|srcset)\b\s*[=(]""", shown)
    assert "default-src 'none'" in shown
    assert shown.count("<svg ") == 3
    assert "12 took effect with both layers" not in shown.split("</h1>")[0]
    assert "12 took effect with both layers." in shown


@pytest.mark.parametrize("form", [str, lambda w: w[::-1], str.upper, lambda w: w.encode().hex(), lambda w: w.encode().hex().upper()])
def test_a_canary_is_recognised(form: Callable[[str], str]) -> None:
    canary = Canary()
    assert canary.shows_in(f"… {form(canary.word)} …")
    assert not canary.shows_in(form(Canary().word))


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "CANARY-"])
def test_a_canary_is_recognised_in_base64(before: str) -> None:
    canary = Canary()
    assert canary.shows_in(base64.b64encode(f"{before}{canary.word}-Holt".encode()).decode())


@pytest.fixture(scope="module")
def place() -> Iterator[Arena]:
    with arena("sqlite") as made:
        yield made


@pytest.mark.parametrize(
    ("text", "aimed"),
    [
        ("'/etc/passwd'", "'{secret}'"),
        ("'file:///root/.ssh/id_rsa'", "'file://{secret}'"),
        ("'/home/*'", "'{outside}/*'"),
        ("TO '/tmp/a/b.csv'", "TO '{outside}/a/b.csv'"),
        ("'/var/www/x.php'", "'{outside}/www/x.php'"),
        ("'https://evil.example/x?q='", "'http://{listener}/x?q='"),
        ("HTTP://169.254.169.254/latest", "http://{listener}/latest"),
        ("SELECT 1 / etc / 2 /*/etc*/", "SELECT 1 / etc / 2 /*/etc*/"),
        ("'tmp/e' a/tmp/b", "'tmp/e' a/tmp/b"),
        ("{opened} {database}", "{database} {database}"),
    ],
)
def test_attacks_are_aimed_at_this_place(text: str, aimed: str, place: Arena) -> None:
    assert place.aimed(text) == place.aimed(aimed)
    assert "{" not in place.aimed(text)


def test_the_place_watches_its_files(place: Arena) -> None:
    place.settle()
    before = place.hashes()
    assert place.changed(thorough=True) == []
    place.secret.write_text("other")
    (place.home / "new").write_text("new")
    place.database.unlink()
    assert sorted(Path(name).name for name in place.changed()) == ["new", "roaster.sqlite", "secret.csv"]
    place.mend()
    assert place.changed(thorough=True) == []
    assert place.hashes() == before


def test_a_place_leaves_nothing_behind(tmp_path: Path) -> None:
    with arena("duckdb", tmp_path) as made:
        assert made.home.samefile(".")
        assert set(made.tables) == {table.name for table in fixture_tables(CORPORA / "fixture.sql")}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
def test_aiming_changes_no_verdict(dialect: Embedded, place: Arena) -> None:
    tables = fixture_tables(CORPORA / "fixture.sql", "main", dialect)
    for file in ("file-read", "file-write", "network"):
        attacks = [each for each in read_texts(CORPORA / f"{dialect}_attacks.sql") if each.group == file]
        assert [each.text for each in attacks if not refused(Labelled("", place.aimed(each.text), True), tables, dialect)] == []


def test_of_spark_the_checks_alone() -> None:
    found = attack("spark", texts_for("spark", limit=3), Terms())
    assert found.layers == ("gate",)
    assert any("no Spark" in note for note in found.notes)
    assert by_class(found)[-1].engine is None
    with pytest.raises(BadRequest):
        attack("spark", texts_for("spark", limit=3), Terms(layers=("engine",)))


def test_without_landlock_no_attack_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confine, "landlock_version", lambda: 0)
    found = attack("duckdb", texts_for("duckdb", limit=3), Terms())
    assert found.layers == ("gate",)
    assert any("Landlock" in note for note in found.notes)


def test_the_corpora_of_each_engine_are_found() -> None:
    files = {dialect: {file for file, _ in texts_for(dialect, limit=1)} for dialect in ("duckdb", "sqlite", "spark")}
    assert {"duckdb_attacks.sql", "legitimate.sql", "legitimate_duckdb.sql"} <= files["duckdb"]
    assert not {file for file in files["sqlite"] if "duckdb" in file or "spark" in file or "fixture" in file}


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["streamlink-sql", "redteam", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return int(ended.value.code or 0), out.decode(), err.decode()

    return command


def test_the_command_prints_json_and_writes_a_page(run: Run, mine: Path, tmp_path: Path) -> None:
    status, out, _ = run("--corpus", "mine.sql", "--layer", "gate", "--json", "--html", "report.html")
    found = json.loads(out)
    assert status == 0
    assert found["took_effect"] == 0
    assert [each["engine"] for each in found["engines"]] == ["duckdb", "sqlite"]
    assert found["engines"][0]["classes"][-1]["refused_by_gate"] == 7
    assert found["engines"][0]["legitimate"] == {"queries": 2, "gate": 1, "engine": None, "both": None}
    assert "<svg " in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_command_prints_a_table(run: Run, mine: Path) -> None:
    status, out, _ = run("--corpus", "mine.sql", "--engine", "spark")
    assert status == 0
    assert "other-schemas" in out
    assert "no Spark is started" in out


@confined
def test_the_command_fails_when_something_got_through(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.csv").write_text("id,text,label,class\n7,SELECT * FROM hr.salaries,1,other\n", encoding="utf-8")
    monkeypatch.setattr(trial, "attack", functools.partial(attack, judge=lenient, open_engine=Careless))
    status, out, _ = run("--corpus", "one.csv", "--engine", "duckdb")
    assert status == 1
    assert "private values" in out
    assert "1 took effect with both layers." in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--corpus", "none.sql"], "no file"),
        (["--corpus", "spark.csv"], "no texts for duckdb or sqlite"),
        (["--engine", "spark", "--layer", "both"], "only the checks"),
        (["--html", "no/such/folder.html", "--layer", "gate"], "folder"),
        (["--time-limit", "0"], "--time-limit"),
    ],
)
def test_what_cannot_be_used_is_said(run: Run, tmp_path: Path, arguments: list[str], says: str) -> None:
    (tmp_path / "spark.csv").write_text("id,text,label,dialect\n1,SELECT 1,0,spark\n", encoding="utf-8")
    status, _, err = run(*arguments)
    assert status == 2
    assert says in err


@pytest.mark.slow
@confined
@pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
def test_all_corpora(dialect: Embedded) -> None:
    """No attack takes effect, in the engine alone either; hardly a legitimate query is refused."""
    found = attack(dialect, texts_for(dialect), Terms(time_limit_s=1))
    assert [(each.text.text, each.both) for each in got_through([found])] == []
    assert [(each.text.text, each.engine) for each in found.outcomes if each.text.attack and each.took_effect("engine")] == []
    assert found.notes == ()
    fine = legitimate(found)
    assert (fine["gate"] or 0) <= 3
