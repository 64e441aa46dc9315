"""Image processors of transformers as preprocessing: equal to the pixel, or refused."""

from __future__ import annotations

import pytest
import torch
import transformers

from ep_core.errors import InvalidInput
from ep_core.models import list_models, load_model
from ep_core.models.sources.huggingface.processor import from_image_processor
from tests.unit.ep_core.token_networks import SIDE

pytestmark = pytest.mark.slow


SIZES = [(640, 383), (427, 640), (500, 500), (333, 1001), (100, 75), (43, 32), (35, 39)]


PROCESSORS = {
    "CLIP": lambda: transformers.CLIPImageProcessorPil(),
    "ConvNeXt": lambda: transformers.ConvNextImageProcessorPil(size={"shortest_edge": 224}),
    "ConvNeXt 384": lambda: transformers.ConvNextImageProcessorPil(),
    "PoolFormer": lambda: transformers.PoolFormerImageProcessorPil(),
    "DeiT": lambda: transformers.DeiTImageProcessorPil(),
    "ViT, Lanczos": lambda: transformers.ViTImageProcessorPil(resample=1),
    "not normalised": lambda: transformers.ViTImageProcessorPil(do_normalize=False),
    "0 to 255": lambda: transformers.ViTImageProcessorPil(
        do_rescale=False, image_mean=[127.5] * 3, image_std=[128] * 3
    ),
}


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_picture_becomes_what_the_processor_makes_of_it(photograph, processor, size):
    theirs = PROCESSORS[processor]()
    image = photograph.convert("RGB").resize(size)
    found = from_image_processor(theirs)
    expected = torch.as_tensor(theirs(image, return_tensors="pt")["pixel_values"])
    torch.testing.assert_close(found.preprocess(image)[0], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(224, 224), (640, 383), (35, 39)], ids=str)
def test_the_torchvision_backend_differs_by_less_than_a_level(photograph, size):
    theirs = transformers.CLIPImageProcessor()
    image = photograph.convert("RGB").resize(size)
    expected = torch.as_tensor(theirs(image, return_tensors="pt")["pixel_values"])
    found = from_image_processor(theirs)
    apart = (found.preprocess(image)[0] - expected).abs() * torch.tensor(found.std)[:, None, None]
    assert apart.mean() < 1 / 255


@pytest.mark.parametrize(
    ("processor", "said"),
    [
        (lambda: transformers.MobileViTImageProcessorPil(), "does more than to resize, crop and normalise"),
        (lambda: transformers.CLIPImageProcessorPil(do_center_crop=False), "no equal here"),
        (lambda: transformers.ViTImageProcessorPil(do_resize=False), "no equal here"),
    ],
    ids=["flips channels", "any shape", "no resize"],
)
def test_a_processor_without_an_equal_is_refused_with_the_reason(processor, said):
    with pytest.raises(InvalidInput, match=f"{said}.*own `preprocessing`"):
        from_image_processor(processor())


def test_an_entry_with_its_own_preprocessing_needs_no_processor(copied, write_list):
    (copied("vit") / "preprocessor_config.json").unlink()
    with pytest.raises(InvalidInput, match=r"no image processor that can be read.*own `preprocessing`"):
        list_models(write_list('huggingface = "vit"'))
    own = f"{{ input_size = [{SIDE}, {SIDE}], resize = 40, mean = [0.5, 0.5, 0.5], std = [0.2, 0.2, 0.2] }}"
    classifier = load_model("mine", device="cpu", models_file=write_list(f'huggingface = "vit"\npreprocessing = {own}'))
    assert (classifier.preprocessing.resize, classifier.preprocessing.std) == (40, (0.2, 0.2, 0.2))
