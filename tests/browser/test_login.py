"""Logging in and out in headless Chromium, which keeps to the page's own policy as no other client does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.browser.test_page import browser
from tests.serving import free_port, oidc_provider, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"


@contextmanager
def answering(place: Path, adding: tuple[str, ...], port: int = 0, **told: str) -> Iterator[str]:
    """A server on which people log in, and one of them is added; gives its address."""
    (place / "data").mkdir()
    (place / "data" / "sales.csv").write_text("id,amount\n1,10\n2,20\n")
    (place / "recorded.jsonl").write_text(json.dumps({"question": "how many sales?", "sql": "SELECT count(*) AS n FROM sales"}) + "\n")
    told |= {"STORE": f"sqlite:///{place / 'history.db'}", "AUDIT_DIR": str(place / "audit"), "LOGIN": "true", "DATA": "data"}
    environment = os.environ | {f"STREAMLINK_{name}": value for name, value in told.items()}
    command = [sys.executable, "-m", "streamlink_sql", "users", "add", *adding]
    subprocess.run(command, input=f"{PASSWORD}\n", text=True, check=True, env=environment, cwd=place)
    with served(place, "--model", "replay:recorded.jsonl", environment=environment, port=port) as address:
        yield address


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """The address of a server where ada has a password."""
    with answering(tmp_path, ("ada", "--password-stdin")) as address:
        yield address


def test_a_person_logs_in_asks_and_logs_out(browser: Browser, url: str, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(url)
    assert page.url.endswith("/login")
    page.screenshot(path=str(tmp_path / "login.png"))
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("alert").wait_for()
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Question").wait_for()
    page.get_by_label("Question").fill("how many sales?")
    page.get_by_label("Ask", exact=True).click()
    page.get_by_text("SELECT COUNT(*)").first.wait_for()
    page.screenshot(path=str(tmp_path / "page.png"))
    page.get_by_label("Log out").click()
    page.wait_for_url("**/login")
    page.goto(url)
    assert page.url.endswith("/login")
    context.close()


def test_a_person_logs_in_at_a_provider_of_another_site(browser: Browser, tmp_path: Path) -> None:
    """The provider is at `localhost`, the server at 127.0.0.1: to a browser these are two sites, and no Strict cookie goes between."""
    port = free_port()
    context = browser.new_context()
    context.set_default_timeout(60_000)
    page = context.new_page()
    with oidc_provider() as issuer:
        told = {"OIDC_ISSUER": issuer, "OIDC_CLIENT_ID": "streamlink", "OIDC_TITLE": "the house", "PUBLIC_URL": f"http://127.0.0.1:{port}"}
        httpx.put(f"{issuer}/users/s-ada", json={"email": "ada@example.org", "email_verified": True}).raise_for_status()
        with answering(tmp_path, ("ada@example.org", "--oidc"), port, **told, OIDC_CLIENT_SECRET="kept to itself") as address:
            page.goto(address)
            page.get_by_role("link", name="Log in with the house").click()
            page.wait_for_url("**/oauth2/authorize*")
            page.locator("input[name=sub]").first.fill("s-ada")
            page.locator("input[name=sub]").first.press("Enter")
            page.get_by_label("Question").wait_for()
            assert page.url == f"{address}/"
            page.get_by_text("ada@example.org").wait_for()
            assert {cookie["name"] for cookie in context.cookies(address)} >= {"streamlink_session"}
            assert "streamlink_login" not in {cookie["name"] for cookie in context.cookies(address)}
            page.get_by_label("Log out").click()
            page.wait_for_url("**/login")
    context.close()
