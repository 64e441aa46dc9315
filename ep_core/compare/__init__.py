"""Several methods on one image and class, side by side (figure 2)."""
