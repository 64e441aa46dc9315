"""Operators of the paper: smooth masks, the perturbation, the area constraint, the scores of masks."""
