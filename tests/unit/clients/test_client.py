"""Both clients over a real connection: the same methods, one blocking, one to be awaited."""

from __future__ import annotations

import asyncio
import inspect
import io
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import extremal_client
import httpx
import numpy as np
import pytest
from extremal_client import AsyncClient, AsyncFile, Client, File, Unreachable
from PIL import Image

from ep_core.version import __version__
from tests.http_server import HTTPServerInThread

from .playing import JOB_ID, event, job_document
from .test_reading import served

MASK = np.array([[0, 51], [255, 102]], np.uint8)
PACKAGE = Path(extremal_client.__file__).parent


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def bundle() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("masks/0.1.png", png(MASK))
        file.writestr("../outside.txt", "no")
    return buffer.getvalue()


class Service(HTTPServerInThread):
    """A service with one job, which breaks off its stream of events in the middle."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.asked: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        address = f"/v1/jobs/{JOB_ID}"
        self.files = {
            f"{address}/masks/0.1.png": png(MASK),
            f"{address}/masks/0.1.png?frame=model": png(MASK[:1]),
            f"{address}/result.html": b'<!DOCTYPE html><p title="a">\xc3\xa4</p>',
            f"{address}/bundle.zip": bundle(),
        }


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(job_document(), 202)

    def do_GET(self) -> None:
        if self.path.endswith("/events"):
            self._watch()
        elif self.path in self.server.files:
            self._send(self.server.files[self.path], "image/png")
        elif self.path.endswith("/result"):
            self._answer(served("extremal"))
        elif self.path.endswith(JOB_ID):
            self._answer(job_document())
        else:
            self._answer({"jobs": [job_document(id="1"), job_document(id="2")], "next": None})

    def _watch(self) -> None:
        """Send the first event and cut the line; then, after it, the last."""
        if self.headers["Last-Event-ID"] == "1-0":
            self._send(event("state", job_document("succeeded"), "2-0"), "text/event-stream")
        else:
            first = event("state", job_document("running"), "1-0")
            self._send(first, "text/event-stream", length=len(first) + 100)

    def _answer(self, document: Any, status: int = 200) -> None:
        self._send(json.dumps(document).encode(), "application/json", status)

    def _send(self, content: bytes, kind: str, status: int = 200, *, length: int | None = None) -> None:
        self.server.asked.append((self.command, self.path))
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length or len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as running:
        yield running


def test_a_cut_stream_is_resumed_and_files_are_fetched_when_asked_for(service: Service, tmp_path: Path) -> None:
    with Client(service.url, key="ep_1") as client:
        result = client.explain(b"image", progress=False)
        asked = len(service.asked)
        assert [path.rpartition("/")[2] for _, path in service.asked] == ["jobs", "events", "events", "result"]
        mask = result.masks[0.1]
        assert len(service.asked) == asked
        assert mask.image().size == (2, 2)
        np.testing.assert_allclose(mask.array(), MASK / 255, atol=1e-6)
        assert mask.array().dtype == np.float32
        assert len(service.asked) == asked + 1  # once
        assert mask.in_frame.image().size == (2, 1)
        assert mask.url == f"{service.url}/v1/jobs/{JOB_ID}/masks/0.1.png"
        assert mask.save(tmp_path / "new" / "mask.png").read_bytes() == png(MASK)
        assert "ä" in result.page.text()
        assert "&lt;p title=&quot;a&quot;&gt;ä" in str(result._repr_html_())
        folder = result.save(tmp_path / "all")
        assert [path.name for path in folder.rglob("*.png")] == ["0.1.png"]
        assert not (tmp_path / "outside.txt").exists()
        assert [job.id for job in client.jobs()] == ["1", "2"]
        assert repr(mask) == f"File('/v1/jobs/{JOB_ID}/masks/0.1.png')"
    assert {headers["authorization"] for headers in service.headers} == {"Bearer ep_1"}


def test_the_same_awaited(service: Service, tmp_path: Path) -> None:
    async def use() -> None:
        async with AsyncClient(service.url) as client:
            first, second = await asyncio.gather(client.explain(b"1"), client.explain(b"2"))
            np.testing.assert_allclose(await first.masks[0.1].array(), MASK / 255, atol=1e-6)
            assert first.optimal_area == second.optimal_area
            assert (await first.save(tmp_path / "all") / "masks" / "0.1.png").exists()
            assert first._repr_html_() is None
            assert [job.id async for job in client.jobs()] == ["1", "2"]
            async for seen in client.watch(JOB_ID):
                assert seen.kind == "state"
                break  # the stream is closed, too

    asyncio.run(use())
    assert [path.rpartition("/")[2] for _, path in service.asked].count("events") >= 4


def test_a_service_that_is_away_is_told_with_its_address() -> None:
    with Client("http://127.0.0.1:9", retry_s=0.6) as client, pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        client.models()


def test_a_client_of_ones_own_is_used_and_left_open(service: Service) -> None:
    with httpx.Client(headers={"X-Mine": "1"}) as http:
        with Client(service.url, http=http) as client:
            list(client.jobs())
        assert not http.is_closed
    assert service.headers[0]["x-mine"] == "1"


def public(kind: type[Any]) -> dict[str, Any]:
    """The methods of a class, without those that close it."""
    return {name: one for name, one in vars(kind).items() if not name.startswith("_") and "close" not in name}


@pytest.mark.parametrize(("blocking", "awaited"), [(Client, AsyncClient), (File, AsyncFile)])
def test_both_have_the_same_methods_with_words_and_their_own_returns(blocking: type[Any], awaited: type[Any]) -> None:
    assert list(public(blocking)) == list(public(awaited))
    for name, method in public(blocking).items():
        other = public(awaited)[name]
        assert method.__doc__ == other.__doc__ != ""
        if not isinstance(method, property):
            mine, theirs = inspect.signature(method), inspect.signature(other)
            assert list(mine.parameters.items()) == list(theirs.parameters.items())
            assert "Flow" not in str(mine) + str(theirs)
            assert "Feed" not in str(mine) + str(theirs)


def test_it_needs_neither_the_service_nor_torch_nor_numpy() -> None:
    code = (
        "import sys, extremal_client; "
        "print([name for name in ('torch', 'ep_core', 'service', 'worker', 'pydantic', 'numpy', 'tqdm') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_its_version_is_that_of_the_service() -> None:
    assert extremal_client.__version__ == __version__
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    assert project["dynamic"] == ["version"]
    assert [one.partition(">")[0] for one in project["dependencies"]] == ["httpx", "pillow"]
    assert (PACKAGE / "py.typed").exists()


USE = """
from extremal_client import AsyncClient, Client

with Client() as client:
    result = client.explain("a.jpg", target="bus", areas=(0.1, 0.2), priority="low", target_image=b"...")
    reveal_type(result.masks[0.1].image())
    reveal_type(result.optimal_area)
    reveal_type(client.compare("a.jpg", methods=["grad_cam"]).methods[0].title)
    client.explain("a.jpg", aeras=[0.1])
    client.explain("a.jpg", variant="keep")
    for done in client.batch(["a.jpg"], areas=[0.1]):
        reveal_type(done.result.save("folder"))

async def wait() -> None:
    async with AsyncClient() as client:
        result = await client.explain("a.jpg")
        reveal_type(await result.page.text())
        reveal_type(await result.save("folder"))
"""
SAID = (
    'Revealed type is "PIL.Image.Image"',
    'Revealed type is "float | None"',
    'Revealed type is "str"',
    'Unexpected keyword argument "aeras"; did you mean "areas"?',
    'Argument "variant" has incompatible type "Literal[\'keep\']"',
    'Revealed type is "pathlib.Path"',
    'Revealed type is "str"',
    'Revealed type is "pathlib.Path"',
)


@pytest.mark.slow
def test_types_tell_mistakes_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(USE)
    # As of an installed package: its types count, and nothing is said about its own modules.
    (tmp_path / "mypy.ini").write_text("[mypy]\n[mypy-extremal_client.*]\nfollow_imports = silent\n")
    mypy = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path / "cache")]
    here = {**os.environ, "MYPYPATH": str(Path(extremal_client.__file__).parents[1])}
    done = subprocess.run([*mypy, "use.py"], capture_output=True, text=True, cwd=tmp_path, env=here, check=False)
    lines = done.stdout.splitlines()
    assert len(lines) == len(SAID), done.stdout
    assert [said for line, said in zip(lines, SAID, strict=True) if said not in line] == [], done.stdout
