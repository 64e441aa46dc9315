"""`ep explain` of several images: folders, page, tables, going on, and what can't be explained."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from ep_core.cli.main import app
from ep_core.cli.several_results import Item, as_page
from ep_core.schemas.reports.extremal import ExtremalReport
from tests.networks import model_list

SAMPLES = Path(__file__).parents[3] / "samples"
QUICK = ("--preset", "paper", "--iterations", "2", "--areas", "20,40%", "--no-check", "--threshold", "0.01")


def picture(path: Path, sample: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(SAMPLES / f"{sample}.jpg") as photograph:
        photograph.resize((48, 40)).save(path)


def run(folder: Path, *arguments: str | Path) -> Result:
    network = ("--models-file", folder / "models.toml", "--device", "cpu")
    return CliRunner().invoke(app, ["explain", *map(str, (*arguments, *network))])


def several(folder: Path, *options: str) -> Result:
    return run(folder, "a", "b/*", "--model", "plain", "--out", "results", *QUICK, *options)


def when(result: Path) -> dict[str, int]:
    return {str(path.relative_to(result)): path.stat().st_mtime_ns for path in result.rglob("result.json")}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with images, two of them named alike and one broken, and their results."""
    folder = tmp_path_factory.mktemp("several")
    (folder / "models.toml").write_text(model_list("plain", "slow"))
    picture(folder / "a" / "cat.png", "goose")
    picture(folder / "a" / "deeper" / "<b>[b]#1?.png", "pizza")
    picture(folder / "b" / "cat.png", "airliner")
    (folder / "b" / "broken.jpg").write_text("no picture")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = several(folder)
        assert done.exit_code == 1, done.output
        (folder / "said.txt").write_text(done.stdout)
        (folder / "errors.txt").write_text(done.stderr)
        yield folder


def test_each_image_has_a_folder_of_its_own_with_the_files_of_a_single_one(made: Path) -> None:
    assert run(made, "a/cat.png", "--model", "plain", "--out", "alone", *QUICK).exit_code == 0
    rows = json.loads((made / "results" / "results.json").read_text())["images"]
    folders = [row["folder"] for row in rows if row["folder"]]
    assert len(set(folders)) == 3
    assert [re.sub("-[0-9a-f]{12}$", "", folder) for folder in folders] == ["cat", "<b>[b]#1?", "cat"]
    files = {str(path.relative_to(made / "alone")) for path in (made / "alone").rglob("*.*")}
    for folder in folders:
        assert {
            str(path.relative_to(made / "results" / folder)) for path in (made / "results" / folder).rglob("*.*")
        } == files
    alone, same = (json.loads((made / path / "result.json").read_text()) for path in ("alone", f"results/{folders[0]}"))
    assert alone["curve"] == same["curve"]


def test_a_file_that_cannot_be_explained_is_a_line_and_the_rest_goes_on(made: Path) -> None:
    (line,) = [line for line in (made / "errors.txt").read_text().splitlines() if line.strip()]
    assert line.startswith("ep explain: b/broken.jpg: the bytes aren't a picture")
    said = (made / "said.txt").read_text()
    assert "1 of 4 could not be explained" in said
    assert said.count("cat.png") == 2
    assert "a/deeper/<b>[b]#1?.png" in said
    assert "3 of 4 have warnings: see index.html" in said


def test_the_tables_have_a_row_for_each_image(made: Path) -> None:
    document = json.loads((made / "results" / "results.json").read_text())
    assert document["params"]["areas"] == [0.2, 0.4]
    with (made / "results" / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["a/cat.png", "a/deeper/<b>[b]#1?.png", "b/broken.jpg", "b/cat.png"]
    for row, image in zip(rows, document["images"], strict=True):
        if image["error"]:
            assert row["error"] == image["error"]
            assert (row["label"], image["label"], image["curve"]) == ("", None, [])
            continue
        report = json.loads((made / "results" / image["folder"] / "result.json").read_text())
        assert image["label"] == row["label"] == report["target"]["label"]
        assert image["optimal_area"] == float(row["optimal_area"]) == report["optimal_area"] == 0.2
        assert image["probability"] == float(row["probability"]) == report["scores"]["original_probability"]
        assert [float(row["preserve 0.2"]), float(row["delete 0.4"])] == [
            report["curve"][0]["preserve"], report["curve"][1]["delete"],
        ]  # fmt: skip
        assert row["warnings"] == "; ".join(warning["detail"] for warning in report["warnings"])


def test_the_same_again_is_not_done_again(made: Path) -> None:
    before = when(made / "results")
    done = several(made)
    assert "3 of 4 were there already" in done.stderr
    assert when(made / "results") == before


def test_a_changed_file_other_parameters_and_half_a_result_are_done_anew(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    before = when(tmp_path / "results")
    picture(tmp_path / "b" / "cat.png", "school_bus")
    name = next(name for name in before if name.startswith("<b>"))
    (tmp_path / "results" / name).write_text("{")
    done = several(tmp_path)
    assert "1 of 4 were there already" in done.stderr
    after = when(tmp_path / "results")
    assert {name for name in after if after[name] != before.get(name)} >= {name}
    assert len(after) == len(before) + 1
    assert "were there already" not in several(tmp_path, "--seed", "1").stderr
    assert len(when(tmp_path / "results")) == len(before) + 1 + 3


def test_as_json_nothing_but_the_document_is_on_standard_output(made: Path) -> None:
    done = several(made, "--json")
    assert json.loads(done.stdout) == json.loads((made / "results" / "results.json").read_text())
    assert "1 of 4 could not be explained" in done.stderr


def test_a_class_that_is_not_there_is_said_once_and_nothing_is_written(made: Path) -> None:
    done = run(made, "a", "--model", "plain", "--out", "wrong", "--target", "dog")
    assert done.exit_code == 2
    assert "b/broken.jpg" not in done.stderr
    assert "'dog'" in done.stderr
    assert not (made / "wrong").exists()


def test_a_name_that_stands_for_nothing_is_said_before_the_work(made: Path) -> None:
    done = run(made, "a/cat.png", "nothing.png", "--model", "plain", "--out", "wrong")
    assert (done.exit_code, done.stderr.strip()) == (2, "ep explain: no such file or folder: nothing.png")


@pytest.mark.usefixtures("interruptible")
def test_when_the_user_stops_what_is_finished_stays(made: Path) -> None:
    out = made / "stopped"

    def stop() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if list(out.glob("*/result.json")):
                time.sleep(0.1)  # into the next image
                os.kill(os.getpid(), signal.SIGINT)
                return
            time.sleep(0.005)

    threading.Thread(target=stop, daemon=True).start()
    done = run(made, "a", "b/cat.png", "--model", "slow", "--out", out, *QUICK, "--iterations", "40")
    assert done.exit_code == 130
    said = re.search(r"stopped; (\d) of 3 are done and kept; the same command goes on from there", done.stderr)
    assert said is not None
    assert int(said[1]) < 3
    assert len(json.loads((out / "results.json").read_text())["images"]) == int(said[1])
    assert not list(out.rglob("*.half"))


def test_the_page_holds_all_pictures_and_leads_nowhere(made: Path) -> None:
    page = (made / "results" / "index.html").read_text()
    assert page.count('"data:image/jpeg;base64,') == 3
    assert page.count('"data:image/png;base64,') == 3 * 2
    assert not re.search(r"""https?://(?!www\.w3\.org/2000/svg)|@import|url\(|<link|href=|src=""", page)
    assert "<b>[b]" not in page


def test_where_an_images_file_is_gone_its_overlay_is_shown(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    folder = next((tmp_path / "results").glob("cat-*"))
    report = ExtremalReport.model_validate_json((folder / "result.json").read_bytes())
    item = Item(file="gone.png", path=tmp_path / "gone.png", folder=folder.name, report=report)
    page = as_page([item], tmp_path / "results")
    assert page.count('"data:image/jpeg;base64,') == 1
    assert '"data:image/png;base64,' not in page


def test_the_page_can_be_another_file(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made)
    done = several(made, "--html", "shown/all.html")
    assert "the page is shown/all.html; results.csv" in " ".join(done.stdout.split())
    assert (made / "shown" / "all.html").read_text() == (made / "results" / "index.html").read_text()
    refused = several(made, "--html", "a")
    assert (refused.exit_code, refused.stderr.strip()) == (
        2, "ep explain: --html names a file, and a is a folder: --out names those",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "options"), [("explain", QUICK), ("compare", ("--methods", "center,extremal", *QUICK))]
)
def test_one_image_can_be_a_page_alone(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, options: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    network = ("--model", "plain", "--models-file", str(made / "models.toml"), "--device", "cpu")
    chosen = [one for one in options if command == "explain" or one != "--no-check"]
    asked = [command, str(made / "a" / "cat.png"), *network, *chosen]
    done = CliRunner().invoke(app, [*asked, "--html", "deep/cat.html"])
    assert done.exit_code == 0, done.output
    assert "the page is deep/cat.html" in " ".join(done.stdout.split())
    assert [str(path) for path in tmp_path.rglob("*") if path.is_file()] == [str(tmp_path / "deep" / "cat.html")]
    both = CliRunner().invoke(app, [*asked, "--html", "cat.html", "--out", "out"])
    assert both.exit_code == 0, both.output
    held = (tmp_path / "cat.html").read_text()
    assert '"curve"' in held
    assert held == (tmp_path / "out" / "result.html").read_text()
