"""Schemas: specs of tasks, reports of results, and the words for errors in them. Imports no torch."""
