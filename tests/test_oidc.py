"""Login by OpenID Connect at a real provider: a process of its own, over HTTP, with keys of its own."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from streamlink_sql.cli.provider import provider_of
from streamlink_sql.cli.serve import needs_login
from streamlink_sql.errors import BadRequest, Forbidden, Unauthenticated
from streamlink_sql.settings import Settings
from streamlink_sql.store.people import Identity, People
from streamlink_sql.store.store import COMMAND_LINE, PROVIDER, open_store
from streamlink_sql.units import Units
from streamlink_sql.web.guard import COOKIE, Guard
from streamlink_sql.web.oidc import BACK, BEGIN, Provider, Registration
from tests.oidc_provider import WRONG
from tests.serving import free_port, make_data, oidc_provider, serving

SECRET = "the secret of the client"
PASSWORD = "correct horse battery"
Begin = Callable[..., Registration]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with oidc_provider() as address:
        yield address


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Units]:
    folder = tmp_path_factory.mktemp("units")
    (folder / "answers.jsonl").write_text("")
    data = make_data(folder)
    with closing(Units(Settings(data=str(data), model=f"replay:{folder / 'answers.jsonl'}", store="temporary"))) as opened:
        yield opened


@pytest.fixture
def people(tmp_path: Path, issuer: str) -> Iterator[People]:
    with closing(open_store(f"sqlite:///{tmp_path / 'history.db'}", tmp_path / "audit")) as store:
        found = People(store)
        found.add("ada@example.org", role="boss", admin=True, issuer=issuer)
        found.add("here", role="analyst", password=PASSWORD)
        yield found
        assert store.verify()[2] == []


@pytest.fixture
def registration(issuer: str) -> Iterator[Registration]:
    yield Registration(issuer, "streamlink", SecretStr(SECRET), f"http://127.0.0.1:{free_port()}", title="the <house>")
    wrong(issuer, "")


@contextmanager
def visited(units: Units, people: People, registration: Registration, **options: Any) -> Iterator[httpx.Client]:
    """A browser before a server that lets people log in at the provider."""
    guard = Guard(people, Provider(registration), **options)
    with (
        serving(units, port=int(registration.public_url.rpartition(":")[2]), guard=guard) as address,  # type: ignore[arg-type]
        httpx.Client(base_url=address, timeout=60) as browser,
    ):
        yield browser


@pytest.fixture
def browser(units: Units, people: People, registration: Registration) -> Iterator[httpx.Client]:
    with visited(units, people, registration) as found:
        yield found


def wrong(issuer: str, what: str) -> None:
    """Lets the provider do something wrong from now on."""
    assert httpx.put(f"{issuer}/wrong", content=what).status_code == 200


def sent_back(browser: httpx.Client, issuer: str, subject: str = "s-ada", **claims: Any) -> str:
    """Where the provider sends a browser after somebody with these claims has logged in there."""
    claims = {"email": "ada@example.org", "email_verified": True, **claims}
    assert httpx.put(f"{issuer}/users/{subject}", json=claims).status_code == 204
    there = browser.get(BEGIN)
    assert there.status_code == 303, there.text
    back = httpx.post(there.headers["location"], data={"sub": subject})
    assert back.status_code == 302, back.text
    return str(back.headers["location"])


def log_in(browser: httpx.Client, issuer: str, subject: str = "s-ada", **claims: Any) -> httpx.Response:
    return browser.get(sent_back(browser, issuer, subject, **claims))


def refused(response: httpx.Response, status: int, code: str) -> str:
    """What the page says that shows a login to have failed; nobody is logged in by it."""
    said = re.search(r'role="alert" class="bad">(.*?) <code>(.*?)</code>', response.text)
    assert said, response.text
    assert (response.status_code, said[2]) == (status, code), response.text
    assert COOKIE not in response.cookies
    return said[1]


def test_a_login_at_the_provider_gives_a_session(browser: httpx.Client, registration: Registration, issuer: str) -> None:
    page = browser.get("/login").text
    assert f'href="{registration.public_url}{BEGIN}"' in page
    assert "Log in with the &lt;house&gt;" in page
    assert browser.get("/v1/tables").status_code == 401
    asked = parse_qs(urlsplit(browser.get(BEGIN).headers["location"]).query)
    assert asked["redirect_uri"] == [registration.public_url + BACK]
    assert (asked["response_type"], asked["code_challenge_method"]) == (["code"], ["S256"])
    assert set(asked["scope"][0].split()) == {"openid", "email", "profile"}
    done = log_in(browser, issuer)
    assert done.status_code == 200
    assert 'http-equiv="refresh" content="0; url=/"' in done.text
    [session] = [cookie for cookie in done.headers.get_list("set-cookie") if cookie.startswith(COOKIE)]
    assert "HttpOnly" in session
    assert "SameSite=strict" in session
    assert browser.get("/v1/tables").status_code == 200
    assert browser.get("/metrics").status_code == 200, "an administrator stays one"
    told = httpx.get(f"{issuer}/told").json()
    assert told["client"] == {"username": "streamlink", "password": SECRET}
    assert told["form"].keys() == {"grant_type", "code", "redirect_uri", "code_verifier"}


def test_the_cookie_of_a_login_is_for_this_browser_alone(units: Units, people: People, registration: Registration) -> None:
    with visited(units, people, registration) as browser:
        [cookie] = browser.get(BEGIN).headers.get_list("set-cookie")
    assert re.search(r"HttpOnly; Max-Age=600; Path=/; SameSite=lax$", cookie), cookie
    assert replace(registration, public_url="https://ask.example.org").cookie.startswith("__Host-")
    assert replace(registration, public_url="https://ask.example.org").secure


@pytest.mark.parametrize("name", [*WRONG, "key", "kid", "secret", "unsigned", "nonsense", "no token"])
def test_a_token_that_is_not_for_this_login_vouches_for_nobody(name: str, registration: Registration, issuer: str) -> None:
    provider, secret = Provider(registration), "of one browser"
    httpx.put(f"{issuer}/users/s-ada", json={"email": "ada@example.org", "email_verified": True})
    back = httpx.post(provider.way_there(secret), data={"sub": "s-ada"}).headers["location"]
    code = provider.came_back(urlsplit(back).query, secret)
    wrong(issuer, name)
    if name in ("skewed", "odd name"):  # clocks differ a little; a name that is none is no name
        assert provider.identity(code, secret) == Identity(issuer, "s-ada", "ada@example.org" if name == "skewed" else "")
    else:
        with pytest.raises(Unauthenticated, match="cannot be trusted"):
            provider.identity(code, secret)


def test_a_token_of_another_key_opens_nothing(browser: httpx.Client, issuer: str) -> None:
    wrong(issuer, "key")
    assert "cannot be trusted" in refused(log_in(browser, issuer), 401, "unauthenticated")
    assert browser.get("/v1/tables").status_code == 401


@pytest.mark.parametrize("name", ["redirect", "other issuer", "plain endpoint", "no object", "huge", "failing"])
def test_a_provider_that_does_not_answer_as_it_should_is_told(name: str, browser: httpx.Client, issuer: str) -> None:
    back = None
    if name in ("huge", "failing"):
        back = sent_back(browser, issuer)
    wrong(issuer, name)
    answer = browser.get(back or BEGIN)
    if name == "plain endpoint":  # where to log in is fine; the code would go over the network as it is
        assert answer.status_code == 303
        answer = browser.get(BACK, params={"code": "x", "state": parse_qs(urlsplit(answer.headers["location"]).query)["state"][0]})
    assert "Try again later" in refused(answer, 503, "login_unavailable")


def test_a_login_that_another_browser_began_ends_nowhere(browser: httpx.Client, issuer: str) -> None:
    back = sent_back(browser, issuer)
    with httpx.Client(base_url=browser.base_url, timeout=60) as victim:
        assert "begun elsewhere" in refused(victim.get(back), 401, "unauthenticated")
        victim.get(BEGIN)
        assert "begun elsewhere" in refused(victim.get(back), 401, "unauthenticated")
    changed = re.sub("state=[^&]+", "state=0", back)
    for state in (changed, changed.replace("state=0", ""), changed.replace("state=0", "state=%C3%A9%FF")):
        with httpx.Client(base_url=browser.base_url, cookies=browser.cookies, timeout=60) as same:
            assert "begun elsewhere" in refused(same.get(state), 401, "unauthenticated")
    assert browser.get(back).status_code == 200


def test_a_code_is_good_once(browser: httpx.Client, issuer: str) -> None:
    back = sent_back(browser, issuer)
    again = dict(browser.cookies)
    assert browser.get(back).status_code == 200
    refused(browser.get(back), 401, "unauthenticated")
    with httpx.Client(base_url=browser.base_url, cookies=again, timeout=60) as replayed:
        assert "does not confirm" in refused(replayed.get(back), 401, "unauthenticated")


def test_whoever_tries_codes_has_to_wait(browser: httpx.Client, issuer: str) -> None:
    said = []
    for _ in range(7):
        state = parse_qs(urlsplit(browser.get(BEGIN).headers["location"]).query)["state"][0]
        said.append(browser.get(BACK, params={"state": state, "code": "guessed"}).status_code)
    assert said == [401] * 5 + [429] * 2
    assert browser.post("/login", data={"name": "here", "password": PASSWORD}).status_code == 303


def test_what_the_provider_says_is_shown_and_never_run(browser: httpx.Client) -> None:
    def state() -> str:
        return parse_qs(urlsplit(browser.get(BEGIN).headers["location"]).query)["state"][0]

    told = {"error": "access_denied", "error_description": "<script>alert(1)</script>\n" + "x" * 5000}
    said = refused(browser.get(BACK, params={**told, "state": state()}), 401, "unauthenticated")
    assert "access_denied &lt;script&gt;" in said
    assert len(said) < 400
    assert "access_denied" not in browser.get(BACK, params={**told, "state": "of somebody else"}).text
    assert "another provider" in browser.get(BACK, params={"code": "x", "iss": "https://evil.example", "state": state()}).text
    refused(browser.get(BACK, params={"state": state()}), 401, "unauthenticated")
    refused(browser.get(f"{BACK}?{'&'.join(f'a{number}=1' for number in range(100))}"), 401, "unauthenticated")


def test_there_is_nowhere_else_to_be_sent(browser: httpx.Client, registration: Registration, issuer: str) -> None:
    for asked in ("?next=https://evil.example", "?next=//evil.example", "?redirect_uri=https://evil.example"):
        there = browser.get(BEGIN + asked, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
        assert "evil" not in there.headers["location"]
    done = browser.get(sent_back(browser, issuer) + "&next=https://evil.example")
    assert done.status_code == 200
    assert "evil" not in done.text


def test_who_has_no_account_is_not_let_in(browser: httpx.Client, people: People, issuer: str) -> None:
    strangers: dict[str, dict[str, Any]] = {
        "s-eve": {"email": "eve@example.org"},
        "s-unverified": {"email_verified": False},
        "s-unsaid": {"email_verified": None},
        "s-text": {"email_verified": "true"},
        "s-local": {"email": "here"},
        "s-none": {"email": None},
    }
    said = {refused(log_in(browser, issuer, subject, **claims), 403, "forbidden") for subject, claims in strangers.items()}
    assert len(said) == 1, "it does not tell which names there are"
    assert {user["name"] for user in people.users()} == {"ada@example.org", "here"}
    assert all(user["subject"] is None for user in people.users())


def test_an_account_belongs_to_the_subject_that_came_first(browser: httpx.Client, people: People, issuer: str) -> None:
    assert log_in(browser, issuer, "s-ada").status_code == 200
    refused(log_in(browser, issuer, "s-other"), 403, "forbidden")
    assert log_in(browser, issuer, "s-ada", email="married@example.org", email_verified=False).status_code == 200
    people.change("ada@example.org", issuer=issuer)
    assert browser.get("/v1/tables").status_code == 401, "sessions of who was known before are over"
    assert log_in(browser, issuer, "s-other").status_code == 200
    refused(log_in(browser, issuer, "s-ada"), 403, "forbidden")
    people.change("ada@example.org", issuer="")
    refused(log_in(browser, issuer, "s-other"), 403, "forbidden")


def test_a_disabled_user_stays_out(browser: httpx.Client, people: People, issuer: str) -> None:
    people.add("second", admin=True)
    assert log_in(browser, issuer).status_code == 200
    people.disable("ada@example.org")
    assert browser.get("/v1/tables").status_code == 401
    refused(log_in(browser, issuer), 403, "forbidden")
    people.enable("ada@example.org")
    assert log_in(browser, issuer).status_code == 200


def test_role_and_attributes_are_taken_anew_at_each_login(units: Units, people: People, registration: Registration, issuer: str) -> None:
    mapped = replace(
        registration,
        role_claim="realm_access.roles",
        roles={"bosses": "boss", "staff": "analyst"},
        attributes={"countries": "countries", "mail": "email", "level": "https://example.org/level", "odd": "realm_access"},
    )
    people.change("ada@example.org", attributes={"region": 5})
    with visited(units, people, mapped) as browser:

        def ada(**claims: Any) -> tuple[str, dict[str, Any]]:
            assert log_in(browser, issuer, **claims).status_code == 200
            [user] = [user for user in people.users() if user["name"] == "ada@example.org"]
            return user["role"], user["attributes"]

        staff, both = {"roles": ["x", "staff"]}, {"roles": ["staff", "bosses"]}
        everything = {"countries": ["DE", "FR"], "https://example.org/level": 3}
        assert ada(realm_access=staff, **everything) == (
            "analyst",
            {"region": 5, "countries": ["DE", "FR"], "mail": "ada@example.org", "level": 3},
        )
        lines = len(people._store.audit_lines())
        assert ada(realm_access=staff, **everything)[0] == "analyst"
        assert len(people._store.audit_lines()) == lines, "where nothing is new, nothing is written"
        assert ada(realm_access=both, countries=[{"a": 1}], email_verified=False) == ("boss", {"region": 5})
        assert "none of your groups" in refused(log_in(browser, issuer, realm_access={"roles": "others"}), 403, "forbidden")
        [user] = [user for user in people.users() if user["name"] == "ada@example.org"]
        assert user["role"] == ""
        assert user["admin"]
    changes = [line for line in people._store.audit_lines() if line["event"] == "user changed"]
    assert [line["asker"] for line in changes] == [COMMAND_LINE, PROVIDER, PROVIDER, PROVIDER]
    assert changes[1]["attempts"][0] | {"role": "analyst", "subject": "s-ada", "issuer": issuer} == changes[1]["attempts"][0]


def test_new_people_are_added_where_they_may_be_and_have_a_role(
    units: Units, people: People, registration: Registration, issuer: str
) -> None:
    mapped = replace(registration, role_claim="groups", roles={"staff": "analyst"}, user_claim="preferred_username")
    with visited(units, people, mapped) as browser:
        refused(log_in(browser, issuer, "s-new", preferred_username="new", groups=["staff"]), 403, "forbidden")
    strangers: dict[str, dict[str, Any]] = {
        "s-1": {"preferred_username": "new", "groups": []},
        "s-2": {"preferred_username": "here", "groups": ["staff"]},
        "s-3": {"preferred_username": " ", "groups": ["staff"]},
        "s-4": {"preferred_username": "x" * 201, "groups": ["staff"]},
        "s-5": {"groups": ["staff"]},
    }
    with visited(units, people, replace(mapped, new_users=True)) as browser:
        for subject, claims in strangers.items():
            refused(log_in(browser, issuer, subject, **claims), 403, "forbidden")
        assert len(people.users()) == 2
        assert log_in(browser, issuer, "s-new", preferred_username="new", groups=["staff"]).status_code == 200
        assert browser.get("/v1/tables").status_code == 200
        assert browser.get("/metrics").status_code == 403
        refused(log_in(browser, issuer, "s-thief", preferred_username="new", groups=["staff"]), 403, "forbidden")
    [user] = [user for user in people.users() if user["name"] == "new"]
    assert (user["role"], user["admin"], user["password"], user["subject"]) == ("analyst", False, False, "s-new")
    assert [line["asker"] for line in people._store.audit_lines() if line["event"] == "user added"] == [
        COMMAND_LINE,
        COMMAND_LINE,
        PROVIDER,
    ]


def test_two_who_come_for_one_account_at_once_do_not_share_it(people: People, issuer: str) -> None:
    first, second = (Identity(issuer, subject, "ada@example.org") for subject in ("s-1", "s-2"))
    with people._store.transaction("read") as connection:
        from streamlink_sql.store.people import _belongs_to

        seen = _belongs_to(connection, second)
    assert seen is not None
    people.log_in_as(first)
    with pytest.raises(Forbidden):
        people._renew(seen, second)
    assert [user["subject"] for user in people.users()] == ["s-1", None]
    with pytest.raises(Forbidden):
        people.log_in_as(Identity("https://other.example", "s-1", "ada@example.org"))


def test_a_provider_that_cannot_be_reached_leaves_the_other_logins(units: Units, people: People, registration: Registration) -> None:
    gone = replace(registration, issuer=f"http://localhost:{free_port()}")
    with visited(units, people, gone) as browser:
        assert "Try again later" in refused(browser.get(BEGIN), 503, "login_unavailable")
        assert browser.post("/login", data={"name": "here", "password": PASSWORD}).status_code == 303


def test_logins_that_wait_for_the_provider_leave_threads_for_others(people: People, registration: Registration) -> None:
    guard = Guard(people, Provider(registration))
    for _ in range(8):
        guard._asking.acquire()
    answer = guard.at_provider(BEGIN, "", {}, "127.0.0.1")
    assert answer is not None
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


def test_passwords_may_be_switched_off(units: Units, people: People, registration: Registration, issuer: str) -> None:
    with visited(units, people, registration, passwords=False) as browser:
        assert "password" not in browser.get("/login").text
        refused(browser.post("/login", data={"name": "here", "password": PASSWORD}), 403, "forbidden")
        assert log_in(browser, issuer).status_code == 200


def test_secrets_are_in_no_log_page_or_audit(
    browser: httpx.Client, people: People, issuer: str, registration: Registration, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    pages = []
    for name in ("tells", "key", "failing", "huge", ""):
        wrong(issuer, "")
        back = sent_back(browser, issuer)
        hidden = [SECRET, browser.cookies[registration.cookie], parse_qs(urlsplit(back).query)["code"][0]]
        wrong(issuer, name)
        pages.append(browser.get(back).text)
        hidden.append(httpx.get(f"{issuer}/told").json()["form"]["code_verifier"])
        ours = [record.getMessage() for record in caplog.records if record.name.startswith("streamlink_sql")]
        kept = json.dumps(people._store.audit_lines()).encode() + b"".join(path.read_bytes() for path in tmp_path.glob("history.db*"))
        for secret in hidden:
            assert secret not in " ".join([*pages, *ours, repr(registration)])
            assert secret.encode() not in kept
    assert any("invalid_grant" in record.getMessage() for record in caplog.records), "what the provider says is told, without them"
    from authlib.oauth2.client import DEFAULT_HEADERS

    assert "Authorization" not in DEFAULT_HEADERS


def test_the_secret_is_sent_as_the_provider_wants_it(units: Units, people: People, registration: Registration, issuer: str) -> None:
    wrong(issuer, "by form")
    with visited(units, people, registration) as browser:
        assert log_in(browser, issuer).status_code == 200
    told = httpx.get(f"{issuer}/told").json()
    assert (told["client"], told["form"]["client_secret"]) == ({}, SECRET)
    with visited(units, people, replace(registration, client_secret=None)) as browser:
        refused(log_in(browser, issuer), 401, "unauthenticated")  # this provider has no public clients
    told = httpx.get(f"{issuer}/told").json()
    assert told["client"] == {}
    assert (told["form"]["client_id"], "client_secret" in told["form"]) == ("streamlink", False)


GOOD: dict[str, Any] = {"oidc_issuer": "https://login.example", "oidc_client_id": "streamlink", "public_url": "https://ask.example.org/"}


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"oidc_issuer": "http://login.example"}, "oidc_issuer takes"),
        ({"oidc_issuer": "login.example"}, "oidc_issuer takes"),
        ({"public_url": None}, "public_url"),
        ({"public_url": "https://ask.example.org/path"}, "public_url"),
        ({"public_url": "http://ask.example.org"}, "public_url"),
        ({"public_url": "https://[::1"}, "public_url"),
        ({"oidc_client_id": None}, "oidc_client_id"),
        ({"oidc_client_secret": "schlüssel"}, "oidc_client_secret"),
        ({"oidc_scopes": "email"}, "openid"),
        ({"oidc_roles": {"staff": "analyst"}}, "oidc_role_claim"),
        ({"oidc_role_claim": "groups"}, "oidc_role_claim"),
        ({"oidc_new_users": True}, "oidc_new_users"),
        ({"oidc_issuer": None}, "oidc_client_id needs oidc_issuer"),
        ({"oidc_issuer": None, "oidc_client_id": None, "password_login": False}, "Nobody could log in"),
    ],
)
def test_settings_that_do_not_fit_are_told_at_the_start(told: dict[str, Any], says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        provider_of(Settings(**{**GOOD, **told}))


def test_roles_that_the_policy_lacks_are_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text("[roles.boss]\nothers = true\n")
    mapped = {**GOOD, "policy": tmp_path / "policy.toml", "oidc_role_claim": "groups"}
    with pytest.raises(BadRequest, match=r"the role 'chief'.*It has: boss"):
        provider_of(Settings(**mapped, oidc_roles={"staff": "chief"}))
    found = provider_of(Settings(**mapped, oidc_roles={"staff": "boss"}, oidc_client_secret=SecretStr(SECRET)))
    assert found is not None
    assert found.registration.public_url == "https://ask.example.org"
    assert SECRET not in repr(found.registration)


def test_with_a_provider_people_log_in_on_this_machine_too() -> None:
    assert needs_login(Settings(**GOOD))
    assert not needs_login(Settings())
    with pytest.raises(BadRequest, match="login is off"):
        needs_login(Settings(**GOOD, login=False))
    assert provider_of(Settings()) is None


def test_a_store_of_before_is_updated_and_its_users_log_in_as_ever(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    url = f"sqlite:///{tmp_path / 'history.db'}"
    config = Config()
    config.set_main_option("script_location", "streamlink_sql:store/migrations")
    with create_engine(url).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
    with closing(sqlite3.connect(tmp_path / "history.db")) as old, old:
        from argon2 import PasswordHasher

        for name, hashed in (("ada", PasswordHasher().hash(PASSWORD)), ("bob", None)):
            row = (name, "boss", "{}", False, hashed, "2026-01-01")
            old.execute("INSERT INTO users (name, role, attributes, admin, password, created_at) VALUES (?, ?, ?, ?, ?, ?)", row)
    with closing(open_store(url, tmp_path / "audit")) as store:
        people = People(store)
        assert people.of_session(people.log_in("ada", PASSWORD)).role == "boss"
        with pytest.raises(Forbidden):
            people.log_in_as(Identity("https://login.example", "s-1", "ada"))
        people.change("bob", issuer="https://login.example")
        assert people.of_session(people.log_in_as(Identity("https://login.example", "s-1", "bob"))).name == "bob"


def test_without_authlib_a_server_with_a_provider_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['authlib'] = None\n"
        "from streamlink_sql.web.oidc import Provider, Registration\n"
        "from streamlink_sql.errors import BadRequest\n"
        "try: Provider(Registration('https://login.example', 'x', None, 'https://ask.example.org'))\n"
        "except BadRequest as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "install streamlink-sql[oidc]" in done.stdout


def test_authlib_is_loaded_where_people_log_in_at_a_provider_and_nowhere_else() -> None:
    code = "import sys; import streamlink_sql.web.guard, streamlink_sql.cli.serve; print({'authlib', 'joserfc'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
