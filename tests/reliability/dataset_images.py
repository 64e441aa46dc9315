"""Datasets of small images, all different, and what is asked of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ep_core.dataset.job import Job
from ep_core.models import Classifier, load_model
from ep_core.schemas.specs import ExtremalSpec
from tests.networks import model_list

from .stack import SAMPLES

SPEC = ExtremalSpec(
    model="plain",
    areas=(0.1, 0.3),
    iterations=40,
    threshold=0.5,
    check_extremality=False,
    alternatives=0,
    contrast=False,
)


def make_images(folder: Path, count: int, size: tuple[int, int] = (96, 80)) -> None:
    """Write photographs with noise as JPEGs.

    Args:
        folder: made where it is missing.
        count: how many.
        size: width and height, in pixels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(0)
    photographs = [Image.open(path).convert("RGB").resize(size) for path in sorted(SAMPLES.glob("*.jpg"))]
    for k in range(count):
        noisy = np.asarray(photographs[k % len(photographs)]) + chance.integers(-20, 21, (size[1], size[0], 3))
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / f"{k:04}.jpg")


def small_job(folder: Path, out: str) -> tuple[Job, Classifier]:
    """Return a request for a small network, with the network; results go into a folder in this one."""
    models = folder / "models.toml"
    models.write_text(model_list("plain"))
    job = Job(out=str(folder / out), spec=SPEC, models_file=models, device="cpu")
    return job, load_model("plain", models_file=models, device="cpu")
