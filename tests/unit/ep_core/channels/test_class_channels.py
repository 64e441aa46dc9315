"""Per-class channels: the averaged optimal masks, and what excites the top ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from ep_core import ClassChannelsSpec, Classifier, InvalidInput, class_channels
from ep_core.channels import folder
from ep_core.channels.folder import explain_folder
from ep_core.channels.image_channels import ImageChannels, averaged_mask
from ep_core.channels.render import render_class
from ep_core.pictures.file_sizes import largest_files

SPEC = ClassChannelsSpec(layer="bands", areas=(1, 2, 4), threshold=0.65, target="lower", top=3, invert=False)


def banded(*rows: int, size: int = 32) -> Image.Image:
    """Red in some of eight rows of cells, of a square picture."""
    image = Image.new("RGB", (size, size))
    for row in rows:
        image.paste((255, 0, 0), (0, row * size // 8, size, (row + 1) * size // 8))
    return image


def test_the_mean_of_the_optimal_masks(bands: Classifier) -> None:
    # Rows 7 and 6 together, or row 7 alone, make up 65% of the score.
    images = [banded(4, 5, 6, 7), banded(4, 7), banded(4, 7, size=64)]
    found = class_channels(bands, images, SPEC, names=["a", "b", "c"])
    assert [one.optimal_area for one in found.images] == [2, 1, 1]
    assert found.weights.tolist() == pytest.approx([0, 0, 0, 0, 0, 0, 1 / 3, 1])
    assert [(one.channel, round(one.weight, 3)) for one in found.channels[:2]] == [(7, 1), (6, 0.333)]
    report = found.report()
    assert report.images[2].name == "c"
    assert report.weights[7] == 1
    assert report.channels[1].images[0].image == 0  # the only one with row 6


def test_images_without_an_optimal_mask_are_left_out(bands: Classifier) -> None:
    strict = SPEC.model_copy(update={"threshold": 1.0, "areas": (1, 2)})
    found = class_channels(bands, [banded(4, 5, 6, 7), banded(6, 7)], strict)
    assert [one.optimal_area for one in found.images] == [None, 2]
    assert found.weights.tolist() == [0, 0, 0, 0, 0, 0, 1, 1]
    with pytest.raises(InvalidInput, match="in none of the images"):
        class_channels(bands, [banded(4, 5, 6, 7)], strict)


def test_the_class_is_the_most_probable_one_over_all_unless_told(bands: Classifier) -> None:
    free = SPEC.model_copy(update={"target": None})
    assert class_channels(bands, [banded(0, 1), banded(7), banded(0)], free).target.label == "upper"
    assert class_channels(bands, [banded(0), banded(6, 7), banded(7)], free).target.label == "lower"


def test_no_image_is_told(bands: Classifier) -> None:
    with pytest.raises(InvalidInput, match="there are no images"):
        class_channels(bands, [], SPEC)


def test_averages_are_means_of_those_that_have_one() -> None:
    def one(area: int | None, *mask: float) -> ImageChannels:
        return ImageChannels("", 1.0, 0.5, area, torch.tensor(mask), torch.zeros(2), "share-of-original")

    assert averaged_mask([one(1, 1.0, 0.0), one(None, 1.0, 1.0), one(1, 0.5, 1.0)]).tolist() == [0.75, 0.5]


def test_progress_runs_evenly_to_the_total(bands: Classifier) -> None:
    seen: list[tuple[int, int]] = []
    spec = SPEC.model_copy(update={"invert": True})
    found = class_channels(
        bands, [banded(4, 7), banded(7)], spec, on_progress=lambda p: seen.append((p.iteration, p.total))
    )
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1]
    assert {total for _, total in seen} == {seen[0][1]}
    files = dict(render_class(found))
    assert set(files) == {"channels.png"} | {f"inversions/{one.channel}.png" for one in found.channels}
    assert sum(map(len, files.values())) <= sum(largest_files(found.spec, [(32, 32), (32, 32)], None))


def test_a_folder_goes_on_where_it_was_stopped(
    bands: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "load_model", lambda *_, **__: bands)
    paths = []
    for k, rows in enumerate([(4, 7), (6, 7), (7,)]):
        paths.append(tmp_path / f"{k}.png")
        banded(*rows).save(paths[-1])
    out = tmp_path / "out"

    def stop(progress: object) -> None:
        if len(list((out / "images").glob("*.json"))) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explain_folder(paths, out, SPEC, on_progress=stop)
    times = {path: path.stat().st_mtime_ns for path in (out / "images").glob("*.json")}
    resumed = explain_folder(paths, out, SPEC)
    assert len(list((out / "images").iterdir())) == 3
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())
    afresh = explain_folder(paths, tmp_path / "afresh", SPEC)
    assert torch.equal(resumed.weights, afresh.weights)
    assert resumed.report().channels == afresh.report().channels


def test_what_is_asked_otherwise_is_done_again(
    bands: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "load_model", lambda *_, **__: bands)
    banded(7).save(tmp_path / "a.png")
    for spec in (SPEC, SPEC.model_copy(update={"areas": (1, 3)}), SPEC.model_copy(update={"top": 1})):
        explain_folder([tmp_path / "a.png"], tmp_path / "out", spec)
    assert len(list((tmp_path / "out" / "images").iterdir())) == 2


def test_all_files_that_are_no_pictures_are_named(tmp_path: Path) -> None:
    banded(7).save(tmp_path / "good.png")
    for name in ("bad.png", "worse.jpg"):
        (tmp_path / name).write_bytes(b"no picture")
    paths = [tmp_path / name for name in ("bad.png", "good.png", "worse.jpg")]
    with pytest.raises(InvalidInput, match=r"bad\.png: .*worse\.jpg: "):
        explain_folder(paths, tmp_path / "out", SPEC)
