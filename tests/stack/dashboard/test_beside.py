"""Two results beside each other, and where their masks differ."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from tests.running_stack import SAMPLES, Stack
from tests.small_jobs import MASKS_ONLY

from .accessibility import axe
from .using import SWEEP

pytestmark = pytest.mark.e2e

COMMON = """async ({ first, second, side }) => {
  const { difference } = await import("/static/difference.js");
  const [base, out] = [new ImageData(side, side), new ImageData(side, side)];
  base.data.fill(200);
  const common = difference(base, Uint8Array.from(first), Uint8Array.from(second), out);
  return { common, pixels: [...out.data] };
}"""


def differ(blank: Page, first: Any, second: Any) -> tuple[float, Any]:
    asked = {"first": first.flatten().tolist(), "second": second.flatten().tolist(), "side": len(first)}
    found = blank.evaluate(COMMON, asked)
    return found["common"], np.array(found["pixels"]).reshape(*first.shape, 4)[:, :, :3]


def test_the_difference_of_two_masks(blank: Page) -> None:
    first, second = np.zeros((2, 4, 4), dtype=int)
    first[:2], second[:, :2] = 255, 255
    common, shown = differ(blank, first, second)
    assert common == pytest.approx(4 / 12)
    assert (shown[:2, :2] == 200).all()  # both: as it is
    assert (np.diff(shown[2:, 2:].reshape(-1, 3), axis=1) == 0).all()  # neither: grey
    blue, red = shown[0, 3], shown[3, 0]
    assert blue[2] > blue[0]
    assert red[0] > red[2]


def test_equal_masks_have_all_in_common_and_empty_ones_too(blank: Page) -> None:
    mask = np.array([[255, 0], [127, 128]])
    assert differ(blank, mask, mask)[0] == 1
    assert differ(blank, np.zeros((2, 2), int), np.zeros((2, 2), int))[0] == 1


def test_another_seed_beside_it(page: Page, stack: Stack, finish: Callable[..., dict[str, Any]]) -> None:
    one, other = finish(**SWEEP), finish(**SWEEP, seed=7)
    page.goto(f"/#/job/{one['id']}?area=0.2")
    page.get_by_text("Compare with another result").click()
    choice = page.get_by_label("The other result")
    option = choice.locator("option", has_text=re.compile("American black bear .* seed 7"))
    choice.select_option(option.first.get_attribute("value"))
    expect(page.locator(".pair figure")).to_have_count(3)
    expect(page.locator(".pair")).to_contain_text(re.compile(r"\d+% in common of what either keeps"))
    before = page.locator(".pair figure").last.inner_text()
    page.get_by_label("How much to reveal").focus()
    page.keyboard.press("End")
    expect(page.locator(".pair figure").nth(1)).to_contain_text("60% of what the network sees")
    expect(page.locator(".pair figure").last).not_to_have_text(before)
    axe(page)
    page.reload()  # the address holds it
    expect(page.locator(".pair figure")).to_have_count(3)
    assert other["id"] in page.url


def test_a_choice_that_comes_late_replaces_no_newer_one(page: Page, finish: Callable[..., dict[str, Any]]) -> None:
    one, slow, quick = finish(**SWEEP), finish(**SWEEP, seed=7), finish(**SWEEP, seed=8)
    held: list[Route] = []
    page.route(f"**/v1/jobs/{slow['id']}/result", lambda route: held.append(route))
    page.goto(f"/#/job/{one['id']}")
    page.get_by_text("Compare with another result").click()
    choice = page.get_by_label("The other result")
    choice.select_option(slow["id"])
    choice.select_option(quick["id"])
    expect(page.locator(".pair figure")).to_have_count(3)
    pair = page.locator(".pair").element_handle()
    held.pop().continue_()
    page.wait_for_timeout(500)  # time to come
    assert pair.evaluate("node => node.isConnected")
    assert quick["id"] in page.url


def test_an_area_that_comes_late_replaces_no_newer_one(page: Page, finish: Callable[..., dict[str, Any]]) -> None:
    one, other = finish(**SWEEP), finish(**SWEEP, seed=7)
    page.goto(f"/#/job/{one['id']}?area=0.6&with={other['id']}")
    said = page.locator(".pair figcaption").last
    expect(said).to_contain_text("in common")
    at_most = said.inner_text()
    held: list[Route] = []
    page.route(f"**/v1/jobs/{other['id']}/masks/0.05.png", lambda route: held.append(route))
    slider = page.get_by_label("How much to reveal")
    slider.press("Home")
    while not held:
        page.wait_for_timeout(20)
    slider.press("End")
    page.wait_for_timeout(200)  # the newer one is there
    held.pop().continue_()
    page.wait_for_timeout(500)  # time to come
    expect(said).to_have_text(at_most)


def test_another_photograph_has_no_difference(page: Page, stack: Stack, done: Callable[..., str]) -> None:
    params = {"areas": [0.2], "iterations": 2, **MASKS_ONLY}
    data = {"params": json.dumps(params), "keep_images": "true"}
    files = {"image": (SAMPLES / "goose.jpg").read_bytes()}
    other = stack.finish(stack.client.post("/v1/jobs", files=files, data=data).json())
    page.goto(done(**SWEEP) + f"?with={other['id']}")
    expect(page.locator(".pair figure")).to_have_count(2)
    expect(page.get_by_text("They are of different images")).to_be_visible()
