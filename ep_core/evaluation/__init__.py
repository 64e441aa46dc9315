"""The paper's evaluations, and those that others measure attribution by: each a function and a command."""
