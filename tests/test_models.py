"""The embedded parser with versions: on the command line, behind a worker, at several control units on one PostgreSQL."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from streamlink_sql import cli
from streamlink_sql.assemble import control_unit, open_versions
from streamlink_sql.client import Client
from streamlink_sql.errors import Forbidden, ModelUnavailable
from streamlink_sql.generators import open_generator, try_out
from streamlink_sql.settings import load_settings
from streamlink_sql.store.people import People
from streamlink_sql.store.store import open_store
from streamlink_sql.types import Question
from tests.adapters import parser_adapter
from tests.postgres import Postgres
from tests.serving import make_data, until

ASKED = "How many sales are there?"
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process on some data and a store of its own; gives what it prints."""
    monkeypatch.setenv("STREAMLINK_DATA", str(make_data(tmp_path / "data")))
    monkeypatch.setenv("STREAMLINK_STORE", f"sqlite:///{tmp_path / 'kept' / 'history.db'}")
    monkeypatch.setenv("STREAMLINK_AUDIT_DIR", str(tmp_path / "audit"))

    def command(*arguments: str, status: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["streamlink-sql", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert ended.value.code == status, out + err
        return out + err

    return command


def test_from_a_folder_to_an_answer_and_back(run: Run, tmp_path: Path) -> None:
    made = parser_adapter(tmp_path / "out")
    assert "The model answers as it is." in run("models", "list")
    assert "This is version 1." in run("models", "add", str(made))
    listed = run("models", "list")
    assert re.search(r"1 +\d{4}-\d\d-\d\d \d\d:\d\d UTC  command line  50\.0% -> 65\.0% of 40$", listed, re.MULTILINE)
    assert "Version 1 answers from now on." in run("models", "promote", "1")
    assert "of 40  promoted" in run("models", "list")
    assert json.loads(run("ask", ASKED, "--format", "json"))["model"] == "parser v1"
    assert json.loads(run("models", "list", "--json"))["promoted"] == 1
    assert "The model as it is answers from now on." in run("models", "rollback")
    assert json.loads(run("ask", ASKED, "--format", "json"))["model"] == "parser"
    assert "No version is promoted" in run("models", "rollback", status=2)
    assert "the audit is whole" in run("audit", "verify")


def test_what_does_not_run_is_no_version(run: Run, tmp_path: Path) -> None:
    bare, broken, other = (parser_adapter(tmp_path / name) for name in ("bare", "broken", "other"))
    (bare / "adapter.npz").unlink()
    (broken / "adapter.npz").write_bytes(b"no weights")
    (other / "card.json").write_text('{"kind": "causal", "gate": {"passed": true}}')
    for made in (bare, broken, other):
        assert "dapter" in run("models", "add", str(made), status=2)
    assert json.loads(run("models", "list", "--json"))["versions"] == []


def test_what_the_gate_kept_back_is_promoted_on_purpose_only(run: Run, tmp_path: Path) -> None:
    assert "with --anyway only" in run("models", "add", str(parser_adapter(tmp_path / "out", passed=False)))
    assert "kept back by the gate. It answers no more" in run("models", "promote", "1", status=2)
    assert "kept back by the gate" in run("models", "list")
    run("models", "promote", "1", "--anyway")
    assert json.loads(run("ask", ASKED, "--format", "json"))["model"] == "parser v1"


def test_without_the_folder_the_model_answers_as_it_is_and_says_so(run: Run, tmp_path: Path) -> None:
    run("models", "add", str(parser_adapter(tmp_path / "out")))
    run("models", "promote", "1")
    (tmp_path / "kept" / "models").rename(tmp_path / "kept" / "gone")
    with closing(control_unit(data=str(tmp_path / "data"))) as unit:
        assert unit.answer(Question(ASKED)).model == "parser"
        told = unit.models()
    assert (told["promoted"], told["serving"]) == (1, None)
    assert "models_dir" in told["trouble"]


def test_versions_belong_to_the_data(run: Run, tmp_path: Path) -> None:
    run("models", "add", str(parser_adapter(tmp_path / "out")))
    run("models", "promote", "1")
    other = make_data(tmp_path / "other")
    with closing(control_unit(data=str(other))) as unit:
        assert unit.answer(Question(ASKED)).model == "parser"
    assert "no version 1" in run("models", "promote", "1", "--data", str(other), status=2)


@contextmanager
def process(command: list[str], **told: str) -> Iterator[str]:
    """A server that is a process of its own; gives its address."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLINK_")}
    environment |= {f"STREAMLINK_{name.upper()}": value for name, value in told.items()}
    line = [sys.executable, "-m", "streamlink_sql", *command, "--port", "0"]
    with subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True) as started:
        assert started.stderr is not None
        try:
            first = started.stderr.readline()
            found = re.search(r"answers on (http://\S+)", first)
            assert found, first + started.stderr.read()
            yield found[1]
        finally:
            started.kill()


def test_a_worker_writes_with_the_version_that_it_is_asked_for(run: Run, tmp_path: Path) -> None:
    run("models", "add", str(parser_adapter(tmp_path / "out")))
    models = tmp_path / "kept" / "models"
    with process(["worker"], models_dir=str(models)) as url:
        address = f"worker:{url}"
        with closing(control_unit(data=str(tmp_path / "data"), model=address)) as unit:
            assert unit.answer(Question(ASKED)).model == "parser"
            unit.promote(1)
            until(lambda: unit.models()["serving"] == 1, 30)
            assert unit.answer(Question(ASKED)).model == "parser v1"
            unit.roll_back()
            until(lambda: unit.models()["serving"] is None, 30)
        for name in ("0" * 32, "../models"):
            with closing(open_generator(address, version=name)) as generator, pytest.raises(ModelUnavailable, match="models_dir"):
                try_out(generator)


@pytest.mark.cluster
def test_control_units_on_one_postgresql_agree(postgres: Postgres, tmp_path: Path) -> None:
    """Promoted at one while both are asked without a pause: no question fails, and the other follows within seconds."""
    told = {"data": str(make_data(tmp_path / "data")), "store": postgres.database(), "audit_dir": str(tmp_path / "audit")}
    told |= {"models_dir": str(tmp_path / "models"), "keep_samples": "false", "login": "true"}
    settings: dict[str, Any] = {name: value for name, value in told.items() if name not in ("keep_samples", "login")}
    with closing(control_unit(**settings)) as unit:
        assert unit.models()["versions"] == []
        people = People(unit.store)
        people.add("ada", admin=True)
        people.add("bob")
        keys = people.create_key("ada", scope="admin"), people.create_key("bob")
        versions = open_versions(load_settings(**settings), unit.store)
        for name in ("first", "second"):
            versions.add(parser_adapter(tmp_path / name, name), passed=True, by="ada")
    with ExitStack() as stack:
        urls = [stack.enter_context(process(["ccu"], **told)) for _ in range(2)]
        here, there = (stack.enter_context(Client(url, keys[0])) for url in urls)
        bob = stack.enter_context(Client(urls[0], keys[1]))
        assert bob.models()["promoted"] is None
        with pytest.raises(Forbidden, match="administrators"):
            bob.promote(1)
        with pytest.raises(Forbidden, match="administrators"):
            bob.roll_back()
        seen: dict[Client, list[str]] = {here: [], there: []}

        def asked_until(serving: int | None) -> None:
            def follows() -> bool:
                for client, models in seen.items():
                    models.append(client.answer(ASKED).model)
                return all(client.models()["serving"] == serving for client in seen)

            until(follows, 120)

        here.promote(1)
        asked_until(1)
        there.promote(2)
        asked_until(2)
        here.roll_back()
        asked_until(1)
        there.roll_back()
        asked_until(None)
        for models in seen.values():
            assert {*models} <= {"parser", "parser v1", "parser v2"}
    with closing(open_store(told["store"], tmp_path / "audit")) as store:
        told_of = [(line["event"], line["asker"]) for line in store.audit_lines() if line["event"].startswith("version ")]
        assert told_of[2:] == [("version promoted", "ada")] * 2 + [("version rolled back", "ada")] * 2
        assert store.verify()[2] == []


def test_adapt_says_what_is_missing_before_anything_is_done(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = ("--out", str(tmp_path / "out"))
    assert "--questions" in run("adapt", *out, status=2), "nobody has accepted anything"
    accepted = tmp_path / "accepted.jsonl"
    accepted.write_text('{"question": "How many sales are there?", "query": "SELECT count(*) FROM sales"}\n')
    questions = (*out, "--questions", str(accepted))
    assert "is no ratio" in run("adapt", *questions, "--ratio", "1", status=2)
    assert "cannot be adapted" in run("adapt", *questions, "--model", "http://127.0.0.1:9/v1#coder", status=2)
    assert "leave out the setting `adapter`" in run("adapt", *questions, "--config", str(_with_adapter(tmp_path)), status=2)
    assert "is not a folder" in run("adapt", "--questions", str(accepted), "--out", str(accepted), status=2)
    assert "There is no file" in run("adapt", *out, "--questions", "gone.jsonl", status=2)
    monkeypatch.setattr("streamlink_sql.training.promote.find_spec", lambda name: None)
    assert "streamlink-sql[train]" in run("adapt", *questions, status=4)
    assert json.loads(run("adapt", *questions, "--json", status=4))["code"] == "model_unavailable"
    assert not (tmp_path / "out").exists()


def _with_adapter(place: Path) -> Path:
    (place / "streamlink.toml").write_text(f'adapter = "{place}"\n')
    return place / "streamlink.toml"
