"""What is posted: images of all kinds, parameters and options."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from extremal_client.core.forms import job_form
from extremal_client.core.images import file_part, image_parts, name_of
from extremal_client.core.messages import Part
from PIL import Image

PICTURE = np.arange(24, dtype=np.uint8).reshape(2, 4, 3) * 10


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Image.fromarray(PICTURE).save(tmp_path / "small.png")
    return tmp_path / "small.png"


def pixels(part: Part) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(part.content)))


def test_an_image_may_be_a_path_bytes_a_file_a_picture_or_an_array(path: Path) -> None:
    with path.open("rb") as file:
        given: list[tuple[Any, str]] = [
            (path, "small.png"),
            (str(path), "small.png"),
            (path.read_bytes(), "image"),
            (io.BytesIO(path.read_bytes()), "image"),
            (file, "small.png"),
            (Image.open(path), "small.png"),
            (Image.fromarray(PICTURE), "image"),
            (PICTURE, "image"),
        ]
        for one, name in given:
            (part,) = image_parts(one)
            assert (part.name, part.file_name) == ("image", name)
            np.testing.assert_array_equal(pixels(part), PICTURE)
    assert file_part("image", path).content == path.read_bytes()  # as it is, not encoded again


def test_a_picture_of_a_mode_that_png_lacks_is_sent_in_rgb() -> None:
    part = file_part("image", Image.new("CMYK", (3, 2), (0, 255, 255, 0)))
    assert pixels(part).tolist() == [[[255, 0, 0]] * 3] * 2


def test_an_address_is_left_to_the_service() -> None:
    assert image_parts("https://pictures.test/bus.jpg") == [Part("image_url", b"https://pictures.test/bus.jpg")]


def test_what_is_no_image_is_told(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"a Pillow image or an array, not 3"):
        image_parts(3)
    with pytest.raises(TypeError, match="open to read bytes"):
        image_parts(io.StringIO("text"))
    with pytest.raises(FileNotFoundError):
        image_parts(tmp_path / "none.jpg")
    assert name_of(Path("/photos/bus.jpg")) == "bus.jpg"


def test_options_are_parts_and_all_else_is_in_params(path: Path) -> None:
    asked = {
        "target": {"similar_to": "target_image"},
        "areas": np.array([0.1, 0.2]),
        "seed": np.int64(3),
        "target_image": path,
        "priority": "low",
        "keep_images": True,
        "webhook": None,
        "unheard_of": (1, 2),
    }
    form = job_form("extremal", [path], asked)
    (params,) = [part for part in form if part.name == "params"]
    assert (params.file_name, params.media_type) == (None, "application/json")
    assert json.loads(params.content) == {
        "task": "extremal",
        "target": {"similar_to": "target_image"},
        "areas": [0.1, 0.2],
        "seed": 3,
        "unheard_of": [1, 2],  # a newer service may take it; this one says what was meant
    }
    rest = {part.name: (part.content, part.file_name) for part in form if part.name != "params"}
    assert rest.pop("image") == rest.pop("target_image") == (path.read_bytes(), "small.png")
    assert rest == {"priority": (b"low", None), "keep_images": (b"true", None)}


def test_what_json_lacks_is_told() -> None:
    with pytest.raises(TypeError, match=r"<object .* can't be sent as JSON"):
        job_form("extremal", [], {"target": object()})
