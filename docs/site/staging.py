"""Pages and files of the site, laid out in a folder of their own.

Pages are readable where they lie: their links lead to files of the repository. Those outside of `docs/` are copied
where a page links to them, and a folder becomes a list of its files. Addresses are those below `docs/`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from .links import Link, anchors, rewrite_links

ROOT = Path(__file__).parents[2]
NAMES = {
    "README.md": "overview.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""Pages beside `docs/` that the site always has, and what they are called there."""

Fill = Callable[[str], str]


class BrokenLinkError(Exception):
    """A page links to what isn't there."""


def sources() -> list[Path]:
    """Return the pages that the site has of itself."""
    return [*sorted((ROOT / "docs").rglob("*.md")), *(ROOT / name for name in NAMES)]


def place(source: Path) -> PurePosixPath:
    """Return where a file of the repository lies on the site; a folder is the page that lists it."""
    path = PurePosixPath(source.relative_to(ROOT).as_posix())
    if path.is_relative_to("docs"):
        path = path.relative_to("docs")
    if source.is_dir():
        return path / "index.md"
    return PurePosixPath(NAMES.get(str(path), path))


def check(pages: Iterable[Path]) -> list[str]:
    """Return what is wrong with the links of pages; every linked page is looked at, too."""
    wrong: list[str] = []
    seen: set[Path] = set()
    waiting = list(pages)
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        for link in _links(page):
            try:
                target = resolve(page, link)
            except BrokenLinkError as error:
                wrong.append(str(error))
            else:
                waiting += [target] if target.suffix == ".md" else []
    return wrong


def resolve(page: Path, link: Link) -> Path:
    """Return the file or folder that a link leads to.

    Raises:
        BrokenLinkError: there is none, or its page has no such heading.
    """
    target = Path(os.path.normpath(page.parent / link.path)) if link.path else page
    said = f"{page.relative_to(ROOT)} links to {link}"
    if not target.exists() or not target.is_relative_to(ROOT):
        raise BrokenLinkError(f"{said}: there is no such file")
    if target.is_dir() and (target / "README.md").exists():
        target /= "README.md"
    if link.anchor and target.suffix == ".md" and link.anchor not in anchors(target.read_text(encoding="utf-8")):
        raise BrokenLinkError(f"{said}: there is no such heading")
    return target


def stage(folder: Path, fill: Fill = str) -> None:
    """Write all pages and the files that they link to.

    Args:
        folder: is emptied first.
        fill: makes the generated parts of a page.

    Raises:
        BrokenLinkError: a page links to what isn't there.
    """
    shutil.rmtree(folder, ignore_errors=True)
    done: set[Path] = set()
    waiting = sources()
    while waiting:
        source = waiting.pop()
        if source not in done:
            done.add(source)
            waiting += _write(source, folder, fill)


def _write(source: Path, folder: Path, fill: Fill) -> list[Path]:
    """Write a page, a file or the list of a folder; return what it links to."""
    target = folder / place(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        files = _files(source)
        target.write_text(_listing(source, files), encoding="utf-8")
        return files
    if source.suffix != ".md":
        shutil.copyfile(source, target)
        return []
    linked: list[Path] = []

    def moved(link: Link) -> Link:
        if not link.path:
            return link
        linked.append(resolve(source, link))
        return Link(os.path.relpath(place(linked[-1]), place(source).parent), link.anchor)

    target.write_text(fill(rewrite_links(source.read_text(encoding="utf-8"), moved)), encoding="utf-8")
    return linked


def _links(page: Path) -> list[Link]:
    found: list[Link] = []

    def keep(link: Link) -> Link:
        found.append(link)
        return link

    rewrite_links(page.read_text(encoding="utf-8"), keep)
    return found


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def _listing(folder: Path, files: Iterable[Path]) -> str:
    names = "\n".join(f"- [{file.name}]({os.path.relpath(place(file), place(folder).parent)})" for file in files)
    return f"# {folder.relative_to(ROOT)}/\n\n{names}\n"
