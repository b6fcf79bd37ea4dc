"""Chains and rules that should not be where they are: stale, foreign, never coming back."""
