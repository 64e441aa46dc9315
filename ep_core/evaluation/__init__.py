"""Evaluations of the paper and of the attribution literature: each a function and a command."""
