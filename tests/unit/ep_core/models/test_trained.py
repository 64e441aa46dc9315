"""What is known of a model's weights before they are loaded, and that nothing is fetched to know it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import torchvision

from ep_core.models import list_models
from ep_core.models.sources.torchvision_zoo import pick_weights
from ep_core.schemas.trained import Accuracy

RESNET = "resnet18-f37072fd.pth"


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine without a network, and with empty caches; returns the folder of torch's."""

    def refuse(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    before = torch.hub.get_dir()
    torch.hub.set_dir(tmp_path)
    yield tmp_path / "checkpoints"
    torch.hub.set_dir(before)


def test_torchvision_says_size_and_accuracy() -> None:
    cards = {card.name: card for card in list_models()}
    for name in ("mobilenet_v2", "ssdlite320_mobilenet_v3_large", "lraspp_mobilenet_v3_large"):
        with torch.device("meta"):
            network = torchvision.models.get_model(name, weights=None, **_no_backbone(name))
        assert cards[name].parameters == sum(one.numel() for one in network.parameters())
    assert {
        card.name for card in cards.values() if None in (card.parameters, card.weight_bytes, card.accuracy)
    } == set()

    assert cards["mobilenet_v2"].accuracy == Accuracy(value=0.71878, measure="top1", data="ImageNet-1K")
    assert cards["fasterrcnn_resnet50_fpn"].accuracy == Accuracy(value=0.37, measure="box_map", data="COCO-val2017")
    segments = Accuracy(value=0.664, measure="miou", data="COCO-val2017-VOC-labels")
    assert cards["deeplabv3_resnet50"].accuracy == segments
    floats = 4 * cards["vgg16"].parameters
    assert floats < cards["vgg16"].weight_bytes < 1.001 * floats


def _no_backbone(name: str) -> dict[str, None]:
    return {} if name == "mobilenet_v2" else {"weights_backbone": None}


def test_weights_are_here_once_their_file_is(alone: Path) -> None:
    assert {card.weights_here for card in list_models()} == {False}
    alone.mkdir()
    assert pick_weights("resnet18").url.endswith(RESNET)
    (alone / RESNET).touch()
    assert [card.name for card in list_models() if card.weights_here] == ["resnet18"]


def test_a_file_of_ones_own_is_as_large_as_it_is(write_list: Callable[[str], Path]) -> None:
    path = write_list('torchvision = "resnet18"\nfile = "mine.pth"')
    (absent,) = list_models(path)
    assert (absent.parameters, absent.weight_bytes, absent.weights_here) == (11_689_512, None, False)
    path.with_name("mine.pth").write_bytes(bytes(1234))
    (card,) = list_models(path)
    assert (card.parameters, card.weight_bytes, card.weights_here, card.accuracy) == (11_689_512, 1234, True, None)

    (other,) = list_models(write_list('torchvision = "resnet18"\nkwargs = { num_classes = 3 }\nfile = "mine.pth"'))
    assert other.parameters is None  # another head has others


def test_code_of_ones_own_says_nothing(write_list: Callable[[str], Path]) -> None:
    sizes = "preprocessing = { input_size = [8, 8], mean = [0.5], std = [0.5] }"
    entry = f'entry_point = "mine:network"\nlabels = ["cat", "dog"]\n{sizes}'
    (card,) = list_models(write_list(entry))
    assert (card.parameters, card.weight_bytes, card.weights_here, card.accuracy) == (None, None, None, None)


def test_of_timm_the_hubs_cache_is_asked(write_list: Callable[[str], Path], tmp_path: Path) -> None:
    path = write_list('timm = "resnet18.a1_in1k"')
    (card,) = list_models(path)
    assert (card.weights_here, card.weight_bytes) == (False, None)
    cached = tmp_path / "hub" / "models--timm--resnet18.a1_in1k"
    (cached / "snapshots" / "abc").mkdir(parents=True)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("abc")
    (cached / "snapshots" / "abc" / "model.safetensors").write_bytes(bytes(77))
    (card,) = list_models(path)
    assert (card.weights_here, card.weight_bytes) == (True, 77)


def test_a_folder_of_hugging_faces_has_its_own(write_list: Callable[[str], Path], tmp_path: Path) -> None:
    from .tiny_transformers import vit

    vit(tmp_path / "tiny")
    weights = tmp_path / "tiny" / "model.safetensors"
    (card,) = list_models(write_list('huggingface = "tiny"'))
    assert (card.weights_here, card.weight_bytes) == (True, weights.stat().st_size)
    weights.unlink()
    (card,) = list_models(write_list('huggingface = "tiny"'))
    assert (card.weights_here, card.weight_bytes) == (False, None)


def test_a_folder_of_open_clips_has_its_own(write_list: Callable[[str], Path], tmp_path: Path) -> None:
    vision = {"image_size": 32, "layers": 1, "width": 32, "patch_size": 8, "head_width": 16}
    text = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
    told = {"model_cfg": {"embed_dim": 24, "vision_cfg": vision, "text_cfg": text}, "preprocess_cfg": {}}
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "open_clip_config.json").write_text(json.dumps(told))
    path = write_list('open_clip = "clip"\ntexts = ["a cat", "a dog"]')
    (card,) = list_models(path)
    assert card.weights_here is False
    (tmp_path / "clip" / "model.safetensors").write_bytes(bytes(9))
    (card,) = list_models(path)
    assert (card.weights_here, card.weight_bytes) == (True, 9)
