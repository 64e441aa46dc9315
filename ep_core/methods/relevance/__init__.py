"""Relevance propagated through a network: layer-wise relevance propagation and excitation backprop."""
