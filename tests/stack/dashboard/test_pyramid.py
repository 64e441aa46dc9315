"""The page's preview of a perturbation, against the engine's perturbation operator."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect

from ep_core.masks.perturbation import Pyramids, blur_pyramid
from ep_core.models.preprocessing import Preprocessing
from ep_core.models.registry import find_entry
from ep_core.models.sources.describe import describe
from tests.pictures import encode
from tests.running_stack import Stack
from tests.small_jobs import MASKS_ONLY

from .using import BEAR, changes_the_picture, pixels, read

pytestmark = pytest.mark.e2e

Job = dict[str, Any]
Pixels = npt.NDArray[np.floating]

AREA = 0.2
SHORT = {"areas": [AREA], "iterations": 5, **MASKS_ONLY}
SIGMA, LEVELS = 20.0, 8
# Of 255. Rounding to bytes alone makes 0.25 on average; the rest is that blurs are kept small.
MEAN_ERROR, LARGEST_ERROR = 0.5, 6.0

COMPOSE = """async ({ image, mask, options, strength }) => {
  const { blurPyramid, compose } = await import("/static/pyramid.js");
  const picture = new Image();
  picture.src = image;
  await picture.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.width, picture.height];
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const bytes = Uint8Array.from(atob(mask), (byte) => byte.charCodeAt(0));
  compose(blurPyramid(pixels, options), bytes, strength, pixels);
  context.putImageData(pixels, 0, 0);
  return canvas.toDataURL();
}"""


@pytest.fixture(scope="module")
def preprocessing() -> Preprocessing:
    return describe(find_entry("mobilenet_v2")).preprocessing


def test_at_the_networks_size_it_is_the_engines(
    blank: Page, stack: Stack, finish: Callable[..., Job], preprocessing: Preprocessing
) -> None:
    mask = get_mask(stack, finish(**SHORT), frame="model")
    x, _ = preprocessing.preprocess(Image.open(BEAR))
    seen = np.asarray(preprocessing.to_image(x), dtype=float)
    for strength in (1, 0.5):
        shown = compose(blank, seen, mask, frame=(0, 0, 224, 224), sigma=SIGMA, strength=strength)
        compare(shown, perturb(seen, 1 - strength * (1 - mask), sigma=SIGMA))


@pytest.mark.parametrize("levels", [2, 64])
def test_any_number_of_levels(blank: Page, preprocessing: Preprocessing, levels: int) -> None:
    x, _ = preprocessing.preprocess(Image.open(BEAR))
    seen = np.asarray(preprocessing.to_image(x), dtype=float)
    mask = np.tile(np.round(np.linspace(0, 255, 224)) / 255, (224, 1))
    shown = compose(blank, seen, mask, frame=(0, 0, 224, 224), sigma=SIGMA, levels=levels)
    compare(shown, perturb(seen, mask, sigma=SIGMA, levels=levels))


def test_it_is_seamless_at_the_frames_border(blank: Page) -> None:
    picture = np.asarray(Image.open(BEAR), dtype=float)
    left, right = 130, 504
    shown = compose(blank, picture, np.zeros(picture.shape[:2]), frame=(left, 26, right, 400), sigma=33.0)
    for border in (left, right):
        assert np.abs(shown[:, border] - shown[:, border - 1]).max() <= 3


def test_the_page_shows_the_picture_as_the_network_saw_it(
    page: Page, stack: Stack, finish: Callable[..., Job], preprocessing: Preprocessing
) -> None:
    job = finish(**SHORT)
    _, frame = preprocessing.preprocess(Image.open(BEAR))
    left, top, right, bottom = map(round, frame.box)
    open_job(page, job)
    expect(page.get_by_role("button", name="Blur", exact=True)).to_have_attribute("aria-pressed", "true")
    shown = read(pixels(page))[top:bottom, left:right]
    seen = get_picture(stack, job)[top:bottom, left:right]
    mask = get_mask(stack, job)[top:bottom, left:right]
    sigma = SIGMA * (right - left) / 224
    compare(shown, perturb(seen, mask, sigma=sigma))


@pytest.mark.parametrize("share", [None, 0.5])
def test_a_job_that_fades_is_shown_fading(
    page: Page, stack: Stack, finish: Callable[..., Job], preprocessing: Preprocessing, share: float | None
) -> None:
    job = finish(**SHORT, perturbation="fade", sigma_max=share)
    open_job(page, job, "black")
    expect(page.get_by_role("button", name="Black", exact=True)).to_have_attribute(
        "title", "What the network was shown"
    )
    light = 1 - (share or 1) * (1 - get_mask(stack, job))
    picture = get_picture(stack, job)
    left, top, right, bottom = map(round, preprocessing.preprocess(Image.open(BEAR))[1].box)
    compare(read(pixels(page))[top:bottom, left:right], (picture * light[:, :, None])[top:bottom, left:right])
    before = pixels(page)
    page.get_by_role("button", name="Original", exact=True).click()
    changes_the_picture(page, before)
    assert np.array_equal(read(pixels(page)), picture)


def open_job(page: Page, job: Job, view: str = "blur") -> None:
    """Open a finished job's page in a view."""
    page.goto(f"/#/job/{job['id']}?view={view}")
    expect(page.locator("canvas.reveal")).to_be_visible()


def get_mask(stack: Stack, job: Job, *, frame: str = "image") -> Pixels:
    """Return the mask of a job in [0, 1]."""
    answer = stack.client.get(job["links"]["masks"][str(AREA)], params={"frame": frame})
    return np.asarray(Image.open(io.BytesIO(answer.content)), dtype=float) / 255


def get_picture(stack: Stack, job: Job) -> Pixels:
    """Return the picture of a job as the page requests it: H x W x 3 of 255."""
    answer = stack.client.get(job["links"]["images"][0], params={"size": 900})
    return np.asarray(Image.open(io.BytesIO(answer.content)), dtype=float)


def compose(
    blank: Page,
    picture: Pixels,
    mask: Pixels,
    *,
    frame: tuple[int, int, int, int],
    sigma: float,
    levels: int = LEVELS,
    strength: float = 1,
) -> Pixels:
    """Return the page's composition of a picture (H x W x 3 of 255) under a mask (H x W in [0, 1])."""
    png = encode(Image.fromarray(picture.astype(np.uint8)), "PNG")
    asked = {
        "image": "data:image/png;base64," + base64.b64encode(png).decode(),
        "mask": base64.b64encode(np.round(mask * 255).astype(np.uint8).tobytes()).decode(),
        "options": {"frame": frame, "sigma": [sigma, sigma], "levels": levels},
        "strength": strength,
    }
    return read(blank.evaluate(COMPOSE, asked))


def perturb(picture: Pixels, mask: Pixels, *, sigma: float, levels: int = LEVELS) -> Pixels:
    """Return the engine's perturbation of it; a Gaussian mean is independent of the network's normalisation."""
    pyramid = blur_pyramid(torch.from_numpy(picture).permute(2, 0, 1)[None], sigma_max=sigma, levels=levels)
    perturbed = Pyramids(pyramid[None]).perturb(torch.from_numpy(mask)[None, None], torch.tensor([0]))
    return perturbed[0].permute(1, 2, 0).numpy()


def compare(shown: Pixels, expected: Pixels) -> None:
    """Raise AssertionError where they differ."""
    error = np.abs(shown - expected)
    assert error.mean() < MEAN_ERROR
    assert error.max() < LARGEST_ERROR
