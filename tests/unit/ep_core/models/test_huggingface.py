"""Networks of Hugging Face's transformers, built from their configs with random weights: no hub is reached."""

from __future__ import annotations

import json
import logging
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file

from ep_core import ExtremalSpec, explain
from ep_core.errors import InvalidInput, ModelUnavailable
from ep_core.models import Classifier, list_models, load_model
from ep_core.models.registry import find_entry
from ep_core.models.sources.describe import describe
from ep_core.models.sources.huggingface.processor import from_image_processor
from ep_core.models.sources.survey import survey_layers, survey_version
from ep_core.models.sources.weights import file_digest

from .tiny_transformers import FOLDERS, SIZE, TOKENS, vit

pytestmark = pytest.mark.slow

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TEXTS = ("a photo of a cat", "a dog", "a photo of a school bus")
SIZES = [(640, 383), (427, 640), (500, 500), (333, 1001), (100, 75), (43, 32), (35, 39)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all networks, and a model list that names them."""
    root = tmp_path_factory.mktemp("transformers")
    with torch.random.fork_rng():
        for name, make in FOLDERS.items():
            torch.manual_seed(1)
            make(root / name)
    entries = {name: f'[models.{name}]\nhuggingface = "{name}"' for name in FOLDERS}
    for name in ("clip", "siglip"):
        entries[name] += f"\ntexts = {json.dumps(TEXTS)}"
    (root / "models.toml").write_text("\n".join(entries.values()))
    return root


@pytest.fixture
def load(folders: Path) -> Callable[[str], Classifier]:
    """A function that loads one of the networks by the list."""
    return lambda name: load_model(name, device="cpu", models_file=folders / "models.toml")


@pytest.fixture
def copied(folders: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A function that returns a copy of a network's folder."""
    return lambda name: Path(shutil.copytree(folders / name, tmp_path / name))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Hub's cache, empty, and no way to the Hub."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def put_into_cache(hub: Path, name: str, files: Path) -> None:
    """Lay out a network as a download of its branch `main` leaves it."""
    place = hub / f"models--{name.replace('/', '--')}"
    shutil.copytree(files, place / "snapshots" / COMMIT)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(COMMIT)


def edit(folder: Path, **keys: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | keys))


def scores(classifier: Classifier, image: Image.Image) -> torch.Tensor:
    tensor, _ = classifier.preprocess(image)
    with classifier.frozen() as network, torch.no_grad():
        return network(tensor)


def theirs(folder: Path, image: Image.Image, backend: str) -> torch.Tensor:
    """Scores of transformers' own classes, from the picture and the texts on."""
    inputs = transformers.AutoImageProcessor.from_pretrained(folder, backend=backend)(image, return_tensors="pt")
    with torch.no_grad():
        if folder.name in ("vit", "convnext"):
            return transformers.AutoModelForImageClassification.from_pretrained(folder)(**inputs).logits
        padding = {"clip": {"padding": True}, "siglip": {"padding": "max_length", "max_length": TOKENS}}[folder.name]
        tokens = transformers.AutoTokenizer.from_pretrained(folder)(list(TEXTS), return_tensors="pt", **padding)
        masks = {"attention_mask": tokens.attention_mask} if folder.name == "clip" else {}
        model = transformers.AutoModel.from_pretrained(folder)
        return model(**inputs, input_ids=tokens.input_ids, **masks).logits_per_image


@pytest.mark.parametrize("name", FOLDERS)
def test_scores_are_the_librarys_own(load, folders, photograph, name):
    ours = scores(load(name), photograph)
    torch.testing.assert_close(ours, theirs(folders / name, photograph, "pil"), atol=1e-4, rtol=0)
    # torchvision rounds to whole levels in a resize: a level is 1 / 255.
    torch.testing.assert_close(ours, theirs(folders / name, photograph, "torchvision"), atol=0.02, rtol=0)
    assert ours.std() > 0.001


@pytest.mark.parametrize("name", FOLDERS)
def test_each_is_explained(load, photograph, name):
    classifier = load(name)
    assert classifier.labels == (TEXTS if name in ("clip", "siglip") else ("cat", "dog", "school bus"))
    found = explain(classifier, photograph, ExtremalSpec(target=1, areas=(0.2,), iterations=4))
    assert found.curve[0].measured_area == pytest.approx(0.2, abs=0.1)
    assert found.target.label == classifier.labels[1]


def test_cards_are_made_without_the_weights(folders):
    cards = {card.name: card for card in list_models(folders / "models.toml")}
    assert {card.source for card in cards.values()} == {"huggingface"}
    assert {card.input_size for card in cards.values()} == {(SIZE, SIZE)}
    assert (cards["vit"].labels, cards["vit"].weights) == (("cat", "dog", "school bus"), "vit")
    assert cards["clip"].labels == TEXTS


@pytest.mark.parametrize("name", FOLDERS)
def test_layers_are_found_without_the_weights(load, folders, name):
    card = next(card for card in list_models(folders / "models.toml") if card.name == name)
    assert survey_layers(card, models_file=folders / "models.toml") == load(name).layers


def test_another_config_in_the_folder_asks_for_another_survey(copied, write_list):
    folder = copied("vit")
    path = write_list('huggingface = "vit"')
    (card,) = list_models(path)
    before = survey_version(card, models_file=path)
    edit(folder, hidden_size=64)
    assert survey_version(card, models_file=path) != before


def test_what_the_network_was_trained_with_is_told(folders, tmp_path, write_list):
    vit(tmp_path / "several", problem_type="multi_label_classification")
    path = write_list('huggingface = "several"')
    assert describe(find_entry("mine", models_file=path)).outputs == "sigmoid"
    told = {name: describe(find_entry(name, models_file=folders / "models.toml")).outputs for name in FOLDERS}
    assert told == {"vit": None, "convnext": None, "clip": None, "siglip": "sigmoid"}


def test_texts_come_from_labels_and_a_template(folders, load, photograph, tmp_path):
    path = tmp_path / "models.toml"
    path.write_text(
        f'[models.mine]\nhuggingface = "{folders}/clip"\nlabels = ["cat", "school bus"]\n'
        f'[models.theirs]\nhuggingface = "{folders}/clip"\nlabels = ["cat", "bus"]\ntemplate = "{{}}, a photo"\n'
        f'[models.texts]\nhuggingface = "{folders}/clip"\ntexts = ["cat, a photo", "bus, a photo"]'
    )
    mine, others, texts = (load_model(name, device="cpu", models_file=path) for name in ("mine", "theirs", "texts"))
    assert mine.labels == ("cat", "school bus")
    torch.testing.assert_close(scores(mine, photograph), scores(load("clip"), photograph)[:, [0, 2]])
    torch.testing.assert_close(scores(others, photograph), scores(texts, photograph))
    assert (others.labels, texts.labels) == (("cat", "bus"), ("cat, a photo", "bus, a photo"))
    assert mine.weights_digest != texts.weights_digest


@pytest.mark.parametrize("name", ["clip", "siglip"])
def test_other_texts_can_be_embedded_later(load, name):
    network = load(name).network
    found = network.text_embeddings(["a dog", "a photo of a cat"])
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))
    directions = torch.nn.functional.normalize(network.head.weight, dim=1)
    torch.testing.assert_close(found, directions[[1, 0]])


@pytest.mark.parametrize("name", ["clip", "siglip"])
def test_a_text_is_explained_against_others_and_by_itself(load, folders, photograph, name):
    """Its scores are the library's, as those of the texts of the list are."""
    model = load(name)
    text, *against = TEXTS
    cheap = {"areas": (0.3,), "iterations": 2}
    found = explain(model, photograph, {"target": {"text": text, "against": against}, **cheap})
    expected = theirs(folders / name, photograph, "pil")
    assert found.scores.original == pytest.approx(float(expected[0, 0]), abs=1e-3)
    probability = expected.softmax(1) if name == "clip" else expected.sigmoid()
    assert found.scores.original_probability == pytest.approx(float(probability[0, 0]), abs=1e-3)
    assert found.target.model_dump() == {"kind": "text", "index": None, "label": text}
    assert found.contrast.report.rival.label in against
    alone = explain(model, photograph, {"target": {"text": text}, **cheap})
    assert alone.scores.original == pytest.approx(found.scores.original, abs=1e-4)
    assert (alone.scores.original_probability is None) == (name == "clip")
    assert alone.contrast is None
    assert [card.targets for card in list_models(folders / "models.toml")][2:] == 2 * [("class", "contrast", "text")]


@pytest.mark.parametrize(
    ("name", "target", "said"),
    [
        ("vit", {"text": "a dog"}, "'vit' doesn't compare images with texts: name a class"),
        ("clip", {"text": "a dog", "against": ["a dog"]}, "a text against itself"),
        ("clip", {"text": "a dog", "against": ["a cat", "a cat"]}, "each once"),
    ],
)
def test_texts_that_mean_nothing_are_refused(load, photograph, name, target, said):
    with pytest.raises(InvalidInput, match=said):
        explain(load(name), photograph, {"target": target})


def test_without_texts_the_classes_are_imagenets(folders):
    described = describe(find_entry(f"huggingface:{folders}/clip"))
    assert (len(described.labels), described.labels[0]) == (1000, "tench")


def test_a_direct_name_is_a_folder(folders):
    classifier = load_model(f"huggingface:{folders}/vit", device="cpu")
    assert classifier.labels == ("cat", "dog", "school bus")


def test_texts_need_a_network_that_reads_them(folders, write_list):
    with pytest.raises(InvalidInput, match="fixed classes: texts and template go with CLIP and SigLIP"):
        list_models(write_list(f'huggingface = "{folders}/vit"\ntexts = ["a cat"]'))


def test_weights_without_a_head_are_refused(copied):
    file = copied("vit") / "model.safetensors"
    save_file({key: value for key, value in load_file(file).items() if "classifier" not in key}, file, {"format": "pt"})
    with pytest.raises(
        ModelUnavailable, match=r"lack 2 .*\(classifier.bias, classifier.weight\), which would be random"
    ):
        load_model(f"huggingface:{file.parent}", device="cpu")


def test_weights_in_half_precision_and_in_several_files_are_read_as_float32(load, copied, photograph):
    folder = copied("vit")
    (folder / "model.safetensors").unlink()
    half = load("vit").network.model.half()
    half.save_pretrained(folder, max_shard_size="20KB")
    assert (folder / "model.safetensors.index.json").exists()
    classifier = load_model(f"huggingface:{folder}", device="cpu")
    assert {parameter.dtype for parameter in classifier.network.parameters()} == {torch.float32}
    torch.testing.assert_close(scores(classifier, photograph), scores(load("vit"), photograph), atol=0.01, rtol=0)


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


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"architectures": ["YolosForObjectDetection"]}, r"a YolosForObjectDetection .*can be explained"),
        ({"architectures": None}, "without its class"),
        ({"model_type": "no-such"}, "can't be read: ValueError"),
    ],
    ids=["detector", "no class", "unknown"],
)
def test_other_networks_are_refused(copied, keys, said):
    folder = copied("vit")
    edit(folder, **keys)
    with pytest.raises((InvalidInput, ModelUnavailable), match=said):
        load_model(f"huggingface:{folder}", device="cpu")


def test_a_folder_without_a_config_is_told(tmp_path):
    with pytest.raises(ModelUnavailable, match=r"no folder of a Hugging Face network: config\.json"):
        load_model(f"huggingface:{tmp_path}", device="cpu")


def test_transformers_that_is_not_installed_is_named(folders, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ModelUnavailable) as error:
        load_model("vit", device="cpu", models_file=folders / "models.toml")
    assert str(error.value) == (
        "models of Hugging Face need the extra `huggingface`: pip install 'extremal-perturbations[huggingface]'"
    )


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
        ModelUnavailable, match=r"org/tiny \(revision v1\) is no folder.*can't be had from the Hugging Face Hub"
    ) as error:
        load_model("huggingface:org/tiny@v1", device="cpu")
    assert "\n" not in str(error.value)


def test_a_folder_has_no_revision(folders, write_list):
    with pytest.raises(InvalidInput, match="only the Hub has revisions"):
        list_models(write_list(f'huggingface = "{folders}/vit"\nrevision = "main"'))


PROCESSORS = {
    "CLIP": lambda: transformers.CLIPImageProcessorPil(),
    "ConvNeXt": lambda: transformers.ConvNextImageProcessorPil(size={"shortest_edge": 224}),
    "ConvNeXt 384": lambda: transformers.ConvNextImageProcessorPil(),
    "PoolFormer": lambda: transformers.PoolFormerImageProcessorPil(),
    "DeiT": lambda: transformers.DeiTImageProcessorPil(),
    "ViT, Lanczos": lambda: transformers.ViTImageProcessorPil(resample=1),
    "not normalised": lambda: transformers.ViTImageProcessorPil(do_normalize=False),
    "0 to 255": lambda: transformers.ViTImageProcessorPil(
        do_rescale=False, image_mean=[127.5] * 3, image_std=[128] * 3
    ),
}


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_picture_becomes_what_the_processor_makes_of_it(photograph, processor, size):
    theirs = PROCESSORS[processor]()
    image = photograph.convert("RGB").resize(size)
    found = from_image_processor(theirs)
    expected = torch.as_tensor(theirs(image, return_tensors="pt")["pixel_values"])
    torch.testing.assert_close(found.preprocess(image)[0], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(224, 224), (640, 383), (35, 39)], ids=str)
def test_the_torchvision_backend_differs_by_less_than_a_level(photograph, size):
    theirs = transformers.CLIPImageProcessor()
    image = photograph.convert("RGB").resize(size)
    expected = torch.as_tensor(theirs(image, return_tensors="pt")["pixel_values"])
    found = from_image_processor(theirs)
    apart = (found.preprocess(image)[0] - expected).abs() * torch.tensor(found.std)[:, None, None]
    assert apart.mean() < 1 / 255


@pytest.mark.parametrize(
    ("processor", "said"),
    [
        (lambda: transformers.MobileViTImageProcessorPil(), "does more than to resize, crop and normalise"),
        (lambda: transformers.CLIPImageProcessorPil(do_center_crop=False), "no equal here"),
        (lambda: transformers.ViTImageProcessorPil(do_resize=False), "no equal here"),
    ],
    ids=["flips channels", "any shape", "no resize"],
)
def test_a_processor_without_an_equal_is_refused_with_the_reason(processor, said):
    with pytest.raises(InvalidInput, match=f"{said}.*own `preprocessing`"):
        from_image_processor(processor())


def test_an_entry_with_its_own_preprocessing_needs_no_processor(copied, write_list):
    (copied("vit") / "preprocessor_config.json").unlink()
    with pytest.raises(InvalidInput, match=r"no image processor that can be read.*own `preprocessing`"):
        list_models(write_list('huggingface = "vit"'))
    own = f"{{ input_size = [{SIZE}, {SIZE}], resize = 40, mean = [0.5, 0.5, 0.5], std = [0.2, 0.2, 0.2] }}"
    classifier = load_model("mine", device="cpu", models_file=write_list(f'huggingface = "vit"\npreprocessing = {own}'))
    assert (classifier.preprocessing.resize, classifier.preprocessing.std) == (40, (0.2, 0.2, 0.2))
