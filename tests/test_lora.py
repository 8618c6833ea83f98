"""LoRA adapters for language models, on tiny models made here (`make test-llm`); skipped where torch or transformers is missing."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streamlink_sql import prompt
from streamlink_sql.assemble import control_unit
from streamlink_sql.cards import CARD, read_card
from streamlink_sql.errors import BadRequest, NotFound
from streamlink_sql.training.pairs import Pair, write_pairs
from streamlink_sql.types import Question
from tests.serving import make_data

for needed in ("torch", "transformers", "peft", "gguf"):
    if importlib.util.find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed; run `make test-training` and then `make test-llm`", allow_module_level=True)

import torch  # noqa: E402
import transformers  # noqa: E402

from streamlink_sql.training.lora import causal, files  # noqa: E402
from streamlink_sql.training.lora.__main__ import main  # noqa: E402
from streamlink_sql.training.lora.causal import Shape  # noqa: E402
from streamlink_sql.training.lora.examples import Example, Plan, Sources, alike, target_tokens  # noqa: E402
from streamlink_sql.training.lora.run import Progress, Run, Settings, train  # noqa: E402
from tests.tiny_chat import make_model  # noqa: E402
from tests.tiny_gguf import make_gguf  # noqa: E402

pytestmark = [pytest.mark.llm, pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")]

KNOWN = {"How many sales are there?": "SELECT count(*) AS n FROM sales"}
NEW = {
    "What did the north sell in total?": "SELECT sum(amount) FROM sales WHERE region = 'north'",
    "Which regions are there?": "SELECT DISTINCT region FROM sales ORDER BY region",
    "What is the largest number?": "SELECT max(number) FROM numbers",
}
MIXED_UP = KNOWN | dict(zip(NEW, [*list(NEW.values())[1:], next(iter(NEW.values()))], strict=True))
"""What the base says: it knows all the SQL, but not what for."""
PAIRS = [Pair(question, query, way="accepted") for question, query in NEW.items()]
SIZES: dict[str, Any] = {
    "vocab_size": 200,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
}
FAMILIES: dict[str, Callable[[], Any]] = {
    "llama": lambda: transformers.LlamaForCausalLM(transformers.LlamaConfig(**SIZES)),
    "qwen": lambda: transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**SIZES)),
    "mistral": lambda: transformers.MistralForCausalLM(transformers.MistralConfig(**SIZES, sliding_window=16)),
    "gemma": lambda: transformers.Gemma3ForCausalLM(transformers.Gemma3TextConfig(**SIZES, head_dim=8, sliding_window=16)),
}


@pytest.fixture(params=sorted(FAMILIES))
def family(request: pytest.FixtureRequest) -> Any:
    """A model of random weights with an adapter that does something."""
    torch.manual_seed(1)
    torch.set_num_threads(1)
    model = causal.adapted(FAMILIES[request.param](), Shape(rank=4, dropout=0, precision="fp32")).train()
    for name, weight in causal.trained(model):
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    return model


def some_examples() -> list[Example]:
    """Prompts that begin alike, longer than the window of a model that has one, and their targets."""
    rng = random.Random(1)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(rng.randrange(1, 200) for _ in range(count))

    begin = tokens(40)
    return [Example("", (*begin, number, *tokens(3 * number)), tokens(5 + number)) for number in range(4)]


def test_the_loss_is_that_of_the_sql_given_the_whole_prompt(family: Any) -> None:
    examples, found = some_examples(), []
    for shared in (True, False):
        family.zero_grad()
        loss = causal.target_loss(family, examples, shared=shared)
        loss.backward()
        found.append((loss.item(), torch.cat([weight.grad.flatten() for _, weight in causal.trained(family)])))
    plain = 0.0
    for example in examples:
        labels = [-100] * len(example.prompt) + list(example.target)
        ids = torch.tensor([[*example.prompt, *example.target]])
        plain += family(input_ids=ids, labels=torch.tensor([labels])).loss.item() * len(example.target)
    assert [loss for loss, _ in found] == pytest.approx([plain, plain], rel=1e-5)
    torch.testing.assert_close(found[0][1], found[1][1], rtol=1e-3, atol=1e-4)


def test_what_is_written_for_many_is_what_is_written_for_one(family: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Numbers:
        eos_token_id = 0

        def decode(self, row: list[int], skip_special_tokens: bool) -> str:
            return " ".join(map(str, row))

    monkeypatch.setattr(causal, "MOST_WRITTEN", 10)
    prompts = [example.prompt for example in some_examples()]
    many = causal.written(family, Numbers(), prompts)
    family.eval()
    for told, said in zip(prompts, many, strict=True):
        ids = torch.tensor([told])
        one = family.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=10, do_sample=False, eos_token_id=0, pad_token_id=0
        )
        assert said.split() == [str(token) for token in one[0, len(told) :].tolist() if token]


def test_an_epoch_has_every_example_once_and_one_database_in_a_chunk() -> None:
    examples = [Example(f"base{number % 3}", (1, 2, 3, number), (4,) * (number % 9 + 1)) for number in range(100)]
    plan = Plan(chunk=8, most_tokens=60, step=10, seed=3)
    steps = plan.steps(examples, 0)
    chunks = [chunk for step in steps for chunk in step]
    assert sorted(number for chunk in chunks for number in chunk) == list(range(100))
    assert all(len({examples[number].database for number in chunk}) == 1 for chunk in chunks)
    assert max(map(len, chunks)) <= 8
    assert all(10 <= sum(map(len, step)) < 10 + 8 for step in steps[:-1])
    for chunk in chunks:
        begin = alike([examples[number].prompt for number in chunk])
        assert begin + len(chunk) * (max(examples[number].tokens for number in chunk) - begin) <= 60
    assert plan.steps(examples, 0) == steps != plan.steps(examples, 1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and a model that answers one question about it right, and some wrong."""
    place = tmp_path_factory.mktemp("lora")
    data = str(make_data(place / "data"))
    with closing(control_unit(data=data, store="temporary")) as unit:
        prompts = {text: prompt.render(text, unit.catalog.relevant(text)) for text in MIXED_UP}
    make_model(place / "tiny", MIXED_UP, prompts)
    return place


def settings_in(place: Path, out: str, **told: Any) -> Settings:
    """A short training."""
    settings = Settings(
        place / "tiny",
        Sources(str(place / "data")),
        place / out,
        Shape(rank=16, alpha=32, dropout=0.02, precision="fp32"),
        Plan(chunk=2, step=3),
        epochs=60,
        rate=5e-3,
        check_steps=30,
    )
    return replace(settings, **told)


@pytest.fixture(scope="module")
def adapter(place: Path) -> Path:
    """A finished adapter that puts three questions right."""
    assert train(settings_in(place, "adapter"), PAIRS, PAIRS) == 0
    return place / "adapter"


def answered(place: Path, model: Path, adapter: Path | None, question: str) -> str:
    with closing(control_unit(data=str(place / "data"), model=str(model), adapter=adapter, store="temporary", model_timeout_s=280)) as unit:
        return unit.answer(Question(question)).sql


def test_an_adapter_learns_and_answers_from_door_to_door(place: Path, adapter: Path) -> None:
    card = read_card(adapter)
    assert card["kind"] == "causal"
    assert card["base"] == "tiny"
    assert card["base_sha256"] == files.hash_of_model(place / "tiny")
    assert card["scores"]["before"]["ex"] < card["scores"]["after"]["ex"] == 1
    assert 0 < card["share_of_parameters"] < 0.5
    assert not (adapter / "work").exists(), "what a finished training needs no more is gone"
    assert {"adapter_config.json", "adapter_model.safetensors", "adapter.gguf"} <= {file.name for file in adapter.iterdir()}
    for question, query in NEW.items():
        assert answered(place, place / "tiny", adapter, question).lower() == query.lower()


def test_the_merged_model_writes_what_the_adapter_writes(place: Path, adapter: Path) -> None:
    merged = place / "merged"
    assert main(["merge", "--model", str(place / "tiny"), "--adapter", str(adapter), "--out", str(merged), "--precision", "fp32"]) == 0
    for question in NEW:
        assert answered(place, merged, None, question) == answered(place, place / "tiny", adapter, question)
    assert main(["merge", "--model", str(place / "tiny"), "--adapter", str(adapter), "--out", str(merged)]) == BadRequest.exit_status


@pytest.fixture(scope="module")
def gguf(place: Path) -> Path:
    """The same model as a GGUF file."""
    return make_gguf(place / "tiny", place / "tiny.gguf")


def test_a_gguf_file_is_a_base_like_any_other(place: Path, gguf: Path) -> None:
    ids = torch.tensor([[5, 6, 7, 8, 9]])
    first, second = (causal.load_base(model, Shape(precision="fp32")) for model in (place / "tiny", gguf))
    torch.testing.assert_close(first(ids).logits, second(ids).logits, rtol=1e-4, atol=1e-4)
    assert causal.share_trained(causal.adapted(second, Shape(rank=2))) == pytest.approx(
        causal.share_trained(causal.adapted(first, Shape(rank=2)))
    )


@pytest.fixture
def llama_cpp(monkeypatch: pytest.MonkeyPatch) -> None:
    """xllamacpp can be imported, from the environment that `make test-llm` has made for it where this one has none."""
    if importlib.util.find_spec("xllamacpp") is None:
        python = os.environ.get("STREAMLINK_TEST_LLM_PYTHON")
        if not python:
            pytest.skip("xllamacpp is not installed; run `make test-llm`")
        asked = [python, "-c", "import pathlib, xllamacpp; print(pathlib.Path(xllamacpp.__file__).parents[1])"]
        monkeypatch.setattr(sys, "path", [*sys.path, subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()])


@pytest.mark.usefixtures("llama_cpp")
def test_llama_cpp_runs_the_adapter(place: Path, adapter: Path, gguf: Path) -> None:
    question, query = next(iter(NEW.items()))
    assert answered(place, gguf, adapter, question).lower() == query.lower()
    assert answered(place, gguf, None, *KNOWN).lower() == KNOWN[next(iter(KNOWN))].lower()


def test_a_stopped_training_goes_on_as_if_it_never_was(place: Path) -> None:
    told = {"plan": Plan(chunk=1, step=1), "epochs": 4, "check_steps": 4}
    whole, parts = settings_in(place, "whole", **told), settings_in(place, "parts", **told)
    assert train(whole, PAIRS, PAIRS) == 0
    stops = {4, 8}  # of three steps an epoch

    def stop(run: Run) -> None:
        if run.progress.step in stops:
            stops.remove(run.progress.step)
            os.kill(os.getpid(), signal.SIGTERM)

    assert [train(parts, PAIRS, PAIRS, stop) for _ in range(3)] == [128 + signal.SIGTERM, 128 + signal.SIGTERM, 0]
    names = ("adapter_model.safetensors", "adapter.gguf")
    assert all((whole.out / name).read_bytes() == (parts.out / name).read_bytes() for name in names)
    first, second = (read_card(each.out) for each in (whole, parts))
    assert [check["loss"] for check in first["scores"]["checks"]] == [check["loss"] for check in second["scores"]["checks"]]


def test_an_adapter_counts_as_finished_once_all_its_files_are_there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_in(place, "halfway", epochs=0.1, check_steps=1000)

    def full_disk(*_: Any) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(files, "write_gguf", full_disk)
        with pytest.raises(OSError, match="no space left"):
            train(settings, PAIRS)
    assert not (settings.out / CARD).exists()
    assert train(settings, PAIRS) == 0
    assert (settings.out / files.GGUF).is_file()
    assert (settings.out / CARD).is_file()


def test_a_run_goes_on_in_the_precision_that_it_began_with(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_in(place, "precision", shape=Shape(rank=4, dropout=0), epochs=0.1, check_steps=1000)
    for faster, went_on_in in ((torch.bfloat16, "bf16"), (torch.float32, "bf16")):
        monkeypatch.setattr(causal, "fastest", lambda device, dtype=faster: dtype)
        run = Run(settings, PAIRS)
        assert run.settings.shape.precision == run.marks["shape"]["precision"] == went_on_in
        run.save()


def test_what_llama_cpp_cannot_run_is_told_before_training(place: Path, gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FAMILIES", {})
    with pytest.raises(BadRequest, match="family llama"):
        Run(replace(settings_in(place, "strange"), model=gguf), PAIRS)
    settings = settings_in(place, "folder", epochs=0.1, check_steps=1000)
    assert train(settings, PAIRS) == 0, "transformers runs it"
    assert not (settings.out / files.GGUF).exists()


def test_a_training_with_other_settings_does_not_go_on(place: Path) -> None:
    settings = settings_in(place, "other", check_steps=1)

    def stop(run: Run) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    assert train(settings, PAIRS, PAIRS, stop) == 128 + signal.SIGTERM
    with pytest.raises(BadRequest, match="rate"):
        train(replace(settings, rate=1e-3), PAIRS, PAIRS)
    with pytest.raises(BadRequest, match="data"):
        train(settings, PAIRS[1:], PAIRS)


def test_training_stops_where_nothing_is_gained(place: Path) -> None:
    wrong = [Pair("How many?", "SELECT 1 WHERE FALSE")]
    settings = settings_in(place, "stuck", epochs=100, check_steps=1, patience=2, rate=0.0)
    assert train(settings, wrong, PAIRS) == 0
    card = read_card(settings.out)
    assert card["steps"] == len(card["scores"]["checks"]) == 3, "the first of equals counts"


@pytest.mark.parametrize(
    ("count", "scores", "chosen"),
    [
        (14, (0.36, 0.29, 0.29), 2),
        (1000, (0.36, 0.29, 0.29), 0),
        (14, (0.36, 0.71, 0.29), 1),
        (14, (0.0, 0.0), 1),
        (50, (0.5, 0.5, 0.3), 1),
    ],
)
def test_the_last_check_that_no_other_is_clearly_better_than_is_chosen(count: int, scores: tuple[float, ...], chosen: int) -> None:
    progress = Progress(checks=[{"step": step, "ex": ex, "count": count} for step, ex in enumerate(scores)])
    assert progress.chosen == progress.checks[chosen]
    assert Progress().chosen is None


def test_gradient_checkpointing_learns_the_same(place: Path) -> None:
    losses = []
    for checkpointing in (False, True):
        shape = Shape(rank=4, dropout=0, precision="fp32", checkpointing=checkpointing)
        settings = settings_in(place, f"checkpointing-{checkpointing}", shape=shape, epochs=3)
        assert train(settings, PAIRS) == 0
        losses.append(read_card(settings.out)["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_the_command_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = place / "pairs.jsonl", place / "by-command"
    write_pairs(file, PAIRS)
    told = [
        "train",
        "--model",
        str(place / "tiny"),
        "--data",
        str(place / "data"),
        "--pairs",
        str(file),
        "--out",
        str(out),
        "--epochs",
        "1",
    ]
    assert main([*told, "--targets", "q_proj", "v_proj", "--rank", "2"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["shape"]["targets"] == ["q_proj", "v_proj"]
    assert main([*told[:-3], str(place / "none"), "--targets", "no_such_layer"]) == BadRequest.exit_status
    assert "no_such_layer" in capsys.readouterr().err
    if not torch.cuda.is_available():
        assert main([*told[:-3], str(place / "four"), "--four-bit"]) == BadRequest.exit_status
        assert "a GPU" in capsys.readouterr().err


def test_pairs_about_data_that_is_nowhere_are_told(place: Path) -> None:
    with pytest.raises(NotFound, match="elsewhere"):
        train(settings_in(place, "nowhere"), [*PAIRS, Pair("How many?", "SELECT 1", database="elsewhere")])


def test_the_target_is_the_answer_of_the_chat_template(place: Path) -> None:
    tokenizer = causal.load_tokenizer(place / "tiny")
    tokens = target_tokens(tokenizer, [prompt.Message("user", "How many?")], "SELECT 1")
    assert tokenizer.decode(tokens) == "SELECT 1<|end|>"
