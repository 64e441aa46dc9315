"""From uploaded bytes to the picture that a person would see: upright, 8-bit RGB, transparent parts on white.

Needs Pillow and numpy only: the API checks uploads with it. Colour profiles are not applied, as networks are trained
without them.
"""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO

import numpy as np
from PIL import Image, ImageOps

from .errors import ImageTooLarge, InvalidInput, UnreadableImage

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
MAX_PIXELS = 50_000_000

_SUPPORTED = "JPEG, PNG, WebP, BMP, TIFF or GIF"
_DEEP_GREY = ("I", "I;16", "I;16L", "I;16B", "I;16N")
_TIFF_BITS, _TIFF_PHOTOMETRIC, _TIFF_SAMPLE_FORMAT = 258, 262, 339
_WHITE_IS_ZERO, _SIGNED = 0, 2


def read_image(data: bytes, *, max_pixels: int = MAX_PIXELS, enough: int | None = None) -> Image.Image:
    """Return the single picture in `data` as an RGB image of at most `max_pixels` pixels, upright.

    Args:
        data: the file's bytes.
        max_pixels: most pixels, as the file has them.
        enough: pixels of the longer side that are enough: a JPEG that has at least twice as many is decoded at a
            half, a quarter or an eighth of its size, in a fraction of the time and memory, and has no fewer then.

    Raises:
        UnreadableImage: no bytes, not a supported format, damaged or cut short, several frames or pages, or samples
            that have no agreed white (32-bit or signed).
        ImageTooLarge: more than `max_pixels` pixels. Found from the header, before any pixel is decoded.
    """
    if not data:
        raise UnreadableImage("the image is empty (0 bytes): send the file's content")
    try:
        with _open(data) as image:
            _check_size(image, max_pixels)
            _check_single(image)
            if enough is not None:
                _draft(image, enough)
            _load(image)
            _turn_upright(image)
            return to_rgb(image)
    except InvalidInput:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on hostile bytes
        raise UnreadableImage(f"the image is damaged ({error}): save it again and send that") from error


def image_size(data: bytes) -> tuple[int, int]:
    """Return width and height of the picture in `data`, as the file has them; only its header is read.

    Raises:
        UnreadableImage, ImageTooLarge: it has no header that could be read.
    """
    with _open(data) as image:
        return image.size


def to_rgb(image: Image.Image) -> Image.Image:
    """Return `image`, of any mode, as 8-bit RGB: transparency is put on white, 16-bit grey is scaled to 8 bit.

    Raises:
        UnreadableImage: a mode without an agreed way to show it (32-bit, float or signed samples).
    """
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    if image.mode in _DEEP_GREY:
        return _eight_bit(image).convert("RGB")
    if image.mode == "F":
        raise UnreadableImage("32-bit float samples have no agreed white: convert the image to 8 or 16 bit")
    try:
        if image.has_transparency_data:
            layer = image.convert("RGBA")
            return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
        return image.convert("RGB")
    except ValueError as error:
        raise UnreadableImage(f"colour mode {image.mode} can't be shown: convert the image to RGB") from error


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLarge(f"the image is far too large to decode ({error}): scale it down") from error
    except Exception as error:
        raise UnreadableImage(
            f"the bytes aren't a picture in a supported format, or its header is damaged: send {_SUPPORTED}"
        ) from error


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
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise UnreadableImage(f"the {image.format} holds {frames} frames or pages: send one picture")


def _draft(image: Image.Image, enough: int) -> None:
    """Let a JPEG be decoded smaller, its longer side of no fewer than `enough` pixels; others stay as they are."""
    share = enough / max(image.size)
    if share < 1:
        image.draft(None, (max(1, round(image.width * share)), max(1, round(image.height * share))))


def _load(image: Image.Image) -> None:
    try:
        image.load()
    except Exception as error:
        raise UnreadableImage(f"the {image.format} is damaged or cut short ({error}): send the whole file") from error


def _turn_upright(image: Image.Image) -> None:
    with suppress(Exception):  # viewers show a picture with a broken EXIF block as it is stored
        ImageOps.exif_transpose(image, in_place=True)


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return a grey image of 9 to 16 bits a sample as mode L, black and white kept."""
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_TIFF_BITS, (16,))[0]
    white = 2**bits - 1
    samples = np.asarray(image).astype(np.int64)
    signed = _SIGNED in tags.get(_TIFF_SAMPLE_FORMAT, ())
    if bits > 16 or signed or samples.min() < 0 or samples.max() > white:
        raise UnreadableImage("32-bit and signed samples have no agreed white: convert the image to 8 or 16 bit")
    if tags.get(_TIFF_PHOTOMETRIC) == _WHITE_IS_ZERO:
        samples = white - samples
    return Image.fromarray(((samples * 255 + white // 2) // white).astype(np.uint8))
