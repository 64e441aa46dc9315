"""Log-odds: scores whose sigmoid is a probability."""

from __future__ import annotations

from torch import Tensor

NEVER = float("-inf")


def log_odds(logits: Tensor, dim: int = -1) -> Tensor:
    """Return ``log(p / (1 - p))`` of the softmax's probabilities p, of any size: ``f_c - log sum_{k != c} exp(f_k)``.

    Its sigmoid is p. Unlike p it isn't flat where the softmax is sure, and unlike a logit it can be compared between
    places, whose softmax may have another sum. A single class is there or isn't: its logit is its log-odds.

    Args:
        logits: of any shape, finite.
        dim: the one of the classes.
    """
    if logits.shape[dim] == 1:
        return logits
    highest = logits.argmax(dim, keepdim=True)
    most = logits.gather(dim, highest)
    rest = logits.scatter(dim, highest, NEVER).logsumexp(dim, keepdim=True)  # of all but the highest
    is_highest = logits.new_zeros(logits.shape).scatter(dim, highest, 1).bool()
    without = ((rest - most).exp() - (logits - most).exp()).clamp_min(0)  # the same less c; 0 for the highest
    return logits - (most + without.log1p()).where(~is_highest, rest)


def from_log(log_p: Tensor) -> Tensor:
    """Return the log-odds of probabilities that are given as logs, at most those of 1 - 1e-6."""
    log_p = log_p.clamp_max(-1e-6)
    return log_p - (-log_p.expm1()).log()
