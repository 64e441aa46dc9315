"""The MCP server on the running stack, by the SDK's own client, over stdio and streamable HTTP."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult, ImageContent, TextContent
from PIL import Image

from tests.running_stack import SAMPLES, Stack

pytestmark = pytest.mark.e2e

COMMAND = ["-m", "extremal_client.mcp"]
QUICK = {"iterations": 3, "check_extremality": False, "alternatives": 0, "contrast": False}
SLOW = QUICK | {"iterations": 40, "reuse": False}


def text_of(answer: CallToolResult) -> str:
    first = answer.content[0]
    assert isinstance(first, TextContent)
    return first.text


def picture_of(answer: CallToolResult) -> Image.Image:
    last = answer.content[-1]
    assert isinstance(last, ImageContent)
    content = base64.b64decode(last.data)
    assert (last.mime_type, len(content) < 300_000) == ("image/jpeg", True)
    return Image.open(io.BytesIO(content))


@pytest.fixture(scope="module")
def address(stack: Stack) -> Iterator[str]:
    """The MCP server of the stack, as it listens on this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, *COMMAND, "--url", stack.url, "--http", "--port", str(port)])
    url = f"http://127.0.0.1:{port}/mcp"
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            httpx.get(url)
            break
        except httpx.TransportError:
            time.sleep(0.05)
    yield url
    server.terminate()
    server.wait(20)


def test_an_agent_explains_a_file_over_stdio_while_the_api_is_killed(stack: Stack) -> None:
    told: list[tuple[float, str | None]] = []
    killed: list[int] = []

    async def tell(done: float, total: float | None, message: str | None) -> None:
        assert total == 1
        told.append((done, message))
        if done > 0 and not killed:
            killed.append(stack.api_pid())
            os.kill(killed[0], signal.SIGKILL)

    async def talk() -> list[CallToolResult]:
        env = {"EP_URL": stack.url, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        server = StdioServerParameters(
            command=sys.executable, args=[*COMMAND, "--root", str(SAMPLES)], env=env, cwd=SAMPLES
        )
        asked: dict[str, Any] = {"image": "black_bear.jpg", "target": "American black bear"}
        async with Client(server) as client:
            tools = (await client.list_tools()).tools
            assert {tool.name for tool in tools} == {"classify", "explain", "compare", "get_result", "list_models"}
            seen = await client.call_tool("classify", {"image": "black_bear.jpg", "top": 1})
            slow = {"model": "slow", "image": "goose.jpg", "areas": [0.2, 0.5], "params": SLOW, "wait_s": 120}
            long = await client.call_tool("explain", slow, progress_callback=tell)
            found = await client.call_tool("explain", asked | {"areas": [0.05, 0.4], "params": QUICK})
            wrong = await client.call_tool("explain", asked | {"areas": [2.0]})
            outside = await client.call_tool("explain", {"image": "../README.md"})
            return [seen, long, found, wrong, outside]

    seen, long, found, wrong, outside = asyncio.run(talk())
    assert "American black bear (" in text_of(seen)
    assert seen.structured_content is not None
    assert seen.structured_content["classes"][0]["index"] == 295
    assert killed
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert long.structured_content is not None, text_of(long)
    assert long.structured_content["status"] == "succeeded"
    assert "'American black bear' scores 13." in text_of(found)
    assert picture_of(found).size == (640, 427)
    assert found.structured_content is not None
    result = found.structured_content["result"]
    assert [point["area"] for point in result["curve"]] == [0.05, 0.4]
    assert (result["target"]["label"], result["model"]) == ("American black bear", "mobilenet_v2")
    mask = httpx.get(found.structured_content["files"]["masks/0.05"])
    assert mask.headers["content-type"] == "image/png"
    assert wrong.is_error
    assert "write 0.02" in text_of(wrong)
    assert outside.is_error
    assert "no file '../README.md' below" in text_of(outside)


def test_a_call_that_is_cancelled_takes_its_job_along(stack: Stack, address: str) -> None:
    async def call() -> None:
        goose = f"data:image/jpeg;base64,{base64.b64encode((SAMPLES / 'goose.jpg').read_bytes()).decode()}"
        asked = {"model": "slow", "image": goose, "params": SLOW | {"iterations": 3000}}
        with anyio.CancelScope() as scope:

            async def stop(done: float, total: float | None, message: str | None) -> None:
                if done > 0:
                    scope.cancel()

            async with Client(address) as client:
                await client.call_tool("explain", asked, progress_callback=stop)
        assert scope.cancelled_caught

    asyncio.run(call())
    end = time.monotonic() + 30
    while stack.client.get("/v1/jobs", params={"status": "running"}).json()["jobs"]:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_an_agent_goes_on_with_a_long_job_over_streamable_http(stack: Stack, address: str) -> None:
    async def talk() -> list[CallToolResult]:
        goose = f"data:image/jpeg;base64,{base64.b64encode((SAMPLES / 'goose.jpg').read_bytes()).decode()}"
        compare = {"image": goose, "methods": ["center", "gradient"], "areas": [0.2], "wait_s": 0}
        async with Client(address) as client:
            models = await client.call_tool("list_models", {})
            begun = await client.call_tool("compare", compare | {"params": {"seed": 77}})
            assert begun.structured_content is not None, text_of(begun)
            ended = await client.call_tool("get_result", {"job": begun.structured_content["job"], "wait_s": 120})
            path = await client.call_tool("explain", {"image": str(SAMPLES / "goose.jpg")})
            fetched = await client.call_tool("classify", {"image": "https://pictures.test/bus.jpg"})
            return [models, begun, ended, path, fetched]

    models, begun, ended, path, fetched = asyncio.run(talk())
    assert "mobilenet_v2" in text_of(models)
    job = begun.structured_content["job"] if begun.structured_content else ""
    assert f'call get_result with job "{job}"' in text_of(begun)
    assert "With the top 20.0% of what the network sees kept, it scores " in text_of(ended)
    assert f"{stack.url}/#/job/{job}" in text_of(ended)
    assert picture_of(ended).width > 640
    assert path.is_error
    assert "no folder is allowed here" in text_of(path)
    assert "EP_FETCH_URLS" in text_of(fetched)
