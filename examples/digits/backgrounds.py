"""Backgrounds of the scenes: crops of COCO's photographs; ``python -m examples.digits.backgrounds COCO`` makes them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

Part = Literal["train", "held_out"]
Pixels = npt.NDArray[np.uint8]

HERE = Path(__file__).parent
SIDE = 128
"""Height and width of a crop, in pixels."""
_SPLITS: dict[Part, tuple[str, int]] = {"train": ("train2017", 24), "held_out": ("val2017", 12)}
_SHORTER_SIDE = 192
_CC_BY = 4
_HEAD = """# Backgrounds

Crops of photographs of COCO 2017, each under its photographer's licence on Flickr,
[CC BY 2.0](http://creativecommons.org/licenses/by/2.0/).
Changed: resized, and cut out of their middle; the scenes in `held_out/` show parts of them, darkened, under digits.

| file | Flickr file |
|---|---|
"""


def load_backgrounds(part: Part) -> list[Pixels]:
    """Return the crops of a part, 128 x 128 x 3 each."""
    files = sorted((HERE / "backgrounds" / part).glob("*.jpg"))
    return [np.asarray(Image.open(file).convert("RGB")) for file in files]


def cut(coco: Path, folder: Path) -> None:
    """Write the crops of both parts, and `ATTRIBUTION.md`.

    Args:
        coco: COCO's folder, with `annotations`, `train2017` and `val2017`.
        folder: where they go: a folder a part.
    """
    rows = []
    for part, (split, count) in _SPLITS.items():
        (folder / part).mkdir(parents=True, exist_ok=True)
        for photograph in list(_under_cc_by(coco, split))[:count]:
            name = photograph["file_name"]
            _crop(Image.open(coco / split / name)).save(folder / part / name, quality=80)
            rows.append(f"| {part}/{name} | {photograph['flickr_url']} |\n")
    (folder / "ATTRIBUTION.md").write_text(_HEAD + "".join(rows), encoding="utf-8")


def _under_cc_by(coco: Path, split: str) -> Iterator[dict[str, Any]]:
    told = json.loads((coco / "annotations" / f"instances_{split}.json").read_text(encoding="utf-8"))
    there = (one for one in told["images"] if one["license"] == _CC_BY and (coco / split / one["file_name"]).exists())
    return iter(sorted(there, key=lambda one: one["file_name"]))


def _crop(photograph: Image.Image) -> Image.Image:
    scale = _SHORTER_SIDE / min(photograph.size)
    width, height = (round(side * scale) for side in photograph.size)
    small = photograph.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    left, top = (width - SIDE) // 2, (height - SIDE) // 2
    return small.crop((left, top, left + SIDE, top + SIDE))


if __name__ == "__main__":
    cut(Path(sys.argv[1]), HERE / "backgrounds")
