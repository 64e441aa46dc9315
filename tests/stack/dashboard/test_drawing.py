"""A box that is drawn on the image is the target of a detector."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.running_stack import Stack

from .using import bounds, first_sample
from .watching import Watch

pytestmark = pytest.mark.e2e

WIDTH, HEIGHT = 640, 427  # of the first sample


def detects(page: Page, stack: Stack, kind: str) -> None:
    """Let the default model's card say that it takes another kind of target."""
    card = stack.client.get("/v1/models/mobilenet_v2").json()
    page.route("**/v1/models/mobilenet_v2", lambda route: route.fulfill(json=card | {"targets": ["class", kind]}))


def draw(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag from one place to another, as shares of the image's sides."""
    shown = bounds(page.get_by_alt_text("The chosen image"))
    points = [(shown["x"] + x * shown["width"], shown["y"] + y * shown["height"]) for x, y in (start, end)]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=4)
    page.mouse.up()


@pytest.mark.parametrize(("kind", "word"), [("box", "at"), ("segment", "within")])
def test_a_box_is_drawn_and_asked(page: Page, stack: Stack, watch: Watch, kind: str, word: str) -> None:
    watch.allow("ERR_FAILED")
    posted: list[dict[str, Any]] = []

    def refuse(route: Route) -> None:
        posted.append(json.loads(re.search(r'name="params"\r\n\r\n(.*)\r\n', route.request.post_data or "")[1]))  # type: ignore[index]
        route.abort()

    detects(page, stack, kind)
    first_sample(page)
    page.route("**/v1/jobs", refuse, times=1)
    expect(page.get_by_text("draw a box on the image")).to_be_visible()
    field = page.get_by_label("Class", exact=True)
    field.fill("tabby")
    draw(page, (0.25, 0.5), (0.75, 0.9))
    expect(field).to_have_value(re.compile(rf"^tabby {word} \d+, \d+, \d+, \d+$"))
    box = [int(edge) for edge in re.findall(r"\d+", field.input_value())]
    for edge, wanted in zip(box, (WIDTH / 4, HEIGHT / 2, WIDTH * 3 / 4, HEIGHT * 0.9), strict=True):
        assert edge == pytest.approx(wanted, abs=3)
    mark = bounds(page.locator("#ask .box-mark"))
    shown = bounds(page.get_by_alt_text("The chosen image"))
    assert mark["width"] == pytest.approx(shown["width"] / 2, abs=6)
    assert mark["x"] - shown["x"] == pytest.approx(shown["width"] / 4, abs=6)
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_role("alert").filter(has_text="can’t be reached")).to_be_visible()
    name, place = ("label", "box") if kind == "box" else ("segment", "within")
    assert posted[0]["target"] == {name: "tabby", place: box}


def test_a_box_of_a_segmenter_is_of_the_top_class(page: Page, stack: Stack) -> None:
    detects(page, stack, "segment")
    first_sample(page)
    chip = page.get_by_role("button", name="American black bear")
    expect(chip).to_be_visible()
    draw(page, (0.25, 0.5), (0.75, 0.9))
    expect(page.get_by_label("Class", exact=True)).to_have_value(re.compile("^American black bear within [0-9]"))
    expect(page.locator("#ask .box-mark")).to_have_count(1)


def test_a_box_of_no_class_is_not_posted(page: Page, stack: Stack, watch: Watch) -> None:
    watch.allow("ERR_FAILED")
    detects(page, stack, "segment")
    page.route("**/v1/classify", lambda route: route.abort())
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    first_sample(page)
    draw(page, (0.25, 0.5), (0.75, 0.9))
    expect(page.get_by_label("Class", exact=True)).to_have_value(re.compile("^within [0-9]"))
    page.get_by_role("button", name="Explain", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="Name the class first")).to_be_visible()
    assert not [url for url in posted if url.endswith("/v1/jobs")]


def test_a_box_is_drawn_anew_and_taken_away(page: Page, stack: Stack) -> None:
    detects(page, stack, "box")
    first_sample(page)
    field = page.get_by_label("Class", exact=True)
    draw(page, (0.7, 0.6), (0.2, 0.1))
    expect(field).to_have_value(re.compile(r"^at \d+, \d+, \d+, \d+$"))
    first = field.input_value()
    draw(page, (0.5, 0.5), (0.5, 0.5))  # a click
    expect(field).to_have_value(first)
    draw(page, (0.1, 0.1), (0.3, 0.3))
    expect(field).not_to_have_value(first)
    field.fill("")
    expect(page.locator("#ask .box-mark")).to_have_count(0)


def test_a_classifier_has_no_boxes(page: Page) -> None:
    first_sample(page)
    draw(page, (0.1, 0.1), (0.6, 0.6))
    expect(page.get_by_label("Class", exact=True)).to_have_value("")
    expect(page.locator("#ask .box-mark")).to_have_count(0)
