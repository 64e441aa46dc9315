"""Bills of materials of the images (CycloneDX 1.6, JSON): `make sbom`, into build/sbom.

What pip would install is resolved, not installed. A bill has the Python packages of an image; what its base has is
known to the tools that read whole images.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .images import IMAGES, PROJECT, ROOT, extras
from .licences import installed, licence

FOLDER = ROOT / "build" / "sbom"
Report = Sequence[Mapping[str, Any]]
"""What pip says of each package: ``metadata`` and ``download_info``."""


def main() -> int:
    """Write the bill of each image; arguments are passed on to pip."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for image in IMAGES:
        made = bill(image, resolved(image, sys.argv[1:]), made_at=datetime.now(UTC), serial=str(uuid4()))
        path = FOLDER / f"{image}.cdx.json"
        path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: {len(made['components'])} packages")
    return 0


def resolved(image: str, pip_args: Sequence[str] = ()) -> Report:
    """Return the packages that an image's own step would install, by this Python and machine."""
    with tempfile.NamedTemporaryFile() as report:
        options = ["--quiet", "--dry-run", "--ignore-installed", "--report", report.name, *pip_args]
        what = ["--constraint", "constraints.txt", f".[{','.join(extras(image))}]"]
        subprocess.run([sys.executable, "-m", "pip", "install", *options, *what], cwd=ROOT, check=True)
        found: Report = json.load(report)["install"]
    return found


def bill(image: str, report: Report, *, made_at: datetime, serial: str) -> dict[str, Any]:
    """Return the bill of an image's packages.

    Args:
        image: its name.
        report: its packages, with ours among them.
        made_at: with a time zone.
        serial: a UUID.
    """
    names = {canonicalize_name(one["metadata"]["name"]) for one in report}
    refs = {_name(one): _ref(one) for one in report}
    ours = refs[canonicalize_name(PROJECT["name"])]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "timestamp": made_at.isoformat(timespec="seconds"),
            "component": {
                "type": "container",
                "bom-ref": image,
                "name": f"{PROJECT['name']}-{image}",
                "version": PROJECT["version"],
                "licenses": [{"license": {"id": PROJECT["license"]}}],
            },
        },
        "components": [_component(one) for one in sorted(report, key=_name)],
        "dependencies": [
            {"ref": image, "dependsOn": [ours]},
            *(
                {"ref": refs[_name(one)], "dependsOn": [refs[name] for name in _needs(image, one, names)]}
                for one in report
            ),
        ],
    }


def _component(one: Mapping[str, Any]) -> dict[str, Any]:
    about = _about(one)
    held = licence(_name(one), about)
    made: dict[str, Any] = {
        "type": "library",
        "bom-ref": _ref(one),
        "name": about["name"],
        "version": about["version"],
        "purl": _ref(one),
    }
    if hashes := one.get("download_info", {}).get("archive_info", {}).get("hashes"):
        made["hashes"] = [{"alg": "SHA-256", "content": hashes["sha256"]}]
    if held:
        stated = "license_expression" in about
        made["licenses"] = [{"expression": held} if stated else {"license": {"name": held}}]
    return made


def _about(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a package's metadata: its own where that version is installed, which says more than an old pip reads."""
    here = installed(_name(one))
    return here if here is not None and here["version"] == one["metadata"]["version"] else one["metadata"]


def _needs(image: str, one: Mapping[str, Any], names: set[str]) -> list[str]:
    """Return the packages of the image that a package asks for, by name; extras of others count as asked for."""
    ours = _name(one) == canonicalize_name(PROJECT["name"])
    active = ("", *extras(image)) if ours else ("",)
    needed = set()
    for line in one["metadata"].get("requires_dist", ()):
        requirement = Requirement(line)
        name = canonicalize_name(requirement.name)
        if name in names and name != _name(one):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in active):
                needed.add(name)
    return sorted(needed)


def _name(one: Mapping[str, Any]) -> str:
    return canonicalize_name(one["metadata"]["name"])


def _ref(one: Mapping[str, Any]) -> str:
    return f"pkg:pypi/{_name(one)}@{one['metadata']['version']}"


if __name__ == "__main__":
    sys.exit(main())
