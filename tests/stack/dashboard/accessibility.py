"""Findings of axe-core, which comes with its package, on a page."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_GRAVE = ("serious", "critical")


def axe(page: Page) -> None:
    """Raise AssertionError that names each serious or critical violation on the page as it is now."""
    violations = Axe().run(page).response["violations"]
    found = [_describe(violation) for violation in violations if violation["impact"] in _GRAVE]
    assert not found, "not accessible to all:\n" + "\n".join(found)


def _describe(violation: dict[str, Any]) -> str:
    lines = [f"{violation['id']} ({violation['impact']}): {violation['help']}"]
    for node in violation["nodes"]:
        lines.append(f"  {' '.join(map(str, node['target']))}  {node['html'][:120]}")
        lines += [f"    {check['message']}" for check in (*node["any"], *node["all"], *node["none"])]
    return "\n".join(lines)
