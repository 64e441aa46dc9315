"""Grey samples of more than 8 bits: the value of white, and a warning where it is doubtful."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import nn

from ep_core.errors import InvalidInput
from ep_core.models import Classifier, Preprocessing
from ep_core.models.inputs import warnings_about
from ep_core.pictures.decoding import check_white_level, doubt_of, read_image, to_rgb
from tests.pictures import encode

RAMP = np.linspace(0, 4095, 256).astype(np.uint16)[None].repeat(16, axis=0)
"""A ramp from black to white, as a camera of 12 bits writes it."""


def deep(samples: np.ndarray, file_format: str = "PNG") -> bytes:
    return encode(Image.fromarray(samples), file_format)


def deep_colours(samples: np.ndarray) -> bytes:
    """Return a PNG of 16-bit colours, which Pillow can't write: H x W x 3."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    head = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def brightest(picture: Image.Image) -> int:
    return int(np.asarray(picture).max())


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
@pytest.mark.parametrize(("bits", "times"), [(10, "64"), (12, "16"), (14, "4")])
def test_fewer_bits_than_the_file_has_are_told(file_format: str, bits: int, times: str) -> None:
    data = deep(np.linspace(0, 2**bits - 1, 256).astype(np.uint16)[None].repeat(16, axis=0), file_format)
    picture = read_image(data)
    doubt = doubt_of(picture) or ""
    assert f"as if all had {bits} bits: it was read as it is, {times} times too dark" in doubt
    assert f"Set white_level to {2**bits - 1}" in doubt

    bright = read_image(data, white_level=2**bits - 1)
    assert (brightest(bright), doubt_of(bright)) == (255, None)
    check_white_level(data, 2**bits - 1)


def test_the_white_level_is_white_and_what_lies_above_is_cut_off() -> None:
    samples = np.array([[0, 1000, 2000, 4000]], np.uint16)
    picture = read_image(deep(samples), white_level=2000)
    assert np.asarray(picture)[0, :, 0].tolist() == [0, 128, 255, 255]
    assert doubt_of(picture) == "Some samples are brighter (4000) than white_level (2000): they were cut off."


@pytest.mark.parametrize(
    "samples", [RAMP * 16, np.where(RAMP > 4000, 65535, RAMP)], ids=["all bits used", "few bright samples"]
)
def test_samples_that_use_their_bits_are_nothing_odd(samples: np.ndarray) -> None:
    assert doubt_of(read_image(deep(samples.astype(np.uint16)))) is None


def test_a_picture_given_as_an_image_is_read_the_same() -> None:
    image = Image.fromarray(RAMP)
    assert "white_level to 4095" in (doubt_of(to_rgb(image)) or "")
    assert to_rgb(image, 4095).tobytes() == read_image(deep(RAMP), white_level=4095).tobytes()


def test_dark_colours_of_16_bits_are_told() -> None:
    colours = np.stack([RAMP] * 3, axis=-1)
    assert "Convert it to 8 bits a sample" in (doubt_of(read_image(deep_colours(colours))) or "")
    assert doubt_of(read_image(deep_colours(colours * 16))) is None


def test_formats_that_tell_their_white_need_no_level() -> None:
    pgm = f"P5\n{RAMP.shape[1]} {RAMP.shape[0]}\n4095\n".encode() + RAMP.astype(">u2").tobytes()
    assert brightest(read_image(pgm)) == 255
    dark = f"P5\n{RAMP.shape[1]} {RAMP.shape[0]}\n65535\n".encode() + RAMP.astype(">u2").tobytes()
    assert doubt_of(read_image(dark)) is None  # the file has said so
    with pytest.raises(InvalidInput, match="this is a PPM of mode I: leave it out") as error:
        check_white_level(pgm, 4095)
    assert error.value.field == "white_level"


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_white_level_of_8_bit_samples_is_refused(mode: str) -> None:
    data = encode(Image.new(mode, (8, 8)), "PNG")
    check_white_level(data, None)
    with pytest.raises(InvalidInput, match=f"white_level is for PNG and TIFF .* a PNG of mode {mode}"):
        check_white_level(data, 255)


def test_what_is_saved_of_a_picture_says_nothing_of_it() -> None:
    picture = read_image(deep(RAMP))
    for file_format in ("PNG", "JPEG", "WEBP", "TIFF", "GIF"):
        assert b"white_level" not in encode(picture, file_format)
        with Image.open(io.BytesIO(encode(picture, file_format))) as saved:
            assert not any("doubt" in str(key) for key in saved.info)


def test_results_carry_it_with_the_name_of_its_image() -> None:
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    model = Classifier(network, preprocessing=Preprocessing((16, 16)), labels=["a", "b"])
    odd, plain = read_image(deep(RAMP)), read_image(deep(RAMP * 16))
    (warning,) = warnings_about(model, [odd])
    assert (warning.kind, warning.detail) == ("white-level", doubt_of(odd))
    (warning,) = warnings_about(model, [plain, odd], ["plain.png", "odd.png"])
    assert warning.detail == f"odd.png: {doubt_of(odd)}"


def test_a_file_cannot_write_a_warning() -> None:
    texts = PngInfo()
    for key in ("doubt", "\0doubt"):
        texts.add_text(key, "Odd")
    data = encode(Image.new("RGB", (8, 8)), "PNG", pnginfo=texts)
    assert doubt_of(read_image(data)) is None
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert doubt_of(to_rgb(image)) is None
