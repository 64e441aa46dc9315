"""Feature inversion (5.1): images that excite a layer as an image did (eq. 12), or that excite one of its channels.

Any noise can excite a layer. The images are looked for where natural ones are, as Olah et al. do ("Feature
Visualization", Distill 2017): as Fourier coefficients of decorrelated colours, the weaker the higher their frequency,
squashed into [0, 1]; and the network never sees an image twice from the same place, so that no single pixel counts.

All images of a call take their steps in one batch, from the same noise and through the same random transformations: an
image doesn't depend on its company, and two of them differ by what they are to excite, and by nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ep_core.errors import InvalidInput
from ep_core.models.runtime.turns import give_way
from ep_core.pictures.planes import RGB, as_rgb

STEPS = 256
LEARNING_RATE = 0.03
DECAY = 1.5
"""Decay of the amplitudes, as frequency ** -DECAY. Natural images have 1, which leaves much grain here."""
GAIN = 4.0  # root mean square of the amplitudes
FIRST_SPREAD = 0.01  # of the noise to start from: nearly grey
WAKING_SPREAD = 0.2  # of the noise that is tried while a layer is silent: half the contrast of photographs
COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
"""A square root of the covariance of red, green and blue in ImageNet, as Lucid (Olah et al.) has it: a row each.

Planes that are no colours are drawn independently of each other."""
MARGIN = 1 / 14  # of a side, around the image: what transformations may show of the outside
JITTER = 0.05  # of a side
TURN = math.radians(5)
ZOOM = 0.1
LEAST_COSINE = 0.1

Normalise = Callable[[Tensor], Tensor]
Head = Callable[[Tensor], Tensor]


@torch.inference_mode(False)  # whatever mode the caller is in
def invert(
    head: Head,
    targets: Tensor,
    *,
    size: tuple[int, int],
    normalise: Normalise,
    planes: int = RGB,
    steps: int = STEPS,
    seed: int = 0,
    cosine_power: float = 0.0,
    on_step: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Return images I that maximise ``(m (x) Phi_l(x)) . Phi_l(I)`` (eq. 12), each scaled to a target of length 1.

    Args:
        head: N x C x H x W, normalised, -> N x K x h x w, the layer's activations; on the targets' device.
        targets: N x K x h x w, the (masked) activations ``m (x) Phi_l(x)``, N >= 1.
        size: H and W, in pixels.
        normalise: from pixel values in [0, 1] (N x P x H x W) to the network's input.
        planes: P, 3 being RGB and 1 grey.
        steps: of Adam.
        seed: draws the noise to start from and the transformations.
        cosine_power: 0 is eq. 12. With p > 0 the product is multiplied by cos^p of the angle between the two, so that
            an image gets no credit for exciting what the target hasn't; Lucid's objective, closer to x by eye.
        on_step: called with the steps done and all steps; what it raises passes through.

    Returns:
        N x 3 x H x W, RGB in [0, 1], on the CPU (`as_rgb`).
    """
    directions = targets / _length(targets).clamp_min(1e-12)

    def likeness(activations: Tensor) -> Tensor:
        product = _total(activations * directions)
        if cosine_power == 0:
            return product
        cosine = product / _length(activations).clamp_min(1e-12)
        return product * cosine.clamp_min(LEAST_COSINE) ** cosine_power

    return _ascend(head, likeness, len(targets), Canvas(size, targets.device, planes), normalise, steps, seed, on_step)


@torch.inference_mode(False)  # whatever mode the caller is in
def invert_channels(
    head: Head,
    channels: Sequence[int],
    *,
    size: tuple[int, int],
    normalise: Normalise,
    planes: int = RGB,
    device: torch.device | str = "cpu",
    steps: int = STEPS,
    seed: int = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Return images that maximise the mean over space of one channel each (figure 10).

    A channel that is clipped (ReLU6) soon has all that it can have: the layer before the clipping shows more.

    Args:
        head: N x C x H x W, normalised, -> N x K x h x w, the layer's activations.
        channels: N indices, at least one.
        size: H and W, in pixels.
        normalise: from pixel values in [0, 1] (N x P x H x W) to the network's input.
        planes: P, 3 being RGB and 1 grey.
        device: where the head is.
        steps: of Adam.
        seed: draws the noise to start from and the transformations.
        on_step: called with the steps done and all steps; what it raises passes through.

    Returns:
        N x 3 x H x W, RGB in [0, 1], on the CPU (`as_rgb`).

    Raises:
        InvalidInput: the layer has no such channel.
    """
    index = torch.tensor(channels, device=device)[:, None]

    def excitement(activations: Tensor) -> Tensor:
        if wrong := [channel for channel in channels if not 0 <= channel < activations.shape[1]]:
            raise InvalidInput(
                f"there is no channel {wrong[0]}: the layer has {activations.shape[1]}", field="channels"
            )
        return activations.mean(dim=(2, 3)).gather(1, index)

    canvas = Canvas(size, torch.device(device), planes)
    return _ascend(head, excitement, len(channels), canvas, normalise, steps, seed, on_step)


def _ascend(
    head: Head,
    objective: Callable[[Tensor], Tensor],
    count: int,
    canvas: Canvas,
    normalise: Normalise,
    steps: int,
    seed: int,
    on_step: Callable[[int, int], None] | None,
) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    coefficients = canvas.noise(FIRST_SPREAD, generator).repeat(count, 1, 1, 1, 1).requires_grad_()
    silent = torch.ones(count, 1, 1, 1, 1, dtype=torch.bool, device=coefficients.device)
    optimiser = torch.optim.Adam([coefficients], lr=LEARNING_RATE)
    for done in range(1, steps + 1):
        images = View.draw(canvas.size, generator).of(canvas.paint(coefficients), canvas.size)
        values = objective(_activations(head, normalise(images)))
        (coefficients.grad,) = torch.autograd.grad(-values.sum(), coefficients)
        optimiser.step()
        silent &= values.view(-1, 1, 1, 1, 1) == 0  # behind a ReLU, with no gradient to go by
        with torch.no_grad():
            coefficients.copy_(torch.where(silent, canvas.noise(WAKING_SPREAD, generator), coefficients))
        give_way()
        if on_step is not None:
            on_step(done, steps)
    with torch.no_grad():
        return as_rgb(canvas.cut(canvas.paint(coefficients))).cpu()


class Canvas:
    """Fourier coefficients as images, with a margin around them. Canvases are periodic: the edges meet."""

    def __init__(self, size: tuple[int, int], device: torch.device | str = "cpu", planes: int = RGB) -> None:
        """Take the size (H and W) of the images without their margins, in pixels, and the number of their planes."""
        self.size = size
        self.margins = tuple(math.ceil(MARGIN * side) for side in size)
        self.height, self.width = (side + 2 * margin for side, margin in zip(size, self.margins, strict=True))
        down, right = torch.fft.fftfreq(self.height), torch.fft.rfftfreq(self.width)
        frequency = torch.hypot(down[:, None], right[None, :]).clamp_min(1 / max(self.height, self.width))
        amplitudes = frequency**-DECAY
        self._amplitudes = (amplitudes * GAIN / amplitudes.square().mean().sqrt()).to(device)
        colours = torch.tensor(COLOURS, device=device) if planes == RGB else torch.eye(planes, device=device)
        self._colours = colours / colours.norm(dim=0).max()

    def noise(self, spread: float, generator: torch.Generator) -> Tensor:
        """Draw an image's coefficients: 1 x P x frequencies down x right x 2, real and imaginary parts, around 0."""
        shape = (1, len(self._colours), *self._amplitudes.shape, 2)
        return (spread * torch.randn(shape, generator=generator)).to(self._amplitudes.device)

    def paint(self, coefficients: Tensor) -> Tensor:
        """Return the images, margins included, of N images' coefficients: N x P x rows x columns in [0, 1]."""
        spectrum = torch.view_as_complex(coefficients) * self._amplitudes
        # Not by irfft2: what it makes of a half-spectrum that isn't quite that of real planes is each library's own.
        planes = torch.fft.irfft(torch.fft.ifft(spectrum, dim=2, norm="ortho"), n=self.width, norm="ortho")
        mixed = [(planes * weights.view(-1, 1, 1)).sum(dim=1) for weights in self._colours]
        return torch.stack(mixed, dim=1).sigmoid()

    def cut(self, painted: Tensor) -> Tensor:
        """Return images without their margins: N x P x H x W."""
        top, left = self.margins
        return painted[:, :, top : self.height - top, left : self.width - left]


class View(NamedTuple):
    """View of a canvas: a rotation about its centre (radians), a zoom, and a shift (pixels)."""

    turn: float
    zoom: float
    down: float
    right: float

    @classmethod
    def draw(cls, size: tuple[int, int], generator: torch.Generator) -> View:
        """Draw a view of images of a size (H and W)."""
        turn, zoom, down, right = (2 * torch.rand(4, generator=generator) - 1).tolist()
        return cls(TURN * turn, 1 + ZOOM * zoom, JITTER * size[0] * down, JITTER * size[1] * right)

    def of(self, canvas: Tensor, size: tuple[int, int]) -> Tensor:
        """Return views of canvases, N x C x rows x columns -> N x C x H x W, the pixels between interpolated.

        Along the rows, then along the columns (Catmull and Smith 1980): as shears and products with matrices, whose
        gradients, unlike those of torch's ``grid_sample``, are sums in a fixed order on a GPU too.
        """
        y, x, row = (_centred(n, canvas.device) for n in (*size, canvas.shape[2]))
        columns = _hats(canvas.shape[3], x / (self.zoom * math.cos(self.turn)) + self.right)
        along = _shear(canvas, -math.tan(self.turn) * (row - self.down)) @ columns
        upright = _shear(along.mT, math.sin(self.turn) / self.zoom * x).mT
        rows = _hats(canvas.shape[2], y * math.cos(self.turn) / self.zoom + self.down)
        return rows.mT @ upright


def _shear(images: Tensor, shifts: Tensor) -> Tensor:
    """Roll each row by its own number of pixels: ... x n x m and n shifts; in between, interpolate linearly."""
    whole = shifts.floor()
    places = torch.arange(images.shape[-1], device=images.device) + whole.long()[:, None]
    rolled = images.gather(-1, places.remainder(images.shape[-1]).expand_as(images))
    return rolled.lerp(rolled.roll(-1, -1), (shifts - whole)[:, None])


def _hats(count: int, places: Tensor) -> Tensor:
    """Return what interpolates `count` periodic samples, 0 being the centre, linearly at n places: count x n."""
    apart = _centred(count, places.device)[:, None] - places
    around = (apart + count / 2).remainder(count) - count / 2
    return (1 - around.abs()).clamp_min(0)


def _centred(count: int, device: torch.device) -> Tensor:
    return torch.arange(count, device=device) - (count - 1) / 2


def _activations(head: Head, images: Tensor) -> Tensor:
    if len(images) > 1 or images.is_cuda:
        return head(images)
    # A CPU's libraries compute one image by other routines than several, and round differently: never one alone.
    return head(images.expand(2, -1, -1, -1))[:1]


def _length(activations: Tensor) -> Tensor:
    return _total(activations.square()).sqrt()


def _total(activations: Tensor) -> Tensor:
    """Return the sum of each row, N x 1 x 1 x 1, in parts: a single long sum is split among threads."""
    return activations.sum(dim=(2, 3), keepdim=True).sum(dim=1, keepdim=True)
