"""Spec of `task: "compare"`: extremal masks beside well-known attribution methods."""

from __future__ import annotations

import pkgutil
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StrictInt, field_validator

from ep_core.schemas.targets import nearest_names

from .extremal import SpatialSpec

_KNOWN_ORDER = (
    "center",
    "gradient",
    "smoothgrad",
    "integrated_gradients",
    "deconvnet",
    "guided_backprop",
    "grad_cam",
    "lrp",
    "excitation_backprop",
    "contrastive_excitation_backprop",
    "occlusion",
    "rise",
    "lime",
    "greedy_superpixels",
    "phase_win",
    "meaningful_perturbation",
    "igos_plus_plus",
    "attention_rollout",
    "attention_relevance",
    "extremal",
)
METHODS_FOLDER = Path(__file__).parents[2] / "methods"
_FOUND = {module.name for module in pkgutil.iter_modules([str(METHODS_FOLDER)]) if not module.ispkg}

METHODS: tuple[str, ...] = (
    *(name for name in _KNOWN_ORDER if name in _FOUND),
    *sorted(_FOUND.difference(_KNOWN_ORDER)),
)
"""The files of `ep_core/methods`: first the paper's, in the order of its table, then any others."""
_ONLY_NAMED = ("igos_plus_plus", "attention_rollout", "attention_relevance")
DEFAULT_METHODS = tuple(name for name in METHODS if name not in _ONLY_NAMED)
"""Those compared unless told otherwise: neither what takes at least twice as long as any other, nor what explains
transformers alone."""
EXTREMAL = "extremal"
MAX_SAMPLES = 100_000


class CompareSpec(SpatialSpec):
    """Several methods on one image and class, each with the score curve of keeping its top areas (figure 2)."""

    model_config = ConfigDict(
        json_schema_extra={
            "required": ["task"],
            "examples": [
                {"task": "compare"},
                {"task": "compare", "methods": ["grad_cam", "rise", "extremal"], "areas": [0.05, 0.1, 0.2]},
            ],
        },
    )

    task: Literal["compare"] = "compare"
    methods: Annotated[
        tuple[Annotated[str, Field(json_schema_extra={"enum": list(METHODS)})], ...],
        Field(
            min_length=1,
            max_length=64,
            description="The methods, all different, in the order in which the result lists them. Those that can't "
            "explain the model say why in the result. By default all but `igos_plus_plus`, which takes the longest, "
            "and `attention_rollout` and `attention_relevance`, which explain transformers alone.",
        ),
    ] = DEFAULT_METHODS
    layer: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=200,
            description="The layer that Grad-CAM and excitation backprop read: one that "
            "`GET /v1/models/{name}` lists; null takes the one that is listed as the default for each. The result says "
            "which layer each method read.",
        ),
    ] = None
    samples: Annotated[
        StrictInt | None,
        Field(
            ge=1,
            le=MAX_SAMPLES,
            description="Random images that RISE (null: 4000), LIME (1000) and SmoothGrad (50) look at; most images of "
            "a search over superpixels (null: about 50 superpixels).",
        ),
    ] = None

    @field_validator("methods")
    @classmethod
    def _known_and_distinct(cls, methods: tuple[str, ...]) -> tuple[str, ...]:
        for name in methods:
            if name not in METHODS:
                nearest = nearest_names(name, METHODS)
                hint = f"did you mean {' or '.join(nearest)}?" if nearest else f"the methods are {', '.join(METHODS)}"
                raise ValueError(f"there is no method {name[:100]!r}; {hint}")
        if len(set(methods)) != len(methods):
            raise ValueError("methods must all be different")
        return methods
