"""Parameters of jobs that cost little: what happens to a job seldom depends on what it computes."""

from __future__ import annotations

from typing import Any

MASKS_ONLY: dict[str, Any] = {"check_extremality": False, "alternatives": 0, "contrast": False}
TINY = MASKS_ONLY | {"model": "none", "areas": (0.1,), "iterations": 1}
"""One step of a tiny network."""
GATED = MASKS_ONLY | {"model": "waits", "areas": (0.1,), "iterations": 400}
"""Goes on for many seconds until the fixture `gate` is opened, and ends soon after."""
