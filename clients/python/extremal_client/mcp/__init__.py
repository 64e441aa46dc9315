"""The service's MCP server (`ep mcp`, `extremal-mcp`): tools with which an agent asks what a network needs to see.

It is a client as others are, with a key, limits and quotas of the service's own, and needs no torch: it runs where the
agent runs. Its extra is `mcp`.
"""
