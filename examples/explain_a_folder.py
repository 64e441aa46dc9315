"""Explain the photographs of a folder and keep their masks, by a service: `python explain_a_folder.py FOLDER`."""

import sys
from pathlib import Path

from extremal_client import Client

folder = Path(sys.argv[1])
with Client() as client:
    for done in client.batch(sorted(folder.glob("*.jpg")), areas=[0.1, 0.3]):
        print(done.name, done.error or done.result)
        if done.error is None:
            for area, mask in done.result.masks.items():
                mask.save(folder / "masks" / f"{Path(done.name).stem}-{area}.png")
