"""JPEGs that end too early: taken where nothing of the picture is missing, as browsers do."""

from __future__ import annotations

import pytest
from PIL import Image

from ep_core.errors import UnreadableImage
from ep_core.pictures.decoding import read_image
from tests.pictures import encode


@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("cut", [1, 2])
def test_one_without_its_end_marker_is_taken(photograph: Image.Image, mode: str, options: dict, cut: int) -> None:
    data = encode(photograph.convert(mode), "JPEG", **options)
    assert data.endswith(b"\xff\xd9")
    assert read_image(data[:-cut]).tobytes() == read_image(data).tobytes()
    assert read_image(data[:-cut], enough=200).tobytes() == read_image(data, enough=200).tobytes()


@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
@pytest.mark.parametrize("cut", [5, 8, 20, 200, 2000])
def test_one_that_lacks_some_of_its_picture_is_refused(photograph: Image.Image, options: dict, cut: int) -> None:
    data = encode(photograph, "JPEG", **options)
    with pytest.raises(UnreadableImage, match="cut short"):
        read_image(data[:-cut])


def test_missing_white_is_missing(photograph: Image.Image) -> None:
    """A picture that ends in white looks the same with any white."""
    white = Image.new("RGB", photograph.size, "white")
    white.paste(photograph.crop((0, 0, 640, 100)))
    data = encode(white, "JPEG")
    refused = 0
    for cut in range(3, 40):
        try:
            assert read_image(data[:-cut]).tobytes() == read_image(data).tobytes()
        except UnreadableImage:
            refused += 1
    assert refused > 30
