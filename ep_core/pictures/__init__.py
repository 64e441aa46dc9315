"""Pictures: decoding, drawing, plots."""
