"""Unsupported formats, recognised by their first bytes, and the formats to convert them to."""

from __future__ import annotations

from typing import NamedTuple

from PIL import Image

_TEXT_BYTES = 1000
_EXPORT = "export it as JPEG or PNG"
_RAW = f"camera raw: develop it, and {_EXPORT}"
_FRAME = "a video: send one of its frames, as JPEG or PNG"
_BRANDS = {  # of ISO media files
    **dict.fromkeys(("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"), f"HEIC: {_EXPORT}"),
    "crx ": _RAW,
    **dict.fromkeys(("isom", "iso2", "iso4", "iso5", "iso6", "mp41", "mp42", "avc1", "M4V ", "qt  ", "3gp4"), _FRAME),
}
_READ_BRANDS = ("avif", "avis")


class _Signature(NamedTuple):
    """Bytes at a place of a file, and its format."""

    at: int
    bytes: bytes
    format: str


_SIGNATURES = (
    _Signature(0, b"\xff\x0a", f"JPEG XL: {_EXPORT}"),
    _Signature(0, b"\0\0\0\x0cJXL ", f"JPEG XL: {_EXPORT}"),
    _Signature(8, b"CR\x02", _RAW),  # Canon, a TIFF but for this
    _Signature(0, b"FUJIFILMCCD-RAW", _RAW),
    _Signature(0, b"IIRO", _RAW),  # Olympus
    _Signature(0, b"IIRS", _RAW),
    _Signature(0, b"MMOR", _RAW),
    _Signature(0, b"IIU\0", _RAW),  # Panasonic
    _Signature(0, b"FOVb", _RAW),  # Sigma
    _Signature(0, b"\0MRM", _RAW),  # Minolta
    _Signature(0, b"%PDF", f"a PDF document: {_EXPORT}, one page"),
    _Signature(0, b"%!PS", f"PostScript: {_EXPORT}"),
    _Signature(0, b"\xc5\xd0\xd3\xc6", f"PostScript: {_EXPORT}"),
    _Signature(0, b"8BPS", f"a Photoshop document: {_EXPORT}"),
    _Signature(0, b"gimp xcf", f"a GIMP document: {_EXPORT}"),
    _Signature(0, b"\0\0\1\0", f"an icon: {_EXPORT}"),
    _Signature(0, b"icns", f"an icon: {_EXPORT}"),
    _Signature(0, b"DDS ", f"a DirectDraw surface: {_EXPORT}"),
    _Signature(0, b"v/1\1", f"OpenEXR, whose samples have no agreed white: {_EXPORT}"),
    _Signature(0, b"#?RADIANCE", f"Radiance HDR, whose samples have no agreed white: {_EXPORT}"),
    _Signature(0, b"SIMPLE  =", f"FITS, whose samples have no agreed white: {_EXPORT}"),
    _Signature(128, b"DICM", f"DICOM: apply its window, and {_EXPORT}"),
    _Signature(0, b"\x1aE\xdf\xa3", _FRAME),  # Matroska, WebM
    _Signature(0, b"FLV\1", _FRAME),
    _Signature(8, b"AVI LIST", _FRAME),
    _Signature(0, b"\0\0\1\xba", _FRAME),  # MPEG
    _Signature(0, b"\0\0\1\xb3", _FRAME),
    _Signature(0, b"PK\3\4", "a ZIP archive: send the picture in it"),
    _Signature(0, b"\x1f\x8b", "a gzip archive: send the picture in it"),
    _Signature(0, b"7z\xbc\xaf", "a 7z archive: send the picture in it"),
    _Signature(0, b"\x93NUMPY", "a NumPy array: save it as PNG"),
)
_TEXTS = (  # by what they begin with and what they hold, both in lower case
    ((b"<!doctype html", b"<html", b"<head"), b"", "a web page, not the picture on it: send the picture's own file"),
    ((b"<",), b"<svg", f"SVG, which is drawn and has no pixels: {_EXPORT}"),
    ((b"version https://git-lfs",), b"", "a pointer of Git LFS, not the picture: `git lfs pull` fetches that"),
    ((b"data:image/",), b"base64,", "a data: address as text: send the bytes that it holds"),
)
_DNG_VERSION, _SUBFILE_TYPE, _PHOTOMETRIC = 50706, 254, 262  # tags of TIFF
_PREVIEW, _COLOUR_FILTERS = 1, 32803


def foreign_format(data: bytes) -> str | None:
    """Return the name of an unsupported format and what to do about it; None where the format is unknown."""
    found = next((name for at, signature, name in _SIGNATURES if data.startswith(signature, at)), None)
    return _said(found or _media(data) or _text(data))


def raw_in_tiff(image: Image.Image) -> str | None:
    """Return why a TIFF is refused that is camera raw: its first picture is a small preview. None for others."""
    tags = getattr(image, "tag_v2", {}) if image.format == "TIFF" else {}
    is_preview = int(tags.get(_SUBFILE_TYPE, 0)) & _PREVIEW
    is_raw = is_preview or _DNG_VERSION in tags or tags.get(_PHOTOMETRIC) == _COLOUR_FILTERS
    return _said(_RAW) if is_raw else None


def _media(data: bytes) -> str | None:
    """Return the kind of an ISO media file, by its brands: the major one, and those that it is compatible with."""
    if data[4:8] != b"ftyp":
        return None
    size = min(int.from_bytes(data[:4]), 256)
    brands = [data[at : at + 4].decode("latin-1") for at in (8, *range(16, size - 3, 4))]
    if any(brand in _READ_BRANDS for brand in brands):
        return None
    return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), None)


def _text(data: bytes) -> str | None:
    start = data[:_TEXT_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return next((name for begins, holds, name in _TEXTS if start.startswith(begins) and holds in start), None)


def _said(found: str | None) -> str | None:
    return found and f"the file is {found}"
