"""Model list of the operator: a TOML file. Imports no torch.

A complete example; `docs/models.md` explains it::

    [models.resnet50]                        # one of torchvision's classifiers
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

A model has one architecture: `torchvision`, `timm` or `entry_point`. A `file` next to it holds its state dict. A `file`
alone is a whole network: a program of `torch.export`, or TorchScript.
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

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.:-]*$", max_length=200)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class PreprocessingTable(BaseModel):
    """`[models.NAME.preprocessing]`: what isn't given is the library's. `input_size` without `resize` stretches."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input_size: tuple[PositiveInt, PositiveInt] | None = None
    resize: PositiveInt | None = None
    interpolation: Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"] | None = None
    mean: tuple[Finite, Finite, Finite] | None = None
    std: tuple[PositiveFloat, PositiveFloat, PositiveFloat] | None = None


class ModelEntry(BaseModel):
    """`[models.NAME]`: where a model's network, labels and preprocessing come from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    torchvision: str | None = None
    timm: str | None = None
    entry_point: Annotated[str | None, Field(pattern=r"^[\w.]+:[\w.]+$")] = None
    file: Path | None = None
    weights: str | None = None
    sha256: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$")] = None
    kwargs: dict[str, Any] = {}
    labels: Literal["imagenet"] | Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    preprocessing: PreprocessingTable = PreprocessingTable()
    description: str = ""

    @property
    def source(self) -> Source:
        """Source of the architecture."""
        if self.torchvision:
            return "torchvision"
        if self.timm:
            return "timm"
        return "entry_point" if self.entry_point else "file"

    @field_validator("file")
    @classmethod
    def _beside_the_list(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        return file and _folder(info) / file

    @field_validator("labels", mode="before")
    @classmethod
    def _read_labels(cls, labels: object, info: ValidationInfo) -> object:
        if not isinstance(labels, str) or labels == "imagenet":
            return labels
        path = _folder(info) / labels
        try:
            return read_labels(path)
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"can't read labels from {path}: {error}") from error

    @model_validator(mode="after")
    def _consistent(self) -> ModelEntry:
        architectures = [key for key in ("torchvision", "timm", "entry_point") if getattr(self, key)]
        if len(architectures) > 1 or not (architectures or self.file):
            raise ValueError("give exactly one of torchvision, timm and entry_point, or a file alone")
        if self.weights and (self.source != "torchvision" or self.file):
            raise ValueError("weights: names weights of torchvision; a file takes their place")
        if self.sha256 and not self.file:
            raise ValueError("sha256: goes with a file")
        if self.kwargs and self.source == "file":
            raise ValueError("kwargs: a whole network in a file takes none")
        classes = self.kwargs.get("num_classes", 1)
        if self.labels is None and (type(classes) is not int or classes < 1):
            raise ValueError(
                f"kwargs.num_classes: {classes!r} leaves no classes to explain: give a whole number of at least 1, or "
                "`labels` to say that the outputs are classes"
            )
        if self.source in ("entry_point", "file"):
            self._check_own()
        return self

    def _check_own(self) -> None:
        """Raise where values are missing that only the author of the network knows."""
        table = self.preprocessing
        needed = {
            "labels": self.labels,
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
