"""Models by name, with real weights and real photographs."""

import sys
from urllib.error import URLError

import pytest
import timm
import torch
import torchvision
from torch import nn

from ep_core.errors import ModelUnavailable, UnknownName
from ep_core.models import Classifier, load_model
from ep_core.models.sources.catalogue import list_models
from ep_core.models.sources.weights import file_digest

MOBILENET_DIGEST = "sha256:b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"
PHOTOGRAPHS = {
    "black_bear": "American black bear",
    "school_bus": "school bus",
    "pizza": "pizza",
    "airliner": "airliner",
    "goose": "goose",
}
FLOWERS = ("daisy", "rose", "tulip")
OWN_TABLE = "input_size = [32, 32], mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5]"


def top(classifier: Classifier, image) -> str:
    tensor, _ = classifier.preprocess(image)
    with classifier.frozen() as network, torch.no_grad():
        return classifier.labels[int(network(tensor).argmax())]


def tiny() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)).eval()


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """No outside internet, and nothing cached: the one thing these tests pretend."""

    def unreachable(*args, **kwargs):
        raise URLError("Name or service not known")

    monkeypatch.setattr("ep_core.models.sources.weights.urlopen", unreachable)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    before = torch.hub.get_dir()
    torch.hub.set_dir(tmp_path)
    yield tmp_path / "checkpoints"
    torch.hub.set_dir(before)


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
def test_the_default_network_knows_the_photographs(mobilenet, sample, photograph):
    assert top(mobilenet, sample(photograph)) == PHOTOGRAPHS[photograph]


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
def test_the_operators_own_network_knows_the_photographs(efficientnet, sample, photograph):
    assert top(efficientnet, sample(photograph)) == PHOTOGRAPHS[photograph]


def test_the_default_network_says_what_it_is(mobilenet):
    assert mobilenet.name == "mobilenet_v2"
    assert mobilenet.weights_digest == MOBILENET_DIGEST
    assert mobilenet.input_size == (224, 224)
    assert mobilenet.num_classes == 1000
    assert not mobilenet.network.training


def test_weights_can_be_named(mobilenet):
    classifier = load_model("mobilenet_v2:IMAGENET1K_V1", device="cpu")
    assert classifier.name == "mobilenet_v2:IMAGENET1K_V1"
    assert classifier.weights_digest == MOBILENET_DIGEST


def test_the_operators_own_network_says_what_it_is(efficientnet):
    assert efficientnet.name == "efficientnet-lite0"
    assert efficientnet.weights_digest.startswith("sha256:")
    assert efficientnet.labels[295] == "American black bear"
    torch.testing.assert_close(efficientnet.preprocessing.black.flatten(), torch.full((3,), -127 / 128))


def test_a_name_of_the_list_stands_for_its_source(models_file):
    classifier = load_model("default", device="cpu", models_file=models_file)
    assert classifier.name == "default"
    assert classifier.weights_digest == MOBILENET_DIGEST


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("mobilnet_v2", "mobilenet_v2"), ("ResNet50", "resnet50"), ("vgg", "vgg11"), ("timm:resnet-18", "timm:resnet18")],
)
def test_an_unknown_name_comes_back_with_the_nearest(name, nearest):
    with pytest.raises(UnknownName, match="did you mean") as error:
        load_model(name, device="cpu")
    assert error.value.field == "model"
    assert nearest in error.value.nearest


def test_unknown_weights_come_back_with_those_there_are():
    with pytest.raises(UnknownName, match="use IMAGENET1K_V1, IMAGENET1K_V2") as error:
        load_model("resnet50:IMAGENET1K_V3", device="cpu")
    assert error.value.nearest[:2] == ["IMAGENET1K_V1", "IMAGENET1K_V2"]


def test_weights_that_end_in_no_classes_are_not_offered():
    with pytest.raises(UnknownName):
        load_model("vgg16:IMAGENET1K_FEATURES", device="cpu")


def test_unknown_timm_weights_are_refused():
    with pytest.raises(UnknownName):
        load_model("timm:resnet18.no_such_weights", device="cpu")


def test_with_a_list_only_its_names_are_known(models_file):
    with pytest.raises(UnknownName) as error:
        load_model("efficientnet_b0", device="cpu", models_file=models_file)
    assert error.value.nearest == ["efficientnet-lite0"]


def test_weights_that_cannot_be_fetched_are_named_with_their_place(offline):
    with pytest.raises(ModelUnavailable, match="model 'resnet18': the weights resnet18-f37072fd") as error:
        load_model("resnet18", device="cpu")
    assert str(offline / "resnet18-f37072fd.pth") in str(error.value)


def test_timm_weights_that_cannot_be_fetched_are_named(offline):
    with pytest.raises(ModelUnavailable, match=r"timm's resnet18 couldn't be downloaded from the Hugging Face Hub"):
        load_model("timm:resnet18", device="cpu")


def test_timm_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ModelUnavailable, match="extra `timm`"):
        load_model("timm:resnet18", device="cpu")


@pytest.mark.slow
@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_a_state_dict_fills_a_librarys_architecture(tmp_path, write_list, library):
    makers = {"torchvision": torchvision.models.resnet18, "timm": lambda **kw: timm.create_model("resnet18", **kw)}
    trained = makers[library](num_classes=3).eval()
    torch.save(trained.state_dict(), tmp_path / "flowers.pth")
    path = write_list(
        f'{library} = "resnet18"\nfile = "flowers.pth"\nkwargs = {{ num_classes = 3 }}\nlabels = {list(FLOWERS)}\n'
        "preprocessing = { resize = 224 }"
    )
    classifier = load_model("mine", device="cpu", models_file=path)
    images = torch.rand(2, 3, 224, 224)
    torch.testing.assert_close(classifier.network(images), trained(images))
    assert classifier.labels == FLOWERS
    assert classifier.preprocessing.resize == 224
    assert classifier.weights_digest == file_digest(tmp_path / "flowers.pth")


def test_a_state_dict_fills_an_operators_architecture(tmp_path, write_list, models_file):
    from efficientnet_lite0 import architecture

    network = architecture(num_classes=3)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    network(torch.rand(4, 3, 32, 32))  # statistics: without training and these, it scores all images the same
    torch.save(network.state_dict(), tmp_path / "flowers.pth")
    path = write_list(
        'entry_point = "efficientnet_lite0:architecture"\nfile = "flowers.pth"\nkwargs = { num_classes = 3 }\n'
        f"labels = {list(FLOWERS)}\npreprocessing = {{ {OWN_TABLE} }}"
    )
    assert load_model("mine", device="cpu", models_file=path).num_classes == 3


def save_torchscript(network, path):
    torch.jit.trace(network, torch.rand(1, 3, 32, 32)).save(path)


def save_program(network, path):
    batch = torch.export.Dim("batch")
    program = torch.export.export(network, (torch.rand(2, 3, 32, 32),), dynamic_shapes=({0: batch},))
    torch.export.save(program, path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
@pytest.mark.parametrize(("save", "name"), [(save_torchscript, "whole.pt"), (save_program, "whole.pt2")])
def test_a_whole_network_comes_from_a_file(tmp_path, write_list, save, name):
    network = tiny()
    save(network, tmp_path / name)
    path = write_list(f'file = "{name}"\nlabels = {list(FLOWERS)}\npreprocessing = {{ {OWN_TABLE} }}')
    classifier = load_model("mine", device="cpu", models_file=path)
    images = torch.rand(5, 3, 32, 32, requires_grad=True)
    with classifier.frozen() as loaded:
        scores = loaded(images)
        scores.sum().backward()
    torch.testing.assert_close(scores, network(images))
    assert images.grad.abs().sum() > 0
    assert classifier.weights_digest == file_digest(tmp_path / name)


def test_a_file_that_is_not_the_pinned_one_is_refused(tmp_path, write_list):
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "w.pth")
    path = write_list(f'torchvision = "resnet18"\nfile = "w.pth"\nsha256 = "{"0" * 64}"')
    with pytest.raises(ModelUnavailable, match="not those of the model list"):
        load_model("mine", device="cpu", models_file=path)


def test_a_pickled_network_is_never_unpickled(tmp_path, write_list):
    torch.save(torchvision.models.resnet18(), tmp_path / "w.pth")
    path = write_list('torchvision = "resnet18"\nfile = "w.pth"')
    with pytest.raises(ModelUnavailable, match=r"a pickled torchvision.models.resnet.ResNet, which is never unpickled"):
        load_model("mine", device="cpu", models_file=path)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('torchvision = "resnet18"\nfile = "missing.pth"', r"missing.pth can't be read"),
        ('torchvision = "resnet18"\nfile = "models.toml"', "models.toml is no file of weights"),
        (
            f'entry_point = "no_such_package:build"\nlabels = ["a"]\npreprocessing = {{ {OWN_TABLE} }}',
            "ModuleNotFoundError",
        ),
        (
            f'entry_point = "efficientnet_lite0:nope"\nlabels = ["a"]\npreprocessing = {{ {OWN_TABLE} }}',
            "has no attribute",
        ),
        (
            f'entry_point = "efficientnet_lite0:broken"\nlabels = ["a"]\npreprocessing = {{ {OWN_TABLE} }}',
            "must return a torch.nn.Module, not str",
        ),
        ('torchvision = "mobilenet_v2"\nkwargs = { num_classes = 7 }', "expected value 1000"),
    ],
    ids=["no file", "other file", "no module", "no function", "no network", "other classes"],
)
def test_a_network_that_cannot_be_made_is_said_so(write_list, models_file, entry, said):
    with pytest.raises(ModelUnavailable, match=said) as error:
        load_model("mine", device="cpu", models_file=write_list(entry))
    assert "'mine'" in str(error.value)


def test_labels_that_do_not_fit_the_network_are_refused(write_list, models_file):
    path = write_list(
        f'entry_point = "efficientnet_lite0:build"\nlabels = ["a", "b"]\npreprocessing = {{ {OWN_TABLE} }}'
    )
    with pytest.raises(ModelUnavailable, match="1000 classes, but 2 labels"):
        load_model("mine", device="cpu", models_file=path)


class _TwoOutputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.network = tiny()

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        scores = self.network(images)
        return {"classes": scores, "twice": 2 * scores}


def test_head_and_scores_come_from_the_list(tmp_path, write_list):
    batch = torch.export.Dim("batch", min=1, max=256)
    program = torch.export.export(_TwoOutputs(), (torch.zeros(2, 3, 32, 32),), dynamic_shapes=({0: batch},))
    torch.export.save(program, tmp_path / "defects.pt2")
    entry = f'file = "defects.pt2"\nlabels = ["crack", "dent", "rust"]\npreprocessing = {{ {OWN_TABLE} }}\n'
    listed = write_list(f'{entry}outputs = "sigmoid"\noutput = "classes"\n')
    assert load_model("mine", models_file=listed).head == "sigmoid"
    assert [card.outputs for card in list_models(listed)] == ["sigmoid"]
    with pytest.raises(ModelUnavailable, match=r"several outputs .* 'classes' \(2 x 3\), 'twice' \(2 x 3\): name"):
        load_model("mine", models_file=write_list(entry))


def test_the_card_of_a_single_score_says_so(write_list):
    entry = f'file = "one.pt2"\nlabels = ["rust"]\npreprocessing = {{ {OWN_TABLE} }}\n'
    assert [card.outputs for card in list_models(write_list(entry))] == ["logit"]
