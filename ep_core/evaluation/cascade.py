"""Randomising a network's weights from the last layer to the first (Adebayo et al., Sanity Checks, NeurIPS 2018)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ep_core.errors import InvalidInput
from ep_core.models.calibration import calibrate
from ep_core.models.tuning.traced import opaque

FEWEST = 8
"""Networks of fewer stages have their largest one opened up, as far as that goes."""


@dataclass(frozen=True)
class Stage:
    """A part of a network that is randomised in one go."""

    name: str
    """The name of its module."""
    modules: tuple[str, ...]
    """The names of the modules whose own parameters are drawn again."""


def stages(network: nn.Module, example: Tensor) -> list[Stage]:
    """Return the parts of a network, the one that is computed last first.

    They are the modules that a network names at the top, plain sequences of modules opened up (so that `mobilenet_v2`
    has its classifier and 19 blocks); where those are fewer than `FEWEST`, also the one that holds most.

    Args:
        network: N x 3 x H x W -> N x C, in evaluation mode.
        example: 1 x 3 x H x W; modules that aren't called for it (auxiliary heads) are left out.

    Raises:
        InvalidInput: the network doesn't show its layers.
    """
    if hidden := opaque(network):
        raise InvalidInput(
            f"weights are randomised layer by layer, and {hidden} doesn't show its layers", field="model"
        )
    parts = _opened(network, "")
    while len(parts) < FEWEST:
        largest = max(parts, key=lambda stage: len(stage.modules))
        if len(largest.modules) == 1:
            break
        k = parts.index(largest)
        parts[k : k + 1] = _opened(network.get_submodule(largest.name), largest.name)
    calls = _calls(network, example)
    first = {stage: min((calls[name] for name in stage.modules if name in calls), default=None) for stage in parts}
    called = [(place, stage) for stage, place in first.items() if place is not None]
    return [stage for _, stage in sorted(called, key=lambda pair: pair[0], reverse=True)]


def _opened(module: nn.Module, name: str) -> list[Stage]:
    """Return a module's children as stages, and the parameters that it has besides them."""
    found = [Stage(name, (name,))] if _own(module) else []
    for child_name, child in module.named_children():
        path = f"{name}.{child_name}" if name else child_name
        if type(child) in (
            nn.Sequential,
            nn.ModuleList,
        ):  # not their kinds, such as torchvision's convolution with its norm
            found += _opened(child, path)
        elif inside := tuple(f"{path}.{inner}" if inner else path for inner, one in child.named_modules() if _own(one)):
            found.append(Stage(path, inside))
    return found


def _own(module: nn.Module) -> list[nn.Parameter]:
    return list(module.parameters(recurse=False))


@torch.no_grad()
def _calls(network: nn.Module, example: Tensor) -> dict[str, int]:
    """Return when each module is first called."""
    calls: dict[str, int] = {}

    def note(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: object) -> None:
            calls.setdefault(name, len(calls))

        return hook

    handles = [module.register_forward_pre_hook(note(name)) for name, module in network.named_modules()]
    try:
        network(example)
    finally:
        for handle in handles:
            handle.remove()
    return calls


def cascade(network: nn.Module, parts: Sequence[Stage], x: Tensor, *, seed: int) -> Iterator[tuple[Stage, nn.Module]]:
    """Yield a copy of a network after each stage is randomised, those before it included.

    Each tensor of parameters is drawn from a normal distribution of its trained mean and standard deviation. (Drawn by
    their initialisers, as Adebayo et al. do, activations shrink from layer to layer where nothing normalises them.)
    Batch norm that was randomised takes its statistics from the image and its mirror image, for those of the trained
    network don't fit any more. Scores then depend on the image at every depth: over five photographs, a class's score
    by `mobilenet_v2` has a standard deviation of 0.4 to 1.4, trained of 2.5; by initialisers, without statistics, 1e-8.

    The copy is the same each time: be done with it before taking the next.

    Args:
        network: N x 3 x H x W -> N x C, in evaluation mode; left as it is.
        parts: of it, in the order in which they are randomised.
        x: 1 x 3 x H x W.
        seed: draws the weights.
    """
    randomised = copy.deepcopy(network)
    drawn: list[nn.Module] = []
    for k, stage in enumerate(parts):
        modules = [randomised.get_submodule(name) for name in stage.modules]
        _draw(modules, seed=seed * 1_000_003 + k)
        drawn += modules
        calibrate(randomised, drawn, torch.cat([x, x.flip(3)]))
        yield stage, randomised


@torch.no_grad()
def _draw(modules: Sequence[nn.Module], *, seed: int) -> None:
    """Draw the modules' own parameters; on the CPU, so that every device has the same."""
    generator = torch.Generator().manual_seed(seed % 2**63)
    for parameter in (parameter for module in modules for parameter in _own(module)):
        noise = torch.randn(parameter.shape, generator=generator).to(parameter)
        parameter.copy_(parameter.mean() + parameter.std(correction=0) * noise)
