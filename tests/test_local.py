"""Models in the process: their addresses; with `-m llm` a real GGUF model by llama.cpp, and a tiny Hugging Face model that is made here."""

from __future__ import annotations

import importlib.util
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from streamlink_sql import prompt
from streamlink_sql.assemble import control_unit
from streamlink_sql.errors import BadRequest, Cancelled, CannotAnswer, ModelUnavailable, NotFound, StreamLinkError, TimedOut
from streamlink_sql.generators import open_generator
from streamlink_sql.types import Attempt, Column, Context, Draft, Generator, Question, Table
from tests.serving import make_data, until
from tests.test_worker import working
from tests.tiny_chat import make_adapter, make_model

MUSIC = Context(
    "duckdb",
    (
        Table("singer", (Column("id", "integer", "INTEGER"), Column("name", "text", "VARCHAR"), Column("age", "integer", "INTEGER"))),
        Table("song", (Column("singer_id", "integer", "INTEGER"), Column("title", "text", "VARCHAR"))),
    ),
)
HOW_MANY, TITLES = "How many singers are there?", "List the titles of all songs"


def test_a_path_that_is_no_model_is_told(tmp_path: Path) -> None:
    junk, begin, folder = tmp_path / "junk.gguf", tmp_path / "model.GGUF", tmp_path / "folder"
    junk.write_text("junk")
    begin.write_bytes(b"GGUF")
    folder.mkdir()
    faults: list[tuple[type[StreamLinkError], str, Path, Path | None]] = [
        (NotFound, "no file", tmp_path / "none.gguf", None),
        (BadRequest, "no GGUF", junk, None),
        (NotFound, "no file", begin, tmp_path / "none.gguf"),
        (BadRequest, "convert_lora_to_gguf", begin, folder),
        (BadRequest, "no GGUF", begin, junk),
        (NotFound, "config.json", folder, None),
        (BadRequest, "Known addresses", tmp_path / "none", None),
    ]
    for error, said, path, adapter in faults:
        with pytest.raises(error, match=said):
            open_generator(str(path), adapter=adapter)
    (folder / "config.json").write_text("{}")
    with pytest.raises(BadRequest, match="adapter_config"):
        open_generator(str(folder), adapter=tmp_path)


@pytest.mark.skipif(importlib.util.find_spec("xllamacpp") is not None, reason="xllamacpp is installed here")
def test_a_package_that_is_missing_is_told(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelUnavailable, match=r"streamlink-sql\[llama\]"):
        open_generator(str(tmp_path / "model.gguf"))


@pytest.mark.skipif(importlib.util.find_spec("transformers") is not None, reason="transformers is installed here")
def test_transformers_missing_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with closing(open_generator(str(tmp_path))) as generator, pytest.raises(ModelUnavailable, match=r"streamlink-sql\[hf\]"):
        generator.generate(Question(HOW_MANY), MUSIC, 1)


@pytest.fixture(scope="module")
def gguf() -> Iterator[str]:
    """The path of a real model; xllamacpp can be imported from the environment that `make test-llm` has made for it."""
    python, model = os.environ.get("STREAMLINK_TEST_LLM_PYTHON"), os.environ.get("STREAMLINK_TEST_LLM_MODEL")
    if not python or not model:
        pytest.skip("no local model: STREAMLINK_TEST_LLM_PYTHON and STREAMLINK_TEST_LLM_MODEL are not set; run `make test-llm`")
    asked = [python, "-c", "import pathlib, xllamacpp; print(pathlib.Path(xllamacpp.__file__).parents[1])"]
    home = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, home])
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), home])))
        yield model


@pytest.fixture(scope="module")
def llama(gguf: str) -> Iterator[Generator]:
    with closing(open_generator(gguf, timeout_s=280)) as generator:
        yield generator


def first(generator: Generator, text: str, context: Context = MUSIC) -> Draft:
    (draft,) = generator.generate(Question(text), context, 3)
    return draft


def told(generator: Generator, context: Context = MUSIC) -> str:
    """The draft with its score, or what became of it."""
    try:
        draft = first(generator, HOW_MANY, context)
    except (CannotAnswer, ModelUnavailable) as error:
        return error.detail
    return f"{draft.sql} ({draft.score})"


@pytest.mark.llm
def test_a_gguf_file_writes_sql(llama: Generator, gguf: str) -> None:
    draft = first(llama, HOW_MANY)
    assert " ".join(draft.sql.lower().split()) == "select count(*) from singer"
    assert 0 < draft.score <= 1, "llama.cpp gives probabilities"
    assert draft.model == Path(gguf).stem


@pytest.mark.llm
def test_a_schema_is_read_once(llama: Generator) -> None:
    many = tuple(replace(table, name=f"{table.name}_{at}") for at in range(8) for table in MUSIC.tables)
    took = []
    for at in range(3):
        began = time.monotonic()
        assert f"singer_{at}" in first(llama, f"How many rows has singer_{at}?", replace(MUSIC, tables=many)).sql
        took.append(time.monotonic() - began)
    assert min(took[1:]) < took[0] / 2


@pytest.mark.llm
def test_a_cancelled_question_stops_llama(llama: Generator) -> None:
    question, ended = Question("For each singer the name, the age, the number of songs and their share of all songs, ordered by name."), []

    def ask() -> None:
        with pytest.raises(Cancelled):
            llama.generate(question, MUSIC, 1)
        ended.append(time.monotonic())

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.3)
    began = time.monotonic()
    until(lambda: llama.cancel(question.id))
    asking.join(60)
    assert ended[0] - began < 10
    assert first(llama, HOW_MANY), "it is free for the next"


@pytest.mark.llm
def test_a_gguf_adapter_changes_what_is_written(llama: Generator, gguf: str, tmp_path: Path) -> None:
    noisy_adapter(tmp_path / "adapter.gguf", size=896)
    with closing(open_generator(gguf, adapter=tmp_path, timeout_s=280)) as adapted:
        written = told(adapted)
    assert written != told(llama)
    assert "cannot load" not in written


@pytest.mark.llm
def test_a_damaged_file_is_told(gguf: str, tmp_path: Path) -> None:
    (tmp_path / "half.gguf").write_bytes(Path(gguf).read_bytes()[:100_000])
    with closing(open_generator(str(tmp_path / "half.gguf"))) as generator, pytest.raises(ModelUnavailable, match="cannot load"):
        generator.generate(Question(HOW_MANY), MUSIC, 1)


@pytest.mark.llm
def test_a_worker_with_a_gguf_file_from_door_to_door(gguf: str, tmp_path: Path) -> None:
    data = str(make_data(tmp_path / "data"))
    with working("--model", gguf) as worker:
        with closing(control_unit(data=data, model=f"worker:{worker.url}", model_timeout_s=280, store="temporary")) as unit:
            answer = unit.answer(Question("How many sales are there?"))
        assert answer.model == Path(gguf).stem
        assert answer.rows is not None
        assert [list(row) for row in answer.rows.as_python()] == [[200]]
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(60) == 0


def noisy_adapter(file: Path, size: int) -> None:
    """A LoRA adapter of rank 1 for the queries of a Qwen2 model's first layer, as GGUF has them."""

    def text(said: str) -> bytes:
        return struct.pack("<Q", len(said)) + said.encode()

    pairs = [("general.type", "adapter"), ("general.architecture", "qwen2"), ("adapter.type", "lora")]
    head = b"".join(text(key) + struct.pack("<I", 8) + text(value) for key, value in pairs)
    head += text("adapter.lora.alpha") + struct.pack("<If", 6, 1.0)
    infos, data = b"", b""
    for name, shape in (("a", (size, 1)), ("b", (1, size))):
        infos += text(f"blk.0.attn_q.weight.lora_{name}") + struct.pack("<IQQIQ", 2, *shape, 0, len(data))
        data += struct.pack(f"<{size}f", *(0.05 * (at % 7 - 3) for at in range(size)))
    whole = b"GGUF" + struct.pack("<IQQ", 3, 2, len(pairs) + 1) + head + infos
    file.write_bytes(whole + b"\0" * (-len(whole) % 32) + data)


SAYS = {HOW_MANY: "SELECT count(*) FROM singer", TITLES: "```sql\nSELECT title FROM song\n```"}
REFUSED = (Attempt("SELECT count(*) FROM singer", "refused", message="There is no table singer."),)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that knows the answers to two questions."""
    for needed in ("torch", "transformers", "peft"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed; run `make test-training` and then `make test-llm`")
    return make_model(tmp_path_factory.mktemp("tiny"), SAYS, {text: prompt.render(text, MUSIC) for text in SAYS})


@pytest.mark.llm
def test_a_hugging_face_folder_writes_sql(folder: Path) -> None:
    with closing(open_generator(str(folder))) as generator:
        fresh = {text: first(generator, text) for text in SAYS}
        assert [draft.sql for draft in fresh.values()] == ["SELECT count(*) FROM singer", "SELECT title FROM song"]
        assert all(0.5 < draft.score <= 1 for draft in fresh.values())
        assert {text: first(generator, text).sql for text in SAYS} == {text: draft.sql for text, draft in fresh.items()}, "read before"
    with closing(open_generator(str(folder))) as generator:
        assert first(generator, TITLES).score == pytest.approx(fresh[TITLES].score, rel=1e-3), "what was read before changes nothing"


@pytest.mark.llm
def test_a_schema_longer_than_the_models_context_is_cut(folder: Path) -> None:
    wide = tuple(Table(f"stage_{at}", tuple(Column(f"attribute_{at}_{each}", "text", "TEXT") for each in range(40))) for at in range(20))
    with closing(open_generator(str(folder))) as generator:
        assert "do not fit" not in told(generator, replace(MUSIC, tables=(*MUSIC.tables, *wide)))


@pytest.mark.llm
def test_a_hugging_face_model_is_called_off_and_timed_out(folder: Path) -> None:
    with closing(open_generator(str(folder), timeout_s=0.001)) as generator:
        with pytest.raises(TimedOut, match="model_timeout_s"):
            generator.generate(Question("something that it never learned", id="q"), MUSIC, 1)
        assert generator.cancel("q") is False
    with closing(open_generator(str(folder))) as generator:
        first(generator, HOW_MANY)
        caught: list[BaseException] = []

        def ask() -> None:
            try:
                generator.generate(Question("something that it never learned", id="q"), MUSIC, 1, refused=REFUSED)
            except StreamLinkError as error:
                caught.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        until(lambda: generator.cancel("q"))
        asking.join(60)
        assert isinstance(caught[0], Cancelled)
        assert first(generator, HOW_MANY).sql == SAYS[HOW_MANY]


@pytest.mark.llm
@pytest.mark.filterwarnings("ignore::FutureWarning")  # what peft uses of transformers
def test_a_peft_adapter_changes_what_is_written(folder: Path, tmp_path: Path) -> None:
    adapter = make_adapter(tmp_path / "adapter", folder)
    with closing(open_generator(str(folder))) as plain, closing(open_generator(str(folder), adapter=adapter)) as adapted:
        written = told(adapted)
        assert written != told(plain)
    assert "cannot load" not in written


@pytest.mark.llm
@pytest.mark.filterwarnings("ignore::FutureWarning")  # what peft uses of transformers
@pytest.mark.parametrize(("name", "text"), [("adapter_model.safetensors", "x" * 100), ("adapter_config.json", '{"peft_type": ["LORA"]}')])
def test_a_damaged_peft_adapter_is_told(folder: Path, tmp_path: Path, name: str, text: str) -> None:
    adapter = make_adapter(tmp_path / "adapter", folder)
    (adapter / name).write_text(text)
    with closing(open_generator(str(folder), adapter=adapter)) as generator, pytest.raises(ModelUnavailable, match="cannot load"):
        generator.generate(Question(HOW_MANY), MUSIC, 1)


@pytest.mark.llm
def test_a_folder_that_cannot_be_loaded_is_told(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    with closing(open_generator(str(tmp_path))) as generator, pytest.raises(ModelUnavailable, match="cannot load"):
        generator.generate(Question(HOW_MANY), MUSIC, 1)
