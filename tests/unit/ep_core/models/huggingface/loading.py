"""Folders of tiny networks of transformers: their scores by us and by the library."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
import transformers
from PIL import Image

from ep_core.models import Classifier
from tests.unit.ep_core.models.tiny_transformers import TOKENS

COMMIT = "0123456789abcdef0123456789abcdef01234567"


TEXTS = ("a photo of a cat", "a dog", "a photo of a school bus")


def put_into_cache(hub: Path, name: str, files: Path) -> None:
    """Lay out a network as a download of its branch `main` leaves it."""
    place = hub / f"models--{name.replace('/', '--')}"
    shutil.copytree(files, place / "snapshots" / COMMIT)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(COMMIT)


def edit(folder: Path, **keys: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | keys))


def scores(classifier: Classifier, image: Image.Image) -> torch.Tensor:
    tensor, _ = classifier.preprocess(image)
    with classifier.frozen() as network, torch.no_grad():
        return network(tensor)


def theirs(folder: Path, image: Image.Image, backend: str) -> torch.Tensor:
    """Scores of transformers' own classes, from the picture and the texts on."""
    inputs = transformers.AutoImageProcessor.from_pretrained(folder, backend=backend)(image, return_tensors="pt")
    with torch.no_grad():
        if folder.name in ("vit", "convnext"):
            return transformers.AutoModelForImageClassification.from_pretrained(folder)(**inputs).logits
        padding = {"clip": {"padding": True}, "siglip": {"padding": "max_length", "max_length": TOKENS}}[folder.name]
        tokens = transformers.AutoTokenizer.from_pretrained(folder)(list(TEXTS), return_tensors="pt", **padding)
        masks = {"attention_mask": tokens.attention_mask} if folder.name == "clip" else {}
        model = transformers.AutoModel.from_pretrained(folder)
        return model(**inputs, input_ids=tokens.input_ids, **masks).logits_per_image
