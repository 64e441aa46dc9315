"""The form of a job: images, class, task."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.running_stack import SAMPLES, Stack
from tests.small_jobs import MASKS_ONLY

from .using import BEAR, FINISH_MS, SWEEP, asked, choose, choose_files, explain, first_sample, post, quickly
from .watching import Watch

pytestmark = pytest.mark.e2e

DROP = """async ([selector, name]) => {
  const blob = await (await fetch(`static/samples/${name}`)).blob();
  const data = new DataTransfer();
  data.items.add(new File([blob], name, { type: "image/jpeg" }));
  const target = document.querySelector(selector);
  target.dispatchEvent(new DragEvent("dragover", { dataTransfer: data, bubbles: true, cancelable: true }));
  const isMarked = target.classList.contains("over");
  target.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  return isMarked && !target.classList.contains("over");
}"""
PASTE = """async (name) => {
  const blob = await (await fetch(`static/samples/${name}`)).blob();
  const data = new DataTransfer();
  data.items.add(new File([blob], "pasted.jpg", { type: "image/jpeg" }));
  document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data }));
}"""


def classes(page: Page) -> list[str]:
    chips = page.get_by_role("group", name="The top classes of this image").get_by_role("button")
    expect(chips).to_have_count(5)
    return chips.all_inner_texts()


def test_one_click_explains_a_sample(page: Page) -> None:
    quickly(page, iterations=50, **MASKS_ONLY)
    page.goto("/")
    choose(page, "Areas", "0.1")
    explain(page)
    page.get_by_role("progressbar").wait_for()  # both are there for a moment only; this misses none
    page.get_by_alt_text("The mask of 10% so far").wait_for(timeout=FINISH_MS)
    expect(page.locator("h1.answer")).to_contain_text("American black bear", timeout=FINISH_MS)
    expect(page.locator("canvas")).to_be_visible()
    expect(page.locator("#jobs tbody tr").first).to_contain_text("American black bear")


def test_a_sample_and_its_classes_are_offered_at_once(page: Page) -> None:
    assert classes(first_sample(page))[0].startswith("American black bear")


def test_the_button_stays_in_its_place_while_an_image_and_its_classes_arrive(page: Page) -> None:
    held: list[Route] = []
    image, classes = "**/static/samples/black_bear.jpg", "**/v1/classify"
    released: set[str] = set()
    for address in (image, classes):
        page.route(address, lambda route, _, at=address: route.continue_() if at in released else held.append(route))
    page.goto("/", wait_until="domcontentloaded")  # the example shows the same image: the page isn't loaded without it
    button = page.get_by_role("button", name="Explain", exact=True)
    expect(button).to_be_visible()
    place = button.bounding_box()
    for address, arrived in (
        (image, page.get_by_alt_text("The chosen image")),
        (classes, page.get_by_role("button", name="American black bear")),
    ):
        while not held:
            page.wait_for_timeout(20)
        page.wait_for_timeout(200)  # time to move
        released.add(address)
        while held:
            held.pop().continue_()
        expect(arrived).to_be_visible()
        assert button.bounding_box() == place
    choose_files(page, BEAR, SAMPLES / "goose.jpg")
    expect(page.get_by_role("button", name="Leave out image 2")).to_be_visible()
    assert page.get_by_role("button", name="Explain 2 images").bounding_box() == place


def test_the_classes_of_an_image_are_offered(page: Page) -> None:
    first_sample(page)
    page.get_by_role("button", name="A goose").click()
    chip = page.get_by_role("group", name="The top classes of this image").get_by_role("button").first
    expect(chip).to_have_text(re.compile(r"goose \d"))
    chip.click()
    expect(page.get_by_label("Class", exact=True)).to_have_value("goose")
    expect(chip).to_have_attribute("aria-pressed", "true")


def test_classes_of_the_same_name_can_be_told_apart(page: Page, stack: Stack) -> None:
    """No class of the default model shares its name; a user's own may."""
    card = stack.client.get("/v1/models/mobilenet_v2").json()
    named = card | {"labels": ["crane" if k in (134, 517) else label for k, label in enumerate(card["labels"])]}
    page.route("**/v1/models/mobilenet_v2", lambda route: route.fulfill(json=named))
    first_sample(page)
    expect(page.locator("#ask datalist option[value='crane (517)']")).to_have_count(1)
    page.get_by_label("Class", exact=True).fill("crane (134)")
    explain(page)
    assert asked(page, stack)["target"] == 134
    page.get_by_role("button", name="Cancel").click()


def test_one_class_instead_of_another(page: Page, stack: Stack) -> None:
    quickly(page, areas=[0.2], iterations=3, **MASKS_ONLY)
    first_sample(page)
    page.get_by_label("Class", exact=True).fill("American black bear instead of 294")
    explain(page)
    expect(page.locator("h1.answer")).to_contain_text("American black bear instead of brown bear", timeout=FINISH_MS)
    assert asked(page, stack)["target"] == {"class": "American black bear", "instead_of": 294}
    page.get_by_role("button", name="Edit and rerun", exact=True).click()
    expect(page.get_by_label("Class", exact=True)).to_have_value("American black bear instead of brown bear")


def test_a_text_is_asked_of_a_model_that_takes_texts(page: Page, stack: Stack, watch: Watch) -> None:
    """Whether a model takes texts is told by its card, here another one's."""
    watch.allow("ERR_FAILED")
    card = stack.client.get("/v1/models/mobilenet_v2").json()
    page.route("**/v1/models/mobilenet_v2", lambda route: route.fulfill(json=card | {"targets": ["class", "text"]}))
    posted: list[dict[str, Any]] = []

    def refuse(route: Route) -> None:
        posted.append(json.loads(re.search(r'name="params"\r\n\r\n(.*)\r\n', route.request.post_data or "")[1]))  # type: ignore[index]
        route.abort()

    first_sample(page)
    page.route("**/v1/jobs", refuse, times=1)
    expect(page.get_by_text("or any text")).to_be_visible()
    page.get_by_label("Class", exact=True).fill("a bear in snow against a dog; a cat")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_role("alert").filter(has_text="can’t be reached")).to_be_visible()
    assert posted[0]["target"] == {"text": "a bear in snow", "against": ["a dog", "a cat"]}


def test_an_own_image_is_explained(page: Page, stack: Stack) -> None:
    quickly(page, iterations=3)
    first_sample(page)
    choose_files(page, SAMPLES / "goose.jpg")
    expect(page.get_by_role("button", name="A black bear")).to_have_attribute("aria-pressed", "false")
    choose(page, "What to find", "channels")
    choose(page, "Layer", "features.18")
    page.get_by_label("How many channels").fill("10, 100 1280")
    explain(page)
    expect(page.locator("h1.answer")).to_contain_text("channels of features.18", timeout=FINISH_MS)
    assert asked(page, stack)["areas"] == [10, 100, 1280]


def test_an_image_can_be_pasted(page: Page) -> None:
    first_sample(page).evaluate(PASTE, "pizza.small.jpg")
    expect(page.get_by_role("button", name="A black bear")).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("button", name=re.compile("^pizza"))).to_be_visible()


def test_an_image_can_be_dropped(page: Page) -> None:
    assert first_sample(page).evaluate(DROP, ["#ask .drop", "pizza.small.jpg"]), "the place to drop it isn't marked"
    expect(page.get_by_role("button", name="A black bear")).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("button", name=re.compile("^pizza"))).to_be_visible()


def test_methods_are_chosen(page: Page, stack: Stack) -> None:
    first_sample(page)
    choose(page, "What to find", "compare")
    for method in ("guided backprop", "rise", "extremal"):
        page.get_by_label(method, exact=True).uncheck()
    choose(page, "Areas", "0.1")
    explain(page)
    expect(page.locator(".methods img")).to_have_count(2, timeout=FINISH_MS)
    assert asked(page, stack)["methods"] == ["gradient", "grad_cam"]


def test_several_images_of_a_class_are_one_job(page: Page, stack: Stack) -> None:
    quickly(page, iterations=3, invert=False)
    first_sample(page)
    choose_files(page, SAMPLES / "school_bus.jpg", BEAR, SAMPLES / "goose.jpg")
    page.get_by_role("button", name="Leave out image 2: black_bear.jpg").click()
    choose(page, "What to find", "class_channels")
    choose(page, "Layer", "features.18")
    page.get_by_label("How many channels").fill("10, 1000")
    page.get_by_label("Channels shown").fill("2")
    page.get_by_label("Class", exact=True).fill("school bus")
    explain(page)
    expect(page.locator("h1.answer")).to_contain_text("over 2 images", timeout=FINISH_MS)
    expect(page.get_by_alt_text("A row for each channel")).to_be_visible()
    assert asked(page, stack)["areas"] == [10, 1000]


def test_several_images_are_a_batch(page: Page, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_text("no picture")
    quickly(page, iterations=2, **MASKS_ONLY)
    first_sample(page)
    choose_files(page, SAMPLES / "goose.jpg", bad, SAMPLES / "pizza.jpg")
    choose(page, "Areas", "0.1")
    page.get_by_role("button", name="Explain 3 images").click()
    expect(page).to_have_url(re.compile(r"#/batch/[0-9a-f]{32}$"))
    tiles = page.locator("#stage figure")
    expect(tiles.nth(1)).to_contain_text("picture in a supported format")
    expect(tiles.nth(0)).to_contain_text("goose", timeout=FINISH_MS)
    expect(page.get_by_role("heading", level=1)).to_have_text("3 images", timeout=FINISH_MS)
    expect(tiles.nth(0)).to_contain_text("goose")
    expect(page.get_by_role("link", name="one of a batch")).to_have_count(2)
    tiles.nth(2).click()
    expect(page.locator("h1.answer")).to_contain_text("pizza")
    page.go_back()
    page.get_by_role("button", name="Delete all").click()
    expect(page.get_by_role("link", name="one of a batch")).to_have_count(0)


def test_a_bad_image_is_said_in_words_where_it_happens(page: Page, watch: Watch, tmp_path: Path) -> None:
    watch.allow("status of 422")
    bad = tmp_path / "cat.jpg"
    bad.write_text("no picture")
    first_sample(page)
    choose_files(page, bad)
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("#ask .error")).to_contain_text("picture in a supported format")


def test_what_is_no_number_is_said_in_words(page: Page, watch: Watch) -> None:
    watch.allow("status of 422")
    first_sample(page)
    choose(page, "Areas", "own")
    page.get_by_label("Shares of the image, in (0, 1)").fill("0.1, lots")
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("#ask .error")).to_contain_text("areas")


def test_names_are_never_read_as_html(page: Page, watch: Watch, tmp_path: Path) -> None:
    watch.allow("status of 422")
    name = "<img src=x onerror=alert(1)>"
    first_sample(page)
    strange = tmp_path / f"{name.replace('/', '')}.jpg"
    strange.write_bytes(BEAR.read_bytes())
    choose_files(page, strange, BEAR)
    expect(page.get_by_role("button", name=f"Leave out image 1: {strange.name}")).to_be_visible()
    page.get_by_label("Class", exact=True).fill(name)
    page.get_by_role("button", name="Explain 2 images").click()
    expect(page.locator("#ask .error")).to_contain_text(name)


def test_a_job_is_asked_again_with_what_it_was_asked(page: Page, stack: Stack) -> None:
    params = {"areas": [0.3], "variant": "hybrid", "iterations": 1, "seed": 3, "target": "brown bear", **MASKS_ONLY}
    job = stack.finish(post(stack, params))
    page.goto(f"/#/job/{job['id']}")
    page.get_by_role("button", name="Edit and rerun", exact=True).click()
    expect(page.get_by_label("Class", exact=True)).to_have_value("brown bear")
    expect(page.get_by_label("Shares of the image, in (0, 1)")).to_have_value("0.3")
    expect(page.get_by_label("Masks that")).to_have_value("hybrid")
    page.get_by_role("button", name="Take out seed: 3").click()
    explain(page)
    page.wait_for_url(lambda url: job["id"] not in url)
    again = asked(page, stack)
    assert again == {**job["params"], "seed": 0}


def test_another_task_keeps_what_it_knows(page: Page, done: Callable[..., str]) -> None:
    page.goto(done(**SWEEP))
    page.get_by_role("button", name="Edit and rerun", exact=True).click()
    kept = page.get_by_role("group", name="Kept from that job").get_by_role("button")
    expect(kept).to_have_text(
        ["iterations: 5 ×", "check extremality: false ×", "alternatives: 0 ×", "contrast: false ×"]
    )
    choose(page, "What to find", "compare")
    expect(kept).to_have_text(["iterations: 5 ×"])
