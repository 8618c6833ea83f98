"""Low-rank updates of a parser's linear layers (LoRA, Hu et al. 2021). Reads and writes no files."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from streamlink_sql.training.network import ParserNetwork

Updates = dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
"""By name of parameter: down (rank, inputs) and up (outputs, rank), whose product is added to it."""


class LowRank(nn.Module):
    """A linear layer that stays as it is, and an update of low rank: nothing at first, as `up` is zero."""

    def __init__(self, linear: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.linear, self.scale = linear, alpha / rank
        self.down = nn.Parameter(torch.empty(rank, linear.in_features))
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        """The layer's result with the update."""
        plain: Tensor = self.linear(x)
        return plain + F.linear(F.linear(x, self.down), self.up) * self.scale


def add_low_rank(network: ParserNetwork, rank: int, alpha: float, frozen_layers: int = 0) -> None:
    """Freezes the network and gives each linear layer an update, but those of the lowest encoder layers."""
    network.requires_grad_(False)
    left_alone = set(nn.ModuleList(network.encoder.layers[:frozen_layers]).modules())
    for owner in list(network.modules()):
        if owner not in left_alone and not isinstance(owner, LowRank):
            for name, layer in list(owner.named_children()):
                if isinstance(layer, nn.Linear):
                    setattr(owner, name, LowRank(layer, rank, alpha))


@contextmanager
def counting(network: ParserNetwork, share: float) -> Iterator[None]:
    """Within it, the updates count by this share."""
    scales = [(layer, layer.scale) for layer in network.modules() if isinstance(layer, LowRank)]
    for layer, scale in scales:
        layer.scale = scale * share
    try:
        yield
    finally:
        for layer, scale in scales:
            layer.scale = scale


def low_rank_state(network: ParserNetwork) -> dict[str, Tensor]:
    """The parameters of all updates."""
    return {name: parameter.detach().clone() for name, parameter in network.named_parameters() if parameter.requires_grad}


def updates_of(state: Mapping[str, Tensor], scale: float) -> Updates:
    """The updates by the names that their layers' weights have in the network without them."""
    layers = [name.removesuffix(".down") for name in state if name.endswith(".down")]
    return {f"{name}.weight": (state[f"{name}.down"].cpu().numpy(), (state[f"{name}.up"] * scale).cpu().numpy()) for name in layers}
