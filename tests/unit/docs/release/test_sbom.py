"""Bills of materials, from what pip says of a few packages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from docs.release.sbom import bill

MADE_AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


def package(name: str, version: str, *requires: str, sha256: str | None = None, **about: object) -> dict[str, Any]:
    hashes = {"hashes": {"sha256": sha256}} if sha256 else {}
    metadata = {"name": name, "version": version, "requires_dist": list(requires), **about}
    return {"metadata": metadata, "download_info": {"url": "https://an.index/x.whl", "archive_info": hashes}}


def test_a_bill_names_each_package_its_hash_its_licence_and_what_it_needs() -> None:
    made = bill(
        "api",
        [
            package("extremal-perturbations", "0.5.0", "One_two", "torch; extra == 'worker'", "third; extra == 'api'"),
            package("One.Two", "1.0", "third", "nothing", sha256="ab12", license_expression="MIT OR ISC"),
            package("third", "2.0", "one-two; extra == 'x'", license="Odd"),
        ],
        made_at=MADE_AT,
        serial="0f8fad5b-d9cb-469f-a165-708677289501",
    )

    assert made["metadata"]["component"]["name"] == "extremal-perturbations-api"
    assert made["metadata"]["timestamp"] == "2026-01-31T12:00:00+00:00"
    _, two, third = made["components"]
    assert two["purl"] == "pkg:pypi/one-two@1.0"
    assert two["hashes"] == [{"alg": "SHA-256", "content": "ab12"}]
    assert two["licenses"] == [{"expression": "MIT OR ISC"}]
    assert third["licenses"] == [{"license": {"name": "Odd"}}]
    needs = {one["ref"]: one["dependsOn"] for one in made["dependencies"]}
    assert needs == {
        "api": ["pkg:pypi/extremal-perturbations@0.5.0"],
        "pkg:pypi/extremal-perturbations@0.5.0": ["pkg:pypi/one-two@1.0", "pkg:pypi/third@2.0"],
        "pkg:pypi/one-two@1.0": ["pkg:pypi/third@2.0"],
        "pkg:pypi/third@2.0": [],
    }
    assert "an.index" not in str(made)
