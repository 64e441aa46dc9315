"""The adapter of Quantus: its calling convention, and the library's own metrics with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ep_core.adapters.quantus import explain
from ep_core.errors import InvalidInput

from .conftest import LEFT, QUICK, RIGHT, SIDE, TwoSpots, seen

FADE: dict[str, Any] = QUICK | {"perturbation": "fade"}


def as_seen(maps: np.ndarray) -> list[str]:
    return [seen(torch.from_numpy(one)) for one in maps]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_each_image_is_explained_for_its_target(spots: TwoSpots, images: Tensor, kind: Any) -> None:
    maps = explain(model=spots, inputs=images.numpy().astype(kind), targets=np.array([0, 1]), device="cpu", **FADE)
    assert type(maps) is np.ndarray
    assert maps.dtype == np.float32
    assert maps.shape == (2, 1, SIDE, SIDE)
    assert as_seen(maps) == ["left", "right"]


def test_tensors_and_a_single_target_will_do(spots: TwoSpots, images: Tensor) -> None:
    assert as_seen(explain(spots, images, 1, **FADE)) == ["right", "right"]
    assert as_seen(explain(spots, images[:1], torch.tensor([0]), **FADE)) == ["left"]


def test_options_of_quantus_own_explain_are_refused(spots: TwoSpots, images: Tensor) -> None:
    with pytest.raises(InvalidInput, match=r"no option 'method'; the options are .*areas"):
        explain(spots, images.numpy(), np.array([0, 1]), method="Saliency")


def test_what_does_not_fit_is_refused(spots: TwoSpots, images: Tensor) -> None:
    with pytest.raises(InvalidInput, match="permute"):
        explain(spots, images.permute(0, 2, 3, 1).numpy(), np.array([0, 1]))
    with pytest.raises(InvalidInput, match="3 targets for 2 images"):
        explain(spots, images.numpy(), np.array([0, 1, 0]))


def test_the_network_stays_as_it_was(images: Tensor) -> None:
    network = nn.Sequential(nn.Dropout(0.5), TwoSpots())
    assert as_seen(explain(network, images[:1].numpy(), np.array([1]), **FADE)) == ["right"]
    assert network.training


def test_quantus_metrics_take_it(spots: TwoSpots, images: Tensor) -> None:
    quantus = pytest.importorskip("quantus", reason="quantus is not installed: docs/adapters.md says how")
    targets = np.array([0, 1])
    there = np.zeros((2, 1, SIDE, SIDE), bool)
    there[0, 0][LEFT], there[1, 0][RIGHT] = True, True
    given = {
        "model": spots,
        "x_batch": images.numpy(),
        "y_batch": targets,
        "explain_func": explain,
        "explain_func_kwargs": FADE,
        "device": "cpu",
    }
    plain = {"disable_warnings": True, "display_progressbar": False}
    assert all(np.ravel(quantus.PointingGame(**plain)(s_batch=there, **given)))
    assert not any(np.ravel(quantus.PointingGame(**plain)(s_batch=there[::-1], **given)))
