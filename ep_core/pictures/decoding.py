"""Decoding of uploaded bytes to the picture that a person would see: upright, 8-bit RGB, transparent parts on white.

Needs Pillow and numpy only: the API checks uploads with it. Colour profiles are not applied, as networks are trained
without them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from io import BytesIO
from typing import Literal

from PIL import Image, ImageOps

from ep_core.errors import ImageTooLarge, InvalidInput, UnreadableImage

from .cut_off import without_end
from .deep_samples import DEEP_GREY, EightBit, doubt_of_colour, is_deep_colour, tells_white
from .foreign_formats import foreign_format, raw_in_tiff

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "JPEG2000", "TIFF", "BMP", "GIF", "PPM", "QOI")
MAX_PIXELS = 50_000_000
MAX_SCANS = 50
"""Of a JPEG: encoders make about ten. Each costs the time of a whole picture, and may have few bytes."""

SUPPORTED = "JPEG, PNG, WebP, AVIF, JPEG 2000, TIFF, BMP, GIF, PNM or QOI"
_DOUBT = "\0doubt"  # key of `Image.info` that no file can write: those of a PNG end at a null character
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # of a JPEG; the others are part of a scan's data
_SCAN, _END, _ALONE = 0xDA, 0xD9, (0x01, 0xD8)
_BAND_PIXELS = 1_000_000
_LARGE_PIXELS = 10_000_000
Behind = Literal["white", "black"]
"""What transparent parts of a picture lie on."""
TOO_MUCH_MEMORY = "decoding the image takes more memory than there is for it: scale it down"


def read_image(
    data: bytes,
    *,
    max_pixels: int = MAX_PIXELS,
    enough: int | None = None,
    white_level: int | None = None,
    behind: Behind = "white",
) -> Image.Image:
    """Return the single picture in `data` as an RGB image of at most `max_pixels` pixels, upright, without metadata.

    `doubt_of` returns what is odd about its samples.

    Args:
        data: the file's bytes.
        max_pixels: most pixels, as the file has them.
        enough: pixels of the longer side that are enough: a JPEG that has at least twice as many is decoded at a
            half, a quarter or an eighth of its size, in a fraction of the time and memory, and has no fewer then.
        white_level: of grey samples of more than 8 bits, the value that is white (None: the largest that they can
            have); others don't need it.
        behind: what transparent parts lie on.

    Raises:
        UnreadableImage: no bytes, not a supported format, damaged or cut short, several frames or pages, a JPEG of
            more than `MAX_SCANS` scans, or samples that have no agreed white (32-bit or signed).
        ImageTooLarge: more than `max_pixels` pixels, found from the header, before any pixel is decoded; or there is
            too little memory.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise UnreadableImage(f"read_image takes a file's bytes, not {type(data).__name__}: open the file and read it")
    if not data:
        raise UnreadableImage("the image is empty (0 bytes): send the file's content")
    data = bytes(data)
    try:
        with _open(data) as opened:
            _refuse_foreign(raw_in_tiff(opened))
            _check_size(opened, max_pixels)
            _check_single(opened)
            _check_scans(opened, data)
            is_deep = is_deep_colour(opened)
            image = _loaded(opened, data, enough)
            _turn_upright(image)
            picture = to_rgb(image, white_level, behind)
            doubt = doubt_of_colour(picture) if is_deep else doubt_of(picture)
            picture.info = {}  # else what is saved of it carries the file's comment and colour profile along
            return _doubted(picture, doubt)
    except InvalidInput:
        raise
    except MemoryError as error:
        raise ImageTooLarge(TOO_MUCH_MEMORY) from error
    except Exception as error:  # Pillow's decoders raise nearly anything on hostile bytes
        raise UnreadableImage(f"the image is damaged ({error}): save it again and send that") from error


def read_with_level(
    data: bytes, white_level: int | None, *, max_pixels: int = MAX_PIXELS, behind: Behind = "white"
) -> Image.Image:
    """Return the picture of a file, as `read_image`; refuse a white level that is of no use, as `check_white_level`."""
    check_white_level(data, white_level)
    return read_image(data, max_pixels=max_pixels, white_level=white_level, behind=behind)


def check_white_level(data: bytes, white_level: int | None) -> None:
    """Look whether a white level is of use.

    Args:
        data: a file that `read_image` takes.
        white_level: as for that.

    Raises:
        InvalidInput: it is given, and the file has colours, samples of 8 bits, or a white of its own.
    """
    if white_level is None:
        return
    with _open(data) as image:
        if image.mode not in DEEP_GREY or tells_white(image):
            raise InvalidInput(
                f"white_level is for PNG and TIFF with grey samples of more than 8 bits; this is a {image.format} of "
                f"mode {image.mode}: leave it out, or send the picture as such a one",
                field="white_level",
            )


def doubt_of(picture: Image.Image) -> str | None:
    """Return what `read_image` or `to_rgb` found odd about the samples of a picture, and what to do about it."""
    return picture.info.get(_DOUBT)


def to_rgb(image: Image.Image, white_level: int | None = None, behind: Behind = "white") -> Image.Image:
    """Return `image`, of any mode, as 8-bit RGB: transparency is put on `behind`, 16-bit grey is scaled to 8 bit.

    Args:
        image: a picture.
        white_level: of grey samples of more than 8 bits, the value that is white; others don't need it.
        behind: what transparent parts lie on.

    Raises:
        UnreadableImage: a mode without an agreed way to show it (32-bit, float or signed samples).
    """
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    if image.mode in DEEP_GREY:
        eight_bit = EightBit(image, white_level)
        return _doubted(_in_bands(image, eight_bit), eight_bit.doubt())
    if image.mode == "F":
        raise UnreadableImage("32-bit float samples have no agreed white: convert the image to 8 or 16 bit")
    try:
        on_colour = partial(_laid_on, colour=behind)
        return _in_bands(image, on_colour if image.has_transparency_data else lambda band: band)
    except ValueError as error:
        raise UnreadableImage(f"colour mode {image.mode} can't be shown: convert the image to RGB") from error


def _in_bands(image: Image.Image, convert: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """Return an RGB image, made band by band: of a large picture, a copy in another mode is hundreds of megabytes."""
    rgb = Image.new("RGB", image.size)
    rows = max(1, _BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        box = (0, top, image.width, min(top + rows, image.height))
        rgb.paste(convert(image.crop(box)).convert("RGB"), box)
    return rgb


def _laid_on(image: Image.Image, colour: str) -> Image.Image:
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, colour), layer)


def _doubted(picture: Image.Image, doubt: str | None) -> Image.Image:
    if doubt is not None:
        picture.info[_DOUBT] = doubt
    return picture


def _open(data: bytes) -> Image.Image:
    _refuse_foreign(foreign_format(data))
    try:
        return Image.open(BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLarge(f"the image is far too large to decode ({error}): scale it down") from error
    except MemoryError:
        raise
    except Exception as error:
        raise UnreadableImage(
            f"the bytes aren't a picture in a supported format, or its header is damaged: send {SUPPORTED}"
        ) from error


def _refuse_foreign(found: str | None) -> None:
    if found is not None:
        raise UnreadableImage(f"{found}. Supported are {SUPPORTED}")


def _check_size(image: Image.Image, max_pixels: int) -> None:
    pixels = image.width * image.height
    if pixels == 0:
        raise UnreadableImage(f"the image has no pixels ({image.width} x {image.height})")
    if pixels > max_pixels:
        raise ImageTooLarge(
            f"the image has {image.width} x {image.height} = {pixels} pixels, and at most {max_pixels} are accepted: "
            "scale it down"
        )


def _check_single(image: Image.Image) -> None:
    if image.format == "MPO":  # a phone's JPEG with a depth or gain map behind the one picture that viewers show
        return
    if getattr(image, "is_animated", False):  # to count them takes seconds, where there are thousands
        raise UnreadableImage(f"the {image.format} holds several frames or pages: send one picture")


def _check_scans(image: Image.Image, data: bytes) -> None:
    if image.format in ("JPEG", "MPO") and _count_scans(data) > MAX_SCANS:
        raise UnreadableImage(f"the {image.format} has more than {MAX_SCANS} scans: save it again and send that")


def _count_scans(data: bytes) -> int:
    """Return how many scans the first picture of a JPEG has; counted no further than beyond `MAX_SCANS`."""
    position = scans = 0
    while scans <= MAX_SCANS and (found := _MARKER.search(data, position)):
        marker, position = found[0][1], found.end()
        if marker == _END:
            break
        scans += marker == _SCAN
        if marker not in _ALONE:
            position += int.from_bytes(data[position : position + 2], "big")  # a segment may hold a picture's preview
    return scans


def _loaded(image: Image.Image, data: bytes, enough: int | None) -> Image.Image:
    """Return an opened image with its pixels decoded, that of a JPEG as small as is `enough` (`read_image`)."""
    if enough is not None:
        _draft(image, enough)
    try:
        image.load()
    except MemoryError:
        raise
    except Exception as error:
        whole = without_end(data, partial(_decode, enough=enough)) if image.format in ("JPEG", "MPO") else None
        if whole is not None:
            return whole
        wrong, do = "is damaged or cut short", "send the whole file"
        if image.width * image.height > _LARGE_PIXELS:  # some decoders don't say that memory was what they lacked
            wrong, do = f"{wrong}, or too large for the memory here", f"{do}, or a smaller one"
        raise UnreadableImage(f"the {image.format} {wrong} ({error}): {do}") from error
    return image


def _decode(data: bytes, enough: int | None) -> Image.Image:
    image = Image.open(BytesIO(data), formats=("JPEG",))
    if enough is not None:
        _draft(image, enough)
    image.load()
    return image


def _draft(image: Image.Image, enough: int) -> None:
    """Let a JPEG be decoded smaller, its longer side of no fewer than `enough` pixels; others stay as they are."""
    share = enough / max(image.size)
    if share < 1:
        image.draft(None, (max(1, round(image.width * share)), max(1, round(image.height * share))))


def _turn_upright(image: Image.Image) -> None:
    with suppress(Exception):  # viewers show a picture with a broken EXIF block as it is stored
        ImageOps.exif_transpose(image, in_place=True)
