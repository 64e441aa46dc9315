"""Files of formats that aren't read: each is named, with what to convert it to."""

from __future__ import annotations

import struct

import pytest
from PIL import Image

from ep_core.errors import UnreadableImage
from ep_core.pictures.decoding import read_image
from tests.pictures import encode


def media(brand: bytes, *compatible: bytes) -> bytes:
    brands = b"".join(compatible)
    return struct.pack(">I", 16 + len(brands)) + b"ftyp" + brand + bytes(4) + brands + bytes(100)


FOREIGN = {
    "HEIC: export it as JPEG or PNG": [media(b"heic", b"mif1"), media(b"mif1", b"heic"), media(b"heix")],
    "JPEG XL: export it": [b"\xff\x0a" + bytes(50), b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50)],
    "camera raw: develop it": [
        b"II*\0\x10\0\0\0CR\x02\0" + bytes(50),
        media(b"crx "),
        b"FUJIFILMCCD-RAW 0201" + bytes(50),
        b"IIRO\x08\0\0\0" + bytes(50),
        b"IIU\0\x18\0\0\0" + bytes(50),
        encode(Image.new("RGB", (160, 120)), "TIFF", tiffinfo={254: 1}),
        encode(Image.new("RGB", (160, 120)), "TIFF", tiffinfo={50706: b"\1\4\0\0"}),
    ],
    "a video: send one of its frames": [
        media(b"isom", b"iso2", b"mp41"),
        media(b"qt  "),
        b"\x1aE\xdf\xa3" + bytes(50),
        b"RIFF\0\0\1\0AVI LIST" + bytes(50),
    ],
    "a PDF document": [b"%PDF-1.7\n" + bytes(50)],
    "PostScript": [encode(Image.new("RGB", (8, 8)), "EPS")],
    "a Photoshop document": [b"8BPS\0\1" + bytes(50)],
    "an icon": [encode(Image.new("RGB", (64, 64)), "ICO"), encode(Image.new("RGB", (64, 64)), "ICNS")],
    "DICOM: apply its window": [bytes(128) + b"DICM" + bytes(50)],
    "OpenEXR": [b"v/1\1" + bytes(50)],
    "SVG, which is drawn": [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a drawing -->\n<SVG/>",
    ],
    "a web page, not the picture on it": [b"\n <!DOCTYPE html><html>...", b"<HTML><svg/></HTML>"],
    "a pointer of Git LFS": [b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"],
    "a data: address as text": [b"data:image/png;base64,iVBORw0KGgo="],
    "a ZIP archive": [b"PK\3\4" + bytes(50)],
    "a NumPy array": [b"\x93NUMPY\1\0" + bytes(50)],
}


@pytest.mark.parametrize(("name", "data"), [(name, data) for name, files in FOREIGN.items() for data in files])
def test_a_foreign_format_is_named_with_what_to_do(name: str, data: bytes) -> None:
    with pytest.raises(UnreadableImage, match=f"^the file is {name}.*Supported are JPEG, PNG, WebP, AVIF") as error:
        read_image(data)
    assert error.value.field == "image"
    assert len(error.value.detail) < 300


@pytest.mark.parametrize("file_format", ["TGA", "PCX"])
def test_formats_that_nothing_tells_from_others_are_refused(file_format: str) -> None:
    with pytest.raises(UnreadableImage, match="supported format"):
        read_image(encode(Image.new("RGB", (64, 64), "red"), file_format))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "AVIF", "JPEG2000", "TIFF", "BMP", "GIF", "PPM", "QOI"])
def test_what_is_read_is_not_foreign(file_format: str) -> None:
    assert read_image(encode(Image.new("RGB", (64, 48), "red"), file_format)).size == (64, 48)


def test_an_image_of_the_compatible_brand_is_read_by_that() -> None:
    avif = encode(Image.new("RGB", (64, 48), "red"), "AVIF")
    assert read_image(avif.replace(b"ftypavif", b"ftypmif1", 1)).size == (64, 48)
