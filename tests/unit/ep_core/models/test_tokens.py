"""Vision transformers on some of their patches: each library's networks beside their own blocks on fewer tokens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from ep_core.errors import InvalidInput
from ep_core.models.scalar import ContrastNetwork
from ep_core.models.tokens.attention import WeightedAttention
from ep_core.models.tokens.check import check_site
from ep_core.models.tokens.find import find_site, perturbations_of, require_site
from ep_core.models.tokens.kept import kept_scores, tokens_of
from ep_core.models.tokens.site import TokenSite
from tests.unit.ep_core import token_networks
from tests.unit.ep_core.token_networks import SIDE, timm_vit

PATCHES = 16
MAKERS: dict[str, Callable[[], nn.Module]] = {
    "torchvision": token_networks.torchvision_vit,
    "timm": timm_vit,
    "timm, registers": token_networks.timm_registers,
    "timm, mean of patches": token_networks.timm_pooled,
    "timm, mean of all": lambda: timm_vit(reg_tokens=1, global_pool="avg", pool_include_prefix=True),
    "timm, pooled by attention": lambda: timm_vit(class_token=False, global_pool="map"),
    "ViT": token_networks.huggingface_vit,
    "DeiT": token_networks.huggingface_deit,
    "DINOv2 with registers": token_networks.huggingface_dinov2,
    "CLIP": token_networks.huggingface_clip,
    "SigLIP": token_networks.huggingface_siglip,
    "open_clip": token_networks.open_clip_tower,
    "open_clip, mean": lambda: token_networks.open_clip_tower(pool_type="avg"),
    "open_clip, mean before the norm": lambda: token_networks.open_clip_tower(
        pool_type="avg", final_ln_after_pool=True
    ),
}
CLASS_TOKENS = {"timm, registers": 3, "timm, mean of all": 2, "DeiT": 2, "DINOv2 with registers": 4} | dict.fromkeys(
    ("timm, mean of patches", "timm, pooled by attention", "SigLIP"), 0
)


class Case:
    """A tiny network with seeded random weights, and two images as its tokens."""

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.network = make().eval().requires_grad_(False)
            for parameter in self.network.parameters():
                parameter += 0.1 * torch.randn_like(parameter)  # no norm, scale or token is as it begins
            self.images = torch.randn(2, 3, SIDE, SIDE)
            self.places = torch.stack([torch.randperm(PATCHES)[:5].sort().values for _ in range(2)])
        site = find_site(self.network)
        assert site is not None
        self.site: TokenSite = site
        self.tokens = tokens_of(self.network, site, self.images)

    def kept(self, places: Tensor, weights: Tensor | None = None) -> Tensor:
        return kept_scores(self.network, self.site, self.images[:1], self.tokens, places, weights)

    @property
    def everything(self) -> Tensor:
        return torch.arange(PATCHES).expand(2, -1)


@pytest.fixture(params=list(MAKERS), scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    return Case(MAKERS[request.param])


def alike(found: Tensor, expected: Tensor) -> bool:
    return torch.allclose(found, expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))


def test_all_patches_are_the_network_itself(case: Case) -> None:
    assert case.site.grid((SIDE, SIDE)) == (4, 4)
    scores = case.network(case.images)
    assert alike(case.kept(case.everything), scores)
    assert alike(case.kept(case.everything, torch.ones(2, PATCHES)), scores)
    assert not alike(case.kept(case.places), scores)


@pytest.mark.parametrize("name", MAKERS)
def test_class_tokens_and_registers_stay(name: str) -> None:
    assert Case(MAKERS[name]).site.class_tokens == CLASS_TOKENS.get(name, 1)


def test_a_weight_near_zero_is_the_patch_left_out(case: Case) -> None:
    weights = torch.full((2, PATCHES), 1e-7).scatter(1, case.places, 1.0)
    assert alike(case.kept(case.everything, weights), case.kept(case.places))


def test_the_order_of_patches_is_of_no_account(case: Case) -> None:
    assert alike(case.kept(case.places.flip(1)), case.kept(case.places))


def test_slopes_are_those_of_differences(case: Case) -> None:
    weights = torch.linspace(0.2, 1, PATCHES).repeat(2, 1).requires_grad_()
    (slopes,) = torch.autograd.grad(case.kept(case.everything, weights)[:, 0].sum(), weights)
    step = torch.zeros(2, PATCHES)
    step[1, 6] = 0.02
    higher, lower = (case.kept(case.everything, weights.detach() + sign * step)[:, 0].sum() for sign in (1, -1))
    assert float(slopes[1, 6]) == pytest.approx(float(higher - lower) / 0.04, rel=0.02, abs=2e-5)


def test_no_patch_at_all_has_scores_too(case: Case) -> None:
    scores = case.kept(case.places[:, :0])
    assert scores.isfinite().all()
    assert alike(scores[:1], scores[1:])  # nothing of the image is left


def test_hooks_and_images_stay_as_they_were(case: Case) -> None:
    before = case.network(case.images)
    case.kept(case.places, torch.ones(2, 5))
    assert torch.equal(case.network(case.images), before)


@pytest.mark.parametrize("name", ["timm, registers", "torchvision", "ViT"])
def test_kept_patches_go_through_the_networks_own_blocks(name: str) -> None:
    case = Case(MAKERS[name])
    first = torch.arange(case.site.class_tokens)
    by_hand = []
    for k in range(2):
        z = case.tokens[k : k + 1, torch.cat([first, case.places[k] + len(first)])]
        by_hand.append(BY_HAND[name](case.network, z))
    assert alike(case.kept(case.places), torch.cat(by_hand))


def _timm(network: nn.Module, z: Tensor) -> Tensor:
    for block in network.blocks:
        z = block(z)
    return network.head(network.norm(z)[:, 0])


def _huggingface(network: nn.Module, z: Tensor) -> Tensor:
    for layer in network.model.vit.layers:
        z = layer(z, None)
    return network.model.classifier(network.model.vit.layernorm(z)[:, 0])


BY_HAND: dict[str, Callable[[nn.Module, Tensor], Tensor]] = {
    "timm, registers": _timm,
    "torchvision": lambda network, z: network.heads(network.encoder.ln(network.encoder.layers(z))[:, 0]),
    "ViT": _huggingface,
}


def test_tokens_have_their_positions() -> None:
    case = Case(timm_vit)
    patches = case.network.patch_embed(case.images) + case.network.pos_embed[:, 1:]
    assert alike(case.tokens[:, 1:], patches)


def test_scores_made_of_a_networks_own_are_found_behind_it() -> None:
    case = Case(timm_vit)
    contrast = ContrastNetwork(case.network, 0, 2)
    site = find_site(contrast)
    assert site is not None
    scores = kept_scores(contrast, site, case.images[:1], case.tokens, case.places)
    plain = case.kept(case.places)
    assert alike(scores[:, 0], plain[:, 0] - plain[:, 2])


Attention = Callable[[Tensor, Tensor, Tensor], Tensor]


def _fused(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(q, k, v)


def _masked(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(q, k, v, torch.ones(q.shape[2], k.shape[2], dtype=torch.bool))


def _in_steps(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1) @ v


@pytest.mark.parametrize("attend", [_fused, _masked, _in_steps])
def test_attention_by_weights_is_its_formula(attend: Attention) -> None:
    q, k, v = torch.randn(3, 2, 2, 5, 4, generator=torch.Generator().manual_seed(0))
    weights = torch.rand(2, 4, generator=torch.Generator().manual_seed(1)) + 0.1
    with WeightedAttention(weights, class_tokens=1):
        found = attend(q, k, v)
    whole = torch.cat([torch.ones(2, 1), weights], dim=1)[:, None, None]
    shares = whole * (q @ k.mT / 2).exp()
    assert torch.allclose(found, shares / shares.sum(dim=-1, keepdim=True) @ v, atol=1e-6)


def test_an_attention_to_other_tokens_is_no_mistake_unseen() -> None:
    q = torch.randn(2, 1, 7, 4)
    with pytest.raises(ValueError, match="7 tokens, where there are 5"), WeightedAttention(torch.ones(2, 4), 1):
        _fused(q, q, q)


REFUSED: dict[str, Callable[[], nn.Module]] = {
    "a convolutional network": lambda: torchvision.models.mobilenet_v2(weights=None),
    "windows": token_networks.torchvision_swin,
    "timm's windows": token_networks.timm_swin,
    "windows of transformers": token_networks.huggingface_swin,
    "a maximum over tokens": lambda: timm_vit(global_pool="max"),
    "overlapping patches": lambda: _overlapping(),
    "two transformers": lambda: nn.ModuleList([timm_vit(), timm_vit()]),
}


def _overlapping() -> nn.Module:
    network = timm_vit()
    network.patch_embed.proj = nn.Conv2d(3, 32, 12, stride=8, padding=2)
    return network


@pytest.mark.parametrize("name", REFUSED)
def test_networks_that_need_all_of_their_patches_are_refused(name: str) -> None:
    network = REFUSED[name]()
    assert perturbations_of(network) == ("blur", "fade")
    with pytest.raises(InvalidInput, match=r"model 'this' can't do without any.*use 'blur' or 'fade'") as caught:
        require_site(network, (SIDE, SIDE), model="this")
    assert caught.value.field == "perturbation"


class Around(nn.Module):
    """A transformer in a network that reads its tokens in a way of its own."""

    def __init__(self, head: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.trunk = timm_vit(num_classes=0)
        self._head = head

    def forward(self, images: Tensor) -> Tensor:
        return self._head(self.trunk.forward_features(images))


def test_what_reads_tokens_around_a_transformer_is_tried() -> None:
    x = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    heads: dict[str, Callable[[Tensor], Tensor]] = {
        "class token": lambda z: z[:, 0],
        "mean": lambda z: z[:, 1:].mean(dim=1),
        "grid": lambda z: z[:, 1:].unflatten(1, (4, 4))[:, 0, 0],
    }
    for name, head in heads.items():
        network = Around(head).eval().requires_grad_(False)
        site = require_site(network, (SIDE, SIDE), model="this")
        if name == "class token":
            check_site(network, site, x, model="this")
            continue
        with pytest.raises(InvalidInput, match="model 'this' can't do without any"):
            check_site(network, site, x, model="this")


def test_a_frame_of_parts_of_patches_is_refused() -> None:
    with pytest.raises(InvalidInput, match="32 x 36 pixels are no multiple of 8 x 8"):
        require_site(timm_vit(), (32, 36), model="this")
