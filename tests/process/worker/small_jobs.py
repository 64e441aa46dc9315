"""Parameters of jobs of tiny networks: what happens to a job seldom depends on what it computes."""

from __future__ import annotations

from tests.small_jobs import MASKS_ONLY

TINY = MASKS_ONLY | {"model": "none", "areas": (0.1,), "iterations": 1}
"""One step of a tiny network."""
GATED = MASKS_ONLY | {"model": "waits", "areas": (0.1,), "iterations": 400}
"""Goes on for many seconds until the fixture `gate` is opened, and ends soon after."""
