"""A notebook, executed cell by cell: progress below the cells, the page of a result, two results beside each other."""

from __future__ import annotations

import html
import os
import re
from typing import Any

import httpx
import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from tests.running_stack import SAMPLES, Stack

pytestmark = pytest.mark.e2e

CELLS = [
    f"""
from extremal_client import Client, beside
client = Client()
quick = {{"iterations": 5, "check_extremality": False, "alternatives": 0, "contrast": False}}
goose = client.explain({str(SAMPLES / "goose.jpg")!r}, areas=[0.3], reuse=False, **quick)
print(goose.page.url)
goose""",
    f"""
found = client.channels({str(SAMPLES / "goose.jpg")!r}, areas=[5], iterations=3)
found""",
    """
import ep_core
from PIL import Image
from ep_core.models import Classifier, Preprocessing
from tests.networks import plain
half = (0.5, 0.5, 0.5)
seen = Preprocessing(input_size=(64, 64), mean=half, std=half)
model = Classifier(plain(), name="plain", labels=["a", "b", "c"], preprocessing=seen)
image = Image.effect_noise((90, 70), 80).convert("RGB")
here = ep_core.explain(model, image, {"areas": (0.2,), "iterations": 10})
here""",
    'ep_core.compare(model, image, {"methods": ("center", "gradient"), "areas": (0.2,)})',
    "beside(goose, here)",
]


class Watched(NotebookClient):
    """Executes a notebook and keeps all that its cells show meanwhile."""

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> Any:
        shown = msg["content"].get("data", {}).get("text/html", "")
        self.bars = getattr(self, "bars", []) + [(cell_index, shown)] * shown.count("<progress")
        return super().process_message(msg, cell, cell_index)


def output_of(cell: NotebookNode) -> str:
    """The HTML that a cell's value is shown as."""
    (shown,) = [one for one in cell.outputs if one.output_type == "execute_result"]
    return str(shown.data["text/html"])


def test_the_example_runs_as_it_is(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "EP_URL", stack.url)
    path = SAMPLES.parent / "examples" / "explain.ipynb"
    notebook = nbformat.read(path, as_version=4)
    assert [cell.outputs for cell in notebook.cells if cell.cell_type == "code"] == [[]] * 4
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(path.parent)}}).execute()
    bear, curve, mask, both = [cell for cell in notebook.cells if cell.cell_type == "code"]
    printed, _ = curve.outputs
    assert re.match(rf"American black bear 0\.[14] {stack.url}/#/job/[0-9a-f]{{32}}$", printed.text)
    assert mask.outputs[0].data["text/plain"] == "((427, 640), True)"
    assert output_of(bear) in output_of(both)
    assert output_of(both).count("srcdoc=") == 2


def test_a_notebook_shows_progress_and_results(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "EP_URL", stack.url)
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    client = Watched(notebook, timeout=240, resources={"metadata": {"path": str(SAMPLES.parent)}})
    client.execute()
    nbformat.validate(notebook)
    assert {index for index, _ in client.bars} == {0, 1, 2, 3}
    texts = [shown for index, shown in client.bars if index == 0]
    assert texts[0] == 'extremal <progress value="0.000" max="1"></progress> 0% '
    assert len(set(texts)) > 2
    for cell in notebook.cells:
        displays = [one.data["text/html"] for one in cell.outputs if one.output_type == "display_data"]
        assert set(displays) <= {""}  # the bars are gone
    goose, channels, here, compared, both = map(output_of, notebook.cells)
    page = httpx.get(notebook.cells[0].outputs[-2].text.strip()).text
    assert f'srcdoc="{html.escape(page)}"' in goose
    assert channels.startswith('<img src="data:image/png;base64,')
    assert "srcdoc=" in compared
    assert goose in both
    assert here in both
