// What can be sent and what is answered. Made of the OpenAPI document by `make client`: change nothing.

import type { GivenFile } from "../images.ts";

/** State of a job. */
export type JobState = "queued" | "running" | "succeeded" | "failed" | "canceled";

/** Priority of a job in the queue. */
export type Priority = "normal" | "low";

/** The object that a detector finds at a place: the log-odds of the most that confidence times overlap (IoU) is. */
export interface BoxTarget {
  /** Left, top, right, bottom, in pixels of the image. */
  box: ReadonlyArray<number>;
  /** Its class; null takes that of the detection that matches the box best. */
  label?: number | string | null;
}

/** Channel attribution: the channels of a layer that keep one image's score (5 and 5.1). */
export interface ChannelsParams {
  /** A name that `GET /v1/models` lists. */
  model?: string;
  /**
   * Class index, label (exact but for case), or WordNet id of an ImageNet class (`n02133161`); `{"class": 3,
   * "instead_of": 7}` explains why one class and not another; a model that compares images with texts also takes
   * `{"text": "a bus in snow", "against": ["a truck"]}`; a detector `{"box": [40, 60, 320, 400], "label": "dog"}`,
   * the detection at a box (left, top, right, bottom in pixels of the image); a segmenter `{"segment": "dog",
   * "within": [40, 60, 320, 400]}`, a class in a region, or `{"segment": "dog"}`, in the pixels that it gives to
   * the class; one that gives embeddings `{"similar_to": "target_image"}`, the likeness to a second picture; null
   * explains the top class.
   */
  target?: number | string | ClassContrast | TextTarget | BoxTarget | SegmentTarget | SimilarTarget | null;
  /** Objective of a mask (3.2): `preserve` Phi(m x), `delete` -Phi((1-m) x), `hybrid` their sum. */
  variant?: "preserve" | "delete" | "hybrid";
  /**
   * tau: how much the smallest sufficient area a* has to reach. Of the score that is kept: tau * Phi(x) (eq. 3),
   * or, where Phi(x) isn't positive, that share of the way up from the perturbed image's score. For `delete`: that
   * share of the way down to it. `scores.threshold_rule` says which.
   */
  threshold?: number;
  /** Steps per area, at most; null takes the preset's number. */
  iterations?: number | null;
  /**
   * Fit of the image to the network's frame: the model's own `crop`, which the network sees nothing outside of;
   * `whole`: all of the image in its proportions, padded with the network's mean colour; `stretch`: all of it, its
   * proportions changed.
   */
  fit?: "crop" | "stretch" | "whole";
  /**
   * Of grey images with more than 8 bits a sample, the value that is white, such as 4095 where a camera has
   * written 12 bits into 16; null: the largest that the samples can have.
   */
  white_level?: number | null;
  /** A layer that `GET /v1/models/{name}` lists; null takes the one that is listed as the default for `channels`. */
  layer?: string | null;
  /**
   * Numbers of channels to keep (or delete), 1 to the layer's K, all different, in any order; null takes the
   * paper's 21 counts, scaled to K.
   */
  areas?: ReadonlyArray<number> | null;
  /**
   * `paper`: eq. 9 in 300 iterations, inversions by eq. 12, as section 5 says. `fast`: masks of exactly so many
   * channels, inversions that look more like the image.
   */
  preset?: "fast" | "paper";
  /** Draws where inversions start. */
  seed?: number;
  /** Whether to invert the layer, with all channels and with the optimal mask's (eq. 12). */
  invert?: boolean;
}

/** The same with the name of the task, `channels`. */
export interface ChannelsSpec extends ChannelsParams {
  task?: "channels";
}

/** Per-class channels: the channels of a layer that a class needs, from several of its images (5.2). */
export interface ClassChannelsParams {
  /** A name that `GET /v1/models` lists. */
  model?: string;
  /** Class index, or label (exact but for case); null explains the class that is the most probable over all images. */
  target?: number | string | ClassContrast | TextTarget | BoxTarget | SegmentTarget | SimilarTarget | null;
  /** Objective of a mask (3.2): `preserve` Phi(m x), `delete` -Phi((1-m) x), `hybrid` their sum. */
  variant?: "preserve" | "delete" | "hybrid";
  /**
   * tau: how much the smallest sufficient area a* has to reach. Of the score that is kept: tau * Phi(x) (eq. 3),
   * or, where Phi(x) isn't positive, that share of the way up from the perturbed image's score. For `delete`: that
   * share of the way down to it. `scores.threshold_rule` says which.
   */
  threshold?: number;
  /** Steps per area, at most; null takes the preset's number. */
  iterations?: number | null;
  /**
   * Fit of the image to the network's frame: the model's own `crop`, which the network sees nothing outside of;
   * `whole`: all of the image in its proportions, padded with the network's mean colour; `stretch`: all of it, its
   * proportions changed.
   */
  fit?: "crop" | "stretch" | "whole";
  /**
   * Of grey images with more than 8 bits a sample, the value that is white, such as 4095 where a camera has
   * written 12 bits into 16; null: the largest that the samples can have.
   */
  white_level?: number | null;
  /** A layer that `GET /v1/models/{name}` lists; null takes the one that is listed as the default for `channels`. */
  layer?: string | null;
  /**
   * Numbers of channels to keep (or delete), 1 to the layer's K, all different, in any order; null takes the
   * paper's 21 counts, scaled to K.
   */
  areas?: ReadonlyArray<number> | null;
  /**
   * `paper`: eq. 9 in 300 iterations, inversions by eq. 12, as section 5 says. `fast`: masks of exactly so many
   * channels, inversions that look more like the image.
   */
  preset?: "fast" | "paper";
  /** Draws where inversions start. */
  seed?: number;
  /** How many of the class's channels are shown. */
  top?: number;
  /** Whether to invert each of them (5.2). */
  invert?: boolean;
}

/** The same with the name of the task, `class_channels`. */
export interface ClassChannelsSpec extends ClassChannelsParams {
  task?: "class_channels";
}

/** One class instead of another: the score is the difference of theirs, ``f_class - f_instead_of``. */
export interface ClassContrast {
  /** The class whose score is to be high. */
  class: number | string;
  /** The class whose score is taken away. */
  instead_of: number | string;
}

/** Several methods on one image and class, each with the score curve of keeping its top areas (figure 2). */
export interface CompareParams {
  /** A name that `GET /v1/models` lists. */
  model?: string;
  /**
   * Class index, label (exact but for case), or WordNet id of an ImageNet class (`n02133161`); `{"class": 3,
   * "instead_of": 7}` explains why one class and not another; a model that compares images with texts also takes
   * `{"text": "a bus in snow", "against": ["a truck"]}`; a detector `{"box": [40, 60, 320, 400], "label": "dog"}`,
   * the detection at a box (left, top, right, bottom in pixels of the image); a segmenter `{"segment": "dog",
   * "within": [40, 60, 320, 400]}`, a class in a region, or `{"segment": "dog"}`, in the pixels that it gives to
   * the class; one that gives embeddings `{"similar_to": "target_image"}`, the likeness to a second picture; null
   * explains the top class.
   */
  target?: number | string | ClassContrast | TextTarget | BoxTarget | SegmentTarget | SimilarTarget | null;
  /** Objective of a mask (3.2): `preserve` Phi(m x), `delete` -Phi((1-m) x), `hybrid` their sum. */
  variant?: "preserve" | "delete" | "hybrid";
  /**
   * tau: how much the smallest sufficient area a* has to reach. Of the score that is kept: tau * Phi(x) (eq. 3),
   * or, where Phi(x) isn't positive, that share of the way up from the perturbed image's score. For `delete`: that
   * share of the way down to it. `scores.threshold_rule` says which.
   */
  threshold?: number;
  /** Steps per area, at most; null takes the preset's number. */
  iterations?: number | null;
  /**
   * Fit of the image to the network's frame: the model's own `crop`, which the network sees nothing outside of;
   * `whole`: all of the image in its proportions, padded with the network's mean colour; `stretch`: all of it, its
   * proportions changed.
   */
  fit?: "crop" | "stretch" | "whole";
  /**
   * Of grey images with more than 8 bits a sample, the value that is white, such as 4095 where a camera has
   * written 12 bits into 16; null: the largest that the samples can have.
   */
  white_level?: number | null;
  /** Shares of the image that a mask keeps (or deletes), each in (0, 1), all different; any order. */
  areas?: ReadonlyArray<number>;
  /**
   * The perturbation outside the mask (3.4): Gaussian `blur`, or `fade` to black. `drop` leaves out the patches of
   * a vision transformer (preset `fast`; the model's `perturbations` say where it can be had): masks are of whole
   * patches then.
   */
  perturbation?: "blur" | "fade" | "drop";
  /** `paper`: as section 4 says, 1600 iterations. `fast`: exact areas in 100 at most. */
  preset?: "fast" | "paper";
  /** Draws where the masks of `fast` start; `paper` draws nothing. */
  seed?: number;
  /**
   * Whether every area's mask is optimised from the whole image by itself (figure 5), instead of starting where
   * the walks of the whole sweep agree. Masks of `paper` always are; those of `fast` (null: false) vary more with
   * the seed then.
   */
  independent?: boolean | null;
  /**
   * Strongest perturbation: the blur's sigma in pixels of the network's frame (null: 20 per 224 of its shorter
   * side), or for fade the share of light taken away, at most 1 (null: 1).
   */
  sigma_max?: number | null;
  /** Levels of the perturbation pyramid, L + 1 of footnote 3, the image included. */
  pyramid_levels?: number;
  /**
   * The methods, all different, in the order in which the result lists them. Those that can't explain the model
   * say why in the result. By default all but `igos_plus_plus`, which takes the longest, and `attention_rollout`
   * and `attention_relevance`, which explain transformers alone.
   */
  methods?: ReadonlyArray<
    | "center"
    | "gradient"
    | "smoothgrad"
    | "integrated_gradients"
    | "deconvnet"
    | "guided_backprop"
    | "grad_cam"
    | "lrp"
    | "excitation_backprop"
    | "contrastive_excitation_backprop"
    | "occlusion"
    | "rise"
    | "lime"
    | "greedy_superpixels"
    | "phase_win"
    | "meaningful_perturbation"
    | "igos_plus_plus"
    | "attention_rollout"
    | "attention_relevance"
    | "extremal"
  >;
  /**
   * The layer that Grad-CAM and excitation backprop read: one that `GET /v1/models/{name}` lists; null takes the
   * one that is listed as the default for each. The result says which layer each method read.
   */
  layer?: string | null;
  /**
   * Random images that RISE (null: 4000), LIME (1000) and SmoothGrad (50) look at; most images of a search over
   * superpixels (null: about 50 superpixels).
   */
  samples?: number | null;
}

/** The same with the name of the task, `compare`. */
export interface CompareSpec extends CompareParams {
  task?: "compare";
}

/** A sweep of spatial extremal perturbations of one image (section 3). */
export interface ExtremalParams {
  /** A name that `GET /v1/models` lists. */
  model?: string;
  /**
   * Class index, label (exact but for case), or WordNet id of an ImageNet class (`n02133161`); `{"class": 3,
   * "instead_of": 7}` explains why one class and not another; a model that compares images with texts also takes
   * `{"text": "a bus in snow", "against": ["a truck"]}`; a detector `{"box": [40, 60, 320, 400], "label": "dog"}`,
   * the detection at a box (left, top, right, bottom in pixels of the image); a segmenter `{"segment": "dog",
   * "within": [40, 60, 320, 400]}`, a class in a region, or `{"segment": "dog"}`, in the pixels that it gives to
   * the class; one that gives embeddings `{"similar_to": "target_image"}`, the likeness to a second picture; null
   * explains the top class.
   */
  target?: number | string | ClassContrast | TextTarget | BoxTarget | SegmentTarget | SimilarTarget | null;
  /** Objective of a mask (3.2): `preserve` Phi(m x), `delete` -Phi((1-m) x), `hybrid` their sum. */
  variant?: "preserve" | "delete" | "hybrid";
  /**
   * tau: how much the smallest sufficient area a* has to reach. Of the score that is kept: tau * Phi(x) (eq. 3),
   * or, where Phi(x) isn't positive, that share of the way up from the perturbed image's score. For `delete`: that
   * share of the way down to it. `scores.threshold_rule` says which.
   */
  threshold?: number;
  /** Steps per area, at most; null takes the preset's number. */
  iterations?: number | null;
  /**
   * Fit of the image to the network's frame: the model's own `crop`, which the network sees nothing outside of;
   * `whole`: all of the image in its proportions, padded with the network's mean colour; `stretch`: all of it, its
   * proportions changed.
   */
  fit?: "crop" | "stretch" | "whole";
  /**
   * Of grey images with more than 8 bits a sample, the value that is white, such as 4095 where a camera has
   * written 12 bits into 16; null: the largest that the samples can have.
   */
  white_level?: number | null;
  /** Shares of the image that a mask keeps (or deletes), each in (0, 1), all different; any order. */
  areas?: ReadonlyArray<number>;
  /**
   * The perturbation outside the mask (3.4): Gaussian `blur`, or `fade` to black. `drop` leaves out the patches of
   * a vision transformer (preset `fast`; the model's `perturbations` say where it can be had): masks are of whole
   * patches then.
   */
  perturbation?: "blur" | "fade" | "drop";
  /** `paper`: as section 4 says, 1600 iterations. `fast`: exact areas in 100 at most. */
  preset?: "fast" | "paper";
  /** Draws where the masks of `fast` start; `paper` draws nothing. */
  seed?: number;
  /**
   * Whether every area's mask is optimised from the whole image by itself (figure 5), instead of starting where
   * the walks of the whole sweep agree. Masks of `paper` always are; those of `fast` (null: false) vary more with
   * the seed then.
   */
  independent?: boolean | null;
  /**
   * Strongest perturbation: the blur's sigma in pixels of the network's frame (null: 20 per 224 of its shorter
   * side), or for fade the share of light taken away, at most 1 (null: 1).
   */
  sigma_max?: number | null;
  /** Levels of the perturbation pyramid, L + 1 of footnote 3, the image included. */
  pyramid_levels?: number;
  /**
   * Whether to compare each mask's score with those of rivals of the same area: the top areas of quick methods and
   * random smooth masks. With `fast`, a mask that is beaten gives way to what the search makes of its rival.
   */
  check_extremality?: boolean;
  /**
   * Other sufficient masks of the area a* that are sought, distinct from the optimal one (`fast`, variants that
   * preserve).
   */
  alternatives?: number;
  /** Whether to find the mask that most lifts the target above its nearest rival class (`fast`). */
  contrast?: boolean;
}

/** The same with the name of the task, `extremal`. */
export interface ExtremalSpec extends ExtremalParams {
  task?: "extremal";
}

/** The pixels of a class, by a segmenter: their mean score in a region. */
export interface SegmentTarget {
  /** The class. */
  segment: number | string;
  /**
   * The region: a box (left, top, right, bottom, in pixels of the image), or `target_mask`, the picture that is
   * sent as the part of that name, white where the region is; null takes the pixels that the segmenter itself says
   * are of the class.
   */
  within?: ReadonlyArray<number> | "target_mask" | null;
}

/** A second picture: the score is the cosine of the embeddings of both. */
export interface SimilarTarget {
  /** `target_image`: the picture that is sent as the part of that name. */
  similar_to: "target_image";
}

/** A text that a network compares the image with (CLIP and its kind), by itself or against others. */
export interface TextTarget {
  /** A description of what may be in the image. */
  text: string;
  /**
   * Other descriptions. With them, the texts are the classes, and the text has a probability among them; without,
   * its score is the network's similarity of image and text.
   */
  against?: ReadonlyArray<string>;
}

/** Options of a job beside its parameters. */
export interface JobOptions {
  /** The second picture, where the target is the likeness to one (`similar_to`). */
  target_image?: GivenFile;
  /**
   * The region, where the target is a segment within one (`within`): a picture as large as the image, white where
   * the region is, black or transparent elsewhere.
   */
  target_mask?: GivenFile;
  /** `low` lets others go first: workers take one such job after four normal ones. */
  priority?: Priority;
  /**
   * Where the same image was explained with the same parameters and weights before, the job has that result at
   * once (`cached`); `false` computes it anew.
   */
  reuse?: boolean;
  /** Keep the posted images as long as the result; by default they go when the job ends. */
  keep_images?: boolean;
  /**
   * Store the posted images with their files' metadata: place, camera, times, texts. By default that is removed
   * before anything is stored; the pixels stay as they are.
   */
  keep_metadata?: boolean;
  /** URL that gets a signed message when the job has ended (Standard Webhooks). */
  webhook?: string;
}

/** Options of a classification. */
export interface ClassifyOptions {
  /** A name that `GET /v1/models` lists. */
  model?: string;
  /** Number of classes to return. */
  top?: number;
  /**
   * Fit of the image to the network's frame: the model's own `crop`, which the network sees nothing outside of;
   * `whole`: all of the image in its proportions, padded with the network's mean colour; `stretch`: all of it, its
   * proportions changed.
   */
  fit?: "crop" | "stretch" | "whole";
  /**
   * Of grey images with more than 8 bits a sample, the value that is white, such as 4095 where a camera has
   * written 12 bits into 16; null: the largest that the samples can have.
   */
  white_level?: number;
}

/** Parameters and options of a job of the task `channels`. */
export interface ChannelsArguments extends ChannelsParams, JobOptions {}

/** Parameters and options of a job of the task `class_channels`. */
export interface ClassChannelsArguments extends ClassChannelsParams, JobOptions {}

/** Parameters and options of a job of the task `compare`. */
export interface CompareArguments extends CompareParams, JobOptions {}

/** Parameters and options of a job of the task `extremal`. */
export interface ExtremalArguments extends ExtremalParams, JobOptions {}

/** Accuracy of trained weights, as their library states it. */
export interface Accuracy {
  /** As a share, in [0, 1]. */
  value: number;
  /**
   * `top1`: the share of images whose best class is the right one; `box_map`: mean average precision of boxes;
   * `miou`: mean intersection over union of the classes' pixels.
   */
  measure: "top1" | "box_map" | "miou";
  /** The images that it was measured on. */
  data: string;
}

/** Another sufficient mask: it reaches the threshold too, and shares little with the ones before it. */
export interface Alternative {
  area: number;
  measured_area: number;
  /** Phi(m x): score when only this mask is kept. */
  preserve: number;
  /** Phi((1-m) x): score when this mask is removed. */
  delete: number;
  /** Largest intersection over union with the optimal mask and the alternatives before it. */
  overlap: number;
  /** As on the curve, of this mask. */
  predictions?: MaskPredictions | null;
  mask?: string | null;
  overlay?: string | null;
}

/** One posted image and the state of its job. */
export interface BatchJob {
  /** The name of its file, empty where unknown. */
  name: string;
  /** The id of its job; null where it can't be used. */
  job?: string | null;
  /** The reason why it can't be used. */
  error?: Problem | null;
  /** Null where there is no job (any more). */
  status?: JobState | null;
  /** The progress of its job. */
  fraction: number;
  cached: boolean;
  /** Its job. */
  link?: string | null;
}

/** Links to the parts of a batch. */
export interface BatchLinks {
  self: string;
  /** The dashboard's page of it, to be opened in a browser. */
  dashboard: string;
  /** The results of the jobs that have succeeded. */
  results: string;
  /** One HTML page that shows them, which opens from disk. */
  page: string;
}

/** A batch with the progress of its jobs. */
export interface BatchRead {
  id: string;
  created_at: string;
  /** Whether all jobs have ended. */
  done: boolean;
  /** The progress of all jobs together. */
  fraction: number;
  /** Images by their job's state; `unusable` ones have no job. */
  counts: Record<string, number>;
  /** One per image, in the order in which they were posted. */
  jobs: Array<BatchJob>;
  links: BatchLinks;
}

/** Result of one image, or the reason why there is none (yet). */
export interface BatchResult {
  name: string;
  job?: string | null;
  status?: JobState | null;
  error?: Problem | null;
  result?: ExtremalReport | CompareReport | ChannelsReport | ClassChannelsReport | null;
}

/** The results of a batch so far. */
export interface BatchResults {
  id: string;
  done: boolean;
  /** One per image, in the order in which they were posted. */
  results: Array<BatchResult>;
}

/** The masks of a sweep of channels: what the file `MASKS` holds. */
export interface ChannelMasks {
  /** The layer's name. */
  layer: string;
  /** Requested numbers of channels, in increasing order. */
  areas: Array<number>;
  /** A value in [0, 1] for each channel, for each of `areas`. */
  masks: Array<Array<number>>;
}

/** One count of the sweep. */
export interface ChannelPoint {
  /** Requested number of channels. */
  area: number;
  /** Sum of the mask over the channels; `fast`: exactly `area`. */
  measured_area: number;
  /** Phi_l+(m x): score when only the mask's channels are kept (eq. 9). */
  preserve: number;
  /** Phi_l+((1-m) x): score when they are removed. */
  delete: number;
  /** Probability of the target under m x, by its head; null for a score without one. */
  preserve_probability: number | null;
  /** The same under (1-m) x; null also in results from before. */
  delete_probability?: number | null;
  /** Mean of m(1-m): 0 for a binary mask, at most 0.25. */
  binariness: number;
}

/** A finished sweep of channel masks (`task: "channels"`). */
export interface ChannelsReport {
  id: string;
  task: "channels";
  /** As run, with the defaults filled in. */
  params: ChannelsSpec;
  model: ModelRef;
  layer: LayerCard;
  target: TargetRef;
  /** `perturbed` is the score without any channel of the layer. */
  scores: Scores;
  /** One point per count, by increasing count. */
  curve: Array<ChannelPoint>;
  /** a* in channels (eq. 10); null where no count reaches the threshold, or there is none. */
  optimal_area: number | null;
  /** Whether the score orders as the counts do below a* (eq. 8). */
  monotonic: boolean;
  /**
   * The channels of the optimal mask (of the largest, where there is no a*), those first that the sweep's smallest
   * masks hold.
   */
  channels: Array<ChosenChannel>;
  /** Reasons to doubt this answer: of the image, the model or the masks. Often none. */
  warnings: Array<ResultWarning>;
  timing: Timing;
  engine: Engine;
  artifacts: Record<string, string>;
  /** Size of the image as a person sees it. */
  image: PixelSize;
  /** Position of the network's input on the image: partly outside where it was padded; null in old results. */
  frame: PixelBox | null;
  /** Shares of the image and of the frame that the network sees of the image; null in old results. */
  coverage: Coverage | null;
}

/** A channel of the optimal mask. */
export interface ChosenChannel {
  /** Index in the layer, from 0. */
  channel: number;
  /** The smallest count of the sweep whose mask holds it. */
  first_area: number;
  /** Its value in the optimal mask. */
  weight: number;
  /** Its contribution to the variant's objective, to first order: m_k dV/dm_k at the optimal mask. */
  contribution: number;
}

/** One of a class's top channels. */
export interface ClassChannel {
  /** Index in the layer, from 0. */
  channel: number;
  /** Mean of its value in the images' optimal masks (5.2), in [0, 1]. */
  weight: number;
  /** The images that excite it most, best first. */
  images: Array<Excited>;
  inversion?: string | null;
}

/** A class's channels (`task: "class_channels"`). */
export interface ClassChannelsReport {
  id: string;
  task: "class_channels";
  /** As run, with the defaults filled in. */
  params: ClassChannelsSpec;
  model: ModelRef;
  layer: LayerCard;
  target: TargetRef;
  images: Array<ClassImage>;
  /** The top ones, k* first. */
  channels: Array<ClassChannel>;
  /** The averaged optimal mask of all K channels. */
  weights: Array<number>;
  /** Reasons to doubt this answer: of the image, the model or the masks. Often none. */
  warnings: Array<ResultWarning>;
  timing: Timing;
  engine: Engine;
  artifacts: Record<string, string>;
}

/** One of the images from which a class's channels were found. */
export interface ClassImage {
  /** Its place among the images, from 0. */
  index: number;
  /** The file's name, where it came with one. */
  name: string;
  /** Phi(x). */
  original: number;
  /** Of the class, by the model's head; null for a score without one. */
  probability: number | null;
  /** a* in channels; null: no count reaches the threshold, the image is left out. */
  optimal_area: number | null;
  /** The rule of the image's threshold, as in `scores` of other tasks. */
  threshold_rule?: "share-of-original" | "between" | "way-down" | "none" | null;
}

/** Score and probability of a class. */
export interface ClassScore {
  /** Class index. */
  index: number;
  label: string;
  /** The network's output for the class, before any softmax or sigmoid. */
  score: number;
  /** Its softmax or sigmoid, by the model's head; null for a score without one. */
  probability: number | null;
}

/** Top classes of an image. */
export interface Classified {
  /** The model used. */
  model: string;
  /** Those that score highest, the best first. */
  classes: Array<ClassScore>;
  /** Reasons to doubt this answer: of the image, the model or the masks. Often none. */
  warnings: Array<ResultWarning>;
}

/** A finished comparison (`task: "compare"`). */
export interface CompareReport {
  id: string;
  task: "compare";
  /** As run, with the defaults filled in. */
  params: CompareSpec;
  model: ModelRef;
  target: TargetRef;
  scores: Scores;
  /** In the requested order. */
  methods: Array<ComparedMethod>;
  /**
   * a* of the extremal masks (eq. 3); null where none reaches the threshold, where there is none, or without
   * `extremal`.
   */
  optimal_area: number | null;
  /** The extremal masks beside all other methods' top areas and random ones of their areas. */
  extremality: Extremality | null;
  /** Reasons to doubt this answer: of the image, the model or the masks. Often none. */
  warnings: Array<ResultWarning>;
  /** `iterations`: of the extremal masks. */
  timing: Timing;
  engine: Engine;
  artifacts: Record<string, string>;
  /** Size of the image as a person sees it. */
  image: PixelSize;
  /** Position of the network's input on the image: partly outside where it was padded; null in old results. */
  frame: PixelBox | null;
  /** Shares of the image and of the frame that the network sees of the image; null in old results. */
  coverage: Coverage | null;
}

/** One method's answer. */
export interface ComparedMethod {
  /** Its name in `params.methods`. */
  method: string;
  /** Its usual name. */
  title: string;
  /** Its publication. */
  source: string;
  /** The layer that it read: `params.layer`, else its default; null: it reads none. */
  layer?: string | null;
  /** Seconds that its map took; null where it has none. */
  seconds?: number | null;
  /**
   * The scores of keeping and of deleting its top areas, as smooth masks like the extremal ones (their links are
   * those of `extremal` only).
   */
  curve: Array<CurvePoint>;
  /** Why it says nothing of this model. */
  unavailable?: string | null;
  /** Its map, 8-bit grey: what is above 0 (or above its least value), relative to its maximum. */
  map?: string | null;
  /** Its map as heat over the image. */
  overlay?: string | null;
}

/** The mask that most lifts the target above its nearest rival class: why this and not that. */
export interface Contrast {
  /** The class that scores highest beside the target. */
  rival: TargetRef;
  area: number;
  measured_area: number;
  /** f_target - f_rival of the image, before any softmax or sigmoid. */
  original: number;
  /** The same when only the mask is kept: what the mask maximises. */
  preserve: number;
  /** f_target when only the mask is kept. */
  target_score: number;
  /** f_rival when only the mask is kept. */
  rival_score: number;
  /** As on the curve, of this mask. */
  predictions?: MaskPredictions | null;
  mask?: string | null;
  overlay?: string | null;
}

/** Shares that the image and the network's frame have in common. */
export interface Coverage {
  /** Share of the image that the network sees: 1 where nothing is cut off. */
  image: number;
  /** Share of the frame that the image fills: the rest is padding. */
  frame: number;
}

/** One area of the sweep. */
export interface CurvePoint {
  /** The share of the image that was asked for. */
  area: number;
  /** Mean of the mask over the network's frame. */
  measured_area: number;
  /** Phi(m x): score when only the mask is kept. */
  preserve: number;
  /** Phi((1-m) x): score when the mask is removed. */
  delete: number;
  /** Probability of the target under m x, by its head; null for a score without one. */
  preserve_probability: number | null;
  /** The same under (1-m) x; null also in results from before. */
  delete_probability?: number | null;
  /** Mean of m(1-m): 0 for a binary mask, at most 0.25. */
  binariness: number;
  /** What the network says of m x and of (1-m) x; null where `scores.predictions` is. */
  predictions?: MaskPredictions | null;
  mask?: string | null;
  overlay?: string | null;
}

/** Delivery of a job's webhook. */
export interface Delivery {
  status: "pending" | "delivered" | "failed";
  /** The last 10. */
  attempts: Array<DeliveryAttempt>;
  /** Null where there is none to come. */
  next_attempt_at?: string | null;
}

/** One try to deliver a webhook. */
export interface DeliveryAttempt {
  at: string;
  /** The status of the receiver's response; null without one. */
  status_code?: number | null;
  /** The reason why there was no response. */
  error?: string | null;
  /** Milliseconds that it took. */
  ms: number;
}

/** Versions and settings that the result depends on. */
export interface Engine {
  version: string;
  torch: string;
  device: string;
}

/** Activation of a channel by an image. */
export interface Excited {
  /** Its place among the images, from 0. */
  image: number;
  /** Mean of the channel over space. */
  activation: number;
}

/** A finished sweep (`task: "extremal"`). */
export interface ExtremalReport {
  id: string;
  task: "extremal";
  /** As run, with the defaults filled in. */
  params: ExtremalSpec;
  model: ModelRef;
  target: TargetRef;
  scores: Scores;
  /** One point per area, by increasing area. */
  curve: Array<CurvePoint>;
  /** a* (eq. 3); null where no area of the sweep reaches the threshold, or where there is none. */
  optimal_area: number | null;
  /** Whether the score orders as the areas do below a* (eq. 8). */
  monotonic: boolean;
  /** The masks beside rivals of their areas; null where not asked for. */
  extremality?: Extremality | null;
  /** How far the answer varies; null for masks that no walks led to (`paper`, `independent`). */
  stability?: Stability | null;
  /** Other masks of the area a*, each sufficient by itself: either the optimal mask, or these. */
  alternatives: Array<Alternative>;
  /** What speaks for the target and against its nearest rival class. */
  contrast?: Contrast | null;
  /** Reasons to doubt this answer: of the image, the model or the masks. Often none. */
  warnings: Array<ResultWarning>;
  timing: Timing;
  engine: Engine;
  artifacts: Record<string, string>;
  /** Size of the image as a person sees it. */
  image: PixelSize;
  /** Position of the network's input on the image: partly outside where it was padded; null in old results. */
  frame: PixelBox | null;
  /** Shares of the image and of the frame that the network sees of the image; null in old results. */
  coverage: Coverage | null;
}

/** Extremality: a comparison of our masks with rivals of the same area and the same smoothness (eq. 2). */
export interface Extremality {
  /** False: at some area a rival scores higher, so that our mask is not extremal. */
  extremal: boolean;
  /** The methods whose top areas were compared. */
  methods: Array<string>;
  /** How many random smooth masks were compared at each area. */
  random_masks: number;
  /** By how much a rival must score higher, as a share of our mask's score (or of 1). */
  tolerance: number;
  points: Array<ExtremalityPoint>;
}

/** Score of an area's mask beside the scores of rival masks of the same measured area. */
export interface ExtremalityPoint {
  /** The share of the image that was asked for. */
  area: number;
  /**
   * Mean of our mask, which is the area that rivals have, too. Null in results from before: there they have the
   * area that was asked for.
   */
  measured_area?: number | null;
  /** 1: no rival scores higher. */
  rank: number;
  /** How many masks were compared, ours included. */
  of: number;
  /** The rival that scores highest: a method, or `random`. */
  best_rival: string;
  /** Mean of its mask; null in results from before. */
  best_rival_area?: number | null;
  /** The rivals that score higher, best first. */
  beaten_by: Array<string>;
  /**
   * Where our mask was found: `walks`, the sweep's own search; a rival that scored higher than that, and from
   * which the search went on; `alternative` or `contrast`, where the search for that block found a mask that
   * scores higher.
   */
  found_by: string;
  /** Objective of the variant at our mask: `preserve`, `-delete`, or for `hybrid` the sum of both. */
  objective: number;
  /** The same at the mask of `best_rival`. */
  best_rival_objective: number;
}

/** Error in one field of a request. */
export interface FieldError {
  /** The field, e.g. `areas.2`, `target` or `image`. */
  field: string;
  /** What is wrong with it. */
  detail: string;
  /** The value sent: its JSON text, at most 100 characters. */
  value?: string | null;
  /** What it may be: the field's JSON schema. */
  allowed?: Record<string, unknown> | null;
  /** Names that may have been meant, best first. */
  nearest?: Array<string> | null;
}

/** Summary of a finished job's result. */
export interface Finding {
  target: TargetRef;
  /** a*: a share of the image, or a count of channels; null where none suffices. */
  optimal_area?: number | null;
}

/** Links to the parts of a job; a part that it does not have (yet) has none. */
export interface JobLinks {
  self: string;
  /** The dashboard's page of it, to be opened in a browser. */
  dashboard: string;
  /** Its events, as server-sent events. */
  events?: string | null;
  result?: string | null;
  bundle?: string | null;
  /** The batch that it is of. */
  batch?: string | null;
  /** A small JPEG of its first image, or of what it found, where there is one. */
  thumbnail?: string | null;
  /** The posted images, where `keep_images` was asked for. */
  images?: Array<string> | null;
  /** The target's second picture, where `keep_images` was asked for. */
  target_image?: string | null;
  /** The target's region as it was posted, where `keep_images` was asked for. */
  target_mask?: string | null;
  /** By area. */
  masks: Record<string, string>;
  /** By area. */
  overlays: Record<string, string>;
  saliency?: string | null;
  curve?: string | null;
  page?: string | null;
  reveal?: string | null;
  /** All maps of `compare`, in one picture. */
  comparison?: string | null;
  /** Of `channels` with `invert`: `full`, `masked`, `comparison`. */
  inversions: Record<string, string>;
  /** The channel masks of `channels`, as JSON. */
  channel_masks?: string | null;
  /** The top channels of `class_channels`, in one picture. */
  sheet?: string | null;
}

/** Some jobs, the newest first. */
export interface JobPage {
  /** Fewer than `limit` where some just expired. */
  jobs: Array<JobRead>;
  /** The next page's address; null on the last one. */
  next?: string | null;
}

/** Progress of a running job. */
export interface JobProgress {
  iteration: number;
  total: number;
  fraction: number;
  /** Estimated seconds to the end; null while unknown. */
  eta_s?: number | null;
  /** When the first step of its masks began; null until then, and for tasks on channels. */
  first_step_at?: string | null;
  /**
   * Of a sweep: `walks` (coarse masks of all areas), `masks` (optimised, each at its area), then `rivals`,
   * `contrast`, `alternatives`. Of a comparison: the method that runs, then `scoring`. Null for the other tasks.
   */
  stage?: string | null;
  /** What is explained, once it is known; null for tasks on channels. */
  subject?: Subject | null;
  /** The methods of a comparison that have found a map so far. */
  ended: Array<string>;
}

/** A job with its state and progress. */
export interface JobRead {
  id: string;
  status: JobState;
  /** As it runs, with the defaults filled in. */
  params: ExtremalSpec | CompareSpec | ChannelsSpec | ClassChannelsSpec;
  created_at: string;
  /** Start of the current or last attempt. */
  started_at?: string | null;
  finished_at?: string | null;
  /** When the job and its results are removed; null until it is finished. */
  expires_at?: string | null;
  /** 0 while queued, 1 for the first run, more after workers were lost. */
  attempt: number;
  /** While queued: 1 is the next to run. */
  position?: number | null;
  /** While queued: about how many seconds it will wait; null while unknown. */
  starts_in_s?: number | null;
  priority: Priority;
  /** The id of its batch. */
  batch?: string | null;
  /** Whether its result is that of an earlier job (see `reuse`). */
  cached: boolean;
  /** While running. */
  progress?: JobProgress | null;
  /** While running: the curve so far. */
  partial_curve: Array<PartialPoint>;
  /** Why it failed. */
  error?: Problem | null;
  /** A summary of its result, once it has succeeded. */
  found?: Finding | null;
  /** The delivery of its webhook. */
  delivery?: Delivery | null;
  links: JobLinks;
}

/** A layer whose channels can be explained. */
export interface LayerCard {
  /** Its name in `params.layer`. */
  name: string;
  /** Its module's class. */
  type: string;
  /** K. */
  channels: number;
  /** Of its map, for an input of the model's size. */
  height: number;
  /** Of its map, for an input of the model's size. */
  width: number;
}

/** A layer as a model lists it. */
export interface ListedLayer {
  /** Its name in `params.layer`. */
  name: string;
  /** Its module's class. */
  type: string;
  /** K. */
  channels: number;
  /** Of its map, for an input of the model's size. */
  height: number;
  /** Of its map, for an input of the model's size. */
  width: number;
  /** How a transformer's layer keeps its map; null where it is K x H x W, as a convolution's. */
  tokens?: TokenLayout | null;
  /**
   * What reads this layer where the request names none (`channels`: also `class_channels`; `excitation_backprop`:
   * also the contrastive one); null in records of earlier versions.
   */
  default_for?: Array<"channels" | "grad_cam" | "excitation_backprop"> | null;
}

/** Predictions for the image under a mask, and under its complement. */
export interface MaskPredictions {
  /** Top classes when only the mask is kept, the best first. */
  preserve: Array<ClassScore>;
  /** Top classes when the mask is removed, the best first. */
  delete: Array<ClassScore>;
}

/** The models that the workers offer. */
export interface ModelList {
  /** The model of a job that names none. */
  default: string;
  /** By name; empty until a worker has started. */
  models: Array<ModelSummary>;
}

/** A model with its labels and layers, and the perturbations that it takes. */
export interface ModelRead {
  /** Its name in `params.model`. */
  name: string;
  /** The source of its architecture. */
  source: "torchvision" | "timm" | "huggingface" | "open_clip" | "entry_point" | "file";
  /** The operator's words. */
  description: string;
  /** The weights' name in their library, or the file's name. */
  weights?: string | null;
  /** Its number of parameters; null where its source doesn't say. */
  parameters?: number | null;
  /** About the size of its weights' file, in bytes; null where it isn't known. */
  weight_bytes?: number | null;
  /**
   * Whether the workers have its weights on their disk. Those of a library are else downloaded by the first job
   * that names it. Null where that isn't known before the model is loaded.
   */
  weights_here?: boolean | null;
  /** As its library states it; null where it states none. */
  accuracy?: Accuracy | null;
  /** Its number of classes. */
  classes: number;
  /**
   * Meaning of its scores. `softmax`: they give probabilities of classes that exclude each other; `sigmoid`: of
   * classes of which several may be there; `logit`: of a single one. `embedding`: it has no classes, and its
   * outputs are a vector that is compared with another picture's.
   */
  outputs: "softmax" | "sigmoid" | "logit" | "score" | "embedding";
  /**
   * The kinds of `params.target` that it takes: `class`, `contrast` (a class instead of another), `text`, `box` (a
   * detection), `segment` (the pixels of a class), `similar` (the likeness to a second picture).
   */
  targets: Array<"class" | "contrast" | "text" | "box" | "segment" | "similar" | "score">;
  /** Reasons to doubt answers about it. Often none. */
  warnings: Array<ResultWarning>;
  /** The model, labels included. */
  link: string;
  /** One per class, by class index. */
  labels: Array<string>;
  /** The possible values of `params.layer`, in the order of computation; null while not known yet. */
  layers?: Array<ListedLayer> | null;
  /**
   * The values of `params.perturbation` that it takes: `drop` where it is a vision transformer that can do without
   * some of its patches; null while not known yet.
   */
  perturbations?: Array<"blur" | "fade" | "drop"> | null;
  /** True while a worker lives, so that jobs for it run, as KServe's clients ask. */
  ready: boolean;
  /** Size of the network's input, its frame. */
  resolution: PixelSize;
}

/** The network that was explained. */
export interface ModelRef {
  name: string;
  /** Meaning of its scores: see the model's card; `score`: no probability. */
  outputs: "softmax" | "sigmoid" | "logit" | "score" | "embedding";
  /** `sha256:` and the hex digest of the weights. */
  weights_digest: string;
  /** Size of the network's input, its frame. */
  resolution: PixelSize;
}

/** A model that can be explained. */
export interface ModelSummary {
  /** Its name in `params.model`. */
  name: string;
  /** The source of its architecture. */
  source: "torchvision" | "timm" | "huggingface" | "open_clip" | "entry_point" | "file";
  /** The operator's words. */
  description: string;
  /** The weights' name in their library, or the file's name. */
  weights?: string | null;
  /** Its number of parameters; null where its source doesn't say. */
  parameters?: number | null;
  /** About the size of its weights' file, in bytes; null where it isn't known. */
  weight_bytes?: number | null;
  /**
   * Whether the workers have its weights on their disk. Those of a library are else downloaded by the first job
   * that names it. Null where that isn't known before the model is loaded.
   */
  weights_here?: boolean | null;
  /** As its library states it; null where it states none. */
  accuracy?: Accuracy | null;
  /** Its number of classes. */
  classes: number;
  /**
   * Meaning of its scores. `softmax`: they give probabilities of classes that exclude each other; `sigmoid`: of
   * classes of which several may be there; `logit`: of a single one. `embedding`: it has no classes, and its
   * outputs are a vector that is compared with another picture's.
   */
  outputs: "softmax" | "sigmoid" | "logit" | "score" | "embedding";
  /**
   * The kinds of `params.target` that it takes: `class`, `contrast` (a class instead of another), `text`, `box` (a
   * detection), `segment` (the pixels of a class), `similar` (the likeness to a second picture).
   */
  targets: Array<"class" | "contrast" | "text" | "box" | "segment" | "similar" | "score">;
  /** Reasons to doubt answers about it. Often none. */
  warnings: Array<ResultWarning>;
  /** The model, labels included. */
  link: string;
  /** Size of the network's input, its frame. */
  resolution: PixelSize;
}

/** An area of a sweep that is still running. */
export interface PartialPoint {
  area: number;
  measured_area: number;
  /** As on the curve, of the current mask; null unless the variant is `preserve`. */
  preserve?: number | null;
  /** As on the curve, of the current mask; null unless the variant is `delete`. */
  delete?: number | null;
  /** Objective of the variant: `preserve`, `-delete`, or for `hybrid` their sum, whose parts are known at last. */
  objective: number;
}

/** A box's outer edges on an image, in its pixels: pixel i spans [i, i + 1]. */
export interface PixelBox {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** A size, in pixels. */
export interface PixelSize {
  width: number;
  height: number;
}

/** Problem details (RFC 9457); members beyond the standard ones are allowed. */
export interface Problem {
  /** Stable identifier of the kind of problem. */
  type: string;
  title: string;
  status: number;
  /** The error, and what to change. */
  detail: string;
  [member: string]: unknown;
}

/** Problem details (RFC 9457). The optional members depend on `type`. */
export interface ProblemDetails {
  /** Stable identifier of the kind of problem, e.g. `/problems/invalid-input`. */
  type: string;
  title: string;
  status: number;
  /** The error, and what to change. */
  detail: string;
  /** Names the request in the logs. */
  request_id?: string | null;
  /** One entry per field that can't be used. */
  errors?: Array<FieldError> | null;
  /** The state of the job, if that is the obstacle. */
  state?: string | null;
  /** The reason of the job's failure, if it failed. */
  error?: Problem | null;
  [member: string]: unknown;
}

/** Predictions for the image as it is, and without anything of it. */
export interface ReferencePredictions {
  /** Top classes of the unperturbed image, the best first. */
  original: Array<ClassScore>;
  /** The same of the fully perturbed image (m = 0 everywhere). */
  perturbed: Array<ClassScore>;
}

/** Number of jobs that were removed. */
export interface Removed {
  /** How many jobs. */
  deleted: number;
}

/** Warning that qualifies a result, and what to do about it. */
export interface ResultWarning {
  /** A stable, machine-readable kind, such as `preprocessing`. */
  kind: string;
  /** What is wrong, with the values, and what to change. */
  detail: string;
}

/** Reference scores (before any softmax or sigmoid) for the target. */
export interface Scores {
  /** Phi(x), the score of the unperturbed image. */
  original: number;
  /** The score of the fully perturbed image (m = 0 everywhere). */
  perturbed: number;
  /** Phi_0, which the optimal area's score must reach, or for `delete` fall to; null where there is none. */
  threshold: number | null;
  /**
   * Its rule. `share-of-original`: tau * original (eq. 3). `between`, where the original isn't positive: perturbed
   * + tau * (original - perturbed). `way-down`, for `delete`: original - tau * (original - perturbed). `none`: the
   * perturbed score is no less than the original one. Null in results from before it was told.
   */
  threshold_rule?: "share-of-original" | "between" | "way-down" | "none" | null;
  /** Probability of the target on the unperturbed image, by the model's head; null for a score without one. */
  original_probability: number | null;
  /**
   * What the network says of both images, the target or not: its five top classes. Null where the only score
   * stands for no probability, for channels and comparisons, and in results from before.
   */
  predictions?: ReferencePredictions | null;
}

/** Stability of the result: agreement of the two halves of the walks, each taken as a run of its own. */
export interface Stability {
  /** How many walks there were, both halves together. */
  walks: number;
  /** Rank correlation of what survives in either half of the walks, over the frame. */
  saliency_correlation: number;
  /**
   * a* as a range: the smallest area that reaches the threshold if every score were higher by its spread, and if
   * it were lower; null where none does.
   */
  optimal_areas: Array<number | null>;
  /** One per area, by increasing area. */
  points: Array<StabilityPoint>;
}

/** Agreement of the walks about an area. */
export interface StabilityPoint {
  area: number;
  /** Intersection over union of the top areas of what survives in either half: 1 if equal. */
  agreement: number;
  /** How far the scores of these two masks are apart: about how far ours would vary. */
  spread: number;
}

/** Subject of a run, known before its first mask. */
export interface Subject {
  target: TargetRef;
  scores: Scores;
  /** Size of the image as a person sees it. */
  image: PixelSize;
  /** Position of the network's input on the image: partly outside where it was padded. */
  frame: PixelBox;
  /** Size of the network's input, its frame. */
  resolution: PixelSize;
  /** Shares of the image and of the frame that the network sees of the image. */
  coverage: Coverage;
}

/** The class, or the score, that was explained. */
export interface TargetRef {
  /**
   * `class`: a class. `contrast`: one class's score minus another's. `text`: a text that the image is compared
   * with. `box`: a detection. `segment`: the pixels of a class. `similar`: the likeness to another picture.
   * `score`: a function of the network's outputs.
   */
  kind: "class" | "contrast" | "text" | "box" | "segment" | "similar" | "score";
  /** Class index; null where it is no class. */
  index: number | null;
  label: string;
}

/** A file of a task's results, or a family of files. */
export interface TaskFile {
  /** What `links` calls it. */
  key: string;
  /** What it is. */
  title: string;
  /** Its type. */
  media_type: string;
  /** Whether there are several, each under its own name. */
  many: boolean;
}

/** All tasks. */
export interface TaskList {
  /** The task of a job that names none. */
  default: "extremal" | "compare" | "channels" | "class_channels";
  /** In the order in which a form offers them. */
  tasks: Array<TaskRead>;
}

/** A task: one kind of job, and what a form and a list need to know of it. */
export interface TaskRead {
  /** What `params.task` calls it. */
  name: "extremal" | "compare" | "channels" | "class_channels";
  /** What a result is called. */
  title: string;
  /** What is asked. */
  question: string;
  /** The tab of a form that offers it; several may share one. */
  tab: string;
  /** The schema of its `params` in this document. */
  spec: string;
  /** The function of the Python package that does the same. */
  python?: string | null;
  /** How many images a job has, at least. */
  least_images: number;
  /** How many images a job has, at most. */
  most_images: number;
  /** What areas are: shares of the image, or counts of channels. */
  unit: "share" | "channels";
  /** The key of the file that shows a result at a glance. */
  picture?: string | null;
  /** The parameters that a short form offers, in its order. */
  form: Array<string>;
  /** The files that a job's `links` can name. */
  files: Array<TaskFile>;
}

/** Seconds and iterations. */
export interface Timing {
  queued_s?: number | null;
  run_s: number;
  /**
   * Optimisation steps per area, as many as cost the same: all of the sweep's, shared out; alternatives, contrast
   * and rivals not counted.
   */
  iterations: number;
}

/** Order of the values of a layer whose channels come last. */
export interface TokenLayout {
  /** `channels_last`: N x H x W x K; `tokens`: N x T x K, the places row by row. */
  order: "channels_last" | "tokens";
  /** Tokens before those of the places: class tokens and registers. No map shows them, and no mask covers them. */
  class_tokens: number;
  /** Tokens behind those of the places, T - `class_tokens` - H W: a detector's queries. */
  queries: number;
}
