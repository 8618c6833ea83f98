"""Writes a trained parser as the files that serving reads, and reads them back: `python -m streamlink_sql.training.export --help`.

    encoder.onnx   question and schema -> items and what the decoder needs of them; int8 weights, one scale a channel
    decoder.onnx   one step of every beam, with its cache; int8 weights
    words.npz      the word embeddings: int8, one scale a row
    tokenizer.json word pieces

Both ONNX files name their parameters in the metadata entry `parameters`, so that `load_shipped` can give them back dequantised.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from streamlink_sql.generators.parser.actions import FIXED
from streamlink_sql.generators.parser.linking import FEATURES
from streamlink_sql.training.network import DECODER_LAYERS, HEADS, WIDTH, ParserNetwork

HEAD = WIDTH // HEADS


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
        pointers = n.to_pointer(x) @ pointer_keys.transpose(-1, -2) / math.sqrt(WIDTH) + used
        return torch.cat((n.to_fixed(x), pointers), -1).squeeze(1), torch.stack(keys), torch.stack(values)


def export(network: ParserNetwork, tokenizer: Path, out: Path, *, quantise: bool = True) -> None:
    """Writes all files of a parser into `out`."""
    network.eval()
    out.mkdir(parents=True, exist_ok=True)
    table = network.encoder.words.weight.detach().numpy()
    scale = np.abs(table).max(1, keepdims=True) / 127 + 1e-12
    np.savez_compressed(out / "words.npz", rows=np.round(table / scale).astype(np.int8), scale=scale.astype(np.float32))
    shutil.copyfile(tokenizer, out / "tokenizer.json")
    p, n, t, k = 12, 9, 3, 2
    width = network.encoder.shape.width
    pool = torch.rand(1, 2, n, p)
    encode = (torch.rand(1, p, width), torch.zeros(1, p, dtype=torch.long), pool, torch.zeros(1, n, FEATURES, dtype=torch.long), torch.zeros(1, n, n, dtype=torch.long))
    names = ("words", "segments", "pool", "features", "relations")
    axes = {"words": {1: "p"}, "segments": {1: "p"}, "pool": {2: "n", 3: "p"}, "features": {1: "n"}, "relations": {1: "n", 2: "n"}}
    results = ("items", "used", "pointer_keys", "cross_keys", "cross_values")
    axes |= {"items": {1: "n"}, "used": {1: "n"}, "pointer_keys": {1: "n"}, "cross_keys": {3: "n"}, "cross_values": {3: "n"}}
    _write(EncodeOnce(network), encode, names, results, {name: axes[name] for name in (*names, *results)}, out / "encoder.onnx", quantise)
    cross = torch.rand(DECODER_LAYERS, 1, HEADS, n, HEAD)
    past = torch.rand(DECODER_LAYERS, k, HEADS, t, HEAD)
    start = torch.full((k,), FIXED)
    step = (torch.rand(1, n, WIDTH), torch.rand(1, n), torch.rand(1, n, WIDTH), cross, cross, start, start * 0, past, past)
    names = (*results, "previous", "states", "past_keys", "past_values")
    axes |= {"previous": {0: "k"}, "states": {0: "k"}, "past_keys": {1: "k", 3: "t"}, "past_values": {1: "k", 3: "t"}}
    axes |= {"scores": {0: "k", 1: "a"}, "next_keys": {1: "k", 3: "t1"}, "next_values": {1: "k", 3: "t1"}}
    results = ("scores", "next_keys", "next_values")
    _write(DecodeStep(network), step, names, results, {name: axes[name] for name in (*names, *results)}, out / "decoder.onnx", quantise)


def _write(module: nn.Module, inputs: tuple[Tensor, ...], names: tuple[str, ...], results: tuple[str, ...], axes: dict[str, dict[int, str]], path: Path, quantise: bool) -> None:
    """One ONNX file, its linear weights in int8, with the places of its parameters in its metadata."""
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        with torch.no_grad():
            torch.onnx.export(module, inputs, str(plain), input_names=list(names), output_names=list(results), dynamic_axes=axes, opset_version=17, dynamo=False)
        model = onnx.load(str(plain))
        places = _places(module, model)
        if quantise:
            quantize_dynamic(plain, path, op_types_to_quantize=["MatMul"], per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
            model = onnx.load(str(path))
        model.metadata_props.append(onnx.StringStringEntryProto(key="parameters", value=json.dumps(places)))
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


def load_shipped(network: ParserNetwork, folder: Path) -> set[str]:
    """Fills a network from shipped files, dequantised; returns the names of parameters that no file holds (none, for what `export` wrote)."""
    state = network.state_dict()
    words = np.load(folder / "words.npz")
    state["encoder.words.weight"].copy_(torch.from_numpy(words["rows"] * words["scale"]))
    missing = set(state) - {"encoder.words.weight"}
    for name in ("encoder.onnx", "decoder.onnx"):
        model = onnx.load(str(folder / name))
        stored = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
        places = json.loads(next(item.value for item in model.metadata_props if item.key == "parameters"))
        for parameter, (place, transposed) in places.items():
            array = stored[place] if place in stored else _dequantised(stored, place)
            state[parameter].copy_(torch.from_numpy((array.T if transposed else array).astype(np.float32).copy()))
            missing.discard(parameter)
    return missing


def _dequantised(stored: dict[str, np.ndarray], place: str) -> np.ndarray:
    whole, scale, zero = stored[f"{place}_quantized"], stored[f"{place}_scale"], stored[f"{place}_zero_point"]
    return (whole.astype(np.float32) - zero.astype(np.float32)) * scale


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, help="last.pt of a training run")
    parser.add_argument("--tokenizer", type=Path, required=True, help="tokenizer.json of the encoder")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--float", action="store_true", help="keep the weights in float32 (to measure what int8 costs)")
    given = parser.parse_args()
    network = ParserNetwork()
    network.load_state_dict(torch.load(given.checkpoint, weights_only=True)["network"])
    export(network, given.tokenizer, given.out, quantise=not given.float)
    for path in sorted(given.out.iterdir()):
        print(f"{path.stat().st_size / 1e6:8.1f} MB  {path.name}")


if __name__ == "__main__":
    main()
