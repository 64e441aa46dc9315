"""Specs: one pydantic model per task, the single source of truth for engine, worker and API.

Imports no torch: the API validates with these models, the worker stores them and the engine runs them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag

from .channels import MAX_IMAGES, MAX_TOP, ChannelsSpec, ClassChannelsSpec, default_counts
from .common import DEFAULT_MODEL, MAX_AREAS, MAX_ITERATIONS, CommonSpec, Fit, PerturbationKind, Preset, Variant
from .compare import DEFAULT_METHODS, EXTREMAL, MAX_SAMPLES, METHODS, CompareSpec
from .extremal import DEFAULT_AREAS, ExtremalSpec, SpatialSpec


def _task(spec: Any) -> Any:
    """Return the task of a spec or of a JSON object, which may leave out the default one."""
    return spec.get("task", "extremal") if isinstance(spec, dict) else getattr(spec, "task", "extremal")


Spec = Annotated[
    Annotated[ExtremalSpec, Tag("extremal")]
    | Annotated[ChannelsSpec, Tag("channels")]
    | Annotated[ClassChannelsSpec, Tag("class_channels")]
    | Annotated[CompareSpec, Tag("compare")],
    Discriminator(_task),
]
"""Any task's spec, discriminated by `task`."""

TaskName = Literal["extremal", "channels", "class_channels", "compare"]

SPECS: dict[str, type[CommonSpec]] = {
    "extremal": ExtremalSpec,
    "channels": ChannelsSpec,
    "class_channels": ClassChannelsSpec,
    "compare": CompareSpec,
}
"""By `TaskName`."""


def spatial_areas(spec: Spec) -> tuple[float, ...]:
    """Return the areas of which a task's result has extremal masks; none, where it has no such masks."""
    if isinstance(spec, ExtremalSpec) or (isinstance(spec, CompareSpec) and EXTREMAL in spec.methods):
        return spec.areas
    return ()


__all__ = [
    "DEFAULT_AREAS",
    "DEFAULT_METHODS",
    "DEFAULT_MODEL",
    "EXTREMAL",
    "MAX_AREAS",
    "MAX_IMAGES",
    "MAX_ITERATIONS",
    "MAX_SAMPLES",
    "MAX_TOP",
    "METHODS",
    "SPECS",
    "ChannelsSpec",
    "ClassChannelsSpec",
    "CommonSpec",
    "CompareSpec",
    "ExtremalSpec",
    "Fit",
    "PerturbationKind",
    "Preset",
    "SpatialSpec",
    "Spec",
    "TaskName",
    "Variant",
    "default_counts",
    "spatial_areas",
]
