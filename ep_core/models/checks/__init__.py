"""Checks of networks: gradients, outputs, preprocessing."""
