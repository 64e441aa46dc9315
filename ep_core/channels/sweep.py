"""A sweep of channel masks as it was asked for, checked before any work."""

from __future__ import annotations

from dataclasses import dataclass

from ep_core.models.classifier import Classifier
from ep_core.models.named_layer import check_counts, resolve_layer
from ep_core.models.targets import given_target
from ep_core.optimiser.presets.channels import CHANNEL_PRESETS
from ep_core.optimiser.presets.preset import ChannelPreset
from ep_core.pictures.given_image import AnyImage, Picture
from ep_core.schemas.model_card import ListedLayer
from ep_core.schemas.specs import ChannelsSpec


@dataclass(frozen=True)
class ChannelSweep:
    """Masks of several counts of a layer's channels."""

    model: Classifier
    """Of the target: the classes' own, or one that gives the score of a contrast."""
    spec: ChannelsSpec
    """As run, with the defaults filled in."""
    layer: ListedLayer
    counts: tuple[int, ...]
    """Channels of each mask, increasing."""
    iterations: int
    """Steps of each mask."""
    target: int | None
    """Class index; None for the top class."""

    @property
    def steps(self) -> int:
        """Steps of all masks together."""
        return len(self.counts) * self.iterations

    @property
    def preset(self) -> ChannelPreset:
        """The preset that finds the masks."""
        return CHANNEL_PRESETS[self.spec.preset]


def channel_sweep(
    model: Classifier, spec: ChannelsSpec, image: Picture | None, target_picture: AnyImage | None
) -> ChannelSweep:
    """Return the sweep that a spec asks for; image and picture as for `given_target`.

    Raises:
        UnknownName: the model has no such layer or class.
        InvalidInput: a count is larger than the layer.
    """
    model, target = given_target(model, spec, image, target_picture)
    layer = resolve_layer(spec.layer, model.layers, model=model.name)
    counts = check_counts(spec.areas, layer)
    iterations = spec.iterations or CHANNEL_PRESETS[spec.preset].iterations
    as_run = {"model": model.name, "layer": layer.name, "areas": counts, "iterations": iterations}
    return ChannelSweep(model, spec.model_copy(update=as_run), layer, counts, iterations, target)
