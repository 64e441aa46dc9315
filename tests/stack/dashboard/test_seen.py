"""The page on a result: the part of the image that the network saw, and its predictions for each part."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.pictures import encode
from tests.running_stack import Stack
from tests.small_jobs import MASKS_ONLY

from .accessibility import axe
from .test_answers import told
from .using import A_JOB, BEAR, SWEEP, bounds, pixels, post, quickly, read, shows_area

pytestmark = pytest.mark.e2e

SLIDER = "How much to reveal"
CHANCES = """async (values) => {
  const { chance } = await import("/static/words.js");
  return values.map(chance);
}"""
OUTLINED = """async ({ colour, side }) => {
  const { outline } = await import("/static/outline.js");
  const { make } = await import("/static/canvas.js");
  const [image, mask] = [make(side, side), make(side, side)];
  mask.getContext("2d").fillRect(side / 4, side / 4, side / 2, side / 2);
  const context = image.getContext("2d");
  context.fillStyle = colour;
  context.fillRect(0, 0, side, side);
  outline(context, mask);
  return image.toDataURL();
}"""


@pytest.fixture
def result(stack: Stack, done: Callable[..., str]) -> dict[str, Any]:
    found: dict[str, Any] = stack.client.get(f"/v1/jobs/{done(**SWEEP)[-32:]}/result").raise_for_status().json()
    return found


def test_the_network_says_its_top_classes_of_each_part(
    page: Page, result: dict[str, Any], done: Callable[..., str]
) -> None:
    page.goto(done(**SWEEP) + "?area=0.2")
    shows_area(page, "20%")
    (point,) = (one for one in result["curve"] if one["area"] == 0.2)
    rows = page.locator(".predicted li:visible .name")
    for button, side in (("Keep only this", "preserve"), ("Remove this", "delete")):
        page.get_by_role("button", name=button).click()
        expected = [one["label"] for one in point["predictions"][side]]
        expect(page.locator(".predicted li .name").first).to_have_text(expected[0])
        assert rows.all_inner_texts()[:5] == expected
        if result["target"]["label"] not in expected:
            assert rows.all_inner_texts()[5:] == [result["target"]["label"]]
    expect(page.locator(".predictions .says")).to_contain_text("with 20% removed")
    before = page.locator(".predicted li .num").all_inner_texts()
    page.get_by_label(SLIDER).focus()
    page.keyboard.press("End")
    expect(page.locator(".predictions .says")).to_contain_text("with 60% removed")
    assert page.locator(".predicted li .num").all_inner_texts() != before
    axe(page)


def test_results_from_before_show_their_scores(
    page: Page, stack: Stack, result: dict[str, Any], done: Callable[..., str]
) -> None:
    scores = result["scores"] | {"predictions": None}
    curve = [one | {"predictions": None, "delete_probability": None} for one in result["curve"]]
    told(page, stack, done(**SWEEP), scores=scores, curve=curve)
    expect(page.locator("output")).to_contain_text("when only this is kept")
    expect(page.locator("output")).to_contain_text(f"score {curve[-1]['delete']:.2f} when it is removed")
    expect(page.locator(".predictions")).to_have_count(0)


def test_probabilities_are_written_as_people_do(blank: Page) -> None:
    values = [0, 0.0004, 0.004, 0.012, 0.3149, 0.924, 0.9971, 0.99951, 1]
    assert blank.evaluate(CHANCES, values) == [
        "<0.1%",
        "<0.1%",
        "0.4%",
        "1%",
        "31%",
        "92%",
        "99.7%",
        ">99.9%",
        ">99.9%",
    ]


def test_what_the_network_never_saw_is_shown_as_such(
    page: Page, stack: Stack, result: dict[str, Any], done: Callable[..., str]
) -> None:
    address = done(**SWEEP)
    page.goto(address)
    crop = page.get_by_text("The network sees only this")
    expect(crop).to_be_visible()
    answer = "None of these areas" if result["optimal_area"] is None else "of what the network sees"
    expect(page.locator("h1.answer")).to_contain_text(answer)
    expect(page.get_by_text("The network sees 51% of the image; it never saw the rest.")).to_be_visible()
    shown, frame = read(pixels(page)), result["frame"]
    outside = np.ones(shown.shape[:2], dtype=bool)
    outside[round(frame["top"]) : round(frame["bottom"]), round(frame["left"]) : round(frame["right"])] = False
    assert np.ptp(shown[outside], axis=1).max() <= 1  # no colour
    picture = Image.open(io.BytesIO(stack.client.get(f"/v1/jobs/{address[-32:]}/images/0?size=900").content))
    assert shown[outside].std() < 0.5 * np.asarray(picture, dtype=float)[outside].std()
    canvas, box = bounds(page.locator("canvas")), bounds(page.locator(".crop"))
    assert (box["x"] - canvas["x"]) / canvas["width"] == pytest.approx(frame["left"] / 640, abs=0.01)
    page.get_by_role("button", name="Original", exact=True).click()
    expect(crop).to_be_hidden()


def test_the_spotlight_keeps_colour_inside_the_mask_only(
    page: Page, stack: Stack, result: dict[str, Any], done: Callable[..., str]
) -> None:
    address = done(**SWEEP)
    page.goto(address + "?area=0.6")
    expect(page.get_by_role("button", name="Spotlight")).to_have_attribute("aria-pressed", "true")
    shows_area(page, "60%")
    job, frame = f"/v1/jobs/{address[-32:]}", result["frame"]
    mask = np.asarray(Image.open(io.BytesIO(stack.client.get(f"{job}/masks/0.6.png").content)), dtype=float) / 255
    picture = Image.open(io.BytesIO(stack.client.get(f"{job}/images/0?size=900").content))
    base = np.asarray(picture, dtype=float)
    grey = 0.34 * base @ [0.299, 0.587, 0.114]
    expected = grey[:, :, None] + mask[:, :, None] * (base - grey[:, :, None])
    inside = (
        slice(round(frame["top"]), round(frame["bottom"])),
        slice(round(frame["left"]), round(frame["right"])),
    )
    assert np.abs(read(pixels(page)) - expected)[inside].max() <= 1.5


@pytest.mark.parametrize("colour", ["#000", "#fff", "#a8481a", "#808080"])
def test_an_outline_is_seen_on_every_colour(blank: Page, colour: str) -> None:
    drawn = read(blank.evaluate(OUTLINED, {"colour": colour, "side": 80}))
    ground = drawn[0, 0]
    assert np.abs(drawn - ground).sum(axis=2).max() > 3 * 100


@pytest.mark.parametrize(
    ("button", "fit"), [("Show it the whole image", "whole"), ("Stretch the image to fit", "stretch")]
)
def test_another_fit_is_a_click_away(page: Page, stack: Stack, done: Callable[..., str], button: str, fit: str) -> None:
    quickly(page)
    address = done(**SWEEP)
    page.goto(address)
    page.get_by_role("button", name=button).click()
    expect(page).not_to_have_url(re.compile(address[-32:]))
    expect(page).to_have_url(A_JOB)
    expect(page.get_by_text("The network sees the whole image")).to_be_visible()
    expect(page.locator(".crop")).to_have_count(0)
    found = re.search(r"[0-9a-f]{32}", page.url)
    assert found is not None
    job = stack.client.get(f"/v1/jobs/{found[0]}").json()
    assert job["params"] == stack.client.get(f"/v1/jobs/{address[-32:]}").json()["params"] | {"fit": fit}
    result = stack.client.get(f"/v1/jobs/{found[0]}/result").json()
    assert result["coverage"]["image"] == pytest.approx(1)
    assert page.get_by_role("button", name="Use the network’s own crop").is_visible()


def test_one_area_is_no_chart(page: Page, stack: Stack) -> None:
    job = stack.finish(post(stack, {"areas": [0.2], "iterations": 3, **MASKS_ONLY}))
    page.goto(f"/#/job/{job['id']}")
    shows_area(page, "20%")
    expect(page.get_by_label(SLIDER)).to_have_count(0)
    expect(page.locator("svg .bar")).to_have_count(0)
    expect(page.get_by_role("button", name="Play")).to_have_count(0)


def test_each_term_is_explained_where_it_stands(page: Page, done: Callable[..., str]) -> None:
    page.goto(done(**SWEEP))
    page.get_by_text("Numbers").click()
    for name in ("strength", "score", "threshold"):
        page.get_by_role("button", name=f"What is “{name}”?").focus()
        page.keyboard.press("Enter")
        meaning = page.locator(".meaning:popover-open")
        expect(meaning).to_contain_text(f"{name}: ")
        axe(page)
        page.keyboard.press("Escape")
        expect(meaning).to_have_count(0)


def test_a_box_lies_on_a_portrait(page: Page, stack: Stack) -> None:
    file = encode(Image.open(BEAR).rotate(90, expand=True), "JPEG")
    params = {"areas": [0.2], "iterations": 1, **MASKS_ONLY}
    data = {"params": json.dumps(params), "keep_images": "true"}
    job = stack.finish(stack.client.post("/v1/jobs", files={"image": file}, data=data).json())
    box = {"label": None, "box": [0, 320, 427, 640]}  # its lower half
    told(page, stack, f"/#/job/{job['id']}", params=job["params"] | {"target": box})
    shows_area(page, "20%")
    image, mark = (bounds(page.locator(part)) for part in ("#stage canvas", "#stage .box-mark"))
    assert (mark["x"], mark["width"]) == pytest.approx((image["x"], image["width"]), abs=1)
    assert (mark["y"], mark["height"]) == pytest.approx((image["y"] + image["height"] / 2, image["height"] / 2), abs=1)


def test_a_tablet_has_both_columns(open_page: Callable[..., Page], done: Callable[..., str]) -> None:
    tablet = open_page(viewport={"width": 820, "height": 1180})
    tablet.goto(done(**SWEEP))
    expect(tablet.locator("canvas")).to_be_visible()
    picture, says = (bounds(tablet.locator(part)) for part in (".seen", ".predictions"))
    assert says["x"] > picture["x"] + picture["width"]
    assert tablet.evaluate("document.documentElement.scrollWidth <= innerWidth")
