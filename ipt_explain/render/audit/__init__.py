"""Output of `audit` and `rules`, one module per format."""
