"""The files of a result."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from ep_core import Explanation, ExtremalSpec, explain
from ep_core.extremal.render import render_files
from ep_core.models import Classifier
from ep_core.pictures import overlays
from ep_core.pictures.heat import heat_map
from ep_core.pictures.overlays import DIMMED, overlay
from ep_core.schemas.reports.extremal import ExtremalReport


@pytest.fixture(scope="module")
def goose(mobilenet: Classifier, sample: Callable[[str], Image.Image]) -> Explanation:
    return explain(mobilenet, sample("goose"), ExtremalSpec(areas=(0.1, 0.4), iterations=8).masks_only())


@pytest.fixture(scope="module")
def bear(mobilenet: Classifier, sample: Callable[[str], Image.Image]) -> Explanation:
    """A sweep that is so easily satisfied that another region is found, too."""
    spec = ExtremalSpec(areas=(0.1, 0.3), iterations=10, threshold=0.2, check_extremality=False)
    return explain(mobilenet, sample("black_bear"), spec)


@pytest.fixture(scope="module")
def files(goose: Explanation) -> dict[str, bytes]:
    return dict(render_files(goose))


def picture(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_names(files: dict[str, bytes]) -> None:
    areas = [f"{kind}/{area}.png" for kind in ("masks", "overlays") for area in (0.1, 0.4)]
    assert set(files) == {
        *areas,
        "masks/0.1.model.png",
        "masks/0.4.model.png",
        "saliency.png",
        "curve.svg",
        "result.html",
        "reveal.webp",
    }


def test_alternatives_and_the_contrast_are_files_beside_the_areas(bear: Explanation) -> None:
    (other,), contrast = bear.alternatives, bear.contrast
    assert contrast is not None
    files = dict(render_files(bear))
    for key, mask in (("alternative-1", other.mask), ("contrast", contrast.mask)):
        in_frame, on_image = picture(files[f"masks/{key}.model.png"]), picture(files[f"masks/{key}.png"])
        np.testing.assert_allclose(in_frame / 255, mask[0].numpy(), atol=0.5 / 255 + 1e-6)
        np.testing.assert_array_equal(on_image, np.round(bear.frame.mask_to_image(mask[0].numpy()) * 255))
        kept = on_image == 255
        np.testing.assert_array_equal(
            picture(files[f"overlays/{key}.png"])[kept], np.asarray(bear.image.convert("RGB"))[kept]
        )
    assert (picture(files["masks/alternative-1.png"]) != picture(files["masks/contrast.png"])).any()
    report = bear.report()
    assert ExtremalReport.model_validate_json(report.model_dump_json()) == report


def test_masks_are_grey_in_the_images_pixels_and_in_the_frames(files: dict[str, bytes], goose: Explanation) -> None:
    on_image, in_frame = picture(files["masks/0.4.png"]), picture(files["masks/0.4.model.png"])
    assert on_image.shape == (goose.image.height, goose.image.width)
    assert in_frame.shape == (224, 224)
    assert on_image.dtype == np.uint8
    np.testing.assert_allclose(in_frame / 255, goose.masks[1, 0].numpy(), atol=0.5 / 255 + 1e-6)
    left, top, right, bottom = map(round, goose.frame.box)
    assert on_image[top:bottom, left:right].mean() / 255 == pytest.approx(0.4, abs=0.01)
    assert on_image[:, : left - 1].max() == 0  # outside the network's crop


def test_overlay_shows_the_image_where_the_mask_is_and_dims_the_rest(
    files: dict[str, bytes], goose: Explanation
) -> None:
    overlay, mask = picture(files["overlays/0.4.png"]), picture(files["masks/0.4.png"])
    original = np.asarray(goose.image.convert("RGB"))
    np.testing.assert_array_equal(overlay[mask == 255], original[mask == 255])
    assert overlay[mask == 0].mean() < 0.5 * original[mask == 0].mean()


def test_saliency_is_hottest_where_the_masks_agree(files: dict[str, bytes]) -> None:
    saliency = picture(files["saliency.png"]).astype(int)
    total = picture(files["masks/0.1.png"]).astype(int) + picture(files["masks/0.4.png"])
    warmth = saliency[:, :, 0] - saliency[:, :, 2]  # red over blue
    assert warmth[total > 400].mean() > warmth[total == 0].mean() + 50


def test_curve_is_svg_and_reproducible(files: dict[str, bytes], goose: Explanation) -> None:
    root = ElementTree.fromstring(files["curve.svg"])
    assert root.tag.endswith("svg")
    assert "goose" in files["curve.svg"].decode()
    assert dict(render_files(goose))["curve.svg"] == files["curve.svg"]


QUICK = ExtremalSpec(areas=(0.5,), iterations=1).masks_only()


def test_pictures_of_any_mode_are_shown_as_a_person_sees_them(spot_model: Classifier) -> None:
    grey = np.tile(np.linspace(0, 65535, 300, dtype=np.uint16), (260, 1))
    files = dict(render_files(explain(spot_model, Image.fromarray(grey), QUICK)))
    mask, overlay = picture(files["masks/0.5.png"]), picture(files["overlays/0.5.png"])
    shown = mask / 255 + (1 - mask / 255) * DIMMED
    np.testing.assert_allclose(overlay.mean(axis=2), shown * (grey >> 8), atol=2)


@pytest.mark.slow
def test_pictures_in_colour_of_large_images_are_for_screens(spot_model: Classifier, photograph: Image.Image) -> None:
    large = photograph.resize((2400, 1600))
    files = dict(render_files(explain(spot_model, large, QUICK)))
    assert picture(files["masks/0.5.png"]).shape == (1600, 2400)
    assert picture(files["overlays/0.5.png"]).shape == picture(files["saliency.png"]).shape == (1365, 2048, 3)
    overlaid = picture(files["overlays/0.5.png"])
    mask = np.asarray(Image.fromarray(picture(files["masks/0.5.png"])).resize((2048, 1365), Image.Resampling.BOX))
    kept = np.asarray(large.resize((2048, 1365), Image.Resampling.LANCZOS))[mask == 255]
    assert np.abs(overlaid[mask == 255].astype(int) - kept).mean() < 1


@pytest.mark.parametrize("colour", [overlay, heat_map])
def test_pictures_are_the_same_in_bands(
    colour: Callable[[np.ndarray, np.ndarray], Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = np.random.default_rng(0)
    shown, mask = chance.integers(0, 256, (37, 23, 3), np.uint8), chance.random((37, 23), np.float32)
    whole = np.asarray(colour(shown, mask))
    monkeypatch.setattr(overlays, "BAND_PIXELS", 5 * 23)
    np.testing.assert_array_equal(np.asarray(colour(shown, mask)), whole)


@pytest.mark.parametrize("colour", [overlay, heat_map])
def test_large_pictures_are_coloured_in_little_memory(
    colour: Callable[[np.ndarray, np.ndarray], Image.Image],
) -> None:
    """Not in a hundred bytes a pixel."""
    shown, mask = np.zeros((2000, 3000, 3), np.uint8), np.zeros((2000, 3000), np.float32)
    colour(shown[:1], mask[:1])  # loads what it needs
    tracemalloc.start()
    try:
        colour(shown, mask)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 * mask.size
