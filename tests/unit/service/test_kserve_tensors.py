"""Tensors of the Open Inference Protocol, as JSON and as bytes."""

from __future__ import annotations

import base64
import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from service.kserve.schemas import InputTensor
from service.kserve.tensors import as_binary, image_text, split_body, take_binary

PIXELS = np.arange(12, dtype=np.uint8).reshape(2, 2, 3) * 20


def tensor(datatype: str, shape: list[int], data: Any = None, **parameters: Any) -> InputTensor:
    return InputTensor(name="image", datatype=datatype, shape=shape, data=data, parameters=parameters)


def pixels(text: str) -> list[Any]:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))).tolist()


@pytest.mark.parametrize("datatype", ["UINT8", "UINT16", "INT32", "INT64"])
@pytest.mark.parametrize("data", [PIXELS.ravel().tolist(), PIXELS.tolist()], ids=["flat", "nested"])
def test_whole_numbers_of_any_width_are_0_to_255(datatype: str, data: Any) -> None:
    assert pixels(image_text(tensor(datatype, [1, 2, 2, 3], data), None)) == PIXELS.tolist()


def test_floating_point_numbers_are_0_to_1_even_where_all_are_whole() -> None:
    given = tensor("FP32", [2, 2], [0, 1, 1, 0])
    assert pixels(image_text(given, None)) == [[0, 255], [255, 0]]


@pytest.mark.parametrize(
    ("datatype", "code", "scale"), [("UINT8", "B", 1), ("INT16", "h", 1), ("FP16", "e", 255), ("FP64", "d", 255)]
)
def test_numbers_as_bytes_are_little_endian(datatype: str, code: str, scale: int) -> None:
    values = [value / scale if scale > 1 else int(value) for value in PIXELS.ravel()]
    given = tensor(datatype, [2, 2, 3])
    assert pixels(image_text(given, struct.pack(f"<12{code}", *values))) == PIXELS.tolist()


def test_a_file_is_base64_as_json_and_itself_behind_its_length_as_bytes() -> None:
    given = tensor("BYTES", [1])
    assert image_text(given.model_copy(update={"data": [["aGk="]]}), None) == "aGk="
    assert image_text(given, struct.pack("<I", 2) + b"hi") == "aGk="


@pytest.mark.parametrize(
    ("given", "binary", "said"),
    [
        (tensor("FP8", [1], [1]), None, "datatype is 'FP8'"),
        (tensor("UINT8", [2, 2], [1, 2, 3]), None, r"shape is \[2, 2\], and its data are 3 numbers"),
        (tensor("UINT8", [2], [0.5, 1]), None, "no numbers of UINT8"),
        (tensor("UINT8", [1], ["a"]), None, "no numbers of UINT8"),
        (tensor("UINT8", [1]), None, "no numbers of UINT8"),
        (tensor("UINT8", [2], [[1], [2, 3]]), None, "differ in length"),
        (tensor("BYTES", [2], ["aGk=", "aGk="]), None, "takes one element"),
        (tensor("BYTES", [1]), b"hi", "takes one element"),
        (tensor("BYTES", [1]), struct.pack("<I", 9) + b"hi", "takes one element"),
        (tensor("INT16", [1]), b"abc", "no whole numbers"),
    ],
)
def test_what_is_no_image_is_told_in_words(given: InputTensor, binary: bytes | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        image_text(given, binary)


def test_a_body_is_split_where_its_header_says() -> None:
    assert split_body(b"{}", None) == (b"{}", b"")
    assert split_body(b"{}abc", "2") == (b"{}", b"abc")
    for length in ("6", "-1", "two", "", "9" * 5000):
        with pytest.raises(ValueError, match="the body has 5 bytes"):
            split_body(b"{}abc", length)


def test_bytes_belong_to_the_inputs_in_their_order_and_none_is_left() -> None:
    inputs = [tensor("UINT8", [1], binary_data_size=2), tensor("UINT8", [1], [7]), tensor("UINT8", [1])]
    inputs[2].parameters["binary_data_size"] = 1
    assert take_binary(inputs, b"abc") == [b"ab", None, b"c"]
    for size in (1, 3, -1, True, "2"):
        with pytest.raises(ValueError, match="bytes follow"):
            take_binary([tensor("UINT8", [1], binary_data_size=size)], b"ab")


def test_values_as_bytes_are_what_numpy_and_the_length_before_each_text_say() -> None:
    assert as_binary(PIXELS, "UINT8") == bytes(range(0, 240, 20))
    assert as_binary(np.array([0.1, 2.5]), "FP32") == struct.pack("<2f", 0.1, 2.5)
    assert as_binary(["a", "äh"], "BYTES") == b"\x01\0\0\0a\x03\0\0\0\xc3\xa4h"
