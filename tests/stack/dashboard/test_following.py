"""Watching a job through interruptions between the page and the service."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.running_stack import Stack

from .using import FINISH_MS, LONG, post
from .watching import Watch

pytestmark = pytest.mark.e2e

RUNNING = re.compile("Finding what")
PERCENT = re.compile(r"\d+%")


def follow(page: Page, stack: Stack) -> dict[str, object]:
    job = post(stack, LONG)
    page.goto(f"/#/job/{job['id']}")
    expect(page.get_by_role("heading", name=RUNNING)).to_be_visible(timeout=30_000)
    return job


def test_a_running_job_is_canceled(page: Page, stack: Stack) -> None:
    job = follow(page, stack)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="This job was removed")).to_be_visible()
    assert stack.client.get(f"/v1/jobs/{job['id']}").status_code == 404


def test_it_goes_on_when_the_service_is_back(page: Page, stack: Stack, watch: Watch) -> None:
    watch.allow("ERR_|status of 503|Failed to load resource")
    follow(page, stack)
    stack.stop()
    expect(page.get_by_role("alert").filter(has_text="can’t be reached")).to_be_visible(timeout=30_000)
    stack.start()
    expect(page.locator("#banner")).to_be_hidden(timeout=30_000)
    expect(page.get_by_role("status").filter(has_text=PERCENT)).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="This job was removed")).to_be_visible()


@pytest.mark.parametrize("fault", ["refused", "held back"])
def test_it_polls_where_no_stream_gets_through(page: Page, stack: Stack, watch: Watch, fault: str) -> None:
    """A proxy that refuses streams, or holds them back until they end, is simulated by the browser."""
    watch.allow("ERR_|Failed to load resource")
    held: list[Route] = []
    page.route("**/events", lambda route: route.abort() if fault == "refused" else held.append(route))
    job = post(stack, LONG | {"iterations": 400, "seed": 7 if fault == "refused" else 8})
    page.goto(f"/#/job/{job['id']}")
    expect(page.get_by_role("status").filter(has_text=PERCENT)).to_be_visible(timeout=30_000)
    expect(page.locator("h1.answer")).to_contain_text(re.compile("“[abc]”"), timeout=FINISH_MS)
    assert held or fault == "refused"
