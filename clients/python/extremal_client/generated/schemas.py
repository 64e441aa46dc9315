"""What can be sent and what is answered. Made of the OpenAPI document by `make client`: change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

from extremal_client.core.images import GivenImage

JobState = Literal["queued", "running", "succeeded", "failed", "canceled"]
Priority = Literal["normal", "low"]


class BoxTarget(TypedDict):
    """The object that a detector finds at a place: the log-odds of the most that confidence times overlap (IoU) is."""

    box: Sequence[float]
    """Left, top, right, bottom, in pixels of the image."""
    label: NotRequired[int | str | None]
    """Its class; null takes that of the detection that matches the box best."""


class ChannelsParams(TypedDict, total=False):
    """Channel attribution: the channels of a layer that keep one image's score (5 and 5.1)."""

    model: str
    """A name that `GET /v1/models` lists."""
    target: int | str | ClassContrast | TextTarget | BoxTarget | SegmentTarget | SimilarTarget | None
    """Class index, label (exact but for case), or WordNet id of an ImageNet class (`n02133161`); `{"class": 3,
    "instead_of": 7}` explains why one class and not another; a model that compares images with texts also takes
    `{"text": "a bus in snow", "against": ["a truck"]}`; a detector `{"box": [40, 60, 320, 400], "label":
    "dog"}`, the detection at a box (left, top, right, bottom in pixels of the image); a segmenter `{"segment":
    "dog", "within": [40, 60, 320, 400]}`, a class in a region, or `{"segment": "dog"}`, in the pixels that it
    gives to the class; one that gives embeddings `{"similar_to": "target_image"}`, the likeness to a second
    picture; null explains the top class."""
    variant: Literal["preserve", "delete", "hybrid"]
    """Objective of a mask (3.2): `preserve` Phi(m x), `delete` -Phi((1-m) x), `hybrid` their sum."""
    threshold: float
    """tau: how much the smallest sufficient area a* has to reach. Of the score that is kept: tau * Phi(x) (eq. 3),
    or, where Phi(x) isn't positive, that share of the way up from the perturbed image's score. For `delete`:
    that share of the way down to it. `scores.threshold_rule` says which."""
    iterations: int | None
    """Steps per area, at most; null takes the preset's number."""
    fit: Literal["crop", "stretch", "whole"]
    """Fit of the image to the network's frame: the model's own `crop`, which the network sees nothing outside of;
    `whole`: all of the image in its proportions, padded with the network's mean colour; `stretch`: all of it,
    its proportions changed."""
    white_level: int | None
    """Of grey images with more than 8 bits a sample, the value that is white, such as 4095 where a camera has
    written 12 bits into 16; null: the largest that the samples can have."""
    layer: str | None
    """A layer that `GET /v1/models/{name}` lists; null takes the one that is listed as the default for `channels`."""
    areas: Sequence[int] | None
    """Numbers of channels to keep (or delete), 1 to the layer's K, all different, in any order; null takes the
    paper's 21 counts, scaled to K."""
    preset: Literal["fast", "paper"]
    """`paper`: eq. 9 in 300 iterations, inversions by eq. 12, as section 5 says. `fast`: masks of exactly so many
    channels, inversions that look more like the image."""
    seed: int
    """Draws where inversions start."""
    invert: bool
    """Whether to invert the layer, with all channels and with the optimal mask's (eq. 12)."""


class ChannelsSpec(ChannelsParams, total=False):
    """The same with the name of the task, `channels`."""

    task: Literal["channels"]


class ClassChannelsParams(TypedDict, total=False):
    """Per-class channels: the channels of a layer that a class needs, from several of its images (5.2)."""

    model: str
    """A name that `GET /v1/models` lists."""
    target: int | str | ClassContrast | TextTarget | BoxTarget | SegmentTarget | SimilarTarget | None
    """Class index, or label (exact but for case); null explains the class that is the most probable over all
    images."""
    variant: Literal["preserve", "delete", "hybrid"]
    """Objective of a mask (3.2): `preserve` Phi(m x), `delete` -Phi((1-m) x), `hybrid` their sum."""
    threshold: float
    """tau: how much the smallest sufficient area a* has to reach. Of the score that is kept: tau * Phi(x) (eq. 3),
    or, where Phi(x) isn't positive, that share of the way up from the perturbed image's score. For `delete`:
    that share of the way down to it. `scores.threshold_rule` says which."""
    iterations: int | None
    """Steps per area, at most; null takes the preset's number."""
    fit: Literal["crop", "stretch", "whole"]
    """Fit of the image to the network's frame: the model's own `crop`, which the network sees nothing outside of;
    `whole`: all of the image in its proportions, padded with the network's mean colour; `stretch`: all of it,
    its proportions changed."""
    white_level: int | None
    """Of grey images with more than 8 bits a sample, the value that is white, such as 4095 where a camera has
    written 12 bits into 16; null: the largest that the samples can have."""
    layer: str | None
    """A layer that `GET /v1/models/{name}` lists; null takes the one that is listed as the default for `channels`."""
    areas: Sequence[int] | None
    """Numbers of channels to keep (or delete), 1 to the layer's K, all different, in any order; null takes the
    paper's 21 counts, scaled to K."""
    preset: Literal["fast", "paper"]
    """`paper`: eq. 9 in 300 iterations, inversions by eq. 12, as section 5 says. `fast`: masks of exactly so many
    channels, inversions that look more like the image."""
    seed: int
    """Draws where inversions start."""
    top: int
    """How many of the class's channels are shown."""
    invert: bool
    """Whether to invert each of them (5.2)."""


class ClassChannelsSpec(ClassChannelsParams, total=False):
    """The same with the name of the task, `class_channels`."""

    task: Literal["class_channels"]


ClassContrast = TypedDict("ClassContrast", {"class": int | str, "instead_of": int | str})
"""One class instead of another: the score is the difference of theirs, ``f_class - f_instead_of``."""


class CompareParams(TypedDict, total=False):
    """Several methods on one image and class, each with the score curve of keeping its top areas (figure 2)."""

    model: str
    """A name that `GET /v1/models` lists."""
    target: int | str | ClassContrast | TextTarget | BoxTarget | SegmentTarget | SimilarTarget | None
    """Class index, label (exact but for case), or WordNet id of an ImageNet class (`n02133161`); `{"class": 3,
    "instead_of": 7}` explains why one class and not another; a model that compares images with texts also takes
    `{"text": "a bus in snow", "against": ["a truck"]}`; a detector `{"box": [40, 60, 320, 400], "label":
    "dog"}`, the detection at a box (left, top, right, bottom in pixels of the image); a segmenter `{"segment":
    "dog", "within": [40, 60, 320, 400]}`, a class in a region, or `{"segment": "dog"}`, in the pixels that it
    gives to the class; one that gives embeddings `{"similar_to": "target_image"}`, the likeness to a second
    picture; null explains the top class."""
    variant: Literal["preserve", "delete", "hybrid"]
    """Objective of a mask (3.2): `preserve` Phi(m x), `delete` -Phi((1-m) x), `hybrid` their sum."""
    threshold: float
    """tau: how much the smallest sufficient area a* has to reach. Of the score that is kept: tau * Phi(x) (eq. 3),
    or, where Phi(x) isn't positive, that share of the way up from the perturbed image's score. For `delete`:
    that share of the way down to it. `scores.threshold_rule` says which."""
    iterations: int | None
    """Steps per area, at most; null takes the preset's number."""
    fit: Literal["crop", "stretch", "whole"]
    """Fit of the image to the network's frame: the model's own `crop`, which the network sees nothing outside of;
    `whole`: all of the image in its proportions, padded with the network's mean colour; `stretch`: all of it,
    its proportions changed."""
    white_level: int | None
    """Of grey images with more than 8 bits a sample, the value that is white, such as 4095 where a camera has
    written 12 bits into 16; null: the largest that the samples can have."""
    areas: Sequence[float]
    """Shares of the image that a mask keeps (or deletes), each in (0, 1), all different; any order."""
    perturbation: Literal["blur", "fade", "drop"]
    """The perturbation outside the mask (3.4): Gaussian `blur`, or `fade` to black. `drop` leaves out the patches
    of a vision transformer (preset `fast`; the model's `perturbations` say where it can be had): masks are of
    whole patches then."""
    preset: Literal["fast", "paper"]
    """`paper`: as section 4 says, 1600 iterations. `fast`: exact areas in 100 at most."""
    seed: int
    """Draws where the masks of `fast` start; `paper` draws nothing."""
    independent: bool | None
    """Whether every area's mask is optimised from the whole image by itself (figure 5), instead of starting where
    the walks of the whole sweep agree. Masks of `paper` always are; those of `fast` (null: false) vary more with
    the seed then."""
    sigma_max: float | None
    """Strongest perturbation: the blur's sigma in pixels of the network's frame (null: 20 per 224 of its shorter
    side), or for fade the share of light taken away, at most 1 (null: 1)."""
    pyramid_levels: int
    """Levels of the perturbation pyramid, L + 1 of footnote 3, the image included."""
    methods: Sequence[
        Literal[
            "center",
            "gradient",
            "smoothgrad",
            "integrated_gradients",
            "deconvnet",
            "guided_backprop",
            "grad_cam",
            "lrp",
            "excitation_backprop",
            "contrastive_excitation_backprop",
            "occlusion",
            "rise",
            "lime",
            "greedy_superpixels",
            "phase_win",
            "meaningful_perturbation",
            "igos_plus_plus",
            "attention_rollout",
            "attention_relevance",
            "extremal",
        ]
    ]
    """The methods, all different, in the order in which the result lists them. Those that can't explain the model
    say why in the result. By default all but `igos_plus_plus`, which takes the longest, and `attention_rollout`
    and `attention_relevance`, which explain transformers alone."""
    layer: str | None
    """The layer that Grad-CAM and excitation backprop read: one that `GET /v1/models/{name}` lists; null takes the
    one that is listed as the default for each. The result says which layer each method read."""
    samples: int | None
    """Random images that RISE (null: 4000), LIME (1000) and SmoothGrad (50) look at; most images of a search over
    superpixels (null: about 50 superpixels)."""


class CompareSpec(CompareParams, total=False):
    """The same with the name of the task, `compare`."""

    task: Literal["compare"]


class ExtremalParams(TypedDict, total=False):
    """A sweep of spatial extremal perturbations of one image (section 3)."""

    model: str
    """A name that `GET /v1/models` lists."""
    target: int | str | ClassContrast | TextTarget | BoxTarget | SegmentTarget | SimilarTarget | None
    """Class index, label (exact but for case), or WordNet id of an ImageNet class (`n02133161`); `{"class": 3,
    "instead_of": 7}` explains why one class and not another; a model that compares images with texts also takes
    `{"text": "a bus in snow", "against": ["a truck"]}`; a detector `{"box": [40, 60, 320, 400], "label":
    "dog"}`, the detection at a box (left, top, right, bottom in pixels of the image); a segmenter `{"segment":
    "dog", "within": [40, 60, 320, 400]}`, a class in a region, or `{"segment": "dog"}`, in the pixels that it
    gives to the class; one that gives embeddings `{"similar_to": "target_image"}`, the likeness to a second
    picture; null explains the top class."""
    variant: Literal["preserve", "delete", "hybrid"]
    """Objective of a mask (3.2): `preserve` Phi(m x), `delete` -Phi((1-m) x), `hybrid` their sum."""
    threshold: float
    """tau: how much the smallest sufficient area a* has to reach. Of the score that is kept: tau * Phi(x) (eq. 3),
    or, where Phi(x) isn't positive, that share of the way up from the perturbed image's score. For `delete`:
    that share of the way down to it. `scores.threshold_rule` says which."""
    iterations: int | None
    """Steps per area, at most; null takes the preset's number."""
    fit: Literal["crop", "stretch", "whole"]
    """Fit of the image to the network's frame: the model's own `crop`, which the network sees nothing outside of;
    `whole`: all of the image in its proportions, padded with the network's mean colour; `stretch`: all of it,
    its proportions changed."""
    white_level: int | None
    """Of grey images with more than 8 bits a sample, the value that is white, such as 4095 where a camera has
    written 12 bits into 16; null: the largest that the samples can have."""
    areas: Sequence[float]
    """Shares of the image that a mask keeps (or deletes), each in (0, 1), all different; any order."""
    perturbation: Literal["blur", "fade", "drop"]
    """The perturbation outside the mask (3.4): Gaussian `blur`, or `fade` to black. `drop` leaves out the patches
    of a vision transformer (preset `fast`; the model's `perturbations` say where it can be had): masks are of
    whole patches then."""
    preset: Literal["fast", "paper"]
    """`paper`: as section 4 says, 1600 iterations. `fast`: exact areas in 100 at most."""
    seed: int
    """Draws where the masks of `fast` start; `paper` draws nothing."""
    independent: bool | None
    """Whether every area's mask is optimised from the whole image by itself (figure 5), instead of starting where
    the walks of the whole sweep agree. Masks of `paper` always are; those of `fast` (null: false) vary more with
    the seed then."""
    sigma_max: float | None
    """Strongest perturbation: the blur's sigma in pixels of the network's frame (null: 20 per 224 of its shorter
    side), or for fade the share of light taken away, at most 1 (null: 1)."""
    pyramid_levels: int
    """Levels of the perturbation pyramid, L + 1 of footnote 3, the image included."""
    check_extremality: bool
    """Whether to compare each mask's score with those of rivals of the same area: the top areas of quick methods
    and random smooth masks. With `fast`, a mask that is beaten gives way to what the search makes of its rival."""
    alternatives: int
    """Other sufficient masks of the area a* that are sought, distinct from the optimal one (`fast`, variants that
    preserve)."""
    contrast: bool
    """Whether to find the mask that most lifts the target above its nearest rival class (`fast`)."""


class ExtremalSpec(ExtremalParams, total=False):
    """The same with the name of the task, `extremal`."""

    task: Literal["extremal"]


class SegmentTarget(TypedDict):
    """The pixels of a class, by a segmenter: their mean score in a region."""

    segment: int | str
    """The class."""
    within: NotRequired[Sequence[float] | Literal["target_mask"] | None]
    """The region: a box (left, top, right, bottom, in pixels of the image), or `target_mask`, the picture that is
    sent as the part of that name, white where the region is; null takes the pixels that the segmenter itself
    says are of the class."""


class SimilarTarget(TypedDict):
    """A second picture: the score is the cosine of the embeddings of both."""

    similar_to: Literal["target_image"]
    """`target_image`: the picture that is sent as the part of that name."""


class TextTarget(TypedDict):
    """A text that a network compares the image with (CLIP and its kind), by itself or against others."""

    text: str
    """A description of what may be in the image."""
    against: NotRequired[Sequence[str]]
    """Other descriptions. With them, the texts are the classes, and the text has a probability among them; without,
    its score is the network's similarity of image and text."""


class JobOptions(TypedDict, total=False):
    """Options of a job beside its parameters."""

    target_image: GivenImage
    """The second picture, where the target is the likeness to one (`similar_to`)."""
    target_mask: GivenImage
    """The region, where the target is a segment within one (`within`): a picture as large as the image, white where
    the region is, black or transparent elsewhere."""
    priority: Priority
    """`low` lets others go first: workers take one such job after four normal ones."""
    reuse: bool
    """Where the same image was explained with the same parameters and weights before, the job has that result at
    once (`cached`); `false` computes it anew."""
    keep_images: bool
    """Keep the posted images as long as the result; by default they go when the job ends."""
    keep_metadata: bool
    """Store the posted images with their files' metadata: place, camera, times, texts. By default that is removed
    before anything is stored; the pixels stay as they are."""
    webhook: str
    """URL that gets a signed message when the job has ended (Standard Webhooks)."""


class ClassifyOptions(TypedDict, total=False):
    """Options of a classification."""

    model: str
    """A name that `GET /v1/models` lists."""
    top: int
    """Number of classes to return."""
    fit: Literal["crop", "stretch", "whole"]
    """Fit of the image to the network's frame: the model's own `crop`, which the network sees nothing outside of;
    `whole`: all of the image in its proportions, padded with the network's mean colour; `stretch`: all of it,
    its proportions changed."""
    white_level: int
    """Of grey images with more than 8 bits a sample, the value that is white, such as 4095 where a camera has
    written 12 bits into 16; null: the largest that the samples can have."""


class ChannelsArguments(ChannelsParams, JobOptions, total=False):
    """Parameters and options of a job of the task `channels`."""


class ClassChannelsArguments(ClassChannelsParams, JobOptions, total=False):
    """Parameters and options of a job of the task `class_channels`."""


class CompareArguments(CompareParams, JobOptions, total=False):
    """Parameters and options of a job of the task `compare`."""


class ExtremalArguments(ExtremalParams, JobOptions, total=False):
    """Parameters and options of a job of the task `extremal`."""


@dataclass(kw_only=True)
class Accuracy:
    """Accuracy of trained weights, as their library states it."""

    value: float
    """As a share, in [0, 1]."""
    measure: Literal["top1", "box_map", "miou"]
    """`top1`: the share of images whose best class is the right one; `box_map`: mean average precision of boxes;
    `miou`: mean intersection over union of the classes' pixels."""
    data: str
    """The images that it was measured on."""


@dataclass(kw_only=True)
class Alternative:
    """Another sufficient mask: it reaches the threshold too, and shares little with the ones before it."""

    area: float
    measured_area: float
    preserve: float
    """Phi(m x): score when only this mask is kept."""
    delete: float
    """Phi((1-m) x): score when this mask is removed."""
    overlap: float
    """Largest intersection over union with the optimal mask and the alternatives before it."""
    predictions: MaskPredictions | None = None
    """As on the curve, of this mask."""
    mask: str | None = None
    overlay: str | None = None


@dataclass(kw_only=True)
class BatchJob:
    """One posted image and the state of its job."""

    name: str
    """The name of its file, empty where unknown."""
    job: str | None = None
    """The id of its job; null where it can't be used."""
    error: Problem | None = None
    """The reason why it can't be used."""
    status: JobState | None = None
    """Null where there is no job (any more)."""
    fraction: float = 0
    """The progress of its job."""
    cached: bool = False
    link: str | None = None
    """Its job."""


@dataclass(kw_only=True)
class BatchLinks:
    """Links to the parts of a batch."""

    self: str
    dashboard: str
    """The dashboard's page of it, to be opened in a browser."""
    results: str
    """The results of the jobs that have succeeded."""
    page: str
    """One HTML page that shows them, which opens from disk."""


@dataclass(kw_only=True)
class BatchRead:
    """A batch with the progress of its jobs."""

    id: str
    created_at: datetime
    done: bool
    """Whether all jobs have ended."""
    fraction: float
    """The progress of all jobs together."""
    counts: dict[str, int]
    """Images by their job's state; `unusable` ones have no job."""
    jobs: list[BatchJob]
    """One per image, in the order in which they were posted."""
    links: BatchLinks


@dataclass(kw_only=True)
class BatchResult:
    """Result of one image, or the reason why there is none (yet)."""

    name: str
    job: str | None = None
    status: JobState | None = None
    error: Problem | None = None
    result: ExtremalReport | CompareReport | ChannelsReport | ClassChannelsReport | None = None


@dataclass(kw_only=True)
class BatchResults:
    """The results of a batch so far."""

    id: str
    done: bool
    results: list[BatchResult]
    """One per image, in the order in which they were posted."""


@dataclass(kw_only=True)
class ChannelMasks:
    """The masks of a sweep of channels: what the file `MASKS` holds."""

    layer: str
    """The layer's name."""
    areas: list[int]
    """Requested numbers of channels, in increasing order."""
    masks: list[list[float]]
    """A value in [0, 1] for each channel, for each of `areas`."""


@dataclass(kw_only=True)
class ChannelPoint:
    """One count of the sweep."""

    area: int
    """Requested number of channels."""
    measured_area: float
    """Sum of the mask over the channels; `fast`: exactly `area`."""
    preserve: float
    """Phi_l+(m x): score when only the mask's channels are kept (eq. 9)."""
    delete: float
    """Phi_l+((1-m) x): score when they are removed."""
    preserve_probability: float | None = None
    """Probability of the target under m x, by its head; null for a score without one."""
    delete_probability: float | None = None
    """The same under (1-m) x; null also in results from before."""
    binariness: float
    """Mean of m(1-m): 0 for a binary mask, at most 0.25."""


@dataclass(kw_only=True)
class ChannelsReport:
    """A finished sweep of channel masks (`task: "channels"`)."""

    id: str
    task: Literal["channels"] = "channels"
    params: ChannelsSpec
    """As run, with the defaults filled in."""
    model: ModelRef
    layer: LayerCard
    target: TargetRef
    scores: Scores
    """`perturbed` is the score without any channel of the layer."""
    curve: list[ChannelPoint]
    """One point per count, by increasing count."""
    optimal_area: int | None = None
    """a* in channels (eq. 10); null where no count reaches the threshold, or there is none."""
    monotonic: bool
    """Whether the score orders as the counts do below a* (eq. 8)."""
    channels: list[ChosenChannel]
    """The channels of the optimal mask (of the largest, where there is no a*), those first that the sweep's
    smallest masks hold."""
    warnings: list[ResultWarning] = field(default_factory=list)
    """Reasons to doubt this answer: of the image, the model or the masks. Often none."""
    timing: Timing
    engine: Engine
    artifacts: dict[str, str] = field(default_factory=dict)
    image: PixelSize
    """Size of the image as a person sees it."""
    frame: PixelBox | None = None
    """Position of the network's input on the image: partly outside where it was padded; null in old results."""
    coverage: Coverage | None = None
    """Shares of the image and of the frame that the network sees of the image; null in old results."""


@dataclass(kw_only=True)
class ChosenChannel:
    """A channel of the optimal mask."""

    channel: int
    """Index in the layer, from 0."""
    first_area: int
    """The smallest count of the sweep whose mask holds it."""
    weight: float
    """Its value in the optimal mask."""
    contribution: float
    """Its contribution to the variant's objective, to first order: m_k dV/dm_k at the optimal mask."""


@dataclass(kw_only=True)
class ClassChannel:
    """One of a class's top channels."""

    channel: int
    """Index in the layer, from 0."""
    weight: float
    """Mean of its value in the images' optimal masks (5.2), in [0, 1]."""
    images: list[Excited]
    """The images that excite it most, best first."""
    inversion: str | None = None


@dataclass(kw_only=True)
class ClassChannelsReport:
    """A class's channels (`task: "class_channels"`)."""

    id: str
    task: Literal["class_channels"] = "class_channels"
    params: ClassChannelsSpec
    """As run, with the defaults filled in."""
    model: ModelRef
    layer: LayerCard
    target: TargetRef
    images: list[ClassImage]
    channels: list[ClassChannel]
    """The top ones, k* first."""
    weights: list[float]
    """The averaged optimal mask of all K channels."""
    warnings: list[ResultWarning] = field(default_factory=list)
    """Reasons to doubt this answer: of the image, the model or the masks. Often none."""
    timing: Timing
    engine: Engine
    artifacts: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class ClassImage:
    """One of the images from which a class's channels were found."""

    index: int
    """Its place among the images, from 0."""
    name: str
    """The file's name, where it came with one."""
    original: float
    """Phi(x)."""
    probability: float | None = None
    """Of the class, by the model's head; null for a score without one."""
    optimal_area: int | None = None
    """a* in channels; null: no count reaches the threshold, the image is left out."""
    threshold_rule: Literal["share-of-original", "between", "way-down", "none"] | None = None
    """The rule of the image's threshold, as in `scores` of other tasks."""


@dataclass(kw_only=True)
class ClassScore:
    """Score and probability of a class."""

    index: int
    """Class index."""
    label: str
    score: float
    """The network's output for the class, before any softmax or sigmoid."""
    probability: float | None = None
    """Its softmax or sigmoid, by the model's head; null for a score without one."""


@dataclass(kw_only=True)
class Classified:
    """Top classes of an image."""

    model: str
    """The model used."""
    classes: list[ClassScore]
    """Those that score highest, the best first."""
    warnings: list[ResultWarning] = field(default_factory=list)
    """Reasons to doubt this answer: of the image, the model or the masks. Often none."""


@dataclass(kw_only=True)
class CompareReport:
    """A finished comparison (`task: "compare"`)."""

    id: str
    task: Literal["compare"] = "compare"
    params: CompareSpec
    """As run, with the defaults filled in."""
    model: ModelRef
    target: TargetRef
    scores: Scores
    methods: list[ComparedMethod]
    """In the requested order."""
    optimal_area: float | None = None
    """a* of the extremal masks (eq. 3); null where none reaches the threshold, where there is none, or without
    `extremal`."""
    extremality: Extremality | None = None
    """The extremal masks beside all other methods' top areas and random ones of their areas."""
    warnings: list[ResultWarning] = field(default_factory=list)
    """Reasons to doubt this answer: of the image, the model or the masks. Often none."""
    timing: Timing
    """`iterations`: of the extremal masks."""
    engine: Engine
    artifacts: dict[str, str] = field(default_factory=dict)
    image: PixelSize
    """Size of the image as a person sees it."""
    frame: PixelBox | None = None
    """Position of the network's input on the image: partly outside where it was padded; null in old results."""
    coverage: Coverage | None = None
    """Shares of the image and of the frame that the network sees of the image; null in old results."""


@dataclass(kw_only=True)
class ComparedMethod:
    """One method's answer."""

    method: str
    """Its name in `params.methods`."""
    title: str = ""
    """Its usual name."""
    source: str = ""
    """Its publication."""
    layer: str | None = None
    """The layer that it read: `params.layer`, else its default; null: it reads none."""
    seconds: float | None = None
    """Seconds that its map took; null where it has none."""
    curve: list[CurvePoint] = field(default_factory=list)
    """The scores of keeping and of deleting its top areas, as smooth masks like the extremal ones (their links are
    those of `extremal` only)."""
    unavailable: str | None = None
    """Why it says nothing of this model."""
    map: str | None = None
    """Its map, 8-bit grey: what is above 0 (or above its least value), relative to its maximum."""
    overlay: str | None = None
    """Its map as heat over the image."""


@dataclass(kw_only=True)
class Contrast:
    """The mask that most lifts the target above its nearest rival class: why this and not that."""

    rival: TargetRef
    """The class that scores highest beside the target."""
    area: float
    measured_area: float
    original: float
    """f_target - f_rival of the image, before any softmax or sigmoid."""
    preserve: float
    """The same when only the mask is kept: what the mask maximises."""
    target_score: float
    """f_target when only the mask is kept."""
    rival_score: float
    """f_rival when only the mask is kept."""
    predictions: MaskPredictions | None = None
    """As on the curve, of this mask."""
    mask: str | None = None
    overlay: str | None = None


@dataclass(kw_only=True)
class Coverage:
    """Shares that the image and the network's frame have in common."""

    image: float
    """Share of the image that the network sees: 1 where nothing is cut off."""
    frame: float
    """Share of the frame that the image fills: the rest is padding."""


@dataclass(kw_only=True)
class CurvePoint:
    """One area of the sweep."""

    area: float
    """The share of the image that was asked for."""
    measured_area: float
    """Mean of the mask over the network's frame."""
    preserve: float
    """Phi(m x): score when only the mask is kept."""
    delete: float
    """Phi((1-m) x): score when the mask is removed."""
    preserve_probability: float | None = None
    """Probability of the target under m x, by its head; null for a score without one."""
    delete_probability: float | None = None
    """The same under (1-m) x; null also in results from before."""
    binariness: float
    """Mean of m(1-m): 0 for a binary mask, at most 0.25."""
    predictions: MaskPredictions | None = None
    """What the network says of m x and of (1-m) x; null where `scores.predictions` is."""
    mask: str | None = None
    overlay: str | None = None


@dataclass(kw_only=True)
class Delivery:
    """Delivery of a job's webhook."""

    status: Literal["pending", "delivered", "failed"] = "pending"
    attempts: list[DeliveryAttempt] = field(default_factory=list)
    """The last 10."""
    next_attempt_at: datetime | None = None
    """Null where there is none to come."""


@dataclass(kw_only=True)
class DeliveryAttempt:
    """One try to deliver a webhook."""

    at: datetime
    status_code: int | None = None
    """The status of the receiver's response; null without one."""
    error: str | None = None
    """The reason why there was no response."""
    ms: int
    """Milliseconds that it took."""


@dataclass(kw_only=True)
class Engine:
    """Versions and settings that the result depends on."""

    version: str
    torch: str
    device: str


@dataclass(kw_only=True)
class Excited:
    """Activation of a channel by an image."""

    image: int
    """Its place among the images, from 0."""
    activation: float
    """Mean of the channel over space."""


@dataclass(kw_only=True)
class ExtremalReport:
    """A finished sweep (`task: "extremal"`)."""

    id: str
    task: Literal["extremal"] = "extremal"
    params: ExtremalSpec
    """As run, with the defaults filled in."""
    model: ModelRef
    target: TargetRef
    scores: Scores
    curve: list[CurvePoint]
    """One point per area, by increasing area."""
    optimal_area: float | None = None
    """a* (eq. 3); null where no area of the sweep reaches the threshold, or where there is none."""
    monotonic: bool
    """Whether the score orders as the areas do below a* (eq. 8)."""
    extremality: Extremality | None = None
    """The masks beside rivals of their areas; null where not asked for."""
    stability: Stability | None = None
    """How far the answer varies; null for masks that no walks led to (`paper`, `independent`)."""
    alternatives: list[Alternative] = field(default_factory=list)
    """Other masks of the area a*, each sufficient by itself: either the optimal mask, or these."""
    contrast: Contrast | None = None
    """What speaks for the target and against its nearest rival class."""
    warnings: list[ResultWarning] = field(default_factory=list)
    """Reasons to doubt this answer: of the image, the model or the masks. Often none."""
    timing: Timing
    engine: Engine
    artifacts: dict[str, str] = field(default_factory=dict)
    image: PixelSize
    """Size of the image as a person sees it."""
    frame: PixelBox | None = None
    """Position of the network's input on the image: partly outside where it was padded; null in old results."""
    coverage: Coverage | None = None
    """Shares of the image and of the frame that the network sees of the image; null in old results."""


@dataclass(kw_only=True)
class Extremality:
    """Extremality: a comparison of our masks with rivals of the same area and the same smoothness (eq. 2)."""

    extremal: bool
    """False: at some area a rival scores higher, so that our mask is not extremal."""
    methods: list[str]
    """The methods whose top areas were compared."""
    random_masks: int
    """How many random smooth masks were compared at each area."""
    tolerance: float = 0.0
    """By how much a rival must score higher, as a share of our mask's score (or of 1)."""
    points: list[ExtremalityPoint]


@dataclass(kw_only=True)
class ExtremalityPoint:
    """Score of an area's mask beside the scores of rival masks of the same measured area."""

    area: float
    """The share of the image that was asked for."""
    measured_area: float | None = None
    """Mean of our mask, which is the area that rivals have, too. Null in results from before: there they have the
    area that was asked for."""
    rank: int
    """1: no rival scores higher."""
    of: int
    """How many masks were compared, ours included."""
    best_rival: str
    """The rival that scores highest: a method, or `random`."""
    best_rival_area: float | None = None
    """Mean of its mask; null in results from before."""
    beaten_by: list[str] = field(default_factory=list)
    """The rivals that score higher, best first."""
    found_by: str = "walks"
    """Where our mask was found: `walks`, the sweep's own search; a rival that scored higher than that, and from
    which the search went on; `alternative` or `contrast`, where the search for that block found a mask that
    scores higher."""
    objective: float
    """Objective of the variant at our mask: `preserve`, `-delete`, or for `hybrid` the sum of both."""
    best_rival_objective: float
    """The same at the mask of `best_rival`."""


@dataclass(kw_only=True)
class FieldError:
    """Error in one field of a request."""

    field: str
    """The field, e.g. `areas.2`, `target` or `image`."""
    detail: str
    """What is wrong with it."""
    value: str | None = None
    """The value sent: its JSON text, at most 100 characters."""
    allowed: dict[str, Any] | None = None
    """What it may be: the field's JSON schema."""
    nearest: list[str] | None = None
    """Names that may have been meant, best first."""


@dataclass(kw_only=True)
class Finding:
    """Summary of a finished job's result."""

    target: TargetRef
    optimal_area: int | float | None = None
    """a*: a share of the image, or a count of channels; null where none suffices."""


@dataclass(kw_only=True)
class JobLinks:
    """Links to the parts of a job; a part that it does not have (yet) has none."""

    self: str
    dashboard: str
    """The dashboard's page of it, to be opened in a browser."""
    events: str | None = None
    """Its events, as server-sent events."""
    result: str | None = None
    bundle: str | None = None
    batch: str | None = None
    """The batch that it is of."""
    thumbnail: str | None = None
    """A small JPEG of its first image, or of what it found, where there is one."""
    images: list[str] | None = None
    """The posted images, where `keep_images` was asked for."""
    target_image: str | None = None
    """The target's second picture, where `keep_images` was asked for."""
    target_mask: str | None = None
    """The target's region as it was posted, where `keep_images` was asked for."""
    masks: dict[str, str] = field(default_factory=dict)
    """By area."""
    overlays: dict[str, str] = field(default_factory=dict)
    """By area."""
    saliency: str | None = None
    curve: str | None = None
    page: str | None = None
    reveal: str | None = None
    comparison: str | None = None
    """All maps of `compare`, in one picture."""
    inversions: dict[str, str] = field(default_factory=dict)
    """Of `channels` with `invert`: `full`, `masked`, `comparison`."""
    channel_masks: str | None = None
    """The channel masks of `channels`, as JSON."""
    sheet: str | None = None
    """The top channels of `class_channels`, in one picture."""


@dataclass(kw_only=True)
class JobPage:
    """Some jobs, the newest first."""

    jobs: list[JobRead]
    """Fewer than `limit` where some just expired."""
    next: str | None = None
    """The next page's address; null on the last one."""


@dataclass(kw_only=True)
class JobProgress:
    """Progress of a running job."""

    iteration: int
    total: int
    fraction: float
    eta_s: float | None = None
    """Estimated seconds to the end; null while unknown."""
    first_step_at: datetime | None = None
    """When the first step of its masks began; null until then, and for tasks on channels."""
    stage: str | None = None
    """Of a sweep: `walks` (coarse masks of all areas), `masks` (optimised, each at its area), then `rivals`,
    `contrast`, `alternatives`. Of a comparison: the method that runs, then `scoring`. Null for the other tasks."""
    subject: Subject | None = None
    """What is explained, once it is known; null for tasks on channels."""
    ended: list[str] = field(default_factory=list)
    """The methods of a comparison that have found a map so far."""


@dataclass(kw_only=True)
class JobRead:
    """A job with its state and progress."""

    id: str
    status: JobState
    params: ExtremalSpec | CompareSpec | ChannelsSpec | ClassChannelsSpec
    """As it runs, with the defaults filled in."""
    created_at: datetime
    started_at: datetime | None = None
    """Start of the current or last attempt."""
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    """When the job and its results are removed; null until it is finished."""
    attempt: int = 0
    """0 while queued, 1 for the first run, more after workers were lost."""
    position: int | None = None
    """While queued: 1 is the next to run."""
    starts_in_s: float | None = None
    """While queued: about how many seconds it will wait; null while unknown."""
    priority: Priority = "normal"
    batch: str | None = None
    """The id of its batch."""
    cached: bool = False
    """Whether its result is that of an earlier job (see `reuse`)."""
    progress: JobProgress | None = None
    """While running."""
    partial_curve: list[PartialPoint] = field(default_factory=list)
    """While running: the curve so far."""
    error: Problem | None = None
    """Why it failed."""
    found: Finding | None = None
    """A summary of its result, once it has succeeded."""
    delivery: Delivery | None = None
    """The delivery of its webhook."""
    links: JobLinks


@dataclass(kw_only=True)
class LayerCard:
    """A layer whose channels can be explained."""

    name: str
    """Its name in `params.layer`."""
    type: str
    """Its module's class."""
    channels: int
    """K."""
    height: int
    """Of its map, for an input of the model's size."""
    width: int
    """Of its map, for an input of the model's size."""


@dataclass(kw_only=True)
class ListedLayer:
    """A layer as a model lists it."""

    name: str
    """Its name in `params.layer`."""
    type: str
    """Its module's class."""
    channels: int
    """K."""
    height: int
    """Of its map, for an input of the model's size."""
    width: int
    """Of its map, for an input of the model's size."""
    tokens: TokenLayout | None = None
    """How a transformer's layer keeps its map; null where it is K x H x W, as a convolution's."""
    default_for: list[Literal["channels", "grad_cam", "excitation_backprop"]] | None = None
    """What reads this layer where the request names none (`channels`: also `class_channels`; `excitation_backprop`:
    also the contrastive one); null in records of earlier versions."""


@dataclass(kw_only=True)
class MaskPredictions:
    """Predictions for the image under a mask, and under its complement."""

    preserve: list[ClassScore]
    """Top classes when only the mask is kept, the best first."""
    delete: list[ClassScore]
    """Top classes when the mask is removed, the best first."""


@dataclass(kw_only=True)
class ModelList:
    """The models that the workers offer."""

    default: str
    """The model of a job that names none."""
    models: list[ModelSummary]
    """By name; empty until a worker has started."""


@dataclass(kw_only=True)
class ModelRead:
    """A model with its labels and layers, and the perturbations that it takes."""

    name: str
    """Its name in `params.model`."""
    source: Literal["torchvision", "timm", "huggingface", "open_clip", "entry_point", "file"]
    """The source of its architecture."""
    description: str
    """The operator's words."""
    weights: str | None = None
    """The weights' name in their library, or the file's name."""
    parameters: int | None = None
    """Its number of parameters; null where its source doesn't say."""
    weight_bytes: int | None = None
    """About the size of its weights' file, in bytes; null where it isn't known."""
    weights_here: bool | None = None
    """Whether the workers have its weights on their disk. Those of a library are else downloaded by the first job
    that names it. Null where that isn't known before the model is loaded."""
    accuracy: Accuracy | None = None
    """As its library states it; null where it states none."""
    classes: int
    """Its number of classes."""
    outputs: Literal["softmax", "sigmoid", "logit", "score", "embedding"] = "softmax"
    """Meaning of its scores. `softmax`: they give probabilities of classes that exclude each other; `sigmoid`: of
    classes of which several may be there; `logit`: of a single one. `embedding`: it has no classes, and its
    outputs are a vector that is compared with another picture's."""
    targets: list[Literal["class", "contrast", "text", "box", "segment", "similar", "score"]] = field(
        default_factory=list
    )
    """The kinds of `params.target` that it takes: `class`, `contrast` (a class instead of another), `text`, `box`
    (a detection), `segment` (the pixels of a class), `similar` (the likeness to a second picture)."""
    warnings: list[ResultWarning] = field(default_factory=list)
    """Reasons to doubt answers about it. Often none."""
    link: str
    """The model, labels included."""
    labels: list[str]
    """One per class, by class index."""
    layers: list[ListedLayer] | None = None
    """The possible values of `params.layer`, in the order of computation; null while not known yet."""
    perturbations: list[Literal["blur", "fade", "drop"]] | None = None
    """The values of `params.perturbation` that it takes: `drop` where it is a vision transformer that can do
    without some of its patches; null while not known yet."""
    ready: bool
    """True while a worker lives, so that jobs for it run, as KServe's clients ask."""
    resolution: PixelSize
    """Size of the network's input, its frame."""


@dataclass(kw_only=True)
class ModelRef:
    """The network that was explained."""

    name: str
    outputs: Literal["softmax", "sigmoid", "logit", "score", "embedding"] = "softmax"
    """Meaning of its scores: see the model's card; `score`: no probability."""
    weights_digest: str
    """`sha256:` and the hex digest of the weights."""
    resolution: PixelSize
    """Size of the network's input, its frame."""


@dataclass(kw_only=True)
class ModelSummary:
    """A model that can be explained."""

    name: str
    """Its name in `params.model`."""
    source: Literal["torchvision", "timm", "huggingface", "open_clip", "entry_point", "file"]
    """The source of its architecture."""
    description: str
    """The operator's words."""
    weights: str | None = None
    """The weights' name in their library, or the file's name."""
    parameters: int | None = None
    """Its number of parameters; null where its source doesn't say."""
    weight_bytes: int | None = None
    """About the size of its weights' file, in bytes; null where it isn't known."""
    weights_here: bool | None = None
    """Whether the workers have its weights on their disk. Those of a library are else downloaded by the first job
    that names it. Null where that isn't known before the model is loaded."""
    accuracy: Accuracy | None = None
    """As its library states it; null where it states none."""
    classes: int
    """Its number of classes."""
    outputs: Literal["softmax", "sigmoid", "logit", "score", "embedding"] = "softmax"
    """Meaning of its scores. `softmax`: they give probabilities of classes that exclude each other; `sigmoid`: of
    classes of which several may be there; `logit`: of a single one. `embedding`: it has no classes, and its
    outputs are a vector that is compared with another picture's."""
    targets: list[Literal["class", "contrast", "text", "box", "segment", "similar", "score"]] = field(
        default_factory=list
    )
    """The kinds of `params.target` that it takes: `class`, `contrast` (a class instead of another), `text`, `box`
    (a detection), `segment` (the pixels of a class), `similar` (the likeness to a second picture)."""
    warnings: list[ResultWarning] = field(default_factory=list)
    """Reasons to doubt answers about it. Often none."""
    link: str
    """The model, labels included."""
    resolution: PixelSize
    """Size of the network's input, its frame."""


@dataclass(kw_only=True)
class PartialPoint:
    """An area of a sweep that is still running."""

    area: float
    measured_area: float
    preserve: float | None = None
    """As on the curve, of the current mask; null unless the variant is `preserve`."""
    delete: float | None = None
    """As on the curve, of the current mask; null unless the variant is `delete`."""
    objective: float
    """Objective of the variant: `preserve`, `-delete`, or for `hybrid` their sum, whose parts are known at last."""


@dataclass(kw_only=True)
class PixelBox:
    """A box's outer edges on an image, in its pixels: pixel i spans [i, i + 1]."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(kw_only=True)
class PixelSize:
    """A size, in pixels."""

    width: int
    height: int


class Problem(TypedDict):
    """Problem details (RFC 9457); members beyond the standard ones are allowed."""

    type: NotRequired[str]
    """Stable identifier of the kind of problem."""
    title: NotRequired[str]
    status: NotRequired[int]
    detail: NotRequired[str]
    """The error, and what to change."""


class ProblemDetails(TypedDict):
    """Problem details (RFC 9457). The optional members depend on `type`."""

    type: NotRequired[str]
    """Stable identifier of the kind of problem, e.g. `/problems/invalid-input`."""
    title: NotRequired[str]
    status: NotRequired[int]
    detail: NotRequired[str]
    """The error, and what to change."""
    request_id: NotRequired[str | None]
    """Names the request in the logs."""
    errors: NotRequired[Sequence[FieldError] | None]
    """One entry per field that can't be used."""
    state: NotRequired[str | None]
    """The state of the job, if that is the obstacle."""
    error: NotRequired[Problem | None]
    """The reason of the job's failure, if it failed."""


@dataclass(kw_only=True)
class ReferencePredictions:
    """Predictions for the image as it is, and without anything of it."""

    original: list[ClassScore]
    """Top classes of the unperturbed image, the best first."""
    perturbed: list[ClassScore]
    """The same of the fully perturbed image (m = 0 everywhere)."""


@dataclass(kw_only=True)
class Removed:
    """Number of jobs that were removed."""

    deleted: int
    """How many jobs."""


@dataclass(kw_only=True)
class ResultWarning:
    """Warning that qualifies a result, and what to do about it."""

    kind: str
    """A stable, machine-readable kind, such as `preprocessing`."""
    detail: str
    """What is wrong, with the values, and what to change."""


@dataclass(kw_only=True)
class Scores:
    """Reference scores (before any softmax or sigmoid) for the target."""

    original: float
    """Phi(x), the score of the unperturbed image."""
    perturbed: float
    """The score of the fully perturbed image (m = 0 everywhere)."""
    threshold: float | None = None
    """Phi_0, which the optimal area's score must reach, or for `delete` fall to; null where there is none."""
    threshold_rule: Literal["share-of-original", "between", "way-down", "none"] | None = None
    """Its rule. `share-of-original`: tau * original (eq. 3). `between`, where the original isn't positive:
    perturbed + tau * (original - perturbed). `way-down`, for `delete`: original - tau * (original - perturbed).
    `none`: the perturbed score is no less than the original one. Null in results from before it was told."""
    original_probability: float | None = None
    """Probability of the target on the unperturbed image, by the model's head; null for a score without one."""
    predictions: ReferencePredictions | None = None
    """What the network says of both images, the target or not: its five top classes. Null where the only score
    stands for no probability, for channels and comparisons, and in results from before."""


@dataclass(kw_only=True)
class Stability:
    """Stability of the result: agreement of the two halves of the walks, each taken as a run of its own."""

    walks: int
    """How many walks there were, both halves together."""
    saliency_correlation: float
    """Rank correlation of what survives in either half of the walks, over the frame."""
    optimal_areas: list[float | None]
    """a* as a range: the smallest area that reaches the threshold if every score were higher by its spread, and if
    it were lower; null where none does."""
    points: list[StabilityPoint]
    """One per area, by increasing area."""


@dataclass(kw_only=True)
class StabilityPoint:
    """Agreement of the walks about an area."""

    area: float
    agreement: float
    """Intersection over union of the top areas of what survives in either half: 1 if equal."""
    spread: float
    """How far the scores of these two masks are apart: about how far ours would vary."""


@dataclass(kw_only=True)
class Subject:
    """Subject of a run, known before its first mask."""

    target: TargetRef
    scores: Scores
    image: PixelSize
    """Size of the image as a person sees it."""
    frame: PixelBox
    """Position of the network's input on the image: partly outside where it was padded."""
    resolution: PixelSize
    """Size of the network's input, its frame."""
    coverage: Coverage
    """Shares of the image and of the frame that the network sees of the image."""


@dataclass(kw_only=True)
class TargetRef:
    """The class, or the score, that was explained."""

    kind: Literal["class", "contrast", "text", "box", "segment", "similar", "score"] = "class"
    """`class`: a class. `contrast`: one class's score minus another's. `text`: a text that the image is compared
    with. `box`: a detection. `segment`: the pixels of a class. `similar`: the likeness to another picture.
    `score`: a function of the network's outputs."""
    index: int | None = None
    """Class index; null where it is no class."""
    label: str


@dataclass(kw_only=True)
class TaskFile:
    """A file of a task's results, or a family of files."""

    key: str
    """What `links` calls it."""
    title: str
    """What it is."""
    media_type: str
    """Its type."""
    many: bool
    """Whether there are several, each under its own name."""


@dataclass(kw_only=True)
class TaskList:
    """All tasks."""

    default: Literal["extremal", "compare", "channels", "class_channels"]
    """The task of a job that names none."""
    tasks: list[TaskRead]
    """In the order in which a form offers them."""


@dataclass(kw_only=True)
class TaskRead:
    """A task: one kind of job, and what a form and a list need to know of it."""

    name: Literal["extremal", "compare", "channels", "class_channels"]
    """What `params.task` calls it."""
    title: str
    """What a result is called."""
    question: str
    """What is asked."""
    tab: str
    """The tab of a form that offers it; several may share one."""
    spec: str
    """The schema of its `params` in this document."""
    python: str | None = None
    """The function of the Python package that does the same."""
    least_images: int
    """How many images a job has, at least."""
    most_images: int
    """How many images a job has, at most."""
    unit: Literal["share", "channels"]
    """What areas are: shares of the image, or counts of channels."""
    picture: str | None = None
    """The key of the file that shows a result at a glance."""
    form: list[str]
    """The parameters that a short form offers, in its order."""
    files: list[TaskFile]
    """The files that a job's `links` can name."""


@dataclass(kw_only=True)
class Timing:
    """Seconds and iterations."""

    queued_s: float | None = None
    run_s: float
    iterations: int
    """Optimisation steps per area, as many as cost the same: all of the sweep's, shared out; alternatives, contrast
    and rivals not counted."""


@dataclass(kw_only=True)
class TokenLayout:
    """Order of the values of a layer whose channels come last."""

    order: Literal["channels_last", "tokens"]
    """`channels_last`: N x H x W x K; `tokens`: N x T x K, the places row by row."""
    class_tokens: int = 0
    """Tokens before those of the places: class tokens and registers. No map shows them, and no mask covers them."""
    queries: int = 0
    """Tokens behind those of the places, T - `class_tokens` - H W: a detector's queries."""
