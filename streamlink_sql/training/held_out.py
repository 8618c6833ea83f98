"""Judges a network on questions that it is not trained on, without executing anything. Trains nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from streamlink_sql.generators.parser.linking import WordPieces
from streamlink_sql.training.batches import Batch, Item, collate, prepare
from streamlink_sql.training.network import ParserNetwork
from streamlink_sql.training.parser_data import Database, Example
from streamlink_sql.training.precision import fast

BATCH = 16


def written_exactly(network: ParserNetwork, batch: Batch) -> Tensor:
    """(b,) whether the greedy search would write just these actions: it does if each is the most probable after those before."""
    with torch.no_grad():
        scores, _ = network(batch.inputs, batch.previous, batch.states)
    best = scores.float().masked_fill(~batch.permitted, -1e9).argmax(-1)
    return ((best == batch.targets) | (batch.targets == -100)).all(1)


def share_written(network: ParserNetwork, items: Sequence[Item], stopped: Callable[[], bool] = lambda: False) -> float | None:
    """Share of items that the greedy search would write exactly; None when stopped before the end."""
    device = next(network.parameters()).device.type
    in_order = sorted(items, key=lambda item: len(item.linked.pieces))
    right = 0
    network.eval()
    for start in range(0, len(in_order), BATCH):
        if stopped():
            break
        with fast(device):
            right += int(written_exactly(network, collate(in_order[start : start + BATCH]).to(device)).sum())
    network.train()
    return None if stopped() else right / max(len(in_order), 1)


def held_out_score(
    network: ParserNetwork,
    examples: Sequence[Example],
    databases: Mapping[str, Database],
    pieces: WordPieces,
    stopped: Callable[[], bool] = lambda: False,
) -> float | None:
    """Share of examples whose greedy actions are the gold ones; None when stopped before the end."""
    return share_written(network, [prepare(each, databases[each.database], pieces, None) for each in examples], stopped)
