"""A causal model with an adapter on it: loaded, its loss on the SQL of some examples, and what it writes. Knows no data.

Family-independent: nothing here names a layer of any model. What the prompts of a chunk begin with alike (the schema) is read once, into
the model's own cache, and each example goes on from there; the loss and its gradients are those of reading each prompt whole.
"""

from __future__ import annotations

import copy
import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from streamlink_sql.errors import BadRequest, ModelUnavailable, NotFound
from streamlink_sql.training.lora.examples import Example, alike
from streamlink_sql.training.precision import fastest

MOST_WRITTEN = 256
"""Tokens of SQL that the model may write when it is checked."""
IGNORED = -100
PRECISIONS = {"bf16": torch.bfloat16, "fp32": torch.float32}


@dataclass(frozen=True)
class Shape:
    """What an adapter looks like, and how its base is held in memory. `targets` are names of linear layers, or `all-linear`."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    targets: tuple[str, ...] = ("all-linear",)
    precision: str = "auto"
    four_bit: bool = False
    checkpointing: bool = False

    @property
    def dtype(self) -> torch.dtype:
        """How the base is held: `auto` is what this machine computes fastest in."""
        return fastest(device()) if self.precision == "auto" else PRECISIONS[self.precision]


def device() -> str:
    """Where models are computed."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def load_tokenizer(model: Path) -> Any:
    """The tokenizer of a Hugging Face folder or of a GGUF file."""
    transformers = _libraries()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(*_place(model), local_files_only=True, **_gguf(model))
    except (OSError, ValueError, RuntimeError, ImportError, KeyError) as error:
        raise ModelUnavailable(f"transformers cannot read the tokenizer of {model}: {error}") from error
    if tokenizer.chat_template is None:
        raise ModelUnavailable(f"{model} is no model that follows instructions: its tokenizer has no chat template.")
    return tokenizer


def load_base(model: Path, shape: Shape) -> Any:
    """The base model; GGUF files are dequantised. Runs no code that comes with it."""
    transformers = _libraries()
    told: dict[str, Any] = {"dtype": shape.dtype, "local_files_only": True, **_gguf(model)}
    told |= {"quantization_config": transformers.GgufConfig(dequantize=True)} if _gguf(model) else {"use_safetensors": True}
    if shape.four_bit:
        told |= {"quantization_config": _four_bits(transformers), "device_map": {"": 0}}
    try:
        base = transformers.AutoModelForCausalLM.from_pretrained(*_place(model), **told)
    except (OSError, ValueError, RuntimeError, ImportError, KeyError) as error:
        raise ModelUnavailable(f"transformers cannot load {model}: {error}") from error
    return base if shape.four_bit else base.to(device())


def _place(model: Path) -> tuple[str]:
    if not model.exists():
        raise NotFound(f"There is no model at {model}.", setting="model")
    if model.is_dir() and not (model / "config.json").is_file():
        raise NotFound(f"{model} holds no Hugging Face model: there is no config.json.", setting="model")
    return (str(model if model.is_dir() else model.parent),)


def _gguf(model: Path) -> dict[str, str]:
    return {} if model.is_dir() else {"gguf_file": model.name}


def _four_bits(transformers: Any) -> Any:
    """The quantisation of a base in four bits; BadRequest where it cannot be had."""
    missing = [
        name
        for name, there in (("a GPU", torch.cuda.is_available()), ("bitsandbytes", importlib.util.find_spec("bitsandbytes")))
        if not there
    ]
    if missing:
        raise BadRequest(f"A base in four bits needs {' and '.join(missing)}. Leave --four-bit out, or install what is missing.")
    return transformers.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.bfloat16
    )


def adapted(base: Any, shape: Shape) -> Any:
    """The base with a fresh adapter, which alone learns."""
    import peft

    if shape.four_bit:
        base = peft.prepare_model_for_kbit_training(base, use_gradient_checkpointing=shape.checkpointing)
    elif shape.checkpointing:
        base.gradient_checkpointing_enable({"use_reentrant": False})
        base.enable_input_require_grads()
    targets = "all-linear" if shape.targets == ("all-linear",) else list(shape.targets)
    config = peft.LoraConfig(
        r=shape.rank, lora_alpha=shape.alpha, lora_dropout=shape.dropout, target_modules=targets, task_type="CAUSAL_LM"
    )
    try:
        return peft.get_peft_model(base, config)
    except ValueError as error:
        raise BadRequest(f"An adapter cannot be put on these layers: {error}", setting="targets") from error


@contextmanager
def computing(model: Any, shape: Shape) -> Iterator[None]:
    """How sums are done: in bfloat16 where the base is held so, the adapter's own weights kept exact."""
    from peft.helpers import disable_input_dtype_casting

    if shape.dtype != torch.bfloat16:
        yield
        return
    with torch.autocast(device(), torch.bfloat16), disable_input_dtype_casting(model):
        yield


def trained(model: Any) -> list[tuple[str, Tensor]]:
    """The weights of the adapter."""
    return [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]


def share_trained(model: Any) -> float:
    """What part of all parameters learns."""
    learning = sum(_size(weight) for _, weight in trained(model))
    return learning / sum(_size(weight) for weight in model.parameters())


def _size(weight: Tensor) -> int:
    """Parameters of a tensor; two lie in a byte of one in four bits."""
    return int(weight.numel()) * (2 if weight.dtype == torch.uint8 else 1)


def target_loss(model: Any, examples: Sequence[Example], *, shared: bool = True) -> Tensor:
    """The cross entropy of the examples' SQL, summed over its tokens; `shared` reads once what all prompts begin with."""
    begin = min(alike([example.prompt for example in examples]), *(len(example.prompt) - 1 for example in examples)) if shared else 0
    where = next(model.parameters()).device
    tails = [(*example.prompt[begin:], *example.target) for example in examples]
    longest = max(map(len, tails)) - 1
    ids, wanted = torch.zeros(len(tails), longest, dtype=torch.long), torch.full((len(tails), longest), IGNORED)
    mask = torch.zeros(len(tails), begin + longest, dtype=torch.long)
    for row, (tail, example) in enumerate(zip(tails, examples, strict=True)):
        ids[row, : len(tail) - 1] = torch.tensor(tail[:-1])
        wanted[row, len(tail) - 1 - len(example.target) : len(tail) - 1] = torch.tensor(example.target)
        mask[row, : begin + len(tail) - 1] = 1
    told: dict[str, Any] = {"use_cache": False}
    if begin:
        told = {"use_cache": True, "past_key_values": _read(model, examples[0].prompt[:begin], len(tails))}
    learned = wanted != IGNORED
    with _only(model, learned.to(where)):
        logits = model(input_ids=ids.to(where), attention_mask=mask.to(where), **told).logits[0]
    return F.cross_entropy(logits.float(), wanted[learned].to(where), reduction="sum")


def _read(model: Any, tokens: Sequence[int], times: int) -> Any:
    """The cache after these tokens, for as many rows; gradients flow through it."""
    from transformers import DynamicCache

    cache = DynamicCache(config=_plain(model).config)
    if tokens:
        ids = torch.tensor([tokens], device=next(model.parameters()).device)
        model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
        cache.batch_repeat_interleave(times)
    return cache


@contextmanager
def _only(model: Any, rows: Tensor) -> Iterator[None]:
    """Within it the model tells the logits of these places alone: a vocabulary is wide, and most places ask for nothing."""
    head = _plain(model).get_output_embeddings()
    handle = head.register_forward_pre_hook(lambda _, inputs: (inputs[0][rows][None],))
    try:
        yield
    finally:
        handle.remove()


def _plain(model: Any) -> Any:
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def written(
    model: Any, tokenizer: Any, prompts: Sequence[tuple[int, ...]], at_once: int = 16, told: Callable[[int], Any] = lambda _: None
) -> list[str]:
    """What the model says to each prompt, word by word the most likely; what all begin with is read once. `told` hears of each few.

    A model that looks back no further than a window writes for one prompt at a time: what pads the shorter ones would fill its window.
    """
    model.eval()
    order = sorted(range(len(prompts)), key=lambda number: len(prompts[number]))
    said = [""] * len(prompts)
    begin = min(alike(prompts), *(len(each) - 1 for each in prompts))
    with torch.inference_mode():
        cache = _read(model, prompts[0][:begin], 1)
        at_once = 1 if any(getattr(layer, "is_sliding", False) for layer in cache.layers) else at_once
        for start in range(0, len(order), at_once):
            numbers = order[start : start + at_once]
            tokens = _greedy(model, [prompts[number][begin:] for number in numbers], begin, copy.deepcopy(cache), _ends(model, tokenizer))
            for number, row in zip(numbers, tokens, strict=True):
                said[number] = tokenizer.decode(row, skip_special_tokens=True)
            told(len(numbers))
    model.train()
    return said


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    """The tokens that end an answer."""
    known = getattr(_plain(model).generation_config, "eos_token_id", None)
    return frozenset([tokenizer.eos_token_id, *(known if isinstance(known, list) else [known])]) - {None}


def _greedy(model: Any, tails: Sequence[Sequence[int]], begin: int, cache: Any, ends: frozenset[int]) -> list[list[int]]:
    """The most likely tokens after each of some tails, all of which go on from what the cache holds."""
    where, longest = next(model.parameters()).device, max(map(len, tails))
    ids = torch.tensor([[0] * (longest - len(tail)) + list(tail) for tail in tails], device=where)
    mask = torch.tensor([[1] * begin + [0] * (longest - len(tail)) + [1] * len(tail) for tail in tails], device=where)
    if begin:
        cache.batch_repeat_interleave(len(tails))
    rows: list[list[int]] = [[] for _ in tails]
    going = [True] * len(tails)
    for _ in range(MOST_WRITTEN):
        places = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        logits = model(
            input_ids=ids, attention_mask=mask, position_ids=places, past_key_values=cache, use_cache=True, logits_to_keep=1
        ).logits
        chosen = logits[:, -1].argmax(-1)
        for row, token in enumerate(chosen.tolist()):
            going[row] = going[row] and token not in ends
            if going[row]:
                rows[row].append(token)
        if not any(going):
            break
        ids, mask = chosen[:, None], F.pad(mask, (0, 1), value=1)
    return rows


def _libraries() -> Any:
    try:
        import accelerate  # noqa: F401 - transformers needs it for GGUF files and for models larger than memory
        import peft  # noqa: F401
        import transformers
    except ImportError as error:
        raise ModelUnavailable(
            f"Adapters are trained by the packages transformers and peft: pip install 'streamlink-sql[hf]'. ({error})"
        ) from error
    transformers.utils.logging.disable_progress_bar()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    return transformers
