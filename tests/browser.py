"""The Chromium of this machine, driven by playwright, and how pages are opened in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, sync_playwright

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
TIMEOUT_MS = 20_000  # for one action; the cores may be busy with other tests

Theme = Literal["light", "dark"]


def find_browser() -> str | None:
    """Return the path of a Chromium, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def chromium(path: str) -> Iterator[Browser]:
    """Run the browser at `path`, without a window."""
    args = ["--disable-gpu", "--disable-dev-shm-usage"]  # a container's /dev/shm is small
    if os.geteuid() == 0:
        args.append("--no-sandbox")  # its sandbox refuses to work for root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=args)
        try:
            yield browser
        finally:
            browser.close()


def open_context(
    browser: Browser, url: str, *, theme: Theme = "light", phone: bool = False, **options: Any
) -> BrowserContext:
    """Return a fresh profile for the site at `url`: no cookies, nothing cached, nothing moves.

    Args:
        browser: to open it in.
        url: where relative addresses start.
        theme: the colours that the user prefers.
        phone: a phone's size and touch instead of a laptop's.
        options: more of playwright's for a context.
    """
    context = browser.new_context(
        base_url=url,
        **{**(PHONE if phone else DESKTOP), "color_scheme": theme, "reduced_motion": "reduce", **options},
    )
    context.set_default_timeout(TIMEOUT_MS)
    return context
