"""Targets: indices and labels."""

import pytest

from ep_core.errors import InvalidInput, UnknownName
from ep_core.schemas.targets import nearest_names, resolve_target

LABELS = ("tench", "American black bear", "brown bear", "crane", "ice bear", "crane", "Persian cat")


@pytest.mark.parametrize(
    ("target", "index"),
    [(0, 0), (6, 6), ("tench", 0), ("persian CAT", 6), ("  American black bear ", 1)],
)
def test_an_index_or_a_label_names_a_class(target, index):
    assert resolve_target(target, LABELS) == index


@pytest.mark.parametrize("index", [-1, 7, 10**9])
def test_an_index_outside_the_classes_is_refused_with_the_range(index):
    with pytest.raises(InvalidInput, match="use 0 to 6") as error:
        resolve_target(index, LABELS)
    assert error.value.field == "target"


def test_an_ambiguous_label_is_refused_with_its_indices():
    with pytest.raises(InvalidInput, match=r"\[3, 5\]"):
        resolve_target("Crane", LABELS)


def test_an_unknown_label_comes_back_with_the_nearest():
    with pytest.raises(UnknownName, match="did you mean") as error:
        resolve_target("black bear", LABELS)
    assert error.value.nearest[0] == "American black bear"
    assert error.value.field == "target"


def test_a_label_like_no_other_is_refused_without_guesses():
    with pytest.raises(UnknownName) as error:
        resolve_target("xqzw", LABELS)
    assert error.value.nearest == []
    assert "did you mean" not in error.value.detail


@pytest.mark.parametrize(
    ("name", "first"), [("bear", "ice bear"), ("perzian cat", "Persian cat"), ("TENCH", "tench"), ("tenhc", "tench")]
)
def test_nearest_names_finds_parts_and_misspellings(name, first):
    assert nearest_names(name, LABELS)[0] == first


def test_a_word_of_a_label_that_is_misspelled_comes_first():
    assert nearest_names("buss", ("brass", "basset", "abacus", "school bus", "busby"))[0] == "school bus"


def test_an_index_as_a_text_is_told_to_be_a_number():
    with pytest.raises(UnknownName, match='a class index is a number, not a text, as in "target": 3'):
        resolve_target("3", LABELS)
    with pytest.raises(UnknownName) as error:
        resolve_target("99", LABELS)
    assert "index" not in error.value.detail
    assert resolve_target("3", ("a", "3")) == 1


def test_nearest_names_gives_at_most_five():
    assert len(nearest_names("resnet", [f"resnet{n}" for n in range(50)])) == 5


def test_a_blank_name_is_near_to_nothing():
    assert nearest_names("  ", LABELS) == []
