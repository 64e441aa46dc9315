"""Kind of a weight file, by its first bytes and its table of contents. Runs no code in it. Imports no torch."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile, ZipFile

from ep_core.errors import ModelUnavailable

FileKind = Literal["checkpoint", "safetensors", "torchscript", "program"]
"""``torch.save``'s, safetensors, TorchScript, or a program of ``torch.export``."""

_START_BYTES = 512
_TORCH_BEFORE_1_6 = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."

_EXPORT = "export the network from PyTorch by torch.export (.pt2) or TorchScript and name that file"
_FETCH_AGAIN = "fetch the file again, by its direct link"
_FOREIGN = [
    (re.compile(start, re.DOTALL | re.IGNORECASE), what)
    for start, what in (
        (rb"\Z", f"empty: {_FETCH_AGAIN}"),
        (rb"version https://git-lfs", "a pointer of Git LFS, not the file: fetch that by `git lfs pull`"),
        (rb"\s*<(!doctype|html)", f"a web page (HTML): {_FETCH_AGAIN}"),
        (rb"\s*<", f"XML, as servers answer with errors: {_FETCH_AGAIN}"),
        (rb"\s*(\{|\[\s*[\[{\"\d])", "JSON, not weights: an index of several files or a server's error"),
        (rb"\x89HDF", f"HDF5, as Keras and TensorFlow write it; networks here are PyTorch's: port it, then {_EXPORT}"),
        (rb".{4}TFL3", f"TensorFlow Lite's; networks here are PyTorch's: port it, then {_EXPORT}"),
        (
            rb"\x08[\x01-\x20][\x12\x1a\x22\x28\x32\x3a\x42]",
            f"ONNX; networks here are PyTorch's: {_EXPORT}, or let an entry_point return onnx2torch.convert(FILE)",
        ),
        (rb"\x93NUMPY", "an array of NumPy's: save the weights by torch.save(network.state_dict(), FILE)"),
        (rb"\x80[\x02-\x05]", "a pickle that torch.save didn't write, and is never unpickled: save by torch.save"),
        (rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd|.{257}ustar", "a packed archive: unpack it"),
    )
]


def file_kind(file: Path) -> FileKind:
    """Return what a file is.

    Raises:
        ModelUnavailable: it is no file of weights that can be read; the message names its kind and the fix.
        OSError: it can't be read.
    """
    with file.open("rb") as opened:
        start = opened.read(_START_BYTES)
    if start.startswith(b"PK"):
        return _kind_of_zip(file)
    if start.startswith(_TORCH_BEFORE_1_6):
        return "checkpoint"
    if _is_safetensors(start):
        return "safetensors"
    for pattern, what in _FOREIGN:
        if pattern.match(start):
            raise ModelUnavailable(f"{file.name} is {what}")
    raise ModelUnavailable(
        f"{file.name} is no file of weights that is known here, it begins with {start[:12]!r}: name a state dict "
        "(torch.save, safetensors), or a whole network (TorchScript, torch.export)"
    )


def _kind_of_zip(file: Path) -> FileKind:
    try:
        with ZipFile(file) as opened:
            names = opened.namelist()
    except BadZipFile as error:
        size = file.stat().st_size
        raise ModelUnavailable(f"{file.name} is damaged or cut short, of {size} bytes: {_FETCH_AGAIN}") from error
    inside = {name.partition("/")[2] or name for name in names}
    if "constants.pkl" in inside:
        return "torchscript"
    if inside & {"archive_format", "serialized_exported_program.json"}:
        return "program"
    if "data.pkl" in inside:
        return "checkpoint"
    raise ModelUnavailable(f"{file.name} is {_foreign_zip(names)}")


def _foreign_zip(names: list[str]) -> str:
    if any(name.endswith(".npy") for name in names):
        return "NumPy's (.npz): save the weights by torch.save(network.state_dict(), FILE)"
    if "model.weights.h5" in names:
        return f"Keras's; networks here are PyTorch's: port it, then {_EXPORT}"
    return f"a zip archive of {', '.join(name[:60] for name in names[:3]) or 'nothing'}: unpack it"


def _is_safetensors(start: bytes) -> bool:
    """Tell by the header: its length in eight bytes, below safetensors' limit, and then JSON."""
    return start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= 100_000_000
