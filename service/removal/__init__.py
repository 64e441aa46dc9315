"""Removal of all that a caller has."""
