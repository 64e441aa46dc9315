"""Command line `ep`, a file a command."""
