"""Extremal perturbations as a map: the sum of the masks of all areas (4.2)."""

from __future__ import annotations

import torch
from torch import Tensor

from ep_core.extremal.search import SEARCH_SETTINGS
from ep_core.extremal.sweep import sweep
from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.schemas.progress import Progress
from ep_core.schemas.specs import CompareSpec, ExtremalSpec, SpatialSpec


def extremal_spec(spec: CompareSpec, target: int) -> ExtremalSpec:
    """Return the spec of a comparison's sweep, for a class; its check is the comparison's own."""
    shared = spec.model_dump(include=set(SpatialSpec.model_fields) - {"task", "target"})
    return ExtremalSpec(target=target, **shared).masks_only()


def _attribute(request: AttributionRequest) -> Tensor:
    """Return the sum of the masks of the spec's areas, T x H x W in [0, K]."""

    def watch(progress: Progress) -> None:
        request.on_share(progress.iteration / progress.total)

    specs = [extremal_spec(request.spec, target) for target in request.targets]
    found = sweep(request.model, [request.x] * len(specs), specs, on_progress=watch)
    return torch.stack([one.masks.sum(dim=0)[0] for one in found])


METHOD = Method(
    title="Extremal perturbations",
    about="The smooth masks of given areas that keep the score highest: this service's own.",
    source="Fong et al., Understanding Deep Networks via Extremal Perturbations and Smooth Masks, ICCV 2019",
    attribute=_attribute,
    random=True,
    version=SEARCH_SETTINGS,
    passes=1500,
)
