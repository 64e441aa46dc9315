"""Extremal perturbations in the place of pytorch-grad-cam's GradCAM. Above each changed line is the original."""

from pathlib import Path

import numpy as np
from PIL import Image
from pytorch_grad_cam.metrics.cam_mult_image import CamMultImageConfidenceChange
from pytorch_grad_cam.utils.image import show_cam_on_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputSoftmaxTarget, ClassifierOutputTarget

import ep_core

# was: from pytorch_grad_cam import GradCAM
from ep_core.adapters.grad_cam import ExtremalPerturbation

GOOSE = 99
QUICK = {"areas": (0.1, 0.3), "iterations": 10, "independent": True}  # leave them out for the best masks

photograph = Image.open(Path(__file__).parents[1] / "samples" / "goose.jpg")
model = ep_core.load_model("mobilenet_v2")
network = model.network.eval()  # any torch.nn.Module of N x C scores
x, _ = model.preprocess(photograph)  # 1 x 3 x 224 x 224

# was: with GradCAM(model=network, target_layers=[network.features[-1]]) as cam:
with ExtremalPerturbation(model=network, target_layers=[network.features[-1]], **QUICK) as cam:
    maps = cam(input_tensor=x, targets=[ClassifierOutputTarget(GOOSE)])  # 1 x 224 x 224

probability = [ClassifierOutputSoftmaxTarget(GOOSE)]
print("change of the probability by the map:", CamMultImageConfidenceChange()(x, maps, probability, network))
pixels = np.asarray(model.preprocessing.to_image(x), np.float32) / 255
Image.fromarray(show_cam_on_image(pixels, maps[0], use_rgb=True)).save("grad_cam.png")
