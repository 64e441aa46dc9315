"""Extremal perturbations evaluated by Quantus in the place of a gradient. Above each changed line is the original."""

from pathlib import Path

import numpy as np
import quantus
from PIL import Image

import ep_core

# was: from quantus import explain
from ep_core.adapters.quantus import explain

GOOSE = 99

photograph = Image.open(Path(__file__).parents[1] / "samples" / "goose.jpg")
model = ep_core.load_model("mobilenet_v2")
network = model.network.eval()  # any torch.nn.Module of N x C scores
x, _ = model.preprocess(photograph)  # 1 x 3 x 224 x 224

# Two areas and few iterations, to be quick: leave the options out for the best masks.
# was: options = {"method": "Saliency"}
options = {"areas": (0.1, 0.3), "iterations": 10, "independent": True}

flipping = quantus.PixelFlipping(features_in_step=224 * 28, perturb_baseline="black", disable_warnings=True)
(probabilities,) = flipping(
    model=network,
    x_batch=x.numpy(),
    y_batch=np.array([GOOSE]),
    explain_func=explain,
    explain_func_kwargs=options,
    softmax=True,
)
shares = [round(float(probability), 3) for probability in probabilities]
print("the goose's probability while its most relevant pixels are flipped:", shares)
