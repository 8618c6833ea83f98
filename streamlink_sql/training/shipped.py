"""Fills a network from the files that serving reads, dequantised: training goes on, and adapters start, from what is shipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from streamlink_sql.errors import BadRequest, ModelUnavailable
from streamlink_sql.generators.parser.adapter import GRAPHS
from streamlink_sql.training.network import ParserNetwork, ParserShape
from streamlink_sql.training.quantising import from_blocks

WORDS = "encoder.words.weight"


def shape_of_shipped(folder: Path) -> ParserShape:
    """The sizes of a shipped parser."""
    return ParserShape.of(json.loads(_metadata(_graph(folder / GRAPHS[0]))["shape"]))


def shipped_network(folder: Path) -> ParserNetwork:
    """The network of shipped files, dequantised. BadRequest where they lack some of its weights."""
    network = ParserNetwork(shape_of_shipped(folder))
    if missing := load_shipped(network, folder):
        raise BadRequest(f"The weights in {folder} lack {', '.join(sorted(missing))}.")
    return network


def load_shipped(network: ParserNetwork, folder: Path) -> set[str]:
    """Fills a network from shipped files; returns the names of parameters that no file holds: none, for what `export` wrote."""
    state = network.state_dict()
    words = np.load(folder / "words.npz")
    state[WORDS].copy_(torch.from_numpy(words["rows"] * words["scale"]))
    missing = set(state) - {WORDS}
    for name in GRAPHS:
        model = _graph(folder / name)
        stored = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
        for parameter, (place, transposed) in json.loads(_metadata(model)["parameters"]).items():
            shape = tuple(state[parameter].shape)
            array = stored[place] if place in stored else _dequantised(stored, place, shape[-1] if transposed else shape[0])
            state[parameter].copy_(torch.from_numpy((array.T if transposed else array).astype(np.float32).copy()))
            missing.discard(parameter)
    return missing


def _graph(path: Path) -> Any:
    try:
        return onnx.load(str(path))
    except Exception as error:  # protobuf and the file system each raise their own
        raise ModelUnavailable(f"The weights {path} cannot be read: {error}") from error


def _metadata(model: Any) -> dict[str, str]:
    return {item.key: item.value for item in model.metadata_props}


def _dequantised(stored: dict[str, NDArray[Any]], place: str, inputs: int) -> NDArray[np.float32]:
    if stored[f"{place}_quantized"].ndim == 3:
        return from_blocks(stored[f"{place}_quantized"], stored[f"{place}_scale"], inputs)
    whole, scale, zero = stored[f"{place}_quantized"], stored[f"{place}_scale"], stored.get(f"{place}_zero_point", np.zeros(1))
    result: NDArray[np.float32] = (whole.astype(np.float32) - zero.astype(np.float32)) * scale
    return result
