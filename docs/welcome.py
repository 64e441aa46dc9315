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
PARAMS = ("variant", "threshold", "perturbation", "sigma_max", "pyramid_levels")
POINT = ("area", "preserve", "delete", "preserve_probability")


def main() -> int:
    """Run the job and write its files; return the exit code for the shell."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        job = stack.finish(post(stack, SAMPLE, {}), limit_s=FINISH_S)
        result = stack.client.get(job["links"]["result"]).raise_for_status().json()
        (FOLDER / "result.json").write_text(json.dumps(brief(result), indent=1, ensure_ascii=False) + "\n")
        for point in result["curve"]:
            mask = stack.client.get(point["mask"]).raise_for_status().content
            (FOLDER / f"mask_{point['area']}.png").write_bytes(small(mask))
    return 0


def brief(result: dict[str, Any]) -> dict[str, Any]:
    """Return what the page needs of a result."""
    return {
        "params": {name: result["params"][name] for name in PARAMS},
        "model": {name: result["model"][name] for name in ("name", "resolution")},
        **{name: result[name] for name in ("target", "scores", "image", "frame", "coverage", "optimal_area")},
        "curve": [{name: point[name] for name in POINT} for point in result["curve"]],
    }


def small(mask: bytes) -> bytes:
    """Return a mask of few bytes."""
    picture = Image.open(io.BytesIO(mask)).convert("L")
    picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(main())
