"""Webhooks: messages, their schedule and their courier."""
