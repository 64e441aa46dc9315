"""Architectures of libraries and of one's own, each tried by every task."""
