"""Training of the small networks, minutes each on one CPU thread: ``python -m examples.digits.train``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich import print
from transformers import ViTForImageClassification

from .classifier import Vit
from .detector import Yolos
from .image_text import Clip
from .recipe import Recipe, fit
from .scenes import Painter
from .segmenter import Segformer

MODELS = Path(__file__).parent / "models"
VIT = "vit"
RECIPES: dict[str, type[Recipe]] = {VIT: Vit, "yolos": Yolos, "segformer": Segformer, "clip": Clip}
HELD_OUT_SEED = 2**16


def main(
    kinds: Annotated[list[str] | None, typer.Argument(help=f"Some of {', '.join(RECIPES)}; all by default.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the networks; others start from the `vit` in it.")] = MODELS,
    steps: Annotated[int | None, typer.Option(min=1, help="Batches of 32 scenes; by default each kind's own.")] = None,
    seed: Annotated[int, typer.Option(help="Of weights and scenes.")] = 0,
) -> None:
    """Train networks, save them, and print their figures on scenes of other digits before other photographs."""
    torch.set_num_threads(1)
    for kind in kinds or RECIPES:
        recipe = RECIPES[kind]()
        network = fit(
            recipe,
            Painter("train", seed),
            steps=steps or recipe.steps,
            seed=seed,
            vit=_trained_vit(out) if recipe.from_vit else None,
        )
        found = recipe.figures(network, Painter("held_out", HELD_OUT_SEED + seed))
        recipe.save(network, out / kind)
        print(kind, json.dumps({name: round(value, 3) for name, value in found.items()}))


def _trained_vit(out: Path) -> ViTForImageClassification:
    return ViTForImageClassification.from_pretrained(out / VIT, dtype=torch.float32)


if __name__ == "__main__":
    typer.run(main)
