"""Data sets, their items and annotations, and variations of photographs."""
