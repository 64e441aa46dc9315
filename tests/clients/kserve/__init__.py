"""KServe's own client, against the running stack: `make kserve`."""

from pathlib import Path

RECORDED = Path(__file__).parent / "recorded.json"
"""Requests of that client, and what it made of their answers."""
