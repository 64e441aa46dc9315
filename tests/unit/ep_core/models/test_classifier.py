"""A network with all that's needed to explain it; explaining leaves it as it was."""

import pytest
import torch
import torchvision
from PIL import Image
from torch import nn

from ep_core.errors import InvalidInput
from ep_core.models import Classifier, Preprocessing

SMALL = Preprocessing((32, 32))


def tiny(classes: int = 4) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.Dropout(0.5),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, classes),
    )


def state(network: nn.Module):
    return (
        [module.training for module in network.modules()],
        [parameter.requires_grad for parameter in network.parameters()],
        [value.clone() for value in network.state_dict().values()],
    )


def assert_same_state(network: nn.Module, before) -> None:
    modes, flags, values = state(network)
    assert (modes, flags) == before[:2]
    assert all(torch.equal(now, then) for now, then in zip(values, before[2], strict=True))


def half_trained() -> nn.Sequential:
    """A network in training mode, except for one module, and with one parameter that isn't trained."""
    network = tiny().train()
    network[1].eval()
    network[0].weight.requires_grad_(False)
    return network


def test_any_module_will_do_and_is_left_alone():
    network = half_trained()
    before = state(network)
    classifier = Classifier(network, preprocessing=SMALL)
    assert classifier.network is network
    assert classifier.labels == ("0", "1", "2", "3")
    assert classifier.num_classes == 4
    assert classifier.input_size == (32, 32)
    assert classifier.device == torch.device("cpu")
    assert_same_state(network, before)


def test_frozen_is_evaluation_without_gradients_for_the_weights():
    classifier = Classifier(half_trained(), preprocessing=SMALL)
    images = torch.rand(2, 3, 32, 32, requires_grad=True)
    with classifier.frozen() as network:
        assert not any(module.training for module in network.modules())
        assert not any(parameter.requires_grad for parameter in network.parameters())
        network(images).sum().backward()
    assert images.grad is not None
    assert all(parameter.grad is None for parameter in classifier.network.parameters())


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_frozen_undoes_itself_also_after_an_error(error):
    network = half_trained()
    before = state(network)
    classifier = Classifier(network, preprocessing=SMALL)
    with pytest.raises(error), classifier.frozen():
        raise error
    assert_same_state(network, before)


def test_frozen_keeps_convolutions_from_being_rounded_on_a_gpu():
    """The setting is there without a GPU, too; the scores that it gives are tested on one (test_gpu.py)."""
    convolutions = torch.backends.cudnn.conv
    before = convolutions.fp32_precision
    with Classifier(tiny(), preprocessing=SMALL).frozen():
        assert convolutions.fp32_precision == "ieee"
    assert convolutions.fp32_precision == before


def test_frozen_can_be_nested():
    network = half_trained()
    before = state(network)
    classifier = Classifier(network, preprocessing=SMALL)
    with classifier.frozen():
        with classifier.frozen():
            pass
        assert not any(module.training for module in network.modules())
    assert_same_state(network, before)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["inception_v3", "googlenet"])
def test_auxiliary_outputs_of_training_do_not_matter(name):
    network = torchvision.models.get_model(
        name, weights=None, init_weights=False, aux_logits=True, num_classes=5
    ).train()
    classifier = Classifier(network, preprocessing=Preprocessing((299, 299)))
    assert classifier.num_classes == 5
    assert network.training


class Elsewhere(nn.Module):
    """Network with given outputs."""

    def __init__(self, output):
        super().__init__()
        self.output = output

    def forward(self, images):
        return self.output(images)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (lambda images: images, r"N x C scores; for N = 2 it gives \(2, 3, 32, 32\)"),
        (lambda images: images.mean((2, 3)).argmax(1), r"gives \(2,\)"),
        (lambda images: images.mean((2, 3))[:1], r"gives \(1, 3\)"),
        (
            lambda images: {"map": images},
            r"no output of the network may be scores, 2 x C for 2 images; it gives 'map' \(",
        ),
        (lambda images: str(images), "it gives no tensors at all"),
        (lambda images: images @ torch.rand(7, 7), "fails on an input of 2 x 3 x 32 x 32: "),
    ],
    ids=["feature map", "classes", "one for the whole batch", "dictionary", "text", "error"],
)
def test_a_network_that_is_no_classifier_is_refused(output, said):
    with pytest.raises(InvalidInput, match=said) as error:
        Classifier(Elsewhere(output), name="mine", preprocessing=SMALL)
    assert "'mine'" in error.value.detail
    assert error.value.field == "model"


def test_labels_must_be_as_many_as_the_classes():
    with pytest.raises(InvalidInput, match="4 classes, but 2 labels"):
        Classifier(tiny(), preprocessing=SMALL, labels=["cat", "dog"])


def test_the_digest_tells_weights_apart():
    network = tiny()
    digest = Classifier(network, preprocessing=SMALL).weights_digest
    assert digest.startswith("sha256:")
    assert len(digest) == len("sha256:") + 64
    assert Classifier(network, preprocessing=SMALL).weights_digest == digest
    with torch.no_grad():
        network[0].weight[0, 0, 0, 0] += 1e-3
    assert Classifier(network, preprocessing=SMALL).weights_digest != digest


def test_the_digest_tells_types_and_shapes_apart():
    digests = {
        Classifier(Holding(values), preprocessing=SMALL).weights_digest
        for values in (
            torch.zeros(2, 2),
            torch.zeros(4),
            torch.zeros(4, dtype=torch.int32),
            torch.zeros(0),
            torch.tensor(0.0),
        )
    }
    assert len(digests) == 5


class Holding(nn.Module):
    """A classifier with one buffer."""

    def __init__(self, values):
        super().__init__()
        self.register_buffer("values", values)

    def forward(self, images):
        return images.mean((2, 3))


def test_preprocess_gives_the_network_its_input():
    classifier = Classifier(tiny(), preprocessing=SMALL)
    tensor, frame = classifier.preprocess(Image.new("RGB", (64, 48)), "stretch")
    assert tensor.device == classifier.device
    assert classifier.network(tensor).shape == (1, 4)
    assert frame.image_size == (48, 64)


def test_a_classifier_prints_in_one_line():
    assert repr(Classifier(tiny(), name="mine", preprocessing=SMALL)) == (
        "Classifier('mine', 4 classes, input (32, 32), on cpu)"
    )
