"""Dashboard: one page at `/`, and its files."""
