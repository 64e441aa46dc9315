"""Parts of the small networks' training, each against a slow or an independent version."""

from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("transformers")

from examples.digits.classifier import Vit, in_patches, present, whiten
from examples.digits.detector import Yolos
from examples.digits.image_text import Clip, soft_cross_entropy
from examples.digits.recipe import PATCH, WIDTH, Recipe, fit, inputs, shown
from examples.digits.scenes import COLOURS, WORDS, Digit, Painter, Scene
from examples.digits.segmenter import Segformer
from examples.digits.texts import make_tokenizer, text_about


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    painter = Painter("train", 5)
    return [painter.paint() for _ in range(6)]


@pytest.fixture(scope="module")
def vit() -> torch.nn.Module:
    torch.manual_seed(0)
    return Vit().network(None).eval()


def test_present_shares_a_scene_among_its_digits(scenes: list[Scene]) -> None:
    for row, scene in zip(present(scenes), scenes, strict=True):
        assert row.nonzero().flatten().tolist() == sorted(digit.value for digit in scene.digits)
        assert row.sum() == pytest.approx(1)


def test_in_patches_counts_pixels(scenes: list[Scene]) -> None:
    shares = in_patches(scenes)
    side = scenes[0].classes.shape[0] // PATCH
    for scene, of_it in zip(scenes, shares, strict=True):
        for k, row in enumerate(of_it):
            i, j = PATCH * (k // side), PATCH * (k % side)
            counts = np.bincount(scene.classes[i : i + PATCH, j : j + PATCH].ravel(), minlength=11)
            np.testing.assert_allclose(row, counts / PATCH**2)


def test_whitened_patches_are_uncorrelated(scenes: list[Scene]) -> None:
    painter = Painter("train", 0)
    many = [painter.paint() for _ in range(100)]
    projection = torch.nn.Conv2d(3, WIDTH, PATCH, PATCH)
    whiten(projection, many)
    outputs = projection(inputs(many)).permute(0, 2, 3, 1).flatten(0, 2)
    torch.testing.assert_close(torch.cov(outputs.T), 0.25**2 * torch.eye(WIDTH), atol=2e-3, rtol=0)
    torch.testing.assert_close(outputs.mean(dim=0), torch.zeros(WIDTH), atol=1e-3, rtol=0)


def test_the_others_layers_compute_what_the_vits_do(vit: torch.nn.Module) -> None:
    tokens = torch.randn(2, 7, WIDTH)
    yolos, clip = Yolos().network(vit).eval(), Clip().network(vit).eval()
    theirs = [*yolos.vit.encoder.layer], [*clip.vision_model.encoder.layers]
    for k, layer in enumerate(vit.vit.layers):
        expected = layer(tokens)
        expected = expected[0] if isinstance(expected, tuple) else expected
        for layers in theirs:
            found = layers[k](tokens) if layers is theirs[0] else layers[k](tokens, attention_mask=None)
            torch.testing.assert_close(found[0] if isinstance(found, tuple) else found, expected, atol=1e-4, rtol=1e-3)


def test_the_others_patches_are_the_vits(vit: torch.nn.Module, scenes: list[Scene]) -> None:
    yolos, clip = Yolos().network(vit).eval(), Clip().network(vit).eval()
    images = inputs(scenes)
    expected = vit.vit.embeddings(images)
    torch.testing.assert_close(yolos.vit.embeddings(images)[:, : expected.shape[1]], expected)
    torch.testing.assert_close(clip.vision_model.embeddings(images), expected)


def test_soft_cross_entropy_by_hand() -> None:
    scores = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 1.0]])
    true = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    first, second = scores.softmax(dim=1)
    expected = (-(first[0].log() + first[2].log()) / 2 - second[1].log()) / 2
    torch.testing.assert_close(soft_cross_entropy(scores, true), expected)


def test_texts_have_a_token_a_word() -> None:
    tokenizer, chance = make_tokenizer(), np.random.default_rng(0)
    for value in range(10):
        for colour in COLOURS:
            text, named = text_about(Digit(value, colour, (0, 0, 1, 1)), chance)
            assert named in (None, colour)
            assert (colour in text.split()) == (named is not None)
            assert {WORDS[value], str(value)} & set(text.split())
            tokens = tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"])
            assert tokens == ["<start>", *text.split(), "<end>"]
    assert "<unknown>" in tokenizer.convert_ids_to_tokens(tokenizer("a Red bus")["input_ids"])


@pytest.mark.parametrize("recipe", [Vit(), Yolos(), Segformer(), Clip()], ids=lambda one: type(one).__name__)
def test_training_is_the_same_for_a_seed_and_learns(recipe: Recipe, vit: torch.nn.Module) -> None:
    start = vit if recipe.from_vit else None
    one, other = (fit(type(recipe)(), Painter("train", 0), steps=2, seed=0, vit=start) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))
    torch.manual_seed(0)
    before = loss_on(recipe, recipe.network(start))
    after = loss_on(recipe, fit(recipe, Painter("train", 0), steps=10, seed=0, vit=start))
    assert after < 0.98 * before


@torch.no_grad()
def loss_on(recipe: Recipe, network: torch.nn.Module) -> float:
    """Return the loss of a batch that is the same each time, and so are its texts."""
    recipe._chance = np.random.default_rng(0)
    return float(recipe.loss(network, shown(Painter("train", 1), 32, recipe.counts)))
