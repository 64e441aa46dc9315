"""Validation errors in words."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ep_core.schemas.wording import MAX_VALUE_CHARS, in_words, without_echoes


class Colour(StrEnum):
    RED = "red"


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    count: Annotated[int, Field(ge=1, le=9)] = 1
    name: Annotated[str, Field(min_length=1, max_length=3)] = "a"
    kind: Literal["a", "b"] = "a"
    colour: Colour = Colour.RED
    flag: bool = True
    several: Annotated[list[int], Field(min_length=1, max_length=2)] = [1]
    inner: dict[str, int] = {}
    even: int = 2
    large: Annotated[int, Field(lt=2**63)] = 0

    @field_validator("even")
    @classmethod
    def _even(cls, number: int) -> int:
        if number % 2:
            raise ValueError(f"{number} is odd")
        return number


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("share", 1, "1 is too large: it must be less than 1"),
        ("share", "0", "0 is too small: it must be more than 0"),
        ("share", "a lot", "'a lot' is not a number"),
        ("share", float("nan"), "nan is not a finite number"),
        ("share", None, "null is not a number"),
        ("count", 0, "0 is too small: it must be at least 1"),
        ("count", 10, "10 is too large: it must be at most 9"),
        ("count", 1.5, "1.5 is not a whole number"),
        ("count", "many", "'many' is not a whole number"),
        ("name", "", "it must have at least 1 characters"),
        ("name", "long", "it may have at most 3 characters"),
        ("name", True, "true is not a text"),
        ("kind", "c", "'c' is none of 'a' or 'b'"),
        ("colour", "blue", "'blue' is none of 'red'"),
        ("flag", 7, "7 is neither true nor false"),
        ("several", [], "there must be at least 1, not 0"),
        ("several", [1, 2, 3], "there may be at most 2"),
        ("several", "1", "1 is not a list"),
        ("inner", [1], "[1] is not an object"),
        ("even", 3, "3 is odd"),
        ("other", 3, "there is no such field"),
        ("large", 2**63, "9223372036854775808 is too large: it must be less than 9223372036854775808"),
    ],
)
def test_what_was_given_and_what_it_must_be(field: str, value: Any, said: str) -> None:
    with pytest.raises(ValidationError) as error:
        Asked.model_validate({field: value})
    assert [in_words(one) for one in error.value.errors()] == [said]


def test_a_list_of_bad_items_is_not_called_too_short() -> None:
    with pytest.raises(ValidationError) as error:
        Asked.model_validate({"several": ["a"]})
    assert [in_words(one) for one in without_echoes(error.value.errors())] == ["'a' is not a whole number"]
    with pytest.raises(ValidationError) as error:
        Asked.model_validate({"several": []})
    assert len(without_echoes(error.value.errors())) == 1


def test_json_that_is_none() -> None:
    with pytest.raises(ValidationError) as error:
        Asked.model_validate_json("{")
    assert in_words(error.value.errors()[0]).startswith("it is not valid JSON: EOF while parsing")


def test_long_values_are_cut_and_unknown_kinds_stay_as_pydantic_says_them() -> None:
    with pytest.raises(ValidationError) as error:
        Asked.model_validate({"count": "x" * 10_000})
    assert len(in_words(error.value.errors()[0])) < MAX_VALUE_CHARS + 40
    assert in_words({"type": "another", "msg": "as it is", "input": 1}) == "as it is"
