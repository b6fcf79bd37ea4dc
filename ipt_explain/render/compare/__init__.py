"""Output of `compare`."""
