"""The files of real results are no larger than was said before."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ep_core import Classifier, CompareSpec, ExtremalSpec, Preprocessing
from ep_core.engine import run_task
from ep_core.pictures.file_sizes import largest_files
from ep_core.schemas.model_card import ModelCard
from ep_core.schemas.tasks import Spec
from tests.networks import plain

pytestmark = pytest.mark.slow

SPECS = [
    ExtremalSpec(areas=(0.02, 0.3, 0.8), iterations=2, alternatives=4),
    ExtremalSpec(areas=(0.1,), iterations=3, preset="paper", check_extremality=False),
    CompareSpec(areas=(0.02, 0.3), iterations=2, samples=5, methods=("center", "gradient", "extremal")),
]


def model(side: int) -> Classifier:
    return Classifier(plain(), preprocessing=Preprocessing((side, side), mean=(0.5,) * 3, std=(0.5,) * 3))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.task}-{spec.preset}")
@pytest.mark.parametrize(
    ("size", "side"), [((1, 90), 48), ((32, 24), 48), ((300, 200), 48), ((300, 200), 168), ((2500, 90), 48)]
)
def test_noise_fits(spec: Spec, size: tuple[int, int], side: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*reversed(size), 3), dtype=np.uint8)
    outcome = run_task(model(side), [Image.fromarray(noise)], spec)
    written = [*(len(data) for _, data in outcome.files), len(outcome.report.model_dump_json())]
    card = ModelCard(name="plain", source="file", input_size=(side, side), labels=())
    bounds = largest_files(spec, [size], card)
    assert sum(written) <= sum(bounds)
    assert max(written) <= max(bounds)
    assert sum(bounds) <= sum(largest_files(spec, [size], None))
