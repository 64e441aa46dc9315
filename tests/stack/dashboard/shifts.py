"""Layout shifts of a page: what jumps although nobody touched it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

_NOTE = """window.shifts = [];
new PerformanceObserver((list) => list.getEntries().forEach(({ value, sources, startTime }) => window.shifts.push({
  value, startTime, what: sources.map(({ node, previousRect: a, currentRect: b }) =>
    `${node?.outerHTML?.slice(0, 60) ?? node?.nodeName} ${a.y} -> ${b.y}`),
}))).observe({ type: "layout-shift", buffered: true });"""
_NOTED = "() => new Promise((resolve) => setTimeout(() => resolve(window.shifts), 100))"


def note_shifts(page: Page) -> None:
    """Let a page note its shifts. Call before it is opened."""
    page.add_init_script(_NOTE)


def shifts(page: Page) -> list[dict[str, Any]]:
    """Return the shifts so far: how much each is (`value`, as browsers score it), when it was, and what moved."""
    found: list[dict[str, Any]] = page.evaluate(_NOTED)  # a moment later: they are told after a frame
    return found
