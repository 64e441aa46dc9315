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
SIDE = 48


@pytest.fixture(scope="module")
def model() -> Classifier:
    return Classifier(plain(), preprocessing=Preprocessing((SIDE, SIDE), mean=(0.5,) * 3, std=(0.5,) * 3))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.task}-{spec.preset}")
@pytest.mark.parametrize("size", [(1, 90), (32, 24), (300, 200), (2500, 90)])
def test_noise_fits(model: Classifier, spec: Spec, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*reversed(size), 3), dtype=np.uint8)
    outcome = run_task(model, [Image.fromarray(noise)], spec)
    written = [*(len(data) for _, data in outcome.files), len(outcome.report.model_dump_json())]
    card = ModelCard(name="plain", source="file", input_size=model.input_size, labels=())
    bounds = largest_files(spec, [size], card)
    assert sum(written) <= sum(bounds)
    assert max(written) <= max(bounds)
    assert sum(bounds) <= sum(largest_files(spec, [size], None))
