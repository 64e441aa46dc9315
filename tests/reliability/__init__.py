"""Commands that show that the service can be relied on, such as `python -m tests.reliability.chaos`."""
