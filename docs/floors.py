"""Draw the floors and rooms of the packages from their imports: `python -m docs.floors` writes docs/images/floors.svg.

The floors and the order of rooms are those of the contracts in pyproject.toml; what is tinted what stands below a floor
and beside a room are read from the code.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import grimp

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "floors.svg"
FLOORS = {
    "service": "HTTP: validation, keys, limits, events, dashboard",
    "worker": "jobs: what lies in Redis and blobs, and the process that runs them",
    "ep_core": "the engine: no Redis, no HTTP",
}
TORCH = "torch"
_WIDTH, _MARGIN, _LINE, _LETTER, _GAP = 920, 20, 30, 7.8, 8
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1b2430; }
.title { font-weight: 700; font-size: 16px; }
.small { font-size: 12px; fill: #57616f; }
.floor { fill: #f6f4ef; stroke: #dedad0; }
.room { fill: #d9e7f2; stroke: #1a6fb0; }
.torch { fill: #f7e0d2; stroke: #a8481a; }
@media (prefers-color-scheme: dark) {
  text { fill: #e9ebee; }
  .small { fill: #a4aebb; }
  .floor { fill: #1b2128; stroke: #303942; }
  .room { fill: #1d3547; stroke: #6db8f2; }
  .torch { fill: #4a2c18; stroke: #f4a259; }
}
"""


@dataclass(frozen=True)
class Floor:
    """A package.

    Attributes:
        rooms: its modules and folders, from above; those of one line don't import each other.
        with_torch: rooms that load torch, by themselves or by what they import.
        below: for each floor below, the rooms there that it imports.
    """

    name: str
    rooms: Sequence[Sequence[str]]
    with_torch: frozenset[str]
    below: dict[str, list[str]]


def floors() -> list[Floor]:
    """Return the floors from above, as the code has them."""
    graph = grimp.build_graph(
        *FLOORS, include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )
    names = list(FLOORS)
    return [_floor(graph, name, names[k + 1 :]) for k, name in enumerate(names)]


def _floor(graph: grimp.ImportGraph, name: str, lower: Sequence[str]) -> Floor:
    rooms = _layers(name) or [sorted(_last(one) for one in graph.find_children(name))]
    paths = {room: f"{name}.{room}" for line in rooms for room in line}
    with_torch = {room for room, path in paths.items() if graph.chain_exists(path, TORCH, as_packages=True)}
    below = {other: sorted(_imported(graph, name, other)) for other in lower}
    return Floor(name, rooms, frozenset(with_torch), below)


def _layers(name: str) -> list[list[str]]:
    """Return the rooms of a package in the order of its contract; nothing where it has none."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next((one["layers"] for one in contracts if one.get("containers") == [name]), [])
    return [[room.strip() for room in layer.split("|")] for layer in layers]


def _imported(graph: grimp.ImportGraph, upper: str, lower: str) -> Iterator[str]:
    """Yield the rooms of a floor that one above imports."""
    above = {upper, *graph.find_descendants(upper)}
    for room in graph.find_children(lower):
        inside = {room, *graph.find_descendants(room)}
        if any(above & graph.find_modules_that_directly_import(module) for module in inside):
            yield _last(room)


def _last(module: str) -> str:
    return module.rpartition(".")[2]


def draw(shown: Sequence[Floor]) -> str:
    """Return the picture, an SVG."""
    parts: list[str] = []
    top = _MARGIN
    for floor in shown:
        drawn, top = _draw_floor(floor, top)
        parts += [drawn, ""]
        top += _MARGIN
    parts.append(_key(top))
    height = top + _MARGIN + 10
    title = f"Floors and rooms: {', '.join(FLOORS)}. Imports go downwards only."
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">'
    return "\n".join([head, f"<title>{title}</title>", f"<style>{_STYLE}</style>", *filter(None, parts), "</svg>\n"])


def _draw_floor(floor: Floor, top: int) -> tuple[str, int]:
    """Return a floor, and where it ends."""
    parts = [_text(2 * _MARGIN, top + 26, floor.name, "title")]
    parts.append(_text(2 * _MARGIN + 12 + len(floor.name) * 10, top + 26, FLOORS[floor.name], "small"))
    y, x = top + 40, 2.0 * _MARGIN
    for line in floor.rooms:
        for room in line:
            width = 18 + _LETTER * len(room)
            if x + width > _WIDTH - 2 * _MARGIN:
                x, y = 2.0 * _MARGIN, y + _LINE
            kind = "torch" if room in floor.with_torch else "room"
            parts.append(f'<rect class="{kind}" x="{x:g}" y="{y}" width="{width:g}" height="{_LINE - 6}" rx="5"/>')
            parts.append(_text(x + 9, y + 17, room))
            x += width + _GAP
        said = _says(floor.name, line[0]) if len(line) == 1 else ""
        if x + 0.8 * _LETTER * len(said) < _WIDTH - 2 * _MARGIN:
            parts.append(_text(x + _GAP, y + 17, said, "small"))
        x, y = 2.0 * _MARGIN, y + _LINE
    for other, rooms in floor.below.items():
        parts.append(_text(2 * _MARGIN, y + 14, f"imports from {other}: {', '.join(rooms) or 'nothing'}", "small"))
        y += 20
    end = y + 8
    frame = f'<rect class="floor" x="{_MARGIN}" y="{top}" width="{_WIDTH - 2 * _MARGIN}" height="{end - top}" rx="8"/>'
    return "\n".join([frame, *parts]), end


def _says(floor: str, room: str) -> str:
    """Return the first line of a room's docstring."""
    path = ROOT / floor / room
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].rstrip(".").replace("`", "")


def _key(top: int) -> str:
    boxes = [("room", "without torch"), ("torch", "loads torch, in some of its modules or all")]
    parts = []
    for k, (kind, said) in enumerate(boxes):
        x = 2 * _MARGIN + 160 * k
        parts.append(f'<rect class="{kind}" x="{x}" y="{top}" width="18" height="14" rx="3"/>')
        parts.append(_text(x + 26, top + 12, said, "small"))
    return "\n".join(parts)


def _text(x: float, y: float, said: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}"{named}>{escape(said)}</text>'


if __name__ == "__main__":
    PICTURE.write_text(draw(floors()), encoding="utf-8")
