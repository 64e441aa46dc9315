"""The dashboard in a real browser, on a real stack with the default model.

A test asks for `page`, `dark_page` or `phone`, or opens what it likes with `open_page`; each has a profile of its own.
The test fails if anything goes wrong on its pages that it hasn't named to `watch.allow`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import NAMES, TIMEOUT_MS, Theme, chromium, find_browser, open_context
from tests.running_stack import Stack

from .using import post
from .watching import Watch

expect.set_options(timeout=TIMEOUT_MS)


class OpenPage(Protocol):
    """Factory of an empty page in a fresh profile, watched until the test ends."""

    def __call__(self, *, theme: Theme = "light", phone: bool = False, **options: Any) -> Page: ...


@pytest.fixture(scope="session")
def browser_path() -> str:
    path = find_browser()
    if path is None:
        message = f"no browser here: install one of {', '.join(NAMES)}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return path


@pytest.fixture(scope="session")
def finish(stack: Stack) -> Callable[..., dict[str, Any]]:
    """A function that returns a finished job of the bear."""

    def run(**params: Any) -> dict[str, Any]:
        job = stack.finish(post(stack, params))
        assert job["status"] == "succeeded", job["error"]
        return job

    return run


@pytest.fixture(scope="session")
def done(finish: Callable[..., dict[str, Any]]) -> Callable[..., str]:
    """A function that returns the page's address of a finished job of the bear."""
    return lambda **params: f"/#/job/{finish(**params)['id']}"


@pytest.fixture(scope="module")  # not the session: while playwright runs, no test can use asyncio.run
def browser(browser_path: str) -> Iterator[Browser]:
    with chromium(browser_path) as running:
        yield running


@pytest.fixture
def watch(stack: Stack) -> Watch:
    """Faults on this test's pages."""
    return Watch(stack.url)


@pytest.fixture
def open_page(browser: Browser, stack: Stack, watch: Watch) -> Iterator[OpenPage]:
    with ExitStack() as opened:

        def open_one(*, theme: Theme = "light", phone: bool = False, **options: Any) -> Page:
            context = open_context(browser, stack.url, theme=theme, phone=phone, **options)
            opened.callback(context.close)
            watch.follow(context)
            return context.new_page()

        yield open_one
        watch.check()


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    return open_page()


@pytest.fixture
def blank(page: Page) -> Page:
    """A page of the stack without any content, where modules of the dashboard can be imported."""
    page.goto("/healthz")
    return page


@pytest.fixture
def dark_page(open_page: OpenPage) -> Page:
    return open_page(theme="dark")


@pytest.fixture
def phone(open_page: OpenPage) -> Page:
    return open_page(phone=True)
