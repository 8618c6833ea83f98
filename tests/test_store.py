"""One contract for every store: SQLite always, PostgreSQL where it is installed."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from streamlink_sql.checks import check
from streamlink_sql.errors import BadRequest, CannotAnswer, NotFound, StoreUnavailable
from streamlink_sql.store import tables
from streamlink_sql.store.failures import explained
from streamlink_sql.store.store import Store, default_path, open_store
from streamlink_sql.types import Answer, Attempt, Column, Draft, Feedback, Question


@pytest.fixture
def store(store_url: str, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind."""
    with closing(open_store(store_url, tmp_path / "audit")) as opened:
        yield opened


def answer_to(question: Question) -> Answer:
    return Answer(
        id=question.id,
        question=question.text,
        sql="SELECT 1",
        explanation="Reads nothing.",
        rows=None,
        confidence=0.75,
        model="scripted",
        engine="sqlite",
        attempts=(Attempt("SELECT 2", "refused", "names", "no such table"), Attempt("SELECT 1", "ran")),
        timings_ms={"engine": 1.5, "total": 2.25},
        warnings=("Mind the gap.",),
        columns=(Column("größe", "integer"), Column("größe", "text")),
        row_count=7,
        truncated=True,
    )


def test_an_answer_comes_back_whole_but_for_its_rows(store: Store) -> None:
    question = Question("how many 名前 are there?")
    assert store.accepted(question) is None
    store.answered(question, answer_to(question))
    assert store.accepted(question) == answer_to(question)


def test_a_question_without_an_end_may_be_asked_again(store: Store) -> None:
    question = Question("how many?")
    assert store.accepted(question) is None
    assert store.accepted(question) is None
    store.refused(question, CannotAnswer("No."), engine="sqlite", attempts=())
    assert store.accepted(question) is None
    assert store.entry(question.id)["code"] == "cannot_answer"


@pytest.mark.parametrize("other", [Question("what else?", id="one"), Question("how many?", id="one", asker="somebody else")])
def test_an_id_belongs_to_one_question_of_one_asker(store: Store, other: Question) -> None:
    question = Question("how many?", id="one")
    store.accepted(question)
    store.answered(question, answer_to(question))
    with pytest.raises(BadRequest, match="belongs to another question"):
        store.accepted(other)


def test_history_is_newest_first_in_pages(store: Store) -> None:
    asked = [Question(f"question {number}", id=str(number), asker="a" if number % 2 else "b") for number in range(5)]
    for question in asked:
        store.accepted(question)
    assert [entry["id"] for entry in store.history(limit=2)] == ["4", "3"]
    assert [entry["id"] for entry in store.history(limit=2, before="3")] == ["2", "1"]
    assert [entry["id"] for entry in store.history(asker="a")] == ["3", "1"]
    assert store.history(before="unknown") == []
    with pytest.raises(NotFound):
        store.entry("3", asker="b")


@pytest.mark.parametrize("limit", [0, -1, 10_000])
def test_a_page_has_bounds(store: Store, limit: int) -> None:
    with pytest.raises(BadRequest, match="from 1 to"):
        store.history(limit=limit)


def test_the_audit_tells_the_whole_story_and_no_data(store: Store) -> None:
    question = Question("how many?", asker="ada", role="analyst")
    checked = check(Draft("SELECT 1"), (), "sqlite")
    store.accepted(question)
    store.approved(question, checked, engine="sqlite", model="scripted")
    store.answered(question, answer_to(question))
    lines = store.audit_lines(id=question.id)
    assert [line["event"] for line in lines] == ["approved", "answered"]
    assert all(
        (line["asker"], line["role"], line["question"], line["sql"]) == ("ada", "analyst", "how many?", "SELECT 1") for line in lines
    )
    assert (lines[1]["row_count"], lines[1]["ms"], len(lines[1]["attempts"])) == (7, 2.25, 2)


def test_accepted_pairs_are_what_people_vouched_for(store: Store) -> None:
    given = {
        "right": Feedback("right", "right"),
        "corrected": Feedback("corrected", "wrong", sql="SELECT 3"),
        "wrong": Feedback("wrong", "wrong"),
        "second thoughts": Feedback("second thoughts", "right"),
    }
    for id_, verdict in given.items():
        question = Question(f"about {id_}", id=id_)
        store.accepted(question)
        store.answered(question, answer_to(question))
        store.give_feedback(verdict)
    store.give_feedback(Feedback("second thoughts", "wrong"))
    pairs = [(pair["question"], pair["query"]) for pair in store.accepted_pairs()]
    assert pairs == [("about right", "SELECT 1"), ("about corrected", "SELECT 3")]


def test_feedback_needs_an_answer(store: Store) -> None:
    with pytest.raises(NotFound):
        store.give_feedback(Feedback("unknown", "right"))


def test_the_migrations_make_the_tables(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    with store._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    config = Config()
    config.set_main_option("script_location", "streamlink_sql:store/migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == tables.VERSION


def test_a_current_store_opens_without_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'history.db'}"
    open_store(url).close()
    code = f"import sys; from streamlink_sql.store.store import open_store; open_store({url!r}).close(); sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_many_first_starts_at_once(store_url: str) -> None:
    code = f"from streamlink_sql.store.store import open_store; open_store({store_url!r}).close()"
    started = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [(process.communicate()[1], process.returncode) for process in started] == [("", 0)] * 4


def test_a_store_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    open_store(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreUnavailable, match="newer"):
        open_store(f"sqlite:///{path}")


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/name", "sqlite://", "sqlite:///:memory:", "unknown:///x"])
def test_a_useless_address_is_refused(url: str) -> None:
    with pytest.raises(BadRequest):
        open_store(url)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    path.write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(StoreUnavailable, match=r"not a database.*setting `store`"):
        open_store(f"sqlite:///{path}")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path / 'file' / 'history.db'}")


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'history.db'}")
    fill(store)
    with pytest.raises(StoreUnavailable, match=r"cannot be written: .*full"):
        write_much(store)
    store.close()


def write_much(store: Store) -> None:
    for number in range(1000):
        store.accepted(replace(Question("how many?" * 100), id=str(number)))


def fill(store: Store) -> None:
    """Lets the store's files grow no further: SQLite then says, as on a full disk, that it is full."""

    @sa.event.listens_for(store._engine, "connect")
    def _(connection: sqlite3.Connection, __: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    store._engine.dispose()


def test_a_temporary_store_goes_with_it() -> None:
    store = open_store("temporary")
    path = Path(str(store._engine.url.database))
    assert path.is_file()
    store.close()
    assert not path.parent.exists()


def test_a_password_is_not_shown(tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="PostgreSQL needs psycopg")
    with pytest.raises(StoreUnavailable) as caught:
        open_store("postgresql://somebody:secret-word@127.0.0.1:1/name")
    assert "secret-word" not in caught.value.detail


def test_the_default_is_in_the_users_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_path() == tmp_path / "streamlink-sql" / "history.db"
    store = open_store()
    store.close()
    assert default_path().parent.stat().st_mode & 0o077 == 0


def failing(folder: Path, statement: str, *, damage: str = "") -> SQLAlchemyError:
    """The error that SQLite really gives for a statement on a store in that state."""
    path = folder / "history.db"
    open_store(f"sqlite:///{path}").close()
    address = f"sqlite:///file:{path}?mode=ro&uri=true" if damage == "read-only" else f"sqlite:///{path}"
    engine = sa.create_engine(address, connect_args={"timeout": 0})
    other = sqlite3.connect(path, isolation_level=None)
    if damage == "locked":
        other.execute("BEGIN IMMEDIATE")
    elif damage == "full":
        pages = other.execute("PRAGMA page_count").fetchone()[0]
        sa.event.listen(engine, "connect", lambda connection, _: connection.execute(f"PRAGMA max_page_count = {pages}"))
    elif damage == "corrupt":
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 8192)
    try:
        with engine.begin() as connection:
            connection.execute(sa.text(statement))
    except SQLAlchemyError as error:
        return error
    finally:
        other.close()
        engine.dispose()
    raise AssertionError("nothing failed")


WRITE = "INSERT INTO feedback (id, given_at, asker, verdict, comment) VALUES ('a', '', '', '', hex(zeroblob(1000000)))"


@pytest.mark.parametrize(
    ("damage", "statement", "words"),
    [
        ("locked", WRITE, "held it locked.*Close what"),
        ("read-only", WRITE, "may not be written by this user.*permissions"),
        ("full", WRITE, "no space left.*Free some disk space"),
        ("corrupt", "SELECT count(*), max(id) FROM history", "damaged.*Restore it from a copy"),
        ("", "SELECT gone FROM history", "no such column: gone.*Restore|no such column: gone.*restore"),
        ("", "SELECT * FROM gone", "no such table: gone.*restore"),
    ],
)
def test_each_failure_says_what_to_do(tmp_path: Path, damage: str, statement: str, words: str) -> None:
    said = explained(failing(tmp_path, statement, damage=damage))
    assert re.search(words, said), said
    assert "setting `store`" in said
    assert ("disk space" in said) == (damage == "full")
    assert "zeroblob" not in said


def test_the_systems_own_errors_say_what_to_do() -> None:
    assert "Free some disk space" in explained(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert "permissions" in explained(PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/x/history.db"))
    assert "permissions" in explained(OSError(errno.EROFS, os.strerror(errno.EROFS)))
    assert "Make the folder" in explained(NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), "/x"))


def test_a_store_whose_table_was_changed_says_so(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    store = open_store(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE history RENAME COLUMN state TO status")
    with pytest.raises(StoreUnavailable, match=r"not those of this StreamLink.*state"):
        store.accepted(Question("how many?"))
    store.close()
