"""Removal of metadata: the same pixels, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from PIL import Image

from ep_core.errors import InvalidInput
from ep_core.pictures.decoding import read_image
from service.decoding.metadata import avif
from service.decoding.metadata.parts import MOST_PARTS, NotUnderstood
from service.decoding.metadata.strip import without_metadata
from tests.pictures import encode
from tests.reliability.mutations import mutants

from .image_files import NAMES, ORIENTATION, PROFILE, SECRET, TALKATIVE, forms, talkative

TOLD = {
    *("icc_profile", "dpi", "gamma", "chromaticity", "srgb", "transparency", "compression", "resolution"),
    *("jfif", "jfif_version", "jfif_unit", "jfif_density", "adobe", "adobe_transform"),
    *("progressive", "progression", "exif", "background", "version", "default_image", "loop", "timestamp", "duration"),
}
"""Names of what Pillow may find in a file beside its pixels; of EXIF, only the orientation."""
ANEW = ("turned", "tiff", "jpeg 2000", "pgm", "qoi")
"""Parts of the names of files that are always written anew; Pillow leaves a comment in each JPEG 2000."""
WITHOUT_PROFILE = ("gif", "bmp", "jpeg 2000", "codestream", "pgm", "qoi")
DECODING_TAGS = {
    *range(256, 260),
    262,
    273,
    277,
    278,
    279,
    282,
    283,
    284,
    292,
    293,
    296,
    317,
    320,
    339,
    338,
    347,
    34675,
}
DECODING_TAGS |= {529, 530, 531, 532, ORIENTATION}


@pytest.fixture(scope="module")
def bare_files(photograph: Image.Image) -> dict[str, bytes]:
    """Files that say nothing, by the names of their kinds."""
    return forms(photograph)


@pytest.fixture(scope="module")
def talkative_files(photograph: Image.Image) -> Callable[[int], dict[str, bytes]]:
    """A function that returns files of an orientation that say much, by the names of their kinds."""
    return cache(lambda orientation: talkative(photograph, orientation))


def pixels(data: bytes) -> tuple[tuple[int, int], bytes]:
    picture = read_image(data)
    return picture.size, picture.tobytes()


def is_blank(value: object) -> bool:
    """Return whether a value was overwritten: an AVIF keeps the places of all that is in it."""
    return isinstance(value, bytes) and not value.strip(b"\0")


def clean(data: bytes) -> bytes:
    return without_metadata(data, read_image(data))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", TALKATIVE)
def test_the_pixels_stay_and_nothing_is_said(
    talkative_files: Callable[[int], dict[str, bytes]], name: str, orientation: int
) -> None:
    data = talkative_files(orientation)[name]
    assert SECRET.encode() in data

    stripped = clean(data)

    assert pixels(stripped) == pixels(data)
    for said in (SECRET, "Camera works", "C 1", "serial 4711", "2026:", "IPTC", "xmpmeta"):
        assert said.encode() not in stripped
    with Image.open(io.BytesIO(stripped)) as image:
        image.load()
        assert {name for name, value in image.info.items() if not is_blank(value)} <= TOLD
        exif = set(image.getexif())
        assert exif <= (DECODING_TAGS if image.format == "TIFF" else {ORIENTATION})
    assert clean(stripped) == stripped


@pytest.mark.parametrize("name", [name for name in TALKATIVE if name not in WITHOUT_PROFILE])
@pytest.mark.parametrize("orientation", [1, 6])
def test_format_samples_and_colours_stay(
    talkative_files: Callable[[int], dict[str, bytes]], name: str, orientation: int
) -> None:
    data = talkative_files(orientation)[name]
    stripped = clean(data)

    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(stripped)) as after:
        assert after.format == before.format.replace("MPO", "JPEG")
        assert after.info.get("icc_profile") == PROFILE
        assert (after.mode, after.tobytes()) == (before.mode, before.tobytes())


@pytest.mark.parametrize("name", [name for name in NAMES if not any(other in name for other in ANEW)])
def test_what_says_nothing_is_left_as_it_is(bare_files: dict[str, bytes], name: str) -> None:
    data = bare_files[name]

    assert clean(data) == data or name == "a phone's"  # whose second picture goes


def test_an_orientation_that_only_xmp_tells_is_kept(photograph: Image.Image) -> None:
    data = encode(photograph, "JPEG", xmp=b'<rdf tiff:Orientation="8"/>')
    stripped = clean(data)

    assert pixels(stripped) == pixels(data)
    assert b"rdf" not in stripped


def test_pictures_behind_the_first_go(photograph: Image.Image) -> None:
    alone = encode(photograph, "JPEG")

    assert clean(alone + alone + b"a film") == alone


def test_many_empty_parts_are_not_walked_through(photograph: Image.Image) -> None:
    data = encode(photograph.resize((64, 48)), "JPEG")
    data = data[:2] + b"\xff\xeb\0\2" * (MOST_PARTS + 1) + data[2:]

    stripped = clean(data)

    assert stripped.startswith(b"\x89PNG")
    assert pixels(stripped) == pixels(data)


def test_a_tiff_that_says_too_little_of_its_strips_shows_the_same(photograph: Image.Image) -> None:
    """Decoders read on where its counts of bytes end."""
    data = bytearray(encode(photograph.resize((64, 48)), "TIFF"))
    with Image.open(io.BytesIO(data)) as image:
        count = image.tag_v2[279][0]
    at = data.find(count.to_bytes(4, "little"))
    data[at : at + 4] = (count // 2).to_bytes(4, "little")

    stripped = clean(bytes(data))

    assert stripped.startswith(b"\x89PNG")
    assert pixels(stripped) == pixels(bytes(data))


def test_strips_that_are_the_same_bytes_do_not_make_a_file_grow(photograph: Image.Image) -> None:
    data = bytearray(encode(Image.new("RGB", (64, 48), "teal"), "TIFF", tiffinfo={278: 1}))
    with Image.open(io.BytesIO(data)) as image:
        offsets, entry = image.tag_v2[273], data.find((273).to_bytes(2, "little") + b"\4\0")
    table = int.from_bytes(data[entry + 8 : entry + 12], "little")
    data[table : table + 4 * len(offsets)] = offsets[0].to_bytes(4, "little") * len(offsets)

    stripped = clean(bytes(data))

    assert pixels(stripped) == pixels(bytes(data))
    assert len(stripped) <= len(data)


def test_broken_files_show_the_same_without_metadata() -> None:
    """Of all that are taken at all, whatever a decoder makes of them."""
    shown = 0
    for mutant in mutants(1000, seed=7):
        try:
            before = pixels(mutant.data)
        except InvalidInput:
            continue
        shown += 1
        assert pixels(clean(mutant.data)) == before, mutant.name
    assert shown > 200


@pytest.mark.parametrize("white_level", [None, 4095])
def test_a_deep_tiff_stays_one_whatever_its_white(white_level: int | None) -> None:
    samples = np.linspace(0, 4095, 64 * 48).astype(np.uint16).reshape(48, 64)
    data = encode(Image.fromarray(samples), "TIFF", tiffinfo={270: SECRET})
    stripped = without_metadata(data, read_image(data, white_level=white_level), white_level)

    assert stripped.startswith(b"II*\0")
    assert SECRET.encode() not in stripped
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(stripped))), samples)


def test_what_no_part_of_a_picture_names_goes(photograph: Image.Image) -> None:
    """Boxes within boxes, and what lies in a file's data beside the picture."""
    small = photograph.resize((64, 48))
    said = SECRET.encode()
    avif = encode(small, "AVIF")
    at = avif.rindex(b"mdat") - 4
    beside = avif[:at] + (int.from_bytes(avif[at : at + 4]) + len(said)).to_bytes(4) + avif[at + 4 :] + said
    jp2 = encode(small, "JPEG2000")
    at, box = jp2.index(b"jp2h") - 4, (8 + len(said)).to_bytes(4) + b"xml " + said
    length = int.from_bytes(jp2[at : at + 4])
    inside = jp2[:at] + (length + len(box)).to_bytes(4) + jp2[at + 4 : at + length] + box + jp2[at + length :]
    for data in (beside, inside):
        assert pixels(clean(data)) == pixels(data)
        assert said not in clean(data)


def test_places_that_take_no_bytes_are_not_walked_through() -> None:
    def box(kind: bytes, content: bytes) -> bytes:
        return (8 + len(content)).to_bytes(4) + kind + content

    items = b"".join(k.to_bytes(2) + bytes(2) + b"\xff\xff" for k in range(100))  # 65535 each
    iloc = box(b"iloc", bytes(4) + bytes(2) + (100).to_bytes(2) + items)
    meta = box(b"meta", bytes(4) + box(b"iinf", bytes(4) + bytes(2)) + iloc)
    with pytest.raises(NotUnderstood):
        avif.strip(box(b"ftyp", b"avif") + meta, 1)
