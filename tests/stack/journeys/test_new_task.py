"""A fifth task is one file and one line: the API, the workers and the table of tasks need no other change."""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import expect

from tests.browser import chromium, find_browser, open_context
from tests.running_stack import SAMPLES, Stack

ROOT = Path(__file__).parents[3]
FILE = Path(__file__).with_name("brightness.py")
BEFORE = '    "ep_core.schemas.tasks.class_channels",\n'
LINE = '    "ep_core.schemas.tasks.brightness",\n'


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of the packages as they are, and the file and the line."""
    folder = tmp_path_factory.mktemp("new_task")
    packages = folder / "packages"
    for name in ("ep_core", "worker", "service"):
        shutil.copytree(ROOT / name, packages / name, ignore=shutil.ignore_patterns("__pycache__"))
    tasks = packages / "ep_core" / "schemas" / "tasks"
    shutil.copy(FILE, tasks)
    table = tasks / "__init__.py"
    text = table.read_text()
    assert text.count(BEFORE) == 1
    table.write_text(text.replace(BEFORE, BEFORE + LINE))
    models = folder / "models.toml"
    models.write_text('[models.mobilenet_v2]\ntorchvision = "mobilenet_v2"\n')
    with Stack(folder, packages=packages, EP_MODELS_FILE=models) as running:
        yield running


def test_it_goes_from_the_post_to_the_picture(stack: Stack) -> None:
    job = stack.finish(stack.post("goose", task="brightness", scale=2))
    assert job["status"] == "succeeded", job["error"]
    assert (job["links"]["saliency"], job["links"]["masks"]) == (None, {})

    result = stack.client.get(job["links"]["result"]).json()
    grey = Image.open(SAMPLES / "goose.jpg").convert("L")
    assert (result["task"], result["id"], result["params"]["scale"]) == ("brightness", job["id"], 2)
    assert result["brightness"] == pytest.approx(2 * ImageStat.Stat(grey).mean[0] / 255)
    assert result["artifacts"]["grey"] == job["links"]["grey"]

    answer = stack.client.get(job["links"]["grey"])
    assert answer.headers["content-type"] == "image/png"
    assert ImageChops.difference(Image.open(io.BytesIO(answer.content)), grey).getbbox() is None
    with zipfile.ZipFile(io.BytesIO(stack.client.get(job["links"]["bundle"]).content)) as bundle:
        assert set(bundle.namelist()) == {"result.json", "grey.png"}


def test_it_is_listed_checked_and_described(stack: Stack) -> None:
    client = stack.client
    job = stack.finish(stack.post("pizza", task="brightness"))
    assert [one["id"] for one in client.get("/v1/jobs?task=brightness&limit=1").json()["jobs"]] == [job["id"]]
    assert client.get("/v1/tasks").json()["tasks"][-1]["question"] == "How bright is it?"
    assert "How bright is it?" in client.get("/static/tasks.js").text
    missing = client.get(f"{job['links']['self']}/masks/0.1.png")
    assert (missing.status_code, "has no spatial masks" in missing.json()["detail"]) == (404, True)

    document = client.get("/openapi.json").json()
    assert document["components"]["schemas"]["BrightnessReport"]["properties"]["brightness"]["type"] == "number"
    assert document["paths"]["/v1/jobs/{job_id}/grey.png"]["get"]["operationId"] == "get_grey"

    refused = post(client, '{"task": "brightness", "scale": -1}')
    assert [error["field"] for error in refused.json()["errors"]] == ["scale"]
    assert "did you mean brightness" in post(client, '{"task": "brightnes"}').text


def test_the_dashboard_lists_it_and_shows_its_picture(stack: Stack) -> None:
    browser_path = find_browser()
    if browser_path is None:
        pytest.skip("no browser here")
    job = stack.finish(stack.post("school_bus", task="brightness"))
    with chromium(browser_path) as browser:
        page = open_context(browser, stack.url).new_page()
        page.goto(f"/#/job/{job['id']}")
        expect(page.get_by_role("img", name="Grey picture")).to_have_js_property("naturalWidth", 640)
        expect(page.locator("tr.here")).to_contain_text("Brightness · mobilenet_v2")
        page.get_by_text("Download & share").click()
        expect(page.get_by_role("button", name="Grey picture (PNG)")).to_be_visible()
        expect(page.get_by_role("button", name="Copy as Python")).to_have_count(0)
        page.get_by_role("tab", name="Brightness").click()
        expect(page.get_by_text("How bright is it?")).to_be_visible()
        page.get_by_role("button", name="A goose").click()
        page.get_by_role("button", name="Explain").click()
        expect(page).not_to_have_url(re.compile(job["id"]))
        expect(page.get_by_role("heading", name="Brightness")).to_be_visible(timeout=60_000)


def test_the_same_again_is_known(stack: Stack) -> None:
    first = stack.finish(stack.post("airliner", task="brightness", reuse=True))
    again = stack.post("airliner", task="brightness", reuse=True)
    assert (first["cached"], again["cached"], again["status"]) == (False, True, "succeeded")
    assert stack.client.get(again["links"]["result"]).json()["id"] == again["id"]


def post(client: httpx.Client, params: str) -> httpx.Response:
    image = (SAMPLES / "goose.jpg").read_bytes()
    return client.post("/v1/jobs", files={"image": image}, data={"params": params})
