"""ReX's side of its benchmark: what is said where it isn't installed, and the comparison where it is."""

import os
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from ep_core.bench.rex import compare, run
from ep_core.errors import ModelUnavailable
from ep_core.models import load_model
from ep_core.models.classifier import Classifier
from ep_core.photographs import load

SAMPLES = Path(__file__).parents[2] / "samples"

PYTHON = os.environ.get("EP_REX_PYTHON")


@pytest.mark.parametrize(
    ("python", "said"), [(sys.executable, "rex-xai isn't installed there"), ("/no/python", "can't be run")]
)
def test_where_rex_is_not_installed_the_error_says_how_to_install_it(python: str, said: str) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model = Classifier(network, labels=list("abcd"))
    with pytest.raises(ModelUnavailable, match=said) as raised:
        run(model, torch.rand(1, 3, 16, 16), 0, python=Path(python), iterations=1, seed=0)
    assert "pip install rex-xai" in str(raised.value)


@pytest.mark.skipif(PYTHON is None, reason="EP_REX_PYTHON names no Python that has rex-xai")
def test_both_sides_are_scored_at_equal_areas() -> None:
    one = compare(
        load_model("mobilenet_v2"),
        load(SAMPLES / "goose.jpg"),
        [0.1, 0.4],
        python=Path(PYTHON or ""),
        iterations=1,
        seed=0,
    )
    assert [pair.area for pair in one.pairs] == [0.1, 0.4]
    assert 0 < one.sufficient.area < 1
    assert one.rex_cost > 10
    assert one.cost > 100
