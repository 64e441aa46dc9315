"""Downloads of a result, and the same job as a command and as Python."""

from __future__ import annotations

import csv
import io
import json
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

import ep_core
from tests.running_stack import Stack

from .using import BEAR, CHANNELS, COMPARED, SWEEP, bounds

pytestmark = pytest.mark.e2e

TELL = "\nimport json; print(json.dumps([[point.area, point.preserve] for point in result.curve]))"


@pytest.fixture
def open_job(page: Page, stack: Stack, done: Callable[..., str]) -> dict[str, Any]:
    """Open a finished job; return its result."""
    address = done(**SWEEP)
    page.goto(address)
    page.get_by_text("Download & share").click()
    result: dict[str, Any] = stack.client.get(f"/v1/jobs/{address[-32:]}/result").raise_for_status().json()
    return result


def save(page: Page, button: str) -> Path:
    with page.expect_download() as saved:
        page.get_by_role("button", name=button, exact=True).click()
    return saved.value.path()


def copied(page: Page, button: str) -> str:
    page.get_by_role("button", name=button).click()
    expect(page.locator("pre")).to_be_visible()
    return page.locator("pre").inner_text()


def test_files(page: Page, open_job: dict[str, Any]) -> None:
    with zipfile.ZipFile(save(page, "Everything (zip)")) as bundle:
        assert "result.json" in bundle.namelist()
    assert json.loads(save(page, "Result (JSON)").read_text()) == open_job
    assert save(page, "Score curve (SVG)").read_text().lstrip().startswith(("<?xml", "<svg"))
    assert Image.open(save(page, "Saliency map (PNG)")).format == "PNG"
    with Image.open(save(page, "Reveal (WEBP)")) as film:
        assert film.n_frames > len(open_job["curve"])
        assert max(film.size) == 480
    rows = list(csv.DictReader(io.StringIO(save(page, "Curve (CSV)").read_text())))
    assert "predictions" not in rows[0]
    assert [float(row["preserve"]) for row in rows] == [point["preserve"] for point in open_job["curve"]]


def test_what_is_seen(page: Page, open_job: dict[str, Any]) -> None:
    page.get_by_label("How much to reveal").focus()
    page.keyboard.press("Home")
    mask = Image.open(save(page, "Save this mask"))
    assert (mask.mode, mask.size) == ("L", Image.open(BEAR).size)
    assert 0.01 < np.asarray(mask).mean() / 255 < 0.05  # 5% of what the network sees of it
    assert Image.open(save(page, "Save this picture")).format == "PNG"


def test_the_copied_link_shows_the_same_view(page: Page, open_job: dict[str, Any]) -> None:
    page.get_by_label("How much to reveal").focus()
    page.keyboard.press("Home")
    page.get_by_role("button", name="Outline").click()
    link = copied(page, "Copy link")
    assert f"area={open_job['curve'][0]['area']}" in link
    page.goto("about:blank")
    page.goto(link)
    expect(page.get_by_role("button", name="Outline")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("How much to reveal")).to_have_value("0")


def test_the_copied_command_posts_the_same_job(
    page: Page, stack: Stack, open_job: dict[str, Any], tmp_path: Path
) -> None:
    shutil.copy(BEAR, tmp_path / "photo.jpg")
    words = shlex.split(copied(page, "Copy as curl"))
    assert words[0] == "curl"
    assert words[-1] == f"{stack.url}/v1/jobs"
    if shutil.which("curl"):
        answer = subprocess.run([words[0], "-s", *words[1:]], cwd=tmp_path, capture_output=True, text=True, check=True)
        job = json.loads(answer.stdout)
        assert job["params"] == stack.client.get(f"/v1/jobs/{open_job['id']}").json()["params"]
        assert job["cached"]  # the very same
    else:
        assert words[1:3] == ["-F", "image=@photo.jpg"]
        asked = json.loads(words[4].removeprefix("params="))
        assert asked == {name: value for name, value in open_job["params"].items() if value is not None}


def test_the_citation_names_the_paper_the_version_the_model_and_the_parameters(
    page: Page, open_job: dict[str, Any]
) -> None:
    text = copied(page, "Copy citation")
    assert "arXiv:1910.08485" in text
    assert f"extremal-perturbations {ep_core.__version__}" in text
    assert f"model mobilenet_v2 (weights {open_job['model']['weights_digest'][:19]})" in text
    assert "target “American black bear”; " in text
    assert "areas 0.05 0.2 0.6" in text


@pytest.mark.parametrize("params", [COMPARED, CHANNELS], ids=lambda params: str(params["task"]))
def test_the_copied_python_asks_the_same(
    page: Page, finish: Callable[..., dict[str, Any]], params: dict[str, Any]
) -> None:
    job = finish(**params)
    page.goto(f"/#/job/{job['id']}")
    page.get_by_text("Download & share").click()
    *_, spec, call = copied(page, "Copy as Python").splitlines()
    made = eval(spec.removeprefix("spec = "), {"ep_core": ep_core})
    assert made.model_dump(mode="json") == job["params"]
    assert callable(getattr(ep_core, call.removeprefix("result = ep_core.").partition("(")[0]))


def test_the_copied_python_gives_the_same_result(page: Page, open_job: dict[str, Any], tmp_path: Path) -> None:
    shutil.copy(BEAR, tmp_path / "photo.jpg")
    script = copied(page, "Copy as Python") + TELL
    ran = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    for (area, score), point in zip(json.loads(ran.stdout), open_job["curve"], strict=True):
        assert area == point["area"]
        assert score == pytest.approx(point["preserve"], abs=0.05)  # threads may add up in another order


def test_the_page_of_a_result_opens_from_disk_and_its_slider_moves(
    page: Page, browser: Browser, open_job: dict[str, Any], tmp_path: Path
) -> None:
    saved = tmp_path / "result.html"
    shutil.copy(save(page, "Page of the result (HTML)"), saved)
    alone, asked = browser.new_page(), list[str]()
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto(saved.as_uri())
    expect(alone.get_by_role("heading", level=1)).to_contain_text(open_job["target"]["label"])
    expect(alone.locator("canvas")).to_be_visible()
    drawn = "document.querySelector('canvas').toDataURL()"
    seen = [""]
    for place, point in enumerate(open_job["curve"]):
        alone.get_by_label("How much to reveal").fill(str(place))
        expect(alone.locator("output").first).to_contain_text(f"{100 * point['area']:g}%")
        alone.wait_for_function(f"before => {drawn} !== before", arg=seen[-1])
        seen.append(alone.evaluate(drawn))
    assert len(set(seen)) == 1 + len(open_job["curve"])
    picture, says = (bounds(alone.locator(part)) for part in (".seen", ".predictions"))
    assert says["x"] > picture["x"] + picture["width"]
    alone.get_by_role("button", name="Remove this").click()
    alone.wait_for_function(f"before => {drawn} !== before", arg=seen[-1])
    assert [url for url in asked if not url.startswith(("data:", "blob:", saved.as_uri()))] == []
    alone.set_viewport_size({"width": 390, "height": 844})
    picture, says = (bounds(alone.locator(part)) for part in (".seen", ".predictions"))
    assert says["y"] > picture["y"] + picture["height"]  # one column
    assert picture["width"] > 300
    assert alone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    alone.close()
