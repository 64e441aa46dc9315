"""SmoothGrad: the gradient, averaged over noisy copies of the image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from captum.attr import NoiseTunnel, Saliency
from torch import Tensor

from ep_core.methods.base.gradients import strongest_channel
from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.methods.base.passes import batch_on, watched
from ep_core.models.runtime.backend_flags import random_numbers

SAMPLES = 50
NOISE = 0.15  # standard deviation, as a share of the input's range: within the 10% to 20% that the paper advises


def _attribute(request: AttributionRequest) -> Tensor:
    """Return the absolute value of the mean gradient, largest over the colour channels: T x H x W, at least 0.

    The mean is the gradients' own, with their sign, as in the paper's section 3. All targets see the same noise.
    """
    samples = request.spec.samples or SAMPLES
    tunnel = NoiseTunnel(Saliency(watched(request, samples * len(request.targets), gives_way=False)))
    x = request.x.detach()
    gradients = []
    for target in request.targets:
        with _seeded(x.device, request.generator().initial_seed()):
            mean = tunnel.attribute(
                x,
                nt_samples=samples,
                nt_samples_batch_size=min(batch_on(x.device), samples),
                stdevs=NOISE * float(x.max() - x.min()),
                target=target,
                abs=False,
            )
        gradients.append(mean)
    return strongest_channel(torch.cat(gradients))


@contextmanager
def _seeded(device: torch.device, seed: int) -> Iterator[None]:
    """Seed the random numbers that captum draws, a device's own, and put them back afterwards."""
    on_cuda = device.type == "cuda"
    with random_numbers, torch.random.fork_rng(devices=[device] if on_cuda else []):
        generator = torch.cuda.default_generators[device.index] if on_cuda else torch.default_generator
        generator.manual_seed(seed)
        yield


METHOD = Method(
    title="SmoothGrad",
    about="The gradient, averaged over noisy copies of the image: less speckle.",
    source="Smilkov, Thorat, Kim, Viégas and Wattenberg, SmoothGrad: Removing Noise by Adding Noise, 2017",
    attribute=_attribute,
    random=True,
    passes=3 * SAMPLES,
)
