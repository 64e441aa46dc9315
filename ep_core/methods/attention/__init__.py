"""Attention of transformers, read from any network that computes it by torch's functions."""
