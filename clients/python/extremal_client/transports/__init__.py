"""What sends, reads and waits as a flow says: blocking, or for asyncio."""
