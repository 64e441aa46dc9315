"""Specs: one pydantic model per task, the single source of truth for engine, worker and API.

Imports no torch: the API validates with these models, the worker stores them and the engine runs them. Their union is
made from the table of tasks (`ep_core.schemas.tasks`).
"""

from __future__ import annotations

from ep_core.schemas.perturbations import PerturbationKind

from .channels import MAX_IMAGES, MAX_TOP, ChannelsSpec, ClassChannelsSpec, default_counts
from .common import DEFAULT_MODEL, MAX_AREAS, MAX_ITERATIONS, CommonSpec, Fit, Preset, Variant
from .compare import DEFAULT_METHODS, EXTREMAL, MAX_SAMPLES, METHODS, CompareSpec
from .extremal import DEFAULT_AREAS, ExtremalSpec, SpatialSpec
from .target import BoxTarget, ClassContrast, ClassName, SegmentTarget, SimilarTarget, Target, TextTarget

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
    "BoxTarget",
    "ChannelsSpec",
    "ClassChannelsSpec",
    "ClassContrast",
    "ClassName",
    "CommonSpec",
    "CompareSpec",
    "ExtremalSpec",
    "Fit",
    "PerturbationKind",
    "Preset",
    "SegmentTarget",
    "SimilarTarget",
    "SpatialSpec",
    "Target",
    "TextTarget",
    "Variant",
    "default_counts",
]
