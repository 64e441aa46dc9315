"""Image files of all kinds, bare and full of what files say beside their picture."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import Image, PngImagePlugin

from tests.pictures import encode

ORIENTATION = 0x0112
TURNED = Image.Exif()
TURNED[ORIENTATION] = 6
SECRET = "At home"
PROFILE = b"a colour profile"
"""Nothing applies it, so it may be anything."""


def see_through(image: Image.Image) -> Image.Image:
    """Return it increasingly transparent from left to right."""
    layer = image.convert("RGBA")
    layer.putalpha(Image.linear_gradient("L").rotate(90).resize(image.size))
    return layer


def sixteen_bit(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)


def forms(photograph: Image.Image) -> dict[str, bytes]:
    """Return files of all kinds, none with more than the test API's million pixels and 300 kB."""
    small = photograph.resize((320, 248))
    return {
        "jpeg": encode(photograph, "JPEG"),
        "large": encode(photograph.resize((1136, 880)), "JPEG", quality=50),
        "large and turned": encode(photograph.resize((1136, 880)), "JPEG", quality=50, exif=TURNED),
        "progressive": encode(photograph, "JPEG", progressive=True),
        "grey": encode(photograph.convert("L"), "JPEG"),
        "cmyk": encode(photograph.convert("CMYK"), "JPEG"),
        "a phone's": encode(photograph, "MPO", save_all=True, append_images=[photograph.convert("L")]),
        "tiff": encode(photograph, "TIFF", compression="jpeg"),
        "cmyk tiff": encode(small.convert("CMYK"), "TIFF", compression="tiff_lzw"),
        "turned tiff": encode(photograph, "TIFF", compression="jpeg", exif=TURNED),
        "16 bit": encode(sixteen_bit(small), "PNG"),
        "palette": encode(photograph.quantize(64), "PNG"),
        "gif": encode(small, "GIF"),
        "bmp": encode(small, "BMP"),
        "avif": encode(photograph, "AVIF"),
        "jpeg 2000": encode(small, "JPEG2000"),
        "pgm": encode(small.convert("L"), "PPM"),
        "qoi": encode(small, "QOI"),
        "see-through png": encode(see_through(small), "PNG"),
        "see-through webp": encode(see_through(photograph), "WEBP"),
        "narrow": encode(photograph.resize((2000, 3)), "JPEG"),
        "smaller": encode(photograph.resize((90, 70)), "PNG"),
    }


NAMES = tuple(forms(Image.new("RGB", (64, 48))))


def exif(orientation: int = 1) -> Image.Exif:
    """Return the metadata that a phone writes: camera, time, place and orientation."""
    said = Image.Exif()
    said[0x010E] = SECRET
    said[0x010F], said[0x0110], said[0x0132] = "Camera works", "C 1", "2026:01:31 12:00:00"
    said[ORIENTATION] = orientation
    said.get_ifd(0x8769)[0xA431] = "serial 4711"
    said.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 14.0), 3: "E", 4: (11.0, 34.0, 31.0)})
    return said


def xmp(orientation: int = 1) -> bytes:
    return f'<x:xmpmeta><rdf tiff:Orientation="{orientation}" dc:title="{SECRET}"/></x:xmpmeta>'.encode()


def talkative(photograph: Image.Image, orientation: int = 1) -> dict[str, bytes]:
    """Return files of all kinds with all metadata that their format has room for, and bytes behind their end."""
    small = photograph.resize((64, 48))
    said = {"exif": exif(orientation), "icc_profile": PROFILE}
    in_tiff = {"exif": exif(orientation), "icc_profile": PROFILE, "tiffinfo": _tiff_tags(orientation)}
    png = {"exif": exif(orientation), "icc_profile": PROFILE, "pnginfo": _png_texts()}
    deep, planes = sixteen_bit(small), small.convert("CMYK")
    files = {
        "jpeg": _jpeg(encode(small, "JPEG", comment=SECRET, xmp=xmp(orientation), **said)),
        "progressive": _jpeg(encode(small, "JPEG", progressive=True, xmp=xmp(orientation), **said)),
        "grey": _jpeg(encode(small.convert("L"), "JPEG", xmp=xmp(orientation), **said)),
        "cmyk": _jpeg(encode(planes, "JPEG", xmp=xmp(orientation), **said)),
        "restarts": _jpeg(encode(small, "JPEG", restart_marker_blocks=1, xmp=xmp(orientation), **said)),
        "a phone's": encode(small, "MPO", save_all=True, append_images=[small.rotate(90)], **said),
        "png": _png(encode(small, "PNG", **png)),
        "16 bit png": _png(encode(deep, "PNG", **png)),
        "palette png": _png(encode(small.quantize(16), "PNG", transparency=3, **png)),
        "see-through png": _png(encode(see_through(small), "PNG", **png)),
        "webp": encode(small, "WEBP", xmp=xmp(orientation), **said),
        "lossless webp": encode(see_through(small), "WEBP", lossless=True, xmp=xmp(orientation), **said),
        "tiff": encode(small, "TIFF", **in_tiff),
        "16 bit tiff": encode(deep, "TIFF", **in_tiff),
        "lzw tiff": encode(planes, "TIFF", compression="tiff_lzw", **in_tiff),
        "jpeg tiff": encode(small, "TIFF", compression="jpeg", **in_tiff),
        "black and white tiff": encode(small.convert("1"), "TIFF", compression="group4", **in_tiff),
        "gif": _gif(encode(small.quantize(16), "GIF", transparency=3, comment=SECRET), orientation),
        "bmp": encode(small, "BMP"),
        "avif": encode(small, "AVIF", xmp=xmp(orientation), **said),
        "see-through avif": encode(see_through(small), "AVIF", xmp=xmp(), **said),  # Pillow writes it upright
        "jpeg 2000": _jpeg2000(encode(small, "JPEG2000", comment=SECRET)),
        "codestream": encode(small, "JPEG2000", no_jp2=True, comment=SECRET),
        "pgm": encode(small.convert("L"), "PPM").replace(b"\n", b"\n# " + SECRET.encode() + b"\n", 1),
        "qoi": encode(small, "QOI"),
    }
    return {name: data + SECRET.encode() for name, data in files.items()}


def _segment(code: int, body: bytes) -> bytes:
    return bytes((0xFF, code)) + struct.pack(">H", len(body) + 2) + body


def _jpeg(data: bytes) -> bytes:
    """Return a JPEG with metadata of all kinds: thumbnails, IPTC, and a maker's own."""
    small = SECRET.encode() + bytes(2)  # the pixels of a thumbnail of 3 x 1
    jfif = _segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\3\1" + small) if data[2:4] == b"\xff\xe0" else b""
    before = data[: 20 if jfif else 2]
    iptc = _segment(0xED, b"Photoshop 3.0\0" + SECRET.encode())
    own = _segment(0xE0, b"JFXX\0\x13" + small) + _segment(0xEB, SECRET.encode()) + _segment(0xFE, SECRET.encode())
    return (before[:2] + jfif if jfif else before) + iptc + own + data[len(before) :]


def _png_texts() -> PngImagePlugin.PngInfo:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", SECRET)
    texts.add_text("Comment", SECRET, zip=True)
    texts.add_itxt("Place", SECRET)
    return texts


def _png(data: bytes) -> bytes:
    """Return a PNG with a time, and with something of an editor's own."""
    said = b""
    for name, content in ((b"tIME", b"\x07\xea\x01\x1f\x0c\0\0"), (b"edIt", SECRET.encode())):
        said += struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    return data[:33] + said + data[33:]


def _tiff_tags(orientation: int) -> dict[int, object]:
    return {270: SECRET, 305: "Editor", 306: "2026:01:31 12:00:00", 315: SECRET, 700: xmp(orientation), 33723: b"IPTC"}


def _jpeg2000(data: bytes) -> bytes:
    """Return a JPEG 2000 with boxes that say more."""
    said = [(b"xml ", xmp()), (b"uuid", bytes(16) + SECRET.encode()), (b"uinf", SECRET.encode())]
    boxes = b"".join(struct.pack(">I", 8 + len(content)) + kind + content for kind, content in said)
    at = data.find(b"jp2c") - 4
    return data[:at] + boxes + data[at:] + boxes


def _gif(data: bytes, orientation: int) -> bytes:
    magic = b"\1" + bytes(range(255, -1, -1)) + b"\0"
    block = b"\x21\xff\x0bXMP DataXMP" + xmp(orientation) + magic
    return data[:-1] + b"\x21\xff\x0bNETSCAPE2.0\3\1\0\0\0" + block + b";"


TALKATIVE = tuple(talkative(Image.new("RGB", (64, 48))))
