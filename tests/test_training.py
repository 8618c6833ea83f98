"""A tiny parser from training to serving: it learns, resumes exactly, stops when told, ships, and goes on from what was shipped."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: make test-training")

from streamlink_sql.errors import BadRequest, ModelUnavailable  # noqa: E402
from streamlink_sql.generators.parser.actions import Layout  # noqa: E402
from streamlink_sql.generators.parser.pieces import Pieces  # noqa: E402
from streamlink_sql.generators.parser.runtime import Model  # noqa: E402
from streamlink_sql.training import example_files, parser  # noqa: E402
from streamlink_sql.training.batches import Source, Stream, collate, prepare, trace  # noqa: E402
from streamlink_sql.training.example_files import HELD_OUT, TrainingData, TrainingSet  # noqa: E402
from streamlink_sql.training.export import EncodeOnce, export, mean_of  # noqa: E402
from streamlink_sql.training.held_out import written_exactly  # noqa: E402
from streamlink_sql.training.network import EncoderShape, ParserNetwork, ParserShape  # noqa: E402
from streamlink_sql.training.parser_data import Database, Example, read_set  # noqa: E402
from streamlink_sql.training.quantising import Bits  # noqa: E402
from streamlink_sql.training.shipped import load_shipped, shape_of_shipped  # noqa: E402
from tests.tiny_parser import SYNONYMS, TABLES, write_tokenizer  # noqa: E402

pytestmark = [pytest.mark.training, pytest.mark.filterwarnings("default")]

SHAPE = ParserShape(
    EncoderShape(layers=2, width=32, heads=4, inner=64, vocabulary=160), width=32, heads=4, relation_layers=1, decoder_layers=1
)
DATABASE = Database("shop", TABLES, SYNONYMS)
ASKED = {
    "How many {} are there?": "SELECT count(*) FROM {}",
    "Count the {}": "SELECT count(*) FROM {}",
    "Show everything of {}": "SELECT * FROM {}",
    "List all {}": "SELECT * FROM {}",
}
PAIRS = [
    *((question.format(name), query.format(name)) for question, query in ASKED.items() for name in ("orders", "clients", "order_lines")),
    ("Clients of Oslo", "SELECT fullName FROM clients WHERE home_city = 'Oslo'"),
    ("Clients of Rome", "SELECT fullName FROM clients WHERE home_city = 'Rome'"),
    ("Orders over 50", "SELECT id FROM orders WHERE amount > 50"),
    ("Orders over 70", "SELECT id FROM orders WHERE amount > 70"),
    ("Average amount", "SELECT avg(amount) FROM orders"),
    ("Greatest amount", "SELECT max(amount) FROM orders"),
    ("Clients per city", "SELECT home_city, count(*) FROM clients GROUP BY home_city"),
    ("Orders per client", "SELECT client_id, count(*) FROM orders GROUP BY client_id"),
]


def tiny(seed: int = 0) -> ParserNetwork:
    torch.manual_seed(seed)
    network = ParserNetwork(SHAPE)
    network.eval()
    return network


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    left_out: Counter[str] = Counter()
    lines = [{"db_id": "shop", "question": question, "query": query} for question, query in PAIRS]
    found = read_set("train", lines, {"shop": DATABASE}, {}, "sqlite", left_out)
    assert (len(found), dict(left_out)) == (20, {})
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, examples: list[Example]) -> Path:
    """Training sets in `data`, and an untrained parser, shipped, in `start`."""
    root = tmp_path_factory.mktemp("training")
    sets = {"train": TrainingSet("shop", examples), HELD_OUT: TrainingSet("shop", examples[:6])}
    example_files.write(TrainingData(sets, {"shop": {"shop": DATABASE}}), root / "data")
    export(tiny(), write_tokenizer(root / "tokenizer.json"), root / "start", bits=32)
    return root


@pytest.fixture
def settings(folder: Path, tmp_path: Path) -> parser.Settings:
    return parser.Settings(
        folder / "data", folder / "start", tmp_path / "run", from_shipped=True, steps=10, rate=3e-3, encoder_rate=1e-3, warm_up=5
    )


def weights_of(settings: parser.Settings) -> dict[str, Any]:
    saved: dict[str, Any] = torch.load(settings.out / "last.pt", weights_only=True)
    return saved


def same(left: dict[str, Any], right: dict[str, Any]) -> bool:
    return all(torch.equal(left[name], right[name]) for name in left) and set(left) == set(right)


def test_the_parameters_are_those_of_the_shipped_weights() -> None:
    network = ParserNetwork()
    named = repr([(name, tuple(parameter.shape)) for name, parameter in network.named_parameters()])
    assert hashlib.sha256(named.encode()).hexdigest()[:16] == "4d9d4c64e27ad10a"
    assert sum(parameter.numel() for parameter in network.parameters()) < 50_000_000


def test_a_tiny_network_learns_and_says_how_well(settings: parser.Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert parser.train(replace(settings, steps=1)) == 0
    first = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert parser.train(replace(settings, out=settings.out / "long", steps=120)) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["step"] == 120
    assert last["loss"] < first["loss"] / 2
    assert 0 <= first["held_out_all"] <= last["held_out_all"] <= 1


def test_a_run_cut_in_two_ends_like_one_in_one_piece(settings: parser.Settings) -> None:
    """The rates are made constant, since they follow the share of the steps that were asked for."""
    whole, halves = replace(settings, out=settings.out / "whole", steps=8), replace(settings, out=settings.out / "halves")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parser, "set_rates", lambda *_: None)
        parser.train(whole)
        parser.train(replace(halves, steps=3))
        parser.train(replace(halves, steps=8))
    one, two = weights_of(whole), weights_of(halves)
    assert one["step"] == two["step"] == 8
    assert one["place"] == two["place"]
    assert one["examples"] == two["examples"]
    assert same(one["network"], two["network"])
    assert torch.equal(one["random"], two["random"])


def test_a_finished_run_is_not_trained_further(settings: parser.Settings) -> None:
    parser.train(replace(settings, steps=2))
    before = weights_of(settings)
    parser.train(replace(settings, steps=2))
    assert same(before["network"], weights_of(settings)["network"])


def test_a_stream_goes_on_from_any_batch(folder: Path, examples: list[Example]) -> None:
    pieces = Pieces(folder / "tokenizer.json")

    def stream(start: tuple[int, int] = (0, 0)) -> Any:
        return iter(Stream({"train": Source(examples, {"shop": DATABASE}, 1.0)}, pieces, most_pieces=3000, seed=3, start=start))

    whole = stream()
    batches = [next(whole) for _ in range(12)]
    again = stream(batches[6].place)
    for batch in batches[7:]:
        found = next(again)
        assert found.place == batch.place
        assert torch.equal(found.targets, batch.targets)
        assert torch.equal(found.inputs.pieces, batch.inputs.pieces)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_ends_training_at_once(settings: parser.Settings, number: signal.Signals) -> None:
    """The whole process group gets it, as from a terminal."""
    command = [sys.executable, "-m", "streamlink_sql.training.parser", "--data", settings.data, "--from-shipped", settings.start]
    with subprocess.Popen(
        [*map(str, command), "--out", str(settings.out), "--steps", "1000000", "--check-minutes", "0.01"],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if b"held_out" in line)
        asked = time.monotonic()
        os.killpg(process.pid, number)
        assert process.wait(120) == 128 + number
        assert time.monotonic() - asked < 60
    saved = weights_of(settings)
    assert saved["step"] > 0
    assert not list(settings.out.glob("*.part"))
    assert parser.train(replace(settings, steps=saved["step"] + 1)) == 0


def test_what_cannot_be_trained_on_is_said(settings: parser.Settings, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"no set spyder.*Known sets: train"):
        parser.Run(replace(settings, weights={"spyder": 1.0}))
    with pytest.raises(BadRequest, match="parser_sets"):
        parser.Run(replace(settings, data=tmp_path))
    (tmp_path / "encoder.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        parser.untrained(replace(settings, start=tmp_path))
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(BadRequest, match="cannot be read"):
        parser.untrained(replace(settings, start=tmp_path, from_shipped=False))


@pytest.fixture(scope="module")
def trained(folder: Path) -> ParserNetwork:
    """A network with weights far from zero, so that differences would show."""
    network = tiny(5)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return network


@pytest.mark.parametrize("bits", [32, 8, 4])
def test_what_is_shipped_computes_what_torch_computes(
    bits: Bits, trained: ParserNetwork, examples: list[Example], folder: Path, tmp_path: Path
) -> None:
    export(trained, folder / "tokenizer.json", tmp_path, bits=bits)
    model, pieces = Model(tmp_path, 1), Pieces(folder / "tokenizer.json")
    shipped = ParserNetwork(SHAPE).eval()
    load_shipped(shipped, tmp_path)
    for example in examples[::4]:
        item = prepare(example, DATABASE, pieces, None)
        got = model.encode(item.linked)
        inputs = collate([item]).inputs
        with torch.no_grad():
            embedded = shipped.encoder.words(inputs.pieces)
            wanted = EncodeOnce(shipped)(embedded, inputs.segments, inputs.pool, inputs.features, inputs.relations)
        for name, tensor in zip(("items", "used", "pointer_keys", "cross_keys", "cross_values"), wanted, strict=True):
            assert np.abs(got[name] - tensor.numpy()).max() < (1e-4 if bits == 32 else 0.25), name


def test_the_mean_of_networks_lies_between_them() -> None:
    first, second = tiny(1), tiny(2)
    wanted = {name: (value + second.state_dict()[name]) / 2 for name, value in first.state_dict().items()}
    found = mean_of([first, second]).state_dict()
    assert all(torch.allclose(found[name], value) for name, value in wanted.items())
    assert not torch.equal(found["to_fixed.weight"], second.state_dict()["to_fixed.weight"])


def test_serving_writes_what_training_would(settings: parser.Settings, examples: list[Example], folder: Path, tmp_path: Path) -> None:
    """One beam without quantisation is the greedy search: in training, each of its actions is the best after those before."""
    parser.train(replace(settings, steps=100))
    export(parser.network_of(weights_of(settings)), folder / "tokenizer.json", tmp_path, bits=32)
    served = ParserNetwork(SHAPE).eval()
    load_shipped(served, tmp_path)
    model, pieces = Model(tmp_path, 1), Pieces(folder / "tokenizer.json")
    found = 0
    for example in examples:
        item = prepare(example, DATABASE, pieces, None)
        for beam in model.search(model.encode(item.linked), Layout.of(item.linked), 1):
            states, permitted = trace(beam.actions, item.linked)
            written = replace(item, actions=beam.actions, states=states, permitted=permitted)
            assert written_exactly(served, collate([written])).all()
            other = (*beam.actions[:-1], next(int(each) for each in np.flatnonzero(permitted[-1]) if each != beam.actions[-1]))
            assert not written_exactly(served, collate([replace(written, actions=other)])).any()
            found += 1
    assert found


@pytest.mark.parametrize("bits", [32, 8, 4])
def test_shipped_files_hold_every_parameter(bits: Bits, trained: ParserNetwork, folder: Path, tmp_path: Path) -> None:
    export(trained, folder / "tokenizer.json", tmp_path, bits=bits)
    assert shape_of_shipped(tmp_path) == SHAPE
    network = ParserNetwork(shape_of_shipped(tmp_path))
    assert load_shipped(network, tmp_path) == set()
    for name, parameter in trained.state_dict().items():
        width = float(parameter.abs().max())
        assert torch.allclose(network.state_dict()[name], parameter, atol=width / (10 if bits == 4 else 60)), name


def test_training_goes_on_from_shipped_int8_weights(
    trained: ParserNetwork, settings: parser.Settings, folder: Path, tmp_path: Path
) -> None:
    export(trained, folder / "tokenizer.json", tmp_path / "int8")
    assert parser.train(replace(settings, start=tmp_path / "int8", steps=2)) == 0
    network = parser.network_of(weights_of(settings))
    export(network, tmp_path / "int8" / "tokenizer.json", tmp_path / "next")
    Model(tmp_path / "next", 1)


def test_files_of_examples_come_back_as_they_were(examples: list[Example], tmp_path: Path) -> None:
    data = TrainingData({"train": TrainingSet("shop", examples, {"cross join": 2})}, {"shop": {"shop": DATABASE}})
    example_files.write(data, tmp_path)
    assert asdict(example_files.read(tmp_path)) == asdict(data)


def test_augmented_examples_still_say_the_same(examples: list[Example], folder: Path) -> None:
    """Whatever is cut or shuffled, the actions stay permitted, and the same seed gives the same item."""
    pieces = Pieces(folder / "tokenizer.json")
    for seed in range(30):
        example = examples[seed % len(examples)]
        one, two = (prepare(example, DATABASE, pieces, random.Random(seed)) for _ in range(2))
        assert one.actions == two.actions
        assert all(mask[action] for mask, action in zip(one.permitted, one.actions, strict=True))
