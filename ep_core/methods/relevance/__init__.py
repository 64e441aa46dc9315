"""Relevance handed down through a network: layer-wise relevance propagation and excitation backprop."""
