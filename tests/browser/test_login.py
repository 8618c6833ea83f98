"""Logging in and out in headless Chromium, which keeps to the page's own policy as no other client does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.test_page import browser
from tests.serving import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """The address of a server on which people log in; ada can."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sales.csv").write_text("id,amount\n1,10\n2,20\n")
    (tmp_path / "recorded.jsonl").write_text(json.dumps({"question": "how many sales?", "sql": "SELECT count(*) AS n FROM sales"}) + "\n")
    told = {"STORE": f"sqlite:///{tmp_path / 'history.db'}", "AUDIT_DIR": str(tmp_path / "audit"), "LOGIN": "true", "DATA": "data"}
    environment = os.environ | {f"STREAMLINK_{name}": value for name, value in told.items()}
    adding = [sys.executable, "-m", "streamlink_sql", "users", "add", "ada", "--password-stdin"]
    subprocess.run(adding, input=f"{PASSWORD}\n", text=True, check=True, env=environment, cwd=tmp_path)
    with served(tmp_path, "--model", "replay:recorded.jsonl", environment=environment) as address:
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
