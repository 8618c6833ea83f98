"""In which precision this machine multiplies matrices fastest: bfloat16 saves time on a GPU and costs it on many a CPU. Trains nothing."""

from __future__ import annotations

import time
from functools import cache

import torch

GAIN = 1.2
"""Bfloat16 is less exact, so it has to be so many times as fast."""
ROWS, WIDTH, TRIES = 1024, 512, 5


@cache
def fastest(device: str) -> torch.dtype:
    """bfloat16 on a GPU and on CPUs that multiply faster in it (those with AMX), else float32; a CPU is tried, which takes milliseconds."""
    if device != "cpu":
        return torch.bfloat16
    return torch.bfloat16 if _seconds(torch.float32) > GAIN * _seconds(torch.bfloat16) else torch.float32


def fast(device: str) -> torch.autocast:
    """Within it, products are computed in the fastest precision."""
    return torch.autocast(device, torch.bfloat16, enabled=fastest(device) is torch.bfloat16)


def _seconds(dtype: torch.dtype) -> float:
    """The least time that one product took."""
    left, right = torch.ones(ROWS, WIDTH, dtype=dtype), torch.ones(WIDTH, WIDTH, dtype=dtype)

    def once() -> float:
        began = time.perf_counter()
        left @ right
        return time.perf_counter() - began

    once()
    return min(once() for _ in range(TRIES))
