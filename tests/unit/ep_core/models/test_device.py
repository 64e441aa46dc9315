"""Names of devices."""

from __future__ import annotations

import pytest
import torch

from ep_core.errors import InvalidInput
from ep_core.models.runtime.device import pick_device


@pytest.mark.parametrize(("gpus", "default"), [(0, "cpu"), (2, "cuda")])  # no GPU here: only their number is pretended
def test_default_is_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch, gpus: int, default: str) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert pick_device() == torch.device(default)
    assert pick_device("cpu") == torch.device("cpu")


def test_a_missing_gpu_is_told_from_an_unknown_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(InvalidInput, match="'cuda:2' is not here, torch finds only cuda:0 to cuda:1"):
        pick_device("cuda:2")
    with pytest.raises(InvalidInput, match="'cdua' is unknown"):
        pick_device("cdua")
