"""7xx: the node as a whole."""
