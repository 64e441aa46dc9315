"""Images in the forms that Python callers have them in."""

from __future__ import annotations

import doctest
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import ep_core.models.classifier
import ep_core.pictures.given_image
from ep_core import (
    ExtremalSpec,
    InvalidInput,
    UnreadableImage,
    class_channels,
    compare,
    explain,
    explain_batch,
    explain_channels,
    read_image,
)
from ep_core.models import Classifier, Preprocessing
from ep_core.pictures.given_image import given_image

from .counting import PICTURE, PIXELS, QUICK, SIDE, Counting, one_line


def kind(value: object) -> str | None:
    """Return the type name of a value whose own representation differs each time."""
    return type(value).__name__ if isinstance(value, Image.Image | io.IOBase) else None


def encoded() -> bytes:
    file = io.BytesIO()
    PICTURE.save(file, "PNG")
    return file.getvalue()


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
            (torch.zeros(3, 8, 8), r"1 x C x H x W, C = 3 for RGB, not \(3, 8, 8\): give image\[None\]"),
            (torch.zeros(2, 3, 8, 8), r"not \(2, 3, 8, 8\): .* images.split\(1\) to explain_batch"),
            (torch.zeros(8, 8, 3), r"not \(8, 8, 3\): give pixels as an H x W x 3 array"),
            (torch.zeros(1, 3, 0, 8), "1 x C x H x W"),
            (torch.zeros(1, 4, 24, 30), r"takes images of 3 channels .*, not of 4: \(1, 4, 24, 30\)"),
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
            (PIXELS.astype(np.int64), "not int64: scale them to 0 to 255 as uint8"),
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


def test_the_examples_of_the_documentation_run() -> None:
    for module in (ep_core.models.classifier, ep_core.pictures.given_image):
        assert doctest.testmod(module, extraglobs={"nn": nn}).failed == 0
