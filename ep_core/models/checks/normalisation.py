"""Check of means and standard deviations against pixel values of 0 to 1, with the values to use instead.

Imports no torch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

PerChannel = tuple[float, ...]
"""A value for each channel of a network's input."""
Normalisation = tuple[PerChannel, PerChannel]

IMAGENET_MEAN: PerChannel = (0.485, 0.456, 0.406)
IMAGENET_STD: PerChannel = (0.229, 0.224, 0.225)

_SMALLEST_STD = 0.9 / 255  # 1 / 255 is right: it gives the network pixel values of 0 to 255
_ROUNDING = 1.02
_ALIKE = 0.005


class _Fault(NamedTuple):
    """Fault of a normalisation."""

    is_there: Callable[[PerChannel, PerChannel], bool]
    reason: str
    advice: str
    mend: Callable[[PerChannel, PerChannel], Normalisation]


def fault_of(mean: PerChannel, std: PerChannel) -> str | None:
    """Return why a normalisation can't be right, with its values and those to use; None where it may be right.

    Args:
        mean, std: per channel, as many of each, as of `Preprocessing`. std is positive.
    """
    faults, mended = _faults(mean, std)
    if not faults:
        return None
    darkest, brightest = min(_inputs(0, mean, std)), max(_inputs(1, mean, std))
    reasons = "; ".join(fault.reason for fault in faults)
    given = f"mean = {listed(mean)}, std = {listed(std)}: {reasons}"
    seen = f"All pictures become values of {darkest:.4g} to {brightest:.4g}"
    if mended is None:
        return f"{given}. {seen}. Use the training's mean and std, for pixel values of 0 to 1"
    advice = ", ".join(fault.advice for fault in faults)
    return f"{given}. {seen}. To mend it, {advice}: mean = {listed(mended[0])}, std = {listed(mended[1])}"


def listed(values: Sequence[float]) -> str:
    """Return numbers as a list of TOML or Python, to six digits."""
    return f"[{', '.join(f'{value:.6g}' for value in values)}]"


def _faults(mean: PerChannel, std: PerChannel) -> tuple[list[_Fault], Normalisation | None]:
    """Return the faults, one after another, and the values without all of them; None where there are none."""
    found: list[_Fault] = []
    for fault in _FAULTS:  # in this order: a scale hides the other faults
        if fault.is_there(mean, std):
            found.append(fault)
            mean, std = fault.mend(mean, std)
    return found, None if any(fault.is_there(mean, std) for fault in _FAULTS) else (mean, std)


def _inputs(pixel: float, mean: PerChannel, std: PerChannel) -> list[float]:
    return [(pixel - m) / s for m, s in zip(mean, std, strict=True)]


def _is_large(mean: PerChannel, std: PerChannel) -> bool:
    return max(mean) > 1 or max(std) > 1


def _to_one(mean: PerChannel, std: PerChannel) -> Normalisation:
    """Divide by 255 what is of 0 to 255: a std of 1 is, beside a mean that is."""
    large_std = max(std) > 1 or (max(mean) > 1 and min(std) >= 1)
    return _scaled(mean, 1 / 255 if max(mean) > 1 else 1), _scaled(std, 1 / 255 if large_std else 1)


def _is_small(_mean: PerChannel, std: PerChannel) -> bool:
    return min(std) < _SMALLEST_STD


def _to_255(mean: PerChannel, std: PerChannel) -> Normalisation:
    return _scaled(mean, 255 if max(mean) * 255 <= 1 else 1), _scaled(std, 255)


def _is_negative(mean: PerChannel, _std: PerChannel) -> bool:
    return min(mean) < 0


def _absolute(mean: PerChannel, std: PerChannel) -> Normalisation:
    return tuple(map(abs, mean)), std


def _is_impossible(mean: PerChannel, std: PerChannel) -> bool:
    """Tell whether values in [0, 1] with that mean can't have that std: it is at most sqrt(mean (1 - mean)).

    Values that all channels share needn't be measured ones, such as a mean of 0 and a std of 1.
    """
    measured = len(set(mean)) > 1 and len(set(std)) > 1
    within = all(0 <= value <= 1 for value in mean)
    return measured and within and any(s > _ROUNDING * math.sqrt(m * (1 - m)) for m, s in zip(mean, std, strict=True))


def _is_bgr(mean: PerChannel, _std: PerChannel) -> bool:
    reverse = zip(mean, reversed(IMAGENET_MEAN), strict=False)
    return len(mean) == len(IMAGENET_MEAN) and all(abs(value - expected) < _ALIKE for value, expected in reverse)


_FAULTS = (
    _Fault(_is_large, "no mean or std of pixel values of 0 to 1 is above 1", "divide by 255", _to_one),
    _Fault(_is_small, "no pixel values of 0 to 1 have such a small std", "multiply by 255", _to_255),
    _Fault(_is_negative, "the mean is subtracted, so it isn't negative", "turn its sign", _absolute),
    _Fault(
        _is_impossible,
        "pixel values of 0 to 1 with such a mean have a smaller std",
        "swap mean and std",
        lambda mean, std: (std, mean),
    ),
    _Fault(
        _is_bgr,
        "these are ImageNet's means of blue, green and red, but the network gets red, green and blue",
        "reverse the order (and the network's own, if it takes blue first)",
        lambda mean, std: (mean[::-1], std[::-1]),
    ),
)


def _scaled(values: PerChannel, factor: float) -> PerChannel:
    return tuple(value * factor for value in values)
