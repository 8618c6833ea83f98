"""Weights of an exported graph in fewer bits: eight, one scale a channel, or four, one scale a block. Trains nothing, reads no weights."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

Bits = Literal[32, 8, 4]
EXACT = re.compile(r"/layers\.[0-7]/(query|key|value|inner|outer)/MatMul")
"""Products whose inputs have outliers that int8 rounds badly: their weights alone are in int8, they are computed in 32 bits."""
BLOCK = 32
"""Numbers that share a scale in four bits: few, since a block's greatest number decides how fine the others are."""
_MIDDLE = 8
"""Zero, in four bits without a sign."""
_IN_BLOCKS = "com.microsoft"
"""Where onnxruntime has its product with weights in blocks."""


def quantised(plain: Path, bits: Bits) -> Any:
    """A graph, read from a file, with the weights of its products in so many bits."""
    if bits == 8:
        return _in_eight_bits(plain)
    model = onnx.load(str(plain))
    if bits == 4:
        _put_into_blocks(model)
    return model


def in_rows(table: NDArray[np.float32], bits: Bits) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A table in whole numbers, one scale a row. Packed, four bits take half the room of eight; where 32 are wanted, eight must do."""
    greatest = 7 if bits == 4 else 127
    scale = np.abs(table).max(1, keepdims=True) / greatest + 1e-12
    return np.round(table / scale).astype(np.int8), scale.astype(np.float32)


def in_blocks(weight: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """(inputs, outputs) -> (outputs, blocks, BLOCK / 2), two numbers a byte, the first in the lower half; and (outputs, blocks) scales."""
    inputs, outputs = weight.shape
    blocks = np.zeros((outputs, -(-inputs // BLOCK) * BLOCK), np.float32)
    blocks[:, :inputs] = weight.T
    blocks = blocks.reshape(outputs, -1, BLOCK)
    scale = np.abs(blocks).max(2) / (_MIDDLE - 1) + 1e-12
    whole = (np.round(blocks / scale[..., None]) + _MIDDLE).astype(np.uint8)
    return whole[..., ::2] | whole[..., 1::2] << 4, scale.astype(np.float32)


def from_blocks(packed: NDArray[np.uint8], scale: NDArray[np.float32], inputs: int) -> NDArray[np.float32]:
    """The (inputs, outputs) weight of what `in_blocks` gave."""
    whole = np.stack((packed & 15, packed >> 4), -1).reshape(*packed.shape[:2], BLOCK).astype(np.float32) - _MIDDLE
    weight: NDArray[np.float32] = (whole * scale.reshape(*packed.shape[:2], 1)).reshape(len(packed), -1)[:, :inputs].T
    return weight


def _in_eight_bits(plain: Path) -> Any:
    path = plain.with_name("eight.onnx")
    exact = [node.name for node in onnx.load(str(plain)).graph.node if EXACT.fullmatch(node.name)]
    quantize_dynamic(
        plain,
        path,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=exact,
    )
    model = onnx.load(str(path))
    _store_in_eight_bits(model)
    return model


def _store_in_eight_bits(model: Any) -> None:
    """Stores the weights of the products in EXACT in int8, one scale a channel; they are multiplied out once, when the session starts."""
    stored = {item.name: item for item in model.graph.initializer}
    for node in [node for node in model.graph.node if EXACT.fullmatch(node.name)]:
        weight = stored[node.input[1]]
        name, array = weight.name, numpy_helper.to_array(weight)
        scale = np.abs(array).max(0) / 127 + 1e-12
        _replace(model, weight, np.round(array / scale).astype(np.int8), scale.astype(np.float32))
        model.graph.node.insert(0, onnx.helper.make_node("Mul", [f"{name}_32", f"{name}_scale"], [name]))
        model.graph.node.insert(0, onnx.helper.make_node("Cast", [f"{name}_quantized"], [f"{name}_32"], to=onnx.TensorProto.FLOAT))


def _put_into_blocks(model: Any) -> None:
    """Makes products with weights in four bits of those with weights in 32; what they are multiplied with is rounded block by block."""
    stored = {item.name: item for item in model.graph.initializer}
    for node in [node for node in model.graph.node if node.op_type == "MatMul" and node.input[1] in stored]:
        weight = stored[node.input[1]]
        inputs, outputs = weight.dims
        _replace(model, weight, *in_blocks(numpy_helper.to_array(weight)))
        names = [node.input[0], f"{weight.name}_quantized", f"{weight.name}_scale"]
        sizes = {"K": inputs, "N": outputs, "bits": 4, "block_size": BLOCK, "accuracy_level": 4}
        node.CopyFrom(onnx.helper.make_node("MatMulNBits", names, list(node.output), node.name, domain=_IN_BLOCKS, **sizes))
    model.opset_import.append(onnx.helper.make_opsetid(_IN_BLOCKS, 1))


def _replace(model: Any, weight: Any, whole: NDArray[Any], scale: NDArray[np.float32]) -> None:
    """Stores whole numbers and their scale in the place of a weight."""
    name = weight.name
    model.graph.initializer.remove(weight)
    model.graph.initializer.extend((numpy_helper.from_array(whole, f"{name}_quantized"), numpy_helper.from_array(scale, f"{name}_scale")))
