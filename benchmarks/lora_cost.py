"""What training a LoRA adapter takes: memory and time of a step, computed for a model's shape, and measured with random weights.

    python -m benchmarks.lora_cost [--shape llama-3.1-8b] [--begin 1400] [--tail 120] [--examples 16] [--rank 16]
    python -m benchmarks.lora_cost --shape llama-3.1-8b --measure       # on a GPU, with streamlink-sql[hf]; elsewhere take --layers 1

A step reads what its prompts begin with once (`--begin` tokens, the schema) and goes on `--tail` tokens for each example. With gradient
checkpointing every prompt is read whole, and its inside computed a second time.

    parameters   layers x (2 h d + 2 h k + 3 h f) + embeddings; h hidden, d all heads, k the heads of keys, f feed-forward
    adapter      rank x (inputs + outputs) of each linear layer; 16 bytes a parameter: weight, gradient and two moments in float32
    activations  a token and layer: 38 h + 4 k + 9 f bytes (norms in float32, inputs of the adapter's layers, the gate); 2 h with
                 checkpointing, and one layer whole
    keys, values what the begin left behind, repeated for each example: 4 d bytes a token, layer and example
    logits       12 bytes a target token and word of the vocabulary
    sums         forward 2 a parameter and token, backward 2 (frozen weights have no gradient), the adapter 6; with checkpointing 2 more
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Console
from rich.table import Table

GB = 1e9


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A causal model by its sizes."""

    hidden: int
    feed_forward: int
    layers: int
    heads: int
    heads_kv: int
    vocabulary: int
    head: int = 0
    """Size of a head; hidden / heads where it is 0."""
    tied: bool = False

    @property
    def inner(self) -> int:
        return (self.head or self.hidden // self.heads) * self.heads

    @property
    def inner_kv(self) -> int:
        return (self.head or self.hidden // self.heads) * self.heads_kv

    @property
    def linear(self) -> int:
        """Parameters of all linear layers but the last."""
        h = self.hidden
        return self.layers * (2 * h * self.inner + 2 * h * self.inner_kv + 3 * h * self.feed_forward)

    @property
    def embeddings(self) -> int:
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    def adapter(self, rank: int) -> int:
        """Parameters of an adapter on all linear layers."""
        h, f = self.hidden, self.feed_forward
        return rank * self.layers * (2 * (h + self.inner) + 2 * (h + self.inner_kv) + 3 * (h + f))


SHAPES = {
    "llama-3.1-8b": ModelShape(4096, 14336, 32, 32, 8, 128_256),
    "llama-3.2-1b": ModelShape(2048, 8192, 16, 32, 8, 128_256, tied=True),
    "mistral-7b": ModelShape(4096, 14336, 32, 32, 8, 32_768),
    "qwen2.5-coder-0.5b": ModelShape(896, 4864, 24, 14, 2, 151_936, tied=True),
    "qwen2.5-coder-7b": ModelShape(3584, 18944, 28, 28, 4, 152_064),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: tokens read once, tokens of each example, examples, tokens of SQL in each, and how it is computed."""

    begin: int
    tail: int
    examples: int
    target: int = 40
    rank: int = 16
    four_bit: bool = False
    checkpointing: bool = False

    @property
    def tokens(self) -> int:
        return self.examples * (self.begin + self.tail) if self.checkpointing else self.begin + self.examples * self.tail


def memory(shape: ModelShape, step: Step) -> dict[str, float]:
    """Bytes by what they are for."""
    h, k, f = shape.hidden, shape.inner_kv, shape.feed_forward
    layer = 38 * h + 4 * k + 9 * f
    activations = step.tokens * (shape.layers * 2 * h + layer if step.checkpointing else shape.layers * layer)
    repeated = 0 if step.checkpointing else step.examples * step.begin * shape.layers * 4 * shape.inner
    return {
        "base": shape.linear * (0.516 if step.four_bit else 2) + shape.embeddings * 2,
        "adapter": 16 * shape.adapter(step.rank),
        "activations": activations,
        "keys, values": repeated,
        "logits": 12 * step.examples * step.target * shape.vocabulary,
    }


def sums(shape: ModelShape, step: Step) -> float:
    """Floating-point operations of a step."""
    passes = 6 if step.checkpointing else 4
    pairs = step.examples * (step.begin + step.tail) ** 2 / 2 if step.checkpointing else _pairs(step)
    attention = passes * 2 * pairs * shape.inner * shape.layers
    head = 4 * step.examples * step.target * shape.vocabulary * shape.hidden
    return step.tokens * (passes * shape.linear + 6 * shape.adapter(step.rank)) + attention + head


def _pairs(step: Step) -> float:
    """Pairs of tokens of which one looks at the other."""
    return step.begin**2 / 2 + step.examples * step.tail * (step.begin + step.tail / 2)


def computed(shape: ModelShape, step: Step, tera: float, used: float) -> dict[str, Any]:
    """Memory and time on a machine of so many tera-operations a second, of which a share is used."""
    parts = memory(shape, step)
    seconds = sums(shape, step) / (tera * 1e12 * used)
    return {
        "memory_gb": {name: round(size / GB, 2) for name, size in parts.items()} | {"all": round(sum(parts.values()) / GB, 1)},
        "tera_operations": round(sums(shape, step) / 1e12, 2),
        "seconds": round(seconds, 3),
        "examples_an_hour": round(3600 * step.examples / seconds),
        "share_of_parameters": round(shape.adapter(step.rank) / (shape.linear + shape.embeddings), 5),
    }


def measured(shape: ModelShape, step: Step, steps: int) -> dict[str, Any]:
    """The same on this machine, with random weights of a Llama of that shape."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from streamlink_sql.training.lora import causal
    from streamlink_sql.training.lora.causal import Shape
    from streamlink_sql.training.lora.examples import Example

    sizes = {"hidden_size": shape.hidden, "intermediate_size": shape.feed_forward, "num_hidden_layers": shape.layers}
    heads = {"num_attention_heads": shape.heads, "num_key_value_heads": shape.heads_kv, "vocab_size": shape.vocabulary}
    told = Shape(rank=step.rank, alpha=2 * step.rank, checkpointing=step.checkpointing)
    with torch.device(causal.device()):
        torch.set_default_dtype(torch.bfloat16)
        plain = LlamaForCausalLM(LlamaConfig(**sizes, **heads, tie_word_embeddings=shape.tied, max_position_embeddings=8192))
        torch.set_default_dtype(torch.float32)
    model = causal.adapted(plain, told).train()
    optimizer = torch.optim.AdamW([weight for _, weight in causal.trained(model)], lr=1e-4)
    begin = tuple(at % 1000 for at in range(step.begin))
    rows = [Example("", (*begin, number, *[7] * (step.tail - step.target - 1)), (9,) * step.target) for number in range(step.examples)]
    seconds = []
    for _ in range(steps):
        began = time.monotonic()
        with causal.computing(model, told):
            loss = causal.target_loss(model, rows, shared=not step.checkpointing)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds.append(time.monotonic() - began)
    best = min(seconds)
    found = {"device": torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU", "seconds": round(best, 3)}
    found |= {"tera_operations_a_second": round(sums(shape, step) / best / 1e12, 2), "examples_an_hour": round(3600 * step.examples / best)}
    if torch.cuda.is_available():
        found["memory_gb"] = round(torch.cuda.max_memory_allocated() / GB, 1)
    return found


def main() -> int:
    """Prints a table, or with --measure one line of JSON with both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="llama-3.1-8b")
    parser.add_argument("--layers", type=int, help="so many layers instead of all")
    parser.add_argument("--begin", type=int, default=1400)
    parser.add_argument("--tail", type=int, default=120)
    parser.add_argument("--examples", type=int, default=16)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--tera", type=float, default=800, help="tera-operations a second in bf16 at best (an H100: %(default)s)")
    parser.add_argument("--used", type=float, default=0.4, help="share of them that is used (default: %(default)s)")
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--gradient-checkpointing", action="store_true", help="with --measure")
    parser.add_argument("--steps", type=int, default=5, help="with --measure (default: %(default)s)")
    told = parser.parse_args()
    shape = SHAPES[told.shape] if told.layers is None else replace(SHAPES[told.shape], layers=told.layers)
    step = Step(told.begin, told.tail, told.examples, rank=told.rank)
    if told.measure:
        step = replace(step, checkpointing=told.gradient_checkpointing)
        print(json.dumps({"computed": computed(shape, step, told.tera, told.used), "measured": measured(shape, step, told.steps)}))
        return 0
    show(told.shape, shape, step, told)
    return 0


def show(name: str, shape: ModelShape, step: Step, told: argparse.Namespace) -> None:
    """The table for people: each way to compute a step."""
    table = Table(
        "", "base", "adapter", "activations", "keys, values", "logits", "all GB", "TFLOP", "s a step", "examples an hour", title=name
    )
    ways = {"bf16": step, "bf16, checkpointing": replace(step, checkpointing=True)}
    ways |= {"4 bits": replace(step, four_bit=True), "4 bits, checkpointing": replace(step, four_bit=True, checkpointing=True)}
    ways["4 bits, checkpointing, one example"] = replace(step, four_bit=True, checkpointing=True, examples=1)
    for label, way in ways.items():
        found = computed(shape, way, told.tera, told.used)
        sizes = (f"{size:.1f}" for size in found["memory_gb"].values())
        table.add_row(label, *sizes, f"{found['tera_operations']:.0f}", f"{found['seconds']:.2f}", f"{found['examples_an_hour']:,}")
    console = Console(width=170)
    console.print(table)
    share = shape.adapter(step.rank) / (shape.linear + shape.embeddings)
    console.print(f"{shape.linear + shape.embeddings:,} parameters, {shape.adapter(step.rank):,} of them in the adapter ({share:.2%})")


if __name__ == "__main__":
    sys.exit(main())
