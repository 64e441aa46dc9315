"""A comparison's tiles: enlarged, and every method's top area under one slider."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.running_stack import Stack

from .accessibility import axe
from .using import COMPARED, bounds, post
from .watching import Watch

pytestmark = pytest.mark.e2e

TOP = """async ({ map, width, frame, share }) => {
  const { topArea } = await import("/static/topareas.js");
  const [left, top, right, bottom] = frame;
  return [...topArea(Uint8Array.from(map), width, { left, top, right, bottom }, share)];
}"""


@pytest.mark.parametrize("share", [0.05, 0.3, 1])
@pytest.mark.parametrize("levels", [256, 4])
def test_a_top_area_is_the_highest_pixels_of_the_frame(blank: Page, share: float, levels: int) -> None:
    height, width, frame = 20, 30, (5, 2, 25, 18)
    map_ = np.random.default_rng(levels).integers(0, levels, (height, width))
    asked = {"map": map_.flatten().tolist(), "width": width, "frame": frame, "share": share}
    found = np.array(blank.evaluate(TOP, asked)).reshape(height, width) / 255
    inside = np.zeros((height, width), dtype=bool)
    inside[frame[1] : frame[3], frame[0] : frame[2]] = True
    assert not found[~inside].any()
    assert found[inside].mean() == pytest.approx(share, abs=0.003)  # equals are kept in part, in bytes
    values = map_[inside]
    assert values[found[inside] == 1].min(initial=255) >= values[found[inside] < 1].max(initial=0)


def test_one_slider_shows_every_methods_top_area(page: Page, stack: Stack, done: Callable[..., str]) -> None:
    address = done(**COMPARED)
    methods = stack.client.get(f"/v1/jobs/{address[-32:]}/result").json()["methods"]
    page.goto(address)
    expect(page.locator(".tile-button canvas:visible")).to_have_count(0)
    expect(page.get_by_alt_text("The image")).to_be_visible()
    page.get_by_label("How much to reveal").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tile-button canvas:visible")).to_have_count(len(methods))
    expect(page.locator(".tile-button img:visible")).to_have_count(0)
    for one in methods:
        tile = page.locator(".methods figure", has_text=one["title"])
        expect(tile.locator(".keeps")).to_contain_text("30% kept: ")
    page.get_by_role("button", name="Top areas removed").click()
    expect(page.locator(".methods .keeps").first).to_contain_text("30% removed: ")
    axe(page)
    page.reload()  # the address holds it
    expect(page.locator(".tile-button canvas:visible")).to_have_count(len(methods))
    page.get_by_role("button", name="Maps").click()
    expect(page.locator(".tile-button img:visible")).to_have_count(len(methods))


def test_a_tile_whose_map_fails_says_so_and_is_drawn_at_the_next_area(
    page: Page, watch: Watch, done: Callable[..., str]
) -> None:
    watch.allow("ERR_FAILED")
    page.goto(done(**COMPARED))
    tile = page.locator(".methods figure", has_text="Grad-CAM")
    page.route("**/maps/grad_cam.png", lambda route: route.abort(), times=1)
    slider = page.get_by_label("How much to reveal")
    slider.press("Home")
    expect(tile.locator(".keeps")).to_contain_text("can’t be reached")
    slider.press("End")
    expect(tile.locator(".keeps")).to_contain_text("30% kept: ")
    expect(tile.locator("canvas")).to_be_visible()


def test_a_tile_is_enlarged_by_keyboard(page: Page, done: Callable[..., str]) -> None:
    page.goto(done(**COMPARED))
    tile = page.get_by_role("button", name="Enlarge: Grad-CAM")
    tile.focus()
    page.keyboard.press("Enter")
    large = page.get_by_role("dialog").get_by_alt_text("Grad-CAM")
    expect(large).to_be_visible()
    before, after = bounds(tile), bounds(large)
    assert after["width"] > 2 * before["width"]
    axe(page)
    page.keyboard.press("Escape")
    expect(large).to_be_hidden()
    expect(tile).to_be_focused()


def test_without_its_image_a_comparison_has_its_maps(page: Page, stack: Stack) -> None:
    job = stack.finish(post(stack, COMPARED | {"areas": [0.2]}, keep=False))
    page.goto(f"/#/job/{job['id']}?tiles=top")
    expect(page.locator(".tile-button img:visible")).to_have_count(3)
    expect(page.get_by_alt_text("The image")).to_have_count(0)
    expect(page.get_by_role("button", name="Maps")).to_have_count(0)


def test_its_page_opens_from_disk_and_its_slider_moves(
    page: Page, browser: Browser, done: Callable[..., str], tmp_path: Path
) -> None:
    page.goto(done(**COMPARED))
    page.get_by_text("Download & share").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Page of the result (HTML)").click()
    saved.value.save_as(tmp_path / "result.html")
    alone, asked = browser.new_page(), list[str]()
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto((tmp_path / "result.html").as_uri())
    expect(alone.locator(".tile-button img:visible")).to_have_count(len(COMPARED["methods"]))
    alone.get_by_label("How much to reveal").press("Home")
    expect(alone.locator(".tile-button canvas:visible")).to_have_count(len(COMPARED["methods"]))
    expect(alone.locator(".keeps").first).to_contain_text("10% kept: ")
    assert [url for url in asked if not url.startswith(("data:", "blob:", "file:"))] == []
    alone.close()
