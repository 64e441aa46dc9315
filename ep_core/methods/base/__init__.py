"""Base of all attribution methods: their interface, their registry, passes through the network."""
