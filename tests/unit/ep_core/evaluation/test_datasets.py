"""The official layouts of the data sets, in small."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ep_core.errors import InvalidInput
from ep_core.evaluation.data.coco import coco
from ep_core.evaluation.data.datasets import boxes, voc2007

SAMPLES = Path(__file__).parents[4] / "samples"
WIDTH, HEIGHT = 60, 40


def picture(path: Path, name: str = "goose") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(SAMPLES / f"{name}.jpg") as image:
        image.resize((WIDTH, HEIGHT)).save(path)
    return path


def rectangle(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def run_lengths(mask: np.ndarray) -> list[int]:
    """Uncompressed run lengths as in COCO: column by column, starting with what isn't the object."""
    flat = mask.flatten(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff([0, *edges, flat.size]).tolist()
    return [0, *lengths] if flat[0] else lengths


@pytest.fixture
def coco_folder(tmp_path: Path) -> Path:
    for name in ("one.jpg", "two.jpg", "three.jpg"):
        picture(tmp_path / "val2014" / name)
    polygon = [5, 5, 15, 5, 15, 25, 5, 25]
    objects = [
        {"image_id": 1, "category_id": 16, "iscrowd": 0, "segmentation": [polygon]},
        {
            "image_id": 1,
            "category_id": 16,
            "iscrowd": 1,
            "segmentation": {"size": [HEIGHT, WIDTH], "counts": run_lengths(rectangle(30, 0, 60, 10))},
        },
        {"image_id": 1, "category_id": 1, "iscrowd": 0, "segmentation": [[0, 0, 2, 0, 2, 2, 0, 2]]},
        {"image_id": 2, "category_id": 16, "iscrowd": 0, "segmentation": [polygon]},
    ]
    names = ("one.jpg", "two.jpg", "three.jpg")
    document = {
        "images": [
            {"id": k, "file_name": name, "width": WIDTH, "height": HEIGHT} for k, name in enumerate(names, start=1)
        ],
        "categories": [{"id": 1, "name": "person"}, {"id": 16, "name": "bird"}, {"id": 17, "name": "cat"}],
        "annotations": [one | {"id": k} for k, one in enumerate(objects, start=1)],
    }
    (tmp_path / "instances.json").write_text(json.dumps(document))
    return tmp_path


def test_coco_knows_pictures_categories_and_masks(coco_folder: Path) -> None:
    data = coco([(coco_folder / "val2014", coco_folder / "instances.json")])
    assert data.categories == ("person", "bird", "cat")
    assert data.areas == (0.018, 0.025, 0.05, 0.1)
    assert [scene.name for scene in data.scenes] == ["one", "two"]  # the third shows nothing
    one, two = data.scenes
    assert one.objects.keys() == {"person", "bird"}
    assert one.size == (HEIGHT, WIDTH)
    assert one.load().size == (WIDTH, HEIGHT)
    np.testing.assert_array_equal(two.objects["bird"](), rectangle(5, 5, 15, 25))
    both = rectangle(5, 5, 15, 25) | rectangle(30, 0, 60, 10)  # the crowd is an object, too
    np.testing.assert_array_equal(one.objects["bird"](), both)


def test_coco_prints_nothing(coco_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    coco([(coco_folder / "val2014", coco_folder / "instances.json")])
    assert capsys.readouterr().out == ""


def test_coco_parts_are_put_together_but_not_twice(coco_folder: Path) -> None:
    part = (coco_folder / "val2014", coco_folder / "instances.json")
    with pytest.raises(InvalidInput, match="two pictures are called one"):
        coco([part, part])
    picture(coco_folder / "train2014" / "four.jpg")
    document = json.loads(part[1].read_text())
    document["images"] = [{"id": 1, "file_name": "four.jpg", "width": WIDTH, "height": HEIGHT}]
    document["annotations"] = [one for one in document["annotations"] if one["image_id"] == 1]
    (coco_folder / "train.json").write_text(json.dumps(document))
    data = coco([part, (coco_folder / "train2014", coco_folder / "train.json")])
    assert [scene.name for scene in data.scenes] == ["one", "two", "four"]


def test_coco_says_what_is_missing(coco_folder: Path) -> None:
    with pytest.raises(InvalidInput, match="annotations_trainval2014"):
        coco([(coco_folder / "val2014", coco_folder / "nothing.json")])
    (coco_folder / "val2014" / "two.jpg").unlink()
    with pytest.raises(InvalidInput, match=r"1 of 3 pictures aren't there, .*two\.jpg first"):
        coco([(coco_folder / "val2014", coco_folder / "instances.json")])
    (coco_folder / "instances.json").write_text("[]")
    with pytest.raises(InvalidInput, match="no annotations of COCO"):
        coco([(coco_folder / "val2014", coco_folder / "instances.json")])


VOC_XML = f"""<annotation><filename>000001.jpg</filename>
<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>
<object><name>person</name><difficult>1</difficult>
  <bndbox><xmin>1</xmin><ymin>1</ymin><xmax>10</xmax><ymax>20</ymax></bndbox>
  <part><name>head</name><bndbox><xmin>30</xmin><ymin>1</ymin><xmax>40</xmax><ymax>9</ymax></bndbox></part></object>
<object><name>dog</name><difficult>0</difficult>
  <bndbox><xmin>21</xmin><ymin>11</ymin><xmax>60</xmax><ymax>40</ymax></bndbox></object>
<object><name>dog</name><difficult>0</difficult>
  <bndbox><xmin>1</xmin><ymin>1</ymin><xmax>1</xmax><ymax>1</ymax></bndbox></object>
</annotation>"""


@pytest.fixture
def voc_folder(tmp_path: Path) -> Path:
    base = tmp_path / "VOCdevkit" / "VOC2007"
    picture(base / "JPEGImages" / "000001.jpg")
    for name, text in (("Annotations/000001.xml", VOC_XML), ("ImageSets/Main/test.txt", "000001\n")):
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text(text)
    return tmp_path


def test_voc_boxes_count_from_one_and_include_the_last_pixel(voc_folder: Path) -> None:
    data = voc2007(voc_folder)
    (scene,) = data.scenes
    assert (scene.name, scene.size) == ("000001", (HEIGHT, WIDTH))
    assert len(data.categories) == 20
    assert data.areas == (0.025, 0.05, 0.1, 0.2)
    assert scene.objects.keys() == {"person", "dog"}
    np.testing.assert_array_equal(scene.objects["person"](), rectangle(0, 0, 10, 20))
    np.testing.assert_array_equal(scene.objects["dog"](), rectangle(20, 10, 60, 40) | rectangle(0, 0, 1, 1))


def test_voc_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"VOCdevkit/VOC2007 with ImageSets/Main/test\.txt"):
        voc2007(tmp_path)


def test_voc_says_which_annotation_is_broken(voc_folder: Path) -> None:
    annotation = voc_folder / "VOCdevkit" / "VOC2007" / "Annotations" / "000001.xml"
    annotation.write_text(VOC_XML.replace("<xmax>10</xmax>", ""))
    with pytest.raises(InvalidInput, match=r"000001\.xml"):
        voc2007(voc_folder)


def test_boxes_of_a_table(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "n01" / "a.jpg")
    table = tmp_path / "boxes.csv"
    table.write_text(
        "image,label,left,top,right,bottom\n"
        "n01/a.jpg,goose,10,5,20,25\n"
        "n01/a.jpg,goose,40.6,0,50,10\n"
        "n01/a.jpg,207,0,0,60,40\n"
    )
    data = boxes(tmp_path / "images", table)
    (scene,) = data.scenes
    assert data.categories == ("goose", "207")
    assert scene.name == "n01/a"
    two = rectangle(10, 5, 20, 25) | rectangle(41, 0, 50, 10)  # the middle of pixel 40 is left of 40.6
    np.testing.assert_array_equal(scene.objects["goose"](), two)
    assert scene.objects["207"]().all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image,label,left,top\na.jpg,goose,1,2\n", "lacks the columns right, bottom"),
        ("image,label,left,top,right,bottom\na.jpg,goose,1,2,x,4\n", r"boxes\.csv:2: a box needs four numbers"),
        ("image,label,left,top,right,bottom\nb.jpg,goose,1,2,3,4\n", r"1 of 1 pictures aren't there, .*b\.jpg"),
    ],
)
def test_boxes_say_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    table = tmp_path / "boxes.csv"
    table.write_text(text)
    with pytest.raises(InvalidInput, match=said):
        boxes(tmp_path, table)
    with pytest.raises(InvalidInput, match="can't read"):
        boxes(tmp_path, tmp_path / "nothing.csv")
