"""Pages to play with, each in a file of its own that needs no server: shown in frames of the site's pages."""

from __future__ import annotations

import json
from pathlib import Path

from ep_core.pictures.embedded import data_url
from ep_core.pictures.result_page import VIEW, Entry, held_page, result_page
from ep_core.pictures.script_bundle import bundle

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "service" / "dashboard" / "static"
OURS = Path(__file__).with_name("view")
BEAR = STATIC / "samples" / "black_bear.jpg"


def pages() -> dict[str, str]:
    """Return the pages by name."""
    return {"sweep": _sweep(), "painting": _painting()}


def _sweep() -> str:
    """Return the result with which the dashboard opens: the bear, by the default model and parameters."""
    result = json.loads((STATIC / "welcome" / "result.json").read_text(encoding="utf-8"))
    for point in result["curve"]:
        mask = (STATIC.parent / point["mask"]).read_bytes()
        point["mask"] = data_url(mask, "image/png")
    data = {"result": result, "image": data_url(BEAR.read_bytes(), "image/jpeg")}
    return result_page(Entry.SWEEP, data, title="The black bear, area by area")


def _painting() -> str:
    modules = {path.stem: path.read_text(encoding="utf-8") for folder in (VIEW, OURS) for path in folder.glob("*.js")}
    styles = [VIEW / "base.css", OURS / "painting.css"]
    return held_page(
        {"image": data_url(BEAR.read_bytes(), "image/jpeg")},
        title="A mask to paint",
        script=bundle(modules, "painting"),
        styles="\n".join(path.read_text(encoding="utf-8") for path in styles),
    )
