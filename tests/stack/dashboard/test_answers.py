"""Blocks beside the masks: stability, alternatives, and the contrast with the rival class."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ep_core.cli import verdicts
from ep_core.pictures.result_page import VIEW
from tests.running_stack import Stack
from tests.small_jobs import MASKS_ONLY

from .accessibility import axe
from .using import changes_the_picture, pixels, post, shows_area

pytestmark = pytest.mark.e2e

EASY = {"areas": [0.1, 0.3], "iterations": 12, "threshold": 0.15, "check_extremality": False}
"""A threshold so low that another region is found, too."""
STEADINESS = """async (result) => {
  const { steadiness } = await import("/static/steadiness.js");
  return steadiness(result);
}"""


def told(page: Page, stack: Stack, address: str, **blocks: Any) -> None:
    """Show a result, some of its blocks replaced on its way to the page."""
    result = stack.client.get(f"/v1/jobs/{address[-32:]}/result").json() | blocks
    page.route("**/result", lambda route: route.fulfill(body=json.dumps(result), content_type="application/json"))
    page.goto(address)


def walks(agreement: float, least: float | None, most: float | None) -> dict[str, Any]:
    points = [{"area": area, "agreement": one, "spread": 0.5} for area, one in ((0.1, agreement), (0.3, 0.2))]
    return {"walks": 12, "saliency_correlation": 0.9, "optimal_areas": [least, most], "points": points}


@pytest.mark.parametrize(
    ("agreement", "said"),
    [
        (0.7, "Steady: another run gives nearly the same region at 10%. It may choose another at 30%."),
        (0.5, "Mostly steady: another run gives mostly the same region at 10%. It may choose another at 30%."),
        (0.39, "Varies: another run may choose another region at 10%."),
    ],
)
def test_how_steady_an_answer_is(blank: Page, agreement: float, said: str) -> None:
    result = {"stability": walks(agreement, 0.1, 0.3), "optimal_area": 0.1}
    assert blank.evaluate(STEADINESS, result) == said


def test_the_page_says_how_steady_it_is(page: Page, stack: Stack, done: Callable[..., str]) -> None:
    told(page, stack, done(**EASY), stability=walks(0.7, 0.1, 0.3))
    expect(page.locator(".steadiness")).to_contain_text("Steady: another run gives nearly the same region at 10%.")
    expect(page.locator("h1.answer")).to_contain_text("(10% to 30% where runs differ).")
    page.get_by_text("Numbers").click()
    expect(page.get_by_role("columnheader", name="Agreement")).to_be_visible()


def test_warnings_stand_above_the_answer(page: Page, stack: Stack, done: Callable[..., str]) -> None:
    odd = [{"kind": "white-level", "detail": "Set white_level to 4095."}, {"kind": "other", "detail": "<b>Odd</b>"}]
    told(page, stack, done(**EASY), warnings=odd)
    expect(page.get_by_role("list", name="Warnings").get_by_role("listitem")).to_have_text(
        ["Set white_level to 4095.", "<b>Odd</b>"]
    )


def test_the_page_and_the_terminal_mean_the_same_by_steady() -> None:
    text = (VIEW / "steadiness.js").read_text()
    found = {name: float(value) for name, value in re.findall(r"export const (\w+) = ([\d.]+);", text)}
    assert found == {"NEARLY_THE_SAME": verdicts.NEARLY_THE_SAME, "MOSTLY_THE_SAME": verdicts.MOSTLY_THE_SAME}


def test_either_this_or_that(page: Page, stack: Stack, done: Callable[..., str]) -> None:
    address = done(**EASY)
    (other,) = stack.client.get(f"/v1/jobs/{address[-32:]}/result").json()["alternatives"]
    page.goto(address)
    shows_area(page, "10%")
    this, that = (page.get_by_role("button", name=name) for name in ("Either this", "or that"))
    expect(this).to_have_attribute("aria-pressed", "true")
    before = pixels(page)
    that.focus()
    page.keyboard.press("Enter")
    expect(that).to_have_attribute("aria-pressed", "true")
    expect(this).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("status").filter(has_text="Another 10% that suffices")).to_contain_text(
        "when only this is kept"
    )
    changes_the_picture(page, before)
    expect(page.locator("canvas")).to_have_attribute("aria-label", "The image under another mask of 10%")
    best = other["predictions"]["preserve"][0]["label"]
    expect(page.locator(".predicted li").first).to_contain_text(best)
    axe(page)
    page.reload()  # the address holds it
    expect(that).to_have_attribute("aria-pressed", "true")
    this.click()
    shows_area(page, "10%")


def test_why_this_class_and_not_its_rival(phone: Page, stack: Stack, done: Callable[..., str]) -> None:
    address = done(**EASY)
    contrast = stack.client.get(f"/v1/jobs/{address[-32:]}/result").json()["contrast"]
    phone.goto(address)
    shows_area(phone, "10%")
    before = pixels(phone)
    phone.get_by_role("button", name=f"Why American black bear and not {contrast['rival']['label']}").click()
    expect(phone.locator("output")).to_contain_text(
        f"“{contrast['rival']['label']}” {contrast['rival_score']:.2f}: {contrast['preserve']:.2f} apart"
    )
    changes_the_picture(phone, before)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    axe(phone)


def test_without_other_answers_there_is_nothing_to_choose(page: Page, stack: Stack, done: Callable[..., str]) -> None:
    told(page, stack, done(**EASY), stability=None, alternatives=[], contrast=None)
    shows_area(page, "10%")
    expect(page.locator(".which, .steadiness")).to_have_count(0)


def test_other_answers_without_the_image_are_overlays(page: Page, stack: Stack) -> None:
    job = stack.finish(post(stack, {"areas": [0.3], "iterations": 1, **MASKS_ONLY, "contrast": True}, keep=False))
    page.goto(f"/#/job/{job['id']}")
    page.get_by_role("button", name=re.compile("^Why ")).click()
    expect(
        page.get_by_alt_text(re.compile("^The mask for “American black bear” and not .* over the image$"))
    ).to_be_visible()


def test_a_mask_that_a_rival_led_to_is_said(page: Page, stack: Stack, done: Callable[..., str]) -> None:
    points = [
        {"area": 0.1, "rank": 1, "beaten_by": [], "found_by": "grad_cam"},
        {"area": 0.2, "rank": 1, "beaten_by": [], "found_by": "alternative"},
    ]
    checked = {"extremal": True, "methods": ["grad_cam"], "random_masks": 4, "tolerance": 0.001, "points": points}
    told(page, stack, done(**EASY), extremality=checked)
    page.get_by_text("Numbers").click()
    said = page.get_by_text("No rival of the same area scores higher by more than 0.1%")
    expect(said).to_contain_text("At 10%, the mask was found by way of grad cam")
    expect(said).to_contain_text("At 20%, the mask was found by the search for another sufficient region")
