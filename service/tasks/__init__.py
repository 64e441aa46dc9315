"""Tasks on offer."""
