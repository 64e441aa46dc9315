"""A second picture as the target: chosen, explained, shown, and taken over."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.running_stack import SAMPLES, Stack

from .accessibility import axe
from .using import BEAR, FINISH_MS, SWEEP, asked, choose_model, explain, first_sample, quickly
from .watching import Watch

pytestmark = pytest.mark.e2e

SIMILAR = {"model": "embedding", "target": {"similar_to": "target_image"}, **SWEEP}

WITH_MASK = """async (targets) => {
  const { withPictures } = await import("/static/target.js");
  return targets.map((target) => withPictures(target, { target_mask: new Blob() }));
}"""


@pytest.fixture(scope="module")
def compared(stack: Stack) -> str:
    """The page's address of a finished job of the bear, compared with the goose."""
    files = {"image": BEAR.read_bytes(), "target_image": (SAMPLES / "goose.jpg").read_bytes()}
    answer = stack.client.post("/v1/jobs", files=files, data={"params": json.dumps(SIMILAR), "keep_images": "true"})
    job = stack.finish(answer.json())
    assert job["status"] == "succeeded", job["error"]
    return f"/#/job/{job['id']}"


def with_model(page: Page, name: str) -> None:
    """Open the page with the first sample and a model."""
    first_sample(page)
    choose_model(page, name)


def field(page: Page) -> Any:
    return page.get_by_role("group", name="Similar to")


def test_two_pictures_are_compared(page: Page, stack: Stack) -> None:
    quickly(page, iterations=5, check_extremality=False, alternatives=0)
    with_model(page, "embedding")
    expect(page.get_by_label("Class", exact=True)).to_be_hidden()  # it has none
    expect(page.get_by_role("button", name="Choose a second picture first")).to_be_disabled()

    field(page).locator("input").set_input_files(SAMPLES / "goose.jpg")
    expect(field(page).get_by_alt_text("The second picture")).to_be_visible()
    explain(page)

    expect(page.locator("#stage h1.answer")).to_contain_text("similar to the second picture", timeout=FINISH_MS)
    expect(page.locator("#stage").get_by_alt_text("The second picture")).to_be_visible()
    expect(page.locator("#jobs tbody tr").first).to_contain_text("similar to the second picture")
    assert asked(page, stack)["target"] == {"similar_to": "target_image"}


def test_a_job_is_asked_again_with_its_second_picture(page: Page, stack: Stack, compared: str) -> None:
    page.goto(compared)
    page.get_by_role("button", name="Edit and rerun", exact=True).click()
    expect(field(page).get_by_alt_text("The second picture")).to_be_visible()
    explain(page)
    assert asked(page, stack)["target"] == {"similar_to": "target_image"}


def test_it_can_be_left_out_and_another_model_has_no_field_for_it(page: Page) -> None:
    with_model(page, "embedding")
    field(page).locator("input").set_input_files(SAMPLES / "goose.jpg")
    field(page).get_by_role("button", name="Leave it out").click()
    expect(field(page).get_by_alt_text("The second picture")).to_be_hidden()
    field(page).locator("input").set_input_files(SAMPLES / "goose.jpg")
    choose_model(page, "mobilenet_v2")
    expect(field(page)).to_be_hidden()
    expect(page.get_by_label("Class", exact=True)).to_be_visible()


def test_a_model_of_classes_and_embeddings_takes_either(page: Page, stack: Stack) -> None:
    card = stack.client.get("/v1/models/mobilenet_v2").json()
    page.route(
        "**/v1/models/mobilenet_v2", lambda route: route.fulfill(json=card | {"targets": ["class", "text", "similar"]})
    )
    first_sample(page)
    expect(page.get_by_label("Class", exact=True)).to_be_visible()
    field(page).locator("input").set_input_files(SAMPLES / "goose.jpg")
    expect(page.get_by_label("Class", exact=True)).to_be_hidden()
    field(page).get_by_role("button", name="Leave it out").click()
    expect(page.get_by_label("Class", exact=True)).to_be_visible()


def test_a_mask_goes_with_a_class_of_a_segmenter(page: Page, stack: Stack, watch: Watch) -> None:
    """The card tells that a model segments, here another model's card; the API knows better."""
    watch.allow("status of 422")
    card = stack.client.get("/v1/models/mobilenet_v2").json()
    page.route("**/v1/models/mobilenet_v2", lambda route: route.fulfill(json=card | {"targets": ["class", "segment"]}))
    first_sample(page)
    mask = page.get_by_role("group", name="Within a region")
    mask.locator("input").set_input_files(SAMPLES / "goose.jpg")
    page.get_by_label("Class", exact=True).fill("goose")
    with page.expect_request("**/v1/jobs") as sent:
        page.get_by_role("button", name="Explain", exact=True).click()
    body = sent.value.post_data_buffer or b""
    assert b'"target":{"segment":"goose","within":"target_mask"}' in body
    assert b'name="target_mask"; filename="goose.jpg"' in body
    expect(page.get_by_role("alert").filter(has_text="segments nothing")).to_be_visible()


def test_a_mask_without_a_class_is_of_the_top_class_or_refused(page: Page, stack: Stack) -> None:
    card = stack.client.get("/v1/models/mobilenet_v2").json()
    page.route("**/v1/models/mobilenet_v2", lambda route: route.fulfill(json=card | {"targets": ["class", "segment"]}))
    first_sample(page)
    expect(page.get_by_role("button", name="American black bear")).to_be_visible()
    page.get_by_role("group", name="Within a region").locator("input").set_input_files(SAMPLES / "goose.jpg")
    named = page.get_by_label("Class", exact=True)
    expect(named).to_have_value("American black bear")
    named.fill("")
    page.get_by_role("button", name="Explain", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="Name the class first")).to_be_visible()


def test_a_mask_goes_with_a_segment_or_a_plain_class_only(blank: Page) -> None:
    targets = ["dog", 3, {"segment": "dog", "within": None}, {"class": "dog", "instead_of": "cat"}, {"text": "a dog"}]
    assert blank.evaluate(WITH_MASK, targets) == [
        *({"segment": name, "within": "target_mask"} for name in ("dog", 3, "dog")),
        *targets[3:],
    ]


def test_what_is_taken_away_names_the_second_picture(page: Page, compared: str) -> None:
    page.goto(compared)
    page.get_by_text("Download & share").click()
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.locator("pre")).to_contain_text("-F image=@photo.jpg -F target_image=@second.png -F 'params=")
    page.get_by_role("button", name="Copy as Python").click()
    expect(page.locator("pre")).to_contain_text(re.compile(r'spec, target_picture="second\.png"\)$'))


@pytest.mark.parametrize("kind", ["page", "dark_page", "phone"])
def test_it_is_shown_for_everybody(kind: str, request: pytest.FixtureRequest, compared: str) -> None:
    page: Page = request.getfixturevalue(kind)
    page.goto(compared)
    expect(page.locator("#stage").get_by_alt_text("The second picture")).to_be_visible()
    axe(page)
    with_model(page, "embedding")
    field(page).locator("input").set_input_files(SAMPLES / "goose.jpg")
    expect(field(page).get_by_alt_text("The second picture")).to_be_visible()
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
