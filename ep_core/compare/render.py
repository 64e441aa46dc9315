"""Pictures of a comparison: each method's map, all maps beside each other (figure 2), and their curves."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ep_core.extremal.render import extremal_pictures
from ep_core.pictures.contact_sheet import TILE, contact_sheet
from ep_core.pictures.overlays import for_screens, grey, png
from ep_core.schemas.reports.comparison import COMPARISON_FILE, heat_name, map_name
from ep_core.schemas.reports.file_names import CURVE, PAGE

from .maps import heat_of, positive_part
from .plot import comparison_plot

if TYPE_CHECKING:
    from .comparison import Comparison

COLUMNS = 4
CAPTION_WIDTH = 34  # letters


def render_comparison(comparison: Comparison) -> Iterator[tuple[str, bytes]]:
    """Yield all pictures of a comparison as (file name, bytes), named as in `report`."""
    picture = np.asarray(comparison.image)
    tiles = [(comparison.target.label, _tile(comparison, comparison.image))]
    for one in comparison.answers:
        yield map_name(one.method), png(grey(comparison.frame.mask_to_image(positive_part(one.map))))
        heat = heat_of(one.map, comparison.frame, picture)
        yield heat_name(one.method), png(for_screens(heat))
        tiles.append((one.title, _tile(comparison, heat)))
    if comparison.explanation is not None:
        yield from extremal_pictures(comparison.explanation)
    yield COMPARISON_FILE, png(_sheet(tiles))
    yield CURVE, comparison_plot(comparison)
    yield PAGE, comparison.to_html().encode()


def comparison_sheet(comparison: Comparison) -> Image.Image:
    """Return the part of the image that the network sees, and beside it each method's map as heat."""
    picture = np.asarray(comparison.image)
    heats = ((one.title, heat_of(one.map, comparison.frame, picture)) for one in comparison.answers)
    shown = chain([(comparison.target.label, comparison.image)], heats)
    return _sheet([(title, _tile(comparison, one)) for title, one in shown])


def _tile(comparison: Comparison, picture: Image.Image) -> Image.Image:
    """Return the part of a picture that the network sees, as small as the sheet shows it."""
    inside = picture.crop(comparison.frame.visible_box)
    return inside.resize((TILE, TILE), Image.Resampling.LANCZOS)


def _sheet(tiles: list[tuple[str, Image.Image]]) -> Image.Image:
    short = [(textwrap.shorten(text, CAPTION_WIDTH, placeholder="..."), tile) for text, tile in tiles]
    rows = [short[k : k + COLUMNS] for k in range(0, len(short), COLUMNS)]
    return contact_sheet([[text for text, _ in row] for row in rows], [[tile for _, tile in row] for row in rows])
