"""HTTP service: validation, keys, limits, events and the dashboard. Imports no torch."""
