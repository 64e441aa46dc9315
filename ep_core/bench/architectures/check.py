"""Trial of an architecture: each task on one picture, in few steps."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from PIL import Image

from ep_core.channels.attribution import explain_channels
from ep_core.compare.run import compare
from ep_core.engine import explain
from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.models.checks.brief import brief
from ep_core.models.checks.probes import probe_images
from ep_core.models.classifier import Classifier
from ep_core.models.preprocessing import Preprocessing
from ep_core.models.runtime.memory import is_of_device
from ep_core.schemas.specs import ChannelsSpec, CompareSpec, ExtremalSpec

from .architecture import Architecture

TASKS = ("explain", "compare", "channels")
EXPLAIN = ExtremalSpec(areas=(0.2,), iterations=2)
COMPARE = CompareSpec(areas=(0.2,), iterations=2, samples=8)
CHANNELS = ChannelsSpec(areas=(1, 2), iterations=2)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    """Outcome of a task."""

    works: bool
    said: str
    """The extent to which it works, the reason of a refusal, or the error."""
    reasons: tuple[tuple[str, str], ...] = ()
    """Methods that don't apply, each with its reason."""
    is_error: bool = False
    """True where it ended in an error that the product doesn't know."""
    needs_layer: bool = False
    """True where the user would have to name a layer."""


@dataclass(frozen=True)
class Checked:
    """An architecture, tried."""

    name: str
    source: str
    weights: str
    """``trained`` or ``random``; ``none`` where it can't be made."""
    verdicts: dict[str, Verdict]
    """By task, of `TASKS`."""
    seconds: float = 0.0


def check(architecture: Architecture, device: torch.device) -> Checked:
    """Try an architecture by every task, and return what came of it; only errors of the device pass through."""
    made: list[tuple[Classifier, bool]] = []
    refused = _verdict(partial(_build, architecture, device, made))
    if not made:
        return Checked(architecture.name, architecture.source, "none", dict.fromkeys(TASKS, refused))
    ((model, is_trained),) = made
    picture = _picture(architecture)
    verdicts = {task: _verdict(partial(run, model, picture)) for task, run in _TRIES.items()}
    return Checked(architecture.name, architecture.source, "trained" if is_trained else "random", verdicts)


def _build(architecture: Architecture, device: torch.device, made: list[tuple[Classifier, bool]]) -> Verdict:
    try:
        made.append(architecture.classifier(device))
    except ModuleNotFoundError as error:
        return Verdict(False, f"needs the package {error.name}, which isn't installed")
    return Verdict(True, "")


def _verdict(run: Callable[[], Verdict]) -> Verdict:
    """Return what a task says, with what it refuses and what it fails by as such."""
    try:
        return run()
    except (InvalidInput, ModelUnavailable) as error:
        is_choice = isinstance(error, InvalidInput) and error.field == "layer" and "Name a layer" in error.detail
        return Verdict(False, str(error), needs_layer=is_choice)
    except Exception as error:
        if is_of_device(error):
            raise
        log.exception("an internal error")
        return Verdict(False, brief(error), is_error=True)


def _picture(architecture: Architecture) -> Image.Image:
    """Return a picture in colours, the same for all architectures of a size."""
    preprocessing = Preprocessing((architecture.side, architecture.side))
    return preprocessing.to_image(probe_images(preprocessing, torch.device("cpu"), seed=1))


def _explained(model: Classifier, picture: Image.Image) -> Verdict:
    explain(model, picture, EXPLAIN)
    return Verdict(True, "works")


def _compared(model: Classifier, picture: Image.Image) -> Verdict:
    found = compare(model, picture, COMPARE)
    failed = any(one.is_failure for one in found.refusals)
    reasons = tuple((one.method, one.reason) for one in found.refusals)
    return Verdict(not failed, f"{len(found.answers)} of {len(COMPARE.methods)}", reasons, is_error=failed)


def _channels(model: Classifier, picture: Image.Image) -> Verdict:
    found = explain_channels(model, picture, CHANNELS)
    layer = found.layer
    return Verdict(True, f"{layer.name} ({layer.channels} x {layer.height} x {layer.width})")


_TRIES: dict[str, Callable[[Classifier, Image.Image], Verdict]] = {
    "explain": _explained,
    "compare": _compared,
    "channels": _channels,
}
