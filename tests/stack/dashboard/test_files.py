"""Files for the form: dropped and pasted anywhere, and those that can't be used, told at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.running_stack import SAMPLES, Stack

from .accessibility import axe
from .using import BEAR, choose_files, choose_model, choose_sample, first_sample, turn_to
from .watching import Watch

pytestmark = pytest.mark.e2e

DRAG = """async ([selector, ...names]) => {
  const data = new DataTransfer();
  for (const name of names) {
    const blob = await (await fetch(`static/samples/${name}`)).blob();
    data.items.add(new File([blob], name, { type: "image/jpeg" }));
  }
  const target = document.querySelector(selector);
  window.drag = (kind) => target.dispatchEvent(
    new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
  window.drag("dragenter");
  window.drag("dragover");
}"""
PASTE = """async (name) => {
  const blob = await (await fetch(`static/samples/${name}`)).blob();
  const data = new DataTransfer();
  data.items.add(new File([blob], "pasted.jpg", { type: "image/jpeg" }));
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
}"""
PASTE_TEXT = """() => {
  const data = new DataTransfer();
  data.setData("text/plain", "bear");
  data.items.add(new File(["a picture"], "pasted.png", { type: "image/png" }));
  const field = document.querySelector("#ask input[list]");
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
}"""
VEIL = "Drop the image anywhere"


def test_an_image_can_be_pasted(page: Page) -> None:
    first_sample(page).evaluate(PASTE, "pizza.small.jpg")
    expect(page.get_by_role("button", name="A black bear")).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("button", name=re.compile("^pizza "))).to_be_visible()


def test_a_text_that_is_pasted_with_a_picture_stays_a_text(page: Page) -> None:
    """Programs of texts put a picture of them into the clipboard, too."""
    first_sample(page)
    page.evaluate(PASTE_TEXT)
    page.wait_for_timeout(300)
    expect(page.get_by_role("button", name="A black bear")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("place", ["#stage", "#jobs", "header", "#ask .drop"])
def test_an_image_can_be_dropped_anywhere(page: Page, place: str) -> None:
    page.goto("/")
    expect(page.get_by_text(VEIL)).to_be_hidden()
    page.evaluate(DRAG, [place, "pizza.small.jpg"])
    expect(page.get_by_text(VEIL)).to_be_visible()
    page.evaluate("drag('drop')")
    expect(page.get_by_text(VEIL)).to_be_hidden()
    expect(page.get_by_role("button", name=re.compile("^pizza "))).to_be_visible()


def test_what_leaves_the_window_is_not_awaited(page: Page) -> None:
    page.goto("/")
    page.evaluate(DRAG, ["#stage", "pizza.small.jpg"])
    expect(page.get_by_text(VEIL)).to_be_visible()
    page.evaluate("drag('dragleave')")
    expect(page.get_by_text(VEIL)).to_be_hidden()


def test_several_dropped_images_are_many(page: Page) -> None:
    page.goto("/")
    page.evaluate(DRAG, ["#stage", "pizza.small.jpg", "goose.small.jpg"])
    page.evaluate("drag('drop')")
    expect(page.get_by_role("tab", name="Many images")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("button", name="Explain 2 images")).to_be_enabled()


def test_a_second_picture_is_dropped_on_its_field(page: Page) -> None:
    first_sample(page)
    choose_model(page, "embedding")
    page.evaluate(DRAG, ["#ask .second", "goose.small.jpg"])
    page.evaluate("drag('drop')")
    expect(page.get_by_alt_text("The second picture")).to_be_visible()
    expect(page.get_by_role("button", name="A black bear")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text(VEIL)).to_be_hidden()


def test_a_picture_of_the_page_itself_is_no_file(page: Page) -> None:
    first_sample(page)
    page.evaluate("document.querySelector('.brand img').dispatchEvent(new DragEvent('dragstart', { bubbles: true }))")
    page.evaluate(DRAG, ["#stage", "pizza.small.jpg"])
    expect(page.get_by_text(VEIL)).to_be_hidden()


def test_a_bad_file_is_told_at_once_beside_it_and_cannot_be_asked(page: Page, watch: Watch, tmp_path: Path) -> None:
    watch.allow("status of 422")
    bad = tmp_path / "cat.jpg"
    bad.write_text("no picture")
    page.goto("/")
    choose_files(page, bad)
    expect(page.locator("#ask .drop").get_by_role("alert")).to_contain_text("cat.jpg: ")
    expect(page.locator("#ask .drop").get_by_role("alert")).to_contain_text("picture in a supported format")
    expect(page.get_by_role("button", name="This image can’t be used")).to_be_disabled()
    axe(page)
    choose_sample(page)
    expect(page.get_by_role("button", name="Explain", exact=True)).to_be_enabled()
    expect(page.locator("#ask .drop")).not_to_contain_text("cat.jpg")


def test_a_bad_file_among_others_has_to_be_left_out(page: Page, watch: Watch, tmp_path: Path) -> None:
    watch.allow("status of 422")
    bad = tmp_path / "bad.jpg"
    bad.write_text("no picture")
    page.goto("/")
    choose_files(page, SAMPLES / "goose.jpg", bad, SAMPLES / "pizza.jpg")
    expect(page.locator("#ask .drop").get_by_role("alert")).to_contain_text("bad.jpg: ")
    expect(page.get_by_role("button", name="Leave out the image that can’t be used")).to_be_disabled()
    page.get_by_role("button", name="Leave out image 2: bad.jpg").click()
    expect(page.get_by_role("button", name="Explain 2 images")).to_be_enabled()


def test_a_bad_file_is_told_where_the_model_has_no_classes(page: Page, watch: Watch, tmp_path: Path) -> None:
    watch.allow("status of 422")
    bad = tmp_path / "cat.jpg"
    bad.write_text("no picture")
    first_sample(page)
    choose_model(page, "embedding")
    choose_files(page, bad)
    expect(page.get_by_role("button", name="This image can’t be used")).to_be_disabled()


def test_what_only_the_service_can_read_is_asked(page: Page, stack: Stack, tmp_path: Path) -> None:
    scan = tmp_path / "scan.tiff"
    Image.open(BEAR).save(scan)
    page.goto("/")
    choose_files(page, scan, SAMPLES / "goose.jpg")
    expect(page.get_by_role("button", name="Explain 2 images")).to_be_enabled()
    turn_to(page, "Where")
    expect(page.get_by_role("button", name="American black bear")).to_be_visible()
    expect(page.get_by_role("button", name="Explain", exact=True)).to_be_enabled()
