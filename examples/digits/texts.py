"""Texts about digits, and a tokenizer of their words."""

from __future__ import annotations

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from .scenes import COLOURS, WORDS, Digit

LONGEST = 16
"""Tokens of a text, with those of its start and end."""
PAD, START, END, UNKNOWN = SPECIAL = ("<pad>", "<start>", "<end>", "<unknown>")
_COLOURED = ("{colour} {digit}", "a {colour} {digit}", "a photo of a {colour} {digit}")
_PLAIN = ("{digit}", "a {digit}", "a photo of a {digit}")
_PLAIN_SHARE, _NUMERALS = 0.25, 0.25


def text_about(digit: Digit, chance: np.random.Generator) -> tuple[str, str | None]:
    """Return a text about a digit, and its colour; None where the text names none."""
    plain = bool(chance.random() < _PLAIN_SHARE)
    name = str(digit.value) if chance.random() < _NUMERALS else WORDS[digit.value]
    template = str(chance.choice(_PLAIN if plain else _COLOURED))
    return template.format(colour=digit.colour, digit=name), None if plain else digit.colour


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Return a tokenizer: a word a token, in small letters; words beyond those of the texts are unknown."""
    words = ["a", "an", "photo", "of", "the", *COLOURS, *WORDS, *map(str, range(10))]
    numbers = {word: k for k, word in enumerate((*SPECIAL, *words))}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [(token, numbers[token]) for token in (START, END)]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{START} $A {END}", special_tokens=ends)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=START,
        eos_token=END,
        unk_token=UNKNOWN,
        model_max_length=LONGEST,
    )
