"""Make the result that the dashboard opens with, of the black bear: `python -m docs.welcome`.

It is a real one, of the default model and the defaults: its numbers, and its masks in small.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from tests.running_stack import Stack

from .screenshots import FINISH_S, post

FOLDER = Path(__file__).parents[1] / "service" / "dashboard" / "static" / "welcome"
SAMPLE = "black_bear"
LONGEST = 160
"""Pixels of a mask's longer side: masks are smooth."""
PARAMS = ("target", "variant", "threshold", "perturbation", "sigma_max", "pyramid_levels")
LEFT_OUT = ("id", "artifacts", "alternatives", "contrast", "warnings", "timing", "engine")


def main() -> int:
    """Run the job and write its files; return the exit code for the shell."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        job = stack.finish(post(stack, SAMPLE, {}), limit_s=FINISH_S)
        result = stack.client.get(job["links"]["result"]).raise_for_status().json()
        (FOLDER / "result.json").write_text(json.dumps(brief(result), indent=1, ensure_ascii=False) + "\n")
        for point in result["curve"]:
            mask = stack.client.get(point["mask"]).raise_for_status().content
            (FOLDER / mask_file(point)).write_bytes(small(mask))
    return 0


def brief(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result without its files, its further regions, and what only this run is about."""
    kept = {name: value for name, value in result.items() if name not in LEFT_OUT}
    return kept | {
        "params": {name: result["params"][name] for name in PARAMS},
        "curve": [point | {"mask": f"static/welcome/{mask_file(point)}", "overlay": None} for point in result["curve"]],
        "alternatives": [],
        "contrast": None,
    }


def mask_file(point: dict[str, Any]) -> str:
    """Return the name of the mask of a point of the curve."""
    return f"mask_{point['area']}.png"


def small(mask: bytes) -> bytes:
    """Return a mask of few bytes."""
    picture = Image.open(io.BytesIO(mask)).convert("L")
    picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(main())
