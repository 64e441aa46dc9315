"""The engine against ReX (Chockler, Kelly, Kroening 2021), its authors' package: the same photographs, in one run.

ReX ranks pixels by causal responsibility and returns a small set of them that suffices for the class. Its package needs
a Python environment of its own (`rex_side`).
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ep_core.engine import explain
from ep_core.errors import ModelUnavailable
from ep_core.evaluation.cost import counted
from ep_core.extremal.top_area import top_area_masks
from ep_core.masks.perturbation import BLUR_SIGMA_AT_224, Pyramids, blur_pyramid
from ep_core.models.classifier import Classifier
from ep_core.schemas.specs import ExtremalSpec

from . import rex_side

SIDE = Path(rex_side.__file__)
HOW_TO_INSTALL = "python -m venv rex && rex/bin/pip install rex-xai torch torchvision"
LEAST, MOST = 0.01, 0.95
"""Areas of masks that are compared with ReX's explanation, which may be smaller or larger."""


@dataclass(frozen=True)
class Pair:
    """Masks of one area, by the score that is left when only the mask is kept: Phi(m x) / Phi(x)."""

    area: float
    theirs: float
    """Of the top area of ReX's responsibility map, in our family of smooth masks."""
    ours: float


@dataclass(frozen=True)
class Sufficient:
    """ReX's explanation, and our mask of its area."""

    area: float
    theirs: float
    """Phi(m x) / Phi(x) of the explanation, perturbed by our blur."""
    ours: float
    theirs_there: float
    """The same, perturbed by the mean colour, as ReX does it."""
    ours_there: float


@dataclass(frozen=True)
class Comparison:
    """One photograph."""

    label: str
    pairs: list[Pair]
    sufficient: Sufficient
    seconds: float
    cost: float
    """Ours, in forward passes; a backward pass counts 2."""
    rex_seconds: float
    rex_cost: float
    """ReX's forward passes; it has no backward ones."""


def compare_with_rex(
    model: Classifier, image: Image.Image, areas: Sequence[float], *, python: Path, iterations: int | None, seed: int
) -> Comparison:
    """Compare both sides on a photograph's top class.

    Args:
        model: the classifier; ReX explains it on the CPU.
        image: the photograph.
        areas: shares of the image at which masks are compared.
        python: the interpreter of an environment that has `rex-xai`.
        iterations: of ReX; None takes its own number, 20.
        seed: of both sides.

    Raises:
        ModelUnavailable: ReX isn't installed there, or fails.
    """
    x, _ = model.preprocess(image)
    with model.frozen() as network, torch.no_grad():
        scores = network(x)[0]
    target, original = int(scores.argmax()), float(scores.max())
    answer = run(model, x, target, python=python, iterations=iterations, seed=seed)
    explanation = answer["explanation"].to(x)[None, None]
    share = float(explanation.mean())
    asked = sorted({*areas, min(max(share, LEAST), MOST)})
    with counted(model.network, model.input_size) as read_cost:
        ours = explain(model, x, ExtremalSpec(target=target, areas=tuple(asked), seed=seed).masks_only())
        cost = read_cost()
    theirs = top_area_masks(answer["map"].to(x.device)[None], asked)[0]
    at_share = ours.masks[min(range(len(asked)), key=lambda k: abs(asked[k] - share))]
    masks = torch.cat([theirs, ours.masks.to(x.device), explanation, at_share[None].to(x.device)])
    blurred, coloured = (kept / original for kept in _kept(model, x, masks, target))
    pairs = zip(asked, blurred, blurred[len(asked) :], strict=False)
    return Comparison(
        label=model.labels[target],
        pairs=[Pair(area, float(their), float(our)) for area, their, our in pairs if area in areas],
        sufficient=Sufficient(share, *(float(kept[k]) for kept in (blurred, coloured) for k in (-2, -1))),
        seconds=ours.timing.run_s,
        cost=cost,
        rex_seconds=answer["seconds"],
        rex_cost=answer["passes"],
    )


@torch.no_grad()
def _kept(model: Classifier, x: Tensor, masks: Tensor, target: int) -> list[Tensor]:
    """Return the scores of an image (1 x 3 x H x W) under N masks: by our blur, and by the mean colour; N each."""
    blur = blur_pyramid(x, sigma_max=BLUR_SIGMA_AT_224 * min(x.shape[2:]) / 224, levels=8)
    colour = torch.cat([x, torch.zeros_like(x)])
    scores = [partial(Pyramids(pyramid[None]).scores, model.network) for pyramid in (blur, colour)]
    first = torch.zeros(len(masks), dtype=torch.long, device=x.device)
    return [one(masks, first)[:, target].cpu() for one in scores]


def run(
    model: Classifier, x: Tensor, target: int, *, python: Path, iterations: int | None, seed: int
) -> dict[str, Any]:
    """Run ReX on an image (1 x 3 x H x W) in its own environment, and return its answer (`rex_side.explanation`).

    Raises:
        ModelUnavailable: ReX isn't installed there, or fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        network, asked, answered = (Path(folder) / name for name in ("network.pt2", "request.pt", "answer.pt"))
        batch = {0: torch.export.Dim("batch")}
        exported = torch.export.export(model.network.eval(), (x.expand(2, -1, -1, -1),), dynamic_shapes=(batch,))
        torch.export.save(exported, network)
        request = {"network": str(network), "image": x.cpu(), "target": target, "iterations": iterations, "seed": seed}
        torch.save(request, asked)
        try:
            done = subprocess.run(
                [python, SIDE, asked, answered], cwd=folder, capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise ModelUnavailable(f"{python} can't be run ({error.strerror}); for ReX: {HOW_TO_INSTALL}") from error
        if done.returncode != 0:
            said = (done.stderr.strip().splitlines() or ["?"])[-1]
            raise ModelUnavailable(f"ReX fails: {said}; for its environment: {HOW_TO_INSTALL}")
        answer: dict[str, Any] = torch.load(answered, weights_only=True)
    return answer
