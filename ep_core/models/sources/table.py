"""Table of the sources of networks: what loads each, and the keys of its entries in a model list. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, get_args

from ep_core.schemas.model_card import Source


class SourceRow(NamedTuple):
    """A source of networks, as the model list and names of models see it."""

    loader: str
    """Module and class of its `interface.NetworkSource`; only what may load torch resolves it."""
    keys: frozenset[str] = frozenset()
    """Keys that its entries may have, of those that not all sources take."""
    has_description: bool = True
    """Whether it knows the labels and the preprocessing of its networks; else the entry must give them."""
    gives_embeddings: bool = False
    """True for a source whose entries may say that their outputs are embeddings."""
    named: Callable[[str], dict[str, str]] | None = None
    """Returns the keys that ``NAME`` stands for in a model's name ``source:NAME``; None: there are no such names."""


def _open_clip_keys(name: str) -> dict[str, str]:
    """Return the keys of ``ARCHITECTURE/WEIGHTS``, of a folder, or of ``hf-hub:NAME@REVISION``."""
    if ":" in name or Path(name).is_dir():
        return _keys_at_revision("open_clip", name)
    architecture, slash, weights = name.rpartition("/")
    return {"open_clip": architecture, "weights": weights} if slash else {"open_clip": name}


def _keys_at_revision(source: Source, name: str) -> dict[str, str]:
    """Return the keys of a folder, ``NAME`` or ``NAME@REVISION``."""
    network, at, revision = name.rpartition("@")
    return {source: network, "revision": revision} if at and not Path(name).is_dir() else {source: name}


_HERE = "ep_core.models.sources"
_TEXTS = frozenset({"texts", "template"})

SOURCES: dict[Source, SourceRow] = {
    "torchvision": SourceRow(f"{_HERE}.torchvision_source:Torchvision", frozenset({"weights", "kwargs"})),
    "timm": SourceRow(
        f"{_HERE}.timm_source:Timm", frozenset({"kwargs"}), gives_embeddings=True, named=lambda name: {"timm": name}
    ),
    "huggingface": SourceRow(
        f"{_HERE}.huggingface.source:HuggingFace",
        _TEXTS | {"revision"},
        gives_embeddings=True,
        named=partial(_keys_at_revision, "huggingface"),
    ),
    "open_clip": SourceRow(
        f"{_HERE}.open_clip_source:OpenClip", _TEXTS | {"weights", "revision"}, named=_open_clip_keys
    ),
    "entry_point": SourceRow(
        f"{_HERE}.entry_point_source:EntryPoint", frozenset({"kwargs"}), has_description=False, gives_embeddings=True
    ),
    "file": SourceRow(f"{_HERE}.file_source:WholeNetwork", has_description=False, gives_embeddings=True),
}

ARCHITECTURES: tuple[Source, ...] = tuple(source for source in get_args(Source) if source != "file")
"""Keys that name an architecture; an entry has one of them, or a `file` alone."""


def takers(key: str) -> str:
    """Return the sources whose entries may have a key, in words."""
    *firsts, last = (source for source, row in SOURCES.items() if key in row.keys)
    return f"{', '.join(firsts)} and {last}" if firsts else last
