"""Integrated gradients."""

from __future__ import annotations

from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from ep_core.methods.base.method import AttributionRequest
from ep_core.methods.integrated_gradients import integrated
from ep_core.models import Classifier

BLACK = torch.tensor([-0.5, -2, -1.5])[:, None, None]


def test_a_linear_network_gives_the_weights_times_the_way_from_black(
    attribute: Callable[..., Tensor], linear: nn.Module, image: Tensor
):
    found = attribute("integrated_gradients", linear, image, 1, 2)
    weights = linear[1].weight.detach()[[1, 2]].view(2, *image.shape[1:])
    torch.testing.assert_close(found, (weights * (image - BLACK)).sum(dim=1).abs(), rtol=1e-4, atol=1e-5)


def test_it_follows_the_score_along_the_way(attribute: Callable[..., Tensor], image: Tensor):
    class Cubes(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.pow(3).sum(dim=(1, 2, 3))[:, None]

    found = attribute("integrated_gradients", Cubes(), image, 0)
    # The integral of 3 (b + t (x - b))^2 (x - b) over t from 0 to 1 is x^3 - b^3.
    torch.testing.assert_close(found, (image.pow(3) - BLACK.pow(3)).sum(dim=1).abs(), rtol=1e-4, atol=1e-4)


def test_a_real_networks_values_add_up_to_its_score(
    asked: Callable[..., AttributionRequest], mobilenet: Classifier, sample: Callable[[str], Image.Image]
):
    x = F.interpolate(mobilenet.preprocess(sample("goose"))[0], size=(96, 128))
    black = mobilenet.preprocessing.black.expand_as(x)
    with mobilenet.frozen() as network, torch.no_grad():
        (index,) = network(x).argmax(dim=1).tolist()
        rise = (network(x) - network(black))[0, [index, 0]]
        total = integrated(asked(mobilenet, x, index, 0)).sum(dim=(1, 2, 3))
    assert float((total - rise).abs().max()) < 0.05 * float(rise.abs().max())
