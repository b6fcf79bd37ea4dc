"""Chains and rules that should not be there: stale, foreign, or gotos that never return."""
