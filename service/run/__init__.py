"""`ep serve`: an embedded Redis, child processes and their supervisor."""
