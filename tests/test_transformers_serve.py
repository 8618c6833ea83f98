"""`transformers serve`, the ecosystem's own server, with a tiny model made here (`make test-llm`); skipped where it is not installed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from streamlink_sql import prompt
from streamlink_sql.assemble import control_unit
from streamlink_sql.errors import Cancelled, ModelUnavailable, StreamLinkError
from streamlink_sql.generators import open_generator
from streamlink_sql.types import Question
from tests.serving import free_port, make_data, until
from tests.tiny_chat import make_model

pytestmark = [pytest.mark.llm, pytest.mark.timeout(600)]

HOW_MANY, REGIONS = "How many sales are there?", "Which regions are there?"
SAYS = {HOW_MANY: "SELECT count(*) AS n FROM sales", REGIONS: "```sql\nSELECT DISTINCT region FROM sales ORDER BY region;\n```"}


@dataclass
class Served:
    """The data that the model knows, the address of its server, and the server."""

    data: str
    address: str
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A model that knows two questions about sales, on `transformers serve` as a process of its own, which may fetch nothing."""
    for needed in ("torch", "transformers", "openai"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed; run `make test-training` and then `make test-llm`")
    place, port = tmp_path_factory.mktemp("serve"), free_port()
    data = str(make_data(place / "data"))
    with closing(control_unit(data=data, store="temporary")) as unit:
        prompts = {text: prompt.render(text, unit.catalog.relevant(text)) for text in SAYS}
    model = make_model(place / "tiny", SAYS, prompts)
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(model), "--device", "cpu"]
    offline = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(place / "home")}
    with (place / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--host", "127.0.0.1", "--port", str(port)], env=offline, stdout=log, stderr=log)
    try:
        until(lambda: process.poll() is not None or is_well(f"http://127.0.0.1:{port}/health"), 300)
        assert process.poll() is None, (place / "log").read_text(errors="replace")[-1000:]
        yield Served(data, f"http://127.0.0.1:{port}/v1#{model}", process)
    finally:
        process.kill()
        process.wait(60)


def is_well(url: str) -> bool:
    try:
        return httpx.get(url, timeout=10).is_success
    except httpx.HTTPError:
        return False


def test_questions_go_from_door_to_door(served: Served) -> None:
    with closing(control_unit(data=served.data, model=served.address, model_timeout_s=280, store="temporary")) as unit:
        answers = [unit.answer(Question(text)) for text in SAYS]
    assert [list(answer.rows.as_python()) for answer in answers if answer.rows] == [[(200,)], [("north",), ("south",)]]
    assert {answer.model for answer in answers} == {served.address.partition("#")[2]}
    assert answers[0].confidence == 1, "it tells no probabilities"


def test_a_question_called_off_frees_the_server(served: Served) -> None:
    caught: list[BaseException] = []
    with closing(control_unit(data=served.data, model=served.address, model_timeout_s=280, store="temporary")) as unit:
        question = Question("Something that it never learned, so that it writes on and on until it is stopped.")

        def ask() -> None:
            try:
                unit.answer(question)
            except StreamLinkError as error:
                caught.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        until(lambda: unit.generator.cancel(question.id))
        asking.join(60)
        assert isinstance(caught[0], Cancelled)
        began = time.monotonic()
        assert unit.answer(Question(HOW_MANY)).row_count == 1
        assert time.monotonic() - began < 60


def test_another_model_than_the_one_it_serves_is_told(served: Served) -> None:
    address = served.address.partition("#")[0] + "#other"
    with closing(control_unit(data=served.data, model=address, store="temporary")) as unit, pytest.raises(ModelUnavailable, match="other"):
        unit.answer(Question(HOW_MANY))


def test_a_server_that_was_killed_is_told_and_nothing_hangs(served: Served) -> None:
    with closing(open_generator(served.address)) as generator:
        with closing(control_unit(data=served.data, store="temporary")) as unit:
            context = unit.catalog.relevant(HOW_MANY)
        assert generator.generate(Question(HOW_MANY), context, 1)
        served.process.kill()
        served.process.wait(60)
        with pytest.raises(ModelUnavailable, match=r"No model server answers|broke"):
            generator.generate(Question(HOW_MANY), context, 1)
