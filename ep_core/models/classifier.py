"""Classifier: a network together with all that's needed to explain it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, cast

import torch
from PIL import Image
from torch import nn

from ep_core.errors import InvalidInput
from ep_core.models.checks.doubts import IMAGENET_PREPROCESSING, preprocessing_warnings
from ep_core.models.checks.gradients import check_network
from ep_core.models.checks.head import require_head
from ep_core.models.checks.probes import on_trial
from ep_core.models.checks.scores import adapted_network
from ep_core.models.checks.wrapping import check_described, check_label_count, check_module, given_labels
from ep_core.models.runtime.precision import exact_convolutions
from ep_core.models.runtime.stillness import still
from ep_core.models.runtime.turns import one_thread
from ep_core.models.sources.weights import state_digest
from ep_core.models.tokens.find import perturbations_of
from ep_core.models.tuning.adapted import inner_network, uncompiled
from ep_core.pictures.given_image import Picture
from ep_core.schemas.model_card import CLASS_TARGETS, EMBEDDING_TARGETS, Head, ListedLayer, TargetKind
from ep_core.schemas.perturbations import PerturbationKind
from ep_core.schemas.specs import Fit
from ep_core.schemas.warnings import ResultWarning

from .embeddings import LIKENESS, LikenessNetwork, body_of, embedded, has_embeddings
from .frame import Frame
from .heads import BinaryNetwork, OutputKey, checked_head, probabilities
from .layers import find_layers
from .preprocessing import Preprocessing
from .reads_texts import ReadsTexts
from .scalar import ContrastNetwork, ScalarTarget, Scored, label_of, scalar_network

Scoring = Callable[[torch.Tensor], torch.Tensor]
"""A network, or a function that calls one: N x 3 x H x W -> N x C."""


class Classifier:
    """An image classifier: the network, how pictures become its input, and what its outputs are called.

    Making one leaves the network as it is: nothing is moved, and its mode and gradients stay as they were.

    Example:
        >>> network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))  # N x 3 x H x W -> N x 10
        >>> Classifier(network, labels=list("abcdefghij")).num_classes
        10

    Attributes:
        network: N x 3 x H x W -> N x C, scores before any softmax or sigmoid: the one given, out of `torch.compile`'s
            wrapper, and in one that copies, casts or picks the scores (`adapted.adapt`) where it needs that.
        name: what it is called in requests and results.
        preprocessing: from a picture to the network's input.
        labels: one per class.
        kind: of the targets: classes, the likeness to a second picture where the outputs are embeddings, or the only
            score of a network that was given a function of its outputs.
        head: the probabilities that the scores stand for (`heads.probabilities`).
        weights_digest: ``sha256:`` and the hex digest of the weights.
        warnings: reasons to doubt every result of this model; results of pictures carry them.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        name: str = "custom",
        preprocessing: Preprocessing | None = None,
        labels: Iterable[Any] | None = None,
        outputs: Head | None = None,
        output: OutputKey | None = None,
        target: ScalarTarget | None = None,
        weights_digest: str | None = None,
        check: bool = True,
    ) -> None:
        """Try the network on an image and its blur.

        Args:
            network: N x 3 x H x W -> N x C, scores before any softmax or sigmoid, for any N. Scores that are one of
                several outputs are found: the only tensor of N x C, or the one called ``logits``. It takes another
                number of channels where the preprocessing has as many means.
            name: what it is called in results.
            preprocessing: that of the training. Without it, ImageNet's usual one is assumed, 224 x 224 out of a shorter
                side of 256 and ImageNet's mean and std, and results of pictures carry a warning of that.
            labels: one per class, in their order, numbers are written out; by default ``"0"`` to ``"C-1"``. They also
                say that the outputs are classes. A network of one score may have two with ``outputs="logit"``: what
                it means when the score is negative, and positive.
            outputs: what the scores stand for: ``"softmax"``, probabilities of classes that exclude each other;
                ``"sigmoid"``, of classes of which several may be there; ``"logit"``, of a single one. By default
                ``"logit"`` for one score and ``"softmax"`` for several. ``"embedding"``: a vector that stands for the
                image, N x D; there are no labels then, and images are compared with a second picture (`resembling`).
            output: key of the scores among several outputs, where they aren't found by themselves.
            target: a function of the outputs that is explained in place of a class; the network's outputs may be
                anything then (boxes, maps, embeddings), the labels are one name for the score.
            weights_digest: by default computed from the state dict, as it is now.
            check: whether to refuse a network by whose gradient no mask can be found; without, methods that need none
                (RISE, occlusion, LIME) can be used on any network.

        Raises:
            InvalidInput: the network fails on such an input, none of its outputs is N x C, or several may be the
                scores; C isn't the number of labels; the head doesn't go with so many; without labels the network
                ends in features, as one without its head does. Before it runs: it is no module, its weights are on
                several devices or on none, or an argument is of the wrong type.
            ModelUnavailable: its gradient is zero, missing or not finite, its scores are not finite, the same for all
                images, or dependent on the others in a batch (`checks/gradients.py`).
        """
        network = uncompiled(network)
        check_module(network)
        check_described(name, preprocessing, weights_digest)
        given = None if labels is None else given_labels(labels)
        self.kind: TargetKind = "class" if target is None else "score"
        if target is not None:
            outputs, given = "score", given or (label_of(target),)
        elif isinstance(network, Scored):
            outputs = outputs or network.outputs
        self.network = network if target is None else scalar_network(network, target)
        self.name = name
        self.preprocessing = preprocessing or IMAGENET_PREPROCESSING
        self.warnings: tuple[ResultWarning, ...] = preprocessing_warnings(preprocessing)
        self.network, classes = adapted_network(self, output, assumed=preprocessing is None)
        self.head = checked_head(outputs, classes)
        if outputs == "logit" and given is not None and len(given) == 2:
            self.network, classes = BinaryNetwork(self.network), 2
        if outputs == "embedding":
            self.kind, classes, given = "similar", 0, given or ()
        if given is None and not isinstance(self.network, Scored):  # whose outputs are scores by what they are
            with self.tried() as frozen:
                require_head(
                    frozen,
                    torch.zeros(2, self.preprocessing.channels, *self.input_size, device=self.device),
                    model=name,
                )
        self.labels = tuple(map(str, range(classes))) if given is None else given
        check_label_count(self.labels, classes, outputs, model=name)
        if check:
            check_network(self)
        self.weights_digest = weights_digest or state_digest(network)

    def __repr__(self) -> str:
        said = [
            "embeddings" if self.head == "embedding" else f"{self.num_classes} classes",
            f"input {self.input_size}",
            f"on {self.device}",
        ]
        said += [f"warning: {warning.kind}" for warning in self.warnings]
        return f"Classifier({self.name!r}, {', '.join(said)})"

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the network's input, in pixels."""
        return self.preprocessing.input_size

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.labels)

    @property
    def digest(self) -> str:
        """``sha256:`` and the hex digest of all that results depend on: weights, preprocessing, labels, head."""
        described = f"{self.weights_digest}\n{self.preprocessing!r}\n{self.labels!r}\n{self.head}"
        return f"sha256:{hashlib.sha256(described.encode()).hexdigest()}"

    @property
    def device(self) -> torch.device:
        """Device of the network's weights; the CPU for a network without any."""
        return next((parameter.device for parameter in self.network.parameters()), torch.device("cpu"))

    @cached_property
    def layers(self) -> tuple[ListedLayer, ...]:
        """The layers that have channels, in the order of computation; found by a forward pass of zeros.

        TorchScript and exported programs show none.
        """
        with self.frozen() as network:
            return tuple(find_layers(network, self.input_size, self.device, self.preprocessing.channels))

    @property
    def perturbations(self) -> tuple[PerturbationKind, ...]:
        """The perturbations that the network takes, as its card says them."""
        return perturbations_of(self.network)

    def preprocess(self, image: Image.Image, fit: Fit = "crop") -> tuple[torch.Tensor, Frame]:
        """Return the network's input (1 x 3 x H x W, on its device) and where it lies on `image`."""
        tensor, frame = self.preprocessing.preprocess(image, fit)
        return tensor.to(self.device), frame

    def probabilities(self, scores: torch.Tensor) -> torch.Tensor | None:
        """Return the probabilities that scores stand for, N x C in [0, 1]; None where they stand for none."""
        return probabilities(scores, self.head)

    def probabilities_by(self, network: Scoring) -> Scoring:
        """Return a network that gives the probabilities that its scores stand for: N x 3 x H x W -> N x C in [0, 1].

        Args:
            network: N x 3 x H x W -> N x C, the scores of this model's own.

        Raises:
            InvalidInput: they stand for none.
        """
        if self.head == "score":
            raise InvalidInput(f"the score {self.labels[0]!r} is no probability", field="target")
        return lambda images: cast("torch.Tensor", self.probabilities(network(images)))

    def scoring(self, target: ScalarTarget, label: str | None = None) -> Classifier:
        """Return this model with a function of its scores (N x C) in place of the classes.

        Args:
            target: see `ScalarTarget`.
            label: name of the score in results; None takes the function's.

        Raises:
            InvalidInput: the function returns no score for each image.
            ModelUnavailable: it has no gradient, or is the same for all images.
        """
        return self._seen_by(scalar_network(self.network, target), [label or label_of(target)], "score")

    def contrasting(self, target: int, rival: int) -> Classifier:
        """Return this model with the score of one class minus that of another: why this one and not that."""
        label = f"{self.labels[target]} instead of {self.labels[rival]}"
        return self._seen_by(ContrastNetwork(self.network, target, rival), [label], "contrast")

    @property
    def targets(self) -> tuple[TargetKind, ...]:
        """The kinds of target that it takes, as its card says them."""
        if self.head == "embedding":
            return EMBEDDING_TARGETS
        network = body_of(self.network)
        if isinstance(network, Scored):
            return network.targets
        further: tuple[TargetKind, ...] = ("text",) if isinstance(network, ReadsTexts) else ()
        return (*CLASS_TARGETS, *further, *(("similar",) if has_embeddings(network) else ()))

    def reading(self, text: str, *against: str) -> Classifier:
        """Return this model with texts in place of its classes, the first one the target.

        Args:
            text: a description of what may be in the image.
            against: other descriptions; with none, the text's score has no probability where the head is a softmax.

        Raises:
            InvalidInput: the network doesn't compare images with texts.
        """
        network = inner_network(self.network)
        if not isinstance(network, ReadsTexts):
            raise InvalidInput(f"model {self.name!r} doesn't compare images with texts", field="target")
        head: Head = self.head if against or self.head != "softmax" else "score"
        return self._seen_by(network.with_texts([text, *against]), [text, *against], "text", head)

    def resembling(self, picture: Picture, *, fit: Fit = "crop", label: str = LIKENESS) -> Classifier:
        """Return this model with the likeness to a second picture in place of its classes: the embeddings' cosine.

        Args:
            picture: the second one, or a 1 x 3 x H x W tensor that is already preprocessed.
            fit: how it is fitted to the network's frame.
            label: name of the score in results.

        Raises:
            InvalidInput: the network gives no embeddings, or none of the picture; or it is too elongated to be cropped.
        """
        network, other = embedded(self, picture, fit)
        return self._seen_by(LikenessNetwork(network, other), [label], "similar")

    def scored_by(self, network: nn.Module, label: str, kind: TargetKind) -> Classifier:
        """Return this model with one score in place of its classes, whose sigmoid is a probability.

        Args:
            network: N x 3 x H x W -> N x 1, made of this model's own.
            label: name of the score in results.
            kind: of target.
        """
        return self._seen_by(network, [label], kind, "logit")

    def _seen_by(self, network: nn.Module, labels: list[str], kind: TargetKind, head: Head = "score") -> Classifier:
        """Return this model by a network of other scores, made of its own."""
        seen = Classifier(
            network,
            name=self.name,
            preprocessing=self.preprocessing,
            labels=labels,
            outputs=head,
            weights_digest=self.weights_digest,
        )
        seen.warnings, seen.kind = self.warnings, kind
        return seen

    @contextmanager
    def frozen(self) -> Iterator[nn.Module]:
        """Give the network in evaluation mode, uncompiled, without gradients for its parameters; undo that afterwards.

        One thread at a time has it, others wait (`turns.one_thread`). Meanwhile a GPU's convolutions of float32 are
        just that (`exact_convolutions`).

        Every module's own mode and every parameter's own flag come back, also after an error. The mode is set flag by
        flag: some networks' `train` and `eval` do more than that (merging weights), or refuse (exported programs).
        """
        with one_thread(self.network), exact_convolutions(), still(self.network):
            yield self.network

    @contextmanager
    def tried(self) -> Iterator[nn.Module]:
        """Give the frozen network; torch's random numbers, and any inference mode outside, stay as they are."""
        with self.frozen() as network, on_trial(self.device):  # in this order: methods draw while they have a network
            yield network
