"""Trains the embedded parser: `python -m streamlink_sql.training.parser --help`. Reads as it runs: settings, data, model, loop, save.

Resumable: a second call with the same --out goes on where the last one stopped. Runs in bfloat16 on CPU and on CUDA where there is one.
The learning rate falls with the share of --minutes that is used up, so a run has the same shape on any machine.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import random
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from streamlink_sql.generators.parser.actions import FIXED, Layout, Position
from streamlink_sql.generators.parser.pieces import Pieces
from streamlink_sql.training.batches import Batch, Stream, collate, prepare
from streamlink_sql.training.network import EncoderShape, ParserNetwork
from streamlink_sql.training.parser_data import Database, Example


@dataclass
class Settings:
    """How to train."""

    data: Path
    encoder: Path
    out: Path
    minutes: float = 90
    batch_pieces: int = 2000
    encoder_rate: float = 1e-4
    rate: float = 7e-4
    warm_up: int = 200
    frozen_layers: int = 0
    weights: dict[str, float] = field(default_factory=dict)
    seed: int = 1
    check_minutes: float = 12


def load_encoder(network: ParserNetwork, folder: Path) -> None:
    """Copies the weights of a BERT-shaped ONNX encoder; MatMul weights are stored transposed and named by their node."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(folder / "model.onnx")).graph
    arrays = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in arrays:
            arrays[node.name] = arrays[node.input[1]].T
    target = network.encoder.state_dict()
    for name in target:
        target[name].copy_(torch.from_numpy(arrays[_source(name)].copy()))


def _source(name: str) -> str:
    """Where an ONNX export of BERT keeps one of our parameters."""
    if not name.startswith("layers."):
        table, part = name.split(".")
        return {
            "words": "embeddings.word_embeddings.weight",
            "positions": "embeddings.position_embeddings.weight",
            "segments": "embeddings.token_type_embeddings.weight",
            "norm": f"embeddings.LayerNorm.{part}",
        }[table]
    _, number, module, *rest = name.split(".")
    path = {
        "attention": {"query": "attention/self/query", "key": "attention/self/key", "value": "attention/self/value"},
        "attention_norm": "attention/output/LayerNorm",
        "inner": "intermediate/dense",
        "outer": "output/dense",
        "norm": "output/LayerNorm",
    }[module]
    if isinstance(path, dict):
        path = path.get(rest[0], "attention/output/dense")
    if rest[-1] == "weight" and "LayerNorm" not in path:
        return f"/encoder/layer.{number}/{path}/MatMul"
    return f"encoder.layer.{number}.{path.replace('/', '.')}.{rest[-1]}"


def loss_of(network: ParserNetwork, batch: Batch) -> Tensor:
    """Cross entropy of the actions under the grammar's mask, summed over a sequence, plus the cost of guessing which items are used."""
    items, used = network.encode(
        batch.pieces, batch.segments, batch.pool, batch.features, batch.relations, batch.piece_bias, batch.item_bias
    )
    scores = network.decode(items, used, batch.previous, batch.states, batch.item_bias)
    scores = scores.float().masked_fill(~batch.permitted, -1e9)
    actions = F.cross_entropy(scores.flatten(0, 1), batch.targets.flatten(), ignore_index=-100, reduction="sum", label_smoothing=0.0)
    linking = F.binary_cross_entropy_with_logits(used.float()[batch.is_schema], batch.used[batch.is_schema], reduction="sum")
    return (actions + 0.3 * linking) / batch.targets.shape[0]


@torch.no_grad()
def greedy(network: ParserNetwork, batch: Batch, layouts: Sequence[Layout], most: int = 60) -> list[list[int]]:
    """The most probable action at each step, for every example of a batch."""
    encoded = network.encode(batch.pieces, batch.segments, batch.pool, batch.features, batch.relations, batch.piece_bias, batch.item_bias)
    items, used = encoded
    written: list[list[int]] = [[] for _ in layouts]
    positions = [Position() for _ in layouts]
    for _ in range(most):
        if not any(position.state.stack or position.opened is not None for position in positions):
            break
        length = max(len(row) for row in written) + 1
        previous = torch.full((len(layouts), length), FIXED)
        states = torch.zeros((len(layouts), length), dtype=torch.long)
        for row, actions in enumerate(written):
            position = Position()
            for step, action in enumerate(actions):
                states[row, step] = position.id
                position = position.after(action, layouts[row])
                previous[row, step + 1] = action + (action >= FIXED)
            states[row, len(actions)] = position.id
        scores = network.decode(items, used, previous, states, batch.item_bias).float()
        for row, layout in enumerate(layouts):
            if positions[row].state.stack or positions[row].opened is not None:
                mask = torch.from_numpy(positions[row].mask(layout))
                action = int(scores[row, len(written[row]), : layout.count].masked_fill(~mask, -1e9).argmax())
                written[row].append(action)
                positions[row] = positions[row].after(action, layout)
    return written


def held_out_score(network: ParserNetwork, examples: Sequence[Example], databases: Mapping[str, Database], pieces: Pieces) -> float:
    """Share of examples whose greedy actions equal the gold ones."""
    network.eval()
    items = sorted((prepare(e, databases[e.database], pieces, None) for e in examples), key=lambda item: len(item.linked.pieces))
    right = 0
    for start in range(0, len(items), 16):
        chunk = items[start : start + 16]
        layouts = [Layout(len(i.linked.words), i.linked.table_count, i.linked.column_count) for i in chunk]
        with torch.autocast("cpu", torch.bfloat16):
            right += sum(tuple(got) == item.actions for got, item in zip(greedy(network, collate(chunk), layouts), chunk, strict=True))
    network.train()
    return right / max(len(items), 1)


def optimizer_of(network: ParserNetwork, settings: Settings) -> torch.optim.AdamW:
    """AdamW with a lower rate for the pretrained encoder; the word embeddings and the lowest layers stay as they are."""
    frozen = [network.encoder.words, network.encoder.positions, *network.encoder.layers[: settings.frozen_layers]]
    for module in frozen:
        module.requires_grad_(False)
    pretrained = [p for p in network.encoder.parameters() if p.requires_grad]
    known = {id(p) for p in network.encoder.parameters()}
    new = [p for p in network.parameters() if id(p) not in known]
    groups = [{"params": pretrained, "peak": settings.encoder_rate}, {"params": new, "peak": settings.rate}]
    return torch.optim.AdamW(groups, lr=1e-4, weight_decay=0.01, fused=True)


def set_rates(optimizer: torch.optim.Optimizer, step: int, share: float, settings: Settings) -> None:
    """Warm-up by steps, then linear decay by the share of the time that is used up."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * min(1.0, (step + 1) / settings.warm_up) * max(1.0 - share, 0.01)


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Writes a checkpoint that is either the old one or the new one, never half."""
    temporary = path.with_suffix(".part")
    torch.save(dict(state), temporary)
    os.replace(temporary, path)


def train(settings: Settings) -> None:
    """Trains until the minutes are used up; prints the held-out score now and then."""
    torch.manual_seed(settings.seed)
    sets, databases, held_out = pickle.loads((settings.data / "examples.pkl").read_bytes())
    pieces = Pieces(settings.encoder / "tokenizer.json")
    network = ParserNetwork(EncoderShape())
    settings.out.mkdir(parents=True, exist_ok=True)
    checkpoint = settings.out / "last.pt"
    step, used = 0, 0.0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(saved["network"])
        step, used = saved["step"], saved["seconds"]
    else:
        load_encoder(network, settings.encoder)
    optimizer = optimizer_of(network, settings)
    if checkpoint.exists():
        optimizer.load_state_dict(saved["optimizer"])
    stream = Stream(sets, settings.weights, databases, pieces, most_pieces=settings.batch_pieces, seed=settings.seed + step)
    batches = iter(torch.utils.data.DataLoader(stream, batch_size=None, num_workers=1, prefetch_factor=24))
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    network.train()
    total, began, checked = settings.minutes * 60, time.monotonic() - used, used
    seen, mean = 0, 0.0
    with tqdm(total=100, initial=round(100 * used / total), unit="%", mininterval=20) as bar:
        while (used := time.monotonic() - began) < total and not stopped:
            batch: Batch = next(batches)
            set_rates(optimizer, step, used / total, settings)
            with torch.autocast("cpu", torch.bfloat16):
                loss = loss_of(network, batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            step, seen, mean = step + 1, seen + len(batch.targets), 0.98 * mean + 0.02 * loss.item() if mean else loss.item()
            bar.n = round(100 * used / total, 1)
            bar.set_postfix(step=step, examples=seen, loss=f"{mean:.2f}", rate=f"{seen / (time.monotonic() - began - (checked and 0)):.1f}/s")
            if used - checked > settings.check_minutes * 60:
                checked = used
                save(checkpoint, {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "seconds": used})
                score = held_out_score(network, held_out[:200], databases["train"], pieces)
                print(json.dumps({"minute": round(used / 60, 1), "step": step, "examples": seen, "loss": round(mean, 3), "held_out": score}), flush=True)
    used = min(time.monotonic() - began, total)
    save(checkpoint, {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "seconds": used})
    score = held_out_score(network, held_out, databases["train"], pieces)
    print(json.dumps({"minute": round(used / 60, 1), "step": step, "examples": seen, "loss": round(mean, 3), "held_out_all": score}), flush=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with examples.pkl, made by `python -m streamlink_sql.training.parser_sets`")
    parser.add_argument("--encoder", type=Path, required=True, help="folder of a BERT-shaped encoder: model.onnx and tokenizer.json")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints; an existing one is resumed")
    parser.add_argument("--minutes", type=float, default=90, help="time to train in all, earlier calls counted in")
    parser.add_argument("--weights", default="train=1", help="how often each set is drawn, such as train=6,others=1,synthetic=3")
    parser.add_argument("--frozen-layers", type=int, default=0, help="lowest encoder layers that stay as they are (saves time)")
    parser.add_argument("--batch-pieces", type=int, default=2000, help="padded word pieces in a batch")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    weights = {name: float(share) for name, share in (part.split("=") for part in given.weights.split(","))}
    random.seed(given.seed)
    settings = Settings(given.data, given.encoder, given.out, given.minutes, given.batch_pieces, frozen_layers=given.frozen_layers, weights=weights, seed=given.seed)
    print(json.dumps(asdict(settings), default=str))
    train(settings)


if __name__ == "__main__":
    main()
