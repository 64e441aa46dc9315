"""Commands of `ep evaluate`."""
