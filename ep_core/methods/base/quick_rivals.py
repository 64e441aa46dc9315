"""Cheap rivals of a sweep's masks: top areas of quick methods, and a few random masks."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch

from ep_core.extremal.extremality import Rivals, rivals_of
from ep_core.extremal.preparation import Prepared
from ep_core.models.classifier import Classifier
from ep_core.models.runtime.memory import is_of_device
from ep_core.schemas.reports.extremal import CurvePoint
from ep_core.schemas.specs import CompareSpec, SpatialSpec

from .method import AttributionRequest
from .registry import get_method

QUICK_METHODS = ("center", "gradient", "grad_cam")
QUICK_RANDOM = 4

log = logging.getLogger(__name__)


def quick_rivals(model: Classifier, image: Prepared[SpatialSpec], curve: Sequence[CurvePoint]) -> Rivals:
    """Return the top areas of the maps of `QUICK_METHODS`, and `QUICK_RANDOM` random masks.

    A method that this network's structure forbids is left out: the check costs nobody an answer. Errors of the device,
    such as the end of its memory, pass through: a result must not depend on what else runs there.

    Args:
        model: the classifier.
        image: the image.
        curve: of the masks that are checked.
    """
    spec = CompareSpec(seed=image.spec.seed)
    request = AttributionRequest(model=model, x=image.x, targets=(image.target,), spec=spec)
    names, maps = [], []
    for name in QUICK_METHODS:
        try:
            maps.append(get_method(name).attribute(request)[0].detach())
            names.append(name)
        except Exception as error:
            if is_of_device(error):
                raise
            log.info("not checked against %s: %s: %s", name, type(error).__name__, error)
    found = torch.stack(maps)
    return rivals_of(
        names,
        found,
        curve,
        preset=image.spec.preset,
        random=QUICK_RANDOM,
        seed=image.spec.seed,
        patches=image.patches,
    )
