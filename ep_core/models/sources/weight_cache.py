"""Files of weights on this machine: where they are, and what they say without being read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from ep_core.schemas.trained import WeightFacts


def cache_path(url: str) -> Path:
    """Return where torch's hub cache has the file of `url`, or will have it."""
    return Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]


def facts_of_files(files: Sequence[Path], *, parameters: int | None = None) -> WeightFacts:
    """Return the facts on weights that lie in files; they aren't here where one is missing, or there is none."""
    if not files or not all(file.is_file() for file in files):
        return WeightFacts(parameters, weights_here=False)
    return WeightFacts(parameters, sum(file.stat().st_size for file in files), weights_here=True)
