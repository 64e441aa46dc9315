"""Checkpoints as training scripts write them: loaded where their weights fit, else refused by name, in few words."""

from __future__ import annotations

import argparse
import collections
import logging
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from ep_core.errors import ModelUnavailable
from ep_core.models import Classifier, load_model

pytestmark = pytest.mark.slow

MOST_WORDS = 600
SMALL = "preprocessing = { input_size = [32, 32], mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] }"
ENTRY = f'torchvision = "resnet18"\nkwargs = {{ num_classes = 3 }}\nfile = "w.pth"\n{SMALL}'
ALONE = f'file = "w.pth"\nlabels = ["a", "b", "c"]\n{SMALL}'
State = dict[str, Any]
Load = Callable[..., Classifier]


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    return torchvision.models.resnet18(num_classes=3).eval()


@pytest.fixture
def load(write_list: Callable[[str], Path]) -> Load:
    """A function that loads the model of an entry, by default `w.pth` beside the list for a ResNet of three classes."""
    return lambda entry=ENTRY: load_model("mine", device="cpu", models_file=write_list(entry))


@pytest.fixture
def told(load: Load) -> Callable[..., str]:
    """A function that returns the message of a model that can't be loaded."""

    def tell(entry: str = ENTRY) -> str:
        with pytest.raises(ModelUnavailable) as error:
            load(entry)
        words = str(error.value)
        assert words.startswith("model 'mine': ")
        assert len(words) <= MOST_WORDS
        return words

    return tell


def prefixed(state: State, prefix: str) -> State:
    return {prefix + key: value for key, value in state.items()}


def shifted(state: State) -> State:
    return {key: value + 1 for key, value in state.items()}


class Settings:
    """An object that a script pickles along, of a class that isn't torch's."""

    def __init__(self) -> None:
        self.rate = 0.1


def lightning(state: State, prefix: str = "model.") -> State:
    return {
        "epoch": 3,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": prefixed(state, prefix) | {"loss.weight": torch.ones(3)},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(64)}}, "param_groups": []}],
        "hyper_parameters": {"rate": 0.1, "settings": Settings()},
    }


WRITTEN: dict[str, Callable[[State], Any]] = {
    "state dict": lambda state: state,
    "DataParallel": lambda state: prefixed(state, "module."),
    "torch.compile": lambda state: prefixed(state, "_orig_mod."),
    "both": lambda state: prefixed(state, "module._orig_mod."),
    "a part in DataParallel": lambda state: {
        key.replace("layer1.", "layer1.module."): value for key, value in state.items()
    },
    **{
        key: lambda state, key=key: {
            "best": torch.tensor(0.7),
            key: state,
            "args": argparse.Namespace(lr=1),
        }
        for key in ("state_dict", "model", "model_state_dict", "net", "ema")
    },
    "in an entry, DataParallel": lambda state: {"state_dict": prefixed(state, "module."), "arch": "resnet18"},
    "average beside it": lambda state: {"model_ema": shifted(state), "model": state},
    "average behind a decay": lambda state: {"ema": {"decay": 0.99, "module": state}},
    "averaged model": lambda state: {"n_averaged": torch.tensor(4)} | prefixed(state, "module."),
    "Lightning": lightning,
    "Lightning, compiled": lambda state: lightning(state, "net._orig_mod."),
    "a teacher beside it": lambda state: {**prefixed(shifted(state), "teacher."), **prefixed(state, "student.")},
    "before counters": lambda state: {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")},
    "half precision": lambda state: {k: v.half() if v.is_floating_point() else v for k, v in state.items()},
    "with an optimizer": lambda state: {
        "optimizer": {"state": {0: {"exp_avg": torch.ones(64)}}},
        "model": state,
        "criterion": nn.CrossEntropyLoss(weight=torch.ones(3)),
    },
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_what_training_scripts_write_is_loaded(load: Load, trained: nn.Module, tmp_path: Path, written) -> None:
    torch.save(written(trained.state_dict()), tmp_path / "w.pth")
    torch.testing.assert_close(load().network.state_dict(), trained.state_dict(), atol=1e-3, rtol=1e-3)


def test_which_of_several_weights_were_taken_is_logged(
    load: Load, trained: nn.Module, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    torch.save(WRITTEN["average beside it"](trained.state_dict()), tmp_path / "w.pth")
    with caplog.at_level(logging.WARNING):
        load()
    assert "w.pth: the weights are entry 'model'; entry 'model_ema' would fit, too" in caplog.messages


def test_safetensors_are_loaded(load: Load, trained: nn.Module, tmp_path: Path) -> None:
    save_file(prefixed(trained.state_dict(), "module."), tmp_path / "w.pth")
    assert torch.equal(load().network.fc.weight, trained.fc.weight)


def test_safetensors_without_the_package_is_named(told, trained: nn.Module, tmp_path: Path, monkeypatch) -> None:
    save_file(trained.state_dict(), tmp_path / "w.pth")
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    assert "pip install safetensors" in told()


def test_weights_saved_before_torch_1_6_are_loaded(load: Load, trained: nn.Module, tmp_path: Path) -> None:
    torch.save(trained.state_dict(), tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    assert torch.equal(load().network.fc.weight, trained.fc.weight)


def test_a_wrapped_network_takes_weights_without_the_wrapper(load: Load, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "wrapped_network.py").write_text(
        "from torch import nn\n"
        "def build():\n"
        "    net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3))\n"
        "    return nn.DataParallel(net)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    torch.save({"2.weight": torch.ones(3, 3), "2.bias": torch.zeros(3)}, tmp_path / "w.pth")
    network = load(f'entry_point = "wrapped_network:build"\n{ALONE}').network
    assert torch.equal(network.state_dict()["module.2.weight"], torch.ones(3, 3))


class Sly:
    """Code that would run if a file were unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("import pathlib; pathlib.Path('ran').touch()",)


def test_nothing_beside_the_weights_is_run(load: Load, trained: nn.Module, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"model": trained.state_dict(), "sly": Sly()}, tmp_path / "w.pth")
    assert torch.equal(load().network.fc.weight, trained.fc.weight)
    assert not (tmp_path / "ran").exists()


WHOLE: dict[str, Callable[[nn.Module], Any]] = {
    "torchvision.models.resnet.ResNet": lambda network: network,
    "torch.nn.parallel.data_parallel.DataParallel": nn.DataParallel,
    "'model': a pickled torchvision.models.resnet.ResNet": lambda network: {"model": network, "epoch": 3},
}


@pytest.mark.parametrize("entry", [ENTRY, ALONE], ids=["weights", "alone"])
@pytest.mark.parametrize("name", WHOLE)
def test_a_pickled_network_is_refused_by_name(told, trained: nn.Module, tmp_path: Path, name: str, entry: str) -> None:
    torch.save(WHOLE[name](trained), tmp_path / "w.pth")
    words = told(entry)
    assert name in words
    assert "never unpickled" in words
    assert "torch.save(network.state_dict(), FILE)" in words


UNREAD: dict[str, Callable[[State], Any]] = {
    "a list": lambda state: list(state.values()),
    "an optimizer alone": lambda state: {"optimizer": {"state": {0: {"exp_avg": torch.ones(3)}}}, "epoch": 3},
    "an empty dict": lambda _state: {},
    "a class that torch can't leave out": lambda state: {"model": state, "log": collections.defaultdict(int, {1: 2})},
}


@pytest.mark.parametrize("written", UNREAD.values(), ids=UNREAD)
def test_what_holds_no_state_dict_says_what_it_holds(told, trained: nn.Module, tmp_path: Path, written) -> None:
    torch.save(written(trained.state_dict()), tmp_path / "w.pth")
    assert "save the weights alone by torch.save(network.state_dict(), FILE)" in told()


def test_a_pickled_network_of_old_is_refused_by_name(told, trained: nn.Module, tmp_path: Path) -> None:
    torch.save(trained, tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    assert "(torchvision.models.resnet.ResNet), which are never unpickled here" in told()


MISFITS: dict[str, tuple[Callable[[], State], str]] = {
    "other classes": (
        lambda: torchvision.models.resnet18().state_dict(),
        "The head of the file has 1000 classes, that of the network 3: .*num_classes = 1000",
    ),
    "other classes, wrapped": (
        lambda: lightning(torchvision.models.resnet18().state_dict()),
        r"2 of another shape \(fc.weight: 1000 x 512, not 3 x 512, fc.bias: 1000, not 3\)",
    ),
    "deeper": (
        lambda: torchvision.models.resnet34(num_classes=3).state_dict(),
        r"96 unexpected \(layer1.2.conv1.weight, layer1.2.bn1.weight, layer1.2.bn1.bias, \.\.\.\)\. Name the very",
    ),
    "without a head": (
        lambda: {k: v for k, v in torchvision.models.resnet18().state_dict().items() if not k.startswith("fc.")},
        r"2 missing \(fc.weight, fc.bias\)\. The file doesn't hold the whole network",
    ),
    "other architecture": (
        lambda: torchvision.models.squeezenet1_1(num_classes=3).state_dict(),
        "of another architecture than ResNet: none of their keys",
    ),
    "long keys": (
        lambda: {f"{'encoder.' * 30}{k}.weight": torch.ones(3) for k in range(500)} | {"fc.bias": torch.ones(3)},
        "The file is of another architecture",
    ),
}


@pytest.mark.parametrize("name", MISFITS)
def test_weights_that_do_not_fit_say_how_and_why_in_few_words(told, tmp_path: Path, name: str) -> None:
    written, said = MISFITS[name]
    torch.save(written(), tmp_path / "w.pth")
    words = told()
    assert re.search(said, words), words


def test_an_entry_point_that_lists_all_keys_is_cut_short(told, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "listing_network.py").write_text(
        "import torchvision\n"
        "def build():\n"
        "    network = torchvision.models.resnet18()\n"
        "    network.load_state_dict(torchvision.models.squeezenet1_1().state_dict())\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    words = told(f'entry_point = "listing_network:build"\n{ALONE}'.replace('file = "w.pth"\n', ""))
    assert "RuntimeError: Error(s) in loading state_dict for ResNet" in words


@pytest.fixture
def script(trained: nn.Module, tmp_path: Path) -> Iterator[Path]:
    with pytest.warns(FutureWarning, match="torch.jit"):
        torch.jit.trace(trained, torch.rand(1, 3, 32, 32)).save(tmp_path / "w.pth")
    return tmp_path / "w.pth"


@pytest.fixture
def program(trained: nn.Module, tmp_path: Path) -> Path:
    shapes = ({0: torch.export.Dim("batch")},)
    exported = torch.export.export(trained, (torch.rand(2, 3, 32, 32),), dynamic_shapes=shapes)
    torch.export.save(exported, tmp_path / "w.pt2")
    return (tmp_path / "w.pt2").rename(tmp_path / "w.pth")


@pytest.mark.parametrize("kind", ["script", "program"])
@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_a_whole_network_is_told_from_weights_by_what_is_in_the_file(told, load: Load, request, kind: str) -> None:
    request.getfixturevalue(kind)
    named = {"script": "TorchScript", "program": "torch.export"}[kind]
    assert f"w.pth is a whole network ({named}), not a state dict: name the file alone" in told()
    assert load(ALONE).num_classes == 3


@pytest.mark.parametrize("written", ["state dict", "model"])
def test_weights_alone_need_an_architecture(told, trained: nn.Module, tmp_path: Path, written: str) -> None:
    torch.save(WRITTEN[written](trained.state_dict()), tmp_path / "w.pth")
    assert "holds a state dict, not a whole network: name its architecture next to it" in told(ALONE)
