"""Uploads that are refused: the error says what to do."""

import io
import struct
import time
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from ep_core.errors import ImageTooLarge, InvalidInput, UnreadableImage
from ep_core.pictures.decoding import FORMATS, MAX_SCANS, read_image
from tests.pictures import encode

RAMP = np.linspace(0, 255, 64).astype(np.uint8)[None].repeat(48, axis=0)  # black on the left to white on the right


def test_no_bytes_have_their_own_message():
    with pytest.raises(UnreadableImage, match="0 bytes"):
        read_image(b"")


@pytest.mark.parametrize(
    "data",
    [b"\x00" * 1000, b"hello", b"\xff\xd8\xff", b"GIF89a"],
    ids=["zeros", "a text", "only a magic number", "gif header"],
)
def test_what_is_no_picture_is_refused_with_the_supported_formats(data):
    with pytest.raises(
        UnreadableImage, match="send JPEG, PNG, WebP, AVIF, JPEG 2000, TIFF, BMP, GIF, PNM or QOI"
    ) as error:
        read_image(data)
    assert error.value.field == "image"


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
def test_a_jpeg_cut_short_is_refused(photograph, share, options):
    data = encode(photograph, "JPEG", **options)
    with pytest.raises(UnreadableImage, match=r"cut short|damaged"):
        read_image(data[: int(len(data) * share)])


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "AVIF", "JPEG2000", "BMP", "TIFF", "GIF", "PPM", "QOI"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_other_formats_cut_short_are_refused(photograph, file_format, share):
    data = encode(photograph, file_format)
    with pytest.raises(UnreadableImage):
        read_image(data[: int(len(data) * share)])


def test_damaged_png_data_is_refused(photograph):
    data = bytearray(encode(photograph, "PNG"))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(UnreadableImage, match="damaged"):
        read_image(bytes(data))


@pytest.mark.parametrize("file_format", ["GIF", "TIFF", "PNG", "WEBP", "AVIF"])
def test_several_frames_or_pages_are_refused(file_format):
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "green", "blue")]
    data = encode(frames[0], file_format, save_all=True, append_images=frames[1:])
    with pytest.raises(UnreadableImage, match="several frames or pages: send one picture"):
        read_image(data)


def many_pages(count: int) -> bytes:
    """A TIFF of so many grey pages of one pixel, in the order of the file."""
    tags = ((256, 1), (257, 1), (258, 8), (262, 1), (273, 8), (279, 1))
    size, first = 2 + 12 * len(tags) + 4, 10
    pages = []
    for page in range(1, count + 1):
        following = first + page * size if page < count else 0
        entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
        pages.append(struct.pack("<H", len(tags)) + entries + struct.pack("<I", following))
    return struct.pack("<2sHIH", b"II", 42, first, 0) + b"".join(pages)


def test_pages_are_not_counted(monkeypatch):
    """To count them takes seconds where there are thousands."""
    data, read = many_pages(500), []
    load = TiffImagePlugin.ImageFileDirectory_v2.load
    monkeypatch.setattr(TiffImagePlugin.ImageFileDirectory_v2, "load", lambda *args: (read.append(1), load(*args))[1])
    with pytest.raises(UnreadableImage, match="several frames or pages"):
        read_image(data)
    assert len(read) < 10
    assert read_image(many_pages(1)).size == (1, 1)


def scans(image: Image.Image, count: int) -> bytes:
    """A progressive JPEG of so many scans, the last one repeated."""
    whole = encode(image, "JPEG", progressive=True)
    preview = encode(image.resize((16, 16)), "JPEG", progressive=True)
    segment = b"\xff\xe5" + struct.pack(">H", len(preview) + 2) + preview  # as cameras store one; no scan of its own
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:2] + segment + whole[2:-2] + last * (count - whole.count(b"\xff\xda")) + whole[-2:]


def test_a_jpeg_has_no_more_scans_than_encoders_make(photograph):
    assert read_image(scans(photograph, MAX_SCANS)).size == photograph.size
    with pytest.raises(UnreadableImage, match=f"more than {MAX_SCANS} scans: save it again"):
        read_image(scans(photograph, MAX_SCANS + 1))
    many = encode(photograph, "MPO", save_all=True, append_images=[photograph])
    assert read_image(many).size == photograph.size


def test_scans_are_counted_in_time_that_grows_with_the_file(photograph):
    """Bytes FF without end, or segments of no length, are no markers to begin again from."""
    whole = encode(photograph, "JPEG")
    for filling in (b"\xff" * 2_000_000, b"\xff\xe0\0\2" * 100_000):
        started = time.process_time()
        with suppress(InvalidInput):
            read_image(whole[:-2] + filling + whole[-2:])
        assert time.process_time() - started < 5  # at quadratic cost, hours


def test_too_many_pixels_are_refused_with_both_numbers(jpeg):
    with pytest.raises(
        ImageTooLarge, match=r"640 x 498 = 318720 pixels, and at most 318719 .*: scale it down"
    ) as error:
        read_image(jpeg, max_pixels=640 * 498 - 1)
    assert error.value.field == "image"
    assert read_image(jpeg, max_pixels=640 * 498).size == (640, 498)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [8_000, 10_000, 12_000, 50_000])
def test_a_bomb_is_refused_before_it_is_decoded(side):
    header = io.BytesIO()
    Image.new("L", (1, 1)).save(header, "PNG")
    data = bytearray(header.getvalue())
    data[16:24] = struct.pack(">II", side, side)  # the size in IHDR
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    with pytest.raises(ImageTooLarge, match="scale it down"):
        read_image(bytes(data))


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_random_bytes_never_raise_anything_else(data):
    with pytest.raises(InvalidInput):
        read_image(data)


SMALL = Image.fromarray(RAMP).resize((24, 16)).convert("RGB")
VALID = [encode(SMALL, f) for f in FORMATS] + [
    encode(SMALL.convert("P"), "PNG", transparency=0),
    encode(Image.fromarray(RAMP.astype(np.uint16) * 257), "TIFF"),
    encode(SMALL, "TIFF", compression="tiff_lzw"),
    encode(
        SMALL,
        "JPEG",
        exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00",
    ),
]
CHANGES = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=8)


@pytest.mark.filterwarnings("ignore:.*:UserWarning:PIL")
@given(st.sampled_from(VALID), CHANGES, st.floats(0.2, 1))
@settings(max_examples=500, deadline=None)
def test_mutated_files_give_a_picture_or_invalid_input(data, changes, share):
    mutated = bytearray(data)
    for position, value in changes:
        mutated[position % len(mutated)] = value
    try:
        image = read_image(bytes(mutated[: max(1, int(len(mutated) * share))]), max_pixels=100_000)
    except InvalidInput:
        return
    assert image.mode == "RGB"
    assert min(image.size) > 0
