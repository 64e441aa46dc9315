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

from .using import (
    BEAR,
    FINISH_MS,
    SWEEP,
    asked,
    bounds,
    choose,
    choose_files,
    choose_sample,
    explain,
    first_sample,
    post,
    quickly,
    turn_to,
)
from .watching import Watch

pytestmark = pytest.mark.e2e


def classes(page: Page) -> list[str]:
    chips = page.get_by_role("group", name="The top classes of this image").get_by_role("button")
    expect(chips).to_have_count(5)
    return chips.all_inner_texts()


def test_two_clicks_explain_a_sample(page: Page) -> None:
    quickly(page, iterations=50, **MASKS_ONLY)
    first_sample(page)
    choose(page, "Areas", "0.1")
    explain(page)
    page.get_by_role("progressbar").wait_for()  # both are there for a moment only; this misses none
    page.get_by_alt_text("The mask of 10% so far").wait_for(timeout=FINISH_MS)
    expect(page.locator("h1.answer")).to_contain_text("American black bear", timeout=FINISH_MS)
    expect(page.locator("canvas")).to_be_visible()
    expect(page.locator("#jobs tbody tr").first).to_contain_text("American black bear")


def test_the_classes_of_a_sample_are_offered_at_once(page: Page) -> None:
    assert classes(first_sample(page))[0].startswith("American black bear")


def test_nothing_can_be_asked_without_an_image(page: Page, stack: Stack) -> None:
    """The button says what is missing; neither it nor the Enter key posts anything."""
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    page.goto("/")
    expect(page.get_by_role("combobox", name="Model")).to_have_value("mobilenet_v2")
    expect(page.get_by_role("button", name="Choose an image first")).to_be_disabled()
    page.get_by_label("Class", exact=True).press("Enter")
    turn_to(page, "Many images")
    expect(page.get_by_role("button", name="Choose images first")).to_be_disabled()
    page.wait_for_timeout(500)
    assert posted == []
    choose_sample(page)
    expect(page.get_by_role("button", name="Explain", exact=True)).to_be_enabled()


def test_nothing_moves_while_the_classes_of_an_image_arrive(page: Page) -> None:
    held: list[Route] = []
    page.route("**/v1/classify", lambda route: held.append(route))
    first_sample(page)
    model = page.get_by_role("combobox", name="Model")
    expect(page.get_by_alt_text("The chosen image")).to_have_js_property("naturalWidth", 640)
    place = bounds(model)
    while not held:
        page.wait_for_timeout(20)
    page.wait_for_timeout(200)  # time to move
    held.pop().continue_()
    expect(page.get_by_role("button", name="American black bear")).to_be_visible()
    assert bounds(model) == place


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
    turn_to(page, "Inside")
    choose(page, "Layer", "features.18")
    page.get_by_label("How many channels").fill("10, 100 1280")
    explain(page)
    expect(page.locator("h1.answer")).to_contain_text("channels of features.18", timeout=FINISH_MS)
    assert asked(page, stack)["areas"] == [10, 100, 1280]


def test_methods_are_chosen(page: Page, stack: Stack) -> None:
    first_sample(page)
    turn_to(page, "Compare")
    expect(page.get_by_role("group", name="Methods")).to_contain_text("5 of 20 chosen")
    expect(page.get_by_label("RISE", exact=True)).to_have_accessible_description(
        re.compile("^Thousands of random masks")
    )
    for method in ("Guided backprop", "RISE", "Extremal perturbations"):
        page.get_by_label(method, exact=True).uncheck()
    choose(page, "Areas", "0.1")
    explain(page)
    expect(page.locator(".methods img")).to_have_count(3, timeout=FINISH_MS)  # the image, too
    assert asked(page, stack)["methods"] == ["gradient", "grad_cam"]


def test_several_images_of_a_class_are_one_job(page: Page, stack: Stack) -> None:
    quickly(page, iterations=3, invert=False)
    first_sample(page)
    turn_to(page, "Inside")
    choose_files(page, SAMPLES / "school_bus.jpg", BEAR, SAMPLES / "goose.jpg")
    expect(page.get_by_role("button", name="Class channels", exact=True)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Leave out image 2: black_bear.jpg").click()
    expect(page.get_by_role("button", name="Leave out image 3")).to_have_count(0)  # nor the sample of before
    choose(page, "Layer", "features.18")
    page.get_by_label("How many channels").fill("10, 1000")
    page.get_by_label("Channels shown").fill("2")
    page.get_by_label("Class", exact=True).fill("school bus")
    explain(page)
    expect(page.locator("h1.answer")).to_contain_text("over 2 images", timeout=FINISH_MS)
    expect(page.get_by_alt_text("A row for each channel")).to_be_visible()
    assert asked(page, stack)["areas"] == [10, 1000]


def test_several_images_are_a_batch(page: Page) -> None:
    quickly(page, iterations=2, **MASKS_ONLY)
    page.goto("/")
    choose_files(page, SAMPLES / "goose.jpg", SAMPLES / "pizza.jpg")
    expect(page.get_by_role("tab", name="Many images")).to_have_attribute("aria-selected", "true")
    choose_sample(page)  # one more
    choose(page, "Areas", "0.1")
    page.get_by_role("button", name="Explain 3 images").click()
    expect(page).to_have_url(re.compile(r"#/batch/[0-9a-f]{32}$"))
    tiles = page.locator("#stage figure")
    expect(page.get_by_role("heading", level=1)).to_have_text("3 images", timeout=FINISH_MS)
    expect(tiles.nth(0)).to_contain_text("goose")
    expect(page.get_by_role("link", name="one of a batch")).to_have_count(3)
    tiles.nth(1).click()
    expect(page.locator("h1.answer")).to_contain_text("pizza")
    page.go_back()
    page.get_by_role("button", name="Delete all").click()
    expect(page.get_by_role("link", name="one of a batch")).to_have_count(0)


def test_nothing_chosen_is_lost_by_a_tab(page: Page) -> None:
    page.goto("/")
    turn_to(page, "Many images")
    for name in ("A goose", "A pizza", "An airliner"):
        choose_sample(page, name)
    page.get_by_role("button", name="A pizza").click()  # lets go of it
    expect(page.get_by_role("button", name="Explain 2 images")).to_be_enabled()
    turn_to(page, "Where")
    expect(page.get_by_role("button", name="Explain", exact=True)).to_be_enabled()
    expect(page.get_by_alt_text("The chosen image")).to_have_attribute("title", "goose.jpg")
    turn_to(page, "Many images")
    expect(page.get_by_role("button", name="Explain 2 images")).to_be_enabled()
    expect(page.get_by_role("button", name="An airliner")).to_have_attribute("aria-pressed", "true")


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
    turn_to(page, "Compare")
    expect(kept).to_have_text(["iterations: 5 ×"])
