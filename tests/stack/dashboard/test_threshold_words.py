"""Sentences of the page about a*, by the rule of its threshold."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.running_stack import Stack

from .using import CHANNELS, SWEEP

pytestmark = pytest.mark.e2e

NAME = "“American black bear”"
SEEN = "what the network sees"


MEANING = """async ({ result, words }) => {
  const optimum = await import("/static/optimum.js");
  return optimum.meaning(result, optimum[words](result)).map((one) => one.textContent ?? one).join("");
}"""


def told(page: Page, stack: Stack, address: str, *, scores: dict[str, Any], area: Any) -> None:
    """Show a result with other scores than it has, replaced on its way to the page."""
    result = stack.client.get(f"/v1/jobs/{address[-32:]}/result").json()
    result["scores"] |= scores
    body = json.dumps(result | {"optimal_area": area, "stability": None})
    page.route("**/result", lambda route: route.fulfill(body=body, content_type="application/json"))
    page.goto(address)


def meaning(
    page: Page,
    rule: str | None,
    variant: str,
    tau: float,
    area: float | None,
    words: str,
    areas: tuple[float, ...] = (0.1, 0.2),
) -> str:
    """Return the sentence about a*, without its full stop."""
    result = {
        "target": {"kind": "class", "index": 295, "label": "American black bear"},
        "params": {"variant": variant, "threshold": tau},
        "scores": {"threshold_rule": rule},
        "coverage": {"image": 0.5, "frame": 1},
        "layer": {"name": "features.18", "channels": 1280},
        "optimal_area": area,
        "curve": [{"area": one} for one in areas],
    }
    said: str = page.evaluate(MEANING, {"result": result, "words": words})
    return said


@pytest.mark.parametrize(
    ("rule", "variant", "tau", "area", "said"),
    [
        ("share-of-original", "preserve", 1, 0.2, f"20% of {SEEN} suffices for {NAME}."),
        ("share-of-original", "hybrid", 0.5, 0.2, f"20% of {SEEN} suffices for 50% of the score of {NAME}."),
        ("between", "preserve", 0.5, 0.2, f"20% of {SEEN} suffices for 50% of the way up to the score of {NAME}."),
        ("between", "preserve", 1, None,
         f"None of these areas suffices for {NAME}: the score stays below the threshold."),
        ("way-down", "delete", 1, 0.2, f"20% of {SEEN} removed destroys the score of {NAME}."),
        ("way-down", "delete", 0.5, 0.2,
         f"20% of {SEEN} removed lowers the score of {NAME} by 50% of the way to what it is in the fully "
         "perturbed image."),
        ("way-down", "delete", 0.5, None,
         f"None of these areas removed lowers the score of {NAME} by 50% of the way to what it is in the fully "
         "perturbed image."),
        ("none", "preserve", 1, None,
         f"There is no threshold: {NAME} scores no higher in the whole image than in the fully perturbed image."),
        (None, "delete", 0.5, 0.2, f"20% of {SEEN} removed destroys the score of {NAME}."),  # from before
    ],
)  # fmt: skip
def test_areas(blank: Page, rule: str | None, variant: str, tau: float, area: float | None, said: str) -> None:
    assert meaning(blank, rule, variant, tau, area, "shareOfImage") + "." == said


@pytest.mark.parametrize(
    ("variant", "tau", "said"),
    [
        ("preserve", 1, f"5% of {SEEN} doesn’t suffice for {NAME}: the score stays below the threshold"),
        ("delete", 1, f"5% of {SEEN} removed doesn’t destroy the score of {NAME}"),
        ("delete", 0.5, f"5% of {SEEN} removed doesn’t lower the score of {NAME} by 50% of the way to what it is in "
         "the fully perturbed image"),
    ],
)  # fmt: skip
def test_of_a_single_area_it_is_said_what_it_is_not(blank: Page, variant: str, tau: float, said: str) -> None:
    assert meaning(blank, "between", variant, tau, None, "shareOfImage", (0.05,)) == said


@pytest.mark.parametrize(
    ("scores", "area", "said", "lines"),
    [
        ({"threshold_rule": "share-of-original"}, 0.2, f"20% of {SEEN} suffices for {NAME}.", 1),
        ({"threshold_rule": "none", "threshold": None}, None,
         f"There is no threshold: {NAME} scores no higher in the whole image than in the fully perturbed image.", 0),
    ],
)  # fmt: skip
def test_the_page_says_so_and_draws_the_threshold(
    page: Page,
    stack: Stack,
    done: Callable[..., str],
    scores: dict[str, Any],
    area: float | None,
    said: str,
    lines: int,
) -> None:
    told(page, stack, done(**SWEEP), scores=scores, area=area)
    expect(page.locator("h1.answer")).to_have_text(said)
    page.get_by_text("Numbers").click()
    expect(page.locator("svg.curve text", has_text="whole image").first).to_be_visible()
    expect(page.locator("svg.curve text", has_text="threshold")).to_have_count(lines)


@pytest.mark.parametrize(
    ("rule", "variant", "tau", "count", "said"),
    [
        ("share-of-original", "preserve", 1, 100, f"100 of 1280 channels of features.18 suffice for {NAME}."),
        ("way-down", "delete", 0.5, 100,
         f"100 of 1280 channels of features.18 removed lower the score of {NAME} by 50% of the way to what it is "
         "without the channels of features.18."),
        ("none", "preserve", 1, None,
         f"There is no threshold: {NAME} scores no higher in the whole image than without the channels of "
         "features.18."),
    ],
)  # fmt: skip
def test_channels(blank: Page, rule: str, variant: str, tau: float, count: int | None, said: str) -> None:
    assert meaning(blank, rule, variant, tau, count, "countOfChannels") + "." == said


def test_the_page_of_channels_says_so(page: Page, stack: Stack, done: Callable[..., str]) -> None:
    told(page, stack, done(**CHANNELS), scores={"threshold_rule": "share-of-original"}, area=100)
    expect(page.locator("h1.answer")).to_have_text(f"100 of 1280 channels of features.18 suffice for {NAME}.")
