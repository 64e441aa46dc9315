"""Listings of datasets: folders, patterns, Parquet and WebDataset shards, and the bytes of their images."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ep_core.dataset.items import Item, Reader, Unread
from ep_core.dataset.listing import Reading, list_items
from ep_core.errors import InvalidInput


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


def shard(path: Path, members: Mapping[str, bytes]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def found(where: str | Path, **reading: str | bool) -> list[tuple[str, str | None, bytes]]:
    reader = Reader()
    items = list_items(str(where), Reading(**reading))  # type: ignore[arg-type]
    return [(item.id, item.label, reader.read(item)) for item in items]


def test_a_folder_has_its_images_with_the_names_of_their_folders_as_labels(tmp_path: Path) -> None:
    put(tmp_path, "b/two.PNG", "a/deep/one.jpg", "top.webp", ".hidden/no.jpg", "a/.no.jpg", "a/notes.txt", "out/no.png")
    items = list_items(str(tmp_path), beside=str(tmp_path / "out"))
    assert [(one.id, one.label) for one in items] == [
        ("a/deep/one.jpg", "deep"), ("b/two.PNG", "b"), ("top.webp", None),
    ]  # fmt: skip
    assert Reader().read(items[1]) == b"b/two.PNG"
    assert {label for _, label, _ in found(tmp_path, labels=False)} == {None}
    assert found(tmp_path / "b" / "*.PNG") == [("two.PNG", None, b"b/two.PNG")]
    assert [name for name, *_ in found(tmp_path / "[ab]" / "**")] == ["a/deep/one.jpg", "b/two.PNG"]
    assert found(tmp_path / "top.webp") == [("top.webp", None, b"top.webp")]


def test_an_url_is_listed_and_read_alike() -> None:
    files = fsspec.filesystem("memory")
    files.pipe({"/photos/cat/a.jpg": b"a", "/photos/dog/b.jpg": b"b"})
    try:
        assert found("memory://photos") == [("cat/a.jpg", "cat", b"a"), ("dog/b.jpg", "dog", b"b")]
        assert list_items("memory://photos/*/b.jpg")[0].url == "memory:///photos/dog/b.jpg"
    finally:
        files.rm("/photos", recursive=True)


def test_a_webdataset_shard_has_an_image_for_each_member_with_the_class_of_its_sample(tmp_path: Path) -> None:
    shard(
        tmp_path / "0.tar", {"n/1.jpg": b"one", "n/1.cls": b"7\n", "2.left.png": b"two", "2.cls": b"dog", "2.txt": b"x"}
    )
    assert found(tmp_path) == [("0.tar/n/1.jpg", "7", b"one"), ("0.tar/2.left.png", "dog", b"two")]


def test_parquet_rows_are_images_whichever_row_group_they_are_in(tmp_path: Path) -> None:
    table = pa.table({"image": [b"0", b"1", None, b"3", b"4"], "label": ["a", "b", "c", None, "e"], "size": range(5)})
    pq.write_table(table, tmp_path / "all.parquet", row_group_size=2)
    items = list_items(str(tmp_path / "all.parquet"))
    assert [(one.id, one.label) for one in items] == [(f"all.parquet#{k}", label) for k, label in enumerate("abc")] + [
        ("all.parquet#3", None), ("all.parquet#4", "e"),
    ]  # fmt: skip
    reader = Reader()
    assert [reader.read(items[k]) for k in (4, 0, 3, 1)] == [b"4", b"0", b"3", b"1"]
    with pytest.raises(Unread, match="the row has nothing in 'image'"):
        reader.read(items[2])


def test_parquet_of_hugging_face_has_structs_and_names_of_classes(tmp_path: Path) -> None:
    known = {"info": {"features": {"fine": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    images = [{"bytes": b"x", "path": "x.jpg"}, {"bytes": b"y", "path": None}]
    table = pa.table({"photo": images, "fine": [1, 0]}).replace_schema_metadata({"huggingface": json.dumps(known)})
    pq.write_table(table, tmp_path / "a.parquet")
    assert found(tmp_path, label_column="fine") == [("a.parquet#0", "dog", b"x"), ("a.parquet#1", "cat", b"y")]


def test_parquet_may_name_the_images_files(tmp_path: Path) -> None:
    put(tmp_path, "files/a.jpg")
    pq.write_table(pa.table({"path": ["files/a.jpg", str(tmp_path / "files" / "a.jpg"), None]}), tmp_path / "a.parquet")
    items = list_items(str(tmp_path / "a.parquet"), Reading(image_column="path"))
    assert [Reader().read(one) for one in items[:2]] == [b"files/a.jpg"] * 2
    assert items[2].problem == "the row names no image"


def test_a_damaged_shard_is_an_item_with_the_problem_and_what_is_before_it_is_read(tmp_path: Path) -> None:
    shard(tmp_path / "a.tar", {"1.jpg": bytes(600), "2.jpg": bytes(600)})
    (tmp_path / "a.tar").write_bytes((tmp_path / "a.tar").read_bytes()[:1700] + b"x" * 600)
    (tmp_path / "b.parquet").write_bytes(b"no parquet")
    one, damaged, other = list_items(str(tmp_path))
    assert (one.id, len(Reader().read(one))) == ("a.tar/1.jpg", 600)
    for item, words in ((damaged, "the shard is damaged"), (other, "the Parquet file is damaged")):
        with pytest.raises(Unread, match=words):
            Reader().read(item)


def test_a_file_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unread, match="can't be read: No such file"):
        Reader().read(Item(id="gone", url=str(tmp_path / "gone.jpg")))


def test_what_is_no_dataset_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "a/notes.txt", "b/0.tar.gz")
    pq.write_table(pa.table({"x": [1], "left": [b""], "right": [b""]}), tmp_path / "two.parquet")
    for where, words in (
        (tmp_path / "a", "no images, Parquet files or WebDataset shards"),
        (tmp_path / "gone", "no images, Parquet files or WebDataset shards"),
        (tmp_path / "b", "0.tar.gz is compressed"),
        (tmp_path / "two.parquet", "name one with --column out of x, left, right"),
        ("nowhere://photos", "nowhere://photos can't be opened"),
    ):
        with pytest.raises(InvalidInput, match=words):
            list_items(str(where))
    with pytest.raises(InvalidInput, match="has no column 'middle': it has x, left, right"):
        list_items(str(tmp_path / "two.parquet"), Reading(image_column="middle"))
