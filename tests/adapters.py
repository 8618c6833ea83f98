"""Real adapters of the embedded parser that tests make without training: they load, and write what the parser writes without them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from streamlink_sql.cards import CARD
from streamlink_sql.generators.parser.adapter import KIND, UPDATES, hash_of_base
from streamlink_sql.generators.parser.onnx_file import OnnxFile
from streamlink_sql.generators.parser.runtime import WEIGHTS

ADAPTED = "to_pointer.weight"


def parser_adapter(folder: Path, name: str = "", *, passed: bool = True) -> Path:
    """An adapter whose updates are all zero; another `name` makes another version."""
    folder.mkdir(parents=True)
    file = OnnxFile((WEIGHTS / "decoder.onnx").read_bytes())
    assert ADAPTED in json.loads(file.metadata()["parameters"])
    inputs, outputs = _shape()
    updates: dict[str, Any] = {f"{ADAPTED}.down": np.zeros((1, inputs)), f"{ADAPTED}.up": np.zeros((outputs, 1))}
    np.savez(folder / UPDATES, **updates)
    (folder / CARD).write_text(json.dumps(card(name, passed=passed)), encoding="utf-8")
    return folder


def card(name: str = "", *, passed: bool = True) -> dict[str, Any]:
    """What the card of such an adapter says."""
    latency = {"before_ms": 50.0, "after_ms": 51.0, "ratio": 1.02}
    scores: dict[str, Any] = {
        "before": {"em": 0.4, "ex": 0.5, "count": 40},
        "after": {"em": 0.5, "ex": 0.65, "count": 40},
        "latency": latency,
    }
    scores["open"] = {"before": {"em": 0.9, "ex": 0.9, "count": 120}, "after": {"em": 0.9, "ex": 0.895, "count": 120}}
    gate = {"passed": passed, "reasons": [] if passed else ["It answers no more of the 40 held-out questions: 50.0%, before 50.0%."]}
    return {"kind": KIND, "base": "parser", "base_hash": hash_of_base(WEIGHTS), "name": name, "scores": scores, "gate": gate}


def _shape() -> tuple[int, int]:
    """Inputs and outputs of the adapted weight, as its initializer says."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(WEIGHTS / "decoder.onnx"), providers=["CPUExecutionProvider"])
    wide = next(value.shape[-1] for value in session.get_inputs() if value.name == "pointer_keys")
    return int(wide), int(wide)
