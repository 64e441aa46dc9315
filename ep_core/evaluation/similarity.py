"""Similarity of two maps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.floating]
"""H x W."""


def rank_correlation(one: Map, other: Map) -> float:
    """Return Spearman's rank correlation of two maps' pixels, in [-1, 1]; 0 where just one of them is constant."""
    from scipy.stats import spearmanr

    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float(np.ptp(one) == np.ptp(other))
    return float(spearmanr(one.ravel(), other.ravel()).statistic)


def structural_similarity(one: Map, other: Map) -> float:
    """Return the SSIM (Wang et al. 2004) of two maps, each scaled to [0, 1]; at most 1."""
    from skimage.metrics import structural_similarity as ssim

    return float(ssim(_scaled(one), _scaled(other), data_range=1.0))


def _scaled(values: Map) -> Map:
    """Return a map scaled to [0, 1]; a constant one as zeros."""
    low, span = values.min(), np.ptp(values)
    return (values - low) / span if span > 0 else np.zeros_like(values)
