"""Vision transformers on some of their patches: where tokens can be left out, and the scores of the others."""
