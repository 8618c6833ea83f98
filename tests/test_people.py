"""People: passwords, keys, sessions, and a server on which each sees what they may see and what they asked."""

from __future__ import annotations

import io
import itertools
import json
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from streamlink_sql import cli
from streamlink_sql.cli.serve import answering
from streamlink_sql.client import Client
from streamlink_sql.errors import BadRequest, Cancelled, Forbidden, InvalidSQL, NotFound, StreamLinkError, TooManyAttempts, Unauthenticated
from streamlink_sql.settings import Settings
from streamlink_sql.store import people as people_module
from streamlink_sql.store.people import Identity, People
from streamlink_sql.store.store import Store, open_store
from streamlink_sql.types import Person, Question
from streamlink_sql.underway import Underway
from streamlink_sql.units import Units
from streamlink_sql.web.guard import COOKIE, Guard
from tests.serving import serving, until
from tests.test_roles import CANARY, make

get, post, delete, request = (partial(call, timeout=60) for call in (httpx.get, httpx.post, httpx.delete, httpx.request))
PASSWORD, OTHER = "correct horse battery", "another good password"
POLICY = """
[roles.boss]
others = true
[roles.analyst.tables.orders]
rows = "country IN (:countries)"
[roles.analyst.tables.customers]
hide = ["email"]
"""
RECORDED = [
    {"id": "1", "question": "orders per country", "sql": "SELECT country, count(*) FROM orders GROUP BY country ORDER BY country"},
    {"id": "2", "question": "what do people earn?", "sql": "SELECT person, pay FROM salaries"},
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{tmp_path / 'history.db'}", tmp_path / "audit")) as opened:
        yield opened


@pytest.fixture
def people(store: Store) -> People:
    found = People(store)
    found.add("ada", role="boss", admin=True, password=PASSWORD)
    found.add("bob", role="analyst", attributes={"countries": ("DE",)}, password=OTHER)
    found.add("robot", role="analyst", attributes={"countries": ("FR",)})
    return found


def test_a_key_opens_until_it_expires_or_is_revoked(people: People, store: Store) -> None:
    key = people.create_key("bob")
    assert people.of_key(key) == Person("bob", "analyst", {"countries": ("DE",)}, "ask")
    [listed] = people.keys()
    assert key.split("_")[1] == listed["id"]
    assert "hash" not in listed
    people.revoke_key(listed["id"])
    with pytest.raises(Unauthenticated):
        people.of_key(key)
    with pytest.raises(NotFound):
        people.revoke_key(listed["id"])
    short = people.create_key("bob", days=1)
    assert people.of_key(short).name == "bob"
    with store.transaction("written") as connection:
        connection.execute(sa.text("UPDATE keys SET expires_at = '2020-01-01'"))
    with pytest.raises(Unauthenticated):
        people.of_key(short)


def test_a_key_that_never_expires_is_good_however_the_clock_ticks(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    key, ticks = people.create_key("bob"), itertools.count(1000)
    monkeypatch.setattr("streamlink_sql.store.people._now", lambda: f"2026-01-01T00:00:00.{next(ticks)}+00:00")
    assert people.of_key(key).name == "bob"


@pytest.mark.parametrize("key", ["", "sl_", "sl_x", "sl_x_y", "nonsense", "sl_é_😀", "sl_" + "a" * 10_000])
def test_what_is_no_key_opens_nothing(people: People, key: str) -> None:
    with pytest.raises(Unauthenticated):
        people.of_key(key)


def test_half_a_key_or_another_ones_id_opens_nothing(people: People) -> None:
    one, other = people.create_key("ada", scope="admin"), people.create_key("bob")
    with pytest.raises(Unauthenticated):
        people.of_key(one[:-1])
    with pytest.raises(Unauthenticated):
        people.of_key(f"sl_{one.split('_')[1]}_{other.split('_', 2)[2]}")


def test_only_administrators_have_admin_keys_and_sessions(people: People) -> None:
    assert people.of_key(people.create_key("ada", scope="admin")).scope == "admin"
    assert people.of_key(people.create_key("ada")).scope == "ask"
    with pytest.raises(BadRequest):
        people.create_key("bob", scope="admin")
    people.add("second", admin=True)
    key, session = people.create_key("ada", scope="admin"), people.log_in("ada", PASSWORD)
    assert people.of_session(session).scope == "admin"
    people.change("ada", admin=False)
    assert [people.of_key(key).scope, people.of_session(session).scope] == ["ask", "ask"]
    listing = people.keys()
    assert {(listed["scope"], listed["opens"]) for listed in listing} == {("admin", "ask"), ("ask", "ask")}


def test_the_last_administrator_stays_one(people: People) -> None:
    for last in (partial(people.change, "ada", admin=False), partial(people.disable, "ada")):
        with pytest.raises(BadRequest, match="the last administrator"):
            last()
    people.add("second", admin=True)
    people.disable("second")
    with pytest.raises(BadRequest, match="the last administrator"):
        people.change("ada", admin=False)
    people.enable("second")
    people.change("ada", admin=False)
    with pytest.raises(BadRequest, match="the last administrator"):
        people.disable("second")


@pytest.mark.parametrize("name", ["local", "command line", "Administrator", "openid connect"])
def test_nobody_has_a_name_that_the_audit_uses_for_others(people: People, name: str) -> None:
    with pytest.raises(BadRequest, match="by that name"):
        people.add(name)


@pytest.mark.parametrize("change", [lambda people: people.set_password("bob", PASSWORD), lambda people: people.disable("bob")])
def test_a_login_with_a_password_that_changes_meanwhile_opens_nothing(
    people: People, monkeypatch: pytest.MonkeyPatch, change: Callable[[People], None]
) -> None:
    fits = people_module._fits

    def slow(hashed: str, password: str) -> bool:
        found = fits(hashed, password)
        change(people)  # between the look at the password and the new session
        return found

    monkeypatch.setattr(people_module, "_fits", slow)
    with pytest.raises(Unauthenticated, match="Name or password is wrong"):
        people.log_in("bob", OTHER)


def test_accounts_are_not_changed_with_another_key_of_the_audit(people: People, store: Store, tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:///{tmp_path / 'history.db'}", tmp_path / "elsewhere")) as other:
        for change in (lambda: People(other).add("eve"), lambda: People(other).disable("bob"), lambda: People(other).create_key("bob")):
            with pytest.raises(BadRequest, match=r"does not fit the key in .*elsewhere"):
                change()
    people.add("eve")
    assert store.verify()[2] == []
    assert not [user for user in people.users() if user["disabled_at"]]


def test_administrators_stop_questions_of_any_view(people: People, settings: Settings) -> None:
    with closing(Units(settings)) as units:
        keys = people.create_key("bob"), people.create_key("robot"), people.create_key("ada", scope="admin")
        held = [units.of(people.of_key(key)) for key in keys]
        pairs = ", ".join(f"customers c{number}" for number in range(12))
        endless = f"SELECT count(*) FROM range(10000) a(x), range(10000) b(x), {pairs} WHERE (a.x * b.x + c1.id * c2.id) % 7919 = 7"
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(held[0].run_sql, endless, Question("endless", id="e", confirm=True, time_limit_s=60))
            until(lambda: bool(units._places._running["bob"]))
            assert not held[1].cancel("e")
            assert held[2].cancel("e")
            with pytest.raises(Cancelled):
                asked.result(60)


def test_what_is_changed_of_a_user_counts_at_once_and_the_rest_stays(people: People) -> None:
    key = people.create_key("bob")
    people.change("bob", attributes={"region": 5, "countries": ("DE", "FR")})
    assert people.of_key(key) == Person("bob", "analyst", {"countries": ("DE", "FR"), "region": 5})
    people.change("bob", role="boss", admin=True)
    assert people.of_key(key) == Person("bob", "boss", {"countries": ("DE", "FR"), "region": 5})
    people.change("bob", attributes={"region": 6}, clear_attributes=True)
    assert people.of_key(key).attributes == {"region": 6}
    people.change("bob", clear_attributes=True)
    assert people.of_key(key).attributes == {}
    assert people.log_in("bob", OTHER)
    assert next(user for user in people.users() if user["name"] == "bob")["admin"]


def test_a_change_that_changes_nothing_is_told(people: People) -> None:
    for nothing in ({}, {"role": "analyst"}, {"attributes": {"countries": ("DE",)}, "clear_attributes": True}, {"admin": False}):
        with pytest.raises(BadRequest, match="nothing to change"):
            people.change("bob", **nothing)
    with pytest.raises(NotFound):
        people.change("nobody", admin=True)


def test_a_session_lasts_until_logout_a_new_password_or_the_end_of_the_account(people: People) -> None:
    session = people.log_in("bob", OTHER)
    assert people.of_session(session).name == "bob"
    people.log_out(session)
    with pytest.raises(Unauthenticated):
        people.of_session(session)
    session = people.log_in("bob", OTHER)
    people.set_password("bob", PASSWORD)
    with pytest.raises(Unauthenticated):
        people.of_session(session)
    session, key = people.log_in("bob", PASSWORD), people.create_key("bob")
    people.disable("bob")
    for open_ in (lambda: people.of_session(session), lambda: people.of_key(key), lambda: people.log_in("bob", PASSWORD)):
        with pytest.raises(Unauthenticated):
            open_()
    people.enable("bob")
    assert people.of_key(key).name == "bob"


@pytest.mark.parametrize(
    ("name", "password"), [("ada", OTHER), ("nobody", PASSWORD), ("robot", ""), ("ada", ""), ("", ""), ("ada", "x" * 10_000)]
)
def test_a_wrong_login_never_says_what_was_wrong(people: People, name: str, password: str) -> None:
    with pytest.raises(Unauthenticated, match="Name or password is wrong"):
        people.log_in(name, password)


def test_nothing_that_opens_is_kept_as_it_is(people: People, store: Store, tmp_path: Path) -> None:
    key, session = people.create_key("ada"), people.log_in("ada", PASSWORD)
    store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("history.db*"))
    assert b"ada" in kept
    for secret in (PASSWORD, key, key.split("_", 2)[2], session):
        assert secret.encode() not in kept


@pytest.mark.parametrize("name", ["", " ", " ada", "ada", "x" * 201, "a\nb"])
def test_a_name_that_cannot_be_used_is_told(people: People, name: str) -> None:
    with pytest.raises(BadRequest):
        people.add(name, password=PASSWORD)
    with pytest.raises(BadRequest):
        people.add("eve", password="short")
    assert "eve" not in {user["name"] for user in people.users()}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "policy.toml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in RECORDED), encoding="utf-8")
    return Settings(
        data=str(make("duckdb file", tmp_path / "data")),
        model=f"replay:{tmp_path / 'answers.jsonl'}",
        policy=tmp_path / "policy.toml",
        store=f"sqlite:///{tmp_path / 'history.db'}",
        audit_dir=tmp_path / "audit",
        login=True,
    )


@pytest.fixture
def server(people: People, settings: Settings) -> Iterator[str]:
    with answering(settings) as (units, guard), serving(units, guard=guard) as address:  # type: ignore[arg-type]
        yield address


def test_without_a_key_only_health_is_told(server: str) -> None:
    for path in ("/healthz", "/readyz"):
        assert get(server + path).status_code == 200
    for method, path in [
        *(("GET", path) for path in ("/v1/tables", "/v1/history", "/metrics", "/openapi.json", "/v1/feedback/accepted", "/nothing")),
        *(("POST", path) for path in ("/v1/ask", "/v1/sql", "/v1/check", "/v1/feedback")),
        ("DELETE", "/v1/runs/1"),
    ]:
        response = request(method, server + path, json={"question": "orders per country", "sql": "SELECT 1"})
        assert (response.status_code, response.json()["code"]) == (401, "unauthenticated"), path
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert get(server + "/v1/tables", headers={"Authorization": "Basic YTpi"}).status_code == 401


def test_each_sees_their_rows_their_tables_and_their_questions(server: str, people: People) -> None:
    held = {name: Client(server, people.create_key(name)) for name in ("ada", "bob", "robot")}
    counted = {
        name: [list(row) for row in client.answer("orders per country").rows.as_python()]  # type: ignore[union-attr]
        for name, client in held.items()
    }
    assert counted == {"ada": [["DE", 1], ["FR", 1], [CANARY, 1]], "bob": [["DE", 1]], "robot": [["FR", 1]]}
    assert {table.name for table in held["bob"].tables()} == {"customers", "orders"}
    assert "salaries" in {table.name for table in held["ada"].tables()}
    with pytest.raises(StreamLinkError) as caught:
        held["bob"].answer("what do people earn?")
    assert CANARY not in str(caught.value)
    assert {entry["asker"] for entry in held["bob"].history()} == {"bob"}
    with pytest.raises(NotFound):
        held["bob"].entry(held["ada"].history()[0]["id"])
    for client in held.values():
        client.close()


def test_an_id_of_somebody_else_gives_nothing_and_their_question_cannot_be_stopped(server: str, people: People) -> None:
    ada, bob = ({"Authorization": f"Bearer {people.create_key(name)}"} for name in ("ada", "bob"))
    body = {"question": "orders per country", "id": "shared"}
    assert post(server + "/v1/ask", json=body, headers=ada).status_code == 200
    taken = post(server + "/v1/ask", json=body, headers=bob)
    assert taken.status_code == 400
    assert CANARY not in taken.text
    assert delete(server + "/v1/runs/shared", headers=bob).status_code == 404
    assert post(server + "/v1/feedback", json={"id": "shared", "verdict": "right"}, headers=bob).status_code == 404
    assert post(server + "/v1/feedback", json={"id": "shared", "verdict": "right"}, headers=ada).status_code == 200


def test_administrators_see_what_all_asked_with_an_admin_key_only(server: str, people: People) -> None:
    bob, plain, admin = (
        {"Authorization": f"Bearer {key}"}
        for key in (people.create_key("bob"), people.create_key("ada"), people.create_key("ada", scope="admin"))
    )
    post(server + "/v1/ask", json={"question": "orders per country"}, headers=bob)
    seen = {entry["asker"] for entry in get(server + "/v1/history", headers=admin).json()["entries"]}
    assert seen == {"bob"}
    assert get(server + "/v1/history", headers=plain).json()["entries"] == []
    for path in ("/metrics", "/v1/feedback/accepted"):
        assert get(server + path, headers=plain).status_code == 403
        assert get(server + path, headers=admin).status_code == 200


def test_a_login_gives_a_session_that_no_other_site_can_use(server: str, people: People) -> None:
    with httpx.Client(base_url=server, timeout=60) as browser:
        assert browser.get("/login").status_code == 200
        wrong = browser.post("/login", data={"name": "<b>", "password": "wrong"})
        assert wrong.status_code == 401
        assert "<b>" not in wrong.text
        done = browser.post("/login", data={"name": "bob", "password": OTHER})
        assert (done.status_code, done.headers["location"]) == (303, "/")
        cookie = done.headers["set-cookie"]
        assert re.search(r"HttpOnly", cookie)
        assert re.search(r"SameSite=strict", cookie)
        assert browser.get("/v1/tables").status_code == 200
        foreign = {"Origin": "https://evil.example"}
        assert browser.post("/v1/sql", json={"sql": "SELECT 1"}, headers=foreign).status_code == 403
        assert browser.post("/login", data={"name": "bob", "password": OTHER}, headers=foreign).status_code == 403
        assert browser.post("/logout", headers=foreign).status_code == 403
        assert browser.post("/logout").headers["location"] == "/login"
        assert browser.get("/v1/tables").status_code == 401
        browser.cookies.set(COOKIE, done.cookies[COOKIE])
        assert browser.get("/v1/tables").status_code == 401


def test_one_person_cannot_take_all_places(people: People, settings: Settings) -> None:
    pairs = ", ".join(f"customers c{number}" for number in range(6))
    slow = f"SELECT count(*) FROM range(10000) a(x), range(10000) b(x), {pairs} WHERE (a.x * b.x + c1.id * c2.id) % 7919 = 7"
    held = {name: {"Authorization": f"Bearer {people.create_key(name)}"} for name in ("ada", "bob")}
    others = {"Authorization": f"Bearer {people.create_key('bob')}"}

    def ask(number: int) -> int:
        body = {"sql": slow, "id": f"slow {number}", "confirm": True, "time_limit_s": 100}
        return post(address + "/v1/sql", json=body, headers=held["bob"]).status_code

    def stop(id_: str) -> bool:
        return delete(f"{address}/v1/runs/{id_}", headers=held["bob"]).status_code == 200

    bounded = settings.model_copy(update={"running": 1, "per_person": 3})
    with (
        answering(bounded) as (units, guard),
        serving(units, guard=guard, at_once=65, per_person=3) as address,  # type: ignore[arg-type]
        ThreadPoolExecutor(4) as pool,
    ):
        with units._places.place(Underway(Question("holds the place", id="h", asker="eve")), 60):  # until all three are planned
            asked = [pool.submit(ask, number) for number in range(3)]
            until(lambda: len(units._places._queue) == 3)
        until(lambda: len(units._places._queue) == 2)
        for header in (held["bob"], others):
            refused = post(address + "/v1/sql", json={"sql": "SELECT 1"}, headers=header)
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_questions")
            assert int(refused.headers["Retry-After"]) >= 1
        ran = [run.question.id for run in units._places._queue]
        [running] = {"slow 0", "slow 1", "slow 2"} - set(ran)
        adas = pool.submit(post, address + "/v1/sql", json={"sql": "SELECT count(*) FROM orders"}, headers=held["ada"])
        until(lambda: len(units._places._queue) == 3)
        assert stop(running)
        assert adas.result(60).json().get("rows") == [[3]], adas.result().text  # though bob asked before her
        assert all(stop(id_) for id_ in ran)
        assert {future.result(60) for future in asked} == {499}
        assert post(address + "/v1/sql", json={"sql": "SELECT 1"}, headers=held["bob"]).status_code == 200


def test_guessing_is_slowed_down(server: str) -> None:
    with httpx.Client(base_url=server, timeout=60) as browser:
        said = [browser.post("/login", data={"name": "ada", "password": f"guess {number}"}).status_code for number in range(9)]
        assert said[:5] == [401] * 5
        assert 429 in said[5:], "the waits get longer than a try takes"
        assert int(browser.post("/login", data={"name": "ada", "password": PASSWORD}).headers["Retry-After"]) >= 1
        keys = [browser.get("/v1/tables", headers={"Authorization": f"Bearer sl_{number}_x"}).status_code for number in range(7)]
        assert keys == [401] * 5 + [429] * 2


def test_whoever_is_slowed_down_is_one_subscriber(people: People) -> None:
    guard = Guard(people)

    def told(address: str) -> type[BaseException]:
        with pytest.raises((Unauthenticated, TooManyAttempts)) as caught:
            guard.person({"authorization": "Bearer sl_1_x"}, address)
        return caught.type

    for wrong in ("::ffff:1.2.3.4", "2001:db8:1:2::3"):
        assert [told(wrong) for _ in range(6)] == [Unauthenticated] * 5 + [TooManyAttempts]
    assert told("1.2.3.4") == told("2001:db8:1:2:3:4:5:6") == TooManyAttempts
    assert told("::ffff:9.9.9.9") == told("2001:db8:1:3::3") == told("here") == Unauthenticated


def test_an_office_that_logs_in_all_day_is_not_slowed_down(server: str, people: People) -> None:
    key = people.create_key("ada")
    with httpx.Client(base_url=server, timeout=60) as office:
        said = [office.post("/login", data={"name": "ada", "password": PASSWORD}).status_code for _ in range(8)]
        assert said == [303] * 8
        office.cookies.clear()
        wrong = [office.get("/v1/tables", headers={"Authorization": "Bearer sl_1_x"}).status_code for _ in range(7)]
        assert wrong == [401] * 5 + [429] * 2
        assert office.get("/v1/tables", headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_guesses_at_the_same_time_count_like_one_after_the_other(server: str) -> None:
    def guess(number: int) -> int:
        return post(server + "/login", data={"name": "ada", "password": f"guess {number}"}).status_code

    with ThreadPoolExecutor(12) as pool:
        said = list(pool.map(guess, range(12)))
    assert said.count(401) <= 6
    assert said.count(429) >= 6


def test_odd_forms_and_cookies_are_no_fault_of_ours(server: str, people: People) -> None:
    assert post(server + "/login", content="&".join(f"f{number}=1" for number in range(50))).status_code == 400
    assert post(server + "/login", content=b"\xff\xfe").status_code == 400
    session = people.log_in("bob", OTHER)
    for cookie in (f'prefs={{"a": 1}}; {COOKIE}={session}', f"a b=1; {COOKIE}={session}"):
        assert get(server + "/v1/tables", headers={"Cookie": cookie}).status_code == 200


def test_the_login_page_may_send_its_form(server: str) -> None:
    assert "form-action 'self'" in get(server + "/login").headers["Content-Security-Policy"]


def test_a_policy_that_changes_counts_at_once(server: str, people: People, settings: Settings) -> None:
    header = {"Authorization": f"Bearer {people.create_key('bob')}"}
    assert len(get(server + "/v1/tables", headers=header).json()["tables"]) == 2
    assert settings.policy is not None
    settings.policy.write_text("[roles.analyst.tables.customers]\nhide = ['email', 'born']\n", encoding="utf-8")
    [table] = get(server + "/v1/tables", headers=header).json()["tables"]
    assert [column["name"] for column in table["columns"]] == ["id", "name"]
    settings.policy.write_text("[roles.clerk]\nothers = true\n", encoding="utf-8")
    assert get(server + "/v1/tables", headers=header).status_code == 403


def test_what_is_wrong_with_a_policy_is_for_administrators_and_the_log(
    server: str, people: People, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    bob, ada = ({"Authorization": f"Bearer {key}"} for key in (people.create_key("bob"), people.create_key("ada", scope="admin")))
    assert settings.policy is not None
    for policy, code in (
        ("[roles.analyst.tables.secret_plans]\n[roles.boss.tables.secret_plans]\n", "engine_unavailable"),
        ("[roles.chief]\nothers = true\n", "forbidden"),
        ("[roles.chief\n", "engine_unavailable"),
        ("[roles.analyst.tables.orders]\nrows = 'secret >'\n[roles.boss.tables.secret]\n", "engine_unavailable"),
    ):
        settings.policy.write_text(policy, encoding="utf-8")
        for path in ("/v1/tables", "/v1/history"):
            said = get(server + path, headers=bob)
            assert said.json()["code"] == code
            assert not re.search("secret|chief|policy.toml", said.text)
        assert re.search("secret|chief|policy.toml", get(server + "/v1/tables", headers=ada).text)
    settings.policy.write_text("[roles.chief\n", encoding="utf-8")
    assert "policy.toml" not in get(server + "/readyz").text
    assert get(server + "/readyz").status_code == 503
    assert "policy.toml" in caplog.text


def test_history_tells_the_asker_no_more_of_a_policy(settings: Settings) -> None:
    told = BadRequest("The policy names the column secret, which this data lacks.", setting="policy")
    with closing(Units(settings)) as units:
        bob = units.of(Person("bob", "analyst", {"countries": ("DE",)}))
        question = Question("orders", id="q1", asker="bob")
        units.store.accepted(question)
        units.store.refused(question, told, engine="duckdb", attempts=())
        assert bob.history()[0]["code"] == "bad_request"
        assert "secret" not in str((bob.history(), bob.entry("q1")))
        admin = units.of(Person("ada", "boss", {}, "admin"))
        assert "secret" in str(admin.entry("q1"))


def test_a_change_of_a_user_counts_at_the_next_question(server: str, people: People) -> None:
    def seen(sent: dict[str, str]) -> tuple[set[str], list[list[object]]]:
        tables = get(server + "/v1/tables", headers=sent).json()["tables"]
        rows = post(server + "/v1/ask", json={"question": "orders per country"}, headers=sent).json()["rows"]
        return {table["name"] for table in tables}, rows

    key = {"Authorization": f"Bearer {people.create_key('bob')}"}
    cookie = {"Cookie": f"{COOKIE}={people.log_in('bob', OTHER)}"}
    assert seen(key) == seen(cookie) == ({"customers", "orders"}, [["DE", 1]])
    people.change("bob", attributes={"countries": "FR"})
    assert seen(key) == seen(cookie) == ({"customers", "orders"}, [["FR", 1]])
    people.change("bob", role="boss")
    assert len(seen(key)[1]) == len(seen(cookie)[1]) == 3
    people.change("bob", role="analyst", clear_attributes=True)
    for sent in (key, cookie):
        assert get(server + "/v1/tables", headers=sent).status_code == 403
    people.add("second", admin=True)
    people.change("ada", admin=False)
    admin = {"Cookie": f"{COOKIE}={people.log_in('ada', PASSWORD)}"}
    assert get(server + "/metrics", headers=admin).status_code == 403
    people.change("ada", admin=True)
    assert get(server + "/metrics", headers=admin).status_code == 200


def interleaved(units: Units, calls: int) -> None:
    """Two people with different rows ask at the same time, again and again."""
    wanted = {"bob": [("DE", 1)], "robot": [("FR", 1)]}
    held = {
        "bob": units.of(Person("bob", "analyst", {"countries": ("DE",)})),
        "robot": units.of(Person("robot", "analyst", {"countries": ("FR",)})),
    }
    sql = "SELECT country, count(*) FROM orders GROUP BY country"

    def call(number: int) -> bool:
        name = ("bob", "robot")[number % 2]
        answer = held[name].run_sql(sql)
        assert answer.rows is not None
        return list(answer.rows.as_python()) == wanted[name]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(call, range(calls)))


def test_two_people_at_a_time_never_see_each_others_rows(settings: Settings) -> None:
    with closing(Units(settings)) as units:
        interleaved(units, 60)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_in_ten_thousand_interleaved_calls_nobody_sees_a_row_of_the_other(settings: Settings) -> None:
    with closing(Units(settings)) as units:
        interleaved(units, 10_000)


def test_nobody_in_particular_has_nothing_and_a_missing_attribute_is_told(settings: Settings) -> None:
    with closing(Units(settings)) as units:
        with pytest.raises(Unauthenticated):
            units.of(None)
        with pytest.raises(Forbidden, match="countries"):
            units.of(Person("eve", "analyst"))
        with pytest.raises(Forbidden, match="no role"):
            units.of(Person("eve", "clerk"))
        with pytest.raises(Forbidden):
            units.of(Person("eve"))
        with pytest.raises(InvalidSQL):
            units.of(Person("bob", "analyst", {"countries": ("DE",)})).check("SELECT * FROM salaries")


def test_away_from_this_machine_people_must_log_in(settings: Settings) -> None:
    away = settings.model_copy(update={"host": "0.0.0.0", "login": None})
    with pytest.raises(BadRequest, match="users add"), answering(away):
        pass
    with pytest.raises(BadRequest, match="on this machine only"), answering(away.model_copy(update={"login": False})):
        pass
    with answering(settings.model_copy(update={"login": None, "role": "boss"})) as (_, guard):
        assert guard is None


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    (tmp_path / "policy.toml").write_text(POLICY, encoding="utf-8")
    monkeypatch.setenv("STREAMLINK_STORE", f"sqlite:///{tmp_path / 'history.db'}")
    monkeypatch.setenv("STREAMLINK_AUDIT_DIR", str(tmp_path / "audit"))
    monkeypatch.setenv("STREAMLINK_POLICY", str(tmp_path / "policy.toml"))

    def command(*arguments: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["streamlink-sql", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return command


def test_the_commands(run: Run, store: Store) -> None:
    assert run("users", "add", "ada", "--role", "boss", "--admin", "--password-stdin", typed=f"{PASSWORD}\n")[:2] == (
        0,
        "ada can log in now.\n",
    )
    assert run("users", "add", "bob", "--role", "analyst", "--attribute", "countries=DE", "--no-password")[0] == 0
    assert run("users", "add", "eve", "--role", "clerk", "--no-password")[0] == 2
    assert run("users", "add", "eve", "--role", "boss")[0] == 2
    assert run("users", "add", "eve", "--role", "boss", "--password-stdin", typed="short\n")[0] == 2
    assert run("users", "list")[1].splitlines() == ["ada  boss  administrator", "bob  analyst  keys only"]
    status, key, said = run("keys", "create", "bob", "--expires", "30")
    assert (status, "shown once" in said) == (0, True)
    assert People(store).of_key(key.strip()).attributes == {"countries": "DE"}
    assert run("keys", "create", "bob", "--scope", "admin")[0] == 2
    listed = json.loads(run("keys", "list", "--json")[1])
    assert [(entry["user"], entry["scope"]) for entry in listed] == [("bob", "ask")]
    assert key.strip() not in json.dumps(listed)
    assert run("keys", "revoke", listed[0]["id"])[0] == 0
    assert run("keys", "list")[1].endswith("revoked\n")
    assert run("users", "password", "bob", "--password-stdin", typed=f"{OTHER}\n")[0] == 0
    assert People(store).log_in("bob", OTHER)
    assert run("users", "disable", "bob")[0] == 0
    assert "disabled" in run("users", "list")[1]
    assert run("users", "enable", "bob")[0] == 0
    assert run("users", "disable", "nobody")[0] == 2


def test_users_of_a_provider_by_the_commands(run: Run, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    status, _, said = run("users", "add", "eve@example.org", "--role", "boss", "--oidc")
    assert (status, "Set oidc_issuer first" in said) == (2, True)
    monkeypatch.setenv("STREAMLINK_OIDC_ISSUER", "https://login.example")
    monkeypatch.setenv("STREAMLINK_OIDC_CLIENT_SECRET", "kept to itself")
    assert run("users", "add", "eve@example.org", "--role", "boss", "--oidc")[:2] == (0, "eve@example.org can log in now.\n")
    assert run("users", "change", "bob", "--oidc")[0] == 0
    people.log_in_as(Identity("https://login.example", "s-eve", "eve@example.org"))
    _, listed, _ = run("users", "list")
    assert "bob  analyst  expected from https://login.example\n" in listed
    assert "eve@example.org  boss  at https://login.example\n" in listed
    assert run("users", "change", "eve@example.org", "--no-oidc")[0] == 0
    assert "eve@example.org  boss  keys only\n" in run("users", "list")[1]
    assert run("users", "change", "eve@example.org", "--no-oidc")[0] == 2


def test_changing_a_user_by_the_command(run: Run, people: People) -> None:
    status, said, _ = run("users", "change", "bob", "--role", "boss", "--attribute", "region:int=5", "--admin")
    assert (status, said) == (0, "bob is changed; it counts from their next question on.\n")
    key = people.create_key("bob", scope="admin")
    assert people.of_key(key) == Person("bob", "boss", {"countries": ("DE",), "region": 5}, "admin")
    assert run("users", "change", "bob", "--no-admin", "--clear-attributes")[0] == 0
    assert people.of_key(key) == Person("bob", "boss")
    for wrong, told in (
        ((), "nothing to change"),
        (("--role", "clerk"), "no role 'clerk'"),
        (("--role", ""), "no role ''"),
        (("--attribute", "countries"), "NAME=VALUE"),
        (("--no-admin",), "nothing to change"),
    ):
        status, _, said = run("users", "change", "bob", *wrong)
        assert (status, told in said) == (2, True), said
    assert run("users", "change", "nobody", "--admin")[0] == 2
    assert people.of_key(key) == Person("bob", "boss")
