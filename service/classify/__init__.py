"""Interactive classification: the classes that a model sees in an image."""
