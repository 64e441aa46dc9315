"""Results in folders: their files, and the report beside them."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path

from ep_core.schemas.finite import require_finite_report
from ep_core.schemas.reports.file_names import RESULT
from ep_core.schemas.reports.report import TaskReport
from ep_core.version import __version__


class Result(ABC):
    """Result of a task."""

    @abstractmethod
    def report(self) -> TaskReport:
        """Return everything but the pictures, as the document that the API serves."""

    @abstractmethod
    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield all files but the report as (name, bytes), made as they are asked for."""

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the files and the report (`result.json`) into a folder, as the command `ep` does; return the folder.

        Args:
            folder: made where it is missing. Files of the same names in it are replaced, others stay.

        Raises:
            OSError: the folder can't be made or written to.
            NotFinite: a number of the report isn't finite, so that JSON can't hold it; raised before anything is
                written.
        """
        return write_result(Path(folder), self.files(), self.report())


def write_result(folder: Path, files: Iterable[tuple[str, bytes]], report: TaskReport) -> Path:
    """Write a result: its files, and last its report, so that a folder with a report is a whole result.

    Args:
        folder: made where it is missing.
        files: as (name, bytes).
        report: written as `result.json`.

    Raises:
        OSError, NotFinite: as for `Result.save`.
    """
    require_finite_report(report)
    for name, data in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / RESULT, report.model_dump_json(indent=2) + "\n")
    return folder


def write_whole(path: Path, text: str) -> None:
    """Write a text file whole, or not at all."""
    half = path.with_name(f"{path.name}.half")
    half.write_text(text, encoding="utf-8")
    half.replace(path)


def result_key(data: bytes, *, model_digest: str, asked: str) -> str:
    """Return what an image's result is known by: 64 hex digits that depend on all that it depends on.

    Args:
        data: the bytes of the image's file.
        model_digest: of all that the model's results depend on (`Classifier.digest`).
        asked: the parameters, as JSON, and the `picture_digest` of the target's own picture.
    """
    return hashlib.sha256(f"{__version__} {model_digest} {asked} ".encode() + data).hexdigest()


def picture_digest(picture: Path | None) -> str:
    """Return what tells the file of a target's own picture from others, 64 hex digits; nothing where there is none."""
    return "" if picture is None else hashlib.sha256(picture.read_bytes()).hexdigest()
