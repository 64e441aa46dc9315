"""What can be asked of the engine: one pydantic model per task, the single source of truth for all three floors.

Imports no torch: the API validates with these models, the worker stores them and the engine runs them.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from .channels import MAX_IMAGES, MAX_TOP, ChannelsSpec, ClassChannelsSpec, default_counts
from .common import DEFAULT_MODEL, MAX_AREAS, MAX_ITERATIONS, CommonSpec, Fit, PerturbationKind, Preset, Variant
from .extremal import DEFAULT_AREAS, ExtremalSpec


def _task(spec: Any) -> Any:
    """Return the task of a spec or of a JSON object, which may leave out the default one."""
    return spec.get("task", "extremal") if isinstance(spec, dict) else getattr(spec, "task", "extremal")


Spec = Annotated[
    Annotated[ExtremalSpec, Tag("extremal")]
    | Annotated[ChannelsSpec, Tag("channels")]
    | Annotated[ClassChannelsSpec, Tag("class_channels")],
    Discriminator(_task),
]
"""Any task's spec, told apart by `task`."""

SPECS: dict[str, type[CommonSpec]] = {
    "extremal": ExtremalSpec,
    "channels": ChannelsSpec,
    "class_channels": ClassChannelsSpec,
}
"""By task."""

__all__ = [
    "DEFAULT_AREAS",
    "DEFAULT_MODEL",
    "MAX_AREAS",
    "MAX_IMAGES",
    "MAX_ITERATIONS",
    "MAX_TOP",
    "SPECS",
    "ChannelsSpec",
    "ClassChannelsSpec",
    "CommonSpec",
    "ExtremalSpec",
    "Fit",
    "PerturbationKind",
    "Preset",
    "Spec",
    "Variant",
    "default_counts",
]
