"""The records in a node's digest."""
