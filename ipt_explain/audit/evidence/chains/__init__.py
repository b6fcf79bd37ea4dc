"""Chains and rules that should not stand where they stand: stale, foreign, never coming back."""
