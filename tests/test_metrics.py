"""What the parts tell Prometheus, from questions asked over HTTP; and the dashboard and the scrape configuration made of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.cluster.state import open_cluster, write_prometheus
from streamlink_sql.client import Client
from streamlink_sql.errors import Cancelled, StreamLinkError
from streamlink_sql.types import Question
from tests.chat_server import serving as scripted
from tests.chat_server import streamed
from tests.serving import SAYS, control_on, make_data, serving, until
from tests.test_worker import drafts, working

ROOT = Path(__file__).parent.parent
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/streamlink.json").read_text(encoding="utf-8"))


def counted(url: str) -> dict[str, float]:
    """All samples of a part, by their names and labels as Prometheus writes them."""
    page = httpx.get(f"{url}/metrics", timeout=60)
    assert page.headers["content-type"].startswith("text/plain")
    samples = (sample for family in text_string_to_metric_families(page.text) for sample in family.samples)
    return {sample.name + "".join(f"{{{label}={value}}}" for label, value in sample.labels.items()): sample.value for sample in samples}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that was asked what succeeds and what is turned down."""
    says = SAYS | {"no SQL at all": "SELECT FROM WHERE"}
    with (
        control_on(make_data(tmp_path_factory.mktemp("metrics")), says) as control,
        serving(control) as url,
        closing(Client(url)) as client,
    ):
        for text in (
            "total per region",
            "all sales",
            "which sales can go?",
            "a column that is not there",
            "no SQL at all",
            "unheard of",
            "?",
        ):
            with suppress(StreamLinkError):
                client.answer(text)
        yield url


@pytest.fixture(scope="module")
def worker() -> Iterator[str]:
    """A worker before a chat model that reports its tokens, which has written once, beside its trial at the start."""
    with scripted(*[streamed("```sql\nSELECT 1\n```")] * 2) as model, working("--model", f"{model.url}#tiny") as found:
        drafts(found.url)
        yield found.url


def test_outcomes_drafts_refusals_and_second_rounds(server: str) -> None:
    found = counted(server)
    codes = {"ok": 2, "policy_refused": 1, "invalid_sql": 2, "cannot_answer": 1, "bad_request": 1}
    assert {code: found[f"streamlink_questions_total{{code={code}}}"] for code in codes} == codes
    assert (found["streamlink_drafts_total{verdict=ran}"], found["streamlink_drafts_total{verdict=refused}"]) == (2, 3)
    rules = {"statement.not_query": 1, "column.unknown": 1, "syntax.parse": 1, "no_words": 1}
    assert {rule: found[f"streamlink_refusals_total{{rule={rule}}}"] for rule in rules} == rules
    assert found["streamlink_second_rounds_total"] == 3, "once for each question whose only draft was turned down"
    assert (found["streamlink_answer_rows_total"], found["streamlink_question_seconds_count"]) == (2 + 200, 7)
    assert found["streamlink_answer_bytes_total"] > 202 * 8
    assert found["streamlink_stage_seconds_count{stage=engine}"] == 2
    assert found["process_resident_memory_bytes"] > 2**20


def test_who_is_where_now(tmp_path: Path) -> None:
    with control_on(make_data(tmp_path), running=1) as control, serving(control) as url, closing(Client(url)) as client:
        with ThreadPoolExecutor(2) as pool:
            asked = [pool.submit(client.answer, Question("never ends", id=name)) for name in ("one", "two")]
            until(lambda: counted(url).get("streamlink_stage_underway{stage=queue}") == 1)
            found = counted(url)
            assert (found["streamlink_stage_underway{stage=engine}"], found["streamlink_questions_underway"]) == (1, 2)
            assert all(client.cancel(name) for name in ("one", "two"))
            assert all(isinstance(each.exception(60), Cancelled) for each in asked)
        until(lambda: counted(url)["streamlink_questions_underway"] == 0)
        assert not any(name.startswith("streamlink_stage_underway") for name in counted(url))


def test_tokens_of_a_chat_model_behind_a_worker(worker: str) -> None:
    found = counted(worker)
    assert (found["streamlink_worker_waiting"], found["streamlink_worker_running"]) == (0, 0)
    assert (found["streamlink_worker_drafts_total"], found["streamlink_worker_questions_total{code=ok}"]) == (1, 1)
    assert (found["streamlink_worker_tokens_total{direction=read}"], found["streamlink_worker_tokens_total{direction=written}"]) == (7, 2)
    assert found["streamlink_worker_stage_seconds_count{stage=model}"] == 1


def panels() -> Iterator[dict[str, Any]]:
    """All panels, those in rows among them."""
    for panel in DASHBOARD["panels"]:
        yield panel
        yield from panel.get("panels", ())


def test_every_counter_on_the_dashboard_is_one_of_ours(server: str, worker: str) -> None:
    exposed = {"up"}
    for url in (server, worker):
        families = list(text_string_to_metric_families(httpx.get(f"{url}/metrics", timeout=60).text))
        exposed |= {sample.name for family in families for sample in family.samples}
        exposed |= {f"{family.name}_total" for family in families if family.type == "counter"}
        exposed |= {family.name for family in families if family.type == "gauge"}
    asked = [target["expr"] for panel in panels() for target in panel.get("targets", ())]
    asked += [variable["definition"] for variable in DASHBOARD["templating"]["list"] if "definition" in variable]
    used = {name for text in asked for name in re.findall(r"\b(?:streamlink|process)_\w+|\bup\b", text)}
    assert used - exposed == set()
    ours = {name for name in exposed if name.startswith("streamlink_") and not name.endswith(("_created", "_sum", "_count"))}
    assert ours - used == set(), "and all of ours are on it"


def test_the_dashboard_can_be_imported() -> None:
    ids = [panel["id"] for panel in panels()]
    assert len(ids) == len(set(ids)) > 20
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    shown = json.dumps(DASHBOARD)
    assert set(re.findall(r"\$\{?(\w+)", shown)) - {"__rate_interval", "__all"} == variables
    assert {source["uid"] for source in values(DASHBOARD, "datasource")} == {"${datasource}"}, "no data source of ours is fixed in it"
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    taken = [
        (x, y) for place in places for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken)), "no panel lies on another"


def values(tree: Any, name: str) -> Iterator[Any]:
    """What stands under a name, anywhere."""
    if isinstance(tree, dict):
        yield from (value for key, value in tree.items() if key == name)
    for below in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from values(below, name)


def test_prometheus_reads_the_parts_of_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_PORT", "9400")
    cluster = open_cluster(tmp_path)
    write_prometheus(cluster, "sl_key")
    path = tmp_path / "prometheus.yml"
    assert path.stat().st_mode & 0o077 == 0, "it holds secrets"
    jobs = {job["job_name"]: job for job in json.loads(path.read_text())["scrape_configs"]}
    assert set(jobs) == {"streamlink-ccu", "streamlink-web", "streamlink-worker"}
    assert jobs["streamlink-worker"]["static_configs"] == [{"targets": ["127.0.0.1:9401", "127.0.0.1:9402"]}]
    assert jobs["streamlink-worker"]["authorization"] == {"credentials": cluster.secrets["worker_token"]}
    assert jobs["streamlink-ccu"]["authorization"] == {"credentials": "sl_key"}
    if promtool := shutil.which("promtool"):
        subprocess.run([promtool, "check", "config", str(path)], check=True, capture_output=True)
