"""Decisions of the client, the same for both of its transports; nothing is sent from here."""
