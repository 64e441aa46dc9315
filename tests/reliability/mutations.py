"""Image files, and what can go wrong with their bytes on the way."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from PIL import Image

from ep_core.pictures.decoding import FORMATS
from tests.pictures import encode

from .posting import picture
from .stack import SAMPLES

HUGE = (0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


@dataclass(frozen=True)
class Mutant:
    """A broken file."""

    name: str
    data: bytes


def mutants(count: int, seed: int) -> Iterator[Mutant]:
    """Yield so many broken files, each mutation of each format in turn."""
    chance = random.Random(seed)
    sources = list(originals().items())
    for number in range(count):
        name, data = sources[number % len(sources)]
        mutate = MUTATIONS[number // len(sources) % len(MUTATIONS)]
        yield Mutant(f"{number}-{mutate.__name__}-{name}", mutate(data, chance))


@cache
def originals() -> dict[str, bytes]:
    """Return whole files: the photographs, and small pictures in each format and several modes."""
    found = {path.name: path.read_bytes() for path in sorted(SAMPLES.glob("*.jpg"))}
    small = Image.open(io.BytesIO(picture(0)))
    for format_ in sorted(FORMATS):
        found[f"small.{format_.lower()}"] = encode(small, format_)
    found["palette.png"] = encode(small.convert("P"), "PNG")
    found["grey16.png"] = encode(small.convert("I;16"), "PNG")
    found["alpha.webp"] = encode(small.convert("RGBA"), "WEBP", lossless=True)
    found["cmyk.jpeg"] = encode(small.convert("CMYK"), "JPEG")
    found["lzw.tiff"] = encode(small, "TIFF", compression="tiff_lzw")
    found["deep.pgm"] = encode(small.convert("I;16"), "PPM")
    found["deep.jp2"] = encode(small.convert("I;16"), "JPEG2000")
    found["turned.avif"] = encode(small, "AVIF", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\3\0\0\0\1\0\6\0\0")
    found["tiles.jp2"] = encode(small, "JPEG2000", tile_size=(32, 32), irreversible=True)
    found["progressive.jpeg"] = encode(small, "JPEG", progressive=True)
    return found


def truncate(data: bytes, chance: random.Random) -> bytes:
    """Cut the end off."""
    return data[: chance.randrange(len(data))]


def flip_bits(data: bytes, chance: random.Random) -> bytes:
    """Flip some bits anywhere."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 50)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def flip_in_head(data: bytes, chance: random.Random) -> bytes:
    """Overwrite some of the first bytes, where formats say what follows."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(4, min(200, len(changed)))] = chance.randrange(256)
    return bytes(changed)


def lie_about_size(data: bytes, chance: random.Random) -> bytes:
    """Declare other dimensions, such as giant ones."""
    width, height = chance.choice(HUGE), chance.choice(HUGE)
    for magic, lie in _LIES.items():
        if data.startswith(magic) or data[4:].startswith(magic):  # boxes begin with their length
            return lie(bytearray(data), width, height)
    return data


def splice(data: bytes, chance: random.Random) -> bytes:
    """Go on with the rest of another file."""
    other = chance.choice(list(originals().values()))
    return data[: chance.randrange(len(data))] + other[chance.randrange(len(other)) :]


def zero(data: bytes, chance: random.Random) -> bytes:
    """Put zeros in place of a part, of the whole, or of nothing at all."""
    start = chance.choice((0, chance.randrange(len(data))))
    end = chance.choice((len(data), chance.randint(start, len(data))))
    return chance.choice((data[:start] + bytes(end - start) + data[end:], bytes(len(data)), b""))


def append_junk(data: bytes, chance: random.Random) -> bytes:
    """Append random bytes, or another whole file."""
    return data + chance.choice((chance.randbytes(chance.randint(1, 5000)), *originals().values()))


def shuffle(data: bytes, chance: random.Random) -> bytes:
    """Leave a part out, send it twice, or put it elsewhere."""
    a, b = sorted(chance.randrange(len(data)) for _ in range(2))
    return chance.choice((data[:a] + data[b:], data[:b] + data[a:], data[b:] + data[a:b] + data[:a]))


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    truncate,
    flip_bits,
    flip_in_head,
    lie_about_size,
    splice,
    zero,
    append_junk,
    shuffle,
)


def _lie_png(data: bytearray, width: int, height: int) -> bytes:
    struct.pack_into(">II", data, 16, width, height)
    struct.pack_into(">I", data, 29, zlib.crc32(data[12:29]))  # or it would be refused for that alone
    return bytes(data)


def _lie_jpeg(data: bytearray, width: int, height: int) -> bytes:
    for marker in (b"\xff\xc0", b"\xff\xc2"):
        at = data.find(marker)
        if at >= 0:
            struct.pack_into(">HH", data, at + 5, height & 0xFFFF, width & 0xFFFF)
    return bytes(data)


def _lie_gif(data: bytearray, width: int, height: int) -> bytes:
    struct.pack_into("<HH", data, 6, width & 0xFFFF, height & 0xFFFF)
    frame = data.find(b"\x2c")
    struct.pack_into("<HH", data, frame + 5, width & 0xFFFF, height & 0xFFFF)
    return bytes(data)


def _lie_bmp(data: bytearray, width: int, height: int) -> bytes:
    struct.pack_into("<II", data, 18, width, height)
    return bytes(data)


def _lie_webp(data: bytearray, width: int, height: int) -> bytes:
    struct.pack_into("<HH", data, 26 if data[12:16] == b"VP8 " else 21, width & 0xFFFF, height & 0xFFFF)
    return bytes(data)


def _lie_avif(data: bytearray, width: int, height: int) -> bytes:
    at = data.find(b"ispe")
    struct.pack_into(">II", data, at + 8, width, height)
    return bytes(data)


def _lie_jpeg2000(data: bytearray, width: int, height: int) -> bytes:
    struct.pack_into(">II", data, data.find(b"ihdr") + 4, height, width)
    struct.pack_into(">II", data, data.find(b"\xff\x4f\xff\x51") + 8, width, height)
    return bytes(data)


def _lie_ppm(data: bytearray, width: int, height: int) -> bytes:
    return bytes(data[:3] + f"{width} {height}\n".encode() + data[data.find(b"\n", 3) + 1 :])


def _lie_qoi(data: bytearray, width: int, height: int) -> bytes:
    struct.pack_into(">II", data, 4, width, height)
    return bytes(data)


def _lie_tiff(data: bytearray, width: int, height: int) -> bytes:
    directory = struct.unpack_from("<I", data, 4)[0]
    for entry in range(struct.unpack_from("<H", data, directory)[0]):
        at = directory + 2 + 12 * entry
        tag = struct.unpack_from("<H", data, at)[0]
        if tag in (256, 257):
            struct.pack_into("<HII", data, at + 2, 4, 1, width if tag == 256 else height)
    return bytes(data)


_LIES: dict[bytes, Callable[[bytearray, int, int], bytes]] = {
    b"\x89PNG": _lie_png,
    b"\xff\xd8": _lie_jpeg,
    b"GIF8": _lie_gif,
    b"BM": _lie_bmp,
    b"RIFF": _lie_webp,
    b"II*\0": _lie_tiff,
    b"ftypavif": _lie_avif,
    b"jP  ": _lie_jpeg2000,
    b"P6\n": _lie_ppm,
    b"qoif": _lie_qoi,
}
