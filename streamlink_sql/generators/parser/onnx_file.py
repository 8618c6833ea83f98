"""Adds low-rank updates to the products of an ONNX file, by its bytes alone: the package onnx is not needed. Runs nothing.

An ONNX file is a protocol buffer: fields of (number, wire type, value), of which only a few are looked into here.
https://protobuf.dev/programming-guides/encoding/, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MODEL_GRAPH, _MODEL_METADATA = 7, 14
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_GRAPH_NODE, _GRAPH_INITIALIZER = 1, 5
_NODE_INPUT, _NODE_OUTPUT, _NODE_NAME, _NODE_OPERATION = 1, 2, 3, 4
_TENSOR_SHAPE, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_BYTES = 1, 2, 8, 9
_FLOAT = 1
_VARINT, _BYTES = 0, 2
_INTEGER = "MatMulInteger"
_SCALED = ("Cast", "Mul", "Add")
"""What stands behind an integer product: to floating point, by the scales, and the bias."""

Value = int | memoryview


@dataclass(slots=True)
class Node:
    """An operation: what it is, what it reads and writes."""

    operation: str
    inputs: list[str]
    outputs: list[str]
    rest: tuple[tuple[int, Value], ...] = ()
    """Its other fields."""

    @classmethod
    def of(cls, message: memoryview) -> Node:
        """A node from its bytes."""
        fields = list(_fields(message))
        names: dict[int, list[str]] = {_NODE_INPUT: [], _NODE_OUTPUT: [], _NODE_OPERATION: []}
        for number, value in fields:
            if number in names:
                names[number].append(_text(value))
        rest = tuple((number, value) for number, value in fields if number not in names)
        return cls(names[_NODE_OPERATION][0], names[_NODE_INPUT], names[_NODE_OUTPUT], rest)

    def to_bytes(self) -> bytes:
        """The bytes of the node."""
        named = ((_NODE_INPUT, self.inputs), (_NODE_OUTPUT, self.outputs), (_NODE_OPERATION, [self.operation]))
        parts = [_field(number, name.encode()) for number, names in named for name in names]
        return b"".join((*parts, *(_field(number, value) for number, value in self.rest)))


class OnnxFile:
    """An ONNX file whose products can be given low-rank updates. ValueError where it is none."""

    def __init__(self, model: bytes) -> None:
        around = list(_fields(memoryview(model)))
        graphs = [value for number, value in around if number == _MODEL_GRAPH and isinstance(value, memoryview)]
        if len(graphs) != 1:
            raise ValueError("this is no ONNX file")
        self._around = [(number, value) for number, value in around if number != _MODEL_GRAPH]
        fields = list(_fields(graphs[0]))
        self._nodes = [Node.of(value) for number, value in fields if number == _GRAPH_NODE and isinstance(value, memoryview)]
        self._rest = [(number, value) for number, value in fields if number != _GRAPH_NODE]
        self._writers = {name: node for node in self._nodes for name in node.outputs}
        self._readers: dict[str, list[Node]] = {}
        for node in self._nodes:
            for name in node.inputs:
                self._readers.setdefault(name, []).append(node)

    def metadata(self) -> dict[str, str]:
        """What the file says of itself."""
        entries = (dict(_fields(value)) for number, value in self._around if number == _MODEL_METADATA and isinstance(value, memoryview))
        return {_text(entry[_ENTRY_KEY]): _text(entry[_ENTRY_VALUE]) for entry in entries}

    def update(self, weight: str, down: NDArray[np.float32], up: NDArray[np.float32]) -> None:
        """Adds `down @ up` (inputs x rank, rank x outputs) to a weight.

        A weight in floating point is added to once, when a session folds what is constant. One in fewer bits stays as it is: x @ down @ up
        is added to what its product gives, behind the bias.
        """
        below, above = self._tensor(f"{weight}_down", down), self._tensor(f"{weight}_up", up)
        if weight in self._readers:
            readers = self._readers[weight]
            change = self._node("MatMul", (below, above), f"{weight}_change")
            changed = self._node("Add", (weight, change), f"{weight}_changed")
            for reader in readers:
                reader.inputs = [changed if name == weight else name for name in reader.inputs]
            return
        (product,) = self._readers[f"{weight}_quantized"]
        is_scaled = product.operation == _INTEGER
        source = self._writers[product.inputs[0]].inputs[0] if is_scaled else product.inputs[0]
        last = product
        for operation in _SCALED if is_scaled else _SCALED[-1:]:
            last = next(node for node in self._readers[last.outputs[0]] if node.operation == operation)
        result, plain = last.outputs[0], f"{last.outputs[0]}_plain"
        last.outputs[0] = plain
        narrow = self._node("MatMul", (source, below), f"{weight}_narrow")
        change = self._node("MatMul", (narrow, above), f"{weight}_change")
        self._node("Add", (plain, change), result)

    def to_bytes(self) -> bytes:
        """The file with the updates."""
        nodes = b"".join(_field(_GRAPH_NODE, node.to_bytes()) for node in self._nodes)
        graph = b"".join((nodes, *(_field(number, value) for number, value in self._rest)))
        return b"".join((*(_field(number, value) for number, value in self._around), _field(_MODEL_GRAPH, graph)))

    def _node(self, operation: str, inputs: Sequence[str], output: str) -> str:
        node = Node(operation, list(inputs), [output], ((_NODE_NAME, memoryview(output.encode())),))
        self._nodes.append(node)
        return output

    def _tensor(self, name: str, values: NDArray[np.float32]) -> str:
        shape = b"".join(_field(_TENSOR_SHAPE, size) for size in values.shape)
        told = _field(_TENSOR_TYPE, _FLOAT) + _field(_TENSOR_NAME, name.encode())
        cells = _field(_TENSOR_BYTES, values.astype("<f4").tobytes())
        self._rest.append((_GRAPH_INITIALIZER, memoryview(shape + told + cells)))
        return name


def _fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """The fields of a message, in their order. Those of fixed width do not occur in what is looked into."""
    at = 0
    while at < len(message):
        tag, at = _number(message, at)
        value, at = _number(message, at)
        if tag & 7 == _VARINT:
            yield tag >> 3, value
        elif tag & 7 == _BYTES and at + value <= len(message):
            yield tag >> 3, message[at : at + value]
            at += value
        else:
            raise ValueError("this is no ONNX file, or not the whole of it")


def _text(value: Value) -> str:
    return "" if isinstance(value, int) else str(value, "utf-8")


def _number(message: memoryview, at: int) -> tuple[int, int]:
    """A number, seven bits a byte, and where it ends."""
    value = shift = 0
    while at < len(message):
        value |= (message[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if message[at - 1] < 0x80:
            return value, at
    raise ValueError("this is no ONNX file, or not the whole of it")


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*parts, value))


def _field(number: int, value: int | bytes | memoryview) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value)
    return _varint(number << 3 | _BYTES) + _varint(len(value)) + bytes(value)
