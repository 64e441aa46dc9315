"""Decoding of posted images in processes of their own, within limits."""
