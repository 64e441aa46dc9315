"""Metadata of image files, removed without decoding, a file a format."""
