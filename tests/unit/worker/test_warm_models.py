"""Models that stay loaded."""

from __future__ import annotations

import pytest

from worker.process.loaded_models import WarmModels


def test_the_last_few_used_stay_and_are_loaded_once():
    loaded: list[str] = []
    models = WarmModels(2, lambda name: loaded.append(name) or object())
    first = models.get("a")
    models.get("b")
    assert models.get("a") is first
    models.get("c")  # b goes, used least recently
    assert models.get("a") is first
    models.get("b")
    assert loaded == ["a", "b", "c", "b"]


def test_a_model_that_cannot_be_loaded_is_tried_again():
    def fail(name: str) -> object:
        raise ValueError(name)

    models = WarmModels(1, fail)
    for _ in range(2):
        with pytest.raises(ValueError, match="a"):
            models.get("a")


def test_a_model_that_has_changed_is_loaded_again_and_one_that_is_gone_stays():
    versions: dict[str, str] = {"a": "1", "b": "1"}
    models = WarmModels(2, lambda _name: object(), version_of=versions.get)
    first, other = models.get("a"), models.get("b")
    versions["a"] = "2"
    second = models.get("a")
    assert second is not first
    assert models.get("b") is other
    del versions["a"]
    assert models.get("a") is second
