"""The page in headless Chromium, served by the real command; only the model is recorded."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from tests.adapters import parser_adapter
from tests.serving import make_data, served, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser

IMAGE = "<img src=x onerror=window.pwned=1>"
ENDLESS = """
    SELECT count(*) AS n FROM sales a, sales b, sales c, sales d, sales e, sales f
    WHERE (a.id * b.id + c.id * d.id + e.id * f.id) % 7919 = 7
"""
RECORDED = {
    "total per region": "SELECT region, sum(amount) AS total FROM sales GROUP BY region ORDER BY total DESC",
    "all sales": "SELECT * FROM sales ORDER BY id",
    "years": """
        SELECT 2015 AS year, 1234.5 AS amount, TIMESTAMP '2024-02-29 12:30:00' AS moment FROM sales WHERE id = 0
        UNION ALL SELECT 2016, 2, TIMESTAMP '2024-01-01' FROM sales WHERE id = 0
    """,
    "never ends": ENDLESS,
    "show the hostile": 'SELECT * FROM hostile ORDER BY ":n"',
    f"what is {IMAGE} {{{{ 7*7 }}}}": f"SELECT '{IMAGE}' AS \"{IMAGE}\", 5 AS n FROM sales LIMIT 1",
    "refuse the hostile": f'SELECT "{IMAGE}" FROM sales',
}
CELLS = (
    IMAGE,
    "<script>window.pwned=2</script>",
    "{{ constructor.constructor('window.pwned=3')() }}",
    "javascript:window.pwned=4",
    "=1+1",
    "",
)


def chromium() -> str | None:
    """Where Chromium is: as STREAMLINK_TEST_CHROMIUM says, or where systems put it."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("STREAMLINK_TEST_CHROMIUM") or next((path for name in names if (path := shutil.which(name))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test-browser installs it")
    path = chromium()
    if path is None:
        pytest.skip("there is no Chromium here: make test-browser says how to get it")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `streamlink-sql serve` on made data."""
    place = tmp_path_factory.mktemp("page")
    (place / "data").mkdir()
    lines = [f"{number},{('north', 'south', 'east')[number % 3]},{number * 10}" for number in range(1500)]
    (place / "data" / "sales.csv").write_text("\n".join(["id,region,amount", *lines]) + "\n")
    rows = "\n".join(f'{number},"{cell}"' for number, cell in enumerate(CELLS))
    (place / "data" / "hostile.csv").write_text(f":n,{IMAGE}\n{rows}\n")
    (place / "recorded.jsonl").write_text("".join(json.dumps({"question": q, "sql": sql}) + "\n" for q, sql in RECORDED.items()))
    with served(place, "--data", "data", "--model", "replay:recorded.jsonl", "--store", "temporary") as address:
        yield address


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    opened.set_default_timeout(60_000)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, url: str) -> Iterator[Page]:
    """The page, ready. When the test is over: nothing was asked of another host, no script of the data ran, nothing complained."""
    asked: list[str] = []
    said: list[str] = []
    opened = context.new_page()
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("websocket", lambda socket: asked.append(socket.url))
    opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.goto(url)
    opened.wait_for_selector(".sl-chip")
    yield opened
    hosts = {urlsplit(one).hostname for one in asked if not one.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
    assert len(asked) > 5
    assert opened.evaluate("window.pwned") is None
    assert opened.locator("img[src='x']").count() == 0
    assert said == []


def ask(page: Page, question: str) -> None:
    page.get_by_label("Question").fill(question)
    page.get_by_label("Question").press("Enter")


def answered(page: Page, rows: str) -> None:
    page.get_by_text(rows, exact=True).wait_for()
    page.locator(".ag-center-cols-container .ag-cell").first.wait_for()


def cells(page: Page) -> list[str]:
    return list(page.locator(".ag-center-cols-container .ag-cell").all_inner_texts())


def test_a_question_gets_its_answer(page: Page) -> None:
    ask(page, "total per region")
    answered(page, "3 rows")
    assert {"north", "south", "east"} <= set(cells(page))
    assert page.locator(".sl-lead").inner_text().startswith("Reads the table sales.")
    assert "GROUP BY" in page.locator(".sl-editor .cm-content").inner_text()
    assert page.get_by_label("Chart").locator("canvas").count() == 1
    for stage in ("Tables", "Model", "Checks", "Dry run", "Queue", "Database", "Total"):
        mark = page.locator(".sl-stage", has_text=stage).first
        assert re.search(r"\d ms|\d s", mark.inner_text())


def test_numbers_have_separators_and_labels_have_none(page: Page) -> None:
    ask(page, "total per region")
    answered(page, "3 rows")
    assert "3,742,500" in cells(page)
    ask(page, "years")
    answered(page, "2 rows")
    assert {"2015", "1,234.5", "2024-02-29 12:30:00", "2024-01-01"} <= set(cells(page))
    assert page.locator(".ag-right-aligned-cell").count() == 4


def test_a_doubt_and_what_helps_are_said(page: Page) -> None:
    ask(page, "something that nobody recorded")
    page.locator(".sl-problem .sl-chip").first.wait_for()
    assert "begin with one of these questions" in page.locator(".sl-problem").inner_text()


def test_escape_stops(page: Page) -> None:
    ask(page, "never ends")
    page.get_by_role("button", name="Run it all the same").click()
    page.locator(".sl-stage.running", has_text="Database").wait_for()
    page.keyboard.press("Escape")
    page.locator(".sl-problem", has_text="cancelled").wait_for()
    assert page.get_by_role("button", name="Ask again").is_visible()


def test_a_chip_asks(page: Page) -> None:
    page.locator(".sl-chip").first.click()
    page.locator(".sl-problem, .sl-lead").first.wait_for()


def test_a_cut_result_says_so(page: Page) -> None:
    ask(page, "all sales")
    answered(page, "The first 1,000 rows")
    assert page.get_by_text("There are more: a limit on rows or size cut the result.").is_visible()


def test_what_the_data_holds_is_shown_and_never_run(page: Page) -> None:
    ask(page, "show the hostile")
    answered(page, f"{len(CELLS)} rows")
    assert {cell for cell in CELLS if cell} <= set(cells(page))
    assert IMAGE in page.locator(".ag-header-cell-text").all_inner_texts()
    page.locator(".sl-drawer").get_by_text("hostile", exact=True).first.wait_for()
    page.mouse.move(700, 500)
    ask(page, f"what is {IMAGE} {{{{ 7*7 }}}}")
    answered(page, "1 row")
    assert IMAGE in page.locator(".sl-lead").inner_text()
    page.get_by_text("History").click()
    page.locator(".sl-entry", has_text="{{ 7*7 }}").first.wait_for()


def test_a_problem_is_a_card_and_never_run(page: Page) -> None:
    ask(page, "refuse the hostile")
    page.locator(".sl-problem").wait_for()
    assert "invalid_sql" in page.locator(".sl-problem").inner_text()
    ask(page, f"nobody recorded {IMAGE}")
    page.locator(".sl-problem", has_text="cannot_answer").wait_for()


def test_edited_sql_runs_through_the_same_checks(page: Page) -> None:
    ask(page, "total per region")
    answered(page, "3 rows")
    editor = page.locator(".sl-editor .cm-content")
    editor.fill("SELECT max(id) AS newest FROM sales")
    page.get_by_role("button", name="Run this SQL").click()
    page.locator(".sl-figure", has_text="1,499").wait_for()
    page.locator(".sl-editor .cm-content").fill("DELETE FROM sales")
    page.get_by_role("button", name="Run this SQL").click()
    page.locator(".sl-problem", has_text="policy_refused").wait_for()


def test_feedback_is_kept(page: Page, url: str) -> None:
    ask(page, "total per region")
    answered(page, "3 rows")
    page.get_by_role("button", name="Right").click()
    page.get_by_text("Thank you.").wait_for()
    pairs = [json.loads(line) for line in httpx.get(f"{url}/v1/feedback/accepted").text.splitlines()]
    assert pairs[-1]["question"] == "total per region"


def test_wrong_with_the_right_sql_is_kept(page: Page, url: str) -> None:
    ask(page, "all sales")
    answered(page, "The first 1,000 rows")
    page.locator(".sl-editor .cm-content").fill("SELECT id FROM sales")
    page.get_by_role("button", name="Wrong").click()
    page.get_by_text("The SQL in the editor is the right one").click()
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Thank you.").wait_for()
    pairs = [json.loads(line) for line in httpx.get(f"{url}/v1/feedback/accepted").text.splitlines()]
    assert pairs[-1]["query"].upper() == "SELECT ID FROM SALES"


def test_the_history_opens_what_was_asked(page: Page) -> None:
    ask(page, "total per region")
    answered(page, "3 rows")
    page.reload()
    page.get_by_text("History").click()
    page.locator(".sl-entry", has_text="total per region").first.click()
    page.get_by_role("button", name="Run it again").click()
    answered(page, "3 rows")


def test_rows_are_downloaded(page: Page, tmp_path: Path) -> None:
    ask(page, "show the hostile")
    answered(page, f"{len(CELLS)} rows")
    for name in ("CSV", "Parquet", "JSON"):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=f"Download as {name}").click()
        waiting.value.save_as(tmp_path / name)
    lines = (tmp_path / "CSV").read_text().splitlines()
    assert (len(lines), "4,'=1+1" in lines) == (len(CELLS) + 1, True)
    assert (tmp_path / "Parquet").read_bytes()[:4] == b"PAR1"
    assert json.loads((tmp_path / "JSON").read_text())["row_count"] == len(CELLS)


def test_a_running_question_is_stopped(page: Page) -> None:
    ask(page, "never ends")
    page.get_by_role("button", name="Run it all the same").click()
    page.locator(".sl-stage.running", has_text="Database").wait_for()
    page.get_by_label("Stop").click()
    page.locator(".sl-problem", has_text="cancelled").wait_for()


def test_who_closes_the_page_calls_the_question_off(browser: Browser, url: str) -> None:
    tab = browser.new_page()
    tab.goto(url)
    tab.wait_for_selector(".sl-chip")
    ask(tab, "never ends")
    tab.get_by_role("button", name="Run it all the same").click()
    tab.locator(".sl-stage.running", has_text="Database").wait_for()
    tab.close()
    until(lambda: "streamlink_questions_underway 0.0" in httpx.get(f"{url}/metrics").text)
    assert httpx.get(f"{url}/v1/history?limit=1").json()["entries"][0]["code"] == "cancelled"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_whole(browser: Browser, url: str, scheme: str) -> None:
    phone = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark" if scheme == "dark" else "light")
    page = phone.new_page()
    page.goto(url)
    page.wait_for_selector(".sl-chip")
    ask(page, "total per region")
    answered(page, "3 rows")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator("body.body--dark").count() == (scheme == "dark")
    phone.close()


def test_the_page_itself_names_no_other_host(url: str) -> None:
    text = httpx.get(url).text
    assert {urlsplit(found).hostname for found in re.findall(r"https?://[^\s\"'<>]+", text)} <= {"127.0.0.1", "www.w3.org"}
    assert "default-src 'self'" in httpx.get(url).headers["content-security-policy"]


def test_versions_are_promoted_and_rolled_back_on_their_page(context: BrowserContext, tmp_path: Path) -> None:
    make_data(tmp_path / "data")
    store = ["--data", "data", "--store", f"sqlite:///{tmp_path / 'history.db'}"]
    for name, passed in (("good", True), ("kept", False)):
        made = parser_adapter(tmp_path / name, f"{name} {IMAGE}", passed=passed)
        subprocess.run([sys.executable, "-m", "streamlink_sql", "models", "add", str(made), *store], cwd=tmp_path, check=True)
    with served(tmp_path, *store) as address:
        page = context.new_page()
        page.goto(address)
        page.get_by_role("button", name="Versions of the model").click()
        page.get_by_text("The model as it is answers.").wait_for()
        kept, good = page.get_by_label("Version 2"), page.get_by_label("Version 1")
        assert "kept back by the gate" in kept.inner_text()
        assert kept.get_by_role("button", name="Promote").count() == 0
        assert "held-out questions: 50.0% before, 65.0% after, of 40" in good.inner_text()
        assert "streamlink-sql adapt --data" in page.locator(".sl-code").inner_text()
        good.get_by_role("button", name="Promote").click()
        page.get_by_text("Version 1 answers.").wait_for()
        page.get_by_role("button", name="Roll back").click()
        page.get_by_text("The model as it is answers.").wait_for()
        assert good.get_by_text("promoted 20").is_visible()
        events = [each["event"] for each in httpx.get(f"{address}/v1/models").json()["promotions"]]
        assert events == ["rolled back", "promoted"]
        assert page.evaluate("window.pwned") is None
