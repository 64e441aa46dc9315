"""ReX's side of its benchmark: what is said where it isn't installed, and the comparison where it is."""

import os
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from ep_core.bench.rex import Comparison, Pair, Sufficient, compare_with_rex, run
from ep_core.bench.rex_report import in_words, means
from ep_core.errors import ModelUnavailable
from ep_core.models import load_model
from ep_core.models.classifier import Classifier
from ep_core.pictures.photographs import load

SAMPLES = Path(__file__).parents[3] / "samples"

PYTHON = os.environ.get("EP_REX_PYTHON")


@pytest.mark.slow
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
    one = compare_with_rex(
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


def test_both_sides_are_told_one_after_the_other() -> None:
    one = Comparison(
        "goose",
        [Pair(0.1, 0.25, 0.75), Pair(0.4, 1.0, 0.5)],
        Sufficient(0.078, 0.1, 0.9, 0.6, 0.3),
        11.4,
        1400,
        75.2,
        603,
    )
    assert in_words("goose.jpg", one) == [
        "goose.jpg goose  0.1: 0.25 0.75  0.4: 1.00 0.50",
        "  its explanation (7.8% of the image): 0.10 0.90; by the mean colour 0.60 0.30",
        "  passes 603 1400, seconds 75 11",
    ]
    assert means([one, one], [0.1, 0.4]) == [
        "  0.1: 0.25 0.75, ours at least its in 2 of 2",
        "  0.4: 1.00 0.50, ours at least its in 0 of 2",
        "  at its explanation's area, by blur: 0.10 0.90; by the mean colour: 0.60 0.30",
        "  passes: 603 1400; seconds: 75 11",
    ]
