"""Images of a WebDataset shard, a tar file: a sample's members share the name before the first dot. No torch."""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Iterator

import fsspec

from ep_core.pictures.photographs import SUFFIXES

from .items import Item

LABEL = ".cls"


def members_of(url: str, name: str) -> Iterator[Item]:
    """Yield the images of a shard; after what can be read of a damaged one, an item with the problem.

    Args:
        url: of the shard.
        name: of the shard in the dataset. An image's id is that and the member's.
    """
    images: list[tarfile.TarInfo] = []
    labels: dict[str, str] = {}
    problem = None
    try:
        with fsspec.open(url, "rb") as file, tarfile.open(fileobj=file, mode="r:") as shard:
            for member in shard:
                if not member.isfile():
                    continue
                suffix = posixpath.splitext(member.name)[1].lower()
                if suffix in SUFFIXES:
                    images.append(member)
                elif suffix == LABEL and (content := shard.extractfile(member)):
                    labels[_sample(member.name)] = content.read().decode(errors="replace").strip()
            file.seek(shard.offset)
            if file.read(tarfile.BLOCKSIZE).strip(b"\0"):  # tarfile takes a damaged header for the end
                raise tarfile.ReadError("what follows the last image is no tar file's")
    except Exception as error:  # of any file system, and of tarfile
        problem = f"the shard is damaged or can't be read: {error}"
    for one in images:
        label = labels.get(_sample(one.name))
        yield Item(id=f"{name}/{one.name}", url=url, kind="member", label=label, start=one.offset_data, size=one.size)
    if problem:
        yield Item(id=name, url=url, problem=problem)


def _sample(member: str) -> str:
    """Return the name of a member's sample."""
    folder, file = posixpath.split(member)
    return posixpath.join(folder, file.partition(".")[0])
