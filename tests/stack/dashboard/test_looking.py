"""The views of a sweep, a comparison and channels."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.running_stack import Stack
from tests.small_jobs import MASKS_ONLY

from .accessibility import axe
from .conftest import OpenPage
from .using import CHANNELS, COMPARED, SWEEP, becomes, bounds, changes_the_picture, pixels, post, shows_area
from .watching import Watch

pytestmark = pytest.mark.e2e

SLIDER = "How much to reveal"
ONCE = """async () => {
  const { onceEach } = await import("/static/once.js");
  let calls = 0;
  const make = onceEach(async (key) => {
    calls += 1;
    if (calls === 1) throw new Error("failed");
    return `${key} ${calls}`;
  });
  return [await make("a").catch(({ message }) => message), await make("a"), await make("a"), await make("b")];
}"""


def open_sweep(page: Page, done: Callable[..., str], view: str = "") -> Page:
    page.goto(done(**SWEEP) + view)
    expect(page.locator("canvas")).to_be_visible()
    return page


def test_a_sweep_is_revealed_by_its_slider(page: Page, done: Callable[..., str]) -> None:
    slider = open_sweep(page, done).get_by_label(SLIDER)
    said = page.locator("output")
    slider.focus()
    page.keyboard.press("Home")
    expect(said).to_contain_text("5% of what the network sees")
    shows_area(page, "5%")
    first = pixels(page)
    page.keyboard.press("ArrowRight")
    expect(said).to_contain_text("20% of what the network sees")
    changes_the_picture(page, first)
    page.locator("svg .bar").last.click()
    expect(slider).to_have_value("2")
    page.get_by_text("Numbers").click()
    page.locator("svg .keep-point").first.click()
    expect(slider).to_have_value("0")


def test_it_plays(page: Page, done: Callable[..., str]) -> None:
    slider = open_sweep(page, done, "?area=0.05").get_by_label(SLIDER)
    page.get_by_role("button", name="Play").click()
    expect(slider).to_have_value("1")
    expect(slider).to_have_value("2")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_what_is_outside_the_mask_can_be_shown_otherwise(page: Page, done: Callable[..., str]) -> None:
    seen = [pixels(open_sweep(page, done))]
    for mode in ("Blur", "Black", "Outline", "Original"):
        page.get_by_role("button", name=mode, exact=True).click()
        changes_the_picture(page, seen[-1])
        expect(page.get_by_role("button", name=mode, exact=True)).to_have_attribute("aria-pressed", "true")
        seen.append(pixels(page))
    assert len(set(seen)) == len(seen)


def test_the_mask_can_be_removed(page: Page, done: Callable[..., str]) -> None:
    before = pixels(open_sweep(page, done))
    page.get_by_role("button", name="Remove this").click()
    changes_the_picture(page, before)


def test_without_strength_it_is_the_image(page: Page, done: Callable[..., str]) -> None:
    open_sweep(page, done, "?view=original")
    original = pixels(page)
    page.get_by_role("button", name="Black", exact=True).click()
    changes_the_picture(page, original)
    page.get_by_role("slider", name="Strength").focus()
    page.keyboard.press("Home")
    becomes(page, original)


def test_a_mask_that_fails_is_loaded_anew(page: Page, watch: Watch, done: Callable[..., str]) -> None:
    watch.allow("ERR_FAILED")
    page.route("**/masks/0.05.png", lambda route: route.abort(), times=1)
    slider = open_sweep(page, done, "?area=0.6").get_by_label(SLIDER)
    error = page.locator(".look [role=alert]", has_text="can’t be reached")
    slider.press("Home")
    expect(error).to_be_visible()
    slider.press("End")
    expect(error).to_have_count(0)
    slider.press("Home")
    shows_area(page, "5%")


def test_what_is_done_once_is_done_anew_where_it_failed(blank: Page) -> None:
    assert blank.evaluate(ONCE) == ["failed", "a 2", "a 2", "b 3"]


def test_a_link_shows_the_same(page: Page, open_page: OpenPage, done: Callable[..., str]) -> None:
    open_sweep(page, done).get_by_label(SLIDER).focus()
    page.keyboard.press("End")
    shows_area(page, "60%")
    before = pixels(page)
    page.get_by_role("button", name="Outline").click()
    changes_the_picture(page, before)
    seen = pixels(page)
    other = open_page()
    other.goto(page.url)
    expect(other.locator("output")).to_contain_text("60% of what the network sees")
    shows_area(other, "60%")
    expect(other.get_by_role("button", name="Outline")).to_have_attribute("aria-pressed", "true")
    becomes(other, seen)


def test_a_curve_tells_its_numbers(page: Page, stack: Stack, done: Callable[..., str]) -> None:
    address = done(**SWEEP)
    point = stack.client.get(f"/v1/jobs/{address[-32:]}/result").json()["curve"][1]
    page.goto(address)
    page.get_by_text("Numbers").click()
    page.locator("svg .keep-point").nth(1).hover()
    tip = page.locator("details .tip")
    expect(tip).to_contain_text("20%")
    expect(tip).to_contain_text(f"kept: {point['preserve']:.2f}")
    expect(tip).to_contain_text(f"removed: {point['delete']:.2f}")
    expect(page.get_by_role("row").filter(has_text=f"{point['preserve']:.2f}")).to_be_visible()


def test_a_job_whose_image_is_gone_shows_its_masks(page: Page, stack: Stack) -> None:
    job = stack.finish(post(stack, {"areas": [0.05, 0.6], "iterations": 1, **MASKS_ONLY}, keep=False))
    page.goto(f"/#/job/{job['id']}?area=0.05")
    expect(page.get_by_alt_text("The mask of 5% over the image")).to_be_visible()
    page.get_by_label(SLIDER).focus()
    page.keyboard.press("End")
    expect(page.get_by_alt_text("The mask of 60% over the image")).to_be_visible()


def test_deletion_is_shown_as_what_is_left(page: Page, done: Callable[..., str]) -> None:
    page.goto(done(**SWEEP, variant="delete", perturbation="fade"))
    expect(page.locator("h1.answer")).to_contain_text("removed")
    expect(page.get_by_role("button", name="Remove this")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("figcaption")).to_contain_text("Score left when removed")


def test_a_comparison(page: Page, done: Callable[..., str]) -> None:
    page.goto(done(**COMPARED))
    expect(page.locator("h1.answer")).to_contain_text("areas")
    expect(page.locator(".methods img")).to_have_count(4)  # the image, too
    expect(page.locator(".methods figcaption", has_text="Grad-CAM")).to_contain_text("at features")
    expect(page.locator("svg path.line")).to_have_count(3)
    page.locator(".chart svg").hover()
    expect(page.locator(".chart .tip")).to_contain_text("Grad-CAM: ")
    page.locator(".chips").get_by_role("button", name="Grad-CAM").click()
    expect(page.locator("svg path.line")).to_have_count(2)
    before = page.locator("svg path.line").first.get_attribute("d")
    page.get_by_role("button", name="Top areas removed").click()
    assert page.locator("svg path.line").first.get_attribute("d") != before
    axe(page)


def test_channels(page: Page, done: Callable[..., str]) -> None:
    page.goto(done(**CHANNELS))
    expect(page.locator("h1.answer")).to_contain_text("1280")
    expect(page.get_by_alt_text("Where they are active")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Contribution")).to_be_visible()
    page.locator("svg .keep-point").nth(1).hover()
    expect(page.locator(".tip").first).to_contain_text("100 channels")
    axe(page)


def test_all_of_it_by_keyboard(page: Page, done: Callable[..., str]) -> None:
    address = done(**SWEEP)
    page.goto("/")
    expect(page.locator("#jobs tbody tr").first).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the result")).to_be_focused()
    link = page.locator(f"#jobs tr[data-id='{address[-32:]}'] a").first
    for _ in range(120):
        if link.evaluate("node => node === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    slider = page.get_by_label(SLIDER)
    expect(slider).to_be_visible()
    for _ in range(40):
        if slider.evaluate("node => node === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("End")
    expect(page.locator("output")).to_contain_text("60% of what the network sees")


def test_on_a_phone(phone: Page, done: Callable[..., str]) -> None:
    open_sweep(phone, done)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    boxes = [bounds(phone.locator(part)) for part in ("#stage", "#ask", "#jobs")]
    tops = [box["y"] for box in boxes]
    assert tops == sorted(tops), "who follows a link to a job sees it first"
    delete = bounds(phone.get_by_role("button", name="Delete").last)
    assert delete["x"] + delete["width"] <= 390
    axe(phone)


def test_a_result_in_the_dark(dark_page: Page, done: Callable[..., str]) -> None:
    axe(open_sweep(dark_page, done))
