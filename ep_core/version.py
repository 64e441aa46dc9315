"""Version of the package: part of every report, and of the keys of what is kept."""

__version__ = "0.5.0"
