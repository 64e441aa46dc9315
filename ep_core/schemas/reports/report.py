"""Any task's report, as far as all of them are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from ep_core.schemas.specs import CommonSpec
    from ep_core.schemas.warnings import Warnings

    from .common import Engine, ModelRef, TargetRef, Timing


class TaskReport(BaseModel):
    """A finished job of some task: its parameters as run, what was explained, and how."""

    if TYPE_CHECKING:  # each report declares them itself, at its own place among its fields
        task: str
        params: CommonSpec
        model: ModelRef
        target: TargetRef
        warnings: Warnings
        timing: Timing
        engine: Engine
