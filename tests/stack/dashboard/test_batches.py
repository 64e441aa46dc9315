"""The page of a batch: its images side by side, a table, a zip."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.running_stack import SAMPLES, Stack
from tests.small_jobs import MASKS_ONLY

from .accessibility import axe
from .using import FINISH_MS, LONG
from .watching import Watch

pytestmark = pytest.mark.e2e

NAMES = ("black_bear.jpg", "goose.jpg")
SWEEP = {"areas": [0.1, 0.4], "iterations": 3, "threshold": 0.1, **MASKS_ONLY}
TO_GO = """async (steps) => {
  const { timeToGo } = await import("/static/togo.js");
  let now = 0;
  const left = timeToGo(() => now);
  return steps.map(([at, share]) => ((now = at), left(share)));
}"""


def post_batch(stack: Stack, params: dict[str, object]) -> str:
    files = [("image", (name, (SAMPLES / name).read_bytes())) for name in NAMES]
    data = {"params": json.dumps(params), "keep_images": "true"}
    return str(stack.client.post("/v1/batches", files=files, data=data).raise_for_status().json()["id"])


@pytest.fixture(scope="module")
def batch(stack: Stack) -> Iterator[str]:
    """The id of a batch."""
    batch_id = post_batch(stack, SWEEP)
    yield batch_id
    stack.client.delete(f"/v1/batches/{batch_id}")


def test_an_image_that_cannot_be_read_is_told_beside_the_others(page: Page, stack: Stack) -> None:
    """The form takes none; a batch that was posted otherwise can have one."""
    files = [("image", ("broken.jpg", b"no picture")), ("image", (NAMES[0], (SAMPLES / NAMES[0]).read_bytes()))]
    posted = stack.client.post("/v1/batches", files=files, data={"params": json.dumps(SWEEP)}).raise_for_status().json()
    page.goto(f"/#/batch/{posted['id']}")
    expect(page.get_by_role("row").filter(has_text="broken.jpg")).to_contain_text("picture")
    expect(page.get_by_role("row").filter(has_text=NAMES[0])).to_be_visible()
    stack.client.delete(f"/v1/batches/{posted['id']}")


@pytest.fixture
def shown(page: Page, batch: str) -> Page:
    """The page of the batch, all of whose images are done."""
    page.goto(f"/#/batch/{batch}")
    expect(page.get_by_role("heading", name=re.compile("^2 images$"))).to_be_visible(timeout=FINISH_MS)
    return page


def test_its_images_are_compared_at_one_area(shown: Page) -> None:
    tile = shown.get_by_alt_text("goose.jpg")
    shown.wait_for_function("image => image.naturalWidth > 0", arg=tile.element_handle())
    slider = shown.get_by_label("How much to reveal, in all of them")
    expect(slider).to_have_attribute("aria-valuetext", "Each at the smallest area that suffices")
    slider.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "40% of each image")
    whole = tile.get_attribute("src") or ""
    slider.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "10% of each image")
    expect(tile).not_to_have_attribute("src", whole)
    axe(shown)


def test_a_job_whose_read_fails_once_is_read_anew(page: Page, stack: Stack, batch: str, watch: Watch) -> None:
    watch.allow("ERR_FAILED")
    job = stack.client.get(f"/v1/batches/{batch}").json()["jobs"][1]["job"]
    page.route(f"**/v1/jobs/{job}", lambda route: route.abort(), times=1)
    page.goto(f"/#/batch/{batch}")
    expect(page.locator(".stage figcaption").nth(1)).to_contain_text("goose", timeout=FINISH_MS)


def test_its_table_and_its_files_are_saved(shown: Page, tmp_path: Path) -> None:
    rows = shown.locator(".stage tbody tr")
    expect(rows.nth(0)).to_contain_text("black_bear.jpg")
    with shown.expect_download() as saved:
        shown.get_by_role("button", name="Table (CSV)").click()
    saved.value.save_as(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["Image"] for row in table] == list(NAMES)
    assert [row["Class"] for row in table] == ["American black bear", "goose"]
    assert {row["State"] for row in table} == {"succeeded"}
    assert all(float(row["Seconds"]) > 0 for row in table)
    with shown.expect_download() as saved:
        shown.get_by_role("button", name="Everything (zip)").click()
    saved.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as bundle:
        assert bundle.testzip() is None
        first, *others = bundle.namelist()
        assert bundle.read(first) == (tmp_path / "table.csv").read_bytes()
        assert len(others) == len(NAMES)
        for name in others:
            assert "result.json" in zipfile.ZipFile(io.BytesIO(bundle.read(name))).namelist()


def test_its_page_opens_from_disk_and_its_slider_moves(shown: Page, browser: Browser, tmp_path: Path) -> None:
    with shown.expect_download() as saved:
        shown.get_by_role("button", name="Page (HTML)").click()
    saved.value.save_as(tmp_path / "batch.html")
    alone, asked = browser.new_page(), list[str]()
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto((tmp_path / "batch.html").as_uri())
    goose = alone.locator("figure", has_text="goose.jpg")
    expect(goose).to_contain_text("goose: a* ")
    slider = alone.get_by_label("How much to reveal, in all of them")
    slider.press("End")
    expect(goose).to_contain_text("40% kept: ")
    alone.wait_for_function("[...document.querySelectorAll('canvas')].every((one) => one.width === 320)")
    before = goose.locator("canvas").evaluate("one => one.toDataURL()")
    slider.press("ArrowLeft")
    expect(goose).to_contain_text("10% kept: ")
    alone.wait_for_function(
        "([one, before]) => one.toDataURL() !== before", arg=[goose.locator("canvas").element_handle(), before]
    )
    assert [url for url in asked if not url.startswith(("data:", "blob:", "file:"))] == []
    alone.close()


def test_a_running_one_says_how_long_it_takes_and_is_deleted_with_an_undo(
    page: Page, stack: Stack, watch: Watch
) -> None:
    batch_id = post_batch(stack, LONG | {"iterations": 2000})
    page.goto(f"/#/batch/{batch_id}")
    expect(page.locator(f"#jobs a[href='#/batch/{batch_id}']")).to_have_count(2)
    expect(page.get_by_role("status").filter(has_text=re.compile(r"\d+%, about \d+ .* to go"))).to_be_visible()
    page.get_by_role("button", name="Delete all").click()
    expect(page.locator(f"#jobs a[href='#/batch/{batch_id}']")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page).to_have_url(re.compile(batch_id))
    watch.allow("status of 404")  # the page still looks after its jobs
    assert stack.client.delete(f"/v1/batches/{batch_id}").status_code == httpx.codes.NO_CONTENT


def test_time_to_go_is_that_of_what_was_watched(blank: Page) -> None:
    steps = [[0, 0.2], [1, 0.3], [4, 0.205], [10, 0.4], [20, 1]]
    assert blank.evaluate(TO_GO, steps) == [None, None, None, pytest.approx(30), 0]
