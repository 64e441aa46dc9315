"""Result of a channel attribution."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from torch import Tensor

from ep_core.models.explained import ExplainedImage
from ep_core.schemas.curve import is_monotonic, optimal_area
from ep_core.schemas.model_card import LayerCard
from ep_core.schemas.reports.channels import ChannelPoint, ChannelsReport, ChosenChannel
from ep_core.schemas.specs import ChannelsSpec

from .render import render_channels


@dataclass(frozen=True, kw_only=True)
class ChannelExplanation(ExplainedImage):
    """A finished sweep of channel masks, one per count of `spec.areas`."""

    spec: ChannelsSpec
    """As run, with the defaults filled in."""
    layer: LayerCard
    activation: Tensor
    """Phi_l(x): K x h x w, on the CPU."""
    masks: Tensor
    """Counts x K in [0, 1], on the CPU."""
    curve: list[ChannelPoint]
    channels: list[ChosenChannel]
    """The channels of `optimal_mask`, ranked."""
    inversions: dict[str, Tensor] = field(default_factory=dict)
    """``"full"`` and ``"masked"``, if asked for: 3 x H x W, RGB in [0, 1] (eq. 12)."""

    @cached_property
    def optimal_area(self) -> int | None:
        """a* in channels (eq. 10); None where no count of the sweep reaches the threshold."""
        return optimal_area(self.curve, self.scores, self.spec.variant)

    @cached_property
    def monotonic(self) -> bool:
        """Whether the scores order as the counts do below a* (eq. 8)."""
        return is_monotonic(self.curve, self.optimal_area, self.spec.variant)

    @property
    def optimal_mask(self) -> Tensor:
        """The mask of a*, K values; the largest one, where there is no a*."""
        counts = [point.area for point in self.curve]
        return self.masks[-1 if self.optimal_area is None else counts.index(self.optimal_area)]

    @property
    def saliency(self) -> Tensor:
        """``sum_k m_k Phi_l^k(x)`` at the optimal mask (eq. 11): h x w."""
        return (self.optimal_mask[:, None, None] * self.activation).sum(dim=0)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield heat map, curve, masks and inversions as (name, bytes), made as they are asked for."""
        return render_channels(self)

    def report(self) -> ChannelsReport:
        """Return everything but the pictures and the masks, as the document that the API serves."""
        return ChannelsReport(
            params=self.spec,
            layer=self.layer,
            curve=self.curve,
            optimal_area=self.optimal_area,
            monotonic=self.monotonic,
            channels=self.channels,
            **self.shared_fields(),
        )
