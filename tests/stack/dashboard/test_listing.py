"""The list of all jobs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.running_stack import Stack
from tests.small_jobs import MASKS_ONLY

from .accessibility import axe
from .conftest import OpenPage
from .using import SWEEP, first_sample, post, row_of

pytestmark = pytest.mark.e2e

QUICK = {"areas": [0.5], "iterations": 1, **MASKS_ONLY}
TINY = QUICK | {"model": "slow"}

UNDO_MS = 10_000
GONE_S = 5
REFRESHED_MS = 5000  # the list is read so often


def only(page: Page, state: str) -> None:
    page.get_by_role("group", name="Which jobs").get_by_role("button", name=state).click()


def test_jobs_are_listed_opened_asked_again_and_deleted(page: Page, stack: Stack, done: Callable[..., str]) -> None:
    address = done(**SWEEP)
    page.clock.install()
    page.goto("/")
    row = row_of(page, address)
    expect(row).to_contain_text("American black bear")
    only(page, "Failed")
    expect(row).to_have_count(0)
    only(page, "Done")
    page.get_by_label("Task", exact=True).select_option("compare")
    expect(row).to_have_count(0)
    page.get_by_label("Task", exact=True).select_option("extremal")
    row.get_by_role("link").click()
    expect(page.locator("h1.answer")).to_be_visible()
    row.get_by_role("button", name=re.compile("^Edit and rerun")).click()
    expect(page.get_by_label("Shares of the image, in (0, 1)")).to_have_value("0.05, 0.2, 0.6")
    expect(page.get_by_alt_text("The chosen image")).to_be_visible()
    row.get_by_role("button", name=re.compile("Delete")).click()
    expect(row).to_have_count(0)
    assert stack.client.get(f"/v1/jobs/{address[-32:]}").status_code == httpx.codes.OK
    page.clock.fast_forward(UNDO_MS)
    gone(stack, address)


def gone(stack: Stack, address: str) -> None:
    """Wait until a job is deleted: not so long that undo is over by itself."""
    end = time.monotonic() + GONE_S
    while stack.client.get(f"/v1/jobs/{address[-32:]}").status_code != httpx.codes.NOT_FOUND:
        assert time.monotonic() < end
        time.sleep(0.2)


def test_what_is_deleted_comes_back_by_undo(page: Page, stack: Stack) -> None:
    job = stack.finish(post(stack, {**QUICK, "seed": 40}))
    page.goto(f"/#/job/{job['id']}")
    page.get_by_role("button", name="Delete", exact=True).click()
    row = row_of(page, job["id"])
    expect(row).to_have_count(0)
    expect(page.get_by_role("status").filter(has_text="Masks · mobilenet_v2: deleted.")).to_be_visible()
    axe(page)
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(job["id"]))
    expect(row).to_have_count(1)
    row.get_by_role("button", name=re.compile("Delete")).click()
    page.get_by_role("button", name="Undo").click()
    expect(row).to_have_count(1)
    assert stack.client.get(job["links"]["self"]).status_code == httpx.codes.OK
    stack.client.delete(job["links"]["self"])


def test_closing_the_page_deletes_what_is_pending(open_page: OpenPage, stack: Stack) -> None:
    job = stack.finish(post(stack, {**QUICK, "seed": 41}))
    page = open_page()
    page.goto("/")
    row_of(page, job["id"]).get_by_role("button", name=re.compile("Delete")).click()
    expect(row_of(page, job["id"])).to_have_count(0)
    assert stack.client.get(job["links"]["self"]).status_code == httpx.codes.OK
    page.goto("about:blank")
    gone(stack, job["id"])


def test_what_is_selected_and_what_has_the_focus_look_different(page: Page) -> None:
    first_sample(page)
    chosen, other = page.get_by_role("button", name="A black bear"), page.get_by_role("button", name="A goose")
    other.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    style = "button => [getComputedStyle(button).outlineStyle, getComputedStyle(button).boxShadow !== 'none']"
    assert chosen.evaluate(style) == ["none", True]
    assert other.evaluate(style) == ["solid", False]


def test_a_thumbnail_is_small(page: Page, done: Callable[..., str]) -> None:
    address = done(**SWEEP)
    page.goto("/")
    thumb = row_of(page, address).locator("img.thumb")
    expect(thumb).to_be_visible()
    page.wait_for_function("image => image.naturalWidth > 0", arg=thumb.element_handle())
    assert thumb.evaluate("image => Math.max(image.naturalWidth, image.naturalHeight)") == 96


def test_a_job_without_its_image_has_a_picture_and_a_phone_shows_what_was_found(phone: Page, stack: Stack) -> None:
    job = stack.finish(post(stack, {**QUICK, "seed": 42}, keep=False))
    phone.goto("/")
    row = row_of(phone, job["id"])
    handle = row.locator("img.thumb").element_handle()
    phone.wait_for_function("image => image.naturalWidth > 0", arg=handle)
    expect(row.locator(".narrow-only")).to_be_visible()
    expect(row.locator(".narrow-only")).to_have_text(re.compile("^American black bear ·.*(ago|just now)$"))
    stack.client.delete(job["links"]["self"])


def test_it_keeps_the_focus_and_loses_what_is_gone(page: Page, stack: Stack) -> None:
    kept = stack.finish(post(stack, {**TINY, "seed": 1}))
    gone = stack.finish(post(stack, {**TINY, "seed": 2}))
    page.clock.install()
    page.goto("/")
    row_of(page, kept["id"]).get_by_role("link").focus()
    stack.client.delete(gone["links"]["self"])
    new = post(stack, {**TINY, "seed": 3})
    page.clock.fast_forward(REFRESHED_MS)
    expect(row_of(page, gone["id"])).to_have_count(0)
    expect(row_of(page, new["id"])).to_have_count(1)
    expect(row_of(page, kept["id"]).get_by_role("link")).to_be_focused()


def test_older_ones_are_a_click_away(page: Page, stack: Stack) -> None:
    first = post(stack, {**TINY, "seed": 100})
    jobs = [post(stack, {**TINY, "seed": 101 + k}) for k in range(12)]
    page.goto("/")
    rows = page.locator("#jobs tbody tr")
    expect(rows).to_have_count(12)
    expect(row_of(page, first["id"])).to_have_count(0)
    page.get_by_role("button", name="Older ones").click()
    expect(row_of(page, first["id"])).to_have_count(1)
    stack.client.delete(jobs[-1]["links"]["self"])  # of the first page: it goes, the older ones stay
    expect(row_of(page, jobs[-1]["id"])).to_have_count(0)
    expect(row_of(page, first["id"])).to_have_count(1)
    for job in (first, *jobs[:-1]):  # nobody waits for them
        stack.client.delete(job["links"]["self"])
