"""The page below a path of a proxy's that cuts it off: nothing that it asks for, links or copies leads beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import open_context
from tests.proxy import Proxy
from tests.running_stack import Stack
from tests.small_jobs import MASKS_ONLY

from .using import BEAR, FINISH_MS, SWEEP, choose, choose_files, explain, pixels, quickly, shows_area
from .watching import Watch

pytestmark = pytest.mark.e2e


@pytest.fixture
def proxy(stack: Stack) -> Iterator[Proxy]:
    with Proxy(stack.url, X_Forwarded_Prefix="/explain") as running:
        yield running
        assert running.missed == []


@pytest.fixture
def watch(proxy: Proxy) -> Watch:
    return Watch(proxy.url)


@pytest.fixture
def page(browser: Browser, proxy: Proxy, watch: Watch) -> Iterator[Page]:
    """An empty page for the proxy's site, watched until the test ends."""
    context = open_context(browser, proxy.url)
    watch.follow(context)
    yield context.new_page()
    watch.check()
    context.close()


def test_a_job_is_posted_watched_and_shown(page: Page, proxy: Proxy) -> None:
    quickly(page, iterations=50, **MASKS_ONLY)
    page.goto("/explain")  # where links would lead beside it
    expect(page).to_have_url(f"{proxy.url}/explain/")
    choose_files(page, BEAR)
    choose(page, "Areas", "own")
    page.get_by_label("Shares of the image, in (0, 1)").fill("0.12")  # no other test's: its result isn't known
    explain(page)
    assert re.match(rf"{proxy.url}/explain/#/job/[0-9a-f]{{32}}", page.url)
    page.get_by_alt_text("The mask of 12% so far").wait_for(timeout=FINISH_MS)
    expect(page.locator("h1.answer")).to_contain_text("American black bear", timeout=2 * FINISH_MS)
    shows_area(page, "12%")
    assert len(pixels(page)) > 10_000
    expect(page.locator("#jobs tbody tr").first.locator("img")).to_have_js_property("complete", True)
    page.get_by_role("link", name="Extremal perturbations").click()
    expect(page).to_have_url(f"{proxy.url}/explain/#/")


def test_a_link_to_a_view_shows_it_and_files_and_copies_lead_back(
    page: Page, proxy: Proxy, finish: Callable[..., dict[str, Any]]
) -> None:
    job = finish(**SWEEP)
    page.goto(f"/explain/#/job/{job['id']}?area=0.2&view=outline")
    shows_area(page, "20%")
    page.get_by_text("Download & share").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Everything (zip)").click()
    assert saved.value.path().stat().st_size > 10_000
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.locator("pre")).to_contain_text(f"{proxy.url}/explain/v1/jobs")


def test_the_document_can_be_read_and_tried(page: Page, proxy: Proxy, watch: Watch) -> None:
    watch.allow("escaping deep link")  # of Swagger's own, for names with an underscore
    page.goto("/explain/")
    expect(page.get_by_role("link", name="API")).to_have_js_property("href", f"{proxy.url}/explain/docs")
    page.goto("/explain/docs#/models/get_models")
    page.get_by_role("button", name="Try it out").click(timeout=FINISH_MS)  # the page has a megabyte of script
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".request-url")).to_contain_text("/explain/v1/models")
    expect(page.locator(".live-responses-table tbody .response-col_status")).to_contain_text("200")
