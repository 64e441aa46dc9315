"""What a Python caller has at hand: taken as it is, or refused in one line before any computation."""

from __future__ import annotations

import doctest
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import ep_core.given_image
import ep_core.models.classifier
from ep_core import (
    ChannelsSpec,
    ClassChannelsSpec,
    CompareSpec,
    ExtremalSpec,
    InvalidInput,
    UnreadableImage,
    class_channels,
    compare,
    explain,
    explain_batch,
    explain_channels,
    invert_channels,
    load_model,
    read_image,
    split,
)
from ep_core.given_image import given_image
from ep_core.models import Classifier, Preprocessing, list_models
from ep_core.models.device import pick_device

SIDE = 24
PIXELS = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE + 6, 3), dtype=np.uint8)
PICTURE = Image.fromarray(PIXELS)
QUICK: dict[str, Any] = {"areas": (0.3,), "iterations": 2, "alternatives": 0, "contrast": False}


def kind(value: object) -> str | None:
    """Return the name of a value whose own is another one each time."""
    return type(value).__name__ if isinstance(value, Image.Image | io.IOBase) else None


class Counting(nn.Module):
    """A classifier of five classes that counts its passes."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU()),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5)),
        )
        self.passes = 0

    def forward(self, images: Tensor) -> Tensor:
        self.passes += 1
        return self.layers(images)


@pytest.fixture
def network() -> Counting:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Counting()


@pytest.fixture
def model(network: Counting) -> Classifier:
    return Classifier(network, preprocessing=Preprocessing((SIDE, SIDE), resize=SIDE))


@pytest.fixture
def untouched(network: Counting, model: Classifier) -> Iterator[None]:
    """The network isn't run in the test."""
    assert model.layers
    before = network.passes
    yield
    assert network.passes == before


def encoded() -> bytes:
    file = io.BytesIO()
    PICTURE.save(file, "PNG")
    return file.getvalue()


def one_line(error: pytest.ExceptionInfo[InvalidInput]) -> str:
    said = "\n".join([str(error.value), *getattr(error.value, "__notes__", [])])
    assert "\n" not in said
    return said


class TestImages:
    @pytest.mark.parametrize(
        "form",
        [
            lambda _: PICTURE,
            lambda _: encoded(),
            lambda _: bytearray(encoded()),
            lambda _: memoryview(encoded()),
            lambda file: file,
            lambda file: str(file),
            lambda _: Image.open(io.BytesIO(encoded())),
            lambda _: PIXELS,
            lambda _: np.asfortranarray(PIXELS),
            lambda _: PIXELS[:, :, ::-1][:, :, ::-1],
            lambda _: PIXELS / 255,
            lambda _: (PIXELS / 255).astype(np.float32),
        ],
    )
    def test_every_form_of_a_picture_is_the_same_picture(
        self, model: Classifier, tmp_path: Path, form: Callable[[Path], Any]
    ) -> None:
        file = tmp_path / "picture.png"
        file.write_bytes(encoded())
        found = explain(model, form(file), ExtremalSpec(**QUICK))
        expected = explain(model, PICTURE, ExtremalSpec(**QUICK))
        assert torch.equal(found.masks, expected.masks)
        assert np.array_equal(np.asarray(found.image), PIXELS)

    def test_grey_pixels_are_a_grey_picture(self, model: Classifier) -> None:
        found = explain(model, PIXELS[:, :, 0], ExtremalSpec(**QUICK))
        assert np.array_equal(np.asarray(found.image), np.repeat(PIXELS[:, :, :1], 3, axis=2))

    @pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
    def test_preprocessed_tensors_of_any_precision(self, model: Classifier, dtype: torch.dtype) -> None:
        x = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)).to(dtype)
        found = explain(model, x, ExtremalSpec(**QUICK))
        assert torch.equal(found.masks, explain(model, x.float(), ExtremalSpec(**QUICK)).masks)

    def test_a_tensor_of_the_callers_is_left_alone(self, network: Counting) -> None:
        class Clipping(nn.Module):
            def forward(self, images: Tensor) -> Tensor:
                images.data.clamp_(-1, 1)
                return images

        in_place = Classifier(nn.Sequential(Clipping(), network), preprocessing=Preprocessing((SIDE, SIDE)))
        x = torch.randn(1, 3, SIDE, SIDE, requires_grad=True)
        before = x.detach().clone()
        explain(in_place, x, ExtremalSpec(**QUICK))
        assert torch.equal(x.detach(), before)
        assert x.grad is None

    @pytest.mark.usefixtures("untouched")
    @pytest.mark.parametrize(
        ("image", "said"),
        [
            (torch.zeros(3, 8, 8), r"1 x 3 x H x W, not \(3, 8, 8\): give image\[None\]"),
            (torch.zeros(2, 3, 8, 8), r"not \(2, 3, 8, 8\): .* images.split\(1\) to explain_batch"),
            (torch.zeros(8, 8, 3), r"not \(8, 8, 3\): give pixels as an H x W x 3 array"),
            (torch.zeros(1, 3, 0, 8), "1 x 3 x H x W"),
            (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "dense floating tensor, this one is torch.uint8"),
            (torch.zeros(1, 3, 8, 8, device="meta"), "on the meta device"),
            (torch.zeros(1, 3, 8, 8).to_sparse(), "torch.sparse_coo"),
            (torch.full((1, 3, 8, 8), torch.nan), "aren't finite"),
            (PIXELS.transpose(2, 0, 1), r"not 3 x 24 x 30: put the channels last, image.transpose\(1, 2, 0\)"),
            (PIXELS[None], "not 1 x 24 x 30 x 3"),
            (np.zeros((8, 8, 4), np.uint8), "not 8 x 8 x 4"),
            (np.zeros((0, 8, 3), np.uint8), "not 0 x 8 x 3"),
            (np.float64(3), "not float64"),
            (np.array(3, np.uint8), "not a single number"),
            (PIXELS.astype(float), r"lie in \[0, 1\], these from 0 to 255: divide those of 0 to 255 by 255"),
            (np.full((8, 8, 3), -0.1), "these from -0.1 to -0.1"),
            (np.full((8, 8, 3), np.nan), "from nan to nan"),
            (PIXELS.astype(np.int64), r"not int64: convert them by astype\('uint8'\)"),
            (np.zeros((8, 8, 3), bool), "not bool"),
            (np.zeros((8, 8, 3), object), "not object"),
            ("no/such/file.jpg", "'no/such/file.jpg' can't be read: No such file"),
            ("null\0", "can't be read"),
            (Path("/"), "can't be read"),
            (b"", "0 bytes"),
            (b"no picture", "aren't a picture"),
            (None, "an image is one of Pillow's, a path, .* not NoneType"),
            ([PICTURE], "not list"),
            (io.BytesIO(), "not BytesIO"),
            (Image.new("F", (8, 8)), "32-bit float"),
            (Image.new("RGB", (8, 0)), "no pixels"),
            (Image.new("RGB", (100_000, 1)), "too elongated"),
        ],
        ids=kind,
    )
    def test_others_are_refused_by_every_entrance_before_any_work(
        self, model: Classifier, image: Any, said: str
    ) -> None:
        for call in (
            lambda: explain(model, image),
            lambda: compare(model, image),
            lambda: explain_channels(model, image),
        ):
            with pytest.raises(InvalidInput, match=said) as error:
                call()
            assert error.value.field == "image"
            one_line(error)
        for call in (lambda: explain_batch(model, [PICTURE, image]), lambda: class_channels(model, [PICTURE, image])):
            with pytest.raises(InvalidInput, match=said) as error:
                call()

    @pytest.mark.usefixtures("untouched")
    def test_a_damaged_file_of_pillows_is_refused(self, model: Classifier) -> None:
        with pytest.raises(UnreadableImage, match="damaged") as error:
            explain(model, Image.open(io.BytesIO(encoded()[:200])))
        one_line(error)
        closed = Image.open(io.BytesIO(encoded()))
        closed.close()
        with pytest.raises(UnreadableImage, match="closed"):
            explain(model, closed)

    def test_threads_may_share_a_file_that_pillow_has_not_read_yet(self, sample: Callable[[str], Image.Image]) -> None:
        expected = np.asarray(sample("goose"))
        with ThreadPoolExecutor(4) as threads:
            for _ in range(8):
                pictures = threads.map(given_image, [sample("goose")] * 4)
                assert all(np.array_equal(np.asarray(picture), expected) for picture in pictures)

    @pytest.mark.usefixtures("untouched")
    @pytest.mark.parametrize(
        "images", [PICTURE, "a.jpg", Path("a.jpg"), b"", PIXELS, torch.zeros(2, 3, 8, 8), None], ids=kind
    )
    def test_a_single_image_is_no_list(self, model: Classifier, images: Any) -> None:
        for call in (explain_batch, class_channels):
            with pytest.raises(InvalidInput, match="images is a list of them, not one") as error:
                call(model, images)
            one_line(error)

    def test_a_batch_may_come_as_an_iterator(self, model: Classifier) -> None:
        forms = (image for image in (PICTURE, PIXELS))
        first, second = explain_batch(model, forms, QUICK)
        assert torch.equal(first.masks, second.masks)

    def test_read_image_takes_bytes(self) -> None:
        with pytest.raises(InvalidInput, match="bytes, not str"):
            read_image("a.jpg")  # type: ignore[arg-type]


class TestTargets:
    @pytest.mark.parametrize(
        "target",
        [np.int64(3), np.uint8(3), np.array(3), torch.tensor(3), torch.tensor(3, dtype=torch.uint8), np.str_("3"), "3"],
        ids=repr,
    )
    def test_numbers_of_numpy_and_torch(self, model: Classifier, target: Any) -> None:
        assert explain(model, PICTURE, ExtremalSpec(target=target, **QUICK)).target.index == 3
        assert explain(model, PICTURE, {"target": target, **QUICK}).target.index == 3

    @pytest.mark.usefixtures("untouched")
    @pytest.mark.parametrize("target", [True, 3.0, np.float32(3), np.bool_(1), torch.tensor(3.0), [3], torch.ones(2)])
    def test_others_are_refused(self, model: Classifier, target: Any) -> None:
        for call in (explain, compare, explain_channels):
            with pytest.raises(InvalidInput, match=r"^target: .* is not a whole number") as error:
                call(model, PICTURE, {"target": target})
            one_line(error)
            assert error.value.field == "target"

    def test_other_fields_take_them_too(self) -> None:
        spec = ExtremalSpec(areas=np.array([0.1, 0.2]), seed=np.int64(3), iterations=torch.tensor(5))
        assert (spec.areas, spec.seed, spec.iterations) == ((0.1, 0.2), 3, 5)
        assert ChannelsSpec(areas=[np.int32(2), torch.tensor(1)]).areas == (1, 2)
        assert ExtremalSpec(areas=torch.tensor([0.25, 0.5])).areas == (0.25, 0.5)


class TestModels:
    def test_a_bare_network_is_taken(self, network: Counting) -> None:
        found = explain(network, PICTURE, QUICK)
        assert torch.equal(found.masks, explain(Classifier(network), PICTURE, QUICK).masks)
        assert found.model.input_size == (224, 224)

    def test_a_name_is_loaded(self) -> None:
        found = explain("mobilenet_v2", PICTURE, QUICK | {"perturbation": "fade"})
        assert (found.model.name, len(found.masks)) == ("mobilenet_v2", 1)

    @pytest.mark.parametrize("model", [None, 3, nn.Linear, Path("resnet50"), {"name": "resnet50"}])
    def test_others_are_refused(self, model: Any) -> None:
        with pytest.raises(InvalidInput, match="a model is a Classifier, a") as error:
            explain(model, PICTURE)
        assert error.value.field == "model"
        one_line(error)

    def test_the_image_is_looked_at_first(self) -> None:
        with pytest.raises(InvalidInput, match="can't be read"):
            explain("no such model", "no/such/file.jpg")

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ({"name": 3}, "a model's name is a string, not int"),
            ({"preprocessing": (224, 224)}, "an ep_core.Preprocessing, not tuple"),
            ({"weights_digest": b"sha256"}, "weights_digest is a string, not bytes"),
            ({"labels": "abcde"}, "labels are a list, .* not str"),
            ({"labels": 5}, "labels are a list, .* not int"),
            ({"labels": {k: k for k in range(5)}}, r"not dict: give list\(labels.values\(\)\)"),
        ],
    )
    def test_what_describes_a_network_has_its_types(
        self, network: Counting, arguments: dict[str, Any], said: str
    ) -> None:
        with pytest.raises(InvalidInput, match=said) as error:
            Classifier(network, **arguments)
        one_line(error)
        assert network.passes == 0

    @pytest.mark.parametrize("labels", [range(5), [0, 1, 2, 3, 4], np.arange(5), torch.arange(5), tuple("01234")])
    def test_labels_may_be_numbers(self, network: Counting, labels: Any) -> None:
        classifier = Classifier(network, preprocessing=Preprocessing((SIDE, SIDE)), labels=labels)
        assert classifier.labels == ("0", "1", "2", "3", "4")
        found = explain(classifier, PICTURE, QUICK | {"target": "4"})
        assert found.report().target.label == "4"

    def test_networks_that_cannot_be_explained_where_they_are(self, network: Counting) -> None:
        network.layers[5].to("meta")
        with pytest.raises(InvalidInput, match="no weights yet") as error:
            Classifier(network)
        one_line(error)
        with torch.inference_mode():
            made_inside = Counting()
        with pytest.raises(InvalidInput, match=r"under torch\.inference_mode"):
            Classifier(made_inside)
        with pytest.raises(InvalidInput, match=r"torch\.nn\.Module, not function"):
            Classifier(lambda images: images)  # type: ignore[arg-type]
        assert network.passes == 0


class TestSpecs:
    def test_a_dict_is_a_spec(self, model: Classifier) -> None:
        assert explain(model, PICTURE, QUICK).spec == explain(model, PICTURE, ExtremalSpec(**QUICK)).spec
        assert [one.spec.areas for one in explain_batch(model, [PICTURE] * 2, [QUICK, ExtremalSpec(**QUICK)])] == [
            (0.3,),
            (0.3,),
        ]
        assert compare(model, PICTURE, {"methods": ["gradient"], "areas": [0.5]}).spec.areas == (0.5,)
        channels = {"layer": "layers.2", "areas": [2], "iterations": 1}
        nn.init.zeros_(model.network.layers[5].bias)  # so that without its channels, the top class scores nothing
        assert explain_channels(model, PICTURE, channels).spec.areas == (2,)
        assert class_channels(model, [PICTURE], channels | {"invert": False, "threshold": 0.01}).spec.areas == (2,)

    @pytest.mark.usefixtures("untouched")
    @pytest.mark.parametrize(
        ("call", "kind", "other"),
        [
            (explain, "ExtremalSpec", CompareSpec()),
            (compare, "CompareSpec", ExtremalSpec()),
            (explain_channels, "ChannelsSpec", ClassChannelsSpec()),
            (lambda *given: class_channels(given[0], [given[1]], given[2]), "ClassChannelsSpec", ChannelsSpec()),
            (lambda *given: explain_batch(given[0], [given[1]], [given[2]]), "ExtremalSpec", ChannelsSpec()),
        ],
    )
    def test_others_are_refused(self, model: Classifier, call: Callable[..., Any], kind: str, other: Any) -> None:
        for spec in (other, "fast", 0.1, {0.1, 0.2}):
            with pytest.raises(InvalidInput, match=f"to be {kind}, a dict of its fields or None") as error:
                call(model, PICTURE, spec)
            one_line(error)
        for spec, said in (
            ({"area": 0.1}, "^area: there is no such field"),
            ({"areas": []}, "^areas: "),
            ({"task": "none"}, "^task: "),
            ({1: 2}, "^1: "),
        ):
            with pytest.raises(InvalidInput, match=said) as error:
                call(model, PICTURE, spec)
            one_line(error)

    @pytest.mark.usefixtures("untouched")
    @pytest.mark.parametrize("lanes", [0, -1, 2.0, "3"])
    def test_lanes_are_counted(self, model: Classifier, lanes: Any) -> None:
        for call in (
            lambda: explain(model, PICTURE, max_lanes=lanes),
            lambda: compare(model, PICTURE, max_lanes=lanes),
            lambda: explain_channels(model, PICTURE, max_lanes=lanes),
            lambda: class_channels(model, [PICTURE], max_lanes=lanes),
        ):
            with pytest.raises(InvalidInput, match="max_lanes is an integer of at least 1, or None") as error:
                call()
            one_line(error)

    @pytest.mark.usefixtures("untouched")
    def test_each_image_has_a_name(self, model: Classifier) -> None:
        with pytest.raises(InvalidInput, match="1 names for 2 images"):
            class_channels(model, [PICTURE] * 2, names=["one"])


class TestModes:
    @pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
    def test_the_callers_mode_does_not_matter(
        self, network: Counting, model: Classifier, mode: Callable[[], Any]
    ) -> None:
        channels = {"layer": "layers.2", "areas": [2], "iterations": 2, "threshold": 0.01}

        def answers(x: Tensor) -> list[Tensor]:
            classifier = Classifier(network, preprocessing=model.preprocessing)
            asked = {"methods": ["smoothgrad", "grad_cam", "guided_backprop", "lrp", "extremal"], "areas": [0.5]}
            compared = compare(classifier, x, asked | {"iterations": 2, "samples": 2})
            parts = split(network, "layers.2", x)
            return [
                explain(classifier, x, QUICK).masks,
                *(answer.map for answer in compared.methods),  # type: ignore[union-attr]
                explain_channels(classifier, x, channels).masks,
                class_channels(classifier, [x], channels | {"invert": False}).weights,
                invert_channels(parts.tuned.head, [0], size=(SIDE, SIDE), normalise=model.preprocessing.normalise),
            ]

        network.eval().requires_grad_(False)
        network.layers[5].bias.zero_()  # so that without its channels, the top class scores nothing
        expected = answers(torch.ones(1, 3, SIDE, SIDE) / 3)
        with mode():
            inside = answers(torch.ones(1, 3, SIDE, SIDE) / 3)
            assert torch.is_inference_mode_enabled() == (mode is torch.inference_mode)
            assert not torch.is_grad_enabled()
        assert not any(answer.is_inference() for answer in inside)
        assert all(torch.equal(one, other) for one, other in zip(inside, expected, strict=True))

    def test_a_model_loaded_in_inference_mode_can_be_explained(self) -> None:
        with torch.inference_mode():
            loaded = load_model("mobilenet_v2", device="cpu")
        assert not any(parameter.is_inference() for parameter in loaded.network.parameters())


class TestPlaces:
    @pytest.mark.parametrize("device", ["meta", "mps", "xla", "cdua", 3.5, ["cpu"]])
    def test_devices_that_are_not_here(self, device: Any) -> None:
        if device == "mps" and torch.backends.mps.is_available():
            pytest.skip("this machine has one")
        with pytest.raises(InvalidInput, match="use cpu, cuda, cuda:N or, on a Mac that has it, mps") as error:
            pick_device(device)
        assert error.value.field == "device"
        one_line(error)

    def test_a_model_list_may_be_named_by_a_string(self, tmp_path: Path) -> None:
        file = tmp_path / "models.toml"
        file.write_text('[models.mine]\ntorchvision = "mobilenet_v2"\n')
        assert [card.name for card in list_models(str(file))] == ["mine"]
        assert load_model("mine", device="cpu", models_file=str(file)).name == "mine"


def test_the_examples_of_the_documentation_run() -> None:
    for module in (ep_core.models.classifier, ep_core.given_image):
        assert doctest.testmod(module, extraglobs={"nn": nn}).failed == 0
