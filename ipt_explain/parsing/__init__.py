"""Text to model: the only floor that knows the grammar."""
