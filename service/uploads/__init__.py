"""Uploads: multipart forms and JSON, read within limits."""
