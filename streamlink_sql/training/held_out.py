"""Judges a network on the held-out questions, greedily and without executing anything. Trains nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from streamlink_sql.generators.parser.actions import FIXED, Layout, Position
from streamlink_sql.generators.parser.linking import WordPieces
from streamlink_sql.training.batches import collate, prepare
from streamlink_sql.training.network import Inputs, ParserNetwork
from streamlink_sql.training.parser_data import Database, Example

BATCH = 16


@dataclass(slots=True)
class _Writing:
    """One query being written: the decoder's input for every step so far."""

    layout: Layout
    actions: list[int] = field(default_factory=list)
    position: Position = field(default_factory=Position)
    previous: list[int] = field(default_factory=lambda: [FIXED])
    states: list[int] = field(default_factory=lambda: [Position().id])

    def add(self, action: int) -> None:
        """Takes an action."""
        self.actions.append(action)
        self.position = self.position.after(action, self.layout)
        self.previous.append(action + (action >= FIXED))
        self.states.append(self.position.id)


def greedy(network: ParserNetwork, inputs: Inputs, layouts: Sequence[Layout], most: int = 60) -> list[list[int]]:
    """The most probable permitted action at each step, for every question."""
    device = inputs.pieces.device
    with torch.no_grad():
        items, used = network.encode(inputs)
        rows = [_Writing(layout) for layout in layouts]
        for step in range(most):
            going = [number for number, row in enumerate(rows) if not row.position.complete]
            if not going:
                break
            chosen = torch.tensor(going, device=device)
            previous = torch.tensor([rows[number].previous for number in going], device=device)
            states = torch.tensor([rows[number].states for number in going], device=device)
            scores = network.decode(items[chosen], used[chosen], previous, states, inputs.item_bias[chosen])[:, step].float().cpu()
            for place, number in enumerate(going):
                row = rows[number]
                mask = torch.from_numpy(row.position.mask(row.layout))
                row.add(int(scores[place, : row.layout.count].masked_fill(~mask, -1e9).argmax()))
    return [row.actions for row in rows]


def held_out_score(
    network: ParserNetwork,
    examples: Sequence[Example],
    databases: Mapping[str, Database],
    pieces: WordPieces,
    stopped: Callable[[], bool] = lambda: False,
) -> float | None:
    """Share of examples whose greedy actions are the gold ones; None when stopped before the end."""
    device = next(network.parameters()).device.type
    items = sorted((prepare(e, databases[e.database], pieces, None) for e in examples), key=lambda item: len(item.linked.pieces))
    right = 0
    network.eval()
    for start in range(0, len(items), BATCH):
        if stopped():
            break
        chunk = items[start : start + BATCH]
        with torch.autocast(device, torch.bfloat16):
            written = greedy(network, collate(chunk).inputs.to(device), [Layout.of(item.linked) for item in chunk])
        right += sum(tuple(got) == item.actions for got, item in zip(written, chunk, strict=True))
    network.train()
    return None if stopped() else right / max(len(items), 1)
