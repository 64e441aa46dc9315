"""No code and no pickle beside the weights is ever run."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.models import load_model
from ep_core.models.sources.weights import file_digest

from .loading import edit, scores

pytestmark = pytest.mark.slow


def test_code_in_a_folder_is_never_run(copied):
    folder = copied("vit")
    (folder / "own.py").write_text(f"open({str(folder / 'run')!r}, 'w')")
    edit(folder, model_type="own", auto_map={"AutoConfig": "own.Config", "AutoModelForImageClassification": "own.Net"})
    with pytest.raises(ModelUnavailable, match=r"auto_map.*never run here"):
        load_model(f"huggingface:{folder}", device="cpu")
    assert not (folder / "run").exists()


def test_code_of_an_image_processor_is_never_run(copied):
    folder = copied("vit")
    (folder / "own.py").write_text(f"open({str(folder / 'run')!r}, 'w')")
    told = {"image_processor_type": "Own", "auto_map": {"AutoImageProcessor": "own.Own"}}
    (folder / "preprocessor_config.json").write_text(json.dumps(told))
    with pytest.raises(InvalidInput, match="no image processor that can be read"):
        load_model(f"huggingface:{folder}", device="cpu")
    assert not (folder / "run").exists()


def test_a_pickle_is_refused_and_read_as_plain_weights_where_it_is_named(copied, write_list, load, photograph):
    folder = copied("vit")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelUnavailable, match=r"no model\.safetensors.*pytorch_model\.bin is read without"):
        load_model(f"huggingface:{folder}", device="cpu")
    path = write_list('huggingface = "vit"\nfile = "vit/pytorch_model.bin"')
    classifier = load_model("mine", device="cpu", models_file=path)
    torch.testing.assert_close(scores(classifier, photograph), scores(load("vit"), photograph))
    assert classifier.weights_digest == file_digest(folder / "pytorch_model.bin")
    torch.save({"model": torch.nn.Linear(2, 2)}, folder / "pytorch_model.bin")
    with pytest.raises(ModelUnavailable, match="never unpickled"):
        load_model("mine", device="cpu", models_file=path)
