"""The precision of training: the faster one of this machine, tried and not guessed."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; run `make test-training`")

from streamlink_sql.training import precision  # noqa: E402

pytestmark = pytest.mark.training


@pytest.mark.parametrize(
    ("exact_s", "short_s", "chosen"), [(1.0, 0.5, torch.bfloat16), (1.0, 2.0, torch.float32), (1.0, 0.9, torch.float32)]
)
def test_the_faster_one_is_chosen_and_computed_in(exact_s: float, short_s: float, chosen: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_seconds", {torch.float32: exact_s, torch.bfloat16: short_s}.get)
    monkeypatch.setattr(precision, "fastest", precision.fastest.__wrapped__)
    assert precision.fastest("cpu") is chosen
    with precision.fast("cpu"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is chosen


def test_a_gpu_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_seconds", lambda dtype: pytest.fail("it was tried"))
    assert precision.fastest.__wrapped__("cuda") is torch.bfloat16
