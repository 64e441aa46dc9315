"""Health, metrics and traces of the API."""
