"""Request for the explanations of a dataset, as each process that works on it is given it. Imports no torch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ep_core.schemas.specs import ExtremalSpec
from ep_core.version import __version__

from .storage import Folder
from .store import MasksIn, Store


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to do with the images of a dataset."""

    out: str
    """Folder of the results: a path or an fsspec URL, the same for all processes."""
    spec: ExtremalSpec
    models_file: Path | None = None
    device: str | None = None
    target_picture: bytes | None = None
    """The target's own, one for all images."""
    masks: MasksIn = "files"
    at_once: int | None = None
    """Images on their way at once, of each process."""

    def store(self) -> Store:
        """Return the store of what was found."""
        return Store(Folder(self.out), self.masks)

    def origin(self, model_digest: str) -> dict[str, Any]:
        """Return all that results depend on besides the images, as JSON holds it."""
        picture = self.target_picture
        return {
            "version": __version__,
            "model_digest": model_digest,
            "target_picture": None if picture is None else hashlib.sha256(picture).hexdigest(),
            "masks": self.masks,
            "params": self.spec.model_dump(mode="json"),
        }
