"""Differences of a Service between two dumps."""
