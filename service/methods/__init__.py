"""Methods that can be compared."""
