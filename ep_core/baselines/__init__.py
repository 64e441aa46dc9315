"""The methods that the paper compares with, and its own, each a file in `methods`."""
