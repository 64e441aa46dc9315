"""`make kserve`: KServe's own client calls a running stack; its requests are those that `make test` sends again."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from tests.clients.kserve import RECORDED
from tests.running_stack import SAMPLES, Stack

HERE = Path(__file__).parent
INFERENCE_SERVICE = HERE.parents[2] / "docker" / "kserve" / "inference_service.yaml"
PYTHON = Path(sys.prefix) / "generators" / "kserve" / "bin" / "python"


def main() -> int:
    """Call the stack, and compare with what is recorded, or write it. Exit code 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="keep the calls for `make test`")
    parser.add_argument("--python", type=Path, default=PYTHON, help="of an environment that has KServe's client")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        found = call(stack, options.python, Path(folder))
    if found["unknown"]:
        print(f"KServe doesn't know of the InferenceService: {', '.join(found['unknown'])}")
    if options.record:
        RECORDED.write_text(json.dumps(found["calls"], indent=1) + "\n")
    known = {one["name"]: one for one in json.loads(RECORDED.read_text())}
    changed = [one["name"] for one in found["calls"] if one != known.get(one["name"])]
    for name in changed:
        print(f"differs from what is recorded (--record keeps it): {name}")
    print(f"{len(found['calls'])} calls, {len(changed)} of them changed")
    return int(bool(changed or found["unknown"]))


def call(stack: Stack, python: Path, folder: Path) -> dict[str, Any]:
    """Return what KServe's client sends to a stack and makes of its answers."""
    picture = folder / "bear.jpg"
    Image.open(SAMPLES / "black_bear.jpg").resize((64, 43)).save(picture, quality=90)
    command = [python, HERE / "calls.py", stack.url, picture, INFERENCE_SERVICE]
    said = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
    if said.returncode:
        raise SystemExit(said.stderr)
    found: dict[str, Any] = json.loads(said.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    sys.exit(main())
