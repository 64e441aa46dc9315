"""Result of a comparison of methods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from ep_core.extremal.explanation import Explanation
from ep_core.models.explained import ExplainedImage
from ep_core.schemas.reports.comparison import ComparedMethod, CompareReport
from ep_core.schemas.reports.extremal import CurvePoint, Extremality
from ep_core.schemas.specs import CompareSpec

from .notebook import notebook_html
from .page import page_html
from .render import render_comparison


@dataclass(frozen=True)
class Answer:
    """Map of a method, with its scores."""

    method: str
    """Its name."""
    title: str
    """Usual name of the method."""
    source: str
    """Publication of the method."""
    seconds: float
    cost: float | None
    """Of its map, as counted by the caller of `compare`; None where nobody counts."""
    map: Tensor
    """H x W, the network's frame, on the CPU: higher is more important."""
    masks: Tensor
    """K x 1 x H x W in [0, 1], on the CPU: its top areas as smooth masks; of `extremal`, its own masks."""
    curve: list[CurvePoint]
    layer: str | None = None
    """The layer that it read; None where it read none."""


@dataclass(frozen=True)
class Refusal:
    """Reason why a method can't be used on this model."""

    method: str
    reason: str
    is_failure: bool = False
    """Whether the method failed unexpectedly, on a model that it should answer or refuse."""


@dataclass(frozen=True, kw_only=True)
class Comparison(ExplainedImage):
    """Methods side by side."""

    spec: CompareSpec
    """As run, with the defaults filled in."""
    methods: list[Answer | Refusal]
    """In the order of `spec.methods`."""
    explanation: Explanation | None
    """The extremal sweep, with how its masks do beside the others'; None where it wasn't asked for."""

    @property
    def answers(self) -> list[Answer]:
        """Those that had one."""
        return [one for one in self.methods if isinstance(one, Answer)]

    @property
    def refusals(self) -> list[Refusal]:
        """Those that had none."""
        return [one for one in self.methods if isinstance(one, Refusal)]

    @property
    def extremality(self) -> Extremality | None:
        """The extremal masks beside all other methods' and random ones."""
        return self.explanation.extremality if self.explanation else None

    def to_html(self) -> str:
        """Return the page of the comparison (`result.html`): one HTML document that opens from disk, with a slider."""
        return page_html(self)

    def _repr_html_(self) -> str:
        """Return the comparison as a notebook shows it: its page, or its sheet where frames are taken out."""
        return notebook_html(self)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield maps, heat maps, sheet, curves and page as (name, bytes), made as they are asked for."""
        return render_comparison(self)

    def report(self) -> CompareReport:
        """Return everything but the pictures, as the document that the API serves."""
        return CompareReport(
            params=self.spec,
            methods=[_compared(one) for one in self.methods],
            optimal_area=self.explanation.optimal_area if self.explanation else None,
            extremality=self.extremality,
            **self.shared_fields(),
        )


def _compared(one: Answer | Refusal) -> ComparedMethod:
    if isinstance(one, Refusal):
        return ComparedMethod(method=one.method, unavailable=one.reason)
    return ComparedMethod(
        method=one.method, title=one.title, source=one.source, layer=one.layer, seconds=one.seconds, curve=one.curve
    )
