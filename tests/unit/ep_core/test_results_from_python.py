"""Results in Python: saved into a folder, shown in a notebook, with a progress bar."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

import ep_core
from ep_core.cli.main import app
from ep_core.errors import NotFinite
from ep_core.extremal.notebook import PAGE_SIDE
from ep_core.extremal.page import page_html
from ep_core.models import Classifier, Preprocessing
from tests.networks import SIDE, model_list, plain
from tests.pictures import decode

SAMPLES = Path(__file__).parents[3] / "samples"
QUICK = {"preset": "paper", "iterations": 2, "check_extremality": False, "threshold": 0.01}


@pytest.fixture(scope="module")
def model() -> Classifier:
    half = (0.5, 0.5, 0.5)
    return Classifier(
        plain(),
        name="plain",
        labels=["<script>a", "b", "c"],
        preprocessing=Preprocessing(input_size=(SIDE, SIDE), mean=half, std=half),
    )


@pytest.fixture(scope="module")
def goose() -> Image.Image:
    with Image.open(SAMPLES / "goose.jpg") as photograph:
        return photograph.resize((60, 48))


@pytest.fixture(scope="module")
def found(model: Classifier, goose: Image.Image) -> ep_core.Explanation:
    return ep_core.explain(model, goose, {"areas": (0.1, 0.2, 0.4), **QUICK})


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_an_explanation_saves_the_files_that_the_command_writes(
    found: ep_core.Explanation, goose: Image.Image, tmp_path: Path
) -> None:
    goose.save(tmp_path / "goose.png")
    (tmp_path / "models.toml").write_text(model_list("plain"))
    options = ("--preset=paper", "--iterations=2", "--no-check", "--threshold=0.01", "--areas=10,20,40%")
    network = ("--model=plain", f"--models-file={tmp_path / 'models.toml'}", f"--out={tmp_path / 'command'}")
    done = CliRunner().invoke(app, ["explain", str(tmp_path / "goose.png"), *options, *network])
    assert done.exit_code == 0, done.output
    assert found.save(tmp_path / "new" / "saved") == tmp_path / "new" / "saved"
    assert names(tmp_path / "new" / "saved") == names(tmp_path / "command")
    for name in names(tmp_path / "command") - {"result.json", "result.html", "curve.svg"}:  # the model has another name
        assert (tmp_path / "command" / name).read_bytes() == (tmp_path / "new" / "saved" / name).read_bytes()
    report = json.loads((tmp_path / "new" / "saved" / "result.json").read_text())
    assert report == found.report().model_dump(mode="json")


def test_other_results_save_theirs(model: Classifier, goose: Image.Image, tmp_path: Path) -> None:
    channels = ep_core.explain_channels(model, goose, {"layer": "3", "areas": (2, 8), "iterations": 2})
    channels.save(str(tmp_path / "channels"))
    assert names(tmp_path / "channels") == {"result.json", "curve.svg", "saliency.png", "masks.json"}
    compared = ep_core.compare(model, goose, {"methods": ("center",), "areas": (0.2,)})
    compared.save(tmp_path / "compared")
    assert names(tmp_path / "compared") == {
        "result.json", "result.html", "curve.svg", "comparison.png", "maps/center.png", "heat/center.png",
    }  # fmt: skip


def test_what_cannot_be_saved_is_an_error(found: ep_core.Explanation, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OSError, match="taken"):
        found.save(tmp_path / "taken")
    point = found.curve[0].model_copy(update={"delete": float("nan")})
    with pytest.raises(NotFinite):
        replace(found, curve=[point, *found.curve[1:]]).save(tmp_path / "nan")
    assert not (tmp_path / "nan").exists()


class Shown(HTMLParser):
    """Tags of a piece of HTML, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_notebook_shows_the_masks_the_class_the_optimal_area_and_the_curve(found: ep_core.Explanation) -> None:
    shown = Shown(found._repr_html_())
    sources = [attributes["src"] or "" for tag, attributes in shown.tags if tag == "img"]
    jpegs = [source for source in sources if source.startswith("data:image/jpeg;base64,")]
    assert len(jpegs) == 1 + 3
    assert {decode(source).size for source in jpegs} == {(60, 48)}
    (curve,) = [source for source in sources if source.startswith("data:image/svg+xml;base64,")]
    svg = base64.b64decode(curve.partition(",")[2]).decode()
    assert svg.count("<circle") == 2 * 3
    text = " ".join(shown.text.split())
    assert text.startswith("<script>a, probability 0.9")
    assert "a* = 10% of the image" in text
    assert f"{found.curve[1].preserve:.2f} / {found.curve[1].delete:.2f}" in text


def test_a_notebook_has_the_page_in_a_frame_that_reaches_nothing_around_it(found: ep_core.Explanation) -> None:
    html = found._repr_html_()
    ((_, frame),) = [one for one in Shown(html).tags if one[0] == "iframe"]
    assert frame["srcdoc"] == page_html(found, PAGE_SIDE)
    assert frame["sandbox"] == "allow-scripts"
    assert len(html) < 400_000


def test_where_frames_are_taken_out_a_notebook_needs_no_script_no_style_sheet_and_nothing_outside(
    found: ep_core.Explanation,
) -> None:
    without = re.sub(r"<iframe.*?</iframe>", "", found._repr_html_(), flags=re.DOTALL)
    assert {tag for tag, _ in Shown(without).tags} <= {"div", "p", "strong", "table", "tr", "td", "img"}
    assert not re.search(r"https?://|url\(", without)


def test_of_a_long_sweep_a_notebook_shows_some_masks_and_that_of_the_optimal_area(
    model: Classifier, goose: Image.Image
) -> None:
    areas = tuple(k / 50 for k in range(1, 40))
    long = ep_core.explain(model, goose, {**QUICK, "areas": areas, "threshold": 0.9})
    text = " ".join(Shown(long._repr_html_()).text.split())
    shown = [float(one) for one in re.findall(r"([\d.]+)%", text.split(" the image ")[1].split(" scores ")[0])]
    assert len(shown) in (8, 9)
    assert shown[0] == 2
    assert shown[-1] == 78
    assert long.optimal_area is not None
    assert round(100 * long.optimal_area, 1) in shown


def test_a_class_without_a_probability_and_an_area_that_is_not_there(found: ep_core.Explanation) -> None:
    scores = found.scores.model_copy(update={"original_probability": None, "threshold": 99.0})
    text = " ".join(Shown(replace(found, scores=scores)._repr_html_()).text.split())
    assert "probability" not in text
    assert "No area of the sweep reaches the threshold." in text


def test_a_progress_bar_is_drawn_where_it_is_wanted_and_the_own_callback_is_called(
    model: Classifier, goose: Image.Image, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, as far as rich can tell
    seen: list[int] = []
    spec = {"areas": (0.2,), **QUICK}
    ep_core.explain(model, goose, spec, on_progress=lambda progress: seen.append(progress.iteration))
    assert capsys.readouterr().err == ""
    both = {"on_progress": lambda progress: seen.append(-progress.iteration), "show_progress": True}
    ep_core.explain(model, goose, spec, **both)
    said = capsys.readouterr()
    assert "explaining" in said.err
    assert "100%" in said.err
    assert said.out == ""
    assert seen == [*seen[: len(seen) // 2], *(-one for one in seen[: len(seen) // 2])]
    ep_core.compare(model, goose, {"methods": ("center",), "areas": (0.2,)}, show_progress=True)
    assert "comparing" in capsys.readouterr().err
    ep_core.explain_channels(model, goose, {"layer": "3", "areas": (2,), "iterations": 2}, show_progress=True)
    assert "explaining channels" in capsys.readouterr().err
    easy = {"layer": "3", "areas": (8,), "iterations": 2, "threshold": 0.01}
    ep_core.class_channels(model, [goose], easy, show_progress=True)
    assert "explaining a class" in capsys.readouterr().err
