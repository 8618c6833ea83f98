"""A policy in log mode: everybody sees everything, and the audit says what the policy would have made of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamlink_sql.assemble import control_unit
from streamlink_sql.cli.serve import answering
from streamlink_sql.errors import BadRequest, InvalidSQL
from streamlink_sql.roles import is_log_only
from streamlink_sql.settings import Settings
from streamlink_sql.store.people import People
from streamlink_sql.store.store import open_store
from streamlink_sql.types import Question
from tests.serving import serving, until
from tests.test_people import POLICY, RECORDED, Run, run  # noqa: F401 - a fixture
from tests.test_roles import CANARY, make

LOG_ONLY = 'mode = "log"\n' + POLICY + 'mask = { name = "first 1" }\n'
JUDGED = {
    "SELECT pay FROM salaries": ("refused", [("table.unknown", "")]),
    "SELECT email FROM customers": ("refused", [("column.unknown", "")]),
    "SELECT * FROM customers": ("changed", [("columns", ""), ("mask", "customers")]),
    "SELECT c.name FROM customers c": ("changed", [("mask", "customers")]),
    "SELECT count(*) FROM customers": ("same", []),
    "SELECT id FROM customers": ("same", []),
    "SELECT sum(amount) FROM orders": ("changed", [("rows", "orders")]),
    "SELECT 1": ("same", []),
}
"""SQL, and what the analyst's rules would make of it."""


@pytest.fixture(params=["duckdb file", "sqlite"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    (tmp_path / "policy.toml").write_text(LOG_ONLY, encoding="utf-8")
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in RECORDED), encoding="utf-8")
    with closing(open_store(f"sqlite:///{tmp_path / 'history.db'}", tmp_path / "audit")) as store:
        people = People(store)
        people.add("ada", role="boss", admin=True)
        people.add("bob", role="analyst", attributes={"countries": ("DE",)})
        people.add("eve", role="clerk")
    return Settings(
        data=str(make(request.param, tmp_path / "data")),
        model=f"replay:{tmp_path / 'answers.jsonl'}",
        policy=tmp_path / "policy.toml",
        store=f"sqlite:///{tmp_path / 'history.db'}",
        audit_dir=tmp_path / "audit",
        login=True,
    )


class Served:
    """A server with that policy, and what its people send and its audit holds."""

    def __init__(self, address: str, people: People) -> None:
        self.address, self.people, self.asked = address, people, 0

    def header(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.people.create_key(name, scope='admin' if name == 'ada' else 'ask')}"}

    def sql(self, name: str, sql: str) -> httpx.Response:
        answer = httpx.post(self.address + "/v1/sql", json={"sql": sql}, headers=self.header(name), timeout=60)
        self.asked += answer.status_code == 200
        return answer

    def tried(self) -> list[dict[str, Any]]:
        """The lines of the trials, once all answers are judged."""
        until(lambda: len(self.lines()) == self.asked)
        return self.lines()

    def lines(self) -> list[dict[str, Any]]:
        return [line for line in self.people._store.audit_lines() if line["event"] == "tried"]


@pytest.fixture
def server(settings: Settings) -> Iterator[Served]:
    with (
        closing(open_store(settings.store, settings.audit_dir)) as store,
        answering(settings) as (units, guard),
        serving(units, guard=guard, tried=units.tried) as address,  # type: ignore[arg-type]
    ):
        yield Served(address, People(store))
        assert store.verify()[2] == []


def test_everybody_sees_everything_and_the_audit_says_what_would_have_been(server: Served) -> None:
    for sql in JUDGED:
        assert server.sql("bob", sql).status_code == 200, sql
    assert CANARY in server.sql("bob", "SELECT person FROM salaries").text
    *judged, again = server.tried()
    found = {line["sql"]: (line["code"], [(each["rule"], each["table"]) for each in line["attempts"]]) for line in judged}
    assert list(found.values()) == list(JUDGED.values()), found
    assert (again["asker"], again["role"], again["code"]) == ("bob", "analyst", "refused")
    assert "salaries" in again["attempts"][0]["message"]


def test_nothing_of_a_trial_is_shown_to_whoever_asks(server: Served) -> None:
    answer = server.sql("bob", "SELECT pay FROM salaries").json()
    server.tried()
    entry = httpx.get(f"{server.address}/v1/history/{answer['id']}", headers=server.header("bob"), timeout=60).text
    assert not {"tried", "refused", "policy"} & set(json.dumps(answer).replace('"', " ").split())
    assert "refused" not in entry
    assert answer["warnings"] == []


def test_each_is_judged_in_their_own_role(server: Served) -> None:
    for name in ("ada", "bob", "eve"):
        assert server.sql(name, "SELECT pay FROM salaries").status_code == 200
    found = {line["asker"]: (line["code"], [each["rule"] for each in line["attempts"]]) for line in server.tried()}
    assert found == {"ada": ("same", []), "bob": ("refused", ["table.unknown"]), "eve": ("refused", ["role"])}


def test_the_counters_count_trials(server: Served) -> None:
    for sql in ("SELECT 1", "SELECT pay FROM salaries", "SELECT person FROM salaries"):
        server.sql("bob", sql)
    server.tried()
    page = httpx.get(server.address + "/metrics", headers=server.header("ada"), timeout=60).text
    assert 'streamlink_policy_trials_total{outcome="refused"} 2.0' in page
    assert 'streamlink_policy_trials_total{outcome="same"} 1.0' in page


def test_a_policy_that_does_not_fit_closes_nothing_and_is_told(
    server: Served, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    assert settings.policy is not None
    for broken, said in (
        ("[roles.analyst.tables.sales]\n", "sales"),
        ("[roles.analyst.tables.orders]\nrows = 'land ='\n", "land"),
        ("[roles.analyst]\nother = true\n", "no such key"),
        ("[roles.analyst.tables.orders]\nrows = 'country = :land'\n", "land"),
    ):
        settings.policy.write_text(f'mode = "log"\n{broken}', encoding="utf-8")
        assert server.sql("bob", "SELECT id FROM orders").status_code == 200
        assert httpx.get(server.address + "/readyz", timeout=60).status_code == 200
        line = server.tried()[-1]
        assert (line["code"], said in line["attempts"][0]["message"]) == ("refused", True), line
    assert "NOTHING IS ENFORCED" in caplog.text


def test_a_file_that_is_no_toml_and_one_that_is_enforced_open_nothing(server: Served, settings: Settings) -> None:
    assert settings.policy is not None
    assert server.sql("bob", "SELECT pay FROM salaries").status_code == 200
    settings.policy.write_text('mode = "log"\n[roles', encoding="utf-8")
    assert server.sql("bob", "SELECT pay FROM salaries").json()["code"] == "engine_unavailable"
    settings.policy.write_text(POLICY, encoding="utf-8")
    assert server.sql("bob", "SELECT pay FROM salaries").json()["code"] == "invalid_sql"
    assert server.sql("bob", "SELECT count(*) FROM orders").json()["rows"] == [[1]]
    settings.policy.unlink()
    assert server.sql("bob", "SELECT pay FROM salaries").json()["code"] == "engine_unavailable"
    server.asked = 1
    assert len(server.tried()) == 1


def test_a_process_without_login_is_tried_as_its_role(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    alone = settings.model_copy(update={"role": "analyst", "attributes": {"countries": ("DE",)}})
    with closing(control_unit(alone)) as control:
        control.run_sql("SELECT count(*) FROM orders")
        assert control.answer(Question("what do people earn?")).row_count == 1
    with closing(open_store(settings.store, settings.audit_dir)) as store:
        found = [(line["role"], line["code"]) for line in store.audit_lines() if line["event"] == "tried"]
    assert found == [("analyst", "changed"), ("analyst", "refused")]
    assert "NOTHING IS ENFORCED" in caplog.text
    assert settings.policy is not None
    settings.policy.write_text(POLICY, encoding="utf-8")
    with closing(control_unit(alone)) as control, pytest.raises(InvalidSQL):
        control.run_sql("SELECT pay FROM salaries")


def test_only_a_policy_that_says_so_looks_on(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    assert not is_log_only(file)
    for text, wanted in (('mode = "log"', True), ('mode = "Log"', False), ("mode = ['log']", False), ("", False), ('mode = "log', False)):
        file.write_text(text, encoding="utf-8")
        assert is_log_only(file) is wanted


def test_the_report_counts_by_role_and_reason(run: Run, server: Served, caplog: pytest.LogCaptureFixture) -> None:  # noqa: F811
    assert run("policy", "report")[1:] == ("", "No policy in log mode has judged anything.\n")
    for sql in ("SELECT pay FROM salaries", "SELECT person FROM salaries", "SELECT 1", "SELECT id FROM orders"):
        server.sql("bob", sql)
    server.tried()
    shown = run("policy", "report")[1].splitlines()
    assert shown[0] == "analyst: 4 answers, 2 would have been refused, 1 would have been others, 1 would have been the same"
    assert shown[1].split() == ["2", "refused", "table.unknown", "There", "is", "no", "table", "'salaries'."]
    [told] = json.loads(run("policy", "report", "--json", "--days", "1")[1])
    assert (told["role"], told["answers"], told["refused"], told["unknown"]) == ("analyst", 4, 2, 0)
    assert told["reasons"][1] | {"message": ""} == {"outcome": "changed", "rule": "rows", "table": "orders", "message": "", "count": 1}


def test_checking_and_showing_a_policy_say_that_nothing_is_enforced(
    run: Run,  # noqa: F811
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    data = str(make("sqlite", tmp_path / "shop"))
    file = tmp_path / "log.toml"
    file.write_text(LOG_ONLY, encoding="utf-8")
    status, said, _ = run("policy", "check", str(file), "--data", data, "--attribute", "countries=DE")
    assert (status, "analyst: customers, orders\n" in said) == (0, True)
    assert "NOTHING IS ENFORCED" in caplog.text
    caplog.clear()
    file.write_text(LOG_ONLY, encoding="utf-8")
    status, said, _ = run("policy", "show", "--policy", str(file), "--role", "analyst", "--data", data, "--attribute", "countries=DE")
    assert (status, "name is masked" in said, "NOTHING IS ENFORCED" in caplog.text) == (0, True, True)
    file.write_text('mode = "log"\n[roles.a]\nother = true', encoding="utf-8")
    assert run("policy", "check", str(file), "--data", data)[0] == 2


def test_what_cannot_be_judged_is_counted_and_hurts_nobody(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlink_sql.trial.check", lambda *_: 1 / 0)
    with closing(control_unit(settings.model_copy(update={"role": "boss"}))) as control:
        assert control.run_sql("SELECT 1").row_count == 1
    assert control.tried == {"same": 1}
    alone = settings.model_copy(update={"role": "analyst", "attributes": {"countries": ("DE",)}})
    with closing(control_unit(alone)) as control:
        assert control.run_sql("SELECT 1").row_count == 1
    assert control.tried == {"unknown": 1}
    with closing(open_store(settings.store, settings.audit_dir)) as store:
        assert [line["code"] for line in store.audit_lines() if line["event"] == "tried"] == ["same", "unknown"]


def test_a_policy_that_is_no_file_is_told_before_anything_opens(settings: Settings) -> None:
    assert settings.policy is not None
    settings.policy.write_text('mode = "log', encoding="utf-8")
    with pytest.raises(BadRequest, match="not valid TOML"):
        control_unit(settings)
