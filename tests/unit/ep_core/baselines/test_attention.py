"""Methods that follow attention: against the attention that libraries give themselves."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F

from ep_core.methods.attention.seen import AttentionSeen
from ep_core.methods.base.method import MethodUnavailable
from tests.unit.ep_core.token_networks import SIDE, made, timm_vit

pytestmark = pytest.mark.slow  # timm and transformers take seconds to load

Attribute = Callable[..., Tensor]
METHODS = ("attention_rollout", "attention_relevance")
VITS = ("torchvision_vit", "timm_vit", "timm_registers", "timm_pooled", "huggingface_vit")


@pytest.fixture
def x() -> Tensor:
    return torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def own_attentions(network: nn.Module, x: Tensor, target: int) -> tuple[list[Tensor], list[Tensor]]:
    """The attention that transformers gives on request, heads x T x T, and its gradient."""
    network.model.set_attn_implementation("eager")
    outputs = network.model(pixel_values=x.clone().requires_grad_(), output_attentions=True)
    gradients = torch.autograd.grad(outputs.logits[0, target], outputs.attentions)
    network.model.set_attn_implementation("sdpa")
    return [one[0].detach() for one in outputs.attentions], [one[0] for one in gradients]


def on_image(row: Tensor) -> Tensor:
    """What the class token takes from each token, 17, as a map of the image."""
    return F.interpolate(row[1:].reshape(1, 1, 4, 4), (SIDE, SIDE), mode="bilinear")[0, 0]


def test_rollout_is_the_product_of_the_layers_attention_and_identity(attribute: Attribute, x: Tensor) -> None:
    network = made("huggingface_vit")
    first, second = own_attentions(network, x, 0)[0]
    eye = torch.eye(17)
    expected = (0.5 * second.mean(0) + 0.5 * eye) @ (0.5 * first.mean(0) + 0.5 * eye)
    found = attribute("attention_rollout", network, x, 0, 2)
    torch.testing.assert_close(found[0], on_image(expected[0]), rtol=1e-4, atol=1e-6)
    assert torch.equal(found[0], found[1])
    assert found[0].std() > 0


def test_relevance_adds_what_raises_the_class_layer_by_layer(attribute: Attribute, x: Tensor) -> None:
    network = made("huggingface_vit")
    found = attribute("attention_relevance", network, x, 0, 2)
    for target, ours in zip((0, 2), found, strict=True):
        relevance = torch.eye(17)
        for weights, gradient in zip(*own_attentions(network, x, target), strict=True):
            relevance = relevance + (weights * gradient).clamp_min(0).mean(0) @ relevance
        torch.testing.assert_close(ours, on_image(relevance[0]), rtol=1e-4, atol=1e-7)
    assert not torch.allclose(found[0], found[1])


@pytest.mark.parametrize("name", METHODS)
def test_attention_in_steps_of_its_own_is_seen_as_fused_attention_is(
    name: str, attribute: Attribute, x: Tensor
) -> None:
    network = made("timm_vit")
    fused = attribute(name, network, x, 1)
    for block in network.blocks:
        assert block.attn.fused_attn
        block.attn.fused_attn = False
    torch.testing.assert_close(attribute(name, network, x, 1), fused, rtol=1e-4, atol=1e-7)


def test_torchs_own_attention_is_seen_as_it_says_itself(x: Tensor) -> None:
    network = made("torchvision_vit")
    given: list[tuple[Tensor, Tensor]] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...], _output: object) -> None:
        given.append((module, inputs))

    layers = [block.self_attention for block in network.encoder.layers]
    handles = [layer.register_forward_hook(note) for layer in layers]
    expected_scores = network(x)
    for handle in handles:
        handle.remove()
    expected = [layer(*inputs, need_weights=True, average_attn_weights=False)[1] for layer, inputs in given]
    with AttentionSeen() as seen:
        scores = network(x)
    torch.testing.assert_close(scores, expected_scores, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(seen.weights, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("mask", [torch.rand(1, 1, 5, 5), torch.rand(1, 1, 5, 5) > 0.5])
def test_masks_and_scales_of_attention_are_heeded(mask: Tensor) -> None:
    q, k, v = torch.rand(3, 2, 2, 5, 4)
    mask[..., 0] = True
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=0.3)
    with AttentionSeen() as seen:
        found = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=0.3)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(seen.weights[0].sum(-1), torch.ones(2, 2, 5))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", VITS)
def test_vits_of_all_libraries_get_maps_of_the_image_and_stay_as_they_were(
    name: str, method: str, attribute: Attribute, x: Tensor
) -> None:
    network = made(name)
    before = network(x)
    found = attribute(method, network, x, 0, 1)
    assert found.shape == (2, SIDE, SIDE)
    assert found.min() >= 0
    assert found.flatten(1).std(1).gt(0).all()
    assert torch.equal(network(x), before)


def test_a_pooling_by_attention_is_the_last_layer(attribute: Attribute, x: Tensor) -> None:
    torch.manual_seed(0)
    network = timm_vit(class_token=False, global_pool="map")
    pooled = attribute("attention_rollout", network, x, 1)
    assert attribute("attention_relevance", network, x, 1).std() > 0
    nn.init.zeros_(network.attn_pool.q.weight)
    nn.init.zeros_(network.attn_pool.q.bias)
    alike = attribute("attention_rollout", network, x, 1)  # as pooling by the mean
    assert not torch.allclose(pooled, alike)
    torch.manual_seed(0)
    mean = timm_vit(class_token=False, global_pool="avg")
    mean.load_state_dict({k: v for k, v in network.state_dict().items() if "attn_pool" not in k}, strict=False)
    torch.testing.assert_close(alike, attribute("attention_rollout", mean.eval(), x, 1), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (lambda: made("timm_swin"), "between all places"),
        (lambda: made("huggingface_swin"), "between all places"),
        (lambda: made("torchvision_swin"), "between all places"),
        (lambda: torchvision.models.squeezenet1_1(num_classes=3), "computes none"),
    ],
)
def test_others_are_refused_with_the_reason(
    network: Callable[[], nn.Module], reason: str, method: str, attribute: Attribute, x: Tensor
) -> None:
    with pytest.raises(MethodUnavailable, match=reason):
        attribute(method, network(), x, 0)
