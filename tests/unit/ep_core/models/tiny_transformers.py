"""Folders of tiny networks of transformers with seeded random weights, as `save_pretrained` writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from tests.unit.ep_core import token_networks
from tests.unit.ep_core.token_networks import LAYERS, SIDE, VISION, transformer

TOKENS = 16
TEXT = LAYERS | {
    "vocab_size": 11,
    "max_position_embeddings": TOKENS,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
}
SQUARE = {"height": SIDE, "width": SIDE}
LABELS = {0: "cat", 1: "dog", 2: "school bus"}


def vit(folder: Path, **config: object) -> None:
    _save(transformer("ViTForImageClassification", "ViTConfig", **VISION, id2label=LABELS, **config), folder)
    transformers.ViTImageProcessor(size=SQUARE).save_pretrained(folder)


def convnext(folder: Path) -> None:
    _save(_convnext("ConvNextForImageClassification", id2label=LABELS), folder)
    transformers.ConvNextImageProcessor(size={"shortest_edge": SIDE}).save_pretrained(folder)


def clip(folder: Path) -> None:
    config = transformers.CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=24)
    _save(transformers.CLIPModel(config), folder)
    transformers.CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=SQUARE).save_pretrained(folder)
    _tokenizer().save_pretrained(folder)


def siglip(folder: Path) -> None:
    config = transformers.SiglipConfig(text_config=TEXT | {"projection_size": 32}, vision_config=VISION)
    _save(transformers.SiglipModel(config), folder)
    transformers.SiglipImageProcessor(size=SQUARE).save_pretrained(folder)
    _tokenizer().save_pretrained(folder)


def vit_alone(folder: Path) -> None:
    """Without head and pooler, as DINO's weights are."""
    config = transformers.ViTConfig(**VISION, initializer_range=0.2)
    _save(transformers.ViTModel(config, add_pooling_layer=False), folder)
    transformers.ViTImageProcessor(size=SQUARE).save_pretrained(folder)


def dinov2(folder: Path) -> None:
    _save(transformer("Dinov2Model", "Dinov2Config", **VISION, layerscale_value=1.0), folder)
    transformers.ViTImageProcessor(size=SQUARE).save_pretrained(folder)


def convnext_alone(folder: Path) -> None:
    _save(_convnext("ConvNextModel"), folder)
    transformers.ConvNextImageProcessor(size={"shortest_edge": SIDE}).save_pretrained(folder)


def yolos(folder: Path) -> None:
    _save(token_networks.yolos(num_detection_tokens=6, id2label=LABELS), folder)
    sides = {"shortest_edge": SIDE, "longest_edge": 2 * SIDE}
    transformers.YolosImageProcessor(size=sides).save_pretrained(folder)


def segformer(folder: Path) -> None:
    sizes = {"hidden_sizes": [16, 16, 16, 16], "depths": [1, 1, 1, 1], "decoder_hidden_size": 16}
    how = {"id2label": {0: "background", 1: "cat", 2: "dog"}, "initializer_range": 0.4}
    _save(transformer("SegformerForSemanticSegmentation", "SegformerConfig", **sizes, **how), folder)
    transformers.SegformerImageProcessor(size=SQUARE).save_pretrained(folder)


FOLDERS: dict[str, Callable[[Path], None]] = {"vit": vit, "convnext": convnext, "clip": clip, "siglip": siglip}
EMBEDDINGS: dict[str, Callable[[Path], None]] = {"vit": vit_alone, "dinov2": dinov2, "convnext": convnext_alone}
"""Networks without a head."""


def _convnext(architecture: str, **options: object) -> torch.nn.Module:
    sizes = {"hidden_sizes": [8, 16, 16, 16], "depths": [1, 1, 1, 1]}
    return transformer(architecture, "ConvNextConfig", **sizes, layer_scale_init_value=1.0, **options)


def _save(network: torch.nn.Module, folder: Path) -> None:
    network.eval().save_pretrained(folder)


def _tokenizer() -> transformers.PreTrainedTokenizerFast:
    words = ["[PAD]", "[UNK]", "[BOS]", "[EOS]", "a", "photo", "of", "cat", "dog", "school", "bus"]
    tokenizer = Tokenizer(models.WordLevel({word: k for k, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [("[BOS]", 2), ("[EOS]", 3)]
    tokenizer.post_processor = processors.TemplateProcessing(single="[BOS] $A [EOS]", special_tokens=ends)
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "bos_token": "[BOS]", "eos_token": "[EOS]"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=TOKENS, **names)
