"""Result of a sweep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from torch import Tensor

from ep_core.models.explained import ExplainedImage
from ep_core.schemas.curve import is_monotonic, optimal_area
from ep_core.schemas.reports.extremal import Alternative, Contrast, CurvePoint, Extremality, ExtremalReport, Stability
from ep_core.schemas.reports.file_names import CONTRAST_KEY, alternative_key
from ep_core.schemas.specs import ExtremalSpec

from .notebook import notebook_html
from .page import page_html
from .render import render_files

Block = TypeVar("Block", Alternative, Contrast)


@dataclass(frozen=True)
class BlockMask(Generic[Block]):
    """The mask that a block of the report is about."""

    mask: Tensor
    """1 x H x W in [0, 1], on the CPU."""
    report: Block


@dataclass(frozen=True, kw_only=True)
class Explanation(ExplainedImage):
    """A finished sweep. Masks are in the network's frame, one per area of `spec.areas`."""

    spec: ExtremalSpec
    """As run, with the defaults filled in."""
    masks: Tensor
    """K x 1 x H x W in [0, 1], on the CPU."""
    curve: list[CurvePoint]
    extremality: Extremality | None = None
    """The masks beside rivals of their areas."""
    stability: Stability | None = None
    """Agreement of the walks; None for masks that no walks led to."""
    alternatives: tuple[BlockMask[Alternative], ...] = ()
    """Other sufficient masks of the area a*."""
    contrast: BlockMask[Contrast] | None = None
    """The mask that most lifts the target above its nearest rival class."""

    @cached_property
    def optimal_area(self) -> float | None:
        """a* (eq. 3); None where no area of the sweep reaches the threshold."""
        return optimal_area(self.curve, self.scores, self.spec.variant)

    @cached_property
    def monotonic(self) -> bool:
        """Whether the scores order as the areas do below a* (eq. 8)."""
        return is_monotonic(self.curve, self.optimal_area, self.spec.variant)

    @property
    def saliency(self) -> Tensor:
        """Mean of the masks over the areas: 1 x H x W in [0, 1], on the CPU."""
        return self.masks.mean(dim=0)

    @property
    def named_masks(self) -> dict[str, Tensor]:
        """The masks beside those of the areas, each 1 x H x W, by the keys of their files."""
        named = {alternative_key(k): one.mask for k, one in enumerate(self.alternatives)}
        return named | ({CONTRAST_KEY: self.contrast.mask} if self.contrast else {})

    def to_html(self) -> str:
        """Return the page of the result (`result.html`): one HTML document that opens from disk, with a slider."""
        return page_html(self)

    def _repr_html_(self) -> str:
        """Return the result as a notebook shows it: its page in a frame, and pictures where frames are taken out."""
        return notebook_html(self)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield masks, overlays, saliency, curve, reveal and page as (name, bytes), made as they are asked for."""
        return render_files(self)

    def report(self) -> ExtremalReport:
        """Return everything but the pictures, as the document that the API serves."""
        return ExtremalReport(
            params=self.spec,
            curve=self.curve,
            optimal_area=self.optimal_area,
            monotonic=self.monotonic,
            extremality=self.extremality,
            stability=self.stability,
            alternatives=[one.report for one in self.alternatives],
            contrast=self.contrast.report if self.contrast else None,
            **self.shared_fields(),
        )
