"""Tensors of the Open Inference Protocol: as JSON, or as bytes behind it (the binary tensor data extension)."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .pixels import image_file
from .schemas import InputTensor

BYTES = "BYTES"
BINARY_SIZE = "binary_data_size"
JSON_LENGTH = "Inference-Header-Content-Length"
"""The header that says how long the JSON before the bytes is."""
DTYPES = {
    **{f"UINT{8 * size}": f"<u{size}" for size in (1, 2, 4, 8)},
    **{f"INT{8 * size}": f"<i{size}" for size in (1, 2, 4, 8)},
    **{f"FP{8 * size}": f"<f{size}" for size in (2, 4, 8)},
}
"""The numbers of an image; a sample is 0 to 255 whatever the width of a whole number."""
_LENGTH = struct.Struct("<I")


def split_body(body: bytes, json_length: str | None) -> tuple[bytes, bytes]:
    """Return the JSON of a body, and the bytes behind it.

    Args:
        body: all of it.
        json_length: the header's text; None where there is none, and all is JSON.

    Raises:
        ValueError: the header is no number, or larger than the body.
    """
    if json_length is None:
        return body, b""
    if not (json_length.isascii() and json_length.isdigit()) or int(json_length[:12]) > len(body):
        raise ValueError(f"{JSON_LENGTH} is {json_length[:20]!r}, and the body has {len(body)} bytes")
    return body[: int(json_length)], body[int(json_length) :]


def take_binary(inputs: Iterable[InputTensor], behind: bytes) -> list[bytes | None]:
    """Return each input's part of the bytes behind the JSON, None where it has none.

    Raises:
        ValueError: there are more of them than inputs say, or fewer.
    """
    parts: list[bytes | None] = []
    start = 0
    for one in inputs:
        size = one.parameters.get(BINARY_SIZE)
        if size is None:
            parts.append(None)
            continue
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= len(behind) - start:
            raise ValueError(f"{BINARY_SIZE} is {size!r}, and {len(behind) - start} bytes follow")
        parts.append(behind[start : start + size])
        start += size
    if start != len(behind):
        raise ValueError(f"{len(behind) - start} bytes follow that no input names by {BINARY_SIZE}")
    return parts


def image_text(tensor: InputTensor, binary: bytes | None) -> str:
    """Return the image that an input is, as a file in base64.

    Args:
        tensor: the input.
        binary: its data, where they came as bytes.

    Raises:
        ValueError: it is no image.
    """
    if tensor.datatype == BYTES:
        return _single_text(tensor) if binary is None else _base64(_single_element(binary))
    if tensor.datatype not in DTYPES:
        raise ValueError(f"its datatype is {tensor.datatype[:20]!r}: send {BYTES}, UINT8 or FP32")
    return _base64(image_file(_array(tensor, binary)))


def _array(tensor: InputTensor, binary: bytes | None) -> np.ndarray:
    dtype = np.dtype(DTYPES[tensor.datatype])
    if binary is not None:
        if len(binary) % dtype.itemsize:
            raise ValueError(f"its {len(binary)} bytes are no whole numbers of {tensor.datatype}")
        flat = np.frombuffer(binary, dtype)
    else:
        flat = _plain(tensor, dtype).reshape(-1)
    if flat.size != np.prod(tensor.shape, dtype=object):
        raise ValueError(f"its shape is {tensor.shape}, and its data are {flat.size} numbers")
    return flat.reshape(tensor.shape)


def _plain(tensor: InputTensor, dtype: np.dtype) -> np.ndarray:
    """Return numbers that JSON has, flat or nested."""
    try:
        given = np.asarray(tensor.data)
    except (ValueError, OverflowError) as error:
        raise ValueError("its lists differ in length, or hold something else than numbers") from error
    if given.dtype.kind not in "iuf" or (given.dtype.kind == "f" and dtype.kind != "f"):
        raise ValueError(f"its data are no numbers of {tensor.datatype}")
    return given if dtype.kind != "f" else given.astype(np.float64)


def _single_text(tensor: InputTensor) -> str:
    data: Any = tensor.data
    while isinstance(data, list) and len(data) == 1:
        data = data[0]
    if not isinstance(data, str):
        raise ValueError(f"of {BYTES} it takes one element, the image file in base64")
    return data


def _single_element(binary: bytes) -> bytes:
    """Return the only element of a tensor of bytes, each of which follows its length."""
    if len(binary) < _LENGTH.size or _LENGTH.unpack_from(binary)[0] != len(binary) - _LENGTH.size:
        raise ValueError(f"of {BYTES} it takes one element, the image file behind its length in 4 bytes")
    return binary[_LENGTH.size :]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def as_binary(values: np.ndarray | Sequence[str], datatype: str) -> bytes:
    """Return a tensor's values as bytes, row by row; texts each behind their length."""
    if isinstance(values, np.ndarray):
        return values.astype(DTYPES[datatype]).tobytes()
    texts = [text.encode() for text in values]
    return b"".join(_LENGTH.pack(len(text)) + text for text in texts)
