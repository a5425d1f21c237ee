"""State folded from a stream, and the refusals that protect it."""
