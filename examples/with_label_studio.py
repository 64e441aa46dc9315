"""Masks as pre-annotations of Label Studio, by a service: `python with_label_studio.py FOLDER URL > tasks.json`.

URL is where Label Studio finds the folder's photographs. Import the file into a project whose labelling interface has
`<Image name="image" value="$image"/>` and `<BrushLabels name="mask" toName="image">` with the classes as labels.
"""

import json
import sys
from pathlib import Path

from extremal_client import Client
from label_studio_sdk.converter.brush import mask2rle


def tasks(client: Client, photographs: list[Path], url: str, area: float = 0.2) -> list[dict]:
    """Return a task for each photograph, with the mask of an area as its prediction."""
    found = []
    for done in client.batch(photographs, areas=[area]):
        if done.error is None:
            region = {"from_name": "mask", "to_name": "image", "type": "brushlabels", "value": brush(done.result, area)}
            height, width = done.result.masks[area].array().shape
            region |= {"original_width": width, "original_height": height, "image_rotation": 0}
            found.append({"data": {"image": f"{url}/{Path(done.image).name}"}, "predictions": [{"result": [region]}]})
    return found


def brush(result, area: float) -> dict:
    """Return the mask of an area as a brush's strokes: the pixels that are kept by a half and more."""
    kept = 255 * (result.masks[area].array() >= 0.5)
    return {"format": "rle", "rle": mask2rle(kept.astype("uint8")), "brushlabels": [result.target.label]}


if __name__ == "__main__":
    with Client() as service:
        print(json.dumps(tasks(service, sorted(Path(sys.argv[1]).glob("*.jpg")), sys.argv[2])))
