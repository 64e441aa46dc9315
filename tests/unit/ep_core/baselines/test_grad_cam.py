"""Grad-CAM: against a loop over channels, and which layer it reads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torch import Tensor, nn

from ep_core.errors import UnknownName
from ep_core.methods.base.method import MethodUnavailable
from ep_core.models import Classifier
from tests.unit.ep_core.token_networks import DEFAULTS, SIDE, made

Attribute = Callable[..., Tensor]
BEAR = (196, 115, 431, 307)
"""Left, top, right and bottom of the bear on its photograph, in pixels."""


def by_a_loop(network: nn.Sequential, layer: int, x: Tensor, target: int) -> np.ndarray:
    """The map at a layer, h x w, with nothing in place."""
    modules = [*network.eval()]
    for module in modules:
        if isinstance(module, nn.ReLU | nn.ReLU6):
            module.inplace = False
    activation = nn.Sequential(*modules[: layer + 1])(x).detach().requires_grad_()
    score = nn.Sequential(*modules[layer + 1 :])(activation)[0, target]
    (gradient,) = torch.autograd.grad(score, activation)
    cam = sum(float(slopes.mean()) * values for slopes, values in zip(gradient[0], activation[0], strict=True))
    return cam.clamp_min(0).detach().numpy()


@pytest.mark.parametrize("layer", [0, 1, 2, 3, 4])
def test_it_is_the_loop_over_channels_also_before_a_relu_in_place(
    layer: int, attribute: Attribute, convolutional: nn.Sequential, image: Tensor
):
    found = attribute("grad_cam", convolutional, image, 2, 0, layer=str(layer))
    for target, cam in zip((2, 0), found, strict=True):
        small = Image.fromarray(by_a_loop(convolutional, layer, image, target))
        expected = np.asarray(small.resize((36, 24), Image.Resampling.BILINEAR))
        np.testing.assert_allclose(cam, expected, rtol=1e-3, atol=1e-4 * found.max())
    assert float(found.std()) > 0


def test_no_layer_is_the_last_that_has_more_than_one_cell(attribute: Attribute, image: Tensor):
    torch.manual_seed(0)
    network = torchvision.models.resnet18(weights=None, num_classes=5)  # its avgpool has one
    x = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    found = attribute("grad_cam", network, x, 0, 1, 2)
    assert torch.equal(found, attribute("grad_cam", network, x, 0, 1, 2, layer="layer4"))
    assert found.flatten(1).std(dim=1).max() > 0


def test_an_unknown_layer_is_refused_with_the_nearest_names(attribute: Attribute, mobilenet: Classifier):
    with pytest.raises(UnknownName, match=r"feature\.18") as refused:
        attribute("grad_cam", mobilenet, torch.zeros(1, 3, 64, 64), 0, layer="feature.18")
    assert "features.18" in refused.value.nearest
    assert refused.value.field == "layer"


def test_a_network_without_such_a_layer_is_refused_in_words(attribute: Attribute, linear: nn.Module, image: Tensor):
    with pytest.raises(MethodUnavailable, match="Grad-CAM reads a layer, and model 'custom' has no"):
        attribute("grad_cam", linear, image, 0)


def test_the_bear_is_where_the_bear_is(
    attribute: Attribute, mobilenet: Classifier, sample: Callable[[str], Image.Image]
):
    x, frame = mobilenet.preprocess(sample("black_bear"))
    cam = attribute("grad_cam", mobilenet, x, mobilenet.labels.index("American black bear"))[0]
    on_photo = frame.mask_to_image((cam / cam.max()).numpy())
    left, top, right, bottom = BEAR
    inside = np.zeros(on_photo.shape, dtype=bool)
    inside[top:bottom, left:right] = True
    assert on_photo[inside].mean() > 4 * on_photo[~inside].mean()


@pytest.mark.slow
@pytest.mark.parametrize("name", DEFAULTS)
def test_on_tokens_it_is_pytorch_grad_cams_own_with_a_reshape_transform(name: str, attribute: Attribute) -> None:
    library = pytest.importorskip("pytorch_grad_cam")
    classes = pytest.importorskip("pytorch_grad_cam.utils.model_targets").ClassifierOutputTarget
    layer, rows, class_tokens = DEFAULTS[name]
    network = made(name).requires_grad_(True)  # theirs asks for that
    x = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))

    def reshaped(output: Tensor) -> Tensor:
        places = output[:, class_tokens : class_tokens + rows**2] if output.ndim == 3 else output
        return places.reshape(len(output), rows, rows, -1).permute(0, 3, 1, 2)

    found = attribute("grad_cam", network, x, 1, 2)
    with library.GradCAM(network, [network.get_submodule(layer)], reshape_transform=reshaped) as cam:
        for ours, target in zip(found, (1, 2), strict=True):
            lifted = (ours - ours.min()).numpy()
            scaled = lifted / lifted.max() if lifted.any() else lifted  # theirs are scaled to [0, 1]
            np.testing.assert_allclose(scaled, cam(x, [classes(target)])[0], atol=1e-3)
