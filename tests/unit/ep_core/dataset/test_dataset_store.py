"""Store of what was found, and who claims what: parts that are whole or aren't there, each content once."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ep_core.dataset.claims import Claim, ClaimsHere
from ep_core.dataset.rows import problem_row
from ep_core.dataset.storage import Folder
from ep_core.dataset.store import MANY, MasksIn, Store
from ep_core.errors import InvalidInput


@contextmanager
def no_room(most: int) -> Iterator[None]:
    """Let no file grow beyond some bytes, as where a disk is full."""
    before, limits = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


def all_rows(store: Store) -> list[str]:
    return [digest for part in store.explained() for digest in part.column("digest").to_pylist()]


@pytest.mark.parametrize("masks", ["files", "parquet"])
def test_what_is_written_is_there_for_others_with_its_masks(tmp_path: Path, masks: MasksIn) -> None:
    store = Store(Folder(str(tmp_path)), masks)
    store.add([problem_row("aa", "no"), problem_row("bb", "no")], {"aa": {"0.1": b"one", "0.2": b"two"}})
    other = Store(Folder(str(tmp_path)), masks)
    assert other.digests() == {"aa", "bb"}
    assert other.masks({"aa", "bb"}) == {"aa": {"0.1": b"one", "0.2": b"two"}, "bb": {}}
    assert (tmp_path / "masks" / "aa" / "aa" / "0.1.png").exists() == (masks == "files")


@pytest.mark.parametrize("most", [100, 600])  # the masks don't fit, or the part after them doesn't
def test_on_a_full_disk_nothing_of_a_part_counts(tmp_path: Path, most: int) -> None:
    store = Store(Folder(str(tmp_path)))
    store.add([problem_row("aa", "before")], {})
    with no_room(most), pytest.raises(OSError, match="File too large"):
        store.add([problem_row("bb", "no")], {"bb": {"0.1": bytes(500)}})
    assert Store(Folder(str(tmp_path))).digests() == {"aa"}
    assert not list(tmp_path.rglob("*.half"))
    store.add([problem_row("bb", "no")], {"bb": {"0.1": b"one"}})
    assert store.digests() == {"aa", "bb"}


def test_many_parts_become_few_and_a_content_counts_once(tmp_path: Path) -> None:
    store = Store(Folder(str(tmp_path)), "parquet")
    digests = [f"{k:02}" for k in range(MANY)]
    for digest in digests:
        store.add([problem_row(digest, "no")], {digest: {"0.1": digest.encode()}})
    twice = next((tmp_path / "explained").iterdir())
    copy = twice.read_bytes()
    store.merge()
    assert len(list((tmp_path / "explained").iterdir())) == len(list((tmp_path / "masks").iterdir())) == 1
    twice.write_bytes(copy)  # as where the merging was killed before it could remove the small one
    assert sorted(all_rows(store)) == digests
    assert store.digests() == set(digests)
    assert store.masks({"07"}) == {"07": {"0.1": b"07"}}


def test_results_of_something_else_are_not_mixed_in(tmp_path: Path) -> None:
    store = Store(Folder(str(tmp_path)))
    store.adopt({"version": "1", "params": {"seed": 0, "areas": [0.1]}})
    store.adopt({"version": "1", "params": {"areas": [0.1], "seed": 0}})
    with pytest.raises(InvalidInput, match=r"run: seed was 0 and is 1, version was '1' and is '2'\. Name another"):
        store.adopt({"version": "2", "params": {"seed": 1, "areas": [0.1]}})


def test_a_content_is_claimed_by_one_image_and_by_the_same_one_again() -> None:
    claims = ClaimsHere({"done"})
    assert [claims.take("new", 3), claims.take("new", 4), claims.take("new", 3), claims.take("done", 3)] == [
        Claim.YOURS, Claim.KNOWN, Claim.AGAIN, Claim.KNOWN,
    ]  # fmt: skip
