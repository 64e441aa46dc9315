"""Code that is shown to users runs on the stack, as it is."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from service.webhooks.message import headers_of
from tests.running_stack import SAMPLES, WEBHOOK_SECRET, Stack
from tests.small_jobs import MASKS_ONLY

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "examples" / "explain_a_folder.py"
FOLDER_TS = FOLDER.with_suffix(".ts")
README = (ROOT / "clients" / "python" / "README.md").read_text()
PAGE = (ROOT / "docs" / "clients.md").read_text()


def run(stack: Stack, *command: str | Path, cwd: Path) -> str:
    """Run Python as a user does whose environment names the service."""
    done = subprocess.run(
        [sys.executable, *command],
        env=os.environ | {"EP_URL": stack.url},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


NIGHTLY = """
import sys
from pathlib import Path
from extremal_client import Client
from nightly import nightly
quick = {"iterations": 3, "check_extremality": False, "alternatives": 0, "contrast": False}
with Client() as client:
    nightly(client, Path(sys.argv[1]), Path(sys.argv[1]) / "page.html", **quick)
    print(sum(1 for _ in client.jobs()))
"""
FIFTYONE = """
import fiftyone as fo, sys
from extremal_client import Client
from with_fiftyone import explain_dataset
dataset = fo.Dataset.from_images_dir(sys.argv[1])
with Client() as client:
    explain_dataset(dataset, client, areas=[0.1, 0.3])
for sample in dataset.sort_by("filepath"):
    print(sample.filename, sample["problem"] or (sample.explained_class.label, sample.optimal_area))
goose = dataset.match(fo.ViewField("problem") == None).first()
for name in ("saliency", "mask_10", "mask_30"):
    print(name, goose[name].map.shape, round(float(goose[name].map.mean()), 1))
"""
LABEL_STUDIO = """
import sys
from pathlib import Path
from extremal_client import Client
from label_studio_sdk.converter.brush import decode_rle
from with_label_studio import tasks
with Client() as client:
    (task,) = tasks(client, sorted(Path(sys.argv[1]).glob("*.jpg")), "https://pictures.test", area=0.3)
(region,) = task["predictions"][0]["result"]
size = region["original_height"], region["original_width"]
kept = decode_rle(region["value"]["rle"]).reshape(*size, 4)[..., 3] > 127
print(task["data"]["image"], *size, region["value"]["brushlabels"], round(float(kept.mean()), 1))
"""


@pytest.fixture
def others_python(request: pytest.FixtureRequest) -> str:
    """A Python with a library that pins other versions than we do, and with the client."""
    name = f"EP_TEST_{request.param}"
    if name not in os.environ:
        pytest.skip(f"set {name} to a Python that has it and extremal-client[numpy] (docs/clients.md)")
    return os.environ[name]


def run_in(python: str, stack: Stack, script: str, folder: Path) -> list[str]:
    """Run a script that uses the examples by another Python, and return the lines that it prints."""
    done = subprocess.run(
        [python, "-c", script, str(folder)],
        env=os.environ | {"EP_URL": stack.url, "PYTHONPATH": str(FOLDER.parent)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def code_of(source: str) -> str:
    """The lines of a script without what it says of itself and empty ones."""
    return "\n".join(line for line in source.splitlines() if line and not line.startswith(('"""', "//")))


def test_a_folder_is_explained_in_ten_lines(stack: Stack, tmp_path: Path) -> None:
    shutil.copy(SAMPLES / "goose.jpg", tmp_path)
    (tmp_path / "broken.jpg").write_text("no image")
    told = run(stack, FOLDER, tmp_path, cwd=tmp_path)
    assert len(code_of(FOLDER.read_text()).splitlines()) <= 10
    masks = sorted(path.name for path in (tmp_path / "masks").iterdir())
    assert masks == ["goose-0.1.png", "goose-0.3.png"]
    mask = np.asarray(Image.open(tmp_path / "masks" / "goose-0.3.png"))
    assert (mask.shape, mask.max()) == ((498, 640), 255)
    assert told.startswith("broken.jpg ")
    assert "Explanation(" in told


def test_a_folder_is_explained_in_typescript_too(stack: Stack, tmp_path: Path) -> None:
    shutil.copy(SAMPLES / "goose.jpg", tmp_path)
    allowed = ["--allow-net", "--allow-read", "--allow-write", "--allow-env"]
    run(stack, "-m", "deno", "run", "--no-check", *allowed, FOLDER_TS, tmp_path, cwd=tmp_path)
    assert len(code_of(FOLDER_TS.read_text()).splitlines()) <= 10
    masks = sorted(path.name for path in tmp_path.glob("*.png"))
    assert masks == ["goose.jpg-0.1.png", "goose.jpg-0.3.png"]
    assert Image.open(tmp_path / masks[0]).size == (640, 498)


def test_the_page_shows_the_examples_as_they_are() -> None:
    for heading, language, file in (("A folder", "python", FOLDER), ("TypeScript", "ts", FOLDER_TS)):
        section = PAGE.partition(f"## {heading}\n")[2]
        block = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
        assert block is not None
        assert code_of(block[1]) == code_of(file.read_text())
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        ast.parse("async def block():\n" + "".join(f"    {line}\n" for line in code.splitlines()))


def test_the_readme_runs(stack: Stack, tmp_path: Path) -> None:
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block is not None
    shutil.copy(SAMPLES / "black_bear.jpg", tmp_path / "photo.jpg")
    told = run(stack, "-c", block[1].replace("http://127.0.0.1:8000", stack.url), cwd=tmp_path)
    assert re.match(r"\d+% of what the network sees suffices for American black bear\n0\.1 ", told)
    assert (tmp_path / "saliency.png").exists()
    assert (tmp_path / "everything" / "masks" / "0.1.png").exists()


def test_a_receiver_keeps_the_mask_of_each_job_once(stack: Stack, tmp_path: Path) -> None:
    env = os.environ | {"EP_URL": stack.url, "EP_WEBHOOK_SECRET": WEBHOOK_SECRET}
    command = [sys.executable, FOLDER.with_name("webhook_receiver.py"), tmp_path / "kept", "0"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as receiver:
        assert receiver.stdout is not None
        try:
            url = receiver.stdout.readline().strip()
            params = {"areas": [0.3], "threshold": 0.01, "iterations": 3, **MASKS_ONLY}
            data = {"params": json.dumps(params), "webhook": url}
            with (SAMPLES / "goose.jpg").open("rb") as image:
                job_id = stack.client.post("/v1/jobs", files={"image": image}, data=data).json()["id"]
            assert receiver.stdout.readline() == f"{job_id} a* of goose is 30%\n"
            again = json.dumps({"type": "job.succeeded", "timestamp": "", "data": {"id": job_id}}).encode()
            signed = headers_of(job_id, again, secret=WEBHOOK_SECRET, now=datetime.now(UTC))
            told = [httpx.post(url, content=again, headers=headers).status_code for headers in (signed, signed, {})]
        finally:
            receiver.terminate()
        assert told == [204, 204, 401]
        assert receiver.stdout.read() == ""
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {f"{job_id}.png", f"{job_id}.txt"}
    assert Image.open(tmp_path / "kept" / f"{job_id}.png").size == (640, 498)


def test_a_night_explains_mistakes_once(stack: Stack, tmp_path: Path) -> None:
    for name, label in (("goose", "goose"), ("pizza", "plate"), ("black_bear", "brown bear")):
        (tmp_path / label).mkdir()
        shutil.copy(SAMPLES / f"{name}.jpg", tmp_path / label)
    (tmp_path / "goose" / "broken.jpg").write_text("no image")
    first = run_in(sys.executable, stack, NIGHTLY, tmp_path)
    assert first[0] == "2 of 3 photographs are taken for something else; 4 are new"
    page = (tmp_path / "page.html").read_text()
    titles = re.findall(r"<h2>(\S+): (.*) \((\d+)%\), and not (.*)</h2>", page)
    assert {(name, seen, right) for name, seen, _, right in titles} == {
        ("pizza.jpg", "pizza", "plate"),
        ("black_bear.jpg", "American black bear", "brown bear"),
    }
    assert int(titles[0][2]) >= int(titles[1][2])
    assert page.count('<img src="data:image/jpeg;base64,') == 4
    assert "http" not in page
    state = tmp_path / "page.json"
    known = json.loads(state.read_text())
    state.write_text(json.dumps(dict(list(known.items())[:1])))  # as if it had been stopped
    again = run_in(sys.executable, stack, NIGHTLY, tmp_path)
    assert again == ["2 of 3 photographs are taken for something else; 3 are new", first[1]]  # and no new jobs
    assert (tmp_path / "page.html").read_text() == page
    assert json.loads(state.read_text()) == known


@pytest.mark.parametrize("others_python", ["FIFTYONE"], indirect=True)
def test_a_dataset_of_fiftyone_has_heatmaps(stack: Stack, others_python: str, tmp_path: Path) -> None:
    shutil.copy(SAMPLES / "goose.jpg", tmp_path)
    (tmp_path / "broken.jpg").write_text("no image")
    told = run_in(others_python, stack, FIFTYONE, tmp_path)
    assert told[0].startswith("broken.jpg ")
    assert told[1].startswith("goose.jpg ('goose', 0.")
    assert told[2].startswith("saliency (498, 640) ")
    assert told[3:] == ["mask_10 (498, 640) 0.1", "mask_30 (498, 640) 0.2"]  # of the network's crop


@pytest.mark.parametrize("others_python", ["LABEL_STUDIO"], indirect=True)
def test_label_studio_has_masks_as_predictions(stack: Stack, others_python: str, tmp_path: Path) -> None:
    shutil.copy(SAMPLES / "goose.jpg", tmp_path)
    told = run_in(others_python, stack, LABEL_STUDIO, tmp_path)
    assert told == ["https://pictures.test/goose.jpg 498 640 ['goose'] 0.2"]
