"""Networks on the Hub: pinned by their commit, warned of without, and told in a line where they cannot be had."""

from __future__ import annotations

import logging

import pytest

from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.models import list_models, load_model

from .loading import COMMIT, put_into_cache

pytestmark = pytest.mark.slow


def test_a_name_on_the_hub_is_pinned_by_its_commit(hub, folders, write_list, caplog):
    put_into_cache(hub, "org/tiny", folders / "vit")
    path = write_list(f'huggingface = "org/tiny"\nrevision = "{COMMIT}"')
    with caplog.at_level(logging.WARNING, "ep_core"):
        classifier = load_model("mine", device="cpu", models_file=path)
    assert classifier.num_classes == 3
    assert not caplog.records
    (card,) = list_models(path)
    assert card.weights == f"org/tiny@{COMMIT}"


def test_a_loose_name_on_the_hub_is_warned_of_with_the_commit(hub, folders, caplog):
    put_into_cache(hub, "org/tiny", folders / "vit")
    with caplog.at_level(logging.WARNING, "ep_core"):
        load_model("huggingface:org/tiny@main", device="cpu")
    (record,) = caplog.records
    assert f'revision = "{COMMIT}"' in record.message


def test_what_the_hub_cannot_give_is_told_in_a_line(hub):
    with pytest.raises(
        ModelUnavailable,
        match=r"org/tiny \(revision v1\) is no folder.*couldn't be downloaded from the Hugging Face Hub",
    ) as error:
        load_model("huggingface:org/tiny@v1", device="cpu")
    assert "\n" not in str(error.value)


def test_a_folder_has_no_revision(folders, write_list):
    with pytest.raises(InvalidInput, match="only the Hub has revisions"):
        list_models(write_list(f'huggingface = "{folders}/vit"\nrevision = "main"'))
