"""Trains the low-rank updates of an adapter, and keeps those that were best on the validation pairs. Writes checkpoints only."""

from __future__ import annotations

import time
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

LOOKS, LOOKED_AT = 4, 64
"""How often, at even distances, validation pairs are asked, and how many of each set; the time that this takes is not of that to train."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The best updates; the share of validation pairs written exactly without them and with them, by set; and what that took."""

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
        self.looks: list[dict[str, float]] = []
        self.best: dict[str, torch.Tensor] = {}
        super().__init__(settings, data)
        self.validation = {
            name.removeprefix(HELD_OUT + "_"): [
                prepare(each, data.databases_of(name)[each.database], self.pieces, None)
                for each in Random(settings.seed).sample(chosen.examples, min(LOOKED_AT, len(chosen.examples)))
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
            self.looks, self.best = list(saved["looks"]), saved["best"]
        return network

    def optimizer_for(self, network: ParserNetwork) -> torch.optim.AdamW:
        parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        return torch.optim.AdamW([{"params": parameters, "peak": self.settings.rate}], lr=1e-4, weight_decay=0.0, fused=True)

    def trained(self) -> dict[str, Any]:
        state = low_rank_state(self.network)
        return {"network": state, "best": self.best or state, "looks": self.looks, "begun_with": self.begun_with}

    def look(self, stop: Stop) -> None:
        """Asks the validation pairs, and keeps the updates if they were never better."""
        began = time.monotonic()
        with counting(self.network, self.tuning.share):
            shares = {name: share_written(self.network, items, lambda: stop.asked is not None) for name, items in self.validation.items()}
        known = {name: share for name, share in shares.items() if share is not None}
        self.began += time.monotonic() - began
        if len(known) < len(shares):
            return
        self.looks.append(known)
        if self.worth(known) >= max(map(self.worth, self.looks)):
            self.best = low_rank_state(self.network)

    def worth(self, shares: Mapping[str, float]) -> float:
        """How good a look was: the share of all validation pairs."""
        sizes = {name: len(items) for name, items in self.validation.items()}
        return sum(share * sizes[name] for name, share in shares.items()) / max(1, sum(sizes.values()))

    @property
    def best_look(self) -> int:
        """The number of the best look, the last one of equals."""
        return max(range(len(self.looks)), key=lambda number: (self.worth(self.looks[number]), number))

    @property
    def is_over(self) -> bool:
        """Whether nothing got better for long."""
        return len(self.looks) - 1 - self.best_look >= self.tuning.patience


def fit(settings: Settings, data: TrainingData, tuning: Tuning, begun_with: str) -> Fitted:
    """Trains until the time is used up or nothing gets better. A signal saves, and raises Cancelled."""
    run = AdapterRun(settings, data, tuning, begun_with)
    with Stop() as stop, tqdm(total=100, unit="%", mininterval=5, desc="adapting the parser") as bar:
        if not run.looks:
            run.look(stop)
        batches = run.batches()
        while run.share < 1 and stop.asked is None and not run.is_over:
            run.learn(next(batches))
            bar.n = round(100 * run.share, 1)
            bar.set_postfix(step=run.progress.step, loss=f"{run.progress.loss:.2f}", best=f"{run.worth(run.looks[run.best_look]):.1%}")
            if run.share >= len(run.looks) / LOOKS:
                run.look(stop)
                run.save()
        run.save()
    if stop.asked is not None:
        raise Cancelled(f"Adapting was stopped; the same call goes on from what is saved in {settings.out}.")
    progress = run.progress
    best = updates_of(run.best, tuning.share * tuning.alpha / tuning.rank)
    return Fitted(best, run.looks[0], run.looks[run.best_look], progress.step, progress.examples, progress.seconds)
