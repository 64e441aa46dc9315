"""Benchmark of requests in company: together on one device (`ResidentEngine`) against one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image

from ep_core.engine import explain
from ep_core.models.classifier import Classifier
from ep_core.resident import ResidentEngine
from ep_core.schemas.specs import ExtremalSpec

OnPart = Callable[[str], None]
"""Called as a part of the benchmark begins, with its name."""


@dataclass(frozen=True)
class CompanyTimes:
    """Seconds that requests took."""

    in_turn_s: float
    """All, one after the other."""
    together_s: float
    """All, some at once."""
    small_first_come_s: float
    """A request of one area that comes while the others wait, until it is answered: behind all that came before."""
    small_together_s: float
    """The same, in company."""

    @property
    def whole(self) -> float:
        """The whole time in company, as a share of that in turn."""
        return self.together_s / self.in_turn_s

    @property
    def small(self) -> float:
        """The small request's wait in company, as a share of the other."""
        return self.small_together_s / self.small_first_come_s


def company_times(
    model: Classifier,
    images: Sequence[Image.Image],
    spec: ExtremalSpec,
    small: ExtremalSpec,
    *,
    at_once: int,
    on_part: OnPart = lambda _: None,
) -> CompanyTimes:
    """Time requests in turn and in company, in one run.

    Args:
        model: the classifier.
        images: a request each.
        spec: of these requests.
        small: of one more, for the first image, which comes once as many others are on their way as may be.
        at_once: requests in company, at most.
        on_part: told of each part.
    """
    explain(model, images[0], small)  # libraries choose their routines, memory is taken
    on_part("one after the other")
    began = time.perf_counter()
    for image in images:
        explain(model, image, spec)
    in_turn_s = time.perf_counter() - began
    began = time.perf_counter()
    explain(model, images[0], small)
    alone_s = time.perf_counter() - began
    on_part("together")
    with ResidentEngine() as engine, ThreadPoolExecutor(at_once) as threads:
        began = time.perf_counter()
        list(threads.map(lambda image: engine.submit(model, image, spec).result(), images))
        together_s = time.perf_counter() - began
        on_part("a small one among others")
        others = [engine.submit(model, image, spec) for image in images[: at_once - 1]]
        while not all(one.progress for one in others):
            time.sleep(0.01)
        began = time.perf_counter()
        engine.submit(model, images[0], small).result()
        small_s = time.perf_counter() - began
        for one in others:
            one.result()
    first_come_s = in_turn_s * len(others) / len(images) + alone_s
    return CompanyTimes(in_turn_s, together_s, first_come_s, small_s)
