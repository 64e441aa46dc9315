"""Vision transformers on some of their patches: where tokens can be left out, and the network on those that are kept."""
