"""The audit's chains: whatever is done to a line of it is found, whoever wrote it and whatever was pruned."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from streamlink_sql import cli
from streamlink_sql.checks import check
from streamlink_sql.errors import BadRequest, CannotAnswer, NotFound, StoreUnavailable
from streamlink_sql.store.chain import Seal, broken
from streamlink_sql.store.people import People
from streamlink_sql.store.store import Store, open_store
from streamlink_sql.types import Attempt, Draft, Question

QUERY = check(Draft("SELECT 1"), (), "sqlite")


def ask(store: Store, text: str = "how many?") -> None:
    """Three lines of the audit: two queries run, then a refusal."""
    question = Question(text, asker="ada")
    store.accepted(question)
    for _ in range(2):
        store.approved(question, QUERY, engine="sqlite", model="m")
    store.refused(question, CannotAnswer("no"), engine="sqlite", attempts=(Attempt("SELECT 'ü'", "failed", "x", "y"),), alarm="ouch")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path


def opened(place: Path, name: str = "history.db") -> Store:
    return open_store(f"sqlite:///{place / name}", place / "audit")


@pytest.fixture
def store(place: Path) -> Iterator[Store]:
    with closing(opened(place)) as found:
        ask(found)
        ask(found, "and how many more? 😀")
        yield found


def change(store: Store, statement: str) -> None:
    with store._engine.begin() as connection:
        connection.execute(sa.text(statement))


def test_an_audit_as_it_was_written_is_whole(store: Store) -> None:
    assert store.verify() == (6, 6, [])
    lines = store.audit_lines()
    assert [line["number"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert {line["alarm"] for line in lines} == {None, "ouch"}


CHANGES = {
    "an edited text": "UPDATE audit SET sql = 'SELECT 2' WHERE number = 4",
    "another asker": "UPDATE audit SET asker = 'bob' WHERE number = 1",
    "other attempts": "UPDATE audit SET attempts = '[]' WHERE number = 3",
    "another count": "UPDATE audit SET row_count = 5 WHERE number = 3",
    "a removed alarm": "UPDATE audit SET alarm = NULL WHERE number = 6",
    "the first line gone": "DELETE FROM audit WHERE number = 1",
    "one in the middle gone": "DELETE FROM audit WHERE number = 3",
    "the last gone": "DELETE FROM audit WHERE number = 6",
    "all gone": "DELETE FROM audit",
    "two changed places": "UPDATE audit SET seq = CASE number WHEN 2 THEN 1004 WHEN 4 THEN 1002 ELSE 1000 + number END",
    "two swapped numbers": "UPDATE audit SET number = CASE number WHEN 2 THEN 104 WHEN 4 THEN 102 ELSE 100 + number END",
    "a line without a hash": "UPDATE audit SET mac = NULL, number = NULL, writer = NULL WHERE number = 5",
    "a copied line": "INSERT INTO audit SELECT 99, at, event, id, asker, role, question, engine, model, sql, code, attempts, row_count, "
    "ms, alarm, writer, 7, mac FROM audit WHERE number = 6",
}


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES.keys())
def test_whatever_is_done_to_it_is_found(store: Store, statement: str) -> None:
    change(store, statement)
    assert store.verify()[2]


def test_another_process_goes_on_with_the_chain_and_one_beside_it_has_its_own(place: Path, store: Store) -> None:
    with closing(opened(place)) as beside:
        ask(beside)
        ask(store)
        assert len({line["writer"] for line in beside.audit_lines()}) == 2
        assert beside.verify() == (12, 12, [])
    store.close()
    with closing(opened(place)) as after:
        ask(after)
        lines = after.audit_lines()
        assert len({line["writer"] for line in lines}) == 2
        assert after.verify() == (15, 15, [])


def test_two_processes_at_a_time_make_a_whole_audit(place: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; import tests.test_audit as t\n"
        "store = t.opened(Path(sys.argv[2]))\nfor _ in range(15): t.ask(store)\nstore.close()"
    )
    opened(place).close()
    root = str(Path(__file__).parents[1])
    running = [subprocess.Popen([sys.executable, "-c", code, root, str(place)]) for _ in range(3)]
    assert [process.wait(120) for process in running] == [0, 0, 0]
    with closing(opened(place)) as store:
        assert store.verify() == (135, 135, [])


def test_threads_write_one_chain(place: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with closing(opened(place)) as store:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: ask(store, f"question {number}"), range(16)))
        assert store.verify() == (48, 48, [])
        assert len({line["writer"] for line in store.audit_lines()}) == 1


def test_a_line_whose_end_was_not_noted_is_no_gap(place: Path, store: Store) -> None:
    """As after a power cut between the database and the note beside the key."""
    store._chain.seal.note = lambda end: None  # type: ignore[method-assign]
    ask(store)
    store.close()
    with closing(opened(place)) as after:
        ask(after)
        assert after.verify() == (12, 12, [])


def test_after_a_cut_a_new_chain_begins_and_the_cut_stays_known(place: Path, store: Store) -> None:
    change(store, "DELETE FROM audit WHERE number > 4")
    store.close()
    with closing(opened(place)) as after:
        ask(after)
        _, _, problems = after.verify()
        assert len(problems) == 1
        assert "newest lines were removed" in problems[0]
        assert len({line["writer"] for line in after.audit_lines()}) == 2


@pytest.mark.parametrize("again", [1, 2])
def test_pruning_keeps_it_verifiable(place: Path, store: Store, again: int) -> None:
    for number in range(again):
        change(store, f"UPDATE history SET asked_at = '2020-01-0{number + 1}'")
        newest = store.audit_lines()[-2]["at"]
        questions, lines = store.prune(newest)
        assert questions >= (2 if number == 0 else 0)
        assert lines > 0
        assert store.verify()[2] == []
        ask(store)
    assert store.verify()[2] == []
    store.close()
    with closing(opened(place)) as after:
        ask(after)
        assert after.verify()[2] == []
        change(after, "DELETE FROM audit WHERE event = 'pruned'")
        assert after.verify()[2]


def test_a_chain_that_was_pruned_whole_is_none_that_was_cut(place: Path, store: Store) -> None:
    with closing(opened(place)) as beside:
        ask(beside)
        assert beside.prune("9999-01-01")[1] == 9
        assert beside.verify() == (1, 1, [])
        assert beside.prune("9999-01-01")[1] == 1
        assert beside.verify() == (1, 1, [])


FORGED = {
    "an old date on a new line": "UPDATE audit SET at = '2000', sql = 'forged' WHERE number = 5",
    "a line that says older ones were pruned": "INSERT INTO audit (seq, at, event, id, asker, role, question, engine, model, sql, code, "
    "attempts) SELECT 99, '2000', 'pruned', '', '', '', '', '', '', '', '', "
    "json_array(json_object('writer', writer, 'number', 4, 'mac', mac)) "
    "FROM audit WHERE number = 4; DELETE FROM audit WHERE number <= 4",
}


@pytest.mark.parametrize("statements", FORGED.values(), ids=FORGED.keys())
def test_pruning_never_covers_up_what_was_done_to_it(store: Store, statements: str) -> None:
    for statement in statements.split("; "):
        change(store, statement)
    with pytest.raises(BadRequest, match="not whole"):
        store.prune("2001-01-01")
    assert store.verify()[2]


def test_a_store_is_the_same_however_its_address_is_spelt(place: Path, store: Store) -> None:
    change(store, "DELETE FROM audit WHERE number = 6")
    with closing(open_store(f"sqlite:///{place}/./history.db", place / "audit")) as same:
        assert same.verify()[2]
        ask(same)
        ask(store)


def test_after_a_line_that_failed_the_next_one_is_written(store: Store) -> None:
    question = Question("again", asker="ada")
    store.accepted(question)
    with pytest.raises(ZeroDivisionError), store._adding({**store.audit_lines()[0], "seq": 77}):
        raise ZeroDivisionError
    ask(store)
    assert store.verify() == (9, 9, [])


def test_another_key_fits_no_line(store: Store, tmp_path: Path) -> None:
    assert len(broken(store.audit_lines(), Seal(tmp_path / "other", "x"))) == 6


def test_lines_from_before_the_chains_may_stand_first(store: Store) -> None:
    change(store, "UPDATE audit SET seq = seq + 10")
    change(
        store,
        "INSERT INTO audit (seq, at, event, id, asker, role, question, engine, model, sql, code, attempts) "
        "VALUES (1, '2020', 'approved', 'x', '', '', '', '', '', '', '', '[]')",
    )
    assert store.verify() == (7, 6, [])


def test_the_key_is_private_and_not_in_the_store(place: Path, store: Store) -> None:
    key = place / "audit" / "key"
    assert key.stat().st_mode & 0o077 == 0
    assert (place / "audit").stat().st_mode & 0o077 == 0
    assert key.read_text() not in json.dumps(store.audit_lines())


def test_a_folder_for_the_key_that_cannot_be_used_is_told(place: Path) -> None:
    (place / "file").write_text("x")
    with pytest.raises(StoreUnavailable, match="audit_dir"):
        open_store(f"sqlite:///{place / 'history.db'}", place / "file" / "audit")


def test_a_backup_is_a_store(place: Path, store: Store) -> None:
    store.backup(place / "copy.db")
    with pytest.raises(BadRequest, match="exists"):
        store.backup(place / "copy.db")
    with closing(opened(place, "copy.db")) as copy:
        assert copy.verify() == (6, 6, [])
        assert len(copy.history()) == 2


def test_every_change_of_an_account_is_a_line_and_what_opens_is_in_none(store: Store) -> None:
    people, passwords = People(store), ("correct horse battery", "another good password")
    people.add("ada", admin=True, password=passwords[0])
    people.add("eve", role="analyst", attributes={"countries": ("DE", "FR")}, password=passwords[0])
    session = people.log_in("eve", passwords[0])
    people.change("eve", role="boss", attributes={"region": 5}, admin=True)
    people.change("eve", admin=False, clear_attributes=True)
    people.set_password("eve", passwords[1])
    key = people.create_key("eve", days=30)
    id_, secret = key.split("_", 2)[1:]
    people.revoke_key(id_)
    people.disable("eve")
    people.enable("eve")
    lines = store.audit_lines()[7:]
    assert [(line["event"], line["attempts"][0]) for line in lines] == [
        ("user added", {"user": "eve", "role": "analyst", "attributes": {"countries": ["DE", "FR"]}, "admin": False, "password": True}),
        ("user changed", {"user": "eve", "role": "boss", "attributes": {"region": 5}, "admin": True}),
        ("user changed", {"user": "eve", "clear_attributes": True, "admin": False}),
        ("password changed", {"user": "eve"}),
        ("key created", {"user": "eve", "key": id_, "scope": "ask", "expires_at": people.keys()[0]["expires_at"]}),
        ("key revoked", {"user": "eve", "key": id_}),
        ("user disabled", {"user": "eve"}),
        ("user enabled", {"user": "eve"}),
    ]
    assert {(line["asker"], line["question"]) for line in lines} == {("command line", f"{line['event']}: eve") for line in lines}
    assert store.verify() == (15, 15, [])
    with store.transaction("read") as connection:
        hashes = connection.execute(sa.text("SELECT password FROM users UNION SELECT hash FROM keys")).scalars().all()
    told = json.dumps(lines)
    assert [text for text in (*passwords, session, secret, *hashes) if text in told] == []


def test_an_account_change_that_failed_is_no_line(store: Store) -> None:
    people = People(store)
    people.add("eve")
    for error, change_ in (
        (BadRequest, lambda: people.add("eve")),
        (BadRequest, lambda: people.change("eve")),
        (BadRequest, lambda: people.create_key("eve", scope="admin")),
        (BadRequest, lambda: people.set_password("eve", "short")),
        (NotFound, lambda: people.disable("nobody")),
        (NotFound, lambda: people.revoke_key("nothing")),
    ):
        with pytest.raises(error):
            change_()
    assert store.verify() == (7, 7, [])
    people.disable("eve")
    assert store.verify() == (8, 8, [])


def test_an_account_change_without_its_line_is_none(store: Store) -> None:
    people = People(store)
    people.add("eve")
    change(store, "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no place'); END")
    with pytest.raises(StoreUnavailable):
        people.change("eve", admin=True)
    assert not people.users()[0]["admin"]


@pytest.mark.parametrize("statement", ["UPDATE audit SET attempts = '[]' WHERE number = 8", "DELETE FROM audit WHERE number = 8"])
def test_what_is_done_to_the_line_of_an_account_is_found(store: Store, statement: str) -> None:
    people = People(store)
    people.add("eve")
    people.change("eve", role="boss")
    people.change("eve", admin=True)
    change(store, statement)
    assert store.verify()[2]


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("STREAMLINK_STORE", f"sqlite:///{place / 'history.db'}")
    monkeypatch.setenv("STREAMLINK_AUDIT_DIR", str(place / "audit"))

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["streamlink-sql", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return command


def test_account_changes_by_commands_are_verified_and_exported(run: Run, store: Store) -> None:
    assert run("users", "add", "eve", "--no-password")[0] == 0
    assert run("users", "change", "eve", "--role", "boss")[0] == 0
    key = run("keys", "create", "eve")[1].strip()
    assert run("audit", "verify")[:2] == (0, "9 lines: the audit is whole.\n")
    exported = run("audit", "export")[1]
    lines = [json.loads(line) for line in exported.splitlines()]
    assert [line["event"] for line in lines[6:]] == ["user added", "user changed", "key created"]
    assert key.split("_", 2)[2] not in exported
    ask(store)
    assert store.verify() == (12, 12, [])


def test_the_commands(run: Run, store: Store, place: Path) -> None:
    assert run("audit", "verify") == (0, "6 lines: the audit is whole.\n", "")
    assert run("store", "prune", "--keep-days", "30")[1].startswith("Removed 0 questions and 0 audit lines")
    exported = place / "audit.jsonl"
    assert run("audit", "export", "--output", str(exported))[0] == 0
    ask(store)
    assert run("audit", "verify", "--file", str(exported))[:2] == (0, "7 lines: the audit is whole.\n")
    text = exported.read_text(encoding="utf-8").splitlines()
    exported.write_text("\n".join(text[:2] + text[3:]), encoding="utf-8")
    assert run("audit", "verify", "--file", str(exported))[0] == 1
    exported.write_text("no json")
    assert run("audit", "verify", "--file", str(exported))[0] == 2
    change(store, "UPDATE audit SET question = 'x' WHERE number = 2")
    status, out, _ = run("audit", "verify", "--json")
    body: dict[str, Any] = json.loads(out)
    assert (status, body["lines"], body["in_chains"], len(body["problems"])) == (1, 10, 10, 1)
    status, out, _ = run("audit", "verify")
    assert status == 1
    assert "NOT WHOLE" in out
    assert run("store", "backup", str(place / "b.db"))[0] == 0
    assert run("store", "migrate")[0] == 0
    status, _, said = run("store", "prune", "--keep-days", "30")
    assert status == 2
    assert "not whole" in said
    assert run("store", "prune", "--keep-days", "0")[0] == 2
