"""`ep dataset`: rows and masks of all images, each content explained once; going on; actors without Ray around them."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import threading
import time
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

import ep_core
from ep_core.cli.main import app
from ep_core.dataset.claims import ClaimsHere
from ep_core.dataset.job import Job
from ep_core.dataset.listing import list_items
from ep_core.dataset.on_ray import Explaining
from ep_core.dataset.run import explain_dataset
from ep_core.dataset.tables import item_batches, outcomes_of
from ep_core.errors import ModelUnavailable
from ep_core.models import Classifier, load_model
from tests.networks import model_list

SAMPLES = Path(__file__).parents[4] / "samples"
QUICK = ("--preset", "paper", "--iterations", "2", "--areas", "20,40%", "--no-check", "--threshold", "0.01")
SPEC = ep_core.ExtremalSpec(
    model="plain",
    preset="paper",
    iterations=2,
    areas=(0.2, 0.4),
    check_extremality=False,
    threshold=0.01,
    alternatives=0,
    contrast=False,
)


def picture(path: Path, sample: str, size: tuple[int, int] = (48, 40)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(SAMPLES / f"{sample}.jpg") as photograph:
        photograph.resize(size).save(path)


def run(folder: Path, out: Path, *options: str, model: str = "plain") -> Result:
    network = ("--model", model, "--models-file", str(folder / "models.toml"), "--device", "cpu")
    return CliRunner().invoke(app, ["dataset", str(folder / "in"), str(out), *network, *QUICK, *options])


def rows(out: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in pq.read_table(out / "results.parquet").to_pylist()}


def parts(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (out / "explained").iterdir()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images in folders of classes, two of them alike, and one broken."""
    folder = tmp_path_factory.mktemp("dataset")
    (folder / "models.toml").write_text(model_list("plain", "slow", "nan"))
    picture(folder / "in" / "a" / "goose.png", "goose")
    picture(folder / "in" / "b" / "pizza.png", "pizza")
    picture(folder / "in" / "cow" / "bus.png", "school_bus")
    shutil.copy(folder / "in" / "b" / "pizza.png", folder / "in" / "a" / "again.png")
    (folder / "in" / "b" / "broken.jpg").write_text("no picture")
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> Classifier:
    return load_model("plain", models_file=folder / "models.toml", device="cpu")


@pytest.fixture(scope="module")
def made(folder: Path) -> Path:
    """The results of all of them."""
    done = run(folder, folder / "out")
    assert done.exit_code == 1, done.output
    (folder / "said.txt").write_text(done.output)
    return folder / "out"


def test_each_image_is_a_row_of_what_is_found_in_it_alone(folder: Path, made: Path, model: Classifier) -> None:
    found = rows(made)
    assert list(found) == ["a/again.png", "a/goose.png", "b/broken.jpg", "b/pizza.png", "cow/bus.png"]
    for name in ("a/goose.png", "b/pizza.png", "a/again.png"):
        alone = ep_core.explain(model, folder / "in" / name, SPEC)
        report, row = alone.report(), found[name]
        assert row["curve"] == [{key: getattr(point, key) for key in row["curve"][0]} for point in report.curve]
        assert (row["optimal_area"], row["target"]["label"]) == (report.optimal_area, report.target.label)
        assert row["scores"]["original"] == report.scores.original
        assert report.scores.predictions is not None
        assert row["predicted"]["index"] == report.scores.predictions.original[0].index
        for area, mask in zip(("0.2", "0.4"), alone.masks, strict=True):
            with Image.open(made / "masks" / row["digest"][:2] / row["digest"] / f"{area}.png") as shown:
                assert np.array_equal(np.asarray(shown), np.round(mask[0].numpy() * 255))
    assert [(row["label"], row["label_index"]) for row in found.values()] == [
        ("a", 0), ("a", 0), ("b", 1), ("b", 1), ("cow", None),
    ]  # fmt: skip
    assert all(
        row["right"]
        == (None if row["label"] == "cow" or row["problem"] else row["predicted"]["index"] == row["label_index"])
        for row in found.values()
    )


def test_a_broken_file_is_a_row_with_its_problem_and_the_rest_goes_on(folder: Path, made: Path) -> None:
    row = rows(made)["b/broken.jpg"]
    assert row["problem"].startswith("the bytes aren't a picture")
    assert (row["curve"], row["optimal_area"], len(row["digest"])) == (None, None, 64)
    said = (folder / "said.txt").read_text()
    assert "ep dataset: b/broken.jpg: the bytes aren't a picture" in said
    assert "4 of 5 images explained; median a*: 20.0%" in said


def test_a_content_is_explained_once_and_the_same_again_explains_nothing(folder: Path, made: Path) -> None:
    found, before = rows(made), parts(made)
    assert found["a/again.png"]["digest"] == found["b/pizza.png"]["digest"]
    written = [row["digest"] for name in before for row in pq.read_table(made / "explained" / name).to_pylist()]
    assert sorted(written) == sorted({row["digest"] for row in found.values()})
    assert run(folder, made).exit_code == 1
    assert (parts(made), rows(made)) == (before, found)


def test_what_is_new_is_explained_and_what_is_gone_leaves(folder: Path, made: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    picture(tmp_path / "in" / "b" / "plane.png", "airliner")
    (tmp_path / "in" / "b" / "broken.jpg").unlink()
    before = parts(tmp_path / "out")
    assert run(tmp_path, tmp_path / "out").exit_code == 0
    assert list(rows(tmp_path / "out")) == ["a/again.png", "a/goose.png", "b/pizza.png", "b/plane.png", "cow/bus.png"]
    assert len(parts(tmp_path / "out").keys() - before.keys()) == 1


def test_a_run_that_is_stopped_at_once_loses_no_row(
    folder: Path, made: Path, model: Classifier, tmp_path: Path
) -> None:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    job = Job(out=str(tmp_path), spec=SPEC, models_file=folder / "models.toml", device="cpu")
    found = explain_dataset(job, model, list_items(str(folder / "in")), is_stopped=lambda: True)
    assert (found.images, found.explained) == (5, 4)
    assert rows(tmp_path) == rows(made)


def test_other_parameters_need_another_folder(folder: Path, made: Path) -> None:
    before = rows(made)
    done = run(folder, made, "--seed", "1")
    assert done.exit_code == 2
    assert "has results of another run: seed was 0 and is 1. Name another folder" in " ".join(done.stderr.split())
    assert rows(made) == before


def test_masks_of_parquet_files_and_labels_left_out(folder: Path, made: Path, tmp_path: Path) -> None:
    assert run(folder, tmp_path, "--masks", "parquet", "--no-labels").exit_code == 1
    held = [row for part in (tmp_path / "masks").iterdir() for row in pq.read_table(part).to_pylist()]
    assert len(held) == 3 * 2
    for row in held:
        name = made / "masks" / row["digest"][:2] / row["digest"] / f"{row['mask']}.png"
        assert row["png"] == name.read_bytes()
    assert {(row["label"], row["right"]) for row in rows(tmp_path).values()} == {(None, None)}


def test_results_at_an_url_are_those_of_a_folder(folder: Path, made: Path, model: Classifier) -> None:
    job = Job(out="memory://dataset/out", spec=SPEC, models_file=folder / "models.toml", device="cpu")
    items = list_items(str(folder / "in"))
    try:
        files, written = fsspec.filesystem("memory"), []
        for _ in range(2):  # the second time, nothing is explained
            assert explain_dataset(job, model, items).explained == 4
            written.append(files.ls("/dataset/out/explained", detail=False))
        assert written[0] == written[1] != []
        table = pq.read_table(io.BytesIO(files.cat_file("/dataset/out/results.parquet"))).drop_columns(["seconds"])
        assert table.equals(pq.read_table(made / "results.parquet").drop_columns(["seconds"]))
        for mask in (made / "masks").rglob("*.png"):
            assert files.cat_file(f"/dataset/out/{mask.relative_to(made).as_posix()}") == mask.read_bytes()
    finally:
        fsspec.filesystem("memory").rm("/dataset", recursive=True)


def test_a_network_that_gives_no_numbers_is_refused_before_the_work(folder: Path, tmp_path: Path) -> None:
    done = run(folder, tmp_path / "out", model="nan")
    assert done.exit_code == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("interruptible")
def test_when_the_user_stops_what_is_finished_stays_and_the_same_command_goes_on(folder: Path, tmp_path: Path) -> None:
    def stop() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if list((tmp_path / "explained").glob("*.parquet")):
                os.kill(os.getpid(), signal.SIGINT)
                return
            time.sleep(0.005)

    threading.Thread(target=stop, daemon=True).start()
    slow = ("--iterations", "10", "--at-once", "1")
    done = run(folder, tmp_path, *slow, model="slow")
    assert done.exit_code == 130
    said = re.search(r"stopped; (\d) of 5 are done and kept; the same command goes on", " ".join(done.stderr.split()))
    assert said is not None
    assert len(rows(tmp_path)) == int(said[1]) < 5
    assert (tmp_path / "index.html").exists()
    before = parts(tmp_path)
    assert run(folder, tmp_path, *slow, model="slow").exit_code == 1
    assert before.items() <= parts(tmp_path).items()
    assert len(rows(tmp_path)) == 5


def test_an_actor_passes_over_what_another_one_has_written(folder: Path, model: Classifier, tmp_path: Path) -> None:
    """A batch comes again where an actor was killed: before, in the middle of, or after it has told of it."""
    job = Job(out=str(tmp_path), spec=SPEC, models_file=folder / "models.toml", device="cpu")
    (batch,) = item_batches(list_items(str(folder / "in")), 5)
    claims = ClaimsHere()
    threads = torch.get_num_threads()
    Explaining(job, model.digest, claims, threads)(batch.slice(0, 3))
    before = parts(tmp_path)
    answer = list(outcomes_of(Explaining(job, model.digest, claims, threads)(batch)))
    assert sorted(one.place for one in answer) == [0, 1, 2, 3, 4]
    assert before.items() <= parts(tmp_path).items()
    written = [
        row["digest"] for name in parts(tmp_path) for row in pq.read_table(tmp_path / "explained" / name).to_pylist()
    ]
    assert sorted(written) == sorted({one.digest for one in answer if one.digest})


def test_a_fault_of_an_actor_is_one_of_the_run(folder: Path, model: Classifier, tmp_path: Path) -> None:
    job = Job(out=str(tmp_path), spec=SPEC, models_file=folder / "models.toml", device="cpu")
    (batch,) = item_batches(list_items(str(folder / "in")), 5)
    threads = torch.get_num_threads()
    with pytest.raises(ModelUnavailable, match="other weights or settings on a node"):
        list(outcomes_of(Explaining(job, "sha256:other", ClaimsHere(), threads)(batch)))
    (tmp_path / "masks").write_text("in the way")
    with pytest.raises(OSError, match="masks"):
        list(outcomes_of(Explaining(job, model.digest, ClaimsHere(), threads)(batch)))
