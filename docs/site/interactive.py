"""Pages to play with, each in a file of its own that needs no server: shown in frames of the site's pages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ep_core.pictures.embedded import data_url
from ep_core.pictures.result_page import VIEW, held_page
from ep_core.pictures.script_bundle import bundle

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "service" / "dashboard" / "static"
OURS = Path(__file__).with_name("view")


def pages() -> dict[str, str]:
    """Return the pages by name."""
    return {
        "sweep": _page("shown_sweep", {"result": _result()}, "The black bear, area by area", [VIEW / "look.css"]),
        "painting": _page("painting", {}, "A mask to paint", [OURS / "painting.css"]),
    }


def _page(entry: str, data: Mapping[str, Any], title: str, styles: Iterable[Path]) -> str:
    """Return a page of the bear's photograph, which a module shows."""
    modules = {path.stem: path.read_text(encoding="utf-8") for folder in (VIEW, OURS) for path in folder.glob("*.js")}
    photograph = (STATIC / "samples" / "black_bear.jpg").read_bytes()
    return held_page(
        {**data, "image": data_url(photograph, "image/jpeg")},
        title=title,
        script=bundle(modules, entry),
        styles="\n".join(path.read_text(encoding="utf-8") for path in (VIEW / "base.css", *styles)),
    )


def _result() -> dict[str, Any]:
    """Return the result with which the dashboard opens, of the default model and parameters, its masks inside."""
    result: dict[str, Any] = json.loads((STATIC / "welcome" / "result.json").read_text(encoding="utf-8"))
    for point in result["curve"]:
        point["mask"] = data_url((STATIC.parent / point["mask"]).read_bytes(), "image/png")
    return result
