"""Files that are no weights of PyTorch's: each named for what it is, with the way out, also where it is whole."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from safetensors.torch import save

from ep_core.errors import ModelUnavailable
from ep_core.models import load_model
from ep_core.models.sources.file_kind import file_kind

WEIGHTS = {"weight": torch.ones(64, 64)}


def saved(**options) -> bytes:
    file = io.BytesIO()
    torch.save(WEIGHTS, file, **options)
    return file.getvalue()


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def in_tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("weights.pth"))
    return file.getvalue()


def array(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    if arrays:
        np.savez(file, **arrays)
    else:
        np.save(file, np.ones(3))
    return file.getvalue()


FOREIGN: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "is empty: fetch the file again"),
    "web page": (lambda: b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>", r"is a web page \(HTML\): fetch"),
    "web page without a doctype": (lambda: b"<html>", r"is a web page \(HTML\)"),
    "a server's error": (lambda: b"<?xml version='1.0'?><Error>AccessDenied</Error>", "is XML, as servers answer"),
    "JSON": (lambda: b'{"error": "not found"}', "is JSON"),
    "Git LFS": (
        lambda: b"version https://git-lfs.github.com/spec/v1\noid x",
        "is a pointer of Git LFS, .*`git lfs pull`",
    ),
    "ONNX": (lambda: b"\x08\x08\x12\x07pytorch\x1a\x052.9.0:\x10", "is ONNX; .*torch.export.*onnx2torch.convert"),
    "ONNX of TensorFlow": (lambda: b"\x08\x07\x12\x07tf2onnx", "is ONNX; "),
    "Keras": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(9), "is HDF5, as Keras .*torch.export"),
    "Keras 3": (lambda: zipped(**{"config.json": b"{}", "model.weights.h5": b""}), "is Keras's; .*torch.export"),
    "TensorFlow Lite": (lambda: b"\x1c\x00\x00\x00TFL3", "is TensorFlow Lite's"),
    "NumPy": (array, r"is an array of NumPy's: .*torch\.save"),
    "NumPy, several": (lambda: array(weight=np.ones(3)), r"is NumPy's \(\.npz\): .*torch\.save"),
    "pickle": (
        lambda: pickle.dumps({"weight": [1.0]}),
        "is a pickle that torch.save didn't write",
    ),
    "gzip": (lambda: gzip.compress(saved()), "is a packed archive: unpack it"),
    "tar": (in_tar, "is a packed archive: unpack it"),
    "zip": (lambda: zipped(**{"run/weights.pth": saved()}), "is a zip archive of run/weights.pth: unpack it"),
    "text": (lambda: b"[models.mine]", "is no file of weights that is known here, it begins with"),
    "half a file": (lambda: saved()[:9000], "is damaged or cut short, of 9000 bytes: fetch the file again"),
    "half a file of old": (
        lambda: saved(_use_new_zipfile_serialization=False)[:9000],
        "is damaged, or not written by torch.save",
    ),
    "half of safetensors": (lambda: save(WEIGHTS)[:9000], "is damaged or cut short"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_that_is_no_weights_is_named(write_list: Callable[[str], Path], tmp_path: Path, name: str) -> None:
    make, said = FOREIGN[name]
    (tmp_path / "w.pth").write_bytes(make())
    path = write_list('torchvision = "squeezenet1_1"\nfile = "w.pth"')
    with pytest.raises(ModelUnavailable, match=rf"^model 'mine': w\.pth {said}") as error:
        load_model("mine", device="cpu", models_file=path)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (saved(), "checkpoint"),
        (saved(_use_new_zipfile_serialization=False), "checkpoint"),
        (save(WEIGHTS), "safetensors"),
        (save({}), "safetensors"),
    ],
)
def test_files_of_weights_are_told_by_their_content(tmp_path: Path, content: bytes, kind: str) -> None:
    (tmp_path / "w").write_bytes(content)
    assert file_kind(tmp_path / "w") == kind
