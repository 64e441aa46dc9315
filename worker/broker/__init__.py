"""Broker: all that API and workers share in Redis and in the blob store. Imports no torch."""
