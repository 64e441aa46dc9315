"""Optimiser of masks: lanes, their solver, and the presets that move them."""
