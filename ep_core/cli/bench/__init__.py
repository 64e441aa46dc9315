"""`ep bench`: a file a command."""
