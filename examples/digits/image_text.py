"""A CLIP that compares scenes with texts about the colours of digits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

from .pretrained import CLIP, renamed
from .recipe import SHAPE, Recipe, inputs, shown
from .scenes import COLOURS, WORDS, Painter, Scene
from .texts import END, LONGEST, PAD, START, make_tokenizer, text_about

_SIDE = 64
_TEXT = {"hidden_size": _SIDE, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128}


class Clip(Recipe):
    """Embeddings of 64 numbers, alike for a scene and a text that is true of one of its digits."""

    from_vit = True
    rate = 1e-3
    steps = 2500
    processor_class = CLIPImageProcessorPil
    processor_options: ClassVar = {"do_center_crop": False}

    def __init__(self) -> None:
        self._tokenizer = make_tokenizer()
        self._chance = np.random.default_rng(0)

    def network(self, vit: nn.Module | None) -> CLIPModel:
        """Return a CLIP of 0.4 million weights, the layers of its tower of images the ViT's."""
        ids = {name: self._tokenizer.convert_tokens_to_ids(token) for name, token in _TOKENS.items()}
        text = {**_TEXT, **ids, "vocab_size": len(self._tokenizer), "max_position_embeddings": LONGEST}
        shared = {"hidden_act": "gelu", "projection_dim": _SIDE}
        network = CLIPModel(CLIPConfig(text_config=text | shared, vision_config=SHAPE | shared, projection_dim=_SIDE))
        if vit:
            _start_from(vit, network)
        return network

    def loss(self, network: CLIPModel, scenes: Sequence[Scene]) -> Tensor:
        """Return CLIP's loss; a text may be true of several scenes, which then share its probability."""
        digits = [scene.digits[int(self._chance.integers(len(scene.digits)))] for scene in scenes]
        texts, colours = zip(*(text_about(digit, self._chance) for digit in digits), strict=True)
        true = torch.tensor(
            [
                [_is_true(digit.value, colour, scene) for digit, colour in zip(digits, colours, strict=True)]
                for scene in scenes
            ]
        ).float()
        scores = self._scores(network, scenes, texts)
        return (soft_cross_entropy(scores, true) + soft_cross_entropy(scores.T, true.T)) / 2

    @torch.no_grad()
    def figures(self, network: CLIPModel, painter: Painter) -> dict[str, float]:
        """Return how often a digit's text is the first of all 60, and how often those of two are the first two."""
        digits = list(product(range(len(WORDS)), COLOURS))
        texts = [f"a photo of a {colour} {WORDS[value]}" for value, colour in digits]
        found = {}
        for count, name in ((1, "its text of 60, one digit"), (2, "both texts of two digits")):
            scenes = shown(painter, 1000, [count])
            highest = self._scores(network, scenes, texts).topk(count).indices
            said = [{digits[k] for k in row} for row in highest.tolist()]
            true = [{(digit.value, digit.colour) for digit in scene.digits} for scene in scenes]
            found[name] = float(np.mean([one == other for one, other in zip(said, true, strict=True)]))
        return found

    def save(self, network: CLIPModel, folder: Path) -> None:
        """Write the network's folder, and the tokenizer."""
        super().save(network, folder)
        self._tokenizer.save_pretrained(folder)

    def _scores(self, network: CLIPModel, scenes: Sequence[Scene], texts: Sequence[str]) -> Tensor:
        """Return scale * cos of each scene and each text: N x T."""
        tokens = self._tokenizer(list(texts), padding=True, return_tensors="pt", return_token_type_ids=False)
        return network(pixel_values=inputs(scenes), **tokens).logits_per_image


_TOKENS = {"pad_token_id": PAD, "bos_token_id": START, "eos_token_id": END}


def _is_true(value: int, colour: str | None, scene: Scene) -> bool:
    """Return whether a scene has such a digit, of any colour for None."""
    return any(digit.value == value and colour in (None, digit.colour) for digit in scene.digits)


def soft_cross_entropy(scores: Tensor, true: Tensor) -> Tensor:
    """Return the cross-entropy of each row's softmax with what is true in it, N x M, each true one alike."""
    return -(true / true.sum(dim=1, keepdim=True) * scores.log_softmax(dim=1)).sum(dim=1).mean()


@torch.no_grad()
def _start_from(vit: nn.Module, network: CLIPModel) -> None:
    weights = renamed(vit, CLIP)
    positions = weights["vit.embeddings.position_embeddings"][0]
    bias = weights["vit.embeddings.patch_embeddings.projection.bias"]  # CLIP's patches have none: the positions take it
    weights["vision_model.embeddings.position_embedding.weight"] = torch.cat([positions[:1], positions[1:] + bias])
    weights["vision_model.embeddings.class_embedding"] = weights["vit.embeddings.cls_token"][0, 0]
    weights["vision_model.embeddings.patch_embedding.weight"] = weights[
        "vit.embeddings.patch_embeddings.projection.weight"
    ]
    network.load_state_dict(weights, strict=False)
