"""Fills the parser's encoder from a pretrained one: a BERT-shaped ONNX file. Needed once, to train from scratch."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper

from streamlink_sql.errors import BadRequest
from streamlink_sql.training.network import ParserNetwork

_TABLES = {
    "words": "embeddings.word_embeddings.weight",
    "positions": "embeddings.position_embeddings.weight",
    "segments": "embeddings.token_type_embeddings.weight",
}
_MODULES = {
    "attention.query": "attention/self/query",
    "attention.key": "attention/self/key",
    "attention.value": "attention/self/value",
    "attention.out": "attention/output/dense",
    "attention_norm": "attention/output/LayerNorm",
    "inner": "intermediate/dense",
    "outer": "output/dense",
    "norm": "output/LayerNorm",
}


def load_encoder(network: ParserNetwork, folder: Path) -> None:
    """Copies the weights of `folder`/model.onnx; those of its MatMul nodes are stored transposed and named by their node."""
    path = folder / "model.onnx"
    try:
        graph = onnx.load(str(path)).graph
    except Exception as error:  # protobuf and the file system each raise their own
        raise BadRequest(f"The encoder {path} cannot be read: {error}") from error
    arrays = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in arrays:
            arrays[node.name] = arrays[node.input[1]].T
    for name, parameter in network.encoder.state_dict().items():
        found = arrays.get(_source(name))
        if found is None or found.shape != tuple(parameter.shape):
            shape = "missing" if found is None else f"of shape {found.shape}"
            raise BadRequest(f"The encoder {path} does not fit: {_source(name)} is {shape}, needed is {tuple(parameter.shape)}.")
        parameter.copy_(torch.from_numpy(found.copy()))


def _source(name: str) -> str:
    """Where an ONNX export of BERT keeps one of our parameters."""
    module, part = name.rsplit(".", 1)
    if not module.startswith("layers."):
        return _TABLES.get(module, f"embeddings.LayerNorm.{part}")
    _, number, module = module.split(".", 2)
    path = _MODULES[module]
    if part == "weight" and "LayerNorm" not in path:
        return f"/encoder/layer.{number}/{path}/MatMul"
    return f"encoder.layer.{number}.{path.replace('/', '.')}.{part}"
