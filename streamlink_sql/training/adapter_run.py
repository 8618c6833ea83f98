"""Trains the low-rank updates of an adapter to the end of its time. Writes checkpoints only.

The rate falls to nothing, so the end is what counts: of 64 pairs of each set asked on the way chance chose, often that nothing was better.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from tqdm import tqdm

from streamlink_sql.errors import BadRequest, Cancelled
from streamlink_sql.training.batches import prepare
from streamlink_sql.training.example_files import HELD_OUT, TrainingData
from streamlink_sql.training.held_out import share_written
from streamlink_sql.training.low_rank import Updates, add_low_rank, counting, low_rank_state, updates_of
from streamlink_sql.training.network import ParserNetwork
from streamlink_sql.training.parser import Run, Settings, untrained
from streamlink_sql.training.parser_adapter import Tuning
from streamlink_sql.training.stopping import Stop

ASKED = 64
"""Validation pairs of each set that are asked at the end, without the updates and with them."""
SAVED_EVERY = 0.1
"""Share of the run after which it is saved."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The updates; the share of validation pairs written exactly without them and with them, by set; and what that took."""

    updates: Updates
    before: Mapping[str, float]
    after: Mapping[str, float]
    steps: int
    examples: int
    seconds: float


class AdapterRun(Run):
    """A run whose network stays as it is but for the updates. `begun_with` says what is trained on: nothing else is gone on with."""

    def __init__(self, settings: Settings, data: TrainingData, tuning: Tuning, begun_with: str) -> None:
        self.tuning, self.begun_with = tuning, begun_with
        super().__init__(settings, data)
        self.validation = {
            name.removeprefix(HELD_OUT + "_"): [
                prepare(each, data.databases_of(name)[each.database], self.pieces, None)
                for each in Random(settings.seed).sample(chosen.examples, min(ASKED, len(chosen.examples)))
            ]
            for name, chosen in data.sets.items()
            if name.startswith(HELD_OUT) and chosen.examples
        }

    def begun(self, saved: Mapping[str, Any] | None) -> ParserNetwork:
        network = untrained(self.settings)
        add_low_rank(network, self.tuning.rank, self.tuning.alpha, self.settings.frozen_layers)
        if saved is not None:
            if saved.get("begun_with") != self.begun_with:
                raise BadRequest(
                    f"{self.settings.out} holds an adapter that was begun with other pairs or settings. Choose another folder."
                )
            network.load_state_dict(saved["network"], strict=False)
        return network

    def optimizer_for(self, network: ParserNetwork) -> torch.optim.AdamW:
        parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        return torch.optim.AdamW([{"params": parameters, "peak": self.settings.rate}], lr=1e-4, weight_decay=0.0, fused=True)

    def trained(self) -> dict[str, Any]:
        return {"network": low_rank_state(self.network), "begun_with": self.begun_with}

    def written(self, stop: Stop, share: float) -> dict[str, float]:
        """The share of validation pairs written exactly where this share of the updates counts, by set; none when stopped."""
        with counting(self.network, share):
            found = {name: share_written(self.network, items, lambda: stop.asked is not None) for name, items in self.validation.items()}
        return {name: part for name, part in found.items() if part is not None}


def fit(settings: Settings, data: TrainingData, tuning: Tuning, begun_with: str) -> Fitted:
    """Trains until the time is used up. A signal saves, and raises Cancelled."""
    run = AdapterRun(settings, data, tuning, begun_with)
    saved = run.share
    with Stop() as stop, tqdm(total=100, unit="%", mininterval=5, desc="adapting the parser") as bar:
        batches = run.batches()
        while run.share < 1 and stop.asked is None:
            run.learn(next(batches))
            bar.n = round(100 * run.share, 1)
            bar.set_postfix(step=run.progress.step, loss=f"{run.progress.loss:.2f}")
            if run.share >= saved + SAVED_EVERY:
                run.save()
                saved = run.share
        run.save()
        before, after = run.written(stop, 0.0), run.written(stop, tuning.share)
    if stop.asked is not None:
        raise Cancelled(f"Adapting was stopped; the same call goes on from what is saved in {settings.out}.")
    progress, updates = run.progress, updates_of(low_rank_state(run.network), tuning.share * tuning.alpha / tuning.rank)
    return Fitted(updates, before, after, progress.step, progress.examples, progress.seconds)
