"""Measuring the engine: `ep bench ...`. Each benchmark runs both of its sides in one go and prints their ratio."""
