"""Results: reports as the service gives them, with their files."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from .core.reading import arguments_of
from .generated.schemas import ChannelsReport, ClassChannelsReport, CompareReport, ExtremalReport, JobRead

if TYPE_CHECKING:
    from .async_client import AsyncFile
    from .client import File

F = TypeVar("F")
K = TypeVar("K", str, float)


class Files(dict[K, F]):
    """Files by name or area; of one that isn't there, the error names those that are."""

    def __missing__(self, key: K) -> F:
        """Raise `KeyError`."""
        raise KeyError(
            f"there is no {key!r} in this result, only {', '.join(map(repr, self)) or 'nothing of the kind'}"
        )


@dataclass(kw_only=True, repr=False, eq=False)
class Result(Generic[F]):
    """Result of any task. Its files are fetched when they are asked for, and the service keeps them for a day or so."""

    job: JobRead
    document: dict[str, Any]
    """The report as it came."""
    files: Files[str, F]
    """All files by the names of the job's links: ``saliency``, ``curve``, ``masks/0.1``, ..."""
    file: Callable[[str], F]
    """The file of a link that stands in the report, such as ``result.contrast.mask``."""

    @property
    def dashboard(self) -> str:
        """The whole address of its page on the dashboard, for a browser."""
        return cast("File", self.file(self.job.links.dashboard)).url

    @property
    def bundle(self) -> F:
        """A zip of all files."""
        return self.files["bundle"]

    @overload
    def save(self: Result[File], folder: str | os.PathLike[str]) -> Path: ...
    @overload
    def save(self: Result[AsyncFile], folder: str | os.PathLike[str]) -> Awaitable[Path]: ...
    def save(self: Result[Any], folder: str | os.PathLike[str]) -> Any:
        """Write all files to a folder, which is made, and return the folder."""
        return self.bundle.extract(folder)

    def _repr_html_(self) -> str | None:
        """Return the page, or a picture of the result, for a notebook; an asynchronous client's isn't there yet."""
        from .client import File
        from .notebook import result_html

        return result_html(self) if all(isinstance(one, File) for one in self.files.values()) else None

    def _family(self, key: str) -> Files[str, F]:
        """Return the files of a family by their own names."""
        begin = f"{key}/"
        return Files({name.removeprefix(begin): one for name, one in self.files.items() if name.startswith(begin)})

    def _by_area(self, key: str) -> Files[float, F]:
        return Files({float(area): one for area, one in self._family(key).items()})

    def __repr__(self) -> str:
        found = [f"job={self.job.id!r}"]
        if self.job.found is not None:
            found = [f"{self.job.found.target.label!r}", f"optimal_area={self.job.found.optimal_area}", *found]
        return f"{type(self).__name__}({', '.join(found)})"


@dataclass(kw_only=True, repr=False, eq=False)
class Explanation(Result[F], ExtremalReport):
    """The masks of an image, one for each area."""

    @property
    def masks(self) -> Files[float, F]:
        """The mask of each area, at the image's size: white is kept, and 0 what the network doesn't see."""
        return self._by_area("masks")

    @property
    def overlays(self) -> Files[float, F]:
        """Each mask laid over the image."""
        return self._by_area("overlays")

    @property
    def saliency(self) -> F:
        """The mean of the masks as heat over the image."""
        return self.files["saliency"]

    @property
    def page(self) -> F:
        """The result as one HTML page, which opens from disk."""
        return self.files["page"]


@dataclass(kw_only=True, repr=False, eq=False)
class Comparison(Result[F], CompareReport):
    """Several methods on one image."""

    maps: Files[str, F] = field(default_factory=Files)
    """The map of each method that has one, in grey."""
    overlays: Files[str, F] = field(default_factory=Files)
    """The same as heat over the image."""

    def __post_init__(self) -> None:
        self.maps = Files({one.method: self.file(one.map) for one in self.methods if one.map})
        self.overlays = Files({one.method: self.file(one.overlay) for one in self.methods if one.overlay})

    @property
    def masks(self) -> Files[float, F]:
        """The extremal masks by their areas, where they were compared."""
        return self._by_area("masks")

    @property
    def picture(self) -> F:
        """All maps beside each other."""
        return self.files["comparison"]

    @property
    def page(self) -> F:
        """The comparison as one HTML page, which opens from disk."""
        return self.files["page"]


@dataclass(kw_only=True, repr=False, eq=False)
class Channels(Result[F], ChannelsReport):
    """Masks over the channels of a layer. `channels` are those of the optimal mask."""

    @property
    def channel_masks(self) -> F:
        """JSON: `masks` has a value in [0, 1] per channel, for each of `areas`."""
        return self.files["channel_masks"]

    @property
    def inversions(self) -> Files[str, F]:
        """Images that excite the layer, where `invert` was asked for: ``full``, ``masked``, ``comparison``."""
        return self._family("inversions")

    @property
    def saliency(self) -> F:
        """Where the chosen channels are, as heat over the image."""
        return self.files["saliency"]


@dataclass(kw_only=True, repr=False, eq=False)
class ClassChannels(Result[F], ClassChannelsReport):
    """The channels of a layer that a class needs."""

    @property
    def picture(self) -> F:
        """The top channels in one picture."""
        return self.files["sheet"]


KINDS: Mapping[str, type[Result[Any]]] = {
    "extremal": Explanation,
    "compare": Comparison,
    "channels": Channels,
    "class_channels": ClassChannels,
}
"""By the task; of a task that is new to this client, the result is a plain `Result`."""
_NO_FILES = frozenset({"self", "dashboard", "events", "result", "batch"})


def make_result(document: dict[str, Any], job: JobRead, file: Callable[[str], F]) -> Result[F]:
    """Return the result of a finished job.

    Args:
        document: its report, as JSON.
        job: the job.
        file: makes a file of a link.
    """
    files: Files[str, F] = Files()
    linked = {key: link for key, link in vars(job.links).items() if link}
    for key, link in (document["artifacts"] | linked).items():
        named = link.items() if isinstance(link, Mapping) else enumerate(link) if isinstance(link, list) else ()
        files |= {f"{key}/{name}": file(one) for name, one in named}
        if isinstance(link, str) and key not in _NO_FILES:
            files[key] = file(link)
    kind = KINDS.get(document["task"])
    common: dict[str, Any] = {"job": job, "document": document, "files": files, "file": file}
    if kind is None:
        return Result(**common)
    return kind(**arguments_of(_report_of(kind), document), **common)


def _report_of(kind: type[Any]) -> type[Any]:
    return next(one for one in kind.__mro__ if one.__module__ == ExtremalReport.__module__)
