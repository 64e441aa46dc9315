"""The presets: rules by which lanes are optimised. `paper` is faithful to section 4; `fast` is ours."""

from __future__ import annotations

from ep_core.spec import Preset

from .fast import FastRule
from .paper import PaperRule
from .rule import Rule, Step

RULES: dict[Preset, type[FastRule] | type[PaperRule]] = {"fast": FastRule, "paper": PaperRule}

__all__ = ["RULES", "FastRule", "PaperRule", "Rule", "Step"]
