"""Writes a trained parser as the files that serving reads: `python -m streamlink_sql.training.export --help`.

    encoder.onnx   question and schema -> items and what the decoder needs of them; int8 weights, one scale a channel
    decoder.onnx   one step of every beam, with its cache; int8 weights
    words.npz      the word embeddings: int8, one scale a row
                   (or, by choice, all weights in 32 bits, or in four)
    tokenizer.json word pieces

Both ONNX files name their parameters in the metadata entry `parameters`, so that `shipped.load_shipped` can give them back dequantised,
and the network's sizes in `shape`.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from streamlink_sql.generators.parser.actions import FIXED
from streamlink_sql.generators.parser.linking import FEATURES
from streamlink_sql.generators.parser.runtime import WEIGHTS
from streamlink_sql.training.network import ParserNetwork
from streamlink_sql.training.parser import network_of
from streamlink_sql.training.quantising import Bits, in_rows, quantised
from streamlink_sql.training.shipped import shipped_network


class EncodeOnce(nn.Module):
    """One question, embedded words given: (1, p, width), (1, p), (1, 2, n, p), (1, n, f), (1, n, n)."""

    def __init__(self, network: ParserNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, words: Tensor, segments: Tensor, pool: Tensor, features: Tensor, relations: Tensor) -> tuple[Tensor, ...]:
        """Items (1, n, d), use (1, n), pointer keys (1, n, d), cross keys and values (layers, 1, heads, n, d / heads)."""
        n, encoder = self.network, self.network.encoder
        x = encoder.norm(words + encoder.positions.weight[: words.shape[1]] + encoder.segments(segments))
        for layer in encoder.layers:
            x = layer(x, None)
        pooled = torch.cat((pool[:, 0] @ x, pool[:, 1] @ x), -1)
        items = n.to_items(pooled)
        for number, table in enumerate(n.features):
            items = items + table(features[..., number])
        items = n.items_norm(items)
        nothing = torch.zeros(1)
        for layer in n.relation_layers:
            items = layer(items, relations, nothing)
        keys = torch.stack([layer.cross.split(layer.cross.key(items)) for layer in n.decoder_layers])
        values = torch.stack([layer.cross.split(layer.cross.value(items)) for layer in n.decoder_layers])
        return items, n.used(items).squeeze(-1), n.pointer_key(items), keys, values


class DecodeStep(nn.Module):
    """The next step of k beams over one question; `past` is (layers, k, heads, t, d / heads), the step's number is t."""

    def __init__(self, network: ParserNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        items: Tensor,
        used: Tensor,
        pointer_keys: Tensor,
        cross_keys: Tensor,
        cross_values: Tensor,
        previous: Tensor,
        states: Tensor,
        past_keys: Tensor,
        past_values: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Scores (k, FIXED + n) and the cache with this step."""
        n = self.network
        is_item = previous > FIXED
        fixed = n.fixed(torch.where(is_item, torch.zeros_like(previous), previous))
        pointed = n.from_item(items[0][torch.where(is_item, previous - FIXED - 1, torch.zeros_like(previous))].unsqueeze(1))
        x = torch.where(is_item.unsqueeze(-1).unsqueeze(-1), pointed, fixed.unsqueeze(1))
        x = n.input_norm(x + n.states(states).unsqueeze(1) + n.steps.weight[past_keys.shape[3]])
        keys, values = [], []
        for number, layer in enumerate(n.decoder_layers):
            keys.append(torch.cat((past_keys[number], layer.own.split(layer.own.key(x))), 2))
            values.append(torch.cat((past_values[number], layer.own.split(layer.own.value(x))), 2))
            x = layer(x, (keys[-1], values[-1]), (cross_keys[number], cross_values[number]), None, None)
        pointers = n.to_pointer(x) @ pointer_keys.transpose(-1, -2) / math.sqrt(n.shape.width) + used
        return torch.cat((n.to_fixed(x), pointers), -1).squeeze(1), torch.stack(keys), torch.stack(values)


@dataclass(frozen=True, slots=True)
class Graph:
    """One file to write: a module with inputs to trace it, the names of inputs and results, and which of their axes vary."""

    module: nn.Module
    inputs: tuple[Tensor, ...]
    names: tuple[str, ...]
    results: tuple[str, ...]
    axes: dict[str, dict[int, str]]


ENCODED = ("items", "used", "pointer_keys", "cross_keys", "cross_values")


def export(network: ParserNetwork, tokenizer: Path, out: Path, *, bits: Bits = 8) -> None:
    """Writes all files of a parser into `out`."""
    network = network.cpu().eval()
    out.mkdir(parents=True, exist_ok=True)
    rows, scale = in_rows(network.encoder.words.weight.detach().numpy(), bits)
    np.savez_compressed(out / "words.npz", rows=rows, scale=scale)
    if tokenizer.resolve() != (out / "tokenizer.json").resolve():
        shutil.copyfile(tokenizer, out / "tokenizer.json")
    for name, graph in (("encoder.onnx", encoder_graph(network)), ("decoder.onnx", decoder_graph(network))):
        _write(graph, {"shape": json.dumps(asdict(network.shape))}, out / name, bits)


def encoder_graph(network: ParserNetwork) -> Graph:
    """What runs once a question."""
    p, n = 12, 9
    inputs = (
        torch.rand(1, p, network.shape.encoder.width),
        torch.zeros(1, p, dtype=torch.long),
        torch.rand(1, 2, n, p),
        torch.zeros(1, n, FEATURES, dtype=torch.long),
        torch.zeros(1, n, n, dtype=torch.long),
    )
    axes = {"words": {1: "p"}, "segments": {1: "p"}, "pool": {2: "n", 3: "p"}, "features": {1: "n"}, "relations": {1: "n", 2: "n"}}
    axes |= {"items": {1: "n"}, "used": {1: "n"}, "pointer_keys": {1: "n"}, "cross_keys": {3: "n"}, "cross_values": {3: "n"}}
    return Graph(EncodeOnce(network), inputs, ("words", "segments", "pool", "features", "relations"), ENCODED, axes)


def decoder_graph(network: ParserNetwork) -> Graph:
    """What runs once a step."""
    n, t, k, shape = 9, 3, 2, network.shape
    size = shape.width // shape.heads
    cross = torch.rand(shape.decoder_layers, 1, shape.heads, n, size)
    past = torch.rand(shape.decoder_layers, k, shape.heads, t, size)
    start = torch.full((k,), FIXED)
    items = torch.rand(1, n, shape.width)
    axes = {"items": {1: "n"}, "used": {1: "n"}, "pointer_keys": {1: "n"}, "cross_keys": {3: "n"}, "cross_values": {3: "n"}}
    axes |= {"previous": {0: "k"}, "states": {0: "k"}, "past_keys": {1: "k", 3: "t"}, "past_values": {1: "k", 3: "t"}}
    axes |= {"scores": {0: "k", 1: "a"}, "next_keys": {1: "k", 3: "t1"}, "next_values": {1: "k", 3: "t1"}}
    return Graph(
        DecodeStep(network),
        (items, torch.rand(1, n), torch.rand(1, n, shape.width), cross, cross, start, start * 0, past, past),
        (*ENCODED, "previous", "states", "past_keys", "past_values"),
        ("scores", "next_keys", "next_values"),
        axes,
    )


def _write(graph: Graph, about: dict[str, str], path: Path, bits: Bits) -> None:
    """One ONNX file, its linear weights in so many bits, with the places of its parameters in its metadata."""
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        with torch.no_grad():
            torch.onnx.export(
                graph.module.eval(),
                graph.inputs,
                str(plain),
                input_names=list(graph.names),
                output_names=list(graph.results),
                dynamic_axes=graph.axes,
                opset_version=17,
                dynamo=False,
            )
        places = _places(graph.module, onnx.load(str(plain)))
        model = quantised(plain, bits)
        for key, value in {**about, "parameters": json.dumps(places)}.items():
            model.metadata_props.append(onnx.StringStringEntryProto(key=key, value=value))
        onnx.save(model, str(path))


def _places(module: nn.Module, model: onnx.ModelProto) -> dict[str, tuple[str, bool]]:
    """Parameter name -> initializer name, and whether it is stored transposed; found by comparing the numbers."""
    stored = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    by_sum: dict[tuple[int, float], list[str]] = {}
    for name, array in stored.items():
        by_sum.setdefault((array.size, round(float(array.astype(np.float64).sum()), 3)), []).append(name)
    places: dict[str, tuple[str, bool]] = {}
    for name, parameter in module.named_parameters():
        array = parameter.detach().numpy()
        for candidate in by_sum.get((array.size, round(float(array.astype(np.float64).sum()), 3)), ()):
            if stored[candidate].shape == array.shape and np.array_equal(stored[candidate], array):
                places[name.removeprefix("network.")] = (candidate, False)
            elif array.ndim == 2 and stored[candidate].shape == array.shape[::-1] and np.array_equal(stored[candidate], array.T):
                places[name.removeprefix("network.")] = (candidate, True)
    return places


def mean_of(networks: Sequence[ParserNetwork]) -> ParserNetwork:
    """The network whose weights are the mean of these (Izmailov et al. 2018: better than each where one was trained on from the other)."""
    states = [network.state_dict() for network in networks]
    mean = {name: torch.stack([state[name].float() for state in states]).mean(0) for name in states[0]}
    networks[0].load_state_dict(mean)
    return networks[0]


def _network(path: Path) -> ParserNetwork:
    """The network of a checkpoint, or of a folder with exported files."""
    return shipped_network(path) if path.is_dir() else network_of(torch.load(path, weights_only=True, map_location="cpu"))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--checkpoint",
        type=Path,
        default=[WEIGHTS],
        nargs="+",
        help="last.pt of a run, or a folder of exported files (default: the package's); of several, each trained on from the one before, "
        "their mean",
    )
    parser.add_argument("--tokenizer", type=Path, help="tokenizer.json of the encoder (default: that of the folder of exported files)")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--float", dest="bits", action="store_const", const=32, help="keep the weights in float32, to go on from or to compare"
    )
    form.add_argument("--int4", dest="bits", action="store_const", const=4, help="weights in four bits: smaller, less exact")
    parser.set_defaults(bits=8)
    given = parser.parse_args()
    if not given.tokenizer and not given.checkpoint[0].is_dir():
        parser.error("a checkpoint does not hold its encoder's words: name them with --tokenizer")
    export(
        mean_of([_network(path) for path in given.checkpoint]),
        given.tokenizer or given.checkpoint[0] / "tokenizer.json",
        given.out,
        bits=given.bits,
    )
    for path in sorted(given.out.iterdir()):
        print(f"{path.stat().st_size / 1e6:8.1f} MB  {path.name}")


if __name__ == "__main__":
    main()
