"""Description of a task: all that the engine, the workers, the API and the page need to know of one kind of job."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel

from ep_core.schemas.reports.report import TaskReport
from ep_core.schemas.specs.common import CommonSpec


def as_text(name: float | str) -> str:
    """Return a name of a file as text; of a number, the shortest decimal that reads back as the same one."""
    return name if isinstance(name, str) else repr(float(name))


@dataclass(frozen=True, kw_only=True)
class FileName:
    """Name of a file in a family of files: what stands in the braces of the family's pattern.

    Args:
        parameter: the name between the braces.
        description: of the names that there are.
        example: one of them.
        of: what one file is called in messages, such as "mask".
        listed: what the names are called in messages, such as "areas".
        pattern: regular expression of names, where not every text may be one.
    """

    parameter: str
    description: str
    example: str
    of: str
    listed: str
    pattern: str | None = None


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file of a result, or a family of files that differ by a name.

    Args:
        pattern: its path in the result, such as `saliency.png` or `masks/{area}.png`.
        media_type: its type.
        operation: the name of the API's operation that returns it.
        summary: its title.
        description: how it comes about.
        content: what the file holds.
        key: what a client calls it in `links`; None where the report names it.
        link: the description of that link.
        name: the names of a family; None for a single file.
        absent: what is said of a job without the family.
        has_frames: whether each file is there in the network's frame, too, as `{name}.model`.
        document: the model of a JSON file.
    """

    pattern: str
    media_type: str = "image/png"
    operation: str
    summary: str
    description: str
    content: str
    key: str | None = None
    link: str | None = None
    name: FileName | None = None
    absent: str = "has no such files"
    has_frames: bool = False
    document: type[BaseModel] | None = None

    def file(self, name: float | str = "", *, frame: Literal["image", "model"] = "image") -> str:
        """Return the path of the file in the result; `name` is one of the family's."""
        stem = as_text(name) + (".model" if frame == "model" and self.has_frames else "")
        return self.pattern.format(**({self.name.parameter: stem} if self.name else {}))

    def name_of(self, file: str) -> str | None:
        """Return the name of a family's file by its path in the result; None where it is no file of this family."""
        before, _, after = self.pattern.partition("{")
        after = after.partition("}")[2]
        is_own = self.name is not None and file.startswith(before) and file.endswith(after)
        return file[len(before) : len(file) - len(after)] if is_own else None


class FileKind(Enum):
    """Kind of a file, as far as it bounds the file's size."""

    MASK_IN_FRAME = auto()
    """A smooth mask in the network's frame."""
    MASK_ON_IMAGE = auto()
    """A smooth mask of the image's size."""
    GREY = auto()
    """Any grey picture of the image's size."""
    COLOUR = auto()
    """A picture in colour of the image's size, scaled down for screens."""
    COLOUR_IN_FRAME = auto()
    """A picture in colour of the network's frame."""
    TILES = auto()
    """A contact sheet."""
    TEXT = auto()
    """JSON, SVG or HTML without pictures."""
    EMBEDDED = auto()
    """Pictures inside of a page: the image, and `size` masks."""
    EMBEDDED_TILES = auto()
    """Small pictures inside of a page: the image, and `size` maps, each in grey and as heat."""
    FILM = auto()
    """A reveal."""


@dataclass(frozen=True)
class Bulk:
    """Files of one kind and size: `count` of them, of `size` tiles or bytes each (0: as large as the image says)."""

    kind: FileKind
    count: int = 1
    size: int = 0


TEXTS = 32_768
"""Bytes of a report and a plot without what grows with the request: JSON and SVG, about twice what was measured."""

Files: TypeAlias = Mapping[Artifact, Sequence[float | str]]
Place: TypeAlias = tuple[str | int, ...]
LayerUse: TypeAlias = Literal["masked", "read"]


@dataclass(frozen=True)
class Outcome:
    """Result of a task: its report and its files."""

    report: TaskReport
    files: Iterator[tuple[str, bytes]]
    """All files of the result but the report, as (name, bytes), made as they are asked for."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One kind of job.

    Args:
        name: the value of `task` in its spec and its report.
        spec: what can be asked.
        report: what is answered.
        run: dotted path of the function that runs it, `module:function`, resolved by workers only. It is called with
            the model, the images, the spec, and by name those of `ep_core.engine.run_task`; returns an `Outcome`.
        title: what a result is called.
        question: what is asked, in a sentence for those who don't know the method.
        tab: the tab of a form that offers it, beside others of that name; by default it has one of its title.
        python: the function of `ep_core` that does the same, where there is one.
        images: the least and the most images of a job.
        artifacts: all files that a result can have, the report left out.
        has_spatial_masks: whether there are masks on the network's frame, which may be too small for them.
        layer: `masked` where the masks are over a layer's channels, `read` where a layer may be named that is read.
        unit: what areas are: shares of the image, or counts of channels.
        picture: the key of the file that shows a result at a glance.
        form: the parameters that a short form offers, in its order.
        files: of a spec, the files that its result has, with the names of each family (of a single file: none); None
            for all of `artifacts`.
        bulk: of a spec, the number of images and the number of the layer's channels, what its files take; None for a
            picture in colour for each of `artifacts`, and a report.
        located: the fields that say where a file is, with their descriptions, by the part of the report that gets them.
        places: of a report, each of its parts that has files, as the path to it, and their names by field; the path
            `("artifacts",)` leads to the files of the whole report.
    """

    name: str
    spec: type[CommonSpec]
    report: type[TaskReport]
    run: str
    title: str
    question: str
    tab: str = ""
    python: str | None = None
    images: tuple[int, int] = (1, 1)
    artifacts: tuple[Artifact, ...] = ()
    has_spatial_masks: bool = False
    layer: LayerUse | None = None
    unit: Literal["share", "channels"] = "share"
    picture: str | None = None
    form: tuple[str, ...] = ("white_level",)
    files: Callable[[Any], Files] | None = None
    bulk: Callable[[Any, int, int], Iterable[Bulk]] | None = None
    located: Mapping[type[BaseModel], Mapping[str, str | None]] = field(default_factory=dict)
    places: Callable[[Any], Iterable[tuple[Place, Mapping[str, str]]]] | None = None

    def __post_init__(self) -> None:
        """Raise `ValueError` where the form or the picture name what isn't there."""
        unknown = [name for name in self.form if name not in self.spec.model_fields]
        if unknown:
            raise ValueError(f"the form of the task {self.name!r} names {unknown[0]!r}, which its spec lacks")
        if self.picture not in {None, *(one.key for one in self.artifacts)}:
            raise ValueError(f"the picture of the task {self.name!r} is {self.picture!r}, which is no key of its files")

    @property
    def takes_several(self) -> bool:
        """True where a job has several images."""
        return self.images[1] > 1

    def files_of(self, spec: CommonSpec) -> Files:
        """Return the files that the result of a spec has, with the names of each family."""
        return self.files(spec) if self.files else dict.fromkeys(self.artifacts, ())

    def single_files_of(self, spec: CommonSpec, among: Collection[str] | None = None) -> dict[str, str]:
        """Return the files that the result of a spec has one of, by what a client calls them.

        Args:
            spec: what is asked.
            among: the files that there are; None for all.
        """
        single = {one.key: one.file() for one in self.files_of(spec) if one.key is not None and one.name is None}
        return {key: file for key, file in single.items() if among is None or file in among}

    def bulk_of(self, spec: CommonSpec, *, images: int, channels: int) -> list[Bulk]:
        """Return what the files of a result take, the report included.

        Args:
            spec: what is asked.
            images: how many.
            channels: of the layer that is masked.
        """
        if self.bulk:
            return list(self.bulk(spec, images, channels))
        return [Bulk(FileKind.COLOUR, len(self.artifacts)), Bulk(FileKind.TEXT, size=TEXTS)]

    def places_of(self, report: TaskReport) -> list[tuple[Place, Mapping[str, str]]]:
        """Return each part of a report that has files, as the path to it, and their names by field."""
        return list(self.places(report)) if self.places else []
