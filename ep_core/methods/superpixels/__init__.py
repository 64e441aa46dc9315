"""Superpixels, and searches over them."""
