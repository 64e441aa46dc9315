"""Decoders: what an image costs ends its decoder, and nothing else; images of several callers take turns."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from PIL import Image
from starlette.requests import ClientDisconnect

from ep_core.errors import ImageTooLarge, UnreadableImage
from ep_core.pictures.decoding import MAX_SCANS
from service.decoding import decoders as decoders_module
from service.decoding.decoder import Decoder, DecoderEnded, DecodeRequest
from service.decoding.decoders import Decoders
from service.http.errors import Unavailable
from tests.pictures import encode

ME = "key:me"


@pytest.fixture(scope="module")
def small() -> bytes:
    return encode(Image.new("RGB", (32, 24), "teal"), "PNG")


@pytest.fixture(scope="module")
def large() -> bytes:
    """16 megapixels, a hundred milliseconds and more to decode."""
    return encode(Image.new("RGB", (4000, 4000), "teal"), "PNG")


@pytest.fixture(scope="module")
def slow() -> bytes:
    """19 megapixels in as many scans as are read: a second and more."""
    whole = encode(Image.new("RGB", (4400, 4400), "teal"), "JPEG", progressive=True)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + last * (MAX_SCANS - whole.count(b"\xff\xda")) + whole[-2:]


@contextmanager
def opened(processes: int = 2, *, seconds: float = 10, megabytes: int = 560) -> Iterator[Decoders]:
    pool = Decoders(processes, max_pixels=20_000_000, seconds=seconds, memory_bytes=megabytes * 1_000_000)
    try:
        yield pool
    finally:
        pool.close()


def check(pool: Decoders, data: bytes) -> tuple[int, int]:
    return asyncio.run(pool.check(data, who=ME)).size


def running() -> set[int]:
    """The decoders of this process."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):  # it has just ended
            is_child = f"\nPPid:\t{os.getpid()}\n" in status.read_text()
            if is_child and b"service.decoding.child" in command_of(status.parent):
                found.add(int(status.parent.name))
    return found


def command_of(process: Path) -> bytes:
    """The command of a process; empty where it has ended. Linux shows it a moment after the program is loaded."""
    until = time.monotonic() + 1
    while not (command := (process / "cmdline").read_bytes()) and time.monotonic() < until:
        time.sleep(0.001)
    return command


def test_an_image_has_its_size_told(small: bytes) -> None:
    with opened() as pool:
        assert check(pool, small) == (32, 24)


def test_what_is_wrong_with_an_image_is_said_as_by_the_engine(small: bytes) -> None:
    with opened() as pool:
        with pytest.raises(UnreadableImage, match="cut short") as error:
            check(pool, small[:-30])
        assert error.value.field == "image"
        with pytest.raises(ImageTooLarge, match="at most 20000000 are accepted"):
            check(pool, encode(Image.new("1", (5000, 5000)), "PNG"))


def test_an_image_that_takes_too_long_ends_its_decoder_and_the_next_one_is_decoded(small: bytes, slow: bytes) -> None:
    with opened(seconds=0.3) as pool:
        with pytest.raises(UnreadableImage, match=r"takes more than 0\.3 s"):
            check(pool, slow)
        assert check(pool, small) == (32, 24)


def test_an_image_that_takes_too_much_memory_is_refused(small: bytes, large: bytes) -> None:
    with opened(megabytes=60) as pool:
        with pytest.raises(ImageTooLarge, match="more memory"):
            check(pool, large)
        assert check(pool, small) == (32, 24)


def test_a_decoder_that_somebody_ended_costs_no_image(small: bytes) -> None:
    before = running()
    with opened(1) as pool:
        check(pool, small)
        (pid,) = running() - before
        os.kill(pid, signal.SIGKILL)
        assert check(pool, small) == (32, 24)
        assert running() - before != {pid}


def test_an_image_that_ends_every_decoder_is_refused(
    small: bytes, large: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Decoder.run

    def crash(decoder: Decoder, request: DecodeRequest, data: bytes) -> tuple[dict[str, object], bytes]:
        """A decoder that crashes on the large image, as by a fault of its libraries."""
        if data == large:
            ask(decoder, request, small)
            os.kill(decoder.pid, signal.SIGSEGV)
        return ask(decoder, request, data)

    monkeypatch.setattr(Decoder, "run", crash)
    with opened() as pool:
        with pytest.raises(UnreadableImage, match="its decoder crashed"):
            check(pool, large)
        assert check(pool, small) == (32, 24)


def test_decoders_that_cannot_start_are_not_the_images_fault(small: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with opened() as pool, pytest.raises(Unavailable, match="Try again soon"):
        check(pool, small)


def test_slow_images_hold_up_their_caller_only(small: bytes, large: bytes) -> None:
    decoded = []

    async def decode(pool: Decoders, data: bytes, who: str) -> None:
        await pool.check(data, who=who)
        decoded.append(who)

    async def post(pool: Decoders) -> None:
        many = [asyncio.create_task(decode(pool, large, "key:other")) for _ in range(5)]
        await asyncio.sleep(0)  # they ask first
        await asyncio.gather(decode(pool, small, ME), *many)

    with opened() as pool:
        asyncio.run(post(pool))
    assert decoded.index(ME) <= 2
    assert len(decoded) == 6


def test_what_nobody_wants_any_more_is_not_decoded(small: bytes) -> None:
    before = running()

    async def wanted() -> bool:
        return False

    with opened() as pool, pytest.raises(ClientDisconnect):
        asyncio.run(pool.check(small, who=ME, is_wanted=wanted))
    assert running() == before  # none was started


def test_decoders_are_replaced_after_many_images(small: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoders_module, "RENEWED_AFTER", 3)
    before = running()
    with opened(1) as pool:
        seen = []
        for _ in range(7):
            check(pool, small)
            seen.append(running() - before)
    assert all(len(pids) == 1 for pids in seen)
    assert len(set.union(*seen)) == 3


def test_they_end_with_the_application(small: bytes) -> None:
    before = running()
    with opened(3) as pool:
        pool.start()
        for asked in pool._idle:
            asked.run(DecodeRequest(max_pixels=10_000, seconds=5), small)  # it runs then
        assert len(running() - before) == 3
    assert running() == before


def test_a_decoder_ends_with_its_parent(tmp_path: Path) -> None:
    """Nothing closes it: the end of its standard input does."""
    decoder = Decoder(memory_bytes=0)
    decoder._process.stdin.close()  # as the kernel does when the parent is gone
    assert decoder._process.wait(10) == 0


def test_who_asks_a_decoder_that_is_gone_is_told(small: bytes) -> None:
    decoder = Decoder(memory_bytes=0)
    request = DecodeRequest(max_pixels=10_000, seconds=5)
    assert decoder.run(request, small)[0]["size"] == [32, 24]
    os.kill(decoder.pid, signal.SIGTERM)
    with pytest.raises(DecoderEnded) as error:
        decoder.run(request, small)
    assert error.value.served
    assert not error.value.is_late


def test_a_folder_with_modules_of_the_same_names_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "__init__.py").write_text("raise SystemExit")
    code = "from service.decoding.decoder import Decoder, DecodeRequest\n"
    code += "print(Decoder(memory_bytes=0).run(DecodeRequest(max_pixels=9, seconds=5), b'no image')[0]['error'])"
    run = [sys.executable, "-P", "-c", code]
    assert subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True).stdout == "UnreadableImage\n"
