"""Descriptions of the methods, which are read without running their files, against what runs."""

from __future__ import annotations

import pytest

from ep_core.methods.base.registry import get_method
from ep_core.schemas.methods import method_cards, read_card
from ep_core.schemas.specs import METHODS

LONGEST = 110
"""Letters of a sentence beside a box to tick."""


def test_what_is_read_is_what_runs():
    assert [card.name for card in method_cards()] == list(METHODS)
    for card in method_cards():
        method = get_method(card.name)
        assert (card.title, card.about, card.source) == (method.title, method.about, method.source)


def test_each_has_a_sentence():
    for card in method_cards():
        assert 0 < len(card.about) <= LONGEST, card.name
        assert card.about.endswith("."), card.name


def test_a_new_file_says_what_it_does_and_no_code_of_it_runs(tmp_path):
    file = tmp_path / "dice.py"
    file.write_text('raise SystemExit\nMETHOD = Method(title="Dice", source="A." " B.", attribute=print)\n')
    assert read_card(file) == ("dice", "Dice", "", "A. B.")


def test_a_method_that_is_made_elsewhere_has_the_name_of_its_file(tmp_path):
    file = tmp_path / "dice.py"
    file.write_text("METHOD = make_dice()")
    assert read_card(file) == ("dice", "dice", "", "")


@pytest.mark.parametrize("text", ["", "OTHER = Method(title='Dice')", "METHOD = Method(title=f())"])
def test_what_says_nothing_is_refused(tmp_path, text):
    file = tmp_path / "dice.py"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"dice\.py has no METHOD|malformed node"):
        read_card(file)
