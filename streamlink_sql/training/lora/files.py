"""What a training leaves: its card, the adapter as GGUF beside that of peft, and the base merged with it. Trains nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamlink_sql.errors import BadRequest, ModelUnavailable, NotFound
from streamlink_sql.training.lora import causal

GGUF, WEIGHTS = "adapter.gguf", "adapter_model.safetensors"
_BEFORE, _AFTER = "base_model.model.", ".weight"


@dataclass(frozen=True, slots=True)
class Family:
    """How llama.cpp calls a family of models, and whether it keeps the rows of queries and keys in an order of its own."""

    name: str
    reordered: bool = False


FAMILIES = {
    "llama": Family("llama", reordered=True),
    "mistral": Family("llama", reordered=True),
    "qwen2": Family("qwen2"),
    "qwen3": Family("qwen3"),
    "gemma": Family("gemma"),
    "gemma2": Family("gemma2"),
    "gemma3_text": Family("gemma3"),
    "phi3": Family("phi3"),
}
"""transformers' kind of a model -> llama.cpp's; adapters of others are turned into GGUF by its own convert_lora_to_gguf.py."""


def hash_of_model(model: Path) -> str:
    """SHA-256 of the weights: of a GGUF file, or of all safetensors of a folder in order."""
    files = sorted(model.glob("*.safetensors")) if model.is_dir() else [model]
    whole = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            while part := opened.read(1 << 22):
                whole.update(part)
    return whole.hexdigest()


def without_place(places: Iterable[str], config: Any) -> str | None:
    """Why llama.cpp cannot take an adapter of these matrices, None where it can."""
    import gguf

    config = config.get_text_config()
    family = FAMILIES.get(config.model_type)
    if family is None:
        return f"Adapters of the family {config.model_type} are not written as llama.cpp takes them. Known: {', '.join(FAMILIES)}."
    names = _names(family, config, gguf)
    for place in places:
        layer, which = _parts(place)
        if names.get_name(layer) is None or which not in ("lora_A", "lora_B"):
            return f"llama.cpp has no place for {place}. Train without it (--targets), or use the adapter with transformers or vLLM."
    return None


def write_gguf(folder: Path, config: Any) -> Path | None:
    """Writes the adapter of a folder once more as llama.cpp takes it; None where it cannot take it."""
    import gguf
    from safetensors.numpy import load_file

    weights = load_file(folder / WEIGHTS)
    if without_place(weights, config) is not None:
        return None
    config = config.get_text_config()
    family = FAMILIES[config.model_type]
    settings = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    part = folder / f"{GGUF}.part"
    writer = gguf.GGUFWriter(part, family.name)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(settings["lora_alpha"]))
    for name, weight in _named(weights, family, config, gguf):
        writer.add_tensor(name, weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.replace(folder / GGUF)
    return folder / GGUF


def _named(weights: dict[str, Any], family: Family, config: Any, gguf: Any) -> Iterator[tuple[str, Any]]:
    """Each matrix of the adapter under llama.cpp's name, its rows in llama.cpp's order."""
    names = _names(family, config, gguf)
    heads = {"q_proj": config.num_attention_heads, "k_proj": getattr(config, "num_key_value_heads", None) or config.num_attention_heads}
    for place, weight in sorted(weights.items()):
        layer, which = _parts(place)
        count = heads.get(layer.rpartition(".")[2])
        rows = _reordered(weight, count) if family.reordered and which == "lora_B" and count else weight
        yield f"{names.get_name(layer)}.weight.{which.lower()}", rows.astype("float32")


def _names(family: Family, config: Any, gguf: Any) -> Any:
    """What knows llama.cpp's names of a family's layers."""
    arch = next(each for each, name in gguf.MODEL_ARCH_NAMES.items() if name == family.name)
    return gguf.get_tensor_name_map(arch, config.num_hidden_layers)


def _parts(place: str) -> tuple[str, str]:
    """The layer that a matrix is for, and which of its two it is; peft puts the name of the adapter behind it while it trains."""
    layer, _, which = place.removeprefix(_BEFORE).removesuffix(_AFTER).removesuffix(".default").rpartition(".")
    return layer, which


def _reordered(weight: Any, heads: int) -> Any:
    """The rows of a head in pairs, as llama.cpp turns them by a token's place; transformers has the halves behind each other."""
    return weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def merge(model: Path, adapter: Path, out: Path, precision: str = "bf16") -> None:
    """Writes the base with the adapter worked into it: a Hugging Face folder like any other."""
    from peft import PeftModel

    if out.exists() and any(out.iterdir()):
        raise BadRequest(f"{out} is not empty. Name a new folder.", setting="out")
    if not (adapter / WEIGHTS).is_file():
        raise NotFound(f"{adapter} holds no adapter: there is no {WEIGHTS}.", setting="adapter")
    plain = causal.load_base(model, causal.Shape(precision="fp32"))
    try:
        merged = PeftModel.from_pretrained(plain, str(adapter)).merge_and_unload()
    except (ValueError, RuntimeError, KeyError) as error:
        raise ModelUnavailable(f"The adapter {adapter} does not fit the model {model}: {error}") from error
    if precision == "bf16":
        merged = merged.bfloat16()
    merged.save_pretrained(str(out))
    causal.load_tokenizer(model).save_pretrained(str(out))
