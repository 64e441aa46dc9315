"""The count of what is no image in a JSON text: independent of its parser, and linear in time."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.uploads import scan
from service.uploads.scan import LONG, other_bytes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(JSON, st.integers(LONG, 3 * LONG), st.booleans())
def test_long_strings_alone_do_not_count(value: object, size: int, escaped: bool) -> None:
    image = ("\\/" if escaped else "A") * size
    text = f'{{"params": {json.dumps(value)}, "image": "{image}", "more": {json.dumps(value)}}}'.encode()
    assert other_bytes(text, 10**9) == len(text) - len(image) - 2


@pytest.mark.parametrize("slice_bytes", [2, 3, 7, 64])
@given(value=JSON, size=st.integers(LONG, LONG + 8))
def test_strings_longer_than_what_is_looked_at_in_one_go_are_one_string(
    slice_bytes: int, value: object, size: int
) -> None:
    image = ('\\"' * size)[: 2 * (size // 2)]
    text = f'{{"params": {json.dumps(value)}, "image": "{image}", "more": {json.dumps(value)}}}'.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "SLICE", slice_bytes)
        assert other_bytes(text, 10**9) == len(text) - len(image) - 2


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": [' + b"2," * 10_000_000,
        b'{"a\\"": [' + b"2," * 10_000_000 + b'2], "b": "\\""}',
        b'{"a": [' + b'"",' * 6_000_000,
        b'{"a": "' + b'\\"' * 10_000_000,
        b'{"a": "' + b"\\" * 20_000_001,
        b"[" * 20_000_000,
        b'"' * 20_000_001,
    ],
    ids=["numbers", "escaped", "strings", "quotes", "backslashes", "brackets", "toggles"],
)
def test_whatever_is_sent_it_takes_no_time(text: bytes) -> None:
    started = time.monotonic()
    assert other_bytes(text, 65_536) > 65_536
    assert time.monotonic() - started < 8
