"""Operators for smooth masks (figure 4), in one dimension: convolution, max-convolution, smooth max-convolution."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ep_core.evaluation.reporting.plots import Panel, panels_plot
from ep_core.evaluation.reporting.report import Cell, EvaluationReport, Figure, Table
from ep_core.masks.smooth_maximum import RADIUS, kernel_profile

BENCHMARK = "smooth"
SHARPNESSES = (20.0, 5.0, 1.0)  # 1/T; the paper's masks use 20
SAMPLES, POINTS = 64, 10  # of the mask, and for each step of the plot
BOXES = {"one sample": (10, 11, 1.0), "four": (24, 28, 1.0), "half high": (38, 42, 0.5), "twelve": (48, 60, 1.0)}
"""First and last (exclusive) sample of each box of the mask, and its height."""
PLOT = f"{BENCHMARK}.svg"


def convolution(mask: Tensor, points: Tensor) -> Tensor:
    """Return eq. 5, ``Z^-1 sum_v k(u - v) m(v)``: the mask (N, in [0, 1]) at points (U, in samples) as U values."""
    kernel = _kernel(mask, points)
    return kernel @ mask / kernel.sum(dim=1)


def max_convolution(mask: Tensor, points: Tensor) -> Tensor:
    """Return eq. 6, ``max_v k(u - v) m(v)``; shapes as for `convolution`."""
    return (_kernel(mask, points) * mask).amax(dim=1)


def smax_convolution(mask: Tensor, points: Tensor, *, sharpness: float) -> Tensor:
    """Return eq. 7 of ``f(v) = k(u - v) m(v)``, over the samples within the kernel's radius (A.1).

    Args:
        mask: N, in [0, 1].
        points: U, in samples.
        sharpness: 1/T.
    """
    kernel = _kernel(mask, points)
    values = kernel * mask
    weights = torch.exp(sharpness * values) * (kernel > 0)
    return (values * weights).sum(dim=1) / weights.sum(dim=1)


def _kernel(mask: Tensor, points: Tensor) -> Tensor:
    """Return ``k(u - v)``, U x N, 0 beyond the radius."""
    distance = (points[:, None] - torch.arange(len(mask), dtype=points.dtype)).abs()
    return torch.where(distance <= RADIUS, kernel_profile(distance), 0)


def smooth(*, out: Path) -> EvaluationReport:
    """Draw the operators on a mask of boxes (figure 4). Needs no network.

    Args:
        out: folder of the reports, where the plot goes, too.
    """
    mask = torch.zeros(SAMPLES, dtype=torch.float64)
    for first, last, height in BOXES.values():
        mask[first:last] = height
    points = torch.arange((SAMPLES - 1) * POINTS + 1, dtype=torch.float64) / POINTS
    operators = {
        "mask": mask[points.round().long()],
        "convolution (eq. 5)": convolution(mask, points),
        "max-convolution (eq. 6)": max_convolution(mask, points),
    } | {
        f"smax, 1/T = {sharpness:g} (eq. 7)": smax_convolution(mask, points, sharpness=sharpness)
        for sharpness in SHARPNESSES
    }
    lines = {name: (points.tolist(), values.tolist()) for name, values in operators.items()}
    out.mkdir(parents=True, exist_ok=True)
    (out / PLOT).write_bytes(
        panels_plot([Panel("Operators for smooth masks", "sample", "mask", lines)], columns=1, width=9)
    )
    rows: list[list[Cell]] = [
        [name, *(float(values[first * POINTS : (last - 1) * POINTS + 1].max()) for first, last, _ in BOXES.values())]
        for name, values in operators.items()
    ]
    return EvaluationReport(
        benchmark=BENCHMARK,
        title="Operators for smooth masks",
        about="A mask in one dimension, smoothed by the operators of section 3.5 with the kernel of section 4 (figure "
        "4): convolution dampens what is narrow, max-convolution does not, and the smooth maximum lies between.",
        settings={"kernel": "exp(-max(0, z - 1)^2 / 4)", "radius": RADIUS, "sharpness": list(SHARPNESSES)},
        items=0,
        seconds=0,
        tables=[
            Table(
                title="Highest value on each box",
                columns=["Operator", *(name.capitalize() for name in BOXES)],
                rows=rows,
                note="Boxes by their width in samples; the third is four wide.",
            )
        ],
        figures=[Figure(title="Figure 4", file=PLOT)],
    )
