"""Actions on the page, and on the service behind it, that its tests share."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.pictures import decode
from tests.running_stack import SAMPLES, Stack
from tests.small_jobs import MASKS_ONLY

BEAR = SAMPLES / "black_bear.jpg"
SWEEP = {"areas": [0.05, 0.2, 0.6], "iterations": 5, **MASKS_ONLY}
CHANNELS = {"task": "channels", "layer": "features.18", "areas": [10, 100, 1280], "iterations": 3}
COMPARED = {"task": "compare", "methods": ["gradient", "grad_cam", "extremal"], "areas": [0.1, 0.3], "iterations": 3}
LONG = {"model": "slow", "areas": [0.1], "iterations": 5000, **MASKS_ONLY}
FINISH_MS = 120_000
QUICKLY = """(quick) => {
  const { fetch } = window;
  window.fetch = (address, options) => {
    const params = options?.body instanceof FormData && options.body.get("params");
    if (params) options.body.set("params", JSON.stringify({ ...quick, ...JSON.parse(params) }));
    return fetch(address, options);
  };
}"""
DRAWN = "document.querySelector('canvas')?.toDataURL()"
A_JOB = re.compile(r"#/job/[0-9a-f]{32}")


def post(stack: Stack, params: dict[str, Any], *, keep: bool = True) -> dict[str, Any]:
    """Post a job of the bear as the page does: with its image kept."""
    data = {"params": json.dumps(params), "keep_images": str(keep).lower()}
    answer = stack.client.post("/v1/jobs", files={"image": BEAR.read_bytes()}, data=data)
    assert answer.status_code in (200, 202), answer.text
    return answer.json()


def quickly(page: Page, **params: Any) -> None:
    """Make what the form posts cheap: `params` are what it leaves to the API. Call before the page is opened."""
    page.add_init_script(f"({QUICKLY})({json.dumps(params)})")


def choose(page: Page, label: str, option: str) -> None:
    """Choose something of the form, "More choices" included."""
    if not page.get_by_label("Preset").is_visible():
        page.get_by_text("More choices").click()
    page.get_by_label(label, exact=True).select_option(option)


def bounds(locator: Locator) -> FloatRect:
    """Bounding box of what is shown, also where the page draws it anew meanwhile."""
    for _ in range(50):
        expect(locator).to_be_visible()
        if box := locator.bounding_box():
            return box
    raise AssertionError(f"{locator} doesn't stay")


def turn_to(page: Page, tab: str) -> None:
    page.get_by_role("tab", name=tab, exact=True).click()


def choose_model(page: Page, name: str) -> None:
    """Choose a model by typing its name."""
    field = page.get_by_role("combobox", name="Model")
    field.fill(name)
    expect(page.get_by_role("option", name=name).first).to_be_visible()
    field.press("Enter")
    expect(field).to_have_value(name)


def choose_files(page: Page, *paths: Path) -> None:
    page.locator("#ask .drop input[type=file]").set_input_files(list(paths))


def explain(page: Page) -> None:
    """Press the button and wait until the job that it makes is shown."""
    page.get_by_role("button", name=re.compile("^Explain")).click()
    expect(page).to_have_url(A_JOB)


def asked(page: Page, stack: Stack) -> dict[str, Any]:
    """Return the parameters of the job that is shown."""
    job_id = re.search(r"[0-9a-f]{32}", page.url)
    assert job_id is not None
    params: dict[str, Any] = stack.client.get(f"/v1/jobs/{job_id[0]}").raise_for_status().json()["params"]
    return params


def pixels(page: Page) -> str:
    """Return what is drawn in the canvas."""
    drawn: str = page.evaluate(DRAWN)
    return drawn


def read(address: str) -> npt.NDArray[np.floating]:
    """Return a picture of a ``data:`` URL: H x W x 3 of 255."""
    return np.asarray(decode(address).convert("RGB"), dtype=float)


def shows_area(page: Page, words: str) -> None:
    """Wait until the picture is drawn under the mask of an area."""
    expect(page.locator("canvas")).to_have_attribute("aria-label", f"The image under the mask of {words}")


def changes_the_picture(page: Page, before: str) -> None:
    page.wait_for_function(f"before => {DRAWN} !== before", arg=before)


def becomes(page: Page, picture: str) -> None:
    page.wait_for_function(f"picture => {DRAWN} === picture", arg=picture)


def row_of(page: Page, address: str) -> Locator:
    """Return a job's row in the list."""
    return page.locator(f"#jobs tr[data-id='{address[-32:]}']")


def first_sample(page: Page) -> Page:
    """Open the page and choose the first sample."""
    page.goto("/")
    choose_sample(page)
    return page


def choose_sample(page: Page, name: str = "A black bear") -> None:
    page.get_by_role("button", name=name).click()
    expect(page.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
