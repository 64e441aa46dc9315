"""The layer that a method reads: its name, and its map."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ep_core.errors import InvalidInput, UnknownName
from ep_core.models.classifier import Classifier
from ep_core.models.named_layer import resolve_layer
from ep_core.models.token_maps import token_map
from ep_core.schemas.model_card import LayerUse, ListedLayer
from ep_core.schemas.specs import CompareSpec

from .method import AttributionRequest, MethodUnavailable


def card_read(use: LayerUse, title: str, model: Classifier, spec: CompareSpec) -> ListedLayer:
    """Return the layer that a method reads: the spec's, else the default.

    Args:
        use: what the default is for.
        title: what people call the method, for the message.
        model: whose layer.
        spec: which may name it.

    Raises:
        UnknownName: the model has no layer of the spec's name.
        MethodUnavailable: no layer can be seen, or the spec names none, and none is the default.
    """
    try:
        return resolve_layer(spec.layer, model.layers, model=model.name, use=use)
    except UnknownName:
        raise
    except InvalidInput as error:
        raise MethodUnavailable(f"{title} reads a layer, and {error.detail}") from error


def layer_read(use: LayerUse, title: str, model: Classifier, spec: CompareSpec) -> str:
    """Return the name of the layer that a method reads; arguments and errors as those of `card_read`."""
    return card_read(use, title, model, spec).name


def map_and_gradient(request: AttributionRequest, layer: ListedLayer) -> tuple[Tensor, Tensor]:
    """Return a layer's map, and the gradient of each target's score in it: both T x K x h x w.

    The network goes on with a copy of the map: what changes it in place is not seen.

    Args:
        request: the image and the classes.
        layer: of the request's model. Class tokens stay as they are, and are not part of the map.
    """
    seen: list[Tensor] = []

    def exchange(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        form = token_map(layer.tokens, output, (request.x.shape[2], request.x.shape[3]))
        seen.append(form.to_map(output).detach().clone().requires_grad_())
        return form.to_output(seen[0].clone(), form.others_of(output))

    handle = request.network.get_submodule(layer.name).register_forward_hook(exchange)
    try:
        with torch.enable_grad():
            scores = request.network(request.x.detach().expand(len(request.targets), -1, -1, -1))
            targets = torch.tensor(request.targets, device=request.device)[:, None]
            (gradient,) = torch.autograd.grad(scores.gather(1, targets).sum(), seen)
    finally:
        handle.remove()
    return seen[0].detach(), gradient
