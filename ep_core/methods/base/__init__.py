"""Parts that all attribution methods share: their interface, their registry, passes through the network."""
