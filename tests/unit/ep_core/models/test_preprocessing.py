"""From a picture to the network's input, as the library does it."""

import numpy as np
import pytest
import timm
import torch
import torchvision
from PIL import Image
from timm.data import create_transform, resolve_data_config

from ep_core.errors import InvalidInput
from ep_core.models import Preprocessing
from ep_core.models.preprocessing import from_timm, from_torchvision

PRESETS = [
    "mobilenet_v2",
    "inception_v3",
    "efficientnet_b0",
    "efficientnet_b1",
    "vit_h_14",
    "swin_v2_t",
    "efficientnet_v2_s",
]
SIZES = [(640, 427), (427, 640), (500, 500), (333, 1001), (100, 75), (7, 5), (256, 257), (225, 224)]


@pytest.fixture(scope="module")
def photograph(sample):
    return sample("school_bus").convert("RGB")


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
def test_crop_equals_torchvision_to_the_bit(photograph, name, size):
    transforms = torchvision.models.get_model_weights(name).DEFAULT.transforms()
    image = photograph.resize(size)
    tensor, _ = from_torchvision(transforms).preprocess(image, "crop")
    assert torch.equal(tensor, transforms(image)[None])


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
def test_a_crop_beyond_the_resized_image_is_padded_with_black_as_torchvision_does(photograph, size):
    transforms = torchvision.transforms._presets.ImageClassification(crop_size=224, resize_size=151)
    preprocessing = from_torchvision(transforms)
    image = photograph.resize(size)
    tensor, _ = preprocessing.preprocess(image)
    assert torch.equal(tensor, transforms(image)[None])
    assert torch.equal(tensor[0, :, :1, :1], preprocessing.black)


def test_a_whole_image_can_be_stretched_to_another_size_before_the_crop(photograph):
    steps = torchvision.transforms.Compose(
        [torchvision.transforms.Resize((90, 120)), torchvision.transforms.CenterCrop(64)]
    )
    preprocessing = Preprocessing((64, 64), resize=(90, 120))
    tensor, frame = preprocessing.preprocess(photograph, "crop")
    assert torch.equal(
        preprocessing.normalise(torchvision.transforms.functional.to_tensor(steps(photograph))), tensor[0]
    )
    width, height = photograph.size
    assert frame.box == pytest.approx((width * 28 / 120, height * 13 / 90, width * 92 / 120, height * 77 / 90))


@pytest.mark.parametrize(("rounding", "start"), [("even", 2), ("down", 1)])
def test_a_crop_of_three_pixels_too_many_starts_where_its_library_starts(rounding, start):
    image = Image.new("RGB", (67, 64))
    _, frame = Preprocessing((64, 64), resize=64, crop_rounding=rounding).preprocess(image)
    assert frame.box == (start, 0, start + 64, 64)


@pytest.mark.parametrize("name", ["resnet18", "vit_base_patch16_224", "tf_efficientnet_lite0", "inception_v4"])
def test_crop_equals_timm_to_the_bit(photograph, name):
    config = resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
    tensor, _ = from_timm(config).preprocess(photograph, "crop")
    assert torch.equal(tensor, create_transform(**config)(photograph)[None])


def test_timm_networks_that_see_a_stretched_image_are_stretched():
    config = resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg("coat_lite_medium_384").to_dict())
    assert config["crop_mode"] == "squash"
    assert from_timm(config).resize is None


def test_timm_crops_without_an_equal_are_refused():
    config = resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg("resnet18").to_dict())
    with pytest.raises(InvalidInput, match="'border'"):
        from_timm(config | {"crop_mode": "border"})


def test_stretch_shows_the_whole_image(photograph):
    preprocessing = Preprocessing((100, 200), resize=256)
    tensor, frame = preprocessing.preprocess(photograph, "stretch")
    assert tensor.shape == (1, 3, 100, 200)
    assert tensor.dtype == torch.float32
    expected = np.asarray(photograph.resize((200, 100), Image.Resampling.BILINEAR))  # Pillow antialiases
    np.testing.assert_array_equal(np.asarray(preprocessing.to_image(tensor)), expected)
    assert frame.box == (0, 0, *photograph.size)


def test_whole_shows_all_of_the_image_in_its_proportions():
    """An image of 8 x 4 in a frame of 4 x 4: halved, with a row of the mean colour above and below."""
    preprocessing = Preprocessing((4, 4), resize=5, interpolation="box", mean=(0.5, 0.25, 0), std=(0.5, 0.25, 1))
    columns = Image.fromarray(np.repeat(np.array([[0, 0, 255, 255, 0, 0, 255, 255]], np.uint8), 4, axis=0))
    tensor, frame = preprocessing.preprocess(columns.convert("RGB"), "whole")
    dark, light = torch.tensor([-1.0, -1, 0]), torch.tensor([1.0, 3, 1])
    expected = torch.zeros(3, 4, 4)
    expected[:, 1:3] = torch.stack([dark, light, dark, light], dim=1)[:, None]
    torch.testing.assert_close(tensor[0], expected)
    assert frame.box == (0, -2, 8, 6)  # a row of the frame is two of the image
    np.testing.assert_array_equal(frame.mask_to_image(np.ones((4, 4))), np.ones((4, 8)))


@pytest.mark.parametrize("size", [(640, 427), (427, 640), (224, 224), (3000, 1), (1, 3000)])
def test_whole_loses_nothing_of_any_image(size):
    tensor, frame = Preprocessing((224, 224), resize=256).preprocess(Image.new("RGB", size), "whole")
    assert tensor.shape == (1, 3, 224, 224)
    left, top, right, bottom = frame.box
    assert min(-left, -top, right - size[0], bottom - size[1]) >= -0.5
    assert (right - left) / (bottom - top) == pytest.approx(1, abs=0.01) or min(size) == 1


def test_to_image_undoes_the_normalisation(photograph):
    preprocessing = Preprocessing((224, 224), mean=(0.3, 0.4, 0.5), std=(0.1, 0.2, 0.9))
    tensor, _ = preprocessing.preprocess(photograph)
    assert torch.equal(preprocessing.preprocess(preprocessing.to_image(tensor))[0], tensor)


def test_normalise_makes_of_rgb_what_preprocess_gives(photograph):
    preprocessing = Preprocessing((224, 224), mean=(0.3, 0.4, 0.5), std=(0.1, 0.2, 0.9))
    tensors = torch.cat([preprocessing.preprocess(photograph, fit)[0] for fit in ("crop", "stretch")])
    pictures = np.stack([np.asarray(preprocessing.to_image(tensor[None])) for tensor in tensors])
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255
    torch.testing.assert_close(preprocessing.normalise(pixels), tensors)


def test_to_image_clips_what_no_picture_has():
    preprocessing = Preprocessing((2, 2))
    assert preprocessing.to_image(torch.full((1, 3, 2, 2), 99.0)).getpixel((0, 0)) == (255, 255, 255)
    assert preprocessing.to_image(torch.full((1, 3, 2, 2), -99.0)).getpixel((0, 0)) == (0, 0, 0)


def test_black_is_what_a_black_picture_becomes():
    preprocessing = Preprocessing((4, 4))
    tensor, _ = preprocessing.preprocess(Image.new("RGB", (9, 9)))
    assert preprocessing.black.shape == (3, 1, 1)
    assert torch.equal(tensor[0], preprocessing.black.expand(3, 4, 4))


def test_a_scale_of_samples_is_a_mean_and_a_std():
    preprocessing = Preprocessing((1, 1), mean=(127 / 255,) * 3, std=(128 / 255,) * 3)
    tensor, _ = preprocessing.preprocess(Image.new("RGB", (1, 1), (0, 127, 255)))
    torch.testing.assert_close(tensor.flatten(), torch.tensor([-127 / 128, 0, 1]), atol=1e-6, rtol=0)


def test_a_picture_of_any_mode_is_taken():
    tensor, _ = Preprocessing((4, 4)).preprocess(Image.new("LA", (9, 9), (0, 0)))
    assert Preprocessing((4, 4)).to_image(tensor).getpixel((0, 0)) == (255, 255, 255)


def test_a_very_elongated_image_is_refused_before_it_fills_the_memory():
    ribbon = Image.new("RGB", (300_000, 1))
    with pytest.raises(InvalidInput, match=r"too elongated .* 'stretch'") as error:
        Preprocessing((224, 224), resize=256).preprocess(ribbon, "crop")
    assert error.value.field == "image"
    assert Preprocessing((224, 224), resize=256).preprocess(ribbon, "stretch")[0].shape == (1, 3, 224, 224)


def test_an_unknown_fit_is_refused():
    with pytest.raises(InvalidInput, match="use 'crop', 'stretch', 'whole'"):
        Preprocessing((4, 4)).preprocess(Image.new("RGB", (9, 9)), "letterbox")


@pytest.mark.parametrize(
    "wrong",
    [
        {"interpolation": "cubic"},
        {"std": (1, 0, 1)},
        {"mean": (0.5,)},
        {"input_size": (0, 4)},
        {"resize": 0},
        {"resize": (0, 4)},
    ],
    ids=str,
)
def test_impossible_preprocessing_is_refused(wrong):
    with pytest.raises(InvalidInput):
        Preprocessing(**({"input_size": (4, 4)} | wrong))
