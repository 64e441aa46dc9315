"""Folders of networks' files: the operator's own, or fetched from the Hugging Face Hub at a revision."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.models.checks.brief import brief

from .interface import missing_extra

log = logging.getLogger(__name__)

TEXT_FILES = ("*.json", "*.txt", "*.model")
"""Configurations, and vocabularies of tokenizers. No code: that is never fetched."""

_PICKLES = (".bin", ".ckpt", ".pt", ".pth")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def network_folder(place: str, revision: str | None, *, files: Sequence[str], extra: str) -> Path:
    """Return the folder of a network's files.

    Args:
        place: a folder, or a name on the Hub (``organisation/name``).
        revision: on the Hub: a commit, a branch or a tag; None takes the newest.
        files: patterns of the files to fetch.
        extra: of this package, that brings the Hub's client.

    Raises:
        InvalidInput: `place` is a folder, and there is a revision.
        ModelUnavailable: the Hub has no such files, or can't be reached and they aren't in its cache.
    """
    folder = Path(place)
    if not folder.is_dir():
        return _snapshot(place, revision, files, extra)
    if revision:
        raise InvalidInput(f"revision {revision!r}: {place} is a folder, only the Hub has revisions", field="model")
    return folder


def warn_of_loose_revision(place: str, revision: str | None, folder: Path) -> None:
    """Log that the Hub may have other weights tomorrow, where the revision isn't a commit, and the one to pin."""
    if folder != Path(place) and not _COMMIT.fullmatch(revision or ""):
        log.warning(
            '%s is not pinned on the Hugging Face Hub: its weights may change. They are now those of revision = "%s"',
            place,
            folder.name,
        )


def require_safetensors(folder: Path, names: Sequence[str]) -> None:
    """Refuse a folder that has none of the files by these names; pickles are read where an entry names them alone.

    Raises:
        ModelUnavailable: there is none.
    """
    if any((folder / name).exists() for name in names):
        return
    pickles = sorted(file.name for file in folder.iterdir() if file.suffix in _PICKLES)
    fix = f"; {pickles[0]} is read without its objects if it is named as `file` of the entry" if pickles else ""
    raise ModelUnavailable(
        f"{folder} has no {names[0]}: choose a network or a revision that has it, or write the weights as "
        f"safetensors{fix}"
    )


def shown(place: str, revision: str | None) -> str:
    """Return the name of a network's weights: the folder's, or the one on the Hub and its revision."""
    if Path(place).is_dir():
        return Path(place).resolve().name
    return f"{place}@{revision}" if revision else place


def _snapshot(name: str, revision: str | None, files: Sequence[str], extra: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise missing_extra(extra, "names on the Hugging Face Hub") from error
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(files)))
    except Exception as error:  # of several libraries
        at = f" (revision {revision})" if revision else ""
        raise ModelUnavailable(
            f"{name}{at} is no folder here, and couldn't be downloaded from the Hugging Face Hub: {brief(error)}. "
            "Download its files elsewhere and name their folder, or put them into the Hub's cache (HF_HOME)"
        ) from error
