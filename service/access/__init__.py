"""Access: API keys, rate limits, turns, proxies and exposure."""
