"""Evaluates rules of one shape for many packets at once."""
