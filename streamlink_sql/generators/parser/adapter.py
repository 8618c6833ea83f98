"""An adapter of the embedded parser: a folder with low-rank updates of its weights, bound to the weights it was trained on. Trains nothing.

adapter.npz   for each adapted parameter, PARAMETER.down (rank, inputs) and PARAMETER.up (outputs, rank)
card.json     kind, base_hash, tables ([table, [column]], which it was trained for), words (for values: [table, column, {word: value}]), and
              how it was made
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamlink_sql.cards import read_card
from streamlink_sql.catalog.values import Place
from streamlink_sql.errors import BadRequest, ModelUnavailable
from streamlink_sql.generators.parser.onnx_file import OnnxFile
from streamlink_sql.types import Table

UPDATES = "adapter.npz"
KIND = "parser"
GRAPHS = ("encoder.onnx", "decoder.onnx")
BASE_FILES = (*GRAPHS, "words.npz", "tokenizer.json")
"""What an adapter is trained on; the order of beams may be fitted anew without a new adapter."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """The updates by name of parameter: down (rank, inputs) and up (outputs, rank); words for values, by column; and the columns by table
    that it was trained for, all in lower case. One without tables is for all."""

    folder: Path
    updates: Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
    words: Mapping[Place, Mapping[str, str]] = field(default_factory=dict)
    tables: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def is_for(self, tables: Iterable[Table]) -> bool:
        """Whether any of these tables is one that it was trained for: of its name, with half of its columns or more. What it learned of
        one database is no help with another."""
        return not self.tables or any(
            2 * len(known & {column.name.casefold() for column in table.columns}) >= len(known)
            for table in tables
            if (known := self.tables.get(table.name.casefold())) is not None
        )

    def applied(self, graph: bytes) -> bytes:
        """An ONNX file of the parser with the updates of the parameters that it holds."""
        file = OnnxFile(graph)
        for parameter, (weight, _) in json.loads(file.metadata()["parameters"]).items():
            if parameter in self.updates:
                down, up = self.updates[parameter]
                file.update(weight, down.T, up.T)
        return file.to_bytes()


def hash_of_base(weights: Path) -> str:
    """What tells these weights from all others. ModelUnavailable where one of the files cannot be read."""
    try:
        return _hash(tuple((weights / name, (weights / name).stat().st_mtime_ns) for name in BASE_FILES))
    except OSError as error:
        raise ModelUnavailable(f"The weights in {weights} cannot be read: {error}") from error


@lru_cache(maxsize=4)
def _hash(files: tuple[tuple[Path, int], ...]) -> str:
    """The hash of files as they were changed last."""
    digest = hashlib.sha256()
    for file, _ in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def must_fit(folder: Path, weights: Path) -> None:
    """Raises NotFound where a folder has no card, BadRequest where it holds no adapter, or one of other weights than these."""
    card = read_card(folder)
    if card.get("kind") != KIND:
        raise BadRequest(f"{folder} holds an adapter for another model: its kind is {card.get('kind')!r}, not {KIND!r}.", setting="adapter")
    if not (folder / UPDATES).is_file():
        raise BadRequest(f"{folder} holds no adapter: there is no {UPDATES}.", setting="adapter")
    if card.get("base_hash") != hash_of_base(weights):
        raise BadRequest(
            f"The adapter {folder} was trained on other weights of the parser than those installed. "
            "Adapt again on the same questions (streamlink-sql adapt), or leave the adapter out.",
            setting="adapter",
        )


def read_adapter(folder: Path) -> Adapter:
    """The updates in a folder. BadRequest where they cannot be read."""
    try:
        with (folder / UPDATES).open("rb") as file, np.load(file) as arrays:
            names = [name.removesuffix(".down") for name in arrays.files if name.endswith(".down")]
            pairs = {name: (arrays[f"{name}.down"].astype(np.float32), arrays[f"{name}.up"].astype(np.float32)) for name in names}
        card = read_card(folder)
        words = {
            (str(table), str(column)): {str(word): str(value) for word, value in told.items()}
            for table, column, told in card.get("words", ())
        }
        tables = {
            str(table).casefold(): frozenset(str(column).casefold() for column in columns) for table, columns in card.get("tables", ())
        }
    except Exception as error:  # numpy and zipfile each raise their own
        raise BadRequest(f"The adapter {folder} cannot be read: {error}", setting="adapter") from error
    return Adapter(folder, pairs, words, tables)
