"""Using the page as people do: ask, watch, look, compare, look inside, tidy up."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.stack import Stack

from .accessibility import axe
from .watching import Watch

BEAR = Path(__file__).parents[2] / "samples" / "black_bear.jpg"
SWEEP = {"areas": [0.05, 0.2, 0.6], "iterations": 20, "check_extremality": False}
LONG = {"areas": [0.1], "iterations": 5000}
FINISH_MS = 120_000


def post(stack: Stack, params: dict[str, Any], *, image: Path = BEAR) -> dict[str, Any]:
    """Post a job as the page does: with its image kept."""
    data = {"params": json.dumps(params), "keep_images": "true"}
    answer = stack.client.post("/v1/jobs", files={"image": image.read_bytes()}, data=data)
    assert answer.status_code in (200, 202), answer.text
    return answer.json()


@pytest.fixture(scope="session")
def done(stack: Stack) -> Callable[..., str]:
    """A function that returns the page's address of a finished job."""

    def finish(**params: Any) -> str:
        job = stack.finish(post(stack, params))
        assert job["status"] == "succeeded", job["error"]
        return f"/#/job/{job['id']}"

    return finish


def choose(page: Page, label: str, option: str) -> None:
    if not page.get_by_label("What to find").is_visible():
        page.get_by_text("More choices").click()
    page.get_by_label(label, exact=True).select_option(option)


def test_one_click_explains_a_sample(page: Page) -> None:
    page.goto("/")
    choose(page, "Areas", "0.1")
    page.get_by_role("button", name="Explain").click()
    expect(page).to_have_url(re.compile(r"#/job/[0-9a-f]{32}$"))
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_alt_text("The mask of 10% so far")).to_be_visible(timeout=FINISH_MS)
    expect(page.locator("h1.answer")).to_contain_text("American black bear", timeout=FINISH_MS)
    expect(page.locator("canvas")).to_be_visible()
    expect(page.locator("#jobs tbody tr").first).to_contain_text("American black bear")


def test_the_classes_of_an_image_are_offered(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="A goose").click()
    chip = page.get_by_role("group", name="The top classes of this image").get_by_role("button").first
    expect(chip).to_have_text(re.compile(r"goose \d"), timeout=20_000)
    chip.click()
    expect(page.get_by_label("Class", exact=True)).to_have_value("goose")
    expect(chip).to_have_attribute("aria-pressed", "true")


def test_a_sweep_is_revealed_by_its_slider(page: Page, done: Callable[..., str]) -> None:
    page.goto(done(**SWEEP))
    slider = page.get_by_label("Area: from what matters most to all")
    said = page.locator("output")
    expect(page.locator("canvas")).to_be_visible()
    slider.focus()
    page.keyboard.press("Home")
    expect(said).to_contain_text("5% of the image")
    first = page.evaluate("document.querySelector('canvas').toDataURL()")
    page.keyboard.press("ArrowRight")
    expect(said).to_contain_text("20% of the image")
    page.wait_for_function("first => document.querySelector('canvas').toDataURL() !== first", arg=first)
    page.locator("svg .bar").last.click()
    expect(slider).to_have_value("2")
    page.locator("svg .keep-point").first.click()
    expect(slider).to_have_value("0")


@pytest.mark.parametrize("mode", ["Black", "Outline", "Original"])
def test_what_is_outside_the_mask_can_be_shown_otherwise(page: Page, done: Callable[..., str], mode: str) -> None:
    page.goto(done(**SWEEP))
    expect(page.locator("canvas")).to_be_visible()
    before = page.evaluate("document.querySelector('canvas').toDataURL()")
    page.get_by_role("button", name=mode, exact=True).click()
    page.wait_for_function("before => document.querySelector('canvas').toDataURL() !== before", arg=before)
    expect(page.get_by_role("button", name=mode, exact=True)).to_have_attribute("aria-pressed", "true")


def test_results_can_be_taken_away(page: Page, done: Callable[..., str]) -> None:
    page.goto(done(**SWEEP))
    page.get_by_text("Take away").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Everything (zip)").click()
    assert saved.value.path().read_bytes().startswith(b"PK")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Curve (CSV)").click()
    assert saved.value.path().read_text().splitlines()[0].startswith("area,measured_area,preserve")
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.locator("pre")).to_contain_text("curl -F image=@photo.jpg -F 'params={")
    page.get_by_role("button", name="Copy as Python").click()
    expect(page.locator("pre")).to_contain_text("ep_core.ExtremalSpec(")


def test_a_comparison(page: Page, done: Callable[..., str]) -> None:
    page.goto(done(task="compare", methods=["gradient", "grad_cam", "extremal"], areas=[0.1, 0.3], iterations=20))
    expect(page.locator("h1.answer")).to_contain_text("areas")
    expect(page.locator(".methods img")).to_have_count(3)
    expect(page.locator("svg path.line")).to_have_count(3)
    page.get_by_role("button", name="Grad-CAM").click()
    expect(page.locator("svg path.line")).to_have_count(2)
    axe(page)


def test_channels(page: Page, done: Callable[..., str]) -> None:
    page.goto(done(task="channels", layer="features.18", areas=[10, 100, 1280]))
    expect(page.locator("h1.answer")).to_contain_text("1280")
    expect(page.get_by_alt_text("Where they are active")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Contribution")).to_be_visible()
    axe(page)


def test_a_running_job_is_canceled(page: Page, stack: Stack) -> None:
    job = post(stack, LONG)
    page.goto(f"/#/job/{job['id']}")
    expect(page.get_by_role("heading", name="Looking for what")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="This job was removed")).to_be_visible()
    assert stack.client.get(job["links"]["self"]).status_code == 404


def test_an_own_image_is_explained(page: Page) -> None:
    page.goto("/")
    page.locator("#ask input[type=file]").set_input_files(BEAR)
    expect(page.get_by_alt_text("The chosen image")).to_be_visible()
    choose(page, "What to find", "channels")
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("h1.answer")).to_contain_text("channels of features", timeout=FINISH_MS)


def test_an_image_can_be_pasted(page: Page) -> None:
    page.goto("/")
    page.evaluate(
        """async () => {
          const blob = await (await fetch("static/samples/pizza.small.jpg")).blob();
          const data = new DataTransfer();
          data.items.add(new File([blob], "pasted.jpg", { type: "image/jpeg" }));
          document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data }));
        }"""
    )
    expect(page.get_by_alt_text("The chosen image")).to_be_visible()


def test_a_bad_image_is_said_in_words_where_it_happens(page: Page, watch: Watch, tmp_path: Path) -> None:
    watch.allow("status of 422")
    bad = tmp_path / "cat.jpg"
    bad.write_text("no picture")
    page.goto("/")
    page.locator("#ask input[type=file]").set_input_files(bad)
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("#ask .error")).to_contain_text("picture in a supported format")


def test_names_are_never_read_as_html(page: Page, watch: Watch, tmp_path: Path) -> None:
    watch.allow("status of 422")
    page.goto("/")
    page.get_by_role("button", name="A pizza").click()
    page.get_by_label("Class", exact=True).fill("<img src=x onerror=alert(1)>")
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("#ask .error")).to_contain_text("<img src=x onerror=alert(1)>")


def test_jobs_are_listed_opened_asked_again_and_deleted(page: Page, stack: Stack, done: Callable[..., str]) -> None:
    address = done(**SWEEP)
    page.goto("/")
    row = page.locator(f"#jobs tr[data-id='{address[-32:]}']")
    expect(row).to_contain_text("American black bear")
    page.get_by_role("group", name="Which jobs").get_by_role("button", name="Failed").click()
    expect(row).to_have_count(0)
    page.get_by_role("group", name="Which jobs").get_by_role("button", name="Done").click()
    row.get_by_role("link").click()
    expect(page.locator("h1.answer")).to_be_visible()
    page.get_by_role("button", name="Ask again with changes").click()
    expect(page.get_by_label("Shares of the image, in (0, 1)")).to_have_value("0.05, 0.2, 0.6")
    expect(page.get_by_alt_text("The chosen image")).to_be_visible()
    row.get_by_role("button", name=re.compile("Delete")).click()
    expect(row).to_have_count(0)
    assert stack.client.get(f"/v1/jobs/{address[-32:]}").status_code == 404


def test_it_goes_on_when_the_service_is_back(page: Page, stack: Stack, watch: Watch) -> None:
    watch.allow("ERR_|status of 503|Failed to load resource")
    job = post(stack, LONG)
    page.goto(f"/#/job/{job['id']}")
    expect(page.get_by_role("heading", name="Looking for what")).to_be_visible(timeout=30_000)
    stack.stop()
    expect(page.get_by_role("alert").filter(has_text="can’t be reached")).to_be_visible(timeout=30_000)
    stack.start()
    expect(page.locator("#banner")).to_be_hidden(timeout=30_000)
    expect(page.get_by_role("status").filter(has_text=re.compile(r"\d+(\.\d+)?%"))).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="This job was removed")).to_be_visible()


def test_all_of_it_by_keyboard(page: Page, done: Callable[..., str]) -> None:
    address = done(**SWEEP)
    page.goto("/")
    expect(page.locator("#jobs tbody tr").first).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the result")).to_be_focused()
    link = page.locator(f"#jobs tr[data-id='{address[-32:]}'] a")
    for _ in range(80):
        if link.evaluate("node => node === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    slider = page.get_by_label("Area: from what matters most to all")
    expect(slider).to_be_visible()
    for _ in range(40):
        if slider.evaluate("node => node === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("End")
    expect(page.locator("output")).to_contain_text("60% of the image")


def test_on_a_phone(phone: Page, done: Callable[..., str]) -> None:
    phone.goto(done(**SWEEP))
    expect(phone.locator("canvas")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    axe(phone)


def test_a_result_in_the_dark(dark_page: Page, done: Callable[..., str]) -> None:
    dark_page.goto(done(**SWEEP))
    expect(dark_page.locator("canvas")).to_be_visible()
    axe(dark_page)
