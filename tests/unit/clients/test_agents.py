"""What agents give and get: images, findings in words, jobs of calls that are cancelled."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from extremal_client.core.address import make_site
from extremal_client.core.messages import Site
from extremal_client.core.reading import read_as
from extremal_client.generated.schemas import JobRead
from extremal_client.mcp.cli import mcp
from extremal_client.mcp.images import Images
from extremal_client.mcp.sentences import finding, unfinished
from extremal_client.mcp.server import make_server
from extremal_client.results import Result, make_result
from mcp import Client
from mcp.server.mcpserver.exceptions import ToolError
from typer import BadParameter, Typer
from typer.main import get_command

from .playing import job_document
from .test_reading import served

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "pictures"
    root.mkdir()
    (root / "a b.png").write_bytes(PNG)
    (tmp_path / "secret.png").write_bytes(PNG)
    (root / "way out.png").symlink_to(tmp_path / "secret.png")
    return root


def test_an_image_is_an_address_base64_or_a_file_below_a_folder(folder: Path) -> None:
    images = Images([folder])
    assert images.read(" https://pictures.test/a.png") == "https://pictures.test/a.png"
    assert images.read("data:image/png;base64," + base64.b64encode(PNG).decode()) == PNG
    for named in ("a b.png", str(folder / "a b.png"), f"file://{folder}/a%20b.png"):
        assert images.read(named) == (folder / "a b.png").resolve()


@pytest.mark.parametrize(
    "named", ["../secret.png", "way out.png", "/etc/passwd", ".", "missing.png", "file:///etc/passwd"]
)
def test_no_path_leads_out_of_the_folders(folder: Path, named: str) -> None:
    with pytest.raises(ToolError, match=r"no file .* below"):
        Images([folder]).read(named)
    with pytest.raises(ToolError, match="no folder is allowed here"):
        Images([]).read(named)


def test_what_is_no_image_is_told(folder: Path) -> None:
    for broken in ("data:image/png;base64,???", "data:image/png,abc", "data:;base64,"):
        with pytest.raises(ToolError, match="has no base64"):
            Images([folder]).read(broken)
    with pytest.raises(ToolError, match="an address, which the service fetches"):
        Images([folder]).file("https://pictures.test/a.png")


def result_of(task: str, **changed: Any) -> Result[str]:
    document = served(task) | changed
    return make_result(document, read_as(JobRead, job_document("succeeded")), str)


def test_findings_are_said_as_the_objective_and_the_threshold_have_them() -> None:
    document = served("extremal")
    point = document["curve"][0]
    scores, params = document["scores"], document["params"]

    def said(
        variant: str = "preserve", tau: float = 1.0, area: float | None = point["area"], rule: str = "share-of-original"
    ) -> str:
        return finding(
            result_of(
                "extremal",
                params=params | {"variant": variant, "threshold": tau},
                scores=scores | {"threshold_rule": rule},
                optimal_area=area,
                warnings=[],
            )
        )

    assert "suffices for the whole score: with only that kept, it scores " in said()
    assert "suffices for 0.5 of that score" in said(tau=0.5)
    assert "suffices for 0.5 of the way up to that score" in said(tau=0.5, rule="between")
    assert "0.9 of the way down to that of the fully perturbed image" in said("delete", 0.9, rule="way-down")
    assert "No area of the sweep keeps the whole score: ask for larger areas" in said(area=None)
    assert "There is no threshold" in said(area=None, rule="none")
    warned = result_of("extremal", warnings=[{"kind": "white-level", "detail": "The image is black."}])
    assert finding(warned).endswith("Warning: The image is black.")


@pytest.mark.parametrize("task", ["compare", "channels", "class_channels"])
def test_other_tasks_are_said_too(task: str) -> None:
    result = result_of(task)
    assert str(result.document["target"]["label"]) in finding(result)


def test_a_job_that_goes_on_says_how_to_wait_for_it() -> None:
    job = read_as(JobRead, job_document("queued", position=3))
    assert (
        unfinished(job)
        == f'The job {job.id} is not finished (queued, number 3, 0%): call get_result with job "{job.id}".'
    )


def test_pictures_beside_the_image_are_read_as_it_is(folder: Path) -> None:
    async def ask() -> str:
        site: Site = make_site("http://127.0.0.1:1", key=None, retry_s=0)
        asked = {"image": "a b.png", "params": {"target_image": "/etc/passwd"}}
        async with Client(make_server(site, roots=[folder])) as client:
            answer = await client.call_tool("explain", asked)
            assert answer.is_error
            return str(answer.content[0])

    assert "no file '/etc/passwd' below" in asyncio.run(ask())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "service.test"}, "write it as http"),
        ({"http": True, "root": [Path()]}, "--root is for stdio"),
        ({"http": True, "host": "0.0.0.0", "key": "ep_1"}, "callers send their own"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadParameter, match=said):
        mcp(**given)


def test_the_page_shows_settings_that_can_be_read() -> None:
    page = (Path(__file__).parents[3] / "docs" / "agents.md").read_text()
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    servers = [one.get("mcpServers", one.get("servers"))["extremal-perturbations"] for one in blocks]
    assert [one.get("command", one.get("url")) for one in servers] == [
        "extremal-mcp",
        "extremal-mcp",
        "http://agents.example:8100/mcp",
    ]
    app = Typer(add_completion=False)
    app.command()(mcp)
    for option in (parameter.opts[0] for parameter in get_command(app).params if parameter.name != "help"):
        assert f"`{option}" in page or f"{option} " in page
