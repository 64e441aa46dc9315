"""Parameters of jobs that cost little."""

from __future__ import annotations

from typing import Any

MASKS_ONLY: dict[str, Any] = {"check_extremality": False, "alternatives": 0, "contrast": False}
"""A sweep without what is looked for beside its masks."""
