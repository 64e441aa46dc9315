"""Batches: many images, a job for each."""
