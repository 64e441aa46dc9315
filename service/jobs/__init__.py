"""Jobs: posts, states, events, results and pictures."""
