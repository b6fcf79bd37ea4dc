"""Output of `graph`, one module per format."""
