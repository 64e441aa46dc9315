"""`python -m extremal_client.mcp`, which is `extremal-mcp`."""

from .cli import main

if __name__ == "__main__":
    main()
