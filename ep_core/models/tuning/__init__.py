"""Tuned networks: faster, or adapted to the engine, with the same scores."""
