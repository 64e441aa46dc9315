"""Scenes to try the networks on, that none was trained on: written anew by ``python -m examples.digits.held_out``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from PIL import Image

from .scenes import scenes_of_two

FOLDER = Path(__file__).parent / "held_out"
SCENES = 8
_SEED = 7


def main() -> None:
    """Write eight scenes of two digits as PNG, and `scenes.json` with their digits and boxes."""
    FOLDER.mkdir(exist_ok=True)
    told = {}
    for scene in scenes_of_two("held_out", _SEED, SCENES):
        name = f"{'_and_'.join(f'{one.colour}_{one.word}' for one in scene.digits)}.png"
        Image.fromarray(scene.pixels).save(FOLDER / name)
        told[name] = [asdict(digit) for digit in scene.digits]
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(digits)}" for name, digits in told.items())
    (FOLDER / "scenes.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
