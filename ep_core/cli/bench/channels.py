"""`ep bench channels`."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from rich.progress import track

from ep_core.cli.from_spec import spec_command
from ep_core.cli.terminal import Device, ModelsFile, err_console, out_console
from ep_core.pictures.photographs import load, pick

from .options import Images, Layer, Photographs, Seed

if TYPE_CHECKING:
    from ep_core.bench.channels import ChannelGain


@spec_command("bench channels")
def channels(
    photographs: Photographs,
    *,
    images: Images = 20,
    seed: Seed = 0,
    spec: Layer,
    models_file: ModelsFile = None,
    device: Device = None,
) -> None:
    """Take the optimal mask's channels away, and as many random ones."""
    from ep_core.bench.channels import channel_gain
    from ep_core.models import load_model

    paths = pick(photographs, count=images, seed=seed)
    classifier = load_model(spec.model, models_file=models_file, device=device)
    for variant in ("preserve", "delete"):
        gains: list[ChannelGain] = []
        for path in track(paths, console=err_console, description=variant, transient=True):
            one = channel_gain(classifier, load(path), layer=spec.layer, variant=variant, seed=seed)
            gains.append(one)
            out_console.print(
                f"{variant} {path.name} {one.label}: Phi(x) {one.original:.2f}, a* {one.optimal} "
                f"of {one.channels}; {one.taken} kept {one.kept:.2f}, deleted {one.deleted:.2f}, "
                f"random {one.random:.2f}",
                highlight=False,
                soft_wrap=True,
            )
        _summarise(variant, gains)


def _summarise(variant: str, gains: Sequence[ChannelGain]) -> None:
    found = [one.optimal / one.channels for one in gains if one.optimal is not None]
    worse = sum(one.deleted < one.random for one in gains)
    out_console.print(
        f"{variant}, {len(gains)} images: a* found in {len(found)}, on average {fmean(found or [1]):.0%} of "
        f"the channels; curve rises up to a* in {sum(one.rising for one in gains)}; "
        f"{fmean(one.seconds for one in gains):.1f} s an image\n"
        f"  mean score / Phi(x): without them {fmean(one.deleted / one.original for one in gains):+.3f}, "
        f"without random ones {fmean(one.random / one.original for one in gains):+.3f}; "
        f"lower without them in {worse} of {len(gains)}",
        style="bold",
        highlight=False,
    )
