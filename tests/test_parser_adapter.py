"""Adapters of the embedded parser: what they change, what they are bound to, and that training one pays."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamlink_sql.cards import CARD
from streamlink_sql.errors import BadRequest, Cancelled, ModelUnavailable, NotFound
from streamlink_sql.generators import open_generator
from streamlink_sql.generators.parser.adapter import GRAPHS, UPDATES, hash_of_base, read_adapter
from streamlink_sql.generators.parser.linking import Linked, link
from streamlink_sql.generators.parser.onnx_file import OnnxFile
from streamlink_sql.generators.parser.runtime import WEIGHTS, Model, ParserGenerator
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.training.domain import Domain, open_domain
from streamlink_sql.training.mixture import Mixture
from streamlink_sql.training.pairs import Pair, shape_of, write_pairs
from streamlink_sql.types import Context, Draft, Question, ValueMatch
from tests.tiny_parser import MATCHES, QUESTION, SYNONYMS, TABLES, write_tokenizer

needs_weights = pytest.mark.skipif(not (WEIGHTS / GRAPHS[0]).exists(), reason="the parser's weights are not in this checkout")
RANK = 2


def write_adapter(folder: Path, sizes: Mapping[str, tuple[int, int]], strength: float = 0.05, **card: Any) -> Path:
    """An adapter of random updates for these parameters, given as (outputs, inputs)."""
    rng = np.random.default_rng(1)
    arrays: dict[str, Any] = {}
    for name, (outputs, inputs) in sizes.items():
        arrays[f"{name}.down"] = rng.standard_normal((RANK, inputs)).astype(np.float16)
        arrays[f"{name}.up"] = (strength * rng.standard_normal((outputs, RANK))).astype(np.float16)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / UPDATES, **arrays)
    (folder / CARD).write_text(json.dumps({"kind": "parser", "base_hash": hash_of_base(WEIGHTS), **card}))
    return folder


POINTERS = {"pointer_key.weight": (256, 256)}
"""Stored in int8; reads the items and gives the pointer keys, both of which can be seen."""
EXACT = {"encoder.layers.2.attention.query.weight": (384, 384), "encoder.layers.5.inner.weight": (1536, 384)}
"""Stored in int8 and computed in floating point."""


@pytest.fixture(scope="module")
def linked() -> Linked:
    return link(QUESTION, Schema.of(TABLES), MATCHES, SYNONYMS, Model(WEIGHTS, 1).pieces)


@pytest.fixture(scope="module")
def plain(linked: Linked) -> dict[str, Any]:
    return Model(WEIGHTS, 1).encode(linked)


def encoded(folder: Path, linked: Linked) -> dict[str, Any]:
    return Model(WEIGHTS, 1, read_adapter(folder)).encode(linked)


@needs_weights
def test_an_update_is_added_to_what_an_int8_product_gives(linked: Linked, plain: dict[str, Any], tmp_path: Path) -> None:
    folder = write_adapter(tmp_path, POINTERS)
    down, up = read_adapter(folder).updates["pointer_key.weight"]
    found = encoded(folder, linked)
    wanted = plain["pointer_keys"] + plain["items"] @ down.T @ up.T
    assert np.abs(wanted - plain["pointer_keys"]).max() > 0.1
    assert np.allclose(found["pointer_keys"], wanted, atol=1e-4)
    assert np.array_equal(found["items"], plain["items"])


@needs_weights
def test_an_update_of_nothing_changes_nothing(linked: Linked, plain: dict[str, Any], tmp_path: Path) -> None:
    found = encoded(write_adapter(tmp_path, {**POINTERS, **EXACT}, strength=0.0), linked)
    assert all(np.allclose(found[name], plain[name], atol=1e-4) for name in plain)


@needs_weights
def test_an_update_of_exact_products_counts(linked: Linked, plain: dict[str, Any], tmp_path: Path) -> None:
    found = encoded(write_adapter(tmp_path, EXACT), linked)
    assert np.isfinite(found["items"]).all()
    assert np.abs(found["items"] - plain["items"]).max() > 0.01


@needs_weights
def test_the_parser_answers_with_its_adapter_wherever_it_is_named(tmp_path: Path) -> None:
    folder = write_adapter(tmp_path, POINTERS, strength=0.5)
    context = Context("sqlite", TABLES, MATCHES, synonyms=SYNONYMS)
    plain, adapted = open_generator("parser"), open_generator("parser", adapter=folder)
    assert plain.generate(Question(QUESTION), context, 5) != adapted.generate(Question(QUESTION), context, 5)


@needs_weights
def test_the_words_of_an_adapter_stand_for_their_values(tmp_path: Path) -> None:
    told = [["clients", "home_city", {"metropolitan": "New York"}], ["gone", "column", {"metropolitan": "elsewhere"}]]
    folder = write_adapter(tmp_path, POINTERS, strength=0.0, words=told)
    samples = {("clients", "home_city"): ("Boston", "New York")}
    context, question = Context("sqlite", TABLES, (), samples), Question("How many metropolitan clients are there?")
    plain, adapted = (model.generate(question, context, 1)[0].sql for model in (ParserGenerator(), ParserGenerator(adapter=folder)))
    assert "New York" not in plain
    assert adapted == "SELECT COUNT(*) FROM clients WHERE home_city = 'New York'"
    for shown in ({}, {("clients", "home_city"): ("***",)}, {("clients", "fullName"): ("New York",)}):  # as a role's masks and rows have it
        masked = Context("sqlite", TABLES, (), shown)
        assert all("New York" not in draft.sql for draft in ParserGenerator(adapter=folder).generate(question, masked, 5))
    glossary = ValueMatch("clients", "home_city", "Boston", 9, 21, 1.0, "glossary")
    told_otherwise = Context("sqlite", TABLES, (glossary,), samples)
    assert "Boston" in ParserGenerator(adapter=folder).generate(question, told_otherwise, 1)[0].sql


@needs_weights
def test_an_adapter_is_for_the_tables_that_it_was_trained_for(tmp_path: Path) -> None:
    context, question = Context("sqlite", TABLES, MATCHES, synonyms=SYNONYMS), Question(QUESTION)
    plain = ParserGenerator().generate(question, context, 5)

    def drafts(name: str, **card: object) -> list[Draft]:
        return ParserGenerator(adapter=write_adapter(tmp_path / name, POINTERS, strength=0.5, **card)).generate(question, context, 5)

    own = [[table.name.upper(), [column.name for column in table.columns]] for table in TABLES]
    adapted = drafts("all")
    assert adapted != plain
    assert drafts("own", tables=own) == adapted
    assert drafts("one", tables=[own[0], ["others", ["id"]]]) == adapted
    assert drafts("others", tables=[["others", ["id"]]]) == plain
    assert drafts("alike", tables=[[TABLES[0].name, ["one", "two", "three", TABLES[0].columns[0].name]]]) == plain
    with pytest.raises(BadRequest, match="odd cannot be read"):
        drafts("odd", tables=[["others"]])


@needs_weights
@pytest.mark.parametrize("words", [[["clients", "home_city", "New York"]], [["clients"]], 5])
def test_an_adapter_whose_words_make_no_sense_is_named(words: object, tmp_path: Path) -> None:
    folder = write_adapter(tmp_path / "odd", POINTERS, words=words)
    with pytest.raises(BadRequest, match="odd cannot be read"):
        ParserGenerator(adapter=folder).generate(Question(QUESTION), Context("sqlite", TABLES), 1)


@needs_weights
def test_adapters_that_do_not_fit_are_told_apart(tmp_path: Path) -> None:
    faults = {
        "its card.json cannot be read": tmp_path / "nothing",
        "no object": write_adapter(tmp_path / "list", POINTERS),
        "another model.*'causal'": write_adapter(tmp_path / "causal", POINTERS, kind="causal"),
        "no adapter.npz": write_adapter(tmp_path / "empty", POINTERS),
        "other weights.*Adapt again": write_adapter(tmp_path / "old", POINTERS, base_hash="0" * 64),
    }
    (tmp_path / "list" / CARD).write_text("[]")
    (tmp_path / "empty" / UPDATES).unlink()
    for message, folder in faults.items():
        with pytest.raises(NotFound if folder.name == "nothing" else BadRequest, match=message) as caught:
            ParserGenerator(adapter=folder)
        assert caught.value.helps["setting"] == "adapter"


@needs_weights
def test_a_damaged_adapter_is_named(tmp_path: Path) -> None:
    cut, wide = write_adapter(tmp_path / "cut", POINTERS), write_adapter(tmp_path / "wide", {"pointer_key.weight": (256, 100)})
    (cut / UPDATES).write_bytes((cut / UPDATES).read_bytes()[:900])
    context = Context("sqlite", TABLES)
    with pytest.raises(BadRequest, match="cut cannot be read"):
        ParserGenerator(adapter=cut).generate(Question(QUESTION), context, 1)
    with pytest.raises(ModelUnavailable, match=r"with the adapter .*wide cannot be read"):
        ParserGenerator(adapter=wide).generate(Question(QUESTION), context, 1)


@needs_weights
def test_other_weights_have_another_hash(tmp_path: Path) -> None:
    for file in WEIGHTS.iterdir():
        shutil.copyfile(file, tmp_path / file.name)
    assert hash_of_base(tmp_path) == hash_of_base(WEIGHTS)
    words = (tmp_path / "words.npz").read_bytes()
    (tmp_path / "words.npz").unlink()
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        hash_of_base(tmp_path)
    (tmp_path / "words.npz").write_bytes(words[:-1] + bytes([words[-1] ^ 1]))
    assert hash_of_base(tmp_path) != hash_of_base(WEIGHTS)


@needs_weights
def test_an_onnx_file_that_is_not_changed_comes_back_with_the_same_content() -> None:
    graph = (WEIGHTS / GRAPHS[1]).read_bytes()
    once = OnnxFile(graph).to_bytes()
    assert len(once) == len(graph)
    assert OnnxFile(once).to_bytes() == once
    assert OnnxFile(once).metadata() == OnnxFile(graph).metadata()


@pytest.mark.parametrize("content", [b"", b"no graph", b"\x3a\xff\xff\xff\x7f", b"\x3a\x80"])
def test_what_is_no_onnx_file_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="no ONNX file"):
        OnnxFile(content)


# Training


COLOURS = ("amber", "beige", "coral", "denim")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "shop.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bricks (id INTEGER PRIMARY KEY, colour TEXT, weight REAL)")
        connection.executemany("INSERT INTO bricks (colour, weight) VALUES (?, ?)", [(colour, 1.5) for colour in COLOURS])
    return path


@pytest.fixture(scope="module")
def domain(shop: Path) -> Iterator[Domain]:
    with open_domain(shop) as found:
        yield found


def pair(question: str, query: str, way: Any = "accepted") -> Pair:
    return Pair(question, query, template=shape_of(query), way=way)


PAIRS = (
    *(pair(f"Heft of {colour} stuff", f"SELECT weight FROM bricks WHERE colour = '{colour}'") for colour in COLOURS[:3]),
    *(pair(f"Whatever is {colour}", f"SELECT * FROM bricks WHERE colour = '{colour}'", "forward") for colour in COLOURS[:3]),
    pair("The whole pile", "SELECT count(*) FROM bricks"),
    pair("Not to be said", "SELECT colour, row_number() OVER (ORDER BY weight) FROM bricks"),
)
MIXTURE = Mixture(PAIRS, (pair("Heft of denim stuff", "SELECT weight FROM bricks WHERE colour = 'denim'"),), {})


@pytest.mark.training
@pytest.mark.filterwarnings("default")
class TestTraining:
    """On a tiny parser: these tests share its export in `base`."""

    @pytest.fixture(scope="class")
    def network(self) -> Any:
        torch = pytest.importorskip("torch", reason="needs torch: make test-training")
        from streamlink_sql.training.network import EncoderShape, ParserNetwork, ParserShape

        torch.manual_seed(1)
        torch.set_num_threads(1)
        encoder = EncoderShape(layers=2, width=32, heads=4, inner=64, vocabulary=160)
        return ParserNetwork(ParserShape(encoder, width=32, heads=4, relation_layers=1, decoder_layers=1))

    @pytest.fixture(scope="class")
    def base(self, network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
        from streamlink_sql.training.export import export

        folder = tmp_path_factory.mktemp("base")
        export(network, write_tokenizer(folder / "tokenizer.json"), folder)
        return folder

    @pytest.mark.parametrize("bits", [32, 8, 4])
    def test_updates_are_added_however_weights_are_stored(self, bits: Any, network: Any, base: Path, tmp_path: Path) -> None:
        from streamlink_sql.training.export import export

        export(network, base / "tokenizer.json", tmp_path, bits=bits)
        plain = Model(tmp_path, 1)
        linked = link(QUESTION, Schema.of(TABLES), MATCHES, SYNONYMS, plain.pieces)
        before = plain.encode(linked)
        adapter = read_adapter(write_adapter(tmp_path, {"pointer_key.weight": (32, 32)}))
        down, up = adapter.updates["pointer_key.weight"]
        wanted = before["pointer_keys"] + before["items"] @ down.T @ up.T
        assert np.allclose(Model(tmp_path, 1, adapter).encode(linked)["pointer_keys"], wanted, atol=1e-4)

    @pytest.fixture
    def tuning(self) -> Any:
        from streamlink_sql.training.parser_adapter import Tuning

        return Tuning(rank=8, rate=2e-2, steps=60, warm_up=5, frozen_layers=0)

    def test_adapting_teaches_what_runs_with_the_adapter(self, base: Path, domain: Domain, tuning: Any, tmp_path: Path) -> None:
        """The served graph with the adapter computes what the trained network does."""
        import torch

        from streamlink_sql.training.batches import collate, prepare
        from streamlink_sql.training.export import EncodeOnce
        from streamlink_sql.training.network import ParserNetwork
        from streamlink_sql.training.parser_adapter import adapt, domain_examples
        from streamlink_sql.training.parser_data import Database
        from streamlink_sql.training.shipped import load_shipped, shape_of_shipped

        card = adapt(MIXTURE, domain, tmp_path / "open", tmp_path / "out", tuning, base=base)
        assert card["scores"]["after"]["domain"] >= card["scores"]["before"]["domain"]
        assert sum(card["left_out"].values()) == 1
        assert {path.name for path in (tmp_path / "out").iterdir()} == {CARD, UPDATES}
        assert card["bytes"] < sum((base / name).stat().st_size for name in GRAPHS)
        assert adapt(MIXTURE, domain, tmp_path / "open", tmp_path / "out", tuning, base=base) == card

        adapter = read_adapter(tmp_path / "out")
        assert max(float(np.abs(down.T @ up.T).max()) for down, up in adapter.updates.values()) > 0.01
        network = ParserNetwork(shape_of_shipped(base)).eval()
        load_shipped(network, base)
        parameters = dict(network.named_parameters())
        with torch.no_grad():
            for name, (down, up) in adapter.updates.items():
                parameters[name] += torch.from_numpy(up @ down)
        model = Model(base, 1, adapter)
        (example,) = domain_examples(MIXTURE.validation, domain, Counter())
        item = prepare(example, Database("", domain.tables, {}), model.pieces, None)
        inputs = collate([item]).inputs
        with torch.no_grad():
            embedded = network.encoder.words(inputs.pieces)
            wanted = EncodeOnce(network)(embedded, inputs.segments, inputs.pool, inputs.features, inputs.relations)
        found = model.encode(item.linked)
        for name, tensor in zip(("items", "used", "pointer_keys", "cross_keys", "cross_values"), wanted, strict=True):
            assert np.abs(found[name] - tensor.numpy()).max() < 0.35, name

    def test_a_share_of_the_updates_counts(
        self, base: Path, domain: Domain, tuning: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In what is kept, and where it is asked before that."""
        import torch
        from torch import nn

        from streamlink_sql.training import adapter_run
        from streamlink_sql.training.low_rank import LowRank, counting
        from streamlink_sql.training.parser_adapter import adapt

        found, asked, written = {}, [], adapter_run.AdapterRun.written

        def noted(run: Any, stop: Any, share: float) -> dict[str, float]:
            asked.append(share)
            return written(run, stop, share)

        monkeypatch.setattr(adapter_run.AdapterRun, "written", noted)
        for share in (1.0, 0.5):
            adapt(MIXTURE, domain, tmp_path / "open", tmp_path / str(share), replace(tuning, steps=1, share=share), base=base)
            found[share] = read_adapter(tmp_path / str(share)).updates
        assert asked == [0.0, 1.0, 0.0, 0.5]
        assert max(float(np.abs(up).max()) for _, up in found[1.0].values()) > 0
        for name, (down, up) in found[1.0].items():
            assert np.allclose(found[0.5][name][0], down)
            assert np.allclose(found[0.5][name][1], up / 2, rtol=1e-2, atol=1e-6)

        layer, x = LowRank(nn.Linear(4, 3), 2, 2.0), torch.ones(1, 4)
        nn.init.ones_(layer.up)
        plain, full = layer.linear(x), layer(x)
        with counting(nn.Sequential(layer), 0.5):
            assert torch.allclose(layer(x), (plain + full) / 2)
        assert torch.allclose(layer(x), full)

    def test_a_stopped_adaptation_goes_on(self, base: Path, domain: Domain, tuning: Any, tmp_path: Path) -> None:
        from streamlink_sql.training import adapter_run
        from streamlink_sql.training.parser_adapter import adapt

        learn = adapter_run.AdapterRun.learn

        def stopped(run: Any, batch: Any) -> None:
            learn(run, batch)
            if run.progress.step == 3:
                os.kill(os.getpid(), signal.SIGTERM)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(adapter_run.AdapterRun, "learn", stopped)
            with pytest.raises(Cancelled, match="goes on"):
                adapt(MIXTURE, domain, tmp_path / "open", tmp_path / "out", replace(tuning, steps=6), base=base)
        with pytest.raises(BadRequest, match="begun with other"):
            adapt(MIXTURE, domain, tmp_path / "open", tmp_path / "out", replace(tuning, steps=6, seed=9), base=base)
        card = adapt(MIXTURE, domain, tmp_path / "open", tmp_path / "out", replace(tuning, steps=6), base=base)
        assert card["steps"] == 6
        with pytest.raises(BadRequest, match="of other pairs or settings"):
            adapt(MIXTURE, domain, tmp_path / "open", tmp_path / "out", tuning, base=base)

    def test_the_command_adapts_from_files(self, base: Path, shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        from streamlink_sql.training.parser import main

        for name, pairs in (("train", MIXTURE.train), ("validation", MIXTURE.validation)):
            write_pairs(tmp_path / f"{name}.jsonl", pairs)
        told = [
            "--adapt",
            "--data",
            str(shop),
            "--mixture",
            str(tmp_path),
            "--base",
            str(base),
            "--steps",
            "2",
            "--out",
            str(tmp_path / "out"),
        ]
        assert main(told) == 0
        assert json.loads(capsys.readouterr().out)["steps"] == 2
        assert main([*told[:-1], str(tmp_path / "other"), "--data", str(tmp_path / "nowhere.sqlite")]) == 2

    def test_what_cannot_be_learnt_is_said(self, base: Path, domain: Domain, tuning: Any, tmp_path: Path) -> None:
        from streamlink_sql.training.parser_adapter import adapt

        with pytest.raises(BadRequest, match="None of the pairs"):
            adapt(Mixture(PAIRS[-1:], (), {}), domain, tmp_path, tmp_path / "out", tuning, base=base)
        opened = replace(PAIRS[0], way="open", database="elsewhere")
        with pytest.raises(BadRequest, match=r"need .*tables\.json"):
            adapt(Mixture((*PAIRS, opened), (), {}), domain, tmp_path, tmp_path / "out", tuning, base=base)
