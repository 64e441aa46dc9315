"""Model list of the operator: a TOML file. Imports no torch.

A complete example; `docs/models.md` explains it::

    [models.resnet50]                        # one of torchvision's networks
    torchvision = "resnet50"
    weights = "IMAGENET1K_V2"                # optional

    [models.efficientnet-lite0]              # a function without arguments that returns a torch.nn.Module
    entry_point = "my_models:efficientnet_lite0"
    labels = "imagenet"                      # or a list, or a text file with a label per line
    preprocessing = { input_size = [224, 224], resize = 256, mean = [0.498, 0.498, 0.498], std = [0.502, 0.502, 0.502] }

    [models.flowers]                         # a state dict for an architecture
    torchvision = "resnet18"
    kwargs = { num_classes = 3 }
    file = "flowers.pth"                     # relative to this file
    sha256 = "..."                           # optional: 64 hex digits
    labels = ["daisy", "rose", "tulip"]

    [models.defects]                         # classes of which several may be there
    file = "defects.pt2"
    outputs = "sigmoid"                      # or "softmax"; "logit" for a network of a single score
    output = "classes"                       # optional: the scores among several outputs
    labels = ["crack", "dent", "rust"]
    preprocessing = { input_size = [320, 320], mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] }

    [models.pets]                            # images against texts
    huggingface = "openai/clip-vit-base-patch32"
    revision = "..."                         # the commit
    labels = ["cat", "dog"]
    template = "a photo of a {}"

    [models.look-alikes]                     # a vector that stands for the image, compared with a second picture's
    timm = "vit_small_patch14_dinov2.lvd142m"
    outputs = "embedding"

A model has one architecture: `torchvision`, `timm`, `huggingface`, `open_clip` or `entry_point` (`table.py`). A `file`
next to it holds its state dict. A `file` alone is a whole network: a program of `torch.export`, or TorchScript.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ep_core.errors import InvalidInput
from ep_core.schemas.model_card import Source
from ep_core.schemas.wording import lines

from .table import ARCHITECTURES, SOURCES, takers

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.:-]*$", max_length=200)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Texts = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]


class PreprocessingTable(BaseModel):
    """`[models.NAME.preprocessing]`: what isn't given is the library's. `input_size` without `resize` stretches."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input_size: tuple[PositiveInt, PositiveInt] | None = None
    resize: PositiveInt | None = None
    interpolation: Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"] | None = None
    mean: Annotated[tuple[Finite, ...], Field(min_length=1)] | None = None
    std: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _as_many(self) -> PreprocessingTable:
        if self.mean and self.std and len(self.mean) != len(self.std):
            raise ValueError(
                f"mean has {len(self.mean)} values and std {len(self.std)}: give one of each per channel of the network"
            )
        return self


_MISPLACED = {
    "weights": "names weights of {takers}; a file takes their place",
    "revision": "goes with {takers}",
    "texts": "goes with {takers}",
    "template": "goes with {takers}",
    "kwargs": "goes with {takers}; a whole network in a file takes none",
}
"""Keys that not all sources take, and the message where one doesn't."""


class ModelEntry(BaseModel):
    """`[models.NAME]`: where a model's network, labels and preprocessing come from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    torchvision: str | None = None
    timm: str | None = None
    huggingface: str | None = None
    open_clip: str | None = None
    entry_point: Annotated[str | None, Field(pattern=r"^[\w.]+:[\w.]+$")] = None
    file: Path | None = None
    weights: str | None = None
    revision: Annotated[str | None, Field(pattern=r"^[\w][\w./-]*$")] = None
    sha256: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$")] = None
    kwargs: dict[str, Any] = {}
    outputs: Literal["softmax", "sigmoid", "logit", "embedding", "detections", "maps"] | None = None
    output: str | int | None = None
    labels: Literal["imagenet"] | Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    texts: Texts | None = None
    template: str | None = None
    preprocessing: PreprocessingTable = PreprocessingTable()
    description: str = ""

    @property
    def source(self) -> Source:
        """Source of the architecture."""
        return next((source for source in ARCHITECTURES if getattr(self, source)), "file")

    @field_validator("file")
    @classmethod
    def _beside_the_list(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        return file and _folder(info) / file

    @field_validator("huggingface", "open_clip")
    @classmethod
    def _folder_beside_the_list(cls, place: str | None, info: ValidationInfo) -> str | None:
        """Return the path of a folder beside the list, or a name as it is; one like a path must be a folder."""
        if not place:
            return place
        folder = _folder(info) / place
        if folder.is_dir():
            return str(folder)
        if place.startswith((".", "/", "~")) or place.endswith("/") or place.count("/") > 1:
            raise ValueError(f"there is no folder {folder}")
        return place

    @field_validator("labels", "texts", mode="before")
    @classmethod
    def _read_lines(cls, given: object, info: ValidationInfo) -> object:
        if not isinstance(given, str) or (info.field_name == "labels" and given == "imagenet"):
            return given
        path = _folder(info) / given
        try:
            return read_labels(path)
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"can't read {info.field_name} from {path}: {error}") from error

    @field_validator("template")
    @classmethod
    def _one_place(cls, template: str | None) -> str | None:
        if template is not None and template.count("{}") != 1:
            raise ValueError(f"{template!r} must have one {{}}, where the label goes")
        return template

    @model_validator(mode="after")
    def _consistent(self) -> ModelEntry:
        architectures = [key for key in ARCHITECTURES if getattr(self, key)]
        if len(architectures) > 1 or not (architectures or self.file):
            listed = ", ".join(ARCHITECTURES[:-1])
            raise ValueError(f"give exactly one of {listed} and {ARCHITECTURES[-1]}, or a file alone")
        self._check_keys()
        if self.sha256 and not self.file:
            raise ValueError("sha256: goes with a file")
        classes = self.kwargs.get("num_classes", 1)
        if self.outputs == "embedding":
            self._check_embedding()
        elif self.labels is None and (type(classes) is not int or classes < 1):
            raise ValueError(
                f"kwargs.num_classes: {classes!r} leaves no classes to explain: give a whole number of at least 1, or "
                "`labels` to say that the outputs are classes"
            )
        if not SOURCES[self.source].has_description:
            self._check_own()
        return self

    def _check_keys(self) -> None:
        """Raise where a key has no meaning for the source, or beside another key."""
        for key, why in _MISPLACED.items():
            if getattr(self, key) and key not in SOURCES[self.source].keys:
                raise ValueError(f"{key}: {why.format(takers=takers(key))}")
        if self.outputs in ("detections", "maps") and SOURCES[self.source].has_description:
            raise ValueError(
                f"outputs: {self.outputs!r} is for an entry_point or a file; of {self.source}'s networks it is known"
            )
        if self.weights and self.file:
            raise ValueError(f"weights: {_MISPLACED['weights'].format(takers=takers('weights'))}")
        if self.template and self.texts:
            raise ValueError("template: makes texts of labels; leave it out, or the texts")

    def _check_embedding(self) -> None:
        """Raise where outputs can't be embeddings, or have names as classes do."""
        if not SOURCES[self.source].gives_embeddings:
            *firsts, last = (source for source, row in SOURCES.items() if row.gives_embeddings)
            raise ValueError(f"outputs: embedding goes with {', '.join(firsts)} and {last}, not with {self.source}")
        named = [key for key in ("labels", "texts", "template") if getattr(self, key)]
        if named:
            raise ValueError(f'{named[0]}: embeddings have no classes; leave it out, or outputs = "embedding"')

    def _check_own(self) -> None:
        """Raise where values are missing that only the author of the network knows."""
        table = self.preprocessing
        needed = {
            "labels": self.labels or (() if self.outputs == "embedding" else None),
            "preprocessing.input_size": table.input_size,
            "preprocessing.mean": table.mean,
            "preprocessing.std": table.std,
        }
        missing = [key for key, value in needed.items() if value is None]
        if missing:
            raise ValueError(f"{', '.join(missing)}: needed for a model from an entry_point or a file")


class _ModelList(BaseModel):
    model_config = ConfigDict(extra="forbid")

    models: Annotated[dict[Name, ModelEntry], Field(min_length=1)]


def read_model_list(path: Path) -> dict[str, ModelEntry]:
    """Return the entries of a model list, by name, in the file's order; label files are read, networks are not.

    Raises:
        InvalidInput: the file can't be read, or isn't a model list; the message names the entry and the key.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        return _ModelList.model_validate(data, context={"folder": path.parent}).models
    except ValidationError as error:
        raise InvalidInput(f"model list {path}: {'; '.join(lines(error.errors()))}", field="models_file") from error
    except (OSError, ValueError) as error:
        raise InvalidInput(f"model list {path} can't be read: {error}", field="models_file") from error


def read_labels(path: Path) -> list[str]:
    """Return the labels of a text file that has one a line; a byte order mark and empty lines at its end are none.

    Raises:
        OSError, UnicodeDecodeError: it can't be read.
        ValueError: a line in the middle is empty.
    """
    labels = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    while labels and not labels[-1]:
        labels.pop()
    if "" in labels:
        raise ValueError(f"line {labels.index('') + 1} of {path} is empty: a label goes on each, in the classes' order")
    return labels


def _folder(info: ValidationInfo) -> Path:
    return (info.context or {}).get("folder", Path())
