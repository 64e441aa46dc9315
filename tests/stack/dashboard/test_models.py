"""The choice of a model: found by typing, with its size and accuracy; and one that can't be used."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from ep_core.models import list_models
from tests.running_stack import Stack

from .accessibility import axe
from .using import A_JOB, FINISH_MS, SWEEP, asked, choose_model, choose_sample, explain, first_sample, post, quickly
from .watching import Watch

pytestmark = pytest.mark.e2e

LISTED_B = 60_000


@pytest.fixture(scope="module")
def all_of_torchvision() -> dict[str, Any]:
    """What `GET /v1/models` answers where there is no model list."""
    models = [
        card.model_dump(mode="json", exclude={"labels", "layers", "perturbations"})
        | {"classes": len(card.labels), "link": f"/v1/models/{card.name}", "weights_here": card.name == "mobilenet_v2"}
        for card in list_models()
    ]
    return {"default": "mobilenet_v2", "models": models}


def field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Model")


def options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Models").get_by_role("option")


def test_a_hundred_models_are_found_by_typing(page: Page, all_of_torchvision: dict[str, Any]) -> None:
    page.route("**/v1/models", lambda route: route.fulfill(json=all_of_torchvision))
    page.route("**/v1/models/*", lambda route: route.fulfill(json={"labels": [], "layers": []}))
    page.goto("/")
    facts = "71.9% top-1 · 3.5M parameters · weights here"
    expect(field(page)).to_have_accessible_description(facts)
    field(page).click()
    expect(options(page)).to_have_count(len(all_of_torchvision["models"]))
    ready = page.get_by_role("group", name="Ready: the weights are here")
    expect(ready.get_by_role("option")).to_have_text(["mobilenet_v271.9% top-1 · 3.5M parameters"])
    expect(ready.get_by_role("option")).to_have_attribute("aria-selected", "true")

    page.keyboard.type("resnet50")
    names = [one["name"] for one in all_of_torchvision["models"]]
    found = sum("resnet50" in name for name in names)
    expect(options(page)).to_have_count(found)
    expect(page.get_by_text(f"{found} of {len(names)}")).to_have_role("status")
    active = page.locator(f"#{field(page).get_attribute('aria-activedescendant')}")
    expect(active).to_have_text("resnet5080.9% top-1 · 25.6M parameters · 103 MB")  # the whole name before others
    field(page).fill("detector mobilenet")
    expect(options(page)).to_have_count(3)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field(page)).to_have_value("fasterrcnn_mobilenet_v3_large_fpn")
    expect(page.get_by_role("listbox", name="Models")).to_be_hidden()
    expect(field(page)).to_have_accessible_description(
        "detector · 32.8% box mAP · 19.4M parameters · 78 MB · downloaded on first use"
    )

    field(page).fill("no such thing")
    expect(page.get_by_role("listbox", name="Models")).to_contain_text("No “no such thing” here")
    page.keyboard.press("Enter")  # neither chooses nor asks anything
    page.keyboard.press("Escape")
    expect(field(page)).to_have_value("fasterrcnn_mobilenet_v3_large_fpn")
    page.keyboard.press("ArrowDown")
    axe(page)


def test_the_end_of_the_list_leads_to_its_beginning(page: Page) -> None:
    page.goto("/")
    field(page).click()
    listed = options(page)
    page.keyboard.press("PageUp")
    expect(listed.first).to_have_class("option active")
    page.keyboard.press("ArrowUp")
    expect(listed.last).to_have_class("option active")
    page.keyboard.press("ArrowDown")
    expect(listed.first).to_have_class("option active")
    page.get_by_role("heading", level=1).click()
    expect(page.get_by_role("listbox", name="Models")).to_be_hidden()
    expect(field(page)).to_have_value("mobilenet_v2")


def test_models_are_listed_as_asked_and_the_address_keeps_that(page: Page, all_of_torchvision: dict[str, Any]) -> None:
    page.route("**/v1/models", lambda route: route.fulfill(json=all_of_torchvision))
    page.route("**/v1/models/*", lambda route: route.fulfill(json={"labels": [], "layers": []}))
    page.goto("/")
    order = page.get_by_role("combobox", name="Order of the list")
    expect(order).to_have_value("offered")
    order.focus()
    page.keyboard.type("By a")
    expect(page).to_have_url(re.compile(r"#/\?sort=accuracy$"))
    page.reload()
    expect(order).to_have_value("accuracy")
    measures = ("top1", "box_map", "miou")
    others = [one for one in all_of_torchvision["models"] if not one["weights_here"]]
    known = [one for one in others if one["accuracy"]]
    best = sorted(known, key=lambda one: (measures.index(one["accuracy"]["measure"]), -one["accuracy"]["value"]))
    field(page).click()
    listed = [text.partition("\n")[0] for text in options(page).all_inner_texts()]
    assert listed[: 1 + len(best)] == ["mobilenet_v2", *(one["name"] for one in best)]
    assert set(listed[1 + len(best) :]) == {one["name"] for one in others if not one["accuracy"]}
    page.keyboard.press("Escape")
    order.select_option("By size")
    field(page).click()
    sizes = {one["name"]: one["parameters"] for one in others}
    listed = [text.partition("\n")[0] for text in options(page).all_inner_texts()][1:]
    assert [sizes[name] for name in listed] == sorted(sizes.values())
    axe(page)


def test_a_model_that_has_answered_has_its_weights_here(page: Page) -> None:
    def as_before(route: Any) -> None:
        answer = route.fetch()
        models = [one | {"weights_here": False} for one in answer.json()["models"]]
        route.fulfill(json=answer.json() | {"models": models})

    page.route("**/v1/models", as_before)
    page.goto("/")
    expect(field(page)).to_have_accessible_description(
        "71.9% top-1 · 3.5M parameters · 14 MB · downloaded on first use"
    )
    choose_sample(page)
    expect(field(page)).to_have_accessible_description("71.9% top-1 · 3.5M parameters · weights here")


@pytest.mark.parametrize(("model", "why"), [("absent", "can't be read"), ("constant", "whatever the image shows")])
def test_a_model_of_no_use_is_said_at_once_with_what_to_do(
    page: Page, stack: Stack, watch: Watch, model: str, why: str
) -> None:
    watch.allow("status of 503")
    quickly(page, **SWEEP)
    first_sample(page)
    choose_model(page, model)
    alert = page.get_by_role("alert").filter(has_text=why)
    expect(alert).to_be_visible()
    with page.expect_response("**/v1/classify"):
        alert.get_by_role("button", name="Try again").click()
    expect(alert).to_be_visible()
    axe(page)
    alert.get_by_role("button", name="Choose another model").click()
    options(page).filter(has_text="mobilenet_v2").click()
    expect(alert).to_have_count(0)
    expect(page.get_by_role("button", name="American black bear")).to_be_visible()
    explain(page)
    assert asked(page, stack)["model"] == "mobilenet_v2"


def test_a_job_whose_model_failed_can_be_tried_again_or_with_another(page: Page, stack: Stack, watch: Watch) -> None:
    watch.allow("status of 503")
    job = stack.finish(post(stack, {"model": "absent", **SWEEP}))
    assert job["error"]["type"] == "/problems/model-unavailable"
    page.goto(f"/#/job/{job['id']}")
    stage = page.locator("#stage")
    expect(stage.get_by_role("heading", level=1)).to_have_text("absent can’t be used here")
    expect(stage.get_by_role("alert").first).to_contain_text("can't be read")
    stage.get_by_role("button", name="Try again").click()
    page.wait_for_url(lambda url: A_JOB.search(url) is not None and job["id"] not in url)
    expect(stage.get_by_role("heading", level=1)).to_have_text("absent can’t be used here", timeout=FINISH_MS)
    axe(page)
    stage.get_by_role("button", name="Choose another model").click()
    options(page).filter(has_text="mobilenet_v2").click()
    explain(page)
    expect(page.locator("h1.answer")).to_contain_text("American black bear", timeout=FINISH_MS)
    assert asked(page, stack)["areas"] == SWEEP["areas"]
