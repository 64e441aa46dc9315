"""The tabs of the form: what can be found, each with its own fields, and addresses that lead to them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.running_stack import Stack

from .accessibility import axe
from .using import asked, choose, choose_sample, explain, first_sample, quickly, turn_to

pytestmark = pytest.mark.e2e

TABS = ["Where", "Compare", "Inside", "Many images"]


def tab(page: Page, name: str) -> Locator:
    return page.get_by_role("tab", name=name, exact=True)


def test_each_tab_has_its_fields(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("tablist", name="What to find").get_by_role("tab")).to_have_text(TABS)
    expect(page.get_by_role("tabpanel", name="Where")).to_contain_text("Which part of the image is enough")
    expect(page.get_by_role("group", name="Methods")).to_be_hidden()

    turn_to(page, "Compare")
    panel = page.get_by_role("tabpanel", name="Compare")
    expect(panel.get_by_role("group", name="Methods").get_by_role("checkbox")).to_have_count(20)
    expect(page.get_by_label("Layer", exact=True)).to_be_hidden()

    turn_to(page, "Inside")
    expect(page.get_by_label("Layer", exact=True)).to_be_visible()
    expect(page.get_by_role("group", name="Which of them").get_by_role("button")).to_have_text(
        ["Channels", "Class channels"]
    )
    page.get_by_role("button", name="Class channels", exact=True).click()
    expect(page.get_by_role("tabpanel")).to_contain_text("over several images")

    turn_to(page, "Many images")
    expect(page.get_by_role("group", name="Which of them").get_by_role("button")).to_have_text(
        ["Where", "Compare", "Inside"]
    )


def test_arrow_keys_move_among_the_tabs(page: Page) -> None:
    page.goto("/")
    tab(page, "Where").focus()
    moves = {"ArrowRight": "Compare", "End": "Many images", "Home": "Where", "ArrowLeft": "Many images"}
    for key, now in moves.items():
        page.keyboard.press(key)
        expect(tab(page, now)).to_be_focused()
        expect(tab(page, now)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Home")
    page.keyboard.press("Tab")  # on to the panel, not to another tab
    assert page.evaluate("document.activeElement.closest('[role=tablist]')") is None
    assert page.locator("[role=tab][tabindex='0']").count() == 1


def test_an_address_leads_to_a_task_and_a_model_and_the_page_keeps_it(page: Page, stack: Stack) -> None:
    quickly(page, iterations=3)
    page.goto("/#/?task=class_channels&model=mobilenet_small")
    expect(tab(page, "Inside")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("button", name="Class channels", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("combobox", name="Model")).to_have_value("mobilenet_small")
    turn_to(page, "Many images")
    page.reload()
    expect(tab(page, "Many images")).to_have_attribute("aria-selected", "true")
    page.evaluate("location.hash = '#/?task=channels'")
    expect(tab(page, "Inside")).to_have_attribute("aria-selected", "true")
    choose_sample(page)
    page.get_by_label("Layer", exact=True).select_option("features.18")
    choose(page, "Preset", "fast")
    page.get_by_label("How many channels").fill("10")
    explain(page)
    task: dict[str, Any] = asked(page, stack)
    assert (task["task"], task["model"], task["layer"]) == ("channels", "mobilenet_small", "features.18")
    page.get_by_role("button", name="Cancel").or_(page.get_by_role("button", name="Delete")).first.click()


def test_every_tab_offers_the_targets_that_the_model_takes(page: Page, stack: Stack) -> None:
    """What a model takes is told by its card, here another one's."""
    card = stack.client.get("/v1/models/mobilenet_v2").json()
    targets = ["class", "contrast", "text", "segment", "similar"]
    page.route("**/v1/models/mobilenet_v2", lambda route: route.fulfill(json=card | {"targets": targets}))
    first_sample(page)
    for name in TABS:
        turn_to(page, name)
        panel = page.get_by_role("tabpanel", name=name)
        expect(panel.get_by_label("Class", exact=True)).to_be_visible()
        expect(panel.get_by_text("or any text")).to_be_visible()
        for field in ("Similar to", "Within a region"):
            expect(panel.get_by_role("group", name=field)).to_be_visible()
        expect(page.locator("#ask .drawing.on")).to_have_count(0 if name == "Many images" else 1)  # a box, by hand


@pytest.mark.parametrize("kind", ["page", "dark_page", "phone"])
def test_every_tab_is_for_everybody(kind: str, request: pytest.FixtureRequest) -> None:
    page: Page = request.getfixturevalue(kind)
    first_sample(page)
    for name in TABS:
        turn_to(page, name)
        expect(page.get_by_role("tabpanel", name=name)).to_be_visible()
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
