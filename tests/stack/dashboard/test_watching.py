"""The watch that fails a test, and axe, find the faults that they should."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.running_stack import Stack

from .accessibility import axe
from .watching import Watch

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("console.error('oh no')", "console: oh no"),
        ("setTimeout(() => { throw new Error('oh no') })", "exception: .*oh no"),
        ("fetch('/v1/jobs/none')", "console: .*status of 404"),
        ("fetch('http://localhost:9/').catch(() => 0)", "policy: connect-src forbids http://localhost:9/"),
        ("document.body.setAttribute('onclick', '0'); document.body.click()", "policy: script-src-attr forbids inline"),
        ("new Image().src = 'http://localhost:9/pixel.png'", "policy: img-src forbids"),
    ],
)
def test_it_sees(blank: Page, watch: Watch, script: str, problem: str) -> None:
    blank.evaluate(f"() => {{ {script} }}")
    blank.wait_for_timeout(300)
    with pytest.raises(AssertionError, match=problem):
        watch.check()
    watch.allow("")


def test_it_sees_requests_elsewhere_that_no_policy_forbids(page: Page, watch: Watch) -> None:
    page.set_content("<img src='http://localhost:9/pixel.png'>")
    with pytest.raises(AssertionError, match=r"request elsewhere: GET http://localhost:9/pixel\.png"):
        watch.check()
    watch.allow("localhost:9")


def test_what_is_allowed_passes_and_nothing_else(blank: Page, watch: Watch) -> None:
    blank.evaluate("() => { console.error('known'); console.warn('only a warning') }")
    watch.allow("known")
    watch.check()
    blank.evaluate("() => console.error('new')")
    with pytest.raises(AssertionError, match="new"):
        watch.check()
    watch.allow("new")


def test_a_picture_of_a_removed_job_is_no_fault_and_another_missing_part_is(
    blank: Page, watch: Watch, stack: Stack, finish: Callable[..., dict[str, Any]]
) -> None:
    job = finish(model="mobilenet_small", areas=[0.3], iterations=2, seed=77)
    fetch = "path => fetch(path).then(answer => answer.status)"
    assert blank.evaluate(fetch, f"{job['links']['self']}/images/7") == 404
    with pytest.raises(AssertionError, match="images/7"):
        watch.check()
    stack.client.delete(job["links"]["self"])
    watch.check()
    assert blank.evaluate(fetch, job["links"]["result"]) == 404
    with pytest.raises(AssertionError, match="result"):
        watch.check()
    watch.allow("/result")


def test_axe_names_what_it_finds(blank: Page) -> None:
    blank.evaluate("document.body.innerHTML = '<input id=nameless>'")
    with pytest.raises(AssertionError, match=r"label \(critical\)[\s\S]*#nameless"):
        axe(blank)
