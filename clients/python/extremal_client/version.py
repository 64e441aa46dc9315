"""Version of the client: that of the service whose document it was made of."""

__version__ = "0.5.0"
