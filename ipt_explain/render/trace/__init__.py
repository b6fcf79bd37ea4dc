"""Output of `trace`."""
