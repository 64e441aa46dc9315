"""The operator's model list: valid entries, and the messages of invalid ones."""

import re
from pathlib import Path

import pytest

from ep_core.errors import InvalidInput
from ep_core.models.sources.model_list import read_labels, read_model_list
from ep_core.models.sources.table import SOURCES

OWN = 'labels = ["a", "b"]\npreprocessing = { input_size = [32, 32], mean = [0, 0, 0], std = [1, 1, 1] }'
DOCS = Path(__file__).parents[4] / "docs" / "models.md"


@pytest.fixture
def read(tmp_path):
    """A function that reads a model list of this text."""

    def read_text(text: str):
        path = tmp_path / "models.toml"
        path.write_text(text)
        return read_model_list(path)

    return read_text


def test_entries_keep_their_order_and_sources(read):
    entries = read(
        f"""
        [models.z]
        torchvision = "resnet50"
        weights = "IMAGENET1K_V2"
        [models.b-1]
        timm = "resnet18.a1_in1k"
        [models."c:x.y"]
        entry_point = "package.module:Class.method"
        kwargs = {{ depth = 3 }}
        {OWN}
        [models.d]
        file = "whole.pt2"
        {OWN}
        [models.e]
        torchvision = "resnet18"
        file = "w.pth"
        """
    )
    assert [(name, entry.source) for name, entry in entries.items()] == [
        ("z", "torchvision"),
        ("b-1", "timm"),
        ("c:x.y", "entry_point"),
        ("d", "file"),
        ("e", "torchvision"),
    ]


def test_paths_are_relative_to_the_list(read, tmp_path):
    (tmp_path / "labels.txt").write_text("cat\ndog\nKöter\n", encoding="utf-8")
    entry = read('[models.a]\ntorchvision = "resnet18"\nfile = "sub/w.pth"\nlabels = "labels.txt"')["a"]
    assert entry.file == tmp_path / "sub" / "w.pth"
    assert entry.labels == ("cat", "dog", "Köter")
    assert read('[models.a]\ntorchvision = "resnet18"\nfile = "/weights/w.pth"')["a"].file == Path("/weights/w.pth")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("", r"models\.a: .*exactly one of"),
        ('torchvision = "resnet18"\ntimm = "resnet18"', r"models\.a: .*exactly one of"),
        ('torchvison = "resnet18"', r"models\.a\.torchvison: there is no such field"),
        ("torchvision = 18", r"models\.a\.torchvision: "),
        (f'entry_point = "package.module"\n{OWN}', r"models\.a\.entry_point: "),
        ('entry_point = "p:f"', r"models\.a: .*labels, preprocessing.input_size, preprocessing.mean"),
        ('file = "w.pt"\nlabels = ["a"]', r"models\.a: .*preprocessing.input_size"),
        ('timm = "resnet18"\nweights = "V1"', r"models\.a: .*weights: "),
        ('torchvision = "resnet18"\nweights = "V1"\nfile = "w.pth"', r"models\.a: .*weights: "),
        (f'torchvision = "resnet18"\nsha256 = "{"0" * 64}"', r"models\.a: .*sha256: goes with a file"),
        ('torchvision = "resnet18"\nfile = "w.pth"\nsha256 = "abc"', r"models\.a\.sha256: "),
        (f'file = "w.pt"\nkwargs = {{ n = 1 }}\n{OWN}', r"models\.a: .*kwargs: "),
        (
            'torchvision = "resnet18"\nlabels = "missing.txt"',
            r"models\.a\.labels: .*can't read labels from .*missing\.txt",
        ),
        ('torchvision = "resnet18"\nlabels = []', r"models\.a\.labels"),
        ('torchvision = "resnet18"\npreprocessing = { size = 3 }', r"models\.a\.preprocessing\.size: there is no"),
        ('torchvision = "resnet18"\npreprocessing = { std = [0, 1, 1] }', r"models\.a\.preprocessing\.std\.0: "),
        ('torchvision = "resnet18"\npreprocessing = { mean = [nan, 1, 1] }', r"models\.a\.preprocessing\.mean\.0: "),
        ('torchvision = "resnet18"\npreprocessing = { input_size = [0, 3] }', r"preprocessing\.input_size\.0: "),
        ('torchvision = "resnet18"\npreprocessing = { interpolation = "cubic" }', r"preprocessing\.interpolation: "),
    ],
)
def test_a_wrong_entry_is_named_with_file_entry_and_key(read, tmp_path, entry, said):
    with pytest.raises(InvalidInput, match=said) as error:
        read(f"[models.a]\n{entry}")
    assert str(tmp_path / "models.toml") in error.value.detail


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[models]",
        "[model.a]\ntorchvision = 'resnet18'",
        "[models.'a b']\ntorchvision = 'resnet18'",
        "[models.a",
        "\x00",
    ],
)
def test_what_is_no_model_list_is_refused(read, text):
    with pytest.raises(InvalidInput, match=r"model list .*models\.toml"):
        read(text)


def test_a_missing_list_is_named(tmp_path):
    with pytest.raises(InvalidInput, match=re.escape(str(tmp_path / "no.toml"))):
        read_model_list(tmp_path / "no.toml")


def test_the_documented_example_is_valid(tmp_path):
    example = re.search(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)[1]
    (tmp_path / "models.toml").write_text(example, encoding="utf-8")
    (tmp_path / "flowers.txt").write_text("daisy\nrose\ntulip\n")
    assert {entry.source for entry in read_model_list(tmp_path / "models.toml").values()} == {
        "torchvision",
        "timm",
        "entry_point",
        "file",
    }


@pytest.mark.parametrize("text", ["\ufeffcat\ndog\n", "cat\r\ndog\r\n", "cat \n dog\n\n\n", "cat\ndog"])
def test_a_label_file_has_no_labels_but_those_that_a_person_sees(tmp_path: Path, text: str) -> None:
    (tmp_path / "labels.txt").write_bytes(text.encode())
    assert read_labels(tmp_path / "labels.txt") == ["cat", "dog"]


def test_an_empty_line_between_labels_is_told(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat\n\ndog\n")
    with pytest.raises(ValueError, match=r"line 2 of .*labels\.txt is empty"):
        read_labels(tmp_path / "labels.txt")


def test_a_model_list_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text('[models.a]\ntorchvision = "resnet18"\n', encoding="utf-8-sig")
    assert list(read_model_list(path)) == ["a"]


def test_every_documented_list_is_valid(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    for name in ("flowers", "birds"):
        (tmp_path / f"{name}.txt").write_text("daisy\nrose\ntulip\n")
    entries = {}
    for block in blocks:
        (tmp_path / "models.toml").write_text(block, encoding="utf-8")
        entries |= read_model_list(tmp_path / "models.toml")
    assert {entry.source for entry in entries.values()} == set(SOURCES)
    assert entries["pets"].template == "a photo of a {}"
    assert entries["scenes"].texts is not None


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('huggingface = "org/name"\ntimm = "resnet18"', r"models\.a: .*exactly one of"),
        ('huggingface = "./folder"', r"models\.a\.huggingface: there is no folder .*folder"),
        ('open_clip = "some/deep/folder"', r"models\.a\.open_clip: there is no folder"),
        ('timm = "resnet18"\nrevision = "main"', r"models\.a: .*revision: goes with huggingface and open_clip"),
        ('huggingface = "org/name"\nrevision = "-x"', r"models\.a\.revision: "),
        ('torchvision = "resnet18"\ntexts = ["a"]', r"models\.a: .*texts: goes with huggingface and open_clip"),
        ('torchvision = "resnet18"\ntemplate = "a {}"', r"models\.a: .*template: goes with huggingface"),
        ('open_clip = "ViT-B-32"\ntemplate = "a photo"', r"models\.a\.template: 'a photo' must have one \{\}"),
        ('open_clip = "ViT-B-32"\ntemplate = "a {}"\ntexts = ["a"]', r"models\.a: .*template: makes texts of labels"),
        (
            'huggingface = "org/name"\nweights = "V1"',
            r"models\.a: .*weights: names weights of torchvision and open_clip",
        ),
        (
            'open_clip = "ViT-B-32"\nweights = "openai"\nfile = "w.pt"',
            r"models\.a: .*weights: .*a file takes their place",
        ),
        ('huggingface = "org/name"\nkwargs = { num_classes = 3 }', r"models\.a: .*kwargs: goes with torchvision, timm"),
        ('open_clip = "ViT-B-32"\ntexts = []', r"models\.a\.texts"),
        ('open_clip = "ViT-B-32"\ntexts = ["a", ""]', r"models\.a\.texts\.1: "),
        ('open_clip = "ViT-B-32"\ntexts = "missing.txt"', r"models\.a\.texts: .*can't read texts from .*missing\.txt"),
        ('huggingface = ""', r"models\.a: .*exactly one of"),
    ],
)
def test_a_wrong_entry_of_a_hub_is_named(read, entry, said):
    with pytest.raises(InvalidInput, match=said):
        read(f"[models.a]\n{entry}")


def test_a_folder_beside_the_list_is_found_and_other_places_are_names(read, tmp_path):
    (tmp_path / "vit").mkdir()
    (tmp_path / "texts.txt").write_text("a cat\na dog\n")
    entries = read(
        """
        [models.folder]
        huggingface = "vit"
        texts = "texts.txt"
        [models.name]
        huggingface = "org/vit"
        revision = "refs/pr/3"
        """
    )
    assert entries["folder"].huggingface == str(tmp_path / "vit")
    assert entries["folder"].texts == ("a cat", "a dog")
    assert entries["name"].huggingface == "org/vit"
