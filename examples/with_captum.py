"""Extremal perturbations in the place of captum's Occlusion. Above each changed line is the original."""

from pathlib import Path

import numpy as np
import torch
from captum.attr import visualization
from PIL import Image

import ep_core

# was: from captum.attr import Occlusion
from ep_core.adapters.captum import ExtremalPerturbation

photograph = Image.open(Path(__file__).parents[1] / "samples" / "goose.jpg")
model = ep_core.load_model("mobilenet_v2")
network = model.network.eval()  # any torch.nn.Module of N x C scores
x, _ = model.preprocess(photograph)  # 1 x 3 x 224 x 224
with torch.no_grad():
    target = network(x).argmax(dim=1)

# Two areas and few iterations, to be quick: leave the options out for the best masks.
# was: method = Occlusion(network)
method = ExtremalPerturbation(network, areas=(0.1, 0.3), iterations=10, independent=True)
# was: attributions = method.attribute(x, target=target, sliding_window_shapes=(3, 64, 64), strides=(3, 40, 40))
attributions = method.attribute(x, target=target)

print(tuple(attributions.shape))
heat, pixels = attributions[0].permute(1, 2, 0).numpy(), np.asarray(model.preprocessing.to_image(x))
figure, _ = visualization.visualize_image_attr(heat, pixels, method="blended_heat_map", use_pyplot=False)
figure.savefig("captum.png")
