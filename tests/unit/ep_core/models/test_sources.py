"""The table of sources: each can be loaded, none is imported before it is needed, and names stand for their entries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from ep_core.errors import InvalidInput
from ep_core.models.registry import find_entry
from ep_core.models.sources.interface import NetworkSource, source_of
from ep_core.models.sources.model_list import ModelEntry
from ep_core.models.sources.table import SOURCES
from ep_core.schemas.model_card import Source

OWN = {"labels": ["a"], "preprocessing": {"input_size": [8, 8], "mean": [0, 0, 0], "std": [1, 1, 1]}}
OPTIONAL = "{'timm', 'transformers', 'open_clip'}"


@pytest.mark.parametrize("name", get_args(Source))
def test_every_source_has_a_class(name: Source) -> None:
    own = {} if SOURCES[name].has_description else OWN
    entry = ModelEntry.model_validate({name: "package.module:function" if name == "entry_point" else "name", **own})
    assert entry.source == name
    assert isinstance(source_of(entry), NetworkSource)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("resnet50", {"torchvision": "resnet50"}),
        ("resnet50:IMAGENET1K_V1", {"torchvision": "resnet50", "weights": "IMAGENET1K_V1"}),
        ("timm:org/name.tag", {"timm": "org/name.tag"}),
        ("huggingface:org/name", {"huggingface": "org/name"}),
        ("huggingface:org/name@refs/pr/3", {"huggingface": "org/name", "revision": "refs/pr/3"}),
        ("open_clip:ViT-B-32/openai", {"open_clip": "ViT-B-32", "weights": "openai"}),
        ("open_clip:ViT-B-32", {"open_clip": "ViT-B-32"}),
        ("open_clip:hf-hub:org/name@main", {"open_clip": "hf-hub:org/name", "revision": "main"}),
    ],
)
def test_a_name_stands_for_an_entry(name: str, keys: dict[str, str]) -> None:
    assert find_entry(name).model_dump(exclude_unset=True, exclude_none=True) == keys


@pytest.mark.parametrize("source", ["huggingface", "open_clip"])
def test_a_name_may_be_a_folder(tmp_path: Path, source: str) -> None:
    folder = tmp_path / "a@b"
    folder.mkdir()
    assert getattr(find_entry(f"{source}:{folder}"), source) == str(folder)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("huggingface:/no/such/folder", "there is no model 'huggingface:/no/such/folder': there is no folder"),
        ("huggingface:", "exactly one of"),
        ("huggingface:org/name@a b", "there is no model"),
    ],
)
def test_a_name_that_no_source_takes_is_told(name: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as error:
        find_entry(name)
    assert error.value.field == "model"


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    [
        "from ep_core.models import list_models, load_model; list_models(); load_model('mobilenet_v2', device='cpu')",
        "from contextlib import suppress; from ep_core.cli.main import main; sys.argv = ['ep', '--help']\n"
        "with suppress(SystemExit): main()",
    ],
    ids=["default models", "help"],
)
def test_no_optional_library_is_imported_before_it_is_needed(code: str) -> None:
    told = f"import sys\n{code}\nprint(sorted({OPTIONAL} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_model_list_imports_no_torch() -> None:
    told = "import sys; import ep_core.models.sources.model_list; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told], timeout=60, check=False).returncode == 0
